"""What `bonafides doctor` checks: the machine, the settings, the files, the database and the peppers."""

from __future__ import annotations

import ipaddress
import os
import platform
import shutil
import stat
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from bonafides.cli.session import settings_in_force
from bonafides.errors import AppError, Misconfigured
from bonafides.keyring import OTHERS, load_peppers
from bonafides.model import EPOCH, EVERYWHERE, Page, to_datetime
from bonafides.resources import time_text
from bonafides.secret import Peppers, redact
from bonafides.settings import SETTINGS_FILE, Settings
from bonafides.store import Store

SANE_AFTER: Final = datetime(2025, 1, 1, tzinfo=UTC)
SANE_BEFORE: Final = datetime(2100, 1, 1, tzinfo=UTC)
BACKWARDS_MAX: Final = timedelta(seconds=5)
FREE_BYTES_MIN: Final = 100 * 2**20
FREE_BYTES_LOW: Final = 2**30

_WRITABLE_BY_OTHERS: Final = 0o022
_WAL: Final = b"\x02\x02"
_HEADER_VERSIONS: Final = slice(18, 20)
_SQLITE_MAGIC: Final = b"SQLite format 3\x00"
_SECRET_SETTINGS: Final = ("peppers", "database", "valkey")
_VALKEY_WITH_TLS: Final = ("valkeys://", "rediss://")
_WITH_TLS: Final = frozenset({"require", "verify-ca", "verify-full"})


class State(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, what was found, and what to do about it."""

    name: str
    state: State
    message: str
    mend: str | None = None


def good(name: str, message: str) -> Check:
    """Nothing to do."""
    return Check(name, State.OK, message)


def warning(name: str, message: str, mend: str) -> Check:
    """Works, and should still be changed."""
    return Check(name, State.WARNING, message, mend)


def failure(name: str, message: str, mend: str) -> Check:
    """Does not work, or is not safe."""
    return Check(name, State.FAILURE, message, mend)


async def check_everything(database: str | None) -> list[Check]:
    """Every check that can be made; one that fails does not keep the others from being made.

    Args:
        database: As given on the command line.
    """
    from bonafides import app  # noqa: PLC0415 - the rooms take a second to import, and --help needs none of them

    now = to_datetime(app.SystemClock().micros())
    checks = [
        good("python", f"Python {platform.python_version()} on {platform.system()}."),
        clock_itself(now),
    ]
    try:
        settings = settings_in_force(database=database)
    except Misconfigured as error:
        return [*checks, failure("settings", error.public, "Change what the sentence names.")]
    checks += check_settings(settings)
    checks += check_files(settings, Path.cwd())
    peppers, found = check_pepper_source(settings)
    checks += found
    checks += await check_database(settings, peppers, now)
    return checks + await check_valkey(settings)


def clock_itself(now: datetime) -> Check:
    """A clock that was never set judges every expiry wrongly."""
    if SANE_AFTER <= now <= SANE_BEFORE:
        return good("clock", f"It is {time_text(now.replace(microsecond=0))}.")
    return failure(
        "clock",
        f"It is {time_text(now.replace(microsecond=0))} here, which cannot be.",
        "Set the clock, and keep it right with NTP: every expiry and limit goes by it.",
    )


def check_settings(settings: Settings) -> Iterator[Check]:
    """Settings that start, and are still unsafe or unlikely."""
    unsafe = settings.unsafe()
    for sentence in unsafe:
        yield warning(
            "settings", f"Production mode would refuse: {sentence}", "Change it before clients rely on it."
        )
    if not unsafe:
        mode = "production" if settings.production else "not production"
        yield good("settings", f"Safe (mode: {mode}).")
        if not settings.production:
            yield warning(
                "production",
                "Unsafe settings would only be warned of.",
                "Set BONAFIDES_PRODUCTION=true, so that they stop the start.",
            )
    if settings.public_url.startswith("https://") and not settings.trusted_proxies:
        yield warning(
            "proxy",
            "public_url is https, so a proxy stands in front, but none is trusted: every client has its address.",
            "Set BONAFIDES_TRUSTED_PROXIES to the proxy's address, such as 127.0.0.1.",
        )
    if settings.valkey and not (_is_near(settings.valkey) or settings.valkey.startswith(_VALKEY_WITH_TLS)):
        yield warning(
            "valkey tls",
            "The connection to Valkey is unencrypted.",
            "Write valkeys:// in its URL, and let the server speak TLS.",
        )
    if settings.database_scheme == "postgresql" and not _is_private_connection(settings.database):
        yield warning(
            "database tls",
            "The connection to PostgreSQL may be unencrypted.",
            "Add ?sslmode=verify-full to the database's URL.",
        )


def _is_private_connection(url: str) -> bool:
    return _is_near(url) or not _WITH_TLS.isdisjoint(parse_qs(urlsplit(url).query).get("sslmode", []))


def _is_near(url: str) -> bool:
    host = urlsplit(url).hostname or "localhost"
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_files(settings: Settings, folder: Path) -> Iterator[Check]:
    """Who may read and write what is on this machine's disk."""
    toml = folder / SETTINGS_FILE
    if _mode(toml) & OTHERS and _holds_secrets(toml):
        yield failure(
            "settings file", f"{toml} holds a secret and can be read by others.", f"Run: chmod 600 {toml}"
        )
    database = settings.sqlite_path
    if database is None or not database.exists():
        return
    files = [
        path for path in (database, *(Path(f"{database}-{end}") for end in ("wal", "shm"))) if path.exists()
    ]
    open_files = [path for path in files if _mode(path) & OTHERS]
    for path in open_files:
        yield warning(
            "file permissions",
            f"{path} can be read or written by others: it holds addresses, digests and password hashes.",
            f"Run: chmod 600 {path}",
        )
    if not open_files:
        yield good("file permissions", f"{database} is its owner's alone.")
    parent = database.absolute().parent
    if _mode(parent) & _WRITABLE_BY_OTHERS and not _mode(parent) & stat.S_ISVTX:
        yield warning(
            "folder permissions",
            f"Others may write in {parent}, and so replace the database and the pepper.",
            f"Run: chmod go-w {parent}",
        )
    for path in (*files, parent):
        if not os.access(path, os.W_OK):
            yield failure(
                "file permissions",
                f"{path} cannot be written by this user ({os.geteuid()}).",
                "Run bonafides as the user whose file it is, or give it to that user with chown.",
            )
    yield disk_space(parent, shutil.disk_usage(parent).free)
    with database.open("rb") as file:
        head = file.read(100)
    if head.startswith(_SQLITE_MAGIC) and head[_HEADER_VERSIONS] != _WAL:
        yield warning(
            "journal",
            f"{database} is not in WAL mode, so that readers and the writer block each other.",
            "Stop every server and run bonafides migrate; WAL needs a local disk, not a network share.",
        )


def disk_space(folder: Path, free: int) -> Check:
    """A full disk refuses every change.

    Args:
        folder: Where the database lies.
        free: Bytes that are left there.
    """
    left = f"{free // 2**20} MB are free in {folder}."
    if free < FREE_BYTES_MIN:
        return failure("disk", left, "Make room: when the disk is full, nothing can be created or revoked.")
    if free < FREE_BYTES_LOW:
        return warning("disk", left, "Make room before the disk is full.")
    return good("disk", left)


def check_pepper_source(settings: Settings) -> tuple[Peppers | None, list[Check]]:
    """The peppers in force, and what is to be said of where they come from."""
    try:
        peppers = load_peppers(settings)
    except Misconfigured as error:
        return None, [failure("pepper", error.public, "Until then no server starts.")]
    if peppers is None:
        return None, []
    place = "BONAFIDES_PEPPERS" if settings.peppers else str(settings.pepper_path)
    checks = [good("pepper", f"{len(peppers.ids)} in {place}, newest {peppers.newest_id}.")]
    repeated = len(peppers.ids) - len(set(peppers.ids))
    if repeated:
        checks.append(warning("pepper", f"{place} holds a pepper twice.", "Remove the line that repeats it."))
    return peppers, checks


async def check_database(settings: Settings, peppers: Peppers | None, now: datetime) -> list[Check]:
    """Whether the database answers, is up to date, takes a change, and agrees with the clock and the peppers."""
    place = settings.database_shown
    from bonafides import app  # noqa: PLC0415 - the rooms take a second to import, and --help needs none of them

    try:
        status = await app.schema(settings)
        if status.current is None:
            return [
                warning(
                    "database",
                    f"There is no installation in {place} yet.",
                    "Run: bonafides init --email you@example.com",
                )
            ]
        if not status.up_to_date:
            message = f"{place} has schema {status.current}, and this program needs {status.needed}."
            return [
                failure("database", message, "Run: bonafides migrate (or install the program that made it).")
            ]
    except AppError as error:
        return [_unreachable(place, error)]
    store = app.open_store(settings, lambda _: None)
    try:
        checks = [good("database", f"{place} answers; its schema is {status.current}.")]
        checks += await _check_contents(settings, store, peppers, now)
    except AppError as error:
        checks = [_unreachable(place, error)]
    finally:
        await store.close()
    return checks


def _unreachable(place: str, error: AppError) -> Check:
    reason = redact(error.internal or error.public)
    return failure(
        "database", f"{place} cannot be asked: {reason}", "See that it runs, and that its name is right."
    )


async def _check_contents(
    settings: Settings, store: Store, peppers: Peppers | None, now: datetime
) -> list[Check]:
    if not await store.is_founded():
        return [
            warning("installation", "The database is empty.", "Run: bonafides init --email you@example.com"),
        ]
    checks = [await _check_writing(store), *await _check_clock(store, now)]
    if peppers is not None:
        checks += compare_peppers(peppers, dict(await store.pepper_ids()), settings)
    elif not settings.peppers and not settings.pepper_path.exists():
        message = f"There is none: {settings.pepper_path} does not exist, and BONAFIDES_PEPPERS is not set."
        mend = "Restore it from a backup. Without it no key can be checked; a new one makes none of the old keys work."
        checks.append(failure("pepper", message, mend))
    return checks


async def _check_writing(store: Store) -> Check:
    try:
        # There is nothing that old to forget, so it changes nothing, and still needs all that a change needs.
        await store.prune(EPOCH)
    except AppError as error:
        return failure(
            "writing",
            f"The database takes no change: {redact(error.internal or error.public)}",
            "See that its disk is not full, that it is not a read-only replica, and that this user may write.",
        )
    return good("writing", "The database takes changes.")


async def _check_clock(store: Store, now: datetime) -> list[Check]:
    newest = await store.list_events(EVERYWHERE, Page(1))
    if newest and newest[0].at - now > BACKWARDS_MAX:
        return [
            failure(
                "clock",
                f"The newest audit event is of {time_text(newest[0].at)}, which is yet to come: "
                "this clock went back, or another node's is ahead.",
                "Keep the clocks of all nodes right with NTP: what has expired would work again.",
            )
        ]
    return []


async def check_valkey(settings: Settings) -> list[Check]:
    """Whether the server of the leases answers, carries the rule out, and keeps what it is told."""
    if not settings.valkey:
        return []
    from bonafides import app  # noqa: PLC0415 - the rooms take a second to import, and --help needs none of them

    place = settings.valkey_shown
    try:
        leases = app.open_leases(settings, os.urandom)
    except Misconfigured as error:
        return [failure("valkey", error.public, "Until then no server starts.")]
    try:
        facts = await leases.facts()
        await leases.eras()
    except AppError as error:
        reason = redact(error.internal or error.public)
        mend = "See that it runs, and that its URL, user and password are right. Until then requests are admitted as uncounted_requests says."
        return [failure("valkey", f"{place} cannot be asked: {reason}", mend)]
    finally:
        await leases.close()
    checks = [
        good(
            "valkey", f"{place} answers: {facts.version}, {'a cluster' if facts.clustered else 'one server'}."
        )
    ]
    if facts.evicts:
        checks.append(
            warning(
                "valkey memory",
                f"When its memory is full it forgets entries ({facts.evicts}), and with them what of a limit is used up.",
                "Set maxmemory-policy noeviction on it.",
            )
        )
    return checks


def compare_peppers(peppers: Peppers, stored: dict[str, int], settings: Settings) -> Iterator[Check]:
    """Whether every stored digest can still be made, and whether an old pepper can go.

    Args:
        peppers: Those in force.
        stored: How many credentials were digested with each pepper.
        settings: Where the peppers are.
    """
    place = "BONAFIDES_PEPPERS" if settings.peppers else str(settings.pepper_path)
    lost = {pepper_id: count for pepper_id, count in stored.items() if pepper_id not in peppers.ids}
    for pepper_id, count in sorted(lost.items()):
        yield failure(
            "pepper",
            f"{count} credentials were digested with the pepper {pepper_id}, which is not in {place}: "
            "they are all refused.",
            "Put that pepper back after the newest, from a backup, and restart every server.",
        )
    for pepper_id in dict.fromkeys(peppers.ids[1:]):
        if stored.get(pepper_id):
            yield good("pepper", f"{stored[pepper_id]} credentials are still under {pepper_id}: keep it.")
        elif pepper_id != peppers.newest_id:
            yield warning(
                "pepper",
                f"The old pepper {pepper_id} digests no credential any more.",
                f"Remove it from {place} and restart every server.",
            )
    if not lost:
        yield good("digests", "Every stored digest can be checked.")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _holds_secrets(toml: Path) -> bool:
    values = tomllib.loads(toml.read_text(encoding="utf-8"))
    return any("@" in str(values[name]) or name == "peppers" for name in _SECRET_SETTINGS if name in values)


__all__ = ["Check", "State", "check_everything", "compare_peppers", "disk_space"]
