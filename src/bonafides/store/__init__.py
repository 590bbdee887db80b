"""What the rooms may ask of a database: verbs, each one whole.

A mutating verb takes its audit event and writes row, event and change in one transaction; when it
returns, all three are durable. A verb that finds nothing to act on returns None and writes nothing.
Every reading verb is bounded to a tenant, or says `EVERYWHERE` aloud. When the database cannot be
asked, every verb raises `errors.Unavailable`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bonafides.delegation import (
    AuthorizationCode,
    Client,
    ClientChanges,
    ClientSecret,
    Consent,
    DeviceCode,
    DeviceDecision,
    EndedLogin,
    GrantRenewal,
    InitialAccessToken,
    NewClient,
    NewGrant,
    PresentedClient,
    PresentedCode,
    PresentedDevice,
    PresentedRequest,
    PushedRequest,
    RefreshableGrant,
    SeenConsent,
    SeenGrant,
)
from bonafides.errors import Unavailable
from bonafides.model import (
    Account,
    AuditEvent,
    Change,
    CountBy,
    Credential,
    CredentialChanges,
    CredentialFilter,
    CredentialKind,
    CredentialStatus,
    Denial,
    DigestedSecret,
    Elevation,
    Expiring,
    Factors,
    ForeignHash,
    ForeignKey,
    ForeignRule,
    GuessLimit,
    IdempotencyClaim,
    Lease,
    LeaseAsk,
    LiveSession,
    NetworkUse,
    OneTimePurpose,
    OneTimeSecret,
    Opening,
    Page,
    Plan,
    Refreshable,
    Renewal,
    Replayed,
    SigningKey,
    Standing,
    Tenant,
    TenantChanges,
    TenantScope,
    TotpFactor,
    UsageKey,
    UsageSpan,
    UsageSubject,
    User,
    UserChanges,
    Verifiable,
    WaitingLetter,
)
from bonafides.passkey import AddedPasskey, Challenge, Passkey
from bonafides.webhook import (
    Conclusion,
    Delivery,
    DeliveryStatus,
    Taken,
    Webhook,
    WebhookChanges,
    WebhookSecrets,
)

OnCommit = Callable[[Sequence[Change]], None]
"""Told of the changes of each committed transaction of this process before its verb returns."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The caller's `Idempotency-Key` was used before for another call; nothing was changed."""


@dataclass(frozen=True, slots=True)
class SetUpCode:
    """What lets the first owner go on in a browser, with its digest and its event."""

    made: OneTimeSecret
    secret: DigestedSecret
    event: AuditEvent


@dataclass(frozen=True, slots=True)
class Clash:
    """What was to be unique exists: `what` names it (`email`, `name`, `owner`, `plan in use`, …)."""

    what: str


class CredentialStore(Protocol):
    """Credentials of every kind, without their secrets."""

    async def create_credential(
        self,
        credential: Credential,
        secret: DigestedSecret,
        event: AuditEvent,
        *,
        claim: IdempotencyClaim | None = None,
    ) -> Credential | Replayed | Reused:
        """Insert a credential; with a claim, at most one of any number of concurrent calls does."""
        ...

    async def find_credential(self, credential_id: str, tenant: TenantScope) -> Credential | None:
        """The credential of that id, if it is in that tenant."""
        ...

    async def find_with_plan(self, credential_id: str) -> tuple[Credential, Plan] | None:
        """The credential of that id, in whatever tenant, and the plan that binds it."""
        ...

    async def lineage(self, root_id: str, rows_max: int) -> Sequence[Credential]:
        """The root of a lineage and all that was made from it, oldest first, `rows_max` of them at most."""
        ...

    async def prune_tokens(self, before: datetime, rows_max: int) -> int:
        """Forget tokens that ended before a moment, parents after their children; how many, `rows_max` at most."""
        ...

    async def list_credentials(
        self,
        tenant: TenantScope,
        page: Page,
        which: CredentialFilter,
    ) -> Sequence[Credential]:
        """Up to `page.limit` credentials, newest first (by creation time, then id)."""
        ...

    async def change_credential(
        self, credential_id: str, tenant: TenantScope, changes: CredentialChanges, event: AuditEvent
    ) -> Credential | None:
        """Change fields of a credential that is not revoked; the feed names its whole subtree."""
        ...

    async def rotate_credential(
        self,
        predecessor_id: str,
        overlap_ends_at: datetime,
        successor: Credential,
        secret: DigestedSecret,
        event: AuditEvent,
        *,
        claim: IdempotencyClaim | None = None,
    ) -> Credential | Replayed | Reused | None:
        """Insert the successor and end the predecessor's overlap, once: an active key that was not rotated.

        Returns:
            The successor; None if the predecessor is not active, is gone, or has been rotated already
            (two concurrent rotations: exactly one succeeds).
        """
        ...

    async def set_credential_status(
        self,
        credential_id: str,
        tenant: TenantScope,
        status: CredentialStatus,
        event: AuditEvent,
        *,
        reason: str | None = None,
    ) -> Credential | None:
        """Disable, enable or revoke; revocation is final and ends every descendant in the same transaction.

        Returns:
            The credential as it is now; the same, with nothing written, if it had that status; None if
            it is unknown, or was revoked and something else is asked.
        """
        ...

    async def find_verifiable(self, digests: Sequence[bytes]) -> Mapping[bytes, Verifiable]:
        """The cold look-up: what is known of the credentials with these digests, by digest."""
        ...

    async def record_scopes(self, first_used: Mapping[tuple[str, str], datetime]) -> None:
        """Note when a credential (by its id) first needed a scope; what is known already stays."""
        ...

    async def used_scopes(self, credential_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """The scopes that were ever needed of each of these credentials."""
        ...

    async def record_networks(self, used: Mapping[tuple[str, str], tuple[datetime, int]]) -> None:
        """Add to how much credentials were used from networks.

        Of each credential, `NETWORKS_MAX` networks are told apart, and what comes after these is added up as one.
        Of who was deleted, nothing is written.

        Args:
            used: When a credential (by its id) was last used from a network, and how often since the last batch.
        """
        ...

    async def networks_of(self, credential_ids: Sequence[str]) -> Mapping[str, Sequence[NetworkUse]]:
        """The networks that each of these credentials was used from, the latest first, and the others at the end."""
        ...

    async def shared_networks(
        self, tenant: TenantScope, networks: Sequence[str], people_max: int
    ) -> frozenset[str]:
        """Those of these networks from which credentials of several people, and not of more than that, were used."""
        ...

    async def prune_networks(self, before: datetime) -> int:
        """Forget the networks that were last used before a moment; how many."""
        ...

    async def record_use(
        self,
        last_used: Mapping[str, datetime],
        redigested: Mapping[str, DigestedSecret],
    ) -> None:
        """Write a batch of last uses (never moving one back) and of digests under the newest pepper.

        Bookkeeping, not a change of state: it writes no audit event and no change.
        """
        ...


class DirectoryStore(Protocol):
    """Tenants and their users."""

    async def found(
        self,
        tenant: Tenant,
        user: User,
        password_hash: str,
        credential: Credential,
        secret: DigestedSecret,
        plans: Sequence[Plan],
        event: AuditEvent,
        *,
        code: SetUpCode | None = None,
    ) -> bool:
        """Create the operator's tenant, its owner, their key, what they go on with, and the plans, if there is no tenant yet.

        Returns:
            False, with nothing written, when the installation exists; of concurrent calls one gets True.
        """
        ...

    async def create_tenant(
        self, tenant: Tenant, event: AuditEvent, *, claim: IdempotencyClaim | None = None
    ) -> Tenant | Replayed | Reused | Clash:
        """Insert a tenant; its name is unique among those not deleted (`Clash('name')`), its plan exists (`Clash('plan')`)."""
        ...

    async def find_tenant(self, tenant_id: str) -> Tenant | None:
        """The tenant of that id; deleted ones are not found."""
        ...

    async def list_tenants(self, page: Page) -> Sequence[Tenant]:
        """Up to `page.limit` tenants, newest first."""
        ...

    async def change_tenant(
        self, tenant_id: str, changes: TenantChanges, event: AuditEvent
    ) -> Tenant | Clash | None:
        """Change a tenant; the operator's own cannot be disabled (`Clash('operator')`)."""
        ...

    async def create_user(
        self, user: User, event: AuditEvent, *, claim: IdempotencyClaim | None = None
    ) -> User | Replayed | Reused | Clash:
        """Insert a user; the e-mail address is unique in its tenant, whatever its case (`Clash('email')`)."""
        ...

    async def find_user(self, user_id: str, tenant: TenantScope) -> User | None:
        """The user of that id, if in that tenant; deleted ones are not found."""
        ...

    async def find_member(self, user_id: str, tenant_id: str) -> tuple[Tenant | None, User | None]:
        """What `find_tenant` and `find_user` find, for one trip to the database."""
        ...

    async def proven_at(self, credential_id: str) -> datetime | None:
        """When the user of a login's token last proved who they are; None for what is not of a login."""
        ...

    async def list_users(
        self, tenant: TenantScope, page: Page, *, search: str | None = None
    ) -> Sequence[User]:
        """Up to `page.limit` users, newest first, without the deleted ones."""
        ...

    async def change_user(
        self, user_id: str, tenant: TenantScope, changes: UserChanges, event: AuditEvent
    ) -> User | Clash | None:
        """Change a user. The last active owner of a tenant stays one (`Clash('owner')`), concurrency included.

        Deleting (`status=Status.DELETED`) revokes every credential of the user in the same transaction.
        """
        ...


class PlanStore(Protocol):
    """Plans, by name."""

    async def put_plan(
        self, plan: Plan, event: AuditEvent, *, claim: IdempotencyClaim | None = None
    ) -> bool | Replayed | Reused:
        """Create a plan (True) or replace the figures of the one with that name (False, `created_at` kept)."""
        ...

    async def find_plan(self, name: str) -> Plan | None:
        """The plan of that name."""
        ...

    async def list_plans(self, page: Page) -> Sequence[Plan]:
        """Up to `page.limit` plans, newest first; `page.after_id` is a name."""
        ...

    async def delete_plan(self, name: str, event: AuditEvent) -> bool | Clash:
        """Delete a plan that no tenant and no unrevoked credential names (`Clash('plan in use')`); False if unknown."""
        ...


class AuditStore(Protocol):
    """The audit trail, which only mutating verbs write."""

    async def list_events(
        self,
        tenant: TenantScope,
        page: Page,
        *,
        action: str | None = None,
        subject_id: str | None = None,
        actor_user_id: str | None = None,
    ) -> Sequence[AuditEvent]:
        """Up to `page.limit` events, newest first."""
        ...

    async def append_event(self, event: AuditEvent) -> None:
        """Write an event that changes nothing else (a refused sign-in, a started server)."""
        ...


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """How far a follower of the change feed has read; opaque to it, made by the store alone.

    All below `sequence` was read, but for what was still being written then: `pending`.
    """

    sequence: int
    pending: frozenset[int] = frozenset()


class FeedLost(Unavailable):
    """Changes since a position may be gone: forget everything, and start from `feed_position` again."""


class LimitStore(Protocol):
    """Limits that several processes share: each leases units, and spends them without asking."""

    async def lease(self, asks: Sequence[LeaseAsk], now_us: int) -> Sequence[Lease | Unavailable]:
        """What each ask gets, in their order; why not, where one cannot be answered. Units in all hands never exceed a limit.

        Args:
            asks: No two of one holder about one subject.
            now_us: The asking process's time.
        """
        ...

    async def eras(self) -> Mapping[int, str]:
        """The store's memory, by the part of the subjects that it is of: another name once it was lost.

        A part that cannot be asked is left out; a store that never forgets has none.
        """
        ...

    def part(self, subject: str) -> int:
        """Which part a subject is in."""
        ...

    async def settle(self) -> None:
        """Return when a memory that has just begun hands units out."""
        ...


class FeedStore(Protocol):
    """The change feed: numbered, without gaps."""

    async def feed_position(self) -> FeedPosition:
        """Where the feed ends now: nothing committed later is missed by reading on from here."""
        ...

    async def changes_since(self, position: FeedPosition) -> tuple[Sequence[Change], FeedPosition]:
        """Every change that committed since, in whatever order the commits fell, each once.

        Raises:
            FeedLost: Some were pruned unread, or the database was replaced by another.
        """
        ...

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` when another process has committed changes, if there is a way to hear of it; what is said may be lost."""
        ...

    def hears(self) -> bool:
        """Whether `listen` would hear of a change, as far as was tried."""
        ...

    async def prune(self, before: datetime) -> None:
        """Forget feed entries and idempotency claims from before a moment."""
        ...


class UsageStore(Protocol):
    """Requests counted by credential, outcome and time; bookkeeping, so without audit events and changes."""

    async def record_usage(
        self, writer: str, batch: int, counts: Mapping[UsageKey, int], at: datetime
    ) -> None:
        """Add counts to their minutes, hours and days in one transaction; the same batch again adds nothing.

        Args:
            writer: Who counted: a process, by a name that no other ever has.
            batch: Its number; each is higher than that writer's last.
            counts: Requests by key; none is 0.
            at: Now.
        """
        ...

    async def usage_of(
        self, subject: UsageSubject, span: UsageSpan, starts_at_us: Sequence[int]
    ) -> Mapping[tuple[int, str], int]:
        """Requests by bucket and outcome, of the subject in these buckets alone; what is 0 is left out.

        A credential is asked for with its user, a user with their tenant: the counts are kept in that order.
        """
        ...

    async def demand_on(
        self,
        plan: str,
        count_by: CountBy,
        span: UsageSpan,
        since_us: int,
        until_us: int,
        *,
        least: int | None,
        rows_max: int,
    ) -> tuple[int, Mapping[tuple[int, str], Mapping[CredentialKind, int]]]:
        """Requests admitted, or refused for their number, of what is on a plan now: all, and the busiest buckets of each count.

        Args:
            plan: Of the credential, the first of its lineage or, where it has none, its tenant.
            count_by: Whose requests are one count.
            span: Of the buckets.
            since_us: When the first of them begins.
            until_us: When those begin that are left out.
            least: Buckets of a count with no more than that are left out; None leaves out all.
            rows_max: How many are told, the busiest first.
        """
        ...

    async def prune_usage(self, span: UsageSpan, before: datetime, rows_max: int) -> int:
        """Forget counts of buckets that began before a moment, the oldest first; how many rows, `rows_max` at most."""
        ...


class DenialStore(Protocol):
    """Why requests were refused; bookkeeping for a day, so without audit events and changes."""

    async def standings(self, credential_ids: Sequence[str]) -> Mapping[str, Standing]:
        """How credentials stand, and all that they depend on; those that are gone are left out."""
        ...

    async def record_denials(self, refused: Sequence[Denial]) -> None:
        """Write a batch of denials; one that is there already stays as it is."""
        ...

    async def find_denial(self, request_id: str, tenant: TenantScope, since: datetime) -> Denial | None:
        """The denial of that request, if it is of that tenant's credential and not from before a moment.

        What was nobody's credential is found in no tenant, but everywhere.
        """
        ...

    async def prune_denials(self, before: datetime, rows_max: int) -> int:
        """Forget denials from before a moment; how many, `rows_max` at most."""
        ...


class NoticeStore(Protocol):
    """Of which ends of credentials their owners were told."""

    async def expiring(self, now: datetime, days: Sequence[int], rows_max: int) -> Sequence[Expiring]:
        """Keys and personal access tokens in use of whose end nobody has told yet, the soonest first.

        Args:
            now: Judges what is soon.
            days: How long before the end it is told; of those that have passed, the last one is due. What
                was made after that is not told of.
            rows_max: How many at most.
        """
        ...

    async def note_expiring(
        self,
        noticed: Sequence[tuple[Expiring, AuditEvent]],
        letters_of: Callable[[Sequence[Expiring]], Sequence[WaitingLetter]],
    ) -> Sequence[Expiring]:
        """Write those events of which nobody was told before, whoever else tells at the same time; which they are.

        Args:
            noticed: What ends, and the event that says so.
            letters_of: The letters that tell of those; called in another thread.
        """
        ...

    async def prune_notices(self, before: datetime) -> None:
        """Forget notices of ends before a moment."""


class LetterStore(Protocol):
    """Letters that wait to be sent; bookkeeping, so without audit events and changes.

    They are written by the verb that takes the event which they tell of.
    """

    async def due_letters(self, now: datetime, rows_max: int) -> Sequence[WaitingLetter]:
        """Those that are to be sent by now, the longest first; `rows_max` at most."""
        ...

    async def put_letter_off(self, letter: WaitingLetter, until: datetime) -> bool:
        """Let nobody find a letter until then; False where somebody else has put it off, or it is sent."""
        ...

    async def forget_letter(self, letter_id: str) -> None:
        """Remove a letter: it is sent, or given up."""
        ...


class NotificationStore(Protocol):
    """Which letters people want. Who has said nothing wants all."""

    async def unwanted_topics(self, user_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The topics of which these users want no letters; who wants all is left out."""
        ...

    async def set_unwanted_topics(self, user_id: str, topics: frozenset[str], event: AuditEvent) -> None:
        """Keep of which topics a user wants no letters."""
        ...

    async def admins_of(self, tenant_id: str, rows_max: int) -> Sequence[User]:
        """Active people with an address who administer a tenant, the first `rows_max` of them."""
        ...


class WebhookStore(Protocol):
    """Webhooks, and what they are told: that is written with the event itself, by whichever verb takes it."""

    async def create_webhook(
        self,
        webhook: Webhook,
        secrets: WebhookSecrets,
        event: AuditEvent,
        *,
        claim: IdempotencyClaim | None = None,
    ) -> Webhook | Replayed | Reused | Clash:
        """Insert a webhook; a `Clash` where its tenant has as many as it may have."""
        ...

    async def find_webhook(self, webhook_id: str, tenant: TenantScope) -> Webhook | None:
        """The webhook of that id, if it is in that tenant."""
        ...

    async def list_webhooks(self, tenant: TenantScope, page: Page) -> Sequence[Webhook]:
        """Up to `page.limit` webhooks, newest first."""
        ...

    async def change_webhook(
        self, webhook_id: str, changes: WebhookChanges, event: AuditEvent
    ) -> Webhook | None:
        """Change a webhook of the event's tenant; what waits for one that is disabled, has failed."""
        ...

    async def rotate_webhook_secret(
        self,
        webhook_id: str,
        secrets: WebhookSecrets,
        old_until: datetime,
        event: AuditEvent,
        *,
        claim: IdempotencyClaim | None = None,
    ) -> Webhook | Replayed | Reused | None:
        """Keep another secret of a webhook of the event's tenant, and the one before until a moment."""
        ...

    async def remove_webhook(self, webhook_id: str, event: AuditEvent) -> bool:
        """Forget a webhook of the event's tenant, and what it was told."""
        ...

    async def due_webhooks(self, now: datetime, busy: Collection[str], rows_max: int) -> Sequence[str]:
        """Those for which something is due, the longest waiting first, without those that are busy."""
        ...

    async def take_delivery(
        self, webhook_id: str, now: datetime, until: datetime, *, event_id: str | None = None
    ) -> Taken | None:
        """Take up the oldest that is due (or this one), so that nobody else does until then; None where there is none."""
        ...

    async def conclude_delivery(
        self, taken: Taken, conclusion: Conclusion, disabling: AuditEvent | None = None
    ) -> Delivery:
        """Write what came of an attempt; with an event that tells of it, the webhook is told nothing any more."""
        ...

    async def list_deliveries(
        self, webhook_id: str, page: Page, status: DeliveryStatus | None = None
    ) -> Sequence[Delivery]:
        """Up to `page.limit` of what a webhook was told, newest first."""
        ...

    async def resend_delivery(self, webhook_id: str, event_id: str, now: datetime) -> Delivery | None:
        """Let a delivery wait as if it were new, due now; None where there is none."""
        ...

    async def prune_deliveries(self, before: datetime) -> None:
        """Forget what was to be told before a moment."""
        ...


class SigningKeyStore(Protocol):
    """The keys that sign tokens: few, and changed together."""

    async def list_signing_keys(self) -> Sequence[SigningKey]:
        """All of them: the current one, the next one, then those retired, the latest first."""
        ...

    async def replace_signing_keys(
        self, seen: Sequence[SigningKey], keys: Sequence[SigningKey], event: AuditEvent
    ) -> bool:
        """Make these all the keys there are, if there are no others than those seen.

        Returns:
            False, with nothing written, if somebody has changed them: of concurrent calls one gets True.
        """
        ...

    async def operator_tenant_id(self) -> str:
        """Whose trail tells of what concerns the whole installation."""
        ...


class SessionStore(Protocol):
    """Logins: opened, refreshed, ended."""

    async def open_session(self, opening: Opening, event: AuditEvent) -> bool:
        """Begin a session with its first token and refresh token.

        Returns:
            False, with nothing written, if its user or tenant is not active, the password was changed since, or
            a second factor is needed and was not proven, or was spent before.
        """
        ...

    async def elevate(self, elevation: Elevation, event: AuditEvent) -> bool:
        """Note that a session's user has proven anew who they are; their token ends, and another begins.

        Returns:
            False, with nothing written, if the session is not live, or what was proven does not hold, or was spent before.
        """
        ...

    async def find_refreshable(self, digests: Sequence[bytes]) -> Refreshable | None:
        """The refresh token with one of these digests; one that has ended is found until it is pruned."""
        ...

    async def refresh(self, renewal: Renewal, event: AuditEvent) -> bool:
        """Spend a refresh token and put another in its place: of any number of calls at once, one does.

        Returns:
            False, with nothing written, if it was spent, has ended, or its session is not live.
        """
        ...

    async def find_session(self, session_id: str, tenant: TenantScope, now: datetime) -> LiveSession | None:
        """The session of that id, if it is in that tenant and has not ended."""
        ...

    async def list_sessions(
        self, tenant: TenantScope, page: Page, now: datetime, *, user_id: str | None = None
    ) -> Sequence[LiveSession]:
        """Up to `page.limit` sessions that have not ended, newest first."""
        ...

    async def end_sessions(
        self, user_id: str, event: AuditEvent, *, reason: str, kept: str | None = None
    ) -> int:
        """End every session of a user but one, with all their tokens and what they let clients do; how many sessions."""
        ...

    async def knows_place(self, user_id: str, place: str) -> bool:
        """Whether a user has logged in from there lately."""
        ...

    async def knows_places(self, user_id: str) -> bool:
        """Whether a user has logged in from anywhere lately."""
        ...

    async def prune_logins(self, now: datetime, *, grace_seconds: int, idle_seconds: int) -> None:
        """Forget ended refresh tokens and one-time secrets, old answers, guesses and places."""
        ...


class AccountStore(Protocol):
    """What people log in with."""

    async def find_account(self, email_folded: str, tenant_id: str | None) -> Account | None:
        """Who logs in by this address: in that tenant, or where they may and have for longest."""
        ...

    async def find_account_of(self, user_id: str, tenant: TenantScope) -> Account | None:
        """The account of a user, if they are in that tenant and not deleted."""
        ...

    async def find_accounts(self, email_folded: str) -> Sequence[Account]:
        """Everybody who may log in by this address, in whatever tenant."""
        ...

    async def count_guess(self, limits: Sequence[GuessLimit], now: datetime) -> int:
        """Count a guess as wrong, before it is judged; seconds to wait, with nothing counted, where none is admitted."""
        ...

    async def set_password(
        self,
        user_id: str,
        password_hash: str,
        event: AuditEvent,
        *,
        replaced: str | None,
        kept_session: str | None,
        end_others: bool,
        guessed: Sequence[str] = (),
    ) -> int | None:
        """Give a user another password, which voids every secret that was sent to them.

        Args:
            user_id: Whose.
            password_hash: The new one's.
            event: Written with it.
            replaced: What the current password was checked against; None where it was not asked for.
            kept_session: The one that goes on.
            end_others: Whether the others end.
            guessed: Counts of guesses that begin anew.

        Returns:
            How many sessions that ended; None, with nothing written, if another password was set since.
        """
        ...

    async def create_one_time_secret(
        self,
        made: OneTimeSecret,
        secret: DigestedSecret,
        event: AuditEvent | None,
        *,
        guessed: Sequence[str] = (),
    ) -> None:
        """Keep a secret that serves once; its user's others for the same purpose serve no more, unless they log in.

        Args:
            made: What it is for.
            secret: Its digest.
            event: Written with it.
            guessed: Counts of guesses that begin anew.
        """
        ...

    async def find_one_time_secret(
        self, digests: Sequence[bytes], purpose: OneTimePurpose, now: datetime
    ) -> OneTimeSecret | None:
        """The secret with one of these digests, if it still serves."""
        ...

    async def redeem_for_password(
        self,
        secret_id: str,
        purpose: OneTimePurpose,
        password_hash: str,
        event: AuditEvent,
        *,
        guessed: Sequence[str] = (),
    ) -> bool:
        """Spend a secret for a new password, which ends every session: of any number of calls at once, one does."""
        ...

    async def redeem_for_set_up(
        self,
        secret_id: str,
        changes: UserChanges,
        password_hash: str,
        event: AuditEvent,
        changed: AuditEvent,
    ) -> bool | Clash:
        """Spend an invitation for another address, name and password, all of it or none: of calls at once, one does.

        An address that is taken (`Clash('email')`) spends nothing.
        """
        ...


class ClientStore(Protocol):
    """OAuth clients and their secrets."""

    async def create_client(
        self, new: NewClient, event: AuditEvent, *, claim: IdempotencyClaim | None = None
    ) -> Client | Replayed | Reused:
        """Insert a client, the service user that it is, its credential and its first secret."""
        ...

    async def find_client(self, client_id: str, tenant: TenantScope) -> Client | None:
        """The client of that id, if it is in that tenant; deleted ones are not found."""
        ...

    async def list_clients(self, tenant: TenantScope, page: Page) -> Sequence[Client]:
        """Up to `page.limit` clients, newest first."""
        ...

    async def change_client(
        self,
        client_id: str,
        tenant: TenantScope,
        changes: ClientChanges,
        defined_scopes: frozenset[str],
        event: AuditEvent,
    ) -> Client | None:
        """Change a client and its user. Disabling it disables what people let it do; deleting it ends that.

        Args:
            client_id: Which.
            tenant: Where it must be.
            changes: What shall change.
            defined_scopes: Those that its user may have; standard ones are the client's alone.
            event: Written with it.
        """
        ...

    async def add_client_secret(
        self,
        secret: ClientSecret,
        digested: DigestedSecret,
        event: AuditEvent,
        *,
        others_end_at: datetime | None = None,
        claim: IdempotencyClaim | None = None,
    ) -> ClientSecret | Replayed | Reused | Clash | None:
        """Give a client of the event's tenant another secret, and perhaps its others an end.

        Returns:
            The secret; `Clash('secrets')` if it has as many as it may; None if there is no such client.
        """
        ...

    async def remove_client_secret(self, client_id: str, secret_id: str, event: AuditEvent) -> bool:
        """Forget a secret; False, with nothing written, if the client, which is in the event's tenant, has none of that id."""
        ...

    async def list_client_secrets(self, client_id: str) -> Sequence[ClientSecret]:
        """The secrets of a client, the oldest first; one that has ended is listed until another is made."""
        ...

    async def present_client(self, client_id: str, digests: Sequence[bytes]) -> PresentedClient | None:
        """The client of that id, with its secret that has one of these digests, if there is one."""
        ...


class RegistrationStore(Protocol):
    """Who may register clients, and clients that show that they are themselves."""

    async def add_initial_token(
        self,
        token: InitialAccessToken,
        secret: DigestedSecret,
        event: AuditEvent,
        *,
        claim: IdempotencyClaim | None = None,
    ) -> InitialAccessToken | Replayed | Reused:
        """Insert what lets somebody register clients."""
        ...

    async def list_initial_tokens(
        self, tenant: TenantScope, page: Page, now: datetime
    ) -> Sequence[InitialAccessToken]:
        """Up to `page.limit` of those that are still good for something, newest first."""
        ...

    async def find_initial_token(self, token_id: str, tenant: TenantScope) -> InitialAccessToken | None:
        """The token of that id, if it is in that tenant."""
        ...

    async def remove_initial_token(self, token_id: str, event: AuditEvent) -> bool:
        """Forget one of the event's tenant; False, with nothing written, if there is none of that id."""
        ...

    async def present_initial_token(
        self, digests: Sequence[bytes], now: datetime
    ) -> InitialAccessToken | None:
        """The token with one of these digests, while it, its tenant and whoever made it are good."""
        ...

    async def register_client(self, new: NewClient, token_id: str | None, event: AuditEvent) -> bool:
        """Insert a client that registers itself, for one use of a token; False, with nothing written, if it has none left."""
        ...

    async def find_registered_client(self, client_id: str, digests: Sequence[bytes]) -> Client | None:
        """The client of that id, while it is active, if what it may be changed with has one of these digests."""
        ...

    async def prune_initial_tokens(self, now: datetime) -> None:
        """Forget those that let nobody register any more."""
        ...


class FactorStore(Protocol):
    """What people prove beside their password. Every change of it ends logins that are half done."""

    async def find_factors(self, user_id: str) -> Factors:
        """What a user may prove beside their password."""
        ...

    async def list_people_without_factor(
        self, tenant: TenantScope, page: Page, user_id: str | None
    ) -> Sequence[User]:
        """Up to `page.limit` active people who prove nothing beside their password, newest first.

        Args:
            tenant: Of it.
            page: Where the list goes on.
            user_id: Them alone; None for all.
        """
        ...

    async def find_recovery_code(self, user_id: str, digests: Sequence[bytes]) -> bytes | None:
        """Which of these digests is of a code that the user has left."""
        ...

    async def begin_totp(self, factor: TotpFactor, event: AuditEvent) -> bool:
        """Keep an authenticator app that is to be confirmed, in place of one that never was; False if one is in use."""
        ...

    async def confirm_totp(
        self,
        confirmed: TotpFactor,
        codes: Sequence[DigestedSecret],
        event: AuditEvent,
        *,
        kept_session: str | None,
        end_others: bool,
    ) -> int | None:
        """Take an authenticator app into use, with the codes that stand in for it.

        Returns:
            How many sessions that ended; None, with nothing written, if it is not the one that was begun
            last, or is in use already.
        """
        ...

    async def replace_recovery_codes(
        self, user_id: str, codes: Sequence[DigestedSecret], event: AuditEvent
    ) -> bool:
        """Give a user other codes; the ones before serve no more. False for who has no factor."""
        ...

    async def remove_factors(
        self, user_id: str, event: AuditEvent, *, kept_session: str | None, end_others: bool
    ) -> int | None:
        """Take all of a user's factors and codes away; how many sessions that ended. None if they had none."""
        ...

    async def remove_totp(
        self, user_id: str, event: AuditEvent, *, kept_session: str | None, end_others: bool
    ) -> int | None:
        """Take a user's app away, and with their last factor its codes; how many sessions that ended. None if they had none."""
        ...


class PasskeyStore(Protocol):
    """Passkeys. Adding and removing one ends logins that are half done."""

    async def find_passkey(self, credential_id: bytes) -> Passkey | None:
        """The passkey that an authenticator names so."""
        ...

    async def add_passkey(
        self,
        passkey: Passkey,
        challenge: Challenge,
        codes: Sequence[DigestedSecret],
        event: AuditEvent,
        *,
        kept_session: str | None,
        end_others: bool,
    ) -> AddedPasskey | None:
        """Take a passkey into use, and spend the challenge that it has signed; who has no other factor is given the codes.

        Returns:
            None if the challenge was spent before, or somebody has the passkey already.
        """
        ...

    async def rename_passkey(
        self, user_id: str, passkey_id: str, name: str, event: AuditEvent
    ) -> Passkey | None:
        """Give a user's passkey another name; None if they have none of that id."""
        ...

    async def suspect_passkey(self, passkey_id: str, challenge: Challenge, event: AuditEvent) -> bool:
        """Note that two may hold a passkey, which opens nothing from then on.

        False if it was noted before, or if what it has signed was only sent again.
        """
        ...

    async def remove_passkey(
        self,
        user_id: str,
        passkey_id: str,
        event: AuditEvent,
        *,
        kept_session: str | None,
        end_others: bool,
    ) -> int | None:
        """Take a user's passkey away, and with their last factor its codes; how many sessions that ended. None if they have none."""
        ...


class AuthorizationCodeStore(Protocol):
    """Authorization codes."""

    async def add_authorization_code(
        self, code: AuthorizationCode, secret: DigestedSecret, event: AuditEvent
    ) -> None:
        """Keep a code that was just made, with all that it was asked for and given with."""
        ...


class ConsentStore(Protocol):
    """What people have let clients do."""

    async def find_consent(self, user_id: str, client_id: str) -> Consent | None:
        """What a user has let a client do, and not taken back."""
        ...

    async def give_consent(self, given: Consent, event: AuditEvent) -> Consent:
        """Remember what a user lets a client do, beside what they have let it do before; all of it."""
        ...

    async def get_consent(self, consent_id: str, tenant: TenantScope) -> SeenConsent | None:
        """The consent of that id, if it is in that tenant."""
        ...

    async def list_consents(
        self,
        tenant: TenantScope,
        page: Page,
        *,
        user_id: str | None = None,
        client_id: str | None = None,
    ) -> Sequence[SeenConsent]:
        """Up to `page.limit` consents, newest first."""
        ...

    async def withdraw_consent(self, consent_id: str, tenant: TenantScope, event: AuditEvent) -> bool:
        """Forget a consent, and end every grant that its user has given the client; False if there is none."""
        ...

    async def find_grant(self, grant_id: str, tenant: TenantScope, now: datetime) -> SeenGrant | None:
        """The grant of that id, if it is in that tenant and has not ended."""
        ...

    async def list_grants(
        self,
        tenant: TenantScope,
        page: Page,
        now: datetime,
        *,
        user_id: str | None = None,
        client_id: str | None = None,
    ) -> Sequence[SeenGrant]:
        """Up to `page.limit` grants that have not ended, newest first."""
        ...

    async def list_ended_logins(self, changed: Sequence[str]) -> Sequence[EndedLogin]:
        """The clients that were logged in to by a session that has ended: one of these, or of a user among these."""
        ...


class PushedRequestStore(Protocol):
    """Authorization requests that clients have sent ahead (RFC 9126)."""

    async def push_request(self, request: PushedRequest, secret: DigestedSecret) -> None:
        """Keep a request under a secret."""
        ...

    async def find_pushed_request(self, digests: Sequence[bytes], now: datetime) -> PresentedRequest | None:
        """The request with one of these digests, if it has neither ended nor been used up."""
        ...

    async def spend_pushed_request(self, digest: bytes, now: datetime) -> bool:
        """Use a request up: of any number of calls at once, one does."""
        ...


class DeviceStore(Protocol):
    """Devices that wait until a person lets them have access (RFC 8628)."""

    async def add_device(self, device: DeviceCode, secret: DigestedSecret, user_code_digest: bytes) -> bool:
        """Keep a device's request; False, with nothing written, where another waits under the same user code."""
        ...

    async def find_device(self, digests: Sequence[bytes], now: datetime) -> PresentedDevice | None:
        """The request with one of these user codes, if it has not ended and nobody has decided it."""
        ...

    async def decide_device(
        self, decision: DeviceDecision, event: AuditEvent, *, guessed: Sequence[str] = ()
    ) -> bool:
        """Approve or deny a request that waits still: of any number of calls at once, one does.

        Args:
            decision: Whose, and what.
            event: Written with it.
            guessed: Counts of guesses that are forgotten, because this one was right.
        """
        ...

    async def poll_device(
        self, digests: Sequence[bytes], client_id: str, now: datetime
    ) -> PresentedDevice | None:
        """What has become of a client's request, and that it has asked: too soon, and its interval grows."""
        ...

    async def redeem_device(self, digest: bytes, new: NewGrant, event: AuditEvent) -> bool:
        """Spend an approved request for a grant: of any number of calls at once, one does."""
        ...

    async def prune_requests(self, before: datetime) -> None:
        """Forget requests of devices, and pushed ones, that ended before a moment."""
        ...


class GrantStore(Protocol):
    """What people let clients do."""

    async def find_code(self, digests: Sequence[bytes]) -> PresentedCode | None:
        """The authorization code with one of these digests; a redeemed one is found for a day."""
        ...

    async def redeem_code(self, digest: bytes, new: NewGrant, event: AuditEvent) -> bool:
        """Spend an authorization code for a grant: of any number of calls at once, one does.

        Returns:
            False, with nothing written, if it was spent, has ended, or its user or tenant is not active.
        """
        ...

    async def begin_grant(self, new: NewGrant, event: AuditEvent) -> bool:
        """Begin a grant for which nothing is spent; False, with nothing written, if its user or tenant is not active."""
        ...

    async def find_refreshable_grant(self, digests: Sequence[bytes]) -> RefreshableGrant | None:
        """The refresh token of a grant with one of these digests; one that has ended is found until it is pruned."""
        ...

    async def renew_grant(self, renewal: GrantRenewal, event: AuditEvent) -> bool:
        """Spend a grant's refresh token and put another in its place: of any number of calls at once, one does.

        One that goes on is given its new end, by each of them.

        Returns:
            False, with nothing written, if it was spent, has ended, or its grant is not live.
        """
        ...

    async def spend_assertion(self, digest: bytes, expires_at: datetime) -> bool:
        """Remember an assertion until it has ended by itself; False if somebody did before."""
        ...

    async def prune_grants(self, now: datetime, *, grace_seconds: int) -> None:
        """Forget ended refresh tokens, codes and assertions, and old answers."""
        ...


class ForeignStore(Protocol):
    """Keys that were made elsewhere."""

    async def foreign_rules(self) -> Sequence[ForeignRule]:
        """How strings of no look of ours may be keys; none where nothing was imported."""
        ...

    async def find_foreign_hashes(self, prefixes: Sequence[str], rows_max: int) -> Sequence[ForeignHash]:
        """The slow hashes of unused keys that begin so, `rows_max` at most."""
        ...

    async def count_foreign_hashes(self, prefixes: Sequence[str]) -> Mapping[str, int]:
        """How many unused keys with slow hashes begin so, by how they begin."""
        ...

    async def known_digests(self, digests: Sequence[bytes]) -> frozenset[bytes]:
        """Those that are of an imported key, or of any credential, already."""
        ...

    async def import_credentials(
        self, keys: Sequence[ForeignKey], rules: Sequence[ForeignRule], event: AuditEvent
    ) -> None:
        """Insert keys that are not there yet, and the rules by which they are found; one event and change for all."""
        ...


class InstallationStore(Protocol):
    """The database as a whole."""

    async def ping(self) -> None:
        """Return if the database answers and its schema is the one that this program knows."""
        ...

    async def pepper_ids(self) -> Mapping[str, int]:
        """Which peppers what is stored was digested or sealed with, and how many secrets that are in use need each."""
        ...

    async def is_founded(self) -> bool:
        """Whether `found` has succeeded before. False also on a database without a schema."""
        ...

    async def close(self) -> None:
        """Finish what is under way and close every connection."""
        ...


class Store(
    CredentialStore,
    DirectoryStore,
    PlanStore,
    AuditStore,
    LimitStore,
    FeedStore,
    UsageStore,
    DenialStore,
    NoticeStore,
    LetterStore,
    NotificationStore,
    WebhookStore,
    SigningKeyStore,
    SessionStore,
    AccountStore,
    ClientStore,
    RegistrationStore,
    FactorStore,
    PasskeyStore,
    AuthorizationCodeStore,
    ConsentStore,
    PushedRequestStore,
    DeviceStore,
    GrantStore,
    ForeignStore,
    InstallationStore,
    Protocol,
):
    """All verbs, as `app.py` hands them out; each room takes the Protocol that it needs."""
