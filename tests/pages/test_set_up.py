"""The first run's page: who reads the server's terminal becomes its owner, and nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from bonafides.app import prepare
from bonafides.installation import CODE_SECONDS
from bonafides.set_up import FIRST_EMAIL
from tests.pages.browsing import Browser, Read
from tests.pages.test_pages import assert_safe
from tests.serving import FakeClock, RunningServer, serving, settings_for, weak_passwords

PATH: Final = "/set-up"
PASSWORD: Final = "umbrella quartz nineteen rivers"
EMAIL: Final = "ada@example.org"


@dataclass
class New:
    """A server that was started for the first time a moment ago, and its code."""

    server: RunningServer
    code: str

    def submit(self, **fields: str) -> Read:
        """Send the form from a browser of its own."""
        browser = Browser(self.server)
        form = browser.get(PATH).form(PATH)
        return browser.submit(
            form, **{"token": self.code, "email": EMAIL, "new_password": PASSWORD, **fields}
        )


@pytest.fixture
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[New]:
    """As `bonafides serve` leaves it."""
    folder = tmp_path_factory.mktemp("new")
    settings = settings_for(f"sqlite:///{folder / 'bonafides.db'}", folder, trusted_proxies=["127.0.0.1"])
    clock = FakeClock()
    made = asyncio.run(prepare(settings, FIRST_EMAIL, clock=clock, passwords=weak_passwords(), set_up=True))
    assert made is not None
    assert made.set_up_code is not None
    with serving(settings, made, clock) as server:
        yield New(server, made.set_up_code)


def actions(server: RunningServer) -> set[tuple[str, str]]:
    """What the audit trail says of it, and by which way."""
    events: list[dict[str, Any]] = server.admin.get("/v1/audit").json()["data"]
    return {(event["action"], event["actor"]["via"]) for event in events if "set_up" in event["action"]}


def test_the_code_makes_its_reader_the_owner_once(new: New) -> None:
    """ASVS 6.4.1, ASVS 6.5.1: whoever finds the code later, in a log, would become the owner after the owner."""
    browser = Browser(new.server)
    assert "This installation is new" in browser.get("/").words
    read = browser.submit(
        browser.get(PATH).form(PATH), token=f" {new.code} ", email=EMAIL, new_password=PASSWORD
    )
    assert read.status == 200
    assert "API keys" in read.words
    assert EMAIL in read.words
    assert_safe(read)
    made = browser.submit(browser.get("/settings/api-keys/new").form("/settings/api-keys/new"), name="first")
    checked = browser.submit(made.form("/settings/api-keys/check"))
    assert "Verified: this credential is good." in checked.words
    again = new.submit(email="eve@example.org")
    assert again.status == 400
    assert "unknown, was used before, or has ended" in again.words
    assert "This installation is new" not in Browser(new.server).get("/login").words
    old = Browser(new.server).get("/login")
    for username, password in (
        (FIRST_EMAIL, new.server.founded.password),
        (EMAIL, "wrong"),
        (EMAIL, PASSWORD),
    ):
        browser = Browser(new.server)
        old = browser.submit(browser.get("/login").form("/login"), username=username, password=password)
        assert (old.status == 200) is (password == PASSWORD)
    assert actions(new.server) == {("tenant.set_up", "first run"), ("tenant.set_up_begun", "first run")}


def test_nobody_sets_up_without_the_code(new: New) -> None:
    """Attack 8 (Sandcastle #7): whoever comes first over the network would own the installation."""
    wrong = f"{new.code[:-8]}{'0' * 8}"
    for token in ("", "x", wrong, new.server.founded.api_key, new.server.founded.password):
        read = new.submit(token=token)
        assert read.status == 400
        assert_safe(read)
    invited = new.server.admin.post("/v1/users", json={"email": "bob@example.org", "role": "member"}).json()
    answer = new.server.admin.post(f"/v1/users/{invited['id']}/invitation", json={})
    assert answer.status_code in {200, 201}, answer.text
    read = new.submit(token=answer.json()["token"], email="eve@example.org")
    assert read.status == 400, "an invitation of somebody else is none of the installation"
    new.server.clock.advance(CODE_SECONDS)
    assert new.submit().status == 400
    assert "This installation is new" not in Browser(new.server).get("/login").words


def test_what_is_typed_wrong_can_be_typed_again(new: New) -> None:
    """A first password that is too short would cost the code, and with it the installation."""
    new.server.admin.post("/v1/users", json={"email": "bob@example.org", "role": "member"})
    for fields, said in (
        ({"email": "ada"}, "e-mail"),
        ({"email": ""}, "Type your e-mail address."),
        ({"email": "x" * 300}, "too long"),
        ({"new_password": "short"}, "at least 15"),
        ({"new_password": "example.org bonafides"}, "guessed first"),
        ({"email": "bob@example.org"}, "Somebody else"),
    ):
        read = new.submit(**fields)
        assert read.status in {400, 409}
        assert said in read.words, fields
        assert read.form(PATH).fields["token"] == new.code
    assert new.submit().status == 200


def test_who_uses_the_printed_password_needs_the_code_no_more(new: New) -> None:
    """ASVS 6.4.1: the code in a terminal's scrollback would take the account from who has it."""
    browser = Browser(new.server)
    form = browser.get("/login").form("/login")
    browser.submit(form, username=FIRST_EMAIL, password=new.server.founded.password)
    changing = browser.get("/settings/security").form("/settings/security/password")
    done = browser.submit(
        changing, current_password=new.server.founded.password, new_password="another " + PASSWORD
    )
    assert done.status == 200
    assert new.submit().status == 400
