"""§4: `POST /v1/api-keys`."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from tests.web.tenancy import ALL_SCOPES, Json, Tenancy, every, made, refusal, seconds_of, tenancy_on

TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def create(tenancy: Tenancy, **wish: object) -> Json:
    """Make a key as the tenant's owner."""
    return made(tenancy.api.post("/v1/api-keys", json={"name": "test", **wish}))


def test_the_shortest_wish(tenancy: Tenancy) -> None:
    """The first thing that anybody does would need the manual."""
    answer = tenancy.api.post("/v1/api-keys", json={"name": "my first key"})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    key = answer.json()
    assert answer.headers["Location"] == f"/v1/api-keys/{key['id']}"
    assert re.fullmatch(r"key_[0-9A-Za-z]{22}", key["id"])
    assert key["key"].startswith("bf_key_")
    assert TIME.fullmatch(key["created_at"])
    assert key["created_at"] == key["updated_at"]
    assert {
        name: key[name] for name in key.keys() - {"id", "key", "display", "created_at", "updated_at"}
    } == {
        "object": "api_key",
        "name": "my first key",
        "scopes": ["read", "write"],
        "plan": None,
        "status": "active",
        "user_id": tenancy.owner["id"],
        "tenant_id": tenancy.id,
        "parent_id": None,
        "expires_at": None,
        "overlap_ends_at": None,
        "allowed_ips": [],
        "metadata": {},
        "created_by": tenancy.owner["id"],
        "last_used_at": None,
        "revoked_at": None,
        "revocation_reason": None,
        "bearer_token_seconds": None,
    }
    assert tenancy.verify(key["key"]).json()["scopes"] == ["read", "write"]


def test_every_wish_comes_true(tenancy: Tenancy) -> None:
    """A field that is taken and not kept is a promise broken in silence."""
    plan, member = tenancy.plan(100, 10), tenancy.user()
    wish = {
        "name": "Ada's key · 日本",
        "scopes": ["invoices:read", "read"],
        "expires_at": "2100-01-01T12:00:00.25+02:00",
        "user_id": member["id"],
        "tenant_id": tenancy.id,
        "plan": plan,
        "allowed_ips": ["192.0.2.0/24", "2001:db8::1"],
        "metadata": {"team": "billing", "n": [1, 2.5, None, True, {"deep": "ü"}]},
    }
    key = made(tenancy.operator.post("/v1/api-keys", json=wish))
    assert {name: key[name] for name in wish} == {
        **wish,
        "expires_at": "2100-01-01T10:00:00.250000Z",
        "allowed_ips": ["192.0.2.0/24", "2001:db8::1/128"],
    }
    del key["key"]
    assert tenancy.api.get(f"/v1/api-keys/{key['id']}").json() == key


def test_the_secret_is_shown_once(fresh_tenancy: Tenancy) -> None:
    """Whoever may list keys could use every one of them."""
    tenancy = fresh_tenancy
    key = create(tenancy)
    tenancy.verify(key["key"])
    client, path = tenancy.api, f"/v1/api-keys/{key['id']}"
    later = [
        client.get(path),
        client.get("/v1/api-keys"),
        client.patch(path, json={"name": "renamed"}),
        client.post(f"{path}/disable"),
        client.post(f"{path}/enable"),
        client.get("/v1/audit"),
        client.delete(path),
        client.get(path),
    ]
    secret = key["key"].rsplit("_", 1)[0][-22:]
    for answer in later:
        assert answer.status_code == 200
        assert secret not in answer.text
        assert '"key":' not in answer.text


def test_the_display_is_first_and_last_four(tenancy: Tenancy) -> None:
    """People would not find the key of a leaked secret in their list; more of it would help to guess."""
    key = create(tenancy)
    payload = key["key"].removeprefix("bf_key_")
    assert key["display"] == f"bf_key_{payload[:4]}…{payload[-4:]}"


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"expires_in": 1}, 1),
        ({"expires_in": 3600}, 3600),
        ({"expires_in": 10 * 365 * 86400}, 10 * 365 * 86400),
        ({"expires_in": None}, None),
        ({"expires_at": None}, None),
        ({"expires_at": None, "expires_in": 60}, 60),
    ],
)
def test_an_end_in_seconds(tenancy: Tenancy, wish: Json, expected: int | None) -> None:
    """A script would have to compute with the server's clock."""
    key = create(tenancy, **wish)
    if expected is None:
        assert key["expires_at"] is None
        return
    now_us = tenancy.server.clock.micros()
    assert seconds_of(key["expires_at"]) == pytest.approx(now_us / 1e6 + expected)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2099-12-31T23:59:59Z", "2099-12-31T23:59:59Z"),
        ("2099-12-31t23:59:59z", "2099-12-31T23:59:59Z"),
        ("2100-01-01T00:00:00+00:00", "2100-01-01T00:00:00Z"),
        ("2100-01-01T00:00:00-00:00", "2100-01-01T00:00:00Z"),
        ("2100-01-01T05:45:00+05:45", "2100-01-01T00:00:00Z"),
        ("2099-12-31T19:00:00-05:00", "2100-01-01T00:00:00Z"),
        ("2100-01-01T00:00:00.5Z", "2100-01-01T00:00:00.500000Z"),
        ("2100-01-01T00:00:00.123456789Z", "2100-01-01T00:00:00.123456Z"),
        ("2096-02-29T00:00:00Z", "2096-02-29T00:00:00Z"),
    ],
)
def test_an_end_in_any_spelling_of_rfc_3339(tenancy: Tenancy, given: str, kept: str) -> None:
    """A key would end hours too early or too late for whoever writes in their own time zone."""
    assert create(tenancy, expires_at=given)["expires_at"] == kept


MALFORMED: Final[list[tuple[Json, str]]] = [
    ({"name": None}, "name"),
    ({"name": ""}, "name"),
    ({"name": "   "}, "name"),
    ({"name": 7}, "name"),
    ({"name": ["x"]}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"name": "two\nlines"}, "name"),
    ({"name": "bell\u0007"}, "name"),
    ({"name": "right-to-left \u202e"}, "name"),
    ({"scopes": "read"}, "scopes"),
    ({"scopes": {"read": True}}, "scopes"),
    ({"scopes": [7]}, "scopes.0"),
    ({"scopes": ["read", None]}, "scopes.1"),
    ({"scopes": ["unheard-of"]}, "scopes"),
    ({"scopes": ["READ"]}, "scopes"),
    ({"scopes": ["read write"]}, "scopes"),
    ({"scopes": [""]}, "scopes"),
    ({"scopes": ["*"]}, "scopes"),
    ({"expires_at": ""}, "expires_at"),
    ({"expires_at": "tomorrow"}, "expires_at"),
    ({"expires_at": 4102444800}, "expires_at"),
    ({"expires_at": "4102444800"}, "expires_at"),
    ({"expires_at": "2100-01-01"}, "expires_at"),
    ({"expires_at": "2100-01-01T00:00:00"}, "expires_at"),
    ({"expires_at": "2100-01-01 00:00:00Z"}, "expires_at"),
    ({"expires_at": "2100-02-30T00:00:00Z"}, "expires_at"),
    ({"expires_at": "2100-01-01T24:00:00Z"}, "expires_at"),
    ({"expires_at": "2100-01-01T00:00:00+99:00"}, "expires_at"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ({"expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
    ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
    ({"expires_at": "\uff12100-01-01T00:00:00Z"}, "expires_at"),
    ({"expires_in": 0}, "expires_in"),
    ({"expires_in": -1}, "expires_in"),
    ({"expires_in": 1.5}, "expires_in"),
    ({"expires_in": "3600"}, "expires_in"),
    ({"expires_in": True}, "expires_in"),
    ({"expires_in": 10**10}, "expires_in"),
    ({"expires_in": 10**400}, "expires_in"),
    ({"expires_in": 60, "expires_at": "2100-01-01T00:00:00Z"}, "expires_in"),
    ({"user_id": 7}, "user_id"),
    ({"tenant_id": 7}, "tenant_id"),
    ({"plan": 7}, "plan"),
    ({"allowed_ips": "192.0.2.1"}, "allowed_ips"),
    ({"allowed_ips": [7]}, "allowed_ips.0"),
    ({"allowed_ips": ["192.0.2.1", "nowhere"]}, "allowed_ips.1"),
    ({"allowed_ips": [""]}, "allowed_ips.0"),
    ({"allowed_ips": ["192.0.2.1/24"]}, "allowed_ips.0"),
    ({"allowed_ips": ["192.0.2.0/33"]}, "allowed_ips.0"),
    ({"allowed_ips": ["192.0.2.0/-1"]}, "allowed_ips.0"),
    ({"allowed_ips": ["192.0.2"]}, "allowed_ips.0"),
    ({"allowed_ips": ["192.0.02.1"]}, "allowed_ips.0"),
    ({"allowed_ips": ["2001:db8::1/64"]}, "allowed_ips.0"),
    ({"allowed_ips": ["2001:db8::/129"]}, "allowed_ips.0"),
    ({"allowed_ips": ["fe80::1%eth0"]}, "allowed_ips.0"),
    ({"allowed_ips": ["192.0.2.0/24,198.51.100.0/24"]}, "allowed_ips.0"),
    ({"allowed_ips": [f"192.0.2.{n}" for n in range(101)]}, "allowed_ips"),
    ({"metadata": "x"}, "metadata"),
    ({"metadata": ["x"]}, "metadata"),
    ({"metadata": None}, "metadata"),
    ({"nickname": "x"}, "nickname"),
    ({"key": "bf_key_mine"}, "key"),
    ({"id": "key_mine"}, "id"),
    ({"status": "revoked"}, "status"),
    ({"kind": "api_key"}, "kind"),
]


def test_a_malformed_wish_names_its_field_and_changes_nothing(fresh_tenancy: Tenancy) -> None:
    """A slip would make a key that is not what its maker believes it to be."""
    tenancy = fresh_tenancy
    before = tenancy.everything()
    for wish, field in MALFORMED:
        answer = tenancy.api.post("/v1/api-keys", json={"name": "test", **wish})
        assert refusal(answer) == (400, "invalid_request"), wish
        assert answer.json()["field"] == field, wish
        assert field in answer.json()["message"], wish
    assert refusal(tenancy.api.post("/v1/api-keys", json={})) == (400, "invalid_request")
    assert tenancy.everything() == before


def padded(size: int, letter: str = "x") -> Json:
    """Metadata of exactly so many bytes, as compact JSON in UTF-8."""
    empty = len(json.dumps({"pad": ""}, separators=(",", ":")))
    count, rest = divmod(size - empty, len(letter.encode()))
    value = {"pad": letter * count + "x" * rest}
    assert len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()) == size
    return value


@pytest.mark.parametrize("letter", ["x", "ü", "日", "😀"])
def test_metadata_holds_16_kb_exactly(tenancy: Tenancy, letter: str) -> None:
    """A limit that is a byte off fails for whoever fills it, or grows the database past what was promised."""
    whole = padded(16_384, letter)
    assert (
        tenancy.api.get(f"/v1/api-keys/{create(tenancy, metadata=whole)['id']}").json()["metadata"] == whole
    )
    answer = tenancy.api.post("/v1/api-keys", json={"name": "test", "metadata": padded(16_385, letter)})
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"] == "metadata"
    assert "16384" in answer.json()["message"]


def test_spaces_in_the_body_do_not_count_for_metadata(tenancy: Tenancy) -> None:
    """The same object would fit from one client library and not from another."""
    body = json.dumps({"name": "test", "metadata": padded(16_384)}, indent=8, separators=(" , ", " : "))
    answer = tenancy.api.post("/v1/api-keys", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    "metadata",
    [
        {"": "", " ": " "},
        {"a": {"b": {"c": [[], {}, [{}]]}}},
        {"max": 2**53, "min": -(2**63), "huge": 10**30},
        {"half": 0.5, "small": 1e-300, "zero": -0.0},
        {"quotes": "\"'\\/", "controls": "\u0001\t\n\u2028", "emoji": "👩‍👩‍👧"},
        {"$ref": "x", "__proto__": {}, "constructor": 1},
        {"id": "key_other", "key": "value", "scopes": ["admin"]},
    ],
)
def test_metadata_is_kept_as_it_is(tenancy: Tenancy, metadata: Json) -> None:
    """It is the caller's own, and a value that comes back changed breaks what they built on it."""
    key = create(tenancy, metadata=metadata)
    shown: Any = tenancy.api.get(f"/v1/api-keys/{key['id']}").json()
    assert key["metadata"] == metadata
    assert shown["metadata"] == metadata
    assert shown["id"] == key["id"]


def test_scopes_are_a_set(tenancy: Tenancy) -> None:
    """The same wish in another order would look like another key."""
    assert create(tenancy, scopes=["write", "read", "write"])["scopes"] == ["read", "write"]
    assert create(tenancy, scopes=[])["scopes"] == []
    assert create(tenancy, scopes=ALL_SCOPES)["scopes"] == ALL_SCOPES


def test_a_key_never_has_a_scope_that_its_maker_lacks(fresh_tenancy: Tenancy) -> None:
    """A stolen read-only key could make itself an admin's."""
    tenancy = fresh_tenancy
    writer = tenancy.client(create(tenancy, scopes=["write"])["key"])
    before = tenancy.everything()
    for scopes in (["read"], ["admin", "write"], ALL_SCOPES):
        answer = writer.post("/v1/api-keys", json={"name": "more", "scopes": scopes})
        assert refusal(answer) == (403, "insufficient_scope")
        assert answer.json()["field"] == "scopes"
        assert set(scopes) - {"write"} <= set(answer.json()["scope"].split())
        assert f'scope="{answer.json()["scope"]}"' in answer.headers["WWW-Authenticate"]
    assert tenancy.everything() == before
    child = made(writer.post("/v1/api-keys", json={"name": "as much", "scopes": ["write"]}))
    assert tenancy.verify(child["key"]).json()["scopes"] == ["write"]
    assert made(writer.post("/v1/api-keys", json={"name": "default"}))["scopes"] == ["write"]


def test_a_key_never_has_a_scope_that_its_owner_lacks(fresh_tenancy: Tenancy) -> None:
    """An admin could hand powers to somebody who was never meant to have them."""
    tenancy = fresh_tenancy
    member = tenancy.user()
    reader = tenancy.user(scopes=["read"])
    before = tenancy.everything()
    for user, scopes in ((member, ["admin"]), (member, ["credentials:verify"]), (reader, ["read", "write"])):
        wish = {"name": "more", "user_id": user["id"], "scopes": scopes}
        answer = tenancy.api.post("/v1/api-keys", json=wish)
        assert refusal(answer) == (400, "invalid_request")
        assert answer.json()["field"] == "scopes"
    assert tenancy.everything() == before
    assert create(tenancy, user_id=reader["id"])["scopes"] == ["read"]


def test_reading_is_not_enough(fresh_tenancy: Tenancy) -> None:
    """A dashboard's read-only key could make keys."""
    tenancy = fresh_tenancy
    before_key = create(tenancy, scopes=["read"])
    before = tenancy.everything()
    answer = tenancy.client(before_key["key"]).post("/v1/api-keys", json={"name": "x", "scopes": ["read"]})
    assert refusal(answer) == (403, "insufficient_scope")
    assert answer.json()["scope"] == "write"
    assert tenancy.everything() == before


def test_members_make_keys_for_themselves_alone(fresh_tenancy: Tenancy) -> None:
    """A member could act in a colleague's name."""
    tenancy = fresh_tenancy
    member = tenancy.member()
    mine = made(member.post("/v1/api-keys", json={"name": "mine"}))
    assert mine["user_id"] != tenancy.owner["id"]
    assert mine["created_by"] == mine["user_id"]
    before = tenancy.everything()
    answer = member.post("/v1/api-keys", json={"name": "x", "user_id": tenancy.owner["id"]})
    assert refusal(answer) == (403, "insufficient_scope")
    assert answer.json()["scope"] == "admin"
    assert tenancy.everything() == before


def test_another_tenant_is_no_place_for_a_key(fresh_tenancy: Tenancy) -> None:
    """A customer could plant a key, and an identity, with another."""
    other = tenancy_on(fresh_tenancy.server)
    before = (fresh_tenancy.everything(), other.everything())
    wishes = [
        {"user_id": other.owner["id"]},
        {"tenant_id": other.id},
        {"user_id": other.owner["id"], "tenant_id": other.id},
        {"user_id": "usr_0000000000000000000000"},
        {"tenant_id": "ten_0000000000000000000000"},
        {"user_id": "x" * 100},
    ]
    for wish in wishes:
        answer = fresh_tenancy.api.post("/v1/api-keys", json={"name": "x", **wish})
        assert refusal(answer) == (404, "not_found"), wish
    assert (fresh_tenancy.everything(), other.everything()) == before


def test_the_operator_names_a_user_of_the_tenant(fresh_tenancy: Tenancy) -> None:
    """A slip in one of two ids would give one customer's key to another."""
    other = tenancy_on(fresh_tenancy.server)
    wish = {"name": "x", "user_id": other.owner["id"], "tenant_id": fresh_tenancy.id}
    assert refusal(fresh_tenancy.operator.post("/v1/api-keys", json=wish)) == (404, "not_found")
    alone = fresh_tenancy.operator.post("/v1/api-keys", json={"name": "x", "tenant_id": fresh_tenancy.id})
    assert refusal(alone) in {(404, "not_found"), (400, "invalid_request")}
    assert alone.json()["field"] == "user_id"


def test_a_plan_is_the_operators_to_give(fresh_tenancy: Tenancy) -> None:
    """Customers could put themselves on a plan without limits."""
    before = fresh_tenancy.everything()
    answer = fresh_tenancy.api.post("/v1/api-keys", json={"name": "x", "plan": "enterprise"})
    assert refusal(answer) == (403, "insufficient_scope")
    for plan in ("unheard-of", "", "Free", "x" * 65):
        wish = {"name": "x", "plan": plan, "user_id": fresh_tenancy.owner["id"]}
        unknown = fresh_tenancy.operator.post("/v1/api-keys", json=wish)
        assert refusal(unknown) == (400, "invalid_request"), plan
        assert unknown.json()["field"] == "plan"
    assert fresh_tenancy.everything() == before


def test_a_disabled_user_gets_no_key(fresh_tenancy: Tenancy) -> None:
    """A key would lie ready for the day on which somebody is let in again."""
    user = fresh_tenancy.user()
    fresh_tenancy.api.patch(f"/v1/users/{user['id']}", json={"status": "disabled"})
    answer = fresh_tenancy.api.post("/v1/api-keys", json={"name": "x", "user_id": user["id"]})
    assert refusal(answer) == (409, "conflict")
    assert user["id"] in answer.json()["message"]
    fresh_tenancy.api.delete(f"/v1/users/{user['id']}")
    gone = fresh_tenancy.api.post("/v1/api-keys", json={"name": "x", "user_id": user["id"]})
    assert refusal(gone) == (404, "not_found")


def test_what_is_created_is_audited(fresh_tenancy: Tenancy) -> None:
    """Nobody could find out who made the key that did the harm."""
    key = create(fresh_tenancy, name="ci")
    event = every(fresh_tenancy.api, "/v1/audit", subject_id=key["id"])[0]
    assert event["action"] == "api_key.created"
    assert event["actor"]["user_id"] == fresh_tenancy.owner["id"]
    assert event["actor"]["credential_id"] == fresh_tenancy.owner_key["id"]
