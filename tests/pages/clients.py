"""A client of OAuth as the tests play it: what it sends people with, and what it reads when they come back."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

from bonafides.delegation import AuthMethod, ClientChanges
from bonafides.oauth.clients import ClientWish, MadeClient
from tests.pages.browsing import Browser, Read
from tests.serving import RunningServer
from tests.web.people import Person
from tests.web.tenancy import Tenancy

AUTHORIZE: Final = "/oauth/authorize"
CALLBACK: Final = "https://app.example.com/callback"


@dataclass
class Application:
    """A client that somebody has made, and its own address."""

    tenancy: Tenancy
    id: str
    secret: str | None
    redirect_uri: str = CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(8))

    @property
    def issuer(self) -> str:
        """Whose answers it takes."""
        return self.tenancy.server.settings.base_url

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """Of a good request, with some changed, or, with None, left out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        wanted = {
            "client_id": self.id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": "read",
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def path(self, **changes: str | None) -> str:
        """Where it sends people."""
        return f"{AUTHORIZE}?{urlencode(self.parameters(**changes))}"

    def answer(self, response: httpx2.Response) -> Mapping[str, str]:
        """What it is told: at its own address, with its state, by the right server."""
        assert response.status_code == 303, response.text
        return self.told(response.headers["location"])

    def told(self, location: str) -> Mapping[str, str]:
        """The same, from the address that a browser is led to."""
        assert location.startswith(self.redirect_uri + "?"), location
        pairs = parse_qsl(urlsplit(location).query, strict_parsing=True)
        told = dict(pairs)
        assert len(told) == len(pairs), location
        assert told.pop("iss") == self.issuer
        assert told.pop("state") == self.state
        return told


def application(tenancy: Tenancy, *scopes: str, **facts: Any) -> Application:
    """A new client of a tenant, made by its owner."""
    rooms = tenancy.server.rooms
    wish = {
        "redirect_uris": (CALLBACK,),
        "grant_types": frozenset({"authorization_code", "refresh_token"}),
        "token_endpoint_auth_method": AuthMethod.POST,
        **facts,
    }
    authority = rooms.local_authority(tenancy.id)
    made = asyncio.run_coroutine_threadsafe(
        rooms.clients.create(
            authority,
            ClientWish(
                f"Application {secrets.token_hex(4)}", scopes or ("read", "write"), ClientChanges(**wish)
            ),
        ),
        tenancy.server.loop,
    ).result(20)
    assert isinstance(made, MadeClient)
    return Application(
        tenancy,
        made.client.id,
        made.secret.secret if made.secret else None,
        redirect_uri=wish["redirect_uris"][0] if wish["redirect_uris"] else "",
    )


def consent_page(browser: Browser, path: str) -> Read:
    """The question at that path, which must be asked."""
    read = Read(browser.send("GET", path))
    assert read.status == 200, read.words
    assert read.form("/oauth/consent").method == "post"
    return read


def answered(browser: Browser, read: Read, decision: str = "allow") -> httpx2.Response:
    """What comes of an answer on the page."""
    form = read.form("/oauth/consent")
    return browser.send("POST", form.action, {**form.fields, "decision": decision})


def target_of(read: Read) -> str | None:
    """Where a page leads on to by itself; None where it stays."""
    content = [
        given["content"] for tag, given in read.tags if tag == "meta" and given.get("http-equiv") == "refresh"
    ]
    return content[0].partition("url=")[2] if content else None


def signed_in_at(browser: Browser, login: Read, who: Person) -> httpx2.Response:
    """Sign in on that page, and go where it leads."""
    form = login.form("/login")
    fields = {"username": who.email, "password": who.password, "tenant_id": who.tenant_id}
    answer = browser.send("POST", form.action, {**form.fields, **fields})
    target = answer.headers.get("location") or target_of(Read(answer))
    assert target is not None, answer.text
    return browser.send("GET", target)


def allowed(browser: Browser, server: RunningServer, url: str) -> str:
    """Where the browser of somebody who says yes is led."""
    answer = answered(browser, consent_page(browser, url.removeprefix(server.url)))
    return str(answer.headers["location"])
