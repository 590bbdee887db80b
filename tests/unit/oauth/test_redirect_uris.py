"""Where answers may be sent: what may be registered, and what matches it."""

from __future__ import annotations

import pytest

from bonafides.errors import InvalidRequest
from bonafides.oauth.redirect_uris import (
    check_redirect_uri,
    form_action_source,
    is_loopback,
    is_registered,
    is_web_page,
    origin_shown,
    with_parameters,
)

REGISTERED = "https://app.example.com/callback"


@pytest.mark.parametrize(
    "uri",
    [
        REGISTERED,
        "https://app.example.com:8443/callback?tenant=1",
        "https://[2001:db8::1]/cb",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:3000",
        "http://[::1]:3000/callback",
        "http://localhost:3000/callback",
        "com.example.app:/oauth",
        "cursor://anysphere.cursor-retrieval/oauth/callback",
    ],
)
def test_what_may_be_registered(uri: str) -> None:
    """Web pages, programs on the machine itself, and apps: each can get its answers."""
    assert check_redirect_uri(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/callback",
        "//app.example.com/callback",
        "https://",
        "https:///callback",
        "https:app.example.com",
        "https://app.example.com/callback#fragment",
        "https://app.example.com/#",
        "https://user@app.example.com/callback",
        "https://app.example.com:99999/callback",
        "https://[::1/callback",
        "https://app.example.com/call back",
        "https://app.example.com/%zz",
        "https://app.example.com\\@evil.example/",
        "https://exämple.com/",
        "https://app.example.com/\n",
        "HTTPS://app.example.com/callback",
        "http://app.example.com/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1@evil.example/callback",
        "http://localhost.evil.example/callback",
        "http://localhostevil.example/callback",
        "http://0.0.0.0/callback",
        "javascript:alert(1)",
        "data:text/html,hello",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example.com/1",
        "https://app.example.com/" + "a" * 2_048,
    ],
)
def test_what_may_not_be_registered(uri: str) -> None:
    """What a browser would run, what has no host or another's, and what no URI looks like, is refused."""
    with pytest.raises(InvalidRequest) as refused:
        check_redirect_uri(uri)
    assert refused.value.field == "redirect_uris"


@pytest.mark.parametrize(
    "asked",
    [
        REGISTERED + "/",
        REGISTERED + "?",
        REGISTERED + "?a=b",
        REGISTERED + "#",
        REGISTERED + "/../callback",
        "https://app.example.com:443/callback",
        "https://app.example.com./callback",
        "https://APP.example.com/callback",
        "https://app.example.com/Callback",
        "https://app.example.com/%63allback",
        "https://app.example.com//callback",
        "https://app.example.com/",
        "https://app.example.com",
        "http://app.example.com/callback",
        "https://app.example.com.evil.example/callback",
        "https://app.example.com@evil.example/callback",
        "https://evil.example/callback?https://app.example.com/callback",
        "https://app.example.com\\@evil.example/callback",
        "https://evil.app.example.com/callback",
        "https://appXexample.com/callback",
        " " + REGISTERED,
        REGISTERED + "\n",
        "",
    ],
)
def test_of_a_page_only_the_very_uri_matches(asked: str) -> None:
    """An answer goes to the registered URI, character by character, and to nothing that looks or is read like it."""
    assert is_registered(REGISTERED, [REGISTERED])
    assert not is_registered(asked, [REGISTERED])


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_of_a_program_on_the_machine_any_port_matches(host: str) -> None:
    """A native app listens where the system lets it, so its port is free, and nothing else."""
    registered = f"http://{host}:3000/callback?a=b"
    for port in ("", ":1", ":3000", ":51004", ":65535"):
        assert is_registered(f"http://{host}{port}/callback?a=b", [registered])
        assert is_registered(f"http://{host}{port}/callback?a=b", [f"http://{host}/callback?a=b"])
    for wrong in (
        f"http://{host}:0/callback?a=b",
        f"http://{host}:65536/callback?a=b",
        f"http://{host}:/callback?a=b",
        f"http://{host}:3000/callback",
        f"http://{host}:3000/other?a=b",
        f"http://{host}:3000",
        f"https://{host}:3000/callback?a=b",
        f"http://{host}:3000@evil.example/callback?a=b",
        f"http://{host}.evil.example:3000/callback?a=b",
        f"http://{host}:3000evil.example/callback?a=b",
        f"http://user@{host}:3000/callback?a=b",
    ):
        assert not is_registered(wrong, [registered]), wrong


def test_of_several_names_of_the_machine_each_is_itself() -> None:
    """127.0.0.1, [::1] and localhost may be three programs: a client gets the one that it has registered."""
    names = ["http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost/cb"]
    for name in names:
        assert [is_registered(asked, [name]) for asked in names] == [asked == name for asked in names]
    assert not is_registered("http://127.0.0.2/cb", names)
    assert not is_registered("http://2130706433/cb", names)


def test_the_scheme_of_an_app_matches_as_it_stands() -> None:
    """A private scheme has no host to trust, so all of it counts."""
    assert is_registered("com.example.app:/oauth", ["com.example.app:/oauth"])
    assert not is_registered("com.example.app:/oauth/", ["com.example.app:/oauth"])
    assert not is_registered("com.example.app2:/oauth", ["com.example.app:/oauth"])
    assert not is_registered("com.example.app:/oauth", [])


@pytest.mark.parametrize(
    ("uri", "shown", "source"),
    [
        (REGISTERED, "app.example.com", "https://app.example.com"),
        ("http://127.0.0.1:3000/cb", "127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://[::1]:3000/cb", "[::1]:3000", "http:"),
        ("com.example.app:/oauth", "com.example.app:", "com.example.app:"),
    ],
)
def test_where_it_leads_is_shown(uri: str, shown: str, source: str) -> None:
    """A person sees the host that gets the answer, and the browser is told that the form may end there."""
    assert origin_shown(uri) == shown
    assert form_action_source(uri) == source


def test_which_uris_are_pages_and_which_programs() -> None:
    """Only a host's owner answers at https; anybody's program may listen on the machine itself."""
    assert is_web_page(REGISTERED)
    assert not is_web_page("http://127.0.0.1/cb")
    assert is_loopback("http://localhost:8/cb")
    assert not is_loopback(REGISTERED)


@pytest.mark.parametrize(
    ("uri", "whole"),
    [
        ("https://a.example/cb", "https://a.example/cb?a=1+2&b=%26%C3%A4"),
        ("https://a.example/cb?x=y", "https://a.example/cb?x=y&a=1+2&b=%26%C3%A4"),
        ("https://a.example/cb?", "https://a.example/cb?a=1+2&b=%26%C3%A4"),
        ("com.example.app:/cb", "com.example.app:/cb?a=1+2&b=%26%C3%A4"),
    ],
)
def test_parameters_join_what_the_uri_has(uri: str, whole: str) -> None:
    """A query that the client has registered stays, and no value of ours begins another (RFC 6749 §3.1.2)."""
    assert with_parameters(uri, [("a", "1 2"), ("b", "&ä")]) == whole
