"""`/oauth/authorize`: who is asked what, what a client is told, and what never leaves the server."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from bonafides.delegation import AuthMethod
from tests.pages.browsing import Browser, Read, visitor
from tests.pages.clients import (
    AUTHORIZE,
    CALLBACK,
    Application,
    answered,
    application,
    consent_page,
    signed_in_at,
    target_of,
)
from tests.web.people import person
from tests.web.tenancy import Tenancy, tenancy_on


@pytest.fixture(scope="module")
def app(tenancy: Tenancy) -> Application:
    """A confidential client."""
    return application(tenancy, "read", "write", "openid", "profile", "email", "offline_access", "admin")


@pytest.fixture
def browser(tenancy: Tenancy) -> Browser:
    """A browser in which a new person is signed in; logins of before are not counted any more."""
    tenancy.server.clock.advance(1_000)
    return visitor(tenancy)


@pytest.fixture(scope="module")
def reader(tenancy: Tenancy) -> Browser:
    """A browser in which somebody is signed in who never allows anything."""
    return visitor(tenancy)


def test_a_person_allows_a_client_and_it_gets_a_code(app: Application, browser: Browser) -> None:
    """The whole way, as stock clients go it."""
    read = consent_page(browser, app.path())
    assert "See what you have here" in read.words
    assert "app.example.com" in read.words
    told = app.answer(answered(browser, read))
    assert set(told) == {"code"}
    assert len(told["code"]) == 43


def test_a_person_says_no(app: Application, browser: Browser) -> None:
    """The client learns it, and nothing else; and the person is asked again the next time."""
    assert set(app.answer(answered(browser, consent_page(browser, app.path()), "deny"))) == {
        "error",
        "error_description",
    }
    told = app.answer(answered(browser, consent_page(browser, app.path()), "whatever"))
    assert told["error"] == "access_denied"


def test_who_has_answered_is_not_asked_again_for_as_much(app: Application, browser: Browser) -> None:
    """People stop reading questions that come every day; for more they are asked again."""
    answered(browser, consent_page(browser, app.path(scope="read write")))
    assert "code" in app.answer(browser.send("GET", app.path(scope="read")))
    assert "code" in app.answer(browser.send("GET", app.path(scope="write read", prompt="none")))
    more = consent_page(browser, app.path(scope="read openid"))
    assert "allowed before" in more.words
    consent_page(browser, app.path(prompt="consent"))
    consent_page(browser, app.path(prompt="select_account"))


def test_who_is_not_signed_in_signs_in_and_comes_back(tenancy: Tenancy, app: Application) -> None:
    """The request is the same after the login, with the client's own words in it."""
    who = person(tenancy)
    browser = Browser(tenancy.server)
    state = "a b&c=d%20é+/?#"
    app.state = state
    answer = browser.send("GET", app.path(login_hint=who.email))
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert urlsplit(location).path == "/login"
    login = Read(browser.send("GET", location))
    assert login.form("/login").fields["username"] == who.email
    read = Read(signed_in_at(browser, login, who))
    assert "Allow" in read.words
    assert "code" in app.answer(answered(browser, read))


def test_who_comes_from_another_site_stays_signed_in(app: Application, browser: Browser) -> None:
    """Strict cookies do not come along from there: one step of our own brings them, and only one."""
    kept = browser.cookies
    browser.cookies = {}
    first = Read(browser.send("GET", app.path(), site="cross-site"))
    assert first.status == 200
    target = target_of(first)
    assert target is not None
    assert target.startswith(AUTHORIZE + "?")
    assert target in first.links
    # A browser that still says cross-site is not led around in circles, but asked to sign in.
    assert urlsplit(browser.send("GET", target, site="cross-site").headers["location"]).path == "/login"
    browser.cookies = kept
    assert "code" in app.answer(answered(browser, consent_page(browser, target)))


def test_a_request_may_be_posted_from_another_site(app: Application, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1 asks for it; nothing is granted by that POST itself."""
    kept, browser.cookies = browser.cookies, {}
    first = Read(browser.send("POST", AUTHORIZE, app.parameters(), site="cross-site"))
    (target,) = [link for link in first.links if link.startswith(AUTHORIZE)]
    browser.cookies = kept
    assert "code" in app.answer(answered(browser, consent_page(browser, target)))


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "cli_0000000000000000000000"},
        {"client_id": "<script>alert(1)</script>"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK + "?x=y"},
        {"redirect_uri": "https://app.example.com.evil.example/callback"},
        {"redirect_uri": "https://app.example.com@evil.example/callback"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": None, "scope": "openid"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:unknown"},
    ],
)
@pytest.mark.parametrize(
    "more", [{}, {"prompt": "none"}, {"response_mode": "form_post"}, {"response_type": "x"}]
)
def test_nothing_leads_to_an_unproven_uri(
    app: Application, reader: Browser, changes: dict[str, str | None], more: dict[str, str]
) -> None:
    """Attack 11, attack 12, ASVS 10.4.1, ASVS 3.7.2: the person is told on a page of ours, and nothing is sent anywhere.

    RFC 9700 §4.11.2.
    """
    for signed_in in (True, False):
        asking = reader if signed_in else Browser(reader.server)
        for site in ("none", "cross-site"):
            answer = asking.send("GET", app.path(**{**changes, **more}), site=site)
            assert answer.status_code == 400
            assert "location" not in answer.headers
            assert "refresh" not in answer.text
            assert "evil" not in answer.text
            assert "alert(1)" not in answer.text
            assert "form-action 'self'" in answer.headers["content-security-policy"].split("; ")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"scope": "credentials:verify"}, "invalid_scope"),
        ({"prompt": "none consent"}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "https://app.example.com/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"resource": "https://elsewhere.example/"}, "invalid_target"),
        ({"max_age": "x"}, "invalid_request"),
    ],
)
def test_what_is_wrong_is_told_to_the_client(
    app: Application, reader: Browser, changes: dict[str, str | None], error: str
) -> None:
    """Attack 10, attack 14, attack 15, ASVS 10.4.4, ASVS 10.4.6, ASVS 10.6.1, RFC 9207: by the RFCs' codes, with `iss`."""
    for asking in (reader, Browser(reader.server)):
        for site in ("none", "cross-site"):
            assert app.answer(asking.send("GET", app.path(**changes), site=site))["error"] == error


def test_repeated_parameters_are_refused(app: Application, reader: Browser) -> None:
    """RFC 6749 §3.1: of two values, one check may see the first, and another the last."""
    assert app.answer(reader.send("GET", app.path() + "&scope=write"))["error"] == "invalid_request"
    other = quote("https://evil.example/", safe="")
    assert reader.send("GET", app.path() + f"&redirect_uri={other}").status_code == 400
    assert reader.send("GET", app.path() + "&client_id=cli_other").status_code == 400


def test_a_hint_is_an_id_token_of_ours(app: Application, reader: Browser) -> None:
    """Whom a client expects is not taken from what anybody can write."""
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    for hint in ("x", jwt, "x" * 5_000):
        answer = reader.send("GET", app.path(id_token_hint=hint))
        assert app.answer(answer)["error"] == "invalid_request"


def test_nobody_is_asked_where_the_client_wants_silence(tenancy: Tenancy, app: Application) -> None:
    """ASVS 7.6.2: prompt=none shows no page and begins no login, whatever is missing (OpenID Connect Core §3.1.2.6)."""
    stranger = Browser(tenancy.server)
    assert app.answer(stranger.send("GET", app.path(prompt="none")))["error"] == "login_required"
    known = visitor(tenancy)
    assert app.answer(known.send("GET", app.path(prompt="none")))["error"] == "consent_required"


def test_a_client_may_want_a_new_login(tenancy: Tenancy, app: Application) -> None:
    """prompt=login and max_age are met by a login for this very request, and not by a link that was used before."""
    who = person(tenancy)
    browser = Browser(tenancy.server)
    browser.sign_in(who)
    for changes in ({"prompt": "login"}, {"max_age": "60"}):
        tenancy.server.clock.advance(120)
        answer = browser.send("GET", app.path(**changes))
        login = Read(browser.send("GET", answer.headers["location"]))
        tenancy.server.clock.advance(5)
        back = signed_in_at(browser, login, who)
        told = app.answer(back if back.status_code == 303 else answered(browser, Read(back)))
        assert "code" in told
        # The same request anew is a new one.
        tenancy.server.clock.advance(120)
        again = browser.send("GET", app.path(**changes))
        assert urlsplit(again.headers["location"]).path == "/login"
        forged = browser.send("GET", app.path(**changes) + "&began=00ff")
        assert urlsplit(forged.headers["location"]).path == "/login"


def test_the_page_of_another_session_decides_nothing(
    tenancy: Tenancy, app: Application, browser: Browser
) -> None:
    """Attack 17, ASVS 3.5.1: an answer counts in the session that was asked, from our own page."""
    form = consent_page(browser, app.path()).form("/oauth/consent")
    other = visitor(tenancy)
    assert other.send("POST", form.action, {**form.fields, "decision": "allow"}).status_code == 400
    without = {name: value for name, value in form.fields.items() if name != "csrf"}
    assert browser.send("POST", form.action, {**without, "decision": "allow"}).status_code == 400
    foreign = browser.send("POST", form.action, {**form.fields, "decision": "allow"}, site="cross-site")
    assert foreign.status_code in {303, 400}
    assert "code=" not in foreign.headers.get("location", "")
    assert browser.send("GET", f"/oauth/consent?request={quote(form.fields['request'])}").status_code == 405
    consent_page(browser, app.path())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"redirect_uri": "https://evil.example/"}, 400),
        ({"scope": "credentials:verify"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
    ],
)
def test_what_the_page_sends_back_is_judged_anew(
    app: Application, reader: Browser, changes: dict[str, str], expected: int | str
) -> None:
    """Attack 14, attack 15: a form that was tampered with gets what the request itself would get."""
    form = consent_page(reader, app.path()).form("/oauth/consent")
    pairs = {**dict(parse_qsl(form.fields["request"])), **changes}
    body = {**form.fields, "request": "&".join(f"{name}={quote(value)}" for name, value in pairs.items())}
    answer = reader.send("POST", form.action, {**body, "decision": "allow"})
    if isinstance(expected, int):
        assert answer.status_code == expected
        assert "location" not in answer.headers
    else:
        assert app.answer(answer)["error"] == expected


def test_nobody_gives_what_they_do_not_have(app: Application, browser: Browser) -> None:
    """Attack 15: a member who says yes makes no administrator of a client, and is not asked to."""
    read = consent_page(browser, app.path(scope="read admin"))
    assert "administrator" not in read.words
    assert app.answer(browser.send("GET", app.path(scope="admin")))["error"] == "invalid_scope"


def test_a_first_party_client_asks_nothing(tenancy: Tenancy, browser: Browser) -> None:
    """The operator's own application is trusted by who made it so."""
    own = application(tenancy, first_party=True)
    assert "code" in own.answer(browser.send("GET", own.path()))


def test_an_app_on_the_machine_is_asked_for_each_time(tenancy: Tenancy, browser: Browser) -> None:
    """ASVS 10.7.1, RFC 8252 §8.6: another program can listen there. Its port is free, and nothing else is."""
    uri = "http://127.0.0.1:51004/callback"
    app = application(
        tenancy, token_endpoint_auth_method=AuthMethod.NONE, redirect_uris=("http://127.0.0.1/callback",)
    )
    app.redirect_uri = uri
    for _ in range(2):
        read = consent_page(browser, app.path())
        assert "You will be asked again" in read.words
        assert "code" in app.answer(answered(browser, read))
    assert browser.send("GET", app.path(redirect_uri="http://127.0.0.1:51004/other")).status_code == 400
    assert (
        browser.send("GET", app.path(redirect_uri="http://127.0.0.1.evil.example:1/callback")).status_code
        == 400
    )


def test_an_answer_may_be_posted(app: Application, browser: Browser) -> None:
    """With response_mode=form_post nothing of the answer stands in an address; the page works without scripts."""
    answer = answered(browser, consent_page(browser, app.path(response_mode="form_post")))
    read = Read(answer)
    form = read.forms[-1]
    assert (form.method, form.action) == ("post", CALLBACK)
    assert set(form.fields) == {"code", "state", "iss"}
    policy = answer.headers["content-security-policy"]
    assert "form-action 'self' https://app.example.com" in policy
    refused = Read(browser.send("GET", app.path(response_mode="form_post", scope="nonsense")))
    assert refused.forms[-1].fields["error"] == "invalid_scope"


def test_what_a_client_says_is_shown_as_text(tenancy: Tenancy, browser: Browser) -> None:
    """Attack 50: a client's name, a hint or a state could bring a script into our page."""
    evil = '"><script>alert(1)</script>'
    app = application(tenancy)
    app.state = evil
    answer = browser.send("GET", app.path(login_hint=evil, nonce=evil, ui_locales=evil))
    assert answer.status_code == 200
    assert "<script>alert(1)" not in answer.text
    assert "code" in app.answer(answered(browser, Read(answer)))
    stranger = Browser(tenancy.server)
    login = stranger.send("GET", stranger.send("GET", app.path(login_hint=evil)).headers["location"])
    assert "<script>alert(1)" not in login.text


@pytest.mark.parametrize("name", ["state", "nonce"])
def test_a_clients_own_words_may_look_like_a_jwt(app: Application, browser: Browser, name: str) -> None:
    """Frameworks keep a JWT in `state`; a secret of ours is refused there as everywhere in URLs."""
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJuIjoxfQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    if name == "state":
        app.state = jwt
    read = consent_page(browser, app.path(**{name: jwt}))
    assert "code" in app.answer(answered(browser, read))
    stranger = Browser(browser.server)
    location = stranger.send("GET", app.path(**{name: jwt})).headers["location"]
    assert stranger.send("GET", location).status_code == 200
    assert browser.send("GET", app.path(**{name: "bf_key_0123456789abcdef"})).status_code == 400
    assert browser.send("GET", app.path(scope=jwt)).status_code == 400


def test_no_page_is_framed_scripted_or_told_to_others(app: Application, browser: Browser) -> None:
    """Attack 49, ASVS 3.4.5: no other site reads these pages, shows them in a frame, or learns an address from them.

    RFC 9700 §2.6 and §4.2.
    """
    origin = {"Origin": "https://evil.example"}
    pages: list[Any] = [
        browser.send("GET", app.path()),
        browser.send("GET", app.path(redirect_uri="https://evil.example/")),
        browser.send("GET", app.path(scope="nonsense")),
        browser._client.request("OPTIONS", app.path(), headers=origin),
        browser._client.get(app.path(), headers=origin),
    ]
    for answer in pages:
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
    for answer in pages[:2]:
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"


def test_people_of_other_organisations_are_not_asked(tenancy: Tenancy, app: Application) -> None:
    """A client serves its own tenant; the operator's serve everybody."""
    elsewhere = tenancy_on(tenancy.server)
    who = person(elsewhere)
    browser = Browser(tenancy.server)
    browser.sign_in(who)
    tenancy.server.clock.advance(1)
    answer = browser.send("GET", app.path())
    login = Read(browser.send("GET", answer.headers["location"]))
    tenancy.server.clock.advance(1)
    assert app.answer(signed_in_at(browser, login, who))["error"] == "access_denied"


def test_a_disabled_client_asks_nobody(tenancy: Tenancy, browser: Browser) -> None:
    """What was switched off gets no code, and no redirect."""
    app = application(tenancy)
    page = consent_page(browser, app.path())
    answer = tenancy.api.patch(f"/v1/clients/{app.id}", json={"status": "disabled"})
    assert answer.status_code == 200, answer.text
    assert browser.send("GET", app.path()).status_code == 400
    assert answered(browser, page).status_code == 400
