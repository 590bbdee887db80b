"""As much of an address as is kept."""

from __future__ import annotations

import pytest

from bonafides.verification.networks import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:77:1::9", "2001:db8:77::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("somewhere", ""),
        (None, ""),
    ],
)
def test_an_address_is_kept_as_its_network(address: str | None, network: str) -> None:
    """Whoever reads the database would learn which machine of whose it was."""
    assert network_of(address) == network
    assert network_of(address) is network_of(address)
