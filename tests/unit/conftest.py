"""Rooms over a real SQLite store, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bonafides.app import Rooms, open_rooms
from bonafides.authority import Authority
from bonafides.credentials.api_keys import KeyWish
from bonafides.credentials.holdings import Made
from bonafides.installation import Founded
from bonafides.model import Accepted, Actor, CountBy, Principal, Role, Tenant, User, UserKind, ceiling
from bonafides.secret import Peppers, parse_pepper
from bonafides.settings import Settings
from bonafides.verification.verifier import Facts
from tests.unit.clocks import HandClock

PEPPERS = Peppers([parse_pepper("1" * 64)])


@dataclass
class House:
    """An installation with its rooms, and whoever founded it."""

    rooms: Rooms
    founded: Founded
    clock: HandClock

    @property
    def operator(self) -> Authority:
        """The founder, through their own key."""
        scopes = self.rooms.settings.defined_scopes
        return Authority(
            actor=Actor(self.founded.user_id, "key_founder", "api"),
            tenant_id=self.founded.tenant_id,
            user_id=self.founded.user_id,
            role=Role.OWNER,
            scopes=scopes,
            grantable=scopes,
            operator=True,
        )

    def authority_of(self, user: User, scopes: frozenset[str] | None = None) -> Authority:
        """A user of some tenant, through a key with these scopes or with all that they may have."""
        most = ceiling(user.role, user.scopes, self.rooms.settings.defined_scopes)
        held = most if scopes is None else scopes & most
        return Authority(
            actor=Actor(user.id, f"key_of_{user.id}", "api"),
            tenant_id=user.tenant_id,
            user_id=user.id,
            role=user.role,
            scopes=held,
            grantable=most if "admin" in held else held,
            operator=False,
        )

    async def make_plan(
        self,
        name: str,
        requests_per_hour: int | None = None,
        burst: int | None = None,
        **fields: Any,
    ) -> None:
        """Make or change a plan."""
        wish = {"per_method": {}, "count_by": CountBy.CREDENTIAL, **fields}
        await self.rooms.plans.put(
            self.operator, name=name, requests_per_hour=requests_per_hour, burst=burst, **wish
        )

    async def make_tenant(self, name: str | None = None, plan: str | None = None) -> Tenant:
        """A customer's tenant."""
        made = await self.rooms.directory.create_tenant(
            self.operator, name=name or f"tenant {secrets.token_hex(4)}", plan=plan
        )
        assert isinstance(made, Tenant)
        return made

    async def make_user(self, tenant_id: str | None = None, role: Role = Role.OWNER, **fields: Any) -> User:
        """A person in a tenant, the operator's if none is named."""
        wish: dict[str, Any] = {
            "kind": UserKind.PERSON,
            "name": None,
            "email": f"{secrets.token_hex(4)}@example.com",
            "scopes": None,
            **fields,
        }
        made = await self.rooms.directory.create_user(
            self.operator, role=role, tenant_id=tenant_id or self.founded.tenant_id, **wish
        )
        assert isinstance(made, User)
        return made

    async def make_key(self, user: User | None = None, **wish: Any) -> Made:
        """A key of a user, the founder's if none is named."""
        wish = {"name": "a key", "user_id": user.id if user else None, **wish}
        made = await self.rooms.api_keys.create(self.operator, KeyWish(**wish))
        assert isinstance(made, Made)
        return made

    async def principal_of(self, made: Made) -> Principal:
        """Whom a good credential speaks for."""
        await self.rooms.feed.read()
        verdict = await self.rooms.verifier.verify(made.secret.encode(), Facts())
        assert isinstance(verdict, Accepted)
        return verdict.principal

    async def exchange(self, key: Made, **wish: Any) -> Made:
        """Exchange a key for a bearer token."""
        principal = await self.principal_of(key)
        made = await self.rooms.bearer_tokens.issue(principal, self.operator.actor, **wish)
        assert made is not None
        return made


@pytest.fixture
def clock() -> HandClock:
    """The time that the rooms go by."""
    return HandClock()


def settings_of(path: Path, **changes: Any) -> Settings:
    """Settings of an installation without a limit by address."""
    values: dict[str, Any] = {"database": str(path), "address_requests_per_minute": None, **changes}
    return Settings(**values)


@pytest.fixture(scope="session")
def _founded_sqlite(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Founded]:
    """A founded installation, to copy."""
    path = tmp_path_factory.mktemp("founded") / "bonafides.db"
    shutil.copyfile(_migrated_sqlite, path)

    async def found() -> Founded:
        async with open_rooms(settings_of(path), PEPPERS, clock=HandClock()) as rooms:
            return await rooms.installation.found("founder@example.com")

    return path, asyncio.run(found())


@pytest.fixture
def founded_sqlite(_founded_sqlite: tuple[Path, Founded], sqlite_path: Path) -> Founded:
    """Who founded the installation that is at `sqlite_path` now."""
    template, founded = _founded_sqlite
    shutil.copyfile(template, sqlite_path)
    sqlite_path.chmod(0o600)
    return founded


@pytest.fixture
async def house(founded_sqlite: Founded, sqlite_path: Path, clock: HandClock) -> AsyncIterator[House]:
    """An installation of the test's own; its memory is fresh until the clock moves."""
    settings = settings_of(sqlite_path, scopes="billing:read")
    async with open_rooms(settings, PEPPERS, clock=clock) as rooms:
        await rooms.feed.read()
        await rooms.foreign.load()
        yield House(rooms, founded_sqlite, clock)
