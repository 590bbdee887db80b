"""The settings in force: all of them, with what has set them, and without what is secret."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from bonafides.app import prepare
from bonafides.settings import Settings, load
from bonafides.web.settings_in_force import SECRET, settings_in_force
from tests.pages.browsing import Browser
from tests.pages.test_pages import assert_safe
from tests.serving import FakeClock, RunningServer, serving, weak_passwords
from tests.web.tenancy import tenancy_on

PATH: Final = "/administration/settings"
PASSWORD: Final = "correct-horse-9876"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that was told things by a flag, by a variable and by a file."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "bonafides.toml").write_text('scopes = ["invoices:read", "invoices:write"]\n')
    environment = {
        "BONAFIDES_PEPPER_FILE": str(folder / "test.pepper"),
        "BONAFIDES_SMTP_HOST": "mail.example.com",
        "BONAFIDES_SMTP_PASSWORD": PASSWORD,
        "BONAFIDES_MAIL_FROM": "auth@example.com",
    }
    settings = load({"port": 0, "database": str(folder / "bonafides.db")}, environment, folder)
    clock = FakeClock()
    founded = asyncio.run(prepare(settings, "admin@example.com", clock=clock, passwords=weak_passwords()))
    assert founded is not None
    with serving(settings, founded, clock) as running:
        yield running


def told(server: RunningServer) -> dict[str, dict[str, Any]]:
    """What the call answers, by name."""
    answer = server.admin.get("/v1/settings")
    assert answer.status_code == 200
    return {setting["name"]: setting for setting in answer.json()["data"]}


def test_every_setting_is_told_with_what_has_set_it(server: RunningServer) -> None:
    """An operator would look for a value in three places, and find the one that does not hold."""
    settings = told(server)
    assert list(settings) == list(Settings.model_fields)
    sources = {name: each["source"] for name, each in settings.items() if each["source"] != "default"}
    assert sources == {
        "port": "--port",
        "database": "--database",
        "scopes": "bonafides.toml: scopes",
        "pepper_file": "BONAFIDES_PEPPER_FILE",
        "smtp_host": "BONAFIDES_SMTP_HOST",
        "smtp_password": "BONAFIDES_SMTP_PASSWORD",
        "mail_from": "BONAFIDES_MAIL_FROM",
    }
    assert settings["scopes"]["value"] == ["invoices:read", "invoices:write"]
    assert settings["session_token_seconds"]["value"] == 3600
    assert settings["signing_algorithm"]["value"] == "EdDSA"
    assert settings["production"]["value"] is False
    one = server.admin.get("/v1/settings", params={"name": "port"}).json()["data"]
    assert one == [settings["port"]]


def test_the_page_tells_the_same(server: RunningServer) -> None:
    """Who runs the server by its pages would need another way to see what it was told."""
    browser = Browser(server)
    form = browser.get("/login").form("/login")
    browser.submit(form, username="admin@example.com", password=server.founded.password)
    read = browser.get(PATH)
    assert read.status == 200
    assert_safe(read)
    assert set(Settings.model_fields) <= set(read.codes)
    assert {"--port", "BONAFIDES_SMTP_HOST", "mail.example.com", "3600"} <= set(read.codes)
    assert SECRET in read.words
    assert PASSWORD not in read.answer.text


def test_no_secret_is_told() -> None:
    """ASVS 13.4.5: whoever sees an admin's screen could read the database, or forge every digest."""
    settings = Settings(
        database=f"postgresql://ada:{PASSWORD}@db.example.com/auth",
        valkey=f"valkeys://ada:{PASSWORD}@cache.example.com:6379",
        peppers=("ab" * 32,),
        smtp_password=PASSWORD,
    )
    shown = {setting.name: setting for setting in settings_in_force(settings)}
    assert PASSWORD not in repr(shown)
    assert "ab" * 32 not in repr(shown)
    assert shown["database"].value == "postgresql://db.example.com/auth"
    assert shown["valkey"].value == "valkeys://cache.example.com:6379"
    assert {name for name, setting in shown.items() if setting.value == SECRET} == {
        "peppers",
        "smtp_password",
    }
    assert {setting.source for setting in shown.values()} == {"start", "default"}
    unsaid = {setting.name: setting for setting in settings_in_force(Settings())}
    assert unsaid["smtp_password"].value is None
    assert unsaid["peppers"].value == []


def test_nobody_but_the_operator_is_told(server: RunningServer) -> None:
    """ASVS 8.2.1: an admin of a tenant would learn where the installation's files are."""
    server.create_plan("unmetered")
    tenancy = tenancy_on(server)
    assert tenancy.api.get("/v1/settings").status_code == 403
    assert tenancy.api.get(PATH, headers={"Accept": "text/html"}).status_code == 403


def test_workers_know_it_too(tmp_path: Path) -> None:
    """Settings are handed to each worker; all of theirs would seem to come from nowhere."""
    settings = load({"port": 0}, {}, tmp_path)
    assert pickle.loads(pickle.dumps(settings)).source_of("port") == "--port"  # noqa: S301 - our own
