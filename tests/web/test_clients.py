"""§4: `/v1/clients`: made by RFC 7591's names, within what their maker has, and gone with all they were given."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.people import person
from tests.web.tenancy import Json, Tenancy, made, refusal

PATH = "/v1/clients"
BY_ITSELF: dict[str, Any] = {"name": "Nightly", "grant_types": ["client_credentials"], "scopes": ["read"]}
FOR_PEOPLE: dict[str, Any] = {
    "name": "Shop",
    "grant_types": ["authorization_code", "refresh_token"],
    "redirect_uris": ["https://shop.example/callback"],
    "scopes": ["openid", "read"],
}


def client_of(tenancy: Tenancy, **wish: Any) -> Json:
    """A new client, made by the tenant's owner."""
    return made(tenancy.api.post(PATH, json={**BY_ITSELF, **wish}))


def test_a_client_is_made_with_a_secret_that_is_shown_once(tenancy: Tenancy) -> None:
    """A secret that can be read again is one that leaks later."""
    answer = tenancy.api.post(PATH, json=FOR_PEOPLE)
    client = made(answer)
    assert answer.headers["location"] == f"{PATH}/{client['id']}"
    assert client["client_id"] == client["id"]
    assert client["id"].startswith("cli_")
    assert client["client_secret"].startswith("bf_sec_")
    assert (client["tenant_id"], client["response_types"], client["require_pkce"]) == (
        tenancy.id,
        ["code"],
        True,
    )
    shown = tenancy.api.get(f"{PATH}/{client['id']}").json()
    assert client["client_secret"] not in str(shown)
    assert [secret["name"] for secret in shown["secrets"]] == ["first"]
    service = tenancy.api.get(f"/v1/users/{client['id']}").json()
    assert (service["kind"], service["scopes"], service["role"]) == ("service", ["read"], "member")


def test_a_public_client_has_no_secret(tenancy: Tenancy) -> None:
    """An app that is handed to people would be thought to keep one."""
    client = made(tenancy.api.post(PATH, json={**FOR_PEOPLE, "token_endpoint_auth_method": "none"}))
    assert client["client_secret"] is None
    refused = tenancy.api.post(f"{PATH}/{client['id']}/secrets")
    assert refusal(refused) == (409, "conflict")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"grant_types": ["password"]}, "grant_types.0"),
        ({"grant_types": ["implicit"]}, "grant_types.0"),
        ({"grant_types": ["refresh_token"]}, "grant_types"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["http://shop.example/callback"]}, "redirect_uris"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris"),
        ({"redirect_uris": ["data:text/html,x"]}, "redirect_uris"),
        ({"redirect_uris": ["https://shop.example/callback#x"]}, "redirect_uris"),
        ({"redirect_uris": ["https://shop.example@evil.example/"]}, "redirect_uris"),
        ({"redirect_uris": ["http://localhost.evil.example/"]}, "redirect_uris"),
        ({"redirect_uris": ["/callback"]}, "redirect_uris"),
        ({"post_logout_redirect_uris": ["javascript:alert(1)"]}, "post_logout_redirect_uris"),
        ({"response_types": []}, "response_types"),
        ({"response_types": ["token"]}, "response_types.0"),
        ({"scopes": ["nothing"]}, "scopes"),
        ({"token_endpoint_auth_method": "none", "require_pkce": False}, "require_pkce"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, "jwks"),
        ({"jwks": {"keys": []}}, "jwks"),
        ({"audiences": ["https://api.example#x"]}, "audiences"),
        ({"audiences": ["api"]}, "audiences"),
        ({"client_uri": "http://shop.example"}, "client_uri"),
        ({"logo_uri": "javascript:alert(1)"}, "logo_uri"),
        ({"access_token_seconds": 59}, "access_token_seconds"),
        ({"access_token_seconds": 3601}, "access_token_seconds"),
        ({"client_secret": "mine"}, "client_secret"),
        ({"registered": True}, "registered"),
    ],
)
def test_what_a_client_says_of_itself_is_checked(tenancy: Tenancy, change: Json, field: str) -> None:
    """ASVS 10.4.4: one careless redirect URI sends codes to anybody."""
    answer = tenancy.api.post(PATH, json={**FOR_PEOPLE, **change})
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"] == field, answer.text


def test_a_public_client_cannot_act_by_itself(tenancy: Tenancy) -> None:
    """Anybody who knows its id would be the client."""
    answer = tenancy.api.post(PATH, json={**BY_ITSELF, "token_endpoint_auth_method": "none"})
    assert answer.json()["field"] == "token_endpoint_auth_method"


def test_a_client_never_has_more_than_its_maker(tenancy: Tenancy) -> None:
    """ASVS 8.2.1: scopes beyond what the maker has would be a way up."""
    member = tenancy.client(tenancy.key(user_id=person(tenancy).id)["key"])
    for method, path in (("POST", PATH), ("GET", PATH)):
        answer = member.request(method, path, json=BY_ITSELF if method == "POST" else None)
        assert refusal(answer) == (403, "insufficient_scope")
    admin = tenancy.user("admin", scopes=["admin", "read", "write"])
    narrow = tenancy.client(tenancy.key(user_id=admin["id"], scopes=["admin", "read", "write"])["key"])
    assert refusal(narrow.post(PATH, json={**BY_ITSELF, "scopes": ["invoices:read"]})) == (
        403,
        "insufficient_scope",
    )
    mine = made(narrow.post(PATH, json=BY_ITSELF))
    wide = client_of(tenancy, scopes=["read", "invoices:read"])
    assert refusal(narrow.patch(f"{PATH}/{mine['id']}", json={"scopes": ["invoices:read"]}))[0] == 403
    assert refusal(narrow.patch(f"{PATH}/{wide['id']}", json={"redirect_uris": []}))[0] == 403
    assert refusal(narrow.post(f"{PATH}/{wide['id']}/secrets"))[0] == 403
    assert narrow.patch(f"{PATH}/{wide['id']}", json={"status": "disabled"}).status_code == 200


def test_a_client_is_nobody_elses(tenancy: Tenancy) -> None:
    """ASVS 8.4.1: another tenant's client looks like none."""
    client = client_of(tenancy)
    foreign = tenancy.client(
        tenancy.server.create_tenant_user_key(scopes=["admin", "read", "write"])["key"]["key"]
    )
    path = f"{PATH}/{client['id']}"
    secret = tenancy.api.get(path).json()["secrets"][0]["id"]
    for method, where in (
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/secrets"),
        ("DELETE", f"{path}/secrets/{secret}"),
    ):
        body = {"name": "theirs"} if method in {"PATCH", "POST"} else None
        assert refusal(foreign.request(method, where, json=body)) == (404, "not_found")
    assert client["id"] not in foreign.get(PATH).text
    assert refusal(foreign.get(PATH, params={"tenant_id": tenancy.id})) == (404, "not_found")
    assert refusal(foreign.post(PATH, json={**BY_ITSELF, "tenant_id": tenancy.id})) == (404, "not_found")
    assert tenancy.operator.get(path).status_code == 200


def test_clients_are_listed_page_by_page(fresh_tenancy: Tenancy) -> None:
    """An operator with many clients would see some of them never."""
    ids = [client_of(fresh_tenancy, name=f"n{number}")["id"] for number in range(3)]
    first = fresh_tenancy.api.get(PATH, params={"limit": 2}).json()
    rest = fresh_tenancy.api.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert sorted(each["id"] for each in first["data"] + rest["data"]) == sorted(ids)
    assert rest["next_cursor"] is None


def test_what_is_left_out_of_a_change_stays(tenancy: Tenancy) -> None:
    """A client would lose its redirect URIs with its next name."""
    client = made(tenancy.api.post(PATH, json={**FOR_PEOPLE, "client_uri": "https://shop.example"}))
    path = f"{PATH}/{client.pop('id')}"
    del client["client_secret"]
    changed = tenancy.api.patch(path, json={"name": "Store", "logo_uri": "https://shop.example/logo"}).json()
    expected = {**client, "name": "Store", "logo_uri": "https://shop.example/logo"}
    assert {**expected, "updated_at": changed["updated_at"], "id": changed["id"]} == changed
    assert tenancy.api.patch(path, json={"client_uri": None}).json()["client_uri"] is None
    answer = tenancy.api.patch(path, json={"redirect_uris": []})
    assert answer.json()["field"] == "redirect_uris"


def test_a_secret_is_rotated_without_an_outage(tenancy: Tenancy) -> None:
    """Every instance would have to be changed in the same moment."""
    client = client_of(tenancy)
    path = f"{PATH}/{client['id']}"
    answer = tenancy.api.post(f"{path}/secrets", json={"name": "spring", "overlap_seconds": 60})
    second = made(answer)
    assert second["client_secret"] != client["client_secret"]
    held = {each["name"]: each for each in tenancy.api.get(path).json()["secrets"]}
    assert held["first"]["expires_at"] is not None
    assert held["spring"]["expires_at"] is None
    assert tenancy.api.delete(f"{path}/secrets/{held['first']['id']}").status_code == 204
    assert refusal(tenancy.api.delete(f"{path}/secrets/{held['first']['id']}")) == (404, "not_found")
    again = {"name": "again", "expires_in": 60}
    headers = {"Idempotency-Key": "one"}
    one, other = (made(tenancy.api.post(f"{path}/secrets", json=again, headers=headers)) for _ in range(2))
    assert one == other


def test_a_deleted_client_is_gone(tenancy: Tenancy) -> None:
    """Its id and its user would go on to be used."""
    client = client_of(tenancy)
    path = f"{PATH}/{client['id']}"
    assert tenancy.api.delete(path).status_code == 204
    for method in ("GET", "DELETE"):
        assert refusal(tenancy.api.request(method, path)) == (404, "not_found")
    assert refusal(tenancy.api.get(f"/v1/users/{client['id']}")) == (404, "not_found")


def test_the_user_of_a_client_is_changed_with_it_alone(tenancy: Tenancy) -> None:
    """The two would say different things of what its tokens may do."""
    client = client_of(tenancy)
    path = f"/v1/users/{client['id']}"
    assert refusal(tenancy.api.patch(path, json={"scopes": ["admin"]})) == (409, "conflict")
    assert refusal(tenancy.api.delete(path)) == (409, "conflict")


def test_the_trail_tells_of_clients_and_of_no_secret(fresh_tenancy: Tenancy) -> None:
    """ASVS 16.3.1: who gave a program access is asked after an incident."""
    client = client_of(fresh_tenancy)
    path = f"{PATH}/{client['id']}"
    fresh_tenancy.api.patch(path, json={"scopes": []})
    secret = made(fresh_tenancy.api.post(f"{path}/secrets"))
    fresh_tenancy.api.delete(f"{path}/secrets/{secret['id']}")
    fresh_tenancy.api.delete(path)
    trail = fresh_tenancy.api.get("/v1/audit")
    actions = {event["action"] for event in trail.json()["data"]}
    assert {
        "client.created",
        "client.changed",
        "client.deleted",
        "client_secret.created",
        "client_secret.deleted",
    } <= actions
    assert secret["client_secret"] not in trail.text
    assert client["client_secret"] not in trail.text
