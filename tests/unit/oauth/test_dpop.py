"""Proofs of a key: the RFC's own, and whatever is made of one to pass for another request's."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final, cast

import pytest
from joserfc import jwk, jws

from bonafides.errors import InvalidDpopProof, UseDpopNonce
from bonafides.oauth.dpop import AGE_SECONDS_MAX, NONCE_SECONDS, SKEW_SECONDS, KeyProofs
from bonafides.store import GrantStore
from tests.unit.clocks import HandClock
from tests.unit.conftest import PEPPERS

RFC_PROOF: Final = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs"
    "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2"
    "In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2Vu"
    "IiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RFC_JKT: Final = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
RFC_TOKEN: Final = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
RFC_ATH: Final = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
RFC_URL: Final = "https://server.example.com/token"
RFC_IAT: Final = 1_562_262_616
URL: Final = "https://api.example.com/v1/things"
KEY: Final = jwk.generate_key("EC", "P-256")


class Used:
    """A store that remembers what was used."""

    def __init__(self) -> None:
        self.digests: set[bytes] = set()

    async def spend_assertion(self, digest: bytes, expires_at: datetime) -> bool:
        """Whether it is the first time."""
        assert expires_at.tzinfo is not None
        first = digest not in self.digests
        self.digests.add(digest)
        return first


def proofs(clock: HandClock, *, nonce_required: bool = False) -> KeyProofs:
    """Judges."""
    return KeyProofs(cast("GrantStore", Used()), PEPPERS, clock, nonce_required=nonce_required)


def proof(clock: HandClock, header: dict[str, Any] | None = None, key: Any = KEY, **changes: Any) -> str:
    """A proof for a GET of `URL` with the RFC's token, but for what is changed; None takes a claim out."""
    claims = {
        "jti": "one",
        "htm": "GET",
        "htu": URL,
        "iat": clock.now_us // 1_000_000,
        "ath": RFC_ATH,
        **changes,
    }
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.as_dict(private=False), **(header or {})}
    payload = json.dumps({name: value for name, value in claims.items() if value is not None})
    return jws.serialize_compact(
        {name: value for name, value in head.items() if value is not None}, payload, key
    )


def test_the_rfcs_own_proof_is_one() -> None:
    """RFC 9449 §5: whoever made theirs by the RFC's example could not use ours."""
    clock = HandClock(RFC_IAT * 1_000_000)
    found = proofs(clock).read([RFC_PROOF], "POST", [RFC_URL])
    assert (found.jkt, found.jti) == (RFC_JKT, "-BwC3ESc6acc2lTc")
    with pytest.raises(InvalidDpopProof):
        proofs(clock).read([RFC_PROOF[:-4] + "AAAA"], "POST", [RFC_URL])


def test_a_proof_is_for_one_request_with_one_token() -> None:
    """RFC 9449 §4.3: a proof that was seen elsewhere would open this call, too."""
    clock = HandClock()
    judge = proofs(clock)
    now = clock.now_us // 1_000_000
    for good in (
        {},
        {"htu": URL + "?page=2#top"},
        {"htu": "https://API.example.com:443/v1/things"},
        {"iat": now - AGE_SECONDS_MAX},
        {"iat": now + SKEW_SECONDS},
        {"nonce": judge.nonce()},
    ):
        found = judge.read([proof(clock, **good)], "GET", [URL], RFC_TOKEN)
        assert found.jkt == KEY.thumbprint()
    for bad in (
        {"htm": "POST"},
        {"htm": "get"},
        {"htm": None},
        {"htu": None},
        {"htu": 1},
        {"htu": "https://api.example.com/v1/thing"},
        {"htu": "http://api.example.com/v1/things"},
        {"htu": "https://api.example.com:8443/v1/things"},
        {"htu": "https://api.example.com:x/v1/things"},
        {"htu": "https://api.example.com.evil.example/v1/things"},
        {"iat": None},
        {"iat": str(now)},
        {"iat": now - AGE_SECONDS_MAX - 1},
        {"iat": now + SKEW_SECONDS + 1},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 513},
        {"ath": None},
        {"ath": RFC_ATH.lower()},
    ):
        with pytest.raises(InvalidDpopProof):
            judge.read([proof(clock, **bad)], "GET", [URL], RFC_TOKEN)


def test_a_proof_is_signed_with_the_key_that_it_shows() -> None:
    """RFC 9449 §4.3, attack 27, attack 28, attack 29: whoever has stolen a token would make a proof of their own."""
    clock = HandClock()
    judge = proofs(clock)
    other = jwk.generate_key("EC", "P-256")
    secret = jwk.generate_key("oct", 256)
    for bad in (
        proof(clock, key=other),
        proof(clock, {"typ": "JWT"}),
        proof(clock, {"typ": None}),
        proof(clock, {"jwk": None}),
        proof(clock, {"jwk": KEY.as_dict(private=True)}),
        proof(clock, {"jwk": {**KEY.as_dict(private=False), "crv": "P-384"}}),
        proof(clock, {"alg": "HS256", "jwk": secret.as_dict(private=True)}, key=secret),
        "e30.e30.",
        "",
        "a.b.c",
    ):
        with pytest.raises(InvalidDpopProof):
            judge.read([bad], "GET", [URL], RFC_TOKEN)
    good = proof(clock)
    for count in ([], [good, good]):
        with pytest.raises(InvalidDpopProof):
            judge.read(count, "GET", [URL], RFC_TOKEN)
    with pytest.raises(InvalidDpopProof):
        judge.read([proof(clock)], "GET", [], RFC_TOKEN)


async def test_a_proof_serves_once() -> None:
    """RFC 9449 §11.1: whoever has seen a request could send it again."""
    clock = HandClock()
    judge = proofs(clock)
    first = judge.read([proof(clock)], "GET", [URL], RFC_TOKEN)
    await judge.spend(first)
    with pytest.raises(InvalidDpopProof, match="used before"):
        await judge.spend(
            judge.read([proof(clock, iat=clock.now_us // 1_000_000 - 1)], "GET", [URL], RFC_TOKEN)
        )
    await judge.spend(judge.read([proof(clock, jti="two")], "GET", [URL], RFC_TOKEN))


def test_nonces_change_and_the_one_before_is_good_for_a_while() -> None:
    """RFC 9449 §8: proofs made ahead would be good for ever, or clients fail whenever the nonce changes."""
    clock = HandClock()
    judge, strict = proofs(clock), proofs(clock, nonce_required=True)
    first = judge.nonce()
    with pytest.raises(UseDpopNonce):
        strict.read([proof(clock)], "GET", [URL], RFC_TOKEN)
    for nonce in ("", "x", 1, [first]):
        with pytest.raises(UseDpopNonce):
            judge.read([proof(clock, nonce=nonce)], "GET", [URL], RFC_TOKEN)
    assert strict.read([proof(clock, nonce=first)], "GET", [URL], RFC_TOKEN).jkt == KEY.thumbprint()
    clock.advance(NONCE_SECONDS)
    assert judge.nonce() != first
    assert strict.read([proof(clock, nonce=first)], "GET", [URL], RFC_TOKEN).jkt == KEY.thumbprint()
    clock.advance(NONCE_SECONDS)
    with pytest.raises(UseDpopNonce):
        strict.read([proof(clock, nonce=first)], "GET", [URL], RFC_TOKEN)
