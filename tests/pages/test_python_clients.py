"""Stock clients in Python that are not driven by a redirect alone: a device's, a service account's, an MCP client's."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import google.auth.crypt
import google.auth.exceptions
import google.auth.jwt
import google.auth.transport.requests
import google.oauth2._client
import httpx2
import msal  # type: ignore[import-untyped]
import pytest
import requests
from google.oauth2 import sts
from google.oauth2 import utils as google_utils
from joserfc import jwk
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from requests.adapters import HTTPAdapter
from typing_extensions import override

from tests.elsewhere import Elsewhere, Reply
from tests.pages.browsing import visitor
from tests.pages.clients import CALLBACK, answered, application, consent_page
from tests.pages.issuers import served
from tests.pages.test_devices import FACTS
from tests.serving import RunningServer
from tests.web.oauth import app
from tests.web.tenancy import Tenancy

# Of its functions some have types and some have not.
Signer: Any = google.auth.crypt.RSASigner
encoded: Any = google.auth.jwt.encode
granted: Any = google.oauth2._client.jwt_grant
Request: Any = google.auth.transport.requests.Request
Proof: Any = google_utils.ClientAuthentication
Exchange: Any = sts.Client

BASE: Final = "https://api.example.com"
EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, there: Elsewhere) -> Iterator[RunningServer]:
    """A server behind a proxy that speaks TLS, by this machine's clock."""
    assert there.port
    with served(
        tmp_path_factory.mktemp("server"),
        public_url=BASE,
        self_registration=True,
        client_id_documents=True,
        outgoing_private_addresses=True,
    ) as it:
        yield it


class Proxy(HTTPAdapter):
    """Passes what is sent to the public URL on to the server."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    @override
    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = str(request.url).replace(f"{BASE}/id/", f"{BASE}/").replace(BASE, self._url)
        return super().send(request, *args, **options)


@pytest.fixture
def session(server: RunningServer) -> Iterator[requests.Session]:
    """What libraries that use requests are given."""
    with requests.Session() as it:
        it.trust_env = False
        it.mount(BASE, Proxy(server.url))
        yield it


def test_msal_connects_a_device(tenancy: Tenancy, session: requests.Session) -> None:
    """RFC 8628, by the library that most tools on command lines have for it."""
    made = application(tenancy, "read", "openid", "profile", "offline_access", **FACTS)
    # It wants an authority with a path, which the proxy takes away.
    client = msal.PublicClientApplication(made.id, oidc_authority=f"{BASE}/id", http_client=session)
    flow = client.initiate_device_flow(scopes=["read"])
    assert "user_code" in flow, flow
    browser = visitor(tenancy)
    read = browser.submit(browser.get("/device").form("/device"), user_code=flow["user_code"])
    browser.submit(read.form("/device/decision"), decision="allow")
    told = client.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)
    assert "access_token" in told, told
    assert tenancy.client(told["access_token"]).get("/v1/auth/verify").status_code == 200


def test_google_auth_signs_for_its_service(tenancy: Tenancy, session: requests.Session) -> None:
    """RFC 7523: an assertion of this library has no `jti`, which the RFC leaves to it; and still it serves once."""
    key = jwk.generate_key("RSA", 2048)
    made = app(
        tenancy,
        grant_types=["client_credentials", BEARER],
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [key.as_dict(private=False)]},
    )
    now, url = int(time.time()), f"{BASE}/oauth/token"
    signer = Signer.from_string(key.as_pem(private=True))
    claims = {"iss": made.id, "sub": made.id, "aud": url, "iat": now, "exp": now + 3_600}
    assertion = encoded(signer, claims)
    token, _, told = granted(Request(session), url, assertion)
    assert told["token_type"] == "Bearer"
    assert tenancy.client(token).get("/v1/auth/verify").status_code == 200
    with pytest.raises(google.auth.exceptions.RefreshError, match="invalid_grant"):
        granted(Request(session), url, assertion)


def test_google_auth_exchanges_a_token(tenancy: Tenancy, session: requests.Session) -> None:
    """RFC 8693, as workloads of other clouds ask for it."""
    made = app(tenancy, grant_types=["client_credentials", EXCHANGE])
    proof = Proof(google_utils.ClientAuthType.basic, made.id, made.client["client_secret"])
    told = Exchange(f"{BASE}/oauth/token", proof).exchange_token(
        Request(session),
        EXCHANGE,
        made.by_itself()["access_token"],
        ACCESS_TOKEN,
        scopes=["read"],
        requested_token_type=ACCESS_TOKEN,
    )
    assert told["issued_token_type"] == ACCESS_TOKEN
    assert tenancy.client(told["access_token"]).get("/v1/auth/verify").status_code == 200


class Kept:
    """What an MCP client keeps between its starts."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """Of the last time."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """For the next time."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Of the last time."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """For the next time."""
        self.client = client_info


class Through(httpx2.AsyncBaseTransport):
    """Passes what is sent to the public URL on to the server."""

    def __init__(self, url: str) -> None:
        self._url = httpx2.URL(url)
        self._inner = httpx2.AsyncHTTPTransport(verify=False, trust_env=False)

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        sent = httpx2.Request(
            request.method,
            request.url.copy_with(scheme="http", host=self._url.host, port=self._url.port),
            headers=request.headers,
            stream=request.stream,
        )
        return await self._inner.handle_async_request(sent)

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()


async def test_an_mcp_client_is_known_by_its_url(
    tenancy: Tenancy, server: RunningServer, there: Elsewhere
) -> None:
    """MCP: an agent that describes itself at a URL would still register itself at every server, and leave a client there."""
    url = there.url("/agent")
    said = {"client_id": url, "client_name": "An agent", "redirect_uris": [CALLBACK]}
    there.replies["/agent"] = Reply(json.dumps(said).encode())
    before = len(server.admin.get("/v1/clients").json()["data"])
    browser, kept, came = visitor(tenancy), Kept(), threading.local()

    async def go(path: str) -> None:
        answer = answered(browser, consent_page(browser, path.removeprefix(BASE)))
        came.told = parse_qs(urlsplit(answer.headers["location"]).query)

    async def come() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(**{name: values[0] for name, values in came.told.items()})

    metadata = OAuthClientMetadata.model_validate({"redirect_uris": [CALLBACK], "scope": "read"})
    resource = f"{BASE}/v1/auth/verify"
    auth = OAuthClientProvider(resource, metadata, kept, go, come, client_metadata_url=url)
    async with httpx2.AsyncClient(transport=Through(server.url), auth=auth, timeout=20) as client:
        assert (await client.get(resource)).status_code == 200
    assert kept.client is not None
    assert kept.client.client_id == url
    assert len(server.admin.get("/v1/clients").json()["data"]) == before + 1


async def test_an_mcp_client_finds_registers_and_logs_in_by_itself(
    tenancy: Tenancy, server: RunningServer
) -> None:
    """MCP: an agent is given an address and nothing else; all the rest it learns from the 401 and what that names."""
    browser, kept, came = visitor(tenancy), Kept(), threading.local()

    async def go(url: str) -> None:
        answer = answered(browser, consent_page(browser, url.removeprefix(BASE)))
        came.told = parse_qs(urlsplit(answer.headers["location"]).query)

    async def come() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(**{name: values[0] for name, values in came.told.items()})

    metadata = OAuthClientMetadata.model_validate(
        {"client_name": "An agent", "redirect_uris": [CALLBACK], "scope": "read"}
    )
    resource = f"{BASE}/v1/auth/verify"
    auth = OAuthClientProvider(resource, metadata, kept, go, come)
    async with httpx2.AsyncClient(transport=Through(server.url), auth=auth, timeout=20) as client:
        answer = await client.get(resource)
        assert answer.status_code == 200, answer.text
        assert answer.json()["credential"]["kind"] == "oauth_access_token"
        assert kept.client is not None
        assert kept.tokens is not None
        assert (await client.get(resource)).status_code == 200
