"""Calls by the names that clients of other products know: `/bim/apikey/authenticate` and `/api/auth`."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Request, Response

from bonafides import intake
from bonafides.credentials.bearer_tokens import BearerTokens
from bonafides.credentials.holdings import Made
from bonafides.credentials.personal_tokens import PersonalTokens, TokenWish
from bonafides.directory import Directory
from bonafides.errors import InvalidRequest, UnsupportedMediaType
from bonafides.idempotency import Idempotency
from bonafides.model import (
    READ,
    WRITE,
    Accepted,
    Clock,
    Credential,
    CredentialStatus,
    Reason,
    Rejected,
    to_datetime,
)
from bonafides.resources import account_resource, personal_token_resource, time_text
from bonafides.verification.verifier import Facts, Verifier
from bonafides.web import schemas
from bonafides.web.answers import json_answer
from bonafides.web.bodies import NewAccountToken
from bonafides.web.forms import FORM, fields_of, media_type_of
from bonafides.web.guard import (
    SCOPES_KEY,
    Caller,
    GuardedRoute,
    RejectedError,
    check_query,
    exchange_of,
)
from bonafides.web.metrics import Metrics
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging
from bonafides.web.presented import TWO, clean, presented
from bonafides.web.replies import attempt_of, claim_for, created, reply

_EXCHANGE_BODY: Final[dict[str, Any]] = {
    "required": False,
    "description": "The key, if it is not in a header; and what the token shall be less than the key.",
    "content": {
        media_type: {"schema": {"$ref": "#/components/schemas/KeyExchange"}}
        for media_type in ("application/json", FORM)
    },
}


class KeyExchange(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an exchange."""

    apikey: str | msgspec.UnsetType = msgspec.UNSET
    scope: str | msgspec.UnsetType = msgspec.UNSET
    expires_in: int | float | msgspec.UnsetType = msgspec.UNSET
    """A number without a fraction is whole in JSON Schema, however it is written."""


_decode: Final = msgspec.json.Decoder(KeyExchange).decode


class Exchanges:
    """Exchanges API keys for bearer tokens.

    Args:
        verifier: Judges the key; the exchange counts as one request of it.
        tokens: Issues.
        metrics: Counts verdicts.
    """

    def __init__(self, verifier: Verifier, tokens: BearerTokens, metrics: Metrics) -> None:
        self._verifier = verifier
        self._tokens = tokens
        self._metrics = metrics

    async def exchange(self, request: Request) -> Made:
        """The token for the key that a request presents, in its body or in a header.

        Raises:
            RejectedError: The key is refused, or is something else than a key.
            InvalidRequest: The key is presented twice, or the body is malformed.
            Forbidden: The key lacks a scope that is asked for.
        """
        check_query(request, frozenset())
        asked = await _body_of(request)
        credential = presented(request.scope["headers"])
        if asked.apikey:
            if credential is not None:
                raise InvalidRequest(TWO, field="apikey")
            credential = clean(asked.apikey.encode("utf-8"), "apikey")
        exchange = exchange_of(request)
        verdict = await self._verifier.verify(credential, Facts(address=exchange.address))
        self._metrics.count_verdict(verdict)
        exchange.take(verdict)
        if not isinstance(verdict, Accepted):
            raise RejectedError(verdict)
        made = await self._tokens.issue(
            verdict.principal,
            exchange.actor(verdict.principal),
            scopes=None if asked.scope is msgspec.UNSET else sorted(intake.scope_words(asked.scope)),
            expires_in=_whole_seconds(asked.expires_in),
        )
        if made is None:
            raise RejectedError(Rejected(Reason.INVALID_KEY, verdict.allowance, verdict.principal.kind))
        return made


def _whole_seconds(given: float | msgspec.UnsetType) -> int | None:
    if isinstance(given, msgspec.UnsetType):
        return None
    if not float(given).is_integer():
        message = "expires_in must be a whole number of seconds."
        raise InvalidRequest(message, field="expires_in")
    return int(given)


async def _body_of(request: Request) -> KeyExchange:
    """What the body of an exchange says, whether it is JSON, a form, or missing.

    Raises:
        InvalidRequest: It is malformed; nothing of it is repeated, since it may hold a key.
    """
    body = await request.body()
    if not body:
        return KeyExchange()
    media_type = media_type_of(request)
    if media_type == "application/json":
        try:
            return _decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            message = 'The body must be a JSON object such as {"apikey": "bf_key_…"}, with scope and expires_in at most.'
            raise InvalidRequest(message, field="body") from None
    if media_type == FORM:
        return _form(body)
    message = f"The body must be JSON or a form. Send Content-Type: application/json or {FORM}."
    raise UnsupportedMediaType(message, field="Content-Type")


def _form(body: bytes) -> KeyExchange:
    given = fields_of(body)
    for name in given:
        if name not in KeyExchange.__struct_fields__:
            message = f"{name[:64]!a} is not a field of this form. It has apikey, scope and expires_in."
            raise InvalidRequest(message, field="body")
    seconds = given.get("expires_in")
    if seconds and not (seconds.isascii() and seconds.isdigit() and len(seconds) < 12):  # noqa: PLR2004 - more than any life
        message = "expires_in must be a number of seconds."
        raise InvalidRequest(message, field="expires_in")
    return KeyExchange(
        given.get("apikey", msgspec.UNSET),
        given.get("scope", msgspec.UNSET),
        int(seconds) if seconds else msgspec.UNSET,
    )


def exchange_routes(exchanges: Exchanges) -> APIRouter:
    """The route of the exchange."""
    router = APIRouter(tags=["Bearer tokens"])

    @router.post(
        "/bim/apikey/authenticate",
        operation_id="exchangeApiKey",
        summary="Exchange an API key for a bearer token",
        description=(
            "The key comes as `apikey` in the body, or in a header. The token serves for many requests until it ends, "
            "which is never after its key; then it gets 401 `token_expired`, and the key is exchanged again. `scope` asks "
            "for fewer scopes than the key has, `expires_in` for fewer seconds. Counts as one request of the key."
        ),
        responses={
            200: {"model": schemas.ExchangedKey, "description": "The token, shown this once."},
            403: {
                "description": "The key lacks a scope that is asked for, or may not be used from this address."
            },
        },
        openapi_extra={SCOPES_KEY: [], "requestBody": _EXCHANGE_BODY},
    )
    async def exchange(request: Request) -> Response:
        made = await exchanges.exchange(request)
        token = made.credential
        return reply(
            json_answer(
                200,
                {
                    "authenticated": True,
                    "token": made.secret,
                    "tokenExpiration": time_text(token.expires_at) if token.expires_at else None,
                    "id": token.id,
                    "scopes": sorted(token.scopes),
                },
            )
        )

    return router


def account_routes(
    tokens: PersonalTokens, directory: Directory, idempotency: Idempotency, paging: Paging, clock: Clock
) -> APIRouter:
    """The routes under `/api/auth`."""
    router = APIRouter(prefix="/api/auth", route_class=GuardedRoute, tags=["Personal access tokens"])
    reads, writes = {SCOPES_KEY: [READ]}, {SCOPES_KEY: [WRITE]}
    no_token = {"description": "There is no such token, or it is not yours to see."}

    def show(token: Credential) -> dict[str, Any]:
        shown = personal_token_resource(token, to_datetime(clock.micros()))
        return {
            "tokenId": shown["id"],
            "description": shown["description"],
            "expirationDate": shown["expires_at"],
            "createdDate": shown["created_at"],
            "lastUsedDate": shown["last_used_at"],
            "status": shown["status"],
        }

    def show_made(made: Made) -> dict[str, Any]:
        return {"tokenId": made.credential.id, "token": made.secret}

    @router.get(
        "/user",
        operation_id="getAccount",
        summary="Show the caller and the tenant that they are in",
        responses={200: {"model": schemas.Account, "description": "The user behind the credential."}},
        openapi_extra=reads,
    )
    async def user(caller: Caller) -> Response:
        found = await directory.user(caller, caller.user_id or "")
        return reply(json_answer(200, account_resource(found, await directory.tenant(found.tenant_id))))

    @router.post(
        "/tokens",
        operation_id="createAccountToken",
        summary="Create a personal access token of your own",
        status_code=201,
        responses={
            201: {"model": schemas.MadeAccountToken, "description": "The token, shown this once."},
            403: {"description": "The token would have more than your credential."},
            409: {"description": "The Idempotency-Key was used for a different call."},
        },
        openapi_extra=writes,
    )
    async def create(request: Request, caller: Caller, body: NewAccountToken) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        wish = TokenWish(body.description, expires_at=body.expirationDate)
        try:
            outcome = await tokens.create(caller, wish, claim_for=claim_for(idempotency, attempt, show_made))
        except InvalidRequest as error:
            if error.field != "expires_at":
                raise
            # By the name that the caller has given it.
            raise InvalidRequest(
                error.public.replace("expires_at", "expirationDate"), field="expirationDate"
            ) from None
        return created(
            idempotency, attempt, outcome, show_made, lambda made: f"/api/auth/tokens/{made['tokenId']}"
        )

    @router.get(
        "/tokens",
        operation_id="listAccountTokens",
        summary="List personal access tokens, newest first",
        responses={200: {"model": schemas.AccountTokenPage, "description": "A page of tokens."}},
        openapi_extra=reads,
    )
    async def listing(caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Response:
        context = f"account-tokens {caller.tenant_id} {caller.user_id}"
        found = await tokens.page(caller, paging.page(limit, cursor, context), user_id=caller.user_id)
        return paging.answer(found, limit, context, show, lambda token: (token.created_at, token.id))

    @router.delete(
        "/tokens/{token_id}",
        operation_id="revokeAccountToken",
        summary="Revoke a personal access token",
        status_code=204,
        responses={
            204: {"description": "The token is revoked."},
            403: {"description": "The token belongs to somebody more powerful."},
            404: no_token,
        },
        openapi_extra=writes,
    )
    async def revoke(
        caller: Caller, token_id: Annotated[str, Path(description="The token's id.")]
    ) -> Response:
        await tokens.set_status(caller, token_id, CredentialStatus.REVOKED)
        return Response(status_code=204)

    return router
