"""§4: `PATCH /v1/api-keys/{id}`."""

from __future__ import annotations

from typing import Final

import httpx2
import pytest

from tests.web.tenancy import ALL_SCOPES, Json, Tenancy, every, made, refusal, seconds_of, tenancy_on
from tests.web.test_api_keys_create import MALFORMED

PATH = "/v1/api-keys"


def change(tenancy: Tenancy, key: Json, **fields: object) -> httpx2.Response:
    """Change a key as the tenant's owner."""
    return tenancy.api.patch(f"{PATH}/{key['id']}", json=fields)


CHANGES: Final[dict[str, object]] = {
    "name": "another name",
    "scopes": ["invoices:read", "read"],
    "expires_at": "2100-01-01T00:00:00Z",
    "allowed_ips": ["192.0.2.0/24"],
    "metadata": {"team": "billing"},
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_field_is_changed_and_the_others_stay(tenancy: Tenancy, field: str) -> None:
    """A script that renames a key would take its network restriction off."""
    wish = {
        "name": "before",
        "scopes": ["write"],
        "expires_at": "2099-01-01T00:00:00Z",
        "allowed_ips": ["198.51.100.7"],
        "metadata": {"n": 1},
    }
    key = tenancy.key(**wish)
    del key["key"]
    tenancy.server.clock.advance(1)
    answer = change(tenancy, key, **{field: CHANGES[field]})
    assert answer.status_code == 200
    changed = answer.json()
    assert changed == {**key, field: CHANGES[field], "updated_at": changed["updated_at"]}
    assert seconds_of(changed["updated_at"]) - seconds_of(key["updated_at"]) == pytest.approx(1)
    assert tenancy.api.get(f"{PATH}/{key['id']}").json() == changed


def test_many_fields_are_changed_at_once(tenancy: Tenancy) -> None:
    """Between two calls, the key would be open to the whole world."""
    key = tenancy.key()
    assert CHANGES.items() <= change(tenancy, key, **CHANGES).json().items()


def test_nothing_asked_changes_nothing(tenancy: Tenancy) -> None:
    """A form without changes would clear a key's fields."""
    key = tenancy.key(**CHANGES)
    del key["key"]
    answer = change(tenancy, key)
    assert answer.status_code == 200
    assert answer.json() == {**key, "updated_at": answer.json()["updated_at"]}


def test_null_takes_an_end_away(tenancy: Tenancy) -> None:
    """A key could be given an end and never be freed of it."""
    key = tenancy.key(expires_in=60)
    assert change(tenancy, key, expires_at=None).json()["expires_at"] is None
    tenancy.server.clock.advance(61)
    assert tenancy.verify(key["key"]).status_code == 200


def test_a_change_binds_the_next_request(tenancy: Tenancy) -> None:
    """An operator who locks a key down would watch it go on working."""
    key = tenancy.key(scopes=["read", "write"])

    def status(address: str, scope: str) -> int:
        return tenancy.verify(key["key"], address=address, scope=scope).status_code

    assert status("198.51.100.1", "write") == 200
    change(tenancy, key, scopes=["read"])
    assert status("198.51.100.1", "write") == 403
    change(tenancy, key, allowed_ips=["192.0.2.0/24"])
    assert status("198.51.100.1", "read") == 403
    assert status("192.0.2.1", "read") == 200
    change(tenancy, key, allowed_ips=[], scopes=["write"])
    assert status("198.51.100.1", "write") == 200
    change(tenancy, key, expires_in=5)
    tenancy.server.clock.advance(4.9)
    assert status("198.51.100.1", "write") == 200
    tenancy.server.clock.advance(0.1)
    assert status("198.51.100.1", "write") == 401
    change(tenancy, key, expires_in=5)
    assert status("198.51.100.1", "write") == 200
    change(tenancy, key, name="renamed")
    assert tenancy.verify(key["key"]).json()["credential"]["name"] == "renamed"


def test_a_malformed_change_names_its_field_and_changes_nothing(fresh_tenancy: Tenancy) -> None:
    """Half of a change would be worse than none."""
    tenancy = fresh_tenancy
    key = tenancy.key()
    before = tenancy.everything()
    cases = [case for case in MALFORMED if case[1] not in {"user_id", "tenant_id"}]
    others: list[tuple[Json, str]] = [
        ({"scopes": None}, "scopes"),
        ({"allowed_ips": None}, "allowed_ips"),
        ({"expires_in": None}, "expires_in"),
        ({"overlap_seconds": -1}, "overlap_seconds"),
        ({"overlap_seconds": "5"}, "overlap_seconds"),
        ({"user_id": tenancy.owner["id"]}, "user_id"),
        ({"tenant_id": tenancy.id}, "tenant_id"),
        ({"created_at": "2020-01-01T00:00:00Z"}, "created_at"),
        ({"parent_id": None}, "parent_id"),
    ]
    for fields, field in [*cases, *others]:
        answer = tenancy.api.patch(f"{PATH}/{key['id']}", json={"metadata": {"n": 1}, **fields})
        assert refusal(answer) == (400, "invalid_request"), fields
        assert answer.json()["field"] == field, fields
        assert field in answer.json()["message"], fields
    bodies: list[object] = [[], "x", 7, None]
    for body in bodies:
        answer = tenancy.api.patch(f"{PATH}/{key['id']}", json=body)
        assert refusal(answer) == (400, "invalid_request"), body
        assert answer.json()["field"] == "body"
    assert tenancy.everything() == before


def test_nobody_gives_a_key_more_than_they_have(fresh_tenancy: Tenancy) -> None:
    """A stolen key without a scope would get it by changing itself or another."""
    tenancy = fresh_tenancy
    member = tenancy.user()
    mine = tenancy.key(user_id=member["id"], scopes=["write"])
    owners = tenancy.key(scopes=["write"])
    before = tenancy.everything()
    client = tenancy.client(mine["key"])
    assert refusal(client.patch(f"{PATH}/{mine['id']}", json={"scopes": ["admin"]}))[0] == 403
    assert refusal(client.patch(f"{PATH}/{mine['id']}", json={"scopes": ["read", "write"]}))[0] == 403
    assert refusal(client.patch(f"{PATH}/{owners['id']}", json={"scopes": ["write"]})) == (404, "not_found")
    answer = tenancy.api.patch(f"{PATH}/{mine['id']}", json={"scopes": ["admin"]})
    assert refusal(answer) == (400, "invalid_request"), "its owner is a member"
    assert tenancy.everything() == before
    reader = tenancy.client(tenancy.key(scopes=["read"])["key"])
    assert refusal(reader.patch(f"{PATH}/{owners['id']}", json={"name": "x"})) == (403, "insufficient_scope")
    assert change(tenancy, owners, scopes=ALL_SCOPES).status_code == 200


def test_another_tenants_key_is_not_found(fresh_tenancy: Tenancy) -> None:
    """A customer could open another's key to the world."""
    other = tenancy_on(fresh_tenancy.server)
    before = other.everything()
    changes: list[Json] = [{"allowed_ips": []}, {"name": "x"}, {}, {"scopes": []}]
    for fields in changes:
        assert refusal(change(fresh_tenancy, other.owner_key, **fields)) == (404, "not_found")
    assert other.everything() == before


def test_a_plan_is_the_operators_to_change(fresh_tenancy: Tenancy) -> None:
    """A customer could take the limit off their own key."""
    tenancy = fresh_tenancy
    tight, wide = tenancy.plan(5), tenancy.plan(500)
    key = tenancy.key(plan=tight)
    before = tenancy.everything()
    for plan in (wide, "enterprise", None):
        assert refusal(change(tenancy, key, plan=plan)) == (403, "insufficient_scope")
    assert tenancy.everything() == before
    operator = tenancy.operator
    assert operator.patch(f"{PATH}/{key['id']}", json={"plan": wide}).json()["plan"] == wide
    assert tenancy.verify(key["key"]).headers["X-RateLimit-Limit"] == "500"
    assert operator.patch(f"{PATH}/{key['id']}", json={"plan": None}).json()["plan"] is None
    assert "X-RateLimit-Limit" not in tenancy.verify(key["key"]).headers, "the tenant's plan has no limits"
    unknown = operator.patch(f"{PATH}/{key['id']}", json={"plan": "unheard-of"})
    assert refusal(unknown) == (400, "invalid_request")


def test_a_revoked_key_stays_as_it_is(fresh_tenancy: Tenancy) -> None:
    """The record of a leaked key could be altered afterwards."""
    tenancy = fresh_tenancy
    key = tenancy.key()
    tenancy.api.delete(f"{PATH}/{key['id']}")
    before = tenancy.everything()
    answer = change(tenancy, key, name="innocent")
    assert refusal(answer) == (409, "conflict")
    assert key["id"] in answer.json()["message"]
    assert tenancy.everything() == before


def test_a_successor_does_not_outlive_what_it_succeeded(fresh_tenancy: Tenancy) -> None:
    """An end would be shown that is never reached, and a customer's key would fail years before it."""
    tenancy = fresh_tenancy
    key = tenancy.key(expires_in=1000)
    successor = made(tenancy.api.post(f"{PATH}/{key['id']}/rotate"))
    before = tenancy.everything()
    for fields in ({"expires_at": None}, {"expires_in": 2000}, {"expires_at": "2100-01-01T00:00:00Z"}):
        answer = change(tenancy, successor, **fields)
        assert refusal(answer) == (409, "conflict")
        assert key["id"] in answer.json()["message"]
    assert tenancy.everything() == before
    assert change(tenancy, successor, expires_in=500).status_code == 200
    assert change(tenancy, key, expires_in=3000).status_code == 200
    assert change(tenancy, successor, expires_in=2000).status_code == 200
    tenancy.server.clock.advance(1999)
    assert tenancy.verify(successor["key"]).status_code == 200


def test_a_change_is_audited_without_its_values(fresh_tenancy: Tenancy) -> None:
    """Nobody could find out who took the restriction off; and metadata may be private."""
    key = fresh_tenancy.key()
    fresh_tenancy.server.clock.advance(1)
    change(fresh_tenancy, key, allowed_ips=["192.0.2.1"], metadata={"mail": "ada@example.com"})
    event = every(fresh_tenancy.api, "/v1/audit", subject_id=key["id"])[0]
    assert event["action"] == "api_key.changed"
    assert event["details"] == {"fields": ["allowed_ips", "metadata"]}
    assert event["actor"]["user_id"] == fresh_tenancy.owner["id"]
