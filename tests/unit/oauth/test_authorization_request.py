"""An authorization request, judged in two stages: what the person is told, and what the client is told."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from bonafides.errors import InvalidRequest
from bonafides.oauth.authorization_request import (
    Destination,
    Prompt,
    Refusal,
    ResponseMode,
    Unproven,
    answer_parameters,
    answer_uri,
    pairs_of,
    read,
    written,
)
from tests.unit.oauth.asking import (
    API,
    APP,
    CALLBACK,
    CHALLENGE,
    GOOD,
    ISSUER,
    WEB,
    StubClient,
    accepted,
    destination,
    judged,
    pairs,
    refusal,
)

APPS_OWN = "http://127.0.0.1:51004/callback"


def test_a_good_request_says_what_is_asked() -> None:
    """Everything that the pages and the code need is read once, here."""
    request = accepted(
        [
            *pairs(
                scope="openid read",
                nonce="n1",
                prompt="login consent",
                max_age="60",
                login_hint="ada@example.com",
                id_token_hint="eyJ",
                dpop_jkt=CHALLENGE,
                acr_values="a b",
                ui_locales="de en",
                response_mode="form_post",
                claims='{"userinfo": {"name": null}}',
            ),
            ("resource", "https://api.example.com/"),
            ("resource", "https://api.example.com/"),
        ]
    )
    assert request.client_id == "cli_1"
    assert request.destination == Destination(CALLBACK, named=True, mode=ResponseMode.FORM_POST, state="s1")
    assert request.scopes == {"openid", "profile", "read"}
    assert request.resources == ("https://api.example.com/",)
    assert request.code_challenge == CHALLENGE
    assert request.nonce == "n1"
    assert request.prompt == {Prompt.LOGIN, Prompt.CONSENT}
    assert request.max_age == 60
    assert request.login_hint == "ada@example.com"
    assert request.id_token_hint == "eyJ"
    assert request.dpop_jkt == CHALLENGE
    assert request.acr_values == ("a", "b")
    assert request.ui_locales == ("de", "en")
    assert request.claims == {"userinfo": {"name": None}}


def test_unknown_parameters_are_ignored_and_empty_ones_absent() -> None:
    """Clients send what other servers know; it changes nothing here (RFC 6749 §3.1)."""
    request = accepted(
        [*pairs(), ("audience", "x"), ("audience", "y"), ("nonce", ""), ("nonce", ""), ("resource", "")]
    )
    assert request == accepted(pairs())
    assert refusal(pairs(response_type="")) == "invalid_request"


@pytest.mark.parametrize(
    "name", sorted((set(GOOD) | {"nonce", "prompt", "max_age", "response_mode"}) - {"redirect_uri"})
)
def test_a_parameter_that_is_given_twice_is_refused(name: str) -> None:
    """Of two values one part of a system may take the first, and another the last (RFC 6749 §3.1)."""
    value = {**GOOD, "nonce": "n", "prompt": "login", "max_age": "1", "response_mode": "query"}[name]
    assert refusal([*pairs(**{name: value}), (name, value)]) == "invalid_request"


@pytest.mark.parametrize(
    "asked",
    [
        [*pairs(), ("redirect_uri", CALLBACK)],
        [*pairs(), ("redirect_uri", "https://evil.example/")],
        pairs(redirect_uri="https://evil.example/callback"),
        pairs(redirect_uri=CALLBACK + "/"),
        pairs(redirect_uri=None, scope="openid"),
    ],
)
def test_nothing_is_sent_to_an_unproven_uri(asked: list[tuple[str, str]]) -> None:
    """The person is told, and stays here, whatever else is wrong with the request."""
    for wrong in ([], [("prompt", "none")], [("response_type", "token")], [("state", "other")]):
        outcome = judged([*asked, *wrong])
        assert isinstance(outcome, Unproven)
        assert outcome.message


def test_a_client_with_several_uris_has_to_name_one() -> None:
    """With one there is nothing to choose; of two, nobody guesses."""
    request = accepted(pairs(redirect_uri=None))
    assert request.destination == Destination(CALLBACK, named=False, mode=ResponseMode.QUERY, state="s1")
    two = StubClient(redirect_uris=(CALLBACK, "https://app.example.com/other"))
    assert isinstance(judged(pairs(redirect_uri=None), two), Unproven)
    assert isinstance(judged(pairs(redirect_uri=None), StubClient(redirect_uris=())), Unproven)


def test_an_app_gets_its_answer_at_the_port_that_it_listens_on() -> None:
    """The whole URI as the app has named it is what the code is bound to."""
    request = accepted(pairs(redirect_uri=APPS_OWN), APP)
    assert request.destination.redirect_uri == APPS_OWN


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "CODE"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://app.example.com/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "maybe"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1.5"}, "invalid_request"),
        ({"max_age": "١"}, "invalid_request"),
        ({"max_age": "9" * 12}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"nonce": "n" * 4_097}, "invalid_request"),
        ({"claims": "no JSON"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": "[" * 4_000}, "invalid_request"),
    ],
)
def test_what_is_malformed_is_told_to_the_client(changes: dict[str, str | None], error: str) -> None:
    """The client learns what it did wrong, by the RFCs' codes. No parameter brings an implicit flow back."""
    assert refusal(pairs(**changes)) == error


def test_a_client_uses_only_the_grants_that_it_has() -> None:
    """A client for machines cannot ask people."""
    assert (
        refusal(pairs(), StubClient(grant_types=frozenset({"client_credentials"}))) == "unauthorized_client"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": CHALLENGE[:-1]},
        {"code_challenge": CHALLENGE + "A"},
        {"code_challenge": CHALLENGE[:-1] + "="},
        {"code_challenge": CHALLENGE[:-1] + "~"},
    ],
)
def test_a_challenge_is_s256_and_whole(changes: dict[str, str | None]) -> None:
    """Without PKCE, or with the method that shows the secret, whoever gets hold of the code can redeem it."""
    assert refusal(pairs(**changes)) == "invalid_request"
    assert refusal(pairs(redirect_uri=APPS_OWN, **changes), APP) == "invalid_request"


def test_a_client_that_has_registered_itself_gets_what_it_may_have_of_what_it_names() -> None:
    """An agent asks for all that the metadata lists, and would get nothing where it may have only a part."""
    asked = pairs(scope="read admin")
    assert accepted(asked, StubClient(scopes=frozenset({"read"}), registered=True)).scopes == {"read"}
    assert refusal(asked, StubClient(scopes=frozenset({"read"}))) == "invalid_scope"
    assert (
        refusal(pairs(scope="admin"), StubClient(scopes=frozenset({"read"}), registered=True))
        == "invalid_scope"
    )


def test_only_who_is_allowed_to_may_go_without_a_challenge() -> None:
    """The operator can allow it to a client that proves who it is; no record is written that allows it to a public one."""
    without = pairs(code_challenge=None, code_challenge_method=None)
    assert accepted(without, StubClient(require_pkce=False)).code_challenge is None
    assert refusal(without, StubClient(token_endpoint_auth_method="none")) == "invalid_request"
    half = pairs(code_challenge=None)
    assert refusal(half, StubClient(require_pkce=False)) == "invalid_request"
    plain = pairs(code_challenge_method="plain")
    assert refusal(plain, StubClient(require_pkce=False)) == "invalid_request"


@pytest.mark.parametrize(
    "scope",
    [
        "nonsense",
        "read nonsense",
        "read  write",
        " read",
        'read "write"',
        "admin",
        "credentials:verify",
        "email",
        "ré",
    ],
)
def test_no_scope_beyond_the_clients_is_asked_for(scope: str) -> None:
    """A person is never asked for what the client may not have, or what does not exist."""
    assert refusal(pairs(scope=scope)) == "invalid_scope"


def test_without_a_scope_a_client_asks_for_what_it_may_but_for_admin() -> None:
    """The default is never the most powerful scope, nor the person's own data (RFC 6749 §3.3)."""
    client = StubClient(scopes=frozenset({"read", "admin", "openid", "email"}))
    assert accepted(pairs(scope=None), client).scopes == {"read"}
    assert refusal(pairs(scope=None), StubClient(scopes=frozenset({"openid"}))) == "invalid_scope"
    assert accepted(pairs(scope="read read admin"), client).scopes == {"read", "admin"}


@pytest.mark.parametrize(
    "resource",
    [
        "api",
        "/api",
        "https://api.example.com/#a",
        "https://api.example.com/ä",
        "https://[",
        "urn:",
        "x" * 5_000,
    ],
)
def test_a_resource_is_an_absolute_uri(resource: str) -> None:
    """What names no resource gives no token for one."""
    assert refusal([*pairs(), ("resource", resource)]) == "invalid_target"


def test_resources_are_those_of_the_client() -> None:
    """A client gets tokens for the resources that it is allowed, and for not too many at once."""
    api, other = "https://other.example.com/", "urn:example:other"
    client = StubClient(audiences=(api,))
    assert accepted([*pairs(), ("resource", api)], client).resources == (api,)
    assert refusal([*pairs(), ("resource", api), ("resource", other)], client) == "invalid_target"
    two = StubClient(audiences=(api, other))
    assert accepted([*pairs(), ("resource", api), ("resource", other)], two).resources == (api, other)
    assert accepted([*pairs(), ("resource", API)]).resources == (API,)
    assert refusal([*pairs(), ("resource", api)]) == "invalid_target"
    many = [("resource", f"https://api.example.com/{number}") for number in range(11)]
    assert refusal([*pairs(), *many]) == "invalid_target"


def test_a_client_that_has_to_push_its_requests_does() -> None:
    """A request that went through a browser may have been changed there."""
    client = StubClient(metadata={"require_pushed_authorization_requests": True})
    assert refusal(pairs(), client) == "invalid_request"
    assert not isinstance(judged(pairs(), client, pushed=True), Refusal)


def test_a_client_may_have_a_default_for_the_age_of_a_login() -> None:
    """What is registered holds where the request says nothing (OpenID Connect Registration §2)."""
    client = StubClient(metadata={"default_max_age": 300})
    assert accepted(pairs(), client).max_age == 300
    assert accepted(pairs(max_age="0"), client).max_age == 0


def test_every_answer_says_who_gives_it() -> None:
    """A client that uses several servers tells by `iss` whose answer it has, good or bad."""
    there = destination()
    assert answer_parameters(there, ISSUER, "the-code") == [
        ("code", "the-code"),
        ("state", "s1"),
        ("iss", ISSUER),
    ]
    refused = answer_parameters(there, ISSUER, Refusal("access_denied", 'He said "no" – \\o/'))
    assert refused == [
        ("error", "access_denied"),
        ("error_description", "He said ?no? ? ?o/"),
        ("state", "s1"),
        ("iss", ISSUER),
    ]
    assert dict(answer_parameters(destination(state=None), ISSUER, "c")) == {"code": "c", "iss": ISSUER}


def test_the_answers_uri_keeps_the_clients_own_query() -> None:
    """A registered query stays as it is, and state comes back as it was sent."""
    state = "a&code=stolen#x ü%"
    uri = answer_uri(destination(CALLBACK + "?tenant=1", state=state), ISSUER, "the-code")
    assert uri.startswith(CALLBACK + "?tenant=1&")
    assert parse_qsl(urlsplit(uri).query) == [
        ("tenant", "1"),
        ("code", "the-code"),
        ("state", state),
        ("iss", ISSUER),
    ]


def test_a_request_is_carried_through_a_page_unchanged() -> None:
    """What a page sends back is judged as what came first: nothing appears, and no repetition disappears."""
    asked = [
        *pairs(nonce="n"),
        ("resource", "urn:a:b"),
        ("resource", "urn:c:d"),
        ("unknown", "x"),
        ("state", "other"),
    ]
    first = read(asked)
    again = read(written(first))
    assert again == first
    assert again.repeated == {"state"}


@pytest.mark.parametrize(
    "encoded", ["a=%ff", "a=%00", "%00=a", "&".join(f"a{number}=b" for number in range(60))]
)
def test_what_no_request_looks_like_is_not_read(encoded: str) -> None:
    """Bytes that no column takes and floods of parameters go no further."""
    with pytest.raises(InvalidRequest):
        pairs_of(encoded)


def test_pairs_keep_their_order_and_their_blanks() -> None:
    """Nothing is lost before it is judged."""
    assert pairs_of("b=1+2&a=&b=%C3%A4") == [("b", "1 2"), ("a", ""), ("b", "ä")]
    assert WEB.id == "cli_1"
