"""Token exchange: a client has a narrower token made of one that somebody presented to it.

See: RFC 8693
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from bonafides.audit import Recorder
from bonafides.delegation import GrantType
from bonafides.errors import InvalidRequest
from bonafides.model import Clock, CredentialKind, Principal
from bonafides.oauth.grants import Answer, GrantsStore
from bonafides.oauth.token_endpoint import Asked, require_scopes
from bonafides.oauth.tokens import Subject, Tokens, answer_of, without_standard

ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
API_KEY: Final = "urn:bonafides:token-type:api_key"
PERSONAL_ACCESS_TOKEN: Final = "urn:bonafides:token-type:personal_access_token"
ACTORS_MAX: Final = 5

_TOKENS: Final = frozenset({CredentialKind.OAUTH_ACCESS_TOKEN, CredentialKind.BEARER_TOKEN})
_KINDS: Final[Mapping[str, frozenset[CredentialKind]]] = {
    ACCESS_TOKEN: _TOKENS,
    JWT: frozenset({CredentialKind.OAUTH_ACCESS_TOKEN}),
    API_KEY: frozenset({CredentialKind.API_KEY}),
    PERSONAL_ACCESS_TOKEN: frozenset({CredentialKind.PERSONAL_ACCESS_TOKEN}),
}
_JWT_PREFIX: Final = "eyJ"

Judge = Callable[[str, Asked], Awaitable[Principal | None]]
"""Whom a credential speaks for that a client presents, as far as the client may see it; None if it is not good."""


class TokenExchange:
    """A client that goes on with what was presented to it.

    Args:
        judge: Knows every kind of credential.
        store: Where tokens are.
        tokens: Makes them.
        recorder: Makes audit events.
        clock: When things happen.
    """

    grant_type = GrantType.TOKEN_EXCHANGE

    def __init__(
        self, judge: Judge, store: GrantsStore, tokens: Tokens, recorder: Recorder, clock: Clock
    ) -> None:
        self._judge = judge
        self._store = store
        self._tokens = tokens
        self._recorder = recorder
        self._clock = clock

    async def answer(self, asked: Asked) -> Answer:
        """An access token that has no more than what it was made from, and ends with it.

        See: RFC 8693 §2
        """
        subject = await self._presented(asked, "subject_token")
        actors = subject.delegation.actors if subject.delegation is not None else ()
        if "actor_token" in asked.fields:
            actor = await self._presented(asked, "actor_token")
            actors = (actor.user_id, *actors)
        elif "actor_token_type" in asked.fields:
            message = "actor_token_type: goes with actor_token alone."
            raise InvalidRequest(message, field="actor_token_type")
        if len(actors) > ACTORS_MAX:
            message = f"actor_token: at most {ACTORS_MAX} may act for one another."
            raise InvalidRequest(message, field="actor_token")
        if asked.fields.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
            message = f"requested_token_type: there is {ACCESS_TOKEN} alone."
            raise InvalidRequest(message, field="requested_token_type")
        most = without_standard(subject.scopes & asked.client.scopes)
        scopes = most if asked.scopes is None else without_standard(asked.scopes)
        require_scopes(scopes, most)
        return await self._exchanged(asked, subject, scopes, actors)

    async def _exchanged(
        self, asked: Asked, subject: Principal, scopes: frozenset[str], actors: tuple[str, ...]
    ) -> Answer:
        client = asked.client
        found = await self._store.find_with_plan(subject.credential_id)
        if found is None:
            raise _not_good("subject_token")
        parent, _ = found
        resources = asked.resources
        if resources is None:
            resources = subject.delegation.audiences if subject.delegation is not None else ()
        whom = Subject(
            subject.tenant_id,
            subject.user_id,
            parent.id,
            parent.root_id,
            {"act": act_of(actors)} if actors else {},
            parent.ends_at,
            parent.plan,
        )
        minted = await self._tokens.access_token(
            client, whom, scopes, resources, asked.jkt, act=act_of(actors)
        )
        event = self._recorder.event(
            "oauth_access_token.exchanged",
            asked.actor("token_exchange", subject.user_id),
            subject.tenant_id,
            minted.credential.id,
            {"client_id": client.id, "scopes": sorted(scopes), "parent_id": parent.id, "act": list(actors)},
        )
        await self._store.create_credential(minted.credential, minted.digested, event)
        answer = answer_of(minted, scopes, self._clock.micros())
        return {**answer, "issued_token_type": ACCESS_TOKEN}

    async def _presented(self, asked: Asked, field: str) -> Principal:
        """Whom a token of the request speaks for.

        Raises:
            InvalidRequest: It is missing, of another type, not good, or bound to a key that is not proven.
        """
        token, type_ = asked.field(field), asked.field(f"{field}_type")
        kinds = _KINDS.get(type_)
        if kinds is None:
            message = f"{field}_type: there is {', '.join(_KINDS)}."
            raise InvalidRequest(message, field=f"{field}_type")
        found = await self._judge(token, asked)
        if found is None or found.kind not in kinds or (type_ == JWT and not token.startswith(_JWT_PREFIX)):
            raise _not_good(field)
        jkt = found.delegation.jkt if found.delegation is not None else None
        if jkt is not None and jkt != asked.jkt:
            raise _not_good(field)
        return found


def act_of(actors: tuple[str, ...]) -> dict[str, Any]:
    """Who acts, with who acted before them.

    See: RFC 8693 §4.1
    """
    told: dict[str, Any] = {}
    for actor in reversed(actors):
        told = {"sub": actor, **({"act": told} if told else {})}
    return told


def _not_good(field: str) -> InvalidRequest:
    message = f"{field}: is not good here: unknown, ended, of another type, of another tenant, or bound to a key that was not proven."
    return InvalidRequest(message, field=field)
