"""`/settings/api-keys/try-it`: the documentation's samples with a key in them that ends in a quarter of an hour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bonafides.credentials.api_keys import ApiKeys, KeyWish
from bonafides.credentials.holdings import Made
from bonafides.errors import Conflict, Forbidden, InvalidRequest
from bonafides.model import READ, WRITE
from bonafides.resources import key_resource
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.creations import Creations
from bonafides.web.pages.reception import PageForm, PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.portal.samples import filled
from bonafides.web.problems import STATUS

PATH: Final = "/settings/api-keys/try-it"
SECONDS: Final = 900
NAME: Final = "Try-it key"

_WRITES: Final = {SCOPES_KEY: [WRITE]}
_TOLD: Final = (InvalidRequest, Conflict, Forbidden)


def routes(api_keys: ApiKeys, creations: Creations, pages: Pages) -> APIRouter:
    """The routes of the page."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    def shown(made: Made) -> Mapping[str, Any]:
        return {**key_resource(made.credential, pages.now()), "key": made.secret}

    @router.get("", openapi_extra=_WRITES)
    async def ask(request: Request) -> Response:
        return pages.render(
            request,
            "try_it.html",
            made=None,
            samples=[],
            error=None,
            once=creations.once({}),
            minutes=SECONDS // 60,
        )

    @router.post("", openapi_extra=_WRITES)
    async def make(request: Request, reader: Reader, form: PageForm) -> Response:
        creation = await creations.creation(request, reader.authority, form)
        wish = KeyWish(name=NAME, scopes=(READ,), expires_at=None, expires_in=SECONDS, allowed_ips=())
        try:
            outcome = await api_keys.create(reader.authority, wish, claim_for=creation.claim_for(shown))
        except _TOLD as error:
            return pages.render(
                request,
                "try_it.html",
                status=STATUS[type(error)],
                made=None,
                samples=[],
                error=error,
                once=creations.once(form),
                minutes=SECONDS // 60,
            )
        made = creation.shown(outcome, shown)
        return pages.render(
            request,
            "try_it.html",
            made=made,
            samples=list(filled(made["key"], pages.settings.base_url)),
            error=None,
            once="",
            minutes=SECONDS // 60,
        )

    return router
