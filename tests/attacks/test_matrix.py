"""Every kind of credential, in every state, on every way in, on each database: the same rules, cell by cell.

The pattern behind most of the attacks on others is a second pathway that lacks the first one's check, so the
cells are generated: a new kind, state or pathway is a new line here, and never a new test.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.attacks.cast import Party, house_settings, party
from tests.attacks.pathways import ACCEPTED, PATHWAYS, everywhere, outcome, outcomes
from tests.serving import RunningServer, running

INSIDE: Final = "192.0.2.0/24"


@dataclass(frozen=True)
class Subject:
    """A credential that is tried, and what it hangs on.

    Args:
        secret: What is presented.
        id: Its id.
        user_id: Whose it is.
        parent: The path of what it was made from, "" if from nothing.
        path: Its own.
    """

    secret: str
    id: str
    user_id: str
    parent: str
    path: str


Maker = Callable[[RunningServer, Party, Mapping[str, Any]], Subject]


def _user(server: RunningServer, there: Party) -> str:
    wish = {"kind": "service", "name": "subject", "role": "member", "tenant_id": there.id}
    user_id: str = server.admin.post("/v1/users", json=wish).json()["id"]
    return user_id


def api_key(server: RunningServer, there: Party, wish: Mapping[str, Any]) -> Subject:
    """A key."""
    user_id = _user(server, there)
    made = server.create_key(user_id=user_id, **wish)
    return Subject(made["key"], made["id"], user_id, "", f"/v1/api-keys/{made['id']}")


def rotated_key(server: RunningServer, there: Party, wish: Mapping[str, Any]) -> Subject:
    """The successor of a key."""
    first = api_key(server, there, wish)
    made = server.admin.post(f"{first.path}/rotate").json()
    return Subject(made["key"], made["id"], first.user_id, first.path, f"/v1/api-keys/{made['id']}")


def bearer_token(server: RunningServer, there: Party, wish: Mapping[str, Any]) -> Subject:
    """What a key was exchanged for, from inside the key's networks."""
    key = api_key(server, there, wish)
    headers = {"X-Forwarded-For": "192.0.2.1"}
    answer = server.client().post("/bim/apikey/authenticate", json={"apikey": key.secret}, headers=headers)
    made = answer.json()
    path = f"/v1/bearer-tokens/{made['id']}"
    return Subject(made["token"], made["id"], key.user_id, key.path, path)


def personal_token(server: RunningServer, there: Party, wish: Mapping[str, Any]) -> Subject:
    """A token that a user made with a key of theirs."""
    key = api_key(server, there, {})
    body = {
        "description": "subject",
        **{name: wish[name] for name in ("scopes", "expires_in") if name in wish},
    }
    made = server.client(key.secret).post("/v1/personal-access-tokens", json=body).json()
    path = f"/v1/personal-access-tokens/{made['id']}"
    return Subject(made["token"], made["id"], key.user_id, "", path)


KINDS: Final[Mapping[str, tuple[Maker, str]]] = {
    "API key": (api_key, "invalid_api_key"),
    "rotated API key": (rotated_key, "invalid_api_key"),
    "bearer token": (bearer_token, "invalid_token"),
    "personal access token": (personal_token, "invalid_api_key"),
}
"""By name: how it is made, and what is told of one that is not good."""


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server on each database, behind a proxy of its own machine."""
    folder = tmp_path_factory.mktemp("matrix")
    changes: dict[str, object] = {"trusted_proxies": "127.0.0.1"}
    if request.param == "postgresql":
        changes["database"] = request.getfixturevalue("postgres").create_database()
    with running(house_settings(folder, **changes)) as started:
        started.create_plan("enterprise")
        started.create_plan("free")
        yield started


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of credential."""
    name: str = request.param
    return name


def made(server: RunningServer, kind: str, there: Party | None = None, **wish: Any) -> Subject:
    """A credential of a kind."""
    return KINDS[kind][0](server, there or party(server), wish)


def test_active(server: RunningServer, kind: str) -> None:
    """What is good is good everywhere, or a client would be locked out by the way it happens to ask."""
    assert outcomes(server, made(server, kind).secret) == everywhere(ACCEPTED)


def test_disabled_owner(server: RunningServer, kind: str) -> None:
    """Attack 6: a leaver's credential went on on one way in; and it is back with the user."""
    subject = made(server, kind)
    assert outcomes(server, subject.secret) == everywhere(ACCEPTED)
    path = f"/v1/users/{subject.user_id}"
    server.admin.patch(path, json={"status": "disabled"})
    assert outcomes(server, subject.secret) == everywhere(KINDS[kind][1])
    server.admin.patch(path, json={"status": "active"})
    assert outcomes(server, subject.secret) == everywhere(ACCEPTED)


@pytest.mark.parametrize("deed", ["disable", "revoke", "expire"])
def test_ended_parent(server: RunningServer, kind: str, deed: str) -> None:
    """What was made from a credential outlived it."""
    subject = made(server, kind)
    if not subject.parent:
        assert server.admin.get(f"/v1/credentials/{subject.id}/lineage").json()["root_id"] == subject.id
        return
    assert outcomes(server, subject.secret) == everywhere(ACCEPTED)
    if deed == "disable":
        server.admin.post(f"{subject.parent}/disable")
    elif deed == "revoke":
        server.admin.delete(subject.parent)
    else:
        server.admin.patch(subject.parent, json={"expires_in": 5})
        server.clock.advance(5)
    told = "token_expired" if deed == "expire" else KINDS[kind][1]
    assert outcomes(server, subject.secret) == everywhere(told)


def test_expired(server: RunningServer, kind: str) -> None:
    """Attack 7 (CVE-2025-64708): an expiry that only a cleaner enforced."""
    subject = made(server, kind, expires_in=100)
    assert outcomes(server, subject.secret) == everywhere(ACCEPTED)
    server.clock.advance(100)
    assert outcomes(server, subject.secret) == everywhere("token_expired")


def test_revoked(server: RunningServer, kind: str) -> None:
    """A leaked credential that cannot be ended everywhere is not ended."""
    subject = made(server, kind)
    assert outcomes(server, subject.secret) == everywhere(ACCEPTED)
    assert server.admin.delete(subject.path).status_code == 200
    assert outcomes(server, subject.secret) == everywhere(KINDS[kind][1])


def test_other_tenant(server: RunningServer, kind: str) -> None:
    """Attack 47: a resource server learnt of another tenant's credential, or managed it."""
    subject, stranger = made(server, kind), party(server)
    asker = server.client(stranger.owner.key)
    question = {"credential": subject.secret, "ip": "127.0.0.1"}
    verdict = asker.post("/v1/credentials/verify", json=question).json()
    assert (verdict["valid"], verdict["code"]) == (False, KINDS[kind][1])
    for method, path in (
        ("GET", subject.path),
        ("DELETE", subject.path),
        ("GET", f"/v1/credentials/{subject.id}/lineage"),
    ):
        answer = asker.request(method, path)
        assert (answer.status_code, outcome(answer)) == (404, "not_found")
    assert outcomes(server, subject.secret) == everywhere(ACCEPTED)


def test_wrong_scope(server: RunningServer, kind: str) -> None:
    """A reading credential wrote on one way in."""
    subject = made(server, kind, scopes=["read"])
    client = server.client(subject.secret)
    question = {"credential": subject.secret, "scope": "write"}
    for _ in range(2):
        for answer in (
            client.get("/v1/auth/verify", params={"scope": "write"}),
            client.post("/v1/auth/verify", params={"scope": "read write"}),
            client.get("/auth/forward", params={"scope": "write"}),
            client.get("/auth/forward/caddy", params={"scope": "write"}),
            client.post("/v1/api-keys", json={"name": "x"}),
            client.post("/v1/personal-access-tokens", json={"description": "x"}),
        ):
            assert (answer.status_code, outcome(answer)) == (403, "insufficient_scope")
        verdict = server.admin.post("/v1/credentials/verify", json=question).json()
        assert (verdict["valid"], verdict["code"]) == (False, "insufficient_scope")


def test_wrong_address(server: RunningServer, kind: str) -> None:
    """A stolen credential worked outside its networks; those without networks work everywhere."""
    subject = made(server, kind, allowed_ips=[INSIDE])
    bound = kind != "personal access token"
    assert outcomes(server, subject.secret) == everywhere("ip_not_allowed" if bound else ACCEPTED)
    inside = {"X-Forwarded-For": "192.0.2.9"}
    assert server.client(subject.secret).get("/v1/auth/verify", headers=inside).status_code == 200


def test_over_limit(server: RunningServer, kind: str) -> None:
    """A credential that has used up its hour found a way in that does not count."""
    there = party(server)
    server.create_plan("nothing", requests_per_hour=1_000)
    subject = made(server, kind, there)
    server.admin.patch(f"/v1/tenants/{there.id}", json={"plan": "nothing"})
    assert outcomes(server, subject.secret) == everywhere(ACCEPTED)
    server.create_plan("nothing", requests_per_hour=0)
    assert outcomes(server, subject.secret) == everywhere("rate_limit_exceeded")


def test_truncated(server: RunningServer, kind: str) -> None:
    """Attack 4 (CVE-2026-27840): a part of a token was as good as the whole."""
    secret = made(server, kind).secret
    for part in (secret[:-1], secret[:-7], secret[: len(secret) // 2]):
        assert outcomes(server, part) == everywhere(KINDS[kind][1])


def test_extended(server: RunningServer, kind: str) -> None:
    """Attack 4: what follows a token was not looked at."""
    secret = made(server, kind).secret
    for longer in (f"{secret}0", f"{secret}_", f"{secret}.{secret}"):
        assert outcomes(server, longer) == everywhere(KINDS[kind][1])


def test_one_character_changed(server: RunningServer, kind: str) -> None:
    """A typo, or a guess that is nearly right, opened somebody's door."""
    secret = made(server, kind).secret
    for place in (8, 30, 45, len(secret) - 1):
        other = next(letter for letter in string.ascii_letters if letter != secret[place])
        assert outcomes(server, secret[:place] + other + secret[place + 1 :]) == everywhere(KINDS[kind][1])


def test_every_pathway_is_of_the_matrix() -> None:
    """A way in that nobody tries is where the next attack goes."""
    assert {"verify by POST", "forward auth", "a resource server asks", "listing in the API"} <= set(PATHWAYS)
