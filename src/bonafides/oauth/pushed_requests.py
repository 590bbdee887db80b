"""Authorization requests that clients push: judged before anybody sees them, and named in the browser by one word.

See: RFC 9126
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bonafides.delegation import Client, PushedRequest
from bonafides.model import Clock, Entropy, to_datetime
from bonafides.oauth.authorization_request import (
    PUSHED_PREFIX,
    Parameters,
    Refusal,
    Unproven,
    destination_of,
    judge,
    read,
    written,
)
from bonafides.oauth.codes import unguessable
from bonafides.oauth.request_objects import RequestObjects
from bonafides.secret import Peppers
from bonafides.store import PushedRequestStore

PUSHED_SECONDS: Final = 300
"""Until when somebody has to come with it; how long they then take is another matter."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A request that was taken.

    Args:
        request_uri: What the browser is sent with instead of it.
        expires_in: For how many seconds.
    """

    request_uri: str
    expires_in: int


async def keep(
    store: PushedRequestStore,
    peppers: Peppers,
    clock: Clock,
    entropy: Entropy,
    client: Client,
    parameters: Parameters,
) -> tuple[str, bytes]:
    """Let a request wait: the `request_uri` by which it is known, and the digest of that."""
    request_uri = PUSHED_PREFIX + unguessable(entropy)
    now = to_datetime(clock.micros())
    kept = PushedRequest(
        client_id=client.id,
        tenant_id=client.tenant_id,
        parameters={"pairs": written(parameters)},
        created_at=now,
        expires_at=now + timedelta(seconds=PUSHED_SECONDS),
    )
    digested = peppers.digested(request_uri)
    await store.push_request(kept, digested)
    return request_uri, digested.digest


class PushedRequests:
    """Takes requests ahead.

    Args:
        store: Where they wait.
        objects: Read those that come as request objects.
        peppers: Digest their names.
        clock: How long they wait.
        entropy: For what nobody guesses.
        defined_scopes: Every scope that this installation knows.
        audiences: Resources for which every client may ask.
        implicit: Whether tokens may be asked for in the answer itself.
    """

    def __init__(
        self,
        store: PushedRequestStore,
        objects: RequestObjects,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        defined_scopes: frozenset[str],
        audiences: Sequence[str],
        *,
        implicit: bool = False,
    ) -> None:
        self._store = store
        self._objects = objects
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._defined_scopes = defined_scopes
        self._audiences = audiences
        self._implicit = implicit

    async def push(self, client: Client, pairs: Sequence[tuple[str, str]]) -> Pushed | Refusal:
        """Keep a request of a client that has proven who it is; it is refused now if it would be refused later.

        See: RFC 9126 §2.1 and §2.3
        """
        sent = read(pairs)
        if "request_uri" in sent.values:
            return Refusal("invalid_request", "request_uri cannot be pushed.")
        if sent.get("client_id") not in {None, client.wire_id}:
            return Refusal("invalid_request", "client_id is another client's.")
        parameters = await self._objects.resolved(sent, client)
        if isinstance(parameters, Refusal):
            return parameters
        # The key of a proof beside the request was proven by the client itself, as nothing else is that stands there.
        jkt, said = sent.get("dpop_jkt"), parameters.get("dpop_jkt")
        if None not in {jkt, said} and jkt != said:
            return Refusal("invalid_request", "dpop_jkt: the request object names another key.")
        if jkt is not None and said is None:
            parameters = read([*written(parameters), ("dpop_jkt", jkt)])
        destination = destination_of(parameters, client, implicit=self._implicit)
        if isinstance(destination, Unproven):
            return Refusal(
                "invalid_request", "redirect_uri is missing, or is not registered for this client."
            )
        judged = judge(
            parameters,
            client,
            destination,
            defined_scopes=self._defined_scopes,
            audiences=self._audiences,
            pushed=True,
            implicit=self._implicit,
        )
        if isinstance(judged, Refusal):
            return judged
        request_uri, _ = await keep(
            self._store, self._peppers, self._clock, self._entropy, client, parameters
        )
        return Pushed(request_uri, PUSHED_SECONDS)
