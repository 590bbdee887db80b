"""What people type is stored in one form, or refused by the name of the field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from bonafides import intake
from bonafides.errors import InvalidRequest
from bonafides.model import BUILT_IN_SCOPES

NOW = datetime(2030, 1, 1, tzinfo=UTC)
CENTURY = timedelta(seconds=intake.LIFETIME_SECONDS_MAX)


def refused(check: Callable[..., object], *values: object, **named: Any) -> str | None:
    """The field that a refusal names; its sentence is for a person."""
    with pytest.raises(InvalidRequest) as caught:
        check(*values, **named)
    assert caught.value.public.endswith(".")
    return caught.value.field


@pytest.mark.parametrize("value", ["", "   ", "x" * 201, "a\nb", "a\x00b", "a\u202eb"])
def test_names_are_short_and_printable(value: str) -> None:
    """A name with a line break forges a log line; an endless one breaks every page that shows it."""
    assert refused(intake.text, value, "name") == "name"


def test_names_are_stripped_and_otherwise_kept() -> None:
    """Two names that differ in spaces alone look like one."""
    assert intake.text("  Zürich 🔑 ", "name") == "Zürich 🔑"
    assert intake.text("x" * 200, "name") == "x" * 200
    assert intake.text("x" * 500, "reason", longest=500) == "x" * 500


def test_scopes_are_known_ones() -> None:
    """A scope with a typo would silently grant nothing, or something else one day."""
    assert intake.scopes(["read", "read", "write"], BUILT_IN_SCOPES) == {"read", "write"}
    assert intake.scopes([], BUILT_IN_SCOPES) == frozenset()
    assert refused(intake.scopes, ["read", "raed"], BUILT_IN_SCOPES) == "scopes"


def test_the_words_of_a_scope_string() -> None:
    """RFC 6749 §3.3: words with single spaces; what else may stand there would reach a header."""
    assert intake.scope_words("read  write ") == {"read", "write"}
    assert intake.scope_words("") == frozenset()
    for value in ('a"b', "a\\b", "a\tb", "ü"):
        assert refused(intake.scope_words, value) == "scope"


def test_networks_have_one_spelling() -> None:
    """An allowed address that is compared in another spelling locks its owner out."""
    given = [" 192.0.2.7 ", "192.0.2.7/32", "2001:0DB8::/32", "::ffff:198.51.100.0/120"]
    assert intake.allowed_ips(given) == ("192.0.2.7/32", "2001:db8::/32", "198.51.100.0/24")


@pytest.mark.parametrize("value", ["", "x", "192.0.2.1/24", "192.0.2.0/33", "fe80::1%eth0", "192.0.2"])
def test_what_is_no_network_is_refused_by_its_place(value: str) -> None:
    """A network that is read more widely than it was meant lets strangers in."""
    assert refused(intake.allowed_ips, ["192.0.2.7", value]) == "allowed_ips.1"


def test_networks_are_few() -> None:
    """Each is tried on each request."""
    many = [f"192.0.2.{number}" for number in range(101)]
    assert len(intake.allowed_ips(many[:100])) == 100
    assert refused(intake.allowed_ips, many) == "allowed_ips"


def test_metadata_is_bounded_json() -> None:
    """Whatever is stored must be readable again, and small."""
    fits = {"k": "x" * (16_384 - 8)}
    assert intake.metadata(fits) is fits
    assert refused(intake.metadata, {"k": "x" * (16_384 - 7)}) == "metadata"
    assert refused(intake.metadata, {"k": float("nan")}) == "metadata"
    assert refused(intake.metadata, {"k": object()}) == "metadata"


def test_an_end_is_a_moment_or_a_time_from_now() -> None:
    """A key that lives longer than its owner meant is a leak that waits."""
    assert intake.expiry(None, None, NOW) is None
    assert intake.expiry(None, 60, NOW) == NOW + timedelta(seconds=60)
    elsewhere = datetime(2030, 1, 1, 3, tzinfo=timezone(timedelta(hours=2)))
    ends = intake.expiry(elsewhere, None, NOW)
    assert ends == NOW + timedelta(hours=1)
    assert ends is not None
    assert ends.tzinfo is UTC
    assert intake.expiry(NOW + CENTURY, None, NOW) == NOW + CENTURY
    assert intake.expiry(None, intake.LIFETIME_SECONDS_MAX, NOW) == NOW + CENTURY


@pytest.mark.parametrize(
    ("expires_at", "expires_in", "field"),
    [
        (NOW + timedelta(1), 1, "expires_in"),
        (None, 0, "expires_in"),
        (None, -1, "expires_in"),
        (None, intake.LIFETIME_SECONDS_MAX + 1, "expires_in"),
        (NOW, None, "expires_at"),
        (NOW - timedelta(1), None, "expires_at"),
        (NOW + CENTURY + timedelta(microseconds=1), None, "expires_at"),
        (datetime(2031, 1, 1), None, "expires_at"),  # noqa: DTZ001 - that is the mistake
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))), None, "expires_at"),
    ],
)
def test_an_end_that_cannot_be_is_refused(
    expires_at: datetime | None, expires_in: int | None, field: str
) -> None:
    """A key that is dead on arrival, or whose end overflows, is a mistake to be told at once."""
    assert refused(intake.expiry, expires_at, expires_in, NOW) == field


def test_names_and_figures_of_plans() -> None:
    """A plan's name stands in URLs and headers; its figures are counted up to."""
    assert intake.plan_name("free-2.0_x") == "free-2.0_x"
    for name in ("", "Free", "-x", "x" * 65, "a b"):
        assert refused(intake.plan_name, name) == "name"
    assert [intake.figure(value, "burst") for value in (None, 0, 2**53)] == [None, 0, 2**53]
    for value in (-1, 2**53 + 1):
        assert refused(intake.figure, value, "burst") == "burst"
