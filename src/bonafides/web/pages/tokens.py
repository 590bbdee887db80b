"""`/settings/tokens`: personal access tokens seen, made and revoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response

from bonafides.authority import Authority
from bonafides.credentials.holdings import DEFAULT_SCOPES, Made
from bonafides.credentials.personal_tokens import PersonalTokens, TokenWish
from bonafides.directory import Directory
from bonafides.errors import AppError, Conflict, Forbidden, InvalidRequest, ProofNeeded
from bonafides.model import READ, WRITE, CredentialStatus
from bonafides.resources import key_status, personal_token_resource
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.creations import Creations
from bonafides.web.pages.listings import Listings, PageCursor
from bonafides.web.pages.reception import PageForm, PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.pages.wishes import (
    LIFETIME_DEFAULT,
    LIFETIMES,
    chosen_scopes,
    lasting,
    scope_choices,
)
from bonafides.web.problems import STATUS

PATH: Final = "/settings/tokens"

_READS: Final = {SCOPES_KEY: [READ]}
_WRITES: Final = {SCOPES_KEY: [WRITE]}

TokenId = Annotated[str, Path()]


class TokenPages:
    """Answers the pages of personal access tokens.

    Args:
        tokens: Makes and ends them.
        directory: Whose they are.
        creations: Make one token of a form that is sent twice.
        listings: Makes lists.
        pages: Renders.
    """

    def __init__(
        self,
        tokens: PersonalTokens,
        directory: Directory,
        creations: Creations,
        listings: Listings,
        pages: Pages,
    ) -> None:
        self._tokens = tokens
        self._directory = directory
        self._creations = creations
        self._listings = listings
        self._pages = pages

    async def listing(self, request: Request, authority: Authority, cursor: str) -> Response:
        """The caller's own."""
        context = f"page of personal-access-tokens {authority.user_id}"
        found = await self._tokens.page(
            authority, self._listings.page(cursor, context), user_id=authority.user_id
        )
        return self._pages.render(
            request,
            "tokens.html",
            listing=self._listings.listing(
                found, cursor, context, lambda token: (token.created_at, token.id), PATH
            ),
            status_of=key_status,
        )

    async def ask(
        self,
        request: Request,
        authority: Authority,
        form: Mapping[str, str] | None = None,
        error: AppError | None = None,
    ) -> Response:
        """The form for a new one, with what was filled in."""
        given = form or {}
        owner = await self._directory.user(authority, authority.user_id or "")
        tenant = await self._directory.tenant(authority.tenant_id)
        return self._pages.render(
            request,
            "token_new.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            once=self._creations.once(given),
            description=given.get("description", ""),
            scopes=scope_choices(
                authority, self._directory, owner, DEFAULT_SCOPES if form is None else chosen_scopes(given)
            ),
            lifetimes=LIFETIMES,
            expires=given.get("expires", LIFETIME_DEFAULT),
            expires_on=given.get("expires_on", ""),
            longest=tenant.personal_access_token_seconds_max,
        )

    async def make(self, request: Request, authority: Authority, form: Mapping[str, str]) -> Response:
        """A new one, shown this once."""
        creation = await self._creations.creation(request, authority, form)
        try:
            lifetime = lasting(form)
            wish = TokenWish(
                form.get("description", ""), chosen_scopes(form), lifetime.expires_at, lifetime.expires_in
            )
            outcome = await self._tokens.create(authority, wish, claim_for=creation.claim_for(self._shown))
        except ProofNeeded:
            raise
        except (InvalidRequest, Conflict, Forbidden) as error:
            return await self.ask(request, authority, form, error)
        return self._pages.render(request, "token_made.html", made=creation.shown(outcome, self._shown))

    async def revoke(self, authority: Authority, token_id: str) -> Response:
        """End one."""
        await self._tokens.set_status(authority, token_id, CredentialStatus.REVOKED)
        return self._pages.go(PATH)

    def _shown(self, made: Made) -> Mapping[str, Any]:
        return {**personal_token_resource(made.credential, self._pages.now()), "token": made.secret}


def routes(calls: TokenPages) -> APIRouter:
    """The routes of personal access tokens' pages."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra=_READS)
    async def listing(request: Request, reader: Reader, cursor: PageCursor = "") -> Response:
        return await calls.listing(request, reader.authority, cursor)

    @router.get("/new", openapi_extra=_WRITES)
    async def ask(request: Request, reader: Reader) -> Response:
        return await calls.ask(request, reader.authority)

    @router.post("/new", openapi_extra=_WRITES)
    async def make(request: Request, reader: Reader, form: PageForm) -> Response:
        return await calls.make(request, reader.authority, form)

    @router.post("/{token_id}/revoke", openapi_extra=_WRITES)
    async def revoke(reader: Reader, token_id: TokenId) -> Response:
        return await calls.revoke(reader.authority, token_id)

    return router
