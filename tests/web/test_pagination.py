"""§4: every list: `data`, `next_cursor`, `limit`, `cursor`."""

from __future__ import annotations

import secrets
from typing import Final

import httpx2
import pytest

from tests.web.tenancy import Json, Tenancy, every, refusal, seconds_of, tenancy_on

LISTS: Final = ["/v1/api-keys", "/v1/users", "/v1/audit", "/audit", "/v1/tenants", "/v1/plans"]


def page(client: httpx2.Client, path: str, **query: object) -> Json:
    """One page."""
    answer = client.get(path, params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    assert set(found) == {"data", "next_cursor"}
    return found


def name_of(thing: Json) -> str:
    """What tells it from all others."""
    identifier: str = thing.get("id") or thing["name"]
    return identifier


@pytest.fixture(scope="module")
def filled(tenancy: Tenancy) -> Tenancy:
    """A tenant with 25 more of everything that it can hold; several are made in one instant."""
    for number in range(25):
        if number % 3 == 0:
            tenancy.server.clock.advance(0.001)
        tenancy.key(name=f"key {number}")
        tenancy.user()
        tenancy.plan(number)
    return tenancy


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_the_pages_are_the_whole_list_once(filled: Tenancy, path: str, limit: int) -> None:
    """Somebody who pages through a list would miss a key, or see one twice."""
    client = filled.operator if path in {"/v1/tenants", "/v1/plans"} else filled.api
    whole = [name_of(thing) for thing in every(client, path)]
    assert len(whole) == len(set(whole))
    assert len(whole) > 25 or path == "/v1/tenants"
    found: list[str] = []
    cursor: str | None = None
    while True:
        one = page(client, path, limit=limit, **({"cursor": cursor} if cursor else {}))
        assert len(one["data"]) <= limit
        found += [name_of(thing) for thing in one["data"]]
        cursor = one["next_cursor"]
        if cursor is None:
            break
        assert len(one["data"]) == limit, "a page that is not the last is full"
    assert found == whole


@pytest.mark.parametrize("path", LISTS)
def test_the_newest_come_first(filled: Tenancy, path: str) -> None:
    """Somebody who looks for the key that they just made would find it on the last page."""
    client = filled.operator if path in {"/v1/tenants", "/v1/plans"} else filled.api
    moments = [seconds_of(thing.get("created_at") or thing["at"]) for thing in every(client, path)]
    assert moments == sorted(moments, reverse=True)


def test_the_last_page_says_so(fresh_tenancy: Tenancy) -> None:
    """A client would ask for one more page after every list that fits exactly."""
    tenancy = fresh_tenancy
    for _ in range(3):
        tenancy.key()
    assert page(tenancy.api, "/v1/api-keys", limit=4)["next_cursor"] is None
    first = page(tenancy.api, "/v1/api-keys", limit=2)
    assert first["next_cursor"] is not None
    second = page(tenancy.api, "/v1/api-keys", limit=2, cursor=first["next_cursor"])
    assert (len(second["data"]), second["next_cursor"]) == (2, None)
    assert page(tenancy.api, "/v1/api-keys", user_id="usr_none") == {"data": [], "next_cursor": None}


def test_without_a_limit_a_page_is_bounded(filled: Tenancy) -> None:
    """A customer with a million keys would bring the server down by looking at them."""
    for _ in range(30):
        filled.key()
    one = page(filled.api, "/v1/api-keys")
    assert len(one["data"]) == 50
    assert one["next_cursor"] is not None


def test_a_list_that_grows_meanwhile_stays_whole(fresh_tenancy: Tenancy) -> None:
    """What is made while somebody reads would push an old key over the edge of a page."""
    tenancy = fresh_tenancy
    old = {tenancy.owner_key["id"], *(tenancy.key()["id"] for _ in range(6))}
    first = page(tenancy.api, "/v1/api-keys", limit=3)
    tenancy.server.clock.advance(1)
    for _ in range(5):
        tenancy.key()
    rest = page(tenancy.api, "/v1/api-keys", limit=10, cursor=first["next_cursor"])
    assert [key["id"] for key in first["data"]] + [key["id"] for key in rest["data"]] == [
        key["id"] for key in every(tenancy.api, "/v1/api-keys") if key["id"] in old
    ]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "ten", "", "1e1", "9" * 400, "１"])
def test_a_malformed_limit_is_named(tenancy: Tenancy, path: str, limit: str) -> None:
    """A slip would be taken for everything, or for nothing."""
    answer = tenancy.api.get(path, params={"limit": limit})
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"] == "limit"
    assert "limit" in answer.json()["message"]


def test_a_cursor_is_bound_to_its_list_its_filters_and_its_tenant(filled: Tenancy) -> None:
    """A cursor could be bent to read on in somebody else's list."""
    other = tenancy_on(filled.server)
    for _ in range(3):
        other.key()
    mine = page(filled.api, "/v1/api-keys", limit=2)["next_cursor"]
    uses = [
        filled.api.get("/v1/users", params={"cursor": mine}),
        filled.api.get("/v1/audit", params={"cursor": mine}),
        filled.api.get("/v1/api-keys", params={"cursor": mine, "status": "active"}),
        filled.api.get("/v1/api-keys", params={"cursor": mine, "user_id": filled.owner["id"]}),
        other.api.get("/v1/api-keys", params={"cursor": mine}),
        filled.operator.get("/v1/api-keys", params={"cursor": mine, "tenant_id": other.id}),
    ]
    for answer in uses:
        assert refusal(answer) == (400, "invalid_request")
        assert answer.json()["field"] == "cursor"
    assert page(filled.api, "/v1/api-keys", cursor=mine, limit=5)["data"], "another limit is no other list"


def test_a_forged_or_damaged_cursor_is_refused(filled: Tenancy) -> None:
    """Whoever makes up a position could probe what lies there."""
    cursor = page(filled.api, "/v1/api-keys", limit=2)["next_cursor"]
    damaged = [
        "",
        "x",
        cursor[:-1],
        cursor[:-2],
        cursor + "00",
        cursor[::-1],
        ("0" if cursor[0] != "0" else "1") + cursor[1:],
        cursor[:-2] + ("00" if cursor[-2:] != "00" else "11"),
        secrets.token_hex(40),
        "null",
        "' OR 1=1 --",
        "a" * 2000,
        "Ａ" * 10,
    ]
    for wrong in damaged:
        answer = filled.api.get("/v1/api-keys", params={"cursor": wrong})
        assert refusal(answer) == (400, "invalid_request"), wrong
        assert answer.json()["field"] == "cursor", wrong


def test_a_parameter_twice_or_unheard_of_is_refused(tenancy: Tenancy) -> None:
    """A misspelt filter would list everything, and a script would delete what it lists."""
    for query, field in (
        ("limit=1&limit=2", "limit"),
        ("userid=usr_x", "userid"),
        ("offset=10", "offset"),
        ("page=2", "page"),
    ):
        answer = tenancy.api.get(f"/v1/api-keys?{query}")
        assert refusal(answer) == (400, "invalid_request"), query
        assert answer.json()["field"] == field
