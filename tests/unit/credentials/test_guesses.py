"""What is counted by address beside guesses: clients that strangers register."""

from __future__ import annotations

import pytest

from bonafides.credentials.guesses import REGISTRATIONS_FORGOTTEN_SECONDS, Guesses, Visitor
from bonafides.errors import TooManyRequests
from tests.unit.conftest import House


async def test_an_address_registers_so_many_clients_and_waits(house: House) -> None:
    """RFC 7591 §5: one stranger would fill the database with clients."""
    guesses = Guesses(house.rooms.store, house.rooms.peppers, house.clock)
    one, other = (Visitor(address, address, "") for address in ("192.0.2.1", "192.0.2.2"))
    for _ in range(2):
        await guesses.admit_registration(one, 2)
    with pytest.raises(TooManyRequests):
        await guesses.admit_registration(one, 2)
    await guesses.admit_registration(other, 2)
    house.clock.advance(REGISTRATIONS_FORGOTTEN_SECONDS)
    await guesses.admit_registration(one, 2)
