"""Refresh tokens of logins and of OAuth grants: spent once, however many spend them at once, and across restarts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx2
import pytest

from tests.serving import RunningServer
from tests.web.oauth import App, app_of
from tests.web.tenancy import Json, refusal

AT_ONCE = 50
TRIES = 20
GRACE_SECONDS = 10

Refresh = Callable[[str], httpx2.Response]


def fifty(ask: Refresh, refresh_token: str) -> Json:
    """What fifty who spend one token at once are all given."""
    gate = threading.Barrier(AT_ONCE)
    answers: list[httpx2.Response] = []

    def spend() -> None:
        gate.wait()
        answer = ask(refresh_token)
        # A busy machine may say that it cannot know; then nothing has been decided, and one asks again.
        for _ in range(TRIES):
            if answer.status_code != 503:
                break
            answer = ask(refresh_token)
        answers.append(answer)

    threads = [threading.Thread(target=spend) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * AT_ONCE
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    told: Json = answers[0].json()
    return told


def log_in(server: RunningServer) -> Json:
    """The tokens of a new login."""
    body = {"username": "admin@example.com", "password": server.founded.password}
    answer = server.nobody.post("/v1/auth/login", json=body)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return {**told, "access_token": told["token"]}


def of_logins(server: RunningServer) -> Refresh:
    """How a login goes on."""

    def refresh(refresh_token: str) -> httpx2.Response:
        return server.nobody.post("/v1/auth/refresh", json={"refresh_token": refresh_token})

    return refresh


def of_grants(server: RunningServer, shop: App) -> Refresh:
    """How a grant goes on."""

    def refresh(refresh_token: str) -> httpx2.Response:
        body = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return server.nobody.post("/oauth/token", data=body, auth=shop.auth)

    return refresh


def verified(server: RunningServer, told: Json) -> int:
    """Whether what was given is good."""
    token = told.get("access_token", told.get("token"))
    return server.nobody.get("/v1/auth/verify", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_fifty_one_goes_on_and_after_a_restart_the_spent_one_stays_spent(
    request: pytest.FixtureRequest,
    kind: str,
    serve_again: Callable[[str], AbstractContextManager[RunningServer]],
) -> None:
    """Attack 18, attack 19 (Keycloak CVE-2026-9802), attack 25: a rotated token worked again, because only memory knew that it was used."""
    url = request.getfixturevalue("sqlite_url" if kind == "sqlite" else "postgres_url")
    with serve_again(url) as server:
        shop = app_of(server.admin, server)
        owner = server.admin.get("/v1/users/me").json()
        ways: list[tuple[Json, Refresh]] = [
            (log_in(server), of_logins(server)),
            (shop.granted(owner), of_grants(server, shop)),
        ]
        families = [(first, fifty(ask, first["refresh_token"])) for first, ask in ways]
        (session,) = server.admin.get("/v1/sessions").json()["data"]
        events = server.admin.get("/v1/audit", params={"subject_id": session["id"]}).json()["data"]
        assert sorted(event["action"] for event in events) == ["session.opened", "session.refreshed"]
        assert len(server.admin.get("/v1/grants").json()["data"]) == 1
        ended = log_in(server)
        logged_out = server.nobody.post("/v1/auth/logout", headers={"Authorization": ended["token"]})
        assert logged_out.status_code == 204
        server.clock.advance(GRACE_SECONDS + 1)
    with serve_again(url) as server:
        refreshes: list[Any] = [of_logins(server), of_grants(server, shop)]
        assert verified(server, ended) == 401
        assert refusal(refreshes[0](ended["refresh_token"])) == (401, "invalid_token")
        for (first, second), refresh, refused in zip(
            families, refreshes, [(401, "invalid_token"), (400, "invalid_grant")], strict=True
        ):
            assert verified(server, second) == 200
            assert refusal(refresh(first["refresh_token"])) == refused
            assert verified(server, second) == verified(server, first) == 401
            assert refusal(refresh(second["refresh_token"])) == refused
