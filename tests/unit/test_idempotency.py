"""Calls that may be sent twice: whose they are, whether they are the same, and who can open their answers."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from bonafides.authority import Authority
from bonafides.errors import Conflict, InvalidRequest
from bonafides.idempotency import KEY_LENGTH_MAX, Attempt, Idempotency, reused
from bonafides.model import BUILT_IN_SCOPES, READ, Actor, Replayed, Role, to_datetime
from bonafides.secret import Peppers, new_pepper, parse_pepper
from tests.unit.clocks import HandClock

CALL = "POST /v1/api-keys"
ANSWER = b'{"key":"bf_key_..."}'
CALLER = Authority(
    actor=Actor("usr_1", "key_1", "api"),
    tenant_id="ten_1",
    user_id="usr_1",
    role=Role.OWNER,
    scopes=BUILT_IN_SCOPES,
    grantable=BUILT_IN_SCOPES,
    operator=False,
)
OLD, NEW, OTHER = (parse_pepper(new_pepper(secrets.token_bytes)) for _ in range(3))


def idempotency(clock: HandClock | None = None, peppers: Peppers | None = None) -> Idempotency:
    """The room; a claim holds for a minute."""
    return Idempotency(peppers or Peppers([OLD]), clock or HandClock(), secrets.token_bytes, seconds=60)


def attempted(
    key: str = "once", authority: Authority = CALLER, call: str = CALL, body: bytes = b"{}"
) -> Attempt:
    """A call that carries a key."""
    attempt = idempotency().attempt(key, authority, call, body)
    assert attempt is not None
    return attempt


def test_a_call_without_a_key_is_no_attempt() -> None:
    """Two calls that nobody called the same would be taken for one."""
    assert idempotency().attempt(None, CALLER, CALL, b"{}") is None


@pytest.mark.parametrize("key", ["", "x" * (KEY_LENGTH_MAX + 1), "naïve", "a\tb", "a\x7fb"])
def test_a_malformed_key_is_refused(key: str) -> None:
    """What one server reads in it, another would not, and the call would happen twice."""
    with pytest.raises(InvalidRequest) as caught:
        idempotency().attempt(key, CALLER, CALL, b"{}")
    assert caught.value.field == "Idempotency-Key"


@pytest.mark.parametrize("key", ["x", "x" * KEY_LENGTH_MAX, " a ~"])
def test_a_printable_key_is_taken_as_it_is(key: str) -> None:
    """A client whose keys are longer or shorter than ours would be left without the promise."""
    assert attempted(key).key == key


@pytest.mark.parametrize(
    "other",
    [
        {"call": "POST /v1/users"},
        {"body": b"{ }"},
        {"authority": replace(CALLER, grantable=frozenset({READ}))},
    ],
)
def test_another_call_body_or_power_is_another_request(other: dict[str, object]) -> None:
    """A caller would be answered with what another call made, or with more than their credential may have."""
    one = attempted()
    different = idempotency().attempt("once", **{"authority": CALLER, "call": CALL, "body": b"{}", **other})  # type: ignore[arg-type]  # as parametrised
    assert different is not None
    assert different.request_digest != one.request_digest
    assert attempted().request_digest == one.request_digest


@pytest.mark.parametrize(
    "caller",
    [replace(CALLER, user_id="usr_2"), replace(CALLER, tenant_id="ten_2"), replace(CALLER, user_id=None)],
)
def test_two_callers_equal_keys_never_meet(caller: Authority) -> None:
    """Somebody who guesses a key would get the secret that another's call made."""
    room = idempotency()
    mine, theirs = room.claim(attempted(), ANSWER), room.claim(attempted(authority=caller), ANSWER)
    assert mine.key_digest != theirs.key_digest
    with pytest.raises(Conflict):
        room.answer(attempted(authority=caller), Replayed(mine.sealed_answer))


def test_an_answer_is_opened_by_its_own_key_alone() -> None:
    """Whoever reads the database would read every secret that was made in the last day."""
    room = idempotency()
    claim = room.claim(attempted(), ANSWER)
    assert ANSWER not in claim.sealed_answer
    assert b"once" not in claim.key_digest + claim.request_digest + claim.sealed_answer
    assert room.answer(attempted(), Replayed(claim.sealed_answer)) == ANSWER
    with pytest.raises(Conflict, match="can no longer be shown") as caught:
        room.answer(attempted("twice"), Replayed(claim.sealed_answer))
    assert caught.value.field == "Idempotency-Key"


def test_a_claim_holds_from_now_for_as_long_as_was_set() -> None:
    """A client that repeats after an hour would make a second key; or keys would be spent for ever."""
    clock = HandClock()
    clock.advance(5)
    claim = idempotency(clock).claim(attempted(), ANSWER)
    assert claim.expires_at == to_datetime(clock.now_us) + timedelta(seconds=60)
    assert claim.request_digest == attempted().request_digest


def test_a_claim_outlives_a_new_pepper_and_its_answer_ends_with_the_old_one() -> None:
    """A rotation of the pepper would make a repeated call happen twice; a lost pepper would still open answers."""
    claim = idempotency().claim(attempted(), ANSWER)
    rotated = idempotency(peppers=Peppers([NEW, OLD]))
    assert rotated.claim(attempted(), ANSWER).key_digest == claim.key_digest
    assert rotated.answer(attempted(), Replayed(claim.sealed_answer)) == ANSWER
    with pytest.raises(Conflict, match="can no longer be shown"):
        idempotency(peppers=Peppers([OTHER])).answer(attempted(), Replayed(claim.sealed_answer))


def test_a_reused_key_is_told_as_what_it_is() -> None:
    """A client would not learn that it must take a new key, and try for ever."""
    refusal = reused()
    assert (refusal.code, refusal.field) == ("conflict", "Idempotency-Key")
    assert "different call" in refusal.public
