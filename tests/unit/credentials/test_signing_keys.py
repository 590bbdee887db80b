"""Signing keys: there is always one, rotations fail nobody, and what a token says of itself decides nothing."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafides.app import open_rooms
from bonafides.audit import Recorder
from bonafides.credentials.signing_keys import (
    ACCESS_TOKEN_TYPE,
    KEY_SET_SECONDS,
    TOKEN_BYTES_MAX,
    SigningKeys,
    SigningRules,
)
from bonafides.errors import Conflict, Forbidden, Unavailable
from bonafides.model import AuditEvent, Page, Signed, SigningAlgorithm, SigningKey, SigningKeyStatus
from bonafides.secret import Peppers, parse_pepper
from tests.unit.clocks import HandClock
from tests.unit.conftest import PEPPERS, House

DAY: Final = 86_400
RULES: Final = SigningRules(
    issuer="https://api.example.com",
    audience="https://api.example.com",
    algorithm=SigningAlgorithm.EDDSA,
    rotation_seconds=90 * DAY,
    token_seconds_max=3_600,
)
OLDER: Final = parse_pepper("1" * 64)
NEWER: Final = parse_pepper("2" * 64)


def another(house: House, peppers: Peppers = PEPPERS, **rules: Any) -> SigningKeys:
    """The signing keys as another process sees them, on the same database and clock."""
    recorder = Recorder(house.clock, os.urandom)
    return SigningKeys(house.rooms.store, recorder, peppers, house.clock, os.urandom, replace(RULES, **rules))


def claims(clock: HandClock, **changes: Any) -> dict[str, Any]:
    """What a token of a login says."""
    now = clock.now_us // 1_000_000
    return {
        "sub": "usr_1",
        "jti": "jwt_1",
        "scope": "read write",
        "tenant_id": "ten_1",
        "iat": now,
        "exp": now + 3_600,
        **changes,
    }


def judged(keys: SigningKeys, house: House, token: str | bytes) -> Signed:
    """What the keys say of a token now."""
    return keys.judge(token.encode() if isinstance(token, str) else token, house.clock.now_us)


async def statuses(house: House) -> list[str]:
    """Of all keys there are."""
    return [str(key.status) for key in await house.rooms.store.list_signing_keys()]


async def events(house: House) -> list[AuditEvent]:
    """What was written of signing keys, oldest first; of one moment, in no order."""
    found = await house.rooms.store.list_events(house.founded.tenant_id, Page(100))
    return [event for event in reversed(found) if event.subject_kind == "signing_key"]


def packed(value: object) -> bytes:
    """A part of a token."""
    return urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=")


def unpacked(part: str) -> dict[str, Any]:
    """What a part of a token says."""
    value: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return value


@pytest.mark.parametrize("algorithm", SigningAlgorithm)
async def test_what_was_signed_is_good_here_and_for_a_stock_library(
    house: House, algorithm: SigningAlgorithm
) -> None:
    """An API that verifies by itself would refuse every login."""
    keys = another(house, algorithm=algorithm)
    token = await keys.sign(claims(house.clock))
    assert judged(keys, house, token) is Signed.GOOD
    header = jwt.get_unverified_header(token)
    published = {key["kid"]: key for key in (await keys.key_set())["keys"]}
    assert set(header) == {"alg", "kid", "typ"}
    assert (header["alg"], header["typ"]) == (algorithm, "JWT")
    assert not {"d", "p", "q"} & set(published[header["kid"]])
    read = jwt.decode(
        token,
        jwt.PyJWK(published[header["kid"]]),
        algorithms=[algorithm],
        audience=RULES.audience,
        issuer=RULES.issuer,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert read == {"iss": RULES.issuer, "aud": RULES.audience, **claims(house.clock)}


async def test_rsa_keys_are_long_enough(house: House) -> None:
    """ASVS 11.2.3: less than 3072 bits of RSA are less than 128 of security."""
    keys = another(house, algorithm=SigningAlgorithm.RS256)
    (first, _) = (await keys.key_set())["keys"]
    assert len(urlsafe_b64decode(first["n"] + "==")) * 8 == 3_072


async def test_private_parts_are_sealed_in_their_place(house: House) -> None:
    """ASVS 11.3.2: whoever reads the database could sign, or put one key's private part in another's place."""
    await another(house).maintain()
    one, other = await house.rooms.store.list_signing_keys()
    secret = json.loads(PEPPERS.unseal_at_rest(one.sealed, f"signing_keys.sealed.{one.kid}") or b"")
    assert secret["d"].encode() not in one.sealed
    assert PEPPERS.unseal_at_rest(one.sealed, f"signing_keys.sealed.{other.kid}") is None


async def test_the_first_keys_are_made_when_they_are_first_needed(house: House) -> None:
    """The first login, or the first look at the key set, would find nothing."""
    assert await statuses(house) == []
    assert len((await another(house).key_set())["keys"]) == 2
    assert await statuses(house) == ["current", "next"]
    (event,) = await events(house)
    assert (event.action, event.actor.via) == ("signing_key.created", "server")
    assert "d" not in event.details


async def test_of_many_nodes_that_begin_at_once_one_makes_the_keys(house: House) -> None:
    """Each node would sign with a key of its own, that the others do not know."""
    nodes = [another(house) for _ in range(5)]
    tokens = await asyncio.gather(*(node.sign(claims(house.clock)) for node in nodes))
    assert len({jwt.get_unverified_header(token)["kid"] for token in tokens}) == 1
    assert len(await house.rooms.store.list_signing_keys()) == 2
    assert len(await events(house)) == 1


async def test_keys_are_rotated_on_schedule_and_kept_for_what_they_signed(house: House) -> None:
    """ASVS 11.1.1, ASVS 13.3.4: a key that signs for ever is stolen once for ever."""
    keys = another(house)
    token = await keys.sign(claims(house.clock))
    house.clock.advance(90 * DAY - 1)
    await keys.maintain()
    assert await statuses(house) == ["current", "next"]
    token = await keys.sign(claims(house.clock))
    house.clock.advance(1)
    await keys.maintain()
    assert await statuses(house) == ["current", "next", "retired"]
    assert judged(keys, house, token) is Signed.GOOD
    newer = await keys.sign(claims(house.clock))
    assert jwt.get_unverified_header(newer)["kid"] != jwt.get_unverified_header(token)["kid"]
    house.clock.advance(3_600 + KEY_SET_SECONDS - 1)
    await keys.maintain()
    assert await statuses(house) == ["current", "next", "retired"]
    house.clock.advance(1)
    await keys.maintain()
    assert await statuses(house) == ["current", "next"]
    assert [event.action for event in await events(house)] == [
        "signing_key.created",
        "signing_key.rotated",
        "signing_key.deleted",
    ]


async def test_a_key_that_was_just_published_does_not_sign_yet(house: House) -> None:
    """Others would meet a key that their copy of the key set does not have."""
    keys = another(house)
    await keys.maintain()
    house.clock.advance(90 * DAY)
    algorithm = another(house, algorithm=SigningAlgorithm.ES256)
    await algorithm.maintain()
    current, following = await house.rooms.store.list_signing_keys()
    assert (current.algorithm, following.algorithm) == (SigningAlgorithm.EDDSA, SigningAlgorithm.ES256)
    house.clock.advance(DAY)
    await algorithm.maintain()
    first, second, third = await house.rooms.store.list_signing_keys()
    assert [key.algorithm for key in (first, second, third)] == ["ES256", "ES256", "EdDSA"]


async def test_the_operator_rotates_by_hand(house: House) -> None:
    """A key that has leaked would go on signing until the schedule says so."""
    keys = another(house)
    token = await keys.sign(claims(house.clock))
    with pytest.raises(Conflict, match="Try again in 300 seconds"):
        await keys.rotate(house.operator)
    house.clock.advance(KEY_SET_SECONDS)
    before = await keys.records(house.operator)
    after = await keys.rotate(house.operator)
    assert [key.status for key in after] == ["current", "next", "retired"]
    assert (after[0].kid, after[2].kid) == (before[1].kid, before[0].kid)
    assert judged(keys, house, token) is Signed.GOOD
    forced = await keys.rotate(house.operator, force=True)
    assert forced[0].kid == after[1].kid
    assert [event.actor.user_id for event in await events(house)][1:] == [house.founded.user_id] * 2


async def test_a_client_that_asks_for_another_algorithm_gets_it_from_one_key(house: House) -> None:
    """Stock clients and certification suites that know RS256 alone could not read who has logged in."""
    nodes = [another(house) for _ in range(3)]
    tokens = await asyncio.gather(
        *(node.sign(claims(house.clock), algorithm=SigningAlgorithm.ES256) for node in nodes)
    )
    kids = {jwt.get_unverified_header(token)["kid"] for token in tokens}
    assert [jwt.get_unverified_header(token)["alg"] for token in tokens] == ["ES256"] * 3
    assert len(kids) == 1
    assert await statuses(house) == ["current", "next", "beside"]
    assert kids <= {key["kid"] for key in (await nodes[0].key_set())["keys"]}
    assert judged(nodes[0], house, tokens[0]) is Signed.GOOD
    plain = await nodes[0].sign(claims(house.clock), algorithm=SigningAlgorithm.EDDSA)
    assert jwt.get_unverified_header(plain)["kid"] not in kids


async def test_keys_beside_the_current_one_are_followed_ahead_of_their_end(house: House) -> None:
    """ASVS 13.3.4: a key that few clients use would sign for ever, or change before anybody can know the next one."""
    keys = another(house)

    async def signs() -> str:
        token = await keys.sign(claims(house.clock), algorithm=SigningAlgorithm.ES256)
        kid: str = jwt.get_unverified_header(token)["kid"]
        return kid

    first = await signs()
    house.clock.advance(90 * DAY)
    await keys.maintain()
    assert await statuses(house) == ["current", "next", "beside", "beside", "retired"]
    assert await signs() == first
    house.clock.advance(DAY)
    await keys.maintain()
    second = await signs()
    assert second != first
    assert await statuses(house) == ["current", "next", "beside", "retired"]
    await keys.rotate(house.operator)
    assert await signs() == second
    assert (await statuses(house)).count("beside") == 2
    await keys.rotate(house.operator, force=True)
    assert await signs() not in {first, second}
    assert (await statuses(house)).count("beside") == 1


async def test_keys_beside_that_are_of_no_use_are_retired(house: House) -> None:
    """A key whose pepper is lost would be published, and sign nothing, for ever; one of the server's own way too."""
    old = another(house, Peppers([OLDER]))
    await old.sign(claims(house.clock), algorithm=SigningAlgorithm.ES256)
    await old.rotate(house.operator, force=True)
    new = another(house, Peppers([NEWER]))
    token = await new.sign(claims(house.clock), algorithm=SigningAlgorithm.ES256)
    assert judged(new, house, token) is Signed.GOOD
    assert await statuses(house) == ["current", "next", "beside", *["retired"] * 5]
    other = another(house, Peppers([NEWER]), algorithm=SigningAlgorithm.ES256)
    await other.maintain()
    house.clock.advance(90 * DAY)
    await other.maintain()
    house.clock.advance(DAY)
    await other.maintain()
    assert "beside" not in await statuses(house)


async def test_nobody_else_sees_or_rotates_them(house: House) -> None:
    """Any tenant's admin could end what the whole installation signs with."""
    admin = house.authority_of(await house.make_user((await house.make_tenant()).id))
    keys = another(house)
    with pytest.raises(Forbidden):
        await keys.rotate(admin, force=True)
    with pytest.raises(Forbidden):
        await keys.records(admin)
    assert await statuses(house) == []


async def test_of_two_rotations_at_once_one_is_told_to_look_again(house: House) -> None:
    """Two operators with one alarm would retire the key that has just begun to sign."""
    nodes = [another(house) for _ in range(2)]
    await nodes[0].maintain()
    house.clock.advance(KEY_SET_SECONDS)
    outcomes = await asyncio.gather(*(node.rotate(house.operator) for node in nodes), return_exceptions=True)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1
    assert await statuses(house) == ["current", "next", "retired"]


async def test_another_node_learns_of_a_key_from_the_token_that_it_signed(house: House) -> None:
    """After two rotations in a row, a node that has yet to hear of them would refuse good logins."""
    here, there = another(house), another(house)
    await here.maintain()
    await there.maintain()
    for _ in range(2):
        await here.rotate(house.operator, force=True)
    token = await here.sign(claims(house.clock))
    assert judged(there, house, token) is Signed.UNKNOWN_KEY
    await there.learn()
    assert judged(there, house, token) is Signed.GOOD


async def test_made_up_keys_do_not_make_a_node_read_again_and_again(house: House) -> None:
    """Attack 32: a flood of tokens with keys of their own would become a flood of queries."""
    asked = 0
    ask = house.rooms.store.list_signing_keys

    async def counted() -> Sequence[SigningKey]:
        nonlocal asked
        asked += 1
        return await ask()

    keys = another(house)
    await keys.maintain()
    keys._store = house.rooms.store
    house.rooms.store.list_signing_keys = counted  # type: ignore[method-assign]
    for _ in range(10):
        await keys.learn()
    assert asked == 1
    house.clock.advance(1)
    await keys.learn()
    assert asked == 2
    keys.outdate()
    await keys.learn()
    assert asked == 3


async def test_a_change_elsewhere_is_read_before_the_next_signature(house: House) -> None:
    """A node would go on signing with a key that an operator has just taken out of use."""
    here = house.rooms.signing_keys
    await here.sign(claims(house.clock))
    leaked = await here.sign(claims(house.clock))
    async with open_rooms(house.rooms.settings, PEPPERS, clock=house.clock) as elsewhere:
        await elsewhere.signing_keys.rotate(house.operator, force=True)
        await house.rooms.feed.read()
        kid = jwt.get_unverified_header(await here.sign(claims(house.clock)))["kid"]
        assert kid != jwt.get_unverified_header(leaked)["kid"]
        assert kid == jwt.get_unverified_header(await elsewhere.signing_keys.sign(claims(house.clock)))["kid"]


async def test_a_rotated_pepper_seals_the_keys_anew(house: House) -> None:
    """The operator who drops the old pepper would log everybody out."""
    old = another(house, Peppers([OLDER]))
    token = await old.sign(claims(house.clock))
    both = another(house, Peppers([NEWER, OLDER]))
    await both.maintain()
    new = another(house, Peppers([NEWER]))
    assert judged(new, house, token) is Signed.UNKNOWN_KEY
    await new.maintain()
    assert judged(new, house, token) is Signed.GOOD
    assert "signing_key.resealed" in {event.action for event in await events(house)}
    assert (
        jwt.get_unverified_header(await new.sign(claims(house.clock)))["kid"]
        == (jwt.get_unverified_header(token)["kid"])
    )


async def test_keys_whose_pepper_is_lost_are_followed_by_new_ones(house: House) -> None:
    """A lost pepper would end logins for good; what was signed before is checked by its public part."""
    old = another(house, Peppers([OLDER]))
    token = await old.sign(claims(house.clock))
    new = another(house, Peppers([NEWER]))
    newer = await new.sign(claims(house.clock))
    assert judged(new, house, token) is judged(new, house, newer) is Signed.GOOD
    await new.maintain()
    found = await house.rooms.store.list_signing_keys()
    assert [key.status for key in found] == ["current", "next", "retired", "retired"]
    assert {key.pepper_id for key in found} == {NEWER.id}


async def test_without_a_database_the_keys_at_hand_are_told(house: House) -> None:
    """Everybody who verifies by themselves would fail with our database."""
    keys = another(house)
    known = await keys.key_set()

    async def away() -> Sequence[SigningKey]:
        raise Unavailable(internal="away")

    house.rooms.store.list_signing_keys = away  # type: ignore[method-assign]
    keys.outdate()
    assert await keys.key_set() == known
    for attempt in (keys.sign({}), keys.read(), another(house).key_set(), another(house).sign({})):
        with pytest.raises(Unavailable):
            await attempt


async def test_without_anything_to_sign_with_nothing_is_signed(house: House) -> None:
    """A token without a signature that anybody could check would be handed out."""
    keys = another(house)

    async def lost(*_: object) -> bool:
        return False

    house.rooms.store.replace_signing_keys = lost  # type: ignore[assignment, method-assign]
    with pytest.raises(Unavailable):
        await keys.sign(claims(house.clock))
    with pytest.raises(Unavailable):
        await keys.rotate(house.operator)


async def test_a_key_that_another_node_has_made_is_found(house: House) -> None:
    """Two keys of one algorithm would stand beside each other; and without one that can be kept, nothing is signed."""
    here, there = another(house), another(house)
    await here.maintain()
    await there.ensure(SigningAlgorithm.ES256)
    await here.ensure(SigningAlgorithm.ES256)
    assert await statuses(house) == ["current", "next", "beside"]

    async def lost(*_: object) -> bool:
        return False

    house.rooms.store.replace_signing_keys = lost  # type: ignore[assignment, method-assign]
    with pytest.raises(Unavailable):
        await here.sign(claims(house.clock), algorithm=SigningAlgorithm.RS256)


# What a token says of itself


async def test_an_ended_token_is_told_apart_from_a_bad_one(house: House) -> None:
    """A client whose token has run out would be told to give up where it should refresh."""
    keys = another(house)
    token = await keys.sign(claims(house.clock))
    house.clock.advance(3_600 - 0.000_001)
    assert judged(keys, house, token) is Signed.GOOD
    house.clock.advance(0.000_001)
    assert judged(keys, house, token) is Signed.EXPIRED


BAD_CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "no exp": {"exp": None},
    "exp as text": {"exp": "1900003600"},
    "exp as a fraction": {"exp": 1_900_003_600.5},
    "exp as a truth": {"exp": True},
    "no iat": {"iat": None},
    "iat in the future": {"iat": 1_900_000_061},
    "no sub": {"sub": None},
    "sub as a number": {"sub": 7},
    "no jti": {"jti": None},
    "no scope": {"scope": None},
    "no tenant": {"tenant_id": None},
    "no aud": {"aud": None},
    "another aud": {"aud": "https://api.example.com.evil.example"},
    "a list of aud": {"aud": ["https://api.example.com"]},
    "no iss": {"iss": None},
    "a part of iss": {"iss": "https://api.example.co"},
    "more than iss": {"iss": "https://api.example.com/"},
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
async def test_a_signature_alone_is_not_enough(house: House, name: str) -> None:
    """Attack 31, attack 33, ASVS 9.2.1: a token for another API, or one that never ends, would be good here."""
    keys = another(house)
    changes = {key: value for key, value in BAD_CLAIMS[name].items() if value is not None}
    wanted = {key: value for key, value in claims(house.clock).items() if key not in BAD_CLAIMS[name]}
    token = await keys.sign({**wanted, **changes})
    if "iss" in BAD_CLAIMS[name] or "aud" in BAD_CLAIMS[name]:
        absent = {key for key, value in BAD_CLAIMS[name].items() if value is None}
        payload = {key: value for key, value in unpacked(token.split(".")[1]).items() if key not in absent}
        token = _signed(keys, payload)
    assert judged(keys, house, token) is Signed.BAD


def _signed(keys: SigningKeys, payload: object, **header: Any) -> str:
    """Anything at all under a good signature."""
    signer = keys._ring.signer
    assert signer is not None
    head = {"alg": "EdDSA", "kid": signer.kid, "typ": "JWT", **header}
    text = packed({key: value for key, value in head.items() if value is not None}) + b"." + packed(payload)
    return (text + b"." + packed(signer.sign(text))).decode()


@pytest.mark.parametrize("payload", [[], "text", None, 7, b"\xff", b"", b"[" * 4_000], ids=repr)
async def test_a_signed_text_that_is_no_set_of_claims_is_bad(house: House, payload: object) -> None:
    """What cannot be read would end in an error of the server's."""
    keys = another(house)
    await keys.maintain()
    assert judged(keys, house, _signed(keys, payload)) is Signed.BAD


HEADERS: Final[dict[str, dict[str, Any]]] = {
    "crit": {"crit": ["exp"]},
    "crit of b64": {"crit": ["b64"], "b64": False},
    "b64": {"b64": True},
    "jwk": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}},
    "jku": {"jku": "https://evil.example/jwks.json"},
    "x5u": {"x5u": "https://evil.example/cert.pem"},
    "x5c": {"x5c": ["MII"]},
    "zip": {"zip": "DEF"},
    "enc": {"enc": "A256GCM"},
    "p2c": {"p2c": 2_000_000_000},
    "alg none": {"alg": "none"},
    "alg as none in another case": {"alg": "NoNe"},
    "alg of a secret": {"alg": "HS256"},
    "alg of another key": {"alg": "ES256"},
    "alg by its newer name": {"alg": "Ed25519"},
    "no alg": {"alg": None},
    "alg as a list": {"alg": ["EdDSA"]},
    "another typ": {"typ": "at+jwt"},
    "no typ": {"typ": None},
    "no kid": {"kid": None},
    "kid as a path": {"kid": "../../../../dev/null"},
    "kid as SQL": {"kid": "' OR 1=1 --"},
    "kid as a number": {"kid": 7},
}


@pytest.mark.parametrize("name", HEADERS)
async def test_a_header_decides_nothing(house: House, name: str) -> None:
    """Attack 27, attack 28, attack 29, ASVS 9.1.2, ASVS 9.1.3: a token would choose how, or by which key, it is judged."""
    keys = another(house)
    await keys.maintain()
    good = _signed(keys, {"iss": RULES.issuer, "aud": RULES.audience, **claims(house.clock)})
    assert judged(keys, house, good) is Signed.GOOD
    bad = _signed(keys, {"iss": RULES.issuer, "aud": RULES.audience, **claims(house.clock)}, **HEADERS[name])
    assert judged(keys, house, bad) is Signed.BAD


async def test_what_was_signed_here_is_known_again_when_its_time_is_up(house: House) -> None:
    """A client shows an old ID token to say whom it means; what was signed elsewhere, or is of another type, says nothing."""
    keys = another(house)
    payload = claims(house.clock)
    token = await keys.sign(payload)
    house.clock.advance(7_200)
    assert judged(keys, house, token) is Signed.EXPIRED
    told = await another(house).opened(token, "JWT")
    assert told is not None
    assert (told["sub"], told["iss"]) == ("usr_1", RULES.issuer)
    assert await keys.opened(token, "at+jwt") is None
    head, body, signature = token.split(".")
    forged = f"{head}.{packed(payload | {'sub': 'usr_2'}).decode()}.{signature}"
    for bad in ("", "x", "a.b.c", "é" * 30, f"{head}.{body}", forged, token + "." * TOKEN_BYTES_MAX):
        assert await keys.opened(bad, "JWT") is None
    assert await keys.opened(_signed(keys, payload, kid="A" * 43), "JWT") is None
    assert await keys.opened(_signed(keys, payload, alg="ES256"), "JWT") is None
    assert await keys.opened(_signed(keys, [1]), "JWT") is None


async def test_the_public_key_is_no_secret_to_sign_with(house: House) -> None:
    """Attack 27: with the public key as the secret of an HMAC, anybody could sign."""
    keys = another(house)
    _, payload, _ = (await keys.sign(claims(house.clock))).split(".")
    (public, _) = (await keys.key_set())["keys"]
    head = packed({"alg": "HS256", "kid": public["kid"], "typ": "JWT"})
    text = head + b"." + payload.encode()
    for key in (public["x"].encode(), urlsafe_b64decode(public["x"] + "="), json.dumps(public).encode()):
        forged = text + b"." + packed(hmac.digest(key, text, "sha256"))
        assert judged(keys, house, forged) is Signed.BAD


async def test_no_bit_can_be_changed(house: House) -> None:
    """Attack 4, ASVS 9.1.1: whoever holds a token could give it another scope."""
    keys = another(house)
    token = (await keys.sign(claims(house.clock))).encode()
    for place in range(0, len(token), 7):
        for bit in (1, 4):
            changed = token[:place] + bytes([token[place] ^ 1 << bit]) + token[place + 1 :]
            assert judged(keys, house, changed) is not Signed.GOOD, place
    for part in (b"", b".", token + b".x", token.rpartition(b".")[0], token.rpartition(b".")[0] + b"."):
        assert judged(keys, house, part) is Signed.BAD


async def test_what_is_long_is_refused_before_it_is_read(house: House) -> None:
    """Attack 32: reading what anybody sends would cost more than sending it."""
    keys = another(house)
    await keys.maintain()
    long = _signed(
        keys, {"iss": RULES.issuer, "aud": RULES.audience, **claims(house.clock), "x": "y" * 9_000}
    )
    assert len(long) > TOKEN_BYTES_MAX
    assert judged(keys, house, long) is Signed.BAD
    head = packed({"alg": "EdDSA", "kid": "k" * 43, "typ": "J" * 600})
    assert judged(keys, house, head + b".e30.c2ln") is Signed.BAD
    assert judged(keys, house, packed(b"[" * 300) + b".e30.c2ln") is Signed.BAD


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=80))
def test_garbage_is_bad(head: bytes, payload: bytes, signature: bytes) -> None:
    """Attack 32: a stranger's text would become an error of the server's."""
    unused: Any = None
    keys = SigningKeys(unused, unused, PEPPERS, HandClock(), os.urandom, RULES)
    for token in (head, b".".join([packed(part) for part in (head, payload, signature)])):
        assert keys.judge(token, 0) in {Signed.BAD, Signed.UNKNOWN_KEY}


def test_a_key_is_published_ahead_of_its_use() -> None:
    """A schedule of a day would publish a key and sign with it in the same moment."""
    assert replace(RULES, rotation_seconds=DAY).ahead_seconds == DAY // 2
    assert RULES.ahead_seconds == DAY
    assert SigningKeyStatus("next") is SigningKeyStatus.NEXT


async def test_an_access_token_is_judged_by_rules_of_its_own(house: House) -> None:
    """RFC 8725 §3.11: a token of one kind would pass for another; and one for a resource of somebody's is ours too."""
    keys = another(house)
    whole = claims(house.clock, client_id="cli_1", aud="https://api.example.org")
    assert judged(keys, house, await keys.sign(whole, type_=ACCESS_TOKEN_TYPE)) is Signed.GOOD
    assert judged(keys, house, await keys.sign(whole)) is Signed.BAD
    without = {name: value for name, value in whole.items() if name != "client_id"}
    assert judged(keys, house, await keys.sign(without, type_=ACCESS_TOKEN_TYPE)) is Signed.BAD
    foreign = {**whole, "iss": "https://other.example"}
    assert judged(keys, house, await keys.sign(foreign, type_=ACCESS_TOKEN_TYPE)) is Signed.BAD
    assert judged(keys, house, await keys.sign(whole, type_="logout+jwt")) is Signed.BAD


@pytest.mark.parametrize(
    ("algorithm", "half"),
    [
        (SigningAlgorithm.EDDSA, "m3HSJL1i83hdltRq0-o9czGb-8KJDKra4t_3JRlnPKc"),
        (SigningAlgorithm.ES256, "LPJNul-wow4m6Dsqxbning"),
    ],
)
async def test_a_token_holds_half_a_hash_of_another(
    house: House, algorithm: SigningAlgorithm, half: str
) -> None:
    """OpenID Connect Core §3.1.3.6: a client could not tell that an access token was put in another's place."""
    keys = another(house, algorithm=algorithm)
    assert keys.offered_algorithms()[0] == algorithm
    token = await keys.sign({"sub": "x"}, hashed={"at_hash": "hello"})
    assert unpacked(token.split(".")[1])["at_hash"] == half
    assert sorted(keys.offered_algorithms()) == sorted(SigningAlgorithm)
