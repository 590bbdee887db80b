"""§4: `POST /v1/api-keys/{id}/rotate`, and what a successor is to the key that it succeeds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.web.tenancy import Json, Tenancy, made, refusal, seconds_of, tenancy_on

PATH = "/v1/api-keys"


def rotate(tenancy: Tenancy, key: Json, **body: object) -> httpx2.Response:
    """Rotate a key as the tenant's owner."""
    return tenancy.api.post(f"{PATH}/{key['id']}/rotate", json=body or None)


def shown(tenancy: Tenancy, key: Json) -> Json:
    """The key as it is listed now."""
    answer: Json = tenancy.api.get(f"{PATH}/{key['id']}").json()
    return answer


def test_the_successor_is_the_same_but_for_its_secret(tenancy: Tenancy) -> None:
    """Whoever rotates a key would have to set it up again, and forget its restriction."""
    key = tenancy.key(
        name="ci",
        scopes=["invoices:read", "read"],
        expires_at="2100-01-01T00:00:00Z",
        plan=tenancy.plan(100),
        allowed_ips=["192.0.2.0/24"],
        metadata={"team": "billing"},
    )
    tenancy.server.clock.advance(1)
    answer = rotate(tenancy, key)
    assert answer.status_code == 201
    successor = answer.json()
    assert answer.headers["Location"] == f"{PATH}/{successor['id']}"
    assert successor["key"] != key["key"]
    assert successor["id"] != key["id"]
    assert successor["parent_id"] == key["id"]
    same = (
        "name",
        "scopes",
        "expires_at",
        "plan",
        "allowed_ips",
        "metadata",
        "user_id",
        "tenant_id",
        "status",
    )
    assert {name: successor[name] for name in same} == {name: key[name] for name in same}
    assert successor["created_by"] == tenancy.owner["id"]
    assert successor["overlap_ends_at"] is None
    assert tenancy.verify(successor["key"], "192.0.2.1").json()["credential"]["id"] == successor["id"]
    assert "key" not in shown(tenancy, successor)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [({}, 3600), ({"overlap_seconds": 60}, 60), ({"overlap_seconds": 2_592_000}, 2_592_000)],
)
def test_the_old_key_works_until_the_overlap_ends(tenancy: Tenancy, body: Json, seconds: int) -> None:
    """A deployment that takes a while would fail in the middle, or an old key would work for ever."""
    key = tenancy.key()
    clock = tenancy.server.clock
    began = clock.micros() / 1e6
    successor = made(rotate(tenancy, key, **body))
    assert seconds_of(shown(tenancy, key)["overlap_ends_at"]) == pytest.approx(began + seconds)
    clock.advance(seconds - 0.001)
    assert tenancy.verify(key["key"]).status_code == 200
    assert tenancy.verify(key["key"]).json()["expires_at"] == shown(tenancy, key)["overlap_ends_at"]
    clock.advance(0.001)
    assert refusal(tenancy.verify(key["key"])) == (401, "token_expired")
    assert shown(tenancy, key)["status"] == "expired"
    assert tenancy.verify(successor["key"]).status_code == 200
    clock.advance(365 * 86_400)
    assert tenancy.verify(successor["key"]).status_code == 200


def test_without_an_overlap_the_old_key_ends_at_once(tenancy: Tenancy) -> None:
    """A leaked key would go on working for a moment longer than somebody asked."""
    key = tenancy.key()
    assert tenancy.verify(key["key"]).status_code == 200
    successor = made(rotate(tenancy, key, overlap_seconds=0))
    assert refusal(tenancy.verify(key["key"])) == (401, "token_expired")
    assert tenancy.verify(successor["key"]).status_code == 200


def test_the_old_key_never_works_past_its_own_expiry(tenancy: Tenancy) -> None:
    """Rotating would lengthen the life of a key that was made to be short."""
    key = tenancy.key(expires_in=100)
    successor = made(rotate(tenancy, key, overlap_seconds=3600))
    assert shown(tenancy, key)["overlap_ends_at"] == key["expires_at"]
    assert successor["expires_at"] == key["expires_at"]
    tenancy.server.clock.advance(99.9)
    assert tenancy.verify(key["key"]).status_code == 200
    tenancy.server.clock.advance(0.1)
    assert refusal(tenancy.verify(key["key"])) == (401, "token_expired")
    assert refusal(tenancy.verify(successor["key"])) == (401, "token_expired")


def test_an_overlap_can_be_ended_sooner(tenancy: Tenancy) -> None:
    """Whoever learns of the leak after the rotation would have to revoke the new key too."""
    key = tenancy.key()
    successor = made(rotate(tenancy, key, overlap_seconds=3600))
    path = f"{PATH}/{key['id']}"
    assert tenancy.api.patch(path, json={"overlap_seconds": 60}).status_code == 200
    longer = tenancy.api.patch(path, json={"overlap_seconds": 61})
    assert refusal(longer) == (409, "conflict")
    assert longer.json()["field"] == "overlap_seconds"
    assert tenancy.api.patch(path, json={"overlap_seconds": 0}).status_code == 200
    assert refusal(tenancy.verify(key["key"])) == (401, "token_expired")
    tenancy.server.clock.advance(10)
    assert tenancy.api.patch(path, json={"overlap_seconds": 0}).status_code == 200, "a retry is no error"
    assert refusal(tenancy.api.patch(path, json={"overlap_seconds": 5})) == (409, "conflict")
    assert refusal(tenancy.verify(key["key"])) == (401, "token_expired")
    assert tenancy.verify(successor["key"]).status_code == 200


def test_a_key_that_was_not_rotated_has_no_overlap(tenancy: Tenancy) -> None:
    """A slip in the id would end somebody's only key."""
    answer = tenancy.api.patch(f"{PATH}/{tenancy.key()['id']}", json={"overlap_seconds": 0})
    assert refusal(answer) == (409, "conflict")
    assert answer.json()["field"] == "overlap_seconds"


def test_a_longer_life_of_the_old_key_does_not_lengthen_its_overlap(tenancy: Tenancy) -> None:
    """An end that somebody decided would be undone by another field."""
    key = tenancy.key(expires_in=100)
    rotate(tenancy, key, overlap_seconds=50)
    assert tenancy.api.patch(f"{PATH}/{key['id']}", json={"expires_at": None}).status_code == 200
    tenancy.server.clock.advance(50)
    assert refusal(tenancy.verify(key["key"])) == (401, "token_expired")


@pytest.mark.parametrize("verb", ["revoke", "disable"])
@pytest.mark.parametrize("generations", [1, 3])
def test_what_ends_the_old_key_ends_its_successors_at_once(
    tenancy: Tenancy, verb: str, generations: int
) -> None:
    """Whoever took a key over and rotated it would keep it after it was revoked."""
    keys = [tenancy.key()]
    for _ in range(generations):
        keys.append(made(rotate(tenancy, keys[-1])))
    for key in keys:
        assert tenancy.verify(key["key"]).status_code == 200
    path = f"{PATH}/{keys[0]['id']}"
    ended = tenancy.api.delete(path) if verb == "revoke" else tenancy.api.post(f"{path}/disable")
    assert ended.status_code == 200
    for key in keys:
        assert refusal(tenancy.verify(key["key"])) == (401, "invalid_api_key")
        assert tenancy.ask(key["key"])["code"] == "invalid_api_key"
    if verb == "disable":
        tenancy.api.post(f"{path}/enable")
        for key in keys:
            assert tenancy.verify(key["key"]).status_code == 200
    else:
        assert [shown(tenancy, key)["status"] for key in keys] == ["revoked"] * len(keys)


def test_what_ends_a_successor_leaves_the_old_key_alone(tenancy: Tenancy) -> None:
    """A rotation that went wrong could not be taken back during the overlap."""
    key = tenancy.key()
    successor = made(rotate(tenancy, key))
    tenancy.api.delete(f"{PATH}/{successor['id']}")
    assert refusal(tenancy.verify(successor["key"])) == (401, "invalid_api_key")
    assert tenancy.verify(key["key"]).status_code == 200


def test_a_shorter_life_of_the_old_key_shortens_its_successors(tenancy: Tenancy) -> None:
    """A child would outlive its parent."""
    key = tenancy.key()
    successor = made(rotate(tenancy, key))
    assert tenancy.verify(successor["key"]).json()["expires_at"] is None
    tenancy.api.patch(f"{PATH}/{key['id']}", json={"expires_in": 10})
    assert tenancy.verify(successor["key"]).json()["expires_at"] == shown(tenancy, key)["expires_at"]
    tenancy.server.clock.advance(10)
    assert refusal(tenancy.verify(successor["key"])) == (401, "token_expired")


def test_rotation_does_not_renew_the_limit(tenancy: Tenancy) -> None:
    """Whoever is over the limit would rotate and go on."""
    key = tenancy.key(plan=tenancy.plan(5))
    for _ in range(3):
        tenancy.verify(key["key"])
    successor = made(rotate(tenancy, key))
    grandchild = made(rotate(tenancy, successor))
    assert tenancy.verify(successor["key"]).headers["X-RateLimit-Remaining"] == "1"
    assert tenancy.verify(grandchild["key"]).headers["X-RateLimit-Remaining"] == "0"
    for rotated in (key, successor, grandchild):
        assert refusal(tenancy.verify(rotated["key"])) == (429, "rate_limit_exceeded")


def test_a_key_is_rotated_once(tenancy: Tenancy) -> None:
    """Two people who rotate at once would each hold a successor, one of which nobody knows of."""
    key = tenancy.key()
    successor = made(rotate(tenancy, key))
    again = rotate(tenancy, key)
    assert refusal(again) == (409, "conflict")
    assert key["id"] in again.json()["message"]
    assert rotate(tenancy, successor).status_code == 201


def test_of_many_rotations_at_once_one_succeeds(fresh_tenancy: Tenancy) -> None:
    """As above, within a millisecond."""
    key = fresh_tenancy.key()
    clients = [fresh_tenancy.server.client(fresh_tenancy.owner_key["key"]) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda client: client.post(f"{PATH}/{key['id']}/rotate"), clients))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    listed = fresh_tenancy.api.get(PATH).json()["data"]
    assert len([one for one in listed if one["parent_id"] == key["id"]]) == 1


def test_what_is_not_active_is_not_rotated(fresh_tenancy: Tenancy) -> None:
    """A dead key would come back to life."""
    tenancy = fresh_tenancy
    disabled, revoked, expired = tenancy.key(), tenancy.key(), tenancy.key(expires_in=1)
    tenancy.api.post(f"{PATH}/{disabled['id']}/disable")
    tenancy.api.delete(f"{PATH}/{revoked['id']}")
    tenancy.server.clock.advance(1)
    before = tenancy.everything()
    for key, state in ((disabled, "disabled"), (revoked, "revoked"), (expired, "expired")):
        answer = rotate(tenancy, key)
        assert refusal(answer) == (409, "conflict")
        assert key["id"] in answer.json()["message"]
        assert state in answer.json()["message"]
    assert tenancy.everything() == before


def test_a_malformed_rotation_changes_nothing(fresh_tenancy: Tenancy) -> None:
    """A slip would end the only key that works."""
    tenancy = fresh_tenancy
    key = tenancy.key()
    before = tenancy.everything()
    for seconds in (-1, 2_592_001, "60", 1.5, None, True, [60]):
        answer = rotate(tenancy, key, overlap_seconds=seconds)
        assert refusal(answer) == (400, "invalid_request"), seconds
        assert answer.json()["field"] == "overlap_seconds"
    answer = rotate(tenancy, key, overlap=60)
    assert (refusal(answer), answer.json()["field"]) == ((400, "invalid_request"), "overlap")
    assert tenancy.everything() == before


def test_whose_keys_one_may_rotate(fresh_tenancy: Tenancy) -> None:
    """Whoever rotates a key holds its secret, and speaks for its owner from then on."""
    tenancy, other = fresh_tenancy, tenancy_on(fresh_tenancy.server)
    member = tenancy.user()
    mine = tenancy.key(user_id=member["id"])
    before = tenancy.everything()
    client = tenancy.client(mine["key"])
    assert refusal(client.post(f"{PATH}/{tenancy.owner_key['id']}/rotate")) == (404, "not_found")
    assert refusal(other.api.post(f"{PATH}/{mine['id']}/rotate")) == (404, "not_found")
    reader = tenancy.client(tenancy.key(user_id=member["id"], scopes=["read"])["key"])
    assert refusal(reader.post(f"{PATH}/{mine['id']}/rotate")) == (403, "insufficient_scope")
    writer = tenancy.client(tenancy.key(user_id=member["id"], scopes=["write"])["key"])
    assert refusal(writer.post(f"{PATH}/{mine['id']}/rotate")) == (403, "insufficient_scope"), "mine can read"
    assert len(tenancy.everything()["/v1/api-keys"]) == len(before["/v1/api-keys"]) + 2
    assert client.post(f"{PATH}/{mine['id']}/rotate").status_code == 201


def test_a_key_may_rotate_itself(tenancy: Tenancy) -> None:
    """A program could not keep its own key fresh."""
    key = tenancy.key(user_id=tenancy.user()["id"])
    client = tenancy.client(key["key"])
    for _ in range(3):
        identifier = client.get("/v1/auth/verify").json()["credential"]["id"]
        client = tenancy.client(made(client.post(f"{PATH}/{identifier}/rotate"))["key"])
    assert client.get("/v1/auth/verify").status_code == 200
