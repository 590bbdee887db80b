"""Keys as other programs write them down: files of keys, read entry by entry, of which none is trusted.

Recognised are CSV and JSON lines with columns of our own names, and dumps of Kong's key-auth, of Unkey and
of djangorestframework-api-key. What an entry says is checked elsewhere; here it is only understood.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from typing import Any, Final, TextIO

import yaml
from msgspec import Struct

from bonafides.errors import InvalidRequest

_BEGINNING: Final = 4_096
_MILLISECONDS_FROM: Final = 100_000_000_000
"""A number of seconds that is this large would be of the year 5138: it is milliseconds."""
_YAML: Final = re.compile(r"---|#|(?:_format_version|_transform|consumers|keyauth_credentials)\s*:")
_DOCUMENTS: Final = frozenset({"data", "_format_version", "consumers", "keyauth_credentials"})
"""Words of files that are one object: of Kong's configuration, and of answers of APIs."""
_UNREADABLE: Final = re.compile("[\ud800-\udfff]")
_TRUE: Final = frozenset({"1", "t", "true", "yes", "on"})
_NOTHING: Final = frozenset({"", "NULL", "\\N"})
_FALSE: Final = frozenset({"0", "f", "false", "no", "off"})


class DumpFormat(StrEnum):
    """Whose words a file uses."""

    AUTO = "auto"
    CSV = "csv"
    JSONL = "jsonl"
    KONG = "kong"
    UNKEY = "unkey"
    DRF = "drf"


class UnusableError(Exception):
    """An entry that cannot become a key, and why; never with a secret or a digest in it."""


class Entry(Struct, frozen=True, gc=False, eq=False):
    """One key of a file, as far as the file says; there may be millions.

    Args:
        line: Of the file; of a file that is one document, the number of the entry.
        key: The key itself, where the file has it.
        hash: Its digest or hash, where the file has that.
        scheme: What made the hash, where the file says.
        prefix: How the key begins.
        user: Whose key, by id or e-mail address.
    """

    line: int
    key: str | None = None
    hash: str | None = None
    scheme: str | None = None
    prefix: str | None = None
    name: str | None = None
    user: str | None = None
    scopes: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    enabled: bool = True
    allowed_ips: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Unusable:
    """An entry that was refused, by its place in the file."""

    line: int
    reason: str


Row = Mapping[str, Any]
Reader = Callable[[int, Row, datetime], Entry]


def read(file: TextIO, form: DumpFormat, now: datetime) -> tuple[DumpFormat, Iterator[Entry | Unusable]]:
    """What a file holds, entry by entry, and in whose words it is.

    Args:
        file: Text that can be read from its beginning again; CSV needs its line ends untouched.
        form: `AUTO` to be told by the first entry.
        now: What is given as seconds from now on is counted from it.

    Raises:
        InvalidRequest: It is no such file.
    """
    words, rows = _rows(file)
    first = next(rows, None)
    if first is None:
        raise InvalidRequest("The file holds no keys.", field="file")
    found = (_recognised(first[1]) or words) if form is DumpFormat.AUTO else form
    return found, _entries(chain([first], rows), _READERS[found], now)


def _entries(rows: Iterator[tuple[int, object]], reader: Reader, now: datetime) -> Iterator[Entry | Unusable]:
    for line, row in rows:
        if not isinstance(row, dict):
            yield Unusable(line, str(row) if isinstance(row, UnusableError) else "is not an object")
            continue
        try:
            yield reader(line, row, now)
        except UnusableError as error:
            yield Unusable(line, str(error))


# Rows: whatever the file is, one mapping after the other


def _rows(file: TextIO) -> tuple[DumpFormat, Iterator[tuple[int, object]]]:
    """The rows of a file, and whose words they are in if they do not tell themselves."""
    beginning = file.read(_BEGINNING)
    file.seek(0)
    text = beginning.lstrip("\ufeff \t\r\n")
    if text.startswith("["):
        return DumpFormat.JSONL, _of_document(_json(file))
    if text.startswith("{"):
        return DumpFormat.JSONL, _of_object(file)
    if _YAML.match(text) is not None:
        return DumpFormat.KONG, _of_document(_yaml(file))
    return DumpFormat.CSV, _csv_rows(file)


def _of_object(file: TextIO) -> Iterator[tuple[int, object]]:
    """JSON lines, unless the first line is not a whole object: then the file is one."""
    line = next((line for line in file if line.strip()), "")
    file.seek(0)
    try:
        whole = json.loads(line)
    except (ValueError, RecursionError):
        return _of_document(_json(file))
    return _of_document(_json(file)) if _DOCUMENTS & whole.keys() else _lines(file)


def _json(file: TextIO) -> object:
    try:
        return json.load(file)
    except (ValueError, RecursionError):
        raise InvalidRequest("The file is not valid JSON.", field="file") from None


def _yaml(file: TextIO) -> object:
    try:
        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, RecursionError):
        raise InvalidRequest("The file is not valid YAML.", field="file") from None


def _lines(file: TextIO) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, UnusableError("is not valid JSON")


def _csv_rows(file: TextIO) -> Iterator[tuple[int, object]]:
    reader = csv.reader(file, strict=True)
    try:
        names = next(reader, [])
        if not {"key", "hash", "hashed_key"} & set(names):
            message = (
                "The file must begin with the names of its columns, one of them key, hash or hashed_key."
            )
            raise InvalidRequest(message, field="file")
        for row in reader:
            if len(row) > len(names):
                yield reader.line_num, UnusableError("has more fields than columns")
            elif row:
                yield reader.line_num, _present(names, row)
    except csv.Error:
        yield reader.line_num, UnusableError("is not valid CSV; what comes after it was not read")


def _of_document(document: object) -> Iterator[tuple[int, object]]:
    if isinstance(document, Mapping):
        document = _kong_rows(document) if "data" not in document else document["data"]
    if not isinstance(document, list):
        raise InvalidRequest("The file must hold a list of keys.", field="file")
    return iter(list(enumerate(document, 1)))


def _kong_rows(document: Row) -> list[object]:
    """The keys of Kong's declarative configuration, those inside of consumers and those beside them."""
    rows: list[object] = list(document.get("keyauth_credentials") or ())
    for consumer in document.get("consumers") or ():
        if isinstance(consumer, Mapping):
            rows += [
                {"consumer": consumer, **row} if isinstance(row, Mapping) else row
                for row in consumer.get("keyauth_credentials") or ()
            ]
    return rows


def _present(names: list[str], row: list[str]) -> Row:
    """A row of CSV without the fields that say nothing."""
    return {name: value for name, value in zip(names, row, strict=False) if value not in _NOTHING}


# Readers: what the words of each program mean


def _recognised(row: object) -> DumpFormat | None:
    """Whose words a row is in, None for our own."""
    names = set(row) if isinstance(row, Mapping) else set()
    if {"hashed_key", "prefix"} <= names or {"model", "fields"} <= names:
        return DumpFormat.DRF
    if "hash" in names and names & {"key_auth_id", "keyAuthId", "workspace_id", "workspaceId"}:
        return DumpFormat.UNKEY
    if "key" in names and names & {"consumer", "consumer_id", "ws_id"}:
        return DumpFormat.KONG
    return None


def _own(line: int, row: Row, now: datetime) -> Entry:
    """A row in our own words."""
    if not row.keys() <= _OWN:
        # Which one is not said: of a file that maps keys to names, it would be a key.
        raise UnusableError(f"has a column that is none of {', '.join(sorted(_OWN))}")
    # Most rows of a million say two or three things: what they do not say is not looked for.
    texts: dict[str, Any] = {name: _text(row, name) for name in _TEXTS if name in row}
    if len(texts) == len(row):
        return Entry(line, **texts)
    return Entry(
        line,
        scopes=_words(row, "scopes"),
        expires_at=_moment(row, "expires_at", now),
        enabled=_flag(row, "enabled", default=True),
        allowed_ips=_words(row, "allowed_ips") or (),
        metadata=_document(row, "metadata"),
        **texts,
    )


def _kong(line: int, row: Row, now: datetime) -> Entry:
    """A row of Kong's `keyauth_credentials`, which hold the keys themselves."""
    key = _text(row, "key")
    if key is not None and key.startswith("{vault://"):
        raise UnusableError("is a reference to a vault, not a key")
    consumer = row.get("consumer")
    whose = consumer if isinstance(consumer, Mapping) else {"id": consumer or row.get("consumer_id")}
    called = _text(whose, "username") or _text(whose, "custom_id") or _text(whose, "id")
    tags = _words(row, "tags")
    metadata: dict[str, Any] = {"kong_consumer": called} if called else {}
    return Entry(
        line,
        key=key,
        name=called,
        expires_at=_kong_end(row, now),
        metadata={**metadata, "kong_tags": list(tags)} if tags else metadata,
    )


def _kong_end(row: Row, now: datetime) -> datetime | None:
    """Kong's API tells the seconds that are left, its database when they are over; 0 is no end."""
    ttl = row.get("ttl")
    if isinstance(ttl, str) and not ttl.isdigit():
        return _moment(row, "ttl", now)
    seconds = _number(row, "ttl")
    return datetime.fromtimestamp(now.timestamp() + seconds, UTC) if seconds else None


def _unkey(line: int, row: Row, now: datetime) -> Entry:
    """A row of Unkey's table `keys`: SHA-256 in base64."""
    if _first(row, "deleted_at_m", "deletedAtM", "deleted_at", "deletedAt") is not None:
        raise UnusableError("was deleted there")
    remaining = _first(row, "remaining_requests", "remaining")
    if remaining is not None:
        raise UnusableError("has a number of remaining requests, which a key here cannot have")
    owner = _first(row, "external_id", "externalId", "owner_id", "ownerId")
    meta = _document(row, "meta")
    return Entry(
        line,
        hash=_text(row, "hash"),
        scheme="sha256",
        prefix=_text(row, "start"),
        name=_text(row, "name"),
        expires_at=_moment(row, "expires", now),
        enabled=_flag(row, "enabled", default=True),
        metadata={**meta, **({"unkey_owner": str(owner)} if owner is not None else {})},
    )


def _drf(line: int, row: Row, now: datetime) -> Entry:
    """A row of djangorestframework-api-key, or an object of Django's `dumpdata`."""
    fields = row.get("fields") if "fields" in row else row
    if not isinstance(fields, Mapping):
        raise UnusableError("has no fields")
    if "hashed_key" not in fields:
        raise UnusableError("is not an API key")
    if _flag(fields, "revoked", default=False):
        raise UnusableError("was revoked there")
    return Entry(
        line,
        hash=_text(fields, "hashed_key"),
        scheme="django",
        prefix=_text(fields, "prefix"),
        name=_text(fields, "name"),
        expires_at=_moment(fields, "expiry_date", now),
    )


_READERS: Final[Mapping[DumpFormat, Reader]] = {
    DumpFormat.CSV: _own,
    DumpFormat.JSONL: _own,
    DumpFormat.KONG: _kong,
    DumpFormat.UNKEY: _unkey,
    DumpFormat.DRF: _drf,
}
_TEXTS: Final = ("key", "hash", "scheme", "prefix", "name", "user")
_OWN: Final = frozenset({*_TEXTS, "scopes", "expires_at", "enabled", "allowed_ips", "metadata"})


# Values


def _first(row: Row, *names: str) -> object:
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _text(row: Row, name: str) -> str | None:
    value = row.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise UnusableError(f"has a {name} that is not text")
    if not value.isascii() and _UNREADABLE.search(value) is not None:
        raise UnusableError(f"has a {name} that is not UTF-8")
    return value


def _number(row: Row, name: str) -> float:
    value = row.get(name)
    try:
        return 0 if value is None else float(value)
    except (TypeError, ValueError):
        raise UnusableError(f"has a {name} that is not a number") from None


def _words(row: Row, name: str) -> tuple[str, ...] | None:
    """A list, or words with commas or blanks between them; PostgreSQL writes lists in braces."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        return tuple(word for word in re.split(r"[,\s]+", value.strip("{}")) if word)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise UnusableError(f"has {name} that are not a list of words")


def _flag(row: Row, name: str, *, default: bool) -> bool:
    value = row.get(name)
    if value is None:
        return default
    word = str(value).lower()
    if word not in _TRUE | _FALSE:
        raise UnusableError(f"has an {name} that is neither true nor false")
    return word in _TRUE


def _moment(row: Row, name: str, now: datetime) -> datetime | None:
    """A time: RFC 3339, a database's text in UTC, or seconds or milliseconds since the epoch."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, datetime):  # YAML has times of its own
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    try:
        if not isinstance(value, str) or re.fullmatch(r"\d{9,16}", value):
            number = float(value)
            return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS_FROM else number, UTC)
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        raise UnusableError(f"has a {name} that is not a time such as 2030-01-01T00:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)


def _document(row: Row, name: str) -> Mapping[str, Any]:
    value = row.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise UnusableError(f"has a {name} that is not valid JSON") from None
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnusableError(f"has a {name} that is not an object")
    return value
