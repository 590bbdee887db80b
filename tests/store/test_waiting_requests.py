"""Requests that wait: pushed ones are used once, devices are decided once, and too many questions slow them down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bonafides.delegation import DeviceDecision, DeviceStatus
from bonafides.model import GuessLimit, Status, UserChanges
from bonafides.store.sql import SqlStore
from tests.store.delegated import add_client, device, pushed
from tests.store.records import LATER, NOW, digest, event, secret, user
from tests.store.test_grants import grant
from tests.store.test_grants import new as new_grant

CODE = digest("user code")


def decision(status: DeviceStatus = DeviceStatus.APPROVED, **fields: Any) -> DeviceDecision:
    """What the founding owner says to the device."""
    made = DeviceDecision(
        digest("device"), status, frozenset({"read"}), "usr_owner", "ses_1", NOW, frozenset({"pwd"})
    )
    return replace(made, **fields)


@pytest.fixture
async def waiting(store: SqlStore) -> SqlStore:
    """A store with a pushed request and a device that waits."""
    await add_client(store)
    await store.push_request(pushed(), secret("pushed"))
    assert await store.add_device(device(), secret("device"), CODE)
    return store


async def test_a_pushed_request_is_found_until_it_ends(waiting: SqlStore) -> None:
    """An old link would go on working."""
    found = await waiting.find_pushed_request([digest("other"), digest("pushed")], NOW)
    assert found is not None
    assert found.digest == digest("pushed")
    assert found.request == pushed()
    assert await waiting.find_pushed_request([digest("other")], NOW) is None
    assert await waiting.find_pushed_request([digest("pushed")], LATER) is None
    assert not await waiting.spend_pushed_request(digest("pushed"), LATER)


async def test_a_pushed_request_is_used_once(waiting: SqlStore, opened: Callable[[], SqlStore]) -> None:
    """Of many uses at once one gets a code."""
    uses = await asyncio.gather(*(opened().spend_pushed_request(digest("pushed"), NOW) for _ in range(6)))
    assert sum(uses) == 1
    assert await waiting.find_pushed_request([digest("pushed")], NOW) is None


async def test_a_user_code_leads_to_one_device(waiting: SqlStore) -> None:
    """Somebody would let another's device in."""
    assert not await waiting.add_device(device(), secret("another"), CODE)
    found = await waiting.find_device([digest("other"), CODE], NOW)
    assert found is not None
    assert (found.digest, found.device) == (digest("device"), device())
    assert await waiting.find_device([digest("other")], NOW) is None
    assert await waiting.find_device([CODE], LATER) is None


@pytest.mark.parametrize("status", [DeviceStatus.APPROVED, DeviceStatus.DENIED])
async def test_a_device_is_decided_once(
    waiting: SqlStore, opened: Callable[[], SqlStore], status: DeviceStatus
) -> None:
    """Of several answers at once one counts, is written down, and says who gave it in which login."""
    answers = await asyncio.gather(
        *(opened().decide_device(decision(status), event("device.decided")) for _ in range(6))
    )
    assert sum(answers) == 1
    assert await waiting.find_device([CODE], NOW) is None
    polled = await waiting.poll_device([digest("device")], "cli_1", NOW)
    assert polled is not None
    assert polled.device == device(
        status=status,
        scopes=frozenset({"read"}),
        user_id="usr_owner",
        session_id="ses_1",
        authenticated_at=NOW,
        methods=frozenset({"pwd"}),
        polled_at=NOW,
    )


async def test_who_was_right_begins_to_guess_anew(waiting: SqlStore) -> None:
    """People who mistype a code now and then would have to wait at last."""
    limit = GuessLimit("somebody", 1, 300)
    assert await waiting.count_guess([limit], NOW) == 0
    assert await waiting.count_guess([limit], NOW) > 0
    assert await waiting.decide_device(decision(), event("device.decided"), guessed=["somebody"])
    assert await waiting.count_guess([limit], NOW) == 0


async def test_a_device_that_has_ended_is_not_decided(waiting: SqlStore) -> None:
    """A code that somebody finds later opens nothing."""
    assert not await waiting.decide_device(decision(), event("device.decided", at=LATER))
    assert not await waiting.decide_device(decision(digest=digest("other")), event("device.decided"))


async def test_a_device_that_asks_too_soon_waits_longer(waiting: SqlStore) -> None:
    """Devices that do not wait are slowed down, for good."""
    at = NOW

    async def polled(after_seconds: float) -> tuple[bool, int]:
        nonlocal at
        at += timedelta(seconds=after_seconds)
        found = await waiting.poll_device([digest("device")], "cli_1", at)
        assert found is not None
        return found.too_soon, found.device.interval_seconds

    assert await polled(0) == (False, 5)
    assert await polled(4.6) == (False, 5)
    assert await polled(4) == (True, 10)
    assert await polled(5) == (True, 15)
    assert await polled(15) == (False, 15)


async def test_a_device_code_is_its_clients_own(waiting: SqlStore) -> None:
    """Another client that got hold of it would get the tokens."""
    assert await waiting.poll_device([digest("device")], "cli_2", NOW) is None
    assert await waiting.poll_device([digest("other")], "cli_1", NOW) is None


async def test_an_approved_device_is_redeemed_once(waiting: SqlStore, opened: Callable[[], SqlStore]) -> None:
    """Of many answers to one device code one gives tokens; before somebody has said yes, and after its end, none does."""
    assert not await waiting.redeem_device(
        digest("device"), new_grant(grant("grt_0")), event("grant.created")
    )
    assert await waiting.decide_device(decision(), event("device.approved"))
    late = event("grant.created", at=LATER)
    assert not await waiting.redeem_device(digest("device"), new_grant(grant("grt_0")), late)
    redeemed = await asyncio.gather(
        *(
            opened().redeem_device(
                digest("device"), new_grant(grant(f"grt_{number}")), event("grant.created")
            )
            for number in range(4)
        )
    )
    assert sum(redeemed) == 1
    polled = await waiting.poll_device([digest("device")], "cli_1", NOW)
    assert polled is not None
    assert polled.device.status is DeviceStatus.REDEEMED
    assert polled.device.grant_id in {f"grt_{number}" for number in range(4)}


async def test_an_approval_ends_with_the_session_that_gave_it(waiting: SqlStore) -> None:
    """Attack 6: a stranger's device would get its tokens after the stranger was put out."""
    assert await waiting.decide_device(decision(), event("device.approved"))
    for kept, status in (("ses_1", DeviceStatus.APPROVED), (None, DeviceStatus.DENIED)):
        assert await waiting.end_sessions("usr_owner", event(), reason="asked", kept=kept) == 0
        polled = await waiting.poll_device([digest("device")], "cli_1", NOW)
        assert polled is not None
        assert polled.device.status is status


async def test_who_was_disabled_meanwhile_gives_nothing(waiting: SqlStore) -> None:
    """Attack 6: what somebody approved before they were disabled gives no tokens after."""
    await waiting.create_user(user("usr_b"), event("user.created"), claim=None)
    assert await waiting.decide_device(decision(user_id="usr_b"), event("device.approved"))
    await waiting.change_user("usr_b", "ten_a", UserChanges(status=Status.DISABLED), event("user.changed"))
    theirs = new_grant(grant("grt_0", user_id="usr_b"))
    assert not await waiting.redeem_device(digest("device"), theirs, event("grant.created"))


async def test_what_ended_long_ago_is_forgotten(waiting: SqlStore) -> None:
    """The tables would grow without end; a device that ended just now is still told so."""
    await waiting.prune_requests(LATER)
    assert await waiting.poll_device([digest("device")], "cli_1", LATER) is not None
    await waiting.prune_requests(LATER + timedelta(seconds=1))
    assert await waiting.poll_device([digest("device")], "cli_1", LATER) is None
    assert await waiting.find_pushed_request([digest("pushed")], NOW) is None
