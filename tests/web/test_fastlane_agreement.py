"""The fast lane and the application give the same answers, byte for byte."""

from __future__ import annotations

import asyncio
import base64
import os
import random
import re
import socket
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.serving import FakeClock, RunningServer, running, serving, settings_for

pytestmark = pytest.mark.slow

REQUESTS = int(os.environ.get("BONAFIDES_AGREEMENT_REQUESTS", "5000"))
"""In the daily run; a change of the lane is tried with 20,000 or more."""
SCRIPT_LENGTH = 12
SCRIPTS_TO_A_TEST = 4
SEED = 20_261_122
REQUEST_ID = re.compile(rb"req_[0-9A-Za-z]{22}")
DATE = re.compile(rb"\r\ndate: [^\r]*")


@dataclass(frozen=True)
class Pair:
    """Two servers on one database under one clock: one with the fast lane, one without."""

    fast: RunningServer
    slow: RunningServer
    credentials: dict[str, bytes]


def _without_lane(server: RunningServer) -> None:
    """Take the lane out: nothing is recalled, parsed or asked, so that all goes to the application."""
    lane = server.application.lane
    lane.recall = _nothing  # type: ignore[assignment]
    lane.parse = _nothing  # type: ignore[assignment]
    lane.asks = _nothing  # type: ignore[assignment]


def _nothing(*_arguments: object) -> None:
    """What a lane that takes nothing says."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The two servers, and a credential of every state."""
    folder = tmp_path_factory.mktemp("agreement")
    url = f"sqlite:///{folder / 'bonafides.db'}"
    settings = settings_for(url, Path(folder), public_url="https://api.example.com", keep_alive_seconds=1)
    clock = FakeClock()
    with ExitStack() as stack:
        fast = stack.enter_context(running(settings, clock))
        slow = stack.enter_context(serving(settings, fast.founded, clock))
        _without_lane(slow)
        yield Pair(fast, slow, _credentials(fast))


def _credentials(server: RunningServer) -> dict[str, bytes]:
    server.create_plan("endless")
    server.create_plan("hourly", requests_per_hour=10**9)
    server.create_plan("bursting", burst=10**9)
    server.create_plan("both", requests_per_hour=10**9, burst=10**9)
    server.create_plan("tight", requests_per_hour=7, burst=5)
    server.create_plan("closed", requests_per_hour=0)
    made = {
        plan: server.create_key(name=f"100% of {plan}", plan=plan)
        for plan in ("endless", "hourly", "bursting", "both", "tight", "closed")
    }
    made["read only"] = server.create_key(plan="both", scopes=["read"], name="only \u00fcber %d %b")
    made["from afar"] = server.create_key(plan="both", allowed_ips=["192.0.2.0/24", "2001:db8::/32"])
    made["from here"] = server.create_key(plan="both", allowed_ips=["127.0.0.0/8"])
    made["expiring"] = server.create_key(plan="both", expires_in=1_000_000)
    made["expired"] = server.create_key(plan="both", expires_in=5)
    made["disabled"] = server.create_key(plan="both")
    made["revoked"] = server.create_key(plan="both")
    made["warned from some time on"] = server.create_key(plan="both", expires_in=14 * 86_400 + 4_000)
    made["asking"] = server.create_key(
        plan="both", scopes=["credentials:verify", "read"], expires_in=13 * 86_400
    )
    server.admin.post(f"/v1/api-keys/{made['disabled']['id']}/disable")
    server.admin.delete(f"/v1/api-keys/{made['revoked']['id']}")
    server.clock.advance(60)
    credentials = {name: key["key"].encode() for name, key in made.items()}
    good = credentials["both"]
    credentials["damaged"] = good[:-1] + (b"0" if good[-1:] != b"0" else b"1")
    credentials["truncated"] = good[:-3]
    credentials["extended"] = good + b"x"
    credentials["unknown shape"] = b"hello"
    credentials["jwt"] = b"eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."
    return credentials


class Script:
    """Random requests for one connection, good, bad and malformed, and how their bytes are cut."""

    def __init__(self, dice: random.Random, credentials: dict[str, bytes]) -> None:
        self._dice = dice
        self._credentials = credentials

    def chunks(self) -> list[bytes]:
        """What is sent, in the pieces in which it is sent; the last request closes the connection."""
        dice = self._dice
        if dice.random() < 0.05:
            # Alone: behind requests that are still under way, what becomes of them is a matter of time.
            return [self._malformed()]
        requests = [self._request() for _ in range(SCRIPT_LENGTH - 1)]
        requests.append(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        style = dice.random()
        if style < 0.4:
            return requests
        whole = b"".join(requests)
        if style < 0.6:
            return [whole]
        cuts = sorted(dice.randrange(len(whole)) for _ in range(dice.randrange(1, 6)))
        return [
            whole[start:end]
            for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)
            if end > start
        ]

    def _request(self) -> bytes:
        dice = self._dice
        if dice.random() < 0.25:
            return self._question() if dice.random() < 0.6 else self._introspection()
        method = dice.choice([b"GET"] * 12 + [b"POST", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE"])
        path = dice.choice(
            [b"/v1/auth/verify"] * 8
            + [b"/auth/forward", b"/auth/forward/nginx", b"/auth/forward/envoy", b"/auth/forward/other"]
            + [
                b"/v1/auth/verify/",
                b"//v1/auth/verify",
                b"/v1/auth/../auth/verify",
                b"/V1/auth/verify",
                b"/v1/auth/verif%79",
            ]
        )
        query = dice.choice(
            [b""] * 10
            + [
                b"?",
                b"?scope=",
                b"?scope=read",
                b"?scope=read+write",
                b"?scope=read%20write",
                b"?scope=write&scope=read",
            ]
            + [
                b"?scope=none:such",
                b"?scope=%22",
                b"?other=1",
                b"?scope=read&other=1",
                b"?access_token=" + self._any(),
            ]
        )
        headers = [b"Host: api.example.com", *self._presenting(), *self._extras()]
        dice.shuffle(headers)
        body = b""
        if method in {b"POST", b"PUT"} and dice.random() < 0.3:
            body = dice.choice([b"{}", b"x", b'{"a":1}'])
            headers.append(b"Content-Length: %d" % len(body))
        return b"%b %b%b HTTP/1.1\r\n%b\r\n\r\n%b" % (method, path, query, b"\r\n".join(headers), body)

    def _question(self) -> bytes:
        dice = self._dice
        asked = self._any().decode()
        body = dice.choice(
            [f'{{"credential":"{asked}"}}'] * 8
            + [
                f'{{"credential":"{asked}","scope":"read"}}',
                f'{{"credential":"{asked}","scope":"read write","ip":"127.0.0.1"}}',
                f'{{"credential":"{asked}","ip":"192.0.2.9"}}',
                f'{{"credential":"{asked}","ip":"nowhere"}}',
                f'{{"credential":"{asked}","cost":3}}',
                f'{{"credential":"{asked}","cost":0}}',
                f'{{"credential":"{asked}","cost":-1}}',
                f'{{"credential":"{asked}","cost":true}}',
                f'{{"credential":"{asked}","cost":1.0}}',
                f'{{"credential":"{asked}","scope":null}}',
                f'{{"credential":"{asked}","other":1}}',
                f'{{"credential":"{asked}","credential":"x"}}',
                '{"credential":""}',
                '{"credential":"\\u0000"}',
                '{"credential":5}',
                "{}",
                "[]",
                "",
                "{",
                '{"credential":NaN}',
            ]
        ).encode()
        presenting = (
            self._presenting()
            if dice.random() < 0.3
            else [b"Authorization: Bearer " + self._credentials["asking"]]
        )
        headers = [b"Host: x", *presenting, b"Content-Length: %d" % len(body), *self._extras()]
        headers.append(
            dice.choice(
                [b"Content-Type: application/json"] * 8
                + [
                    b"Content-Type: application/json; charset=utf-8",
                    b"Content-Type: text/plain",
                    b"content-type: APPLICATION/JSON",
                    b"Content-Type: application/json\r\nContent-Type: application/json",
                    b"X-No-Content-Type: x",
                ]
            )
        )
        dice.shuffle(headers)
        return b"POST /v1/credentials/verify HTTP/1.1\r\n%b\r\n\r\n%b" % (b"\r\n".join(headers), body)

    def _introspection(self) -> bytes:
        dice, asked = self._dice, self._any()
        form = b"application/x-www-form-urlencoded"
        body = dice.choice(
            [b"token=" + asked] * 8
            + [
                b"token=" + asked + b"&token_type_hint=access_token",
                b"token_type_hint=x&token=" + asked,
                b"token=" + asked + b"&token=" + asked,
                b"token=" + asked + b"&ip=127.0.0.1",
                b"token=" + asked + b"&ip=nowhere",
                b"token=" + asked + b"&other=1",
                b"token=" + asked + b"%00",
                b"token=" + asked.replace(b"_", b"%5F"),
                b"token=" + asked + b"+",
                b"token=\xff" + asked,
                b"token=",
                b"token",
                b"",
                b'{"token":"' + asked + b'"}',
            ]
        )
        asking = [b"Authorization: Bearer " + self._credentials["asking"]]
        headers = [
            b"Host: x",
            *(self._presenting() if dice.random() < 0.3 else asking),
            b"Content-Length: %d" % len(body),
            *self._extras(),
            dice.choice(
                [b"Content-Type: " + form] * 8
                + [
                    b"Content-Type: " + form + b"; charset=utf-8",
                    b"Content-Type: " + form.upper(),
                    b"Content-Type: application/json",
                    b"Content-Type: " + form + b"\r\nContent-Type: " + form,
                    b"X-No-Content-Type: x",
                ]
            ),
        ]
        dice.shuffle(headers)
        query = dice.choice([b""] * 20 + [b"?a=1", b"?"])
        return b"POST /oauth/introspect%b HTTP/1.1\r\n%b\r\n\r\n%b" % (query, b"\r\n".join(headers), body)

    def _any(self) -> bytes:
        return self._dice.choice([*([self._credentials["both"]] * 6), *self._credentials.values()])

    def _presenting(self) -> list[bytes]:
        credential = self._any()
        pair = base64.b64encode
        return self._dice.choice(
            [[b"Authorization: Bearer " + credential]] * 8
            + [
                [b"Authorization: bearer " + credential],
                [b"authorization: BEARER   " + credential],
                [b"Authorization: " + credential],
                [b"X-API-Key: " + credential],
                [b"x-api-key:" + credential + b"  "],
                [b"Authorization: Basic " + pair(credential + b":")],
                [b"Authorization: Basic " + pair(b"user:" + credential)],
                [b"Authorization: Basic !!!"],
                [b"Authorization: Digest " + credential],
                [b"Authorization: Bearer"],
                [b"Authorization:"],
                [b"Authorization: Bearer " + credential + b" more"],
                [b"Authorization: Bearer " + credential, b"X-API-Key: " + credential],
                [b"Authorization: Bearer " + credential, b"Authorization: Bearer " + credential],
                [b"X-API-Key: " + credential, b"X-API-Key: " + credential],
                [b"X-API-Key: two " + credential],
                [b"Authorization: Bearer " + credential + b"\ttab"],
                [b"X-API-Key:", b"Authorization: Bearer " + credential],
                [b"Authorization: Bearer \xc3\xa9" + credential],
                [],
            ]
        )

    def _extras(self) -> list[bytes]:
        return self._dice.choice(
            [[]] * 8
            + [
                [b"Accept: application/problem+json"],
                [b"Accept: text/html, application/problem+json;q=0.5"],
                [b"X-Forwarded-For: 192.0.2.9"],
                [b"X-Forwarded-Uri: /orders?page=2"],
                [b"X-Original-URI: /orders?access_token=1"],
                [b"X-Forwarded-Uri: /orders?k=" + self._credentials["both"]],
                [b"Connection: keep-alive"],
                [b"Connection: Keep-Alive, X-Api-Key"],
                [b"Cookie: __Host-session=abc"],
                [b"Expect: 100-continue"],
                [b"X_API_Key: " + self._credentials["both"]],
            ]
        )

    def _malformed(self) -> bytes:
        return self._dice.choice(
            [
                b"GET /v1/auth/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \x01\r\n\r\n",
                b"GET /v1/auth/verify HTTP/9.9\r\n\r\n",
                b"NONSENSE\r\n\r\n",
                b"GET /v1/auth/verify HTTP/1.1\r\nNo colon\r\n\r\n",
                b"POST /v1/auth/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                b"POST /v1/auth/verify HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                b"GET /v1/auth/verify HTTP/1.1\r\nX-API-Key: %b\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
                % self._any(),
            ]
        )


def _exchange(server: RunningServer, chunks: list[bytes]) -> bytes:
    """Everything that the server answers on one connection, without what differs between any two answers."""
    address = urlsplit(server.url)
    received = []
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for chunk in chunks:
                connection.sendall(chunk)
        except ConnectionError:
            pass
        try:
            while data := connection.recv(65_536):
                received.append(data)
        except ConnectionResetError:
            pass
    return DATE.sub(b"", REQUEST_ID.sub(b"req_", b"".join(received)))


@pytest.mark.parametrize("part", range(4))
def test_both_ways_answer_the_same(pair: Pair, part: int) -> None:
    """A difference would be a request that is judged by where it happens to be parsed."""
    dice = random.Random(SEED + part)
    scripts = max(1, REQUESTS // SCRIPT_LENGTH // 4)
    answers = 0
    for number in range(scripts):
        if number % 20 == 0:
            pair.fast.clock.advance(dice.choice([0.4, 1, 30, 3600]))
        chunks = Script(dice, pair.credentials).chunks()
        fast = _exchange(pair.fast, chunks)
        slow = _exchange(pair.slow, chunks)
        if fast != slow:
            pytest.fail(f"sent {chunks}\n\nfast {fast!r}\n\nslow {slow!r}")
        answers += fast.count(b"HTTP/1.1 ")
    assert answers > scripts * SCRIPT_LENGTH // 2


def test_both_ways_count_alike(pair: Pair) -> None:
    """What a customer is told of their use, or billed for, would depend on where a request happens to be parsed."""
    dice = random.Random(SEED)
    pair.fast.clock.advance(3600)
    # What was counted before must not be written while somebody else is measured.
    _counted(pair.slow)
    fast: Counter[tuple[int, str, str]] = Counter()
    slow: Counter[tuple[int, str, str]] = Counter()
    for _ in range(60):
        pair.fast.clock.advance(dice.choice([0, 0.4, 30, 61]))
        chunks = Script(dice, pair.credentials).chunks()
        for server, total in ((pair.fast, fast), (pair.slow, slow)):
            before = _counted(server)
            _exchange(server, chunks)
            total.update(_counted(server) - before)
    assert fast == slow
    assert {outcome for *_, outcome in fast} >= {
        "accepted",
        "rate_limit_exceeded",
        "insufficient_scope",
        "token_expired",
        "invalid_api_key",
        "ip_not_allowed",
    }


def _counted(server: RunningServer) -> Counter[tuple[int, str, str]]:
    """Requests by minute, credential and outcome, in the database that both servers share."""
    asyncio.run_coroutine_threadsafe(server.rooms.uses.flush_counts(), server.loop).result(20)
    database = sqlite3.connect(server.settings.database.removeprefix("sqlite:///"))
    try:
        rows = database.execute(
            "SELECT starts_at, credential_id, outcome, requests FROM usage_counts WHERE span = 60"
        ).fetchall()
    finally:
        database.close()
    return Counter({(start, credential, outcome): requests for start, credential, outcome, requests in rows})


def test_both_ways_remember_the_same_causes(pair: Pair) -> None:
    """An owner would learn why only of those refusals that were not parsed by the lane."""
    causes = set()
    for name, credential in pair.credentials.items():
        # Later each time, so that no flood of one cause is passed over.
        pair.fast.clock.advance(1)
        for path in ("/v1/auth/verify?scope=read+write", "/auth/forward"):
            for _ in range(2 if name in {"both", "expired"} else 1):
                told = [
                    _cause(server, path, credential.decode("latin-1")) for server in (pair.fast, pair.slow)
                ]
                assert told[0] == told[1], name
                causes.add(told[0] and told[0]["refused_by"])
    assert causes == {None, "shape", "status", "expiry", "address", "scope", "limit"}


def _cause(server: RunningServer, path: str, credential: str) -> dict[str, Any] | None:
    """Why a request was refused, less what differs between any two; None if it was not."""
    answer = server.client(credential).get(path)
    if answer.is_success:
        return None
    found = server.admin.get(f"/v1/denials/{answer.headers['x-request-id']}")
    assert found.status_code == 200, answer.text
    denial: dict[str, Any] = found.json()
    del denial["request_id"]
    return denial


def test_the_lane_takes_part(pair: Pair) -> None:
    """An agreement test in which the lane answered nothing would prove nothing."""
    credential = pair.credentials["both"].decode()
    client = pair.fast.client(credential)
    before = pair.fast.application.lane.answered
    for _ in range(10):
        assert client.get("/v1/auth/verify").status_code == 200
    assert pair.fast.application.lane.answered >= before + 9


def test_figures_move_alike_within_a_second_and_past_it(pair: Pair) -> None:
    """Answers that are kept for a second would tell a client to wait too long, or not long enough."""
    requests = [
        b"GET %b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n" % (path, pair.credentials["both"])
        for path in (b"/v1/auth/verify", b"/auth/forward")
    ]
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    told = set()
    pair.fast.clock.advance(3600)  # no window ends meanwhile
    for _ in range(12):
        chunks = [*requests * 3, last]
        fast = _exchange(pair.fast, chunks)
        assert fast == _exchange(pair.slow, chunks)
        told.update(re.findall(rb";t=(\d+), ", fast))
        pair.fast.clock.advance(0.3)
    assert len(told) in {4, 5}
