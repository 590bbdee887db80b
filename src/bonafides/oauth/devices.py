"""Devices without a browser: they show a short code, and a person says elsewhere that they may have access.

See: RFC 8628
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from bonafides.audit import Recorder
from bonafides.delegation import (
    Client,
    DeviceCode,
    DeviceDecision,
    DeviceStatus,
    GrantType,
    PresentedDevice,
)
from bonafides.directory import Directory
from bonafides.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredDeviceCode,
    InvalidGrant,
    SlowDown,
    TooManyRequests,
    Unavailable,
)
from bonafides.model import EVERYWHERE, Actor, Clock, Entropy, GuessLimit, User, to_datetime
from bonafides.oauth.authorization_request import (
    IDENTITY_SCOPES,
    Refusal,
    read,
    refused_resources,
    scopes_asked,
)
from bonafides.oauth.authorize import ClientFinder, Person, serves
from bonafides.oauth.codes import unguessable
from bonafides.oauth.grants import Answer, Grants, GrantWish
from bonafides.oauth.token_endpoint import Asked
from bonafides.secret import Peppers
from bonafides.store import AccountStore, DeviceStore, DirectoryStore

DEVICE_SECONDS: Final = 600
INTERVAL_SECONDS: Final = 5
USER_CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
USER_CODE_WIDTH: Final = 8
"""Letters that make no words and are not taken for digits: 34 bits, which few guesses never meet."""

GUESSES_FREE: Final = 5
GUESSES_SECONDS_MAX: Final = 3_600
GUESSES_FORGOTTEN_SECONDS: Final = 7_200

_ROUNDS_MAX: Final = 5
_NO_LETTER: Final = re.compile(r"[^A-Z]")


class DevicesStore(DeviceStore, DirectoryStore, AccountStore, Protocol):
    """What devices ask of the store."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a device is told, and shows.

    Args:
        device_code: Its own secret, by which it asks what has become of its request.
        user_code: What the person types.
        expires_in: Seconds.
        interval: How many seconds it waits between two questions.
    """

    device_code: str
    user_code: str
    expires_in: int
    interval: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device's request, for the person who decides.

    Args:
        client: Which application it is.
        device: What it asks.
        digest: Of its secret, as stored.
        scopes: As much of that as the person can give.
        guessed: What their tries were counted under.
    """

    client: Client
    device: DeviceCode
    digest: bytes
    scopes: frozenset[str]
    guessed: tuple[str, ...]


class Devices:
    """Lets devices ask, and people decide.

    Args:
        store: Where requests wait.
        directory: What people may give.
        clients: Finds who asks.
        recorder: Makes audit events.
        peppers: Digest codes.
        clock: How long requests wait.
        entropy: For codes.
        audience: This server's own.
    """

    def __init__(
        self,
        store: DevicesStore,
        directory: Directory,
        clients: ClientFinder,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        audiences: Sequence[str],
    ) -> None:
        self._store = store
        self._directory = directory
        self._clients = clients
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._audiences = audiences

    async def begin(
        self, client: Client, pairs: Sequence[tuple[str, str]], address: str | None
    ) -> Begun | Refusal:
        """A request of a client that has proven who it is.

        See: RFC 8628 §3.1 and §3.2

        Raises:
            Unavailable: No user code was free.
        """
        parameters = read(pairs)
        if GrantType.DEVICE_CODE not in client.grant_types:
            return Refusal("unauthorized_client", "This client may not use the device_code grant.")
        if parameters.repeated:
            return Refusal("invalid_request", f"{min(parameters.repeated)} must be given once.")
        refused = refused_resources(parameters, (*self._audiences, *client.audiences))
        if refused is not None:
            return refused
        scopes = scopes_asked(parameters.get("scope"), client, self._directory.defined_scopes)
        if isinstance(scopes, Refusal):
            return scopes
        now = to_datetime(self._clock.micros())
        device = DeviceCode(
            client_id=client.id,
            tenant_id=client.tenant_id,
            scopes=scopes,
            resources=tuple(dict.fromkeys(parameters.resources)),
            status=DeviceStatus.PENDING,
            interval_seconds=INTERVAL_SECONDS,
            polled_at=None,
            user_id=None,
            session_id=None,
            authenticated_at=None,
            methods=frozenset(),
            nonce=parameters.get("nonce"),
            address=address,
            grant_id=None,
            created_at=now,
            expires_at=now + timedelta(seconds=DEVICE_SECONDS),
        )
        device_code = unguessable(self._entropy)
        for _ in range(_ROUNDS_MAX):
            user_code = self._user_code()
            digest = self._peppers.digest(_folded(user_code))
            if await self._store.add_device(device, self._peppers.digested(device_code), digest):
                return Begun(device_code, user_code, DEVICE_SECONDS, INTERVAL_SECONDS)
        raise Unavailable(internal="device authorization: no user code is free")

    async def find(self, user_code: str, person: Person, address: str) -> Waiting | None:
        """The request that a person's code belongs to; None where none waits under it.

        Each try counts as wrong until its request is decided, for the person and for where they are.

        See: RFC 8628 §5.1

        Raises:
            TooManyRequests: They have to wait.
        """
        now = to_datetime(self._clock.micros())
        limits = [
            GuessLimit(
                self._peppers.subject_digest("user code", *whose),
                GUESSES_FREE,
                GUESSES_SECONDS_MAX,
                forgotten_seconds=GUESSES_FORGOTTEN_SECONDS,
            )
            for whose in (("user", person.user.id), ("address", address))
        ]
        wait = await self._store.count_guess(limits, now)
        if wait:
            raise TooManyRequests(retry_after_seconds=wait)
        found = await self._store.find_device(self._peppers.candidates(_folded(user_code)), now)
        client = await self._clients.find(found.device.client_id) if found is not None else None
        if found is None or client is None or not await serves(self._store, client, person.user):
            return None
        return Waiting(
            client,
            found.device,
            found.digest,
            self._given(found.device, person.user),
            tuple(limit.subject for limit in limits),
        )

    async def decide(self, waiting: Waiting, person: Person, actor: Actor, *, allowed: bool) -> bool:
        """What a person has decided; False where somebody else was first, or it is too late.

        See: RFC 8628 §3.3
        """
        allowed = allowed and bool(waiting.scopes)
        decision = DeviceDecision(
            digest=waiting.digest,
            status=DeviceStatus.APPROVED if allowed else DeviceStatus.DENIED,
            scopes=waiting.scopes if allowed else waiting.device.scopes,
            user_id=person.user.id,
            session_id=person.session.id,
            authenticated_at=person.session.authenticated_at,
            methods=person.session.methods,
        )
        event = self._recorder.event(
            "device.approved" if allowed else "device.denied",
            actor,
            person.user.tenant_id,
            waiting.client.id,
            {"scopes": sorted(decision.scopes), "device_address": waiting.device.address},
        )
        return await self._store.decide_device(decision, event, guessed=waiting.guessed)

    async def poll(self, client: Client, device_code: str) -> PresentedDevice:
        """A device's request that somebody has approved.

        Raises:
            InvalidGrant: There is none, or it was used already.
            ExpiredDeviceCode: It has ended.
            SlowDown: The device has not waited for its interval, which is longer now.
            AuthorizationPending: Nobody has decided yet.
            AccessDenied: Somebody has said no.

        See: RFC 8628 §3.5
        """
        now = to_datetime(self._clock.micros())
        digests = self._peppers.candidates(device_code.encode("utf-8", "replace"))
        polled = await self._store.poll_device(digests, client.id, now)
        if polled is None or polled.device.status is DeviceStatus.REDEEMED:
            raise _bad_device_code()
        if polled.device.expires_at <= now:
            raise ExpiredDeviceCode("The device_code has expired. Begin again.", field="device_code")
        if polled.too_soon:
            raise SlowDown("The device asks too often. It has to wait five seconds longer from now on.")
        if polled.device.status is DeviceStatus.PENDING:
            raise AuthorizationPending("Nobody has decided yet. Ask again after the interval.")
        if polled.device.status is DeviceStatus.DENIED:
            raise AccessDenied("The person has said no.")
        return polled

    def _given(self, device: DeviceCode, user: User) -> frozenset[str]:
        return device.scopes & (self._directory.ceiling(user) | IDENTITY_SCOPES)

    def _user_code(self) -> str:
        number = int.from_bytes(self._entropy(16), "big")
        letters = []
        for _ in range(USER_CODE_WIDTH):
            number, letter = divmod(number, len(USER_CODE_LETTERS))
            letters.append(USER_CODE_LETTERS[letter])
        half = USER_CODE_WIDTH // 2
        return "".join(letters[:half]) + "-" + "".join(letters[half:])


def _folded(user_code: str) -> bytes:
    """A code in the one form in which it is compared, however it is typed."""
    return b"user code " + _NO_LETTER.sub("", user_code.upper()[:100]).encode("ascii")


class DeviceGrantStore(DeviceStore, DirectoryStore, Protocol):
    """What the grant of devices asks of the store."""


class DeviceCodes:
    """A device that asks what has become of its request.

    Args:
        store: Where requests and grants are.
        devices: Knows what has become of it.
        grants: Begins what it gives.
        recorder: Makes audit events.
    """

    grant_type = GrantType.DEVICE_CODE

    def __init__(self, store: DeviceGrantStore, devices: Devices, grants: Grants, recorder: Recorder) -> None:
        self._store = store
        self._devices = devices
        self._grants = grants
        self._recorder = recorder

    async def answer(self, asked: Asked) -> Answer:
        """The tokens for a request that was approved, which is spent before they are given.

        See: RFC 8628 §3.4
        """
        polled = await self._devices.poll(asked.client, asked.field("device_code"))
        device = polled.device
        user = await self._store.find_user(device.user_id or "", EVERYWHERE)
        if user is None:
            raise _bad_device_code()
        wish = GrantWish(
            user=user,
            scopes=device.scopes & asked.client.scopes,
            resources=device.resources,
            session_id=device.session_id,
            authenticated_at=device.authenticated_at,
            methods=device.methods,
            nonce=device.nonce,
            jkt=asked.jkt,
        )
        new, answer = await self._grants.begin(asked.client, wish, asked.resources)
        event = self._recorder.event(
            "grant.created",
            asked.actor("device_code", user.id),
            user.tenant_id,
            new.grant.id,
            {"client_id": asked.client.id, "scopes": sorted(wish.scopes)},
        )
        if not await self._store.redeem_device(polled.digest, new, event):
            raise _bad_device_code()
        return answer


def _bad_device_code() -> InvalidGrant:
    message = "The device_code is unknown, was used before, or is another client's."
    return InvalidGrant(message, field="device_code")
