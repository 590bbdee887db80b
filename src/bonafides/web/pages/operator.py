"""`/administration/tenants`, `/administration/plans`, `/administration/signing-keys`: for the operator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from bonafides.authority import Authority
from bonafides.credentials.signing_keys import SigningKeys
from bonafides.directory import Directory
from bonafides.dry_runs import PRECISION, DryRun, DryRuns
from bonafides.errors import AppError, Conflict, Forbidden, InvalidRequest, ProofNeeded
from bonafides.model import ADMIN, CountBy, CredentialKind, Page, Status, TenantChanges
from bonafides.plans import Plans
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.listings import Listings, PageCursor
from bonafides.web.pages.reception import PAGE_KEY, PageForm, PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.problems import STATUS

TENANTS: Final = "/administration/tenants"
PLANS: Final = "/administration/plans"
SIGNING_KEYS: Final = "/administration/signing-keys"
PLANS_MAX: Final = 100
DIGITS_MAX: Final = 18

_ADMIN: Final = {SCOPES_KEY: [ADMIN]}
_TOLD: Final = (InvalidRequest, Conflict, Forbidden)

Show = Callable[[AppError], Awaitable[Response]]


class OperatorPages:
    """Answers the operator's pages.

    Args:
        directory: Knows and changes tenants.
        plans: Reads and changes plans.
        dry_runs: Tells what figures would have done.
        signing_keys: Shows and rotates them.
        listings: Makes lists.
        pages: Renders.
    """

    def __init__(
        self,
        directory: Directory,
        plans: Plans,
        dry_runs: DryRuns,
        signing_keys: SigningKeys,
        listings: Listings,
        pages: Pages,
    ) -> None:
        self._directory = directory
        self._plans = plans
        self._dry_runs = dry_runs
        self._signing_keys = signing_keys
        self._listings = listings
        self._pages = pages

    async def tenants(
        self, request: Request, authority: Authority, cursor: str = "", error: AppError | None = None
    ) -> Response:
        """Every tenant, with its plan and state, and the form for a new one."""
        authority.require_operator("administer tenants")
        context = f"page of tenants {authority.tenant_id}"
        found = await self._directory.tenants(authority, self._listings.page(cursor, context))
        return self._pages.render(
            request,
            "tenants.html",
            status=_status(error),
            error=error,
            plans=[plan.name for plan in await self._plans.page(Page(PLANS_MAX))],
            listing=self._listings.listing(
                found, cursor, context, lambda tenant: (tenant.created_at, tenant.id), TENANTS
            ),
        )

    async def create_tenant(
        self, request: Request, authority: Authority, form: Mapping[str, str]
    ) -> Response:
        """A new tenant, without users."""

        async def create() -> None:
            await self._directory.create_tenant(
                authority, name=form.get("name", ""), plan=form.get("plan") or None
            )

        return await self._done(create, TENANTS, lambda error: self.tenants(request, authority, error=error))

    async def change_tenant(
        self, request: Request, authority: Authority, tenant_id: str, changes: TenantChanges
    ) -> Response:
        """Another plan or state."""

        async def change() -> None:
            await self._directory.change_tenant(authority, tenant_id, changes)

        return await self._done(change, TENANTS, lambda error: self.tenants(request, authority, error=error))

    async def plans(
        self,
        request: Request,
        authority: Authority,
        error: AppError | None = None,
        form: Mapping[str, str] | None = None,
        found: DryRun | None = None,
    ) -> Response:
        """Every plan with its figures, and the form that makes or replaces one, or tells what it would have refused."""
        authority.require_operator("administer plans")
        return self._pages.render(
            request,
            "plans.html",
            status=_status(error),
            error=error,
            plans=await self._plans.page(Page(PLANS_MAX)),
            kinds=[str(kind) for kind in CredentialKind],
            counts=[str(count) for count in CountBy],
            given=form or {},
            found=found,
            precision=PRECISION,
        )

    async def try_plan(self, request: Request, authority: Authority, form: Mapping[str, str]) -> Response:
        """What the figures of the form would have refused; they are still in it."""
        try:
            found = await self._dry_runs.judge(
                authority,
                name=form.get("name", ""),
                requests_per_hour=_figure(form, "requests_per_hour"),
                per_method=_per_method(form),
                count_by=_count_by(form),
            )
        except InvalidRequest as error:
            return await self.plans(request, authority, error, form)
        return await self.plans(request, authority, form=form, found=found)

    async def put_plan(self, request: Request, authority: Authority, form: Mapping[str, str]) -> Response:
        """Make or replace a plan; its figures bind the next request."""

        async def put() -> None:
            await self._plans.put(
                authority,
                name=form.get("name", ""),
                requests_per_hour=_figure(form, "requests_per_hour"),
                burst=_figure(form, "burst"),
                per_method=_per_method(form),
                count_by=_count_by(form),
                bearer_token_seconds=_figure(form, "bearer_token_seconds"),
            )

        return await self._done(put, PLANS, lambda error: self.plans(request, authority, error, form))

    async def delete_plan(self, request: Request, authority: Authority, name: str) -> Response:
        """End a plan that nothing is on."""

        async def delete() -> None:
            await self._plans.delete(authority, name)

        return await self._done(delete, PLANS, lambda error: self.plans(request, authority, error))

    async def signing_keys(
        self, request: Request, authority: Authority, error: AppError | None = None
    ) -> Response:
        """Every signing key, by what everybody may know of it."""
        return self._pages.render(
            request,
            "signing_keys.html",
            status=_status(error),
            error=error,
            keys=await self._signing_keys.records(authority),
        )

    async def rotate(self, request: Request, authority: Authority) -> Response:
        """Let the next key sign."""

        async def rotate() -> None:
            await self._signing_keys.rotate(authority)

        return await self._done(
            rotate, SIGNING_KEYS, lambda error: self.signing_keys(request, authority, error)
        )

    async def _done(self, act: Callable[[], Awaitable[None]], path: str, show: Show) -> Response:
        """Do it and go on; what the rooms refuse is told on the page that asked for it."""
        try:
            await act()
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await show(error)
        return self._pages.go(path)


def _status(error: AppError | None) -> int:
    return 200 if error is None else STATUS[type(error)]


def _figure(form: Mapping[str, str], name: str) -> int | None:
    """A figure; an empty field is no limit."""
    text = form.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX):
        raise InvalidRequest(f"{name}: write a whole number, or nothing for no limit.", field=name)
    return int(text)


def _per_method(form: Mapping[str, str]) -> dict[CredentialKind, int | None]:
    return {
        kind: _figure(form, f"per_method:{kind}") for kind in CredentialKind if f"per_method:{kind}" in form
    }


def _count_by(form: Mapping[str, str]) -> CountBy:
    try:
        return CountBy(form.get("count_by", CountBy.CREDENTIAL))
    except ValueError:
        raise InvalidRequest("Choose whose requests are counted together.", field="count_by") from None


def routes(calls: OperatorPages) -> APIRouter:
    """The routes of the operator's pages."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get(TENANTS, openapi_extra=_ADMIN)
    async def tenants(request: Request, reader: Reader, cursor: PageCursor = "") -> Response:
        return await calls.tenants(request, reader.authority, cursor)

    @router.post(TENANTS, openapi_extra=_ADMIN)
    async def create_tenant(request: Request, reader: Reader, form: PageForm) -> Response:
        return await calls.create_tenant(request, reader.authority, form)

    @router.post(TENANTS + "/{tenant_id}/plan", openapi_extra=_acts(TENANTS))
    async def move(
        request: Request, reader: Reader, tenant_id: Annotated[str, Path()], form: PageForm
    ) -> Response:
        changes = TenantChanges(plan=form.get("plan", ""))
        return await calls.change_tenant(request, reader.authority, tenant_id, changes)

    @router.post(TENANTS + "/{tenant_id}/disable", openapi_extra=_acts(TENANTS))
    async def disable(request: Request, reader: Reader, tenant_id: Annotated[str, Path()]) -> Response:
        changes = TenantChanges(status=Status.DISABLED)
        return await calls.change_tenant(request, reader.authority, tenant_id, changes)

    @router.post(TENANTS + "/{tenant_id}/enable", openapi_extra=_acts(TENANTS))
    async def enable(request: Request, reader: Reader, tenant_id: Annotated[str, Path()]) -> Response:
        changes = TenantChanges(status=Status.ACTIVE)
        return await calls.change_tenant(request, reader.authority, tenant_id, changes)

    _add_plans(router, calls)

    @router.get(SIGNING_KEYS, openapi_extra=_ADMIN)
    async def signing_keys(request: Request, reader: Reader) -> Response:
        return await calls.signing_keys(request, reader.authority)

    @router.post(SIGNING_KEYS + "/rotate", openapi_extra=_acts(SIGNING_KEYS))
    async def rotate(request: Request, reader: Reader) -> Response:
        return await calls.rotate(request, reader.authority)

    return router


def _add_plans(router: APIRouter, calls: OperatorPages) -> None:
    @router.get(PLANS, openapi_extra=_ADMIN)
    async def plans(request: Request, reader: Reader) -> Response:
        return await calls.plans(request, reader.authority)

    @router.post(PLANS, openapi_extra=_ADMIN)
    async def put_plan(request: Request, reader: Reader, form: PageForm) -> Response:
        if "try" in form:
            return await calls.try_plan(request, reader.authority, form)
        return await calls.put_plan(request, reader.authority, form)

    @router.post(PLANS + "/{name}/delete", openapi_extra=_acts(PLANS))
    async def delete_plan(request: Request, reader: Reader, name: Annotated[str, Path()]) -> Response:
        return await calls.delete_plan(request, reader.authority, name)


def _acts(path: str) -> dict[str, object]:
    return {**_ADMIN, PAGE_KEY: path}
