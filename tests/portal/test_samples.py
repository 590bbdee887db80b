"""Every sample of the documentation runs as it stands there: by curl, Node.js, Python and Go, against a running server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from bonafides.web.portal.samples import LANGUAGES, SAMPLES, TRIED, filled, written
from tests.serving import RunningServer, running, settings_for
from tests.web.tenancy import made

RUNNERS: Final = {"sh": "bash", "js": "node", "python": sys.executable, "go": "go"}
FOUND: Final = [mark for mark, program in RUNNERS.items() if shutil.which(program)]
"""Languages that this machine has; curl and Python are everywhere."""

EXPECTED: Final[Mapping[str, str]] = {
    "use a key": "user_id",
    "make a key": "key",
    "check a key": "valid",
    "rotate a key": "key",
    "exchange a key": "token",
    "make a personal token": "token",
    "get a client's token": "access_token",
    "log in": "refresh_token",
    "fetch the key set": "keys",
}
"""What the answer of each sample has, that shows its body."""


@dataclass(frozen=True)
class World:
    """A server, with what samples need of the environment."""

    server: RunningServer
    variables: dict[str, str]
    folder: Path

    def environment(self) -> dict[str, str]:
        """Of a process: ours without proxies, and the variables."""
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        return {**kept, **self.variables}

    def run(self, *command: str, cwd: Path | None = None) -> str:
        """What a program prints."""
        done = subprocess.run(
            command, env=self.environment(), cwd=cwd, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server of an operator who has a key, a client and a password."""
    folder = tmp_path_factory.mktemp("samples")
    with running(settings_for(f"sqlite:///{folder / 'bonafides.db'}", folder)) as server:
        wish = {"name": "Reports", "grant_types": ["client_credentials"], "scopes": ["read"]}
        client = made(server.admin.post("/v1/clients", json=wish))
        key = server.create_key(name="presented")
        variables = {
            "BONAFIDES_KEY": server.founded.api_key,
            "PRESENTED": key["key"],
            "KEY_ID": "",
            "CLIENT_ID": client["client_id"],
            "CLIENT_SECRET": client["client_secret"],
            "BONAFIDES_USER": "admin@example.com",
            "BONAFIDES_PASSWORD": server.founded.password,
        }
        yield World(server, variables, folder)


@pytest.fixture(scope="module")
def go_program(world: World) -> Path:
    """All samples of Go as one program, which takes the name of the one to run: linking takes longer than running."""
    folder = world.folder / "go"
    folder.mkdir()
    (folder / "go.mod").write_text("module samples\n\ngo 1.21\n")
    cases = []
    texts = [(name, text_of(world, name, "go")) for name in SAMPLES]
    texts += [(f"filled {name}", text) for name, text in filled_texts(world)["Go"].items()]
    for place, (name, text) in enumerate(texts):
        assert text.count("func main() {") == 1
        (folder / f"sample{place}.go").write_text(text.replace("func main() {", f"func sample{place}() {{"))
        cases.append(f"\tcase {json.dumps(name)}:\n\t\tsample{place}()\n")
    body = 'import "os"\n\nfunc main() {\n\tswitch os.Args[1] {\n' + "".join(cases) + "\t}\n}\n"
    (folder / "main.go").write_text(f"package main\n\n{body}")
    world.run("go", "build", "-o", "samples", ".", cwd=folder)
    return folder / "samples"


def text_of(world: World, name: str, mark: str) -> str:
    """A sample, with the address where the server really is."""
    _, write = LANGUAGES[mark]
    text = write(SAMPLES[name], world.server.settings.base_url)
    assert world.server.settings.base_url in text
    return text.replace(world.server.settings.base_url, world.server.url)


def filled_texts(world: World) -> dict[str, dict[str, str]]:
    """Samples with a key in them, by language and name."""
    key = world.server.create_key(name="try it", scopes=["read"], expires_in=900)["key"]
    texts: dict[str, dict[str, str]] = {}
    for name, languages in filled(key, world.server.url):
        for language, text in languages:
            assert "BONAFIDES_KEY" not in text
            texts.setdefault(language, {})[name] = text
    return texts


def shown(text: str) -> Any:
    """The JSON that a sample has printed."""
    return json.loads(text)


def test_every_sample_is_asked_for_something() -> None:
    """A sample whose answer nobody looks at could print an error for years."""
    assert set(EXPECTED) == {name for name, sample in SAMPLES.items() if not sample.shows}
    assert {"sh", "python"} <= set(FOUND)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mark", FOUND)
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_does_what_it_says(
    world: World, request: pytest.FixtureRequest, name: str, mark: str
) -> None:
    """Whoever copies it would meet an error before they have begun."""
    # A key is rotated once.
    world.variables["KEY_ID"] = world.server.create_key()["id"]
    text = text_of(world, name, mark)
    match mark:
        case "sh":
            printed = world.run("bash", "-ec", text)
        case "js":
            printed = world.run("node", "--input-type=module", "--eval", text)
        case "python":
            printed = world.run(sys.executable, "-c", text)
        case _:
            printed = world.run(str(request.getfixturevalue("go_program")), name)
    for header in SAMPLES[name].shows:
        assert re.search(rf"^{header}: \d+", printed, re.MULTILINE | re.IGNORECASE), printed
    if name in EXPECTED:
        assert EXPECTED[name] in shown(printed), printed


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_holds_no_secret_and_reads_every_variable(name: str) -> None:
    """A program that holds its key is copied, shared and committed with it."""
    told = written(name, "https://api.example.com")
    assert "bf_" not in told
    for block in told.split("```")[1::2]:
        assert all(variable in block for variable in SAMPLES[name].variables()), block


@pytest.mark.timeout(300)
def test_samples_with_a_key_in_them_run_as_they_are(world: World, request: pytest.FixtureRequest) -> None:
    """Whoever copies one with the key that they were just given would have to find out where else it belongs."""
    texts = filled_texts(world)
    assert set(texts["cURL"]) == set(TRIED)
    world.variables.pop("BONAFIDES_KEY", None)
    printed = [world.run("bash", "-ec", "\n".join(texts["cURL"].values()))]
    together = "\n".join(f"await (async () => {{\n{text}\n}})();" for text in texts["JavaScript"].values())
    if "js" in FOUND:
        printed.append(world.run("node", "--input-type=module", "--eval", together))
    printed.append(world.run(sys.executable, "-c", "\n".join(texts["Python"].values())))
    if "go" in FOUND:
        program = str(request.getfixturevalue("go_program"))
        printed.append("".join(world.run(program, f"filled {name}") for name in TRIED))
    for text in printed:
        assert '"user_id"' in text
        assert '"token"' in text
        assert re.search("x-ratelimit-remaining: [0-9]+", text, re.IGNORECASE)
