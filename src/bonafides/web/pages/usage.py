"""`/usage` and `/usage/denials`: how much was asked, and why a request was denied."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from bonafides.allowances import Allowances
from bonafides.authority import Authority
from bonafides.denials import DenialReports
from bonafides.errors import InvalidRequest, NotFound
from bonafides.model import READ, UsagePeriod, UsageSubject
from bonafides.resources import denial_resource
from bonafides.usage import UsageReports
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.charts import HEIGHT, WIDTH, chart_of
from bonafides.web.pages.reception import PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.problems import STATUS

PATH: Final = "/usage"
DENIALS: Final = "/usage/denials"
ALL: Final = "all"

_READS: Final = {SCOPES_KEY: [READ]}
_PERIODS: Final = (
    (UsagePeriod.HOUR, "The last hour"),
    (UsagePeriod.DAY, "The last day"),
    (UsagePeriod.MONTH, "The last 30 days"),
)


class UsagePages:
    """Answers the pages of usage and denials.

    Args:
        usage: Counts.
        allowances: Knows what is left.
        denials: Knows why.
        pages: Renders.
    """

    def __init__(
        self, usage: UsageReports, allowances: Allowances, denials: DenialReports, pages: Pages
    ) -> None:
        self._usage = usage
        self._allowances = allowances
        self._denials = denials
        self._pages = pages

    async def usage(
        self,
        request: Request,
        authority: Authority,
        period: str,
        whose: str,
        credential_id: str,
        *,
        lineage: bool,
    ) -> Response:
        """Of a credential, of its lineage, of one's own credentials, or of the organisation's."""
        everybodys = whose == ALL and authority.administers
        found = await self._usage.usage(
            authority,
            _period(period),
            user_id=None if everybodys or credential_id else authority.user_id,
            credential_id=credential_id or None,
            lineage=lineage,
        )
        subject = found.subject
        left = await self._allowances.left(
            authority,
            user_id=None if subject.credential_id else subject.user_id,
            credential_id=subject.credential_id,
        )
        return self._pages.render(
            request,
            "usage.html",
            connects=True,
            usage=found,
            left=left,
            limits_path=limits_path(subject),
            chart=chart_of(found),
            width=WIDTH,
            height=HEIGHT,
            refused=sorted(found.total.refused.items(), key=lambda pair: -pair[1]),
            periods=_PERIODS,
            everybodys=everybodys,
            administers=authority.administers,
            credential_id=credential_id,
        )

    async def denial(self, request: Request, authority: Authority, request_id: str) -> Response:
        """Why a request was denied, by its id."""
        shown, error = None, None
        if request_id:
            try:
                shown = denial_resource(await self._denials.get(authority, request_id))
            except NotFound as missing:
                error = missing
        return self._pages.render(
            request,
            "denial.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            denial=shown,
            asked=request_id,
        )


def limits_path(subject: UsageSubject) -> str:
    """The call that tells what is left."""
    if subject.credential_id is not None:
        return f"/v1/limits?credential_id={subject.credential_id}"
    return "/v1/limits" if subject.user_id is None else f"/v1/limits?user_id={subject.user_id}"


def _period(text: str) -> UsagePeriod:
    try:
        return UsagePeriod(text)
    except ValueError:
        message = f"period: must be one of {', '.join(UsagePeriod)}."
        raise InvalidRequest(message, field="period") from None


def routes(calls: UsagePages) -> APIRouter:
    """The routes of usage's pages."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra=_READS)
    async def usage(
        request: Request,
        reader: Reader,
        period: Annotated[str, Query(max_length=10)] = str(UsagePeriod.DAY),
        whose: Annotated[str, Query(max_length=10)] = "",
        credential_id: Annotated[str, Query(max_length=ID_MAX)] = "",
        lineage: bool = False,  # noqa: FBT001, FBT002 - FastAPI passes it by name
    ) -> Response:
        return await calls.usage(request, reader.authority, period, whose, credential_id, lineage=lineage)

    @router.get("/denials", openapi_extra=_READS)
    async def denial(
        request: Request, reader: Reader, request_id: Annotated[str, Query(max_length=ID_MAX)] = ""
    ) -> Response:
        return await calls.denial(request, reader.authority, request_id.strip())

    return router
