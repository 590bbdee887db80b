"""What is left of a first run for a browser: the first owner's own address and password, for who reads the server's terminal."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Protocol

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.credentials.guesses import GuessStore, Visitor
from bonafides.credentials.jwt_sessions import folded
from bonafides.credentials.password_changes import SERVICE_NAME, WRONG_TOKEN
from bonafides.credentials.password_rules import check_new
from bonafides.credentials.passwords import Passwords
from bonafides.errors import Conflict, InvalidCredentials
from bonafides.installation import CODE_SECONDS
from bonafides.model import (
    Account,
    Actor,
    Clock,
    OneTimePurpose,
    OneTimeSecret,
    Role,
    UserChanges,
    to_datetime,
)
from bonafides.secret import Peppers, SecretKind, whole
from bonafides.store import Clash, DirectoryStore

FIRST_EMAIL: Final = "admin@example.com"
"""Of an owner who was made before anybody could say who they are."""


class SetUpStore(GuessStore, DirectoryStore, Protocol):
    """What it asks of the store."""


class SetUp:
    """Hands a new installation to who started it, and to nobody else.

    Its code is an invitation of the owner, who has a password already: nobody else who has one is ever invited,
    and whatever gives somebody a password withdraws theirs.

    Args:
        store: Where accounts are.
        recorder: Makes audit events.
        peppers: Digest the code.
        clock: When things happen.
        passwords: Hash.
    """

    def __init__(
        self,
        store: SetUpStore,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        passwords: Passwords,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._passwords = passwords
        self._over = False

    async def is_awaited(self) -> bool:
        """Whether somebody should be told where the code stands: on the first day, while the owner has no address of their own."""
        if self._over:
            return False
        account = await self._store.find_account(folded(FIRST_EMAIL), None)
        age = timedelta.max
        if account is not None and account.user.role is Role.OWNER:
            age = to_datetime(self._clock.micros()) - account.user.created_at
        self._over = age >= timedelta(seconds=CODE_SECONDS)
        return not self._over

    async def finish(
        self, code: str, email: str, password: str, visitor: Visitor, *, request_id: str | None = None
    ) -> str:
        """Give the first owner their own address and password, and spend the code, together or not at all; their tenant's id.

        Raises:
            InvalidCredentials: The code is unknown, spent, or has ended.
            InvalidRequest: The address is malformed, or the password too short or easily guessed; the code still serves.
            Conflict: Somebody else in the tenant has that address; the code still serves.
        """
        found, account = await self._found(code)
        user = account.user
        address = intake.email(email)
        namesake = await self._store.find_account(folded(address), user.tenant_id)
        if namesake is not None and namesake.user.id != user.id:
            raise _taken()
        known = [SERVICE_NAME, *address.split("@"), *(user.email or "").split("@")]
        wanted = check_new(password, known, second_factor=False, field="new_password")
        actor = Actor(user.id, found.id, "first run", request_id, visitor.address)
        event = self._recorder.event("tenant.set_up", actor, user.tenant_id, user.tenant_id)
        name = address if user.name == user.email else user.name
        changed = self._recorder.event("user.changed", actor, user.tenant_id, user.id, {"name": name})
        outcome = await self._store.redeem_for_set_up(
            found.id,
            UserChanges(name=name, email=address),
            await self._passwords.hash(wanted),
            event,
            changed,
        )
        if isinstance(outcome, Clash):  # pragma: no cover - it was taken within this call
            raise _taken()
        if not outcome:
            raise InvalidCredentials(WRONG_TOKEN)
        return user.tenant_id

    async def _found(self, code: str) -> tuple[OneTimeSecret, Account]:
        presented = whole(code, SecretKind.INV)
        if presented is not None:
            digests = self._peppers.candidates(presented)
            now = to_datetime(self._clock.micros())
            found = await self._store.find_one_time_secret(digests, OneTimePurpose.INVITATION, now)
            account = await self._store.find_account_of(found.user_id, found.tenant_id) if found else None
            if found is not None and account is not None and account.password_hash is not None:
                return found, account
        raise InvalidCredentials(WRONG_TOKEN)


def _taken() -> Conflict:
    message = "Somebody else in your organisation has this e-mail address."
    return Conflict(message, field="email")
