"""Keys from elsewhere: imported, presented, digested anew; never more than their user has, never twice, never back from the dead."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import io
import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from argon2 import PasswordHasher

from bonafides.app import Rooms, open_rooms
from bonafides.authority import Authority
from bonafides.credentials import imports
from bonafides.credentials.dumps import DumpFormat, Entry, Unusable, read
from bonafides.credentials.holdings import Made
from bonafides.credentials.imports import ImportReport, ImportWish
from bonafides.errors import Forbidden, Overloaded, Unavailable
from bonafides.installation import Founded
from bonafides.model import (
    READ,
    WRITE,
    Accepted,
    CredentialStatus,
    ForeignHash,
    ForeignKey,
    Page,
    Reason,
    Rejected,
    Role,
    Status,
    User,
    UserChanges,
    Verdict,
    to_datetime,
)
from bonafides.secret import Peppers, parse_pepper
from bonafides.verification.verifier import Facts
from tests.unit.clocks import HandClock
from tests.unit.conftest import PEPPERS, House, settings_of

KEY = "sk_live_from_elsewhere"
HMAC_KEY = b"the other program's key"
HERE = Facts(address="192.0.2.7")


def digest_of(key: str) -> str:
    """As most programs keep it."""
    return hashlib.sha256(key.encode()).hexdigest()


SCHEMES: dict[str, dict[str, Any]] = {
    "plain": {"key": KEY},
    "sha256": {"hash": digest_of(KEY)},
    "sha256 in base64": {"hash": base64.b64encode(bytes.fromhex(digest_of(KEY))).decode()},
    "sha512": {"hash": hashlib.sha512(KEY.encode()).hexdigest(), "scheme": "sha512"},
    "hmac-sha256": {
        "hash": hmac.digest(HMAC_KEY, KEY.encode(), "sha256").hex(),
        "scheme": "hmac-sha256",
    },
    "bcrypt": {"hash": bcrypt.hashpw(KEY.encode(), bcrypt.gensalt(4)).decode(), "prefix": "sk_live_"},
    "argon2": {
        "hash": PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(KEY),
        "prefix": "sk_l",
    },
}


async def bring(
    house: House,
    *entries: Entry | Unusable,
    authority: Authority | None = None,
    user: User | None = None,
    **wish: Any,
) -> ImportReport:
    """Import entries as the founder does, for the founder."""
    owner = user or await house.rooms.directory.user(house.operator, house.founded.user_id)
    keys = await house.rooms.imports.reader(hmac_key=HMAC_KEY)
    report = await house.rooms.imports.run(
        authority or house.operator, entries, keys, ImportWish(owner, "a test", **wish), lambda _: None
    )
    await house.rooms.feed.read()
    return report


def entry(key: str = KEY, line: int = 1, **fields: Any) -> Entry:
    """An entry of which SHA-256 is kept."""
    return Entry(line, hash=digest_of(key), **fields)


async def verify(rooms: Rooms, key: str = KEY, facts: Facts = HERE) -> Verdict:
    """The verdict on a presented string."""
    return await rooms.verifier.verify(key.encode(), facts)


async def reason(rooms: Rooms, key: str = KEY, facts: Facts = HERE) -> Reason | None:
    """Why it is refused, None if it is not."""
    verdict = await verify(rooms, key, facts)
    return verdict.reason if isinstance(verdict, Rejected) else None


async def keys_of(house: House) -> dict[str, Any]:
    """The keys of the installation by their names."""
    found = await house.rooms.api_keys.page(house.operator, Page(100))
    return {key.name: key for key in found}


# Presented


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_imported_key_opens_and_is_digested_anew_when_it_is_first_used(
    house: House, scheme: str
) -> None:
    """Who moves here would have to give every customer a new key; and what the other program kept would count for ever."""
    report = await bring(house, Entry(1, name="theirs", **SCHEMES[scheme]))
    assert (report.imported, report.already_here, report.refused) == (1, 0, 0)
    verdict = await verify(house.rooms)
    assert isinstance(verdict, Accepted)
    assert verdict.principal.name == "theirs"
    assert verdict.principal.scopes == {READ, WRITE}
    assert verdict.principal.user_id == house.founded.user_id
    await house.rooms.uses.flush()
    found = await house.rooms.store.find_verifiable([PEPPERS.digest(KEY.encode())])
    assert [one.id for one in found.values()] == [verdict.principal.credential_id]
    house.rooms.index.clear()
    assert await reason(house.rooms) is None
    for wrong in (KEY[:-1], f"{KEY}x", KEY.upper(), SCHEMES[scheme].get("hash", f"{KEY}y")):
        assert await reason(house.rooms, wrong) is Reason.INVALID_KEY


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_imported_key_in_memory_is_judged_without_the_database(house: House, scheme: str) -> None:
    """Imported keys would be slower than others for ever, and fall with the database."""
    await bring(house, Entry(1, **SCHEMES[scheme]))
    assert await reason(house.rooms) is None
    await house.rooms.store.close()
    digest = house.rooms.verifier.digest(KEY.encode())
    assert isinstance(house.rooms.verifier.verdict_at_hand(KEY.encode(), digest, HERE), Accepted)


@pytest.mark.parametrize("key", ["a", "7" * 8_000, "with.dots-and_more~!$%", "bf-like_but_not_ours"])
async def test_keys_of_any_length_and_look_open(house: House, key: str) -> None:
    """Foreign keys keep their own look, and no shape is refused by length."""
    await bring(house, entry(key))
    assert await reason(house.rooms, key) is None


async def test_an_import_is_noticed_by_a_server_that_refused_the_key_before(house: House) -> None:
    """A string that is known as nobody's would stay so."""
    assert await reason(house.rooms) is Reason.INVALID_KEY
    await bring(house, entry("another"))
    assert await reason(house.rooms) is Reason.INVALID_KEY
    await bring(house, entry())
    assert await reason(house.rooms) is None


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_imported_keys_live_through_a_rotation_of_the_pepper(
    house: House, sqlite_path: Path, clock: HandClock, scheme: str
) -> None:
    """Keys that nobody has used yet would be dead when the pepper is changed."""
    await bring(house, Entry(1, **SCHEMES[scheme]))
    newest = parse_pepper("9" * 64)
    rotated = Peppers([newest, parse_pepper("1" * 64)])
    async with open_rooms(settings_of(sqlite_path), rotated, clock=clock) as rooms:
        assert await reason(rooms) is None
        await rooms.uses.flush()
        again = await rooms.imports.reader(hmac_key=HMAC_KEY)
        owner = await rooms.directory.user(house.operator, house.founded.user_id)
        wish = ImportWish(owner, "again")
        lines = [Entry(1, **SCHEMES[scheme]), Entry(2, hash="ab" * 32, scheme="hmac-sha256")]
        report = await rooms.imports.run(house.operator, lines, again, wish, lambda _: None)
        assert (report.imported, report.already_here) == (1, 1)
    async with open_rooms(settings_of(sqlite_path), Peppers([newest]), clock=clock) as rooms:
        assert await reason(rooms) is None
        rules = {rule.scheme: rule for rule in await rooms.store.foreign_rules()}
        # Sealed with the newest of what was made with it, so what came last does not fall with the old pepper.
        assert rooms.peppers.foreign_key(next(rule for name, rule in rules.items() if name == "hmac-sha256"))


async def test_what_is_bound_there_is_bound_here(house: House) -> None:
    """A key would be good from everywhere, for ever, or although it was switched off."""
    now = to_datetime(house.clock.now_us)
    await bring(
        house,
        entry("of-a-network", 1, allowed_ips=("192.0.2.0/25",)),
        entry("that-ends", 2, expires_at=now + timedelta(hours=1)),
        entry("switched-off", 3, enabled=False),
        entry("that-reads", 4, scopes=("read",), metadata={"team": "a"}),
    )
    assert await reason(house.rooms, "of-a-network") is None
    assert await reason(house.rooms, "of-a-network", Facts("192.0.2.200")) is Reason.ADDRESS
    assert await reason(house.rooms, "that-reads", Facts(scopes=frozenset({WRITE}))) is Reason.SCOPE
    assert await reason(house.rooms, "switched-off") is Reason.INVALID_KEY
    assert await reason(house.rooms, "that-ends") is None
    house.clock.now_us += 3_600_000_000
    assert await reason(house.rooms, "that-ends") is Reason.EXPIRED
    assert (await keys_of(house))["imported 4"].metadata == {"team": "a"}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("used", [True, False])
async def test_a_revoked_imported_key_is_dead_at_once_and_does_not_come_back(
    house: House,
    scheme: str,
    used: bool,  # noqa: FBT001 - of a table
) -> None:
    """A leaked key must be endable, and the next import of the same file not bring it back."""
    await bring(house, Entry(1, name="leaked", **SCHEMES[scheme]))
    if used:
        assert await reason(house.rooms) is None
        await house.rooms.uses.flush()
    key = (await keys_of(house))["leaked"]
    await house.rooms.api_keys.set_status(house.operator, key.id, CredentialStatus.REVOKED)
    assert await reason(house.rooms) is Reason.INVALID_KEY
    report = await bring(house, Entry(1, **SCHEMES[scheme]))
    assert (report.imported, report.already_here) == (0, 1)
    assert await reason(house.rooms) is Reason.INVALID_KEY


async def test_a_rotated_imported_key_has_a_successor_of_ours(house: House) -> None:
    """Imported keys are to be replaced by better ones, one after the other."""
    await bring(house, entry(name="old"))
    key = (await keys_of(house))["old"]
    made = await house.rooms.api_keys.rotate(house.operator, key.id, overlap_seconds=60)
    assert isinstance(made, Made)
    await house.rooms.feed.read()
    assert await reason(house.rooms) is None
    assert await reason(house.rooms, made.secret) is None
    house.clock.now_us += 61_000_000
    await house.rooms.feed.read()
    assert await reason(house.rooms) is Reason.EXPIRED


# What unknown strings cost


async def test_where_nothing_was_imported_unknown_strings_are_refused_by_their_look(house: House) -> None:
    """Every made-up string would cost the database a query."""
    await house.rooms.store.close()
    assert await reason(house.rooms, "made-up") is Reason.INVALID_KEY


async def test_guesses_count_by_address_before_anything_is_compared(
    founded_sqlite: Founded, sqlite_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever knows how a key begins could have a slow hash compared for each string they make up."""
    settings = settings_of(sqlite_path, address_requests_per_minute=3)
    async with open_rooms(settings, PEPPERS, clock=clock) as rooms:
        house = House(rooms, founded_sqlite, clock)
        await bring(house, Entry(1, **SCHEMES["bcrypt"]))
        compared = []

        async def matches(presented: bytes, encoded: str) -> bool:
            compared.append((presented, encoded))
            return False

        monkeypatch.setattr(rooms.foreign._checker, "matches", matches)
        reasons = [await reason(rooms, f"sk_live_guess{number}") for number in range(6)]
        assert reasons == [Reason.INVALID_KEY] * 3 + [Reason.RATE] * 3
        assert len(compared) == 3


async def test_a_guess_that_finds_the_queue_full_counts_too(
    founded_sqlite: Founded, sqlite_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood would be free from the moment at which it is one; an outage is nobody's fault, and not counted."""
    settings = settings_of(sqlite_path, address_requests_per_minute=3)
    async with open_rooms(settings, PEPPERS, clock=clock) as rooms:
        house = House(rooms, founded_sqlite, clock)
        await bring(house, Entry(1, **SCHEMES["bcrypt"]))
        failure: list[Unavailable] = [Unavailable(internal="the database is away")]

        async def fails(presented: bytes, digest: bytes, hashes: Iterable[ForeignHash]) -> bytes | None:
            del presented, digest, hashes
            raise failure[0]

        monkeypatch.setattr(rooms.foreign, "match", fails)
        for number in range(5):
            with pytest.raises(Unavailable):
                await verify(rooms, f"sk_live_guess{number}")
        failure[0] = Overloaded(internal="too many")
        for number in range(3):
            with pytest.raises(Overloaded):
                await verify(rooms, f"sk_live_guess{number}")
        assert await reason(rooms, "sk_live_guess9") is Reason.RATE


# The run


async def test_an_import_that_was_broken_off_goes_on_where_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million keys, and a machine that restarts in the middle: what is there stays, and the rest follows."""
    monkeypatch.setattr(imports, "READ_AT_ONCE", 4)
    monkeypatch.setattr(imports, "WRITTEN_AT_ONCE", 2)
    entries = [entry(f"key-number-{number}", number) for number in range(10)]
    write, written = house.rooms.store.import_credentials, 0

    async def break_off(keys: Any, rules: Any, event: Any) -> None:
        nonlocal written
        if written == 3:
            raise Unavailable(internal="power cut")
        written += 1
        await write(keys, rules, event)

    with monkeypatch.context() as patch:
        patch.setattr(house.rooms.store, "import_credentials", break_off)
        with pytest.raises(Unavailable):
            await bring(house, *entries)
    report = await bring(house, *entries)
    assert (report.imported, report.already_here) == (4, 6)
    for number in range(10):
        assert await reason(house.rooms, f"key-number-{number}") is None


async def test_how_far_it_is_is_told_after_each_part(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes without a word look like a program that hangs."""
    monkeypatch.setattr(imports, "READ_AT_ONCE", 4)
    monkeypatch.setattr(imports, "WRITTEN_AT_ONCE", 2)
    told: list[int] = []
    owner = await house.rooms.directory.user(house.operator, house.founded.user_id)
    await house.rooms.imports.run(
        house.operator,
        (entry(f"key-number-{number}", number) for number in range(6)),
        await house.rooms.imports.reader(),
        ImportWish(owner, "a test"),
        lambda report: told.append(report.imported),
    )
    assert told == [2, 4, 4, 6, 6]


async def test_a_dry_run_tells_the_same_and_writes_nothing(house: House) -> None:
    """Whoever wants to know first would find out by doing it."""
    entries: list[Entry | Unusable] = [
        entry(line=1),
        entry(line=2),
        entry("other", 3, scopes=("nonsense",)),
        Unusable(4, "is not valid JSON"),
        Entry(5, **SCHEMES["bcrypt"]),
    ]
    dry = await bring(house, *entries, dry_run=True)
    assert await reason(house.rooms) is Reason.INVALID_KEY
    assert len(await keys_of(house)) == 1
    assert await house.rooms.store.foreign_rules() == []
    real = await bring(house, *entries)
    for report in (dry, real):
        assert (report.imported, report.already_here, report.refused) == (2, 1, 2)
        assert sorted(one.line for one in report.refusals) == [3, 4]


async def test_an_import_is_in_the_trail(house: House) -> None:
    """A key without a beginning could be anybody's doing."""
    report = await bring(house, entry(), entry("other", 2))
    [event] = await house.rooms.audit.events(house.operator, Page(50), action="api_key.imported")
    assert (event.subject_id, event.actor) == (report.id, house.operator.actor)
    assert event.details == {"keys": 2, "source": "a test", "user_id": house.founded.user_id}


async def test_only_the_first_thousand_refusals_are_kept(house: House) -> None:
    """A file of a million wrong lines would fill the memory."""
    report = await bring(house, *(Unusable(line, "is wrong") for line in range(1_500)))
    assert (report.refused, len(report.refusals)) == (1_500, 1_000)


async def test_keys_with_slow_hashes_that_begin_alike_are_few(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All keys that begin with sk_live_ would be compared for each presented one, which takes minutes."""
    monkeypatch.setattr(imports, "WRITTEN_AT_ONCE", 2)

    def slow(number: int) -> Entry:
        hashed = bcrypt.hashpw(b"sk_live_%d" % number, bcrypt.gensalt(4)).decode()
        return Entry(number, hash=hashed, prefix="sk_live_")

    report = await bring(house, *(slow(number) for number in range(6)))
    assert (report.imported, report.refused) == (4, 2)
    assert report.refusals[0].reason == "has a key that begins like 4 unused others with slow hashes"
    report = await bring(house, slow(7))
    assert (report.imported, report.refused) == (0, 1)
    found = [number for number in range(6) if await reason(house.rooms, f"sk_live_{number}") is None]
    assert len(found) == 4
    await house.rooms.uses.flush()
    assert (await bring(house, slow(8))).imported == 1


# Whose, and what they may do


async def test_entries_may_name_their_users(house: House) -> None:
    """A file holds the keys of many people; each must be limited, and ended, with their own account."""
    tenant = await house.make_tenant()
    ada, bob = await house.make_user(tenant.id), await house.make_user(tenant.id)
    boss = house.authority_of(ada)
    assert ada.email is not None
    report = await bring(
        house,
        entry("of-ada", 1, user=ada.email.upper()),
        entry("of-bob", 2, user=bob.id),
        entry("of-the-one-who-was-named", 3),
        entry("of-nobody", 4, user="nobody@example.com"),
        entry("of-a-stranger", 5, user=house.founded.user_id),
        authority=boss,
        user=ada,
    )
    assert report.imported == 3
    assert {(one.line, one.reason) for one in report.refusals} == {
        (4, "names a user who is not in this tenant"),
        (5, "names a user who is not in this tenant"),
    }
    for key, owner in (("of-ada", ada), ("of-bob", bob), ("of-the-one-who-was-named", ada)):
        verdict = await verify(house.rooms, key)
        assert isinstance(verdict, Accepted)
        assert (verdict.principal.user_id, verdict.principal.tenant_id) == (owner.id, tenant.id)


async def test_people_without_an_address_are_named_by_id(house: House) -> None:
    """Services have no address, and most keys."""
    service = await house.make_user(kind="service", name="a service", email=None, role=Role.MEMBER)
    report = await bring(house, entry(user=service.id))
    assert report.imported == 1


async def test_no_key_gets_more_than_its_user_has(house: House) -> None:
    """Whoever writes the file would be an administrator."""
    member = await house.make_user(role=Role.MEMBER)
    report = await bring(
        house,
        entry("a", 1, scopes=("admin",)),
        entry("b", 2, scopes=("read",)),
        entry("c", 3, scopes=(KEY,)),
        user=member,
    )
    assert report.imported == 1
    assert {one.reason for one in report.refusals} == {
        "has scopes that are unknown here, or more than its user has"
    }
    report = await bring(house, entry("d", 1), user=member, scopes=["admin"])
    assert report.refused == 1


async def test_who_does_not_administer_imports_nothing(house: House) -> None:
    """Everybody could give themselves keys that others know."""
    member = await house.make_user(role=Role.MEMBER)
    with pytest.raises(Forbidden):
        await bring(house, entry(), authority=house.authority_of(member), user=member)
    admin = await house.make_user(role=Role.ADMIN)
    report = await bring(house, entry(), authority=house.authority_of(admin))
    assert "make a key for an owner" in report.refusals[0].reason


async def test_who_is_disabled_gets_no_keys(house: House) -> None:
    """They would be promised, and open nothing."""
    bob = await house.make_user()
    await house.rooms.directory.change_user(house.operator, bob.id, UserChanges(status=Status.DISABLED))
    report = await bring(house, entry(user=bob.id))
    assert report.refused == 1


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "a\nb"}, "name must not contain control characters"),
        ({"name": "bf_key_0123456789abcdef"}, "name must not contain a credential"),
        ({"allowed_ips": ("nowhere",)}, "allowed_ips.0 must be an address"),
        ({"metadata": {"a": "b" * 20_000}}, "metadata must be at most"),
    ],
)
async def test_what_our_own_keys_may_not_have_imported_ones_may_not_either(
    house: House, fields: dict[str, Any], told: str
) -> None:
    """A file would be the way around every check."""
    report = await bring(house, entry(line=7, **fields))
    assert [one.line for one in report.refusals] == [7]
    assert told in report.refusals[0].reason


async def test_a_key_that_has_ended_is_not_imported(house: House) -> None:
    """It would be an error to whoever reads the report only when somebody presents it."""
    report = await bring(house, entry(expires_at=to_datetime(house.clock.now_us)))
    assert report.refusals[0].reason == "expires_at must be in the future, and at most 100 years ahead."


async def test_no_refusal_repeats_a_secret(house: House) -> None:
    """Reports are printed, logged and sent around."""
    rows = [
        {"key": f"{KEY} with blanks"},
        {"hash": digest_of(KEY)[:-1]},
        {"hash": digest_of(KEY), "scheme": KEY},
        {"hash": digest_of(KEY), "user": KEY},
        {"hash": digest_of(KEY), "scopes": [KEY]},
        {"hash": digest_of(KEY), "expires_at": KEY},
        {"hash": digest_of(KEY), "allowed_ips": [KEY]},
        {"hash": digest_of(KEY), "metadata": KEY},
        {"hash": digest_of(KEY), "enabled": KEY},
        {KEY: "a name"},
        {"hash": f"$2b$04${KEY}"},
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    _, entries = read(io.StringIO(text), DumpFormat.JSONL, to_datetime(house.clock.now_us))
    report = await bring(house, *entries)
    assert [one.line for one in sorted(report.refusals, key=lambda one: one.line)] == list(range(1, 12))
    assert not any(KEY in one.reason or digest_of(KEY)[:16] in one.reason for one in report.refusals)


async def test_thousands_of_keys_are_there_in_seconds(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million are a matter of minutes; a row, an event and a transaction for each would take hours."""
    events: list[int] = []
    write = house.rooms.store.import_credentials

    async def note(keys: Sequence[ForeignKey], rules: Any, event: Any) -> None:
        events.append(len(keys))
        assert [key.id for key in keys] == sorted(key.id for key in keys)
        assert [key.digest for key in keys] == sorted(key.digest for key in keys)
        await write(keys, rules, event)

    monkeypatch.setattr(house.rooms.store, "import_credentials", note)
    async with asyncio.timeout(60):
        report = await bring(house, *(entry(f"key-number-{number}", number) for number in range(12_000)))
    assert (report.imported, events) == (12_000, [5_000, 5_000, 2_000])
    assert await reason(house.rooms, "key-number-11999") is None
