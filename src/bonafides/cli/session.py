"""One command's work on the database, whether or not a server runs: it learns of changes through the feed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from bonafides.authority import Authority
from bonafides.errors import Misconfigured, NotFound
from bonafides.keyring import load_peppers, require_peppers
from bonafides.logs import configure_logs
from bonafides.model import Page, Role, Status, Tenant, User, to_datetime, to_micros
from bonafides.resources import Resource, page_resource
from bonafides.settings import Settings, load

if TYPE_CHECKING:
    from bonafides.app import Rooms

_BATCH: Final = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with.

    Args:
        rooms: Over the open database.
        authority: What whoever can read the database and the pepper may do, in the tenant at hand.
    """

    rooms: Rooms
    authority: Authority

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return to_datetime(self.rooms.clock.micros())

    def page(self, limit: int, cursor: str | None, context: str) -> Page:
        """Where a listing begins; one more than asked is fetched, to learn whether it goes on.

        Raises:
            InvalidRequest: The cursor is of another listing.
        """
        if cursor is None:
            return Page(limit + 1)
        after_us, after_id = self.rooms.peppers.read_cursor(cursor, self._bound(context))
        return Page(limit + 1, int(after_us), str(after_id))

    def listed(
        self,
        found: Sequence[T],
        limit: int,
        context: str,
        render: Callable[[T], Resource],
        place: Callable[[T], tuple[datetime, str]],
    ) -> Resource:
        """A page of a listing, with a cursor if it goes on."""
        next_cursor = None
        if len(found) > limit:
            at, identifier = place(found[limit - 1])
            next_cursor = self.rooms.peppers.sign_cursor([to_micros(at), identifier], self._bound(context))
        return page_resource([render(item) for item in found[:limit]], next_cursor)

    def _bound(self, context: str) -> str:
        return f"command line {self.authority.tenant_id} {context}"

    async def user(self, name: str) -> User:
        """The user with that id, or with that e-mail address in the tenant at hand.

        Raises:
            NotFound: There is none.
        """
        if "@" not in name:
            return await self.rooms.directory.user(self.authority, name)
        user = await self._last_user(
            lambda user: user.email is not None and user.email.casefold() == name.casefold()
        )
        if user is None:
            raise NotFound(f"There is no user {name[:254]!a} in the tenant {self.authority.tenant_id}.")
        return user

    async def first_owner(self) -> User:
        """Who has owned the tenant at hand for longest.

        Raises:
            NotFound: It has no active owner.
        """
        owner = await self._last_user(lambda user: user.role is Role.OWNER and user.status is Status.ACTIVE)
        if owner is None:
            raise NotFound(
                f"The tenant {self.authority.tenant_id} has no active owner. Name a user with --user, or make one first."
            )
        return owner

    async def _last_user(self, fits: Callable[[User], bool]) -> User | None:
        """The oldest user of the tenant that fits: listings are newest first."""
        last: User | None = None
        page = Page(_BATCH)
        while True:
            users = await self.rooms.directory.users(self.authority, page)
            last = next((user for user in reversed(users) if fits(user)), last)
            if len(users) < _BATCH:
                return last
            page = Page(_BATCH, to_micros(users[-1].created_at), users[-1].id)


def settings_in_force(**flags: object) -> Settings:
    """The settings of this process: these flags, its environment, and the file in its folder.

    Raises:
        Misconfigured: One is unknown, wrong or unsafe.
    """
    return load(flags, os.environ, Path.cwd())


def work(database: str | None, tenant: str | None, do: Callable[[Session], Awaitable[T]]) -> T:
    """What `do` returns, with a session of its own.

    Args:
        database: As given on the command line.
        tenant: The id of the tenant at hand; by default the operator's.
        do: The work.

    Raises:
        Misconfigured: There is no installation, or its schema is another one, or its pepper is gone.
        Unavailable: The database cannot be reached.
        NotFound: There is no such tenant.
    """
    return asyncio.run(_work(settings_in_force(database=database), tenant, do))


async def _work(settings: Settings, tenant: str | None, do: Callable[[Session], Awaitable[T]]) -> T:
    configure_logs(form="console", level="debug" if settings.log_level == "debug" else "warning")
    from bonafides import app  # noqa: PLC0415 - the rooms take a second to import, and --help needs none of them

    await app.require_schema(settings)
    if load_peppers(settings) is None:
        await _require_installation(settings)
    async with app.open_rooms(settings, require_peppers(settings), clock=app.SystemClock()) as rooms:
        at_hand = await rooms.directory.tenant(tenant) if tenant is not None else await _operator(rooms)
        return await do(Session(rooms, rooms.local_authority(at_hand.id)))


async def _require_installation(settings: Settings) -> None:
    from bonafides import app  # noqa: PLC0415 - the rooms take a second to import, and --help needs none of them

    store = app.open_store(settings, lambda _: None)
    try:
        if not await store.is_founded():
            raise _not_founded(settings)
    finally:
        await store.close()


def _not_founded(settings: Settings) -> Misconfigured:
    return Misconfigured(
        f"There is no installation in {settings.database_shown} yet. Run: bonafides init --email you@example.com"
    )


async def _operator(rooms: Rooms) -> Tenant:
    page = Page(_BATCH)
    while tenants := await rooms.store.list_tenants(page):
        for tenant in tenants:
            if tenant.operator:
                return tenant
        page = Page(_BATCH, to_micros(tenants[-1].created_at), tenants[-1].id)
    raise _not_founded(rooms.settings)
