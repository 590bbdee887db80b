"""Request objects: what a client asks for as one JWT, sent along or fetched from where it stands (RFC 9101)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from joserfc import jwk, jws

from bonafides.oauth.authorization_request import Refusal, read
from bonafides.oauth.request_objects import RequestObjects, Taken
from bonafides.outgoing import Outgoing
from tests.elsewhere import Elsewhere, Reply
from tests.pages.browsing import Browser, Read, visitor
from tests.pages.clients import (
    AUTHORIZE,
    CALLBACK,
    Application,
    answered,
    application,
    consent_page,
    signed_in_at,
)
from tests.pages.issuers import served
from tests.serving import RunningServer
from tests.web.people import person
from tests.web.tenancy import Json, Tenancy

KEY: Final = jwk.generate_key("RSA", 2048)
OTHER: Final = jwk.generate_key("RSA", 2048)
ES256: Final = jwk.generate_key("EC", "P-256")
EVIL: Final = "https://evil.example/"
EXPIRES: Final = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, there: Elsewhere) -> Iterator[RunningServer]:
    """A server that takes them, and calls this machine for them."""
    assert there.port
    with served(
        tmp_path_factory.mktemp("server"),
        request_objects="any",
        outgoing_private_addresses=True,
        self_registration=True,
        registered_clients_use_pkce=False,
    ) as it:
        yield it


@pytest.fixture
def browser(tenancy: Tenancy) -> Browser:
    """In which somebody has signed in."""
    tenancy.server.clock.advance(1_000)
    return visitor(tenancy)


def public(*keys: jwk.Key) -> Json:
    """A key set."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


@pytest.fixture(scope="module")
def app(tenancy: Tenancy, there: Elsewhere) -> Application:
    """A client that signs, by RS256 alone, and keeps its objects at one address."""
    said = {"request_uris": [there.url("/object") + "#v1"], "request_object_signing_alg": "RS256"}
    return application(tenancy, "openid", "read", "write", jwks=public(KEY), metadata=said)


@pytest.fixture(scope="module")
def plain(tenancy: Tenancy, there: Elsewhere) -> Application:
    """A client that has not said how it signs."""
    said = {"request_uris": [there.url("/plain")]}
    return application(tenancy, "openid", "read", jwks=public(KEY, ES256), metadata=said)


def now(app: Application) -> int:
    """The server's time, in seconds."""
    return app.tenancy.server.clock.now_us // 1_000_000


def claims_of(app: Application, **changes: Any) -> Json:
    """What an object of a client says; None leaves a claim out."""
    said = {"iss": app.id, "aud": app.issuer, "exp": now(app) + EXPIRES, **app.parameters(), **changes}
    return {name: value for name, value in said.items() if value is not None}


def signed(app: Application, key: Any = KEY, header: Json | None = None, **changes: Any) -> str:
    """An object of a client."""
    header = {"alg": "RS256", **(header or {})}
    return jws.serialize_compact(
        header, json.dumps(claims_of(app, **changes)), key, algorithms=[header["alg"]]
    )


def unsigned(claims: Json, header: Json | None = None, signature: str = "") -> str:
    """A JWT that nobody has signed."""
    parts = (json.dumps(part).encode() for part in (header or {"alg": "none"}, claims))
    encoded = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    return f"{'.'.join(encoded)}.{signature}"


def beside(app: Application, **more: str | None) -> str:
    """Where a browser is sent: what OAuth itself wants there, and the object."""
    said = {
        "client_id": app.id,
        "response_type": "code",
        "redirect_uri": app.redirect_uri,
        "scope": "read",
        **more,
    }
    return f"{AUTHORIZE}?{urlencode({name: value for name, value in said.items() if value is not None})}"


def granted(app: Application, browser: Browser, path: str) -> bool:
    """Whether the client gets a code, once the person has said yes if they are asked."""
    answer = browser.send("GET", path)
    return "code" in app.answer(answer if answer.status_code == 303 else answered(browser, Read(answer)))


def test_an_object_is_fetched_once_from_where_it_is_registered(
    server: RunningServer, there: Elsewhere, app: Application
) -> None:
    """RFC 9101 §5.2: whoever has to sign in first goes on with what was read when they came, whatever stands there later."""
    there.replies["/object"] = Reply(signed(app, state=app.state).encode())
    there.calls.clear()
    who = person(app.tenancy)
    browser = Browser(server)
    asks_to_log_in = browser.send("GET", beside(app, request_uri=there.url("/object") + "#v2"))
    there.replies["/object"] = Reply(b"gone", status=404)
    login = Read(browser.send("GET", asks_to_log_in.headers["location"]))
    page = Read(signed_in_at(browser, login, who))
    assert "code" in app.answer(answered(browser, page))
    assert [call.path for call in there.calls] == ["/object"]
    assert "oauth-authz-req+jwt" in there.calls[0].headers["accept"]


def test_what_the_object_says_is_all_that_counts(app: Application, browser: Browser) -> None:
    """Attack 14, attack 15, RFC 9101 §6.3: an address is anybody's; what is added to it, or taken from it, changes nothing."""
    path = beside(
        app, request=signed(app, scope="read"), redirect_uri=EVIL, scope="write", prompt="none", state="other"
    )
    read_page = consent_page(browser, path)
    assert "Change what you have here" not in read_page.words
    told = app.answer(answered(browser, read_page))
    assert "code" in told
    wrong = browser.send("GET", beside(app, request=signed(app, redirect_uri=EVIL)))
    assert wrong.status_code == 400
    assert "location" not in wrong.headers
    refused = browser.send("GET", beside(app, request=signed(app, scope="nonsense")))
    assert app.answer(refused)["error"] == "invalid_scope"


def test_an_object_may_be_unsigned_where_nothing_else_was_said(
    there: Elsewhere, plain: Application, browser: Browser
) -> None:
    """OpenID Connect Core §6.1, and as the conformance suite's `oidcc-request-uri-unsigned` sends it."""
    there.replies["/plain"] = Reply(unsigned(claims_of(plain, iss=None, aud=None, exp=None)).encode() + b"\n")
    told = plain.answer(
        answered(browser, consent_page(browser, beside(plain, request_uri=there.url("/plain"))))
    )
    assert "code" in told
    claims = claims_of(plain, max_age=3_600, claims={"userinfo": {"name": None}}, resource=[plain.issuer])
    for each in (unsigned(claims), signed(plain), signed(plain, ES256, {"alg": "ES256"})):
        assert granted(plain, browser, beside(plain, request=each))


def _hs256(app: Application) -> str:
    # The oldest confusion of algorithms: a public key, which everybody has, as a shared secret.
    shared = jwk.OctKey.import_key(json.dumps(KEY.as_dict(private=False)))
    return signed(app, shared, {"alg": "HS256"})


REFUSED: Final[Mapping[str, Callable[[Application], str]]] = {
    "unsigned though the client signs": lambda app: unsigned(claims_of(app)),
    "unsigned with a signature": lambda app: unsigned(claims_of(app), signature="eA"),
    "none in capitals": lambda app: unsigned(claims_of(app), {"alg": "NONE"}),
    "by the public key as a secret": _hs256,
    "by a key of nobody's": lambda app: signed(app, OTHER),
    "by a key that it brings along": lambda app: signed(app, OTHER, {"jwk": OTHER.as_dict(private=False)}),
    "by another algorithm": lambda app: signed(app, KEY, {"alg": "PS256"}),
    "of another kind": lambda app: signed(app, header={"typ": "dpop+jwt"}),
    "with what is critical to know": lambda app: unsigned(
        claims_of(app), {"alg": "RS256", "crit": ["x"]}, "eA"
    ),
    "another client's": lambda app: signed(app, iss="cli_0000000000000000000000"),
    "another client's by its name": lambda app: signed(app, client_id="cli_0000000000000000000000"),
    "an assertion of the client": lambda app: signed(app, sub=app.id),
    "for another server": lambda app: signed(app, aud="https://elsewhere.example"),
    "for nobody": lambda app: signed(app, aud=[]),
    "ended": lambda app: signed(app, exp=now(app) - 61),
    "not yet good": lambda app: signed(app, nbf=now(app) + 61),
    "of tomorrow": lambda app: signed(app, iat=now(app) + 86_400),
    "without an end, though it serves once": lambda app: signed(app, exp=None, jti="x"),
    "without an end for long": lambda app: signed(app, exp=now(app) + 90_000, jti="x"),
    "with a name that is none": lambda app: signed(app, jti=""),
    "with times that are none": lambda app: signed(app, exp=True),
    "with one in it": lambda app: signed(app, request="x"),
    "with a reference in it": lambda app: signed(app, request_uri="https://app.example.com/object"),
    "with a list for a text": lambda app: signed(app, scope=["read"]),
    "with a NUL": lambda app: signed(app, login_hint="a\0b"),
    "tampered with": lambda app: signed(app).replace(".", ".A", 1),
    "no JWT": lambda _: "x",
    "too long": lambda app: signed(app, note="x" * 8_192),
}


@pytest.mark.parametrize("why", list(REFUSED))
def test_an_object_that_is_not_the_clients_own_is_refused(
    server: RunningServer, there: Elsewhere, app: Application, why: str
) -> None:
    """Attack 27, attack 28, attack 29, attack 31, RFC 9101 §6.2 and §10.8, RFC 8725 §3.1: the client is told, and nobody is asked."""
    sent = REFUSED[why](app)
    there.replies["/object"] = Reply(sent.encode())
    for more in ({"request": sent}, {"request_uri": there.url("/object")}):
        answer = Browser(server).send("GET", beside(app, state=app.state, **more))
        told = app.answer(answer)
        # What is longer than is read of an address that somebody names is never there.
        by_reference = why == "too long" and "request_uri" in more
        assert told["error"] == ("invalid_request_uri" if by_reference else "invalid_request_object"), told
    # Where nothing that stands beside it can be believed either, the person is told, and stays.
    assert Browser(server).send("GET", beside(app, redirect_uri=EVIL, request=sent)).status_code == 400


def test_an_object_with_a_name_serves_once(app: Application, browser: Browser) -> None:
    """Attack 16, RFC 9101 §10.2: who has seen it go by can begin nothing with it; another one of the same client can."""
    first = signed(app, jti="n1")
    assert "code" in app.answer(answered(browser, consent_page(browser, beside(app, request=first))))
    again = browser.send("GET", beside(app, state=app.state, request=first))
    assert app.answer(again)["error"] == "invalid_request_object"
    assert granted(app, browser, beside(app, request=signed(app, jti="n2")))


@pytest.mark.parametrize(
    "stands", ["http://app.example.com/object", "https://app.example.com/other", "https://[::1]/"]
)
def test_no_address_is_asked_that_is_not_registered(
    server: RunningServer, there: Elsewhere, app: Application, stands: str
) -> None:
    """Attack 48, RFC 9101 §10.4.1: whoever writes an address for a browser does not choose what this server calls."""
    there.calls.clear()
    for uri in (stands, there.url("/objects"), there.url("/object?x=y"), there.url("/object", "127.0.0.1")):
        answer = Browser(server).send("GET", beside(app, state=app.state, request_uri=uri))
        assert app.answer(answer)["error"] == "invalid_request_uri"
    assert there.calls == []


def test_what_is_fetched_is_judged_as_all_that_is_fetched(
    server: RunningServer, there: Elsewhere, app: Application
) -> None:
    """Attack 48: no redirect is followed, not much is read, and no address of a private network is called."""
    there.calls.clear()
    good = signed(app).encode()
    there.replies["/inside"] = Reply(good)
    for reply in (
        Reply(status=302, headers={"Location": there.url("/inside")}),
        Reply(good, status=500),
        Reply(b"x" * 70_000),
        Reply(good, headers={"Content-Encoding": "gzip"}),
    ):
        there.replies["/object"] = reply
        uri = there.url("/object")
        told = app.answer(Browser(server).send("GET", beside(app, state=app.state, request_uri=uri)))
        assert told["error"] == "invalid_request_uri"
        # Nothing of what stands there, nor why it was not read, is told to whoever has sent the browser.
        assert told["error_description"] == "No request object could be fetched from request_uri."
    assert {call.path for call in there.calls} == {"/object"}
    there.calls.clear()
    there.replies["/object"] = Reply(good)
    outcome = resolved(server, app, Outgoing(), Taken.ANY, request_uri=there.url("/object"))
    assert isinstance(outcome, Refusal)
    assert (outcome.error, there.calls) == ("invalid_request_uri", [])


def resolved(server: RunningServer, app: Application, outgoing: Outgoing, taken: Taken, **sent: str) -> Any:
    """What a server that is set up otherwise makes of a request."""
    rooms = server.rooms
    objects = RequestObjects(
        rooms.store, outgoing, rooms.client_keys, rooms.peppers, rooms.clock, app.issuer, taken
    )

    async def work() -> Any:
        client = await rooms.clients.find(app.id)
        assert client is not None
        return await objects.resolved(read([("client_id", app.id), *sent.items()]), client)

    return asyncio.run_coroutine_threadsafe(work(), server.loop).result(20)


def test_unsigned_objects_are_an_option_of_its_own(server: RunningServer, plain: Application) -> None:
    """RFC 9101 §10.5: where signed ones are taken, nobody takes the signature off."""
    outgoing = server.rooms.outgoing
    unsafe = resolved(server, plain, outgoing, Taken.SIGNED, request=unsigned(claims_of(plain)))
    assert isinstance(unsafe, Refusal)
    assert unsafe.error == "invalid_request_object"
    good = resolved(server, plain, outgoing, Taken.SIGNED, request=signed(plain))
    assert good.get("scope") == "read"
    both = resolved(server, plain, outgoing, Taken.ANY, request=signed(plain), request_uri=EVIL)
    assert both.error == "invalid_request"
    left = resolved(server, plain, outgoing, Taken.OFF, request=signed(plain))
    assert left.get("request")


def test_a_client_may_have_to_sign_all_that_it_asks(tenancy: Tenancy, browser: Browser) -> None:
    """RFC 9101 §10.5: nobody else begins anything in its name, whatever address they write."""
    strict = application(tenancy, "read", jwks=public(KEY), metadata={"require_signed_request_object": True})
    assert strict.answer(browser.send("GET", strict.path()))["error"] == "invalid_request"
    unsafe = browser.send("GET", beside(strict, state=strict.state, request=unsigned(claims_of(strict))))
    assert strict.answer(unsafe)["error"] == "invalid_request_object"
    page = consent_page(browser, beside(strict, request=signed(strict)))
    assert "code" in strict.answer(answered(browser, page))
    fields = {**strict.parameters(), "client_secret": strict.secret or ""}
    assert tenancy.client().post("/oauth/par", data=fields).json()["error"] == "invalid_request"


def test_an_object_may_be_pushed(tenancy: Tenancy, app: Application, browser: Browser) -> None:
    """RFC 9126 §3: what the object says is pushed, and nothing that stands beside it."""
    own = {"client_id": app.id, "client_secret": app.secret or ""}
    body = {**own, "request": signed(app, scope="read"), "scope": "write", "redirect_uri": EVIL}
    answer = tenancy.client().post("/oauth/par", data=body)
    assert answer.status_code == 201, answer.text
    named = {"client_id": app.id, "request_uri": answer.json()["request_uri"]}
    page = consent_page(browser, f"{AUTHORIZE}?{urlencode(named)}")
    assert "Change what you have here" not in page.words
    assert "code" in app.answer(answered(browser, page))
    for sent, error in (
        (unsigned(claims_of(app)), "invalid_request_object"),
        (signed(app, OTHER), "invalid_request_object"),
        (signed(app, redirect_uri=EVIL), "invalid_request"),
    ):
        wrong = tenancy.client().post("/oauth/par", data={**own, "request": sent})
        assert (wrong.status_code, wrong.json()["error"]) == (400, error)
    bound = "A" * 43
    twice = {**own, "request": signed(app, dpop_jkt="B" * 43), "dpop_jkt": bound}
    assert tenancy.client().post("/oauth/par", data=twice).json()["error"] == "invalid_request"


def test_a_client_registers_how_it_asks(tenancy: Tenancy, there: Elsewhere) -> None:
    """RFC 7591 §2, OpenID Connect Registration §2: what it says it gets back, and what cannot be is refused."""
    said = {
        "redirect_uris": [CALLBACK],
        "request_uris": [there.url("/mine") + "#" + "A" * 43],
        "request_object_signing_alg": "RS256",
        "require_signed_request_object": True,
        "jwks": public(KEY),
    }
    answer = tenancy.client().post("/oauth/register", json=said)
    assert answer.status_code == 201, answer.text
    for name in ("request_uris", "request_object_signing_alg", "require_signed_request_object"):
        assert answer.json()[name] == said[name]
    for change in (
        {"request_uris": ["http://app.example.com/object"]},
        {"request_uris": ["https://user@app.example.com/object"]},
        {"request_uris": "https://app.example.com/object"},
        {"request_object_signing_alg": "HS256"},
        {"request_object_signing_alg": "none"},
        {"jwks": None},
    ):
        refused = tenancy.client().post("/oauth/register", json={**said, **change})
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client_metadata"), change
    made = {
        "name": "x",
        "scopes": ["read"],
        "redirect_uris": [CALLBACK],
        "request_uris": said["request_uris"],
    }
    client = tenancy.api.post("/v1/clients", json=made).json()
    assert client["request_uris"] == said["request_uris"]
    left = tenancy.api.patch(f"/v1/clients/{client['id']}", json={"request_uris": None}).json()
    assert left["request_uris"] is None


def test_what_waits_in_its_place_is_the_clients_own(
    app: Application, plain: Application, browser: Browser
) -> None:
    """Attack 13: the name under which an object waits is of no use to another client, nor a second time."""
    page = consent_page(browser, beside(app, request=signed(app)))
    carried = page.form("/oauth/consent").fields["request"]
    assert "eyJ" not in carried
    stolen = browser.send("GET", f"{AUTHORIZE}?{carried.replace(app.id, plain.id)}")
    assert stolen.status_code == 400
    assert "code" in app.answer(answered(browser, page))
    assert answered(browser, page).status_code == 400
