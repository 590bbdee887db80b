"""`bonafides keys`: the whole life of an API key, from the machine that it lives on."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bonafides.web import schemas
from tests.cli.conftest import EMAIL, Bonafides

MakeKey = Callable[..., dict[str, Any]]


def ends_in(moment: str, **of: float) -> bool:
    """Whether a moment is so far from now, give or take a minute."""
    away = datetime.fromisoformat(moment) - datetime.now(UTC)
    return abs(away - timedelta(**of)) < timedelta(minutes=1)


def is_good(bonafides: Bonafides, key: str) -> bool:
    """Whether a key verifies."""
    return bonafides("verify", "-", stdin=key).status == 0


def test_a_new_key_has_the_shape_of_the_http_api(
    bonafides: Bonafides, founded: dict[str, str], make_key: MakeKey
) -> None:
    """A script would have to read the command line's answers otherwise than the API's."""
    made = make_key(name="ci")
    assert set(made) == set(schemas.MadeApiKey.model_fields)
    assert (made["object"], made["name"], made["status"]) == ("api_key", "ci", "active")
    assert made["scopes"] == ["read", "write"]
    assert (made["user_id"], made["tenant_id"]) == (founded["user_id"], founded["tenant_id"])
    assert is_good(bonafides, made["key"])
    shown = bonafides("keys", "show", made["id"], "--json").json
    assert set(shown) == set(schemas.ApiKey.model_fields)
    assert shown == {name: value for name, value in made.items() if name != "key"}


def test_every_wish_is_granted(bonafides: Bonafides, make_key: MakeKey) -> None:
    """An option that is dropped on its way would make a key that can do more, or lives longer."""
    made = make_key(
        "--scopes", "read,admin", "--scope", "credentials:verify", "--expires-in", "90d", "--plan", "pro",
        "--allowed-ips", "192.0.2.0/24, 2001:db8::/32", "--allowed-ip", "198.51.100.7",
        "--metadata", '{"team": ["a", {"b": null}]}', "--user", EMAIL.upper(),
    )  # fmt: skip
    assert made["scopes"] == ["admin", "credentials:verify", "read"]
    assert made["allowed_ips"] == ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7/32"]
    assert made["plan"] == "pro"
    assert made["metadata"] == {"team": ["a", {"b": None}]}
    assert ends_in(made["expires_at"], days=90)
    assert bonafides("verify", "-", "--ip", "192.0.2.9", stdin=made["key"]).status == 0
    assert bonafides("verify", "-", "--ip", "203.0.113.1", stdin=made["key"]).status == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600)],
)
def test_times_are_seconds_or_have_a_unit(make_key: MakeKey, text: str, seconds: int) -> None:
    """A key would live sixty times as long as was said."""
    assert ends_in(make_key("--expires-in", text)["expires_at"], seconds=seconds)


def test_an_expiry_may_be_a_moment_with_an_offset(bonafides: Bonafides, make_key: MakeKey) -> None:
    """A key would expire hours off, by the time zone of the machine."""
    assert make_key("--expires-at", "2090-01-01T00:00:00+05:45")["expires_at"] == "2089-12-31T18:15:00Z"
    done = bonafides("keys", "create", "x", "--expires-at", "2090-01-01T00:00:00")
    assert done.status == 1
    assert "must name its offset" in done.err


@pytest.mark.usefixtures("founded")
@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        (("x", "--expires-in", "soon"), 2, "30d"),
        (("x", "--expires-in", "1.5h"), 2, "30d"),
        (("x", "--expires-in", "0"), 1, "expires_in must be between"),
        (("x", "--expires-at", "tomorrow"), 2, "2030-01-01T00:00:00Z"),
        (("x", "--expires-at", "2001-01-01T00:00:00Z"), 1, "must be in the future"),
        (("x", "--expires-at", "2090-01-01T00:00:00Z", "--expires-in", "9"), 2, "'--expires-at' / '--expires-in'"),
        (("x", "--metadata", "[1]"), 2, "JSON object"),
        (("x", "--metadata", "{"), 2, "JSON object"),
        (("x", "--allowed-ips", "10.0.0.1/8"), 1, "allowed_ips.0"),
        (("x", "--scopes", "read,fly"), 1, "'fly' is not a scope here"),
        (("x", "--plan", "gold"), 1, "there is no plan 'gold'"),
        (("x", "--user", "nobody@example.com"), 1, "There is no user 'nobody@example.com'"),
        (("x", "--user", "usr_x"), 1, "There is no user 'usr_x'"),
        (("x", "--tenant", "ten_x"), 1, "There is no tenant 'ten_x'"),
        ((" ",), 1, "name must not be empty"),
        ((), 2, "NAME"),
        (("x", "--name", "y"), 2, "NAME"),
        (("x", "y"), 2, "unexpected extra argument"),
        (("x", "--colour", "red"), 2, "--colour"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_is_made(
    bonafides: Bonafides, options: tuple[str, ...], status: int, reason: str
) -> None:
    """A key would exist that nobody asked for, or a traceback would be all that is said."""
    done = bonafides("keys", "create", *options, "--json")
    assert (done.status, done.out) == (status, "")
    assert reason in done.error["message"]
    assert [key["name"] for key in bonafides("keys", "list", "--json").json["data"]] == ["admin"]


def test_a_key_belongs_to_whom_it_is_made_for(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """A key would act for the wrong person, or in the wrong tenant."""
    tenant = bonafides("tenants", "create", "acme", "--json").json["id"]
    done = bonafides("keys", "create", "x", "--tenant", tenant)
    assert done.status == 1
    assert "has no active owner" in done.err
    owners = [
        bonafides("users", "create", "--tenant", tenant, "--email", f"{name}@acme.example", "--role", "owner", "--json").json
        for name in ("ada", "bob")
    ]  # fmt: skip
    member = bonafides("users", "create", "--tenant", tenant, "--email", "eve@acme.example", "--json").json
    made = bonafides("keys", "create", "x", "--tenant", tenant, "--json").json
    assert (made["user_id"], made["tenant_id"]) == (owners[0]["id"], tenant)
    made = bonafides("keys", "create", "x", "--user", "eve@acme.example", "--tenant", tenant, "--json").json
    assert (made["user_id"], made["tenant_id"]) == (member["id"], tenant)
    assert bonafides("keys", "create", "x", "--user", member["id"], "--json").json["tenant_id"] == tenant
    done = bonafides("keys", "create", "x", "--user", founded["user_id"], "--tenant", tenant)
    assert done.status == 1
    assert "in this tenant" in done.err
    done = bonafides("keys", "create", "x", "--user", member["id"], "--scopes", "admin")
    assert done.status == 1
    assert "owner does not have the scope admin" in done.err
    assert (
        bonafides("users", "update", "ada@acme.example", "--tenant", tenant, "--status", "disabled").status
        == 0
    )
    assert bonafides("keys", "create", "x", "--tenant", tenant, "--json").json["user_id"] == owners[1]["id"]


def test_a_listing_goes_on_where_it_ended(bonafides: Bonafides, make_key: MakeKey) -> None:
    """Keys of a large tenant would be missing from an export, or appear twice."""
    names = [make_key(name=f"key {number}")["name"] for number in range(5)]
    seen: list[str] = []
    cursor: list[str] = []
    last: str | None = ""
    for _ in range(3):
        page = bonafides("keys", "list", "--limit", "2", *cursor, "--json").json
        assert set(page) == {"data", "next_cursor"}
        assert all(set(key) == set(schemas.ApiKey.model_fields) for key in page["data"])
        seen += [key["name"] for key in page["data"]]
        last = page["next_cursor"]
        cursor = ["--cursor", str(last)]
    assert seen == [*reversed(names), "admin"]
    assert last is None


def test_a_cursor_of_another_listing_is_refused(bonafides: Bonafides, make_key: MakeKey) -> None:
    """A listing would silently leave keys out."""
    for _ in range(2):
        make_key()
    cursor = bonafides("keys", "list", "--limit", "1", "--json").json["next_cursor"]
    for words in (("keys", "list", "--status", "active"), ("users", "list"), ("audit",)):
        done = bonafides(*words, "--cursor", cursor)
        assert done.status == 1
        assert "cursor" in done.err
    assert bonafides("keys", "list", "--cursor", "zz").status == 1
    assert bonafides("keys", "list", "--limit", "0").status == 2


def test_a_listing_can_be_narrowed(bonafides: Bonafides, make_key: MakeKey) -> None:
    """Whoever looks for one user's keys would read everybody's."""
    bonafides("users", "create", "--email", "ada@example.com")
    hers = make_key("--user", "ada@example.com", name="hers")
    disabled = make_key(name="off")
    bonafides("keys", "disable", disabled["id"])

    def names(*options: str) -> list[str]:
        return [key["name"] for key in bonafides("keys", "list", *options, "--json").json["data"]]

    assert names() == ["off", "hers", "admin"]
    assert names("--user", "Ada@Example.com") == names("--user", hers["user_id"]) == ["hers"]
    assert names("--status", "disabled") == ["off"]
    assert names("--status", "active") == ["hers", "admin"]
    assert names("--status", "revoked") == []
    assert bonafides("keys", "list", "--status", "revoked").out == "There are no API keys here.\n"


def test_what_is_named_changes_and_the_rest_stays(bonafides: Bonafides, make_key: MakeKey) -> None:
    """A change of the name would take an expiry away, or open a key to every address."""
    made = make_key(
        "--expires-in", "1d", "--plan", "pro", "--allowed-ips", "10.0.0.0/8", "--metadata", '{"a": 1}'
    )

    def changed(*options: str) -> dict[str, Any]:
        done = bonafides("keys", "update", made["id"], *options, "--json")
        assert done.status == 0, done.err
        document: dict[str, Any] = done.json
        return document

    before = bonafides("keys", "show", made["id"], "--json").json
    for options, name, value in (
        (("--name", "new"), "name", "new"),
        (("--scopes", "read"), "scopes", ["read"]),
        (("--scopes", ""), "scopes", []),
        (("--plan", "enterprise"), "plan", "enterprise"),
        (("--tenant-plan",), "plan", None),
        (("--expires-at", "2090-01-01T00:00:00Z"), "expires_at", "2090-01-01T00:00:00Z"),
        (("--never-expires",), "expires_at", None),
        (("--allowed-ips", "::1"), "allowed_ips", ["::1/128"]),
        (("--any-ip",), "allowed_ips", []),
        (("--metadata", "{}"), "metadata", {}),
    ):
        after = changed(*options)
        assert after == before | {name: value, "updated_at": after["updated_at"]}
        before = after
    assert ends_in(changed("--expires-in", "2d")["expires_at"], days=2)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--plan", "pro", "--tenant-plan"),
        ("--allowed-ips", "::1", "--any-ip"),
        ("--never-expires", "--expires-in", "9"),
        ("--overlap", "-1"),
    ],
)
def test_a_change_of_nothing_or_in_two_ways_is_refused(
    bonafides: Bonafides, make_key: MakeKey, options: tuple[str, ...]
) -> None:
    """Which of two contradictions holds would be a matter of luck."""
    made = make_key()
    assert bonafides("keys", "update", made["id"], *options).status == 2


def test_a_successor_takes_over_while_the_old_key_goes_on(bonafides: Bonafides, make_key: MakeKey) -> None:
    """A deployment would lose its key before it has the new one, or keep the old one for ever."""
    made = make_key("--metadata", '{"a": 1}')
    done = bonafides("keys", "rotate", made["id"], "--overlap", "2h", "--json")
    successor = done.json
    assert set(successor) == set(schemas.MadeApiKey.model_fields)
    assert (successor["parent_id"], successor["metadata"]) == (made["id"], {"a": 1})
    assert is_good(bonafides, made["key"])
    assert is_good(bonafides, successor["key"])
    old = bonafides("keys", "show", made["id"], "--json").json
    assert ends_in(old["overlap_ends_at"], hours=2)
    again = bonafides("keys", "rotate", made["id"], "--json")
    assert (again.status, again.error["error"]) == (1, "conflict")
    assert bonafides("keys", "update", made["id"], "--overlap-seconds", "0").status == 0
    assert not is_good(bonafides, made["key"])
    assert is_good(bonafides, successor["key"])
    assert bonafides("keys", "update", successor["id"], "--overlap", "9").status == 1


def test_the_overlap_is_an_hour_unless_said(bonafides: Bonafides, make_key: MakeKey) -> None:
    """The old key would stop at once, or never."""
    made = make_key()
    bonafides("keys", "rotate", made["id"])
    old = bonafides("keys", "show", made["id"], "--json").json
    assert ends_in(old["overlap_ends_at"], hours=1)


def test_a_disabled_key_comes_back_and_a_revoked_one_never(bonafides: Bonafides, make_key: MakeKey) -> None:
    """A leaked key would work again after somebody's slip."""
    made = make_key()
    for verb, status, good in (("disable", "disabled", False), ("enable", "active", True)):
        assert bonafides("keys", verb, made["id"], "--json").json["status"] == status
        assert is_good(bonafides, made["key"]) is good
    gone = bonafides("keys", "revoke", made["id"], "--reason", "found in a [b]log[/b]", "--json").json
    assert (gone["status"], gone["revocation_reason"]) == ("revoked", "found in a [b]log[/b]")
    assert not is_good(bonafides, made["key"])
    assert bonafides("keys", "revoke", made["id"]).status == 0
    for words in (("enable",), ("disable",), ("rotate",), ("update", "--name", "x")):
        assert bonafides("keys", words[0], made["id"], *words[1:]).status == 1
    assert bonafides("audit", "--action", "api_key.revoked", "--json").json["data"][0]["details"] == {
        "reason": "found in a [b]log[/b]"
    }


@pytest.mark.parametrize("verb", ["show", "update", "rotate", "disable", "enable", "revoke"])
def test_a_key_that_does_not_exist_is_not_found(
    bonafides: Bonafides, founded: dict[str, str], verb: str
) -> None:
    """A typo would look like a success; or the key itself, given for its id, would be repeated in full."""
    options = ("--name", "x") if verb == "update" else ()
    done = bonafides("keys", verb, "key_0Nf4gQ2s9XbR7mT1kVwZaC", *options, "--json")
    assert (done.status, done.out) == (1, "")
    assert done.error == {
        "error": "not_found",
        "message": "There is no API key 'key_0Nf4gQ2s9XbR7mT1kVwZaC'.",
    }
    told = bonafides("keys", verb, founded["api_key"], *options).err
    assert founded["api_key"] not in told


def test_a_secret_is_shown_once_and_alone_on_its_line(bonafides: Bonafides, make_key: MakeKey) -> None:
    """A key in a listing, a table or the audit trail can be stolen from a scrollback or a ticket."""
    made = make_key(name="[red]ci[/red]")
    for words in (("keys", "list"), ("keys", "show", made["id"]), ("audit",), ("keys", "revoke", made["id"])):
        for form in ((), ("--json",)):
            done = bonafides(*words, *form)
            assert done.status == 0
            assert made["key"] not in done.out + done.err
    told = bonafides("keys", "create", "for people", COLUMNS="30").out.splitlines()
    (line,) = [line.strip() for line in told if "bf_key_" in line and "…" not in line]
    assert is_good(bonafides, line)


def test_a_table_shows_what_is_there_as_it_is(bonafides: Bonafides, make_key: MakeKey) -> None:
    """A name in brackets would colour or break the terminal; a cell would be cut where it cannot be read."""
    made = make_key("--metadata", '{"x": "\\u001b[31m\\u202e"}', name="[red]ci[/red] :smile:")
    lines = bonafides("keys", "list").out.splitlines()
    assert lines[0].split() == ["ID", "NAME", "KEY", "STATUS", "SCOPES", "EXPIRES", "LAST", "USED"]
    assert made["id"] in lines[1]
    assert "[red]ci[/red] :smile:" in lines[1]
    assert made["display"] in lines[1]
    assert all(line == line.rstrip() for line in lines)
    shown = bonafides("keys", "show", made["id"]).out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert (
        bonafides("keys", "list", "--limit", "1")
        .out.splitlines()[-1]
        .startswith("There are more. Go on with: --cursor ")
    )


def test_usage_has_the_shape_of_the_http_api(bonafides: Bonafides, make_key: MakeKey) -> None:
    """A script would have to read the command line's answers otherwise than the API's."""
    key = make_key()
    done = bonafides("keys", "usage", key["id"], "--json")
    assert set(done.json) == set(schemas.Usage.model_fields)
    assert (done.json["period"], done.json["credential_id"]) == ("day", key["id"])
    assert len(bonafides("keys", "usage", key["id"], "--period", "hour", "--json").json["buckets"]) == 60
    assert bonafides("keys", "usage", "key_1", "--json").error["error"] == "not_found"
    assert bonafides("keys", "usage", key["id"], "--period", "week").status == 2


def test_usage_is_a_table_for_people(bonafides: Bonafides, make_key: MakeKey, home: Path) -> None:
    """Who looks for a busy hour would have to search it among the empty ones."""
    key = make_key()
    assert bonafides("keys", "usage", key["id"]).out.startswith("There were no requests since ")
    hour_us = time.time_ns() // 3_600_000_000_000 * 3_600_000_000
    with closing(sqlite3.connect(home / "bonafides.db")) as database, database:
        whose = f"'{key['tenant_id']}', '{key['user_id']}', '{key['id']}'"
        for outcome, requests in (("accepted", 7), ("rate_limit_exceeded", 5), ("token_expired", 3)):
            database.execute(
                f"INSERT INTO usage_counts VALUES (3600, {hour_us}, {whose}, '{outcome}', {requests}, '{key['id']}')"
            )
    heading, busy, total = bonafides("keys", "usage", key["id"]).out.splitlines()
    assert heading.split() == ["FROM", "ACCEPTED", "REFUSED"]
    assert busy.split()[1:] == ["7", "rate_limit_exceeded=5", "token_expired=3"]
    assert total.split() == ["total", *busy.split()[1:]]


def test_networks_have_the_shape_of_the_http_api_and_are_a_table(
    bonafides: Bonafides, make_key: MakeKey, home: Path
) -> None:
    """Who has lost a machine would need a browser to see what was used there."""
    key = make_key()
    assert bonafides("keys", "networks", key["id"]).out.strip() == "There are no networks here."
    assert bonafides("keys", "networks", "key_1", "--json").error["error"] == "not_found"
    with closing(sqlite3.connect(home / "bonafides.db")) as database, database:
        for network, requests in (("203.0.113.0/24", 7), ("", 3)):
            whose = f"'{key['id']}', '{network}', '{key['tenant_id']}', '{key['user_id']}'"
            database.execute(f"INSERT INTO used_networks VALUES ({whose}, 0, 1000000, {requests})")
    done = bonafides("keys", "networks", key["id"], "--json").json
    assert [set(use) for use in done["data"]] == [set(schemas.NetworkUse.model_fields)] * 2
    heading, one, others = bonafides("keys", "networks", key["id"]).out.splitlines()
    assert heading.split() == ["NETWORK", "FIRST", "USED", "LAST", "USED", "REQUESTS"]
    assert one.split() == ["203.0.113.0/24", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z", "7"]
    assert others.split() == ["all", "others", *one.split()[1:3], "3"]
