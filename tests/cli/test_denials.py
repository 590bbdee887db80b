"""`bonafides denials`: why a request was refused, as whoever runs the server sees it."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest

from bonafides.web import schemas
from tests.cli.conftest import Bonafides

REQUEST_ID = "req_3R3UcQL6NmT5t100000002"
FIGURES = {"address": "192.0.2.7", "allowed_ips": ["198.51.100.0/24"]}


@pytest.fixture
def denied(home: Path, founded: dict[str, str]) -> str:
    """The id of a request that a server on the same database refused."""
    assert founded
    row = (
        REQUEST_ID,
        time.time_ns() // 1000,
        "ten_1",
        "usr_1",
        "key_1",
        "api_key",
        "ip_not_allowed",
        "address",
        json.dumps(FIGURES),
    )
    file = sqlite3.connect(home / "bonafides.db")
    with file:
        file.execute("INSERT INTO denials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    file.close()
    return REQUEST_ID


def test_a_denial_is_told_to_programs(bonafides: Bonafides, denied: str) -> None:
    """A support tool would have to read the database by itself."""
    told = bonafides("denials", "show", denied, "--json").json
    assert set(told) == set(schemas.Denial.model_fields)
    assert (told["request_id"], told["refused_by"]) == (denied, "address")
    assert told["checks"][5] == {"check": "address", "outcome": "refused", "figures": FIGURES}


def test_a_denial_is_told_to_people(bonafides: Bonafides, denied: str) -> None:
    """Support gets an id by mail and has a minute: the sentence comes first, then the checks in their order."""
    lines = bonafides("denials", "show", denied).out.splitlines()
    assert lines[0].startswith("The API key came from 192.0.2.7")
    shown = dict(line.split(maxsplit=1) for line in lines if " " in line)
    assert shown["lineage"].strip() == "passed"
    assert shown["address"].strip() == "REFUSED address=192.0.2.7 allowed_ips=198.51.100.0/24"
    assert shown["limit"].strip() == "not reached"


def test_a_request_that_was_not_denied_is_not_found(bonafides: Bonafides, denied: str) -> None:
    """An id with a typo must not be taken for one that was accepted."""
    done = bonafides("denials", "show", f"{denied[:-1]}9")
    assert done.status == 1
    assert "no denial" in done.err
