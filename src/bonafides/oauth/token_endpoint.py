"""The token endpoint, in five phases: parse, authenticate the client, judge what it asks for, grant, answer.

The web parses and answers; what stands between is here, the same for every grant. A grant fills in only its
own part.

See: RFC 6749 §3.2
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.delegation import Client, GrantType, PresentedCode
from bonafides.errors import (
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from bonafides.model import Actor, Clock, to_datetime
from bonafides.oauth.client_authentication import Claim, ClientAuthentication
from bonafides.oauth.client_metadata import check_resource
from bonafides.oauth.dpop import KeyProofs, algorithms_of
from bonafides.oauth.grants import REUSED, Answer, Grants, GrantsStore, GrantWish
from bonafides.oauth.pkce import proves
from bonafides.oauth.tokens import Subject, Tokens, answer_of, without_standard
from bonafides.secret import Peppers

RESOURCES_MAX: Final = 10

_PROOFS: Final = frozenset({"client_id", "client_secret", "client_assertion"})
_CODE: Final = re.compile(r"[0-9A-Za-z]{43}")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request to the token endpoint, parsed.

    Args:
        authorization: The header's value, if there is one.
        fields: Of the body, each given once and not empty.
        resources: `resource`, which may be given several times (RFC 8707 §2).
        address: Where it came from.
        request_id: Told to the client.
        proofs: The values of its `DPoP` headers.
        audiences: `audience`, which is the same as `resource` where tokens are exchanged (RFC 8693 §2.1).
        claim: Who its client says it is, where that was read before; `authorization` and the secret are left out then.
    """

    authorization: bytes | None
    fields: Mapping[str, str]
    resources: tuple[str, ...] = ()
    address: str | None = None
    request_id: str | None = None
    proofs: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What an authenticated client asks for.

    Args:
        scopes: None where it names none.
        resources: None where it names none.
        jkt: Thumbprint of the key that it has proven to hold; its access token is bound to it.
    """

    client: Client
    fields: Mapping[str, str]
    scopes: frozenset[str] | None
    resources: tuple[str, ...] | None
    request: TokenRequest
    jkt: str | None = None

    def field(self, name: str) -> str:
        """A field that the grant needs.

        Raises:
            InvalidRequest: It is missing.
        """
        value = self.fields.get(name)
        if value is None:
            message = f"{name}: is required."
            raise InvalidRequest(message, field=name)
        return value

    def actor(self, via: str, user_id: str | None = None) -> Actor:
        """Who acts, for the trail."""
        return Actor(
            user_id or self.client.id, self.client.id, via, self.request.request_id, self.request.address
        )


class GrantHandler(Protocol):
    """What one grant does of all this."""

    @property
    def grant_type(self) -> GrantType:
        """Its name on the wire."""
        ...

    async def answer(self, asked: Asked) -> Answer:
        """The tokens for what a client asks, which it may ask."""
        ...


class TokenEndpoint:
    """Answers requests for tokens.

    Args:
        authentication: Finds out who asks.
        proofs: Judge what shows that it holds a key.
        handlers: The grants there are.
        audiences: Resources for which every client may ask.
        endpoints: URLs that client assertions may be for, beside the issuer; the first is this one.
    """

    def __init__(
        self,
        authentication: ClientAuthentication,
        proofs: KeyProofs,
        handlers: Sequence[GrantHandler],
        audiences: Sequence[str],
        endpoints: Sequence[str],
    ) -> None:
        self._authentication = authentication
        self._proofs = proofs
        self._handlers = {str(handler.grant_type): handler for handler in handlers}
        self._audiences = audiences
        self._endpoints = endpoints

    @property
    def grant_types(self) -> Sequence[str]:
        """The grants there are."""
        return sorted(self._handlers)

    async def answer(self, request: TokenRequest) -> Answer:
        """The tokens that a client asks for and may have.

        Raises:
            AppError: By the names of RFC 6749 §5.2.
        """
        client = await self._client(request)
        handler = self._handler(client, request)
        scope = request.fields.get("scope")
        scopes = None if scope is None else _scopes(scope)
        named = request.resources
        if handler.grant_type is GrantType.TOKEN_EXCHANGE:
            named += request.audiences
        resources = self._resources(client, named) if named else None
        jkt = await self._key(client, request)
        return await handler.answer(Asked(client, request.fields, scopes, resources, request, jkt))

    async def _client(self, request: TokenRequest) -> Client:
        """Who asks: an assertion of its own that is presented as a grant needs nothing beside it.

        See: RFC 7521 §4.1
        """
        if request.claim is not None:
            return await self._authentication.prove(request.claim)
        fields = request.fields
        alone = request.authorization is None and not _PROOFS & fields.keys()
        if alone and fields.get("grant_type") == GrantType.JWT_BEARER and "assertion" in fields:
            return await self._authentication.named_by(fields["assertion"])
        return await self._authentication.authenticate(request.authorization, fields, self._endpoints)

    async def _key(self, client: Client, request: TokenRequest) -> str | None:
        """The key that the client has proven to hold; its proof is used.

        See: RFC 9449 §5 and §5.2
        """
        if not request.proofs:
            if client.dpop_bound:
                message = "DPoP: the client's tokens are bound to a key. Send a proof of it."
                raise InvalidRequest(message, field="DPoP")
            return None
        proof = self._proofs.read(
            request.proofs, "POST", self._endpoints[:1], algorithms=algorithms_of(client)
        )
        await self._proofs.spend(proof)
        return proof.jkt

    def _handler(self, client: Client, request: TokenRequest) -> GrantHandler:
        """The grant that is asked for, if the client may.

        See: OWASP ASVS 10.4.4
        """
        name = request.fields.get("grant_type")
        if name is None:
            message = "grant_type: is required."
            raise InvalidRequest(message, field="grant_type")
        handler = self._handlers.get(name)
        if handler is None:
            message = f"There is no such grant here. There is {', '.join(self.grant_types)}."
            raise UnsupportedGrantType(message, field="grant_type")
        if name not in client.grant_types:
            message = f"The client may not use the grant {name}."
            raise UnauthorizedClient(message, field="grant_type")
        return handler

    def _resources(self, client: Client, asked: Sequence[str]) -> tuple[str, ...]:
        """The resources that are asked for, if they are the client's to ask for.

        See: RFC 8707 §2
        """
        if len(asked) > RESOURCES_MAX:
            message = f"resource: at most {RESOURCES_MAX} can be asked for at once."
            raise InvalidTarget(message, field="resource")
        for uri in asked:
            if uri not in self._audiences and uri not in client.audiences:
                try:
                    check_resource(uri, "resource")
                except InvalidRequest as error:
                    raise InvalidTarget(error.public, field="resource") from None
                message = "resource: the client may not ask for tokens for this resource."
                raise InvalidTarget(message, field="resource")
        return tuple(dict.fromkeys(asked))


class ClientCredentials:
    """A client that acts for itself.

    Args:
        store: Where tokens are.
        tokens: Makes them.
        recorder: Makes audit events.
        clock: When things happen.
    """

    grant_type = GrantType.CLIENT_CREDENTIALS

    def __init__(self, store: GrantsStore, tokens: Tokens, recorder: Recorder, clock: Clock) -> None:
        self._store = store
        self._tokens = tokens
        self._recorder = recorder
        self._clock = clock

    async def answer(self, asked: Asked) -> Answer:
        """An access token for the client itself; its subject is nobody else's.

        See: RFC 6749 §4.4, RFC 9700 §4.15
        """
        client = asked.client
        most = without_standard(client.scopes)
        scopes = most if asked.scopes is None else without_standard(asked.scopes)
        require_scopes(scopes, most)
        subject = Subject(client.tenant_id, client.id, client.id, client.id, {})
        minted = await self._tokens.access_token(client, subject, scopes, asked.resources or (), asked.jkt)
        event = self._recorder.event(
            "oauth_access_token.created",
            asked.actor("client_credentials"),
            client.tenant_id,
            minted.credential.id,
            {"client_id": client.id, "scopes": sorted(scopes)},
        )
        await self._store.create_credential(minted.credential, minted.digested, event)
        return answer_of(minted, scopes, self._clock.micros())


class AuthorizationCodes:
    """A client that redeems what a person's browser has brought it.

    Args:
        store: Where codes are.
        grants: Begins what they give.
        recorder: Makes audit events.
        peppers: Digest codes.
        clock: When things happen.
    """

    grant_type = GrantType.AUTHORIZATION_CODE

    def __init__(
        self, store: GrantsStore, grants: Grants, recorder: Recorder, peppers: Peppers, clock: Clock
    ) -> None:
        self._store = store
        self._grants = grants
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock

    async def answer(self, asked: Asked) -> Answer:
        """The tokens for a code, which is spent before they are given; a second use of it ends them.

        See: RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §2.1.1
        """
        code = asked.field("code")
        found = await self._find(code) if _CODE.fullmatch(code) is not None else None
        if found is None or found.code.client_id != asked.client.id:
            raise _bad_code()
        if found.grant_id is not None:
            await self._end(found, asked)
        self._require_bound(found, asked)
        if found.code.expires_at <= to_datetime(self._clock.micros()) or not found.live:
            raise _bad_code()
        bound = found.code
        wish = GrantWish(
            user=found.user,
            scopes=bound.scopes & asked.client.scopes,
            resources=bound.resources,
            session_id=bound.session_id,
            authenticated_at=bound.authenticated_at,
            methods=bound.methods,
            acr=bound.acr,
            nonce=bound.nonce,
            claims=bound.claims,
            jkt=asked.jkt,
        )
        new, answer = await self._grants.begin(asked.client, wish, asked.resources)
        event = self._recorder.event(
            "grant.created",
            asked.actor("authorization_code", bound.user_id),
            bound.tenant_id,
            new.grant.id,
            {"client_id": asked.client.id, "scopes": sorted(wish.scopes)},
        )
        if await self._store.redeem_code(found.digest, new, event):
            return answer
        again = await self._find(code)
        if again is not None and again.grant_id is not None:
            await self._end(again, asked)
        raise _bad_code()

    async def _find(self, code: str) -> PresentedCode | None:
        presented = code.encode("ascii")
        return await self._store.find_code(self._peppers.candidates(presented))

    async def _end(self, found: PresentedCode, asked: Asked) -> None:
        """End what a code gave: two have it.

        See: OWASP ASVS 10.4.2
        """
        await self._grants.end(
            found.grant_id or "",
            found.code.tenant_id,
            "grant.code_reused",
            asked.actor("authorization_code"),
            f"code {REUSED}",
        )
        raise _bad_code()

    def _require_bound(self, found: PresentedCode, asked: Asked) -> None:
        """Refuse a code that is redeemed by another than who asked for it, as far as that can be proven."""
        bound, fields = found.code, asked.fields
        redirect_uri = fields.get("redirect_uri")
        if redirect_uri != bound.redirect_uri and (redirect_uri is not None or bound.redirect_uri_given):
            message = "redirect_uri: is not the one that the code was asked for with."
            raise InvalidGrant(message, field="redirect_uri")
        if bound.jkt is not None and bound.jkt != asked.jkt:
            message = "DPoP: the code is bound to another key, or to one that was not proven."
            raise InvalidGrant(message, field="DPoP")
        verifier = fields.get("code_verifier")
        if bound.code_challenge is None:
            # A verifier without a challenge: somebody has taken the challenge out of the request.
            if verifier is not None or asked.client.require_pkce:
                message = "code_verifier: the code was asked for without a code_challenge."
                raise InvalidGrant(message, field="code_verifier")
        elif verifier is None or not proves(verifier, bound.code_challenge):
            message = "code_verifier: is missing, or not the one of the code's code_challenge."
            raise InvalidGrant(message, field="code_verifier")


class RefreshTokens:
    """A client that goes on with what it was let do.

    Args:
        grants: Renews them.
    """

    grant_type = GrantType.REFRESH_TOKEN

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    async def answer(self, asked: Asked) -> Answer:
        """New tokens for a refresh token.

        See: RFC 6749 §6
        """
        return await self._grants.renew(
            asked.client,
            asked.field("refresh_token"),
            asked.scopes,
            asked.resources,
            asked.jkt,
            asked.actor("refresh_token"),
        )


def require_scopes(asked: frozenset[str], most: frozenset[str]) -> None:
    """Refuse scopes that a client may not have.

    Raises:
        InvalidScope: It may not; nothing of what is asked is repeated that is not a scope here.
    """
    if not asked <= most:
        message = f"scope: the client may have {' '.join(sorted(most)) or 'none'} at most."
        raise InvalidScope(message, field="scope")


def _scopes(scope: str) -> frozenset[str]:
    try:
        return intake.scope_words(scope)
    except InvalidRequest as error:
        raise InvalidScope(error.public, field="scope") from None


def _bad_code() -> InvalidGrant:
    return InvalidGrant(
        "The code is not good: unknown, used before, ended, or another client's.", field="code"
    )
