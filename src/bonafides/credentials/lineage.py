"""Lineage: what a credential was made from, what was made from it, and what ends with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bonafides.authority import Authority
from bonafides.credentials.holdings import may_see
from bonafides.errors import NotFound
from bonafides.model import Clock, Credential, CredentialStatus, to_datetime
from bonafides.store import CredentialStore

MEMBERS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Family:
    """A credential among its relatives.

    Args:
        credential: Whose family it is.
        members: The root and what was made from it, oldest first, ended ones too; `MEMBERS_MAX` at most.
        ends_with_it: The ids of those that its revocation would end, its own among them.
        whole: False if there are more members than these.
    """

    credential: Credential
    members: Sequence[Credential]
    ends_with_it: frozenset[str]
    whole: bool


class Lineage:
    """Shows families of credentials.

    Args:
        store: Where credentials are.
        clock: Tells which have ended.
    """

    def __init__(self, store: CredentialStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def family(self, authority: Authority, credential_id: str) -> Family:
        """The relatives of a credential of whatever kind, if it is the caller's to see.

        Raises:
            NotFound: There is none, or it is not.
        """
        found = await self._store.find_credential(credential_id, authority.reach)
        if found is None or not may_see(authority, found):
            message = f"There is no credential {credential_id[:64]!a}."
            raise NotFound(message)
        members = await self._store.lineage(found.root_id, MEMBERS_MAX + 1)
        shown = members[:MEMBERS_MAX]
        now = to_datetime(self._clock.micros())
        below = _below(found.id, shown)
        ends = {
            member.id
            for member in shown
            if member.id in below
            and member.status is not CredentialStatus.REVOKED
            and (member.ends_at is None or member.ends_at > now)
        }
        return Family(found, shown, frozenset(ends), len(members) <= MEMBERS_MAX)


def _below(credential_id: str, members: Sequence[Credential]) -> set[str]:
    """The ids of a credential and of what was made from it, in whatever order the members come."""
    made_from: dict[str | None, list[str]] = {}
    for member in members:
        made_from.setdefault(member.parent_id, []).append(member.id)
    below: set[str] = set()
    reached = [credential_id]
    while reached:
        identifier = reached.pop()
        below.add(identifier)
        reached += made_from.get(identifier, ())
    return below
