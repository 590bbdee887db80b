"""The operator's name, logo and colour: everywhere, readable, and no way in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafides.errors import Misconfigured
from bonafides.settings import load
from bonafides.web.pages.theme import CONTRAST_MIN, contrast, style_of
from tests.pages.browsing import Browser
from tests.pages.test_pages import assert_safe
from tests.serving import RunningServer, running, settings_for

NAME: Final = "Ada & Söhne <b>"
LOGO: Final = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(scope="module")
def themed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with a look of its own."""
    folder = tmp_path_factory.mktemp("theme")
    logo = folder / "logo.svg"
    logo.write_text(LOGO)
    settings = settings_for(
        f"sqlite:///{folder / 'bonafides.db'}",
        folder,
        brand_name=NAME,
        brand_logo=str(logo),
        brand_color="#FFCC00",
    )
    with running(settings) as server:
        yield server


def test_every_frame_bears_it(themed: RunningServer) -> None:
    """Customers would sign in at a product that they have never heard of."""
    for path in ("/login", "/docs", "/docs/errors/missing_api_key", "/status"):
        read = Browser(themed).get(path)
        assert_safe(read)
        assert NAME in read.words
        assert "Bonafides" not in read.answer.text.partition("<main")[0]
        linked = [attributes["href"] for tag, attributes in read.tags if tag == "link"]
        assert [re.sub(r"\.[0-9a-f]{16}", "", path) for path in linked] == [
            "/static/logo.svg",
            "/static/site.css",
            "/static/theme.css",
        ]
        for address in linked:
            assert themed.nobody.get(address).status_code == 200


def test_the_colour_is_on_the_page_of_all_calls_too(themed: RunningServer) -> None:
    """One page of the documentation would be somebody else's."""
    assert themed.nobody.get("/docs/style.css").text.endswith(style_of("#ffcc00").decode())


def test_a_logo_is_an_image_and_nothing_else(themed: RunningServer) -> None:
    """Attack 50, ASVS 3.4.3: a script in a logo would run with everybody's cookies when the image is opened."""
    read = Browser(themed).get("/login")
    (logo,) = [attributes["src"] for tag, attributes in read.tags if tag == "img"]
    answer = themed.nobody.get(logo)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.text == LOGO


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_whatever_the_colour_it_can_be_read(color: str) -> None:
    """WCAG 1.4.3: a pale yellow would be unreadable by day, and a deep blue by night."""
    found = re.findall(r"--(accent|on-accent): #(..)(..)(..);", style_of(color).decode())
    colours = [(int(red, 16), int(green, 16), int(blue, 16)) for _, red, green, blue in found]
    day, on_day, night, on_night = colours
    for accent, others in (
        (day, (on_day, (255, 255, 255), (0xF5, 0xF6, 0xF8))),
        (night, (on_night, (0x12, 0x15, 0x1B), (0x1B, 0x1F, 0x28))),
    ):
        assert all(contrast(accent, other) >= CONTRAST_MIN for other in others)


def test_a_good_colour_stays_as_it_is() -> None:
    """An operator's own colour would come out as another for no reason."""
    assert b"--accent: #1c55c9" in style_of("#1c55c9")
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("brand_name", " "),
        ("brand_name", "x" * 41),
        ("brand_name", "a\nb"),
        ("brand_color", "red"),
        ("brand_color", "#fff;} body {"),
        ("brand_logo", "nowhere.svg"),
        ("brand_logo", "text.svg"),
        ("brand_logo", "large.png"),
    ],
)
def test_what_is_no_look_stops_the_start(tmp_path: Path, name: str, value: str) -> None:
    """ASVS 3.4.3: a colour that ends its line would style, or break, every page."""
    (tmp_path / "text.svg").write_text("hello")
    (tmp_path / "large.png").write_bytes(b"\x89PNG" + bytes(300_000))
    told = str(tmp_path / value) if name == "brand_logo" else value
    with pytest.raises(Misconfigured, match=f"BONAFIDES_{name.upper()}"):
        load({}, {f"BONAFIDES_{name.upper()}": told}, tmp_path)


def test_a_png_is_a_logo_too(tmp_path: Path) -> None:
    """Who has no SVG would have no logo."""
    logo = tmp_path / "logo.png"
    logo.write_bytes(b"\x89PNG\r\n\x1a\n")
    settings = settings_for(f"sqlite:///{tmp_path / 'x.db'}", tmp_path, brand_logo=str(logo))
    with running(settings) as server:
        read = Browser(server).get("/login")
        (source,) = [attributes["src"] for tag, attributes in read.tags if tag == "img"]
        assert server.nobody.get(source).headers["content-type"] == "image/png"
