"""Templates made into answers: one environment, one policy of what a page may load, one look of errors.

A template is given records and tells them; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bonafides.authority import Authority
from bonafides.model import ADMIN, READ, Clock, to_datetime
from bonafides.resources import time_text
from bonafides.settings import Settings
from bonafides.web.answers import NO_STORE, Answer, HeaderList
from bonafides.web.exchange import Exchange
from bonafides.web.guard import exchange_of
from bonafides.web.pages.files import PREFIX, files
from bonafides.web.pages.theme import Theme
from bonafides.web.replies import reply

HTML: Final = (b"content-type", b"text/html; charset=utf-8")
SIGNED_IN: Final = "signed_in"
"""Where a request keeps who is signed in, for the frame of its page."""

_STEPS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_MONTH_DAYS: Final = 60
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


class Pages:
    """Renders pages.

    Args:
        settings: For addresses and what is on.
        clock: What "now" is on a page.
        theme: Name, logo and colour.
    """

    def __init__(self, settings: Settings, clock: Clock, theme: Theme) -> None:
        self.settings = settings
        self._clock = clock
        self._root = urlsplit(settings.base_url).path.rstrip("/")
        self._environment = environment = Environment(
            loader=PackageLoader("bonafides.web"),
            undefined=StrictUndefined,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters.update(moment=moment, since=self._since, day=day, number=number, told=told)
        environment.globals.update(
            url=self.path,
            static=lambda name: self.path(PREFIX + files()[name].name),
            base_url=settings.base_url,
            moment_of=to_datetime,
            theme=theme,
        )

    def path(self, path: str) -> str:
        """A path of ours as a browser has to ask for it, which may reach us below a path of its own."""
        return self._root + path

    def now(self) -> datetime:
        """The moment at which a page is made."""
        return to_datetime(self._clock.micros())

    def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        form_action: Sequence[str] = (),
        connects: bool = False,
        guided: bool = False,
        headers: HeaderList | None = None,
        **values: Any,  # noqa: ANN401 - whatever the template tells
    ) -> Response:
        """A page, in the frame of who is signed in.

        Args:
            request: Answered by it.
            template: Its file.
            status: Of the answer.
            form_action: Origins that its forms may lead to beside our own.
            connects: Whether its script may ask this server.
            guided: Whether it has a list of pages of its own beside it.
            headers: More of them.
            values: What the template tells.
        """
        signed_in = exchange_of(request).extra.get(SIGNED_IN)
        text = self._text(
            template,
            person=signed_in,
            areas=() if signed_in is None else areas(signed_in.authority),
            here=request.scope["path"],
            guided=guided,
            **values,
        )
        answer_headers = [HTML, NO_STORE, policy(form_action, connects=connects), *(headers or ())]
        return reply(Answer(status, answer_headers, text))

    def go(self, path: str) -> Response:
        """On to another page of ours; what a form did is done once, and a reload does not do it again."""
        return reply(Answer(303, [(b"location", self.path(path).encode("ascii")), NO_STORE], b""))

    def lead_on(self, request: Request, path: str) -> Response:
        """A page that goes on to another page of ours by itself, so that the browser comes from here.

        Args:
            request: Answered by it.
            path: With its query, as it stands in a request's first line.
        """
        return self.render(request, "onward.html", onward=path)

    def error(self, status: int, title: str, message: str, exchange: Exchange) -> tuple[HeaderList, bytes]:
        """Headers and body of a page for a failure."""
        signed_in = exchange.extra.get(SIGNED_IN)
        text = self._text(
            "error.html",
            person=signed_in,
            areas=() if signed_in is None else areas(signed_in.authority),
            here="",
            guided=False,
            status=status,
            title=title,
            message=message,
            request_id=exchange.request_id,
        )
        return [HTML, NO_STORE, policy()], text

    def _text(self, template: str, **values: Any) -> bytes:  # noqa: ANN401 - see `render`
        text = self._environment.get_template(template).render(now=self.now(), **values)
        return text.encode()

    def _since(self, then: datetime | None) -> Markup:
        """How long ago, or how long still: for people, with the exact moment behind it."""
        if then is None:
            return Markup('<span class="soft">never</span>')
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            time_text(then), moment_text(then), span(then - self.now())
        )


def policy(form_action: Iterable[str] = (), *, connects: bool = False) -> tuple[bytes, bytes]:
    """The header that says what a page may load: nothing but what is ours, and nothing that stands in the page itself.

    See: OWASP ASVS 3.4.3, 3.4.6
    """
    asks = "connect-src 'self'; " if connects else ""
    return b"content-security-policy", " ".join([asks + _POLICY, *form_action]).encode("ascii")


def span(distance: timedelta) -> str:
    """A distance in time in words: in 3 days, 5 minutes ago."""
    seconds = abs(distance.total_seconds())
    words = "a moment"
    for length, name in _STEPS:
        count = int(seconds // length)
        if count:
            words = f"{count:,} {name}" + ("s" if count > 1 else "")
            break
    return (
        f"in {words}" if distance > timedelta() else ("just now" if words == "a moment" else f"{words} ago")
    )


def moment_text(then: datetime) -> str:
    """A moment for people, in UTC."""
    return f"{then.day} {then:%B %Y, %H:%M} UTC"


def moment(then: datetime | str | None) -> Markup:
    """A moment for people and machines; from a record of ours, or as it is on the wire."""
    if then is None:
        return Markup('<span class="soft">never</span>')
    if isinstance(then, str):
        then = datetime.fromisoformat(then)
    return Markup('<time datetime="{}">{}</time>').format(time_text(then), moment_text(then))


def day(then: datetime | None) -> Markup:
    """A day for people, with the exact moment behind it."""
    if then is None:
        return Markup('<span class="soft">never</span>')
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        time_text(then), moment_text(then), f"{then.day} {then:%b %Y}"
    )


def number(value: int | None) -> str:
    """A figure for people; no figure is no limit."""
    return "unlimited" if value is None else f"{value:,}"


def told(value: object) -> str:
    """A detail for people: lists and objects without the marks of JSON."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {told(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(told, value))
    return str(value)


def areas(authority: Authority) -> tuple[Area, ...]:
    """What there is to go to, for who may go there."""
    found = tuple(area for area, scope in _AREAS if scope in authority.scopes)
    return (*found, _OPERATORS) if authority.operator and ADMIN in authority.scopes else found


Area = tuple[str, tuple[tuple[str, str], ...]]
"""A heading, and the paths and names below it."""

_OPERATORS: Final[Area] = (
    "Installation",
    (
        ("/administration/tenants", "Tenants"),
        ("/administration/plans", "Plans"),
        ("/administration/signing-keys", "Signing keys"),
        ("/administration/settings", "Settings"),
    ),
)
_AREAS: Final[tuple[tuple[Area, str], ...]] = (
    (("Usage", (("/usage", "Requests"), ("/usage/denials", "Why was I denied?"))), READ),
    (
        (
            "Settings",
            (
                ("/settings/api-keys", "API keys"),
                ("/settings/tokens", "Personal access tokens"),
                ("/settings/applications", "Applications"),
                ("/settings/sessions", "Sessions"),
                ("/settings/security", "Security"),
                ("/settings/notifications", "Notifications"),
                ("/settings/checklist", "Checklist"),
                ("/profile", "Profile"),
            ),
        ),
        READ,
    ),
    (
        (
            "Administration",
            (
                ("/administration/users", "Users"),
                ("/administration/clients", "OAuth clients"),
                ("/administration/webhooks", "Webhooks"),
                ("/administration/audit", "Audit log"),
            ),
        ),
        ADMIN,
    ),
)
