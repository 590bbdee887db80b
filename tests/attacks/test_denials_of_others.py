"""Why a request was denied is for whose credential it was: to everybody else it never happened."""

from __future__ import annotations

import secrets

import httpx2
import pytest

from bonafides.secret import ALPHABET
from tests.attacks.cast import Party, Somebody, as_
from tests.serving import RunningServer

ATTACKERS = ("owner", "admin", "member", "service")


def denied(house: RunningServer, victim: Somebody) -> str:
    """The id of a request of somebody's that was refused."""
    answer = as_(house, victim).get("/v1/auth/verify?scope=nobody-has-this")
    assert answer.status_code == 403
    request_id: str = answer.headers["x-request-id"]
    return request_id


def nobody() -> str:
    """The id of a request that never was."""
    return "req_" + "".join(secrets.choice(ALPHABET) for _ in range(22))


def less_its_id(answer: httpx2.Response, asked: str) -> tuple[int, dict[str, str], set[str]]:
    """An answer without what differs in any two."""
    body = answer.json()
    told = {name: str(body[name]).replace(asked, "<id>") for name in body}
    return (
        answer.status_code,
        {name: text for name, text in told.items() if name not in {"request_id", "timestamp"}},
        set(answer.headers),
    )


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_another_tenants_denials_look_like_none(
    house: RunningServer, mine: Party, theirs: Party, attacker: str
) -> None:
    """Attack 47, ASVS 8.2.2, ASVS 8.4.1: request ids are in everybody's logs; one must open nothing across tenants."""
    client = as_(house, getattr(mine, attacker))
    unknown = nobody()
    expected = less_its_id(client.get(f"/v1/denials/{unknown}"), unknown)
    assert expected[0] == 404
    for victim in theirs:
        request_id = denied(house, victim)
        answer = client.get(f"/v1/denials/{request_id}")
        assert less_its_id(answer, request_id) == expected


@pytest.mark.parametrize("attacker", ["member", "service"])
def test_another_users_denials_look_like_none(house: RunningServer, mine: Party, attacker: str) -> None:
    """Attack 47, ASVS 8.2.2: a colleague would read from where one works, and what one may."""
    client = as_(house, getattr(mine, attacker))
    unknown = nobody()
    expected = less_its_id(client.get(f"/v1/denials/{unknown}"), unknown)
    for victim in mine:
        if victim.role == attacker or victim is getattr(mine, attacker):
            continue
        request_id = denied(house, victim)
        assert less_its_id(client.get(f"/v1/denials/{request_id}"), request_id) == expected


def test_ones_own_is_seen_and_that_of_ones_tenant_by_its_admins(house: RunningServer, mine: Party) -> None:
    """A tool that hides a denial from everybody would pass every test above."""
    for victim in mine:
        request_id = denied(house, victim)
        for somebody in (victim, mine.owner, mine.admin):
            assert as_(house, somebody).get(f"/v1/denials/{request_id}").status_code == 200
        assert house.admin.get(f"/v1/denials/{request_id}").json()["user_id"] == victim.id


def test_a_narrow_key_of_an_admin_sees_only_their_own(house: RunningServer, mine: Party) -> None:
    """ASVS 8.2.1: it is the credential's scope that administers, not the name of its user."""
    narrow = house.create_key(user_id=mine.admin.id, tenant_id=mine.id, scopes=["read"])["key"]
    client = house.client(narrow)
    assert client.get(f"/v1/denials/{denied(house, mine.member)}").status_code == 404
    assert client.get(f"/v1/denials/{denied(house, mine.admin)}").status_code == 200
    blind = house.create_key(user_id=mine.admin.id, tenant_id=mine.id, scopes=["write"])["key"]
    assert house.client(blind).get(f"/v1/denials/{denied(house, mine.admin)}").status_code == 403


def test_whoever_asks_about_anothers_credential_learns_nothing_by_the_id(
    house: RunningServer, mine: Party, theirs: Party
) -> None:
    """Attack 47: a question about somebody else's key is unknown, and stays so when one asks why."""
    client = as_(house, mine.owner)
    for credential in (theirs.owner.key, theirs.owner.key[:-1] + "!", nobody()):
        asked = client.post("/v1/credentials/verify", json={"credential": credential})
        assert asked.json()["valid"] is False
        request_id = asked.headers["x-request-id"]
        assert client.get(f"/v1/denials/{request_id}").status_code == 404
        assert as_(house, theirs.owner).get(f"/v1/denials/{request_id}").status_code == 404
        assert house.admin.get(f"/v1/denials/{request_id}").json()["credential"] is None


def test_neighbouring_ids_open_nothing(house: RunningServer, mine: Party, theirs: Party) -> None:
    """Ids of one process count upwards: whoever has one can guess the next, and must get nothing for it."""
    ours = denied(house, mine.member)
    theirs_id = denied(house, theirs.member)
    assert theirs_id[:-2] == ours[:-2], "the attack is worth trying"
    client = as_(house, mine.owner)
    head, last = ours[:-1], ALPHABET.index(ours[-1])
    for step in range(1, 40):
        answer = client.get(f"/v1/denials/{head}{ALPHABET[(last + step) % 62]}")
        assert answer.status_code == 404 or answer.json()["tenant_id"] == mine.id
    assert client.get(f"/v1/denials/{theirs_id}").status_code == 404


@pytest.mark.parametrize(
    "name", ["", "req_", "%2e%2e", "req_'; DROP TABLE denials; --", "\u00e9" * 22, "x" * 4_000]
)
def test_what_is_no_id_is_not_found(house: RunningServer, mine: Party, name: str) -> None:
    """Attack 46: the id is a parameter of a statement, and never a part of one."""
    answer = as_(house, mine.owner).get(f"/v1/denials/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
