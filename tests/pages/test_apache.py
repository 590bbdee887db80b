"""Debian's mod_auth_openidc: Apache logs people in, and takes tokens, before an application that knows nothing of OAuth."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import httpx2
import pytest
from typing_extensions import override

from bonafides.delegation import AuthMethod
from tests.pages.browsing import Browser
from tests.pages.clients import allowed, application
from tests.pages.issuers import server as server  # noqa: PLC0414 - its issuer is where it is reached
from tests.ports import free_port
from tests.serving import RunningServer
from tests.web.oauth import app
from tests.web.people import person
from tests.web.tenancy import Json, Tenancy

APACHE: Final = shutil.which("apache2", path="/usr/sbin:/usr/local/sbin:/usr/bin")
MODULES: Final = Path("/usr/lib/apache2/modules")
NEEDED: Final = ("mpm_event", "authn_core", "authz_core", "authz_user", "auth_openidc", "proxy", "proxy_http")
SCOPE: Final = "openid email offline_access read"
START_SECONDS_MAX: Final = 30.0

pytestmark = pytest.mark.skipif(
    APACHE is None or not (MODULES / "mod_auth_openidc.so").is_file(),
    reason="there is no Apache with mod_auth_openidc on this machine",
)

CONFIGURATION: Final = """
ServerRoot "{folder}"
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile "{folder}/pid"
DefaultRuntimeDir "{folder}"
ErrorLog "{folder}/error.log"
User {user}
Group {group}
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI {site}/app/back
OIDCCryptoPassphrase only-for-this-test
OIDCScope "{scope}"
OIDCPKCEMethod S256
OIDCIDTokenSignedResponseAlg RS256
OIDCInfoHook access_token refresh_token userinfo

OIDCOAuthServerMetadataURL {issuer}/.well-known/oauth-authorization-server
OIDCOAuthIntrospectionEndpointAuth client_secret_basic
OIDCOAuthClientID {api_id}
OIDCOAuthClientSecret {api_secret}
# Else it would go by what it was told first, for as long as the token lasts.
OIDCOAuthTokenIntrospectionInterval -1

<Location /app>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /api>
  AuthType oauth20
  Require claim scope~(^|\\s)read($|\\s)
</Location>
ProxyPass /app/back !
ProxyPass / http://127.0.0.1:{behind}/
"""


class Behind(BaseHTTPRequestHandler):
    """The application: it says what it was told by headers."""

    def do_GET(self) -> None:
        """Answer."""
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@dataclass
class Apache:
    """A running one, and its own log."""

    site: str
    log: Path

    def browser(self) -> httpx2.Client:
        """Somebody's browser, as Apache sees it."""
        return httpx2.Client(base_url=self.site, trust_env=False, timeout=20)

    def app(self, browser: httpx2.Client) -> Json:
        """What the application is told of somebody who is signed in."""
        answer = browser.get("/app/")
        assert answer.status_code == 200, self.log.read_text()
        told: Json = answer.json()
        return told


@pytest.fixture(scope="module")
def apache(
    tenancy: Tenancy, server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Apache]:
    """Apache with a location for people and one for tokens, and the application behind it."""
    folder = tmp_path_factory.mktemp("apache")
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    facts = {
        "redirect_uris": (f"{site}/app/back",),
        "post_logout_redirect_uris": (f"{site}/goodbye",),
        "token_endpoint_auth_method": AuthMethod.BASIC,
        "metadata": {"id_token_signed_response_alg": "RS256"},
    }
    made = application(tenancy, *SCOPE.split(), **facts)
    api = app(tenancy, scopes=["read", "credentials:verify"])
    with ThreadingHTTPServer(("127.0.0.1", 0), Behind) as behind:
        threading.Thread(target=behind.serve_forever, daemon=True).start()
        known = {
            "folder": folder,
            "port": port,
            "site": site,
            "issuer": server.settings.base_url,
            "client_id": made.id,
            "client_secret": made.secret,
            "api_id": api.id,
            "api_secret": api.client["client_secret"],
            "scope": SCOPE,
            "behind": behind.server_port,
            # Apache serves nobody as root; started by anybody else, it stays who it is.
            "user": "www-data",
            "group": "www-data",
        }
        loaded = "".join(f'LoadModule {name}_module "{MODULES}/mod_{name}.so"\n' for name in NEEDED)
        (folder / "apache.conf").write_text(loaded + CONFIGURATION.format(**known))
        command = [str(APACHE), "-f", str(folder / "apache.conf"), "-DFOREGROUND"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                _await(port, process, folder / "error.log")
                yield Apache(site, folder / "error.log")
            finally:
                process.terminate()
                behind.shutdown()


def _await(port: int, process: subprocess.Popen[str], log: Path) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        else:
            return


def test_apache_logs_somebody_in_renews_and_logs_out(
    apache: Apache, tenancy: Tenancy, server: RunningServer
) -> None:
    """What many an intranet stands behind: code with PKCE, ID token, userinfo, refresh, revocation and logout."""
    browser, who = Browser(server), person(tenancy)
    browser.sign_in(who)
    with apache.browser() as there:
        begun = there.get("/app/")
        assert begun.status_code == 302
        back = allowed(browser, server, begun.headers["location"])
        answer = there.get(back)
        assert answer.headers["location"] == f"{apache.site}/app/", apache.log.read_text()
        told = apache.app(there)
        assert told["oidc_claim_email"] == who.email
        first = told["oidc_access_token"]
        assert server.client(first).get("/v1/auth/verify").status_code == 200
        query = urlencode({"refresh": f"{apache.site}/app/", "access_token": first})
        answer = there.get(f"/app/back?{query}")
        assert answer.headers["location"] == f"{apache.site}/app/", apache.log.read_text()
        renewed = apache.app(there)["oidc_access_token"]
        assert renewed != first
        shown = there.get("/app/back?info=json").json()
        assert (shown["access_token"], shown["userinfo"]["email"]) == (renewed, who.email)
        answer = there.get(f"/app/back?{urlencode({'logout': f'{apache.site}/goodbye'})}")
        assert there.get("/app/").status_code == 302
    assert server.client(renewed).get("/v1/auth/verify").status_code == 401
    answer = browser.send("GET", answer.headers["location"].removeprefix(server.url))
    assert answer.headers["location"] == f"{apache.site}/goodbye"
    assert browser.send("GET", "/v1/auth/verify").status_code == 401


def test_apache_takes_tokens_that_are_good(apache: Apache, tenancy: Tenancy) -> None:
    """RFC 7662: as a resource server it asks with a client's secret, and learns at once of what was revoked."""
    made = app(tenancy, scopes=["read", "write"])
    token = made.by_itself(scope="read")["access_token"]
    other = made.by_itself(scope="write")["access_token"]

    def asked(credential: str) -> httpx2.Response:
        return there.get("/api/", headers={"Authorization": f"Bearer {credential}"})

    with apache.browser() as there:
        answer = asked(token)
        assert answer.status_code == 200, apache.log.read_text()
        assert answer.json()["oidc_claim_client_id"] == made.id
        assert asked(other).status_code == 401, "it has not the scope"
        assert asked("bf_oat_nobody").status_code == 401
        assert made.revoke(token).status_code == 200
        assert asked(token).status_code == 401
