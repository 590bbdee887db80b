"""What people type, in every field, on every page that shows it, the operator's included, in a real browser by day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from bonafides.credentials.passkeys import NAME_MAX
from tests.nodejs import has
from tests.pages.browsing import Browser as Http
from tests.pages.test_in_chromium import AXE, CHROMIUM, PICTURES, WIDTHS, Watched
from tests.pages.test_in_chromium import chromium as chromium  # noqa: PLC0414 - a fixture
from tests.pages.test_pages import HOSTILE, OPERATORS, pages_of
from tests.pages.test_passkeys import add, device
from tests.serving import RunningServer, running, settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of the file's own, whose plans, tenants and settings may be looked at."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    with running(settings_for(f"sqlite:///{folder / 'bonafides.db'}", folder)) as server:
        server.create_plan("free")
        yield server


TEXT: Final = " ".join(HOSTILE)
"""All at once, so that one look at a page is enough."""


FORMS_MIN: Final = 25
"""That many have a field for text."""

_FILL_IN: Final = """([number, text]) => {
    const form = document.querySelectorAll("main form")[number];
    const typed = [...form.elements].filter((field) => field.name && !["csrf", "once"].includes(field.name)
        && (field.matches("textarea") || ["text", "search", "email", "url", "password"].includes(field.type)));
    for (const field of typed) {
        field.removeAttribute("maxlength");
        if (field.type === "email") field.type = "text";
        field.value = text;
    }
    return typed.map((field) => field.name);
}"""


def send_hostile(watched: Watched, url: str) -> list[str]:
    """Type hostile text into each field of each form of the page that is open, and send it; what was typed into."""
    page = watched.page
    seen: list[str] = []
    for number in range(page.locator("main form").count()):
        if seen and page.url != url:
            page.goto(url)
        names = page.evaluate(_FILL_IN, [number, TEXT])
        if not names:
            continue
        seen.append(f"{urlsplit(url).path}: {' '.join(names)}")
        with page.expect_navigation():
            page.evaluate(
                "(number) => HTMLFormElement.prototype.submit.call(document.querySelectorAll('main form')[number])",
                number,
            )
        assert page.locator("main img, main iframe, main svg script").count() == 0, seen[-1]
    return seen


def fill_in(server: RunningServer) -> list[str]:
    """Hostile text in each field that takes text; the pages that show one thing."""
    admin = server.admin

    def made(path: str, **body: object) -> str:
        answer = admin.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    owner = server.founded.user_id
    tenant = made("/v1/tenants", name=TEXT)
    user = made("/v1/users", kind="service", name=TEXT)
    made("/v1/users", kind="service", name=TEXT, tenant_id=tenant)
    key = made("/v1/api-keys", name=TEXT, metadata={TEXT: TEXT}, user_id=owner)
    revoked = made("/v1/api-keys", name=TEXT, user_id=owner)
    admin.request("DELETE", f"/v1/api-keys/{revoked}", json={"reason": TEXT})
    made("/v1/personal-access-tokens", description=TEXT)
    client = made(
        "/v1/clients",
        name=TEXT,
        scopes=["read"],
        grant_types=["authorization_code"],
        redirect_uris=["https://client.example/cb?a='b'&c=(d)"],
    )
    made("/v1/registration-tokens", name=TEXT, scopes=["read"])
    hook = made("/v1/webhooks", name=TEXT, url="https://hooks.example/?a='b'&c=(d)")
    assert admin.patch(f"/v1/users/{owner}", json={"name": TEXT}).status_code == 200
    return [
        f"/settings/api-keys/{key}",
        f"/settings/api-keys/{key}/rotate",
        f"/settings/api-keys/{key}/revoke",
        f"/settings/api-keys/{revoked}",
        f"/administration/users/{user}",
        f"/administration/clients/{client}",
        f"/administration/clients/{client}/change",
        f"/administration/webhooks/{hook}",
        f"/administration/users?tenant_id={tenant}",
    ]


@pytest.mark.timeout(240)
def test_attack_50_nothing_that_people_type_runs_or_keeps_people_out(
    own_server: RunningServer, chromium: Browser
) -> None:
    """Attack 50: a name of a key or a tenant would run as a script where the operator reads it; WCAG 2.2 there, too."""
    shown = fill_in(own_server)
    context = chromium.new_context(color_scheme="light")
    looks = has("axe-core")
    axe = AXE.read_text(encoding="utf-8") if looks else ""
    watched = Watched(context)
    page = watched.page
    page.goto(f"{own_server.url}/login")
    page.fill("#field-username", "admin@example.com")
    page.fill("#field-password", own_server.founded.password or "")
    watched.click("main form > button")
    assert page.url.endswith("/settings/api-keys")
    paths = [path for path in sorted(set(pages_of(own_server, "GET"))) if "{" not in path]
    other = Http(own_server)
    other.cookies = {str(cookie["name"]): str(cookie["value"]) for cookie in context.cookies()}
    assert add(other, device(own_server), TEXT[:NAME_MAX]).status == 200
    barriers: dict[str, list[str]] = {}
    typed: list[str] = []
    for path in paths + shown:
        answer = page.goto(own_server.url + path)
        assert answer is not None
        assert (answer.status, page.url) == (200, own_server.url + path)
        assert page.locator("main img, main iframe, main svg script").count() == 0, path
        if looks:
            page.evaluate(axe)
        if looks and (found := watched.barriers()):
            barriers[path] = found
        if path in shown or path in OPERATORS:
            page.set_viewport_size({"width": WIDTHS[0], "height": 900})
            name = re.sub(r"[^a-z]+", "-", path.partition("?")[0].partition("_")[0][1:])
            page.screenshot(path=PICTURES / f"{name}-hostile-{WIDTHS[0]}.png")
            assert watched.fits(), path
            page.set_viewport_size({"width": WIDTHS[2], "height": 900})
        typed += send_hostile(watched, own_server.url + path)
    assert len(typed) >= FORMS_MIN, typed
    # What is refused is told on the page that it was sent to, which browsers note.
    wrong = [told for told in watched.wrong if "status of 4" not in told]
    assert wrong == []
    assert barriers == {}
    context.close()
