"""`/docs/api-reference` is one page that works alone: every link leads somewhere, every command is the example, nothing is fetched."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from typing_extensions import override

from bonafides.errors import WIRE_CODES
from bonafides.web.examples import EXAMPLES
from bonafides.web.pages.reference import prose
from tests.described import Description
from tests.house.rules import REPOSITORY
from tests.serving import running, settings_for

PUBLIC_URL: Final = "https://api.example.com/identity"
ELSEWHERE: Final = {"../docs", "api-reference.md", "../openapi.json", "../openapi.yaml"}
"""Other pages that this one leads to."""


@dataclass
class Element:
    """A tag with its attributes and the text inside it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    inside: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """Every element of a page, in order."""

    VOID: Final = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        assert not self._open, "a tag is not closed"

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        inside = [element.attributes.get("id", "") for element in self._open]
        element = Element(tag, {name: value or "" for name, value in attrs}, inside=inside)
        self.elements.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"</{tag}> closes another tag"

    @override
    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        """The elements with one of these tags."""
        return [element for element in self.elements if element.tag in tags]

    def ids(self) -> list[str]:
        """Every `id`."""
        return [element.attributes["id"] for element in self.elements if "id" in element.attributes]


@dataclass(frozen=True)
class Served:
    """The page as it was answered, and the description that it is made of."""

    answer: httpx2.Response
    style: httpx2.Response
    page: Page
    description: Description


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page of a server behind a proxy, below a path."""
    folder = tmp_path_factory.mktemp("docs")
    settings = settings_for(f"sqlite:///{folder}/bonafides.db", folder, public_url=PUBLIC_URL)
    with running(settings) as server:
        client = server.client()
        answer = client.get("/docs/api-reference")
        yield Served(
            answer,
            client.get("/docs/style.css"),
            Page(answer.text),
            Description(client.get("/openapi.json").json()),
        )


def test_every_error_code_has_the_place_that_answers_point_to(served: Served) -> None:
    """`doc_url` in an error would open the page at its top, and explain nothing."""
    for code in WIRE_CODES:
        assert f"error-{code}" in served.page.ids()
        article = next(
            each for each in served.page.all("article") if each.attributes["id"] == f"error-{code}"
        )
        assert WIRE_CODES[code].replace("`", "") in article.text


def test_every_operation_is_on_the_page(served: Served) -> None:
    """A call that is not on the page is one that nobody finds."""
    articles = {each.attributes["id"]: each for each in served.page.all("article")}
    for operation in served.description.operations():
        text = articles[operation.id].text
        assert operation.method in text
        assert operation.path in text
        assert operation.declared["summary"] in text
        for parameter in operation.declared.get("parameters", ()):
            assert parameter["name"] in text
        for scope in operation.declared.get("x-required-scopes", ()):
            assert scope in text


def test_every_field_of_every_object_is_on_the_page(served: Served) -> None:
    """A field of an answer or a body would have to be guessed."""
    for name, schema in served.description.document["components"]["schemas"].items():
        for property_name in schema.get("properties", {}):
            assert f"\n{property_name} " in served.page.elements[0].text, f"{name}.{property_name}"


def test_ids_are_given_once_and_links_lead_to_them(served: Served) -> None:
    """A reader who follows a link would stay where they are."""
    ids = served.page.ids()
    assert len(ids) == len(set(ids))
    for link in served.page.all("a"):
        target = link.attributes["href"]
        assert target in ELSEWHERE or target.removeprefix("#") in ids, target
    for element in served.page.elements:
        if "aria-labelledby" in element.attributes:
            assert element.attributes["aria-labelledby"] in ids


def test_the_page_loads_nothing_but_its_own_style(served: Served) -> None:
    """A page that fetches or runs something does not work without a network, and can be turned against its reader."""
    policy = served.answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert [link.attributes for link in served.page.all("link")] == [
        {"rel": "stylesheet", "href": "style.css"}
    ]
    assert not served.page.all("script", "style", "img", "iframe", "object", "form", "base")
    for element in served.page.elements:
        assert not {"style", "src", "srcset"} & set(element.attributes)
        assert not any(name.startswith("on") for name in element.attributes)
    assert served.style.headers["content-type"] == "text/css; charset=utf-8"
    assert not re.search(r"url\(|@import|https?:", served.style.text)
    assert served.style.headers["x-content-type-options"] == "nosniff"


def test_the_page_can_be_read_without_eyes_or_mouse(served: Served) -> None:
    """Whoever listens to the page, or moves through it by keyboard, would get lost in it."""
    page = served.page
    assert page.all("html")[0].attributes["lang"] == "en"
    assert len(page.all("h1")) == len(page.all("main")) == 1
    levels = [int(heading.tag[1]) for heading in page.all("h1", "h2", "h3", "h4")]
    assert all(deeper <= level + 1 for level, deeper in itertools.pairwise(levels))
    assert page.all("a")[0].attributes == {"class": "skip", "href": "#content"}
    assert all(nav.attributes["aria-label"] for nav in page.all("nav"))
    for block in page.all("pre"):
        assert block.attributes["tabindex"] == "0"
        assert block.attributes["aria-label"]
    assert all(link.text.strip() for link in page.all("a"))
    assert ":focus-visible" in served.style.text


def test_the_page_follows_the_readers_colours_and_screen(served: Served) -> None:
    """A reader at night would be dazzled, and one with a phone would have to zoom."""
    metas = {each.attributes.get("name"): each.attributes.get("content") for each in served.page.all("meta")}
    assert metas["viewport"] == "width=device-width, initial-scale=1"
    assert metas["color-scheme"] == "light dark"
    assert "prefers-color-scheme: dark" in served.style.text


@pytest.mark.parametrize("operation_id", EXAMPLES)
def test_the_command_is_the_example(served: Served, operation_id: str) -> None:
    """Somebody who copies the command would send another request than the description's example."""
    operation = served.description.operation(operation_id)
    example = EXAMPLES[operation_id]
    command = next(
        block.text
        for block in served.page.all("pre")
        if operation_id in block.inside and "curl" in block.text
    )
    words = iter(shlex.split(command.replace("\\\n", "")))
    assert next(words) == "curl"
    method, url, headers, body, form = "GET", "", {}, None, {}
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                body = json.loads(next(words))
            case "--data-urlencode":
                name, _, value = next(words).partition("=")
                form[name] = value
            case _:
                url = word
    parts = urlsplit(url)
    path = operation.path
    for name, value in example.path.items():
        path = path.replace(f"{{{name}}}", value)
    assert method == operation.method
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == PUBLIC_URL + path
    assert dict(parse_qsl(parts.query)) == example.query
    assert body == example.body
    assert form == (example.form or {})
    wanted = dict(example.headers)
    if operation.declared["security"]:
        wanted["Authorization"] = "Bearer $KEY"
    if example.body is not None:
        wanted["Content-Type"] = "application/json"
    assert headers == wanted


def test_text_of_the_description_is_text(served: Served) -> None:
    """A description that holds a tag would break the page, or run in it."""
    assert str(prose("a <b> `<i>` & **c**")) == (
        "a &lt;b&gt; <code>&lt;i&gt;</code> &amp; <strong>c</strong>"
    )
    assert "&lt;credential&gt;" in served.answer.text


def test_the_wheel_carries_what_the_page_is_made_of(tmp_path: Path) -> None:
    """An installed server would answer /docs with 500, where the one in the repository does not."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert {"bonafides/web/templates/docs.html", "bonafides/web/templates/docs.css"} <= set(names)
