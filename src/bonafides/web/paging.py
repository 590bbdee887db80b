"""Listings: bounded pages, and cursors that only this server can make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Query, Response

from bonafides.intake import TEXT_MAX, TEXT_PATTERN
from bonafides.model import Page, to_micros
from bonafides.resources import page_resource
from bonafides.secret import Peppers
from bonafides.web.answers import json_answer
from bonafides.web.replies import reply

LIMIT_MAX = 100
LIMIT_DEFAULT = 50

SEARCH_MAX = TEXT_MAX

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many to list at most.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=1000,
        description="`next_cursor` of the page before, with the same filters.",
        json_schema_extra={"pattern": "^[0-9a-f]*$"},
    ),
]

Search = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=SEARCH_MAX,
        description="Only those whose name holds this, in whatever case; of a key also what is shown of it, of a user the address.",
        json_schema_extra={"pattern": TEXT_PATTERN},
    ),
]


class Paging:
    """Makes and reads cursors, each bound to its listing and filters.

    Args:
        peppers: Authenticate the cursors.
    """

    def __init__(self, peppers: Peppers) -> None:
        self._peppers = peppers

    def page(self, limit: int, cursor: str | None, context: str) -> Page:
        """Where a listing begins; one more than asked is fetched, to learn whether it goes on.

        Raises:
            InvalidRequest: The cursor was not made here for this listing.
        """
        if cursor is None:
            return Page(limit + 1)
        after_us, after_id = self._peppers.read_cursor(cursor, context)
        return Page(limit + 1, int(after_us), str(after_id))

    def answer(
        self,
        found: Sequence[T],
        limit: int,
        context: str,
        render: Callable[[T], dict[str, Any]],
        place: Callable[[T], tuple[datetime, str]],
    ) -> Response:
        """A page of the listing, with a cursor if it goes on."""
        shown = [render(item) for item in found[:limit]]
        next_cursor = self.next_cursor(found, limit, context, place)
        return reply(json_answer(200, page_resource(shown, next_cursor)))

    def next_cursor(
        self, found: Sequence[T], limit: int, context: str, place: Callable[[T], tuple[datetime, str]]
    ) -> str | None:
        """Where a listing goes on; None where it ends."""
        if len(found) <= limit:
            return None
        moment, identifier = place(found[limit - 1])
        return self._peppers.sign_cursor([to_micros(moment), identifier], context)
