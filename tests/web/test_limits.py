"""§6: how many requests a plan admits, for whom they count, and what the headers say of it."""

from __future__ import annotations

import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import httpx2
import pytest

from tests.web.tenancy import Json, Tenancy, made, refusal

POLICY: Final = re.compile(r'"([a-z]+)";q=(\d+);w=(\d+)')
STATE: Final = re.compile(r'"([a-z]+)";r=(\d+);t=(\d+)')


@dataclass(frozen=True)
class Headers:
    """Both families of rate-limit headers, read as a client reads them."""

    limit: int
    remaining: int
    reset: int
    policies: dict[str, tuple[int, int]]
    states: dict[str, tuple[int, int]]


def headers_of(answer: httpx2.Response) -> Headers:
    """The headers of an answer, which must be whole and agree with each other."""
    policies = [POLICY.fullmatch(part) for part in answer.headers["RateLimit-Policy"].split(", ")]
    states = [STATE.fullmatch(part) for part in answer.headers["RateLimit"].split(", ")]
    assert all(policies), answer.headers["RateLimit-Policy"]
    assert all(states), answer.headers["RateLimit"]
    found = Headers(
        limit=int(answer.headers["X-RateLimit-Limit"]),
        remaining=int(answer.headers["X-RateLimit-Remaining"]),
        reset=int(answer.headers["X-RateLimit-Reset"]),
        policies={part[1]: (int(part[2]), int(part[3])) for part in policies if part},
        states={part[1]: (int(part[2]), int(part[3])) for part in states if part},
    )
    assert list(found.policies) == list(found.states)
    binding = next(iter(found.policies))
    assert found.policies[binding][0] == found.limit
    assert found.states[binding][0] == found.remaining
    return found


def now(tenancy: Tenancy) -> float:
    """The server's time in seconds since the epoch."""
    return tenancy.server.clock.micros() / 1e6


@pytest.fixture
def whole_second(tenancy: Tenancy) -> int:
    """The server's time, moved to a whole second, so that what is computed from it is exact."""
    clock = tenancy.server.clock
    clock.now_us = -(-clock.now_us // 1_000_000) * 1_000_000
    return clock.now_us // 1_000_000


@pytest.mark.parametrize("hourly", [1, 5, 17])
def test_a_plan_admits_exactly_its_figure(tenancy: Tenancy, hourly: int, whole_second: int) -> None:
    """One more is a promise broken to the operator, one fewer to the customer."""
    key = tenancy.key(plan=tenancy.plan(hourly))
    for used in range(1, hourly + 1):
        answer = tenancy.verify(key["key"])
        assert answer.status_code == 200
        found = headers_of(answer)
        assert found.remaining == hourly - used
        assert found.reset == whole_second + 3600
    for _ in range(3):
        refused = tenancy.verify(key["key"])
        assert refusal(refused) == (429, "rate_limit_exceeded")
        assert refused.json()["message"] == "Rate limit exceeded. Try again in 3600 seconds."
        assert refused.headers["Retry-After"] == "3600"
        assert headers_of(refused) == Headers(
            hourly, 0, whole_second + 3600, {"hour": (hourly, 3600)}, {"hour": (0, 3600)}
        )
        assert "WWW-Authenticate" not in refused.headers


def test_the_hour_opens_with_the_first_request_and_reset_is_its_end(
    tenancy: Tenancy, whole_second: int
) -> None:
    """A window of the calendar would admit twice the figure around the full hour."""
    clock = tenancy.server.clock
    key = tenancy.key(plan=tenancy.plan(2))
    clock.advance(1800)
    for left in (1, 0):
        found = headers_of(tenancy.verify(key["key"]))
        assert (found.remaining, found.reset) == (left, whole_second + 1800 + 3600)
    clock.advance(3599)
    refused = tenancy.verify(key["key"])
    assert refusal(refused) == (429, "rate_limit_exceeded")
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["message"] == "Rate limit exceeded. Try again in 1 seconds."
    clock.advance(1)
    found = headers_of(tenancy.verify(key["key"]))
    assert (found.remaining, found.reset) == (1, whole_second + 1800 + 3600 + 3600)


def test_a_window_that_has_ended_does_not_run_on(tenancy: Tenancy, whole_second: int) -> None:
    """A client that comes back after a pause would find its new hour half used up."""
    clock = tenancy.server.clock
    key = tenancy.key(plan=tenancy.plan(2))
    tenancy.verify(key["key"])
    clock.advance(5000)
    found = headers_of(tenancy.verify(key["key"]))
    assert (found.remaining, found.reset) == (1, whole_second + 5000 + 3600)


def test_the_wait_is_told_in_whole_seconds_rounded_up(tenancy: Tenancy, whole_second: int) -> None:
    """A client that comes back on the second would be refused once more."""
    clock = tenancy.server.clock
    clock.advance(0.4)
    key = tenancy.key(plan=tenancy.plan(1))
    assert headers_of(tenancy.verify(key["key"])).reset == whole_second + 3601
    clock.advance(3599.9)
    refused = tenancy.verify(key["key"])
    assert refused.headers["Retry-After"] == "1"
    clock.advance(0.1)
    assert tenancy.verify(key["key"]).status_code == 200


def test_a_plan_of_none_admits_none(tenancy: Tenancy) -> None:
    """An operator who shuts a plan off would leave the door ajar."""
    for figures in ((0, None), (None, 0)):
        answer = tenancy.verify(tenancy.key(plan=tenancy.plan(*figures))["key"])
        assert refusal(answer) == (429, "rate_limit_exceeded")
        assert int(answer.headers["Retry-After"]) >= 1


def test_the_burst_is_what_one_second_admits(tenancy: Tenancy, whole_second: int) -> None:
    """A loop gone wild would take the API down within its hourly limit."""
    clock = tenancy.server.clock
    key = tenancy.key(plan=tenancy.plan(1000, 3))
    for used in (1, 2, 3):
        found = headers_of(tenancy.verify(key["key"]))
        assert found.policies == {"hour": (1000, 3600), "burst": (3, 1)}
        assert found.states == {"hour": (1000 - used, 3600), "burst": (3 - used, 1)}
        assert (found.limit, found.reset) == (1000, whole_second + 3600)
    refused = tenancy.verify(key["key"])
    assert refusal(refused) == (429, "rate_limit_exceeded")
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["message"] == "Rate limit exceeded. Try again in 1 seconds."
    found = headers_of(refused)
    assert (found.limit, found.remaining, found.reset) == (3, 0, whole_second + 1), "the policy that refused"
    assert found.states["hour"][0] == 997, "a request that the burst refuses does not use up the hour"
    clock.advance(1)
    assert headers_of(tenancy.verify(key["key"])).states["hour"] == (996, 3599)


def test_the_hour_refuses_before_the_burst_does(tenancy: Tenancy) -> None:
    """A client that is out for an hour would be told to come back in a second."""
    key = tenancy.key(plan=tenancy.plan(2, 2))
    for _ in range(2):
        tenancy.verify(key["key"])
    assert tenancy.verify(key["key"]).headers["Retry-After"] == "3600"


def test_a_plan_without_an_hourly_limit_sends_the_burst_alone(tenancy: Tenancy, whole_second: int) -> None:
    """A client would read a figure that does not exist as its limit."""
    found = headers_of(tenancy.verify(tenancy.key(plan=tenancy.plan(None, 7))["key"]))
    assert found == Headers(7, 6, whole_second + 1, {"burst": (7, 1)}, {"burst": (6, 1)})


def test_a_plan_without_a_burst_sends_the_hour_alone(tenancy: Tenancy) -> None:
    """The same, the other way round."""
    found = headers_of(tenancy.verify(tenancy.key(plan=tenancy.plan(7))["key"]))
    assert list(found.policies) == ["hour"]


def test_a_plan_without_any_limit_admits_all_and_sends_nothing(tenancy: Tenancy) -> None:
    """There is no number that would be true."""
    key = tenancy.key(plan=tenancy.plan())
    for _ in range(60):
        answer = tenancy.verify(key["key"])
        assert answer.status_code == 200
        assert not any("ratelimit" in name for name in answer.headers)


@pytest.mark.parametrize(
    ("plan", "hourly", "burst"), [("free", 1000, 50), ("pro", 10_000, 200), ("enterprise", None, 1000)]
)
def test_the_plans_of_a_new_installation(tenancy: Tenancy, plan: str, hourly: int | None, burst: int) -> None:
    """The price list says these figures."""
    found = headers_of(tenancy.verify(tenancy.key(plan=plan)["key"]))
    assert found.policies == {**({"hour": (hourly, 3600)} if hourly else {}), "burst": (burst, 1)}
    assert found.limit == (hourly or burst)


def test_a_key_without_a_plan_is_on_its_tenants(tenancy: Tenancy, fresh_tenancy: Tenancy) -> None:
    """A customer who pays for more would not get it with the keys that they have."""
    key = fresh_tenancy.key()
    path = f"/v1/tenants/{fresh_tenancy.id}"
    for plan, limit in (("free", 1000), ("pro", 10_000)):
        assert fresh_tenancy.operator.patch(path, json={"plan": plan}).status_code == 200
        assert headers_of(fresh_tenancy.verify(key["key"])).limit == limit
    tenant = made(tenancy.operator.post("/v1/tenants", json={"name": secrets.token_hex(8)}))
    assert tenant["plan"] == "free"


def test_changed_figures_bind_at_once(tenancy: Tenancy, whole_second: int) -> None:
    """An operator under attack would have to restart, or wait for an hour to pass."""
    plan = tenancy.plan(10)
    key = tenancy.key(plan=plan)
    for _ in range(4):
        tenancy.verify(key["key"])
    tenancy.set_plan(plan, 100)
    assert headers_of(tenancy.verify(key["key"])).remaining == 95, "what was used stays used"
    tenancy.set_plan(plan, 3)
    refused = tenancy.verify(key["key"])
    assert refusal(refused) == (429, "rate_limit_exceeded")
    assert headers_of(refused) == Headers(3, 0, whole_second + 3600, {"hour": (3, 3600)}, {"hour": (0, 3600)})
    tenancy.set_plan(plan, None, 2)
    assert headers_of(tenancy.verify(key["key"])).policies == {"burst": (2, 1)}
    tenancy.set_plan(plan)
    assert "X-RateLimit-Limit" not in tenancy.verify(key["key"]).headers
    tenancy.set_plan(plan, 7)
    # Nobody leases what has no limit, so across nodes the request without one is not counted.
    assert headers_of(tenancy.verify(key["key"])).remaining in {0, 1}, (
        "the hour is the same, and 5 or 6 were used before"
    )


@pytest.mark.parametrize("kind", ["api_key", "personal_access_token"])
def test_a_figure_for_the_method_binds_before_the_plans_own(tenancy: Tenancy, kind: str) -> None:
    """A plan that gives tokens more would give keys more too."""
    plan = tenancy.plan(10, per_method={kind: 3, "oauth_access_token": 99})
    expected = 3 if kind == "api_key" else 10
    assert headers_of(tenancy.verify(tenancy.key(plan=plan)["key"])).limit == expected


def test_a_method_may_be_without_a_limit(tenancy: Tenancy) -> None:
    """Null means no limit wherever a figure stands."""
    plan = tenancy.plan(1, 50, per_method={"api_key": None})
    key = tenancy.key(plan=plan)
    for _ in range(3):
        assert list(headers_of(tenancy.verify(key["key"])).policies) == ["burst"]


def test_by_credential_each_key_counts_alone(tenancy: Tenancy) -> None:
    """One program of a customer would stop all the others."""
    plan = tenancy.plan(2)
    one, other = tenancy.key(plan=plan), tenancy.key(plan=plan)
    assert [tenancy.verify(one["key"]).status_code for _ in range(3)] == [200, 200, 429]
    assert tenancy.verify(other["key"]).status_code == 200


@pytest.mark.parametrize("count_by", ["user", "tenant"])
def test_by_user_or_tenant_the_keys_count_together(fresh_tenancy: Tenancy, count_by: str) -> None:
    """A customer would multiply their limit by making keys."""
    tenancy = fresh_tenancy
    plan = tenancy.plan(4, count_by=count_by)
    member = tenancy.user()
    first, second = tenancy.key(plan=plan), tenancy.key(plan=plan)
    colleague = tenancy.key(plan=plan, user_id=member["id"])
    remaining = [headers_of(tenancy.verify(key["key"])).remaining for key in (first, second, colleague)]
    assert remaining == ([3, 2, 3] if count_by == "user" else [3, 2, 1])
    assert [tenancy.verify(first["key"]).status_code for _ in range(3)] == (
        [200, 200, 429] if count_by == "user" else [200, 429, 429]
    )
    assert tenancy.verify(second["key"]).status_code == 429
    assert tenancy.verify(colleague["key"]).status_code == (200 if count_by == "user" else 429)


def test_another_way_of_counting_binds_at_once(tenancy: Tenancy) -> None:
    """As with the figures."""
    plan = tenancy.plan(2)
    one, other = tenancy.key(plan=plan), tenancy.key(plan=plan)
    for _ in range(2):
        tenancy.verify(one["key"])
    tenancy.set_plan(plan, 2, count_by="user")
    user_remaining = [headers_of(tenancy.verify(key["key"])).remaining for key in (other, one)]
    assert user_remaining == [1, 0]
    assert tenancy.verify(other["key"]).status_code == 429
    tenancy.set_plan(plan, 2)
    assert tenancy.verify(one["key"]).status_code == 429
    assert tenancy.verify(other["key"]).status_code == 200


def test_what_is_refused_for_another_reason_does_not_count(tenancy: Tenancy) -> None:
    """Somebody outside a key's network could use its limit up."""
    key = tenancy.key(plan=tenancy.plan(3), allowed_ips=["192.0.2.1"], scopes=["read"])
    for _ in range(5):
        away = tenancy.verify(key["key"], "198.51.100.1")
        assert refusal(away) == (403, "ip_not_allowed")
        assert headers_of(away).remaining == 3
        scopeless = tenancy.verify(key["key"], "192.0.2.1", "admin")
        assert refusal(scopeless) == (403, "insufficient_scope")
        assert headers_of(scopeless).remaining == 3
    assert headers_of(tenancy.verify(key["key"], "192.0.2.1")).remaining == 2


def test_each_call_of_the_api_counts_once(tenancy: Tenancy) -> None:
    """Management could be hammered for free, or would cost double."""
    key = tenancy.key(plan=tenancy.plan(100), scopes=["admin", "read", "write"])
    client = tenancy.client(key["key"])
    calls: list[tuple[str, str, Json | None, int]] = [
        ("GET", "/v1/auth/verify", None, 200),
        ("POST", "/v1/auth/verify", None, 200),
        ("GET", "/auth/forward", None, 204),
        ("GET", "/v1/api-keys", None, 200),
        ("POST", "/v1/api-keys", {"name": "x"}, 201),
        ("POST", "/v1/api-keys", {}, 400),
        ("GET", f"/v1/api-keys/{key['id']}", None, 200),
        ("GET", "/v1/api-keys/key_0", None, 404),
        ("GET", "/v1/api-keys?limit=x", None, 400),
        ("GET", "/v1/users/me", None, 200),
        ("GET", "/v1/plans", None, 200),
        ("GET", "/v1/audit", None, 200),
        ("GET", "/audit", None, 200),
        ("POST", "/v1/tenants", {"name": "x"}, 403),
        ("GET", "/v1/nothing", None, 404),
        ("PUT", "/v1/api-keys", None, 405),
        ("GET", "/v1/auth/verify", None, 200),
    ]
    for number, (method, path, body, status) in enumerate(calls, 1):
        answer = client.request(method, path, json=body)
        assert answer.status_code == status, (method, path)
        assert headers_of(answer).remaining == 100 - number, (method, path)


def test_many_clients_at_once_are_counted_exactly(tenancy: Tenancy) -> None:
    """A race between two requests would admit more than was sold."""
    plan = tenancy.plan(120)
    key, small = tenancy.key(plan=plan), tenancy.key(plan=tenancy.plan(5))
    clients = [tenancy.server.client() for _ in range(50)]
    places = ["/v1/auth/verify", "/auth/forward", "/v1/users/me", "ask"]

    def hammer(number: int) -> list[int]:
        statuses = []
        for turn, credential in enumerate([key["key"], small["key"]] * 3):
            place = places[(number + turn) % len(places)]
            if place == "ask":
                verdict = tenancy.server.client(tenancy.owner_key["key"]).post(
                    "/v1/credentials/verify", json={"credential": credential}
                )
                valid = verdict.json()["valid"]
                assert valid or verdict.json()["code"] == "rate_limit_exceeded"
                status = 200 if valid else 429
            else:
                headers = {"Authorization": f"Bearer {credential}"}
                status = clients[number].get(place, headers=headers).status_code
                status = 200 if status == 204 else status
            statuses.append(status)
        return statuses

    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(hammer, range(50)))
    large = [status for one in statuses for status in one[0::2]]
    few = [status for one in statuses for status in one[1::2]]
    assert (large.count(200), large.count(429)) == (120, 30)
    assert (few.count(200), few.count(429)) == (5, 145)
