"""An `Idempotency-Key` replays an answer to whoever got it, and to nobody who merely knows the word."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.attacks.cast import NARROWED, OWN_SCOPE, Party, as_, party, refused
from tests.serving import RunningServer


@pytest.fixture
def word() -> dict[str, str]:
    """The header with a word of a test's own, as guessable as people make it."""
    return {"Idempotency-Key": f"deploy-{secrets.token_hex(4)}"}


@pytest.fixture
def there(house: RunningServer) -> Party:
    """A tenant of a test's own."""
    return party(house)


def test_two_users_words_never_meet(house: RunningServer, there: Party, word: dict[str, str]) -> None:
    """ASVS 8.2.2: the second user to say `1` would be handed the first one's new key."""
    stranger = party(house)
    made = [
        as_(house, who).post("/v1/api-keys", json={"name": "x"}, headers=word) for who in (*there, *stranger)
    ]
    assert {answer.status_code for answer in made} == {201}
    assert not any("idempotent-replayed" in answer.headers for answer in made)
    keys = [answer.json() for answer in made]
    assert len({key["key"] for key in keys}) == len(keys)
    assert [key["user_id"] for key in keys] == [who.id for who in (*there, *stranger)]


@pytest.mark.parametrize("body", [{"name": "x"}, {"name": "x", "scopes": ["write"]}])
def test_a_lesser_key_of_the_same_user_is_not_shown_what_a_greater_one_made(
    house: RunningServer, there: Party, word: dict[str, str], body: dict[str, Any]
) -> None:
    """ASVS 8.2.2: a found `write` key, a known word and a known body once gave out the secret of a wider key."""
    greater = house.create_key(user_id=there.owner.id, scopes=[*NARROWED, OWN_SCOPE])["key"]
    lesser = house.create_key(user_id=there.owner.id, scopes=["write"])["key"]
    made = house.client(greater).post("/v1/api-keys", json=body, headers=word)
    assert made.status_code == 201
    answer = house.client(lesser).post("/v1/api-keys", json=body, headers=word)
    assert refused(answer, 409, "conflict")
    assert made.json()["key"] not in answer.text


def test_a_rotation_is_not_replayed_to_a_lesser_key(
    house: RunningServer, there: Party, word: dict[str, str]
) -> None:
    """ASVS 8.2.2: the successor's secret is the predecessor's power."""
    greater = house.create_key(user_id=there.owner.id, scopes=["read", "write", OWN_SCOPE])
    lesser = house.create_key(user_id=there.owner.id, scopes=["write"])["key"]
    path = f"/v1/api-keys/{greater['id']}/rotate"
    successor = house.client(greater["key"]).post(path, headers=word).json()
    answer = house.client(lesser).post(path, headers=word)
    assert refused(answer, 403, "insufficient_scope")
    assert successor["key"] not in answer.text


def test_the_same_caller_gets_the_same_answer(
    house: RunningServer, there: Party, word: dict[str, str]
) -> None:
    """ASVS 2.3.3: a retry after a lost answer would otherwise make a second key, or lose the first for good."""
    client = as_(house, there.owner)
    first = client.post("/v1/api-keys", json={"name": "x"}, headers=word)
    again = client.post("/v1/api-keys", json={"name": "x"}, headers=word)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/api-keys", {"name": "y"}),
        ("/v1/api-keys", {"name": "x", "scopes": ["admin"]}),
        ("/v1/users", {"email": "a@example.com"}),
        ("/v1/api-keys/{key}/rotate", None),
    ],
)
def test_a_word_stands_for_one_call(
    house: RunningServer, there: Party, word: dict[str, str], path: str, body: dict[str, Any] | None
) -> None:
    """ASVS 2.3.3: an answer to another question would pass for the answer to this one."""
    client = as_(house, there.owner)
    assert client.post("/v1/api-keys", json={"name": "x"}, headers=word).status_code == 201
    other = house.create_key(user_id=there.owner.id)["id"]
    assert refused(client.post(path.format(key=other), json=body, headers=word), 409, "conflict")


@pytest.mark.parametrize("deed", ["disable", "delete", "demote"])
def test_a_word_is_no_credential(house: RunningServer, there: Party, word: dict[str, str], deed: str) -> None:
    """ASVS 8.3.2: who lost their place, or their powers, must not fetch yesterday's secret with yesterday's word."""
    client = as_(house, there.admin)
    body = {"name": "x", "scopes": ["admin"]}
    made = client.post("/v1/api-keys", json=body, headers=word)
    assert made.status_code == 201
    path = f"/v1/users/{there.admin.id}"
    if deed == "delete":
        house.admin.delete(path)
    else:
        house.admin.patch(path, json={"status": "disabled"} if deed == "disable" else {"role": "member"})
    answer = client.post("/v1/api-keys", json=body, headers=word)
    assert answer.status_code in {401, 403}
    assert made.json()["key"] not in answer.text
    assert refused(house.client().post("/v1/api-keys", json=body, headers=word), 401, "missing_api_key")


def test_a_refused_call_keeps_no_word(house: RunningServer, there: Party, word: dict[str, str]) -> None:
    """ASVS 2.3.3: a mistake would use the word up, and its correction would be refused for a day."""
    client = as_(house, there.owner)
    assert client.post("/v1/api-keys", json={"name": ""}, headers=word).status_code == 400
    assert (
        client.post("/v1/api-keys", json={"name": "x", "scopes": ["nonsense"]}, headers=word).status_code
        == 400
    )
    assert client.post("/v1/api-keys", json={"name": "x"}, headers=word).status_code == 201


def test_of_many_at_once_one_is_carried_out(house: RunningServer, there: Party, word: dict[str, str]) -> None:
    """ASVS 2.3.4: a client that retries too early would own two keys and know of one."""
    with ThreadPoolExecutor(12) as pool:
        answers = list(
            pool.map(
                lambda _: as_(house, there.owner).post("/v1/api-keys", json={"name": "x"}, headers=word),
                range(12),
            )
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["key"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


def test_a_word_is_forgotten_in_time(house: RunningServer, there: Party, word: dict[str, str]) -> None:
    """ASVS 8.3.2: a secret that can be fetched again for ever is a secret that is stored for ever."""
    client = as_(house, there.owner)
    first = client.post("/v1/api-keys", json={"name": "x"}, headers=word).json()
    house.clock.advance(house.settings.idempotency_seconds)
    second = client.post("/v1/api-keys", json={"name": "x"}, headers=word)
    assert "idempotent-replayed" not in second.headers
    assert second.json()["key"] != first["key"]


def test_the_kept_answer_cannot_be_read_from_the_database(
    house: RunningServer, there: Party, word: dict[str, str]
) -> None:
    """ASVS 11.3.2: a stolen database would give out every key that was made today."""
    made = as_(house, there.owner).post("/v1/api-keys", json={"name": "x"}, headers=word).json()
    path = house.settings.sqlite_path
    assert path is not None
    held = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    random = made["key"].split("_")[2][22:]
    assert made["id"].encode() in held
    for secret in (made["key"], random, word["Idempotency-Key"]):
        assert secret.encode() not in held
