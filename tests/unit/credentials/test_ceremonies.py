"""Ceremonies of WebAuthn: whom passkeys are for, and what an answer says before it is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bonafides.credentials import ceremonies
from bonafides.credentials.ceremonies import RelyingParty, relying_party
from tests.authenticator import Authenticator, encoded

PARTY = RelyingParty("api.example.com", "https://api.example.com")
USER = ("usr_1", "ada@example.com", "Ada")


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.example.com", PARTY),
        ("https://api.example.com:443", PARTY),
        (
            "https://api.example.com:8443/below",
            RelyingParty("api.example.com", "https://api.example.com:8443"),
        ),
        ("http://localhost:8000", RelyingParty("localhost", "http://localhost:8000")),
        ("http://127.0.0.1:8000", RelyingParty("localhost", "http://localhost:8000")),
        ("http://[::1]:80", RelyingParty("localhost", "http://localhost")),
        ("http://192.0.2.1:8000", None),
        ("http://[2001:db8::1]:8000", None),
    ],
)
def test_passkeys_are_for_a_name(base_url: str, expected: RelyingParty | None) -> None:
    """Web Authentication Level 3 §5.1.3: browsers would refuse each ceremony, or passkeys would serve another server."""
    assert relying_party(base_url) == expected


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"response": None},
        {"response": {"clientDataJSON": None}},
        {"response": {"clientDataJSON": "A"}},
        {"response": {"clientDataJSON": "é"}},
        {"response": {"clientDataJSON": encoded(b"[]")}},
        {"response": {"clientDataJSON": encoded(b"{}")}},
        {"response": {"clientDataJSON": encoded(b"[" * 10_000)}},
        {"response": {"clientDataJSON": encoded(b'{"challenge": "AAAA", "crossOrigin": true}')}},
        {"response": {"clientDataJSON": encoded(b'{"challenge": "AAAA", "topOrigin": "x"}')}},
    ],
)
def test_what_cannot_be_read_says_nothing(answer: dict[str, Any]) -> None:
    """A stranger's answer would be an internal error, or one from another site's frame would count."""
    assert ceremonies.challenge_in(answer) is None
    assert ceremonies.name_in(answer) is None
    assert ceremonies.user_in(answer) is None


def test_what_an_answer_says() -> None:
    """No passkey would be found."""
    client = encoded(json.dumps({"challenge": encoded(b"challenge")}).encode())
    answer = {"id": encoded(b"id"), "response": {"clientDataJSON": client, "userHandle": encoded(b"usr_1")}}
    assert ceremonies.challenge_in(answer) == b"challenge"
    assert ceremonies.name_in(answer) == b"id"
    assert ceremonies.user_in(answer) == "usr_1"


def test_certificates_of_makers_are_not_looked_into() -> None:
    """None were asked for: they say which device somebody has, and the code that reads them is large."""
    options = ceremonies.creation_options(PARTY, USER, b"c" * 56, ())
    for statement in (
        {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"x", "x5c": {}}},
        {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"x"}},
        {"fmt": "tpm", "attStmt": {}},
        {"fmt": "none", "attStmt": {"sig": b"x"}},
    ):
        key = Authenticator(PARTY.origin, statement=statement)
        assert ceremonies.made(PARTY, key.create(options), b"c" * 56) is None
    key = Authenticator(PARTY.origin)
    answer = key.create(options)
    assert ceremonies.made(PARTY, {**answer, "id": encoded(b"x"), "rawId": encoded(b"x")}, b"c" * 56) is None
    made = ceremonies.made(PARTY, answer, b"c" * 56)
    assert made is not None
    assert (made.aaguid, made.transports) == ("00010203-0405-0607-0809-0a0b0c0d0e0f", ("hybrid", "internal"))
