"""The verbs on devices that wait until a person lets them have access: asked for, decided once, polled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, exists, insert, select, update

from bonafides.delegation import DeviceCode, DeviceDecision, DeviceStatus, NewGrant, PresentedDevice
from bonafides.model import AuditEvent, DigestedSecret
from bonafides.store import grants, guesses
from bonafides.store.tables import columns_of, device_codes, pushed_requests, row_of
from bonafides.store.transaction import Transaction

SLOWER_SECONDS: Final = 5
"""How much longer a device that has asked too soon has to wait from then on (RFC 8628 §3.5)."""

JITTER: Final = timedelta(seconds=0.5)
"""How much too soon still counts as in time: what a device has timed well, a network may shift."""

_DEVICE: Final = columns_of(device_codes, DeviceCode)


def add(
    transaction: Transaction, device: DeviceCode, secret: DigestedSecret, user_code_digest: bytes
) -> bool:
    """Keep a device's request; False, with nothing written, where another waits under the same user code."""
    connection = transaction.connection
    taken = exists().where(device_codes.c.user_code_digest == user_code_digest)
    if connection.scalar(select(taken)):
        return False
    row = row_of(device) | row_of(secret) | {"user_code_digest": user_code_digest}
    connection.execute(insert(device_codes), row)
    return True


def find(connection: Connection, digests: Sequence[bytes], now: datetime) -> PresentedDevice | None:
    """The request with one of these user codes, if it has not ended and nobody has decided it."""
    row = connection.execute(
        select(device_codes.c.digest, *_DEVICE).where(
            device_codes.c.user_code_digest.in_(digests),
            device_codes.c.status == DeviceStatus.PENDING,
            device_codes.c.expires_at > now,
        )
    ).one_or_none()
    return None if row is None else PresentedDevice(row[0], DeviceCode(*row[1:]))


def decide(
    transaction: Transaction, decision: DeviceDecision, event: AuditEvent, guessed: Sequence[str]
) -> bool:
    """Approve or deny a request that waits still: of any number of calls at once, one does."""
    values = row_of(decision)
    decided = transaction.connection.execute(
        update(device_codes)
        .where(
            device_codes.c.digest == values.pop("digest"),
            device_codes.c.status == DeviceStatus.PENDING,
            device_codes.c.expires_at > event.at,
        )
        .values(values)
    )
    if decided.rowcount == 0:
        return False
    guesses.forget(transaction.connection, guessed)
    transaction.record(event)
    return True


def poll(
    transaction: Transaction, digests: Sequence[bytes], client_id: str, now: datetime
) -> PresentedDevice | None:
    """What has become of a client's request, and that it has asked: too soon, and its interval grows."""
    connection = transaction.connection
    row = connection.execute(
        select(device_codes.c.digest, *_DEVICE)
        .where(device_codes.c.digest.in_(digests), device_codes.c.client_id == client_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return None
    digest, device = row[0], DeviceCode(*row[1:])
    interval = timedelta(seconds=device.interval_seconds)
    too_soon = device.polled_at is not None and now - device.polled_at < interval - JITTER
    longer = device.interval_seconds + (SLOWER_SECONDS if too_soon else 0)
    device = replace(device, polled_at=now, interval_seconds=longer)
    connection.execute(
        update(device_codes)
        .where(device_codes.c.digest == digest)
        .values(polled_at=now, interval_seconds=longer)
    )
    return PresentedDevice(digest, device, too_soon=too_soon)


def redeem(transaction: Transaction, digest: bytes, new: NewGrant, event: AuditEvent) -> bool:
    """Spend an approved request for a grant: of any number of calls at once, one does."""
    connection = transaction.connection
    if not grants.may_have_grants(connection, new.grant.user_id):
        return False
    spent = connection.execute(
        update(device_codes)
        .where(
            device_codes.c.digest == digest,
            device_codes.c.status == DeviceStatus.APPROVED,
            device_codes.c.expires_at > event.at,
        )
        .values(status=DeviceStatus.REDEEMED, grant_id=new.grant.id)
    )
    if spent.rowcount == 0:
        return False
    grants.begin(transaction, new, event)
    return True


def prune(transaction: Transaction, before: datetime) -> None:
    """Forget requests of devices, and pushed ones, that ended before a moment."""
    for table in (device_codes, pushed_requests):
        transaction.connection.execute(delete(table).where(table.c.expires_at < before))
