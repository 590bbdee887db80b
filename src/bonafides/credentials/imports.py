"""Keys from elsewhere become keys here: checked one by one, written many at once, and never twice.

A file is only as trustworthy as whoever wrote it: no key gets a scope that its user does not have, none gets
a plan or a user of another tenant, and every entry that is refused is told with its place and the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple, Protocol

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.credentials.api_keys import ApiKeys
from bonafides.credentials.dumps import Entry, Unusable, UnusableError
from bonafides.credentials.foreign_keys import ForeignKeys, Kept
from bonafides.directory import Directory, require_active_user
from bonafides.errors import AppError, Forbidden, InvalidRequest
from bonafides.model import (
    FOREIGN_ALIKE_MAX,
    IMPORT_ID_PREFIX,
    Clock,
    CredentialStatus,
    Entropy,
    ForeignKey,
    Page,
    User,
    to_datetime,
    to_micros,
)
from bonafides.secret import Peppers, new_id
from bonafides.store import CredentialStore, ForeignStore

READ_AT_ONCE: Final = 50_000
WRITTEN_AT_ONCE: Final = 5_000
TOLD_MAX: Final = 1_000
_USERS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class ImportWish:
    """What holds for every key of a file.

    Args:
        user: Whose keys, where an entry does not say.
        source: What the file is, for the audit trail.
        scopes: Of entries that name none; None gives `read` and `write`, as far as their user may.
        dry_run: Only tell what would happen.
    """

    user: User
    source: str
    scopes: Sequence[str] | None = None
    dry_run: bool = False


@dataclass(slots=True)
class ImportReport:
    """What became of a file.

    Args:
        imported: Keys that are there now, or would be.
        already_here: Entries that an earlier import, or an earlier entry, has brought.
        refused: Entries that cannot become keys; of these `refusals` tells the first thousand.
    """

    id: str
    imported: int = 0
    already_here: int = 0
    refused: int = 0
    refusals: list[Unusable] = field(default_factory=list)

    def refuse(self, line: int, reason: str) -> None:
        """Note an entry that cannot become a key."""
        self.refused += 1
        if len(self.refusals) < TOLD_MAX:
            self.refusals.append(Unusable(line, reason))


class ImportStore(CredentialStore, ForeignStore, Protocol):
    """What imports ask of the store."""


class Imports:
    """Imports keys into one tenant.

    Args:
        store: Where they go.
        directory: Whose they are.
        recorder: Makes audit events.
        peppers: Digest what is kept of them.
        clock: When it happens.
        entropy: For ids.
        api_keys: Whose rules hold for imported ones too.
    """

    def __init__(
        self,
        store: ImportStore,
        directory: Directory,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        api_keys: ApiKeys,
    ) -> None:
        self._store = store
        self._directory = directory
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._api_keys = api_keys

    async def reader(self, *, scheme: str | None = None, hmac_key: bytes | None = None) -> ForeignKeys:
        """What reads keys of a file, see `ForeignKeys`.

        Raises:
            InvalidRequest: There is no such scheme, or the key is too short.
        """
        known = await self._store.foreign_rules()
        return ForeignKeys(self._peppers, self._entropy, known, scheme=scheme, hmac_key=hmac_key)

    async def run(
        self,
        authority: Authority,
        entries: Iterable[Entry | Unusable],
        keys: ForeignKeys,
        wish: ImportWish,
        tell: Callable[[ImportReport], None],
    ) -> ImportReport:
        """Import what can be imported; broken off and run again, it goes on where it was.

        Args:
            authority: Whoever asks; may give no more than they have.
            entries: Of the file, each read as it is needed.
            keys: Reads what they say of their keys.
            wish: What holds for all of them.
            tell: Told how far it is, again and again.

        Raises:
            Forbidden: The caller does not administer the tenant.
            Unavailable: The database cannot be asked; what was written until then stays.
        """
        authority.require_administration("import keys")
        run = _Run(
            authority, keys, wish, ImportReport(new_id(IMPORT_ID_PREFIX, self._clock.micros(), self._entropy))
        )
        stream = iter(entries)
        while some := list(islice(stream, READ_AT_ONCE)):
            if not run.users and any(entry.user for entry in some if isinstance(entry, Entry)):
                run.users = await self._users(run)
            found = await self._understood(run, some)
            for start in range(0, len(found), WRITTEN_AT_ONCE):
                await self._write(run, found[start : start + WRITTEN_AT_ONCE])
                tell(run.report)
            tell(run.report)
        return run.report

    async def _understood(self, run: _Run, entries: Sequence[Entry | Unusable]) -> list[_Found]:
        """The keys that entries are of, in the order of their digests and of their ids.

        So most indexes of the database grow at their end, and the others page by page.
        """
        read = []
        for entry in entries:
            if isinstance(entry, Unusable):
                run.report.refuse(entry.line, entry.reason)
                continue
            try:
                read.append((run.keys.read(entry), entry))
            except UnusableError as error:
                run.report.refuse(entry.line, str(error))
        read.sort(key=_by_digest)
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        ids = sorted(new_id("key", now_us, self._entropy) for _ in read)
        found = []
        for identifier, (kept, entry) in zip(ids, read, strict=True):
            try:
                terms = run.terms.get((entry.user, entry.scopes)) or await self._agreed(run, entry)
                found.append(_Found(self._key(terms, identifier, kept, entry, now), kept, entry.line))
            except UnusableError as error:
                run.report.refuse(entry.line, str(error))
            except AppError as error:
                run.report.refuse(entry.line, error.public)
        return found

    def _key(self, terms: _Terms, identifier: str, kept: Kept, entry: Entry, now: datetime) -> ForeignKey:
        return ForeignKey(
            identifier,
            terms.owner.tenant_id,
            terms.owner.id,
            intake.text(entry.name, "name") if entry.name else f"imported {entry.line}",
            terms.scopes,
            CredentialStatus.ACTIVE if entry.enabled else CredentialStatus.DISABLED,
            intake.expiry(entry.expires_at, None, now),
            intake.allowed_ips(entry.allowed_ips) if entry.allowed_ips else (),
            intake.metadata(entry.metadata) if entry.metadata else {},
            kept.display,
            terms.created_by,
            now,
            kept.digests[0],
            self._peppers.newest_id,
            kept.prefix,
            kept.hash,
        )

    async def _agreed(self, run: _Run, entry: Entry) -> _Terms:
        """Whose key an entry is and what it may do; one answer for all entries that say the same."""
        owner = run.wish.user
        if entry.user is not None:
            named = run.users.get(entry.user.casefold() if "@" in entry.user else entry.user)
            if named is None:
                raise UnusableError("names a user who is not in this tenant")
            owner = named
        require_active_user(owner)
        if owner.id != run.authority.user_id:
            run.authority.require_rank(owner.role, owner.tenant_id, f"make a key for an {owner.role}")
        asked = entry.scopes if entry.scopes is not None else run.wish.scopes
        try:
            scopes = await self._api_keys.default_or_bounded(run.authority, asked, owner)
        except (Forbidden, InvalidRequest):
            # What an entry says is not repeated: in a crooked file it may be a key.
            raise UnusableError("has scopes that are unknown here, or more than its user has") from None
        terms = run.terms[entry.user, entry.scopes] = _Terms(owner, scopes, run.authority.user_id)
        return terms

    async def _users(self, run: _Run) -> dict[str, User]:
        """The tenant's people by their ids and addresses; asked for each of a million keys it would take a day."""
        found: dict[str, User] = {}
        page = Page(_USERS_AT_ONCE)
        while users := await self._directory.users(run.authority, page, tenant_id=run.wish.user.tenant_id):
            for user in users:
                found[user.id] = user
                if user.email is not None:
                    found.setdefault(user.email.casefold(), user)
            page = Page(_USERS_AT_ONCE, to_micros(users[-1].created_at), users[-1].id)
        return found

    async def _write(self, run: _Run, some: Sequence[_Found]) -> None:
        known = set(
            await self._store.known_digests([digest for found in some for digest in found.kept.digests])
        )
        await self._count_alike(run, some)
        keys, rules = [], {}
        for key, kept, line in some:
            if not known.isdisjoint(kept.digests):
                run.report.already_here += 1
                continue
            known.add(kept.digests[0])
            if kept.prefix is not None:
                run.alike[kept.prefix] += 1
                if run.alike[kept.prefix] > FOREIGN_ALIKE_MAX:
                    run.report.refuse(
                        line, f"has a key that begins like {FOREIGN_ALIKE_MAX} unused others with slow hashes"
                    )
                    continue
            rules[kept.rule.id] = kept.rule
            keys.append(key)
        if keys and not run.wish.dry_run:
            details = {"keys": len(keys), "source": run.wish.source, "user_id": run.wish.user.id}
            event = self._recorder.event(
                "api_key.imported", run.authority.actor, run.wish.user.tenant_id, run.report.id, details
            )
            await self._store.import_credentials(keys, list(rules.values()), event)
        run.report.imported += len(keys)

    async def _count_alike(self, run: _Run, some: Sequence[_Found]) -> None:
        """Learn how many keys begin like those to be written."""
        new = {found.kept.prefix for found in some if found.kept.prefix is not None} - run.alike.keys()
        if new:
            counts = await self._store.count_foreign_hashes(sorted(new))
            run.alike |= {prefix: counts.get(prefix, 0) for prefix in new}


class _Terms(NamedTuple):
    """Whose key, and what it may do."""

    owner: User
    scopes: frozenset[str]
    created_by: str | None


class _Found(NamedTuple):
    """A key that can be written, and where in the file it is."""

    key: ForeignKey
    kept: Kept
    line: int


def _by_digest(read: tuple[Kept, Entry]) -> bytes:
    return read[0].digests[0]


@dataclass(slots=True)
class _Run:
    """One import under way, and what it has learned."""

    authority: Authority
    keys: ForeignKeys
    wish: ImportWish
    report: ImportReport
    users: dict[str, User] = field(default_factory=dict)
    terms: dict[tuple[str | None, tuple[str, ...] | None], _Terms] = field(default_factory=dict)
    alike: dict[str, int] = field(default_factory=dict)
