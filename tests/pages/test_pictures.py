"""Every page on a phone, a tablet and a wide screen, by day and by night, with scripts and without: looked at by a browser, and kept for people."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page

from bonafides.web.portal.articles import ARTICLES
from tests.nodejs import has
from tests.pages.furnished import furnish
from tests.pages.test_in_chromium import AXE, CHROMIUM, PICTURES, WIDTHS, Watched
from tests.pages.test_in_chromium import chromium as chromium  # noqa: PLC0414 - a fixture
from tests.pages.test_pages import pages_of
from tests.serving import RunningServer, running, settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

SCHEMES: Final = ("light", "dark")
HEIGHT: Final = 900
HEIGHT_MAX: Final = 1_800
"""What is below looks as what is above it, and takes longest."""


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, dict[str, str]]]:
    """A server with an organisation, and its pages by the names of their pictures."""
    folder: Path = tmp_path_factory.mktemp("pictures")
    settings = settings_for(
        f"sqlite:///{folder / 'bonafides.db'}", folder, trusted_proxies=["127.0.0.1"], self_registration=True
    )
    with running(settings) as server:
        server.create_plan("free")
        yield server, _named(server)


def _named(server: RunningServer) -> dict[str, str]:
    """Every page that can be asked for, and those that show one thing."""
    paths = [path for path in sorted(set(pages_of(server, "GET"))) if "{" not in path]
    paths += ["/device", *(article.path for article in ARTICLES), "/docs/errors/rate_limit_exceeded"]
    paths += ["/docs/search?q=rotate", "/status", "/set-up"]
    return {re.sub(r"\W+", "-", path)[1:]: path for path in paths} | furnish(server)


def _fill(selector: str, text: str) -> Callable[[Page], None]:
    return lambda page: page.fill(selector, text)


def _press(words: str) -> Callable[[Page], None]:
    return lambda page: page.click(f"main >> text={words}")


AFTERWARDS: Final[dict[str, tuple[str, tuple[Callable[[Page], None], ...]]]] = {
    "settings-api-keys-made": (
        "/settings/api-keys/new",
        (_fill("#field-name", "Nightly export"), _press("Generate key")),
    ),
    "settings-api-keys-refused": (
        "/settings/api-keys/new",
        (
            _fill("#field-name", "Nightly export"),
            _fill("#field-allowed_ips", "our office"),
            _press("Generate key"),
        ),
    ),
    "settings-tokens-made": (
        "/settings/tokens/new",
        (_fill("#field-description", "Terminal"), _press("Generate token")),
    ),
    "settings-security-app": ("/settings/security", (_press("Set up an authenticator app"),)),
}
"""Pages that answer a form: what is pressed before them."""
SIGNED_OUT: Final = (
    "/login",
    "/forgotten-password",
    "/choose-password",
    "/nothing-here",
    "/profile?nothing=1",
)


class Photographer:
    """Takes pictures of the page that is open, at every width by day and by night, and looks at each.

    Args:
        watched: The page.
        suffix: Of the pictures' names.
        axe: The text of axe-core; empty to look without it.
    """

    def __init__(self, watched: Watched, suffix: str, axe: str) -> None:
        self.watched = watched
        self._suffix = suffix
        self._axe = axe
        self._devtools = watched.context.new_cdp_session(watched.page)
        self.wrong: dict[str, object] = {}

    def take(self, name: str) -> None:
        """Take them all; what is wrong is noted by name."""
        page = self.watched.page
        if self._axe:
            page.evaluate(self._axe)
        if page.locator("h1").count() != 1:
            self.wrong[name] = "not one heading"
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            # By turns from both ends, so that each width is set anew as seldom as can be.
            for width in WIDTHS if scheme == "light" else reversed(WIDTHS):
                if self._picture(width, f"{name}-{width}-{scheme}{self._suffix}.jpeg") > width:
                    self.wrong[f"{name} at {width}"] = "has to be scrolled sideways"
                colours = name != "docs-api-reference"  # it has as many words as all others together
                # As long as three pictures take; tests/pages/test_hostile_in_chromium.py looks by day.
                if (
                    self._axe
                    and (scheme, width) == ("dark", WIDTHS[-1])
                    and (found := self.watched.barriers(colours=colours))
                ):
                    self.wrong[f"{name}, {scheme}"] = found

    def _picture(self, width: int, name: str) -> int:
        """Take one, past Playwright, which waits for fonts that there are none of; how wide the page is."""
        self._devtools.send(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False},
        )
        # The widest are most of the work; two thirds of their size can still be read.
        scale = 1 if width < WIDTHS[-1] else 2 / 3
        whole = self._devtools.send("Page.getLayoutMetrics")["cssContentSize"]
        taken = self._devtools.send(
            "Page.captureScreenshot",
            {
                "format": "jpeg",
                "quality": 80,
                "optimizeForSpeed": True,
                "captureBeyondViewport": True,
                "clip": {
                    "x": 0,
                    "y": 0,
                    "width": width,
                    "height": min(whole["height"], HEIGHT_MAX),
                    "scale": scale,
                },
            },
        )
        (PICTURES / name).write_bytes(base64.b64decode(taken["data"]))
        return int(whole["width"])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_every_page_fits_keeps_to_its_policy_and_keeps_nobody_out(
    furnished: tuple[RunningServer, dict[str, str]], chromium: Browser, *, scripts: bool
) -> None:
    """ASVS 3.4.3, WCAG 2.2: a page cannot be read on a phone or at night, asks for what its policy forbids, or keeps out who listens to it.

    The pictures are in `screenshots/`: page, width, scheme, and `-plain` without scripts.
    """
    server, named = furnished
    PICTURES.mkdir(exist_ok=True)
    context = chromium.new_context(java_script_enabled=scripts, no_viewport=True)
    # A machine without npm has all other tests; a skip would be a failure there.
    axe = AXE.read_text(encoding="utf-8") if scripts and has("axe-core") else ""
    watched = Watched(context)
    page, photographer = watched.page, Photographer(watched, "" if scripts else "-plain", axe)
    for path in SIGNED_OUT:
        page.goto(server.url + path)
        photographer.take(re.sub(r"\W+", "-", path)[1:])
    page.goto(f"{server.url}/login")
    page.fill("#field-username", "admin@example.com")
    page.fill("#field-password", server.founded.password or "")
    watched.click("main form > button")
    assert page.url.endswith("/settings/api-keys")
    for name, path in named.items():
        answer = page.goto(server.url + path)
        assert answer is not None
        assert answer.status == 200, path
        photographer.take(name)
    for name, (path, acts) in AFTERWARDS.items():
        page.goto(server.url + path)
        for act in acts:
            act(page)
        page.wait_for_load_state()
        photographer.take(name)
    # What is refused is told on a page, which browsers note.
    assert [told for told in watched.wrong if "status of 4" not in told] == []
    assert photographer.wrong == {}
    if axe:
        page.evaluate("document.querySelector('main').append(new Image())")
        assert [barrier.partition(":")[0] for barrier in watched.barriers()] == ["image-alt"], (
            "axe-core looks"
        )
    context.close()
