"""Limits leased from Valkey or Redis, one server or a cluster: the rule of `leasing.py` as one script.

What holds when the server loses its memory, and why: docs/decisions/0008-leases-in-valkey.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import chain
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import structlog
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import NoScriptError, RedisClusterException, RedisError
from redis.maint_notifications import MaintNotificationsConfig

from bonafides.errors import Unavailable
from bonafides.model import Entropy, Lease, LeaseAsk

PARTS: Final = 32
"""Subjects are kept in as many parts; a part is on one server of a cluster."""
SETTLING_SECONDS: Final = 3.0
"""A memory that has just begun hands nothing out for so long, until every process has told it what it knows."""

_PREFIX: Final = "bonafides"
_RULE: Final = resources.files("bonafides.store").joinpath("leasing.lua").read_text(encoding="utf-8")
# A text of its own for each part: a server that does not know it has not seen this part since it was started.
_SCRIPTS: Final = tuple(f"{_RULE}-- part {part}\n" for part in range(PARTS))
_NAMES: Final = tuple(hashlib.sha1(script.encode()).hexdigest() for script in _SCRIPTS)  # noqa: S324 - its name there

_CONNECT_SECONDS_MAX: Final = 1.0
_ANSWER_SECONDS_MAX: Final = 1.0
_LEASE_FIELDS: Final = 8
_FIRST_KEY: Final = 3
_FAILURES: Final = (RedisError, RedisClusterException, OSError, TimeoutError)
_TLS: Final = frozenset({"valkeys", "rediss"})
_PORT: Final = 6379
_KEEPS_ALL: Final = "noeviction"
_COMMON: Final[Mapping[str, Any]] = {
    "socket_connect_timeout": _CONNECT_SECONDS_MAX,
    "socket_timeout": _ANSWER_SECONDS_MAX,
    "protocol": 2,  # the one that every server speaks
    "driver_info": None,
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
}

log = structlog.get_logger("bonafides.store")

Client = Redis | RedisCluster
Command = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server says of itself.

    Args:
        version: Its name and version.
        clustered: Whether it is one of several.
        evicts: By which policy it forgets entries when its memory is full; "" if it never does.
    """

    version: str
    clustered: bool
    evicts: str


class ValkeyLimits:
    """A `LimitStore` in Valkey or Redis; connected when it is first asked.

    Args:
        url: `valkey://user:password@host:port/number`, `valkeys://` with TLS; of a cluster, any of its servers.
        entropy: Makes the names of eras.
        settling_seconds: How long a new memory waits for what processes know.
    """

    def __init__(self, url: str, entropy: Entropy, *, settling_seconds: float = SETTLING_SECONDS) -> None:
        self._options = _options(url)
        self._entropy = entropy
        self._settling_seconds = settling_seconds
        self._client: Client | None = None
        # One pipeline at a time: a failed one may close the connections of all.
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Task[Any]] = set()

    async def lease(self, asks: Sequence[LeaseAsk], now_us: int) -> Sequence[Lease | Unavailable]:
        """As `LimitStore` says; what cannot be asked is told for each ask apart."""
        replies = await self._call(
            [
                (self.part(ask.subject), (_key(self.part(ask.subject), ask.subject),), _words(ask, now_us))
                for ask in asks
            ]
        )
        return [reply if isinstance(reply, Unavailable) else _lease(reply) for reply in replies]

    async def eras(self) -> Mapping[int, str]:
        """As `LimitStore` says.

        Raises:
            Unavailable: No part can be asked.
        """
        return {part: reply[0].decode() for part, reply in await self._look()}

    async def settle(self) -> None:
        """Return when a memory that has just begun, and is told nothing, hands units out.

        Raises:
            Unavailable: None can be asked.
        """
        await asyncio.sleep(max(reply[1] for _, reply in await self._look()) / 1000)

    def part(self, subject: str) -> int:
        """As `LimitStore` says."""
        return zlib.crc32(subject.encode()) % PARTS

    async def facts(self) -> Facts:
        """What the server says of itself.

        Raises:
            Unavailable: It cannot be asked.
        """
        server = self._server()
        try:
            return _facts_of(await server.info())
        except _FAILURES as error:
            raise _away(error) from None
        finally:
            await server.aclose()

    async def close(self) -> None:
        """Finish what is under way and close every connection."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _look(self) -> Sequence[tuple[int, Any]]:
        replies = await self._call([(part, (), ()) for part in range(PARTS)])
        if all(isinstance(reply, Unavailable) for reply in replies):
            raise replies[0]
        return [(part, reply) for part, reply in enumerate(replies) if not isinstance(reply, Unavailable)]

    async def _call(self, calls: Sequence[tuple[int, Command, Command]]) -> Sequence[Any]:
        """What the script of a part returns for each call, or why there is no answer."""
        # A command that is cancelled in flight leaves its answer to the next one on that connection.
        task = asyncio.create_task(self._in_turn(calls))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _in_turn(self, calls: Sequence[tuple[int, Command, Command]]) -> Sequence[Any]:
        async with self._turn:
            try:
                client = self._client = await self._connected()
            except (Unavailable, *_FAILURES) as error:
                self._client = None
                return [_away(error)] * len(calls)
            era = self._entropy(8).hex()
            replies = await self._send(client, [self._command(*call, era) for call in calls])
            unknown = [number for number, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            if unknown:
                again = [self._command(*calls[number], era, unknown=True) for number in unknown]
                for number, reply in zip(unknown, await self._send(client, again), strict=True):
                    replies[number] = reply
            if any(isinstance(reply, Exception) for reply in replies):
                # Whatever it was, the next call does not inherit it, and learns anew where a cluster has its parts.
                await client.aclose()
            return [_away(reply) if isinstance(reply, Exception) else reply for reply in replies]

    def _command(
        self, part: int, keys: Command, words: Command, era: str, *, unknown: bool = False
    ) -> Command:
        keys = (_key(part, "era"), _key(part, "settling"), *keys)
        script = ("EVAL", _SCRIPTS[part]) if unknown else ("EVALSHA", _NAMES[part])
        return (*script, len(keys), *keys, int(unknown), era, round(self._settling_seconds * 1000), *words)

    async def _connected(self) -> Client:
        client = self._client
        if client is None:
            facts = await self.facts()
            if facts.evicts:
                log.warning("valkey_evicts", policy=facts.evicts)
            client = self._cluster() if facts.clustered else self._server()
        if isinstance(client, RedisCluster):
            return await client.initialize()
        return client

    def _server(self) -> Redis:
        # Once more, for a connection that a restarted server has forgotten: units that were handed out twice come back.
        retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,))
        return Redis(**self._options, **_COMMON, retry=retry)

    def _cluster(self) -> RedisCluster:
        cluster = RedisCluster(
            **self._options, **_COMMON, retry=Retry(NoBackoff(), 0), require_full_coverage=False
        )
        cluster.commands_parser = _Unneeded()  # type: ignore[assignment]
        return cluster

    async def _send(self, client: Client, commands: Sequence[Command]) -> list[Any]:
        """The replies, in order; the exception where there is none."""
        if isinstance(client, Redis):
            return await _pipelined(client, commands)
        # A server of a cluster that fails takes nobody else's commands with it.
        groups: dict[object, list[int]] = {}
        replies: dict[int, Any] = {}
        for number, command in enumerate(commands):
            try:
                groups.setdefault(client.get_node_from_key(command[_FIRST_KEY]), []).append(number)
            except RedisClusterException as error:
                replies[number] = error
        answers = await asyncio.gather(
            *(_pipelined(client, [commands[number] for number in numbers]) for numbers in groups.values())
        )
        order = chain.from_iterable(groups.values())
        replies |= zip(order, chain.from_iterable(answers), strict=True)
        return [replies[number] for number in range(len(commands))]


class _Unneeded:
    """Stands for what asks a server which words of a command are keys: of scripts that is known.

    It asks one server alone, and nothing works while that one is away.
    """

    async def initialize(self, _: object) -> None:
        """Learn nothing."""


async def _pipelined(client: Client, commands: Sequence[Command]) -> list[Any]:
    pipeline = client.pipeline(transaction=False) if isinstance(client, Redis) else client.pipeline()
    for command in commands:
        pipeline.execute_command(*command)
    try:
        return list(await pipeline.execute(raise_on_error=False))
    except _FAILURES as error:
        return [error] * len(commands)


def _key(part: int, name: str) -> str:
    return f"{_PREFIX}:{{{part}}}:{name}"


def _words(ask: LeaseAsk, now_us: int) -> Command:
    """An ask as the script takes it, from its fourth argument on."""
    known = ask.remembers
    return (
        now_us,
        ask.holder,
        "" if ask.hourly is None else ask.hourly,
        "" if ask.burst is None else ask.burst,
        ask.spent,
        int(ask.keeps),
        ask.recent,
        ask.burst_left_us,
        ask.wanted,
        ask.least,
        known.era,
        known.hour_left_us,
        known.hour_used,
        known.hour_taken,
        known.granted,
        known.valid_left_us,
    )


def _lease(reply: Sequence[Any]) -> Lease | Unavailable:
    era, settling_ms, *figures = reply
    if len(figures) < _LEASE_FIELDS:
        return Unavailable(internal=f"Valkey: its memory is new, and settles for {settling_ms} ms yet")
    fields = (*figures[:-1], bool(figures[-1]), era.decode())
    return Lease(*fields)


def _options(url: str) -> dict[str, Any]:
    """What the client takes, of a URL that the settings have found good."""
    parts = urlsplit(url)
    number = parts.path.strip("/")
    return {
        "host": parts.hostname,
        "port": parts.port or _PORT,
        "db": int(number or 0),
        "username": unquote(parts.username or "") or None,
        "password": unquote(parts.password or "") or None,
        "ssl": parts.scheme in _TLS,
        **dict(parse_qsl(parts.query)),
    }


def _facts_of(said: Mapping[str, Any]) -> Facts:
    name = str(said.get("server_name", "redis")).capitalize()
    version = said.get("valkey_version") or said.get("redis_version", "")
    policy = str(said.get("maxmemory_policy", _KEEPS_ALL))
    forgets = int(said.get("maxmemory", 0)) > 0 and policy != _KEEPS_ALL
    return Facts(f"{name} {version}", bool(said.get("cluster_enabled")), policy if forgets else "")


def _away(error: Exception) -> Unavailable:
    return (
        error
        if isinstance(error, Unavailable)
        else Unavailable(internal=f"Valkey: {type(error).__name__}: {error}")
    )
