"""Markdown as HTML: the one source of a page, for people's browsers; the only file that knows markdown-it.

Nothing that stands in the text becomes a tag of its own: HTML in Markdown is text here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_NO_WORD: Final = re.compile(r"[^a-z0-9_]+")
_BLOCK: Final = Markup(
    '<figure class="code"><figcaption>{}</figcaption>'
    '<pre class="sample" tabindex="0" role="group" aria-label="{}" data-copy="{}"><code>{}</code></pre></figure>'
)
_CHOICE: Final = Markup(
    '<details name="{}"{}><summary>{}</summary>'
    '<pre class="sample" tabindex="0" role="group" aria-label="{}" data-copy="{}"><code>{}</code></pre></details>'
)


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def html(text: str) -> Markup:
    """The HTML of a page's Markdown; headings have ids, blocks of code that follow each other are a choice."""
    reader = _reader()
    tokens = reader.parse(text)
    taken: dict[str, int] = {}
    parts: list[Markup] = []
    plain: list[Token] = []

    def flush() -> None:
        if plain:
            told = reader.renderer.render(plain, reader.options, {})
            parts.append(Markup(told))  # noqa: S704 - written by a renderer that lets no tag of the text through
            plain.clear()

    place = choices = 0
    while place < len(tokens):
        token = tokens[place]
        if token.type == "fence":
            end = place
            while end < len(tokens) and tokens[end].type == "fence":
                end += 1
            flush()
            choices += end - place > 1
            parts.append(_code(tokens[place:end], f"choice-{choices}"))
            place = end
            continue
        if token.type == "heading_open":
            name = anchor(tokens[place + 1].content)
            taken[name] = taken.get(name, 0) + 1
            token.attrSet("id", name if taken[name] == 1 else f"{name}-{taken[name]}")
        if token.attrs.pop("style", None) == "text-align:right":
            # The pages' policy lets no style through that stands in them.
            token.attrSet("class", "figure")
        if token.type == "table_open":
            plain.append(_raw('<div class="scrolls" tabindex="0" role="group" aria-label="Table">\n'))
        plain.append(token)
        if token.type == "table_close":
            plain.append(_raw("</div>\n"))
        place += 1
    flush()
    return Markup().join(parts)


def anchor(heading: str) -> str:
    """The id of a heading, from its words."""
    return _NO_WORD.sub("-", heading.lower()).strip("-") or "part"


def _raw(text: str) -> Token:
    return Token("html_block", "", 0, content=text)


def _code(fences: Sequence[Token], name: str) -> Markup:
    """A block of code, or several of which one is read."""
    blocks = []
    for place, fence in enumerate(fences):
        label = fence.info.partition(" ")[2] or "Text"
        text = fence.content.rstrip("\n")
        if len(fences) == 1:
            return _BLOCK.format(label, label, label, text)
        opened = Markup(" open") if place == 0 else Markup()
        blocks.append(_CHOICE.format(name, opened, label, label, label, text))
    return Markup('<div class="languages">{}</div>\n').format(Markup().join(blocks))
