"""Public keys of others, and what they have signed: read by an algorithm that the key itself allows, and no other."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec
from joserfc import jwk, jws
from joserfc.errors import JoseError
from typing_extensions import override

from bonafides.errors import InvalidRequest

KEYS_MAX: Final = 20
TOKEN_BYTES_MAX: Final = 8_192
ALGORITHMS: Final = ("EdDSA", "ES256", "PS256", "RS256")
"""What others may sign with."""
UNSIGNED: Final = "none"
FAPI_ALGORITHMS: Final = ("EdDSA", "ES256", "PS256")
"""What clients may sign with that keep FAPI 2.0 (§5.4.1)."""

_HEADER_BYTES_MAX: Final = 4_096
_RSA_BITS_MIN: Final = 2_048
_RSA_BITS_MAX: Final = 4_096
_PUBLIC: Final = {"EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "RSA": ("n", "e")}
_OF_CURVE: Final = {"P-256": ("ES256",), "Ed25519": ("EdDSA",)}
_OF_RSA: Final = ("PS256", "RS256")

_decode = msgspec.json.Decoder().decode


class _Pinned(jws.JWSRegistry):
    """One algorithm; what a token says can only agree with it.

    See: RFC 8725 §3.1
    """

    # The library's own bound is less than a header with an RSA key in it, as a proof of such a key has (RFC 9449 §4.2).
    max_header_length = _HEADER_BYTES_MAX

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithms=[algorithm])
        self._algorithm = algorithm

    @override
    def get_alg(self, name: str) -> Any:
        return self.algorithms[self._algorithm]


_REGISTRIES: Final = {algorithm: _Pinned(algorithm) for algorithm in ALGORITHMS}


@dataclass(frozen=True, slots=True)
class Unverified:
    """The two halves of a signed token, as they say themselves; nothing of it is proven."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def check_key_set(key_set: Mapping[str, Any], field: str) -> None:
    """Refuse a key set that holds anything but public keys that can sign.

    Raises:
        InvalidRequest: It does; no key is repeated.

    See: RFC 7517 §5
    """
    keys = key_set.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= KEYS_MAX:
        message = f'{field}: must look like {{"keys": [...]}}, with {KEYS_MAX} public keys at most.'
        raise InvalidRequest(message, field=field)
    for place, key in enumerate(keys):
        if not isinstance(key, dict) or _algorithms_of(key) == () or _opened(key) is None:
            message = (
                f"{field}: key {place} is no public key that signs. Use Ed25519, P-256, or RSA of {_RSA_BITS_MIN} bits "
                "at least, and leave out its private part."
            )
            raise InvalidRequest(message, field=field)


def read(token: str, type_: str | None = None) -> Unverified | None:
    """What a compact token says of itself; None where it is none, or says that it is critical to know more.

    Args:
        token: As it was presented.
        type_: Its `typ`, where it must have one.
    """
    head, _, rest = token.partition(".")
    body, _, signature = rest.partition(".")
    if len(token) > TOKEN_BYTES_MAX or len(head) > _HEADER_BYTES_MAX or not signature or not token.isascii():
        return None
    try:
        header, claims = _decode(_unpadded(head)), _decode(_unpadded(body))
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    if {"crit", "b64", "zip"} & header.keys() or header.get("alg") not in ALGORITHMS:
        return None
    if type_ is not None and str(header.get("typ", "")).lower() != type_:
        return None
    return Unverified(header, claims)


def read_unsigned(token: str) -> Mapping[str, Any] | None:
    """The claims of a compact token that says that it is not signed; None of any other.

    See: RFC 7515 Appendix A.5
    """
    head, _, rest = token.partition(".")
    body, dot, signature = rest.partition(".")
    if len(token) > TOKEN_BYTES_MAX or not dot or signature or not token.isascii():
        return None
    try:
        header, claims = _decode(_unpadded(head)), _decode(_unpadded(body))
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    return None if {"crit", "b64", "zip"} & header.keys() or header.get("alg") != UNSIGNED else claims


def is_signed_by(token: str, header: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of these public keys has signed a token.

    Which one is told by its `kid` at most; a key that stands in the token is not looked at, and the algorithm
    must be one that is the key's.

    See: RFC 8725 §3.1 and §3.10
    """
    kid = header.get("kid")
    algorithm = str(header.get("alg"))
    for key in keys:
        if (kid is not None and key.get("kid") not in {kid, None}) or algorithm not in _algorithms_of(key):
            continue
        opened = _opened(key)
        if opened is None:
            continue
        try:
            jws.deserialize_compact(token, opened, registry=_REGISTRIES[algorithm])
        except (JoseError, ValueError, TypeError):
            continue
        return True
    return False


def thumbprint(key: Mapping[str, Any]) -> str | None:
    """The thumbprint of a public key that signs; None where it is none, or holds a private part.

    See: RFC 7638 §3
    """
    if _algorithms_of(key) == ():
        return None
    opened = _opened(key)
    return None if opened is None else opened.thumbprint()


def _algorithms_of(key: Mapping[str, Any]) -> tuple[str, ...]:
    """What may be signed with a public key; nothing, where it is none of the kinds that are taken."""
    names = _PUBLIC.get(str(key.get("kty")), ())
    if not names or any(not isinstance(key.get(name), str) for name in names):
        return ()
    if key.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} or key.get("use", "sig") != "sig":
        return ()
    fitting = _OF_RSA if key["kty"] == "RSA" else _OF_CURVE.get(str(key["crv"]), ())
    named = key.get("alg")
    return tuple(name for name in fitting if named in {None, name})


def _opened(key: Mapping[str, Any]) -> jwk.Key | None:
    names = ("kty", *_PUBLIC[str(key["kty"])])
    try:
        opened = jwk.import_key(cast("dict[str, Any]", {name: key[name] for name in names}))
        if key["kty"] == "RSA":
            bits = len(_unpadded(key["n"]).lstrip(b"\0")) * 8
            return opened if _RSA_BITS_MIN <= bits <= _RSA_BITS_MAX else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return opened


def _unpadded(encoded: str) -> bytes:
    return urlsafe_b64decode(encoded.encode("ascii") + b"=" * (-len(encoded) % 4))
