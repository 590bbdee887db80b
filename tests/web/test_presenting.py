"""§2: how a credential may be presented, in each place that takes one, and how it may not."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

import httpx2
import pytest

from tests.web.tenancy import Tenancy, refusal

Headers = list[tuple[str, str]]


def basic(user_name: str, password: str) -> str:
    """The value of an Authorization header with this pair."""
    return "Basic " + base64.b64encode(f"{user_name}:{password}".encode()).decode()


WAYS: Final[dict[str, Callable[[str], tuple[str, str]]]] = {
    "bearer": lambda key: ("Authorization", f"Bearer {key}"),
    "lower case": lambda key: ("authorization", f"bearer {key}"),
    "upper case": lambda key: ("AUTHORIZATION", f"BEARER {key}"),
    "mixed case": lambda key: ("Authorization", f"bEaReR {key}"),
    "two spaces": lambda key: ("Authorization", f"Bearer  {key}"),
    "no scheme": lambda key: ("Authorization", key),
    "own header": lambda key: ("X-API-Key", key),
    "own header, lower case": lambda key: ("x-api-key", key),
    "basic user name": lambda key: ("Authorization", basic(key, "")),
    "basic password": lambda key: ("Authorization", basic("anybody", key)),
    "basic password alone": lambda key: ("Authorization", basic("", key)),
    "basic in any case": lambda key: ("Authorization", basic(key, "").replace("Basic", "bAsIc")),
}
PLACES: Final[dict[str, tuple[str, str, int]]] = {
    "self": ("GET", "/v1/auth/verify", 200),
    "self by POST": ("POST", "/v1/auth/verify", 200),
    "forward auth": ("GET", "/auth/forward", 204),
    "forward auth for nginx": ("GET", "/auth/forward/nginx", 204),
    "forward auth for Envoy": ("DELETE", "/auth/forward/envoy/orders/7?expand=items", 204),
    "a resource server's question": ("POST", "/v1/credentials/verify", 200),
    "management": ("GET", "/v1/api-keys", 200),
}


def send(tenancy: Tenancy, headers: Headers, url: str = "") -> Iterator[tuple[str, int, httpx2.Response]]:
    """The answer of each place to these headers, beside what it answers when all is well."""
    for place, (method, path, good) in PLACES.items():
        body = {"credential": "nothing"} if path == "/v1/credentials/verify" else None
        added = url.replace("?", "&") if "?" in path else url
        yield place, good, tenancy.client().request(method, path + added, headers=headers, json=body)


def assert_refused(
    tenancy: Tenancy, headers: Headers, status: int, error: str, field: str | None = None
) -> None:
    """Every place refuses these headers with this status and code, and names this field."""
    for place, _, answer in send(tenancy, headers):
        assert refusal(answer) == (status, error), place
        assert answer.json().get("field") == field, place
        assert field is None or field in answer.json()["message"] or field == "Authorization", place


@pytest.mark.parametrize("way", WAYS)
def test_every_way_is_taken_in_every_place(tenancy: Tenancy, way: str) -> None:
    """A client whose library can only send one of them would be locked out of part of the API."""
    for place, good, answer in send(tenancy, [WAYS[way](tenancy.owner_key["key"])]):
        assert answer.status_code == good, place
        if place.startswith("self"):
            assert answer.json()["credential"]["id"] == tenancy.owner_key["id"]
        if place.startswith("forward"):
            assert answer.headers["X-Auth-Credential"] == tenancy.owner_key["id"]


@pytest.mark.parametrize(
    "name",
    [
        "Proxy-Authorization",
        "X-Api-Token",
        "X-Auth-Token",
        "Api-Key",
        "X-Forwarded-Authorization",
        "X-Auth-User",
    ],
)
def test_no_other_header_is_a_credential(tenancy: Tenancy, name: str) -> None:
    """A header that a proxy does not know to strip could carry somebody else's credential in."""
    for value in (tenancy.owner_key["key"], f"Bearer {tenancy.owner_key['key']}"):
        assert_refused(tenancy, [(name, value)], 401, "missing_api_key")


@pytest.mark.parametrize("scheme", ["Token", "Digest", "ApiKey", "Key", "Negotiate", "Bearer:"])
def test_no_other_scheme_is_a_credential(tenancy: Tenancy, scheme: str) -> None:
    """A scheme with rules of its own (Digest) would be taken without its proof."""
    headers = [("Authorization", f"{scheme} {tenancy.owner_key['key']}")]
    assert_refused(tenancy, headers, 401, "missing_api_key")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Basic")],
        [("Authorization", "Basic Og==")],
        [("X-API-Key", "")],
        [("Authorization", ""), ("X-API-Key", "")],
    ],
)
def test_an_empty_credential_is_none(tenancy: Tenancy, headers: Headers) -> None:
    """A script whose variable is empty would be told that its key is wrong, and look for the fault there."""
    assert_refused(tenancy, headers, 401, "missing_api_key")


@pytest.mark.parametrize(
    "name", ["session", "__Host-session", "__Host-bonafides", "Authorization", "api_key", "X-API-Key"]
)
def test_a_cookie_that_the_server_did_not_set_is_no_credential(tenancy: Tenancy, name: str) -> None:
    """Browsers send cookies by themselves, so any page could act with a key that lies in one."""
    headers = [("Cookie", f"{name}={tenancy.owner_key['key']}")]
    assert_refused(tenancy, headers, 401, "missing_api_key")


@pytest.mark.parametrize(
    "cookie", ["__Host-session=nonsense", "__Host-session=", "a=b; __Host-session=eyJ.x.y"]
)
def test_a_header_wins_over_a_cookie(tenancy: Tenancy, cookie: str) -> None:
    """A developer who is signed in to the pages could not try a key from the same browser."""
    headers = [("Cookie", cookie), ("Authorization", f"Bearer {tenancy.owner_key['key']}")]
    for place, good, answer in send(tenancy, headers):
        assert answer.status_code == good, place


PAIRS: Final = [
    ("bearer", "own header"),
    ("no scheme", "own header"),
    ("basic user name", "own header"),
    ("basic password", "own header"),
    ("bearer", "bearer"),
    ("bearer", "basic password"),
    ("own header", "own header"),
]


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_two_at_once_are_refused(tenancy: Tenancy, pair: tuple[str, str]) -> None:
    """Two servers in a row that pick differently would see two different callers."""
    plan = tenancy.plan(10)
    one, other = tenancy.key(plan=plan, scopes=["read"]), tenancy.key(plan=plan, scopes=["read"])
    for second in (other["key"], one["key"], "wrong"):
        headers = [WAYS[pair[0]](one["key"]), WAYS[pair[1]](second)]
        assert_refused(tenancy, headers, 400, "invalid_request", "Authorization")
    for key in (one, other):
        assert tenancy.verify(key["key"]).headers["X-RateLimit-Remaining"] == "9", "it was counted"


@pytest.mark.parametrize(
    "value",
    [
        "Bearer one two",
        "Bearer one, Bearer two",
        "Basic not-base64",
        "Basic Zm9v Zm9v",
        "Basic " + base64.b64encode(b"user:pass word").decode(),
        "Basic " + base64.b64encode(b"line\nbreak:").decode(),
        "Basic " + base64.b64encode(b"user:nul\x00").decode(),
    ],
)
def test_what_cannot_be_read_is_malformed(tenancy: Tenancy, value: str) -> None:
    """Somebody who quotes wrongly would be told that their key is wrong."""
    assert_refused(tenancy, [("Authorization", value)], 400, "invalid_request", "Authorization")


def test_spaces_within_the_own_header_are_malformed(tenancy: Tenancy) -> None:
    """`X-API-Key: Bearer …` is the most common slip, and the answer should say so."""
    headers = [("X-API-Key", f"Bearer {tenancy.owner_key['key']}")]
    assert_refused(tenancy, headers, 400, "invalid_request", "X-API-Key")


@pytest.mark.parametrize("path", ["/v1/auth/verify", "/auth/forward", "/v1/api-keys"])
@pytest.mark.parametrize("header", ["Authorization: Bearer {}", "X-API-Key: {}", "Authorization: {}"])
@pytest.mark.parametrize("character", [b"\x00", b"\x01", b"\x08", b"\x0b", b"\x1b", b"\x7f"])
def test_control_characters_are_malformed(tenancy: Tenancy, character: bytes, header: str, path: str) -> None:
    """A parser further back could end the header there, and read another credential than we did."""
    key = tenancy.owner_key["key"].encode()
    line = header.encode().replace(b"{}", key[:20] + character + key[20:])
    answer = tenancy.server.raw(f"GET {path} HTTP/1.1\r\n".encode() + line)
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"]


@pytest.mark.parametrize("value", [b"\xff\xfe", "schlüssel".encode(), "schlüssel".encode("latin-1")])
def test_a_credential_that_is_not_ascii_is_unknown(tenancy: Tenancy, value: bytes) -> None:
    """A fault in decoding would be answered with 500."""
    answer = tenancy.client().get("/v1/auth/verify", headers=[(b"X-API-Key", value)])
    assert refusal(answer) == (401, "invalid_api_key")


URLS: Final[dict[str, Callable[[str], str]]] = {
    "api_key": lambda key: f"?api_key={key}",
    "apikey": lambda key: f"?apikey={key}",
    "access_token": lambda key: f"?access_token={key}",
    "any name": lambda key: f"?q={key}",
    "name alone": lambda key: f"?{key}",
    "Bearer": lambda key: f"?authorization=Bearer+{key}",
    "encoded": lambda key: "?q=" + "".join(f"%{ord(letter):02x}" for letter in key),
    "encoded twice": lambda key: "?q=" + quote("".join(f"%{ord(letter):02x}" for letter in key)),
    "in the path": lambda key: f"/{key}",
    "in the path, encoded": lambda key: f"/{key.replace('_', '%5F')}",
    "among others": lambda key: f"?scope=read&limit=3&token={key}&x=y",
    "a foreign one by its name": lambda _: "?api_key=sk_live_0123456789",
    "a foreign one in upper case": lambda _: "?X-API-Key=sk_live_0123456789",
    "a foreign one encoded": lambda _: "?%61pi_key=sk_live_0123456789",
}


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("header", [False, True], ids=["alone", "beside a header"])
def test_a_credential_in_the_url_is_refused_and_not_used(tenancy: Tenancy, url: str, *, header: bool) -> None:
    """URLs end in logs, histories and Referer headers; whoever reads one there would hold the key."""
    key = tenancy.key(plan=tenancy.plan(10), scopes=["read"])
    headers = [WAYS["bearer"](tenancy.owner_key["key"])] if header else []
    for place, _, answer in send(tenancy, headers, URLS[url](key["key"])):
        assert refusal(answer) == (400, "invalid_request"), place
        assert answer.json()["field"] == "URL", place
        assert key["key"] not in answer.text, place
    assert tenancy.verify(key["key"]).headers["X-RateLimit-Remaining"] == "9", "it was used"


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Uri", "X-Original-URI", "X-Original-URL", "X-Envoy-Original-Path"]
)
def test_forward_auth_refuses_a_credential_in_the_original_url(tenancy: Tenancy, name: str) -> None:
    """The API behind a proxy would go on taking keys from URLs."""
    headers = {"Authorization": f"Bearer {tenancy.owner_key['key']}"}
    client = tenancy.client()
    good = client.get("/auth/forward", headers={**headers, name: "/orders?page=2"})
    assert good.status_code == 204
    for uri in (f"/orders?key={tenancy.owner_key['key']}", "/orders?access_token=abc"):
        assert refusal(client.get("/auth/forward", headers={**headers, name: uri})) == (
            400,
            "invalid_request",
        )


@pytest.mark.parametrize("length", [1, 7, 100, 4_000, 20_000])
def test_no_shape_is_refused_by_its_length(tenancy: Tenancy, length: int) -> None:
    """A foreign key that was imported could not be presented."""
    assert refusal(tenancy.verify("k" * length)) == (401, "invalid_api_key")
