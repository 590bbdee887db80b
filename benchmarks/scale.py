"""Rows on size: ten million keys in the database, one million of them in memory."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks.client import Order
from benchmarks.cold import FIRST_RESIDENTS, require_good
from benchmarks.load import CONNECTIONS, Outcome, send
from benchmarks.machine import resident_bytes
from benchmarks.measure import Contestant, Row, Target, Workplace, contest
from benchmarks.service import Installation, serving, verify_request
from bonafides.app import SystemClock
from bonafides.keyring import require_peppers
from bonafides.secret import SecretKind, display, mint, new_id

_SMALL: Final = 10_000
_FORGETFUL: Final = 2_000
"""Residents of a server whose every key is to be looked up, although it comes again."""
_SLICES: Final = 200
_SECONDS_MAX: Final = 7_200
_MEGABYTES_OF_CACHE: Final = 2_000


def scale(place: Workplace) -> list[Row]:
    """Whether a look-up takes as long among ten million as among ten thousand, and what a million in memory occupy."""
    effort = place.effort
    presented = effort.cold_keys * (effort.runs + 1)
    small = Installation.make(place.subfolder("small"), resident_credentials_max=_FORGETFUL)
    small_keys = _written(stock(small, min(_SMALL, effort.scale_keys), 0), place.folder / "small-keys")
    large = Installation.make(place.subfolder("large"), resident_credentials_max=_FORGETFUL)
    real = effort.scale_residents + presented
    large_keys = _written(stock(large, real, effort.scale_keys - real), place.folder / "large-keys")
    rows = _look_ups(place, small, small_keys, large, large_keys)
    # The same keys once more, for a server that remembers them all.
    remembering = large.changed(resident_credentials_max=effort.scale_residents)
    return [*rows, _memory(place, remembering, large_keys)]


def _look_ups(
    place: Workplace, small: Installation, small_keys: Path, large: Installation, large_keys: Path
) -> list[Row]:
    effort = place.effort
    few = Row("scale-small", f"verify, not resident, SQLite, {min(_SMALL, effort.scale_keys):,} keys in it")
    many = Row(
        "scale-large",
        f"the same, {effort.scale_keys:,} keys in it",
        target=Target(0.75, few.name, words="≥ 0.75 x the row above"),
    )
    with serving(small) as one, serving(large) as other:

        def look_up(port: int, keys: Path, *, again: bool) -> Contestant:
            turn = iter(range(effort.runs + 1))

            def load(_: float) -> Outcome:
                first = 0 if again else next(turn) * effort.cold_keys
                count = min(effort.cold_keys, _SMALL, effort.scale_keys)
                return send(_order(port, keys, first=first, count=count))

            row, service = (few, one) if again else (many, other)
            return Contestant(row, load, (service.pid,))

        contestants = [
            look_up(one.port, small_keys, again=True),
            look_up(other.port, large_keys, again=False),
        ]
        return contest(contestants[1:], contestants[:1], effort)


def _memory(place: Workplace, installation: Installation, keys: Path) -> Row:
    count = place.effort.scale_residents
    row = Row(
        "scale-memory",
        f"memory of a resident key, {count:,} in memory, {place.effort.scale_keys:,} in the database",
        "bytes",
        target=Target(500, most=True),
    )
    with serving(installation) as service:
        require_good(row.name, send(_order(service.port, keys, count=FIRST_RESIDENTS)))
        few = resident_bytes(service.pid)
        rest = count - FIRST_RESIDENTS
        require_good(row.name, send(_order(service.port, keys, first=FIRST_RESIDENTS, count=rest)))
        many = resident_bytes(service.pid)
    row.runs.append((many - few) / rest)
    row.notes |= {"bytes_with_1000": few, "bytes_with_all": many}
    return row


def _order(port: int, keys: Path, *, count: int, first: int = 0) -> Order:
    return Order(
        port=port,
        request=verify_request("{key}").text(port),
        connections=CONNECTIONS,
        seconds=_SECONDS_MAX,
        keys=str(keys),
        first=first,
        count=count,
    )


def _written(keys: Iterable[str], path: Path) -> Path:
    path.write_text("\n".join(keys))
    return path


def stock(installation: Installation, count: int, others: int) -> list[str]:
    """Put keys directly into an installation's SQLite file, in seconds for each million.

    Args:
        installation: Which nobody serves.
        count: Keys to present; they lie scattered among the rest. Their secrets are returned.
        others: Rows whose secret nobody knows.
    """
    (template,) = installation.add_keys(1)
    peppers = require_peppers(installation.settings)
    now_us = SystemClock().micros()

    def made() -> Iterator[tuple[str, str, bytes, str]]:
        for _ in range(count - 1):
            identifier = new_id("key", now_us, secrets.token_bytes)
            key = mint(SecretKind.KEY, identifier, secrets.token_bytes)
            keys.append(key)
            yield identifier, identifier, peppers.digest(key.encode()), display(key)

    keys = [template]
    rows = made()
    with _filling(installation) as database:
        columns = [name for _, name, *_ in database.execute("PRAGMA table_info(credentials)")]
        copied = [name for name in columns if name not in {"id", "root_id", "digest", "display"}]
        (like,) = database.execute("SELECT max(rowid) FROM credentials").fetchone()
        names = ", ".join(["id", "root_id", "digest", "display", *copied])
        shared = ", ".join(f"likeness.{name}" for name in copied)
        one = f"INSERT INTO credentials ({names}) SELECT ?1, ?2, ?3, ?4, {shared} FROM credentials likeness WHERE rowid = {like}"  # noqa: S608 - names of our own columns
        several = f"""
            WITH RECURSIVE place (number) AS (SELECT ?1 UNION ALL SELECT number + 1 FROM place WHERE number + 1 < ?2)
            INSERT INTO credentials ({names})
            SELECT format('key_%022d', number), format('key_%022d', number), randomblob(32), likeness.display, {shared}
            FROM place, credentials likeness WHERE likeness.rowid = {like}
        """  # noqa: S608 - names of our own columns
        slices = _SLICES if others >= _SLICES else 1
        for at in range(slices):
            first, last = others * at // slices, others * (at + 1) // slices
            if first < last:
                database.execute(several, (first, last))
            database.executemany(one, islice(rows, -(-count // slices)))
    return keys


@contextlib.contextmanager
def _filling(installation: Installation) -> Iterator[sqlite3.Connection]:
    """The file, without what keeps it safe and orderly while it grows; all of that is back at the end."""
    path = installation.settings.sqlite_path
    with contextlib.closing(sqlite3.connect(str(path), isolation_level=None)) as database:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_MEGABYTES_OF_CACHE}000"):
            database.execute(f"PRAGMA {pragma}").fetchall()
        indexes = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'credentials' AND sql IS NOT NULL"
        ).fetchall()
        unique = [name for name, sql in indexes if "UNIQUE" in sql.upper().split(" ON ")[0]]
        indexes = [(name, sql) for name, sql in indexes if name not in unique]
        database.execute("BEGIN")
        for name, _ in indexes:
            database.execute(f"DROP INDEX {name}")
        yield database
        for _, statement in indexes:
            database.execute(statement)
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode = WAL").fetchall()
