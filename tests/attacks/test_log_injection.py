"""What a client sends does not write the operator's log, and does not move the operator's terminal."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bonafides.logs import configure_logs

HOSTILE = {
    "a line of one's own": "/x\n2030-01-01 [info] request status=200 credential_id=key_admin",
    "a carriage return": "/x\r2030-01-01 [info] nothing happened",
    "a cleared screen": "/x\x1b[2J\x1b[H",
    "a title": "/x\x1b]0;owned\x07",
    "an 8-bit control sequence": "/x\x9b31m",
    "a backspace": "/admin\x08\x08\x08\x08\x08guest",
    "text that reads backwards": "/x\u202egnp.exe",
    "a line separator": "/x\u2028y",
    "a field of one's own": "/x status=200",
    "an end of JSON": '/x"}\n{"event":"request","status":200',
}


@pytest.fixture
def as_found() -> Iterator[None]:
    """Logging as it was before, whatever a test makes of it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    was = structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**was)


@pytest.mark.usefixtures("as_found")
@pytest.mark.parametrize("form", ["console", "json"])
@pytest.mark.parametrize("path", HOSTILE.values(), ids=HOSTILE)
def test_a_value_stays_a_value(form: str, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """ASVS 16.4.1: whoever reads the log would believe a line that a client wrote."""
    configure_logs(form=form, level="info")
    structlog.get_logger("test").info("request", path=path, status=404)
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert written.rstrip("\n").isprintable()
    if form == "json":
        assert json.loads(written)["path"] == path
        assert json.loads(written)["status"] == 404


@pytest.mark.usefixtures("as_found")
@pytest.mark.parametrize("form", ["console", "json"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_an_exceptions_text_stays_in_its_place(
    form: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """ASVS 16.4.1, ASVS 16.5.4: an unforeseen failure is logged whole in either form, and what it quotes is inert."""
    configure_logs(form=form, level="info")
    structlog.get_logger("test").error("unexpected_failure", exc_info=ValueError(text))
    written = capsys.readouterr().err
    assert "ValueError" in written
    assert "Logging error" not in written
    assert all(line.isprintable() for line in written.split("\n"))
