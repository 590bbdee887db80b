"""What a request may cost is bounded before it is understood: its head, its body, its time, its fields."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.attacks.cast import Party, house_settings, party, refused
from tests.attacks.wire import request, wire
from tests.serving import RunningServer, running

HEAD_MAX: Final = 2_048
BODY_MAX: Final = 4_096
VERIFY: Final = "/v1/auth/verify"


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that reads little and waits briefly."""
    folder = tmp_path_factory.mktemp("tight")
    settings = house_settings(
        folder,
        header_bytes_max=HEAD_MAX,
        body_bytes_max=BODY_MAX,
        header_seconds_max=0.4,
        body_seconds_max=0.4,
    )
    with running(settings) as server:
        server.create_plan("free")
        yield server


@pytest.fixture(scope="module")
def victims(tight: RunningServer) -> Party:
    """Those whose server it is."""
    return party(tight)


TOO_LONG_HEADS: Final = {
    "a long value": ["X-Note: " + "a" * HEAD_MAX],
    "a long name": ["a" * HEAD_MAX + ": b"],
    "many headers": ["X: y"] * HEAD_MAX,
    "many credentials": ["Authorization: Bearer x"] * HEAD_MAX,
    "a long credential": ["X-API-Key: bf_key_" + "a" * HEAD_MAX],
    "a long cookie": ["Cookie: " + "a=b; " * HEAD_MAX],
    "many addresses": ["X-Forwarded-For: " + "192.0.2.1, " * HEAD_MAX],
    "many empty values": ["X:"] * HEAD_MAX,
}


@pytest.mark.parametrize("headers", TOO_LONG_HEADS.values(), ids=TOO_LONG_HEADS)
@pytest.mark.parametrize("key", [True, False])
def test_a_head_that_is_too_long_is_refused(
    tight: RunningServer,
    victims: Party,
    headers: list[str],
    key: bool,  # noqa: FBT001
) -> None:
    """Attack 55: memory would be the client's to fill, credential or not."""
    with wire(tight.url) as connection:
        connection.send(request("GET", VERIFY, *headers, key=victims.owner.key if key else None))
        assert connection.reply().refuses(431, "invalid_request")


@pytest.mark.parametrize(
    "target", ["/" + "a" * HEAD_MAX, f"{VERIFY}?scope=" + "a" * HEAD_MAX, "/v1/users/" + "%41" * HEAD_MAX]
)
def test_a_target_that_is_too_long_is_refused(tight: RunningServer, victims: Party, target: str) -> None:
    """Attack 55: the request line is part of the head."""
    with wire(tight.url) as connection:
        connection.send(request("GET", target, key=victims.owner.key))
        assert connection.reply().refuses(431, "invalid_request")


ENDLESS: Final = {
    "a header's value": request("GET", VERIFY)[:-2] + b"X-Note: ",
    "a header's name": request("GET", VERIFY)[:-2],
    "a target": b"GET /",
    "a method": b"",
    "a chunk's extension": request("POST", VERIFY, "Transfer-Encoding: chunked") + b"1;",
    "a trailer's value": request("POST", VERIFY, "Transfer-Encoding: chunked") + b"0\r\nX-Note: ",
    "a trailer's name": request("POST", VERIFY, "Transfer-Encoding: chunked") + b"0\r\n",
}


@pytest.mark.parametrize("start", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("on_used_connection", [False, True])
def test_what_never_ends_is_cut_off_by_its_length(
    house: RunningServer,
    mine: Party,
    start: bytes,
    on_used_connection: bool,  # noqa: FBT001
) -> None:
    """Attack 55 (CVE-2024-47874): the parser gathers a value until it is whole, so 76 MB once stayed in memory.

    What is sent here is less than the sockets' buffers hold, so that only a server which hangs up, and not one
    which merely stops reading, ends it.
    """
    with wire(house.url, seconds_max=5) as connection:
        if on_used_connection:
            connection.send(request("GET", VERIFY, key=mine.owner.key))
            assert connection.reply().status == 200
        connection.send(start)
        began = time.monotonic()
        for _ in range(200):
            connection.send(b"a" * 8_192)
        connection.drain()
        assert time.monotonic() - began < house.settings.header_seconds_max / 2, "only the clock ended it"


def test_many_small_chunks_are_one_body(house: RunningServer, mine: Party) -> None:
    """Attack 55: a limit on what is not yet told must not refuse what is told piece by piece."""
    body = json.dumps({"name": "in pieces", "metadata": {"note": "x" * 10_000}}).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    with wire(house.url) as connection:
        connection.send(request("POST", "/v1/api-keys", *headers, body=chunks, key=mine.owner.key))
        assert connection.reply().status == 201


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET /v1/auth/ver", b"\r\n\r\n"])
def test_a_slow_head_is_refused_in_time(tight: RunningServer, start: bytes) -> None:
    """Attack 55: connections that say a letter now and then would use up the server (slowloris)."""
    with wire(tight.url, seconds_max=5) as connection:
        connection.send(start)
        reply = connection.reply()
        assert reply.refuses(408, "invalid_request")
        assert connection.is_closed()


def test_a_head_is_not_prolonged_by_its_drops(tight: RunningServer) -> None:
    """Attack 55: a timer that starts anew with each byte never ends."""
    with wire(tight.url, seconds_max=5) as connection:
        began = time.monotonic()
        connection.send(b"GET / HTTP/1.1\r\n")
        while time.monotonic() - began < 0.8:
            connection.send(b"X: y\r\n")
            time.sleep(0.05)
        assert b"HTTP/1.1 408 " in connection.drain()


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_slow_body_is_refused_in_time(tight: RunningServer, victims: Party, framing: str) -> None:
    """Attack 55: the body, too, must come within a time, and the whole of it."""
    head = request("POST", "/v1/api-keys", "Content-Type: application/json", framing, key=victims.owner.key)
    with wire(tight.url, seconds_max=5) as connection:
        connection.send(head + (b"1\r\n{\r\n" if "chunked" in framing else b"{"))
        assert connection.reply().refuses(408, "invalid_request")
        assert connection.is_closed()


@pytest.mark.parametrize(
    "target", ["/v1/api-keys", "/v1/users", "/v1/plans", "/v1/tenants", "/v1/credentials/verify"]
)
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_is_too_long_is_refused(
    tight: RunningServer,
    target: str,
    chunked: bool,  # noqa: FBT001
) -> None:
    """Attack 55 (CVE-2024-47874): memory would be the client's to fill; a length that is not declared counts too."""
    body = json.dumps({"name": "a" * BODY_MAX}).encode()
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    head = request("POST", target, "Content-Type: application/json", framing, key=tight.founded.api_key)
    with wire(tight.url) as connection:
        connection.send(head + sent)
        assert connection.reply().refuses(413, "invalid_request")


def test_ten_megabytes_are_refused_by_their_declaration(tight: RunningServer) -> None:
    """Attack 55: the answer must not wait until everything has come, nor must a client with `Expect` send it."""
    expecting = request(
        "POST",
        "/v1/api-keys",
        "Content-Type: application/json",
        "Content-Length: 10000000",
        "Expect: 100-continue",
        key=tight.founded.api_key,
    )
    with wire(tight.url) as connection:
        connection.send(expecting)
        assert connection.reply().refuses(413, "invalid_request")
        assert connection.is_closed()


def test_no_body_is_read_for_nobody(tight: RunningServer) -> None:
    """Attack 55, ASVS 8.3.1: whoever has no credential would still fill the memory."""
    head = request("POST", "/v1/api-keys", "Content-Type: application/json", "Content-Length: 4000")
    with wire(tight.url) as connection:
        connection.send(head)
        assert connection.reply().refuses(401, "missing_api_key")


def test_an_exact_fit_is_taken(tight: RunningServer) -> None:
    """Attack 55: a bound that is off by one refuses what the documentation allows."""
    name = "a"
    empty = len(json.dumps({"name": name, "metadata": {"n": ""}}))
    body = json.dumps({"name": name, "metadata": {"n": "b" * (BODY_MAX - empty)}})
    assert len(body) == BODY_MAX
    headers = {"Content-Type": "application/json"}
    assert tight.admin.post("/v1/api-keys", content=body, headers=headers).status_code == 201
    assert refused(
        tight.admin.post("/v1/api-keys", content=body + " ", headers=headers), 413, "invalid_request"
    )


JSON_BOMBS: Final = {
    "nested lists": "[" * 20_000 + "]" * 20_000,
    "nested objects": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "nested metadata": '{"name":"x","metadata":' + '{"a":' * 3_000 + "1" + "}" * 3_000 + "}",
    "nested and never closed": '{"name":' + "[" * 30_000,
    "a number of many digits": '{"name":"x","expires_in":' + "9" * 30_000 + "}",
    "a number with a large exponent": '{"name":"x","metadata":{"n":1e999999999}}',
    "a fraction of many digits": '{"name":"x","expires_in":0.' + "1" * 30_000 + "}",
    "not a number": '{"name":"x","metadata":{"n":NaN}}',
    "infinity": '{"name":"x","metadata":{"n":-Infinity}}',
    "half a surrogate": '{"name":"\\ud800"}',
    "NUL": '{"name":"a\\u0000b"}',
    "NUL in a key": '{"name":"a","metadata":{"\\u0000":1}}',
    "a comment": '{"name":"a" /* b */}',
    "a comma too many": '{"name":"a",}',
    "two values": '{"name":"a"}{"name":"b"}',
    "nothing but a space": " ",
    "a byte-order mark": "\ufeff{}",
    "a list": '[{"name":"a"}]',
    "a string": '"name"',
    "null": "null",
}


@pytest.mark.parametrize("body", JSON_BOMBS.values(), ids=JSON_BOMBS)
def test_json_that_is_made_to_hurt_is_refused(house: RunningServer, mine: Party, body: str) -> None:
    """Attack 55: recursion, huge numbers and lenient readers have taken down better servers."""
    client = house.client(mine.owner.key)
    answer = client.post("/v1/api-keys", content=body.encode(), headers={"Content-Type": "application/json"})
    assert refused(answer, 400, "invalid_request")
    assert client.get("/v1/auth/verify").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"name":"\xff"}',
        b'{"name":"\xc0\xaf"}',
        '{"name":"é"}'.encode("latin-1"),
        '{"name":"x"}'.encode("utf-16"),
    ],
)
def test_what_is_not_utf_8_is_refused(house: RunningServer, mine: Party, body: bytes) -> None:
    """Attack 55: two readers of one broken string read two strings."""
    client = house.client(mine.owner.key)
    answer = client.post("/v1/api-keys", content=body, headers={"Content-Type": "application/json"})
    assert refused(answer, 400, "invalid_request")


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json, text/plain",
        "application/jsonp",
        "application/json+evil",
        "text/json",
        "application/merge-patch+json",
        "application/json; " + "a" * 10_000,
    ],
)
def test_no_other_type_of_body_is_read(house: RunningServer, mine: Party, content_type: str) -> None:
    """Attack 55 (CVE-2024-24762, CVE-2024-53981): a parser that is not there has no weakness; and forms need no CORS."""
    client = house.client(mine.owner.key)
    headers = {"Content-Type": content_type} if content_type else {}
    answer = client.post("/v1/api-keys", content=b'{"name":"x"}', headers=headers)
    assert refused(answer, 415, "invalid_request")


@pytest.mark.parametrize(
    "coding", ["gzip", "deflate", "br", "zstd", "x-gzip", "gzip, identity", "identity, gzip"]
)
def test_no_compressed_body_is_read(house: RunningServer, mine: Party, coding: str) -> None:
    """Attack 55: a few compressed bytes become gigabytes."""
    client = house.client(mine.owner.key)
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    answer = client.post("/v1/api-keys", content=b'{"name":"x"}', headers=headers)
    assert refused(answer, 415, "invalid_request")


FIELDS: Final[dict[str, dict[str, Any]]] = {
    "a long name": {"name": "a" * 201},
    "an empty name": {"name": ""},
    "a blank name": {"name": "  "},
    "a name with a line break": {"name": "a\nb"},
    "a name with an escape": {"name": "a\x1b[2Jb"},
    "a name that reads backwards": {"name": "a\u202eb"},
    "many scopes": {"name": "a", "scopes": ["read"] * 201},
    "a long scope": {"name": "a", "scopes": ["r" * 50_000]},
    "many networks": {"name": "a", "allowed_ips": ["192.0.2.1"] * 101},
    "a network with host bits": {"name": "a", "allowed_ips": ["192.0.2.1/24"]},
    "an address in octal": {"name": "a", "allowed_ips": ["0300.0.2.1"]},
    "an address as a number": {"name": "a", "allowed_ips": ["3221225985"]},
    "an address with a zone": {"name": "a", "allowed_ips": ["fe80::1%eth0"]},
    "an address that is a number": {"name": "a", "allowed_ips": [3221225985]},
    "metadata of more than 16 KB": {"name": "a", "metadata": {"n": "x" * 16_384}},
    "metadata that is a list": {"name": "a", "metadata": []},
    "a lifetime of nothing": {"name": "a", "expires_in": 0},
    "a negative lifetime": {"name": "a", "expires_in": -1},
    "a lifetime past all calendars": {"name": "a", "expires_in": 2**62},
    "an end in the past": {"name": "a", "expires_at": "2000-01-01T00:00:00Z"},
    "an end without an offset": {"name": "a", "expires_at": "2040-01-01T00:00:00"},
    "an end past all calendars": {"name": "a", "expires_at": "9999-12-31T23:59:59-23:59"},
    "an end that is a number": {"name": "a", "expires_at": 2_000_000_000},
    "a leap second of the wrong kind": {"name": "a", "expires_at": "2040-01-01T00:00:61Z"},
    "an end and a lifetime": {"name": "a", "expires_at": "2040-01-01T00:00:00Z", "expires_in": 60},
    "a long user id": {"name": "a", "user_id": "usr_" + "a" * 100},
}


@pytest.mark.parametrize("wish", FIELDS.values(), ids=FIELDS)
def test_every_field_is_bounded(house: RunningServer, mine: Party, wish: dict[str, Any]) -> None:
    """Attack 55: what one field may cost, and what it may do to whoever reads it later, has an end."""
    answer = house.client(mine.owner.key).post("/v1/api-keys", json=wish)
    assert refused(answer, 400, "invalid_request")
    assert answer.json()["field"].split(".")[0] in wish


@pytest.mark.parametrize("value", ["", "a" * 256, "caf\u00e9", "a\tb"])
def test_an_idempotency_key_is_bounded(house: RunningServer, mine: Party, value: str) -> None:
    """Attack 55: it is digested and kept for a day, whatever it is."""
    client = house.client(mine.owner.key)
    headers = [(b"Idempotency-Key", value.encode("latin-1"))]
    answer = client.post("/v1/api-keys", json={"name": "x"}, headers=headers)
    assert refused(answer, 400, "invalid_request")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=-1", "limit=1e1", "limit=999999999999999999999", "limit=a", "limit="],
)
@pytest.mark.parametrize(
    "listing", ["/v1/api-keys", "/v1/users", "/v1/tenants", "/v1/plans", "/v1/audit", "/audit"]
)
def test_a_page_is_bounded(house: RunningServer, mine: Party, listing: str, query: str) -> None:
    """Attack 55, ASVS 2.4.1: one request would read the whole database."""
    assert refused(house.client(mine.owner.key).get(f"{listing}?{query}"), 400, "invalid_request")
