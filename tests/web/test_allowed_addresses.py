"""§4: `allowed_ips`, IPv4 and IPv6: from where a key may be used."""

from __future__ import annotations

import pytest

from tests.web.tenancy import Tenancy, refusal


@pytest.mark.parametrize(
    ("allowed", "inside", "outside"),
    [
        ("192.0.2.7", ["192.0.2.7", "::ffff:192.0.2.7", "192.0.2.7:1234"], ["192.0.2.6", "192.0.2.8"]),
        ("192.0.2.0/24", ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0", "::192.0.2.1"]),
        ("192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]),
        ("192.0.2.4/31", ["192.0.2.4", "192.0.2.5"], ["192.0.2.3", "192.0.2.6"]),
        ("0.0.0.0/0", ["192.0.2.1", "255.255.255.255", "::ffff:1.2.3.4"], ["2001:db8::1", "::1"]),
        ("::/0", ["2001:db8::1", "::1", "fe80::1"], ["192.0.2.1", "::ffff:192.0.2.1"]),
        ("2001:db8::1", ["2001:db8::1", "2001:0DB8:0:0::0001", "[2001:db8::1]:443"], ["2001:db8::2"]),
        ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff:ffff::1"], ["2001:db7:ffff::1", "2001:db9::"]),
        ("2001:db8:0:1::/64", ["2001:db8:0:1::1"], ["2001:db8::1", "2001:db8:0:2::"]),
        ("::ffff:192.0.2.0/120", ["192.0.2.9", "::ffff:192.0.2.9"], ["192.0.3.9"]),
    ],
)
def test_a_key_works_inside_and_not_outside(
    tenancy: Tenancy, allowed: str, inside: list[str], outside: list[str]
) -> None:
    """A key in a leaked backup could be used from anywhere, or not even from its own network."""
    key = tenancy.key(allowed_ips=[allowed])["key"]
    for address in inside:
        assert tenancy.verify(key, address).status_code == 200, address
        assert tenancy.ask(key, ip=address)["valid"] is True, address
    for address in outside:
        assert refusal(tenancy.verify(key, address)) == (403, "ip_not_allowed"), address
        assert tenancy.ask(key, ip=address)["code"] == "ip_not_allowed", address


def test_any_of_several_networks_will_do(tenancy: Tenancy) -> None:
    """Offices and clouds rarely have one network."""
    key = tenancy.key(allowed_ips=["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"])["key"]
    for address in ("192.0.2.1", "2001:db8::1", "198.51.100.7"):
        assert tenancy.verify(key, address).status_code == 200
    assert tenancy.verify(key, "198.51.100.8").status_code == 403


def test_without_networks_anywhere_will_do(tenancy: Tenancy) -> None:
    """The default must work."""
    key = tenancy.key(allowed_ips=[])["key"]
    for address in ("192.0.2.1", "2001:db8::1", None):
        assert tenancy.verify(key, address).status_code == 200


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["192.0.2.7"], ["192.0.2.7/32"]),
        (["192.0.2.7/32", "192.0.2.7"], ["192.0.2.7/32"]),
        (["2001:DB8:0:0:0:0:0:1"], ["2001:db8::1/128"]),
        (["2001:db8:0000::/48"], ["2001:db8::/48"]),
        (["::ffff:192.0.2.0/120"], ["192.0.2.0/24"]),
        (["::ffff:192.0.2.7"], ["192.0.2.7/32"]),
        ([" 192.0.2.0/24 "], ["192.0.2.0/24"]),
        (["192.0.2.0/255.255.255.0"], ["192.0.2.0/24"]),
        ([f"192.0.2.{n}" for n in range(100)], [f"192.0.2.{n}/32" for n in range(100)]),
    ],
)
def test_networks_are_kept_in_one_spelling(tenancy: Tenancy, given: list[str], kept: list[str]) -> None:
    """Two tools that compare lists would find differences where there are none."""
    assert tenancy.key(allowed_ips=given)["allowed_ips"] == kept


def test_the_refusal_says_what_and_not_which(tenancy: Tenancy) -> None:
    """A thief would learn from where the key can be used."""
    key = tenancy.key(allowed_ips=["192.0.2.0/24"])["key"]
    answer = tenancy.verify(key, "198.51.100.1")
    assert refusal(answer) == (403, "ip_not_allowed")
    assert "192.0.2" not in answer.text + str(answer.headers)
    assert 'error="ip_not_allowed"' in answer.headers["WWW-Authenticate"]
    assert 'resource_metadata="' in answer.headers["WWW-Authenticate"]


def test_management_is_bound_too(tenancy: Tenancy) -> None:
    """A stolen key could take its own restriction off."""
    key = tenancy.key(allowed_ips=["192.0.2.0/24"])
    client, away = tenancy.client(key["key"]), {"X-Forwarded-For": "198.51.100.1"}
    answers = [
        client.patch(f"/v1/api-keys/{key['id']}", json={"allowed_ips": []}, headers=away),
        client.post(f"/v1/api-keys/{key['id']}/rotate", headers=away),
        client.post("/v1/api-keys", json={"name": "x"}, headers=away),
        client.get("/v1/api-keys", headers=away),
    ]
    assert {refusal(answer) for answer in answers} == {(403, "ip_not_allowed")}
    assert client.get("/v1/api-keys", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 200


@pytest.mark.parametrize(
    ("forwarded_for", "allowed"),
    [
        ("192.0.2.1", True),
        ("198.51.100.1", False),
        ("198.51.100.1, 192.0.2.1", True),
        ("192.0.2.1, 198.51.100.1", False),
        ("198.51.100.1, 192.0.2.1, 127.0.0.1", True),
        ("192.0.2.1, nonsense", False),
        ("192.0.2.1,", False),
        ("nonsense, 192.0.2.1", True),
        ('"192.0.2.1"', True),
        ("", False),
    ],
)
def test_the_last_hop_that_is_no_proxy_of_ours_is_the_client(
    tenancy: Tenancy, forwarded_for: str, *, allowed: bool
) -> None:
    """Anybody could write an allowed address into the header."""
    key = tenancy.key(allowed_ips=["192.0.2.0/24"])["key"]
    answer = tenancy.client(key).get("/v1/auth/verify", headers={"X-Forwarded-For": forwarded_for})
    assert answer.status_code == (200 if allowed else 403)


def test_several_headers_are_one_list(tenancy: Tenancy) -> None:
    """A proxy that adds a line of its own would be overruled by the client's."""
    key = tenancy.key(allowed_ips=["192.0.2.0/24"])["key"]

    def status(*hops: str) -> int:
        headers = [("X-Forwarded-For", hop) for hop in hops]
        return tenancy.client(key).get("/v1/auth/verify", headers=headers).status_code

    assert status("198.51.100.1", "192.0.2.1") == 200
    assert status("192.0.2.1", "198.51.100.1") == 403
