"""oidc-client-ts in Chromium: an application that is nothing but scripts in a page of another origin."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page
from typing_extensions import override

from bonafides.delegation import AuthMethod
from tests.nodejs import FOLDER, has
from tests.pages.clients import application
from tests.pages.issuers import server as server  # noqa: PLC0414 - its issuer is where it is reached
from tests.pages.test_in_chromium import CHROMIUM
from tests.pages.test_in_chromium import chromium as chromium  # noqa: PLC0414 - the system's browser
from tests.serving import RunningServer
from tests.web.people import person
from tests.web.tenancy import Tenancy

LIBRARY: Final = FOLDER / "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"
SCOPE: Final = "openid profile email offline_access read"

__test__ = has("oidc-client-ts")
"""Without npm there is nothing here to run, and `make test` has said so; a skip would be a failure in CI."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


class Site(BaseHTTPRequestHandler):
    """The application: its library and an empty page, wherever it is asked."""

    def do_GET(self) -> None:
        """Answer."""
        library = self.path == "/library.js"
        body = (
            LIBRARY.read_bytes()
            if library
            else b"<!doctype html><title>Shop</title><script src=/library.js></script>"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if library else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Where the application is: at an address of this machine too, or Chromium keeps it from the server's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        thread = threading.Thread(target=site.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()
        thread.join(10)


@pytest.mark.timeout(120)
def test_a_page_of_scripts_logs_in_renews_and_logs_out(
    tenancy: Tenancy, server: RunningServer, chromium: Browser, origin: str
) -> None:
    """Attack 49: metadata, keys, tokens and userinfo are for scripts of every origin, or single-page applications cannot log in."""
    facts = {"token_endpoint_auth_method": AuthMethod.NONE, "redirect_uris": (f"{origin}/callback",)}
    made = application(tenancy, *SCOPE.split(), **facts, post_logout_redirect_uris=(f"{origin}/goodbye",))
    context = chromium.new_context()
    context.set_default_timeout(20_000)

    page, who = context.new_page(), person(tenancy)
    page.goto(f"{origin}/")
    settings = {
        "authority": server.settings.base_url,
        "client_id": made.id,
        "redirect_uri": f"{origin}/callback",
        "post_logout_redirect_uri": f"{origin}/goodbye",
        "scope": SCOPE,
        "loadUserInfo": True,
        "automaticSilentRenew": False,
    }
    _told(page, settings, "manager.signinRedirect(); return null")
    page.wait_for_selector("#field-username")
    page.fill("#field-username", who.email)
    page.fill("#field-password", who.password)
    page.click("main form > button")
    page.click("button[value=allow]")
    page.wait_for_url(f"{origin}/callback*")
    user = _told(page, settings, "return await manager.signinRedirectCallback()")
    assert user["profile"]["email"] == who.email
    renewed = _told(page, settings, "return await manager.signinSilent()")
    assert renewed["access_token"] != user["access_token"]
    answer = tenancy.client(renewed["access_token"]).get("/v1/auth/verify")
    assert answer.status_code == 200
    _told(page, settings, "await manager.revokeTokens(['refresh_token']); return null")
    assert tenancy.client(renewed["access_token"]).get("/v1/auth/verify").status_code == 401
    _told(page, settings, "manager.signoutRedirect(); return null")
    page.wait_for_url(f"{origin}/goodbye*")
    context.close()


def _told(page: Page, settings: dict[str, Any], what: str) -> Any:
    """What the library tells, as a script of the page hears it."""
    return page.evaluate(
        f"async () => {{ const manager = new oidc.UserManager({{...{json.dumps(settings)}, "
        "userStore: new oidc.WebStorageStateStore({store: sessionStorage})}); "
        f"{what} }}"
    )
