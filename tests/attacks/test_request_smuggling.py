"""One stream of bytes is one list of requests, whoever reads it: proxy and server must not disagree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import pytest

from tests.attacks.cast import Party
from tests.attacks.wire import request, wire
from tests.serving import RunningServer

VERIFY: Final = "/v1/auth/verify"

AMBIGUOUS_LENGTHS: Final = {
    "length and chunks": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "chunks and length": ["Transfer-Encoding: chunked", "Content-Length: 5"],
    "length of nothing and chunks": ["Content-Length: 0", "Transfer-Encoding: chunked"],
    "two lengths": ["Content-Length: 0", "Content-Length: 5"],
    "the same length twice": ["Content-Length: 0", "Content-Length: 0"],
    "a list of lengths": ["Content-Length: 0, 5"],
    "a list of one length": ["Content-Length: 5, 5"],
    "a signed length": ["Content-Length: +0"],
    "a negative length": ["Content-Length: -1"],
    "a hexadecimal length": ["Content-Length: 0x0"],
    "a length with an exponent": ["Content-Length: 0e1"],
    "a length with an underscore": ["Content-Length: 1_0"],
    "a fractional length": ["Content-Length: 0.0"],
    "an empty length": ["Content-Length: "],
    "a quoted length": ['Content-Length: "0"'],
    "a length that overflows": ["Content-Length: 18446744073709551616"],
    "a length before a space": ["Content-Length : 0"],
    "a length after a space": [" Content-Length: 0"],
    "a length in a folded line": ["Content-Length:", " 0"],
    "chunks before a space": ["Transfer-Encoding : chunked"],
    "chunks in a folded line": ["Transfer-Encoding:", " chunked"],
    "chunks after a vertical tab": ["Transfer-Encoding: \x0bchunked"],
    "chunks and no more": ["Transfer-Encoding: chunked, identity"],
    "chunks of something else": ["Transfer-Encoding: gzip, chunked"],
    "chunks by another name": ["Transfer-Encoding: xchunked"],
    "chunks in quotes": ['Transfer-Encoding: "chunked"'],
    "chunks twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "chunks and identity": ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    "identity and chunks": ["Transfer-Encoding: identity", "Transfer-Encoding: chunked"],
    "identity": ["Transfer-Encoding: identity"],
    "no transfer coding": ["Transfer-Encoding: "],
    "half a transfer coding": ["Transfer-Encoding: chunk"],
}
BROKEN_CHUNKS: Final = {
    "a size that is none": b"ZZ\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a signed size": b"+2\r\n{}\r\n0\r\n\r\n",
    "a size with a prefix": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a size with a space before it": b" 2\r\n{}\r\n0\r\n\r\n",
    "a size that overflows": b"10000000000000002\r\n{}\r\n0\r\n\r\n",
    "an empty size": b"\r\n{}\r\n0\r\n\r\n",
    "a size that is too small": b"1\r\n{}\r\n0\r\n\r\n",
    "no end of the chunk": b"2\r\n{}0\r\n\r\n",
    "an end without carriage return": b"2\r\n{}\n0\r\n\r\n",
    "lines without carriage return": b"2\n{}\n0\n\n",
    "lines without line feed": b"2\r{}\r0\r\r",
    "a line feed in an extension": b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    "a control character in an extension": b"2;a=\x01\r\n{}\r\n0\r\n\r\n",
    "a trailer without a colon": b"2\r\n{}\r\n0\r\nX-Trailer\r\n\r\n",
    "a trailer that goes on": b"2\r\n{}\r\n0\r\nX-Trailer: a\r\n b\r\n\r\n",
}
BROKEN_HEADS: Final = {
    "a folded line": "X-Note: a\r\n b",
    "a folded credential": "X-API-Key:\r\n {key}",
    "a space before the colon": "X-API-Key : {key}",
    "a tab before the colon": "X-API-Key\t: {key}",
    "a space before the name": " X-API-Key: {key}",
    "a name with a space": "X API-Key: {key}",
    "a name with a control character": "X-API\x01-Key: {key}",
    "a name with a parenthesis": "X-API(Key): {key}",
    "a name beyond ASCII": "X-API-K\xe9y: {key}",
    "no name": ": {key}",
    "no colon": "X-API-Key {key}",
    "NUL": "X-API-Key: {key}\x00",
    "NUL before the value": "X-API-Key: \x00{key}",
    "backspace": "X-API-Key: {key}\x08",
    "vertical tab": "X-API-Key: {key}\x0b",
    "form feed": "X-API-Key: {key}\x0c",
    "escape": "X-API-Key: \x1b[0m{key}",
    "delete": "X-API-Key: {key}\x7f",
    "a carriage return alone": "X-Note: a\rX-API-Key: {key}",
    "a line feed alone": "X-Note: a\nX-API-Key: {key}",
}
BROKEN_REQUEST_LINES: Final = {
    "no version": "GET {target}",
    "HTTP/0.9": "GET {target} HTTP/0.9",
    "HTTP/1.2": "GET {target} HTTP/1.2",
    "HTTP/2.0": "GET {target} HTTP/2.0",
    "HTTP/11": "GET {target} HTTP/11",
    "another protocol": "GET {target} ICAP/1.0",
    "a method in lower case": "get {target} HTTP/1.1",
    "an invented method": "VERIFY {target} HTTP/1.1",
    "tabs between the parts": "GET\t{target}\tHTTP/1.1",
    "two spaces": "GET {target} x HTTP/1.1",
    "bytes beyond ASCII": "GET {target}\xe9 HTTP/1.1",
    "a control character": "GET {target}\x01 HTTP/1.1",
    "a target without a slash": "GET v1/auth/verify HTTP/1.1",
    "an authority alone": "CONNECT api.example.com:443 HTTP/1.1",
    "a user name": "GET http://somebody@api.example.com{target} HTTP/1.1",
    "a fragment": "GET {target}#part HTTP/1.1",
    "a fragment in the query": "GET {target}?scope=read#part HTTP/1.1",
    "the preface of HTTP/2": "PRI * HTTP/2.0",
}


@pytest.fixture
def victim(house: RunningServer, mine: Party) -> Iterator[str]:
    """The id of a key that a smuggled request tries to revoke."""
    key_id = house.create_key(user_id=mine.owner.id)["id"]
    yield key_id
    shown = house.admin.get(f"/v1/api-keys/{key_id}").json()
    assert shown["status"] == "active", "the smuggled request was carried out"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("headers", AMBIGUOUS_LENGTHS.values(), ids=AMBIGUOUS_LENGTHS)
def test_a_body_of_doubtful_length_is_refused_with_all_that_follows(
    house: RunningServer, mine: Party, victim: str, headers: list[str], method: str
) -> None:
    """Attack 55, ASVS 4.2.1: what a proxy took for a body would run as a request of the next who uses the connection."""
    smuggled = request("DELETE", f"/v1/api-keys/{victim}", key=house.founded.api_key)
    attack = request(method, VERIFY, *headers, body=b"0\r\n\r\n" + smuggled, key=mine.owner.key)
    with wire(house.url) as connection:
        connection.send(attack)
        assert connection.reply().refuses(400, "invalid_request")
        assert connection.is_closed()


@pytest.mark.parametrize("headers", AMBIGUOUS_LENGTHS.values(), ids=AMBIGUOUS_LENGTHS)
def test_a_doubtful_length_is_refused_on_a_used_connection_too(
    house: RunningServer, mine: Party, victim: str, headers: list[str]
) -> None:
    """Attack 55: the parser of the second request must be as strict as that of the first."""
    smuggled = request("DELETE", f"/v1/api-keys/{victim}", key=house.founded.api_key)
    with wire(house.url) as connection:
        for _ in range(2):
            connection.send(request("GET", VERIFY, key=mine.owner.key))
            assert connection.reply().status == 200
        connection.send(request("POST", "/v1/credentials/verify", *headers, body=b"0\r\n\r\n" + smuggled))
        assert connection.reply().refuses(400, "invalid_request")
        assert connection.is_closed()


@pytest.mark.parametrize("body", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS)
def test_broken_chunks_create_nothing(house: RunningServer, mine: Party, victim: str, body: bytes) -> None:
    """Attack 55 (CVE-2024-1135, CVE-2025-43859): a lenient reader of chunks sees another end than a strict one."""
    client = house.client(mine.owner.key)
    before = client.get("/v1/api-keys").json()
    smuggled = request("DELETE", f"/v1/api-keys/{victim}", key=house.founded.api_key)
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    with wire(house.url) as connection:
        chunks = body.replace(b"{}", b"{}") + smuggled
        connection.send(request("POST", "/v1/api-keys", *headers, body=chunks, key=mine.owner.key))
        assert connection.reply().refuses(400, "invalid_request")
        assert connection.is_closed()
    after = client.get("/v1/api-keys").json()
    assert [key["id"] for key in after["data"]] == [key["id"] for key in before["data"]]


@pytest.mark.parametrize("line", BROKEN_HEADS.values(), ids=BROKEN_HEADS)
def test_a_broken_header_is_refused_and_its_credential_not_used(
    house: RunningServer, mine: Party, line: str
) -> None:
    """Attack 37, attack 55: a header that one reader sees and another does not is how identities are smuggled."""
    with wire(house.url) as connection:
        connection.send(request("GET", VERIFY, line.format(key=mine.owner.key)))
        reply = connection.reply()
        assert reply.refuses(400, "invalid_request")
        assert mine.owner.key.encode() not in reply.body
        assert connection.is_closed()


@pytest.mark.parametrize("line", BROKEN_REQUEST_LINES.values(), ids=BROKEN_REQUEST_LINES)
def test_a_broken_request_line_is_refused(house: RunningServer, mine: Party, line: str) -> None:
    """Attack 55, ASVS 4.2.1: a target or version that a proxy reads otherwise gets past its rules."""
    head = f"{line.format(target=VERIFY)}\r\nHost: x\r\nAuthorization: Bearer {mine.owner.key}\r\n\r\n"
    with wire(house.url) as connection:
        connection.send(head.encode("latin-1"))
        assert connection.reply().refuses(400, "invalid_request")
        assert connection.is_closed()


@pytest.mark.parametrize(
    "trailer",
    [
        "Authorization: Bearer {key}",
        "X-API-Key: {key}",
        "authorization: {key}",
        "AUTHORIZATION: Bearer {key}",
    ],
)
@pytest.mark.parametrize("pieces", [1, 2])
def test_a_trailer_is_no_header(house: RunningServer, mine: Party, trailer: str, pieces: int) -> None:
    """Attack 55, attack 37: a credential behind the body, which no proxy looks at, once opened the door.

    See: RFC 9110 §6.5.1
    """
    head = request("POST", VERIFY, "Transfer-Encoding: chunked")
    tail = f"0\r\n{trailer.format(key=mine.owner.key)}\r\n\r\n".encode()
    with wire(house.url) as connection:
        for part in [head + tail] if pieces == 1 else [head, tail]:
            connection.send(part)
        assert connection.reply().refuses(401, "missing_api_key")


def test_a_trailer_changes_nothing_about_the_request(house: RunningServer, mine: Party) -> None:
    """Attack 55: a second credential, a coding or an address behind the body would change what was judged."""
    body = json.dumps({"credential": mine.member.key}).encode()
    chunks = b"%x\r\n%s\r\n0\r\n" % (len(body), body)
    trailers = (
        f"X-API-Key: {mine.member.key}\r\nContent-Encoding: gzip\r\n"
        "Idempotency-Key: x\r\nContent-Type: text/plain\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
    )
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    with wire(house.url) as connection:
        head = request("POST", "/v1/credentials/verify", *headers, key=mine.owner.key)
        for _ in range(2):
            connection.send(head + chunks + trailers.encode())
            assert connection.reply().json()["valid"] is True


def test_pipelined_requests_are_answered_in_order(house: RunningServer, mine: Party) -> None:
    """Attack 55: an answer that overtakes another tells one user what the other asked."""
    question = json.dumps({"credential": mine.member.key}).encode()
    parts = [
        (request("GET", VERIFY, key=mine.owner.key), 200),
        (request("GET", "/v1/users/me", key=mine.member.key), 200),
        (request("GET", VERIFY, key=mine.member.key), 200),
        (request("GET", VERIFY, key="bf_key_nonsense"), 401),
        (
            request(
                "POST",
                "/v1/credentials/verify",
                "Content-Type: application/json",
                f"Content-Length: {len(question)}",
                body=question,
                key=mine.admin.key,
            ),
            200,
        ),
        (request("GET", "/auth/forward", key=mine.admin.key), 204),
        (request("GET", "/v1/users/me", key=mine.admin.key), 200),
        (request("GET", "/nowhere"), 404),
        (request("GET", VERIFY, key=mine.owner.key), 200),
    ]
    whose = [
        mine.owner,
        mine.member,
        mine.member,
        None,
        mine.member,
        mine.admin,
        mine.admin,
        None,
        mine.owner,
    ]
    for _ in range(2):  # cold, then resident
        with wire(house.url) as connection:
            connection.send(b"".join(part for part, _ in parts))
            for (_, status), somebody in zip(parts, whose, strict=True):
                reply = connection.reply()
                assert reply.status == status
                if somebody is not None:
                    body = reply.json() if reply.body else {}
                    user_id = body.get("user_id") or body.get("id") or reply.header("x-auth-user")
                    assert user_id == somebody.id


@pytest.mark.parametrize("target", [VERIFY, "/v1/users/me"])
def test_garbage_behind_a_request_does_not_take_its_answer(
    house: RunningServer, mine: Party, target: str
) -> None:
    """Attack 55: the refusal of the garbage would arrive as the answer to the request before it."""
    with wire(house.url) as connection:
        connection.send(request("GET", target, key=mine.member.key) + b"\x00garbage\r\n\r\n")
        reply = connection.reply()
        assert (reply.status, mine.member.id in reply.body.decode()) == (200, True)
        connection.drain()


@pytest.mark.parametrize("target", [VERIFY, "/v1/users/me", "/auth/forward"])
@pytest.mark.parametrize("protocol", ["websocket", "h2c", "TLS/1.0", "HTTP/2.0", "anything"])
def test_an_upgrade_does_not_poison_the_connection(
    house: RunningServer, mine: Party, target: str, protocol: str
) -> None:
    """Attack 37, attack 55: behind a proxy that lets `Upgrade` through, the next user's request would hang unread."""
    upgrade = ("Connection: Upgrade", f"Upgrade: {protocol}")
    with wire(house.url) as connection:
        connection.send(request("GET", target, *upgrade, key=mine.member.key))
        connection.send(request("GET", VERIFY, key=mine.owner.key))
        reply = connection.reply()
        assert reply.status in {200, 204}
        assert reply.header("connection") == "close"
        assert connection.is_closed()


def test_a_body_is_read_whatever_protocol_is_asked_for(house: RunningServer, mine: Party) -> None:
    """Attack 55, RFC 9110 §7.8: who offers another protocol, as Java's client does unasked, still sends this one's body."""
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    body = json.dumps({"credential": mine.member.key}).encode()
    length = f"Content-Length: {len(body)}"
    kind = "Content-Type: application/json"
    target = "/v1/credentials/verify"
    whole = request("POST", target, *upgrade, kind, length, body=body, key=house.founded.api_key)
    with wire(house.url) as connection:
        for cut in (len(whole), 30, len(whole) - len(body), len(whole) - 5):
            connection.send(whole[:cut])
            connection.send(whole[cut:])
            reply = connection.reply()
            assert (reply.status, reply.json()["valid"]) == (200, True), cut
        both = request("POST", target, *upgrade, kind, length, "Transfer-Encoding: chunked", body=body)
        connection.send(both)
        assert connection.reply().status == 400
        assert connection.is_closed()
    with wire(house.url) as connection:
        connection.send(whole * 5_000)
        assert connection.reply().json()["valid"] is True


def test_a_close_is_the_last_word(house: RunningServer, mine: Party, victim: str) -> None:
    """Attack 55: a request behind `Connection: close` belongs to nobody."""
    smuggled = request("DELETE", f"/v1/api-keys/{victim}", key=house.founded.api_key)
    with wire(house.url) as connection:
        connection.send(request("GET", VERIFY, "Connection: close", key=mine.owner.key) + smuggled)
        assert connection.reply().status == 200
        assert connection.is_closed()


def test_the_body_of_a_request_that_takes_none_is_not_the_next_request(
    house: RunningServer, mine: Party, victim: str
) -> None:
    """Attack 55: a server that does not read the body of a GET takes it for a request of its own."""
    smuggled = request("DELETE", f"/v1/api-keys/{victim}", key=house.founded.api_key)
    for method, target in (
        ("GET", VERIFY),
        ("POST", VERIFY),
        ("GET", "/v1/users/me"),
        ("GET", "/auth/forward"),
    ):
        with wire(house.url) as connection:
            length = f"Content-Length: {len(smuggled)}"
            connection.send(request(method, target, length, body=smuggled, key=mine.owner.key))
            connection.send(request("GET", "/nowhere", key=mine.owner.key))
            assert connection.reply().status in {200, 204}
            assert connection.reply().status == 404


@pytest.mark.parametrize("target", [VERIFY, "/v1/users/me"])
def test_the_cut_between_packets_changes_nothing(house: RunningServer, mine: Party, target: str) -> None:
    """Attack 55: a parser that remembers wrongly where it was reads a split header as another one."""
    whole = request("GET", target, key=mine.member.key)
    with wire(house.url) as connection:
        for place in range(1, len(whole), 3):
            connection.send(whole[:place])
            connection.send(whole[place:])
            reply = connection.reply()
            assert (reply.status, mine.member.id in reply.body.decode()) == (200, True)


def test_a_target_in_absolute_form_is_judged_by_its_path(house: RunningServer, mine: Party) -> None:
    """Attack 55, RFC 9112 §3.2.2: the host in the target is the client's own claim and decides nothing."""
    with wire(house.url) as connection:
        connection.send(request("GET", f"http://evil.example{VERIFY}", key=mine.member.key))
        assert connection.reply().status == 200
        connection.send(request("GET", f"http://evil.example{VERIFY}?apikey={mine.member.key}"))
        assert connection.reply().refuses(400, "invalid_request")
