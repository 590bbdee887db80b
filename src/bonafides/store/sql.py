"""The store on SQL: every verb of the Protocols, from the same statements on each database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Connection

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
from bonafides.store import (
    Clash,
    FeedLost,
    FeedPosition,
    OnCommit,
    Reused,
    SetUpCode,
    accounts,
    assertions,
    audit,
    authorization_codes,
    clients,
    consents,
    credentials,
    denials,
    device_codes,
    directory,
    factors,
    feed,
    foreign,
    grants,
    guesses,
    installation,
    letters,
    limits,
    notices,
    notifications,
    passkeys,
    plans,
    pushed_requests,
    registrations,
    sessions,
    signing_keys,
    usage,
    used_networks,
    used_scopes,
    webhooks,
)
from bonafides.store.commits import GroupCommit
from bonafides.store.database import Key, SignallingDatabase, Version
from bonafides.store.gathering import Gathering
from bonafides.store.members import MEMBER, Member, member_of
from bonafides.store.transaction import Transaction
from bonafides.webhook import (
    Conclusion,
    Delivery,
    DeliveryStatus,
    Taken,
    Webhook,
    WebhookChanges,
    WebhookSecrets,
)

_LEASE_SECONDS_MAX: Final = 2.5

P = ParamSpec("P")
T = TypeVar("T")


def ignore(_changes: Sequence[Change]) -> None:
    """For a process that keeps nothing in memory."""


class SqlStore:
    """`store.Store` over a database.

    Args:
        database: SQLite or PostgreSQL.
        on_commit: Told of the changes of each committed transaction before its verb returns.
    """

    def __init__(self, database: SignallingDatabase, on_commit: OnCommit = ignore) -> None:
        self._database = database

        def announce(changes: Sequence[Change]) -> None:
            on_commit(changes)
            database.announce()

        self._commits = GroupCommit(database, announce)

        async def members(asked: Sequence[Key]) -> Mapping[Key, Member]:
            rows = await database.ask(MEMBER, asked)
            return {key: member_of(row) for key, row in rows.items()}

        self._members = Gathering(members)
        # The feed ended here when the database had this version: a poll of an idle server ends there.
        self._feed_end: tuple[Version | None, FeedPosition | None] = (None, None)
        self._feed_of: Hashable = None

    async def _read(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._database.read(lambda connection: verb(connection, *args, **kwargs))

    async def _write(
        self, verb: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._commits.carry_out(lambda transaction: verb(transaction, *args, **kwargs))

    # Credentials

    async def create_credential(
        self,
        credential: Credential,
        secret: DigestedSecret,
        event: AuditEvent,
        *,
        claim: IdempotencyClaim | None = None,
    ) -> Credential | Replayed | Reused:
        return await self._write(credentials.create, credential, secret, event, claim)

    async def find_credential(self, credential_id: str, tenant: TenantScope) -> Credential | None:
        return await self._read(credentials.find, credential_id, tenant)

    async def find_with_plan(self, credential_id: str) -> tuple[Credential, Plan] | None:
        return await self._read(credentials.find_with_plan, credential_id)

    async def lineage(self, root_id: str, rows_max: int) -> Sequence[Credential]:
        return await self._read(credentials.lineage, root_id, rows_max)

    async def prune_tokens(self, before: datetime, rows_max: int) -> int:
        return await self._write(credentials.prune_tokens, before, rows_max)

    async def list_credentials(
        self,
        tenant: TenantScope,
        page: Page,
        which: CredentialFilter,
    ) -> Sequence[Credential]:
        return await self._read(credentials.list_page, tenant, page, which)

    async def change_credential(
        self, credential_id: str, tenant: TenantScope, changes: CredentialChanges, event: AuditEvent
    ) -> Credential | None:
        return await self._write(credentials.change, credential_id, tenant, changes, event)

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
        return await self._write(
            credentials.rotate, predecessor_id, overlap_ends_at, successor, secret, event, claim
        )

    async def set_credential_status(
        self,
        credential_id: str,
        tenant: TenantScope,
        status: CredentialStatus,
        event: AuditEvent,
        *,
        reason: str | None = None,
    ) -> Credential | None:
        return await self._write(credentials.set_status, credential_id, tenant, status, event, reason)

    async def find_verifiable(self, digests: Sequence[bytes]) -> Mapping[bytes, Verifiable]:
        return await self._database.look_up(digests)

    async def record_scopes(self, first_used: Mapping[tuple[str, str], datetime]) -> None:
        await self._write(used_scopes.record, first_used)

    async def used_scopes(self, credential_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        return await self._read(used_scopes.of, credential_ids)

    async def record_networks(self, used: Mapping[tuple[str, str], tuple[datetime, int]]) -> None:
        await self._write(used_networks.record, used)

    async def networks_of(self, credential_ids: Sequence[str]) -> Mapping[str, Sequence[NetworkUse]]:
        return await self._read(used_networks.of, credential_ids)

    async def shared_networks(
        self, tenant: TenantScope, networks: Sequence[str], people_max: int
    ) -> frozenset[str]:
        return await self._read(used_networks.shared, tenant, networks, people_max)

    async def prune_networks(self, before: datetime) -> int:
        return await self._write(used_networks.prune, before)

    async def record_use(
        self, last_used: Mapping[str, datetime], redigested: Mapping[str, DigestedSecret]
    ) -> None:
        await self._write(credentials.record_use, last_used, redigested)

    # Directory

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
        return await self._write(
            directory.found, tenant, user, password_hash, credential, secret, plans, event, code=code
        )

    async def create_tenant(
        self, tenant: Tenant, event: AuditEvent, *, claim: IdempotencyClaim | None = None
    ) -> Tenant | Replayed | Reused | Clash:
        return await self._write(directory.create_tenant, tenant, event, claim)

    async def find_tenant(self, tenant_id: str) -> Tenant | None:
        return await self._read(directory.find_tenant, tenant_id)

    async def list_tenants(self, page: Page) -> Sequence[Tenant]:
        return await self._read(directory.list_tenants, page)

    async def change_tenant(
        self, tenant_id: str, changes: TenantChanges, event: AuditEvent
    ) -> Tenant | Clash | None:
        return await self._write(directory.change_tenant, tenant_id, changes, event)

    async def create_user(
        self, user: User, event: AuditEvent, *, claim: IdempotencyClaim | None = None
    ) -> User | Replayed | Reused | Clash:
        return await self._write(directory.create_user, user, event, claim)

    async def find_user(self, user_id: str, tenant: TenantScope) -> User | None:
        return await self._read(directory.find_user, user_id, tenant)

    async def find_member(self, user_id: str, tenant_id: str) -> tuple[Tenant | None, User | None]:
        return await self._members.find((user_id, tenant_id)) or (None, None)

    async def list_users(
        self, tenant: TenantScope, page: Page, *, search: str | None = None
    ) -> Sequence[User]:
        return await self._read(directory.list_users, tenant, page, search)

    async def change_user(
        self, user_id: str, tenant: TenantScope, changes: UserChanges, event: AuditEvent
    ) -> User | Clash | None:
        return await self._write(directory.change_user, user_id, tenant, changes, event)

    # Plans

    async def put_plan(
        self, plan: Plan, event: AuditEvent, *, claim: IdempotencyClaim | None = None
    ) -> bool | Replayed | Reused:
        return await self._write(plans.put, plan, event, claim)

    async def find_plan(self, name: str) -> Plan | None:
        return await self._read(plans.find, name)

    async def list_plans(self, page: Page) -> Sequence[Plan]:
        return await self._read(plans.list_page, page)

    async def delete_plan(self, name: str, event: AuditEvent) -> bool | Clash:
        return await self._write(plans.remove, name, event)

    # Audit trail

    async def list_events(
        self,
        tenant: TenantScope,
        page: Page,
        *,
        action: str | None = None,
        subject_id: str | None = None,
        actor_user_id: str | None = None,
    ) -> Sequence[AuditEvent]:
        return await self._read(audit.list_page, tenant, page, action, subject_id, actor_user_id)

    async def append_event(self, event: AuditEvent) -> None:
        await self._write(audit.append, event)

    # Change feed

    async def feed_position(self) -> FeedPosition:
        version = await self._database.version()
        self._feed_of = version.identity if version is not None else None
        return await self._read(feed.position)

    async def changes_since(self, position: FeedPosition) -> tuple[Sequence[Change], FeedPosition]:
        version, known = self._feed_end
        news = await self._database.news(position, version if known == position else None)
        if news is None:
            return [], position
        if news.version is not None and news.version.identity != self._feed_of:
            # A backup put in its place may have as many changes as were read, but not the same ones.
            raise FeedLost(internal="change feed: the database was replaced by another")
        self._feed_end = (news.version, news.end)
        return news.changes, news.end

    async def listen(self, wake: Callable[[], None]) -> None:
        await self._database.listen(wake)

    def hears(self) -> bool:
        return self._database.hears()

    async def prune(self, before: datetime) -> None:
        await self._write(feed.prune, before)
        await self._write(limits.prune, before)

    # Limits

    async def lease(self, asks: Sequence[LeaseAsk], now_us: int) -> Sequence[Lease]:
        # Not among the writes of the control plane: requests wait for it, and a hung commit must not add to that.
        try:
            async with asyncio.timeout(_LEASE_SECONDS_MAX):
                return await self._database.write(partial(limits.lease_all, asks=asks, now_us=now_us))
        except TimeoutError:
            raise Unavailable(internal="leases: no answer in time") from None

    async def eras(self) -> Mapping[int, str]:
        return {}

    def part(self, subject: str) -> int:  # noqa: ARG002 - there is one
        return 0

    async def settle(self) -> None:
        return None

    # Usage

    async def record_usage(
        self, writer: str, batch: int, counts: Mapping[UsageKey, int], at: datetime
    ) -> None:
        await self._write(usage.record, writer, batch, counts, at)

    async def usage_of(
        self, subject: UsageSubject, span: UsageSpan, starts_at_us: Sequence[int]
    ) -> Mapping[tuple[int, str], int]:
        return await self._read(usage.sums, subject, span, starts_at_us)

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
        return await self._read(usage.demand, plan, count_by, span, since_us, until_us, least, rows_max)

    async def prune_usage(self, span: UsageSpan, before: datetime, rows_max: int) -> int:
        return await self._write(usage.prune, span, before, rows_max)

    # Denials

    async def standings(self, credential_ids: Sequence[str]) -> Mapping[str, Standing]:
        return await self._read(denials.standings, credential_ids)

    async def record_denials(self, refused: Sequence[Denial]) -> None:
        await self._write(denials.record, refused)

    async def find_denial(self, request_id: str, tenant: TenantScope, since: datetime) -> Denial | None:
        return await self._read(denials.find, request_id, tenant, since)

    async def prune_denials(self, before: datetime, rows_max: int) -> int:
        return await self._write(denials.prune, before, rows_max)

    # Notices

    async def expiring(self, now: datetime, days: Sequence[int], rows_max: int) -> Sequence[Expiring]:
        return await self._read(notices.expiring, now, days, rows_max)

    async def note_expiring(
        self,
        noticed: Sequence[tuple[Expiring, AuditEvent]],
        letters_of: Callable[[Sequence[Expiring]], Sequence[WaitingLetter]],
    ) -> Sequence[Expiring]:
        return await self._write(notices.note, noticed, letters_of)

    async def prune_notices(self, before: datetime) -> None:
        await self._write(notices.prune, before)

    # Notifications

    async def unwanted_topics(self, user_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        return await self._read(notifications.unwanted, user_ids)

    async def set_unwanted_topics(self, user_id: str, topics: frozenset[str], event: AuditEvent) -> None:
        await self._write(notifications.set_unwanted, user_id, topics, event)

    async def admins_of(self, tenant_id: str, rows_max: int) -> Sequence[User]:
        return await self._read(notifications.admins_of, tenant_id, rows_max)

    # Letters

    async def due_letters(self, now: datetime, rows_max: int) -> Sequence[WaitingLetter]:
        return await self._read(letters.due, now, rows_max)

    async def put_letter_off(self, letter: WaitingLetter, until: datetime) -> bool:
        return await self._write(letters.put_off, letter, until)

    async def forget_letter(self, letter_id: str) -> None:
        await self._write(letters.forget, letter_id)

    # Webhooks

    async def create_webhook(
        self,
        webhook: Webhook,
        secrets: WebhookSecrets,
        event: AuditEvent,
        *,
        claim: IdempotencyClaim | None = None,
    ) -> Webhook | Replayed | Reused | Clash:
        return await self._write(webhooks.create, webhook, secrets, event, claim)

    async def find_webhook(self, webhook_id: str, tenant: TenantScope) -> Webhook | None:
        return await self._read(webhooks.find, webhook_id, tenant)

    async def list_webhooks(self, tenant: TenantScope, page: Page) -> Sequence[Webhook]:
        return await self._read(webhooks.list_page, tenant, page)

    async def change_webhook(
        self, webhook_id: str, changes: WebhookChanges, event: AuditEvent
    ) -> Webhook | None:
        return await self._write(webhooks.change, webhook_id, changes, event)

    async def rotate_webhook_secret(
        self,
        webhook_id: str,
        secrets: WebhookSecrets,
        old_until: datetime,
        event: AuditEvent,
        *,
        claim: IdempotencyClaim | None = None,
    ) -> Webhook | Replayed | Reused | None:
        return await self._write(webhooks.rotate_secret, webhook_id, secrets, old_until, event, claim)

    async def remove_webhook(self, webhook_id: str, event: AuditEvent) -> bool:
        return await self._write(webhooks.remove, webhook_id, event)

    async def due_webhooks(self, now: datetime, busy: Collection[str], rows_max: int) -> Sequence[str]:
        return await self._read(webhooks.due, now, busy, rows_max)

    async def take_delivery(
        self, webhook_id: str, now: datetime, until: datetime, *, event_id: str | None = None
    ) -> Taken | None:
        return await self._write(webhooks.take, webhook_id, now, until, event_id)

    async def conclude_delivery(
        self, taken: Taken, conclusion: Conclusion, disabling: AuditEvent | None = None
    ) -> Delivery:
        return await self._write(webhooks.conclude, taken, conclusion, disabling)

    async def list_deliveries(
        self, webhook_id: str, page: Page, status: DeliveryStatus | None = None
    ) -> Sequence[Delivery]:
        return await self._read(webhooks.list_deliveries, webhook_id, page, status)

    async def resend_delivery(self, webhook_id: str, event_id: str, now: datetime) -> Delivery | None:
        return await self._write(webhooks.resend, webhook_id, event_id, now)

    async def prune_deliveries(self, before: datetime) -> None:
        await self._write(webhooks.prune, before)

    # Signing keys

    async def list_signing_keys(self) -> Sequence[SigningKey]:
        return await self._read(signing_keys.list_all)

    async def replace_signing_keys(
        self, seen: Sequence[SigningKey], keys: Sequence[SigningKey], event: AuditEvent
    ) -> bool:
        return await self._write(signing_keys.replace_all, seen, keys, event)

    async def operator_tenant_id(self) -> str:
        return await self._read(signing_keys.operator_tenant_id)

    # Sessions

    async def open_session(self, opening: Opening, event: AuditEvent) -> bool:
        return await self._write(sessions.open_session, opening, event)

    async def elevate(self, elevation: Elevation, event: AuditEvent) -> bool:
        return await self._write(sessions.elevate, elevation, event)

    async def proven_at(self, credential_id: str) -> datetime | None:
        return await self._read(sessions.proven_at, credential_id)

    async def find_refreshable(self, digests: Sequence[bytes]) -> Refreshable | None:
        return await self._read(sessions.find_refreshable, digests)

    async def refresh(self, renewal: Renewal, event: AuditEvent) -> bool:
        return await self._write(sessions.refresh, renewal, event)

    async def find_session(self, session_id: str, tenant: TenantScope, now: datetime) -> LiveSession | None:
        return await self._read(sessions.find, session_id, tenant, now)

    async def list_sessions(
        self, tenant: TenantScope, page: Page, now: datetime, *, user_id: str | None = None
    ) -> Sequence[LiveSession]:
        return await self._read(sessions.list_page, tenant, page, user_id, now)

    async def end_sessions(
        self, user_id: str, event: AuditEvent, *, reason: str, kept: str | None = None
    ) -> int:
        return await self._write(sessions.end_sessions, user_id, event, reason, kept)

    async def knows_place(self, user_id: str, place: str) -> bool:
        return await self._read(sessions.knows_place, user_id, place)

    async def knows_places(self, user_id: str) -> bool:
        return await self._read(sessions.knows_places, user_id)

    async def prune_logins(self, now: datetime, *, grace_seconds: int, idle_seconds: int) -> None:
        await self._write(sessions.prune, now, grace_seconds, idle_seconds)

    # Accounts

    async def find_account(self, email_folded: str, tenant_id: str | None) -> Account | None:
        return await self._read(accounts.find_account, email_folded, tenant_id)

    async def find_account_of(self, user_id: str, tenant: TenantScope) -> Account | None:
        return await self._read(accounts.find_account_of, user_id, tenant)

    async def find_accounts(self, email_folded: str) -> Sequence[Account]:
        return await self._read(accounts.find_accounts, email_folded)

    async def count_guess(self, limits: Sequence[GuessLimit], now: datetime) -> int:
        return await self._write(guesses.count, limits, now)

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
        return await self._write(
            accounts.set_password,
            user_id,
            password_hash,
            event,
            replaced=replaced,
            kept_session=kept_session,
            end_others=end_others,
            guessed=guessed,
        )

    async def create_one_time_secret(
        self,
        made: OneTimeSecret,
        secret: DigestedSecret,
        event: AuditEvent | None,
        *,
        guessed: Sequence[str] = (),
    ) -> None:
        await self._write(accounts.create_one_time_secret, made, secret, event, guessed)

    async def find_one_time_secret(
        self, digests: Sequence[bytes], purpose: OneTimePurpose, now: datetime
    ) -> OneTimeSecret | None:
        return await self._read(accounts.find_one_time_secret, digests, purpose, now)

    async def redeem_for_password(
        self,
        secret_id: str,
        purpose: OneTimePurpose,
        password_hash: str,
        event: AuditEvent,
        *,
        guessed: Sequence[str] = (),
    ) -> bool:
        return await self._write(
            accounts.redeem_for_password, secret_id, purpose, password_hash, event, guessed=guessed
        )

    async def redeem_for_set_up(
        self,
        secret_id: str,
        changes: UserChanges,
        password_hash: str,
        event: AuditEvent,
        changed: AuditEvent,
    ) -> bool | Clash:
        return await self._write(
            accounts.redeem_for_set_up, secret_id, changes, password_hash, event, changed
        )

    # OAuth clients

    async def create_client(
        self, new: NewClient, event: AuditEvent, *, claim: IdempotencyClaim | None = None
    ) -> Client | Replayed | Reused:
        return await self._write(clients.create, new, event, claim)

    async def find_client(self, client_id: str, tenant: TenantScope) -> Client | None:
        return await self._read(clients.find, client_id, tenant)

    async def list_clients(self, tenant: TenantScope, page: Page) -> Sequence[Client]:
        return await self._read(clients.list_page, tenant, page)

    async def change_client(
        self,
        client_id: str,
        tenant: TenantScope,
        changes: ClientChanges,
        defined_scopes: frozenset[str],
        event: AuditEvent,
    ) -> Client | None:
        return await self._write(clients.change, client_id, tenant, changes, defined_scopes, event)

    async def add_client_secret(
        self,
        secret: ClientSecret,
        digested: DigestedSecret,
        event: AuditEvent,
        *,
        others_end_at: datetime | None = None,
        claim: IdempotencyClaim | None = None,
    ) -> ClientSecret | Replayed | Reused | Clash | None:
        return await self._write(clients.add_secret, secret, digested, others_end_at, event, claim)

    async def remove_client_secret(self, client_id: str, secret_id: str, event: AuditEvent) -> bool:
        return await self._write(clients.remove_secret, client_id, secret_id, event)

    async def list_client_secrets(self, client_id: str) -> Sequence[ClientSecret]:
        return await self._read(clients.list_secrets, client_id)

    async def present_client(self, client_id: str, digests: Sequence[bytes]) -> PresentedClient | None:
        return await self._read(clients.present, client_id, digests)

    # Registration

    async def add_initial_token(
        self,
        token: InitialAccessToken,
        secret: DigestedSecret,
        event: AuditEvent,
        *,
        claim: IdempotencyClaim | None = None,
    ) -> InitialAccessToken | Replayed | Reused:
        return await self._write(registrations.add_token, token, secret, event, claim)

    async def list_initial_tokens(
        self, tenant: TenantScope, page: Page, now: datetime
    ) -> Sequence[InitialAccessToken]:
        return await self._read(registrations.list_tokens, tenant, page, now)

    async def find_initial_token(self, token_id: str, tenant: TenantScope) -> InitialAccessToken | None:
        return await self._read(registrations.find_token, token_id, tenant)

    async def remove_initial_token(self, token_id: str, event: AuditEvent) -> bool:
        return await self._write(registrations.remove_token, token_id, event)

    async def present_initial_token(
        self, digests: Sequence[bytes], now: datetime
    ) -> InitialAccessToken | None:
        return await self._read(registrations.present_token, digests, now)

    async def register_client(self, new: NewClient, token_id: str | None, event: AuditEvent) -> bool:
        return await self._write(registrations.register, new, token_id, event)

    async def find_registered_client(self, client_id: str, digests: Sequence[bytes]) -> Client | None:
        return await self._read(registrations.find_registered, client_id, digests)

    async def prune_initial_tokens(self, now: datetime) -> None:
        await self._write(registrations.prune, now)

    # Factors

    async def find_factors(self, user_id: str) -> Factors:
        return await self._read(factors.find, user_id)

    async def list_people_without_factor(
        self, tenant: TenantScope, page: Page, user_id: str | None
    ) -> Sequence[User]:
        return await self._read(factors.list_without, tenant, page, user_id)

    async def find_recovery_code(self, user_id: str, digests: Sequence[bytes]) -> bytes | None:
        return await self._read(factors.find_recovery_code, user_id, digests)

    async def begin_totp(self, factor: TotpFactor, event: AuditEvent) -> bool:
        return await self._write(factors.begin_totp, factor, event)

    async def confirm_totp(
        self,
        confirmed: TotpFactor,
        codes: Sequence[DigestedSecret],
        event: AuditEvent,
        *,
        kept_session: str | None,
        end_others: bool,
    ) -> int | None:
        return await self._write(
            factors.confirm_totp, confirmed, codes, event, kept_session=kept_session, end_others=end_others
        )

    async def replace_recovery_codes(
        self, user_id: str, codes: Sequence[DigestedSecret], event: AuditEvent
    ) -> bool:
        return await self._write(factors.replace_recovery_codes, user_id, codes, event)

    async def remove_factors(
        self, user_id: str, event: AuditEvent, *, kept_session: str | None, end_others: bool
    ) -> int | None:
        return await self._write(
            factors.remove_factors, user_id, event, kept_session=kept_session, end_others=end_others
        )

    async def remove_totp(
        self, user_id: str, event: AuditEvent, *, kept_session: str | None, end_others: bool
    ) -> int | None:
        return await self._write(
            factors.remove_totp, user_id, event, kept_session=kept_session, end_others=end_others
        )

    # Passkeys

    async def find_passkey(self, credential_id: bytes) -> Passkey | None:
        return await self._read(passkeys.find, credential_id)

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
        return await self._write(
            passkeys.add, passkey, challenge, codes, event, kept_session=kept_session, end_others=end_others
        )

    async def rename_passkey(
        self, user_id: str, passkey_id: str, name: str, event: AuditEvent
    ) -> Passkey | None:
        return await self._write(passkeys.rename, user_id, passkey_id, name, event)

    async def suspect_passkey(self, passkey_id: str, challenge: Challenge, event: AuditEvent) -> bool:
        return await self._write(passkeys.suspect, passkey_id, challenge, event)

    async def remove_passkey(
        self,
        user_id: str,
        passkey_id: str,
        event: AuditEvent,
        *,
        kept_session: str | None,
        end_others: bool,
    ) -> int | None:
        return await self._write(
            passkeys.remove, user_id, passkey_id, event, kept_session=kept_session, end_others=end_others
        )

    # Authorization codes

    async def add_authorization_code(
        self, code: AuthorizationCode, secret: DigestedSecret, event: AuditEvent
    ) -> None:
        await self._write(authorization_codes.add, code, secret, event)

    # What people let clients do

    async def find_consent(self, user_id: str, client_id: str) -> Consent | None:
        return await self._read(consents.find, user_id, client_id)

    async def give_consent(self, given: Consent, event: AuditEvent) -> Consent:
        return await self._write(consents.give, given, event)

    async def get_consent(self, consent_id: str, tenant: TenantScope) -> SeenConsent | None:
        return await self._read(consents.get, consent_id, tenant)

    async def list_consents(
        self,
        tenant: TenantScope,
        page: Page,
        *,
        user_id: str | None = None,
        client_id: str | None = None,
    ) -> Sequence[SeenConsent]:
        return await self._read(consents.list_page, tenant, page, user_id, client_id)

    async def withdraw_consent(self, consent_id: str, tenant: TenantScope, event: AuditEvent) -> bool:
        return await self._write(consents.withdraw, consent_id, tenant, event)

    async def find_grant(self, grant_id: str, tenant: TenantScope, now: datetime) -> SeenGrant | None:
        return await self._read(consents.find_grant, grant_id, tenant, now)

    async def list_grants(
        self,
        tenant: TenantScope,
        page: Page,
        now: datetime,
        *,
        user_id: str | None = None,
        client_id: str | None = None,
    ) -> Sequence[SeenGrant]:
        return await self._read(consents.list_grants, tenant, page, user_id, client_id, now)

    async def list_ended_logins(self, changed: Sequence[str]) -> Sequence[EndedLogin]:
        return await self._read(consents.list_ended_logins, changed)

    # Requests that wait

    async def push_request(self, request: PushedRequest, secret: DigestedSecret) -> None:
        await self._write(pushed_requests.push, request, secret)

    async def find_pushed_request(self, digests: Sequence[bytes], now: datetime) -> PresentedRequest | None:
        return await self._read(pushed_requests.find, digests, now)

    async def spend_pushed_request(self, digest: bytes, now: datetime) -> bool:
        return await self._write(pushed_requests.spend, digest, now)

    async def add_device(self, device: DeviceCode, secret: DigestedSecret, user_code_digest: bytes) -> bool:
        return await self._write(device_codes.add, device, secret, user_code_digest)

    async def find_device(self, digests: Sequence[bytes], now: datetime) -> PresentedDevice | None:
        return await self._read(device_codes.find, digests, now)

    async def decide_device(
        self, decision: DeviceDecision, event: AuditEvent, *, guessed: Sequence[str] = ()
    ) -> bool:
        return await self._write(device_codes.decide, decision, event, guessed)

    async def poll_device(
        self, digests: Sequence[bytes], client_id: str, now: datetime
    ) -> PresentedDevice | None:
        return await self._write(device_codes.poll, digests, client_id, now)

    async def redeem_device(self, digest: bytes, new: NewGrant, event: AuditEvent) -> bool:
        return await self._write(device_codes.redeem, digest, new, event)

    async def prune_requests(self, before: datetime) -> None:
        await self._write(device_codes.prune, before)

    # Grants

    async def find_code(self, digests: Sequence[bytes]) -> PresentedCode | None:
        return await self._read(grants.find_code, digests)

    async def redeem_code(self, digest: bytes, new: NewGrant, event: AuditEvent) -> bool:
        return await self._write(grants.redeem_code, digest, new, event)

    async def begin_grant(self, new: NewGrant, event: AuditEvent) -> bool:
        return await self._write(grants.begin_for, new, event)

    async def find_refreshable_grant(self, digests: Sequence[bytes]) -> RefreshableGrant | None:
        return await self._read(grants.find_refreshable, digests)

    async def renew_grant(self, renewal: GrantRenewal, event: AuditEvent) -> bool:
        return await self._write(grants.renew, renewal, event)

    async def spend_assertion(self, digest: bytes, expires_at: datetime) -> bool:
        return await self._write(assertions.spend, digest, expires_at)

    async def prune_grants(self, now: datetime, *, grace_seconds: int) -> None:
        await self._write(grants.prune, now, grace_seconds)
        await self._write(assertions.prune, now)

    # Imported keys

    async def foreign_rules(self) -> Sequence[ForeignRule]:
        return await self._read(foreign.rules)

    async def find_foreign_hashes(self, prefixes: Sequence[str], rows_max: int) -> Sequence[ForeignHash]:
        return await self._read(foreign.hashes, prefixes, rows_max)

    async def count_foreign_hashes(self, prefixes: Sequence[str]) -> Mapping[str, int]:
        return await self._read(foreign.alike, prefixes)

    async def known_digests(self, digests: Sequence[bytes]) -> frozenset[bytes]:
        return await self._read(foreign.known, digests)

    async def import_credentials(
        self, keys: Sequence[ForeignKey], rules: Sequence[ForeignRule], event: AuditEvent
    ) -> None:
        await self._write(foreign.add, keys, rules, event)

    # Installation

    async def ping(self) -> None:
        await self._read(installation.ping)

    async def pepper_ids(self) -> Mapping[str, int]:
        return await self._read(installation.pepper_ids)

    async def is_founded(self) -> bool:
        return await self._read(installation.is_founded)

    async def close(self) -> None:
        await self._commits.finish()
        await self._database.close()
