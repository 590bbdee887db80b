"""`/settings/notifications`: which letters one gets."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from bonafides.model import READ, WRITE, Topic
from bonafides.notifications import ADMINS_TOPICS, NotificationSettings
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.reception import PageForm, PageRoute, Reader
from bonafides.web.pages.rendering import Pages

PATH: Final = "/settings/notifications"

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
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra={SCOPES_KEY: [READ]})
    async def show(request: Request, reader: Reader) -> Response:
        authority = reader.authority
        found = await settings.get(authority, authority.user_id or "")
        return pages.render(
            request,
            "notifications.html",
            user=found.user,
            sent=bool(pages.settings.smtp_host),
            topics=[
                (str(topic), *_WORDS[topic], wanted)
                for topic, wanted in found.wanted.items()
                if authority.administers or topic not in ADMINS_TOPICS
            ],
        )

    @router.post("", openapi_extra={SCOPES_KEY: [WRITE]})
    async def save(reader: Reader, form: PageForm) -> Response:
        authority = reader.authority
        shown = [topic for topic in Topic if authority.administers or topic not in ADMINS_TOPICS]
        await settings.change(
            authority, authority.user_id or "", {topic: str(topic) in form for topic in shown}
        )
        return pages.go(PATH)

    return router
