"""`/v1/users/{id}/notifications`: which letters a person gets."""

from __future__ import annotations

from tests.web.people import person
from tests.web.tenancy import Tenancy, refusal, tenancy_on

TOPICS = ("expiring_credentials", "new_places", "disabled_webhooks")


def test_a_person_chooses_their_letters(tenancy: Tenancy) -> None:
    """Whoever cannot switch letters off filters all of them away, the warning of a theft included."""
    who = person(tenancy)
    path = f"/v1/users/{who.id}/notifications"
    client = tenancy.client(tenancy.key(user_id=who.id)["key"])
    told = {"object": "notifications", "user_id": who.id, "account_changes": True}
    assert client.get(path).json() == {**told, **dict.fromkeys(TOPICS, True)}
    answer = client.patch(path, json={"new_places": False})
    assert (answer.status_code, answer.json()) == (
        200,
        {**told, **dict.fromkeys(TOPICS, True), "new_places": False},
    )
    assert client.patch(path, json={}).json() == client.get(path).json() == answer.json()
    assert "user.notifications_changed" in tenancy.actions(subject_id=who.id)
    wrong: tuple[object, ...] = ({"account_changes": False}, {"new_places": "no"}, {"new_places": None}, [])
    for body in wrong:
        assert refusal(client.patch(path, json=body)) == (400, "invalid_request"), body
    service = tenancy.user("member", kind="service", email=None, name="a program")
    assert refusal(tenancy.api.get(f"/v1/users/{service['id']}/notifications")) == (400, "invalid_request")


def test_letters_of_others_are_not_ones_own_to_choose(tenancy: Tenancy) -> None:
    """Attack 24: a thief would switch off the letter that tells of them, from a colleague's key."""
    who = person(tenancy)
    path = f"/v1/users/{who.id}/notifications"
    stranger = tenancy_on(tenancy.server)
    for call in (stranger.api.get, stranger.member().get):
        assert refusal(call(path))[0] in {403, 404}
    assert refusal(tenancy.member().patch(path, json={"new_places": False})) == (403, "insufficient_scope")
    assert tenancy.api.patch(path, json={"new_places": False}).status_code == 200
