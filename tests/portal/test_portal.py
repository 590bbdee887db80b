"""The documentation says what the server does: change a plan, a lifetime or a scope, and its pages change."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from bonafides.actions import ACTIONS
from bonafides.app import build
from bonafides.errors import WIRE_CODES
from bonafides.model import BUILT_IN_SCOPES
from bonafides.secret import mint_webhook_secret, webhook_signature
from bonafides.settings import Settings
from bonafides.web.portal.articles import ARTICLES, REFERENCE, lasts, plain
from bonafides.web.portal.marking import html
from bonafides.web.portal.remedies import REMEDIES
from tests.attacks.test_anonymous_bootstrap import every_route
from tests.pages.browsing import Browser, Read
from tests.pages.test_pages import assert_safe
from tests.serving import RunningServer, running, settings_for

BASE: Final = "https://api.example.com/identity"
PATHS: Final = [article.path for article in ARTICLES if article.name != REFERENCE]
PATHS_OF_ERRORS: Final = [f"/docs/errors/{code}" for code in WIRE_CODES]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server behind a proxy, below a path, with nothing as it is by default."""
    folder = tmp_path_factory.mktemp("portal")
    settings = settings_for(
        f"sqlite:///{folder / 'bonafides.db'}",
        folder,
        public_url=BASE,
        scopes=["invoices:read"],
        session_token_seconds=5_400,
        session_idle_seconds=86_400,
        session_seconds_max=172_800,
        refresh_grace_seconds=7,
        step_up_seconds=120,
        signing_key_rotation_days=33,
        address_requests_per_minute=4_321,
    )
    with running(settings) as running_server:
        yield running_server


def text(server: RunningServer, path: str) -> str:
    """A page's Markdown."""
    answer = server.client().get(f"{path}.md")
    assert answer.status_code == 200, path
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    return answer.text


def test_lifetimes_are_those_of_the_settings(server: RunningServer) -> None:
    """A client that goes by the page would refresh too late."""
    told = text(server, "/docs/jwt")
    for words in ("90 minutes", "1 day", "2 days", "7 seconds", "33 days"):
        assert words in told
    assert "4,321 in a minute" in text(server, "/docs/rate-limits")
    assert "2 minutes old" in text(server, "/docs/security")
    assert "90 minutes" in text(server, "/docs")


def test_plans_are_those_in_force(server: RunningServer) -> None:
    """Who chose a plan by the page would be refused before its figures."""
    server.create_plan("team", requests_per_hour=12_345, burst=67, bearer_token_seconds=1_500)
    told = text(server, "/docs/rate-limits")
    assert "| team | 12,345 | 67 |" in told
    assert "| team | 25 minutes |" in text(server, "/docs/bearer-tokens")
    server.create_plan("team", requests_per_hour=None, burst=8, per_method={"jwt_session": 99})
    told = text(server, "/docs/rate-limits")
    assert "| team | unlimited | 8 | jwt session: 99 |" in told
    assert "12,345" not in told


def test_every_scope_has_its_line(server: RunningServer) -> None:
    """A scope that is on no page is one that nobody asks for, or everybody gives."""
    told = text(server, "/docs/scopes")
    for scope in {*BUILT_IN_SCOPES, "invoices:read"}:
        assert f"| `{scope}` |" in told
    assert "`invoices:read`" in text(server, "/docs/oauth")


def test_every_error_has_a_page_that_says_what_to_do(server: RunningServer) -> None:
    """`doc_url` in an error would lead to nothing."""
    assert set(REMEDIES) == set(WIRE_CODES)
    listed = text(server, "/docs/errors")
    for code in WIRE_CODES:
        told = text(server, f"/docs/errors/{code}")
        assert WIRE_CODES[code] in told
        assert REMEDIES[code] in told
        assert f"({BASE}/docs/errors/{code})" in listed


def test_the_link_in_an_error_leads_to_its_page(server: RunningServer) -> None:
    """Whoever meets an error would have to look for it."""
    answer = server.client().get("/v1/auth/verify")
    path = urlsplit(answer.json()["doc_url"]).path.removeprefix("/identity")
    assert path == "/docs/errors/missing_api_key"
    assert "Authorization" in Browser(server).get(path).words


def test_every_setting_and_every_route_has_its_place(server: RunningServer) -> None:
    """A setting or a call that is on no page is found by reading the code."""
    told = text(server, "/docs/settings")
    assert all(
        f"\n| `{name}` | {(field.description or '').split('|')[0]}" in told
        for name, field in Settings.model_fields.items()
    )
    assert "`BONAFIDES_PORT`" in told
    calls = text(server, "/docs/api-reference")
    gate: Any = build(server.rooms).asgi
    described = gate._app.openapi()["paths"]
    for method, path in every_route(gate._app):
        if path in described and method.lower() in described[path]:
            assert f"`{method} {path}`" in calls
    assert sum(len(methods) for methods in described.values()) == len(re.findall(r"(?m)^### ", calls))


def test_every_event_has_its_line_and_the_sample_knows_a_good_signature(server: RunningServer) -> None:
    """Who goes by the page would miss an event, or refuse every delivery."""
    told = text(server, "/docs/webhooks")
    assert all(f"| `{action}` |" in told for action in ACTIONS)
    (sample,) = re.findall(r"(?s)```python Python\n(.*?)```", told)
    namespace: dict[str, Any] = {}
    exec(sample, namespace)  # noqa: S102 - what the page says
    secret, now = mint_webhook_secret(secrets.token_bytes), int(time.time())
    for at, body, good in ((now, b"{}", True), (now - 600, b"{}", False), (now, b"[]", False)):
        signature = webhook_signature(secret, b"evt_1.%d.{}" % at)
        headers = {
            "webhook-id": "evt_1",
            "webhook-timestamp": str(at),
            "webhook-signature": f"v1,x {signature}",
        }
        assert namespace["is_ours"](secret, headers, body) is good


def test_what_is_in_force_is_not_told_to_strangers(server: RunningServer) -> None:
    """The page of settings would say where the database is, and which proxies are believed."""
    told = text(server, "/docs/settings")
    assert str(server.settings.pepper_path) not in told
    assert server.settings.database not in told


@pytest.mark.parametrize("path", [*PATHS, "/docs/errors/invalid_request", "/docs/search?q=key"])
def test_pages_are_safe_and_lead_somewhere(server: RunningServer, path: str) -> None:
    """ASVS 3.4.3: a page that runs what it is not told to, or links that lead nowhere."""
    read = Browser(server).get(path)
    assert read.status == 200
    headers = read.answer.headers
    assert "unsafe" not in headers["content-security-policy"]
    assert "connect-src 'self'" in headers["content-security-policy"]
    assert sum(tag == "h1" for tag, _ in read.tags) == 1
    levels = [int(tag[1]) for tag, _ in read.tags if tag in {"h1", "h2", "h3"}]
    assert all(deeper <= level + 1 for level, deeper in itertools.pairwise(levels))
    ids = [given["id"] for _, given in read.tags if "id" in given]
    assert len(ids) == len(set(ids))
    client = server.client()
    for link in sorted({link.removeprefix("https://api.example.com") for link in read.links}):
        target, _, fragment = link.partition("#")
        if not target:
            assert fragment in ids, link
            continue
        assert target.startswith("/identity/"), link
        there = client.get(target.removeprefix("/identity"), headers={"Accept": "text/html"})
        assert there.status_code in {200, 303}, link
        assert not fragment or f'id="{fragment}"' in there.text, link


def test_figures_stand_to_the_right_without_a_style_of_their_own(server: RunningServer) -> None:
    """The policy of the pages refuses it, and figures of tables would stand below their first digits."""
    told = server.client().get("/docs/rate-limits").text
    assert '<td class="figure">' in told
    assert "style=" not in told


def test_a_page_and_its_markdown_say_the_same(server: RunningServer) -> None:
    """Programs that read would be told something else than people."""
    for path in [*PATHS, *PATHS_OF_ERRORS]:
        words = Browser(server).get(path).words
        for line in text(server, path).splitlines():
            if re.fullmatch(r"[A-Z][\w ,]+\.?", line):
                assert line in words, path


def test_the_list_of_pages_lists_them_all(server: RunningServer) -> None:
    """A program would miss what the list leaves out."""
    listed = server.client().get("/llms.txt").text
    found = re.findall(r"\((https://[^)]+)\)", listed)
    wanted = {f"{BASE}{article.path}.md" for article in ARTICLES}
    wanted |= {f"{BASE}{path}.md" for path in PATHS_OF_ERRORS} | {f"{BASE}/openapi.json"}
    assert set(found) == wanted
    client = server.client()
    for url in found:
        assert client.get(url.removeprefix(BASE)).status_code == 200, url


def test_search_finds_pages_errors_and_calls(server: RunningServer) -> None:
    """Who looks for a word would have to read everything."""
    browser = Browser(server)
    form = browser.get("/docs").form("/identity/docs/search")
    assert form.method == "get"
    for words, path in (
        ("rate limits", "/docs/rate-limits"),
        ("TOKEN_expired", "/docs/errors/token_expired"),
        ("rotate an api key", f"/docs/{REFERENCE}#rotateApiKey"),
    ):
        read = Read(browser.send("GET", f"/docs/search?q={words.replace(' ', '+')}"))
        assert f"/identity{path}" in read.links, words
    assert "Nothing is found" in Read(browser.send("GET", "/docs/search?q=xyzzy")).words
    entries = server.client().get("/docs/index.json").json()
    assert {entry["path"] for entry in entries} >= {f"/identity{path}" for path in [*PATHS, *PATHS_OF_ERRORS]}


def test_what_is_searched_for_is_text(server: RunningServer) -> None:
    """Attack 50: a link to the search would run a script here."""
    read = Read(Browser(server).send("GET", "/docs/search?q=<script>alert(1)</script>"))
    assert "<script>alert(1)</script>" in read.words
    assert sum(tag == "script" for tag, _ in read.tags) == 1


@pytest.mark.parametrize(
    "path", ["/docs/nothing", "/docs/nothing.md", "/docs/errors/nothing", "/docs/errors"]
)
def test_a_page_that_is_none_is_not_found(server: RunningServer, path: str) -> None:
    """A typing error would be a failure of ours."""
    for accept in ("text/html", "*/*"):
        answer = server.client().get(path, headers={"Accept": accept})
        assert answer.status_code == (200 if path == "/docs/errors" else 404)


def test_markdown_lets_no_tag_and_no_foreign_scheme_through() -> None:
    """Attack 50: whoever names a plan would write the page."""
    told = str(html(f"# x\n\n<script>alert(1)</script> [a](javascript:alert(1))\n\n{plain('<b>*x*|`y`')}"))
    assert "<script" not in told
    assert "href" not in told
    assert "&lt;b&gt;*x*|`y`" in told
    assert str(html("# One\n\n# One\n")).count('id="one"') == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (7_200, "2 hours"),
        (86_400, "1 day"),
        (0.5, "0.5 seconds"),
    ],
)
def test_a_length_of_time_is_told_exactly(seconds: float, words: str) -> None:
    """A lifetime that is rounded would end before it is said to."""
    assert lasts(seconds) == words


def test_the_documentation_needs_no_database(sqlite_url: str, tmp_path: Path) -> None:
    """While the database is away, whoever looks up what `unavailable` means would be told nothing else."""
    with running(settings_for(sqlite_url, tmp_path)) as server:
        server.rooms.plans._store = None  # type: ignore[assignment]
        assert Browser(server).get("/docs/errors/unavailable").status == 200
        assert_safe(Browser(server).get("/docs"))
