"""The first run: a tenant, its owner, their key, and the plans, made together or not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace

from typing_extensions import override

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.credentials.holdings import blank_credential
from bonafides.credentials.password_changes import once
from bonafides.credentials.passwords import Passwords
from bonafides.errors import AlreadyInitialised
from bonafides.model import (
    Actor,
    Clock,
    CredentialKind,
    Entropy,
    OneTimePurpose,
    Role,
    Status,
    Tenant,
    User,
    UserKind,
    to_datetime,
)
from bonafides.plans import first_plans
from bonafides.secret import Peppers, SecretKind, display, mint, mint_password, new_id
from bonafides.store import DirectoryStore, SetUpCode

TENANT_NAME = "default"
KEY_NAME = "admin"
KEY_PLAN = "enterprise"
CODE_SECONDS = 86_400
"""How long the code of a new installation serves."""


@dataclass(frozen=True, slots=True, repr=False)
class Founded:
    """What a new installation tells its first user, once.

    Args:
        set_up_code: With which they choose address and password in a browser, where that was asked for.
    """

    tenant_id: str
    user_id: str
    email: str
    password: str
    api_key: str
    set_up_code: str | None = None

    @override
    def __repr__(self) -> str:
        return f"Founded(tenant_id={self.tenant_id!r}, user_id={self.user_id!r})"


class Installation:
    """Founds an installation.

    Args:
        store: Where it will be.
        recorder: Makes the first audit event.
        passwords: Hashes the owner's password.
        peppers: Digests the owner's key.
        clock: When it happens.
        entropy: For ids and secrets.
        defined_scopes: Every scope that this installation knows; the first key has them all.
    """

    def __init__(
        self,
        store: DirectoryStore,
        recorder: Recorder,
        passwords: Passwords,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        defined_scopes: frozenset[str],
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._passwords = passwords
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._defined_scopes = defined_scopes

    async def found(self, email: str, *, set_up: bool = False) -> Founded:
        """Create the operator's tenant, its owner with a password, an admin key and the plans, together or not at all.

        Args:
            email: Of the owner.
            set_up: Whether they shall be able to go on in a browser, with a code that serves once, within a day.

        Raises:
            AlreadyInitialised: There is an installation; nothing was changed.
            InvalidRequest: The e-mail address is malformed.

        See: OWASP ASVS 6.4.1
        """
        address = intake.email(email)
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        tenant = Tenant(
            id=new_id("ten", now_us, self._entropy),
            name=TENANT_NAME,
            status=Status.ACTIVE,
            plan="free",
            operator=True,
            created_at=now,
            updated_at=now,
        )
        user = User(
            id=new_id("usr", now_us, self._entropy),
            tenant_id=tenant.id,
            kind=UserKind.PERSON,
            email=address,
            name=address,
            role=Role.OWNER,
            scopes=None,
            status=Status.ACTIVE,
            created_at=now,
            updated_at=now,
        )
        key_id = new_id("key", now_us, self._entropy)
        key = mint(SecretKind.KEY, key_id, self._entropy)
        credential = replace(
            blank_credential(
                CredentialKind.API_KEY, key_id, tenant.id, user.id, KEY_NAME, self._defined_scopes, now
            ),
            plan=KEY_PLAN,
            display=display(key),
        )
        password = mint_password(self._entropy)
        code, code_secret = self._code(user) if set_up else (None, None)
        founded = await self._store.found(
            tenant,
            user,
            await self._passwords.hash(password),
            credential,
            self._peppers.digested(key),
            first_plans(now_us),
            self._recorder.event(
                "tenant.founded",
                Actor(None, None, via="first run"),
                tenant.id,
                tenant.id,
                {"user_id": user.id},
            ),
            code=code,
        )
        if not founded:
            message = "This database already holds an installation. Nothing was changed."
            raise AlreadyInitialised(message)
        return Founded(tenant.id, user.id, address, password, key, code_secret)

    def _code(self, user: User) -> tuple[SetUpCode, str]:
        made, code = once(user, OneTimePurpose.INVITATION, CODE_SECONDS, None, self._clock, self._entropy)
        event = self._recorder.event(
            "tenant.set_up_begun", Actor(None, None, via="first run"), user.tenant_id, user.tenant_id
        )
        return SetUpCode(made, self._peppers.digested(code), event), code
