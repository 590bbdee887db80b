"""The security checklist finds what should be mended, of whom the reader may see, and each button mends it."""

from __future__ import annotations

from typing import Any

from tests.pages.browsing import Browser
from tests.pages.test_pages import HOSTILE, assert_safe
from tests.web.people import person
from tests.web.tenancy import Tenancy, eventually, tenancy_on

PATH = "/settings/checklist"
DAY = 86_400


def checks(client: Any, **query: str) -> dict[str, Any]:
    """What the API finds, by check."""
    answer = client.get("/v1/security-checks", params=query)
    assert answer.status_code == 200, answer.text
    return {each["check"]: each for each in answer.json()["data"]}


def names(found: dict[str, Any], check: str) -> set[str]:
    """Of the keys that a check holds against."""
    return {key["name"] for key in found[check]["api_keys"]}


def test_what_is_found_grows_with_time_and_goes_when_it_is_mended(tenancy: Tenancy) -> None:
    """A key that everybody has forgotten would work for years."""
    house = tenancy_on(tenancy.server)
    clock = house.server.clock
    ending = house.key(name="ending", expires_in=1_000 * DAY)
    house.key(name=HOSTILE[0])
    used = house.key(name="used", expires_in=1_000 * DAY)
    now = checks(house.api)
    assert names(now, "endless_key") == {HOSTILE[0], "owner's key"}
    assert not any(names(now, check) for check in ("old_key", "never_used_key", "unused_key"))
    assert house.verify(used["key"]).status_code == 200
    eventually(lambda: house.api.get(f"/v1/api-keys/{used['id']}").json()["last_used_at"] is not None)
    clock.advance(2 * DAY)
    assert names(checks(house.api), "never_used_key") == {"ending", HOSTILE[0]}
    clock.advance(89 * DAY)
    found = checks(house.api)
    assert names(found, "old_key") == {"ending", HOSTILE[0], "used", "owner's key"}
    assert "used" in names(found, "unused_key")
    assert house.api.delete(f"/v1/api-keys/{ending['id']}").status_code == 200
    assert "ending" not in str(checks(house.api))


def test_the_page_mends_with_one_button(tenancy: Tenancy) -> None:
    """Whoever is told what is wrong, and not how to mend it, leaves it."""
    house = tenancy_on(tenancy.server)
    who = person(house, "owner")
    key = house.key(user_id=who.id, name=HOSTILE[1])
    browser = Browser(house.server)
    browser.sign_in(who)
    read = browser.get(PATH)
    assert_safe(read)
    assert HOSTILE[1] in read.words
    assert "/settings/security" in read.links
    path = f"{PATH}/api-keys/{key['id']}/expire"
    browser.submit(read.form(path))
    assert house.api.get(f"/v1/api-keys/{key['id']}").json()["expires_at"] is not None
    assert path not in [form.action for form in browser.get(PATH).forms]
    house.server.clock.advance(2 * DAY)
    browser.sign_in(who)
    assert f"/settings/api-keys/{key['id']}/revoke" in browser.get(PATH).links


def test_scopes_that_nothing_needs_are_found_and_taken_away(tenancy: Tenancy) -> None:
    """A key that may write, and only ever read, would let whoever finds it write."""
    house = tenancy_on(tenancy.server)
    who = person(house, "owner")
    key = house.key(user_id=who.id, name="reader", scopes=["read", "write"])
    silent = house.key(user_id=who.id, name="silent", scopes=["read", "write"])
    token = house.exchange(key["key"])
    for credential in (token["token"], silent["key"]):
        path = "/v1/auth/verify" + ("?scope=read" if credential == token["token"] else "")
        assert house.client(credential).get(path).status_code == 200
    eventually(lambda: house.api.get(f"/v1/api-keys/{silent['id']}").json()["last_used_at"] is not None)
    assert names(checks(house.api), "spare_scopes") == set()
    house.server.clock.advance(31 * DAY)
    found = checks(house.api)["spare_scopes"]
    assert names(checks(house.api), "spare_scopes") == {"reader", "owner's key"}
    assert found["unused_scopes"][key["id"]] == ["write"]
    browser = Browser(house.server)
    browser.sign_in(who)
    read = browser.get(PATH)
    assert_safe(read)
    for _ in range(2):
        browser.submit(read.form(f"{PATH}/api-keys/{key['id']}/narrow"))
    assert house.api.get(f"/v1/api-keys/{key['id']}").json()["scopes"] == ["read"]
    assert "reader" not in names(checks(house.api), "spare_scopes")
    # Nothing is known of what this one needs: it is left as it is.
    browser.send(
        "POST",
        f"{PATH}/api-keys/{silent['id']}/narrow",
        {"csrf": read.form(f"{PATH}/api-keys/{key['id']}/narrow").fields["csrf"]},
    )
    assert house.api.get(f"/v1/api-keys/{silent['id']}").json()["scopes"] == ["read", "write"]


def test_people_see_their_own_and_admins_their_tenants(tenancy: Tenancy) -> None:
    """Attack 47: a member would learn whose account is easy to take."""
    house = tenancy_on(tenancy.server)
    member = house.user()
    key = house.key(user_id=member["id"], name="theirs")
    found = checks(house.client(key["key"]))
    assert names(found, "endless_key") == {"theirs"}
    assert [user["id"] for user in found["no_second_factor"]["users"]] == [member["id"]]
    all_found = checks(house.api)
    assert names(all_found, "endless_key") == {"theirs", "owner's key"}
    assert {user["id"] for user in all_found["no_second_factor"]["users"]} == {
        member["id"],
        house.owner["id"],
    }
    elsewhere = tenancy_on(tenancy.server)
    assert elsewhere.api.get(f"/v1/security-checks?tenant_id={house.id}").status_code == 404
    assert names(checks(house.operator, tenant_id=house.id), "endless_key") == {"theirs", "owner's key"}


def test_a_long_list_says_that_there_is_more(tenancy: Tenancy) -> None:
    """Who has a thousand of them would think that twenty-five are all."""
    house = tenancy_on(tenancy.server)
    for _ in range(26):
        house.key()
    endless = checks(house.api)["endless_key"]
    assert (len(endless["api_keys"]), endless["more"]) == (25, True)
    assert not checks(house.api)["old_key"]["more"]
