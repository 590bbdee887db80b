"""The soak works, and its model notices a wrong answer; how long a soak is right is for the hours before a release."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.oracle import BAD, GOOD, Oracle, Subject, Timeline, Told
from benchmarks.soak import Load, soak

STALENESS = 2.0


def told(status: int, sent: float, *, worker: str = "one", limit: str = "10") -> Told:
    """An answer that took a tenth of a second."""
    return Told(status, limit, worker, sent, sent + 0.1)


def judged() -> tuple[Oracle, Subject]:
    """A key on a plan of ten requests."""
    oracle = Oracle(STALENESS)
    oracle.plans["plan"] = Timeline("10", STALENESS)
    return oracle, Subject("key_1", "secret", "plan", STALENESS)


@pytest.mark.timeout(300)
def test_some_seconds_of_mixed_load_answer_nothing_wrong(tmp_path: Path) -> None:
    """Whoever changes a call that the soak makes would only notice when the hour before a release has begun."""
    load = Load(5.0, verifications=150.0, changes=12.0, keys=20, lines=6)
    found = soak(tmp_path, "sqlite", load, seed=1, tell=lambda _: None)
    assert (found.wrong, found.log) == ([], [])
    assert {"verified: 200", "verified: 401", "created", "revoked", "rotated", "limits spent"} <= set(
        found.done
    )
    assert found.done["usage compared"] == found.done["limits spent"] > 0


def test_a_key_that_is_accepted_after_its_revocation_is_noticed() -> None:
    """A soak that accepts everything would prove nothing, however long it ran."""
    oracle, key = judged()
    state = key.fate.ask(BAD, 100.0)
    assert oracle.objection(key, told(GOOD, 99.0)) is None
    assert [oracle.objection(key, told(status, 100.0)) for status in (GOOD, BAD)] == [None, None]
    assert (
        oracle.objection(key, told(BAD, 99.0, worker="two")) is not None
    )  # refused before anybody asked for it
    key.fate.settle(state, 101.0, "one")
    assert oracle.objection(key, told(GOOD, 101.5)) == "200 instead of [401]"
    assert oracle.objection(key, told(GOOD, 102.9, worker="two")) is None
    assert oracle.latest_seconds > 1.8
    assert oracle.objection(key, told(GOOD, 103.1, worker="two")) is not None


def test_a_worker_that_knew_of_a_change_and_forgot_it_is_noticed() -> None:
    """A key that is refused and then accepted again was never safe."""
    oracle, key = judged()
    key.fate.settle(key.fate.ask(BAD, 100.0), 101.0, "one")
    assert oracle.objection(key, told(BAD, 101.2, worker="two")) is None
    assert oracle.objection(key, told(GOOD, 101.4, worker="two")) is not None


def test_a_limit_of_another_plan_is_noticed() -> None:
    """A key that was moved to a smaller plan must not go on with the larger one."""
    oracle, key = judged()
    oracle.plans["larger"] = Timeline("20", STALENESS)
    assert oracle.objection(key, told(GOOD, 99.0, limit="20")) == "a limit of 20 instead of ['10']"
    key.plan.settle(key.plan.ask("larger", 100.0), 101.0, "one")
    assert oracle.objection(key, told(GOOD, 101.2, limit="20")) is None
    assert oracle.objection(key, told(GOOD, 101.2, limit="10")) is not None
    assert oracle.objection(key, told(GOOD, 101.2, limit="10", worker="two")) is None
