"""Lists on pages: bounded, and with a way to what comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query

from bonafides.errors import InvalidRequest
from bonafides.model import Page, ShownStatus
from bonafides.web.paging import SEARCH_MAX, Paging

ROWS: Final = 25

T = TypeVar("T")

Words = Annotated[str, Query(max_length=SEARCH_MAX)]
"""What a list is searched for."""

PageCursor = Annotated[str, Query(alias="cursor", max_length=1_000)]


def status_named(text: str) -> ShownStatus | None:
    """The status that a list shall show alone; None for all.

    Raises:
        InvalidRequest: There is no such status.
    """
    if not text:
        return None
    try:
        return ShownStatus(text)
    except ValueError:
        message = f"status: must be one of {', '.join(ShownStatus)}."
        raise InvalidRequest(message, field="status") from None


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A page of a list.

    Args:
        rows: What is on it.
        onward: Where it goes on, None where it ends here.
        begun: Whether there is something before it.
    """

    rows: Sequence[T]
    onward: str | None
    begun: bool


class Listings:
    """Makes lists.

    Args:
        paging: Makes and reads cursors.
    """

    def __init__(self, paging: Paging) -> None:
        self._paging = paging

    def page(self, cursor: str, context: str, rows: int = ROWS) -> Page:
        """Where a list begins.

        Raises:
            InvalidRequest: The cursor was not made here for this list.
        """
        return self._paging.page(rows, cursor or None, context)

    def listing(
        self,
        found: Sequence[T],
        cursor: str,
        context: str,
        place: Callable[[T], tuple[datetime, str]],
        path: str,
        filters: Mapping[str, str] | None = None,
    ) -> Listing[T]:
        """What was found, as a page of a list whose filters go on to the next."""
        onward = self._paging.next_cursor(found, ROWS, context, place)
        query = {name: value for name, value in (filters or {}).items() if value}
        return Listing(
            found[:ROWS],
            f"{path}?{urlencode({**query, 'cursor': onward})}" if onward is not None else None,
            begun=bool(cursor),
        )
