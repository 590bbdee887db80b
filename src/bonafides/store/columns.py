"""How the values of `model` are kept in a column: the same on every database, and checked on the way in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

import msgspec
from sqlalchemy import BigInteger, Dialect, Enum, Integer, Text, TypeDecorator
from typing_extensions import override

from bonafides.model import CredentialKind, to_datetime, to_micros
from bonafides.webhook import Attempt

# Ids are ordered byte by byte on every database; PostgreSQL would otherwise ask the locale.
ID: Final = Text().with_variant(Text(collation="C"), "postgresql")

# SQLite numbers rows by itself only in a column that is declared INTEGER.
NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")

_encode: Final = msgspec.json.Encoder(order="sorted").encode


def word(kind: type[StrEnum], name: str) -> Enum:
    """A column type for the values of an enumeration, held by the CHECK constraint of that name."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept as whole microseconds since the epoch; a naive one is a TypeError."""

    impl = BigInteger
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    @override
    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else to_datetime(value)


class Scopes(TypeDecorator[frozenset[str]]):
    """A set of scopes, kept sorted with a space between them, as on the wire (RFC 6749 §3.3)."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> str | None:
        return None if value is None else " ".join(sorted(value))

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[str] | None:
        return scopes(value)


class Phrases(TypeDecorator[frozenset[str]]):
    """A set of names that may have a space in them, such as response types, kept sorted with a comma between them."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> str:
        return ",".join(sorted(value or ()))

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[str]:
        return frozenset(value.split(",") if value else ())


class Addresses(TypeDecorator[tuple[str, ...]]):
    """Networks in CIDR notation, kept in their order with a space between them."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        return " ".join(value or ())

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        return addresses(value or "")


class Document(TypeDecorator[Mapping[str, Any]]):
    """A JSON object, kept as canonical text: sorted, compact, ASCII."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> str:
        return _canonical(value) if value else "{}"

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", json.loads(value or "{}"))


class Attempts(TypeDecorator[tuple[Attempt, ...]]):
    """Calls of a webhook, in their order, as a JSON list of lists; moments as whole microseconds since the epoch."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: tuple[Attempt, ...] | None, dialect: Dialect) -> str:
        return json.dumps(
            [[to_micros(each.at), each.status, each.reason, each.milliseconds] for each in value or ()],
            separators=(",", ":"),
        )

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[Attempt, ...]:
        return tuple(Attempt(to_datetime(at), *rest) for at, *rest in json.loads(value or "[]"))


class Figures(TypeDecorator[Mapping[CredentialKind, int | None]]):
    """A plan's figures for single kinds of credential, kept as a JSON object."""

    impl = Document
    cache_ok = True

    @override
    def process_result_value(
        self, value: Any | None, dialect: Dialect
    ) -> Mapping[CredentialKind, int | None]:
        return _figures(value or {})


def _canonical(document: Mapping[str, Any]) -> str:
    quickly = _encode(document)
    if quickly.isascii():
        return quickly.decode("ascii")
    return json.dumps(dict(document), sort_keys=True, separators=(",", ":"))


def scopes(text: str | None) -> frozenset[str] | None:
    """The scopes in a column; None stays None, which is not the empty set."""
    return None if text is None else frozenset(text.split())


def addresses(text: str) -> tuple[str, ...]:
    """The networks in a column."""
    return tuple(text.split())


def figures(text: str) -> Mapping[CredentialKind, int | None]:
    """The figures by kind of credential in a column."""
    return _figures(json.loads(text))


def _figures(document: Mapping[str, int | None]) -> Mapping[CredentialKind, int | None]:
    return {CredentialKind(kind): figure for kind, figure in document.items()}
