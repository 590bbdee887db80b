"""`/administration/webhooks`: URLs that are told of events, what they were told, and a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response

from bonafides.authority import Authority
from bonafides.deliveries import Deliveries
from bonafides.errors import AppError, Conflict, InvalidRequest
from bonafides.model import ADMIN
from bonafides.resources import webhook_resource
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.creations import Creations
from bonafides.web.pages.listings import Listings, PageCursor
from bonafides.web.pages.reception import PAGE_KEY, PageForm, PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.problems import STATUS
from bonafides.webhook import Webhook, WebhookChanges, WebhookStatus
from bonafides.webhooks import CHOICES, MadeWebhook, Webhooks

PATH: Final = "/administration/webhooks"
OVERLAPS: Final = (("0", "at once"), ("3600", "in an hour"), ("86400", "in a day"), ("604800", "in a week"))
FAMILIES: Final = ("*", *sorted(choice for choice in CHOICES if choice.endswith(".*")))

_EVENT: Final = "event:"
_ADMIN: Final = {SCOPES_KEY: [ADMIN]}
_ACTS: Final = {**_ADMIN, PAGE_KEY: PATH}
_TOLD: Final = (InvalidRequest, Conflict)

WebhookId = Annotated[str, Path()]


class WebhookPages:
    """Answers the pages of webhooks.

    Args:
        webhooks: Makes, shows and changes them.
        deliveries: Sends tests.
        creations: Make one webhook of a form that is sent twice.
        listings: Makes lists.
        pages: Renders.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        deliveries: Deliveries,
        creations: Creations,
        listings: Listings,
        pages: Pages,
    ) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._creations = creations
        self._listings = listings
        self._pages = pages

    async def listing(
        self,
        request: Request,
        authority: Authority,
        cursor: str = "",
        form: Mapping[str, str] | None = None,
        error: AppError | None = None,
    ) -> Response:
        """The tenant's webhooks, and the form for a new one."""
        context = f"page of webhooks {authority.tenant_id}"
        found = await self._webhooks.page(authority, self._listings.page(cursor, context))
        given = form or {}
        return self._pages.render(
            request,
            "webhooks.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            once=self._creations.once(given),
            listing=self._listings.listing(
                found, cursor, context, lambda webhook: (webhook.created_at, webhook.id), PATH
            ),
            given={name: given.get(name, "") for name in ("name", "url", "events")},
            families=_families(frozenset({"*"}) if form is None else _events(form)),
        )

    async def create(self, request: Request, authority: Authority, form: Mapping[str, str]) -> Response:
        """A new webhook, its secret shown this once."""
        creation = await self._creations.creation(request, authority, form)
        try:
            outcome = await self._webhooks.create(
                authority,
                form.get("name", ""),
                form.get("url", ""),
                _events(form),
                claim_for=creation.claim_for(_shown),
            )
        except _TOLD as error:
            return await self.listing(request, authority, form=form, error=error)
        made = creation.shown(outcome, _shown)
        return await self.get(request, authority, str(made["id"]), made=made)

    async def get(
        self,
        request: Request,
        authority: Authority,
        webhook_id: str,
        cursor: str = "",
        error: AppError | None = None,
        made: Mapping[str, Any] | None = None,
    ) -> Response:
        """A webhook, what it was told, and all that can be done."""
        webhook = await self._webhooks.get(authority, webhook_id)
        context = f"page of deliveries {webhook_id}"
        path = f"{PATH}/{webhook_id}"
        found = await self._webhooks.deliveries(authority, webhook_id, self._listings.page(cursor, context))
        return self._pages.render(
            request,
            "webhook.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            webhook=webhook,
            path=path,
            made=made,
            once=self._creations.once({}),
            overlaps=OVERLAPS,
            families=_families(webhook.events),
            singles=_singles(webhook),
            listing=self._listings.listing(
                found, cursor, context, lambda each: (each.created_at, each.event_id), path
            ),
        )

    async def change(
        self, request: Request, authority: Authority, webhook_id: str, form: Mapping[str, str]
    ) -> Response:
        """Another name, URL or choice of events."""
        try:
            changes = WebhookChanges(name=form.get("name", ""), url=form.get("url", ""), events=_events(form))
            await self._webhooks.change(authority, webhook_id, changes)
        except _TOLD as error:
            return await self.get(request, authority, webhook_id, error=error)
        return self._pages.go(f"{PATH}/{webhook_id}")

    async def set_status(self, authority: Authority, webhook_id: str, status: WebhookStatus) -> Response:
        """Disable or enable it."""
        await self._webhooks.change(authority, webhook_id, WebhookChanges(status=status))
        return self._pages.go(f"{PATH}/{webhook_id}")

    async def rotate(
        self, request: Request, authority: Authority, webhook_id: str, form: Mapping[str, str]
    ) -> Response:
        """Another secret, shown this once."""
        creation = await self._creations.creation(request, authority, form)
        overlap = form.get("overlap", "")
        if overlap not in dict(OVERLAPS):
            message = "Choose when the old secret ends."
            refused = InvalidRequest(message, field="overlap")
            return await self.get(request, authority, webhook_id, error=refused)
        outcome = await self._webhooks.rotate(
            authority, webhook_id, overlap_seconds=int(overlap), claim_for=creation.claim_for(_shown)
        )
        return await self.get(request, authority, webhook_id, made=creation.shown(outcome, _shown))

    async def test(self, authority: Authority, webhook_id: str) -> Response:
        """Send a test event; the log shows what came of it."""
        await self._deliveries.test(authority, webhook_id)
        return self._pages.go(f"{PATH}/{webhook_id}")

    async def resend(
        self, request: Request, authority: Authority, webhook_id: str, event_id: str
    ) -> Response:
        """Tell it again."""
        try:
            await self._webhooks.resend(authority, webhook_id, event_id)
        except _TOLD as error:
            return await self.get(request, authority, webhook_id, error=error)
        return self._pages.go(f"{PATH}/{webhook_id}")

    async def delete(self, authority: Authority, webhook_id: str) -> Response:
        """End a webhook for ever."""
        await self._webhooks.delete(authority, webhook_id)
        return self._pages.go(PATH)


def _events(form: Mapping[str, str]) -> frozenset[str]:
    ticked = {name.removeprefix(_EVENT) for name in form if name.startswith(_EVENT)}
    return frozenset({*ticked, *form.get("events", "").replace(",", " ").split()})


def _families(chosen: frozenset[str]) -> list[tuple[str, str, bool]]:
    words = {"*": "Everything"}
    return [
        (family, words.get(family, f"All about {_noun(family[:-2])}s"), family in chosen)
        for family in FAMILIES
    ]


def _noun(kind: str) -> str:
    return kind.replace("_", " ").replace("api", "API").replace("oauth", "OAuth")


def _singles(webhook: Webhook) -> str:
    return " ".join(sorted(webhook.events - set(FAMILIES)))


def _shown(made: MadeWebhook) -> Mapping[str, Any]:
    return {**webhook_resource(made.webhook), "secret": made.secret}


def routes(calls: WebhookPages) -> APIRouter:
    """The routes of webhooks' pages."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra=_ADMIN)
    async def listing(request: Request, reader: Reader, cursor: PageCursor = "") -> Response:
        return await calls.listing(request, reader.authority, cursor)

    @router.post("", openapi_extra=_ADMIN)
    async def create(request: Request, reader: Reader, form: PageForm) -> Response:
        return await calls.create(request, reader.authority, form)

    @router.get("/{webhook_id}", openapi_extra=_ADMIN)
    async def get(
        request: Request, reader: Reader, webhook_id: WebhookId, cursor: PageCursor = ""
    ) -> Response:
        return await calls.get(request, reader.authority, webhook_id, cursor)

    @router.post("/{webhook_id}", openapi_extra=_ADMIN)
    async def change(request: Request, reader: Reader, webhook_id: WebhookId, form: PageForm) -> Response:
        return await calls.change(request, reader.authority, webhook_id, form)

    @router.post("/{webhook_id}/disable", openapi_extra=_ACTS)
    async def disable(reader: Reader, webhook_id: WebhookId) -> Response:
        return await calls.set_status(reader.authority, webhook_id, WebhookStatus.DISABLED)

    @router.post("/{webhook_id}/enable", openapi_extra=_ACTS)
    async def enable(reader: Reader, webhook_id: WebhookId) -> Response:
        return await calls.set_status(reader.authority, webhook_id, WebhookStatus.ACTIVE)

    @router.post("/{webhook_id}/rotate", openapi_extra=_ACTS)
    async def rotate(request: Request, reader: Reader, webhook_id: WebhookId, form: PageForm) -> Response:
        return await calls.rotate(request, reader.authority, webhook_id, form)

    @router.post("/{webhook_id}/test", openapi_extra=_ACTS)
    async def test(reader: Reader, webhook_id: WebhookId) -> Response:
        return await calls.test(reader.authority, webhook_id)

    @router.post("/{webhook_id}/deliveries/{event_id}/resend", openapi_extra=_ACTS)
    async def resend(
        request: Request, reader: Reader, webhook_id: WebhookId, event_id: Annotated[str, Path()]
    ) -> Response:
        return await calls.resend(request, reader.authority, webhook_id, event_id)

    @router.post("/{webhook_id}/delete", openapi_extra=_ACTS)
    async def delete(reader: Reader, webhook_id: WebhookId) -> Response:
        return await calls.delete(reader.authority, webhook_id)

    return router
