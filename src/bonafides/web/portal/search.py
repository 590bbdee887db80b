"""Search over the documentation: small enough to look at every page for every question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from bonafides.errors import WIRE_CODES
from bonafides.model import Plan
from bonafides.web.portal.articles import ARTICLES, ERRORS, REFERENCE, Articles

_BEFORE: Final = 60
_AFTER: Final = 140
_TITLE_WEIGHT: Final = 20
_MARKUP: Final = re.compile(r"```\S*|\]\([^)\s]*\)|[`*|#\[\]]+|-{3,}:?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One page, or one call of the reference, as text."""

    title: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that was found, and the words around the first place."""

    entry: Entry
    excerpt: str


@dataclass(frozen=True, slots=True)
class Index:
    """Everything that can be found."""

    entries: Sequence[Entry]

    @classmethod
    def of(cls, articles: Articles, plans: Sequence[Plan]) -> Self:
        """The index of the pages as they are now."""
        entries = [
            Entry(article.title, article.path, _bare(articles.text(article, plans)))
            for article in ARTICLES
            if article.name != REFERENCE
        ]
        entries += [Entry(code, f"{ERRORS}/{code}", _bare(articles.error(code))) for code in WIRE_CODES]
        for group in articles.reference.values()["groups"]:
            entries += [
                Entry(
                    call.summary,
                    f"/docs/{REFERENCE}#{call.id}",
                    _bare(f"{call.method} {call.path} {group.name}. {call.text}"),
                )
                for call in group.calls
            ]
        return cls(entries)

    def find(self, words: str) -> list[Found]:
        """The entries that hold every word, the best first."""
        wanted = words.lower().split()
        if not wanted:
            return []
        scored = []
        for place, entry in enumerate(self.entries):
            title, text = entry.title.lower(), entry.text.lower()
            if all(word in title or word in text for word in wanted):
                score = sum(_TITLE_WEIGHT * (word in title) + min(text.count(word), 9) for word in wanted)
                scored.append((-score, place, Found(entry, _excerpt(entry.text, wanted))))
        return [found for _, _, found in sorted(scored, key=lambda each: each[:2])]


def _excerpt(text: str, wanted: Sequence[str]) -> str:
    places = [place for word in wanted if (place := text.lower().find(word)) >= 0]
    begin = max(0, min(places, default=0) - _BEFORE)
    end = min(places, default=0) + _AFTER
    return ("… " if begin else "") + text[begin:end].strip() + (" …" if end < len(text) else "")


def _bare(text: str) -> str:
    return " ".join(_MARKUP.sub(" ", text).replace("\\", "").split())
