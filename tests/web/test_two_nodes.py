"""Two nodes on one PostgreSQL behind a proxy that knows nothing of either: each request lands on the other one."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx2
import pytest
from typing_extensions import override

from tests.pages.browsing import Read, visitor
from tests.pages.clients import Application, answered, application, consent_page
from tests.pages.test_devices import FACTS, begun, polled
from tests.serving import RunningServer, running, serving, settings_for
from tests.web.oauth import BY_ITSELF, REDIRECT_URI, VERIFIER, App, app
from tests.web.tenancy import UNMETERED, Json, Tenancy, tenancy_on
from tests.web.test_dpop import BASE, TOKEN, Holder

TOLD_SECONDS_MAX: Final = 10.0


class RoundRobin(httpx2.BaseTransport):
    """Sends each request to the next of the nodes.

    Args:
        urls: Of the nodes.
        turns: Whose turn it is; shared by all clients.
    """

    def __init__(self, urls: list[str], turns: Iterator[int]) -> None:
        self._urls = [httpx2.URL(url) for url in urls]
        self._turns = turns
        self._inner = httpx2.HTTPTransport(verify=False, trust_env=False)

    @override
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        node = self._urls[next(self._turns) % len(self._urls)]
        request.url = request.url.copy_with(host=node.host, port=node.port)
        request.headers["Host"] = node.netloc.decode()
        return self._inner.handle_request(request)

    @override
    def close(self) -> None:
        self._inner.close()


class TwoNodes(RunningServer):
    """A server whose clients never meet the same node twice in a row."""

    urls: list[str]
    turns: Iterator[int]

    @override
    def client(self, credential: str | None = None, **options: Any) -> httpx2.Client:
        return super().client(credential, transport=RoundRobin(self.urls, self.turns), **options)


@pytest.fixture(scope="module")
def nodes(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    """Both, on a database of their own, with one clock."""
    folder, url = tmp_path_factory.mktemp("nodes"), postgres.create_database()
    settings = settings_for(
        url,
        folder,
        public_url=BASE,
        self_registration=True,
        trusted_proxies=["127.0.0.1"],
        scopes=["invoices:read", "invoices:write"],
    )
    with running(settings) as first, serving(settings, first.founded, first.clock) as second:
        both = TwoNodes(**{name: getattr(first, name) for name in RunningServer.__dataclass_fields__})
        both.urls, both.turns = [first.url, second.url], itertools.count()
        both.create_plan(UNMETERED)
        yield both
    postgres.drop_database(url)


@pytest.fixture(scope="module")
def shop(nodes: TwoNodes) -> Tenancy:
    """A tenant on both."""
    return tenancy_on(nodes)


def soon(is_so: Callable[[], bool]) -> None:
    """Wait until both nodes have heard of a change, four answers in a row."""
    end, right = time.monotonic() + TOLD_SECONDS_MAX, 0
    while right < 4:
        assert time.monotonic() < end, "the nodes do not agree"
        right = right + 1 if is_so() else 0


def test_each_node_is_met(nodes: TwoNodes) -> None:
    """The tests below would prove nothing."""
    seen = {nodes.client().get("/v1/auth/verify").request.url.port for _ in range(4)}
    assert len(seen) == 2


def redeemed(made: Application, code: str) -> Json:
    """The tokens for a code."""
    answer = made.tenancy.server.nobody.post(
        "/oauth/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "client_id": made.id,
            "client_secret": made.secret,
            "redirect_uri": made.redirect_uri,
            "code_verifier": made.verifier,
        },
    )
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


@pytest.mark.parametrize("pushed", [False, True])
def test_a_person_logs_in_from_node_to_node(shop: Tenancy, nodes: TwoNodes, *, pushed: bool) -> None:
    """A login that has to stay on one node breaks with every deployment behind a plain balancer."""
    made = application(shop, "read", "openid", "offline_access")
    browser = visitor(shop)
    path = made.path(scope="read openid offline_access", nonce="n")
    if pushed:
        proof = {"client_id": made.id, "client_secret": made.secret}
        body = {**made.parameters(scope="read openid offline_access"), **proof}
        told = nodes.nobody.post("/oauth/par", data=body).json()
        path = f"/oauth/authorize?client_id={made.id}&request_uri={told['request_uri']}"
    answer = answered(browser, consent_page(browser, path))
    tokens = redeemed(made, made.answer(answer)["code"])
    bearer = nodes.client(tokens["access_token"])
    for _ in range(2):
        assert bearer.get("/oauth/userinfo").json()["sub"]
    proof = {"client_id": made.id, "client_secret": made.secret}
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **proof}
    first, second = (nodes.nobody.post("/oauth/token", data=again).json() for _ in range(2))
    assert first == second, "the grace is the other node's too"
    told = nodes.nobody.post("/oauth/introspect", data={"token": first["access_token"], **proof}).json()
    assert told["active"]
    nodes.nobody.post("/oauth/revoke", data={"token": first["refresh_token"], **proof})
    fresh = nodes.client(first["access_token"])
    soon(lambda: fresh.get("/v1/auth/verify").status_code == 401)
    logout = f"/oauth/logout?id_token_hint={tokens['id_token']}"
    assert "signed out" in Read(browser.send("GET", logout)).words


def test_a_code_serves_once_on_all_nodes(shop: Tenancy, nodes: TwoNodes) -> None:
    """RFC 9700 §4.2.4: whoever steals a code would try the other node with it."""
    client, user = app(shop), shop.user()
    code = client.code(user)
    told = client.redeem(code).json()
    assert client.redeem(code).json()["error"] == "invalid_grant"
    bearer = nodes.client(told["access_token"])
    soon(lambda: bearer.get("/v1/auth/verify").status_code == 401)


def test_a_proof_serves_once_on_all_nodes(shop: Tenancy, nodes: TwoNodes) -> None:
    """RFC 9449 §11.1: whoever has seen a request would send it to the other node."""
    client, holder = app(shop), Holder(nodes)
    first = holder.proof("POST", TOKEN)
    told = holder.asks(client, first, **BY_ITSELF)
    assert holder.asks(client, first, **BY_ITSELF).json()["error"] == "invalid_dpop_proof"
    nonce = told.headers["dpop-nonce"]
    for _ in range(2):
        told = holder.asks(client, holder.proof("POST", TOKEN, nonce=nonce), **BY_ITSELF)
        assert told.status_code == 200, told.text
    for _ in range(2):
        assert holder.calls(told.json()["access_token"], "/v1/auth/verify").status_code == 200


def test_a_device_is_connected_from_node_to_node(shop: Tenancy) -> None:
    """RFC 8628: the device asks one node, and the person answers the other."""
    device = application(shop, "read", "openid", "offline_access", **FACTS)
    browser = visitor(shop)
    told = begun(device, scope="read")
    assert polled(device, told).json()["error"] == "authorization_pending"
    read = browser.submit(browser.get("/device").form("/device"), user_code=told["user_code"])
    browser.submit(read.form("/device/decision"), decision="allow")
    answer = polled(device, told)
    assert answer.status_code == 200, answer.text
    assert polled(device, told).json()["error"] == "invalid_grant"


def test_clients_and_their_tokens_are_known_to_both(shop: Tenancy, nodes: TwoNodes) -> None:
    """A client that registers itself would be unknown where it asks next; so would what it exchanges."""
    said = {
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": "read",
    }
    told = nodes.nobody.post(
        "/oauth/register", content=json.dumps(said), headers={"Content-Type": "application/json"}
    )
    assert told.status_code == 201, told.text
    made = App(nodes, {"id": told.json()["client_id"]})
    made.body = {name: told.json()[name] for name in ("client_id", "client_secret")}
    code = made.code(shop.user(), "read")
    assert made.redeem(code, code_verifier=VERIFIER).status_code == 200
    own = {"Authorization": f"Bearer {told.json()['registration_access_token']}"}
    place = told.json()["registration_client_uri"].removeprefix(BASE)
    assert nodes.nobody.get(place, headers=own).json()["client_id"] == made.id
    client = app(shop, grant_types=["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"])
    by_itself = client.by_itself()["access_token"]
    exchanged = client.got(
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=by_itself,
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
    )
    for token in (exchanged["access_token"], by_itself):
        for _ in range(2):
            assert nodes.client(token).get("/v1/auth/verify").status_code == 200
