"""Where a request comes from is what the connection says, or a proxy that the operator named; nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from tests.attacks.cast import Party, as_, house_settings, party
from tests.serving import RunningServer, running

CLAIMS: Final = (
    "X-Forwarded-For",
    "X-Real-IP",
    "Forwarded",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "X-Cluster-Client-IP",
    "X-Originating-IP",
    "X-Remote-Addr",
    "X-Remote-IP",
    "Client-IP",
    "X-ProxyUser-IP",
    "X-Envoy-External-Address",
    "X-Azure-ClientIP",
)
ALLOWED: Final = "192.0.2.7"


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server behind proxies: this machine, and two networks behind which more proxies stand."""
    folder = tmp_path_factory.mktemp("proxied")
    networks = ("127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48")
    settings = house_settings(
        folder,
        trusted_proxies=networks,
        public_url="https://auth.example.com/base",
        address_requests_per_minute=None,
    )
    with running(settings) as server:
        server.create_plan("enterprise")
        server.create_plan("free")
        yield server


@pytest.fixture(scope="module")
def behind(proxied: RunningServer) -> Party:
    """A tenant of that server."""
    return party(proxied)


def seen_address(server: RunningServer, there: Party, headers: list[tuple[str, str]]) -> str | None:
    """From where the server thinks that a request with these headers came, by its audit trail."""
    client = as_(server, there.owner)
    made = client.post("/v1/api-keys", json={"name": "x"}, headers=headers).json()
    events = client.get("/v1/audit", params={"subject_id": made["id"]}).json()["data"]
    address: str | None = events[0]["actor"]["address"]
    return address


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.parametrize(
    "value", [ALLOWED, f"{ALLOWED}, 127.0.0.1", f"for={ALLOWED}", f'for="{ALLOWED}:80";proto=https']
)
def test_without_a_trusted_proxy_nobodys_word_counts(
    house: RunningServer, mine: Party, name: str, value: str
) -> None:
    """Attack 39 (CVE-2023-36456), ASVS 4.1.3: a key that is bound to a network worked from everywhere with one header."""
    key = house.create_key(user_id=mine.owner.id, allowed_ips=[ALLOWED])["key"]
    client = house.client(key)
    for path in ("/v1/auth/verify", "/auth/forward", "/v1/users/me"):
        for _ in range(2):
            assert client.get(path, headers={name: value}).status_code == 403
    assert seen_address(house, mine, [(name, value)]) == "127.0.0.1"


@pytest.mark.parametrize("name", [name for name in CLAIMS if name != "X-Forwarded-For"])
def test_a_trusted_proxys_other_headers_do_not_count(
    proxied: RunningServer, behind: Party, name: str
) -> None:
    """Attack 39: a header that the proxy does not set is the client's, although the proxy passes it on."""
    assert seen_address(proxied, behind, [(name, ALLOWED)]) == "127.0.0.1"
    forwarded = [("X-Forwarded-For", "198.51.100.9"), (name, ALLOWED)]
    assert seen_address(proxied, behind, forwarded) == "198.51.100.9"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["198.51.100.9"], "198.51.100.9"),
        ([f"{ALLOWED}, 198.51.100.9"], "198.51.100.9"),
        ([f"{ALLOWED}", "198.51.100.9"], "198.51.100.9"),
        ([f"{ALLOWED},198.51.100.9,10.1.2.3"], "198.51.100.9"),
        ([f"{ALLOWED}, 198.51.100.9, 10.1.2.3, 127.0.0.1"], "198.51.100.9"),
        ([f"{ALLOWED}", "198.51.100.9", "10.1.2.3"], "198.51.100.9"),
        (["10.1.2.3, 10.4.5.6"], "10.1.2.3"),
        ([f"{ALLOWED}, 10.1.2.3, 198.51.100.9, 10.4.5.6"], "198.51.100.9"),
        (["198.51.100.9:4711"], "198.51.100.9"),
        (["[2001:db8::9]:4711"], "2001:db8::9"),
        (["2001:db8::9"], "2001:db8::9"),
        (["2001:db8:ffff::1, 2001:db8::9, 2001:db8:ffff::2"], "2001:db8::9"),
        (["::ffff:198.51.100.9"], "198.51.100.9"),
        (["::ffff:10.1.2.3, 198.51.100.9, ::ffff:10.1.2.3"], "198.51.100.9"),
        (["fe80::9%eth0"], "fe80::9"),
        ([f"{ALLOWED}, garbage"], "127.0.0.1"),
        ([f"{ALLOWED}, garbage, 10.1.2.3"], "10.1.2.3"),
        ([f"{ALLOWED},"], "127.0.0.1"),
        ([f"{ALLOWED}, unknown"], "127.0.0.1"),
        ([f"{ALLOWED}, _hidden"], "127.0.0.1"),
        ([f"{ALLOWED}, 198.51.100"], "127.0.0.1"),
        ([f"{ALLOWED}, 0x7f.1"], "127.0.0.1"),
        ([f"{ALLOWED}, 2130706433"], "127.0.0.1"),
        ([f"{ALLOWED}, 010.1.2.3"], "127.0.0.1"),
        ([f"{ALLOWED}; 198.51.100.9"], "127.0.0.1"),
        ([""], "127.0.0.1"),
        (["," * 500], "127.0.0.1"),
        ([", ".join([ALLOWED] + ["10.1.2.3"] * 40)], "10.1.2.3"),
        ([", ".join([ALLOWED] * 500 + ["198.51.100.9"])], "198.51.100.9"),
    ],
)
def test_the_rightmost_stranger_is_the_client(
    proxied: RunningServer, behind: Party, values: list[str], expected: str
) -> None:
    """Attack 39: what stands left of the first untrusted hop, the client itself has written there."""
    assert seen_address(proxied, behind, [("X-Forwarded-For", value) for value in values]) == expected


@pytest.mark.parametrize("prefix", ["", "garbage, ", f"{ALLOWED}, "])
def test_a_key_that_is_bound_to_a_network_needs_the_true_address(
    proxied: RunningServer, behind: Party, prefix: str
) -> None:
    """Attack 39: on the slow and on the fast way alike, the network is that of the true client."""
    key = proxied.create_key(user_id=behind.owner.id, allowed_ips=[f"{ALLOWED}/32"])["key"]
    client = proxied.client(key)
    for path in ("/v1/auth/verify", "/auth/forward", "/v1/users/me"):
        for address, good in (
            (ALLOWED, True),
            ("198.51.100.9", False),
            (f"::ffff:{ALLOWED}", True),
            ("::1", False),
        ) * 2:
            status = client.get(path, headers={"X-Forwarded-For": prefix + address}).status_code
            assert (status < 300) is good, (path, address)
        assert client.get(path).status_code == 403


def test_what_was_allowed_on_a_connection_is_asked_anew_for_another_address(
    proxied: RunningServer, behind: Party
) -> None:
    """Attack 39: a proxy's connection carries everybody's requests: one good address would let a stolen key in from anywhere."""
    made = proxied.create_key(user_id=behind.owner.id, allowed_ips=[ALLOWED, "2001:db8::/32"])
    caller = proxied.client(made["key"])

    def status(address: str, path: str = "/v1/auth/verify") -> int:
        return caller.get(path, headers={"X-Forwarded-For": address}).status_code

    inside, outside = (ALLOWED, "2001:db8::1", "::ffff:192.0.2.7"), ("192.0.2.8", "2001:db9::1", "nowhere")
    for _ in range(4):
        assert [status(address) for address in inside for _ in range(3)] == [200] * 9
        assert {status(address) for address in outside} == {403}
        assert [status(address, "/auth/forward") for address in inside for _ in range(3)] == [204] * 9
        assert {status(address, "/auth/forward") for address in outside} == {403}
    admin = proxied.client(proxied.founded.api_key)
    changed = admin.patch(f"/v1/api-keys/{made['id']}", json={"allowed_ips": ["2001:db8::/32"]})
    assert changed.status_code == 200
    assert [status(address) for address in inside] == [403, 200, 403]


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "0.0.0.0/0,10.0.0.0/8"])
def test_everybody_is_no_proxy(network: str) -> None:
    """Attack 34 (CVE-2026-76835), attack 39: the default of trusting everybody undid the fix of the first hole."""
    with pytest.raises(ValueError, match="every address"):
        house_settings(Path(), trusted_proxies=network)


HOSTILE: Final[tuple[dict[str, str], ...]] = (
    {"Host": "evil.example"},
    {"Host": "evil.example:443", "X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443"},
    {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Server": "evil.example", "X-Host": "evil.example"},
    {"Forwarded": "host=evil.example;proto=http", "X-Original-Host": "evil.example"},
    {"X-Forwarded-Scheme": "http", "X-Scheme": "http", "Front-End-Https": "off"},
    {"Host": 'evil.example"><script>', "Referer": "https://evil.example/"},
)


def _stable(answer: httpx2.Response) -> tuple[int, str, dict[str, str]]:
    """An answer without what differs in any two answers."""
    text = re.sub(r"req_[0-9A-Za-z]+|key_[0-9A-Za-z]+|bf_key_\w+(\u2026\w+)?", "<id>", answer.text)
    moving = {"date", "x-request-id", "location", "content-length"}
    return (
        answer.status_code,
        text,
        {name: value for name, value in answer.headers.items() if name not in moving},
    )


@pytest.mark.parametrize("headers", HOSTILE)
@pytest.mark.parametrize("trusting", [True, False])
def test_no_link_is_made_of_what_the_client_says(
    house: RunningServer,
    mine: Party,
    proxied: RunningServer,
    behind: Party,
    headers: dict[str, str],
    trusting: bool,  # noqa: FBT001
) -> None:
    """Attack 39 (CVE-2025-64101, GHSA-93m4-mfpg-c3xf): links in answers and mails led to the attacker's host."""
    server, there = (proxied, behind) if trusting else (house, mine)
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/v1/auth/verify", {}),
        ("GET", "/nowhere", {}),
        ("GET", "/v1/api-keys/key_x", {}),
        ("GET", "/", {}),
        ("GET", "/.well-known/oauth-protected-resource", {}),
        ("GET", "/openapi.json", {}),
        ("GET", "/docs", {}),
        ("POST", "/v1/api-keys", {"json": {"name": "x"}}),
        ("PUT", "/v1/api-keys", {}),
    ]
    for key in (None, there.member.key):
        client = server.client(key)
        for method, path, options in calls:
            plain = client.request(method, path, **options)
            hostile = client.request(method, path, headers=headers, **options)
            assert _stable(hostile) == _stable(plain), path
            assert "evil" not in hostile.headers.get("location", "")
            assert "evil" not in str(hostile.headers)


def test_links_are_made_of_the_setting(proxied: RunningServer, behind: Party) -> None:
    """Attack 39: the operator's word is the only one that links are made of."""
    answer = proxied.client().get("/v1/auth/verify")
    assert answer.json()["doc_url"].startswith("https://auth.example.com/base/docs/errors/")
    assert (
        'resource_metadata="https://auth.example.com/base/.well-known/' in answer.headers["www-authenticate"]
    )
    assert (
        as_(proxied, behind.owner)
        .post("/v1/api-keys", json={"name": "x"})
        .headers["location"]
        .startswith("/v1/")
    )
