"""Every kind of credential, in every state, on every way in, on each database: the same rules, cell by cell.

The pattern behind most of the attacks on others is a second pathway that lacks the first one's check, so the
cells are generated: a new kind, state or pathway is a new line here, and never a new test.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import jwt
import pytest

from tests.attacks.cast import Somebody, house_settings, somebody
from tests.attacks.pathways import ACCEPTED, PATHWAYS, everywhere, outcome, outcomes
from tests.serving import RunningServer, running
from tests.web.oauth import App, app_of
from tests.web.people import PASSWORD, give_password

INSIDE: Final = "192.0.2.0/24"


@dataclass(frozen=True)
class World:
    """A server with a tenant whose credentials are tried, and a stranger from another one."""

    server: RunningServer
    owner: Somebody
    stranger: Somebody

    def moved_to(self, plan: str) -> World:
        """The same with a tenant of its own on a plan."""
        return World(self.server, tenants_owner(self.server, plan=plan), self.stranger)

    def user(self, **wish: Any) -> dict[str, Any]:
        """A new user of the tenant."""
        body = {"name": "subject", "role": "member", "tenant_id": self.owner.tenant_id, **wish}
        answer = self.server.admin.post("/v1/users", json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    @functools.cached_property
    def app(self) -> App:
        """A client that people of the tenant let act for them."""
        return app_of(self.server.client(self.owner.key), self.server)


@dataclass(frozen=True)
class Subject:
    """A credential that is tried, and what it hangs on.

    Args:
        secret: What is presented.
        id: Its id.
        owner: The path of the user or client whose it is.
        parent: The path of what it was made from, "" if from nothing.
        path: Where it is managed: itself or, of a token that is managed with it, its parent.
        revoke: Ends it, and it alone.
    """

    secret: str
    id: str
    owner: str
    parent: str
    path: str
    revoke: Callable[[], httpx2.Response]


Maker = Callable[[World, Mapping[str, Any]], Subject]


def api_key(world: World, wish: Mapping[str, Any]) -> Subject:
    """A key."""
    user_id = world.user(kind="service")["id"]
    made = world.server.create_key(user_id=user_id, **wish)
    path = f"/v1/api-keys/{made['id']}"
    return Subject(made["key"], made["id"], f"/v1/users/{user_id}", "", path, revoking(world, path))


def rotated_key(world: World, wish: Mapping[str, Any]) -> Subject:
    """The successor of a key."""
    first = api_key(world, wish)
    made = world.server.admin.post(f"{first.path}/rotate").json()
    path = f"/v1/api-keys/{made['id']}"
    return Subject(made["key"], made["id"], first.owner, first.path, path, revoking(world, path))


def bearer_token(world: World, wish: Mapping[str, Any]) -> Subject:
    """What a key was exchanged for, from inside the key's networks."""
    key = api_key(world, wish)
    headers = {"X-Forwarded-For": "192.0.2.1"}
    answer = world.server.nobody.post(
        "/bim/apikey/authenticate", json={"apikey": key.secret}, headers=headers
    )
    made = answer.json()
    path = f"/v1/bearer-tokens/{made['id']}"
    return Subject(made["token"], made["id"], key.owner, key.path, path, revoking(world, path))


def personal_token(world: World, wish: Mapping[str, Any]) -> Subject:
    """A token that a user made with a key of theirs."""
    key = api_key(world, {})
    body = {
        "description": "subject",
        **{name: wish[name] for name in ("scopes", "expires_in") if name in wish},
    }
    headers = {"Authorization": key.secret}
    made = world.server.nobody.post("/v1/personal-access-tokens", json=body, headers=headers).json()
    path = f"/v1/personal-access-tokens/{made['id']}"
    return Subject(made["token"], made["id"], key.owner, "", path, revoking(world, path))


def login_token(world: World, wish: Mapping[str, Any]) -> Subject:
    """What somebody who has logged in works with; its parent is the session."""
    email = f"{secrets.token_hex(6)}@example.com"
    user_id = world.user(email=email, scopes=wish.get("scopes"))["id"]
    give_password(world.server, world.owner.tenant_id, user_id, PASSWORD)
    body = {"username": email, "password": PASSWORD}
    token = world.server.nobody.post("/v1/auth/login", json=body).json()["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    session = f"/v1/sessions/{claims['sid']}"

    def log_out() -> httpx2.Response:
        return world.server.nobody.post("/v1/auth/logout", headers={"Authorization": token})

    return Subject(token, claims["jti"], f"/v1/users/{user_id}", session, session, log_out)


def granted_token(world: World, wish: Mapping[str, Any]) -> Subject:
    """What somebody let a client have; its parent is the grant."""
    user = world.user(email=f"{secrets.token_hex(6)}@example.com")
    token = world.app.granted(user, " ".join(wish.get("scopes", ["read", "write"])))["access_token"]
    whose = {"user_id": user["id"], "tenant_id": world.owner.tenant_id}
    (grant,) = world.server.admin.get("/v1/grants", params=whose).json()["data"]
    members = world.server.admin.get(f"/v1/credentials/{grant['id']}/lineage").json()["members"]
    (identifier,) = [member["id"] for member in members if member["id"] != grant["id"]]
    path, owner = f"/v1/grants/{grant['id']}", f"/v1/users/{user['id']}"
    return Subject(token, identifier, owner, path, path, lambda: world.app.revoke(token))


def clients_token(world: World, wish: Mapping[str, Any]) -> Subject:
    """A signed token that a client got for itself; its parent, and its owner, is the client."""
    lives = {"access_token_seconds": wish["expires_in"]} if "expires_in" in wish else {}
    made_for = app_of(
        world.server.client(world.owner.key),
        world.server,
        grant_types=["client_credentials"],
        redirect_uris=[],
        scopes=wish.get("scopes", ["read", "write"]),
        access_token_format="jwt",
        **lives,
    )
    token = made_for.by_itself()["access_token"]
    jti = jwt.decode(token, options={"verify_signature": False})["jti"]
    path = f"/v1/clients/{made_for.id}"
    return Subject(token, jti, path, path, path, lambda: made_for.revoke(token))


def revoking(world: World, path: str) -> Callable[[], httpx2.Response]:
    """Ends what has a path of its own."""
    return lambda: world.server.admin.delete(path)


@dataclass(frozen=True)
class Kind:
    """A kind of credential, and where it differs from the others.

    Args:
        make: How it is made.
        told: What is told of one that is not good.
        life: How many seconds one lives that is to expire.
        bound: Whether networks of its own bind it.
        ended_by: What can be done to its parent.
        survives: Whether it is good again when its owner is enabled again.
    """

    make: Maker
    told: str
    life: int = 100
    bound: bool = True
    ended_by: tuple[str, ...] = ()
    survives: bool = True


KINDS: Final[Mapping[str, Kind]] = {
    "API key": Kind(api_key, "invalid_api_key"),
    "rotated API key": Kind(rotated_key, "invalid_api_key", ended_by=("disable", "revoke", "expire")),
    "bearer token": Kind(bearer_token, "invalid_token", ended_by=("disable", "revoke", "expire")),
    "personal access token": Kind(personal_token, "invalid_api_key", bound=False),
    "JWT of a login": Kind(
        login_token, "invalid_token", life=3_600, bound=False, ended_by=("revoke",), survives=False
    ),
    "OAuth access token": Kind(
        granted_token, "invalid_token", life=3_600, bound=False, ended_by=("revoke",), survives=False
    ),
    "OAuth client's JWT": Kind(
        clients_token, "invalid_token", life=300, bound=False, ended_by=("disable", "revoke")
    ),
}


def tenants_owner(server: RunningServer, **wish: Any) -> Somebody:
    """The owner of a new tenant."""
    body = {"name": f"tenant {secrets.token_hex(6)}", **wish}
    return somebody(server, server.admin.post("/v1/tenants", json=body).json()["id"], "owner")


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server on each database, behind a proxy of its own machine."""
    folder = tmp_path_factory.mktemp("matrix")
    changes: dict[str, object] = {"trusted_proxies": "127.0.0.1"}
    if request.param == "postgresql":
        changes["database"] = request.getfixturevalue("postgres").create_database()
    with running(house_settings(folder, **changes)) as started:
        started.create_plan("enterprise")
        started.create_plan("free")
        yield World(started, tenants_owner(started), tenants_owner(started))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of credential."""
    return KINDS[request.param]


def test_active(world: World, kind: Kind) -> None:
    """What is good is good everywhere, or a client would be locked out by the way it happens to ask."""
    assert outcomes(world.server, kind.make(world, {}).secret) == everywhere(ACCEPTED)


def test_disabled_owner(world: World, kind: Kind) -> None:
    """Attack 6: a leaver's credential went on on one way in; what survives is back with its owner."""
    server, subject = world.server, kind.make(world, {})
    assert outcomes(server, subject.secret) == everywhere(ACCEPTED)
    assert server.admin.patch(subject.owner, json={"status": "disabled"}).status_code == 200
    assert outcomes(server, subject.secret) == everywhere(kind.told)
    assert server.admin.patch(subject.owner, json={"status": "active"}).status_code == 200
    assert outcomes(server, subject.secret) == everywhere(ACCEPTED if kind.survives else kind.told)


@pytest.mark.parametrize(
    ("name", "deed"), [(name, deed) for name, kind in KINDS.items() for deed in kind.ended_by]
)
def test_ended_parent(world: World, name: str, deed: str) -> None:
    """What was made from a credential outlived it."""
    server, kind = world.server, KINDS[name]
    subject = kind.make(world, {})
    assert outcomes(server, subject.secret) == everywhere(ACCEPTED)
    if deed == "revoke":
        done = server.admin.delete(subject.parent)
    elif deed == "expire":
        done = server.admin.patch(subject.parent, json={"expires_in": 5})
        server.clock.advance(5)
    elif subject.parent.startswith("/v1/clients/"):
        done = server.admin.patch(subject.parent, json={"status": "disabled"})
    else:
        done = server.admin.post(f"{subject.parent}/disable")
    assert done.is_success, done.text
    assert outcomes(server, subject.secret) == everywhere("token_expired" if deed == "expire" else kind.told)


def test_what_has_no_parent_is_its_own_root(world: World) -> None:
    """What the table above says of parents must be what the server believes."""
    for kind in KINDS.values():
        subject = kind.make(world, {})
        family = world.server.admin.get(f"/v1/credentials/{subject.id}/lineage").json()
        assert (family["root_id"] == subject.id) == (not subject.parent)


def test_expired(world: World, kind: Kind) -> None:
    """Attack 7 (CVE-2025-64708): an expiry that only a cleaner enforced."""
    subject = kind.make(world, {"expires_in": kind.life})
    world.server.clock.advance(kind.life - 1)
    assert outcomes(world.server, subject.secret) == everywhere(ACCEPTED)
    world.server.clock.advance(1)
    assert outcomes(world.server, subject.secret) == everywhere("token_expired")


def test_revoked(world: World, kind: Kind) -> None:
    """A leaked credential that cannot be ended everywhere is not ended."""
    subject = kind.make(world, {})
    assert outcomes(world.server, subject.secret) == everywhere(ACCEPTED)
    done = subject.revoke()
    assert done.is_success, done.text
    assert outcomes(world.server, subject.secret) == everywhere(kind.told)


def test_other_tenant(world: World, kind: Kind) -> None:
    """Attack 47: a resource server learnt of another tenant's credential, or managed it."""
    subject = kind.make(world, {})
    stranger = {"Authorization": world.stranger.key}
    question = {"credential": subject.secret, "ip": "127.0.0.1"}
    asked = world.server.nobody.post("/v1/credentials/verify", json=question, headers=stranger).json()
    assert (asked["valid"], asked["code"]) == (False, kind.told)
    told = world.server.nobody.post("/oauth/introspect", data={"token": subject.secret}, headers=stranger)
    assert told.json() == {"active": False}
    for method, path in (
        ("GET", subject.path),
        ("DELETE", subject.path),
        ("GET", f"/v1/credentials/{subject.id}/lineage"),
    ):
        answer = world.server.nobody.request(method, path, headers=stranger)
        assert (answer.status_code, outcome(answer)) == (404, "not_found")
    assert outcomes(world.server, subject.secret) == everywhere(ACCEPTED)


def test_wrong_scope(world: World, kind: Kind) -> None:
    """A reading credential wrote on one way in."""
    subject = kind.make(world, {"scopes": ["read"]})
    present = {"Authorization": f"Bearer {subject.secret}"}
    ask = functools.partial(world.server.nobody.request, headers=present)
    question = {"credential": subject.secret, "scope": "write"}
    for _ in range(2):
        for answer in (
            ask("GET", "/v1/auth/verify?scope=write"),
            ask("POST", "/v1/auth/verify?scope=read+write"),
            ask("GET", "/auth/forward?scope=write"),
            ask("GET", "/auth/forward/caddy?scope=write"),
            world.server.past_the_lane("GET", "/v1/auth/verify?scope=write", present),
            world.server.past_the_lane("GET", "/auth/forward?scope=write", present),
            ask("POST", "/v1/api-keys", json={"name": "x"}),
            ask("POST", "/v1/personal-access-tokens", json={"description": "x"}),
        ):
            assert (answer.status_code, outcome(answer)) == (403, "insufficient_scope")
        verdict = world.server.admin.post("/v1/credentials/verify", json=question).json()
        assert (verdict["valid"], verdict["code"]) == (False, "insufficient_scope")


def test_wrong_address(world: World, kind: Kind) -> None:
    """A stolen credential worked outside its networks; those without networks work everywhere."""
    subject = kind.make(world, {"allowed_ips": [INSIDE]})
    assert outcomes(world.server, subject.secret) == everywhere("ip_not_allowed" if kind.bound else ACCEPTED)
    inside = {"X-Forwarded-For": "192.0.2.9", "Authorization": subject.secret}
    assert world.server.nobody.get("/v1/auth/verify", headers=inside).status_code == 200


def test_over_limit(world: World, kind: Kind) -> None:
    """A credential that has used up its hour found a way in that does not count."""
    plan = f"nothing-{secrets.token_hex(6)}"
    world.server.create_plan(plan, requests_per_hour=1_000)
    subject = kind.make(world.moved_to(plan), {})
    assert outcomes(world.server, subject.secret) == everywhere(ACCEPTED)
    world.server.create_plan(plan, requests_per_hour=0)
    assert outcomes(world.server, subject.secret) == everywhere("rate_limit_exceeded")


def test_truncated(world: World, kind: Kind) -> None:
    """Attack 4 (CVE-2026-27840): a part of a token was as good as the whole."""
    secret = kind.make(world, {}).secret
    for part in (secret[:-1], secret[:-7], secret[: len(secret) // 2]):
        assert outcomes(world.server, part) == everywhere(kind.told)


def test_extended(world: World, kind: Kind) -> None:
    """Attack 4: what follows a token was not looked at."""
    secret = kind.make(world, {}).secret
    for longer in (f"{secret}0", f"{secret}_", f"{secret}.{secret}"):
        assert outcomes(world.server, longer) == everywhere(kind.told)


def test_one_bit_flipped(world: World, kind: Kind) -> None:
    """A typo, or a guess that is nearly right, opened somebody's door."""
    secret = kind.make(world, {}).secret
    for place in (8, 30, 45, len(secret) - 1):
        flipped = chr(ord(secret[place]) ^ 1)
        assert outcomes(world.server, secret[:place] + flipped + secret[place + 1 :]) == everywhere(kind.told)


def test_every_kind_and_pathway_is_of_the_matrix() -> None:
    """ASVS 6.3.4: a kind or a way in that nobody tries is where the next attack goes."""
    assert {kind.make for kind in KINDS.values()} >= {api_key, bearer_token, personal_token}
    assert {kind.make for kind in KINDS.values()} >= {login_token, granted_token}
    assert {"verify by POST", "forward auth", "a resource server asks", "listing in the API"} <= set(PATHWAYS)
