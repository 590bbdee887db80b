"""The row on tokens that clients get for themselves, signed with ES256: ours on the disk before it is answered, the peer's in memory."""

from __future__ import annotations

import base64
import contextlib

from benchmarks.load import Request
from benchmarks.measure import Contestant, Row, Target, Workplace, contest
from benchmarks.peers import FORM, RESOURCE, TOKEN_WISH, oidc_provider_signing
from benchmarks.resident import COMPILING_SECONDS, patient, sender
from benchmarks.service import Installation, serving
from benchmarks.yardsticks import YardstickError


def tokens(place: Workplace) -> list[Row]:
    """Tokens of the grant client_credentials: the client's secret is checked, and the answer is a signed JWT."""
    installation = Installation.make(
        place.subfolder("tokens"), signing_algorithm="ES256", resources=[RESOURCE]
    )
    with contextlib.ExitStack() as stack:
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
        ours = Contestant(
            Row(
                "token",
                "client credentials, a JWT by ES256, durable, SQLite",
                target=Target(1, "oidc-provider-token"),
            ),
            sender(service.port, request),
            (service.pid,),
        )
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
        return contest([ours], beside, place.effort)
