"""Webhooks, as an admin meets them without scripts."""

from __future__ import annotations

import pytest

from bonafides.outgoing import Fetched, Missed, Outgoing, Unfetched
from tests.pages.browsing import visitor
from tests.pages.test_pages import HOSTILE, assert_safe
from tests.web.tenancy import Tenancy

HOOKS = "/administration/webhooks"
URL = "https://example.com/hooks?a=b"


def test_a_webhook_is_made_tested_changed_rotated_and_deleted(
    tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An admin would need the API to be told of anything, and could not see why it is not."""
    answer: Fetched | Unfetched = Fetched(204, b"", {})

    async def send(*_: object) -> Fetched | Unfetched:
        return answer

    to_webhooks = Outgoing()
    monkeypatch.setattr(to_webhooks, "send", send)
    monkeypatch.setattr(tenancy.server.rooms.deliveries, "_outgoing", to_webhooks)
    browser = visitor(tenancy, "admin")
    assert "no webhooks" in browser.get(HOOKS).words
    form = browser.get(HOOKS).form(HOOKS)
    bad = browser.submit(form, name=HOSTILE[0], url="http://example.com/", events="api_key.revoked")
    assert bad.status == 400
    assert "plain https URL" in bad.words
    assert_safe(bad)
    assert bad.form(HOOKS).fields["name"] == HOSTILE[0]
    form = bad.form(HOOKS)
    made = browser.submit(form, url=URL)
    assert_safe(made)
    (secret,) = [code for code in made.codes if code.startswith("whsec_")]
    again = browser.submit(form, url=URL)
    assert [code for code in again.codes if code.startswith("whsec_")] == [secret]
    (listed,) = browser.send("GET", "/v1/webhooks").json()["data"]
    path = f"{HOOKS}/{listed['id']}"
    assert (listed["name"], listed["url"]) == (HOSTILE[0], URL)
    shown = browser.get(path)
    assert not any(code.startswith("whsec_") for code in shown.codes)
    tested = browser.submit(shown.form(f"{path}/test"))
    assert "webhook.tested" in tested.words
    assert "delivered" in tested.words
    delivery = browser.send("GET", f"/v1/webhooks/{listed['id']}/deliveries").json()["data"][0]
    answer = Unfetched("refused", Missed.NO_ANSWER)
    assert "no answer" in browser.submit(tested.form(f"{path}/test")).words
    resend = f"{path}/deliveries/{delivery['event_id']}/resend"
    assert_safe(browser.submit(browser.get(path).form(resend)))
    changed = browser.submit(browser.get(path).form(path), name="Other", events="user.deleted plan.put")
    assert "Other" in changed.words
    refused = browser.submit(browser.get(path).form(path), events="user.exploded")
    assert refused.status == 400
    assert_safe(refused)
    turned = browser.submit(browser.get(path).form(f"{path}/rotate"), overlap="3600")
    (other,) = [code for code in turned.codes if code.startswith("whsec_")]
    assert other != secret
    assert browser.submit(turned.form(f"{path}/rotate"), overlap="9").status == 400
    stale = browser.get(path).form(resend)
    assert "disabled" in browser.submit(browser.get(path).form(f"{path}/disable")).words
    assert browser.submit(stale).status == 409
    browser.submit(browser.get(path).form(f"{path}/enable"))
    gone = browser.submit(browser.get(path).form(f"{path}/delete"))
    assert "no webhooks" in gone.words
    assert browser.get(path).status == 404


def test_members_see_no_webhooks(tenancy: Tenancy) -> None:
    """Attack 47: everybody could send what goes on in the organisation to themselves."""
    browser = visitor(tenancy)
    assert browser.get(HOOKS).status == 403
    assert "Webhooks" not in browser.get("/profile").words
