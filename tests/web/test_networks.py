"""Where keys are used from: what is kept of it, behind proxies too, and who sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.pages.browsing import Browser
from tests.pages.test_pages import assert_safe
from tests.serving import RunningServer, running, settings_for
from tests.web.people import person
from tests.web.tenancy import Tenancy, eventually, tenancy_on

HOME, AWAY, SITE = "203.0.113.0/24", "198.51.100.0/24", "2001:db8:7::/48"
HERE = "127.0.0.0/24"
SCOPES = ["invoices:read", "invoices:write"]
DAY = 86_400


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server behind a proxy on this machine."""
    folder = tmp_path_factory.mktemp("networks")
    settings = settings_for(
        f"sqlite:///{folder / 'bonafides.db'}", folder, trusted_proxies=["127.0.0.1"], scopes=SCOPES
    )
    with running(settings) as server:
        server.create_plan("unmetered")
        yield server


@pytest.fixture
def house(proxied: RunningServer) -> Tenancy:
    """A tenant of that server."""
    return tenancy_on(proxied)


def networks(client: httpx2.Client, credential_id: str) -> dict[str | None, int]:
    """How often a credential was used from each network, the latest first."""
    answer = client.get(f"/v1/credentials/{credential_id}/networks")
    assert answer.status_code == 200, answer.text
    return {use["network"]: use["requests"] for use in answer.json()["data"]}


def test_requests_are_counted_by_the_network_behind_the_proxy(house: Tenancy) -> None:
    """All keys would seem to be used from the proxy, or a key from whatever its holder writes into a header."""
    key = house.key()
    for address in ("203.0.113.7", "203.0.113.9", "203.0.113.7", "2001:db8:7:1::1", "198.51.100.1"):
        assert house.verify(key["key"], address).status_code == 200
    assert house.verify(key["key"], "192.0.2.5, 198.51.100.200").status_code == 200
    assert house.verify(key["key"]).status_code == 200
    assert house.ask(key["key"], ip="203.0.113.200")["valid"]
    assert house.ask(key["key"])["valid"]
    found = {HOME: 4, SITE: 1, AWAY: 2, HERE: 1}
    eventually(lambda: networks(house.api, key["id"]) == found)
    answer = house.api.get("/v1/users", headers={"X-Forwarded-For": "203.0.113.7"})
    assert answer.status_code == 200
    eventually(lambda: networks(house.api, house.owner_key["id"]).get(HOME) == 1)


def test_they_are_seen_by_whose_the_key_is_and_their_admins(house: Tenancy) -> None:
    """Where somebody works is nobody else's business."""
    member, other = house.user(), house.user()
    key = house.key(user_id=member["id"])
    others = house.client(house.key(user_id=other["id"])["key"])
    path = f"/v1/credentials/{key['id']}/networks"
    assert house.verify(key["key"], "203.0.113.7").status_code == 200
    eventually(lambda: networks(house.client(key["key"]), key["id"]).get(HOME) == 1)
    assert networks(house.api, key["id"])[HOME] == 1
    assert others.get(path).status_code == 404
    assert tenancy_on(house.server).api.get(path).status_code == 404
    assert house.client().get(path).status_code == 401


def test_a_rotated_keys_page_says_where_it_is_still_used(house: Tenancy) -> None:
    """Who ends an overlap would not know which machine they cut off."""
    who = person(house, "owner")
    key = house.key(user_id=who.id)
    assert (
        house.api.post(f"/v1/api-keys/{key['id']}/rotate", json={"overlap_seconds": DAY}).status_code == 201
    )
    browser = Browser(house.server)
    browser.sign_in(who)
    page = f"/settings/api-keys/{key['id']}"
    assert "Used from no known network." in browser.get(page).words
    assert house.verify(key["key"], "198.51.100.1").status_code == 200
    house.server.clock.advance(120)
    assert house.verify(key["key"], "203.0.113.7").status_code == 200
    told = f"Used from {HOME} (just now), {AWAY} (2 minutes ago)."
    eventually(lambda: told in browser.get(page).words)
    assert_safe(browser.get(page))


def checks(client: httpx2.Client, check: str) -> dict[str, Any]:
    """What one check has found."""
    found = {each["check"]: each for each in client.get("/v1/security-checks").json()["data"]}
    return dict(found[check])


def test_a_new_network_is_found_and_left_with_one_button(house: Tenancy) -> None:
    """A stolen key that is used elsewhere would look like any other."""
    who = person(house, "owner")
    key = house.key(user_id=who.id, name="steady", expires_in=1_000 * DAY)
    clock = house.server.clock
    assert house.verify(key["key"], "203.0.113.7").status_code == 200
    eventually(lambda: HOME in networks(house.api, key["id"]))
    clock.advance(31 * DAY)
    assert checks(house.api, "new_network")["api_keys"] == []
    assert house.verify(key["key"], "198.51.100.1").status_code == 200
    eventually(lambda: AWAY in networks(house.api, key["id"]))
    found = checks(house.api, "new_network")
    assert [each["id"] for each in found["api_keys"]] == [key["id"]]
    assert (found["networks"], found["known_networks"]) == ({key["id"]: [AWAY]}, {key["id"]: [HOME]})
    browser = Browser(house.server)
    browser.sign_in(who)
    read = browser.get("/settings/checklist")
    assert_safe(read)
    assert f"{AWAY}\n\njust now" in read.words
    assert f"Bind to {HOME}" in read.words
    browser.submit(read.form(f"/settings/checklist/api-keys/{key['id']}/bind"))
    assert house.verify(key["key"], "198.51.100.1").status_code == 403
    assert house.verify(key["key"], "203.0.113.200").status_code == 200
    assert checks(house.api, "new_network")["api_keys"] == []
    clock.advance(8 * DAY)


def test_a_network_that_people_share_is_found(house: Tenancy) -> None:
    """Keys of three people on one machine go together when it is lost."""
    members = [house.user() for _ in range(2)]
    keys = [house.key(user_id=member["id"]) for member in members]
    for key in keys:
        assert house.verify(key["key"], "203.0.113.7").status_code == 200
    alone = house.key(user_id=members[0]["id"])
    assert house.verify(alone["key"], "198.51.100.1").status_code == 200
    assert house.verify(house.key()["key"]).status_code == 200
    eventually(lambda: all(HOME in networks(house.api, key["id"]) for key in keys))
    eventually(lambda: networks(house.api, alone["id"]) == {AWAY: 1})
    found = checks(house.api, "shared_network")
    assert {each["id"] for each in found["api_keys"]} == {key["id"] for key in keys}
    assert found["known_networks"] == found["networks"] == {key["id"]: [HOME] for key in keys}
    own = checks(house.client(keys[0]["key"]), "shared_network")
    assert [each["id"] for each in own["api_keys"]] == [keys[0]["id"]]
    bound = house.api.patch(f"/v1/api-keys/{keys[0]['id']}", json={"allowed_ips": [HOME]})
    assert bound.status_code == 200
    assert [each["id"] for each in checks(house.api, "shared_network")["api_keys"]] == [keys[1]["id"]]


def test_an_operator_can_have_it_not_kept(tmp_path: Path) -> None:
    """Where the law forbids it, nobody could run this server."""
    settings = settings_for(
        f"sqlite:///{tmp_path / 'bonafides.db'}", tmp_path, networks_kept_days=0, scopes=SCOPES
    )
    with running(settings) as server:
        server.create_plan("unmetered")
        house = tenancy_on(server)
        who = person(house, "owner")
        key = house.key(user_id=who.id)
        assert house.verify(key["key"]).status_code == 200
        eventually(lambda: house.api.get(f"/v1/api-keys/{key['id']}").json()["last_used_at"] is not None)
        assert networks(house.api, key["id"]) == {}
        browser = Browser(server)
        browser.sign_in(who)
        assert "It is not kept" in browser.get(f"/settings/api-keys/{key['id']}").words
