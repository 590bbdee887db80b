"""`/administration/audit`: who did what to which thing, filtered and taken home."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from bonafides.audit import AuditTrail
from bonafides.authority import Authority
from bonafides.errors import InvalidRequest
from bonafides.model import ADMIN, AuditEvent, Page, to_micros
from bonafides.resources import event_resource
from bonafides.web.answers import NO_STORE, Answer, json_bytes
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.listings import Listings, PageCursor
from bonafides.web.pages.reception import PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.replies import reply

PATH: Final = "/administration/audit"
EXPORTED_MAX: Final = 10_000

_ADMIN: Final = {SCOPES_KEY: [ADMIN]}
_AT_ONCE: Final = 1_000
_COLUMNS: Final = (
    "at",
    "action",
    "subject_kind",
    "subject_id",
    "actor_user_id",
    "actor_credential_id",
    "via",
    "address",
    "request_id",
    "details",
    "id",
    "tenant_id",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_TYPES: Final = {"csv": b"text/csv; charset=utf-8", "jsonl": b"application/jsonl"}

Word = Annotated[str, Query(max_length=ID_MAX)]


class AuditPages:
    """Answers the pages of the audit trail.

    Args:
        audit: Reads it.
        listings: Makes lists.
        pages: Renders.
    """

    def __init__(self, audit: AuditTrail, listings: Listings, pages: Pages) -> None:
        self._audit = audit
        self._listings = listings
        self._pages = pages

    async def listing(
        self, request: Request, authority: Authority, filters: Mapping[str, str], cursor: str
    ) -> Response:
        """Events, newest first."""
        context = f"page of audit {authority.tenant_id} {sorted(filters.items())}"
        found = await self._audit.events(authority, self._listings.page(cursor, context), **_given(filters))
        return self._pages.render(
            request,
            "audit.html",
            listing=self._listings.listing(
                found, cursor, context, lambda event: (event.at, event.id), PATH, filters
            ),
            filters=filters,
        )

    async def export(self, authority: Authority, filters: Mapping[str, str], form: str) -> Response:
        """The latest events in a file, `EXPORTED_MAX` at most.

        Raises:
            InvalidRequest: There is no such form.
        """
        if form not in _TYPES:
            message = f"form: must be one of {', '.join(_TYPES)}."
            raise InvalidRequest(message, field="form")
        events: list[AuditEvent] = []
        page = Page(_AT_ONCE)
        while len(events) < EXPORTED_MAX:
            found = await self._audit.events(authority, page, **_given(filters))
            events += found
            if len(found) < _AT_ONCE:
                break
            page = Page(_AT_ONCE, to_micros(found[-1].at), found[-1].id)
        text = _csv(events) if form == "csv" else _lines(events)
        name = f'attachment; filename="audit.{form}"'.encode("ascii")
        headers = [(b"content-type", _TYPES[form]), NO_STORE, (b"content-disposition", name)]
        return reply(Answer(200, headers, text))


def _given(filters: Mapping[str, str]) -> dict[str, Any]:
    return {name: value or None for name, value in filters.items()}


def _lines(events: Sequence[AuditEvent]) -> bytes:
    return b"".join(json_bytes(event_resource(event)) + b"\n" for event in events)


def _csv(events: Sequence[AuditEvent]) -> bytes:
    """A table for a spreadsheet, in which nothing that somebody typed is a formula.

    See: RFC 4180
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for event in events:
        told = event_resource(event)
        cells = {
            **told,
            "subject_kind": told["subject"]["kind"],
            "subject_id": told["subject"]["id"],
            "actor_user_id": told["actor"]["user_id"],
            "actor_credential_id": told["actor"]["credential_id"],
            **{name: told["actor"][name] for name in ("via", "address", "request_id")},
            "details": json_bytes(told["details"]).decode(),
        }
        writer.writerow(_cell(cells[name]) for name in _COLUMNS)
    return text.getvalue().encode()


def _cell(value: str | None) -> str:
    text = value or ""
    return f"'{text}" if text.startswith(_FORMULA) else text


def routes(calls: AuditPages) -> APIRouter:
    """The routes of the audit trail's pages."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra=_ADMIN)
    async def listing(
        request: Request,
        reader: Reader,
        action: Word = "",
        subject_id: Word = "",
        actor_user_id: Word = "",
        cursor: PageCursor = "",
    ) -> Response:
        filters = {"action": action, "subject_id": subject_id, "actor_user_id": actor_user_id}
        return await calls.listing(request, reader.authority, filters, cursor)

    @router.get("/export", openapi_extra=_ADMIN)
    async def export(
        reader: Reader,
        form: Annotated[str, Query(max_length=10)],
        action: Word = "",
        subject_id: Word = "",
        actor_user_id: Word = "",
    ) -> Response:
        filters = {"action": action, "subject_id": subject_id, "actor_user_id": actor_user_id}
        return await calls.export(reader.authority, filters, form)

    return router
