"""Imported keys: many at once, each once, found by what was kept of them until they are first used."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from bonafides.model import (
    AuditEvent,
    Change,
    ChangeKind,
    Credential,
    CredentialStatus,
    DigestedSecret,
    ForeignHash,
    ForeignKey,
    ForeignRule,
    ForeignScheme,
)
from bonafides.store.sql import SqlStore
from tests.store.records import NOW, credential, digest, event, secret

SHA256: Final = ForeignRule("sha256", ForeignScheme.SHA256)
SLOW: Final = ForeignRule("hash:8", ForeignScheme.HASH, b"", 8)


def key(identity: str, **fields: Any) -> ForeignKey:
    """A key from elsewhere, with something in every field that a file can fill."""
    made = ForeignKey(
        id=identity,
        tenant_id="ten_a",
        user_id="usr_owner",
        name="a key",
        scopes=frozenset({"write", "read"}),
        status=CredentialStatus.DISABLED,
        expires_at=NOW + timedelta(days=9, microseconds=1),
        allowed_ips=("192.0.2.0/24", "2001:db8::/32"),
        metadata={"team": "Zürich \U0001f511", "nested": {"n": [1, None]}},
        display="sk_l…",
        created_by="usr_owner",
        created_at=NOW,
        digest=digest(identity),
        pepper_id="p1",
    )
    return made._replace(**fields)


def slow(identity: str, prefix: str, **fields: Any) -> ForeignKey:
    """A key of which a slow hash was kept."""
    return key(identity, prefix=prefix, hash=f"$2b$ of {identity}", **fields)


def imported() -> AuditEvent:
    """The event of an import."""
    return event("api_key.imported", subject_id="imp_1")


async def bring(store: SqlStore, *keys: ForeignKey, rules: tuple[ForeignRule, ...] = (SHA256,)) -> None:
    """Import keys."""
    await store.import_credentials(keys, rules, imported())


async def test_an_imported_key_is_an_api_key_with_all_that_the_file_said(store: SqlStore) -> None:
    """A key that was bound to one network there would be good from everywhere here."""
    await bring(store, key("key_1"))
    assert await store.find_credential("key_1", "ten_a") == Credential(
        **{
            **{name: getattr(credential("key_1"), name) for name in Credential.__slots__},
            "status": CredentialStatus.DISABLED,
            "expires_at": NOW + timedelta(days=9, microseconds=1),
            "metadata": {"team": "Zürich \U0001f511", "nested": {"n": [1, None]}},
            "display": "sk_l…",
        }
    )
    found = await store.find_verifiable([digest("key_1")])
    assert found[digest("key_1")].id == "key_1"


async def test_a_plain_imported_key_says_nothing(store: SqlStore) -> None:
    """What a file leaves out must not become a bound, or an end."""
    await bring(store, key("key_1", expires_at=None, allowed_ips=(), metadata={}, created_by=None))
    found = await store.find_credential("key_1", "ten_a")
    assert found is not None
    assert (found.expires_at, found.allowed_ips, found.metadata, found.created_by) == (None, (), {}, None)


async def test_an_import_is_one_event_and_one_change(store: SqlStore, told: list[Change]) -> None:
    """A million rows in the trail would bury all others, and none would hide who did it."""
    position = await store.feed_position()
    await bring(store, *(key(f"key_{number}") for number in range(3)))
    changes, _ = await store.changes_since(position)
    assert [(change.kind, change.subject_id) for change in changes] == [
        (ChangeKind.CREDENTIAL_CREATED, "imp_1")
    ]
    assert told == list(changes)


async def test_what_was_imported_stays_known_after_it_was_digested_anew(store: SqlStore) -> None:
    """An import that is run again would bring every used key a second time, revoked ones too."""
    await bring(store, key("key_1"))
    await store.record_use({}, {"key_1": DigestedSecret(b"n" * 32, "p2")})
    asked = [digest("key_1"), b"n" * 32, digest("key_first"), b"u" * 32]
    assert await store.known_digests(asked) == frozenset(asked[:3])
    assert (await store.find_verifiable([b"n" * 32]))[b"n" * 32].pepper_id == "p2"


async def test_of_many_at_once_each_is_there_as_it_was(store: SqlStore) -> None:
    """What many rows share one statement for would be the first of them again and again, or the last ones lost."""
    keys = [key(f"key_{number:04}", name=f"name {number}") for number in range(450)]
    keys[7] = slow("key_0007", "sk_live_", name="name 7")
    await bring(store, *keys, rules=(SHA256, SLOW))
    again = [key(f"key_{number:04}", name="another") for number in range(440, 640)]
    await bring(store, *again)
    assert await store.known_digests([one.digest for one in (*keys, *again)]) == {
        digest(f"key_{number:04}") for number in range(640)
    }
    for number in (0, 7, 199, 200, 399, 400, 449):
        found = await store.find_credential(f"key_{number:04}", "ten_a")
        assert found is not None
        assert found.name == f"name {number}"
    assert [one.hash for one in await store.find_foreign_hashes(["sk_live_"], 10)] == [keys[7].hash]


async def test_many_digests_are_asked_for_in_parts(store: SqlStore) -> None:
    """A statement has a longest length, which a large import would reach."""
    await bring(store, key("key_1"))
    many = [number.to_bytes(32, "big") for number in range(11_000)]
    assert await store.known_digests([*many, digest("key_1")]) == {digest("key_1")}
    assert await store.known_digests([]) == frozenset()


async def test_two_imports_of_one_file_bring_each_key_once(store: SqlStore) -> None:
    """Two terminals, one file: the second would fail in the middle, or double what the first has brought."""
    await bring(store, key("key_1"))
    await bring(store, key("key_2", digest=digest("key_1")), key("key_3"))
    assert await store.find_credential("key_2", "ten_a") is None
    assert await store.find_credential("key_3", "ten_a") is not None


async def test_rules_are_kept_once_and_sealed_anew(store: SqlStore) -> None:
    """A key of keyed digests that stays under an old pepper dies with that, and with it every key."""
    keyed = ForeignRule("hmac-sha256:1", ForeignScheme.HMAC_SHA256, b"sealed")
    assert await store.foreign_rules() == []
    await bring(store, key("key_1"), rules=(SHA256, keyed))
    await bring(store, key("key_2"), rules=(replace(keyed, sealed_key=b"sealed anew"), SLOW))
    assert await store.foreign_rules() == [SLOW, replace(keyed, sealed_key=b"sealed anew"), SHA256]


async def test_unused_slow_hashes_are_found_by_how_their_keys_begin(store: SqlStore) -> None:
    """Comparing with every slow hash there is would take minutes for each key."""
    keys = [slow("key_1", "abcdefgh"), slow("key_2", "abcdefgh"), slow("key_3", "zzzz"), key("key_4")]
    await bring(store, *keys, rules=(SLOW,))
    expected = [ForeignHash(digest(one.id), str(one.hash)) for one in keys[:3]]
    assert await store.find_foreign_hashes(["abcdefgh", "zzzz"], 10) == expected
    assert await store.find_foreign_hashes(["abcdefgh"], 1) == expected[:1]
    assert await store.find_foreign_hashes(["abcd"], 10) == []
    assert await store.count_foreign_hashes(["abcdefgh", "zzzz", "none"]) == {"abcdefgh": 2, "zzzz": 1}


async def test_a_used_slow_hash_is_never_compared_again(store: SqlStore) -> None:
    """Every cold look-up of an imported key would cost a quarter of a second for ever."""
    await bring(store, slow("key_1", "abcdefgh"), rules=(SLOW,))
    await store.record_use({}, {"key_1": DigestedSecret(b"n" * 32, "p1")})
    assert await store.find_foreign_hashes(["abcdefgh"], 10) == []
    assert await store.count_foreign_hashes(["abcdefgh"]) == {}


async def test_a_digest_that_another_credential_has_is_not_given_twice(store: SqlStore) -> None:
    """A key imported in two forms at once would keep every later use from being written."""
    await bring(store, key("key_1"), key("key_2"))
    taken = DigestedSecret(digest("key_2"), "p2")
    await store.record_use({"key_2": NOW}, {"key_1": taken, "key_2": DigestedSecret(b"n" * 32, "p2")})
    assert (await store.find_verifiable([digest("key_1")]))[digest("key_1")].id == "key_1"
    assert (await store.find_verifiable([b"n" * 32]))[b"n" * 32].id == "key_2"
    assert secret("key_1").digest == digest("key_1")


async def test_an_imported_key_ends_like_any_other(store: SqlStore) -> None:
    """Whoever imports a leaked key must be able to end it before it was ever used."""
    await bring(store, key("key_1", status=CredentialStatus.ACTIVE))
    revoked = CredentialStatus.REVOKED
    ended = await store.set_credential_status("key_1", "ten_a", revoked, event(), reason="leaked")
    assert ended is not None
    assert not (await store.find_verifiable([digest("key_1")]))[digest("key_1")].usable
