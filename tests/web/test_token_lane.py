"""Tokens that are given before the application, and by it: the same answers, byte for byte, and the same rows."""

from __future__ import annotations

import asyncio
import base64
import os
import random
import re
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from bonafides.errors import Unavailable
from tests.serving import FakeClock, RunningServer, running, serving, settings_for

pytestmark = pytest.mark.slow

REQUESTS: Final = int(os.environ.get("BONAFIDES_AGREEMENT_REQUESTS", "5000")) // 10
"""In the daily run; a change of the lane is tried with ten times as many."""
SCRIPT_LENGTH: Final = 6
SEED: Final = 20_261_123
ADDRESS_LIMIT: Final = 60
RESOURCE: Final = "https://api.example.com"
FORM: Final = b"Content-Type: application/x-www-form-urlencoded"
LAST: Final = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
OWN: Final = b"X-Sent-By: one test"
MOVING: Final = re.compile(
    rb'req_[0-9A-Za-z]{22}|\r\ndate: [^\r]*|(?<="access_token":")(bf_oat_|eyJ)[^"]*|\r\ndpop-nonce: [^\r]*'
)


@dataclass(frozen=True)
class Pair:
    """Two servers on one database under one clock: one that gives tokens before the application, one that does not."""

    fast: RunningServer
    slow: RunningServer
    clients: dict[str, tuple[str, str]]


def _without_lane(server: RunningServer) -> None:
    """Take the lane out: it never wants to see a body."""
    server.application.lane.tokens.asks = lambda *_: False  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The two servers, and a client of every state."""
    folder = Path(tmp_path_factory.mktemp("tokens"))
    settings = settings_for(
        f"sqlite:///{folder / 'bonafides.db'}",
        folder,
        public_url="https://auth.example.com",
        resources=[RESOURCE],
        signing_algorithm="ES256",
        address_requests_per_minute=ADDRESS_LIMIT,
        keep_alive_seconds=1,
    )
    clock = FakeClock()
    with ExitStack() as stack:
        fast = stack.enter_context(running(settings, clock))
        slow = stack.enter_context(serving(settings, fast.founded, clock))
        _without_lane(slow)
        yield Pair(fast, slow, _clients(fast))


def _clients(server: RunningServer) -> dict[str, tuple[str, str]]:
    wishes: dict[str, dict[str, Any]] = {
        "signed": {"access_token_format": "jwt"},
        "opaque": {"access_token_format": "opaque"},
        "basic": {"token_endpoint_auth_method": "client_secret_basic"},
        "post": {"token_endpoint_auth_method": "client_secret_post"},
        "bound": {"dpop_bound_access_tokens": True},
        "disabled": {},
        "ended": {},
        "other grant": {"grant_types": ["authorization_code"], "redirect_uris": ["https://shop.example/"]},
    }
    made = {}
    for name, wish in wishes.items():
        body = {"name": name, "grant_types": ["client_credentials"], "scopes": ["read", "write"], **wish}
        answer = server.admin.post("/v1/clients", json=body)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        made[name] = (told["client_id"], told["client_secret"])
    server.admin.patch(f"/v1/clients/{made['disabled'][0]}", json={"status": "disabled"})
    ended = server.admin.post(
        f"/v1/clients/{made['ended'][0]}/secrets", json={"name": "another", "expires_in": 5}
    ).json()
    made["ended"] = (made["ended"][0], ended["client_secret"])
    server.clock.advance(60)
    identifier, secret = made["opaque"]
    made["unknown"] = (identifier[:-1] + ("0" if identifier[-1] != "0" else "1"), secret)
    made["wrong secret"] = (identifier, made["signed"][1])
    made["damaged"] = (identifier, secret[:-1] + ("0" if secret[-1] != "0" else "1"))
    return made


def basic(identifier: str, secret: str) -> bytes:
    """The header that presents a client."""
    return b"Authorization: Basic " + base64.b64encode(f"{identifier}:{secret}".encode())


def asking(body: bytes, *headers: bytes, path: bytes = b"/oauth/token") -> bytes:
    """A request with a body, as it goes over the wire."""
    lines = [b"Host: auth.example.com", *headers, b"Content-Length: %d" % len(body)]
    return b"POST %b HTTP/1.1\r\n%b\r\n\r\n%b" % (path, b"\r\n".join(lines), body)


class Script:
    """Random requests for tokens on one connection, good, bad and unusual."""

    def __init__(self, dice: random.Random, clients: dict[str, tuple[str, str]], sent: list[bytes]) -> None:
        self._dice = dice
        self._clients = clients
        self._sent = sent

    def chunks(self) -> tuple[list[bytes], bool]:
        """What is sent, in the pieces in which it is sent, and whether each is answered before the next is sent.

        The last request closes the connection.
        """
        requests = [self._again() for _ in range(SCRIPT_LENGTH)] + [LAST]
        style = self._dice.random()
        if style < 0.6:
            return requests, True
        if style < 0.75:
            return [b"".join(requests)], False
        cut = self._dice.randrange(1, len(requests[0]))
        return [requests[0][:cut], b"".join([requests[0][cut:], *requests[1:]])], False

    def _again(self) -> bytes:
        """One that came before, or another."""
        if len(self._sent) < SCRIPT_LENGTH or self._dice.random() < 0.6:
            self._sent.append(self._request())
            return self._sent[-1]
        return self._dice.choice(self._sent)

    def _request(self) -> bytes:
        dice = self._dice
        identifier, secret = self._clients[dice.choice(["signed", "opaque", *self._clients])]
        grant = dice.choice(
            ["client_credentials"] * 8 + ["authorization_code", "password", "", "refresh_token"]
        )
        fields = [f"grant_type={grant}"] if grant or dice.random() < 0.5 else []
        headers = [dice.choice([FORM] * 8 + self._odd_types())]
        posted = [f"client_id={identifier}", f"client_secret={secret}"]
        way = dice.random()
        if way < 0.6:
            headers += self._basic(identifier, secret)
        elif way < 0.9:
            fields += posted
        elif way < 0.95:
            headers, fields = [*headers, basic(identifier, secret)], fields + posted
        else:
            fields += posted[:1]
        fields += dice.choice(
            [[]] * 4
            + [
                ["scope=read"],
                ["scope=read+write"],
                ["scope=read%20write"],
                ["scope=admin"],
                ["scope=%22"],
                ["scope="],
                ["scope=read", "scope=write"],
                [f"resource={RESOURCE}"],
                ["resource=https%3A%2F%2Fapi.example.com", f"resource={RESOURCE}"],
                ["resource=https://other.example"],
                ["resource=nowhere%23x"],
                ["audience=x"],
                ["unknown=1", "=2", "&"],
                ["nul=%00"],
                ["bytes=%FF"],
                [f"client_id={identifier}"],
                ["client_id=somebody-else"],
                ["code=1", "code_verifier=2"],
                ["client_assertion=eyJ.e.y", "client_assertion_type=x"],
                ["x" * 20_000],
                [f"a{number}=" for number in range(60)],
            ]
        )
        dice.shuffle(fields)
        body = "&".join(fields).encode()
        if dice.random() < 0.03:
            body = dice.choice([b"", b"\xff", b'{"grant_type":"client_credentials"}', b"%", b"a=b;c=d"])
        headers += dice.choice(
            [[]] * 8
            + [
                [b"Accept: application/problem+json"],
                [b"X-Forwarded-For: 192.0.2.9"],
                [b"Connection: keep-alive"],
                [b"Connection: keep-alive, X-Other"],
                [b"Origin: https://shop.example"],
                [b"DPoP: x"],
                [b"DPoP: x", b"DPoP: y"],
                [b"Expect: 100-continue"],
                [b"Content-Encoding: gzip"],
                [b"X-API-Key: x"],
            ]
        )
        dice.shuffle(headers)
        path = dice.choice([b"/oauth/token"] * 30 + [b"/oauth/token?a=1", b"/oauth/token/", b"/oauth/token?"])
        return asking(body, *headers, path=path)

    def _basic(self, identifier: str, secret: str) -> list[bytes]:
        good = basic(identifier, secret)
        return self._dice.choice(
            [[good]] * 12
            + [
                [good.replace(b"Basic", b"basic ")],
                [good.replace(b"Basic", b"Bearer")],
                [good, good],
                [good + b"!"],
                [b"Authorization: Basic"],
                [b"Authorization: Basic " + base64.b64encode(identifier.encode())],
                [basic(identifier, secret.replace("_", "%5F"))],
                [b"Authorization: Basic /w=="],
                [],
            ]
        )

    @staticmethod
    def _odd_types() -> list[bytes]:
        return [
            FORM + b"; charset=utf-8",
            FORM.upper(),
            FORM + b"\r\n" + FORM,
            b"Content-Type: application/json",
            b"Content-Type: text/plain",
            b"X-No-Content-Type: x",
        ]


def exchange(server: RunningServer, chunks: list[bytes], *, in_turn: bool = True) -> bytes:
    """Everything that the server answers on one connection, without what differs between any two answers.

    Args:
        server: That is asked.
        chunks: What is sent.
        in_turn: Whether each is answered before the next is sent: where another request has come, the lane stays out.
    """
    address = urlsplit(server.url)
    received = []
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for chunk in chunks:
                connection.sendall(chunk)
                if in_turn and chunk is not chunks[-1]:
                    received.append(_answer(connection))
        except ConnectionError:
            pass
        try:
            while data := connection.recv(65_536):
                received.append(data)
        except ConnectionResetError:
            pass
    return MOVING.sub(b"", b"".join(received))


def _answer(connection: socket.socket) -> bytes:
    """What comes until an answer is whole, or nothing more comes."""
    received = b""
    connection.settimeout(5)
    while True:
        whole = received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        head, end, body = whole.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: (\d+)", head)
        if end and (length is None or len(body) >= int(length[1])):
            return received
        data = connection.recv(65_536)
        if not data:
            return received
        received += data


def test_both_ways_answer_the_same(pair: Pair) -> None:
    """A difference would be a client that is judged by how its request happens to be written."""
    dice = random.Random(SEED)
    statuses: set[bytes] = set()
    granted = 0
    sent: list[bytes] = []
    for number in range(max(20, REQUESTS // SCRIPT_LENGTH)):
        if number % 2 == 0:
            pair.fast.clock.advance(dice.choice([1, 30, 61]))
        chunks, in_turn = Script(dice, pair.clients, sent).chunks()
        fast, slow = (exchange(server, chunks, in_turn=in_turn) for server in (pair.fast, pair.slow))
        if fast != slow:
            pytest.fail(f"sent {chunks}\n\nfast {fast!r}\n\nslow {slow!r}")
        statuses.update(re.findall(rb"HTTP/1.1 (\d+) ", fast))
        granted += fast.count(b'"access_token"')
    assert statuses >= {b"200", b"400", b"401", b"415", b"429"}
    assert granted > REQUESTS // 25


def test_the_lane_takes_part(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agreement test in which the lane answered nothing would prove nothing."""
    pair.fast.clock.advance(61)
    good = asking(b"grant_type=client_credentials", FORM, basic(*pair.clients["signed"]))
    seen: list[object] = []
    lane = pair.fast.application.lane.tokens
    answer = lane.answer

    async def noted(*given: Any) -> bytes:
        seen.append(given)
        return await answer(*given)

    monkeypatch.setattr(lane, "answer", noted)
    told = exchange(pair.fast, [good, LAST])
    assert told.startswith(b"HTTP/1.1 200 OK")
    assert len(seen) == 1
    # What stands behind it must not overtake it.
    behind = exchange(pair.fast, [good + good + LAST])
    assert re.findall(rb"HTTP/1.1 (\d+)", behind) == [b"200", b"200", b"200"]
    assert [name in part for part in behind.split(b"HTTP/1.1 ")[1:] for name in [b"access_token"]] == [
        True,
        True,
        False,
    ]


def test_a_request_that_comes_again_is_not_read_again(pair: Pair) -> None:
    """What is kept to answer sooner must not hold the client's secret."""
    pair.fast.clock.advance(61)
    lane = pair.fast.application.lane.tokens
    identifier, secret = pair.clients["opaque"]
    form = b"grant_type=client_credentials"
    by_field = form + f"&client_id={identifier}&client_secret={secret}&scope=read".encode()
    for request in (asking(form, FORM, basic(identifier, secret), OWN), asking(by_field, FORM, OWN)):
        assert lane.recall(request, "192.0.2.1") is None
        first, again = (exchange(pair.fast, [request, LAST]) for _ in range(2))
        assert first == again
        assert first.startswith(b"HTTP/1.1 200")
        recalled = lane.recall(request, "192.0.2.1")
        assert recalled is not None
        assert recalled.exchange.address == "192.0.2.1"
        for held in (repr(recalled), repr(recalled.parameters.fields), repr(recalled.known)):
            assert secret not in held
        assert base64.b64encode(f"{identifier}:{secret}".encode()).decode() not in repr(recalled)
    refused = asking(form, FORM, basic(*pair.clients["wrong secret"]), OWN)
    exchange(pair.fast, [refused, LAST])
    assert lane.recall(refused, None) is None


def test_who_says_nothing_more_is_answered(pair: Pair) -> None:
    """A client that ends its side of the connection once it has asked would never get its token, though it was made."""
    pair.fast.clock.advance(61)
    good = asking(b"grant_type=client_credentials", FORM, basic(*pair.clients["signed"]))
    address = urlsplit(pair.fast.url)
    for _ in range(3):
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as connection:
            connection.sendall(good)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while data := connection.recv(65_536):
                received += data
        assert received.startswith(b"HTTP/1.1 200 OK")
        assert received.endswith(b"}")


def test_what_comes_too_early_is_answered_in_its_turn(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends its next request before it has its token would get the wrong answer first, or none."""
    pair.fast.clock.advance(61)
    store = pair.fast.rooms.store
    create = store.create_credential
    began = threading.Event()

    async def slowly(*given: Any, **options: Any) -> Any:
        began.set()
        await asyncio.sleep(0.05)
        return await create(*given, **options)

    monkeypatch.setattr(store, "create_credential", slowly)
    good = asking(b"grant_type=client_credentials", FORM, basic(*pair.clients["signed"]))
    address = urlsplit(pair.fast.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as connection:
        connection.sendall(good)
        assert began.wait(10)
        connection.sendall(good)
        connection.sendall(LAST)
        received = b""
        while data := connection.recv(65_536):
            received += data
    parts = received.split(b"HTTP/1.1 ")[1:]
    assert [part[:3] for part in parts] == [b"200"] * 3
    assert [b"access_token" in part for part in parts] == [True, True, False]


def test_what_is_recalled_is_bounded(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that varies its requests would take all memory there is."""
    pair.fast.clock.advance(61)
    monkeypatch.setattr("bonafides.web.oauth.lane._KNOWN_MAX", 1)
    good = basic(*pair.clients["opaque"])
    requests = [asking(b"grant_type=client_credentials", FORM, good, b"X-Other: %d" % n) for n in range(3)]
    for request in requests:
        assert exchange(pair.fast, [request, LAST]).startswith(b"HTTP/1.1 200")
    lane = pair.fast.application.lane.tokens
    assert [lane.recall(request, None) is not None for request in requests] == [False, False, True]


def test_both_ways_write_the_same(pair: Pair) -> None:
    """A token that is not in the trail, or hangs on nobody, is one that nobody finds or revokes."""
    pair.fast.clock.advance(61)
    good = asking(
        f"grant_type=client_credentials&scope=read&resource={RESOURCE}".encode(),
        FORM,
        basic(*pair.clients["signed"]),
    )
    found = []
    for server in (pair.fast, pair.slow):
        assert b" 200 OK" in exchange(server, [good, LAST])
        found.append(_newest(server))
    assert found[0] == found[1]
    assert found[0]["audit_events"]["action"] == "oauth_access_token.created"
    assert found[0]["audit_events"]["actor_address"] == "127.0.0.1"
    assert found[0]["credentials"]["parent_id"] == pair.clients["signed"][0]


def _newest(server: RunningServer) -> dict[str, dict[str, Any]]:
    """What was written last, less what differs between any two rows."""
    database = sqlite3.connect(server.settings.database.removeprefix("sqlite:///"))
    database.row_factory = sqlite3.Row
    rows: dict[str, dict[str, Any]] = {}
    try:
        for table in ("credentials", "audit_events", "changes"):
            row = dict(database.execute(f"SELECT * FROM {table} ORDER BY rowid DESC LIMIT 1").fetchone())
            ids = [row.pop(name, None) for name in ("id", "digest", "sequence", "actor_request_id")]
            subject = row.pop("subject_id", None)
            assert subject is None or subject.startswith("oat_")
            assert any(ids)
            rows[table] = row
    finally:
        database.close()
    return rows


@pytest.mark.parametrize("failure", [Unavailable(internal="away"), RuntimeError("nobody foresaw this")])
def test_both_ways_fail_alike(pair: Pair, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    """ASVS 16.5.4: a token that could not be written down is not given, and nobody waits for it for ever."""

    async def fail(*_given: object, **_options: object) -> None:
        await asyncio.sleep(0)
        raise failure

    pair.fast.clock.advance(61)
    good = asking(b"grant_type=client_credentials", FORM, basic(*pair.clients["opaque"]))
    answers = []
    for server in (pair.fast, pair.slow):
        monkeypatch.setattr(server.rooms.store, "create_credential", fail)
        answers.append(exchange(server, [good, LAST]))
    assert answers[0] == answers[1]
    status = b"503" if isinstance(failure, Unavailable) else b"500"
    assert answers[0].startswith(b"HTTP/1.1 " + status)


def test_a_deleted_secret_opens_nothing_at_once(pair: Pair) -> None:
    """Attack 6: what is kept of a client to answer sooner must not outlive its secret, here or elsewhere."""
    pair.fast.clock.advance(61)
    admin = pair.fast.admin
    told = admin.post(
        "/v1/clients", json={"name": "short", "grant_types": ["client_credentials"], "scopes": ["read"]}
    ).json()
    first = (told["client_id"], told["client_secret"])
    place = f"/v1/clients/{told['client_id']}/secrets"
    another = admin.post(place, json={"name": "another"}).json()
    second = (told["client_id"], another["client_secret"])
    good = {
        client: asking(b"grant_type=client_credentials", FORM, basic(*client)) for client in (first, second)
    }
    for _ in range(2):
        for request in good.values():
            assert b" 200 OK" in exchange(pair.fast, [request, LAST])
    assert admin.delete(f"{place}/{another['id']}").status_code == 204
    assert exchange(pair.fast, [good[second], LAST]).startswith(b"HTTP/1.1 401")
    assert exchange(pair.fast, [good[first], LAST]).startswith(b"HTTP/1.1 200")
    admin.patch(f"/v1/clients/{told['client_id']}", json={"status": "disabled"})
    assert exchange(pair.fast, [good[first], LAST]).startswith(b"HTTP/1.1 401")
