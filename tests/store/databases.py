"""Databases of both kinds, and a way to ask them behind the store's back."""

from __future__ import annotations

import sqlite3
from typing import Any

import asyncpg

from bonafides.store import OnCommit
from bonafides.store.postgres import SCHEMES, open_postgres
from bonafides.store.sql import SqlStore, ignore
from bonafides.store.sqlite import open_sqlite, path_of

REFUSED = (sqlite3.IntegrityError, asyncpg.PostgresError)
"""What a database raises that refuses a row."""


def is_postgres(url: str) -> bool:
    """Whether a URL is of a PostgreSQL database."""
    return url.startswith(SCHEMES)


def open_store(url: str, on_commit: OnCommit = ignore) -> SqlStore:
    """The store in a database of either kind."""
    return (
        open_postgres(url, on_commit=on_commit) if is_postgres(url) else open_sqlite(url, on_commit=on_commit)
    )


async def run_sql(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last of some statements, which share a transaction."""
    rows: list[Any] = []
    if is_postgres(url):
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                for statement in statements:
                    rows = await connection.fetch(statement)
        finally:
            await connection.close()
        return [tuple(row) for row in rows]
    file = sqlite3.connect(path_of(url))
    try:
        file.execute("PRAGMA foreign_keys = ON")
        with file:
            for statement in statements:
                rows = file.execute(statement).fetchall()
    finally:
        file.close()
    return rows
