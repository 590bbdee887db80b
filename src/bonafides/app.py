"""The composition root: the only file that knows every room, and the only one that picks a database.

`open_rooms` builds them over a store; `build` makes the ASGI application of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import mmap
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import structlog
import uvloop

from bonafides.allowances import Allowances
from bonafides.audit import AuditTrail, Recorder
from bonafides.authority import Authority
from bonafides.checklist import Checklist
from bonafides.credentials.api_keys import ApiKeys
from bonafides.credentials.bearer_tokens import BearerTokens
from bonafides.credentials.factors import SecondFactors
from bonafides.credentials.foreign_hashes import ForeignHashes
from bonafides.credentials.guesses import Guesses
from bonafides.credentials.imports import Imports
from bonafides.credentials.jwt_sessions import JwtSessions, SessionRules
from bonafides.credentials.lineage import Lineage
from bonafides.credentials.passkey_logins import PasskeyLogins
from bonafides.credentials.passkeys import Passkeys
from bonafides.credentials.password_changes import PasswordChanges
from bonafides.credentials.password_mails import PasswordMails
from bonafides.credentials.passwords import Passwords
from bonafides.credentials.personal_tokens import PersonalTokens
from bonafides.credentials.second_steps import SecondSteps
from bonafides.credentials.signing_keys import SigningKeys, SigningRules
from bonafides.credentials.step_ups import StepUps
from bonafides.deliveries import Deliveries
from bonafides.denials import DenialReports
from bonafides.directory import Directory
from bonafides.dry_runs import DryRuns
from bonafides.errors import AlreadyInitialised, AppError, Misconfigured, Unavailable
from bonafides.hashers import Hashers, take_idle_time
from bonafides.idempotency import Idempotency
from bonafides.installation import Founded, Installation
from bonafides.keyring import make_peppers, require_peppers
from bonafides.letters import Letters
from bonafides.logs import configure_logs
from bonafides.mail import Mail, carrier_of
from bonafides.model import (
    Accepted,
    Actor,
    Change,
    ChangeKind,
    Clock,
    Entropy,
    Principal,
    Role,
    UsageSpan,
    to_datetime,
)
from bonafides.notices import Notices
from bonafides.notifications import NotificationSettings
from bonafides.oauth.authorize import Authorizations
from bonafides.oauth.back_channel import BackChannel
from bonafides.oauth.client_authentication import ClientAuthentication
from bonafides.oauth.client_documents import ClientDocuments
from bonafides.oauth.client_keys import ClientKeys
from bonafides.oauth.client_metadata import ACCESS_TOKEN_SECONDS
from bonafides.oauth.clients import Clients
from bonafides.oauth.codes import Codes
from bonafides.oauth.consents import Consents
from bonafides.oauth.devices import DeviceCodes, Devices
from bonafides.oauth.dpop import KeyProofs
from bonafides.oauth.exchange import TokenExchange
from bonafides.oauth.grants import GrantRules, Grants
from bonafides.oauth.id_token_hints import IdTokenHints
from bonafides.oauth.implicit import Implicit
from bonafides.oauth.jwt_bearer import JwtBearer
from bonafides.oauth.known_clients import KnownClients
from bonafides.oauth.logout import Logouts
from bonafides.oauth.pushed_requests import PushedRequests
from bonafides.oauth.registrations import RegistrationRules, Registrations
from bonafides.oauth.request_objects import RequestObjects, Taken
from bonafides.oauth.revocation import Revocation
from bonafides.oauth.token_endpoint import (
    Asked,
    AuthorizationCodes,
    ClientCredentials,
    RefreshTokens,
    TokenEndpoint,
)
from bonafides.oauth.tokens import Tokens
from bonafides.outbox import Outbox
from bonafides.outgoing import Outgoing, Plain
from bonafides.plans import Plans
from bonafides.secret import Peppers
from bonafides.set_up import SetUp
from bonafides.settings import Settings
from bonafides.store import LimitStore, OnCommit, Store
from bonafides.store.migrations import RevisionStatus, migrate, revision_status
from bonafides.store.postgres import open_postgres
from bonafides.store.sqlite import open_sqlite
from bonafides.supervision import (
    ASK,
    CHANGED,
    READY,
    TELL,
    WANTED,
    Channel,
    Duty,
    ForkServer,
    Supervisor,
)
from bonafides.usage import UsageReports
from bonafides.verification.denials import Denials
from bonafides.verification.feed import Feed
from bonafides.verification.foreign import Foreign
from bonafides.verification.leases import Leases
from bonafides.verification.limiter import (
    AddressLimiter,
    AddressWindows,
    Limiter,
    LocalAddressWindows,
    Uncounted,
)
from bonafides.verification.lookup import LookUps
from bonafides.verification.mark import Mark, create_mark
from bonafides.verification.resident import ResidentIndex
from bonafides.verification.shared import SharedAddressWindows, SharedTable, create_table
from bonafides.verification.usage import Uses
from bonafides.verification.verifier import ANY_KEY, Facts, Verifier
from bonafides.web import account_passwords, compat, factors, introspection, logins, passkeys, verify
from bonafides.web.api import Api
from bonafides.web.bound import Presentations
from bonafides.web.cookies import Cookies
from bonafides.web.fastlane import FastLane
from bonafides.web.gate import AsgiApp, Gate
from bonafides.web.guard import Guard
from bonafides.web.handover import Give, Handover
from bonafides.web.health import Health
from bonafides.web.logins import LoginCalls
from bonafides.web.manage import (
    audit,
    checklist,
    clients,
    consents,
    denials,
    dry_runs,
    keys,
    notifications,
    plans,
    registration_tokens,
    sessions,
    signing_keys,
    tenants,
    tokens,
    usage,
    users,
    webhooks,
)
from bonafides.web.manage import (
    settings as settings_calls,
)
from bonafides.web.metrics import (
    CONTENT_TYPE,
    COUNTED_SUBJECTS,
    MEMORY_TRUSTED,
    GatherMetrics,
    Metrics,
    Totals,
)
from bonafides.web.oauth import authorize, discovery, logout, registration, requests, token, userinfo
from bonafides.web.oauth import devices as device_pages
from bonafides.web.oauth.authorize import AuthorizePages
from bonafides.web.oauth.devices import DevicePages
from bonafides.web.oauth.discovery import Discovery
from bonafides.web.oauth.lane import TokenLane
from bonafides.web.oauth.logout import LogoutPages
from bonafides.web.oauth.registration import RegistrationCalls
from bonafides.web.oauth.requests import RequestCalls
from bonafides.web.oauth.token import REVOCATION_PATH, TOKEN_PATH, TokenCalls
from bonafides.web.operation import OperationCalls
from bonafides.web.operation import routes as operation_routes
from bonafides.web.pages import (
    applications,
    files,
    forgotten,
    operator,
    profile,
    security,
    set_up,
    signing_in,
    status,
    trials,
    try_it,
)
from bonafides.web.pages import audit as audit_pages
from bonafides.web.pages import checklist as checklist_pages
from bonafides.web.pages import clients as client_pages
from bonafides.web.pages import factors as factor_pages
from bonafides.web.pages import keys as key_pages
from bonafides.web.pages import notifications as notification_pages
from bonafides.web.pages import passkeys as passkey_pages
from bonafides.web.pages import sessions as session_pages
from bonafides.web.pages import settings as settings_pages
from bonafides.web.pages import tokens as token_pages
from bonafides.web.pages import usage as usage_pages
from bonafides.web.pages import users as user_pages
from bonafides.web.pages import webhooks as webhook_pages
from bonafides.web.pages.audit import AuditPages
from bonafides.web.pages.clients import ClientPages
from bonafides.web.pages.creations import Creations
from bonafides.web.pages.keys import KeyPages
from bonafides.web.pages.listings import Listings
from bonafides.web.pages.operator import OperatorPages
from bonafides.web.pages.reception import Reception
from bonafides.web.pages.reference import Reference
from bonafides.web.pages.rendering import Pages
from bonafides.web.pages.signing_in import SigningIn
from bonafides.web.pages.theme import Theme
from bonafides.web.pages.tokens import TokenPages
from bonafides.web.pages.usage import UsagePages
from bonafides.web.pages.users import UserPages
from bonafides.web.pages.webhooks import WebhookPages
from bonafides.web.paging import Paging
from bonafides.web.portal import routes as portal
from bonafides.web.portal.articles import Articles
from bonafides.web.portal.routes import PortalPages
from bonafides.web.problems import Problems
from bonafides.web.requestids import RequestIds
from bonafides.web.server import (
    Announce,
    free_port,
    hold_port,
    serve_metrics,
    server_of,
    shared_listener,
    take_files,
    url_of,
)
from bonafides.web.verify import VerifyCalls
from bonafides.webhooks import Webhooks

if TYPE_CHECKING:
    from bonafides.store.valkey import ValkeyLimits

log = structlog.get_logger("bonafides")

_SWEEP_SECONDS: Final = 60
_GIVE_BACK_SECONDS: Final = 1
_PRUNED_TOKENS_MAX: Final = 10_000
_ADDRESSES_MAX: Final = 131_072


class SystemClock:
    """The machine's clock."""

    def micros(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        return time.time_ns() // 1_000

    monotonic = staticmethod(time.monotonic)
    """Seconds that never run backwards; asked for by each request, so without a detour."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Every room of the house, built once and handed to the web and the command line."""

    settings: Settings
    clock: Clock
    entropy: Entropy
    store: Store
    limits: LimitStore
    peppers: Peppers
    index: ResidentIndex
    limiter: Limiter
    addresses: AddressLimiter
    leases: Leases
    feed: Feed
    uses: Uses
    denials: Denials
    foreign: Foreign
    verifier: Verifier
    directory: Directory
    api_keys: ApiKeys
    bearer_tokens: BearerTokens
    personal_tokens: PersonalTokens
    lineage: Lineage
    imports: Imports
    plans: Plans
    dry_runs: DryRuns
    audit: AuditTrail
    usage: UsageReports
    allowances: Allowances
    denial_reports: DenialReports
    checklist: Checklist
    notices: Notices
    notifications: NotificationSettings
    idempotency: Idempotency
    installation: Installation
    set_up: SetUp
    signing_keys: SigningKeys
    password_changes: PasswordChanges
    sessions: JwtSessions
    clients: Clients
    password_mails: PasswordMails
    mail: Mail
    outbox: Outbox
    outgoing: Outgoing
    webhooks: Webhooks
    deliveries: Deliveries
    second_factors: SecondFactors
    passkeys: Passkeys
    passkey_logins: PasskeyLogins
    step_ups: StepUps
    authorizations: Authorizations
    logouts: Logouts
    devices: Devices
    pushed_requests: PushedRequests
    registrations: Registrations
    client_documents: ClientDocuments
    consents: Consents
    client_authentication: ClientAuthentication
    client_keys: ClientKeys
    back_channel: BackChannel
    codes: Codes
    grants: Grants
    revocation: Revocation
    key_proofs: KeyProofs
    token_endpoint: TokenEndpoint
    apply: Callable[[Sequence[Change]], None]
    """Makes memory forget what these changes have made outdated."""

    def local_authority(self, tenant_id: str) -> Authority:
        """What whoever can read the database and the pepper may do through the command line: everything."""
        return Authority(
            actor=Actor(user_id=None, credential_id=None, via="command line"),
            tenant_id=tenant_id,
            user_id=None,
            role=Role.OWNER,
            scopes=self.settings.defined_scopes,
            grantable=self.settings.defined_scopes,
            operator=True,
        )


async def schema(settings: Settings) -> RevisionStatus:
    """Which schema the settings' database has, and which this program needs; nothing is made or changed.

    Raises:
        Unavailable: The database cannot be reached.
    """
    return await asyncio.to_thread(revision_status, settings.database_url)


async def upgrade(settings: Settings) -> None:
    """Bring the settings' database to the schema of this program, making a SQLite file that is missing.

    Raises:
        Misconfigured: The database was made by a newer program.
        Unavailable: The database cannot be reached.
    """
    await asyncio.to_thread(migrate, settings.database_url)


async def require_schema(settings: Settings) -> None:
    """Return if the settings' database has the schema of this program.

    Raises:
        Misconfigured: It has none, or another one; the sentence says which command mends it.
        Unavailable: The database cannot be reached.
    """
    status = await schema(settings)
    if status.current is None:
        raise Misconfigured(
            f"There is no installation in {settings.database_shown} yet. Run: bonafides init --email you@example.com"
        )
    if not status.up_to_date:
        raise Misconfigured(
            f"{settings.database_shown} has schema {status.current}, and this program needs {status.needed}. Run: bonafides migrate"
        )


@dataclass(frozen=True, slots=True)
class SharedMemory:
    """What the processes of one machine count in together, as file descriptors of two tables; and the mark of changes.

    Args:
        subjects: None where one process alone counts what credentials have left, in its own memory.
    """

    subjects: int | None
    addresses: int
    mark: mmap.mmap


def open_store(settings: Settings, on_commit: OnCommit) -> Store:
    """The store behind the settings' database; it is connected when it is first asked."""
    opener = open_sqlite if settings.database_scheme == "sqlite" else open_postgres
    return opener(
        settings.database_url, on_commit=on_commit, connections_max=settings.database_connections_max
    )


def open_leases(settings: Settings, entropy: Entropy) -> ValkeyLimits:
    """Where `settings.valkey` says that limits are leased; it is connected when it is first asked.

    Raises:
        Misconfigured: What speaks to it is not installed.
    """
    try:
        from bonafides.store.valkey import ValkeyLimits  # noqa: PLC0415 - an extra, which few need
    except ImportError:
        raise Misconfigured(
            "valkey: the client for it is not installed. Run: pip install 'bonafides[valkey]'", field="valkey"
        ) from None
    return ValkeyLimits(settings.valkey, entropy)


def _nothing() -> None:
    """There is nobody to tell."""


@contextlib.asynccontextmanager
async def open_rooms(
    settings: Settings,
    peppers: Peppers,
    *,
    clock: Clock,
    entropy: Entropy = secrets.token_bytes,
    shared: SharedMemory | None = None,
    tell_others: Callable[[], None] = _nothing,
    passwords: Passwords | None = None,
    counts: bool = True,
) -> AsyncIterator[Rooms]:
    """Every room, over an open store that is closed at the end.

    Args:
        settings: The settings in force.
        peppers: The peppers in force; `keyring` loads or makes them.
        clock: The time that everything goes by.
        entropy: Where every random bit comes from.
        shared: Where limits are counted, if not in this process alone.
        tell_others: Called when this process has outdated what others have in memory.
        passwords: Hashes them; as OWASP asks, unless tests cannot wait for it.
        counts: Whether this process may admit what has a limit; one that may not answers it with 503.

    Raises:
        Unavailable: The database cannot be reached.
        Misconfigured: Its schema is not this program's.
    """
    index = ResidentIndex(
        residents_max=settings.resident_credentials_max,
        misses_max=settings.known_misses_max,
        defined_scopes=settings.defined_scopes,
    )

    mark = Mark(shared.mark if shared is not None else None, int.from_bytes(entropy(4)))

    def on_commit(changes: Sequence[Change]) -> None:
        rooms.apply(changes)
        # Of what is new others hear when they look: nobody has asked them for it before it was made.
        if any(change.kind is not ChangeKind.CREDENTIAL_CREATED for change in changes):
            if shared is not None:
                mark.put()
            tell_others()

    leases = open_leases(settings, entropy) if settings.valkey else None
    store = open_store(settings, on_commit)
    passwords = passwords or Passwords(at_once_max=_hashes_at_once())
    rooms = _furnish(
        settings, peppers, clock, entropy, store, leases or store, index, shared, mark, passwords, counts
    )
    try:
        yield rooms
    finally:
        await rooms.back_channel.close()
        await rooms.deliveries.close()
        await rooms.outbox.settle()
        await rooms.mail.close()
        await store.close()
        if leases is not None:
            await leases.close()


def _hashes_at_once() -> int:
    """How many passwords a machine hashes at once: on half of its processors."""
    return max(1, (os.cpu_count() or 1) // 2)


def _furnish(  # noqa: PLR0913, PLR0915, PLR0917 - everything that is not a room
    settings: Settings,
    peppers: Peppers,
    clock: Clock,
    entropy: Entropy,
    store: Store,
    limits: LimitStore,
    index: ResidentIndex,
    shared: SharedMemory | None,
    mark: Mark,
    passwords: Passwords,
    counts: bool,  # noqa: FBT001 - handed through
) -> Rooms:
    scopes = settings.defined_scopes
    recorder = Recorder(clock, entropy)
    directory = Directory(store, recorder, clock, entropy, scopes, settings.step_up_seconds)
    guesses = Guesses(store, peppers, clock)
    host = urlsplit(settings.base_url).hostname or "localhost"
    mail = Mail(carrier_of(settings), settings.mail_from or f"bonafides@{host}", clock, entropy)
    outbox = Outbox(store, mail, peppers, clock, entropy)
    letters = Letters(mail, outbox, settings.base_url)
    second_factors = SecondFactors(store, directory, recorder, peppers, clock, entropy, host, letters)
    passkeys = Passkeys(store, recorder, peppers, clock, entropy, letters, second_factors, settings.base_url)
    second_steps = SecondSteps(store, peppers, clock, entropy)
    issuing = (store, directory, recorder, peppers, clock, entropy, scopes)
    leases = Leases(limits, entropy(16).hex(), clock, admit_unknown=settings.uncounted_requests == "allow")
    limiter = Limiter()
    windows: AddressWindows = LocalAddressWindows()
    if not counts:
        limiter = Limiter(lambda _: Uncounted())
    elif settings.counts_across_nodes:
        limiter = Limiter(leases.counter)
    elif shared is not None and shared.subjects is not None:
        limiter = Limiter(SharedTable(shared.subjects).counter)
    if shared is not None:
        windows = SharedAddressWindows(SharedTable(shared.addresses, evicting=True))
    addresses = AddressLimiter(settings.address_requests_per_minute, clock.micros, windows)
    uses = Uses(store, clock, entropy(16).hex(), networks=settings.networks_kept_days > 0)
    denied = Denials(store)
    foreign = Foreign(store, peppers, ForeignHashes())
    signers = SigningKeys(
        store,
        recorder,
        peppers,
        clock,
        entropy,
        SigningRules(
            issuer=settings.base_url,
            audience=settings.audience,
            algorithm=settings.signing_algorithm,
            rotation_seconds=settings.signing_key_rotation_days * 86_400,
            token_seconds_max=max(settings.session_token_seconds, ACCESS_TOKEN_SECONDS),
        ),
    )

    outgoing = Outgoing(private=settings.outgoing_private_addresses)
    plain = Plain.NEVER
    if settings.webhook_plain_http:
        plain = Plain.ANYWHERE
    elif settings.outgoing_private_addresses:
        plain = Plain.THIS_MACHINE
    # Apart from the other calls, so that webhooks that hang keep no login from the keys that it needs.
    to_webhooks = Outgoing(private=settings.outgoing_private_addresses, plain=plain)
    hooks = Webhooks(store, recorder, peppers, clock, entropy, plain)
    client_keys = ClientKeys(outgoing, clock)
    known_clients = KnownClients(store, lambda: feed.is_fresh())  # noqa: PLW0108 - the feed is made further down
    authentication = ClientAuthentication(
        store, known_clients, client_keys, peppers, clock, settings.base_url
    )
    proofs = KeyProofs(store, peppers, clock, nonce_required=settings.dpop_nonce_required)
    tokens_of_clients = Tokens(signers, peppers, clock, entropy)
    request_objects = RequestObjects(
        store, outgoing, client_keys, peppers, clock, settings.base_url, Taken(settings.request_objects)
    )
    codes = Codes(store, recorder, peppers, entropy)
    grants = Grants(
        store,
        tokens_of_clients,
        recorder,
        peppers,
        clock,
        entropy,
        GrantRules(
            idle_seconds=settings.session_idle_seconds,
            longest_seconds=settings.session_seconds_max,
            grace_seconds=settings.refresh_grace_seconds,
            audience=settings.audience,
        ),
    )

    clients = Clients(
        store,
        directory,
        signers,
        recorder,
        peppers,
        clock,
        entropy,
        implicit=settings.implicit_grant_for_certification,
    )
    back_channel = BackChannel(store, clients, signers, outgoing, peppers, clock, entropy)

    def apply(changes: Sequence[Change]) -> None:
        index.apply(changes)
        foreign.apply(changes)
        known_clients.apply(changes)
        back_channel.notice(changes)
        if any(change.kind is ChangeKind.SIGNING_KEY for change in changes):
            signers.outdate()

    def forget_all() -> None:
        index.clear()
        foreign.forget()
        known_clients.forget()

    feed = Feed(
        store,
        apply,
        clock,
        max_staleness_seconds=settings.max_staleness_seconds,
        poll_seconds=settings.feed_poll_seconds,
        retention_seconds=settings.change_retention_seconds,
        forget_all=forget_all,
        complain=lambda error: log.error("feed_unreadable", reason=error.internal),
        mark=mark,
    )
    verifier = Verifier(
        peppers=peppers,
        index=index,
        freshness=feed,
        look_ups=LookUps(store, index, peppers, foreign, uses.redigest),
        foreign=foreign,
        signatures=signers,
        limiter=limiter,
        addresses=addresses,
        leases=leases,
        uses=uses,
        clock=clock,
    )
    login_sessions = JwtSessions(
        store=store,
        directory=directory,
        recorder=recorder,
        peppers=peppers,
        clock=clock,
        entropy=entropy,
        signing_keys=signers,
        passwords=passwords,
        guesses=guesses,
        second_steps=second_steps,
        second_factors=second_factors,
        letters=letters,
        rules=SessionRules(
            token_seconds=settings.session_token_seconds,
            idle_seconds=settings.session_idle_seconds,
            longest_seconds=settings.session_seconds_max,
            grace_seconds=settings.refresh_grace_seconds,
        ),
    )
    by_itself = ClientCredentials(store, tokens_of_clients, recorder, clock)

    async def judge(credential: str, asked: Asked) -> Principal | None:
        """Whom a credential speaks for that a client presents; to what key it is bound, the client's grant asks."""
        sight = await directory.sees(asked.client.tenant_id)
        facts = Facts(asked.request.address, tenant=sight, jkt=ANY_KEY)
        verdict = await verifier.verify(credential.encode("utf-8", "replace"), facts)
        return verdict.principal if isinstance(verdict, Accepted) else None

    hints = IdTokenHints(signers, settings.base_url)
    devices = Devices(store, directory, clients, recorder, peppers, clock, entropy, settings.audiences)
    registrations = Registrations(
        store,
        clients,
        guesses,
        recorder,
        peppers,
        clock,
        entropy,
        scopes,
        RegistrationRules(
            open=settings.self_registration,
            open_free=settings.self_registrations_free,
            use_pkce=settings.registered_clients_use_pkce,
        ),
    )
    documents = ClientDocuments(
        clients, registrations, outgoing, registration.wish_of, clock, open=settings.client_id_documents
    )
    usage_reports = UsageReports(
        store,
        directory,
        clock,
        {
            UsageSpan.MINUTE: settings.usage_minutes_kept_days,
            UsageSpan.HOUR: settings.usage_hours_kept_days,
            UsageSpan.DAY: settings.usage_days_kept_days,
        },
        settings.networks_kept_days,
    )
    return Rooms(
        settings=settings,
        clock=clock,
        entropy=entropy,
        store=store,
        limits=limits,
        peppers=peppers,
        index=index,
        limiter=limiter,
        addresses=addresses,
        leases=leases,
        feed=feed,
        uses=uses,
        denials=denied,
        foreign=foreign,
        verifier=verifier,
        directory=directory,
        api_keys=ApiKeys(*issuing),
        bearer_tokens=BearerTokens(*issuing),
        personal_tokens=PersonalTokens(*issuing),
        lineage=Lineage(store, clock),
        imports=Imports(store, directory, recorder, peppers, clock, entropy, ApiKeys(*issuing)),
        plans=Plans(store, recorder, clock),
        audit=AuditTrail(store),
        usage=usage_reports,
        allowances=Allowances(store, usage_reports, limiter, clock),
        checklist=Checklist(store, clock),
        denial_reports=DenialReports(store, clock, denied.flush),
        notices=Notices(store, recorder, clock, letters),
        notifications=NotificationSettings(store, directory, recorder),
        idempotency=Idempotency(peppers, clock, entropy, seconds=settings.idempotency_seconds),
        dry_runs=DryRuns(store, clock),
        set_up=SetUp(store, recorder, peppers, clock, passwords),
        installation=Installation(store, recorder, passwords, peppers, clock, entropy, scopes),
        signing_keys=signers,
        password_changes=PasswordChanges(
            store, directory, recorder, peppers, clock, entropy, passwords, guesses, letters
        ),
        password_mails=PasswordMails(store, directory, recorder, peppers, clock, entropy, guesses, letters),
        mail=mail,
        outbox=outbox,
        outgoing=outgoing,
        webhooks=hooks,
        deliveries=Deliveries(store, hooks, to_webhooks, recorder, peppers, clock, letters),
        sessions=login_sessions,
        second_factors=second_factors,
        passkeys=passkeys,
        passkey_logins=PasskeyLogins(login_sessions, second_steps, passkeys, guesses),
        step_ups=StepUps(
            store, recorder, clock, login_sessions, passwords, second_factors, guesses, passkeys
        ),
        clients=clients,
        authorizations=Authorizations(
            store=store,
            directory=directory,
            clients=documents,
            objects=request_objects,
            codes=codes,
            implicit=Implicit(store, grants, recorder, is_open=settings.implicit_grant_for_certification),
            hints=hints,
            recorder=recorder,
            peppers=peppers,
            clock=clock,
            entropy=entropy,
            audiences=settings.audiences,
        ),
        logouts=Logouts(clients, hints),
        devices=devices,
        pushed_requests=PushedRequests(
            store,
            request_objects,
            peppers,
            clock,
            entropy,
            scopes,
            settings.audiences,
            implicit=settings.implicit_grant_for_certification,
        ),
        registrations=registrations,
        client_documents=documents,
        consents=Consents(store, directory, recorder, clock),
        client_authentication=authentication,
        client_keys=client_keys,
        back_channel=back_channel,
        codes=codes,
        grants=grants,
        revocation=Revocation(store, grants, recorder, peppers),
        key_proofs=proofs,
        token_endpoint=TokenEndpoint(
            authentication,
            proofs,
            (
                by_itself,
                AuthorizationCodes(store, grants, recorder, peppers, clock),
                RefreshTokens(grants),
                DeviceCodes(store, devices, grants, recorder),
                TokenExchange(judge, store, tokens_of_clients, recorder, clock),
                JwtBearer(authentication, by_itself, store, grants, recorder),
            ),
            settings.audiences,
            (settings.base_url + TOKEN_PATH,),
        ),
        apply=apply,
    )


_WAITING_REQUESTS_KEPT: Final = timedelta(hours=2)
"""How long after their end: whoever came in time may still be on the pages, and a device is told that it was too late."""


@contextlib.asynccontextmanager
async def housekeeping(rooms: Rooms) -> AsyncIterator[None]:
    """Whatever a server does beside answering: follows the feed, writes usage, forgets what has ended.

    What was gathered is written at the end, so that a drain loses nothing.
    """
    settings = rooms.settings
    with contextlib.suppress(Unavailable):
        await rooms.feed.read()
        await rooms.foreign.load()
    with contextlib.suppress(Unavailable):
        await rooms.leases.begin()
    tasks = [
        asyncio.create_task(rooms.feed.follow(), name="feed"),
        asyncio.create_task(rooms.store.listen(rooms.feed.nudge), name="listener"),
        asyncio.create_task(_every(settings.last_used_flush_seconds, rooms.uses.flush), name="uses"),
        asyncio.create_task(_every(settings.usage_flush_seconds, rooms.uses.flush_counts), name="usage"),
        asyncio.create_task(_every(settings.usage_flush_seconds, rooms.denials.flush), name="denials"),
        asyncio.create_task(_every(_GIVE_BACK_SECONDS, rooms.leases.give_back), name="leases"),
        asyncio.create_task(_every(_GIVE_BACK_SECONDS, rooms.leases.remind), name="reminder"),
        asyncio.create_task(_every(_GIVE_BACK_SECONDS, rooms.back_channel.tell), name="back channel"),
        asyncio.create_task(_every(_GIVE_BACK_SECONDS, rooms.outbox.look), name="outbox"),
        asyncio.create_task(_every(_GIVE_BACK_SECONDS, rooms.deliveries.look), name="deliveries"),
        asyncio.create_task(_every(_SWEEP_SECONDS, lambda: _sweep(rooms)), name="sweep"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # At once, so that they share a transaction, and the patience with a database that hangs.
        await asyncio.gather(
            _once(rooms.uses.flush),
            _once(rooms.uses.flush_counts),
            _once(rooms.denials.flush),
            _once(rooms.leases.give_back_all),
        )


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        await _once(work)


async def _once(work: Callable[[], Awaitable[None]]) -> None:
    """Do a piece of work; whatever it fails with, the next one is tried, and the drain goes on."""
    try:
        await work()
    except Unavailable as error:
        log.warning("housekeeping_postponed", reason=error.internal)
    except Exception:
        # A task that ended here would end last uses and sweeps for good.
        log.exception("housekeeping_failed")


async def _sweep(rooms: Rooms) -> None:
    now_us = rooms.clock.micros()
    for _ in rooms.limiter.sweep(now_us):
        await asyncio.sleep(0)
    await rooms.store.prune(to_datetime(now_us) - timedelta(seconds=rooms.settings.change_retention_seconds))
    await rooms.usage.prune()
    kept = timedelta(seconds=rooms.settings.ended_tokens_kept_seconds)
    await rooms.store.prune_tokens(to_datetime(now_us) - kept, _PRUNED_TOKENS_MAX)
    await rooms.denial_reports.prune()
    await rooms.notices.tell_each_hour()
    await rooms.store.prune_initial_tokens(to_datetime(now_us))
    await rooms.store.prune_requests(to_datetime(now_us) - _WAITING_REQUESTS_KEPT)
    await rooms.store.prune_logins(
        to_datetime(now_us),
        grace_seconds=rooms.settings.refresh_grace_seconds,
        idle_seconds=rooms.settings.session_seconds_max,
    )
    await rooms.store.prune_grants(to_datetime(now_us), grace_seconds=rooms.settings.refresh_grace_seconds)
    await rooms.deliveries.prune()
    await rooms.signing_keys.maintain()


async def prepare(
    settings: Settings,
    email: str,
    *,
    clock: Clock,
    entropy: Entropy = secrets.token_bytes,
    passwords: Passwords | None = None,
    set_up: bool = False,
) -> Founded | None:
    """Make an empty database into an installation; leave one that exists as it is.

    Args:
        settings: Say where.
        email: Of the owner.
        clock: When it happens.
        entropy: For ids and secrets.
        passwords: Hash the owner's.
        set_up: Whether the owner shall be able to go on in a browser, with a code.

    Returns:
        What its first user needs, once; None if there was an installation.

    Raises:
        Misconfigured: The pepper of an installation is gone.
        Unavailable: The database cannot be reached.
    """
    if (await schema(settings)).current is None:
        await upgrade(settings)
    await require_schema(settings)
    store = open_store(settings, _nobody)
    try:
        if await store.is_founded():
            require_peppers(settings)
            return None
    finally:
        await store.close()
    peppers = make_peppers(settings, entropy)
    async with open_rooms(settings, peppers, clock=clock, entropy=entropy, passwords=passwords) as rooms:
        try:
            return await rooms.installation.found(email, set_up=set_up)
        except AlreadyInitialised:
            return None


def _nobody(_: Sequence[Change]) -> None:
    """Listens to no changes."""


@dataclass(frozen=True, slots=True)
class Application:
    """What a server serves: the ASGI application, the lane before it, and what both count."""

    asgi: AsgiApp
    lane: FastLane
    metrics: Metrics


def build(rooms: Rooms, gather_metrics: GatherMetrics | None = None) -> Application:
    """The application over the rooms: one table of routes behind one gate, and the fast lane.

    Args:
        rooms: Built by `open_rooms`.
        gather_metrics: The metrics of all workers; None if this process is the only one.
    """
    settings = rooms.settings
    metrics = Metrics()
    tell_metrics = gather_metrics or metrics.told
    metrics.watch("bonafides_resident_credentials", "Credentials in memory.", lambda: len(rooms.index))
    metrics.watch(COUNTED_SUBJECTS, "Subjects with an open limit window.", lambda: len(rooms.limiter))
    metrics.watch(
        MEMORY_TRUSTED,
        "1 while the change feed is read in time.",
        lambda: float(rooms.feed.is_fresh()),
    )
    metrics.watch(
        "bonafides_usage_counts_waiting",
        "Usage counts that are not written yet.",
        lambda: rooms.uses.waiting,
    )
    metrics.watch(
        "bonafides_usage_requests_lost",
        "Requests that will never be counted in the usage, because it could not be written for too long.",
        lambda: rooms.uses.lost,
    )
    metrics.watch(
        "bonafides_denials_passed_over",
        "Denials whose cause was not kept, because there were too many of them.",
        lambda: rooms.denials.passed_over,
    )
    metrics.watch(
        "bonafides_uncounted_requests",
        "Requests admitted without a count, because nobody could be asked.",
        lambda: rooms.leases.uncounted,
    )
    theme = Theme(settings)
    pages = Pages(settings, rooms.clock, theme)
    problems = Problems(settings.base_url, pages.error)
    request_ids = RequestIds(rooms.entropy)
    paging = Paging(rooms.peppers)
    listings = Listings(paging)
    creations = Creations(rooms.idempotency, rooms.entropy)
    cookies = Cookies(settings.base_url)
    presentations = Presentations(cookies.credential, rooms.key_proofs, rooms.clients, settings.base_url)
    verify_calls = VerifyCalls(
        rooms.verifier, rooms.directory, rooms.denials, metrics, rooms.clock, presentations
    )
    guard = Guard(rooms.verifier, rooms.directory, metrics, presentations, rooms.addresses)
    reception = Reception(guard, rooms.sessions, cookies, rooms.peppers, rooms.clock, rooms.entropy, pages)
    reference = Reference(lambda: api.openapi(), settings)  # noqa: PLW0108 - it is made below
    articles = Articles(settings, rooms.token_endpoint.grant_types, reference)
    health = Health(rooms.store, rooms.feed, rooms.limits, rooms.mail, rooms.signing_keys, settings)
    authorize_pages = AuthorizePages(rooms.authorizations, rooms.sessions, reception, settings.base_url)
    login_calls = LoginCalls(rooms.sessions, cookies, rooms.clock, rooms.step_ups, rooms.passkey_logins)
    token_calls = TokenCalls(
        rooms.token_endpoint,
        rooms.client_authentication,
        rooms.revocation,
        rooms.key_proofs,
        rooms.addresses,
        (settings.base_url + TOKEN_PATH, settings.base_url + REVOCATION_PATH),
    )
    mounted = (
        verify.routes(verify_calls),
        introspection.routes(verify_calls, settings.base_url, rooms.client_authentication),
        compat.exchange_routes(compat.Exchanges(rooms.verifier, rooms.bearer_tokens, metrics)),
        compat.account_routes(rooms.personal_tokens, rooms.directory, rooms.idempotency, paging, rooms.clock),
        logins.routes(login_calls),
        factors.routes(rooms.second_factors, rooms.passkeys, rooms.sessions),
        passkeys.routes(rooms.passkeys, rooms.passkey_logins, rooms.step_ups, rooms.sessions, login_calls),
        account_passwords.routes(rooms.password_changes, rooms.password_mails, rooms.sessions),
        sessions.routes(rooms.sessions, paging),
        consents.routes(rooms.consents, paging),
        keys.routes(rooms.api_keys, rooms.idempotency, paging, rooms.clock),
        tokens.personal_routes(rooms.personal_tokens, rooms.idempotency, paging, rooms.clock),
        tokens.bearer_routes(rooms.bearer_tokens, paging, rooms.clock),
        tokens.lineage_routes(rooms.lineage, rooms.clock),
        token.routes(token_calls),
        userinfo.routes(rooms.clients, rooms.signing_keys),
        discovery.routes(Discovery(settings, rooms.signing_keys, rooms.token_endpoint.grant_types)),
        clients.routes(rooms.clients, rooms.idempotency, paging),
        registration_tokens.routes(rooms.registrations, rooms.idempotency, paging),
        registration.routes(RegistrationCalls(rooms.registrations, settings.base_url)),
        users.routes(rooms.directory, rooms.idempotency, paging),
        notifications.routes(rooms.notifications),
        tenants.routes(rooms.directory, rooms.idempotency, paging),
        dry_runs.routes(rooms.dry_runs),
        plans.routes(rooms.plans, rooms.idempotency, paging),
        audit.routes(rooms.audit, paging),
        webhooks.routes(rooms.webhooks, rooms.idempotency, paging),
        webhooks.log_routes(rooms.webhooks, rooms.deliveries, paging),
        usage.routes(rooms.usage, rooms.allowances),
        denials.routes(rooms.denial_reports),
        checklist.routes(rooms.checklist, rooms.clock),
        signing_keys.routes(rooms.signing_keys),
        settings_calls.routes(settings),
        operation_routes(OperationCalls(health, tell_metrics, settings)),
        status.routes(health, pages),
        portal.routes(PortalPages(articles, rooms.plans, pages, theme)),
        files.routes(theme.files),
        signing_in.routes(SigningIn(rooms.sessions, rooms.passkey_logins, rooms.set_up, reception)),
        set_up.routes(rooms.set_up, rooms.sessions, reception),
        forgotten.routes(rooms.password_mails, reception),
        profile.routes(rooms.directory, pages),
        trials.routes(verify_calls, pages),
        try_it.routes(rooms.api_keys, creations, pages),
        key_pages.routes(
            KeyPages(
                rooms.api_keys,
                rooms.lineage,
                rooms.directory,
                rooms.usage,
                rooms.allowances,
                creations,
                listings,
                pages,
            )
        ),
        token_pages.routes(TokenPages(rooms.personal_tokens, rooms.directory, creations, listings, pages)),
        user_pages.routes(
            UserPages(
                rooms.directory,
                rooms.password_changes,
                rooms.password_mails,
                rooms.second_factors,
                listings,
                pages,
            )
        ),
        operator.routes(
            OperatorPages(rooms.directory, rooms.plans, rooms.dry_runs, rooms.signing_keys, listings, pages)
        ),
        settings_pages.routes(settings, pages),
        audit_pages.routes(AuditPages(rooms.audit, listings, pages)),
        usage_pages.routes(UsagePages(rooms.usage, rooms.allowances, rooms.denial_reports, pages)),
        notification_pages.routes(rooms.notifications, pages),
        session_pages.routes(rooms.sessions, listings, pages),
        applications.routes(rooms.consents, listings, pages),
        checklist_pages.routes(rooms.checklist, rooms.api_keys, pages),
        client_pages.routes(ClientPages(rooms.clients, settings.defined_scopes, creations, listings, pages)),
        webhook_pages.routes(WebhookPages(rooms.webhooks, rooms.deliveries, creations, listings, pages)),
        security.routes(
            rooms.password_changes, rooms.sessions, rooms.second_factors, rooms.passkeys.origin, reception
        ),
        factor_pages.routes(
            rooms.second_factors, rooms.step_ups, rooms.sessions, rooms.passkeys.origin, reception
        ),
        passkey_pages.routes(rooms.passkeys, rooms.sessions, reception),
        authorize.routes(authorize_pages),
        device_pages.routes(DevicePages(rooms.devices, authorize_pages, pages)),
        requests.routes(
            RequestCalls(
                rooms.client_authentication,
                rooms.client_documents,
                rooms.pushed_requests,
                rooms.devices,
                rooms.key_proofs,
                rooms.addresses,
                settings.base_url,
            )
        ),
        logout.routes(LogoutPages(rooms.logouts, rooms.sessions, reception)),
    )
    api = Api(guard, reception, mounted, settings)
    gate = Gate(
        api,
        settings=settings,
        addresses=rooms.addresses,
        problems=problems,
        denials=rooms.denials,
        metrics=metrics,
        clock=rooms.clock,
        request_ids=request_ids,
    )
    lane = FastLane(
        verifier=rooms.verifier,
        directory=rooms.directory,
        addresses=rooms.addresses,
        uses=rooms.uses,
        denials=rooms.denials,
        metrics=metrics,
        problems=problems,
        request_ids=request_ids,
        settings=settings,
        clock=rooms.clock,
        entropy=rooms.entropy,
        tokens=TokenLane(token_calls, gate, guard, rooms.clock, rooms.entropy),
    )
    return Application(gate, lane, metrics)


def with_port(settings: Settings) -> Settings:
    """The same settings, with a free port where they ask for any: links on pages, in letters and in the terminal name it.

    Raises:
        Misconfigured: The address cannot be listened on.
    """
    return settings if settings.port else settings.model_copy(update={"port": free_port(settings.host)})


def run(settings: Settings, peppers: Peppers, announce: Announce) -> int:
    """Serve until a signal asks to end, then drain; the exit status.

    Args:
        settings: The settings in force.
        peppers: The peppers in force.
        announce: Told the URL once requests are answered.

    Raises:
        Misconfigured: The address cannot be listened on.
        Unavailable: The database cannot be reached.
    """
    configure_logs(form=settings.log_format, level=settings.log_level)
    take_files()
    with contextlib.closing(Hashers(Passwords().work, _hashes_at_once())) as hashers:
        if settings.workers > 1:
            return _supervise(settings, peppers, announce, hashers)
        return _serve(settings, peppers, announce, hashers)


@dataclass(frozen=True, slots=True)
class Orders:
    """What a process is told before it is forked.

    Args:
        settings: The settings in force.
        peppers: The peppers in force.
        port: Which its workers share; 0 where there are none.
        shared: Where limits are counted.
        hashers: Hash passwords.
        handover: How logins come to the process for them; None where there is none.
    """

    settings: Settings
    peppers: Peppers
    port: int
    shared: SharedMemory
    hashers: Hashers
    handover: Handover | None

    @staticmethod
    def make(
        settings: Settings, peppers: Peppers, port: int, hashers: Hashers, subjects: int | None
    ) -> Orders:
        """The orders, with the memory that is shared by those who have them."""
        shared = SharedMemory(subjects, create_table(_ADDRESSES_MAX), create_mark())
        handover = Handover() if Handover.is_possible() else None
        return Orders(settings, peppers, port, shared, hashers, handover)

    def supervisor(self, fork_server: ForkServer, count: int, changed: Callable[[], None]) -> Supervisor:
        """Who keeps so many workers running that have these orders."""
        return Supervisor(
            fork_server,
            count,
            drain_seconds_max=self.settings.drain_seconds_max,
            changed=changed,
            logins_ended=_nothing if self.handover is None else self.handover.end,
            logins_lost=_nothing if self.handover is None else self.handover.drop,
        )

    def giver(self, want: Callable[[], None]) -> Give | None:
        """Hands logins over to the process for them, where there may be one."""
        return None if self.handover is None else self.handover.giver(want)


def _serve(settings: Settings, peppers: Peppers, announce: Announce, hashers: Hashers) -> int:
    """Serve everything but logins from this process, and count in its own memory."""
    orders = Orders.make(settings, peppers, 0, hashers, None)
    with contextlib.closing(ForkServer(partial(_work_for, orders))) as fork_server:
        return uvloop.run(_serve_alone(fork_server, orders, announce))


async def _serve_alone(fork_server: ForkServer, orders: Orders, announce: Announce) -> int:
    settings = orders.settings
    supervisor = orders.supervisor(fork_server, 0, lambda: rooms.feed.nudge())  # noqa: PLW0108 - it is made below
    totals = Totals()

    async def gather() -> bytes:
        others = await supervisor.ask_all()
        mine = application.metrics.text()
        return totals.text({0: mine, **others}) if supervisor.has_started else mine

    async with contextlib.AsyncExitStack() as stack:
        rooms = await stack.enter_async_context(
            open_rooms(
                settings,
                orders.peppers,
                clock=SystemClock(),
                shared=orders.shared,
                tell_others=supervisor.tell_all,
                passwords=Passwords(elsewhere=orders.hashers.ask),
            )
        )
        await stack.enter_async_context(housekeeping(rooms))
        application = build(rooms, gather)
        if settings.metrics_address:
            await stack.enter_async_context(
                await serve_metrics(gather, CONTENT_TYPE, settings.metrics_address)
            )
        give = orders.giver(supervisor.want_logins)
        server = server_of(application.asgi, application.lane, announce, give=give)
        gc.freeze()  # what serves stays until the end: a search for garbage need not walk through it
        watching = asyncio.create_task(supervisor.run(_nothing, gather), name="supervisor")
        try:
            await server.serve()
        except SystemExit:
            message = f"Nothing can listen on {settings.host} port {settings.port}: it is in use, or not this machine's."
            raise Misconfigured(message, field="port") from None
        finally:
            supervisor.stop()
            if server.force_exit:
                supervisor.stop()
            await watching
    return 0


def _supervise(settings: Settings, peppers: Peppers, announce: Announce, hashers: Hashers) -> int:
    """Have workers serve, and serve nothing but metrics."""
    # It stays bound, so that nobody else gets the port while a worker is replaced; it never listens.
    with hold_port(settings.host, settings.port) as held:
        subjects = create_table(2 * settings.resident_credentials_max)
        orders = Orders.make(settings, peppers, held.getsockname()[1], hashers, subjects)
        with contextlib.closing(ForkServer(partial(_work_for, orders))) as fork_server:
            return uvloop.run(_watch(fork_server, orders, announce))


async def _watch(fork_server: ForkServer, orders: Orders, announce: Announce) -> int:
    """Keep the workers running until a signal asks to end; the exit status."""
    settings = orders.settings
    supervisor = orders.supervisor(fork_server, settings.workers, _nothing)
    totals = Totals()

    async def gather() -> bytes:
        return totals.text(await supervisor.ask_all())

    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, supervisor.stop)
    async with contextlib.AsyncExitStack() as stack:
        if settings.metrics_address:
            await stack.enter_async_context(
                await serve_metrics(gather, CONTENT_TYPE, settings.metrics_address)
            )
        return await supervisor.run(lambda: announce(url_of(settings.host, orders.port)), gather)


def _work_for(orders: Orders, duty: Duty, end: socket.socket) -> int:
    """Do a duty, until a signal or the supervisor's end; the exit status."""
    try:
        return uvloop.run(_work(orders, duty, Channel(end)))
    except AppError as error:
        sys.stderr.write(f"{error.public}\n")
        return 1


async def _work(orders: Orders, duty: Duty, channel: Channel) -> int:
    settings = orders.settings
    handover = orders.handover if duty is Duty.LOGINS else None
    if handover is not None:
        # Before there is any thread, which would not follow.
        with contextlib.suppress(OSError):
            take_idle_time()
    async with contextlib.AsyncExitStack() as stack:
        rooms = await stack.enter_async_context(
            open_rooms(
                settings,
                orders.peppers,
                clock=SystemClock(),
                shared=orders.shared,
                tell_others=lambda: channel.send(CHANGED),
                passwords=Passwords(elsewhere=orders.hashers.ask),
                counts=handover is None,
            )
        )

        async def gather() -> bytes:
            answer = await channel.ask()
            return application.metrics.text() if answer is None else answer

        application = build(rooms, gather)

        def receive(kind: bytes, number: int) -> None:
            if kind == CHANGED:
                rooms.feed.nudge()
            elif kind == ASK:
                channel.send(TELL, number, application.metrics.text())

        async def follow_supervisor() -> None:
            await channel.listen(receive)
            server.should_exit = True

        server = server_of(
            application.asgi,
            application.lane,
            lambda _: channel.send(READY),
            give=None if handover is not None else orders.giver(lambda: channel.send(WANTED)),
            handover=handover,
        )
        await stack.enter_async_context(housekeeping(rooms))
        await channel.open()
        gc.freeze()  # as in `_serve_alone`
        following = asyncio.create_task(follow_supervisor(), name="supervisor")
        stack.callback(following.cancel)
        if handover is not None:
            await server.serve()
        else:
            with shared_listener(settings.host, orders.port) as listener:
                await server.serve(sockets=[listener])
    return 0
