"""A header is its name, letter for letter; a credential comes in two of them, once, and in nothing else."""

from __future__ import annotations

import itertools
from typing import Final

import pytest

from tests.attacks.cast import Party, as_, house_settings, party
from tests.attacks.pathways import PRESENTATIONS, basic
from tests.attacks.wire import Reply, request, wire
from tests.serving import RunningServer, running

TARGETS: Final = ("/v1/auth/verify", "/auth/forward", "/v1/users/me", "/v1/api-keys?limit=1")
ALMOST: Final = (
    "X_API_Key",
    "X-API_Key",
    "X_API-KEY",
    "XAPIKey",
    "X-APIKey",
    "X--API-Key",
    "X-API-Key-",
    "X.API.Key",
    "HTTP_X_API_KEY",
    "HTTP-X-API-KEY",
    "Api-Key",
    "ApiKey",
    "X-Api-Token",
    "X-Auth-Token",
    "X-Auth-Key",
    "X-Access-Token",
    "X-Token",
    "Token",
    "Auth",
    "Authorisation",
    "X-Authorization",
    "HTTP_AUTHORIZATION",
    "Proxy-Authorization",
    "X-Forwarded-Authorization",
    "X-Original-Authorization",
    "X-Amzn-Remapped-Authorization",
    "X-Forwarded-Access-Token",
    "X-Auth-Request-Access-Token",
    "Sec-WebSocket-Protocol",
    "WWW-Authenticate",
    "Cookie2",
    "DPoP",
)
COOKIES: Final = (
    "__Host-session",
    "__Secure-session",
    "session",
    "sessionid",
    "token",
    "access_token",
    "api_key",
    "apikey",
    "Authorization",
    "X-API-Key",
    "jwt",
)


def reply_to(server: RunningServer, target: str, *headers: str, key: str | None = None) -> Reply:
    """What a request with these header lines gets on a connection of its own."""
    with wire(server.url) as connection:
        connection.send(request("GET", target, *headers, key=key))
        return connection.reply()


@pytest.mark.parametrize("name", ALMOST)
def test_a_header_of_almost_that_name_is_none(house: RunningServer, mine: Party, name: str) -> None:
    """Attack 37 (CVE-2025-64484): `X_Auth` passed the proxy's filter and was `X-Auth` behind it."""
    for target in TARGETS:
        for value in (mine.owner.key, f"Bearer {mine.owner.key}"):
            assert reply_to(house, target, f"{name}: {value}").refuses(401, "missing_api_key")


@pytest.mark.parametrize("name", ALMOST)
def test_such_a_header_changes_nothing(house: RunningServer, mine: Party, name: str) -> None:
    """Attack 37: beside a good credential, a stranger's in a header that is none must not count as a second one."""
    reply = reply_to(house, "/v1/auth/verify", f"{name}: {mine.owner.key}", key=mine.member.key)
    assert reply.json()["user_id"] == mine.member.id


@pytest.mark.parametrize("name", COOKIES)
def test_a_cookie_that_the_server_did_not_set_is_none(house: RunningServer, mine: Party, name: str) -> None:
    """Attack 36, ASVS 3.5.1: a credential in a cookie would be sent by every page that somebody opens."""
    for target in TARGETS:
        reply = reply_to(house, target, f"Cookie: {name}={mine.owner.key}")
        assert reply.refuses(401, "missing_api_key")
        assert reply.header("set-cookie") is None


def test_a_credential_in_a_body_is_none(house: RunningServer, mine: Party) -> None:
    """Attack 37, RFC 6750 §2: one way to send it; a form can be sent by any page."""
    client = house.client()
    for content_type, content in (
        ("application/x-www-form-urlencoded", f"access_token={mine.owner.key}&apikey={mine.owner.key}"),
        ("application/json", f'{{"apikey": "{mine.owner.key}", "credential": "{mine.owner.key}"}}'),
    ):
        for path in ("/v1/auth/verify", "/v1/credentials/verify", "/v1/api-keys"):
            answer = client.post(path, content=content, headers={"Content-Type": content_type})
            assert (answer.status_code, answer.json()["error"]) == (401, "missing_api_key")


@pytest.mark.parametrize(("first", "second"), list(itertools.product(PRESENTATIONS, PRESENTATIONS)))
@pytest.mark.parametrize("target", TARGETS)
def test_two_credentials_are_refused(
    house: RunningServer, mine: Party, first: str, second: str, target: str
) -> None:
    """Attack 37, RFC 6750 §2: the proxy would judge one and the API behind it the other."""
    for one, other in (
        (mine.member.key, mine.owner.key),
        (mine.member.key, mine.member.key),
        (mine.member.key, "nonsense"),
        ("nonsense", mine.member.key),
    ):
        (pair,) = PRESENTATIONS[first](one).items()
        (other_pair,) = PRESENTATIONS[second](other).items()
        reply = reply_to(house, target, ": ".join(pair), ": ".join(other_pair))
        assert reply.refuses(400, "invalid_request"), (one, other)


@pytest.mark.parametrize(
    "value",
    [
        "Bearer {member}, Bearer {owner}",
        "Bearer {member} Bearer {owner}",
        "Bearer {member} {owner}",
        "Bearer {member},{owner}",
        "Bearer Bearer {member}",
        "Bearer Basic {member}",
        "{member} {owner}",
        "{member},{owner}",
        "{member}; {owner}",
        "Bearer {member};",
        "Bearer\u00a0{member}",
        "Bearer={member}",
        "Bearer: {member}",
        "Bearer token={member}",
        'Bearer "{member}"',
        "Token {member}",
        "ApiKey {member}",
        "Key {member}",
        "Digest {member}",
        "Negotiate {member}",
        "OAuth {member}",
        "JWT {member}",
        "DPoP {member}",
        "Bearers {member}",
        "Beare {member}",
        "Basic {member}",
        "Basic {member}:",
    ],
)
def test_no_other_form_of_authorization_is_read(house: RunningServer, mine: Party, value: str) -> None:
    """Attack 37: what one reader takes for two credentials, or for none, another must not take for one."""
    line = f"Authorization: {value.format(member=mine.member.key, owner=mine.owner.key)}"
    for target in TARGETS:
        reply = reply_to(house, target, line)
        assert reply.status in {400, 401}
        refusals = {"invalid_request", "missing_api_key", "invalid_api_key", "invalid_dpop_proof"}
        assert reply.json()["error"] in refusals


@pytest.mark.parametrize(
    "value",
    [
        "Bearer {}",
        "bearer {}",
        "BEARER {}",
        "bEaReR {}",
        "Bearer  {}",
        "Bearer\t{}",
        "{}",
        "  {}  ",
        "\t{}\t",
        "Bearer {} ",
    ],
)
def test_what_the_grammar_allows_is_read(house: RunningServer, mine: Party, value: str) -> None:
    """RFC 9110 §5.6.3, §11.1: too strict a reader turns good clients into attackers of their own limits."""
    for target in TARGETS:
        for _ in range(2):
            assert reply_to(house, target, f"Authorization: {value.format(mine.member.key)}").status in {
                200,
                204,
            }


@pytest.mark.parametrize(
    "connection",
    [
        "X-API-Key",
        "Authorization",
        "close, X-API-Key",
        "keep-alive, Authorization, X-Forwarded-For",
        "X-Auth-User",
        "Content-Length",
    ],
)
def test_a_header_that_is_named_hop_by_hop_is_judged_all_the_same(
    house: RunningServer, mine: Party, connection: str
) -> None:
    """Attack 37 (GHSA-w9mr-28mw-j8hg): naming a header in `Connection` made a proxy drop it after it was checked."""
    for target in TARGETS:
        good = reply_to(house, target, f"Connection: {connection}", f"X-API-Key: {mine.member.key}")
        assert good.status in {200, 204}
        assert reply_to(house, target, f"Connection: {connection}", "X-API-Key: x").status == 401
        two = (f"X-API-Key: {mine.member.key}", f"Authorization: Bearer {mine.owner.key}")
        assert reply_to(house, target, f"Connection: {connection}", *two).status == 400


@pytest.mark.parametrize(
    "headers",
    [
        ["X-Auth-User: usr_x"],
        ["X-User-Id: usr_x", "X-Tenant-Id: ten_x"],
        ["X-Forwarded-User: admin"],
        ["X-Role: owner", "X-Scopes: admin"],
        ["X-HTTP-Method-Override: DELETE"],
        ["X-Method-Override: PATCH", "X-HTTP-Method: PUT"],
        ["X-Forwarded-Prefix: /admin", "X-Script-Name: /admin", "SCRIPT_NAME: /admin"],
        ["X-Rewrite-URL: /v1/users", "X-Original-URL: /v1/users"],
        ["X-Request-Id: req_0000000000000000000000", "X-Correlation-Id: x"],
        ["Content-Type: application/json", "Accept: */*;q=0"],
        ["Origin: https://evil.example", "Referer: https://evil.example/"],
        ["Range: bytes=0-10", "If-None-Match: *", "If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT"],
        ["Max-Forwards: 0", "TE: trailers", "Trailer: X-API-Key", "Via: 1.1 x"],
        ["Forwarded: for=127.0.0.1;host=evil.example;proto=https"],
    ],
)
def test_no_other_header_changes_who_one_is(house: RunningServer, mine: Party, headers: list[str]) -> None:
    """Attack 37 (CVE-2026-33495), ASVS 4.1.3: an identity, a method or a path from a header nobody vouched for."""
    plain = reply_to(house, "/v1/users/me", key=mine.member.key)
    reply = reply_to(house, "/v1/users/me", *headers, key=mine.member.key)
    assert (reply.status, reply.json()) == (200, plain.json())
    assert reply.header("access-control-allow-origin") is None
    assert reply.header("x-request-id") != "req_0000000000000000000000"
    verified = reply_to(house, "/v1/auth/verify", *headers, key=mine.member.key)
    assert (verified.status, verified.json()["user_id"]) == (200, mine.member.id)
    assert reply_to(house, "/v1/users", *headers, key=mine.member.key).refuses(403, "insufficient_scope")


@pytest.mark.parametrize("separator", ["_", "-"])
def test_only_the_true_spelling_of_a_proxys_header_counts(
    tmp_path_factory: pytest.TempPathFactory, separator: str
) -> None:
    """Attack 37, attack 39: behind a trusted proxy, `X_Forwarded_For` comes from the client and not from the proxy."""
    folder = tmp_path_factory.mktemp("proxied")
    with running(house_settings(folder, trusted_proxies=("127.0.0.1",))) as server:
        server.create_plan("free")
        key = server.create_key(user_id=party(server).owner.id, allowed_ips=["192.0.2.1"])["key"]
        name = separator.join(("X", "Forwarded", "For"))
        for _ in range(2):
            answer = server.client(key).get("/v1/auth/verify", headers={name: "192.0.2.1"})
            assert answer.status_code == (200 if separator == "-" else 403)


def test_basic_holds_one_credential(house: RunningServer, mine: Party) -> None:
    """Attack 37, RFC 7617: where both halves are credentials, the password is the one; never the stronger one."""
    client = house.client()
    both = client.get("/v1/auth/verify", headers=basic(mine.owner.key, mine.member.key))
    assert both.json()["user_id"] == mine.member.id
    wrong = client.get("/v1/auth/verify", headers=basic(mine.owner.key, "wrong"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_api_key")
    assert client.get("/v1/auth/verify", headers=basic("", "")).json()["error"] == "missing_api_key"
    assert as_(house, mine.owner).get("/v1/auth/verify").status_code == 200
