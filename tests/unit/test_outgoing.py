"""Calls to URLs that strangers have named never become a way into the network that the server stands in."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from ipaddress import ip_address

import pytest
import structlog

from bonafides import outgoing
from bonafides.outgoing import BYTES_MAX, Fetched, Outgoing, Unfetched, is_public, may_be_named
from tests.elsewhere import Elsewhere, Reply, elsewhere


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """Somebody else's server."""
    with elsewhere(tmp_path_factory.mktemp("elsewhere")) as server:
        yield server


async def reason(calls: Outgoing, url: str) -> str:
    """Why a URL is not fetched."""
    found = await calls.get(url)
    assert isinstance(found, Unfetched), found
    return found.reason


async def test_what_stands_at_a_url_is_fetched_and_forms_are_delivered(other: Elsewhere) -> None:
    """A client's keys could not be read, nor could it be told of a logout."""
    other.replies["/keys?a=b"] = Reply(b'{"keys": []}')
    other.replies["/out"] = Reply(status=204)
    calls = Outgoing(private=True)
    found = await calls.get(other.url("/keys?a=b"))
    assert isinstance(found, Fetched)
    assert (found.status, found.body, found.headers["content-type"]) == (
        200,
        b'{"keys": []}',
        "application/json",
    )
    assert other.calls[-1].headers["host"] == f"localhost:{other.port}"
    told = await calls.post(other.url("/out"), {"logout_token": "a.b.c"})
    assert isinstance(told, Fetched)
    assert told.status == 204
    assert (other.calls[-1].method, other.calls[-1].body) == ("POST", b"logout_token=a.b.c")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:8.8.8.8%eth0",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
async def test_attack_48_no_address_of_a_private_network_is_called(address: str) -> None:
    """Attack 48: a client that names the cloud's metadata service, in any spelling, would read its secrets."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        assert (host, port) == ("rebound.example", 443)
        # One good address does not make up for the other: which one is taken must not be luck.
        return ["93.184.215.14", address] if "%" not in address else ["::1%eth0"]

    assert "private" in await reason(Outgoing(resolve=resolve), "https://rebound.example/keys")


async def test_attack_48_the_address_that_was_judged_is_the_one_that_is_called(
    other: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 48: a name that is public when it is judged and this machine's when it is called gets in (DNS rebinding)."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        assert port == other.port
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["203.0.113.1"]

    monkeypatch.setattr(outgoing, "is_public", lambda _: True)
    other.replies["/once"] = Reply(b"{}")
    found = await Outgoing(resolve=resolve).get(other.url("/once"))
    assert isinstance(found, Fetched)
    assert asked == ["localhost"]


def test_attack_48_public_addresses_are_told_from_private_ones() -> None:
    """Attack 48: the rule itself; a public address that is refused would lock honest clients out."""
    assert all(is_public(ip_address(each)) for each in ("93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8"))
    assert not any(is_public(ip_address(each)) for each in ("64:ff9b:1::1", "240.0.0.1", "198.18.0.1"))


async def test_the_log_names_the_host_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """ASVS 16.2.5: the path of a webhook's URL is often all that whoever calls it has to know."""
    told = structlog.testing.CapturingLogger()
    monkeypatch.setattr("bonafides.outgoing.log", told)
    assert await reason(Outgoing(), "http://hooks.example/services/T0/secret?token=secret")
    assert await reason(Outgoing(), "https://[secret")
    assert [call.kwargs["host"] for call in told.calls] == ["hooks.example", None]
    assert "secret" not in repr(told.calls)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/keys",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "//shop.example/keys",
        "https://shop.example@127.0.0.1/",
        "https://user:word@shop.example/",
        "https://shop.example\\@127.0.0.1/",
        "https://[::1]/",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https://shop.example:/",
        "https://shop.example/#keys",
        "https://shop.example/a b",
        "https://shop.example/\r\nHost: other",
        "https://sh%6fp.example/",
        "https://shöp.example/",
        "https://",
        "https://shop.example/" + "a" * 2_000,
    ],
)
async def test_attack_48_only_plain_https_urls_are_called(url: str) -> None:
    """Attack 48: what two readers take for two things is judged as one and called as the other."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        raise AssertionError((host, port))

    assert "https URL" in (why := await reason(Outgoing(resolve=resolve), url)) or "no URL" in why
    assert not may_be_named(url)
    assert may_be_named("https://shop.example:8443/keys?a=b%20c")


async def test_attack_48_redirects_are_not_followed(other: Elsewhere) -> None:
    """Attack 48: a public server sends the call on to where it may not go."""
    other.replies["/away"] = Reply(b"", 302, {"Location": other.url("/keys")})
    found = await Outgoing(private=True).get(other.url("/away"))
    assert isinstance(found, Fetched)
    assert found.status == 302
    assert other.calls[-1].path == "/away"


async def test_long_compressed_and_endless_answers_are_given_up(
    other: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 32: a stranger's server fills our memory, or holds a call for as long as it likes."""
    calls = Outgoing(private=True)
    other.replies["/long"] = Reply(b"x" * (BYTES_MAX + 1))
    assert "longer" in await reason(calls, other.url("/long"))
    other.replies["/bomb"] = Reply(b"\x1f\x8b", 200, {"Content-Encoding": "gzip"})
    assert "compressed" in await reason(calls, other.url("/bomb"))
    monkeypatch.setattr(outgoing, "SECONDS_MAX", 0.05)

    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(30)
        raise AssertionError((host, port))

    assert "too long" in await reason(Outgoing(private=True, resolve=never), "https://slow.example/")


async def test_a_server_that_cannot_prove_its_name_gets_nothing(other: Elsewhere) -> None:
    """ASVS 12.3.2: somebody in between would hand out keys of their own as the client's."""
    calls = Outgoing(private=True, context=ssl.create_default_context())
    strange = Outgoing(private=True, resolve=lambda *_: _loopback())
    asked = len(other.calls)
    assert await reason(strange, f"https://shop.example:{other.port}/keys") == "ConnectError"
    assert isinstance(await calls.get(other.url("/")), Fetched)
    assert len(other.calls) == asked + 1


async def _loopback() -> Sequence[str]:
    return ["127.0.0.1"]


async def test_a_name_without_an_address_or_a_server_is_told_as_such() -> None:
    """Whoever reads the log could not tell a typing error from an attack."""

    async def nothing(host: str, port: int) -> Sequence[str]:
        assert (host, port) == ("nowhere.example", 443)
        return []

    assert "no address" in await reason(Outgoing(resolve=nothing), "https://nowhere.example/")
    assert await reason(Outgoing(private=True, resolve=lambda *_: _loopback()), "https://shop.example:1/")
