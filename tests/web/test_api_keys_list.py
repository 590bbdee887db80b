"""§4: `GET /v1/api-keys` and `GET /v1/api-keys/{id}`."""

from __future__ import annotations

import pytest

from tests.web.tenancy import Json, Tenancy, every, refusal, tenancy_on

PATH = "/v1/api-keys"


def ids(keys: list[Json]) -> set[str]:
    """The ids in a listing."""
    return {key["id"] for key in keys}


def test_an_owner_sees_the_tenants_keys(fresh_tenancy: Tenancy) -> None:
    """A key that nobody sees is never rotated."""
    tenancy = fresh_tenancy
    member = tenancy.user()
    keys = [tenancy.key(), tenancy.key(user_id=member["id"]), tenancy.key(scopes=[])]
    listed = every(tenancy.api, PATH)
    assert ids(listed) == ids([*keys, tenancy.owner_key])
    shown = {key["id"]: key for key in listed}
    for key in keys:
        del key["key"]
        assert shown[key["id"]] == key
        assert tenancy.api.get(f"{PATH}/{key['id']}").json() == key
    assert ids(every(tenancy.api, PATH, user_id=member["id"])) == {keys[1]["id"]}
    assert ids(every(tenancy.api, PATH, tenant_id=tenancy.id)) == ids(listed)


@pytest.mark.parametrize("scopes", [["read"], ["read", "write", "invoices:read"]])
def test_without_admin_one_sees_ones_own(fresh_tenancy: Tenancy, scopes: list[str]) -> None:
    """A member, or an owner's read-only key in a build server, would map out the whole company."""
    tenancy = fresh_tenancy
    member = tenancy.user()
    mine = tenancy.key(user_id=member["id"], scopes=scopes)
    client = tenancy.client(mine["key"])
    assert ids(every(client, PATH)) == {mine["id"]}
    assert ids(every(client, PATH, user_id=member["id"])) == {mine["id"]}
    assert client.get(f"{PATH}/{mine['id']}").status_code == 200
    foreign = client.get(f"{PATH}/{tenancy.owner_key['id']}")
    unknown = client.get(f"{PATH}/key_0000000000000000000000")
    assert refusal(foreign) == refusal(unknown) == (404, "not_found")
    assert refusal(client.get(PATH, params={"user_id": tenancy.owner["id"]}))[0] == 403
    owners = tenancy.client(tenancy.key(scopes=scopes)["key"])
    assert all(key["user_id"] == tenancy.owner["id"] for key in every(owners, PATH))


def test_nothing_is_seen_across_tenants(fresh_tenancy: Tenancy) -> None:
    """A customer would see another's keys, or learn that an id exists."""
    other = tenancy_on(fresh_tenancy.server)
    client = fresh_tenancy.api
    assert other.owner_key["id"] not in ids(every(client, PATH))
    foreign = client.get(f"{PATH}/{other.owner_key['id']}")
    unknown = client.get(f"{PATH}/key_{'0' * 22}")
    assert refusal(foreign) == refusal(unknown) == (404, "not_found")
    assert foreign.json()["message"].replace(other.owner_key["id"], "?") == unknown.json()["message"].replace(
        f"key_{'0' * 22}", "?"
    )
    assert refusal(client.get(PATH, params={"tenant_id": other.id})) == (404, "not_found")
    assert refusal(client.get(PATH, params={"tenant_id": "ten_0"})) == (404, "not_found")
    assert every(client, PATH, user_id=other.owner["id"]) == []


def test_the_operator_may_look_into_any_tenant(fresh_tenancy: Tenancy) -> None:
    """Support could not help a customer."""
    operator = fresh_tenancy.operator
    assert ids(every(operator, PATH, tenant_id=fresh_tenancy.id)) == {fresh_tenancy.owner_key["id"]}
    assert operator.get(f"{PATH}/{fresh_tenancy.owner_key['id']}").status_code == 200
    assert fresh_tenancy.owner_key["id"] not in ids(every(operator, PATH))


def test_a_list_can_be_narrowed_to_a_status(fresh_tenancy: Tenancy) -> None:
    """An owner who looks for keys to clean up would read through pages of dead ones."""
    tenancy = fresh_tenancy
    active, disabled, revoked = tenancy.key(), tenancy.key(), tenancy.key()
    expired, ends_late = tenancy.key(expires_in=10), tenancy.key(expires_in=10_000)
    rotated = tenancy.key()
    tenancy.api.post(f"{PATH}/{disabled['id']}/disable")
    tenancy.api.delete(f"{PATH}/{revoked['id']}")
    successor = tenancy.api.post(f"{PATH}/{rotated['id']}/rotate", json={"overlap_seconds": 5}).json()
    tenancy.server.clock.advance(11)
    expected = {
        "active": ids([tenancy.owner_key, active, ends_late, successor]),
        "disabled": {disabled["id"]},
        "revoked": {revoked["id"]},
        "expired": ids([expired, rotated]),
    }
    for status, keys in expected.items():
        listed = every(tenancy.api, PATH, status=status)
        assert ids(listed) == keys, status
        assert {key["status"] for key in listed} == {status}


@pytest.mark.parametrize("status", ["", "ACTIVE", "deleted", "active,revoked"])
def test_a_status_that_is_none_is_malformed(tenancy: Tenancy, status: str) -> None:
    """A slip would list everything."""
    answer = tenancy.api.get(PATH, params={"status": status})
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"] == "status"
    assert "expired" in answer.json()["message"]


@pytest.mark.parametrize(
    "identifier", ["x", "key_", "usr_0000000000000000000000", "%F0%9F%94%91", "a" * 5000, "key_%0A"]
)
def test_an_id_that_is_none_is_not_found(tenancy: Tenancy, identifier: str) -> None:
    """A wrong id in a script would look like a fault of the server."""
    for method, suffix in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/rotate"),
        ("POST", "/disable"),
    ):
        body = {"name": "x"} if method == "PATCH" else None
        answer = tenancy.api.request(method, f"{PATH}/{identifier}{suffix}", json=body)
        assert refusal(answer) == (404, "not_found"), method
        assert len(answer.text) < 1000


def test_looking_needs_the_scope_read(tenancy: Tenancy) -> None:
    """A key that may only ask about credentials would list them all."""
    client = tenancy.client(tenancy.key(scopes=["write", "credentials:verify"])["key"])
    for path in (PATH, f"{PATH}/{tenancy.owner_key['id']}"):
        answer = client.get(path)
        assert refusal(answer) == (403, "insufficient_scope")
        assert answer.json()["scope"] == "read"
