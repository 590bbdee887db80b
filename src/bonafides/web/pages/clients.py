"""`/administration/clients`: OAuth clients seen, made, changed, disabled, deleted, and given other secrets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response

from bonafides.authority import Authority
from bonafides.delegation import AuthMethod, ClientChanges, GrantType
from bonafides.errors import AppError, Conflict, Forbidden, InvalidRequest, ProofNeeded
from bonafides.model import ADMIN, CREDENTIALS_VERIFY, READ, STANDARD_SCOPES, WRITE, Status
from bonafides.oauth.client_metadata import GRANT_TYPES
from bonafides.oauth.clients import Clients, ClientWish, MadeClient, MadeSecret
from bonafides.resources import client_resource, client_secret_resource
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.creations import Creations
from bonafides.web.pages.listings import Listings, PageCursor
from bonafides.web.pages.reception import PAGE_KEY, PageForm, PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.pages.wishes import ScopeChoice, chosen_scopes, words_of
from bonafides.web.problems import STATUS

PATH: Final = "/administration/clients"
OVERLAPS: Final = (("0", "at once"), ("3600", "in an hour"), ("86400", "in a day"), ("604800", "in a week"))
GRANTS_IN_WORDS: Final = {
    GrantType.AUTHORIZATION_CODE: "On behalf of people, who are asked in their browser",
    GrantType.REFRESH_TOKEN: "And goes on while they are away",
    GrantType.CLIENT_CREDENTIALS: "For itself",
    GrantType.DEVICE_CODE: "On behalf of people, on a device without a browser",
    GrantType.TOKEN_EXCHANGE: "In exchange for a credential that it was given",
    GrantType.JWT_BEARER: "For itself, by an assertion that it has signed",
}

_BY_KEYS: Final = frozenset({str(GrantType.JWT_BEARER)})
"""Grants that need keys, which a form does not take: they are offered to who has them."""
_STANDARD_WORDS: Final = {
    "openid": "Know who has signed in.",
    "profile": "Know their name.",
    "email": "Know their e-mail address.",
    "offline_access": "Go on while they are away.",
}
_GRANT: Final = "grant:"
_TEXTS: Final = ("name", "redirect_uris", "method")
_METHODS: Final = (str(AuthMethod.BASIC), str(AuthMethod.POST), str(AuthMethod.NONE))
_ADMIN: Final = {SCOPES_KEY: [ADMIN]}
_ACTS: Final = {**_ADMIN, PAGE_KEY: PATH}
_TOLD: Final = (InvalidRequest, Conflict, Forbidden)

ClientId = Annotated[str, Path()]


class ClientPages:
    """Answers the pages of OAuth clients.

    Args:
        clients: Makes, shows and changes them.
        scopes: Those that this installation knows.
        creations: Make one client of a form that is sent twice.
        listings: Makes lists.
        pages: Renders.
    """

    def __init__(
        self, clients: Clients, scopes: frozenset[str], creations: Creations, listings: Listings, pages: Pages
    ) -> None:
        self._clients = clients
        self._scopes = scopes
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
        """The tenant's clients, and the form for a new one."""
        context = f"page of clients {authority.tenant_id}"
        found = await self._clients.page(authority, self._listings.page(cursor, context))
        given = form or {}
        ticked = {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN} if form is None else _grants(given)
        return self._pages.render(
            request,
            "clients.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            once=self._creations.once(given),
            listing=self._listings.listing(
                found, cursor, context, lambda client: (client.created_at, client.id), PATH
            ),
            given={name: given.get(name, "") for name in ("id", *_TEXTS)},
            grants=_grant_choices(ticked),
            scopes=self._scope_choices(authority, set(chosen_scopes(given))),
            methods=_METHODS,
        )

    async def create(self, request: Request, authority: Authority, form: Mapping[str, str]) -> Response:
        """A new client, its secret shown this once."""
        creation = await self._creations.creation(request, authority, form)
        try:
            changes = ClientChanges(
                grant_types=_grants(form), redirect_uris=tuple(form.get("redirect_uris", "").split())
            )
            if form.get("method"):
                changes = ClientChanges(
                    grant_types=changes.grant_types,
                    redirect_uris=changes.redirect_uris,
                    token_endpoint_auth_method=_method(form["method"]),
                )
            wish = ClientWish(form.get("name", ""), chosen_scopes(form), changes)
            outcome = await self._clients.create(authority, wish, claim_for=creation.claim_for(_shown))
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.listing(request, authority, form=form, error=error)
        made = creation.shown(outcome, _shown)
        return await self.get(request, authority, str(made["id"]), made=made)

    async def get(
        self,
        request: Request,
        authority: Authority,
        client_id: str,
        error: AppError | None = None,
        made: Mapping[str, Any] | None = None,
    ) -> Response:
        """A client, its secrets by what tells them apart, and all that can be done."""
        client = await self._clients.get(authority, client_id)
        return self._pages.render(
            request,
            "client.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            client=client,
            secrets=await self._clients.secrets(authority, client_id),
            made=made,
            once=self._creations.once({}),
            overlaps=OVERLAPS,
        )

    async def ask_change(
        self,
        request: Request,
        authority: Authority,
        client_id: str,
        form: Mapping[str, str] | None = None,
        error: AppError | None = None,
    ) -> Response:
        """The form that changes a client, with what was filled in."""
        client = await self._clients.get(authority, client_id)
        given: dict[str, object] = {
            "name": client.name,
            "redirect_uris": "\n".join(client.redirect_uris),
            "post_logout_redirect_uris": "\n".join(client.post_logout_redirect_uris),
            "method": str(client.token_endpoint_auth_method),
            "require_pkce": client.require_pkce,
            "first_party": client.first_party,
        }
        if form is not None:
            given = {name: form.get(name, "") for name in given}
        chosen = set(client.scopes if form is None else chosen_scopes(form))
        return self._pages.render(
            request,
            "client_change.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            client=client,
            given={"id": client.id, **given},
            grants=_grant_choices(client.grant_types if form is None else _grants(form)),
            scopes=self._scope_choices(authority, chosen, client.scopes),
            methods=sorted({*_METHODS, str(client.token_endpoint_auth_method)}),
        )

    async def change(
        self, request: Request, authority: Authority, client_id: str, form: Mapping[str, str]
    ) -> Response:
        """Change what the form says otherwise."""
        client = await self._clients.get(authority, client_id)
        try:
            wanted: dict[str, Any] = {
                "name": form.get("name", ""),
                "grant_types": _grants(form),
                "redirect_uris": tuple(form.get("redirect_uris", "").split()),
                "post_logout_redirect_uris": tuple(form.get("post_logout_redirect_uris", "").split()),
                "scopes": frozenset(chosen_scopes(form)),
                "token_endpoint_auth_method": _method(form.get("method", "")),
                "require_pkce": "require_pkce" in form,
                "first_party": "first_party" in form,
            }
            given = {name: value for name, value in wanted.items() if value != getattr(client, name)}
            await self._clients.change(authority, client_id, ClientChanges(**given))
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.ask_change(request, authority, client_id, form, error)
        return self._pages.go(f"{PATH}/{client_id}")

    async def add_secret(
        self, request: Request, authority: Authority, client_id: str, form: Mapping[str, str]
    ) -> Response:
        """Another secret, shown this once; the others end when the form says."""
        creation = await self._creations.creation(request, authority, form)
        try:
            outcome = await self._clients.add_secret(
                authority,
                client_id,
                form.get("name", ""),
                overlap_seconds=_overlap(form),
                claim_for=creation.claim_for(_shown_secret),
            )
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.get(request, authority, client_id, error)
        return await self.get(request, authority, client_id, made=creation.shown(outcome, _shown_secret))

    async def set_status(
        self, request: Request, authority: Authority, client_id: str, status: Status
    ) -> Response:
        """Disable or enable it, and with it all its tokens."""
        try:
            await self._clients.change(authority, client_id, ClientChanges(status=status))
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.get(request, authority, client_id, error)
        return self._pages.go(f"{PATH}/{client_id}")

    async def remove_secret(self, authority: Authority, client_id: str, secret_id: str) -> Response:
        """End a secret."""
        await self._clients.remove_secret(authority, client_id, secret_id)
        return self._pages.go(f"{PATH}/{client_id}")

    async def delete(self, authority: Authority, client_id: str) -> Response:
        """End a client for ever."""
        await self._clients.delete(authority, client_id)
        return self._pages.go(PATH)

    def _scope_choices(
        self, authority: Authority, chosen: set[str], kept: frozenset[str] = frozenset()
    ) -> list[ScopeChoice]:
        offered = (self._scopes & authority.grantable) | STANDARD_SCOPES | kept
        return [
            ScopeChoice(name, _standard_words(name), name in chosen)
            for name in sorted(offered, key=_scope_rank)
        ]


def _standard_words(scope: str) -> str:
    return _STANDARD_WORDS.get(scope) or words_of(scope)


def _scope_rank(scope: str) -> tuple[bool, int, str]:
    """Those that mean least power first, then the operator's own, then those of OpenID Connect."""
    order = (*_STANDARD_WORDS, READ, WRITE, ADMIN, CREDENTIALS_VERIFY)
    return scope in STANDARD_SCOPES, order.index(scope) if scope in order else len(order), scope


def _grant_choices(ticked: Collection[str]) -> list[tuple[str, str, bool]]:
    return [
        (str(grant), GRANTS_IN_WORDS.get(GrantType(grant), str(grant)), grant in ticked)
        for grant in sorted(GRANT_TYPES - (_BY_KEYS - set(ticked)), key=_rank)
    ]


def _rank(grant: str) -> tuple[int, str]:
    order = list(GRANTS_IN_WORDS)
    return (order.index(GrantType(grant)) if grant in order else len(order), grant)


def _grants(form: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name.removeprefix(_GRANT) for name in form if name.startswith(_GRANT))


def _method(text: str) -> AuthMethod:
    try:
        return AuthMethod(text)
    except ValueError:
        message = "Choose how it proves who it is."
        raise InvalidRequest(message, field="method") from None


def _overlap(form: Mapping[str, str]) -> int | None:
    overlap = form.get("overlap", "")
    if overlap and overlap not in dict(OVERLAPS):
        message = "Choose when the other secrets end."
        raise InvalidRequest(message, field="overlap")
    return int(overlap) if overlap else None


def _shown(made: MadeClient) -> Mapping[str, Any]:
    return {
        **client_resource(made.client),
        "client_secret": None if made.secret is None else made.secret.secret,
    }


def _shown_secret(made: MadeSecret) -> Mapping[str, Any]:
    return {**client_secret_resource(made.record), "client_secret": made.secret}


def routes(calls: ClientPages) -> APIRouter:
    """The routes of clients' pages."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra=_ADMIN)
    async def listing(request: Request, reader: Reader, cursor: PageCursor = "") -> Response:
        return await calls.listing(request, reader.authority, cursor)

    @router.post("", openapi_extra=_ADMIN)
    async def create(request: Request, reader: Reader, form: PageForm) -> Response:
        return await calls.create(request, reader.authority, form)

    @router.get("/{client_id}", openapi_extra=_ADMIN)
    async def get(request: Request, reader: Reader, client_id: ClientId) -> Response:
        return await calls.get(request, reader.authority, client_id)

    @router.get("/{client_id}/change", openapi_extra=_ADMIN)
    async def ask_change(request: Request, reader: Reader, client_id: ClientId) -> Response:
        return await calls.ask_change(request, reader.authority, client_id)

    @router.post("/{client_id}/change", openapi_extra=_ADMIN)
    async def change(request: Request, reader: Reader, client_id: ClientId, form: PageForm) -> Response:
        return await calls.change(request, reader.authority, client_id, form)

    @router.post("/{client_id}/secrets", openapi_extra=_ACTS)
    async def add_secret(request: Request, reader: Reader, client_id: ClientId, form: PageForm) -> Response:
        return await calls.add_secret(request, reader.authority, client_id, form)

    @router.post("/{client_id}/secrets/{secret_id}/delete", openapi_extra=_ACTS)
    async def remove_secret(
        reader: Reader, client_id: ClientId, secret_id: Annotated[str, Path()]
    ) -> Response:
        return await calls.remove_secret(reader.authority, client_id, secret_id)

    @router.post("/{client_id}/disable", openapi_extra=_ACTS)
    async def disable(request: Request, reader: Reader, client_id: ClientId) -> Response:
        return await calls.set_status(request, reader.authority, client_id, Status.DISABLED)

    @router.post("/{client_id}/enable", openapi_extra=_ACTS)
    async def enable(request: Request, reader: Reader, client_id: ClientId) -> Response:
        return await calls.set_status(request, reader.authority, client_id, Status.ACTIVE)

    @router.post("/{client_id}/delete", openapi_extra=_ACTS)
    async def delete(reader: Reader, client_id: ClientId) -> Response:
        return await calls.delete(reader.authority, client_id)

    return router
