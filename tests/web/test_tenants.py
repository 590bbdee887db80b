"""§4: `/v1/tenants`, and what becomes of the credentials of a tenant."""

from __future__ import annotations

import re
import secrets
from typing import Final

import httpx2

from tests.web.tenancy import Json, Tenancy, every, made, refusal, tenancy_on

PATH: Final = "/v1/tenants"


def name() -> str:
    """A name that no tenant has."""
    return f"Customer {secrets.token_hex(6)}"


def change(tenancy: Tenancy, **fields: object) -> httpx2.Response:
    """Change a tenant as the operator."""
    return tenancy.operator.patch(f"{PATH}/{tenancy.id}", json=fields)


def test_a_tenant(tenancy: Tenancy) -> None:
    """A new customer could not be taken on."""
    wish = {"name": name()}
    answer = tenancy.operator.post(PATH, json=wish)
    assert answer.status_code == 201
    tenant = answer.json()
    assert answer.headers["Location"] == f"{PATH}/{tenant['id']}"
    assert re.fullmatch(r"ten_[0-9A-Za-z]{22}", tenant["id"])
    assert tenant["created_at"].endswith("Z")
    assert {key: tenant[key] for key in tenant.keys() - {"id", "created_at", "updated_at"}} == {
        "object": "tenant",
        "name": wish["name"],
        "status": "active",
        "plan": "free",
        "operator": False,
        "personal_access_token_seconds_max": None,
    }
    assert tenancy.operator.get(f"{PATH}/{tenant['id']}").json() == tenant
    assert tenant in every(tenancy.operator, PATH)
    assert every(tenancy.operator, "/v1/users", tenant_id=tenant["id"]) == []
    assert every(tenancy.operator, "/v1/api-keys", tenant_id=tenant["id"]) == []


def test_the_operators_own_tenant(tenancy: Tenancy) -> None:
    """Whoever disables it, or takes its plan away, locks themselves out."""
    operator_id = tenancy.server.founded.tenant_id
    own = tenancy.operator.get(f"{PATH}/{operator_id}").json()
    assert own["operator"] is True
    assert [tenant["id"] for tenant in every(tenancy.operator, PATH) if tenant["operator"]] == [operator_id]
    answer = tenancy.operator.patch(f"{PATH}/{operator_id}", json={"status": "disabled"})
    assert refusal(answer) == (409, "conflict")
    assert tenancy.operator.get(f"{PATH}/{operator_id}").json() == own


def test_a_disabled_tenant_is_bound_at_once(fresh_tenancy: Tenancy) -> None:
    """A customer who does not pay, or was broken into, would have the rest of the day."""
    tenancy = fresh_tenancy
    keys = [tenancy.key(), tenancy.key(user_id=tenancy.user()["id"]), tenancy.owner_key]
    for key in keys:
        assert tenancy.verify(key["key"]).status_code == 200
    assert change(tenancy, status="disabled").json()["status"] == "disabled"
    for key in keys:
        assert refusal(tenancy.verify(key["key"])) == (401, "invalid_api_key")
        assert refusal(tenancy.client(key["key"]).get("/v1/api-keys")) == (401, "invalid_api_key")
        verdict = tenancy.operator.post("/v1/credentials/verify", json={"credential": key["key"]}).json()
        assert verdict["code"] == "invalid_api_key"
    assert tenancy.operator.get(f"{PATH}/{tenancy.id}").status_code == 200
    change(tenancy, status="active")
    for key in keys:
        assert tenancy.verify(key["key"]).status_code == 200


def test_everybody_sees_their_own_tenant_alone(fresh_tenancy: Tenancy) -> None:
    """A customer would read the list of all customers."""
    tenancy, other = fresh_tenancy, tenancy_on(fresh_tenancy.server)
    for client in (tenancy.api, tenancy.member(), tenancy.client(tenancy.key(scopes=["read"])["key"])):
        assert [tenant["id"] for tenant in every(client, PATH)] == [tenancy.id]
        assert client.get(f"{PATH}/{tenancy.id}").json()["id"] == tenancy.id
        foreign = client.get(f"{PATH}/{other.id}")
        unknown = client.get(f"{PATH}/ten_0000000000000000000000")
        assert refusal(foreign) == refusal(unknown) == (404, "not_found")
        assert foreign.json()["message"].replace(other.id, "") == unknown.json()["message"].replace(
            "ten_0000000000000000000000", ""
        )


def test_only_the_operator_makes_tenants_and_sets_plans(fresh_tenancy: Tenancy) -> None:
    """A customer would put themselves on a plan without limits."""
    tenancy, other = fresh_tenancy, tenancy_on(fresh_tenancy.server)
    before = (tenancy.everything(), other.everything())
    for fields in ({"plan": "enterprise"}, {"status": "disabled"}, {"name": "x", "plan": "pro"}):
        answer = tenancy.api.patch(f"{PATH}/{tenancy.id}", json=fields)
        assert refusal(answer) == (403, "insufficient_scope"), fields
        assert "WWW-Authenticate" in answer.headers
    assert refusal(tenancy.api.post(PATH, json={"name": name()})) == (403, "insufficient_scope")
    assert refusal(tenancy.api.patch(f"{PATH}/{other.id}", json={"name": "x"})) == (404, "not_found")
    assert refusal(tenancy.member().patch(f"{PATH}/{tenancy.id}", json={"name": "x"}))[0] == 403
    after = (tenancy.everything(), other.everything())
    for listing in (*before, *after):
        del listing["/v1/users"], listing["/v1/audit"], listing["/v1/api-keys"]
    assert after == before


def test_an_owner_may_rename_the_tenant(fresh_tenancy: Tenancy) -> None:
    """A company that changes its name would have to write to support."""
    wish = {"name": name()}
    answer = fresh_tenancy.api.patch(f"{PATH}/{fresh_tenancy.id}", json=wish)
    assert answer.status_code == 200
    assert answer.json() == {**fresh_tenancy.tenant, **wish, "updated_at": answer.json()["updated_at"]}


def test_a_name_is_one_tenants(fresh_tenancy: Tenancy) -> None:
    """Support would open the wrong customer's data."""
    tenancy, other = fresh_tenancy, tenancy_on(fresh_tenancy.server)
    before = other.everything()
    taken = {"name": tenancy.tenant["name"]}
    for answer in (
        tenancy.operator.post(PATH, json=taken),
        other.operator.patch(f"{PATH}/{other.id}", json=taken),
    ):
        assert refusal(answer) == (409, "conflict")
        assert answer.json()["field"] == "name"
    assert other.everything() == before


def test_a_malformed_tenant_names_its_field_and_changes_nothing(fresh_tenancy: Tenancy) -> None:
    """A slip would put a customer on the wrong plan."""
    tenancy = fresh_tenancy
    before = (tenancy.everything(), every(tenancy.operator, PATH))
    malformed: list[tuple[Json, str]] = [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\tb"}, "name"),
        ({"plan": "unheard-of"}, "plan"),
        ({"plan": "Pro"}, "plan"),
        ({"plan": ""}, "plan"),
        ({"plan": 7}, "plan"),
        ({"operator": True}, "operator"),
        ({"id": "ten_mine"}, "id"),
    ]
    for fields, field in [*malformed, ({"status": "disabled"}, "status")]:
        answer = tenancy.operator.post(PATH, json={"name": name(), **fields})
        assert refusal(answer) == (400, "invalid_request"), fields
        assert answer.json()["field"] == field, fields
    for fields, field in [*malformed, ({"status": "deleted"}, "status"), ({"plan": None}, "plan")]:
        answer = change(tenancy, **fields)
        assert refusal(answer) == (400, "invalid_request"), fields
        assert answer.json()["field"] == field, fields
    assert (tenancy.everything(), every(tenancy.operator, PATH)) == before


def test_a_changed_tenant_is_in_its_own_trail(fresh_tenancy: Tenancy) -> None:
    """A customer could not see who switched them off."""
    fresh_tenancy.server.clock.advance(1)
    change(fresh_tenancy, plan="pro", name=name())
    event = every(fresh_tenancy.api, "/v1/audit", action="tenant.changed")[0]
    assert event["subject"] == {"kind": "tenant", "id": fresh_tenancy.id}
    assert event["details"]["plan"] == "pro"
    assert event["actor"]["user_id"] == fresh_tenancy.server.founded.user_id


def test_a_tenant_is_complete_with_an_owner_and_a_key(fresh_tenancy: Tenancy) -> None:
    """The whole way from a new customer to their first request, by the API alone."""
    operator = fresh_tenancy.operator
    tenant = made(operator.post(PATH, json={"name": name(), "plan": "pro"}))
    owner = made(
        operator.post(
            "/v1/users", json={"email": "ada@example.com", "role": "owner", "tenant_id": tenant["id"]}
        )
    )
    key = made(
        operator.post("/v1/api-keys", json={"name": "first", "user_id": owner["id"], "scopes": ["read"]})
    )
    verified = fresh_tenancy.verify(key["key"])
    assert verified.json()["tenant_id"] == tenant["id"]
    assert verified.headers["X-RateLimit-Limit"] == "10000"
