"""Which pages there are, and what stands on them: Markdown, made from the settings and plans in force."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from bonafides.actions import ACTIONS
from bonafides.credentials.api_keys import OVERLAP_SECONDS_DEFAULT, OVERLAP_SECONDS_MAX
from bonafides.credentials.bearer_tokens import SECONDS_DEFAULT
from bonafides.deliveries import AGAIN_AFTER_SECONDS, DISABLED_AFTER_SECONDS, KEPT_DAYS
from bonafides.errors import WIRE_CODES
from bonafides.model import STANDARD_SCOPES, Plan
from bonafides.oauth.authorize import CODE_SECONDS
from bonafides.oauth.client_metadata import ACCESS_TOKEN_SECONDS
from bonafides.oauth.devices import DEVICE_SECONDS
from bonafides.oauth.pushed_requests import PUSHED_SECONDS
from bonafides.oauth.tokens import ID_TOKEN_SECONDS
from bonafides.outgoing import SECONDS_MAX
from bonafides.settings import ENVIRONMENT_PREFIX, SETTINGS_FILE, Settings
from bonafides.web.pages.reference import Failure, Reference
from bonafides.web.pages.rendering import number
from bonafides.web.pages.wishes import words_of
from bonafides.web.portal.described_settings import described_settings
from bonafides.web.portal.remedies import REMEDIES
from bonafides.web.portal.samples import written

ROOT: Final = "/docs"
ERRORS: Final = f"{ROOT}/errors"
REFERENCE: Final = "api-reference"
LIMIT_HEADERS: Final = (
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit-Policy",
    "RateLimit",
    "Retry-After",
)

_MARKS: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")
_SPANS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Article:
    """One page.

    Args:
        name: In its address, and of its template.
        title: In lists.
        summary: What it is good for.
        tells_plans: Whether it has to ask for the plans in force.
    """

    name: str
    title: str
    summary: str
    tells_plans: bool = False

    @property
    def path(self) -> str:
        """Its address."""
        return ROOT if self.name == "overview" else f"{ROOT}/{self.name}"


ARTICLES: Final = (
    Article("overview", "Overview", "which credential is for what, and how it is presented."),
    Article("api-keys", "API keys", "use, make, check, rotate and revoke keys."),
    Article(
        "bearer-tokens", "Bearer tokens", "short-lived tokens that a key is exchanged for.", tells_plans=True
    ),
    Article("personal-access-tokens", "Personal access tokens", "tokens for a person's own scripts."),
    Article("oauth", "OAuth 2.0", "access tokens for applications, and OpenID Connect."),
    Article("jwt", "JWT", "logins of people, and how their tokens are checked."),
    Article("scopes", "Scopes", "what a credential may do."),
    Article("rate-limits", "Rate limits", "plans, their figures, and what is left.", tells_plans=True),
    Article("errors", "Errors", "every code, with what to do about it."),
    Article("security", "Security", "what the server does, and what you should do."),
    Article("webhooks", "Webhooks", "be told of events by signed calls."),
    Article(REFERENCE, "API reference", "every call, with an example."),
    Article("settings", "Settings", "for whoever runs the server."),
)
"""In the order in which they are read."""

BY_NAME: Final = {article.name: article for article in ARTICLES}


class Articles:
    """Writes the pages.

    Args:
        settings: In force.
        grant_types: The OAuth grants there are.
        reference: The description of all calls.
    """

    def __init__(self, settings: Settings, grant_types: Sequence[str], reference: Reference) -> None:
        self._settings = settings
        self.reference = reference
        self._environment = environment = Environment(
            loader=PackageLoader("bonafides.web", "templates/portal"),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - Markdown; HTML is made of it by what lets no tag through
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters.update(
            cell=_cell, codes=_codes, lasts=lasts, md=plain, number=number, words=_words
        )
        environment.globals.update(
            settings=settings,
            base_url=settings.base_url,
            name=plain(settings.brand_name),
            articles=ARTICLES,
            grant_types=grant_types,
            settings_file=SETTINGS_FILE,
            variables=ENVIRONMENT_PREFIX,
            limit_headers=LIMIT_HEADERS,
            bearer_seconds=SECONDS_DEFAULT,
            overlap_default=OVERLAP_SECONDS_DEFAULT,
            overlap_max=OVERLAP_SECONDS_MAX,
            access_token_seconds=ACCESS_TOKEN_SECONDS,
            id_token_seconds=ID_TOKEN_SECONDS,
            code_seconds=CODE_SECONDS,
            device_seconds=DEVICE_SECONDS,
            pushed_seconds=PUSHED_SECONDS,
            call_seconds=SECONDS_MAX,
            again_seconds=AGAIN_AFTER_SECONDS,
            disabled_seconds=DISABLED_AFTER_SECONDS,
            kept_days=KEPT_DAYS,
            actions=tuple(ACTIONS.items()),
            scopes=[(scope, words_of(scope)) for scope in sorted(settings.defined_scopes)],
            oauth_scopes=sorted(settings.defined_scopes | STANDARD_SCOPES),
            standard_scopes=sorted(STANDARD_SCOPES),
            sample=lambda name: written(name, settings.base_url),
        )

    def text(self, article: Article, plans: Sequence[Plan]) -> str:
        """The Markdown of a page.

        Args:
            article: Which.
            plans: In force.
        """
        values: dict[str, Any] = {"plans": plans}
        if article.name == "settings":
            values["described_settings"] = list(described_settings())
        if article.name in {"errors", "rate-limits", REFERENCE}:
            values |= self.reference.values()
        return self._render(article.name, **values)

    def error(self, code: str) -> str:
        """The Markdown of an error's page.

        Raises:
            KeyError: There is no such error.
        """
        return self._render("error", failure=self.failures()[code], remedy=REMEDIES[code])

    def failures(self) -> dict[str, Failure]:
        """Every error, by its code."""
        return {failure.code: failure for failure in self.reference.values()["failures"]}

    def contents(self) -> str:
        """The list of all pages, for programs that read.

        See: llmstxt.org
        """
        base_url = self._settings.base_url
        lines = [
            f"# {plain(self._settings.brand_name)}",
            "",
            f"> API authentication at {base_url}: keys, tokens, limits, errors.",
            "",
        ]
        lines += ["## Pages", ""]
        lines += [f"- [{each.title}]({base_url}{each.path}.md): {each.summary}" for each in ARTICLES]
        lines += ["", "## Errors", ""]
        lines += [f"- [{code}]({base_url}{ERRORS}/{code}.md): {text}" for code, text in WIRE_CODES.items()]
        lines += ["", "## For machines", "", f"- [OpenAPI]({base_url}/openapi.json): every call"]
        return "\n".join(lines) + "\n"

    def _render(self, name: str, **values: Any) -> str:  # noqa: ANN401 - whatever the page tells
        return self._environment.get_template(f"{name}.md").render(**values)


def plain(text: object) -> str:
    """Text in Markdown that is nothing but text."""
    return _MARKS.sub(r"\\\1", " ".join(str(text).split()))


def lasts(seconds: float) -> str:
    """A length of time in words, exactly: 90 minutes, 2 days."""
    exact = timedelta(seconds=seconds).total_seconds()
    for length, word in _SPANS:
        if exact % length == 0 and exact >= length:
            count = int(exact // length)
            return f"{count:,} {word}" + ("" if count == 1 else "s")
    return f"{exact:g} seconds"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _codes(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _words(name: object) -> str:
    return str(name).replace("_", " ")
