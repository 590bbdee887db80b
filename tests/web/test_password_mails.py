"""Forgotten passwords and invitations: from a mail to a password, for its reader alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.serving import RunningServer
from tests.web.people import Person, login, person
from tests.web.tenancy import Tenancy, refusal
from tests.web.test_second_factors import enrol, finish

NEW = "several quiet paper lanterns"
TOKEN = re.compile(r"bf_(?:rst|inv)_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}")


class Postbox:
    """What a server's letters say, in place of a mail server."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._messages: list[EmailMessage] = []
        server.rooms.mail._carry = self._messages.append

    def to(self, address: str) -> list[str]:
        """Every letter to somebody, once all have arrived, but for those of their logins."""
        asyncio.run_coroutine_threadsafe(self._server.rooms.outbox.settle(), self._server.loop).result(30)
        return [
            f"{message['Subject']}\n{message.get_content()}"
            for message in self._messages
            if message["To"] == address and message["Subject"] != "A sign-in from a new place"
        ]


@pytest.fixture
def box(tenancy: Tenancy) -> Iterator[Postbox]:
    """Takes the server's letters; ten minutes later, so that each test may ask for mails."""
    tenancy.server.clock.advance(4_000)
    before = tenancy.server.rooms.mail._carry
    yield Postbox(tenancy.server)
    tenancy.server.rooms.mail._carry = before


def forget(server: RunningServer, username: str, **body: str) -> tuple[int, bytes]:
    """Ask for a mail."""
    answer = server.client().post("/v1/auth/password/forgotten", json={"username": username, **body})
    return answer.status_code, answer.content


def choose(server: RunningServer, token: str, password: str = NEW) -> int:
    """Choose a password with what a mail brought."""
    body = {"token": token, "new_password": password}
    return server.client().post("/v1/auth/password/reset", json=body).status_code


def token_in(letter: str) -> str:
    """What serves once."""
    found = {str(token) for token in TOKEN.findall(letter)}
    assert len(found) == 1
    return found.pop()


def test_who_forgot_their_password_chooses_another(tenancy: Tenancy, box: Postbox) -> None:
    """Every forgotten password would be a call to an admin."""
    ada = person(tenancy)
    server = ada.server
    old = login(ada).json()["token"]
    assert forget(server, f" {ada.email.upper()} ") == (204, b"")
    (letter,) = box.to(ada.email)
    token = token_in(letter)
    assert f"https://api.example.com/choose-password#{token}" in letter
    assert login(ada).status_code == 200
    assert choose(server, token) == 204
    assert choose(server, token, "another one of these") == 401
    assert server.client(old).get("/v1/auth/verify").status_code == 401
    assert login(ada).status_code == 401
    assert login(ada, password=NEW).status_code == 200
    assert "A new password was chosen" in box.to(ada.email)[1]
    actions = set(tenancy.actions(subject_id=ada.id))
    assert {"user.password_forgotten", "user.password_reset"} <= actions


def test_nobody_learns_who_has_an_account(tenancy: Tenancy, box: Postbox) -> None:
    """Attack 43, ASVS 6.3.8: whoever tries addresses would find out who is a customer."""
    known, disabled = person(tenancy), person(tenancy)
    tenancy.operator.patch(f"/v1/users/{disabled.id}", json={"status": "disabled"})
    told = {forget(tenancy.server, name) for name in (known.email, disabled.email, "nobody@example.com", "x")}
    assert told == {(204, b"")}
    assert len(box.to(known.email)) == 1
    assert box.to(disabled.email) == box.to("nobody@example.com") == []


def test_only_the_tenant_that_is_named_gets_a_mail(
    tenancy: Tenancy, fresh_tenancy: Tenancy, box: Postbox
) -> None:
    """Somebody with two accounts would reset both."""
    first = person(tenancy)
    second = person(fresh_tenancy, email=first.email)
    forget(tenancy.server, first.email, tenant_id=second.tenant_id)
    (letter,) = box.to(first.email)
    assert choose(tenancy.server, token_in(letter)) == 204
    assert login(first).status_code == 200
    assert login(second, password=NEW).status_code == 200
    tenancy.server.clock.advance(4_000)
    forget(tenancy.server, first.email)
    assert len(box.to(first.email)) == 4


def test_mails_are_not_sent_without_end(tenancy: Tenancy, box: Postbox) -> None:
    """ASVS 2.4.1: anybody could fill anybody's mailbox."""
    ada = person(tenancy)
    told = [forget(ada.server, ada.email.swapcase() if n % 2 else ada.email)[0] for n in range(4)]
    assert told == [204] * 3 + [429]
    assert [forget(ada.server, f"made up {name}")[0] for name in "abcd"] == [204] * 4
    letters = box.to(ada.email)
    assert len(letters) == 3
    tokens = [token_in(letter) for letter in letters]
    assert [choose(ada.server, token, f"{NEW} {n}") for n, token in enumerate(tokens)].count(204) == 1


def test_a_mail_serves_for_ten_minutes_and_for_the_address_that_it_went_to(
    tenancy: Tenancy, box: Postbox
) -> None:
    """ASVS 6.5.5, attack 44: an old mail, or a mailbox that changed hands, would open the account."""
    ada, bob = person(tenancy), person(tenancy)
    forget(ada.server, ada.email)
    forget(ada.server, bob.email)
    late, moved = token_in(box.to(ada.email)[0]), token_in(box.to(bob.email)[0])
    tenancy.operator.patch(f"/v1/users/{bob.id}", json={"email": f"new-{bob.email}"})
    assert choose(ada.server, moved) == 401
    ada.server.clock.advance(600)
    assert choose(ada.server, late) == 401


def test_links_lead_to_us_whatever_a_request_says(tenancy: Tenancy, box: Postbox) -> None:
    """Attack 39 (CVE-2025-64101, CVE-2023-36456): the mail would lead to the site of whoever asked for it."""
    ada = person(tenancy)
    headers = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "Forwarded": "host=evil.example",
        "Origin": "https://evil.example",
    }
    body = {"username": ada.email}
    answer = ada.server.client().post("/v1/auth/password/forgotten", json=body, headers=headers)
    assert answer.status_code == 204
    (letter,) = box.to(ada.email)
    assert "evil" not in letter
    assert "https://api.example.com/choose-password#bf_rst_" in letter


def test_a_mailed_reset_leaves_the_second_factor(tenancy: Tenancy, box: Postbox) -> None:
    """ASVS 6.4.3: whoever reads somebody's mail would be in."""
    ada = person(tenancy)
    app, _ = enrol(ada.server.client(login(ada).json()["token"]), ada.server)
    forget(ada.server, ada.email)
    token = next(token_in(letter) for letter in box.to(ada.email) if TOKEN.search(letter))
    assert choose(ada.server, token) == 204
    told = login(ada, password=NEW).json()
    assert finish(ada.server, told["mfa_token"], app.fresh()).status_code == 200
    letters = " ".join(box.to(ada.email))
    assert "An authenticator app was added" in letters


def test_an_invitation_is_the_way_to_a_first_password(tenancy: Tenancy, box: Postbox) -> None:
    """ASVS 6.4.1: an admin would have to choose, and know, everybody's first password."""
    user = tenancy.user()
    path = f"/v1/users/{user['id']}/invitation"
    answer = tenancy.api.post(path)
    assert answer.status_code == 200, answer.text
    assert answer.json()["token"] is None
    first = token_in(box.to(user["email"])[0])
    assert tenancy.api.post(path).status_code == 200
    second = token_in(box.to(user["email"])[1])
    assert second.startswith("bf_inv_")
    assert choose(tenancy.server, first) == 401
    assert choose(tenancy.server, second, "short") == 400
    assert choose(tenancy.server, second) == 204
    assert choose(tenancy.server, second) == 401
    body = {"username": user["email"], "password": NEW}
    assert tenancy.client().post("/v1/auth/login", json=body).status_code == 200
    assert refusal(tenancy.api.post(path)) == (409, "conflict")
    assert "user.invited" in tenancy.actions(subject_id=user["id"])


def test_only_whom_it_concerns_invites(tenancy: Tenancy, fresh_tenancy: Tenancy, box: Postbox) -> None:
    """Attack 44 (CVE-2026-1529), attack 47: anybody would let themselves in as anybody."""
    user = tenancy.user()
    path = f"/v1/users/{user['id']}/invitation"
    assert refusal(tenancy.member().post(path)) == (403, "insufficient_scope")
    assert refusal(fresh_tenancy.api.post(path)) == (404, "not_found")
    service = tenancy.operator.post(
        "/v1/users", json={"kind": "service", "name": "billing", "tenant_id": tenancy.id}
    ).json()
    assert refusal(tenancy.api.post(f"/v1/users/{service['id']}/invitation")) == (400, "invalid_request")
    assert box.to(user["email"]) == []


def test_without_a_mail_server_an_admin_hands_the_invitation_over(tenancy: Tenancy) -> None:
    """Nobody could be invited."""
    carry = tenancy.server.rooms.mail._carry
    tenancy.server.rooms.mail._carry = None
    try:
        user = tenancy.user()
        token = tenancy.api.post(f"/v1/users/{user['id']}/invitation").json()["token"]
        assert forget(tenancy.server, user["email"])[0] == 204
    finally:
        tenancy.server.rooms.mail._carry = carry
    assert choose(tenancy.server, token) == 204


def test_a_changed_password_is_told_to_its_owner(tenancy: Tenancy, box: Postbox) -> None:
    """A thief who changes it would go unnoticed."""
    ada: Person = person(tenancy)
    client = ada.server.client(login(ada).json()["token"])
    body = {"current_password": ada.password, "new_password": NEW}
    assert client.post("/v1/auth/password", json=body).status_code == 200
    (letter,) = box.to(ada.email)
    assert "was changed" in letter
    assert NEW not in letter
