"""The rows on tokens that clients get for themselves, signed with ES256: ours on the disk before they are answered, the peer's in memory."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator

from benchmarks.cold import DATABASES, TITLES, database
from benchmarks.load import Request
from benchmarks.measure import Contestant, Row, Target, Workplace, contest
from benchmarks.peers import FORM, RESOURCE, TOKEN_WISH, oidc_provider_signing
from benchmarks.resident import COMPILING_SECONDS, patient, sender
from benchmarks.service import Installation, serving
from benchmarks.yardsticks import YardstickError


def tokens(place: Workplace) -> list[Row]:
    """Tokens of the grant client_credentials: the client's secret is checked, and the answer is a signed JWT."""
    with contextlib.ExitStack() as stack:
        ours = [stack.enter_context(_granting(place, kind)) for kind in DATABASES]
        beside = []
        try:
            peer = stack.enter_context(oidc_provider_signing(place.subfolder("peer")))
        except YardstickError as error:
            place.left_out["oidc-provider-token"] = str(error)
        else:
            asked = patient(sender(peer.port, peer.request))
            if place.effort.warm_up_seconds:
                asked(COMPILING_SECONDS)
            beside.append(Contestant(Row(peer.name, peer.title), asked, (peer.pid,)))
        return contest(ours, beside, place.effort)


@contextlib.contextmanager
def _granting(place: Workplace, kind: str) -> Iterator[Contestant]:
    """A server on that database, asked for tokens by one client."""
    name = "token" if kind == "sqlite" else f"token-{kind}"
    with contextlib.ExitStack() as stack:
        url, _ = stack.enter_context(database(kind))
        installation = Installation.make(
            place.subfolder(name), url, signing_algorithm="ES256", resources=[RESOURCE]
        )
        service = stack.enter_context(serving(installation))
        wish = {
            "name": "bench",
            "grant_types": ["client_credentials"],
            "scopes": ["read"],
            "access_token_format": "jwt",
        }
        made = service.require(*service.call("POST", "/v1/clients", wish))
        proof = base64.b64encode(f"{made['client_id']}:{made['client_secret']}".encode()).decode()
        request = Request("/oauth/token", (f"Authorization: Basic {proof}",), "POST", TOKEN_WISH, FORM)
        row = Row(
            name,
            f"client credentials, a JWT by ES256, durable, {TITLES[kind]}",
            target=Target(1, "oidc-provider-token"),
        )
        yield Contestant(row, sender(service.port, request), (service.pid,))
