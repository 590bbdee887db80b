"""The operator's pages: tenants, plans and signing keys, which are nobody else's."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bonafides.dry_runs import refused
from bonafides.model import ACCEPTED, CredentialKind, UsageKey, to_datetime
from tests.pages.browsing import Browser, visitor
from tests.pages.test_pages import HOSTILE, assert_safe
from tests.serving import RunningServer, running, settings_for
from tests.web.tenancy import Tenancy, every

TENANTS = "/administration/tenants"
PLANS = "/administration/plans"
KEYS = "/administration/signing-keys"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of the file's own."""
    folder = tmp_path_factory.mktemp("operator")
    with running(settings_for(f"sqlite:///{folder / 'bonafides.db'}", Path(folder))) as server:
        server.create_plan("free")
        yield server


@pytest.fixture(scope="module")
def operator(own_server: RunningServer) -> Browser:
    """A browser in which the installation's first user is signed in."""
    browser = Browser(own_server)
    fields = {"username": "admin@example.com", "password": own_server.founded.password or ""}
    assert browser.submit(browser.get("/login").form("/login"), **fields).status == 200
    return browser


def test_a_tenant_is_made_moved_and_disabled(own_server: RunningServer, operator: Browser) -> None:
    """An operator would need the API to take in a customer."""
    name = f"{HOSTILE[0]} {secrets.token_hex(4)}"
    read = operator.submit(operator.get(TENANTS).form(TENANTS), name=name, plan="pro")
    assert_safe(read)
    assert name in read.words
    (tenant,) = [each for each in every(own_server.admin, "/v1/tenants") if each["name"] == name]
    assert tenant["plan"] == "pro"
    path = f"{TENANTS}/{tenant['id']}"
    operator.submit(operator.get(TENANTS).form(f"{path}/plan"), plan="enterprise")
    operator.submit(operator.get(TENANTS).form(f"{path}/disable"))
    now = own_server.admin.get(f"/v1/tenants/{tenant['id']}").json()
    assert (now["plan"], now["status"]) == ("enterprise", "disabled")
    operator.submit(operator.get(TENANTS).form(f"{path}/enable"))
    assert own_server.admin.get(f"/v1/tenants/{tenant['id']}").json()["status"] == "active"
    again = operator.submit(operator.get(TENANTS).form(TENANTS), name=name)
    assert again.status == 409
    assert_safe(again)


def test_a_plan_is_made_replaced_and_deleted(own_server: RunningServer, operator: Browser) -> None:
    """A limit that is too low at night would stay until somebody finds the command."""
    form = operator.get(PLANS).form(PLANS)
    read = operator.submit(form, name="team", requests_per_hour="1234", per_method__api_key="99")
    assert_safe(read)
    assert "1,234" in read.words
    plan = own_server.admin.get("/v1/plans/team").json()
    assert (plan["requests_per_hour"], plan["burst"], plan["per_method"]) == (1_234, None, {"api_key": 99})
    for fields in ({"requests_per_hour": "many"}, {"burst": "-1"}, {"count_by": "moon"}, {"name": "A b"}):
        wrong = operator.submit(operator.get(PLANS).form(PLANS), **{"name": "team", **fields})
        assert wrong.status == 400, fields
        assert 'role="alert"' in wrong.answer.text
    operator.submit(operator.get(PLANS).form(f"{PLANS}/team/delete"))
    assert own_server.admin.get("/v1/plans/team").status_code == 404


def test_signing_keys_are_seen_and_rotated(own_server: RunningServer, operator: Browser) -> None:
    """Whoever suspects a leak could not let the next key sign."""
    read = operator.get(KEYS)
    assert_safe(read)
    for key in own_server.admin.get("/v1/signing-keys").json()["data"]:
        assert key["id"] in read.codes
    early = operator.submit(read.form(f"{KEYS}/rotate"))
    assert early.status in {200, 409}
    assert_safe(early)


def test_they_are_the_operators_alone(tenancy: Tenancy) -> None:
    """Attack 47: the owner of one tenant would see the names of all others, or raise their own limits."""
    browser = visitor(tenancy, "owner")
    assert TENANTS not in browser.get("/profile").links
    for path in (TENANTS, PLANS, KEYS):
        assert browser.get(path).status == 403
    csrf = browser.get("/profile").form("/logout").fields["csrf"]
    for path in (PLANS, TENANTS):
        assert browser.send("POST", path, {"csrf": csrf, "name": "mine"}).status_code == 403
    assert (
        browser.send("POST", f"{TENANTS}/{tenancy.id}/plan", {"csrf": csrf, "plan": "pro"}).status_code == 403
    )
    assert tenancy.operator.get("/v1/plans/mine").status_code == 404


def test_a_plan_is_tried_on_last_weeks_requests(own_server: RunningServer, operator: Browser) -> None:
    """A figure that is too small would be found by customers, an hour after it was saved."""
    own_server.create_plan("tried", requests_per_hour=100)
    keys = [
        own_server.create_key(name=f"busy {number}", plan="tried", scopes=["read"]) for number in range(3)
    ]
    hours = [
        own_server.clock.micros() // 3_600_000_000 * 3_600_000_000 - back * 3_600_000_000 for back in (1, 30)
    ]
    whose = (own_server.founded.tenant_id, own_server.founded.user_id)
    counts = {UsageKey(hour, *whose, key["id"], ACCEPTED): 10 for hour in hours for key in keys[:2]}
    counts[UsageKey(hours[0], *whose, keys[0]["id"], "rate_limit_exceeded")] = 5
    counts[UsageKey(hours[0], *whose, keys[2]["id"], ACCEPTED)] = 3
    counts[UsageKey(hours[0] - 8 * 86_400_000_000, *whose, keys[2]["id"], ACCEPTED)] = 500
    at = to_datetime(own_server.clock.micros())
    store = own_server.rooms.store
    asyncio.run_coroutine_threadsafe(store.record_usage("w", 1, counts, at), own_server.loop).result(20)

    def judged(**figures: Any) -> tuple[int, int, int]:
        body = {"name": "tried", "requests_per_hour": None, "burst": None, **figures}
        answer = own_server.admin.post("/v1/plan-dry-runs", json=body)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        return told["requests"], told["would_refuse"], told["subjects"]

    assert judged() == judged(requests_per_hour=100) == (48, 0, 0)
    assert judged(requests_per_hour=8) == (48, 13, 2)
    assert judged(requests_per_hour=1, per_method={"api_key": 14}) == (48, 1, 1)
    assert judged(requests_per_hour=8, count_by="user") == (48, 32, 1)
    read = operator.submit(
        operator.get(PLANS).form(PLANS), name="tried", requests_per_hour="8", **{"try": "yes"}
    )
    assert_safe(read)
    assert "Would have refused 13 of 48 requests, of 2 keys" in read.words
    assert "by whole hours of the clock" in read.words
    form = read.form(PLANS)
    assert (form.fields["name"], form.fields["requests_per_hour"]) == ("tried", "8")
    assert own_server.admin.get("/v1/plans/tried").json()["requests_per_hour"] == 100, "nothing was changed"
    assert operator.submit(form, name="no such plan name!", **{"try": "yes"}).status == 400


def test_kinds_that_share_a_count_are_judged_each_by_its_figure() -> None:
    """A key with a small figure and its tokens with a large one would be judged as if all had the one."""
    asked = {CredentialKind.API_KEY: 10, CredentialKind.BEARER_TOKEN: 30}
    figures = dict.fromkeys(CredentialKind, 100) | {
        CredentialKind.API_KEY: 4,
        CredentialKind.BEARER_TOKEN: 20,
    }
    assert refused(asked, figures) == 6 + 14
    assert refused(asked, figures | {CredentialKind.BEARER_TOKEN: None}) == 6
    assert refused(asked, figures | {CredentialKind.API_KEY: None}) == 10
    assert refused(asked, dict.fromkeys(CredentialKind)) == 0
