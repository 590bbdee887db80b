"""The pages in a real browser: with scripts and without, on a phone and on a wide screen, by day and by night."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, sync_playwright

from bonafides.credentials.ceremonies import RelyingParty
from tests.cli.conftest import home as home  # noqa: PLC0414 - a folder that no server was started in
from tests.cli.test_serve import serve, started
from tests.house.rules import REPOSITORY
from tests.nodejs import FOLDER
from tests.serving import RunningServer
from tests.web.people import Person, person
from tests.web.tenancy import Tenancy

CHROMIUM: Final = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
CLICKS_MAX: Final = 7
FRESH_CLONE: Final = "BONAFIDES_FRESH_CLONE" in os.environ
"""Whether a stranger has nothing yet: `make run` installs what is committed, which takes as long as fetching it does."""
STRANGER_SECONDS_MAX: Final = 600 if FRESH_CLONE else 60
"""On a machine that is busy with other tests; a quiet one takes four, and a quarter of a minute to install."""
WIDTHS: Final = (375, 768, 1440)
AXE: Final = FOLDER / "node_modules/axe-core/axe.min.js"
"""Where `make test` has put it."""
PICTURES: Final = REPOSITORY / "screenshots"
"""Of the last run, to be looked at; not committed."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-gpu-compositing",
                "--disable-software-rasterizer",
            ],
        )
        yield browser
        browser.close()


class Watched:
    """A page of a browser, in which nothing may go wrong unseen.

    Args:
        context: Of the browser.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.wrong: list[str] = []
        self.clicks = 0
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("dialog", self._meet)

    def _hear(self, message: ConsoleMessage) -> None:
        """Violations of the policy, what was not found, and scripts that fail, are all told here."""
        if message.type in {"error", "warning"}:
            self.wrong.append(f"{message.type}: {message.text} ({urlsplit(self.page.url).path})")

    def _meet(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def click(self, selector: str) -> None:
        """Click, and count it."""
        self.clicks += 1
        self.page.click(selector)
        self.page.wait_for_load_state()

    def sign_in(self, server: RunningServer, who: Person) -> None:
        """Sign in on the page for it."""
        self.page.goto(f"{server.url}/login")
        self.page.fill("#field-username", who.email)
        self.page.fill("#field-password", who.password)
        self.click("main form > button")
        assert urlsplit(self.page.url).path == "/settings/api-keys"

    def barriers(self, *, colours: bool = True) -> list[str]:
        """What axe-core finds that keeps people out: serious and critical violations, with where they are."""
        found: list[str] = self.page.evaluate(
            """async (colours) => (await axe.run({resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21aa"],
                rules: {"color-contrast": {enabled: colours}}})).violations
            .filter((each) => ["serious", "critical"].includes(each.impact))
            .map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" ")}`)""",
            colours,
        )
        return found

    def fits(self) -> bool:
        """Whether nothing has to be scrolled sideways."""
        too_wide: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return too_wide <= 0


@pytest.mark.parametrize("scripts", [True, False])
def test_a_stranger_gets_a_key_that_verifies(tenancy: Tenancy, chromium: Browser, *, scripts: bool) -> None:
    """Whoever cannot do it in a few clicks and without a manual goes elsewhere; some have no scripts."""
    context = chromium.new_context(viewport={"width": 375, "height": 800}, java_script_enabled=scripts)
    watched, who = Watched(context), person(tenancy)
    watched.page.goto(tenancy.server.url)
    assert urlsplit(watched.page.url).path == "/login"
    watched.sign_in(tenancy.server, who)
    watched.click("text=Generate New Key")
    watched.page.fill("#field-name", "nightly export")
    watched.click("text=Generate key")
    key = watched.page.text_content("code.secret")
    assert key is not None
    assert tenancy.verify(key).json()["credential"]["name"] == "nightly export"
    assert watched.page.locator("button.copy").count() == (2 if scripts else 0)
    assert watched.fits()
    assert watched.clicks <= CLICKS_MAX
    watched.click("text=All keys")
    assert "nightly export" in (watched.page.text_content("#keys") or "")
    assert watched.wrong == []
    context.close()


@contextmanager
def first_start(home: Path) -> Iterator[tuple[str, str, object]]:
    """What a stranger starts, in an empty folder."""
    if not FRESH_CLONE:
        with serve(home) as told:
            yield told
        return
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, home / "bonafides"], check=True)
    # As on a machine that has Python and make alone: nothing of this environment's is found.
    environment = {"PATH": os.defpath, "HOME": str(home)} | {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "http"))
    }
    with started(["make", "run", "ARGS=--port 0"], home / "bonafides", environment) as told:
        yield told


@pytest.mark.timeout(STRANGER_SECONDS_MAX + 60)
def test_from_an_empty_folder_to_a_key_that_verified(home: Path, chromium: Browser) -> None:
    """A stranger who has started the server has to read a manual, or leaves the browser, before anything works.

    Whoever reads the terminal goes on with its link; the steps are told with their times.
    """
    began, steps = time.monotonic(), []

    def step(name: str) -> None:
        steps.append(f"{time.monotonic() - began:6.1f} s  {watched.clicks} clicks  {name}")

    watched = Watched(chromium.new_context())
    page = watched.page
    with first_start(home) as (_, said, _):
        step("the server is ready")
        (link,) = re.findall(r"^  (http\S+/set-up#bf_inv_\w+)$", said, re.MULTILINE)
        page.goto(link)
        assert "bf_inv_" not in page.url
        page.fill("#field-email", "ada@example.org")
        page.fill("#field-new_password", "umbrella quartz nineteen rivers")
        step("the form is filled in")
        watched.click("text=Set up and sign in")
        assert urlsplit(page.url).path == "/settings/api-keys"
        step("signed in")
        watched.click("text=Generate New Key")
        page.fill("#field-name", "my first key")
        watched.click("text=Generate key")
        step("the key is there")
        watched.click("text=Check it here")
        assert "this credential is good" in page.inner_text("main")
        step("it verified")
    told = "\n".join(steps)
    (PICTURES / "stranger.txt").parent.mkdir(exist_ok=True)
    (PICTURES / "stranger.txt").write_text(f"{told}\n")
    assert watched.clicks <= CLICKS_MAX, told
    assert time.monotonic() - began < STRANGER_SECONDS_MAX, told
    assert watched.wrong == []
    watched.context.close()


def test_figures_move_while_one_looks(tenancy: Tenancy, chromium: Browser) -> None:
    """Who waits until nobody uses a rotated key would have to reload its page again and again."""
    who = person(tenancy)
    old = tenancy.key(user_id=who.id, plan=tenancy.plan(1_500))
    successor = tenancy.client(old["key"]).post(
        f"/v1/api-keys/{old['id']}/rotate", json={"overlap_seconds": 3_600}
    )
    assert successor.status_code == 201, successor.text
    watched = Watched(chromium.new_context())
    page, uses, loop = watched.page, tenancy.server.rooms.uses, tenancy.server.loop
    page.clock.install()
    watched.sign_in(tenancy.server, who)
    page.goto(f"{tenancy.server.url}/settings/api-keys/{old['id']}")
    assert "1,499 of 1,500 requests" in page.inner_text("dl.facts")
    for _ in range(2):
        assert tenancy.verify(old["key"]).status_code == 200
    asyncio.run_coroutine_threadsafe(uses.flush_counts(), loop).result(20)
    page.clock.run_for(15_000)
    page.wait_for_selector("text=1,497 of 1,500 requests")
    page.wait_for_selector(".notice >> text=requests in the last hour: 3")
    assert watched.wrong == []
    watched.context.close()


def test_the_keyboard_is_enough(tenancy: Tenancy, chromium: Browser) -> None:
    """Whoever uses no mouse could not sign in, nor skip what stands on every page."""
    context = chromium.new_context()
    watched, who = Watched(context), person(tenancy)
    page = watched.page
    page.goto(f"{tenancy.server.url}/login")
    page.keyboard.type(who.email)
    page.keyboard.press("Tab")
    page.keyboard.type(who.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/api-keys")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    assert watched.wrong == []
    context.close()


def test_a_link_elsewhere_leads_to_who_is_signed_in(tenancy: Tenancy, chromium: Browser) -> None:
    """ASVS 3.3.2: strict cookies stay at home when somebody comes by a link, and people would sign in for each."""
    context = chromium.new_context()
    watched = Watched(context)
    watched.sign_in(tenancy.server, person(tenancy))
    page = watched.page
    page.route(
        "http://elsewhere.example/",
        lambda route: route.fulfill(
            body=f'<a href="{tenancy.server.url}/profile">go</a>', content_type="text/html"
        ),
    )
    page.goto("http://elsewhere.example/")
    page.click("text=go")
    page.wait_for_selector("text=Organisation's id")
    assert watched.wrong == []
    context.close()


def test_a_passkey_is_made_and_signs_in(
    tenancy: Tenancy, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ASVS 6.3.3: the script would ask the browser for something that it does not know, or be stopped by the policy."""
    watched, who = Watched(chromium.new_context()), person(tenancy)
    page = watched.page
    device = watched.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    key = device.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def touch(*, enabled: bool) -> None:
        """Whether the person takes whatever passkey they are offered."""
        device.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": key, "enabled": enabled})

    here = replace(tenancy.server, url=tenancy.server.url.replace("127.0.0.1", "localhost"))
    # The port of a test's server is chosen when it starts.
    monkeypatch.setattr(tenancy.server.rooms.passkeys, "_party", RelyingParty("localhost", here.url))
    watched.sign_in(here, who)
    page.goto(f"{here.url}/settings/security")
    watched.click("text=Add a passkey")
    page.fill("#field-name", "Laptop")
    watched.click("text=Make the passkey")
    page.wait_for_selector("text=Recovery codes")
    # It is among the browser's suggestions at the field for the address.
    page.click("text=Sign out")
    page.wait_for_url("**/settings/api-keys")
    touch(enabled=False)
    watched.click("text=Sign out")
    page.wait_for_selector("text=Sign in with a passkey")
    touch(enabled=True)
    page.click("text=Sign in with a passkey")
    page.wait_for_url("**/settings/api-keys")
    page.goto(f"{here.url}/settings/security")
    assert page.inner_text("#passkeys tbody th") == "Laptop"
    assert watched.wrong == []
    watched.context.close()
