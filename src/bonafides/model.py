"""The frozen records that all rooms speak.

Times are aware UTC datetimes in the control plane and whole microseconds since the epoch (`_us`) on
the hot path. Nothing here does I/O, and nothing here holds a secret: digests at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum, StrEnum
from typing import Any, Final, NamedTuple, Protocol

from bonafides.passkey import Passkey, PasskeyUse

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

READ: Final = "read"
WRITE: Final = "write"
ADMIN: Final = "admin"
CREDENTIALS_VERIFY: Final = "credentials:verify"
BUILT_IN_SCOPES: Final = frozenset({READ, WRITE, ADMIN, CREDENTIALS_VERIFY})
OPENID: Final = "openid"
PROFILE: Final = "profile"
EMAIL: Final = "email"
OFFLINE_ACCESS: Final = "offline_access"
STANDARD_SCOPES: Final = frozenset({OPENID, PROFILE, EMAIL, OFFLINE_ACCESS})
"""What OpenID Connect defines: access tokens may have them, whatever their users may do.

See: OpenID Connect Core 1.0 §5.4 and §11
"""

DEFAULT_PLAN: Final = "free"

IMPORT_ID_PREFIX: Final = "imp"
"""Of the ids of imports, by which the change feed names them."""

FOREIGN_ALIKE_MAX: Final = 4
"""Unused imported keys with slow hashes that may begin alike: each is compared with all of them."""


class Clock(Protocol):
    """Where every room gets the time from; `app.py` owns the real one."""

    def micros(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards, for measuring how old something is."""
        ...


Entropy = Callable[[int], bytes]
"""Given n, n bytes from a cryptographically secure source."""


def to_datetime(micros: int) -> datetime:
    """The aware UTC datetime of a count of microseconds since the epoch, exactly."""
    return EPOCH + timedelta(0, 0, micros)


def to_micros(moment: datetime) -> int:
    """Whole microseconds since the epoch of an aware datetime, exactly (no float in between)."""
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


class Everywhere(Enum):
    """Said in place of a tenant id by the operator's calls alone; so that 'all tenants' is never a default."""

    EVERYWHERE = "everywhere"


EVERYWHERE: Final = Everywhere.EVERYWHERE
TenantScope = str | Everywhere


class CredentialKind(StrEnum):
    """The kinds of credential, by their names on the wire."""

    API_KEY = "api_key"
    BEARER_TOKEN = "bearer_token"
    PERSONAL_ACCESS_TOKEN = "personal_access_token"
    OAUTH_ACCESS_TOKEN = "oauth_access_token"
    JWT_SESSION = "jwt_session"


TOKEN_KINDS: Final = frozenset(
    {CredentialKind.BEARER_TOKEN, CredentialKind.OAUTH_ACCESS_TOKEN, CredentialKind.JWT_SESSION}
)
"""Kinds that have never more than what they were made from, and are forgotten some time after their end."""


class CredentialStatus(StrEnum):
    """What was decided about a credential. Expiry is not a status: it is judged at each use."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REVOKED = "revoked"


class ShownStatus(StrEnum):
    """What is told of a credential: what was decided about it, or, of an active one, that its time is up."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Status(StrEnum):
    """Of users and tenants. Deleted ones stay as tombstones, so that an id is never given twice."""

    ACTIVE = "active"
    DISABLED = "disabled"
    DELETED = "deleted"


class Role(StrEnum):
    """What a user is in their tenant, in falling order of power."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"

    @property
    def rank(self) -> int:
        """0 for the most powerful."""
        return (Role.OWNER, Role.ADMIN, Role.MEMBER).index(self)


class UserKind(StrEnum):
    """A person may log in; a service only holds credentials."""

    PERSON = "person"
    SERVICE = "service"


class CountBy(StrEnum):
    """Whose requests a plan counts together."""

    CREDENTIAL = "credential"
    USER = "user"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organisation: everything belongs to exactly one. The operator's tenant runs the installation.

    `personal_access_token_seconds_max` is the longest life of a personal access token; None: without end.
    """

    id: str
    name: str
    status: Status
    plan: str
    operator: bool
    created_at: datetime
    updated_at: datetime
    personal_access_token_seconds_max: int | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A person or a service in one tenant.

    `scopes` None means what the role gives (`ceiling`); a set narrows or, for a member, extends it up
    to everything but `admin`.
    """

    id: str
    tenant_id: str
    kind: UserKind
    email: str | None
    name: str
    role: Role
    scopes: frozenset[str] | None
    status: Status
    created_at: datetime
    updated_at: datetime


def ceiling(role: Role, scopes: frozenset[str] | None, defined: frozenset[str]) -> frozenset[str]:
    """The scopes that a user may have at most; no credential of theirs ever has another.

    Args:
        role: Owners and admins may have every defined scope; members all but `admin`.
        scopes: The user's own list, or None for the role's default (a member's default leaves out
            `credentials:verify`, which is for resource servers).
        defined: Every scope that this installation knows, the built-in ones included.
    """
    most = defined if role is not Role.MEMBER else defined - {ADMIN}
    if scopes is not None:
        return most & scopes
    return most if role is not Role.MEMBER else most - {CREDENTIALS_VERIFY}


def powers(scopes: frozenset[str], most: frozenset[str]) -> frozenset[str]:
    """What somebody who holds a credential can bring about: with `admin`, whatever its user may have at most.

    Args:
        scopes: The credential's.
        most: Its user's `ceiling`.
    """
    return scopes | most if ADMIN in scopes else scopes


@dataclass(frozen=True, slots=True)
class Plan:
    """How many requests are admitted; None is no limit.

    Args:
        requests_per_hour: In a window of an hour that opens with its first request.
        burst: Within one second.
        per_method: Hourly figures that hold for one kind of credential instead.
        count_by: Whose requests are counted together.
        bearer_token_seconds: How long a bearer token made from a key lasts; None for the default.
    """

    name: str
    requests_per_hour: int | None
    burst: int | None
    per_method: Mapping[CredentialKind, int | None] = field(default_factory=dict)
    count_by: CountBy = CountBy.CREDENTIAL
    created_at: datetime = EPOCH
    updated_at: datetime = EPOCH
    bearer_token_seconds: int | None = None

    def hourly(self, kind: CredentialKind) -> int | None:
        """The hourly figure that binds a credential of this kind."""
        return self.per_method.get(kind, self.requests_per_hour)


@dataclass(frozen=True, slots=True)
class Credential:
    """What is known of one credential, without its secret.

    `expires_at` is its own; a rotated key also has `overlap_ends_at`, after which it is refused while
    its successor lives on. `root_id` is the first of its lineage: limits are counted there.
    `bearer_token_seconds` is how long tokens made from a key last; None leaves it to the plan. Of a token,
    `plan` is its parent's, and its scopes and addresses are bounded by its parent's whenever it is used.
    `client_id`, `audiences`, `jkt` and `act` are an access token's: see `Delegation`.
    """

    id: str
    kind: CredentialKind
    tenant_id: str
    user_id: str
    name: str
    scopes: frozenset[str]
    plan: str | None
    status: CredentialStatus
    expires_at: datetime | None
    overlap_ends_at: datetime | None
    parent_id: str | None
    root_id: str
    allowed_ips: tuple[str, ...]
    metadata: Mapping[str, Any]
    display: str
    created_by: str | None
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revocation_reason: str | None
    bearer_token_seconds: int | None = None
    client_id: str | None = None
    audiences: tuple[str, ...] = ()
    jkt: str | None = None
    act: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ends_at(self) -> datetime | None:
        """When it stops working by itself: its expiry or the end of its overlap, whichever is first."""
        ends = [moment for moment in (self.expires_at, self.overlap_ends_at) if moment is not None]
        return min(ends) if ends else None


@dataclass(frozen=True, slots=True)
class DigestedSecret:
    """What the store keeps of a secret: its keyed digest, and which pepper keyed it."""

    digest: bytes
    pepper_id: str


@dataclass(frozen=True, slots=True)
class NetworkUse:
    """How much a credential was used from a network, as far as it was written down.

    Args:
        network: In CIDR notation; empty for all of the credential's that are not told apart.
        first_used_at: When it was used from there first.
        last_used_at: When it was used from there last.
        requests: That were accepted.
    """

    network: str
    first_used_at: datetime
    last_used_at: datetime
    requests: int


@dataclass(frozen=True, slots=True)
class NewNetworks:
    """When a network is new to a credential.

    Args:
        since: It was used from there first after this moment.
        known_before: And from another one before this.
        networks_max: Only credentials that were used from so many networks at the most: others have no home.
    """

    since: datetime
    known_before: datetime
    networks_max: int


@dataclass(frozen=True, slots=True)
class SharedNetworks:
    """When a network is shared by people.

    Args:
        people_max: Of so many at the most: where there are more, it is the way out of a house.
        networks_max: As in `NewNetworks`.
    """

    people_max: int
    networks_max: int


@dataclass(frozen=True, slots=True)
class CredentialFilter:
    """Which credentials a list holds.

    Args:
        kind: Of this kind alone.
        user_id: Only this user's.
        parent_id: Only those that were made from this one.
        status: Only those of this status.
        ended_at: Only those whose own expiry or overlap had ended by then.
        lasting_at: Only those for which neither had.
        created_before: Only those that were made before then.
        used_before: Only those that were used, and not since then.
        never_used: Only those that never were.
        endless: Only those without an expiry of their own.
        spare_before: Only those that have scopes which nothing has needed, though others of theirs were needed before then.
        unbound: Only those that may be used from everywhere.
        networks: Only those that were used from such networks.
        search: Only those whose name, or what is shown of the secret, holds this, in whatever case; or of this id.
    """

    kind: CredentialKind
    user_id: str | None = None
    parent_id: str | None = None
    status: CredentialStatus | None = None
    ended_at: datetime | None = None
    lasting_at: datetime | None = None
    created_before: datetime | None = None
    used_before: datetime | None = None
    never_used: bool = False
    endless: bool = False
    spare_before: datetime | None = None
    unbound: bool = False
    networks: NewNetworks | SharedNetworks | None = None
    search: str | None = None


class ForeignScheme(StrEnum):
    """How another program kept its keys: by themselves, by a digest, or by a slow hash with a salt of its own."""

    PLAIN = "plain"
    SHA256 = "sha256"
    SHA512 = "sha512"
    HMAC_SHA256 = "hmac-sha256"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class ForeignRule:
    """How strings of no look of ours may be keys that were imported; there are a handful.

    Args:
        id: The scheme, and what tells two rules of it apart.
        sealed_key: Of a keyed digest, encrypted.
        prefix_length: Of a slow hash, how many characters of the key it is looked up by.
    """

    id: str
    scheme: ForeignScheme
    sealed_key: bytes = b""
    prefix_length: int = 0


class ForeignKey(NamedTuple):
    """An API key that was made elsewhere, with no more than a file can say of it; there may be millions.

    Args:
        created_at: When it was imported.
        digest: By which it is found until it is first used, and known as imported for ever.
        prefix: How the key begins, where it is looked up by that.
        hash: The slow hash that it is then compared with.
    """

    id: str
    tenant_id: str
    user_id: str
    name: str
    scopes: frozenset[str]
    status: CredentialStatus
    expires_at: datetime | None
    allowed_ips: tuple[str, ...]
    metadata: Mapping[str, Any]
    display: str
    created_by: str | None
    created_at: datetime
    digest: bytes
    pepper_id: str
    prefix: str | None = None
    hash: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignHash:
    """A slow hash that a presented string may be the key of; `digest` is where its credential is found."""

    digest: bytes
    hash: str


class Unchanged(Enum):
    """The absence of a change, where None is a value."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class CredentialChanges:
    """A partial change of a credential; `UNCHANGED` leaves a field as it is."""

    name: str | Unchanged = UNCHANGED
    scopes: frozenset[str] | Unchanged = UNCHANGED
    plan: str | Unchanged | None = UNCHANGED
    expires_at: datetime | Unchanged | None = UNCHANGED
    overlap_ends_at: datetime | Unchanged | None = UNCHANGED
    allowed_ips: tuple[str, ...] | Unchanged = UNCHANGED
    metadata: Mapping[str, Any] | Unchanged = UNCHANGED
    bearer_token_seconds: int | Unchanged | None = UNCHANGED


@dataclass(frozen=True, slots=True)
class UserChanges:
    """A partial change of a user; `UNCHANGED` leaves a field as it is."""

    name: str | Unchanged = UNCHANGED
    email: str | Unchanged | None = UNCHANGED
    role: Role | Unchanged = UNCHANGED
    scopes: frozenset[str] | Unchanged | None = UNCHANGED
    status: Status | Unchanged = UNCHANGED


@dataclass(frozen=True, slots=True)
class TenantChanges:
    """A partial change of a tenant; `UNCHANGED` leaves a field as it is."""

    name: str | Unchanged = UNCHANGED
    plan: str | Unchanged = UNCHANGED
    status: Status | Unchanged = UNCHANGED
    personal_access_token_seconds_max: int | Unchanged | None = UNCHANGED


@dataclass(frozen=True, slots=True)
class Delegation:
    """What is known of an access token beside what every credential has.

    Args:
        client_id: The client that it was given to.
        audiences: The resources that it is for (RFC 8707); empty: this server's own audience.
        jkt: Thumbprint of the key that it is bound to (RFC 9449); None where it is not.
        actors: Who acts with it for its user, the latest first (RFC 8693); nobody, where the client does.
    """

    client_id: str
    audiences: tuple[str, ...] = ()
    jkt: str | None = None
    actors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verifiable:
    """One cold look-up: all that judging a credential needs, flattened over owner, tenant, plan and lineage.

    Args:
        scopes: Its own; of a token, those that what it was made from has too.
        ends_at_us: The earliest of its own expiry and overlap end and of its ancestors' expiries.
        usable: False if it, an ancestor, its user or its tenant is disabled, revoked or deleted.
        allowed_ips: Its own; of a token, those of what it was made from.
        user_scopes: The user's own list, None for the role's default.
        digest: As stored; `pepper_id` tells an outdated one, which is then digested anew.
        delegation: Of an access token.
    """

    id: str
    kind: CredentialKind
    name: str
    digest: bytes
    pepper_id: str
    tenant_id: str
    user_id: str
    root_id: str
    scopes: frozenset[str]
    ends_at_us: int | None
    usable: bool
    allowed_ips: tuple[str, ...]
    role: Role
    user_scopes: frozenset[str] | None
    plan: Plan
    delegation: Delegation | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a verified credential speaks for."""

    user_id: str
    tenant_id: str
    scopes: frozenset[str]
    credential_id: str
    kind: CredentialKind
    name: str
    role: Role
    delegation: Delegation | None = None


class Reason(StrEnum):
    """Why a credential was refused; the values are the error codes of the wire."""

    MISSING = "missing_api_key"
    INVALID_KEY = "invalid_api_key"
    INVALID_TOKEN = "invalid_token"
    EXPIRED = "token_expired"
    SCOPE = "insufficient_scope"
    ADDRESS = "ip_not_allowed"
    RATE = "rate_limit_exceeded"


@dataclass(frozen=True, slots=True)
class Window:
    """The state of one quota after a request: `limit` in `seconds`, `remaining`, and when it resets."""

    name: str
    limit: int
    seconds: int
    remaining: int
    resets_at_us: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of every quota that bound a request, the one that binds most first.

    Empty windows mean that no limit applies. `admitted` is False when a quota was used up; then the
    first window is the one that refused, and `retry_after_seconds` says when it has room again.
    """

    windows: tuple[Window, ...]
    admitted: bool = True
    retry_after_seconds: int = 0


class Check(StrEnum):
    """What a presented credential has to pass, in this order; the names are those of the wire."""

    SHAPE = "shape"
    LOOK_UP = "look_up"
    STATUS = "status"
    EXPIRY = "expiry"
    LINEAGE = "lineage"
    ADDRESS = "address"
    SCOPE = "scope"
    LIMIT = "limit"


class Cause(NamedTuple):
    """What refused a request, for those to whom the credential belongs; never told to whoever presented it.

    Args:
        check: What it did not pass.
        principal: Whose credential it was; None where it was nobody's.
        address: Where it came from.
        needed: The scopes that it was to have.
        networks: Where it may be used from.
        ends_at_us: When it ended.
        plan: By whose figures it was counted.
        cost: How many requests it counted for.
    """

    check: Check
    principal: Principal | None = None
    address: str | None = None
    needed: frozenset[str] = frozenset()
    networks: Sequence[object] = ()
    ends_at_us: int | None = None
    plan: str | None = None
    cost: int = 1


@dataclass(frozen=True, slots=True)
class Accepted:
    """The credential is good for what was asked."""

    principal: Principal
    expires_at_us: int | None
    allowance: Allowance


@dataclass(frozen=True, slots=True)
class Rejected:
    """The credential is not good for what was asked, and why.

    `principal` is set where the credential itself is good (scope, address, limit), for the log. What `cause`
    holds is not for whoever presented the credential, and does not tell two refusals apart.
    """

    reason: Reason
    allowance: Allowance
    kind: CredentialKind | None = None
    scopes: frozenset[str] = frozenset()
    principal: Principal | None = None
    cause: Cause | None = field(default=None, compare=False)


Verdict = Accepted | Rejected


@dataclass(frozen=True, slots=True)
class Remembered:
    """What one holder knows of a subject's hour, for a store that may have lost it.

    Args:
        era: The memory of the store that it was told from; "" if it was told nothing, or the store never forgets.
        hour_left_us: Until the hour ends.
        hour_used: Known to be spent in it, by all.
        hour_taken: Units that the holder has got in it, without those that it has given back.
        granted: The units of these that its last lease gave, spent or not.
        valid_left_us: For how long they may be spent.
    """

    era: str = ""
    hour_left_us: int = 0
    hour_used: int = 0
    hour_taken: int = 0
    granted: int = 0
    valid_left_us: int = 0


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a request was refused, as its credential's owner is told for a day.

    Args:
        request_id: Told to whoever presented the credential.
        tenant_id: Whose credential it was; None, as the user and the credential, where it was nobody's.
        reason: What was told.
        refused_by: The check that it did not pass.
        figures: By which figures, by their names on the wire.
    """

    request_id: str
    at: datetime
    tenant_id: str | None
    user_id: str | None
    credential_id: str | None
    kind: CredentialKind | None
    reason: Reason
    refused_by: Check
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expiring:
    """A credential that somebody holds and that ends soon, of which its owner is to be told.

    Args:
        ends_at: Its own expiry, or that of what it was made from.
        days: So many days before its end it is told of.
    """

    credential_id: str
    kind: CredentialKind
    tenant_id: str
    user_id: str
    name: str
    display: str
    ends_at: datetime
    days: int


@dataclass(frozen=True, slots=True)
class Link:
    """A credential as far as those that were made from it depend on it."""

    id: str
    status: CredentialStatus
    expires_at: datetime | None
    overlap_ends_at: datetime | None
    revoked_at: datetime | None
    revocation_reason: str | None

    @property
    def ends_at(self) -> datetime | None:
        """When it stops working by itself."""
        return min((end for end in (self.expires_at, self.overlap_ends_at) if end is not None), default=None)


@dataclass(frozen=True, slots=True)
class Standing:
    """All that `Verifiable.usable` and `ends_at_us` are made of: the credential, its user and tenant, its ancestors.

    Args:
        links: Itself, then its ancestors, the nearest first.
    """

    links: tuple[Link, ...]
    user_status: Status
    tenant_status: Status


@dataclass(frozen=True, slots=True)
class LeaseAsk:
    """One holder's account of its lease on a subject's limits, and its wish for the next one.

    Args:
        subject: Whose limits.
        holder: Who may spend; one process.
        hourly: Requests an hour, None for no limit.
        burst: Requests within a second, None for no limit.
        spent: What was spent of what the holder has.
        keeps: Whether the rest stays with the holder, or is given back.
        recent: What it has spent in a second of its own that is not over.
        burst_left_us: Microseconds until that second ends.
        wanted: Units wished for; 0 for none.
        least: Fewer units than this are of no use.
        remembers: What it knows of the hour.
    """

    subject: str
    holder: str
    hourly: int | None
    burst: int | None
    spent: int
    keeps: bool
    recent: int
    burst_left_us: int
    wanted: int
    least: int
    remembers: Remembered = Remembered()


@dataclass(frozen=True, slots=True)
class Lease:
    """Units that one holder may spend, and what is known of the subject's windows.

    Times are microseconds from the moment of the ask, so that clocks need not agree.

    Args:
        units: Requests that may be admitted beside those that the holder keeps; 0 if there was no room.
        valid_us: For how long all of them.
        hour_left_us: Until the hour ends.
        hour_used: Known to be spent in it, by all.
        burst_left_us: Until the second ends.
        burst_used: Known to be spent in it, by all.
        refused_us: Without units: for how long asking again is of no use.
        by_hour: Without units: whether it is the hour that has no room.
        era: The memory of the store that this was told from; "" if the store never forgets.
    """

    units: int
    valid_us: int
    hour_left_us: int
    hour_used: int
    burst_left_us: int
    burst_used: int
    refused_us: int
    by_hour: bool
    era: str = ""


ACCEPTED: Final = "accepted"
"""The outcome of a request that no `Reason` refused, where requests are counted by their outcome."""


class UsageSpan(IntEnum):
    """The lengths of time that usage is counted in, in seconds."""

    MINUTE = 60
    HOUR = 3_600
    DAY = 86_400


class UsagePeriod(StrEnum):
    """How far back usage is asked for."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class UsageKey(NamedTuple):
    """What one count of requests belongs to, in the order in which counts are kept.

    Args:
        starts_at_us: When its minute began.
        outcome: `ACCEPTED`, or the `Reason` that was told.
        root_id: The first of its lineage; None where the credential is that itself.
    """

    starts_at_us: int
    tenant_id: str
    user_id: str
    credential_id: str
    outcome: str
    root_id: str | None = None


@dataclass(frozen=True, slots=True)
class UsageSubject:
    """Whose usage is asked for: a tenant's, one of its users', one of that user's credentials', or a lineage's.

    Args:
        root_id: Of the lineage of which everything is asked for, and not the credential alone.
    """

    tenant_id: str
    user_id: str | None = None
    credential_id: str | None = None
    root_id: str | None = None


@dataclass(frozen=True, slots=True)
class UsageBucket:
    """Requests of a length of time: how many were accepted, and how many refused for which reason."""

    starts_at_us: int
    accepted: int
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests of a period, one bucket beside the other, the empty ones too; the last one is not over yet."""

    subject: UsageSubject
    period: UsagePeriod
    span: UsageSpan
    total: UsageBucket
    buckets: tuple[UsageBucket, ...]
    ends_at_us: int


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something: a credential's user, or nobody but the command line or the server itself."""

    user_id: str | None
    credential_id: str | None
    via: str
    request_id: str | None = None
    address: str | None = None


class Topic(StrEnum):
    """What people are told of by mail unless they want no such letters; changes of their account they always are."""

    EXPIRING = "expiring_credentials"
    PLACES = "new_places"
    WEBHOOKS = "disabled_webhooks"


@dataclass(frozen=True, slots=True)
class WaitingLetter:
    """A letter that is to be sent.

    Args:
        sealed: To whom, and what it says.
        due_at: When it is tried next.
        expires_at: When it is given up.
        tries: How often it was put off; who puts it off names the last number.
    """

    id: str
    sealed: bytes
    pepper_id: str
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    tries: int = 0

    def put_off(self, until: datetime) -> WaitingLetter:
        """The same, tried next at another time."""
        return replace(self, due_at=until, tries=self.tries + 1)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line of the audit trail, written in the transaction of the change that it tells of.

    Args:
        letters: That tell people of it; written in that transaction, too, and no part of the trail.
    """

    id: str
    at: datetime
    tenant_id: str
    action: str
    subject_kind: str
    subject_id: str
    actor: Actor
    details: Mapping[str, Any] = field(default_factory=dict)
    letters: tuple[WaitingLetter, ...] = ()


class ChangeKind(StrEnum):
    """What kind of thing a follower of the change feed must forget."""

    CREDENTIAL_CREATED = "credential_created"
    CREDENTIAL = "credential"
    USER = "user"
    TENANT = "tenant"
    PLAN = "plan"
    SIGNING_KEY = "signing_key"


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change feed: memory about this subject is outdated."""

    kind: ChangeKind
    subject_id: str


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """A creating call that may be sent twice and must happen once.

    Args:
        key_digest: Keyed digest of tenant, user and the caller's `Idempotency-Key`.
        request_digest: Digest of the call and its body, to notice a key that is reused for another.
        sealed_answer: The answer, encrypted under a key that only the caller's `Idempotency-Key` opens.
        expires_at: After this the claim is forgotten.
    """

    key_digest: bytes
    request_digest: bytes
    sealed_answer: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Replayed:
    """The call had been carried out before: here is its sealed answer; nothing was changed."""

    sealed_answer: bytes


class SigningAlgorithm(StrEnum):
    """How tokens are signed, by the names that clients know.

    See: RFC 7518 §3.1, RFC 8037 §3.1
    """

    EDDSA = "EdDSA"
    ES256 = "ES256"
    RS256 = "RS256"


class SigningKeyStatus(StrEnum):
    """Where a signing key is in its life: published ahead, in use, or kept for what it has signed.

    Beside the one in use there may be others, of other algorithms, for clients that ask for them.
    """

    NEXT = "next"
    CURRENT = "current"
    BESIDE = "beside"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs tokens; its private part is sealed.

    Args:
        kid: The thumbprint of the public part (RFC 7638).
        public_jwk: As it is published.
        sealed: The private part.
        pepper_id: Of the pepper that sealed it.
        published_until: Of a retired one: until then something that it has signed may be in use.
    """

    kid: str
    algorithm: SigningAlgorithm
    status: SigningKeyStatus
    public_jwk: Mapping[str, Any]
    sealed: bytes
    pepper_id: str
    created_at: datetime
    activated_at: datetime | None = None
    retired_at: datetime | None = None
    published_until: datetime | None = None


class OneTimePurpose(StrEnum):
    """What a secret is for that serves once."""

    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"
    LOGIN = "login"
    """The second step of a login."""


@dataclass(frozen=True, slots=True)
class Session:
    """What is known of a login beside its credential, which says whether it is good.

    Args:
        device: What it says of itself; may be empty.
        methods: What was proven: `pwd`, `otp`, `pop` (a passkey), `mfa` (RFC 8176).
        seen_at: When it was last refreshed, or began.
        authenticated_at: When its user last proved who they are.
        ends_at: However it is used.
    """

    id: str
    tenant_id: str
    user_id: str
    device: str
    address: str | None
    methods: frozenset[str]
    created_at: datetime
    seen_at: datetime
    authenticated_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that has not ended, and when a token of it was last used, as far as that is written."""

    session: Session
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What the store keeps of a refresh token that was just made."""

    secret: DigestedSecret
    session_id: str
    created_at: datetime
    expires_at: datetime


class FactorKind(StrEnum):
    """What somebody may prove beside their password."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"


@dataclass(frozen=True, slots=True)
class TotpFactor:
    """The secret that an authenticator app shares with the server; sealed.

    Args:
        pepper_id: Of the pepper that sealed it.
        last_counter: Of the last code that was used: neither that one nor an older one is good again.
        confirmed_at: When a code has shown that the app has it; None until then.
    """

    user_id: str
    sealed: bytes
    pepper_id: str
    last_counter: int
    created_at: datetime
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Factors:
    """What somebody may prove beside their password.

    Args:
        totp: Their authenticator app, confirmed or not.
        recovery_codes: How many are left.
        passkeys: Oldest first.
    """

    totp: TotpFactor | None
    recovery_codes: int
    passkeys: tuple[Passkey, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """A second factor that was proven; it is spent with what it opens, and so opens one thing.

    Args:
        kind: Which.
        step_id: The step of a login that is spent with it; None where there was none.
        totp: The factor as it is kept from then on.
        recovery_code: The digest of the code.
        passkey: That it was at hand.
    """

    kind: FactorKind
    step_id: str | None = None
    totp: TotpFactor | None = None
    recovery_code: bytes | None = None
    passkey: PasskeyUse | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """All that begins with a session, and what must still hold when it does.

    Args:
        credential: The session's own, which nothing opens; its token's parent.
        token: The first signed token.
        password_hash: What the password was checked against; None where none was.
        place: Where its user is known from now on.
        guessed: Counts of guesses that begin anew.
        proof: The second factor, which who has one must have proven.
    """

    session: Session
    credential: Credential
    credential_secret: DigestedSecret
    token: Credential
    token_secret: DigestedSecret
    refresh_token: RefreshToken
    password_hash: str | None
    place: str
    guessed: tuple[str, ...]
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Elevation:
    """A session whose user has proven anew who they are, and the token that takes the place of the one they had.

    Args:
        session: As it is from now on.
        replaced: The id of the token that ends.
        password_hash: What the password was checked against; None where none was.
        proof: The second factor; None where none was.
        guessed: Counts of guesses that begin anew.
    """

    session: Session
    token: Credential
    token_secret: DigestedSecret
    replaced: str
    password_hash: str | None
    proof: Proof | None
    guessed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Renewal:
    """What takes the place of a refresh token that is spent.

    Args:
        digest: Of the one that is spent.
        sealed_answer: Given again within the grace, to who presents that one.
    """

    digest: bytes
    refresh_token: RefreshToken
    sealed_answer: bytes
    token: Credential
    token_secret: DigestedSecret


@dataclass(frozen=True, slots=True)
class Refreshable:
    """A refresh token that was presented, with what decides on it.

    Args:
        digest: As stored.
        expires_at: Its end.
        spent_at: When it was used; None if it was not.
        sealed_answer: Of a spent one, for as long as it is given again.
        successor_spent: Of a spent one: whether what followed it was used too.
        live: Whether its session, user and tenant are active.
    """

    digest: bytes
    expires_at: datetime
    spent_at: datetime | None
    sealed_answer: bytes | None
    successor_spent: bool
    live: bool
    session: Session
    user: User


@dataclass(frozen=True, slots=True)
class Account:
    """Who may log in under a name: a user, what their password was hashed to, and what else they must prove.

    Args:
        password_hash: None if they have none.
        tenant_active: Whether their tenant is.
        totp: Whether they have an authenticator app.
        recovery_codes: Whether they have recovery codes left.
        passkeys: Whether they have any.
    """

    user: User
    password_hash: str | None
    tenant_active: bool
    totp: bool
    recovery_codes: bool = False
    passkeys: bool = False

    @property
    def factors(self) -> tuple[FactorKind, ...]:
        """What they may prove beside their password; nothing where the password is enough."""
        if not self.totp and not self.passkeys:
            return ()
        possible = (
            (FactorKind.TOTP, self.totp),
            (FactorKind.PASSKEY, self.passkeys),
            (FactorKind.RECOVERY_CODE, self.recovery_codes),
        )
        return tuple(kind for kind, has in possible if has)


@dataclass(frozen=True, slots=True)
class OneTimeSecret:
    """What the store keeps of a secret that serves once.

    Args:
        email_folded: The address that it was sent to; it is void once its user has another.
    """

    id: str
    purpose: OneTimePurpose
    tenant_id: str
    user_id: str
    email_folded: str | None
    created_by: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class GuessLimit:
    """How often somebody may be wrong.

    Args:
        subject: Whose guesses are counted together.
        free: Wrong guesses that cost no time.
        longest_seconds: The longest wait after one more; it doubles from a second on.
        most: After so many, none is admitted until the count is forgotten; None for no such end.
        forgotten_seconds: The count begins anew after so long without a guess; None: only by being right.
    """

    subject: str
    free: int
    longest_seconds: int
    most: int | None = None
    forgotten_seconds: int | None = None


class Signed(Enum):
    """What a signature and the claims under it say of a token."""

    GOOD = "good"
    BAD = "bad"
    EXPIRED = "expired"
    UNKNOWN_KEY = "unknown_key"
    """Signed by a key that this process does not know; it may be younger than what it has read."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where a listing goes on: after the entry with this time and id (newest first)."""

    limit: int
    after_us: int | None = None
    after_id: str | None = None
