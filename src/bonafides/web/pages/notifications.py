"""`/settings/notifications`: which letters one gets."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from bonafides.authority import Authority
from bonafides.letters import NOTIFICATIONS
from bonafides.model import READ, WRITE, Topic
from bonafides.notifications import ADMINS_TOPICS, NotificationSettings
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.reception import PageForm, PageRoute, Reader
from bonafides.web.pages.rendering import Pages

_WORDS: Final = {
    Topic.EXPIRING: (
        "Keys and tokens that end soon",
        "30, 14, 7 days and a day before one of yours is refused.",
    ),
    Topic.PLACES: (
        "Sign-ins from new places",
        "Somebody has signed in to your account from where you have not been before.",
    ),
    Topic.WEBHOOKS: (
        "Webhooks that were disabled",
        "One of your organisation's took nothing for three days, or said that it is gone.",
    ),
}


def routes(settings: NotificationSettings, pages: Pages) -> APIRouter:
    """The routes of the page."""
    router = APIRouter(prefix=NOTIFICATIONS, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra={SCOPES_KEY: [READ]})
    async def show(request: Request, reader: Reader) -> Response:
        authority = reader.authority
        found = await settings.get(authority, authority.user_id or "")
        return pages.render(
            request,
            "notifications.html",
            user=found.user,
            sent=bool(pages.settings.smtp_host),
            topics=[(str(topic), *_WORDS[topic], found.wanted[topic]) for topic in _topics_of(authority)],
        )

    @router.post("", openapi_extra={SCOPES_KEY: [WRITE]})
    async def save(reader: Reader, form: PageForm) -> Response:
        authority = reader.authority
        wanted = {topic: str(topic) in form for topic in _topics_of(authority)}
        await settings.change(authority, authority.user_id or "", wanted)
        return pages.go(NOTIFICATIONS)

    return router


def _topics_of(authority: Authority) -> list[Topic]:
    """What somebody is asked about."""
    return [topic for topic in Topic if authority.administers or topic not in ADMINS_TOPICS]
