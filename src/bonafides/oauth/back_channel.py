"""Clients are told that a login has ended, from server to server, however it has ended.

What is under way when a process is killed is lost; what is told is told once, whichever node sees
the end first.

See: OpenID Connect Back-Channel Logout 1.0
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Final, Protocol

import structlog

from bonafides.credentials.signing_keys import SigningKeys
from bonafides.delegation import EndedLogin
from bonafides.model import Change, ChangeKind, Clock, Entropy, to_datetime
from bonafides.oauth.clients import Clients
from bonafides.outgoing import Fetched, Outgoing
from bonafides.secret import Peppers, new_id
from bonafides.store import ConsentStore, GrantStore

LOGOUT_TOKEN_TYPE: Final = "logout+jwt"
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
TOKEN_SECONDS: Final = 120
AGAIN_AFTER_SECONDS: Final = (1.0, 5.0, 30.0)
WAITING_MAX: Final = 10_000
SESSION_PREFIX: Final = "ses_"

_TOLD_DAYS: Final = 366
_TAKEN: Final = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT})
_SECOND_US: Final = 1_000_000

log = structlog.get_logger("bonafides.back_channel")


class BackChannelStore(ConsentStore, GrantStore, Protocol):
    """What telling clients asks of the store."""


class BackChannel:
    """Tells clients of the ends of logins.

    Args:
        store: Knows which clients somebody has logged in to, and what was told already.
        clients: Say where they are told.
        signing_keys: Sign what they are told.
        outgoing: Tells them.
        peppers: Name what was told.
        clock: When a token is made.
        entropy: For ids.
        again_after_seconds: When one that did not take it is told again.
    """

    def __init__(
        self,
        store: BackChannelStore,
        clients: Clients,
        signing_keys: SigningKeys,
        outgoing: Outgoing,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        again_after_seconds: Sequence[float] = AGAIN_AFTER_SECONDS,
    ) -> None:
        self._store = store
        self._clients = clients
        self._signing_keys = signing_keys
        self._outgoing = outgoing
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._again_after_seconds = again_after_seconds
        self._changed: set[str] = set()
        self._under_way: set[asyncio.Task[None]] = set()

    def notice(self, changes: Sequence[Change]) -> None:
        """Remember which logins and users have changed; whether any has ended, is looked up when clients are told."""
        for change in changes:
            is_session = change.kind is ChangeKind.CREDENTIAL and change.subject_id.startswith(SESSION_PREFIX)
            if (is_session or change.kind is ChangeKind.USER) and len(self._changed) < WAITING_MAX:
                self._changed.add(change.subject_id)

    async def tell(self) -> None:
        """Tell the clients of every login that has ended since this was called last.

        Raises:
            Unavailable: The server cannot know; the next call does.
        """
        if not self._changed:
            return
        changed = sorted(self._changed)
        ended = await self._store.list_ended_logins(changed)
        self._changed.difference_update(changed)
        for login in ended:
            await self._begin(login)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _begin(self, login: EndedLogin) -> None:
        client = await self._clients.find(login.client_id)
        uri = None if client is None else client.metadata.get("backchannel_logout_uri")
        if client is None or not isinstance(uri, str) or len(self._under_way) >= WAITING_MAX:
            return
        digest = self._peppers.claim_digest("back channel", login.client_id, login.session_id)
        kept = to_datetime(self._clock.micros()) + timedelta(days=_TOLD_DAYS)
        if not await self._store.spend_assertion(digest, kept):
            return
        task = asyncio.get_running_loop().create_task(self._deliver(login, uri), name="back channel")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, login: EndedLogin, uri: str) -> None:
        for seconds in (*self._again_after_seconds, None):
            answer = await self._outgoing.post(uri, {"logout_token": await self._token(login)})
            if isinstance(answer, Fetched) and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                if answer.status not in _TAKEN:
                    log.warning("logout_refused", client_id=login.client_id, status=answer.status)
                return
            if seconds is not None:
                await asyncio.sleep(seconds)
        log.warning("logout_not_told", client_id=login.client_id)

    async def _token(self, login: EndedLogin) -> str:
        """A logout token, which can be taken for nothing else: it has a type of its own, and no nonce.

        See: Back-Channel Logout 1.0 §2.4
        """
        client = await self._clients.find(login.client_id)
        now_us = self._clock.micros()
        issued = now_us // _SECOND_US
        return await self._signing_keys.sign(
            {
                "aud": login.client_id if client is None else client.wire_id,
                "sub": login.user_id,
                "sid": login.session_id,
                "iat": issued,
                "exp": issued + TOKEN_SECONDS,
                "jti": new_id("lot", now_us, self._entropy),
                "events": {EVENT: {}},
            },
            type_=LOGOUT_TOKEN_TYPE,
            algorithm=None if client is None else client.id_token_algorithm,
        )
