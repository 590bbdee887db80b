"""`/oauth/register`: by a token, or by anybody where that is switched on; and what a client may do with itself then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.serving import RunningServer, running, settings_for
from tests.web.tenancy import Json, Tenancy, made, refusal

PATH = "/oauth/register"
TOKENS = "/v1/registration-tokens"
SHOP: dict[str, Any] = {"client_name": "Shop", "redirect_uris": ["https://shop.example/callback"]}


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Where anybody may register."""
    folder = tmp_path_factory.mktemp("open")
    settings = settings_for(
        f"sqlite:///{folder}/bonafides.db", folder, self_registration=True, self_registrations_free=1_000
    )
    with running(settings) as server:
        yield server


def initial(tenancy: Tenancy, **wish: Any) -> str:
    """A token that lets clients in."""
    body = {"name": "partners", "scopes": ["openid", "read", "write"], "uses": None, **wish}
    return str(made(tenancy.api.post(TOKENS, json=body))["initial_access_token"])


def register(server: RunningServer, token: str | None = None, **said: Any) -> httpx2.Response:
    """Register a client."""
    body = {name: value for name, value in {**SHOP, **said}.items() if value is not None}
    return server.client(token).post(PATH, json=body)


def registered(tenancy: Tenancy, token: str | None = None, **said: Any) -> Json:
    """A client that has registered itself."""
    answer = register(tenancy.server, token or initial(tenancy), **said)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told: Json = answer.json()
    return told


def own(tenancy: Tenancy, client: Json) -> tuple[httpx2.Client, str]:
    """The client at its own registration."""
    path = client["registration_client_uri"].removeprefix(tenancy.server.settings.base_url)
    return tenancy.client(client["registration_access_token"]), path


def wrong(answer: httpx2.Response) -> tuple[str, str]:
    """How a registration was refused, and for which field."""
    told = answer.json()
    assert answer.status_code == 400, answer.text
    assert told["error_description"]
    return told["error"], told["field"]


def test_nobody_registers_without_a_token(tenancy: Tenancy) -> None:
    """RFC 7591: anybody could make a client whose name people believe."""
    answer = register(tenancy.server)
    assert refusal(answer) == (401, "missing_api_key")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    key = tenancy.owner_key["key"]
    for token in (key, "wrong", initial(tenancy)[:-1] + "0"):
        assert refusal(register(tenancy.server, token)) == (401, "invalid_token")


def test_a_client_registers_by_a_token(tenancy: Tenancy) -> None:
    """RFC 7591 §3.2.1: what it is told is all that it needs."""
    client = registered(
        tenancy, software_id="4NRB1", contacts=["ops@shop.example"], unknown={"left": "aside"}
    )
    assert client["client_secret"].startswith("bf_sec_")
    assert client["client_secret_expires_at"] == 0
    assert client["registration_access_token"].startswith("bf_rat_")
    assert (client["scope"], client["grant_types"], client["response_types"]) == (
        "openid read write",
        ["authorization_code"],
        ["code"],
    )
    assert (client["client_name"], client["software_id"]) == ("Shop", "4NRB1")
    assert "unknown" not in client
    assert client["id_token_signed_response_alg"] == "RS256"
    shown = tenancy.api.get(f"/v1/clients/{client['client_id']}").json()
    assert (shown["registered"], shown["first_party"], shown["require_pkce"]) == (True, False, True)
    assert shown["created_by"] == tenancy.owner["id"]
    assert client["registration_access_token"] not in str(shown)
    assert "client.registered" in tenancy.actions()


def test_a_registered_client_acts_as_any_other(tenancy: Tenancy) -> None:
    """It would have to be made once more to be of use."""
    client = registered(tenancy, grant_types=["client_credentials"], redirect_uris=None, scope="read")
    auth = httpx2.BasicAuth(client["client_id"], client["client_secret"])
    answer = tenancy.client().post("/oauth/token", data={"grant_type": "client_credentials"}, auth=auth)
    assert answer.json()["scope"] == "read", answer.text


def test_a_client_never_registers_more_than_its_token_lets_it(tenancy: Tenancy) -> None:
    """RFC 7591 §5: a partner would choose what the partner may do."""
    token = initial(tenancy, scopes=["read"])
    assert registered(tenancy, token, scope="read write admin nothing")["scope"] == "read"
    assert registered(tenancy, token, first_party=True, require_pkce=False)["scope"] == "read"
    assert wrong(register(tenancy.server, token, scope="write")) == ("invalid_client_metadata", "scope")


def test_a_token_serves_as_often_as_it_says(tenancy: Tenancy) -> None:
    """One that leaked would let in any number."""
    token = initial(tenancy, uses=1)
    assert wrong(register(tenancy.server, token, redirect_uris=["nowhere"]))[0] == "invalid_redirect_uri"
    registered(tenancy, token)
    assert refusal(register(tenancy.server, token)) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("said", "error", "field"),
    [
        ({"redirect_uris": ["https://shop.example/#x"]}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": "https://shop.example/"}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": []}, "invalid_redirect_uri", "redirect_uris"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata", "grant_types"),
        ({"grant_types": ["password"]}, "invalid_client_metadata", "grant_types.0"),
        ({"response_types": ["token"]}, "invalid_client_metadata", "response_types.0"),
        ({"token_endpoint_auth_method": "magic"}, "invalid_client_metadata", "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata", "jwks"),
        ({"logo_uri": "http://shop.example/logo"}, "invalid_client_metadata", "logo_uri"),
        ({"client_name": "\u202eSho"}, "invalid_client_metadata", "name"),
        ({"subject_type": "pairwise"}, "invalid_client_metadata", "subject_type"),
        ({"default_max_age": -1}, "invalid_client_metadata", "default_max_age"),
    ],
)
def test_what_a_client_says_is_checked_as_everybodys(
    tenancy: Tenancy, said: Json, error: str, field: str
) -> None:
    """RFC 7591 §3.2.2 and §5, ASVS 10.4.4, ASVS 10.4.7: one careless redirect URI sends codes to anybody."""
    assert wrong(register(tenancy.server, initial(tenancy), **said)) == (error, field)


def test_a_body_that_is_no_object_is_refused(tenancy: Tenancy) -> None:
    """A server that fails on it tells what it is made of."""
    client = tenancy.client(initial(tenancy))
    assert wrong(client.post(PATH, json=[]))[0] == "invalid_client_metadata"
    assert refusal(client.post(PATH)) == (400, "invalid_request")
    assert refusal(client.post(PATH, data={"client_name": "x"}))[0] == 415
    headers = {"Authorization": "Basic eDp5"}
    assert refusal(tenancy.client().post(PATH, json=SHOP, headers=headers)) == (400, "invalid_request")


def test_a_client_sees_changes_and_deletes_itself(tenancy: Tenancy) -> None:
    """RFC 7592 §2: what it registered could never be corrected."""
    client = registered(tenancy, client_uri="https://shop.example")
    me, path = own(tenancy, client)
    shown = me.get(path).json()
    secret = client.pop("client_secret")
    del client["client_secret_expires_at"]
    assert shown == client
    body = {**SHOP, "client_id": client["client_id"], "client_name": "Store", "client_secret": secret}
    changed = me.put(path, json=body).json()
    assert (changed["client_name"], changed["scope"]) == ("Store", client["scope"])
    assert "client_uri" not in changed
    assert me.get(path).json() == changed
    assert me.delete(path).status_code == 204
    assert refusal(me.get(path)) == (401, "invalid_token")
    assert refusal(tenancy.api.get(f"/v1/clients/{client['client_id']}")) == (404, "not_found")


def test_a_change_is_of_the_client_itself_and_never_more(tenancy: Tenancy) -> None:
    """RFC 7592 §2.2 and §5: a client would choose its own secret, or get back what was taken from it."""
    client = registered(tenancy, initial(tenancy, scopes=["read", "write"]))
    me, path = own(tenancy, client)
    body = {**SHOP, "client_id": client["client_id"]}
    assert wrong(me.put(path, json=SHOP)) == ("invalid_client_metadata", "client_id")
    assert wrong(me.put(path, json={**body, "client_id": "cli_other"}))[1] == "client_id"
    assert wrong(me.put(path, json={**body, "client_secret": "chosen"}))[1] == "client_secret"
    assert me.put(path, json={**body, "scope": "read admin"}).json()["scope"] == "read"
    assert wrong(me.put(path, json={**body, "scope": "write"})) == ("invalid_client_metadata", "scope")
    assert wrong(me.put(path, json={**body, "redirect_uris": ["x:"]}))[0] == "invalid_redirect_uri"


def test_a_client_that_begins_to_prove_who_it_is_gets_a_secret(tenancy: Tenancy) -> None:
    """It could never prove anything."""
    client = registered(tenancy, token_endpoint_auth_method="none")
    assert "client_secret" not in client
    me, path = own(tenancy, client)
    body = {**SHOP, "client_id": client["client_id"], "token_endpoint_auth_method": "client_secret_post"}
    changed = me.put(path, json=body).json()
    assert changed["client_secret"].startswith("bf_sec_")
    body["client_secret"] = changed["client_secret"]
    assert "client_secret" not in me.put(path, json=body).json()


def test_one_client_does_not_reach_another(tenancy: Tenancy) -> None:
    """RFC 7592 §5: its token is for itself alone, and for nothing but its registration."""
    client, other = registered(tenancy), registered(tenancy)
    me, _ = own(tenancy, client)
    _, path = own(tenancy, other)
    body = {**SHOP, "client_id": other["client_id"]}
    for method in ("GET", "PUT", "DELETE"):
        answer = me.request(method, path, json=body if method == "PUT" else None)
        assert refusal(answer) == (401, "invalid_token")
    assert refusal(tenancy.client().get(path)) == (401, "missing_api_key")
    assert refusal(tenancy.client(client["client_secret"]).get(path)) == (401, "invalid_token")
    assert refusal(me.get("/v1/auth/verify"))[0] == 401
    assert refusal(me.post(PATH, json=SHOP)) == (401, "invalid_token")


def test_a_disabled_client_does_not_change_itself(tenancy: Tenancy) -> None:
    """ASVS 7.4.2: it would turn to other redirect URIs and wait."""
    client = registered(tenancy)
    me, path = own(tenancy, client)
    tenancy.api.patch(f"/v1/clients/{client['client_id']}", json={"status": "disabled"})
    assert refusal(me.get(path)) == (401, "invalid_token")


def test_tokens_are_an_admins_own(fresh_tenancy: Tenancy) -> None:
    """ASVS 8.2.1: who may not make clients must not let others make them."""
    member = fresh_tenancy.member()
    body = {"name": "x", "scopes": ["read"]}
    assert refusal(member.post(TOKENS, json=body)) == (403, "insufficient_scope")
    assert refusal(member.get(TOKENS)) == (403, "insufficient_scope")
    headers = {"Idempotency-Key": "one"}
    first, again = (made(fresh_tenancy.api.post(TOKENS, json=body, headers=headers)) for _ in range(2))
    assert first == again
    assert fresh_tenancy.api.post(TOKENS, json={**body, "name": "y"}, headers=headers).status_code == 409
    listed = fresh_tenancy.api.get(TOKENS)
    assert [each["id"] for each in listed.json()["data"]] == [first["id"]]
    assert first["initial_access_token"] not in listed.text
    foreign = fresh_tenancy.client(
        fresh_tenancy.server.create_tenant_user_key(scopes=["admin", "read", "write"])["key"]["key"]
    )
    assert refusal(foreign.delete(f"{TOKENS}/{first['id']}")) == (404, "not_found")
    assert refusal(foreign.post(TOKENS, json={**body, "tenant_id": fresh_tenancy.id})) == (404, "not_found")
    assert fresh_tenancy.api.delete(f"{TOKENS}/{first['id']}").status_code == 204
    assert refusal(register(fresh_tenancy.server, first["initial_access_token"])) == (401, "invalid_token")
    admin = fresh_tenancy.user("admin", scopes=["admin", "read", "write"])
    narrow = fresh_tenancy.client(
        fresh_tenancy.key(user_id=admin["id"], scopes=["admin", "read", "write"])["key"]
    )
    assert refusal(narrow.post(TOKENS, json={"name": "x", "scopes": ["invoices:read"]}))[0] == 403


def test_anybodys_client_can_do_nothing_by_itself(open_server: RunningServer) -> None:
    """ASVS 10.4.4, RFC 7591 §5: a stranger would get tokens that nobody has let them have."""
    client = register(open_server)
    assert client.status_code == 201, client.text
    granted = set(client.json()["scope"].split())
    assert granted.isdisjoint({"admin", "credentials:verify"})
    assert granted >= {"openid", "read"}
    answer = register(open_server, grant_types=["authorization_code", "client_credentials"])
    assert wrong(answer) == ("invalid_client_metadata", "grant_types")
    auth = httpx2.BasicAuth(client.json()["client_id"], client.json()["client_secret"])
    form = {"grant_type": "client_credentials"}
    answer = open_server.client().post("/oauth/token", data=form, auth=auth)
    assert refusal(answer) == (400, "unauthorized_client")
    assert (
        open_server.client()
        .get("/.well-known/openid-configuration")
        .json()["registration_endpoint"]
        .endswith(PATH)
    )


def test_a_bad_token_is_not_the_same_as_none(open_server: RunningServer) -> None:
    """A partner would not notice that its token has ended, and would register a stranger's client."""
    assert refusal(register(open_server, "bf_iat_wrong")) == (401, "invalid_token")
