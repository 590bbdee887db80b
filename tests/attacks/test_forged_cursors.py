"""A cursor is the server's own word: nobody writes one, carries one elsewhere, or gets a query out of one."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any, Final

import pytest

from bonafides.secret import Peppers, new_pepper, parse_pepper
from tests.attacks.cast import Party, as_, refused
from tests.serving import RunningServer

LISTINGS: Final = ("/v1/api-keys", "/v1/users", "/v1/tenants", "/v1/plans", "/v1/audit", "/audit")
INJECTIONS: Final = (
    "' OR '1'='1",
    "1; DROP TABLE credentials; --",
    "' UNION SELECT digest, pepper_id FROM credentials --",
    "1)) OR pg_sleep(5) --",
    "\\'; SELECT load_extension('x'); --",
    "%27%20OR%201=1--",
    "$$||pg_sleep(5)||$$",
    "{{7*7}}",
    "${jndi:ldap://127.0.0.1/a}",
    "../../../../etc/passwd",
    "a' AND randomblob(1000000000) AND 'a'='a",
    "0x27",
    "\u02bc OR 1=1",
)


@pytest.fixture(scope="module")
def cursors(house: RunningServer, mine: Party, theirs: Party) -> Iterator[dict[str, str]]:
    """A cursor of every listing, as the operator gets it; and rows to list."""
    assert mine.id != theirs.id
    found = {}
    for path in LISTINGS:
        answer = house.admin.get(path, params={"limit": 1, **of_mine(path, mine)}).json()
        found[path] = answer["next_cursor"]
        assert found[path], path
    yield found
    assert house.admin.get("/v1/api-keys").status_code == 200, "the tables are still there"


def of_mine(path: str, mine: Party) -> dict[str, str]:
    """The filter that the operator needs to list a tenant's things."""
    return {} if path in {"/v1/tenants", "/v1/plans"} else {"tenant_id": mine.id}


def damaged(cursor: str) -> list[str]:
    """What is left of a cursor when it is cut, stretched, or changed in one place."""
    return [
        *(cursor[:length] for length in range(1, len(cursor), 3)),
        *(cursor[start:] for start in range(1, len(cursor), 3)),
        *(
            cursor[:place] + "0123456789abcdef"[(int(cursor[place], 16) + 1) % 16] + cursor[place + 1 :]
            for place in range(0, len(cursor), 2)
        ),
        cursor + "00",
        "00" + cursor,
        cursor + cursor,
        cursor[24:] + cursor[:24],
        "0" * len(cursor),
        "f" * len(cursor),
        cursor[:24] + json.dumps([0, "a"]).encode().hex(),
        "00" * 12 + json.dumps([2**62, "key_z"]).encode().hex(),
        json.dumps([2**62, "key_z"]).encode().hex(),
    ]


@pytest.mark.parametrize("path", LISTINGS)
def test_a_damaged_cursor_is_refused(
    house: RunningServer, mine: Party, cursors: dict[str, str], path: str
) -> None:
    """Attack 46 (CVE-2026-33504): a page token that anybody could write was a way into the query."""
    client = house.admin
    for cursor in damaged(cursors[path]):
        answer = client.get(path, params={"cursor": cursor, **of_mine(path, mine)})
        assert refused(answer, 400, "invalid_request"), cursor
        assert answer.json()["field"] == "cursor"
    assert client.get(path, params={"cursor": cursors[path], **of_mine(path, mine)}).status_code == 200


@pytest.mark.parametrize("injection", INJECTIONS)
@pytest.mark.parametrize("path", LISTINGS)
def test_no_parameter_of_a_listing_reaches_the_query(house: RunningServer, path: str, injection: str) -> None:
    """Attack 46 (CVE-2022-24124): a sort field or a filter that is put into a statement is a statement."""
    client = house.admin
    for name in (
        "cursor",
        "limit",
        "status",
        "tenant_id",
        "user_id",
        "action",
        "subject_id",
        "actor_user_id",
        "sort",
        "order",
        "order_by",
        "filter",
        "q",
        "fields",
    ):
        answer = client.get(path, params={name: injection})
        assert answer.status_code in {200, 400, 404}, (name, answer.text)
        if answer.status_code == 200:
            assert answer.json() == {"data": [], "next_cursor": None}, name
    for where in (f"{path}/{injection}", f"{path}/key_{injection}"):
        assert client.get(where).status_code in {400, 404, 405}


@pytest.mark.parametrize("injection", INJECTIONS)
def test_no_field_of_a_body_reaches_a_query(house: RunningServer, mine: Party, injection: str) -> None:
    """Attack 46: what is stored must come back as it was, and nothing else must happen."""
    client = as_(house, mine.owner)
    made = client.post("/v1/api-keys", json={"name": injection, "metadata": {injection: [injection]}}).json()
    shown = client.get(f"/v1/api-keys/{made['id']}").json()
    assert (shown["name"], shown["metadata"]) == (injection, {injection: [injection]})
    for body in (
        {"name": "x", "user_id": injection},
        {"name": "x", "tenant_id": injection},
        {"name": "x", "scopes": [injection]},
        {"name": "x", "allowed_ips": [injection]},
        {"name": "x", "expires_at": injection},
        {"name": "x", "plan": injection},
    ):
        assert client.post("/v1/api-keys", json=body).status_code in {400, 403, 404}
    assert client.post("/v1/credentials/verify", json={"credential": injection}).json()["valid"] is False


def test_a_cursor_serves_its_own_listing_alone(
    house: RunningServer, mine: Party, cursors: dict[str, str]
) -> None:
    """Attack 46: a position in one listing, taken to another, starts where nobody was shown to."""
    client = house.admin
    for path in LISTINGS:
        for other, cursor in cursors.items():
            same = path == other or {path, other} == {"/v1/audit", "/audit"}
            answer = client.get(path, params={"cursor": cursor, **of_mine(path, mine)})
            assert answer.status_code == (200 if same else 400), (path, other)


@pytest.mark.parametrize("path", ["/v1/api-keys", "/v1/users", "/v1/audit"])
def test_a_cursor_serves_its_own_tenant_alone(
    house: RunningServer, mine: Party, theirs: Party, path: str
) -> None:
    """Attack 46, attack 47: a cursor from one tenant must not page through another."""
    cursor = as_(house, mine.owner).get(path, params={"limit": 1}).json()["next_cursor"]
    assert refused(as_(house, theirs.owner).get(path, params={"cursor": cursor}), 400, "invalid_request")
    assert refused(house.admin.get(path, params={"cursor": cursor}), 400, "invalid_request")


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        ("/v1/api-keys", {"status": "active"}),
        ("/v1/api-keys", {"user_id": "me"}),
        ("/v1/audit", {"action": "api_key.created"}),
        ("/v1/audit", {"subject_id": "key_x"}),
        ("/v1/audit", {"actor_user_id": "me"}),
    ],
)
def test_a_cursor_serves_its_own_filters_alone(
    house: RunningServer, mine: Party, path: str, filters: dict[str, str]
) -> None:
    """Attack 46: with other filters, the position would skip or repeat what nobody notices."""
    client = as_(house, mine.owner)
    filled = {name: mine.owner.id if value == "me" else value for name, value in filters.items()}
    plain = client.get(path, params={"limit": 1}).json()["next_cursor"]
    assert refused(client.get(path, params={"cursor": plain, **filled}), 400, "invalid_request")


@pytest.mark.parametrize(
    "position",
    [
        [0, "key_x"],
        [2**63, "key_x"],
        [2**200, "key_x"],
        [-1, ""],
        ["0", "' OR 1=1 --"],
        ["x", 1],
        [None, None],
        [],
        [1],
        [1, 2, 3],
        {"a": 1},
        "text",
        [1.5e300, "x"],
        [[1], ["x"]],
    ],
)
def test_a_cursor_under_a_foreign_pepper_is_refused(
    house: RunningServer,
    position: Any,
) -> None:
    """Attack 46: whoever runs a server of their own can sign what they like, but not for this one."""
    foreign = Peppers([parse_pepper(new_pepper(secrets.token_bytes))])
    for context in ("plans", f"api-keys {house.founded.tenant_id} None None", ""):
        cursor = foreign.sign_cursor(position, context)
        for path in ("/v1/plans", "/v1/api-keys"):
            assert refused(house.admin.get(path, params={"cursor": cursor}), 400, "invalid_request")


def test_a_cursor_tells_nothing_that_the_page_did_not(house: RunningServer, mine: Party) -> None:
    """Attack 46: what a cursor holds can be read by whoever has it, so it holds what they were shown."""
    client = as_(house, mine.owner)
    answer = client.get("/v1/users", params={"limit": 1}).json()
    held = bytes.fromhex(answer["next_cursor"])[12:].decode()
    assert json.loads(held)[1] == answer["data"][0]["id"]


def test_paging_misses_and_repeats_nothing_while_rows_come_and_go(house: RunningServer, mine: Party) -> None:
    """Attack 46: an attacker who makes rows between two pages would hide others from the auditor."""
    client = as_(house, mine.owner)
    names = [client.post("/v1/api-keys", json={"name": f"page {place}"}).json()["id"] for place in range(12)]
    seen: list[str] = []
    cursor = None
    while True:
        page = client.get(
            "/v1/api-keys", params={"limit": 5, **({"cursor": cursor} if cursor else {})}
        ).json()
        seen += [key["id"] for key in page["data"]]
        client.post("/v1/api-keys", json={"name": "in between"})
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert set(names) <= set(seen)
