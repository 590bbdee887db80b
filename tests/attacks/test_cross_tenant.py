"""Every call, with every id of another tenant in every place for one: as if that tenant did not exist.

The calls are taken from the server's own description, so a call that is added later is attacked from that day on.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import pytest

from bonafides.secret import ALPHABET
from tests.attacks.cast import Party, Somebody, as_
from tests.serving import RunningServer

ROLES: Final = ("owner", "admin", "member", "service")
PREFIXES: Final = {
    "key_id": "key",
    "user_id": "usr",
    "tenant_id": "ten",
    "subject_id": "key",
    "actor_user_id": "usr",
}
BODIES: Final[Mapping[str, dict[str, Any]]] = {
    "/v1/api-keys": {"name": "x"},
    "/v1/users": {"email": "somebody@example.com"},
    "/v1/tenants": {"name": "a tenant of my own"},
    "/v1/plans": {"name": "mine", "requests_per_hour": 1, "burst": 1},
    "/v1/credentials/verify": {"credential": "x"},
}


@dataclass(frozen=True)
class Call:
    """One way to name somebody else's thing in one call."""

    method: str
    path: str
    place: str
    name: str

    def send(self, client: httpx2.Client, value: str, own: Mapping[str, str]) -> httpx2.Response:
        """Send it with this value in this place, and one's own in every other.

        Args:
            client: The attacker's.
            value: The victim's id.
            own: The attacker's ids.
        """
        ids = {**own, self.name: value} if self.place == "path" else own
        body: dict[str, Any] | None = None
        if self.method in {"POST", "PATCH"}:
            body = {**BODIES.get(self.path, {"name": "renamed"})} if not self._is_a_verb() else None
            if self.place == "body":
                body = {**(body or {}), self.name: value}
        params = {self.name: value} if self.place == "query" else None
        return client.request(self.method, self.path.format(**ids), json=body, params=params)

    def _is_a_verb(self) -> bool:
        return self.path.endswith(("/rotate", "/disable", "/enable"))


def calls(description: dict[str, Any]) -> Iterator[Call]:
    """Every place for an id in every call of the API."""
    objects = description["components"]["schemas"]
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] in PREFIXES:
                    yield Call(method.upper(), path, parameter["in"], parameter["name"])
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            reference = content.get("schema", {}).get("$ref", "")
            for name in objects.get(reference.rpartition("/")[2], {}).get("properties", ()):
                if name in PREFIXES:
                    yield Call(method.upper(), path, "body", name)


@pytest.fixture(scope="module")
def every_call(house: RunningServer) -> list[Call]:
    """From the server's own description."""
    return list(calls(house.client().get("/openapi.json").json()))


def nobody(name: str) -> str:
    """An id that was never given, of the look of one that could have been."""
    return f"{PREFIXES[name]}_" + "".join(secrets.choice(ALPHABET) for _ in range(22))


def ids_of(somebody: Somebody) -> dict[str, str]:
    """What an attacker would name of somebody."""
    return {
        "key_id": somebody.key_id,
        "user_id": somebody.id,
        "tenant_id": somebody.tenant_id,
        "subject_id": somebody.key_id,
        "actor_user_id": somebody.id,
    }


def everything_of(house: RunningServer, tenant_id: str) -> dict[str, Any]:
    """All that the operator sees of a tenant but what happens by itself."""
    client = house.admin
    keys = client.get("/v1/api-keys", params={"tenant_id": tenant_id, "limit": 100}).json()["data"]
    for key in keys:
        del key["last_used_at"]
    return {
        "keys": keys,
        "users": client.get("/v1/users", params={"tenant_id": tenant_id, "limit": 100}).json(),
        "tenant": client.get(f"/v1/tenants/{tenant_id}").json(),
        "audit": client.get("/v1/audit", params={"tenant_id": tenant_id, "limit": 100}).json(),
    }


def without(answer: httpx2.Response, *values: str) -> tuple[int, str, str | None]:
    """An answer less what differs in any two answers, and less the ids that the question had."""
    text = answer.text
    if answer.headers.get("content-type", "").startswith("application/json"):
        body = answer.json()
        text = str({name: body[name] for name in body if name not in {"request_id", "timestamp"}})
    challenge = answer.headers.get("www-authenticate")
    for value in values:
        text = text.replace(value, "<id>")
        challenge = challenge and challenge.replace(value, "<id>")
    return answer.status_code, text, challenge


def test_the_matrix_reaches_every_call_that_names_things(every_call: list[Call]) -> None:
    """Attack 47: a matrix that lost its calls passes every test."""
    assert {(call.path, call.place) for call in every_call} >= {
        ("/v1/api-keys", "body"),
        ("/v1/api-keys", "query"),
        ("/v1/api-keys/{key_id}", "path"),
        ("/v1/api-keys/{key_id}/rotate", "path"),
        ("/v1/api-keys/{key_id}/disable", "path"),
        ("/v1/api-keys/{key_id}/enable", "path"),
        ("/v1/users", "body"),
        ("/v1/users", "query"),
        ("/v1/users/{user_id}", "path"),
        ("/v1/tenants/{tenant_id}", "path"),
        ("/v1/audit", "query"),
        ("/audit", "query"),
    }
    assert len(every_call) >= 20


@pytest.mark.parametrize("attacker", ROLES)
@pytest.mark.parametrize("whose", ["another tenant", "the operator"])
def test_what_is_anothers_looks_like_what_never_was(
    house: RunningServer, mine: Party, theirs: Party, every_call: list[Call], attacker: str, whose: str
) -> None:
    """Attack 47 (CVE-2025-64431, CVE-2025-27507), ASVS 8.2.2, ASVS 8.4.1: an id from elsewhere opened what it named."""
    me: Somebody = getattr(mine, attacker)
    founded = house.founded
    operator_key = house.admin.get("/v1/auth/verify").json()["credential"]["id"]
    operator = Somebody(founded.user_id, founded.tenant_id, "owner", founded.api_key, operator_key)
    victims = list(theirs) if whose == "another tenant" else [operator]
    before = everything_of(house, victims[0].tenant_id)
    client = as_(house, me)
    own = ids_of(me)
    for call in every_call:
        if whose == "the operator" and call.name == "actor_user_id":
            continue  # what the operator did in one's own tenant is one's own to see
        unknown = nobody(call.name)
        expected = without(call.send(client, unknown, own), unknown)
        for victim in victims:
            value = ids_of(victim)[call.name]
            answer = call.send(client, value, own)
            assert without(answer, value) == expected, call
            assert not any(other.id in answer.text and other.id != value for other in victims), call
    assert everything_of(house, victims[0].tenant_id) == before
    assert client.get("/v1/auth/verify").status_code == 200, "the attacker has not hurt themselves"


@pytest.mark.parametrize("attacker", ROLES)
def test_no_listing_shows_anything_of_another_tenant(
    house: RunningServer, mine: Party, theirs: Party, attacker: str
) -> None:
    """Attack 47, ASVS 8.4.1: a filter that is forgotten in one listing shows everybody's."""
    secret_ids = {theirs.id, *(somebody.id for somebody in theirs), *(somebody.key_id for somebody in theirs)}
    client = as_(house, getattr(mine, attacker))
    for path in (
        "/v1/api-keys",
        "/v1/users",
        "/v1/tenants",
        "/v1/plans",
        "/v1/audit",
        "/audit",
        "/v1/users/me",
    ):
        for query in ("", "?limit=100"):
            text = client.get(path + query).text
            assert not any(identifier in text for identifier in secret_ids), path


def test_a_name_or_address_may_be_the_same_in_two_tenants(
    house: RunningServer, mine: Party, theirs: Party
) -> None:
    """Attack 47: a clash with somebody in another tenant would tell that they are there."""
    email = house.admin.get(f"/v1/users/{theirs.owner.id}").json()["email"]
    answer = as_(house, mine.owner).post("/v1/users", json={"email": email})
    assert answer.status_code == 201


def test_two_administrators_hold_their_keys_apart(house: RunningServer, mine: Party, theirs: Party) -> None:
    """Attack 47: `admin` is a scope of a tenant, not of the installation."""
    for one, other in ((mine, theirs), (theirs, mine)):
        for somebody in (one.owner, one.admin):
            listed = as_(house, somebody).get("/v1/api-keys?limit=100").json()["data"]
            assert {key["tenant_id"] for key in listed} == {one.id}
            assert not {key["user_id"] for key in listed} & {person.id for person in other}


def test_the_operators_ordinary_members_see_one_tenant(house: RunningServer, theirs: Party) -> None:
    """Attack 47: belonging to the operator's tenant is not being the operator."""
    key = house.create_key(scopes=["read", "write"])["key"]
    client = house.client(key)
    assert [tenant["id"] for tenant in client.get("/v1/tenants").json()["data"]] == [house.founded.tenant_id]
    for path in (
        f"/v1/tenants/{theirs.id}",
        f"/v1/users/{theirs.owner.id}",
        f"/v1/api-keys/{theirs.owner.key_id}",
        f"/v1/api-keys?tenant_id={theirs.id}",
    ):
        assert client.get(path).status_code == 404
