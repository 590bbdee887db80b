"""The README's page is run as it is printed, and prints what it says.

`BONAFIDES_WRITE_README=1 make test ARGS=tests/docs/test_readme.py` writes the real output into the page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bonafides.installation import Founded
from tests.processes import ServerProcess

README = Path(__file__).parents[2] / "README.md"
PAGE_URL = "http://127.0.0.1:8000"
MARK = "--- the end of what this command printed ---"

BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
SAME = (
    (re.compile(r"\b(key|usr|ten|req|evt|pat|tok|jwt|oat|cli)_[0-9A-Za-z]{22}\b"), r"\1_…"),
    (re.compile(r"bf_key_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}"), "bf_key_…"),
    (re.compile(r"bf_key_[0-9A-Za-z]{4}(…|\\u2026)[0-9A-Za-z]{4}"), "bf_key_…"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "2030-01-01T00:00:00Z"),
    (re.compile(r"(?i)(date: ).*"), r"\1…"),
    (re.compile(r"(x-ratelimit-reset: )\d+"), r"\1…"),
    (re.compile(r"t=3(600|59\d)\b"), "t=…"),
    (re.compile(r"again in 3(600|59\d) seconds"), "again in … seconds"),
)


def _commands(block: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with what it is said to print."""
    found: list[tuple[list[str], list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif found[-1][0][-1].endswith("\\") or (
            line.startswith("    ") and not found[-1][1] and line.lstrip().startswith("|")
        ):
            found[-1][0].append(line)
        else:
            found[-1][1].append(line)
    return [("\n".join(command), "\n".join(output)) for command, output in found]


def _same(text: str) -> str:
    for pattern, replacement in SAME:
        text = pattern.sub(replacement, text)
    return text.strip()


def _run(commands: list[str], founded: Founded, url: str) -> list[str]:
    """What each command prints, in one shell, as the reader has it."""
    script = "\n".join(f"{command.replace(PAGE_URL, url)}\necho\necho '{MARK}'" for command in commands)
    done = subprocess.run(
        ["/bin/bash"],
        input=script,
        env={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "KEY": founded.api_key,
            "PASSWORD": founded.password,
            "no_proxy": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == "", done.stderr
    return [
        part.replace(url, PAGE_URL).replace("\r", "").strip("\n") for part in done.stdout.split(MARK)[:-1]
    ]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_page_is_true(sqlite_url: str, tmp_path: Path) -> None:
    """Whoever types the page and sees something else stops believing the rest."""
    page = README.read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    said = [pair for block in blocks for pair in _commands(block)]
    server = ServerProcess(sqlite_url, tmp_path, public_url=PAGE_URL)
    try:
        server.start()
        printed = _run([command for command, _ in said], server.founded, server.url)
    finally:
        server.close()
    assert len(printed) == len(said) > 15
    if os.environ.get("BONAFIDES_WRITE_README"):
        outputs = iter(printed)

        def rewritten(match: re.Match[str]) -> str:
            lines = []
            for command, _ in _commands(match[1]):
                lines += ["$ " + command, *filter(None, [next(outputs)])]
            return "```console\n" + "\n".join(lines) + "\n```"

        README.write_text(BLOCK.sub(rewritten, page), encoding="utf-8")
        return
    for (command, expected), actual in zip(said, printed, strict=True):
        assert _same(actual) == _same(expected), command


def test_the_page_shows_what_matters() -> None:
    """A page whose outputs were lost would agree with anything."""
    page = README.read_text(encoding="utf-8")
    for word in (
        '"authenticated"',
        "rate_limit_exceeded",
        "invalid_api_key",
        "insufficient_scope",
        "api_key.revoked",
        "'kind': 'jwt_session'",
        "'kind': 'oauth_access_token'",
        "session.ended",
    ):
        assert word in page
    assert "bf_key_…" in page
