"""A command line to call, in a folder and an environment of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from typing_extensions import override

from bonafides.cli.program import run

EMAIL = "admin@example.com"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The one document on standard error."""
        document: dict[str, str] = json.loads(self.err)
        assert set(document) == {"error", "message"}
        return document


class Bonafides(Protocol):
    """Calls the command line."""

    def __call__(
        self, *arguments: str, stdin: str = "", typed: str | None = None, **environment: str
    ) -> Done:
        """How these arguments end, given this on standard input, or typed by a person, and more variables."""
        ...


class Keyboard(io.TextIOWrapper):
    """Standard input of a person at a terminal."""

    @override
    def isatty(self) -> bool:
        return True


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, empty; and an environment without any setting."""
    for name in [name for name in os.environ if name.startswith("BONAFIDES_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bonafides(
    home: Path,  # noqa: ARG001 - where it is called
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Bonafides:
    """The command line, called in this process, which spares the seconds that starting another one takes."""

    def call(*arguments: str, stdin: str = "", typed: str | None = None, **environment: str) -> Done:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            kind = io.TextIOWrapper if typed is None else Keyboard
            patch.setattr("sys.stdin", kind(io.BytesIO((typed or stdin).encode())))
            for name, value in environment.items():
                patch.setenv(name, value)
            status = run(list(arguments))
        told = capsys.readouterr()
        return Done(status, told.out, told.err)

    return call


@pytest.fixture
def program(home: Path) -> Callable[..., Done]:
    """The command line as a program of its own, as a shell calls it."""

    def call(*arguments: str, stdin: str = "", **environment: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "bonafides", *arguments],
            cwd=home,
            env=os.environ | environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def founded(bonafides: Bonafides) -> dict[str, str]:
    """What `init` told of an installation in the working folder."""
    done = bonafides("init", "--email", EMAIL, "--json")
    assert done.status == 0, done.err
    told: dict[str, str] = done.json
    return told


@pytest.fixture
def make_key(bonafides: Bonafides, founded: dict[str, str]) -> Callable[..., dict[str, Any]]:
    """Makes a key with further options, and tells what was printed."""
    assert founded

    def make(*options: str, name: str = "test") -> dict[str, Any]:
        done = bonafides("keys", "create", name, *options, "--json")
        assert done.status == 0, done.err
        made: dict[str, Any] = done.json
        return made

    return make
