"""What a request may say: parameters that exist, once; whole numbers; names that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bonafides.authority import Authority
from bonafides.errors import NotFound
from bonafides.model import Actor, Principal
from tests.serving import RunningServer, running, settings_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for the whole file."""
    folder = tmp_path_factory.mktemp("server")
    with running(settings_for(f"sqlite:///{folder}/bonafides.db", folder)) as server:
        yield server


@pytest.mark.parametrize(
    "path",
    [
        "/v1/api-keys?scopes=read",
        "/v1/users/me?limit=1",
        "/v1/auth/verify?scopes=admin",
        "/auth/forward?scop=admin",
        "/auth/forward/nginx?Scope=admin",
    ],
)
def test_a_parameter_that_does_not_exist_is_refused_by_name(server: RunningServer, path: str) -> None:
    """A misspelt `scope` would check nothing, and a misspelt filter would filter nothing."""
    name = path.partition("?")[2].partition("=")[0]
    refused = server.admin.get(path)
    assert (refused.status_code, refused.json()["field"]) == (400, name)
    assert f"'{name}' is not a query parameter of this call." in refused.json()["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/auth/verify?scope=admin&scope=read",
        "/auth/forward?scope=admin&scope=read",
        "/v1/api-keys?limit=1&limit=2",
    ],
)
def test_a_parameter_that_is_given_twice_is_refused(server: RunningServer, path: str) -> None:
    """A client that can add to a proxy's query would choose itself which scope is asked of it."""
    refused = server.admin.get(path)
    assert refused.status_code == 400
    assert refused.json()["message"].endswith("must be given once.")


@pytest.mark.parametrize("name", ["山田　太郎", "👩‍💻 laptop", "Zoë's key", "می‌خواهم", " padded "])
def test_names_are_written_as_people_write_them(server: RunningServer, name: str) -> None:
    """People whose script uses joiners or wide spaces could not name their keys."""
    assert server.create_key(name=name)["name"] == name.strip()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "a\nb",
        "a\n",
        "\ta",
        "a\x7fb",
        "a\u202egnirts",
        "a\u200bb",
        "a\ufeff",
        "a\U000e0041",
        "a\x85",
    ],
)
def test_names_with_characters_that_cannot_be_seen_are_refused(server: RunningServer, name: str) -> None:
    """A name could hide or reverse a part of a log line, or look like another one."""
    refused = server.admin.post("/v1/api-keys", json={"name": name})
    assert (refused.status_code, refused.json()["field"]) == (400, "name")


@pytest.mark.parametrize(
    "email", ["a@b", "a@b..c", " a@example.com", "a b@example.com", "a@exa\u200bmple.com"]
)
def test_an_address_that_is_none_is_refused(server: RunningServer, email: str) -> None:
    """An address with a space that nobody sees would be another user than the one without."""
    refused = server.admin.post("/v1/users", json={"email": email})
    assert (refused.status_code, refused.json()["field"]) == (400, "email")


@pytest.mark.parametrize("text", ["60", "60.0", "6e1", "6E+1"])
def test_a_whole_number_may_be_written_with_a_fraction_of_nothing(server: RunningServer, text: str) -> None:
    """JSON has one kind of number, so clients that write 60.0 would be refused what the description allows."""
    made = server.admin.post(
        "/v1/api-keys",
        content=f'{{"name": "a", "expires_in": {text}}}',
        headers={"Content-Type": "application/json"},
    )
    assert made.status_code == 201, made.text


@pytest.mark.parametrize("text", ["60.5", '"60"', "true", "0", "1e400", "3162240001"])
def test_what_is_no_whole_number_within_bounds_is_refused(server: RunningServer, text: str) -> None:
    """A key would live for another time than its maker thinks."""
    refused = server.admin.post(
        "/v1/api-keys",
        content=f'{{"name": "a", "expires_in": {text}}}',
        headers={"Content-Type": "application/json"},
    )
    assert refused.status_code == 400


def test_a_repeated_creating_call_is_answered_with_the_place_too(server: RunningServer) -> None:
    """A client that follows Location would fail on the retry alone, where it matters most."""
    sent: dict[str, Any] = {"json": {"name": "once"}, "headers": {"Idempotency-Key": "place"}}
    first, again = (server.admin.post("/v1/api-keys", **sent) for _ in range(2))
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"] == f"/v1/api-keys/{first.json()['id']}"
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


def test_a_repeated_change_of_a_plan_is_answered_as_the_change_was(server: RunningServer) -> None:
    """A retry would report a plan as new that was changed, with a time at which it was not made."""
    server.create_plan("changed", burst=1)
    server.clock.advance(60)
    body = {"name": "changed", "requests_per_hour": 5, "burst": 2}
    sent: dict[str, Any] = {"json": body, "headers": {"Idempotency-Key": "change"}}
    first, again = (server.admin.post("/v1/plans", **sent) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "location" not in again.headers


def test_a_repeated_creation_of_a_plan_is_answered_as_the_creation_was(server: RunningServer) -> None:
    """A retry would be told that the plan had existed."""
    body = {"name": "fresh", "requests_per_hour": 5, "burst": 2}
    sent: dict[str, Any] = {"json": body, "headers": {"Idempotency-Key": "fresh"}}
    first, again = (server.admin.post("/v1/plans", **sent) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"] == "/v1/plans/fresh"


def test_a_user_who_vanishes_during_a_call_has_no_good_credential(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call whose own user is deleted in that moment would be told that the thing it asks for is not there."""

    async def gone(_: Principal, __: Actor) -> Authority:
        message = "Your user no longer exists."
        raise NotFound(message)

    monkeypatch.setattr(server.rooms.directory, "authority", gone)
    refused = server.admin.get("/v1/plans")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_api_key")
    assert "www-authenticate" in refused.headers
