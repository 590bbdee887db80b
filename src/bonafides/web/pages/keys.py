"""`/settings/api-keys`: keys seen, made, changed, rotated, disabled and revoked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from bonafides.allowances import Allowances
from bonafides.authority import Authority
from bonafides.credentials.api_keys import ApiKeys, KeyChanges, KeyWish
from bonafides.credentials.holdings import DEFAULT_SCOPES, Made
from bonafides.credentials.lineage import Family, Lineage
from bonafides.directory import Directory
from bonafides.errors import AppError, Conflict, Forbidden, InvalidRequest, NotFound, ProofNeeded
from bonafides.model import READ, WRITE, Credential, CredentialStatus, ShownStatus, UsagePeriod
from bonafides.resources import key_resource, key_status
from bonafides.usage import UsageReports
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.creations import Creations
from bonafides.web.pages.listings import Listings, PageCursor, Words, status_named
from bonafides.web.pages.reception import PageForm, PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.pages.wishes import (
    LIFETIME_DEFAULT,
    LIFETIMES,
    chosen_scopes,
    lasting,
    networks,
    scope_choices,
)
from bonafides.web.problems import STATUS

PATH: Final = "/settings/api-keys"
ALL: Final = "all"

_READS: Final = {SCOPES_KEY: [READ]}
_WRITES: Final = {SCOPES_KEY: [WRITE]}
_OVERLAPS: Final = (
    ("0", "None: the old key ends at once"),
    ("3600", "1 hour"),
    ("86400", "1 day"),
    ("604800", "7 days"),
    ("2592000", "30 days"),
)
_KEPT: Final = "keep"
_TOLD: Final = (InvalidRequest, Conflict, Forbidden)
"""Failures that are told in the form that they are of."""

KeyId = Annotated[str, Path()]


@dataclass(frozen=True, slots=True)
class Branch:
    """A credential of a tree, so many steps below its root."""

    credential: Credential
    depth: int


class KeyPages:
    """Answers the pages of API keys.

    Args:
        api_keys: Makes and changes them.
        lineage: Knows what ends with them.
        directory: Whose they are.
        usage: Counts their requests.
        allowances: Knows what is left to them.
        creations: Make one key of a form that is sent twice.
        listings: Makes lists.
        pages: Renders.
    """

    def __init__(
        self,
        api_keys: ApiKeys,
        lineage: Lineage,
        directory: Directory,
        usage: UsageReports,
        allowances: Allowances,
        creations: Creations,
        listings: Listings,
        pages: Pages,
    ) -> None:
        self._api_keys = api_keys
        self._lineage = lineage
        self._directory = directory
        self._usage = usage
        self._allowances = allowances
        self._creations = creations
        self._listings = listings
        self._pages = pages

    async def listing(
        self,
        request: Request,
        authority: Authority,
        status: ShownStatus | None,
        whose: str,
        search: str,
        cursor: str,
    ) -> Response:
        """The caller's own keys, or those of the organisation for who administers it."""
        everybodys = whose == ALL and authority.administers
        user_id = None if everybodys else authority.user_id
        context = f"page of api-keys {authority.tenant_id} {user_id} {status} {search}"
        found = await self._api_keys.page(
            authority, self._listings.page(cursor, context), user_id=user_id, status=status, search=search
        )
        filters = {"status": str(status or ""), "whose": ALL if everybodys else "", "search": search}
        return self._pages.render(
            request,
            "keys.html",
            listing=self._listings.listing(
                found, cursor, context, lambda key: (key.created_at, key.id), PATH, filters
            ),
            names=await self._names(authority, found) if everybodys else None,
            status_of=key_status,
            wanted=status,
            search=search,
            statuses=list(ShownStatus),
            administers=authority.administers,
            everybodys=everybodys,
        )

    async def _names(self, authority: Authority, keys: Sequence[Credential]) -> Mapping[str, str]:
        names: dict[str, str] = {}
        for user_id in {key.user_id for key in keys}:
            try:
                names[user_id] = (await self._directory.user(authority, user_id)).name
            except NotFound:
                names[user_id] = user_id
        return names

    async def ask(
        self,
        request: Request,
        authority: Authority,
        form: Mapping[str, str] | None = None,
        error: AppError | None = None,
    ) -> Response:
        """The form for a new key, with what was filled in."""
        given = form or {}
        owner = await self._directory.user(authority, authority.user_id or "")
        return self._pages.render(
            request,
            "key_new.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            once=self._creations.once(given),
            name=given.get("name", ""),
            scopes=scope_choices(
                authority, self._directory, owner, DEFAULT_SCOPES if form is None else chosen_scopes(given)
            ),
            lifetimes=LIFETIMES,
            expires=given.get("expires", LIFETIME_DEFAULT),
            expires_on=given.get("expires_on", ""),
            allowed_ips=given.get("allowed_ips", ""),
        )

    async def make(self, request: Request, authority: Authority, form: Mapping[str, str]) -> Response:
        """A new key, shown this once; the same again for a form that is sent twice."""
        creation = await self._creations.creation(request, authority, form)
        try:
            lifetime = lasting(form)
            wish = KeyWish(
                name=form.get("name", ""),
                scopes=chosen_scopes(form),
                expires_at=lifetime.expires_at,
                expires_in=lifetime.expires_in,
                allowed_ips=networks(form),
            )
            outcome = await self._api_keys.create(authority, wish, claim_for=creation.claim_for(self._shown))
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.ask(request, authority, form, error)
        return self._show_secret(request, creation.shown(outcome, self._shown), None)

    async def get(
        self,
        request: Request,
        authority: Authority,
        key_id: str,
        form: Mapping[str, str] | None = None,
        error: AppError | None = None,
    ) -> Response:
        """A key, with all that can be done to it."""
        key = await self._api_keys.get(authority, key_id)
        owner = await self._directory.user(authority, key.user_id)
        given = form or {}
        successors = await self._successors(authority, key)
        return self._pages.render(
            request,
            "key.html",
            status=200 if error is None else STATUS[type(error)],
            connects=True,
            used=await self._usage.usage(authority, UsagePeriod.HOUR, credential_id=key_id),
            left=await self._allowances.left(authority, credential_id=key_id),
            networks=await self._usage.networks(authority, key_id),
            networks_kept_days=self._usage.networks_kept_days,
            error=error,
            key=key,
            owner=owner,
            shown=key_status(key, self._pages.now()),
            successors=successors,
            name=given.get("name", key.name),
            scopes=scope_choices(
                authority, self._directory, owner, key.scopes if form is None else chosen_scopes(given)
            ),
            lifetimes=((_KEPT, "As it is"), *LIFETIMES),
            expires=given.get("expires", _KEPT),
            expires_on=given.get("expires_on", ""),
            allowed_ips=given.get("allowed_ips", "\n".join(key.allowed_ips)),
        )

    async def change(
        self, request: Request, authority: Authority, key_id: str, form: Mapping[str, str]
    ) -> Response:
        """Change what the form says."""
        key = await self._api_keys.get(authority, key_id)
        try:
            changes: dict[str, Any] = {"name": form.get("name", ""), "allowed_ips": networks(form)}
            if set(chosen := chosen_scopes(form)) != key.scopes:
                changes["scopes"] = chosen
            if form.get("expires", _KEPT) != _KEPT:
                lifetime = lasting(form)
                if lifetime.expires_in is not None:
                    changes["expires_in"] = lifetime.expires_in
                else:
                    changes["expires_at"] = lifetime.expires_at
            await self._api_keys.change(authority, key_id, KeyChanges(**changes))
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.get(request, authority, key_id, form, error)
        return self._pages.go(f"{PATH}/{key.id}")

    async def ask_rotation(
        self,
        request: Request,
        authority: Authority,
        key_id: str,
        form: Mapping[str, str] | None = None,
        error: AppError | None = None,
    ) -> Response:
        """The form for a successor."""
        given = form or {}
        return self._pages.render(
            request,
            "key_rotate.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            key=await self._api_keys.get(authority, key_id),
            once=self._creations.once(given),
            overlaps=_OVERLAPS,
            overlap=given.get("overlap", "3600"),
        )

    async def rotate(
        self, request: Request, authority: Authority, key_id: str, form: Mapping[str, str]
    ) -> Response:
        """The successor, shown this once."""
        creation = await self._creations.creation(request, authority, form)
        former = await self._api_keys.get(authority, key_id)
        overlap = form.get("overlap", "")
        try:
            if overlap not in dict(_OVERLAPS):
                message = "Choose how long the old key goes on working."
                raise InvalidRequest(message, field="overlap")
            outcome = await self._api_keys.rotate(
                authority,
                key_id,
                overlap_seconds=int(overlap),
                claim_for=creation.claim_for(self._shown),
            )
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.ask_rotation(request, authority, key_id, form, error)
        return self._show_secret(request, creation.shown(outcome, self._shown), former)

    async def end_overlap(self, request: Request, authority: Authority, key_id: str) -> Response:
        """End a rotated key now."""
        try:
            await self._api_keys.change(authority, key_id, KeyChanges(overlap_seconds=0))
        except ProofNeeded:
            raise
        except _TOLD as error:
            return await self.get(request, authority, key_id, error=error)
        return self._pages.go(f"{PATH}/{key_id}")

    async def set_status(
        self,
        request: Request,
        authority: Authority,
        key_id: str,
        status: CredentialStatus,
        reason: str | None = None,
    ) -> Response:
        """Disable, enable or revoke."""
        try:
            await self._api_keys.set_status(authority, key_id, status, reason=reason)
        except ProofNeeded:
            raise
        except _TOLD as error:
            if status is CredentialStatus.REVOKED:
                return await self.ask_revocation(request, authority, key_id, reason, error)
            return await self.get(request, authority, key_id, error=error)
        return self._pages.go(f"{PATH}/{key_id}")

    async def ask_revocation(
        self,
        request: Request,
        authority: Authority,
        key_id: str,
        reason: str | None = None,
        error: AppError | None = None,
    ) -> Response:
        """What would end with a key, before it does."""
        key = await self._api_keys.get(authority, key_id)
        family = await self._lineage.family(authority, key_id)
        return self._pages.render(
            request,
            "key_revoke.html",
            status=200 if error is None else STATUS[type(error)],
            error=error,
            key=key,
            tree=tree_of(family, key),
            whole=family.whole,
            reason=reason or "",
        )

    async def _successors(self, authority: Authority, key: Credential) -> Sequence[Credential]:
        if key.overlap_ends_at is None:
            return ()
        return await self._api_keys.page(authority, self._listings.page("", "", 5), parent_id=key.id)

    def _shown(self, made: Made) -> Mapping[str, Any]:
        return {**key_resource(made.credential, self._pages.now()), "key": made.secret}

    def _show_secret(self, request: Request, made: Mapping[str, Any], former: Credential | None) -> Response:
        return self._pages.render(request, "key_made.html", made=made, former=former)


def tree_of(family: Family, credential: Credential) -> Sequence[Branch]:
    """What would end with a credential, itself first, each below what it was made from."""
    children: dict[str | None, list[Credential]] = {}
    for member in reversed(family.members):
        if member.id in family.ends_with_it and member.id != credential.id:
            children.setdefault(member.parent_id, []).append(member)
    found: list[Branch] = []
    waiting = [Branch(credential, 0)]
    while waiting:
        branch = waiting.pop()
        found.append(branch)
        waiting += [Branch(child, branch.depth + 1) for child in children.get(branch.credential.id, ())]
    return found


def routes(calls: KeyPages) -> APIRouter:
    """The routes of API keys' pages."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)
    _add_making(router, calls)
    _add_ending(router, calls)
    return router


def _add_making(router: APIRouter, calls: KeyPages) -> None:

    @router.get("", openapi_extra=_READS)
    async def listing(
        request: Request,
        reader: Reader,
        status: Annotated[str, Query(max_length=20)] = "",
        whose: Annotated[str, Query(max_length=10)] = "",
        search: Words = "",
        cursor: PageCursor = "",
    ) -> Response:
        return await calls.listing(
            request, reader.authority, status_named(status), whose, search.strip(), cursor
        )

    @router.get("/new", openapi_extra=_WRITES)
    async def ask(request: Request, reader: Reader) -> Response:
        return await calls.ask(request, reader.authority)

    @router.post("/new", openapi_extra=_WRITES)
    async def make(request: Request, reader: Reader, form: PageForm) -> Response:
        return await calls.make(request, reader.authority, form)

    @router.get("/{key_id}", openapi_extra=_READS)
    async def get(request: Request, reader: Reader, key_id: KeyId) -> Response:
        return await calls.get(request, reader.authority, key_id)

    @router.post("/{key_id}", openapi_extra=_WRITES)
    async def change(request: Request, reader: Reader, key_id: KeyId, form: PageForm) -> Response:
        return await calls.change(request, reader.authority, key_id, form)

    @router.get("/{key_id}/rotate", openapi_extra=_WRITES)
    async def ask_rotation(request: Request, reader: Reader, key_id: KeyId) -> Response:
        return await calls.ask_rotation(request, reader.authority, key_id)

    @router.post("/{key_id}/rotate", openapi_extra=_WRITES)
    async def rotate(request: Request, reader: Reader, key_id: KeyId, form: PageForm) -> Response:
        return await calls.rotate(request, reader.authority, key_id, form)


def _add_ending(router: APIRouter, calls: KeyPages) -> None:
    @router.post("/{key_id}/end-overlap", openapi_extra=_WRITES)
    async def end_overlap(request: Request, reader: Reader, key_id: KeyId) -> Response:
        return await calls.end_overlap(request, reader.authority, key_id)

    @router.post("/{key_id}/disable", openapi_extra=_WRITES)
    async def disable(request: Request, reader: Reader, key_id: KeyId) -> Response:
        return await calls.set_status(request, reader.authority, key_id, CredentialStatus.DISABLED)

    @router.post("/{key_id}/enable", openapi_extra=_WRITES)
    async def enable(request: Request, reader: Reader, key_id: KeyId) -> Response:
        return await calls.set_status(request, reader.authority, key_id, CredentialStatus.ACTIVE)

    @router.get("/{key_id}/revoke", openapi_extra=_WRITES)
    async def ask_revocation(request: Request, reader: Reader, key_id: KeyId) -> Response:
        return await calls.ask_revocation(request, reader.authority, key_id)

    @router.post("/{key_id}/revoke", openapi_extra=_WRITES)
    async def revoke(request: Request, reader: Reader, key_id: KeyId, form: PageForm) -> Response:
        return await calls.set_status(
            request, reader.authority, key_id, CredentialStatus.REVOKED, form.get("reason")
        )
