"""What people have let clients do, seen by them and their admins, and taken back.

A consent is an answer that is remembered; a grant is one use of it, by one client in one place, with its own tokens.
Who ends a grant ends its tokens. Who withdraws a consent ends every grant of that client, and is asked anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.credentials.holdings import Owned, may_see
from bonafides.delegation import SeenConsent, SeenGrant
from bonafides.directory import Directory, whose
from bonafides.errors import NotFound
from bonafides.model import Clock, CredentialStatus, Page, to_datetime
from bonafides.store import ConsentStore, CredentialStore

_ENDED: Final = "ended by its user or an admin"


class ConsentsStore(ConsentStore, CredentialStore, Protocol):
    """What is asked of the store."""


class Consents:
    """Shows and ends what people have let clients do.

    Args:
        store: Where it is.
        directory: Whose it is.
        recorder: Makes audit events.
        clock: What has ended by now.
    """

    def __init__(self, store: ConsentsStore, directory: Directory, recorder: Recorder, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._recorder = recorder
        self._clock = clock

    async def page(
        self,
        authority: Authority,
        page: Page,
        *,
        tenant_id: str | None = None,
        user_id: str | None = None,
        client_id: str | None = None,
    ) -> Sequence[SeenConsent]:
        """Consents, newest first: of the tenant for who administers it, else one's own.

        Raises:
            Forbidden: The caller asks for another user's without administering the tenant.
            NotFound: The tenant is not the caller's.
        """
        return await self._store.list_consents(
            authority.tenant(tenant_id), page, user_id=whose(authority, user_id), client_id=client_id
        )

    async def get(self, authority: Authority, consent_id: str) -> SeenConsent:
        """The consent, if it is the caller's to see.

        Raises:
            NotFound: There is none, or it is not.
        """
        found = await self._store.get_consent(consent_id, authority.reach)
        if found is None or not may_see(authority, found.consent):
            raise _nothing("consent", consent_id)
        return found

    async def withdraw(self, authority: Authority, consent_id: str) -> None:
        """Take a consent back, with every grant that its user has given that client.

        Raises:
            Forbidden: It is somebody's who is more powerful.
            NotFound: There is none, or it is not the caller's to see.
        """
        consent = (await self.get(authority, consent_id)).consent
        await self._require_rank(authority, consent)
        event = self._recorder.event(
            "consent.withdrawn",
            authority.actor,
            consent.tenant_id,
            consent.client_id,
            {"user_id": consent.user_id},
        )
        if not await self._store.withdraw_consent(consent_id, consent.tenant_id, event):
            raise _nothing("consent", consent_id)

    async def grants(
        self,
        authority: Authority,
        page: Page,
        *,
        tenant_id: str | None = None,
        user_id: str | None = None,
        client_id: str | None = None,
    ) -> Sequence[SeenGrant]:
        """Grants that have not ended, newest first: of the tenant for who administers it, else one's own.

        Raises:
            Forbidden: The caller asks for another user's without administering the tenant.
            NotFound: The tenant is not the caller's.
        """
        now = to_datetime(self._clock.micros())
        return await self._store.list_grants(
            authority.tenant(tenant_id), page, now, user_id=whose(authority, user_id), client_id=client_id
        )

    async def grant(self, authority: Authority, grant_id: str) -> SeenGrant:
        """The grant, if it has not ended and is the caller's to see.

        Raises:
            NotFound: There is none, or it is not.
        """
        now = to_datetime(self._clock.micros())
        found = await self._store.find_grant(grant_id, authority.reach, now)
        if found is None or not may_see(authority, found.grant):
            raise _nothing("grant", grant_id)
        return found

    async def end_grant(self, authority: Authority, grant_id: str) -> None:
        """End a grant, with every token of it, at once and everywhere.

        Raises:
            Forbidden: It is somebody's who is more powerful.
            NotFound: There is none, or it is not the caller's to see.
        """
        grant = (await self.grant(authority, grant_id)).grant
        await self._require_rank(authority, grant)
        event = self._recorder.event(
            "grant.ended", authority.actor, grant.tenant_id, grant.id, {"client_id": grant.client_id}
        )
        await self._store.set_credential_status(
            grant.id, grant.tenant_id, CredentialStatus.REVOKED, event, reason=_ENDED
        )

    async def _require_rank(self, authority: Authority, owned: Owned) -> None:
        if owned.user_id == authority.user_id:
            return
        user = await self._directory.user(authority, owned.user_id)
        authority.require_rank(user.role, user.tenant_id, f"end what an {user.role} has granted")


def _nothing(noun: str, identifier: str) -> NotFound:
    return NotFound(f"There is no {noun} {identifier[:64]!a}.")
