"""`/administration/users`: people and services of the organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from bonafides.authority import Authority
from bonafides.credentials.factors import SecondFactors
from bonafides.credentials.password_changes import PasswordChanges
from bonafides.credentials.password_mails import PasswordMails
from bonafides.directory import Directory
from bonafides.errors import AppError, Conflict, Forbidden, InvalidRequest, NotFound, ProofNeeded
from bonafides.model import ADMIN, Replayed, Role, Status, UserChanges, UserKind
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.listings import Listings, PageCursor, Words
from bonafides.web.pages.reception import PAGE_KEY, PageForm, PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.problems import STATUS

PATH: Final = "/administration/users"

_ADMIN: Final = {SCOPES_KEY: [ADMIN]}
_ACTS: Final = {**_ADMIN, PAGE_KEY: PATH}
_TOLD: Final = (InvalidRequest, Conflict, Forbidden)

UserId = Annotated[str, Path()]


class UserPages:
    """Answers the pages of users.

    Args:
        directory: Knows and changes them.
        passwords: Lets them choose a password.
        mails: Invites them.
        factors: Takes those away that somebody has lost.
        listings: Makes lists.
        pages: Renders.
    """

    def __init__(
        self,
        directory: Directory,
        passwords: PasswordChanges,
        mails: PasswordMails,
        factors: SecondFactors,
        listings: Listings,
        pages: Pages,
    ) -> None:
        self._directory = directory
        self._passwords = passwords
        self._mails = mails
        self._factors = factors
        self._listings = listings
        self._pages = pages

    async def listing(
        self,
        request: Request,
        authority: Authority,
        tenant_id: str,
        search: str = "",
        cursor: str = "",
        form: Mapping[str, str] | None = None,
        error: AppError | None = None,
    ) -> Response:
        """The users of a tenant, and the form for a new one."""
        tenant = await self._directory.visible_tenant(authority, tenant_id or authority.tenant_id)
        context = f"page of users {tenant.id} {search}"
        found = await self._directory.users(
            authority, self._listings.page(cursor, context), tenant_id=tenant.id, search=search
        )
        given = form or {}
        return self._pages.render(
            request,
            "users.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            tenant=tenant,
            listing=self._listings.listing(
                found,
                cursor,
                context,
                lambda user: (user.created_at, user.id),
                PATH,
                {"tenant_id": tenant_id, "search": search},
            ),
            search=search,
            roles=list(Role),
            kinds=list(UserKind),
            given={name: given.get(name, "") for name in ("kind", "name", "email", "role")},
        )

    async def create(self, request: Request, authority: Authority, form: Mapping[str, str]) -> Response:
        """A new user."""
        try:
            outcome = await self._directory.create_user(
                authority,
                kind=_kind(form),
                name=form.get("name"),
                email=form.get("email"),
                role=_role(form),
                scopes=None,
                tenant_id=form.get("tenant_id"),
            )
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.listing(request, authority, form.get("tenant_id", ""), form=form, error=error)
        if isinstance(outcome, Replayed):  # pragma: no cover - the form makes no claim
            return self._pages.go(PATH)
        return self._pages.go(f"{PATH}/{outcome.id}")

    async def get(
        self,
        request: Request,
        authority: Authority,
        user_id: str,
        error: AppError | None = None,
        **told: Any,  # noqa: ANN401 - what an act has brought about
    ) -> Response:
        """A user, with all that can be done to them."""
        user = await self._directory.user(authority, user_id)
        return self._pages.render(
            request,
            "user.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            user=user,
            tenant=await self._directory.tenant(user.tenant_id),
            ceiling=sorted(self._directory.ceiling(user)),
            roles=list(Role),
            handed=told.get("handed"),
            done=told.get("done"),
        )

    async def change(
        self, request: Request, authority: Authority, user_id: str, form: Mapping[str, str]
    ) -> Response:
        """Another name, address or role."""
        user = await self._directory.user(authority, user_id)
        try:
            changes = UserChanges(name=form.get("name", ""))
            if form.get("email") != user.email:
                changes = UserChanges(name=form.get("name", ""), email=form.get("email"))
            if (role := _role(form)) is not user.role:
                changes = UserChanges(name=changes.name, email=changes.email, role=role)
            await self._directory.change_user(authority, user_id, changes)
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.get(request, authority, user_id, error)
        return self._pages.go(f"{PATH}/{user.id}")

    async def set_status(
        self, request: Request, authority: Authority, user_id: str, status: Status
    ) -> Response:
        """Disable or enable them, and with them all their credentials."""
        try:
            await self._directory.change_user(authority, user_id, UserChanges(status=status))
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.get(request, authority, user_id, error)
        return self._pages.go(f"{PATH}/{user_id}")

    async def start_reset(self, request: Request, authority: Authority, user_id: str) -> Response:
        """The code with which they choose a password, shown this once."""
        try:
            reset = await self._passwords.start_reset(authority, user_id)
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.get(request, authority, user_id, error)
        return await self.get(request, authority, user_id, handed=reset)

    async def invite(self, request: Request, authority: Authority, user_id: str) -> Response:
        """The way to a first password: mailed to them, or a code that is shown this once."""
        try:
            invitation = await self._mails.invite(authority, user_id)
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.get(request, authority, user_id, error)
        if invitation.token is None:
            return await self.get(request, authority, user_id, done="They get a mail with a link.")
        return await self.get(request, authority, user_id, handed=invitation)

    async def reset_factors(self, request: Request, authority: Authority, user_id: str) -> Response:
        """Take away every second factor of somebody who has lost theirs, and end their sessions."""
        try:
            await self._factors.reset(authority, user_id)
        except ProofNeeded:
            raise
        except (*_TOLD, NotFound) as error:
            return await self.get(request, authority, user_id, error)
        done = "Their second factors are gone, and they are signed out everywhere."
        return await self.get(request, authority, user_id, done=done)

    async def delete(self, request: Request, authority: Authority, user_id: str) -> Response:
        """End a user for ever, with all their credentials."""
        try:
            await self._directory.delete_user(authority, user_id)
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.get(request, authority, user_id, error)
        return self._pages.go(PATH)


def _role(form: Mapping[str, str]) -> Role:
    try:
        return Role(form.get("role", ""))
    except ValueError:
        message = "Choose a role."
        raise InvalidRequest(message, field="role") from None


def _kind(form: Mapping[str, str]) -> UserKind:
    try:
        return UserKind(form.get("kind", ""))
    except ValueError:
        message = "Choose a person or a service."
        raise InvalidRequest(message, field="kind") from None


def routes(calls: UserPages) -> APIRouter:
    """The routes of users' pages."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra=_ADMIN)
    async def listing(
        request: Request,
        reader: Reader,
        tenant_id: Annotated[str, Query(max_length=ID_MAX)] = "",
        search: Words = "",
        cursor: PageCursor = "",
    ) -> Response:
        return await calls.listing(request, reader.authority, tenant_id, search.strip(), cursor)

    @router.post("", openapi_extra=_ADMIN)
    async def create(request: Request, reader: Reader, form: PageForm) -> Response:
        return await calls.create(request, reader.authority, form)

    @router.get("/{user_id}", openapi_extra=_ADMIN)
    async def get(request: Request, reader: Reader, user_id: UserId) -> Response:
        return await calls.get(request, reader.authority, user_id)

    @router.post("/{user_id}", openapi_extra=_ADMIN)
    async def change(request: Request, reader: Reader, user_id: UserId, form: PageForm) -> Response:
        return await calls.change(request, reader.authority, user_id, form)

    @router.post("/{user_id}/disable", openapi_extra=_ACTS)
    async def disable(request: Request, reader: Reader, user_id: UserId) -> Response:
        return await calls.set_status(request, reader.authority, user_id, Status.DISABLED)

    @router.post("/{user_id}/enable", openapi_extra=_ACTS)
    async def enable(request: Request, reader: Reader, user_id: UserId) -> Response:
        return await calls.set_status(request, reader.authority, user_id, Status.ACTIVE)

    @router.post("/{user_id}/password-reset", openapi_extra=_ACTS)
    async def start_reset(request: Request, reader: Reader, user_id: UserId) -> Response:
        return await calls.start_reset(request, reader.authority, user_id)

    @router.post("/{user_id}/invitation", openapi_extra=_ACTS)
    async def invite(request: Request, reader: Reader, user_id: UserId) -> Response:
        return await calls.invite(request, reader.authority, user_id)

    @router.post("/{user_id}/reset-factors", openapi_extra=_ACTS)
    async def reset_factors(request: Request, reader: Reader, user_id: UserId) -> Response:
        return await calls.reset_factors(request, reader.authority, user_id)

    @router.post("/{user_id}/delete", openapi_extra=_ACTS)
    async def delete(request: Request, reader: Reader, user_id: UserId) -> Response:
        return await calls.delete(request, reader.authority, user_id)

    return router
