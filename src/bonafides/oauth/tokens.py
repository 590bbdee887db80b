"""Access tokens, refresh tokens and ID tokens: how they are made of what a client was let do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from typing_extensions import override

from bonafides.credentials.signing_keys import ACCESS_TOKEN_TYPE, SigningKeys
from bonafides.delegation import Client, Grant, GrantRefreshToken, TokenFormat
from bonafides.model import (
    STANDARD_SCOPES,
    Clock,
    Credential,
    CredentialKind,
    CredentialStatus,
    DigestedSecret,
    Entropy,
    to_datetime,
)
from bonafides.oauth.client_metadata import ACCESS_TOKEN_SECONDS
from bonafides.secret import Peppers, SecretKind, display, mint, new_id

ID_TOKEN_SECONDS: Final = 3_600
ACCESS_TOKEN_PREFIX: Final = "oat"
GRANT_PREFIX: Final = "grt"

_SECOND_US: Final = 1_000_000
_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True, repr=False)
class MintedToken:
    """A new access token, which exists nowhere else."""

    secret: str
    credential: Credential
    digested: DigestedSecret

    @override
    def __repr__(self) -> str:
        return f"MintedToken({self.credential.id!r})"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a token speaks for, and what it is made from.

    Args:
        parent_id: The credential that it ends with.
        root_id: Where its requests are counted.
        claims: What a signed token says of the login, if there was one.
        ends_at: It does not last longer.
    """

    tenant_id: str
    user_id: str
    parent_id: str
    root_id: str
    claims: Mapping[str, Any]
    ends_at: datetime | None = None
    plan: str | None = None


class Tokens:
    """Makes tokens; what becomes of them is up to who asks.

    Args:
        signing_keys: Sign those that are signed.
        peppers: Digest them.
        clock: When they are made.
        entropy: For ids and secrets.
    """

    def __init__(self, signing_keys: SigningKeys, peppers: Peppers, clock: Clock, entropy: Entropy) -> None:
        self._signing_keys = signing_keys
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy

    async def access_token(
        self,
        client: Client,
        subject: Subject,
        scopes: frozenset[str],
        resources: Sequence[str],
        jkt: str | None = None,
        act: Mapping[str, Any] | None = None,
    ) -> MintedToken:
        """An access token of a client, in the form that the client gets.

        See: RFC 9068 §2.2
        """
        now_us = self._clock.micros()
        issued = now_us // _SECOND_US
        ends = issued + (client.access_token_seconds or ACCESS_TOKEN_SECONDS)
        if subject.ends_at is not None:
            ends = min(ends, int(subject.ends_at.timestamp()))
        identifier = new_id(ACCESS_TOKEN_PREFIX, now_us, self._entropy)
        shown = ""
        if client.token_format is TokenFormat.JWT:
            audiences = list(resources)
            secret = await self._signing_keys.sign(
                {
                    **subject.claims,
                    **({"aud": audiences[0] if len(audiences) == 1 else audiences} if audiences else {}),
                    **({"cnf": {"jkt": jkt}} if jkt is not None else {}),
                    "sub": subject.user_id,
                    "client_id": client.wire_id,
                    "jti": identifier,
                    "scope": " ".join(sorted(scopes)),
                    "tenant_id": subject.tenant_id,
                    "iat": issued,
                    "exp": ends,
                },
                type_=ACCESS_TOKEN_TYPE,
            )
        else:
            secret = mint(SecretKind.OAT, identifier, self._entropy)
            shown = display(secret)
        now = to_datetime(now_us)
        credential = Credential(
            id=identifier,
            kind=CredentialKind.OAUTH_ACCESS_TOKEN,
            tenant_id=subject.tenant_id,
            user_id=subject.user_id,
            name=client.name,
            scopes=scopes,
            plan=subject.plan,
            status=CredentialStatus.ACTIVE,
            expires_at=to_datetime(ends * _SECOND_US),
            overlap_ends_at=None,
            parent_id=subject.parent_id,
            root_id=subject.root_id,
            allowed_ips=(),
            metadata=_NOTHING,
            display=shown,
            created_by=client.id,
            created_at=now,
            updated_at=now,
            last_used_at=None,
            revoked_at=None,
            revocation_reason=None,
            client_id=client.id,
            audiences=tuple(resources),
            jkt=jkt,
            act=act or _NOTHING,
        )
        return MintedToken(secret, credential, self._peppers.digested(secret))

    def refresh_token(
        self, grant_id: str, ends_at: datetime, idle_seconds: int
    ) -> tuple[str, GrantRefreshToken]:
        """A refresh token of a grant, which ends with it, or when it is not used for so long."""
        now_us = self._clock.micros()
        secret = mint(SecretKind.ORT, new_id("ort", now_us, self._entropy), self._entropy)
        now = to_datetime(now_us)
        expires_at = min(now + timedelta(seconds=idle_seconds), ends_at)
        return secret, GrantRefreshToken(self._peppers.digested(secret), grant_id, now, expires_at)

    async def id_token(
        self,
        client: Client,
        grant: Grant,
        access_token: str | None,
        *,
        nonce: str | None,
        told: Mapping[str, Any],
    ) -> str:
        """What tells a client who has logged in: for it alone, and good for nothing at an API.

        Args:
            client: Whom it is for.
            grant: What its user let it do.
            access_token: That comes with it; None if none does.
            nonce: What the client has sent to find it here again.
            told: What it has asked to know of its user.

        See: OpenID Connect Core §2 and §3.1.3.6
        """
        issued = self._clock.micros() // _SECOND_US
        claims: dict[str, Any] = {
            **told,
            **login_claims(grant),
            "sub": grant.user_id,
            "aud": client.wire_id,
            "iat": issued,
            "exp": issued + ID_TOKEN_SECONDS,
        }
        if nonce is not None:
            claims["nonce"] = nonce
        if grant.session_id is not None:
            claims["sid"] = grant.session_id
        return await self._signing_keys.sign(
            claims,
            hashed={} if access_token is None else {"at_hash": access_token},
            algorithm=client.id_token_algorithm,
        )

    def nobodys(self) -> DigestedSecret:
        """Of a credential that nothing opens."""
        return DigestedSecret(self._entropy(32), self._peppers.newest_id)


def login_claims(grant: Grant) -> dict[str, Any]:
    """What is told of the login behind a grant.

    See: OpenID Connect Core §2, RFC 9068 §2.2.1
    """
    claims: dict[str, Any] = {}
    if grant.authenticated_at is not None:
        claims["auth_time"] = int(grant.authenticated_at.timestamp())
    if grant.acr is not None:
        claims["acr"] = grant.acr
    if grant.methods:
        claims["amr"] = sorted(grant.methods)
    return claims


def answer_of(
    minted: MintedToken,
    scopes: frozenset[str],
    now_us: int,
    *,
    refresh_token: str | None = None,
    id_token: str | None = None,
) -> dict[str, Any]:
    """What the token endpoint answers.

    See: RFC 6749 §5.1
    """
    ends_at = minted.credential.expires_at
    seconds = 0 if ends_at is None else int(ends_at.timestamp()) - now_us // _SECOND_US
    return {
        "access_token": minted.secret,
        "token_type": "Bearer" if minted.credential.jkt is None else "DPoP",
        "expires_in": max(0, seconds),
        "scope": " ".join(sorted(scopes)),
        **({} if refresh_token is None else {"refresh_token": refresh_token}),
        **({} if id_token is None else {"id_token": id_token}),
    }


def without_standard(scopes: frozenset[str]) -> frozenset[str]:
    """The scopes that open something: not those by which a person is described."""
    return scopes - STANDARD_SCOPES
