"""Stock clients in Go, with a person at the pages: golang.org/x/oauth2 and go-oidc, in one program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.golang import Clients, has
from tests.pages.browsing import Browser, visitor
from tests.pages.clients import CALLBACK, allowed, application
from tests.pages.issuers import server as server  # noqa: PLC0414 - its issuer is where it is reached
from tests.pages.test_devices import FACTS
from tests.pages.test_nodejs_clients import done
from tests.serving import RunningServer
from tests.web.oauth import app_of
from tests.web.people import person
from tests.web.tenancy import Tenancy

SCOPES = ["openid", "email", "offline_access", "read"]

pytestmark = pytest.mark.skipif(
    not has(), reason="there is no Go on this machine, or `make test` has not compiled"
)


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """The process with the clients."""
    with Clients() as it:
        yield it


def test_go_oidc_logs_somebody_in(clients: Clients, tenancy: Tenancy, server: RunningServer) -> None:
    """What programs in Go log in with: it checks issuer, audience, signature, times, nonce and `at_hash`, and renews."""
    made = application(tenancy, *SCOPES)
    known = {"issuer": server.settings.base_url, "id": made.id, "secret": made.secret}
    begun = done(clients, "begins", **known, callback=CALLBACK, scopes=SCOPES)
    browser, who = Browser(server), person(tenancy)
    browser.sign_in(who)
    told = done(clients, "ends", location=allowed(browser, server, begun["url"]))
    assert (told["sub"], told["email"], told["type"]) == (told["user"], who.email, "Bearer")
    assert told["first"] != told["renewed"]
    assert tenancy.client(told["renewed"]).get("/v1/auth/verify").status_code == 200


def test_oauth2_gets_tokens_for_itself(clients: Clients, server: RunningServer) -> None:
    """What services in Go call each other with: the library finds out by itself how the server takes secrets."""
    made = app_of(server.admin, server)
    known = {"id": made.id, "secret": made.client["client_secret"]}
    resource = f"{server.url}/v1/auth/verify"
    told = done(
        clients, "byItself", issuer=server.settings.base_url, **known, scopes=["read"], resource=resource
    )
    assert told["status"] == 200


def test_oauth2_connects_a_device(clients: Clients, tenancy: Tenancy, server: RunningServer) -> None:
    """RFC 8628: a command line in Go would never get in."""
    made = application(tenancy, "read", **FACTS)
    begun = done(clients, "deviceBegins", issuer=server.settings.base_url, id=made.id, scopes=["read"])
    browser = visitor(tenancy)
    read = browser.submit(browser.get("/device").form("/device"), user_code=begun["code"])
    browser.submit(read.form("/device/decision"), decision="allow")
    told = done(clients, "deviceEnds")
    assert tenancy.client(told["token"]).get("/v1/auth/verify").status_code == 200
