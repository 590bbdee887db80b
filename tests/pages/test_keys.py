"""Settings > API Keys, as a person without scripts uses it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.pages.browsing import Browser, Form, Read, visitor
from tests.pages.test_pages import HOSTILE, assert_safe
from tests.web.people import person
from tests.web.tenancy import Tenancy, tenancy_on

PATH = "/settings/api-keys"


def generate(browser: Browser, **fields: str) -> Read:
    """Fill in the form for a new key, and send it."""
    return browser.submit(browser.get(f"{PATH}/new").form(f"{PATH}/new"), **{"name": "export", **fields})


def secret_of(read: Read) -> str:
    """The key that is shown."""
    assert read.status == 200, read.words
    found = [code for code in read.codes if code.startswith("bf_key_")]
    assert len(found) == 1
    return found[0]


def id_of(read: Read) -> str:
    """Of the key that the page leads to."""
    found = {link.rpartition("/")[2] for link in read.links if re.fullmatch(PATH + r"/key_\w+", link)}
    assert len(found) == 1, found
    return found.pop()


def shown(tenancy: Tenancy, key: str) -> dict[str, Any]:
    """What a key says of itself."""
    answer = tenancy.verify(key).json()
    assert isinstance(answer, dict)
    return answer


def test_a_key_is_generated_and_verifies(tenancy: Tenancy) -> None:
    """The one thing that people come for would not work."""
    browser = visitor(tenancy)
    read = generate(browser)
    key = secret_of(read)
    answer = shown(tenancy, key)
    assert answer["authenticated"] is True
    assert answer["scopes"] == ["read", "write"]
    assert answer["credential"]["name"] == "export"
    assert f'Authorization: Bearer {key}"' in read.words
    listed = browser.get(PATH)
    assert "export" in listed.words
    assert key[:4] in listed.words
    assert key not in listed.answer.text, "shown once, and never again"
    assert key not in browser.get(f"{PATH}/{id_of(read)}").answer.text


def test_a_key_is_as_the_form_says(tenancy: Tenancy) -> None:
    """Somebody ticks a box and gets a key that may do more, or from elsewhere."""
    browser = visitor(tenancy)
    form = browser.get(f"{PATH}/new").form(f"{PATH}/new")
    del form.fields["scope:write"]
    assert {"scope:invoices:read", "scope:invoices:write"} <= set(form.boxes)
    assert "scope:admin" not in form.fields | form.boxes
    read = browser.submit(form, name="a", expires="7", allowed_ips="192.0.2.0/24\n2001:db8::7, 198.51.100.1")
    key = tenancy.api.get(f"/v1/api-keys/{id_of(read)}").json()
    assert key["scopes"] == ["read"]
    assert key["allowed_ips"] == ["192.0.2.0/24", "2001:db8::7/128", "198.51.100.1/32"]
    assert key["expires_at"] is not None
    assert generate(browser, expires="never").status == 200
    read = generate(browser, expires="day", expires_on="2035-02-28")
    assert tenancy.api.get(f"/v1/api-keys/{id_of(read)}").json()["expires_at"] == "2035-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": ""}, "name", "must not be empty"),
        ({"name": "x" * 201}, "name", "at most 200"),
        ({"allowed_ips": "here"}, "allowed_ips", "must be an address or a network"),
        ({"expires": "day"}, "expires_on", "Choose the last day"),
        ({"expires": "day", "expires_on": "9998-12-31"}, "expires_on", "at most 100 years"),
        ({"expires": "day", "expires_on": "2001-01-01"}, "expires_on", "in the future"),
        ({"expires": "tomorrow"}, "", "Choose when it shall expire"),
        ({"scope:nothing": "on"}, "", "is not a scope here"),
        ({"scope:admin": "on"}, "", "does not have the scope admin"),
    ],
)
def test_what_cannot_be_is_told_in_the_form(
    tenancy: Tenancy, fields: dict[str, str], field: str, words: str
) -> None:
    """Whoever mistypes an address would have to fill in everything again, and not know why."""
    browser = visitor(tenancy)
    read = generate(browser, **{"name": "kept", **fields})
    assert read.status in {400, 403}
    assert words in read.words
    form = read.form(f"{PATH}/new")
    assert form.fields["name"] == fields.get("name", "kept")
    if field:
        marked = [given.get("name") for tag, given in read.tags if given.get("aria-invalid")]
        assert marked == [field]
    assert_safe(read)
    assert "no keys yet" in browser.get(PATH).words


def test_a_form_that_is_sent_twice_makes_one_key(tenancy: Tenancy) -> None:
    """A double click, or a reload of the page with the key, would leave keys that nobody knows."""
    browser = visitor(tenancy)
    form = browser.get(f"{PATH}/new").form(f"{PATH}/new")
    first, second = (browser.submit(form, name="twice") for _ in range(2))
    assert secret_of(first) == secret_of(second)
    assert browser.get(PATH).words.count("twice") == 1


def test_a_key_is_changed(tenancy: Tenancy) -> None:
    """What a form shows and what it saves would differ."""
    browser = visitor(tenancy)
    made = generate(browser)
    path = f"{PATH}/{id_of(made)}"
    form = browser.get(path).form(path)
    before = tenancy.api.get(f"/v1/api-keys/{id_of(made)}").json()
    assert browser.submit(form).status == 200
    kept = {name: value for name, value in before.items() if name != "updated_at"}
    assert tenancy.api.get(f"/v1/api-keys/{id_of(made)}").json() | {"updated_at": 0} == kept | {
        "updated_at": 0
    }
    del form.fields["scope:write"]
    read = browser.submit(form, name="import", expires="never", allowed_ips="192.0.2.9")
    assert "import" in read.words
    after = tenancy.api.get(f"/v1/api-keys/{id_of(made)}").json()
    assert (after["name"], after["scopes"], after["expires_at"]) == ("import", ["read"], None)
    assert after["allowed_ips"] == ["192.0.2.9/32"]
    wrong = browser.submit(form, name="again", allowed_ips="nowhere")
    assert wrong.status == 400
    assert wrong.form(path).fields["allowed_ips"] == "nowhere"


def test_a_key_is_rotated_with_an_overlap_that_can_be_ended(tenancy: Tenancy) -> None:
    """Nobody could change a key without an outage, or see whether the old one is still used."""
    browser = visitor(tenancy)
    made = generate(browser)
    old = secret_of(made)
    path = f"{PATH}/{id_of(made)}"
    rotated = browser.submit(browser.get(f"{path}/rotate").form(f"{path}/rotate"), overlap="86400")
    new = next(code for code in rotated.codes if code.startswith("bf_key_") and len(code) > 40)
    assert new != old
    assert tenancy.verify(old).status_code == tenancy.verify(new).status_code == 200
    read = browser.get(path)
    assert "It works until" in read.words
    assert "Succeeded by" in read.words
    browser.submit(read.form(f"{path}/end-overlap"))
    assert tenancy.verify(old).status_code == 401
    assert tenancy.verify(new).status_code == 200
    again = browser.submit(browser.get(f"{path}/rotate").form(f"{path}/rotate"), overlap="0")
    assert again.status == 409
    assert "was rotated before" in again.words
    assert browser.submit(browser.get(f"{path}/rotate").form(f"{path}/rotate"), overlap="1").status == 400


def test_a_key_is_disabled_and_enabled(tenancy: Tenancy) -> None:
    """Whoever fears a leak could only revoke."""
    browser = visitor(tenancy)
    made = generate(browser)
    path = f"{PATH}/{id_of(made)}"
    disabled = browser.submit(browser.get(path).form(f"{path}/disable"))
    assert tenancy.verify(secret_of(made)).status_code == 401
    browser.submit(disabled.form(f"{path}/enable"))
    assert tenancy.verify(secret_of(made)).status_code == 200


def test_a_key_is_revoked_with_all_that_ends_with_it_in_sight(tenancy: Tenancy) -> None:
    """Somebody would end a production token without having known that it was made from that key."""
    browser = visitor(tenancy)
    made = generate(browser, name="root key")
    tenancy.exchange(secret_of(made))
    path = f"{PATH}/{id_of(made)}"
    rotated = browser.submit(browser.get(f"{path}/rotate").form(f"{path}/rotate"))
    successor = next(code for code in rotated.codes if code.startswith("bf_key_") and len(code) > 40)
    tenancy.exchange(successor)
    asked = browser.get(f"{path}/revoke")
    assert "4 credentials in all" in asked.words
    assert asked.words.count("bearer token") == 2
    read = browser.submit(asked.form(f"{path}/revoke"), reason="leaked in a chat")
    assert "Revoked: leaked in a chat" in read.words
    assert [form for form in read.forms if form.action.startswith(path)] == []
    assert {tenancy.verify(key).status_code for key in (secret_of(made), successor)} == {401}


def test_lists_are_filtered_and_go_on(tenancy: Tenancy) -> None:
    """With a hundred keys nobody finds the one that they look for."""
    browser, who = Browser(tenancy.server), person(tenancy, "admin")
    browser.sign_in(who)
    keys = [tenancy.key(user_id=who.id, name=f"number {number}") for number in range(27)]
    tenancy.api.post(f"/v1/api-keys/{keys[3]['id']}/disable")
    first = browser.get(PATH)
    names = set(re.findall(r"number \d+", first.words))
    older = browser.get(next(link for link in first.links if "cursor=" in link))
    assert names | set(re.findall(r"number \d+", older.words)) == {key["name"] for key in keys}
    assert len(names) == 25
    assert PATH in older.links
    disabled = browser.get(f"{PATH}?status=disabled")
    assert re.findall(r"number \d+", disabled.words) == ["number 3"]
    assert "owner's key" not in first.words
    assert "owner's key" in browser.submit(first.form(PATH), whose="all").words + older.words + "".join(
        browser.get(link).words for link in browser.get(f"{PATH}?whose=all").links if "cursor=" in link
    )
    for wrong in ("?status=lost", "?cursor=00", "?whose=" + "x" * 11):
        assert browser.get(PATH + wrong).status == 400


def test_members_see_their_own_keys_alone(tenancy: Tenancy) -> None:
    """Attack 47, ASVS 8.2.2: ids of others would open their pages."""
    browser = visitor(tenancy)
    theirs = tenancy.owner_key["id"]
    assert "owner's key" not in browser.get(f"{PATH}?whose=all").words
    form = Form("post", "", {"csrf": browser.get(PATH).form("/logout").fields["csrf"], "name": "x"})
    for path in (theirs, f"{theirs}/rotate", f"{theirs}/revoke", "key_nothing"):
        assert browser.get(f"{PATH}/{path}").status == 404
    for act in ("", "/rotate", "/revoke", "/disable", "/enable", "/end-overlap"):
        form.action = f"{PATH}/{theirs}{act}"
        assert browser.submit(form, overlap="0").status == 404
    assert tenancy.verify(tenancy.owner_key["key"]).status_code == 200


def test_owners_see_no_keys_of_other_tenants(tenancy: Tenancy) -> None:
    """Attack 47, ASVS 8.4.1: an owner elsewhere is nobody here."""
    key = tenancy.server.create_tenant_user_key()["key"]
    browser = visitor(tenancy, "owner")
    assert key["id"] not in browser.get(f"{PATH}?whose=all").answer.text
    csrf = browser.get(PATH).form("/logout").fields["csrf"]
    for act in ("", "/rotate", "/revoke", "/disable"):
        form = Form("post", f"{PATH}/{key['id']}{act}", {"csrf": csrf, "name": "x", "overlap": "0"})
        assert browser.submit(form).status == 404
    assert tenancy.verify(key["key"]).status_code == 200


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_of_a_key_is_text_everywhere(tenancy: Tenancy, name: str) -> None:
    """Attack 50: an admin who looks at a member's keys would run the member's script."""
    browser = visitor(tenancy)
    read = generate(browser, name=name)
    path = f"{PATH}/{id_of(read)}"
    pages = [read, *(browser.get(each) for each in (PATH, path, f"{path}/rotate", f"{path}/revoke"))]
    for page in pages:
        assert_safe(page)
        assert name in page.words
        assert sum(tag == "script" for tag, _ in page.tags) == 1
        assert not [tag for tag, _ in page.tags if tag in {"svg", "b"}]
    revoked = browser.submit(pages[-1].form(f"{path}/revoke"), reason=name)
    assert f"Revoked: {name}" in revoked.words
    assert_safe(revoked)


def test_a_key_without_write_makes_none(tenancy: Tenancy) -> None:
    """§4: a page would give what the API refuses."""
    reading = tenancy.client(tenancy.key(scopes=["read"])["key"])
    assert reading.get(PATH, headers={"Accept": "text/html"}).status_code == 200
    assert reading.get(f"{PATH}/new", headers={"Accept": "text/html"}).status_code == 403


def test_a_key_to_try_the_samples_with_reads_and_ends_soon(tenancy: Tenancy) -> None:
    """What is copied into a first program stays there; it would open everything, for ever."""
    browser = visitor(tenancy)
    form = browser.get(f"{PATH}/try-it").form(f"{PATH}/try-it")
    read = browser.submit(form)
    assert_safe(read)
    key = secret_of(read)
    told = shown(tenancy, key)
    assert told["scopes"] == ["read"]
    assert any(key in code and "curl" in code for code in read.codes)
    assert secret_of(browser.submit(form)) == key, "a form that is sent twice makes one key"
    tenancy.server.clock.advance(901)
    assert tenancy.verify(key).status_code == 401
    assert Browser(tenancy.server).get("/docs").links.count(f"{PATH}/try-it") == 1


def test_a_key_is_checked_where_it_is_kept(tenancy: Tenancy) -> None:
    """Who has only a browser could not tell whether a key that they found still opens anything."""
    browser, path = visitor(tenancy), f"{PATH}/check"
    key = tenancy.key(name="found in a drawer", expires_in=86_400)
    form = browser.get(path).form(path)
    good = browser.submit(form, credential=f" {key['key']} ")
    assert_safe(good)
    assert "this credential is good" in good.words
    assert re.search(r"Ends\s*\d+ \w+ 2030, \d\d:\d\d UTC", good.words), "told for people"
    assert "found in a drawer" in good.words
    assert key["key"] not in good.answer.text
    tenancy.api.delete(f"/v1/api-keys/{key['id']}")
    bad = browser.submit(form, credential=key["key"])
    assert bad.status == 200
    assert "Refused: " in bad.words
    for nothing in ("", "x" * 9_000):
        assert browser.submit(form, credential=nothing).status == 400
    foreign = tenancy_on(tenancy.server).key()["key"]
    assert "Refused: " in browser.submit(form, credential=foreign).words
