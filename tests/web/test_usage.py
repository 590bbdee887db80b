"""`GET /v1/usage` and `GET /v1/api-keys/{id}/usage`: what became of the requests on a credential, and when."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import httpx2
import pytest

from bonafides.model import to_datetime
from tests.web.tenancy import Json, Tenancy, refusal, tenancy_on

PATH: Final = "/v1/usage"
SECONDS: Final = {"hour": 60, "day": 3_600, "month": 86_400}
BUCKETS: Final = {"hour": 60, "day": 24, "month": 30}


def usage(tenancy: Tenancy, client: httpx2.Client | None = None, **query: str) -> Json:
    """The usage that a client sees, the owner's unless it is named, once all that was counted is written."""
    server = tenancy.server
    asyncio.run_coroutine_threadsafe(server.rooms.uses.flush_counts(), server.loop).result(20)
    answer = (client or tenancy.api).get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def counted(tenancy: Tenancy, key: Json, wanted: Json, period: str = "hour") -> None:
    """Expect a key's total, and buckets that add up to it."""
    found = usage(tenancy, credential_id=key["id"], period=period)
    assert found["total"] == wanted
    assert sum(bucket["accepted"] for bucket in found["buckets"]) == wanted["accepted"]
    refused: dict[str, int] = {}
    for bucket in found["buckets"]:
        for reason, requests in bucket["refused"].items():
            refused[reason] = refused.get(reason, 0) + requests
    assert refused == wanted["refused"]


def accepted(requests: int) -> Json:
    """A total without a refusal."""
    return {"accepted": requests, "refused": {}}


def test_every_outcome_of_a_known_credential_is_counted(tenancy: Tenancy) -> None:
    """Whoever asks why a customer's calls fail finds the reason here or nowhere: hot answers are not logged."""
    key = tenancy.key(plan=tenancy.plan(3), allowed_ips=["192.0.2.1"], scopes=["read"])
    near, away = "192.0.2.1", "198.51.100.1"
    for _ in range(2):
        assert tenancy.verify(key["key"], near).status_code == 200
    assert tenancy.verify(key["key"], away).status_code == 403
    assert tenancy.verify(key["key"], near, scope="write").status_code == 403
    assert tenancy.verify(key["key"], near).status_code == 200
    for _ in range(4):
        assert tenancy.verify(key["key"], near).status_code == 429
    tenancy.api.delete(f"/v1/api-keys/{key['id']}")
    for _ in range(2):
        assert tenancy.verify(key["key"], near).status_code == 401
    wanted = {
        "accepted": 3,
        "refused": {
            "insufficient_scope": 1,
            "invalid_api_key": 2,
            "ip_not_allowed": 1,
            "rate_limit_exceeded": 4,
        },
    }
    for period in SECONDS:
        counted(tenancy, key, wanted, period)


def test_every_way_in_counts(tenancy: Tenancy) -> None:
    """A key that only works behind a proxy would seem to do nothing."""
    key = tenancy.key(expires_in=3600)
    client = tenancy.client(key["key"])
    for path in ("/v1/auth/verify", "/auth/forward", "/auth/forward/envoy", "/v1/api-keys"):
        assert client.get(path).is_success
    assert tenancy.ask(key["key"], cost=5)["valid"]
    assert not tenancy.ask(key["key"], scope="admin")["valid"]
    counted(tenancy, key, {"accepted": 5, "refused": {"insufficient_scope": 1}})
    tenancy.server.clock.advance(4000)
    assert tenancy.verify(key["key"]).status_code == 401
    counted(tenancy, key, {"accepted": 5, "refused": {"insufficient_scope": 1, "token_expired": 1}}, "day")


@pytest.mark.parametrize("period", SECONDS)
def test_the_buckets_cover_the_period(tenancy: Tenancy, period: str) -> None:
    """A chart with gaps, or with an hour too many, is drawn wrongly by everybody."""
    clock = tenancy.server.clock
    found = usage(tenancy, period=period)
    now, length = clock.micros() / 1e6, SECONDS[period]
    starts = [datetime.fromisoformat(bucket["start"]).timestamp() for bucket in found["buckets"]]
    assert len(starts) == BUCKETS[period]
    assert {later - earlier for earlier, later in pairwise(starts)} == {length}
    assert starts[-1] <= now < starts[-1] + length
    assert starts[-1] % length == 0
    assert (found["bucket_seconds"], found["period"]) == (length, period)
    assert found["start"] == found["buckets"][0]["start"]
    assert datetime.fromisoformat(found["end"]).timestamp() == starts[-1] + length


def test_requests_are_in_the_bucket_of_their_time(fresh_tenancy: Tenancy) -> None:
    """An incident is found by when it was."""
    tenancy, clock = fresh_tenancy, fresh_tenancy.server.clock
    key = tenancy.key()
    clock.advance(60 - clock.micros() / 1e6 % 60)
    began = clock.micros() // 1_000_000
    for offset, requests in ((0, 1), (59.999999, 2), (60, 3), (3600 - 60, 4)):
        clock.now_us = (began * 1_000_000) + round(offset * 1_000_000)
        for _ in range(requests):
            assert tenancy.verify(key["key"]).status_code == 200
    counted(tenancy, key, accepted(10))
    found = usage(tenancy, credential_id=key["id"], period="hour")
    busy = {bucket["start"]: bucket["accepted"] for bucket in found["buckets"] if bucket["accepted"]}
    assert busy == {
        datetime.fromtimestamp(began + offset, UTC).replace(tzinfo=None).isoformat() + "Z": requests
        for offset, requests in ((0, 3), (60, 3), (3540, 4))
    }
    clock.advance(60)
    assert usage(tenancy, credential_id=key["id"], period="hour")["total"] == accepted(7)


def test_sums_are_of_the_credential_the_user_or_the_tenant(fresh_tenancy: Tenancy) -> None:
    """A bill would be for the wrong one's requests."""
    tenancy = fresh_tenancy
    other = tenancy_on(tenancy.server)
    user = tenancy.user()
    mine, also_mine, theirs = (
        tenancy.key(user_id=user["id"]),
        tenancy.key(user_id=user["id"]),
        tenancy.key(),
    )
    for key, requests in ((mine, 1), (also_mine, 10), (theirs, 100)):
        for _ in range(requests):
            tenancy.verify(key["key"])
    other.verify(other.key()["key"])
    counted(tenancy, mine, accepted(1))
    counted(tenancy, theirs, accepted(100))
    of_user = usage(tenancy, user_id=user["id"], period="hour")
    assert of_user["total"] == accepted(11)
    of_tenant = usage(tenancy, tenancy.operator, tenant_id=tenancy.id, period="hour")
    # The owner's key, too, asked for the usage meanwhile.
    owners = usage(tenancy, tenancy.operator, credential_id=tenancy.owner_key["id"], period="hour")
    assert of_tenant["total"]["accepted"] == 111 + owners["total"]["accepted"] > 111
    named = ("tenant_id", "user_id", "credential_id")
    assert [of_tenant[name] for name in named] == [tenancy.id, None, None]
    assert [of_user[name] for name in named] == [tenancy.id, user["id"], None]
    found = usage(tenancy, credential_id=mine["id"])
    assert [found[name] for name in named] == [tenancy.id, user["id"], mine["id"]]
    assert found["period"] == "day"


def test_the_usage_of_a_key_stands_beside_it(tenancy: Tenancy) -> None:
    """Whoever has a key's address looks for its usage there."""
    key = tenancy.key()
    tenancy.verify(key["key"])
    counted(tenancy, key, accepted(1), "month")
    beside = tenancy.api.get(f"/v1/api-keys/{key['id']}/usage", params={"period": "month"})
    assert beside.status_code == 200
    assert beside.json() == usage(tenancy, credential_id=key["id"], period="month")


def test_a_key_is_told_what_was_done_with_its_tokens(fresh_tenancy: Tenancy) -> None:
    """A customer who works by tokens alone would seem to do nothing, and after a rotation to have begun anew."""
    tenancy, server = fresh_tenancy, fresh_tenancy.server
    key = tenancy.key()
    token = tenancy.exchange(key["key"])
    for presented, requests in ((key["key"], 1), (token["token"], 2)):
        for _ in range(requests):
            assert tenancy.verify(presented).status_code == 200
    successor = tenancy.api.post(f"/v1/api-keys/{key['id']}/rotate").json()
    for _ in range(4):
        assert tenancy.verify(successor["key"]).status_code == 200
    counted(tenancy, key, accepted(1 + 1))  # it was presented for the token
    counted(tenancy, successor, accepted(4))
    counted(tenancy, token, accepted(2))
    server.clock.advance(8 * 86_400)
    later = to_datetime(server.clock.micros())
    pruned = asyncio.run_coroutine_threadsafe(server.rooms.store.prune_tokens(later, 1_000), server.loop)
    assert pruned.result(20) == 1
    for one in (key, successor):
        found = usage(tenancy, credential_id=one["id"], period="month", lineage="true")
        assert (found["credential_id"], found["lineage"], found["total"]) == (one["id"], True, accepted(8))
        beside = tenancy.api.get(
            f"/v1/api-keys/{one['id']}/usage", params={"period": "month", "lineage": True}
        )
        assert beside.json() == found
    assert usage(tenancy, credential_id=key["id"], period="month")["total"] == accepted(2)


def test_a_member_sees_their_own_alone(tenancy: Tenancy) -> None:
    """How much colleagues use what, and that a key exists at all, is not theirs to know."""
    user = tenancy.user()
    key = tenancy.key(user_id=user["id"])
    client = tenancy.client(key["key"])
    foreign = tenancy.key()
    tenancy.verify(foreign["key"])
    found = usage(tenancy, client)
    assert (found["tenant_id"], found["user_id"], found["credential_id"]) == (tenancy.id, user["id"], None)
    assert usage(tenancy, client, user_id=user["id"])["user_id"] == user["id"]
    assert usage(tenancy, client, credential_id=key["id"])["credential_id"] == key["id"]
    assert refusal(client.get(PATH, params={"user_id": tenancy.owner["id"]})) == (403, "insufficient_scope")
    unknown = "key_0000000000000000000000"
    for path in (f"{PATH}?credential_id={{}}", "/v1/api-keys/{}/usage"):
        answers = [client.get(path.format(key_id)) for key_id in (foreign["id"], unknown)]
        assert [refusal(answer) for answer in answers] == [(404, "not_found")] * 2
        assert answers[0].json()["message"].replace(foreign["id"], unknown) == answers[1].json()["message"]


def test_nothing_is_seen_across_tenants(tenancy: Tenancy) -> None:
    """A customer would learn how much another does."""
    other = tenancy_on(tenancy.server)
    key = other.key()
    other.verify(key["key"])
    for foreign, unknown in (
        ({"tenant_id": other.id}, {"tenant_id": "ten_0000000000000000000000"}),
        ({"user_id": other.owner["id"]}, {"user_id": "usr_0000000000000000000000"}),
        ({"credential_id": key["id"]}, {"credential_id": "key_0000000000000000000000"}),
    ):
        told = [refusal(tenancy.api.get(PATH, params=query)) for query in (foreign, unknown)]
        assert told == [(404, "not_found")] * 2
    for query in ({"user_id": other.owner["id"]}, {"credential_id": key["id"]}):
        assert usage(tenancy, tenancy.operator, **query)["tenant_id"] == other.id
        elsewhere = tenancy.operator.get(PATH, params={**query, "tenant_id": tenancy.id})
        assert refusal(elsewhere) == (404, "not_found")


def test_who_may_not_see_a_credential_does_not_count_on_it(tenancy: Tenancy) -> None:
    """To a stranger the key is unknown: their questions would be noise in its owner's figures."""
    other, key = tenancy_on(tenancy.server), tenancy.key()
    assert tenancy.ask(key["key"])["valid"]
    assert other.ask(key["key"])["code"] == "invalid_api_key"
    assert tenancy.ask(key["key"])["valid"]
    counted(tenancy, key, accepted(2))


def test_the_caller_of_a_question_counts_once(tenancy: Tenancy) -> None:
    """A resource server that asks costs it nothing, and is a request of its key all the same."""
    asking = tenancy.key(scopes=["credentials:verify"])
    asked = tenancy.key()
    client = tenancy.client(asking["key"])
    for _ in range(3):
        assert client.post("/v1/credentials/verify", json={"credential": asked["key"]}).json()["valid"]
    counted(tenancy, asking, accepted(3))
    counted(tenancy, asked, accepted(3))


def test_a_credential_is_looked_for_where_it_is_said_to_be(tenancy: Tenancy) -> None:
    """Figures of one user's key would be shown under another user's name."""
    user, key = tenancy.user(), tenancy.key()
    right = usage(tenancy, credential_id=key["id"], user_id=tenancy.owner["id"], tenant_id=tenancy.id)
    assert right == usage(tenancy, credential_id=key["id"])
    wrong = tenancy.api.get(PATH, params={"credential_id": key["id"], "user_id": user["id"]})
    assert refusal(wrong) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"period": "week"}, "period"),
        ({"period": ""}, "period"),
        ({"key_id": "key_1"}, "key_id"),
        ({"lineage": "perhaps"}, "lineage"),
    ],
)
def test_a_malformed_question_is_told_so(tenancy: Tenancy, query: dict[str, str], field: str) -> None:
    """A misspelt filter would answer with everybody's figures."""
    answer = tenancy.api.get(PATH, params=query)
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"] == field


def test_a_credential_without_read_asks_for_nothing(tenancy: Tenancy) -> None:
    """A key that may only verify would watch its tenant's business."""
    answer = tenancy.client(tenancy.key(scopes=["write"])["key"]).get(PATH)
    assert refusal(answer) == (403, "insufficient_scope")
