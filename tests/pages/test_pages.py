"""What holds for every page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bonafides.app import build
from tests.attacks.test_anonymous_bootstrap import every_route
from tests.pages.browsing import Browser, Read, visitor
from tests.serving import RunningServer, running, settings_for
from tests.web.people import person
from tests.web.tenancy import Tenancy, tenancy_on

AREAS: Final = ("/settings", "/profile", "/logout", "/administration", "/usage", "/prove")
PUBLIC: Final = ("/login", "/choose-password", "/set-up", "/status", "/docs/search")
OPERATORS: Final = (
    "/administration/tenants",
    "/administration/plans",
    "/administration/signing-keys",
    "/administration/settings",
)
"""Pages that an owner of a tenant like others is not let in to."""


def pages_of(server: RunningServer, method: str) -> Iterator[str]:
    """Every path of a page."""
    gate: Any = build(server.rooms).asgi
    for verb, path in every_route(gate._app):
        if verb == method and path.startswith(AREAS) and path != "/administration/audit/export":
            yield path


def assert_safe(read: Read) -> None:
    """The page keeps to its policy, and nothing else may use it."""
    headers = read.answer.headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    for tag, attributes in read.tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert tag != "style"
        assert tag != "script" or attributes["src"].startswith("/static/"), tag
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids)), "an id is there twice"
    labelled = {attributes["for"] for tag, attributes in read.tags if tag == "label" and "for" in attributes}
    for tag, attributes in read.tags:
        if tag in {"select", "textarea"} or (tag == "input" and attributes.get("type") != "hidden"):
            assert attributes["id"] in labelled, attributes


@pytest.mark.parametrize("path", PUBLIC)
def test_pages_for_everybody_are_safe(tenancy: Tenancy, path: str) -> None:
    """ASVS 3.4.3, ASVS 3.4.5, ASVS 3.4.6: a script or a frame of somebody else would read passwords."""
    assert_safe(Browser(tenancy.server).get(path))


def test_pages_of_people_are_safe(tenancy: Tenancy) -> None:
    """ASVS 3.4.3, ASVS 3.4.4, ASVS 3.4.5, ASVS 3.4.6, ASVS 3.5.1: the same of what is theirs; every form has its token."""
    browser = visitor(tenancy, "owner")
    for path in sorted(pages_of(tenancy.server, "GET")):
        if "{" in path or path in OPERATORS:
            continue
        read = browser.get(path)
        assert read.status == 200, path
        assert_safe(read)
        for form in read.forms:
            assert form.method == "get" or re.fullmatch("[0-9a-f]{64}", form.fields["csrf"]), path


def test_errors_are_pages(tenancy: Tenancy) -> None:
    """A person would meet JSON when something is wrong."""
    read = visitor(tenancy).get("/profile?nothing=1")
    assert read.status == 400
    assert "is not a query parameter" in read.words
    assert_safe(read)
    assert read.answer.headers["x-request-id"] in read.words


def test_no_form_counts_without_its_token(tenancy: Tenancy) -> None:
    """ASVS 3.5.1, ASVS 3.5.3: another site would send our forms in its visitors' names."""
    browser, other = visitor(tenancy, "owner"), visitor(tenancy, "owner")
    foreign = other.get("/profile").form("/logout").fields["csrf"]
    paths = sorted(pages_of(tenancy.server, "POST"))
    assert len(paths) >= 2
    for path in paths:
        asked = re.sub(r"\{[^}]*\}", "x", path)
        for fields in ({}, {"csrf": ""}, {"csrf": "x"}, {"csrf": foreign}, {"csrf": foreign.upper()}):
            answer = browser.send("POST", asked, {"name": "x", **fields})
            assert answer.status_code == 400, path
            assert "was not shown to you here" in Read(answer).words
        own = browser.get("/profile").form("/logout").fields["csrf"]
        for site in ("cross-site", "same-site"):
            answer = browser.send("POST", asked, {"name": "x", "csrf": own}, site=site)
            assert answer.headers["location"] == "/login", "the cookie does not count"
    assert browser.get("/profile").status == 200


def test_no_page_changes_anything_when_it_is_only_asked_for(tenancy: Tenancy) -> None:
    """ASVS 3.5.3: an image's address would sign people out."""
    browser = visitor(tenancy)
    assert browser.send("GET", "/logout").status_code == 405
    assert browser.get("/profile").status == 200


def test_a_token_of_a_form_holds_through_renewals_of_the_cookie(tenancy: Tenancy) -> None:
    """A form that was open for an hour would be lost when it is sent."""
    browser = visitor(tenancy)
    form = browser.get("/profile").form("/profile")
    tenancy.server.clock.advance(3_700)
    assert browser.submit(form, name="Ada").status == 200
    assert "Ada" in browser.get("/profile").words


def test_a_key_reads_pages_as_it_calls(tenancy: Tenancy) -> None:
    """§2: a credential of any kind is good wherever one is asked for, in its header."""
    answer = tenancy.api.get("/profile", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "Organisation" in Read(answer).words


def test_pages_are_counted(tenancy: Tenancy) -> None:
    """ASVS 2.4.1: whoever asks for pages without end would not be limited."""
    counted = tenancy_on(tenancy.server)
    counted.operator.patch(f"/v1/tenants/{counted.id}", json={"plan": "free"})
    browser = visitor(counted)
    first, second = (browser.send("GET", "/profile") for _ in range(2))
    left = [int(answer.headers["x-ratelimit-remaining"]) for answer in (first, second)]
    assert left[0] - left[1] == 1


def test_the_files_of_pages_are_kept_for_ever_and_named_by_what_is_in_them(tenancy: Tenancy) -> None:
    """A browser would show new pages in an old style, or fetch the style with each page."""
    read = Browser(tenancy.server).get("/login")
    found = {
        attributes.get("href") or attributes["src"]
        for tag, attributes in read.tags
        if tag in {"link", "script", "img"}
    }
    assert len(found) == 4
    for path in found:
        assert re.fullmatch(r"/static/\w+\.[0-9a-f]{16}\.\w+", path)
        answer = tenancy.client().get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].split(";")[0] in {
            "text/css",
            "text/javascript",
            "image/svg+xml",
        }
    assert tenancy.client().get("/static/nothing.css").status_code == 404


HOSTILE: Final = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</title><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "&lt;b&gt; & é 字",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_text_and_nothing_else(tenancy: Tenancy, name: str) -> None:
    """Attack 50: a name that one person types would run in the browser of the next."""
    browser = Browser(tenancy.server)
    browser.sign_in(person(tenancy))
    read = browser.submit(browser.get("/profile").form("/profile"), name=name)
    assert read.status == 200
    assert_safe(read)
    assert read.form("/profile").fields["name"] == name
    assert name in read.words
    tags = {tag for tag, _ in read.tags}
    assert not tags & {"svg", "b"}
    assert sum(tag == "script" for tag, _ in read.tags) == 1
    assert sum(tag == "img" for tag, _ in read.tags) == 1


@pytest.fixture(scope="module")
def reader(tenancy: Tenancy) -> Browser:
    """A browser in which somebody is signed in."""
    return visitor(tenancy)


MARKUP: Final = st.text(st.sampled_from("<>\"'&;={}%/ aé字"), min_size=1, max_size=60)


@given(name=MARKUP | st.text(min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_whatever_a_person_types_is_shown_as_it_is_or_refused(reader: Browser, name: str) -> None:
    """Attack 50: of all that can be typed, something would end an attribute or begin a tag."""
    expected = [tag for tag, _ in reader.get("/profile").tags]
    read = reader.submit(reader.get("/profile").form("/profile"), name=name)
    if read.status == 200:
        assert read.form("/profile").fields["name"] == name.strip()
        assert [tag for tag, _ in read.tags] == expected
    else:
        assert read.status == 400
    assert_safe(read)


def test_pages_below_a_path_of_a_proxy_lead_to_each_other(tmp_path: Path) -> None:
    """Behind a proxy that serves us below a path of its own, every link and form would lead past us."""
    settings = settings_for(
        f"sqlite:///{tmp_path / 'bonafides.db'}", tmp_path, public_url="https://api.example.com/identity"
    )
    with running(settings) as server:
        browser = Browser(server)
        assert browser.send("GET", "/").headers["location"] == "/identity/settings/api-keys"
        turned_away = browser.send("GET", "/profile")
        assert turned_away.headers["location"] == "/identity/login?next=/profile"
        read = Read(browser.send("GET", "/login?next=/profile"))
        form = next(form for form in read.forms if form.action.endswith("/login"))
        assert form.action == "/identity/login"
        own = [link for link in read.links if not link.startswith("#")]
        own += [
            attributes.get("href") or attributes.get("src", "")
            for tag, attributes in read.tags
            if tag in {"link", "script"}
        ]
        assert all(path.startswith("/identity/") for path in own), own
        fields = {"username": "admin@example.com", "password": server.founded.password}
        entered = browser.send("POST", "/login", {**form.fields, **fields})
        assert entered.headers["location"] == "/identity/profile"
