"""`/v1/signing-keys` and the key set that everybody may read."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from bonafides.credentials.signing_keys import KEY_SET_SECONDS, SigningKeys
from bonafides.model import ADMIN
from bonafides.resources import page_resource, signing_key_resource
from bonafides.web.answers import JSON, Answer, json_answer, json_bytes
from bonafides.web.bodies import KeyRotation
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.replies import reply
from bonafides.web.schemas import KeySet, SigningKeyPage

CACHED: Final = f"public, max-age={KEY_SET_SECONDS}"

_ADMIN: Final = {"x-required-scopes": [ADMIN]}
_NOT_OPERATOR: Final = {"description": "You are not the operator."}


def routes(signing_keys: SigningKeys) -> APIRouter:
    """The routes of signing keys."""
    router = APIRouter()
    for part in (_managed(signing_keys), _published(signing_keys)):
        router.include_router(part)
    return router


def _managed(signing_keys: SigningKeys) -> APIRouter:
    router = APIRouter(prefix="/v1/signing-keys", route_class=GuardedRoute, tags=["Signing keys"])

    @router.get(
        "",
        operation_id="listSigningKeys",
        summary="List the published signing keys, the current one first (the operator)",
        responses={200: {"model": SigningKeyPage, "description": "All of them."}, 403: _NOT_OPERATOR},
        openapi_extra=_ADMIN,
    )
    async def listing(caller: Caller) -> Response:
        found = await signing_keys.records(caller)
        return reply(json_answer(200, page_resource([signing_key_resource(key) for key in found], None)))

    @router.post(
        "/rotate",
        operation_id="rotateSigningKeys",
        summary="Let the next key sign from now on (the operator)",
        description=(
            "The key before it stays published until all that it has signed has ended, and another one is published to "
            "follow. Keys are rotated by themselves, too: the setting `signing_key_rotation_days`."
        ),
        responses={
            200: {"model": SigningKeyPage, "description": "The keys as they are now."},
            403: _NOT_OPERATOR,
            409: {"description": "The next key was published too lately for all to know it."},
        },
        openapi_extra=_ADMIN,
    )
    async def rotate(caller: Caller, body: KeyRotation | None = None) -> Response:
        found = await signing_keys.rotate(caller, force=body is not None and body.force)
        return reply(json_answer(200, page_resource([signing_key_resource(key) for key in found], None)))

    return router


def _published(signing_keys: SigningKeys) -> APIRouter:
    router = APIRouter(tags=["Signing keys"])

    @router.get(
        "/.well-known/jwks.json",
        operation_id="getKeySet",
        summary="The public keys of signed tokens (RFC 7517)",
        description="The keys that sign now, that will sign next, and that have signed what may still be in use.",
        responses={
            200: {"model": KeySet, "description": "A JWK set."},
            503: {"description": "The keys cannot be read."},
        },
    )
    async def key_set() -> Response:
        found = await signing_keys.key_set()
        return reply(Answer(200, [JSON, (b"cache-control", CACHED.encode("ascii"))], json_bytes(found)))

    return router
