"""§4: creating calls that are sent twice, because an answer was lost, happen once."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpx2
import pytest

from tests.web.tenancy import Json, Tenancy, every, refusal, tenancy_on

DAY: Final = 86_400


def post(
    client: httpx2.Client, path: str, body: Json | None, key: str, content: str | None = None
) -> httpx2.Response:
    """Send a creating call with an `Idempotency-Key`."""
    headers = {"Idempotency-Key": key}
    if content is not None:
        headers["Content-Type"] = "application/json"
        return client.post(path, content=content, headers=headers)
    return client.post(path, json=body, headers=headers)


def creating_calls(tenancy: Tenancy) -> list[tuple[str, Json | None, str]]:
    """Every creating call with a body for it, and where what it creates is listed."""
    return [
        (
            "/v1/api-keys",
            {"name": "x", "tenant_id": tenancy.id, "user_id": tenancy.owner["id"]},
            "/v1/api-keys",
        ),
        (f"/v1/api-keys/{tenancy.key()['id']}/rotate", None, "/v1/api-keys"),
        (
            "/v1/users",
            {"email": f"{secrets.token_hex(6)}@example.com", "tenant_id": tenancy.id},
            "/v1/users",
        ),
        ("/v1/tenants", {"name": secrets.token_hex(8)}, "/v1/tenants"),
        (
            "/v1/plans",
            {"name": secrets.token_hex(8), "requests_per_hour": 1, "burst": None},
            "/v1/plans",
        ),
    ]


def test_every_creating_call_happens_once(fresh_tenancy: Tenancy) -> None:
    """A customer whose connection broke would hold two keys, one of which nobody knows."""
    operator = fresh_tenancy.operator
    for path, body, listing in creating_calls(fresh_tenancy):
        key = secrets.token_hex(8)
        first = post(operator, path, body, key)
        assert first.status_code == 201, first.text
        assert "Idempotent-Replayed" not in first.headers
        filters = {} if listing in {"/v1/plans", "/v1/tenants"} else {"tenant_id": fresh_tenancy.id}
        before = every(operator, listing, **filters)
        for _ in range(2):
            again = post(operator, path, body, key)
            assert again.status_code == 201, path
            assert again.content == first.content, path
            assert again.headers["Location"] == first.headers["Location"], path
            assert again.headers["Idempotent-Replayed"] == "true", path
            assert again.headers["Cache-Control"] == "no-store", path
        assert every(operator, listing, **filters) == before, path


def test_the_secret_comes_again_and_works(tenancy: Tenancy) -> None:
    """The point of a retry is to learn what the lost answer said."""
    answers = [post(tenancy.api, "/v1/api-keys", {"name": "x"}, "once") for _ in range(3)]
    keys = {answer.json()["key"] for answer in answers}
    assert len(keys) == 1
    assert tenancy.verify(keys.pop()).status_code == 200


@pytest.mark.parametrize("other", ["body", "path"])
def test_for_another_call_it_is_a_conflict(fresh_tenancy: Tenancy, other: str) -> None:
    """A program that reuses a key by mistake would believe that it made what it never made."""
    tenancy = fresh_tenancy
    assert post(tenancy.api, "/v1/api-keys", {"name": "x"}, "mine").status_code == 201
    before = tenancy.everything()
    path, body = ("/v1/api-keys", {"name": "y"}) if other == "body" else ("/v1/users", {"name": "x"})
    if other == "path":
        body = {"email": "x@example.com"}
    answer = post(tenancy.api, path, body, "mine")
    assert refusal(answer) == (409, "conflict")
    assert answer.json()["field"] == "Idempotency-Key"
    assert "Idempotency-Key" in answer.json()["message"]
    assert tenancy.everything() == before


def test_another_spelling_of_the_same_body_is_the_same_call_or_a_conflict(fresh_tenancy: Tenancy) -> None:
    """Whatever is decided about white space, nothing must happen twice."""
    tenancy = fresh_tenancy
    first = post(tenancy.api, "/v1/api-keys", None, "spelt", content='{"name":"x"}')
    assert first.status_code == 201
    before = tenancy.everything()
    second = post(tenancy.api, "/v1/api-keys", None, "spelt", content='{ "name": "x" }')
    assert second.status_code in {201, 409}
    assert second.status_code == 409 or second.content == first.content
    assert tenancy.everything() == before


def test_what_failed_is_not_remembered(fresh_tenancy: Tenancy) -> None:
    """Whoever mends their request would be told for a day that it is wrong."""
    tenancy = fresh_tenancy
    assert post(tenancy.api, "/v1/api-keys", {"name": ""}, "mended").status_code == 400
    assert post(tenancy.api, "/v1/api-keys", {"name": "x", "scopes": ["no"]}, "mended").status_code == 400
    assert post(tenancy.api, "/v1/api-keys", {"name": "x"}, "mended").status_code == 201


def test_without_a_key_each_call_creates(fresh_tenancy: Tenancy) -> None:
    """Two keys of the same name are two wishes."""
    ids = {fresh_tenancy.api.post("/v1/api-keys", json={"name": "same"}).json()["id"] for _ in range(3)}
    assert len(ids) == 3


def test_keys_of_two_callers_never_meet(fresh_tenancy: Tenancy) -> None:
    """Somebody who guesses another's Idempotency-Key would be shown their new secret."""
    tenancy, other = fresh_tenancy, tenancy_on(fresh_tenancy.server)
    callers = [tenancy.api, tenancy.member(), other.api, tenancy.operator]
    answers = [post(caller, "/v1/api-keys", {"name": "x"}, "a-guess") for caller in callers]
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["key"] for answer in answers}) == 4
    assert not any("Idempotent-Replayed" in answer.headers for answer in answers)


def test_two_keys_of_one_user_share_it(tenancy: Tenancy) -> None:
    """A program that was given its new key in the middle of its work would do things twice."""
    wish = {"name": "x", "scopes": ["read"]}
    one, other = (tenancy.client(tenancy.key()["key"]) for _ in range(2))
    first, second = (post(client, "/v1/api-keys", wish, "shared") for client in (one, other))
    assert first.json() == second.json()


def test_of_many_at_once_one_creates(fresh_tenancy: Tenancy) -> None:
    """A retry that overtakes the first attempt would make two."""
    tenancy = fresh_tenancy
    clients = [tenancy.server.client(tenancy.owner_key["key"]) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda client: post(client, "/v1/api-keys", {"name": "x"}, "race"), clients))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(every(tenancy.api, "/v1/api-keys")) == 2
    assert len(every(tenancy.api, "/v1/audit", action="api_key.created")) == 2


def test_of_many_different_ones_at_once_one_creates(fresh_tenancy: Tenancy) -> None:
    """The same, where a faulty program gives its key to different wishes."""
    tenancy = fresh_tenancy
    clients = [tenancy.server.client(tenancy.owner_key["key"]) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda pair: post(pair[1], "/v1/api-keys", {"name": f"wish {pair[0]}"}, "different"),
                enumerate(clients),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert len(every(tenancy.api, "/v1/api-keys")) == 2


def test_it_is_forgotten_after_a_day(fresh_tenancy: Tenancy) -> None:
    """Keys would have to be unique for ever; before that, a retry after a night's outage must be safe."""
    tenancy = fresh_tenancy
    first = post(tenancy.api, "/v1/api-keys", {"name": "x"}, "daily").json()
    tenancy.server.clock.advance(DAY - 1)
    assert post(tenancy.api, "/v1/api-keys", {"name": "x"}, "daily").json() == first
    tenancy.server.clock.advance(1)
    assert post(tenancy.api, "/v1/api-keys", {"name": "x"}, "daily").json()["id"] != first["id"]


@pytest.mark.parametrize("length", [1, 255])
def test_any_printable_key_will_do(tenancy: Tenancy, length: int) -> None:
    """Clients use UUIDs, ULIDs, hashes, or names of their own."""
    key = "~" * length
    answers = [post(tenancy.api, "/v1/api-keys", {"name": "x"}, key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("key", [b"", b"x" * 256, "schlüssel".encode(), b"tab\tbed"])
def test_a_key_that_is_none_is_malformed(fresh_tenancy: Tenancy, key: bytes) -> None:
    """A client would believe itself protected, and not be."""
    before = fresh_tenancy.everything()
    for path, body in (
        ("/v1/api-keys", {"name": "x"}),
        ("/v1/users", {"email": "a@example.com"}),
        (f"/v1/api-keys/{fresh_tenancy.owner_key['id']}/rotate", {"overlap_seconds": 60}),
    ):
        headers = [(b"Idempotency-Key", key), (b"Content-Type", b"application/json")]
        answer = fresh_tenancy.api.post(path, content=json.dumps(body), headers=headers)
        assert refusal(answer) == (400, "invalid_request"), path
        assert answer.json()["field"] == "Idempotency-Key"
    assert fresh_tenancy.everything() == before


def test_two_different_keys_in_one_request_are_malformed(fresh_tenancy: Tenancy) -> None:
    """Which of them a retry is recognised by would be a matter of luck."""
    before = fresh_tenancy.everything()
    headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    answer = fresh_tenancy.api.post("/v1/api-keys", json={"name": "x"}, headers=headers)
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"] == "Idempotency-Key"
    assert fresh_tenancy.everything() == before


def test_a_repeated_rotation_does_not_rotate_again(tenancy: Tenancy) -> None:
    """The retry of a rotation would be refused with 409, and its new secret be lost for ever."""
    key = tenancy.key()
    path = f"/v1/api-keys/{key['id']}/rotate"
    first = post(tenancy.api, path, {"overlap_seconds": 60}, "rotation")
    tenancy.server.clock.advance(3600)
    second = post(tenancy.api, path, {"overlap_seconds": 60}, "rotation")
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert tenancy.verify(second.json()["key"]).status_code == 200


def test_a_plan_that_was_changed_is_replayed_as_it_was_answered(tenancy: Tenancy) -> None:
    """A tool that puts plans would report something as new that it had only changed."""
    name = tenancy.plan(1)
    tenancy.server.clock.advance(1)
    body = {"name": name, "requests_per_hour": 2, "burst": None}
    first, second = (post(tenancy.operator, "/v1/plans", body, f"put {name}") for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
