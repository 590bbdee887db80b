"""Leases in Valkey: the same rule as in Python, on one server and on a cluster, and what a lost memory costs."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import CapturingLogger

from bonafides.errors import Unavailable
from bonafides.model import Lease, LeaseAsk, Remembered
from bonafides.store.leasing import HOUR_US, Held, Windows, hand_out
from bonafides.store.valkey import PARTS, ValkeyLimits
from tests.valkey import RIGHTS, ValkeyCluster, ValkeyServer

NOW_US: Final = 1_900_000_000_000_000
SECOND: Final = 1_000_000
FOR_EVER_MS: Final = 3_600_000

Open = Callable[[str], ValkeyLimits]


def ask(holder: str = "one", *, subject: str = "key_1", wanted: int = 4, **changes: Any) -> LeaseAsk:
    """A wish for units of 1,000 an hour and 80 a second."""
    plain = LeaseAsk(
        subject=subject,
        holder=holder,
        hourly=1_000,
        burst=80,
        spent=0,
        keeps=True,
        recent=0,
        burst_left_us=0,
        wanted=wanted,
        least=1,
    )
    return replace(plain, **changes)


def units(leases: Sequence[Lease | Unavailable]) -> list[int | None]:
    """How many each got; None for one without an answer."""
    return [lease.units if isinstance(lease, Lease) else None for lease in leases]


@pytest.fixture
async def open_limits() -> AsyncIterator[Open]:
    """Opens leases, as processes would, on servers whose memory need not settle for long."""
    opened: list[ValkeyLimits] = []

    def open_another(url: str) -> ValkeyLimits:
        opened.append(ValkeyLimits(url, secrets.token_bytes, settling_seconds=0.05))
        return opened[-1]

    yield open_another
    for limits in opened:
        await limits.close()


@pytest.fixture
async def limits(valkey: ValkeyServer, open_limits: Open) -> ValkeyLimits:
    """Leases on a server that knows nothing and is ready."""
    with valkey.client() as client:
        client.flushall()
    limits = open_limits(valkey.url)
    await limits.settle()
    return limits


@pytest.fixture(scope="module")
def cluster() -> Iterator[ValkeyCluster]:
    """Three servers that share the keys."""
    cluster = ValkeyCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()


FIGURE = st.one_of(st.none(), st.integers(0, 60), st.sampled_from([1_000, 10_000, 2**53 - 1, 2**53]))
SMALL = st.integers(0, 30)
LEFT_US = st.sampled_from([0, 1, 999_999, SECOND, 10 * SECOND, HOUR_US - 1])
STEP = st.fixed_dictionaries(
    {
        "holder": st.sampled_from(["one", "two", "three"]),
        "spent": SMALL,
        "keeps": st.booleans(),
        "recent": SMALL,
        "burst_left_us": LEFT_US,
        "wanted": st.one_of(st.just(0), st.integers(1, 200)),
        "least": st.integers(1, 5),
        "remembers": st.builds(
            Remembered,
            era=st.sampled_from(["", "first", "second"]),
            hour_left_us=LEFT_US,
            hour_used=SMALL,
            hour_taken=SMALL,
            granted=SMALL,
            valid_left_us=LEFT_US,
        ),
    }
)
MOVE = st.tuples(
    STEP,
    st.sampled_from([0, 0, 1, 200_000, SECOND, 11 * SECOND, HOUR_US, -SECOND]),
    st.sampled_from(["", "", "", "lose", "settle", "settled"]),
)


def windows_of(text: bytes) -> Windows:
    """What the script has written."""
    first, *lines = text.decode().split("\n")
    *figures, era = first.split(" ")
    hour_ends, hour_used, burst_ends, burst_used, seen, least_used = map(int, figures)
    found = Windows(hour_ends, hour_used, burst_ends, burst_used, seen, era=era, least_used=least_used)
    for line in lines:
        kind, holder, *rest = line.split(" ")
        if kind == "held":
            found.held[holder] = Held(*map(int, rest))
        else:
            found.told[holder] = int(rest[0])
    return found


@given(FIGURE, FIGURE, st.lists(MOVE, min_size=1, max_size=30))
async def test_the_script_is_the_rule(
    valkey: ValkeyServer,
    hourly: int | None,
    burst: int | None,
    moves: Sequence[tuple[dict[str, Any], int, str]],
) -> None:
    """The same plan would admit something else where Valkey counts; an error of one would be found in the other."""
    limits = ValkeyLimits(valkey.url, secrets.token_bytes)
    subject = f"key_{secrets.token_hex(8)}"
    part = limits.part(subject)
    key, era_key, settling_key = (f"bonafides:{{{part}}}:{name}" for name in (subject, "era", "settling"))
    windows, now_us, era, settling = Windows(), NOW_US, "first", False
    with valkey.client() as client:
        await limits.eras()
        client.set(era_key, era)
        client.delete(settling_key)
        for step, later_us, event in moves:
            now_us += later_us
            if event == "lose":
                era = "second"
                client.set(era_key, era)
            elif event:
                settling = event == "settle"
                if settling:
                    client.set(settling_key, "", px=FOR_EVER_MS)
                else:
                    client.delete(settling_key)
            wish = LeaseAsk(subject=subject, hourly=hourly, burst=burst, **step)
            expected = hand_out(windows, wish, era, now_us, settling=settling)
            (lease,) = await limits.lease([wish], now_us)
            assert (lease if isinstance(lease, Lease) else None) == expected
            kept: Any = client.get(key)
            assert windows_of(kept) == windows
        assert 0 < client.pttl(key) - HOUR_US // 1_000 < HOUR_US
    await limits.close()


async def test_a_batch_is_answered_in_its_order(limits: ValkeyLimits) -> None:
    """One subject's units would be spent on another's requests."""
    wishes = [ask(subject=f"key_{number}", wanted=number) for number in range(1, 10)]
    assert units(await limits.lease(wishes, NOW_US)) == list(range(1, 10))
    assert await limits.lease([], NOW_US) == []


async def test_processes_that_ask_at_once_never_get_more_than_the_limit(
    limits: ValkeyLimits, valkey: ValkeyServer, open_limits: Open
) -> None:
    """Two nodes would both get the last units."""

    async def take(holder: str, limits: ValkeyLimits) -> int:
        taken = 0
        while True:
            (lease,) = await limits.lease([ask(holder, spent=taken and 2, wanted=2)], NOW_US)
            assert isinstance(lease, Lease)
            if not lease.units:
                return taken
            taken += lease.units

    others = [open_limits(valkey.url) for _ in range(3)]
    takers = [take(str(number), each) for number, each in enumerate([limits, *others])]
    assert sum(await asyncio.gather(*takers)) == 80


async def test_a_cluster_shares_the_parts(cluster: ValkeyCluster, open_limits: Open) -> None:
    """A script whose keys lie on two servers is refused, and so would every request be."""
    limits = open_limits(cluster.url)
    assert (await limits.facts()).clustered
    await limits.settle()
    wishes = [ask(subject=f"key_{number}", wanted=number) for number in range(1, 10)]
    assert units(await limits.lease(wishes, NOW_US)) == list(range(1, 10))
    assert len(await limits.eras()) == PARTS
    for server in cluster.servers:
        with server.client() as client:
            assert client.dbsize()


async def test_a_server_of_a_cluster_that_fails_takes_no_other_with_it(open_limits: Open) -> None:
    """A third of the customers would be an outage of all."""
    cluster = ValkeyCluster()
    try:
        cluster.start()
        limits = open_limits(cluster.url)
        await limits.settle()
        wishes = [ask(subject=f"key_{number}") for number in range(60)]
        assert None not in units(await limits.lease(wishes, NOW_US))
        cluster.servers[1].stop()
        for _ in range(2):
            answered = [unit is not None for unit in units(await limits.lease(wishes, NOW_US))]
            assert 0 < sum(answered) < len(answered)
        assert 0 < len(await limits.eras()) < PARTS
        # The one that the URL names is not needed once the others are known.
        cluster.servers[0].stop()
        for _ in range(2):
            assert 0 < len(await limits.eras()) < PARTS
        cluster.servers[2].stop()
        with pytest.raises(Unavailable):
            await limits.eras()
        for server in cluster.servers:
            server.start()
        deadline = time.monotonic() + 60
        while set(units(await limits.lease(wishes, NOW_US))) != {4}:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
    finally:
        cluster.close()


async def test_a_part_that_no_server_has_is_away(open_limits: Open) -> None:
    """While a cluster is taken apart, whoever has the rest must go on."""
    cluster = ValkeyCluster(2)
    try:
        cluster.start()
        for server in cluster.servers:
            with server.client() as client:
                client.execute_command("CLUSTER", "DELSLOTSRANGE", 0, 8_191)
        limits = open_limits(cluster.url)
        deadline = time.monotonic() + 10
        while not 0 < len(await limits.eras()) < PARTS:
            assert time.monotonic() < deadline
    finally:
        cluster.close()


async def test_a_flush_begins_an_era_and_nothing_is_handed_out_at_first(
    limits: ValkeyLimits, valkey: ValkeyServer
) -> None:
    """Every key would get a full hour anew, at every node."""
    before = await limits.eras()
    assert units(await limits.lease([ask()], NOW_US)) == [4]
    with valkey.client() as client:
        client.flushall()
    (refused,) = await limits.lease([ask()], NOW_US)
    assert isinstance(refused, Unavailable)
    assert "settles" in refused.internal
    after = await limits.eras()
    assert all(after[part] != before[part] for part in before)
    await limits.settle()
    assert units(await limits.lease([ask()], NOW_US)) == [4]


async def test_a_restart_begins_an_era_even_if_everything_seems_to_be_there(open_limits: Open) -> None:
    """What was handed out in the last second before a crash may not be on its disk, and would be handed out again."""
    server = ValkeyServer("--appendonly", "yes", "--appendfsync", "always")
    try:
        server.start()
        limits, other = open_limits(server.url), open_limits(server.url)
        await limits.settle()
        before = await limits.eras()
        assert await other.eras() == before
        assert units(await limits.lease([ask()], NOW_US)) == [4]
        server.restart()
        deadline = time.monotonic() + 10
        while len(after := await limits.eras()) < PARTS:
            assert time.monotonic() < deadline
        assert all(after[part] != before[part] for part in before)
        await limits.settle()
        # What has survived is still used up.
        (lease,) = await limits.lease([ask("two")], NOW_US)
        assert isinstance(lease, Lease)
        assert (lease.units, lease.hour_used) == (4, 4)
        assert await other.eras() in ({}, after)
    finally:
        server.close()


async def test_while_one_is_heard_others_may_still_speak(valkey: ValkeyServer) -> None:
    """A node with a great many keys would be cut off in the middle of what it has to say."""
    limits = ValkeyLimits(valkey.url, secrets.token_bytes, settling_seconds=0.5)
    with valkey.client() as client:
        client.flushall()
        known = Remembered("an older era", HOUR_US // 2, 100, 100, 0, 0)
        part = limits.part("key_1")
        key = f"bonafides:{{{part}}}:settling"
        (lease,) = await limits.lease([ask(wanted=0, remembers=known)], NOW_US)
        assert isinstance(lease, Lease)
        assert client.pttl(key) > 500
    await limits.close()


async def test_a_server_that_is_away_is_an_outage_and_comes_back(
    own_valkey: ValkeyServer, open_limits: Open
) -> None:
    """A restart of Valkey would need a restart of every node."""
    limits = open_limits(own_valkey.url)
    await limits.settle()
    own_valkey.stop()
    for _ in range(2):
        assert units(await limits.lease([ask()], NOW_US)) == [None]
    with pytest.raises(Unavailable):
        await limits.eras()
    with pytest.raises(Unavailable):
        await limits.facts()
    own_valkey.start()
    await limits.settle()
    assert units(await limits.lease([ask()], NOW_US)) == [4]


async def test_a_server_that_hangs_is_an_outage(open_limits: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests wait for a lease: they must not wait for ever."""
    monkeypatch.setattr("bonafides.store.valkey._COMMON", {"socket_timeout": 0.05, "protocol": 2})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limits = open_limits(f"valkey://127.0.0.1:{silent.getsockname()[1]}")
        assert units(await limits.lease([ask()], NOW_US)) == [None]


async def test_a_command_is_never_cancelled_in_flight(limits: ValkeyLimits) -> None:
    """The next request on that connection would get the answer to this one: another customer's units."""
    for _ in range(20):
        leaving = asyncio.create_task(limits.lease([ask(subject="key_leaving", wanted=7)], NOW_US))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        (lease,) = await limits.lease([ask(wanted=1)], NOW_US)
        assert isinstance(lease, Lease)
        assert lease.units == 1
    (lease,) = await limits.lease([ask(subject="key_leaving", wanted=0)], NOW_US)
    assert isinstance(lease, Lease)
    assert lease.hour_left_us > 0


async def test_a_full_memory_is_an_outage_and_a_forgetful_one_is_told_of(
    own_valkey: ValkeyServer, open_limits: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries that are pushed out are limits that begin anew, and nobody would know."""
    limits = open_limits(own_valkey.url)
    assert (await limits.facts()).evicts == ""
    await limits.settle()
    with own_valkey.client() as client:
        client.config_set("maxmemory", 1)
        assert units(await limits.lease([ask()], NOW_US)) == [None]
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
    written = CapturingLogger()
    monkeypatch.setattr(
        "bonafides.store.valkey.log",
        structlog.wrap_logger(written, processors=[], wrapper_class=structlog.make_filtering_bound_logger(0)),
    )
    other = open_limits(own_valkey.url)
    await other.settle()
    assert [call.kwargs for call in written.calls] == [{"event": "valkey_evicts", "policy": "allkeys-lru"}]
    assert (await other.facts()).evicts == "allkeys-lru"


async def test_user_password_and_number_are_those_of_the_url(
    own_valkey: ValkeyServer, open_limits: Open
) -> None:
    """Whoever shares a server with others could not keep apart from them."""
    with own_valkey.client() as client:
        client.acl_setuser(
            "limits", enabled=True, passwords=["+p@ss/word"], commands=RIGHTS, keys=["bonafides:*"]
        )
    limits = open_limits(f"redis://limits:p%40ss%2Fword@127.0.0.1:{own_valkey.port}/3")
    await limits.settle()
    assert units(await limits.lease([ask()], NOW_US)) == [4]
    with own_valkey.client() as client:
        client.select(3)
        assert client.dbsize() > PARTS
    wrong = open_limits(f"redis://limits:guessed@127.0.0.1:{own_valkey.port}")
    (refused,) = await wrong.lease([ask()], NOW_US)
    assert isinstance(refused, Unavailable)
    assert "guessed" not in refused.internal


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine's own, for `localhost`, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(pem) + secret)
    return path


async def test_with_tls_only_the_right_server_is_spoken_to(
    valkey: ValkeyServer, certificate: Path, open_limits: Open
) -> None:
    """Whoever sits between could read the password, and hand out units as they like."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", valkey.port)
        with suppress(OSError):
            await asyncio.gather(carry(reader, there[1]), carry(there[0], writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with await asyncio.start_server(forward, "localhost", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        trusting = open_limits(f"valkeys://localhost:{port}?ssl_ca_certs={certificate}")
        await trusting.settle()
        assert units(await trusting.lease([ask("tls", subject="key_tls")], NOW_US)) == [4]
        for url in (f"valkeys://localhost:{port}", f"valkeys://127.0.0.1:{port}?ssl_ca_certs={certificate}"):
            limits = open_limits(url)
            assert units(await limits.lease([ask()], NOW_US)) == [None]
            await limits.close()
        await trusting.close()
