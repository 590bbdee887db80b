"""Signing keys: made, published ahead, used, retired. The only file that knows JOSE.

A key is published before it signs, and stays published until all that it has signed has ended; so a
rotation fails nobody, neither here nor where the key set is kept for some minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, cast

import msgspec
from joserfc import jwk, jws
from joserfc.errors import JoseError
from typing_extensions import override

from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.errors import Conflict, Unavailable
from bonafides.model import (
    Actor,
    Clock,
    Entropy,
    Signed,
    SigningAlgorithm,
    SigningKey,
    SigningKeyStatus,
    to_datetime,
)
from bonafides.secret import Peppers, Sign, es256_signer
from bonafides.store import SigningKeyStore

TOKEN_BYTES_MAX: Final = 8_192
KEY_SET_SECONDS: Final = 300
"""How long others may keep the key set."""
TYPE: Final = "JWT"
ACCESS_TOKEN_TYPE: Final = "at+jwt"
"""See: RFC 9068 §2.1"""

_HEADER_BYTES_MAX: Final = 512
_RSA_BITS: Final = 3_072
_AHEAD_SECONDS_MAX: Final = 86_400
_SKEW_SECONDS: Final = 60
_LEARN_SECONDS: Final = 1.0
_ROUNDS_MAX: Final = 5
_HEADER: Final = frozenset({"alg", "kid", "typ"})
_KID: Final = re.compile(r"[0-9A-Za-z_-]{43}")
_TEXT_CLAIMS: Final = ("sub", "jti", "scope", "tenant_id")
_NUMBER_CLAIMS: Final = ("iat", "exp")
_TYPES: Final = frozenset({TYPE, ACCESS_TOKEN_TYPE})
_HASHES: Final = {
    SigningAlgorithm.EDDSA: hashlib.sha512,
    SigningAlgorithm.ES256: hashlib.sha256,
    SigningAlgorithm.RS256: hashlib.sha256,
}
_ITSELF: Final = Actor(None, None, via="server")

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class SigningRules:
    """What tokens say of their issuer, and how its keys come and go.

    Args:
        issuer: `iss`, compared whole.
        audience: `aud`, compared whole.
        algorithm: Of new keys.
        rotation_seconds: How long a key signs.
        token_seconds_max: How long what it signs lasts at most.
    """

    issuer: str
    audience: str
    algorithm: SigningAlgorithm
    rotation_seconds: int
    token_seconds_max: int

    @property
    def ahead_seconds(self) -> int:
        """How long a key is published before the schedule lets it sign."""
        return min(_AHEAD_SECONDS_MAX, self.rotation_seconds // 2)


class _Pinned(jws.JWSRegistry):
    """One algorithm, that of our own record of the key; what a token says can only agree with it.

    See: RFC 8725 §3.1
    """

    def __init__(self, algorithm: SigningAlgorithm) -> None:
        super().__init__(algorithms=[algorithm])
        self._algorithm = algorithm

    @override
    def get_alg(self, name: str) -> Any:
        # joserfc's own warns of the name EdDSA, which is the one that clients know: RFC 9864 is young.
        return self.algorithms[self._algorithm]


_REGISTRIES: Final = {algorithm: _Pinned(algorithm) for algorithm in SigningAlgorithm}


@dataclass(frozen=True, slots=True, repr=False)
class _Signer:
    """The key in use, opened."""

    kid: str
    algorithm: SigningAlgorithm
    sign: Sign
    heads: dict[str, bytes] = field(default_factory=dict)
    """By the type of token: the same for all of them."""

    def compact(self, type_: str, payload: bytes) -> str:
        """A payload as a compact JWS.

        See: RFC 7515 §7.1
        """
        head = self.heads.get(type_)
        if head is None:
            header = {"alg": str(self.algorithm), "kid": self.kid, "typ": type_}
            head = self.heads[type_] = _base64url(_encode(header)) + b"."
        signed = head + _base64url(payload)
        # joserfc's own way to the same would write and judge the header, and judge the key, anew for each token.
        return (signed + b"." + _base64url(self.sign(signed))).decode("ascii")


@dataclass(frozen=True, slots=True)
class _Ring:
    """The keys as they were read."""

    records: tuple[SigningKey, ...] = ()
    public: Mapping[str, tuple[SigningAlgorithm, jwk.Key]] = field(default_factory=dict)
    signer: _Signer | None = None
    beside: Mapping[SigningAlgorithm, _Signer] = field(default_factory=dict)

    def signer_by(self, algorithm: SigningAlgorithm | None) -> _Signer | None:
        """What signs in that way; by default, as the server does."""
        if algorithm is None or (self.signer is not None and self.signer.algorithm is algorithm):
            return self.signer
        return self.beside.get(algorithm)


class SigningKeys:
    """Signs tokens, judges signatures, and sees to it that there is always a key.

    Args:
        store: Where keys are.
        recorder: Makes audit events.
        peppers: Seal private parts.
        clock: When a key is due.
        entropy: For nonces.
        rules: Issuer, audience, algorithm and schedule.
    """

    def __init__(
        self,
        store: SigningKeyStore,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        rules: SigningRules,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self.rules = rules
        self._ring = _Ring()
        self._outdated = True
        self._learnt_at = float("-inf")

    def outdate(self) -> None:
        """Read the keys anew before they are next used: somebody has changed them."""
        self._outdated = True

    async def read(self) -> None:
        """Read the keys as they are now.

        Raises:
            Unavailable: The database cannot be asked.
        """
        self._outdated = False
        try:
            self._ring = self._open(await self._store.list_signing_keys())
        except BaseException:
            self._outdated = True
            raise

    async def maintain(self) -> None:
        """Make, rotate, forget and reseal what is due; of several processes that do, one wins.

        Raises:
            Unavailable: The database cannot be asked.
        """
        for _ in range(_ROUNDS_MAX):
            await self.read()
            records = self._ring.records
            wanted, why = await self._due(records)
            if why is None:
                return
            await self._replace(records, wanted, why, _ITSELF)

    async def rotate(self, authority: Authority, *, force: bool = False) -> Sequence[SigningKey]:
        """Let the next key sign from now on, and publish one to follow it.

        Args:
            authority: The operator's.
            force: Also where the next key was published so lately that others may not know it yet.

        Raises:
            Forbidden: The caller is not the operator.
            Conflict: The next key was published too lately, or somebody else is rotating.
        """
        authority.require_operator("rotate the signing keys")
        await self.maintain()
        records = self._ring.records
        now = self._now()
        following = _of(records, SigningKeyStatus.NEXT)
        if following is None:
            raise Unavailable(internal="signing keys: there is no next key")
        age = (now - following.created_at).total_seconds()
        if age < KEY_SET_SECONDS and not force:
            wait = KEY_SET_SECONDS - int(age)
            message = (
                f"The next key was published {int(age)} seconds ago, and others may keep an older key set for "
                f"{KEY_SET_SECONDS} seconds. Try again in {wait} seconds, or force it if the current key has leaked."
            )
            raise Conflict(message, field="force")
        wanted: Sequence[SigningKey] = [
            *self._promoted(records, now),
            await self._make(SigningKeyStatus.NEXT),
        ]
        for algorithm in self._ring.beside:
            wanted = await self._followed(wanted, algorithm, now, at_once=force)
        if not await self._replace(records, wanted, "rotated", authority.actor):
            message = "Somebody else is rotating the signing keys. Look at them before you try again."
            raise Conflict(message)
        await self.read()
        return self._ring.records

    async def records(self, authority: Authority) -> Sequence[SigningKey]:
        """Every published key, the current one first.

        Raises:
            Forbidden: The caller is not the operator.
        """
        authority.require_operator("see the signing keys")
        await self.maintain()
        return self._ring.records

    async def key_set(self) -> Mapping[str, Any]:
        """The public keys, for everybody who verifies by themselves.

        Raises:
            Unavailable: They were never read, and cannot be.

        See: RFC 7517 §5
        """
        if not self._ring.records:
            await self.maintain()
        elif self._outdated:
            # Outdated ones are better than none: they are published long before and after they are needed.
            with contextlib.suppress(Unavailable):
                await self.read()
        return {"keys": [dict(record.public_jwk) for record in self._ring.records]}

    async def sign(
        self,
        claims: Mapping[str, Any],
        *,
        type_: str = TYPE,
        hashed: Mapping[str, str] | None = None,
        algorithm: SigningAlgorithm | None = None,
    ) -> str:
        """A compact JWT of these claims and of who issues it, signed with the current key.

        Args:
            claims: With `aud`, if it is for somebody else than our own audience.
            type_: Tells what kind of token it is; each is judged by rules of its own.
            hashed: Claims that hold the left half of the hash of a text, such as `at_hash` of an access token.
            algorithm: How, where the reader has asked for it; None for the server's own way.

        Raises:
            Unavailable: The keys cannot be read.

        See: RFC 8725 §3.11, OpenID Connect Core §3.1.3.6
        """
        if self._outdated:
            await self.read()
        if self._ring.signer is None:
            await self.maintain()
        if algorithm is not None:
            await self.ensure(algorithm)
        signer = self._ring.signer_by(algorithm)
        if signer is None:
            raise Unavailable(internal="signing keys: there is no current key that a pepper opens")
        payload = {"iss": self.rules.issuer, "aud": self.rules.audience, **claims}
        if hashed:
            payload |= {name: _half_hash(text, signer.algorithm) for name, text in hashed.items()}
        return signer.compact(type_, _encode(payload))

    async def ensure(self, algorithm: SigningAlgorithm | None) -> None:
        """See to it that something can be signed in that way: the first client that asks for it has its key made.

        Raises:
            Unavailable: The keys cannot be read.
        """
        for _ in range(_ROUNDS_MAX):
            if algorithm is None or self._ring.signer_by(algorithm) is not None:
                return
            await self.maintain()
            if self._ring.signer_by(algorithm) is not None:
                return
            records = self._ring.records
            wanted = await self._followed(records, algorithm, self._now(), at_once=True)
            await self._replace(records, wanted, "created", _ITSELF)
            await self.read()

    def offered_algorithms(self) -> Sequence[str]:
        """How clients may have tokens signed, the server's own way first."""
        return list(dict.fromkeys(map(str, (self.rules.algorithm, *SigningAlgorithm))))

    def judge(self, token: bytes, now_us: int) -> Signed:
        """What a token's signature and claims say of it; whether it was ended since, the store knows.

        Cheap before dear: its length, then its header, which may hold nothing but the names that ours have,
        then the signature, by the algorithm of our own record, then the claims.

        See: RFC 8725 §3, RFC 7519 §7.2
        """
        if len(token) > TOKEN_BYTES_MAX:
            return Signed.BAD
        header = _header(token)
        if header is None:
            return Signed.BAD
        found = self._ring.public.get(header["kid"])
        if found is None:
            return Signed.UNKNOWN_KEY
        algorithm, key = found
        if header["alg"] != algorithm or header["typ"] not in _TYPES:
            return Signed.BAD
        try:
            payload = jws.deserialize_compact(token, key, registry=_REGISTRIES[algorithm]).payload
            claims = _decode(payload or b"")
        except (JoseError, ValueError, TypeError, RecursionError):
            return Signed.BAD
        return self._judge_claims(claims, header["typ"], now_us)

    async def opened(self, token: str, type_: str) -> Mapping[str, Any] | None:
        """The claims of a token of that type that was signed here, whether or not its time is up; None of any other.

        See: RFC 8725 §3.1 and §3.11

        Raises:
            Unavailable: The keys cannot be read.
        """
        raw = token.encode("utf-8", "replace")
        header = _header(raw) if len(raw) <= TOKEN_BYTES_MAX else None
        if header is None or header["typ"] != type_:
            return None
        if header["kid"] not in self._ring.public:
            await self.learn()
        algorithm, key = self._ring.public.get(header["kid"], (None, None))
        if key is None or algorithm is None or header["alg"] != algorithm:
            return None
        try:
            payload = jws.deserialize_compact(raw, key, registry=_REGISTRIES[algorithm]).payload
            claims = _decode(payload or b"")
        except (JoseError, ValueError, TypeError, RecursionError):
            return None
        return claims if isinstance(claims, dict) else None

    async def learn(self) -> None:
        """Read the keys because somebody presents one that is not known, though not for every one who does.

        Raises:
            Unavailable: The database cannot be asked.
        """
        now = self._clock.monotonic()
        if self._outdated or now - self._learnt_at >= _LEARN_SECONDS:
            self._learnt_at = now
            await self.read()

    def _judge_claims(self, claims: object, type_: str, now_us: int) -> Signed:
        if not isinstance(claims, dict):
            return Signed.BAD
        named = claims.get("iss") == self.rules.issuer
        texts: tuple[str, ...] = _TEXT_CLAIMS
        if type_ == ACCESS_TOKEN_TYPE:
            # For which resource it is, its row says and who asks about it judges; that it was given to a client is sure.
            texts = (*_TEXT_CLAIMS, "client_id")
        else:
            named = named and claims.get("aud") == self.rules.audience
        whole = all(type(claims.get(name)) is str for name in texts) and all(
            type(claims.get(name)) is int for name in _NUMBER_CLAIMS
        )
        if not named or not whole or claims["iat"] > now_us // 1_000_000 + _SKEW_SECONDS:
            return Signed.BAD
        return Signed.EXPIRED if claims["exp"] * 1_000_000 <= now_us else Signed.GOOD

    async def _due(self, records: Sequence[SigningKey]) -> tuple[Sequence[SigningKey], str | None]:
        """The keys as they should be, and what has to be done for it; None where nothing has."""
        now = self._now()
        current = _of(records, SigningKeyStatus.CURRENT)
        following = _of(records, SigningKeyStatus.NEXT)
        retired = [record for record in records if record.status is SigningKeyStatus.RETIRED]
        ended = [record for record in retired if record.published_until and record.published_until <= now]
        if current is None or self._ring.signer is None:
            return await self._beginning(records, now), "created"
        if following is None or following.algorithm is not self.rules.algorithm:
            kept = [record for record in records if record is not following]
            return [*kept, await self._make(SigningKeyStatus.NEXT)], "created"
        if self._is_ripe(current, self.rules.rotation_seconds, now) and self._is_ripe(
            following, self.rules.ahead_seconds, now
        ):
            return [*self._promoted(records, now), await self._make(SigningKeyStatus.NEXT)], "rotated"
        beside = await self._beside(records, current.algorithm, now)
        if beside != list(records):
            return beside, "rotated"
        if ended:
            return [record for record in records if record not in ended], "deleted"
        if any(record.pepper_id != self._peppers.newest_id for record in records):
            return [self._resealed(record) for record in records], "resealed"
        return records, None

    async def _beginning(self, records: Sequence[SigningKey], now: datetime) -> Sequence[SigningKey]:
        """A key to sign with and one to follow; one that no pepper opens can still be verified against."""
        rest = [_retired(record, now, self._lasting) for record in records]
        current = replace(await self._make(SigningKeyStatus.CURRENT), activated_at=now)
        return [current, await self._make(SigningKeyStatus.NEXT), *rest]

    async def _beside(
        self, records: Sequence[SigningKey], current: SigningAlgorithm, now: datetime
    ) -> Sequence[SigningKey]:
        """The keys of other algorithms as they should be: each is followed in time, and then retired."""
        wanted: Sequence[SigningKey] = list(records)
        for algorithm in SigningAlgorithm:
            line = _line(wanted, algorithm)
            if not line:
                continue
            if algorithm is current or algorithm not in self._ring.beside:
                wanted = _without(wanted, line, now, self._lasting)
            elif self._is_ripe(line[-1], self.rules.rotation_seconds, now):
                wanted = await self._followed(wanted, algorithm, now, at_once=False)
            elif self._is_ripe(line[-1], self.rules.ahead_seconds, now):
                wanted = _without(wanted, line[:-1], now, self._lasting)
        return wanted

    async def _followed(
        self, records: Sequence[SigningKey], algorithm: SigningAlgorithm, now: datetime, *, at_once: bool
    ) -> Sequence[SigningKey]:
        """The keys with another one of an algorithm: published ahead of those that sign, or at once in their place."""
        made = replace(await self._make(SigningKeyStatus.BESIDE, algorithm), activated_at=now)
        rest = _without(records, _line(records, algorithm), now, self._lasting) if at_once else records
        return [*rest, made]

    def _is_ripe(self, record: SigningKey, seconds: int, now: datetime) -> bool:
        since = record.activated_at or record.created_at
        return (now - since).total_seconds() >= seconds

    def _promoted(self, records: Sequence[SigningKey], now: datetime) -> Sequence[SigningKey]:
        """The next key as the current one, and the current one retired."""
        return [
            replace(record, status=SigningKeyStatus.CURRENT, activated_at=now)
            if record.status is SigningKeyStatus.NEXT
            else _retired(record, now, self._lasting)
            if record.status is SigningKeyStatus.CURRENT
            else record
            for record in records
        ]

    @property
    def _lasting(self) -> timedelta:
        """How long what was signed a moment ago may be in use, where nodes have yet to learn of the change."""
        return timedelta(seconds=self.rules.token_seconds_max + KEY_SET_SECONDS)

    async def _make(self, status: SigningKeyStatus, algorithm: SigningAlgorithm | None = None) -> SigningKey:
        algorithm = algorithm or self.rules.algorithm
        key = await asyncio.to_thread(_generate, algorithm)
        kid = key.thumbprint()
        public = {"kid": kid, "alg": str(algorithm), "use": "sig", **key.as_dict(private=False)}
        private = _encode(key.as_dict(private=True))
        return SigningKey(
            kid=kid,
            algorithm=algorithm,
            status=status,
            public_jwk=public,
            sealed=self._peppers.seal_at_rest(private, _place(kid), self._entropy),
            pepper_id=self._peppers.newest_id,
            created_at=self._now(),
        )

    def _resealed(self, record: SigningKey) -> SigningKey:
        private = self._peppers.unseal_at_rest(record.sealed, _place(record.kid))
        if private is None:
            return replace(record, pepper_id=self._peppers.newest_id)
        sealed = self._peppers.seal_at_rest(private, _place(record.kid), self._entropy)
        return replace(record, sealed=sealed, pepper_id=self._peppers.newest_id)

    async def _replace(
        self,
        seen: Sequence[SigningKey],
        wanted: Sequence[SigningKey],
        what: str,
        actor: Actor,
    ) -> bool:
        """Put other keys in place of those that were seen; False if somebody else did so first."""
        current = _of(wanted, SigningKeyStatus.CURRENT)
        kid = current.kid if current is not None else ""
        details = {"kids": {record.kid: str(record.status) for record in wanted}}
        tenant_id = await self._store.operator_tenant_id()
        event = self._recorder.event(f"signing_key.{what}", actor, tenant_id, kid, details)
        return await self._store.replace_signing_keys(seen, wanted, event)

    def _open(self, records: Sequence[SigningKey]) -> _Ring:
        public = {
            record.kid: (record.algorithm, jwk.import_key(dict(record.public_jwk))) for record in records
        }
        current = _of(records, SigningKeyStatus.CURRENT)
        beside: dict[SigningAlgorithm, _Signer] = {}
        for record in records:
            signer = self._signer(record) if record.status is SigningKeyStatus.BESIDE else None
            if signer is not None:
                # The oldest that opens: a younger one is published ahead of its use.
                beside.setdefault(record.algorithm, signer)
        return _Ring(tuple(records), public, None if current is None else self._signer(current), beside)

    def _signer(self, record: SigningKey) -> _Signer | None:
        """The key to sign with; None where no pepper opens it."""
        private = self._peppers.unseal_at_rest(record.sealed, _place(record.kid))
        if private is None:
            return None
        key = jwk.import_key(cast("dict[str, Any]", _decode(private)))
        return _Signer(record.kid, record.algorithm, _signing(record.algorithm, key))

    def _now(self) -> datetime:
        return to_datetime(self._clock.micros())


def _signing(algorithm: SigningAlgorithm, key: jwk.Key) -> Sign:
    """What signs with a key."""
    if algorithm is SigningAlgorithm.ES256 and isinstance(key, jwk.ECKey):
        return es256_signer(key.private_key)
    return partial(_REGISTRIES[algorithm].get_alg(algorithm).sign, key=key)


def _base64url(plain: bytes) -> bytes:
    """Bytes as JWS writes them, without padding."""
    return urlsafe_b64encode(plain).rstrip(b"=")


def _generate(algorithm: SigningAlgorithm) -> jwk.Key:
    match algorithm:
        case SigningAlgorithm.EDDSA:
            return jwk.generate_key("OKP", "Ed25519")
        case SigningAlgorithm.ES256:
            return jwk.generate_key("EC", "P-256")
        case SigningAlgorithm.RS256:  # pragma: no branch - mypy refuses an algorithm without a case
            return jwk.generate_key("RSA", _RSA_BITS)


def _header(token: bytes) -> dict[str, str] | None:
    """The header of a compact token; None where it holds anything but our three names.

    So `crit`, `jwk`, `jku`, `x5u`, `b64` and whatever may come are refused before anything is made of them.
    """
    encoded, dot, _ = token.partition(b".")
    if not dot or len(encoded) > _HEADER_BYTES_MAX:
        return None
    try:
        header = _decode(_unpadded(encoded))
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or header.keys() != _HEADER:
        return None
    if not all(isinstance(value, str) for value in header.values()) or not _KID.fullmatch(header["kid"]):
        return None
    return header


def _half_hash(text: str, algorithm: SigningAlgorithm) -> str:
    digest = _HASHES[algorithm](text.encode("ascii")).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")


def _unpadded(encoded: bytes) -> bytes:
    return urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))


def _of(records: Sequence[SigningKey], status: SigningKeyStatus) -> SigningKey | None:
    return next((record for record in records if record.status is status), None)


def _line(records: Sequence[SigningKey], algorithm: SigningAlgorithm) -> Sequence[SigningKey]:
    """The keys of an algorithm that stand beside the current one, the oldest first."""
    return [
        record
        for record in records
        if record.status is SigningKeyStatus.BESIDE and record.algorithm is algorithm
    ]


def _without(
    records: Sequence[SigningKey], ended: Sequence[SigningKey], now: datetime, lasting: timedelta
) -> Sequence[SigningKey]:
    """The keys, some of them retired."""
    return [_retired(record, now, lasting) if record in ended else record for record in records]


def _retired(record: SigningKey, now: datetime, lasting: timedelta) -> SigningKey:
    if record.status is SigningKeyStatus.RETIRED:
        return record
    return replace(record, status=SigningKeyStatus.RETIRED, retired_at=now, published_until=now + lasting)


def _place(kid: str) -> str:
    return f"signing_keys.sealed.{kid}"
