"""The first run: everything a first user needs, told once, kept as digests."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from bonafides.audit import Recorder
from bonafides.credentials.passwords import Passwords
from bonafides.errors import AlreadyInitialised, InvalidRequest
from bonafides.installation import CODE_SECONDS, Founded, Installation
from bonafides.model import (
    BUILT_IN_SCOPES,
    AuditEvent,
    Credential,
    CredentialStatus,
    DigestedSecret,
    Plan,
    Role,
    Status,
    Tenant,
    User,
    UserKind,
    to_datetime,
    to_micros,
)
from bonafides.secret import Peppers, Shape, display, new_pepper, parse_pepper, shape
from bonafides.store import DirectoryStore, SetUpCode

NOW = datetime(2030, 5, 6, 7, 8, 9, 10, tzinfo=UTC)
SCOPES = BUILT_IN_SCOPES | {"billing:read"}


class StoppedClock:
    """A clock that always shows `NOW`."""

    def micros(self) -> int:
        return to_micros(NOW)

    def monotonic(self) -> float:
        return 0.0


class FirstStore:
    """Takes what `found` is given, once."""

    def __init__(self) -> None:
        self.calls = 0
        self.tenant: Tenant
        self.user: User
        self.password_hash: str
        self.credential: Credential
        self.secret: DigestedSecret
        self.plans: Sequence[Plan]
        self.event: AuditEvent
        self.code: SetUpCode | None

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
        self.calls += 1
        if self.calls > 1:
            return False
        self.tenant, self.user, self.password_hash = tenant, user, password_hash
        self.credential, self.secret, self.plans, self.event, self.code = (
            credential,
            secret,
            plans,
            event,
            code,
        )
        return True


@pytest.fixture
def store() -> FirstStore:
    """An empty database."""
    return FirstStore()


@pytest.fixture
def peppers() -> Peppers:
    """Two peppers, the newest first."""
    return Peppers([parse_pepper(new_pepper(secrets.token_bytes)) for _ in range(2)])


@pytest.fixture
def installation(store: FirstStore, peppers: Peppers) -> Installation:
    """An installation that is about to be founded."""
    verbs: DirectoryStore = store  # type: ignore[assignment]  # the one verb that founding needs
    clock = StoppedClock()
    return Installation(
        verbs,
        Recorder(clock, secrets.token_bytes),
        Passwords(),
        peppers,
        clock,
        secrets.token_bytes,
        SCOPES,
    )


async def test_a_first_user_owns_the_operators_tenant(installation: Installation, store: FirstStore) -> None:
    """Nobody could administer the installation that was just made."""
    founded = await installation.found("Ada@Example.com")
    assert (founded.tenant_id, founded.user_id) == (store.tenant.id, store.user.id)
    assert founded.email == store.user.email == store.user.name == "Ada@Example.com"
    assert store.tenant.operator
    assert (store.tenant.name, store.tenant.plan, store.tenant.status) == ("default", "free", Status.ACTIVE)
    assert (store.user.role, store.user.kind, store.user.status) == (
        Role.OWNER,
        UserKind.PERSON,
        Status.ACTIVE,
    )
    assert store.user.tenant_id == store.tenant.id
    assert store.user.scopes is None
    assert {store.tenant.created_at, store.user.updated_at, store.credential.created_at} == {NOW}


async def test_the_first_key_may_do_everything_on_the_plan_enterprise(
    installation: Installation, store: FirstStore, peppers: Peppers
) -> None:
    """The contract's admin key would be limited, or would not reach a scope that the operator defined."""
    founded = await installation.found("ada@example.com")
    key = store.credential
    assert key.scopes == SCOPES
    assert key.plan == "enterprise"
    assert (key.tenant_id, key.user_id, key.created_by) == (store.tenant.id, store.user.id, store.user.id)
    assert (key.status, key.expires_at, key.parent_id, key.root_id) == (
        CredentialStatus.ACTIVE,
        None,
        None,
        key.id,
    )
    assert shape(founded.api_key.encode()) is Shape.WHOLE
    assert key.display == display(founded.api_key)
    assert store.secret == DigestedSecret(peppers.digest(founded.api_key.encode()), peppers.newest_id)


async def test_the_contracts_plans_are_there(installation: Installation, store: FirstStore) -> None:
    """Tenants and keys would name plans that do not exist."""
    await installation.found("ada@example.com")
    figures = {plan.name: (plan.requests_per_hour, plan.burst) for plan in store.plans}
    assert figures == {"free": (1_000, 50), "pro": (10_000, 200), "enterprise": (None, 1_000)}
    assert all(plan.created_at == to_datetime(to_micros(NOW)) for plan in store.plans)


async def test_the_password_is_kept_as_a_slow_hash(installation: Installation, store: FirstStore) -> None:
    """Whoever reads the database could log in."""
    founded = await installation.found("ada@example.com")
    assert store.password_hash.startswith("$argon2id$")
    assert await Passwords().check(founded.password, store.password_hash)
    assert not await Passwords().check(founded.password[:-1], store.password_hash)


async def test_no_secret_is_stored_audited_or_shown(installation: Installation, store: FirstStore) -> None:
    """A log line, a row or an audit event would let its reader in."""
    founded = await installation.found("ada@example.com")
    rows = (store.tenant, store.user, store.credential, store.plans, store.event, store.secret)
    kept = f"{rows!r} {json.dumps(asdict(store.event), default=str)} {founded!r}"
    assert founded.api_key not in kept
    assert founded.password not in kept
    assert founded.tenant_id in repr(founded)
    assert (store.event.action, store.event.tenant_id) == ("tenant.founded", store.tenant.id)
    assert store.event.actor.via == "first run"
    assert store.event.details == {"user_id": store.user.id}


async def test_a_second_run_is_refused(installation: Installation, store: FirstStore) -> None:
    """A second admin would appear in an installation that has one, for whoever can start the program."""
    await installation.found("ada@example.com")
    with pytest.raises(AlreadyInitialised, match="already holds an installation"):
        await installation.found("eve@example.com")
    assert store.user.email == "ada@example.com"


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@localhost", "a@b.c\nd", "@example.com", " ada@example.com"]
)
async def test_a_malformed_address_founds_nothing(
    installation: Installation, store: FirstStore, email: str
) -> None:
    """The only user could not be told apart, or log in."""
    with pytest.raises(InvalidRequest):
        await installation.found(email)
    assert store.calls == 0


async def test_every_installation_has_ids_and_secrets_of_its_own(peppers: Peppers) -> None:
    """One installation's admin key would open another."""
    made: list[Founded] = []
    for _ in range(2):
        verbs: DirectoryStore = FirstStore()  # type: ignore[assignment]  # as above
        clock = StoppedClock()
        recorder = Recorder(clock, secrets.token_bytes)
        made.append(
            await Installation(
                verbs, recorder, Passwords(), peppers, clock, secrets.token_bytes, SCOPES
            ).found("ada@example.com")
        )
    one, other = made
    assert {one.tenant_id, one.user_id, one.password, one.api_key}.isdisjoint(
        {other.tenant_id, other.user_id, other.password, other.api_key}
    )


async def test_the_code_of_a_browser_is_made_with_the_installation(
    installation: Installation, store: FirstStore, peppers: Peppers
) -> None:
    """ASVS 6.4.1: a start that was killed between the two would leave an installation that nobody can enter."""
    assert (await installation.found("ada@example.com")).set_up_code is None
    store.calls = 0
    founded = await installation.found("ada@example.com", set_up=True)
    assert founded.set_up_code is not None
    assert store.code is not None
    assert store.code.secret == peppers.digested(founded.set_up_code)
    assert store.code.made.user_id == founded.user_id
    assert store.code.made.expires_at - NOW == timedelta(seconds=CODE_SECONDS)
    assert (store.code.event.action, store.code.event.actor.via) == ("tenant.set_up_begun", "first run")
    assert founded.set_up_code not in f"{store.code!r} {founded!r}"
