"""Clients that are known by the URL at which they describe themselves, as agents are that nobody here has met (MCP)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwk

from bonafides.oauth.client_documents import ASKED_MAX, BYTES_MAX, is_document_url
from tests.elsewhere import Elsewhere, Reply
from tests.pages.browsing import Browser, Read, visitor
from tests.pages.clients import answered, consent_page
from tests.pages.issuers import served
from tests.serving import RunningServer
from tests.web.oauth import CHALLENGE, VERIFIER, signing
from tests.web.tenancy import Json, Tenancy

CALLBACK: Final = "http://127.0.0.1/callback"
PATH: Final = "/oauth/authorize"
DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, there: Elsewhere) -> Iterator[RunningServer]:
    """A server that knows such clients, and calls this machine for them."""
    assert there.port
    folder = tmp_path_factory.mktemp("server")
    with served(folder, client_id_documents=True, outgoing_private_addresses=True) as it:
        yield it


@pytest.fixture
def browser(tenancy: Tenancy) -> Browser:
    """In which somebody has signed in."""
    return visitor(tenancy)


def described(there: Elsewhere, name: str, host: str = "localhost", **said: Any) -> str:
    """A client's URL, at which it says this of itself."""
    url = there.url(f"/{name}", host)
    document = {
        "client_id": url,
        "client_name": "Agent",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        **said,
    }
    there.replies[f"/{name}"] = Reply(json.dumps(document).encode())
    return url


def asked(client_id: str, **changes: str) -> str:
    """Where the client sends people."""
    query = {
        "client_id": client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid read",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return f"{PATH}?{urlencode(query)}"


def let(browser: Browser, client_id: str, **changes: str) -> str:
    """A code, after somebody has said yes."""
    answer = answered(browser, consent_page(browser, asked(client_id, **changes)))
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def redeemed(server: RunningServer, client_id: str, code: str, **changes: str) -> httpx2.Response:
    """What comes of a code."""
    fields = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    fields |= {"client_id": client_id, "redirect_uri": CALLBACK, **changes}
    return server.nobody.post("/oauth/token", data=fields)


def refused(browser: Browser, client_id: str) -> None:
    """The page says that there is no such client, and leads nowhere."""
    read = Read(browser.send("GET", asked(client_id)))
    assert read.status == 400
    assert "No application of that client_id" in read.words


def test_a_client_that_nobody_has_made_gets_tokens(
    server: RunningServer, tenancy: Tenancy, there: Elsewhere, browser: Browser
) -> None:
    """MCP: an agent would need somebody who registers it everywhere. People see where it is from, and are asked each time.

    ASVS 10.7.1: its identity is assured by nothing but that host.
    """
    url = described(there, "agent")
    before = server.admin.get("/v1/clients").json()["data"]
    read = consent_page(browser, asked(url))
    assert f"describes itself at localhost:{there.port}" in " ".join(read.words.split())
    assert server.admin.get("/v1/clients").json()["data"] == before, "a stranger's request leaves nothing"
    answer = redeemed(server, url, let(browser, url))
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    assert tenancy.client(tokens["access_token"]).get("/v1/auth/verify").status_code == 200
    assert consent_page(browser, asked(url)).status == 200, "asked again"
    metadata = server.nobody.get("/.well-known/oauth-authorization-server").json()
    assert metadata["client_id_metadata_document_supported"] is True


def test_its_id_tokens_are_for_its_url(server: RunningServer, there: Elsewhere, browser: Browser) -> None:
    """OpenID Connect Core §2: a client would not know its own name in `aud`."""
    url = described(there, "openid")
    told = redeemed(
        server, url, let(browser, url, scope="openid offline_access read", prompt="consent")
    ).json()
    payload = told["id_token"].split(".")[1]
    assert json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["aud"] == url
    fields = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"], "client_id": url}
    assert server.nobody.post("/oauth/token", data=fields).status_code == 200


def test_whoever_has_switched_it_off_has(server: RunningServer, there: Elsewhere, browser: Browser) -> None:
    """An operator could not keep an agent out: it would come back by its URL, or by the id that it is kept under."""
    url = described(there, "unwanted", client_name="Unwanted")
    code = let(browser, url)
    kept = next(each for each in server.admin.get("/v1/clients").json()["data"] if each["name"] == "Unwanted")
    assert redeemed(server, kept["id"], code).status_code == 401, "it is known by its URL alone"
    refused(browser, kept["id"])
    for change in ({"status": "disabled"}, None):
        path = f"/v1/clients/{kept['id']}"
        answer = server.admin.delete(path) if change is None else server.admin.patch(path, json=change)
        assert answer.status_code in {200, 204}, answer.text
        if change is None:
            answer = answered(browser, consent_page(browser, asked(url)))
            assert answer.status_code == 400
        else:
            refused(browser, url)
        assert redeemed(server, url, code).status_code == 401


def test_what_it_says_now_counts(server: RunningServer, there: Elsewhere, browser: Browser) -> None:
    """A redirect URI that a client has given up would go on getting codes."""
    url = described(there, "changing")
    there.replies["/changing"].headers["Cache-Control"] = "max-age=0"  # type: ignore[union-attr]
    let(browser, url)
    moved = "http://127.0.0.1/elsewhere"
    described(there, "changing", redirect_uris=[moved])
    _forget(server)
    read = Read(browser.send("GET", asked(url)))
    assert "redirect_uri" in read.words
    code = let(browser, url, redirect_uri=moved)
    assert redeemed(server, url, code, redirect_uri=moved).status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        {"client_id": "https://localhost/another"},
        {"client_id": None},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"client_secret": "known to everybody"},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": []},
        {"redirect_uris": "https://app.example.com"},
        {"client_name": 7},
        {"grant_types": ["client_credentials"], "response_types": ["token"]},
    ],
)
def test_a_document_that_is_not_its_own_counts_for_nothing(
    there: Elsewhere, browser: Browser, said: Json
) -> None:
    """Attack 11: a client that is none would get codes of people who trust the host's name."""
    refused(browser, described(there, f"wrong-{abs(hash(str(said)))}", **said))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"{", 200),
        Reply(b"[]", 200),
        Reply(b"", 404),
        Reply(b"", 302, {"Location": "/agent"}),
        Reply(b'{"client_id": "' + b"x" * BYTES_MAX + b'"}', 200),
        Reply(b"<html>", 200, {"Content-Type": "text/html"}),
    ],
)
def test_whatever_else_stands_there_is_no_client(there: Elsewhere, browser: Browser, reply: Reply) -> None:
    """Attack 48: a redirect leads into the server's own network; a long answer fills its memory."""
    path = f"/odd-{abs(hash((reply.body[:20], reply.status)))}"
    there.replies[path] = reply
    refused(browser, there.url(path))


def test_nobody_is_flooded_through_us(there: Elsewhere, browser: Browser, server: RunningServer) -> None:
    """Whoever sends us many URLs of one host would have us attack it, from our address."""
    host = "127.0.0.1"
    before = len(there.calls)
    for number in range(ASKED_MAX + 5):
        refused(browser, there.url(f"/flood-{number}", host))
    assert len(there.calls) - before == ASKED_MAX
    refused(browser, described(there, "late", host))
    _forget(server)
    assert consent_page(browser, asked(there.url("/late", host))).status == 200


def ahead(server: RunningServer, client_id: str, **more: str) -> httpx2.Response:
    """What comes of a request that a client pushes before anybody here has met it."""
    query = dict(parse_qsl(urlsplit(asked(client_id)).query))
    return server.nobody.post("/oauth/par", data={**query, **more})


def test_who_asks_ahead_needs_no_first_yes(server: RunningServer, there: Elsewhere, browser: Browser) -> None:
    """RFC 9126, RFC 8628: an agent without a browser of its own has no page on which somebody could have met it."""
    agent = described(there, "ahead", grant_types=["authorization_code", DEVICE])
    pushed = ahead(server, agent)
    assert pushed.status_code == 201, pushed.text
    query = urlencode({"client_id": agent, "request_uri": pushed.json()["request_uri"]})
    page = consent_page(browser, f"{PATH}?{query}")
    assert "localhost" in page.words
    code = parse_qs(urlsplit(answered(browser, page).headers["location"]).query)["code"][0]
    assert redeemed(server, agent, code).status_code == 200
    thing = described(there, "thing", grant_types=[DEVICE], redirect_uris=[])
    begun = server.nobody.post("/oauth/device_authorization", data={"client_id": thing, "scope": "read"})
    assert begun.status_code == 200, begun.text
    page = browser.submit(browser.get("/device").form("/device"), user_code=begun.json()["user_code"])
    browser.submit(page.form("/device/decision"), decision="allow")
    fields = {"grant_type": DEVICE, "client_id": thing, "device_code": begun.json()["device_code"]}
    assert server.nobody.post("/oauth/token", data=fields).json()["access_token"]
    assert server.admin.get("/v1/audit", params={"action": "client.registered"}).json()["data"]


def test_who_asks_ahead_is_looked_at_as_on_the_pages(server: RunningServer, there: Elsewhere) -> None:
    """Attack 48: what is no document lets nobody in, and nobody fills the database with clients that do not come back."""
    missing = ahead(server, there.url("/nowhere"))
    assert (missing.status_code, missing.json()["error"]) == (401, "invalid_client")
    told = described(there, "told")
    there.replies["/told"] = Reply(
        json.dumps({"client_id": told, "redirect_uris": ["javascript:x"]}).encode()
    )
    assert ahead(server, told).status_code == 401
    known = described(there, "known")
    assert ahead(server, known).status_code == 201
    codes = [ahead(server, described(there, f"crowd{number}")).status_code for number in range(20)]
    assert codes[-1] == 429, codes
    assert ahead(server, known).status_code == 201, "who is known is not counted again"


def test_who_asks_ahead_proves_who_it_is(server: RunningServer, there: Elsewhere) -> None:
    """RFC 7523 §3: who has keys in its document signs by them, though its body does not name it."""
    server.clock.advance(7_200)
    key = jwk.generate_key("EC", "P-256")
    said: Json = {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key.as_dict(private=False)]},
    }
    signer = described(there, "signer", **said)
    fields = signing(server, key, signer)()
    assert ahead(server, signer).status_code == 401
    other = signing(server, jwk.generate_key("EC", "P-256"), signer)()
    assert ahead(server, signer, **other).status_code == 401
    assert ahead(server, signer, **fields).status_code == 201


def test_a_document_is_read_once(there: Elsewhere, browser: Browser) -> None:
    """Each page of a login would ask that server anew, and stand still while it is slow."""
    url = described(there, "once")
    for _ in range(3):
        consent_page(browser, asked(url))
    assert [call.path for call in there.calls].count("/once") == 1


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("https://agent.example/client.json", True),
        ("https://agent.example:8443/a/b", True),
        ("https://agent.example/", False),
        ("https://agent.example", False),
        ("http://agent.example/client.json", False),
        ("https://agent.example/a/../b", False),
        ("https://agent.example/a/%2e%2e/b", False),
        ("https://agent.example/./b", False),
        ("https://agent.example/a#b", False),
        ("https://somebody@agent.example/a", False),
        ("https://agent.example/" + "a" * 500, False),
        ("cli_0123456789abcdefghijkl", False),
    ],
)
def test_what_may_be_such_a_url(url: str, is_one: bool) -> None:  # noqa: FBT001 - a parameter
    """One client would have many names, or a name that two readers take for two hosts."""
    assert is_document_url(url) is is_one


def _forget(server: RunningServer) -> None:
    """As if all that was read were old, and all that was asked long ago."""
    documents = server.rooms.authorizations._clients
    documents._places.clear()  # type: ignore[attr-defined]
    documents._asked.clear()  # type: ignore[attr-defined]
