"""The addresses of the documentation: pages, the same as Markdown, search, and the list of them all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from bonafides.errors import WIRE_CODES, NotFound
from bonafides.model import Page, Plan
from bonafides.plans import Plans
from bonafides.web.answers import JSON, Answer, json_bytes
from bonafides.web.pages.reception import PublicPageRoute
from bonafides.web.pages.reference import docs_style
from bonafides.web.pages.rendering import Pages
from bonafides.web.pages.theme import Theme
from bonafides.web.portal.articles import ARTICLES, BY_NAME, REFERENCE, ROOT, Articles
from bonafides.web.portal.marking import html
from bonafides.web.portal.search import Index
from bonafides.web.replies import reply

PLANS_MAX: Final = 100
REFERENCE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of the page of all calls: nothing but its own style sheet."""

_MARKDOWN: Final = (b"content-type", b"text/markdown; charset=utf-8")
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_NO_CACHE: Final = (b"cache-control", b"no-cache")
_ENDING: Final = ".md"


class PortalPages:
    """Answers with pages of the documentation.

    Args:
        articles: Write them.
        plans: Are told on them.
        pages: Render.
        theme: Colours the page of all calls, too.
    """

    def __init__(self, articles: Articles, plans: Plans, pages: Pages, theme: Theme) -> None:
        self._theme = theme
        self._articles = articles
        self._plans = plans
        self._pages = pages
        self._reference: bytes | None = None

    async def article(self, request: Request, name: str) -> Response:
        """A page, as HTML or, where its name says so, as Markdown.

        Raises:
            NotFound: There is none of this name.
        """
        article = BY_NAME.get(name.removesuffix(_ENDING))
        if article is None:
            raise _nothing()
        if article.name == REFERENCE and not name.endswith(_ENDING):
            return await self._calls()
        plans = await self._shown_plans() if article.tells_plans else ()
        text = await asyncio.to_thread(self._articles.text, article, plans)
        return self._answer(request, article.title, text, name, article.path)

    async def error(self, request: Request, code: str) -> Response:
        """The page of an error code.

        Raises:
            NotFound: There is no such code.
        """
        bare = code.removesuffix(_ENDING)
        if bare not in WIRE_CODES:
            raise _nothing()
        text = await asyncio.to_thread(self._articles.error, bare)
        return self._answer(request, bare, text, code, f"{ROOT}/errors")

    async def search(self, request: Request, words: str) -> Response:
        """What is found for some words."""
        found = (await self._index()).find(words)
        return self._pages.render(
            request,
            "portal_search.html",
            articles=ARTICLES,
            current=None,
            title="Search",
            words=words,
            found=found,
            connects=True,
            guided=True,
        )

    async def index(self) -> Response:
        """What the search goes by, for the browser that searches by itself."""
        entries = [
            {"title": entry.title, "path": self._pages.path(entry.path), "text": entry.text}
            for entry in (await self._index()).entries
        ]
        return reply(Answer(200, [JSON, _NO_CACHE], json_bytes(entries)))

    def style(self) -> Response:
        """The style sheet of the page of all calls."""
        headers = [(b"content-type", b"text/css; charset=utf-8"), _NO_CACHE]
        return reply(Answer(200, headers, docs_style() + self._theme.style))

    def contents(self) -> Response:
        """The list of all pages, for programs that read."""
        return reply(Answer(200, [_TEXT, _NO_CACHE], self._articles.contents().encode()))

    async def _index(self) -> Index:
        plans = await self._shown_plans()
        return await asyncio.to_thread(Index.of, self._articles, plans)

    async def _shown_plans(self) -> Sequence[Plan]:
        return await self._plans.page(Page(limit=PLANS_MAX))

    async def _calls(self) -> Response:
        if self._reference is None:
            self._reference = await asyncio.to_thread(self._articles.reference.page)
        policy = (b"content-security-policy", REFERENCE_POLICY.encode("ascii"))
        headers = [(b"content-type", b"text/html; charset=utf-8"), _NO_CACHE, policy]
        return reply(Answer(200, headers, self._reference))

    def _answer(self, request: Request, title: str, text: str, name: str, current: str) -> Response:
        if name.endswith(_ENDING):
            return reply(Answer(200, [_MARKDOWN, _NO_CACHE], text.encode()))
        return self._pages.render(
            request,
            "portal_page.html",
            articles=ARTICLES,
            current=current,
            title=title,
            told=html(text),
            words="",
            connects=True,
            guided=True,
        )


def routes(portal: PortalPages) -> APIRouter:
    """The routes of the documentation; `/docs` itself is described among the calls."""
    router = APIRouter(route_class=PublicPageRoute)

    @router.get(
        ROOT,
        tags=["Description"],
        operation_id="getDocs",
        summary="The documentation, for people",
        description="Made from the settings and plans in force. Each of its pages is also Markdown, with `.md`; `/llms.txt` lists them.",
        responses={
            200: {
                "content": {"text/html": {"schema": {"type": "string"}}},
                "description": "A page that needs no other machine and no script.",
                "headers": {
                    "Content-Security-Policy": {
                        "description": "What the page may load: what is ours.",
                        "schema": {"type": "string"},
                        "required": True,
                    }
                },
            }
        },
        openapi_extra={"x-counted-by-address": True},
    )
    async def overview(request: Request) -> Response:
        return await portal.article(request, "overview")

    @router.get("/docs.md", include_in_schema=False)
    async def overview_markdown(request: Request) -> Response:
        return await portal.article(request, "overview.md")

    @router.get("/llms.txt", include_in_schema=False)
    async def contents() -> Response:
        return portal.contents()

    @router.get("/docs/style.css", include_in_schema=False)
    async def style() -> Response:
        return portal.style()

    @router.get("/docs/search", include_in_schema=False)
    async def search(
        request: Request, words: Annotated[str, Query(alias="q", max_length=200)] = ""
    ) -> Response:
        return await portal.search(request, words)

    @router.get("/docs/index.json", include_in_schema=False)
    async def index() -> Response:
        return await portal.index()

    @router.get("/docs/errors/{code}", include_in_schema=False)
    async def error(request: Request, code: str) -> Response:
        return await portal.error(request, code)

    @router.get("/docs/{name}", include_in_schema=False)
    async def article(request: Request, name: str) -> Response:
        return await portal.article(request, name)

    return router


def _nothing() -> NotFound:
    return NotFound("There is no such page. See /docs for all of them.")
