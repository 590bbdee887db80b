"""`/v1/auth/factors` and the second step of a login: what is proven beside a password, and that nothing goes around it."""

from __future__ import annotations

import threading
from typing import Any

import httpx2
import jwt
import pyotp
import pytest

from tests.serving import RunningServer
from tests.web.people import Person, login, person
from tests.web.tenancy import Tenancy, refusal


class App:
    """An authenticator app: it shows the code of its server's now."""

    def __init__(self, server: RunningServer, secret: str) -> None:
        self._server = server
        self._totp = pyotp.TOTP(secret)

    def code(self, after_seconds: int = 0) -> str:
        """What it shows, so many seconds from now."""
        return self._totp.at(self._server.clock.now_us // 1_000_000 + after_seconds)

    def fresh(self) -> str:
        """A code that was not used before, because time has gone by."""
        self._server.clock.advance(60)
        return self.code()

    def wrong(self) -> str:
        """A code that it does not show now, nor around now."""
        shown = {self.code(drift) for drift in (-30, 0, 30)}
        return next(code for code in ("000000", "111111", "222222", "333333") if code not in shown)


def enrol(client: httpx2.Client, server: RunningServer, **options: Any) -> tuple[App, list[str]]:
    """Set an authenticator app up; with its recovery codes."""
    begun = client.post("/v1/auth/factors", json={"kind": "totp"})
    assert begun.status_code == 201, begun.text
    app = App(server, begun.json()["secret"])
    confirmed = client.post("/v1/auth/factors/totp/confirm", json={"code": app.code(), **options})
    assert confirmed.status_code == 200, confirmed.text
    return app, confirmed.json()["recovery_codes"]


def finish(server: RunningServer, mfa_token: str, code: str, **options: Any) -> httpx2.Response:
    """Take the second step of a login."""
    body = {"mfa_token": mfa_token, "code": code}
    return server.client().post("/v1/auth/login/second-factor", json=body, **options)


def step(who: Person) -> str:
    """Take the first step of a login; the token for the second."""
    answer = login(who)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert set(told) == {"mfa_required", "mfa_token", "factors"}
    assert told["mfa_required"] is True
    token: str = told["mfa_token"]
    return token


@pytest.fixture
def ada(tenancy: Tenancy) -> Person:
    """Somebody with a password."""
    return person(tenancy)


def test_a_login_takes_a_code_once_an_app_is_set_up(ada: Person) -> None:
    """ASVS 6.3.3: a password that was read over a shoulder would open the account."""
    server = ada.server
    client = server.client(login(ada).json()["token"])
    empty = {"data": [], "recovery_codes_left": 0, "next_cursor": None}
    assert client.get("/v1/auth/factors").json() == empty
    app, codes = enrol(client, server)
    assert len(set(codes)) == 10
    listed = client.get("/v1/auth/factors").json()
    assert [(each["id"], each["kind"]) for each in listed["data"]] == [("totp", "totp")]
    assert listed["recovery_codes_left"] == 10
    told = login(ada).json()
    assert told["factors"] == ["totp", "recovery_code"]
    assert refusal(finish(server, told["mfa_token"], app.wrong())) == (401, "invalid_credentials")
    answer = finish(server, told["mfa_token"], app.fresh())
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"token", "expires_at", "refresh_token"}
    assert answer.headers["cache-control"] == "no-store"
    claims = jwt.decode(answer.json()["token"], options={"verify_signature": False})
    assert claims["amr"] == ["otp", "pwd"]
    other = server.client(answer.json()["token"])
    sessions = {each["id"]: each["methods"] for each in other.get("/v1/sessions").json()["data"]}
    assert sessions[claims["sid"]] == ["otp", "pwd"]
    refreshed = server.client().post(
        "/v1/auth/refresh", json={"refresh_token": answer.json()["refresh_token"]}
    )
    claims = jwt.decode(refreshed.json()["token"], options={"verify_signature": False})
    assert claims["amr"] == ["otp", "pwd"]
    assert {"user.totp_begun", "user.factor_added"} <= set(ada.tenancy.actions(subject_id=ada.id))


def test_an_app_that_was_not_confirmed_counts_for_nothing(ada: Person) -> None:
    """Whoever closes the page before the picture was scanned would be locked out."""
    server = ada.server
    client = server.client(login(ada).json()["token"])
    first = client.post("/v1/auth/factors", json={}).json()
    assert first["uri"].startswith("otpauth://totp/Bonafides")
    assert ada.email.replace("@", "%40") in first["uri"]
    assert first["qr_svg"].startswith("<svg ")
    assert "<script" not in first["qr_svg"]
    assert "token" in login(ada).json()
    assert client.get("/v1/auth/factors").json()["data"] == []
    second = client.post("/v1/auth/factors", json={"kind": "totp"}).json()
    old, new = App(server, first["secret"]), App(server, second["secret"])
    confirm = "/v1/auth/factors/totp/confirm"
    if old.code() != new.code():  # by one chance in a million they are the same
        assert refusal(client.post(confirm, json={"code": old.code()})) == (400, "invalid_request")
    assert client.post(confirm, json={"code": new.code()}).status_code == 200
    assert refusal(client.post(confirm, json={"code": new.fresh()})) == (409, "conflict")
    assert refusal(client.post("/v1/auth/factors", json={})) == (409, "conflict")


def test_a_setup_that_was_left_alone_ends(ada: Person) -> None:
    """A secret on a page that was left open would become somebody else's factor days later."""
    server = ada.server
    begun = server.client(login(ada).json()["token"]).post("/v1/auth/factors", json={})
    server.clock.advance(901)
    client = server.client(login(ada).json()["token"])
    app = App(server, begun.json()["secret"])
    answer = client.post("/v1/auth/factors/totp/confirm", json={"code": app.code()})
    assert refusal(answer) == (409, "conflict")


def test_a_code_serves_once(ada: Person) -> None:
    """ASVS 6.5.1, ASVS 6.5.5: whoever sees a code being typed in would use it a second later."""
    server = ada.server
    client = server.client(login(ada).json()["token"])
    app, codes = enrol(client, server)
    assert refusal(finish(server, step(ada), app.code())) == (401, "invalid_credentials")
    code = app.fresh()
    assert finish(server, step(ada), code).status_code == 200
    assert refusal(finish(server, step(ada), code)) == (401, "invalid_credentials")
    server.clock.advance(300)
    typed = codes[0].upper().replace("-", " ")
    assert finish(server, step(ada), typed).status_code == 200
    assert refusal(finish(server, step(ada), codes[0])) == (401, "invalid_credentials")
    assert client.get("/v1/auth/factors").json()["recovery_codes_left"] == 9


def test_a_code_is_good_for_its_half_minute_and_the_ones_beside_it(ada: Person) -> None:
    """ASVS 6.5.5: a code that was written down would open the account an hour later; a slow clock locks nobody out."""
    server = ada.server
    app, _ = enrol(server.client(login(ada).json()["token"]), server)
    server.clock.advance(300)
    for drift, status in ((-60, 401), (60, 401), (-30, 200), (30, 200)):
        assert finish(server, step(ada), app.code(drift)).status_code == status


def test_a_step_opens_one_session(ada: Person) -> None:
    """A step that was intercepted would open a session beside the owner's."""
    server = ada.server
    app, codes = enrol(server.client(login(ada).json()["token"]), server)
    token = step(ada)
    assert finish(server, token, app.fresh()).status_code == 200
    assert refusal(finish(server, token, codes[0])) == (401, "invalid_credentials")
    late = step(ada)
    server.clock.advance(300)
    assert refusal(finish(server, late, codes[1])) == (401, "invalid_credentials")
    one, other = step(ada), step(ada)
    assert finish(server, one, codes[2]).status_code == finish(server, other, codes[3]).status_code == 200


def test_of_one_code_at_once_one_session_comes(ada: Person) -> None:
    """ASVS 2.3.4, attack 18: each extra session is one that nobody can account for."""
    server = ada.server
    app, _ = enrol(server.client(login(ada).json()["token"]), server)
    steps = [step(ada) for _ in range(8)]
    code = app.fresh()
    gate = threading.Barrier(len(steps))
    told: list[int] = []

    def spend(client: httpx2.Client, token: str) -> None:
        gate.wait()
        body = {"mfa_token": token, "code": code}
        told.append(client.post("/v1/auth/login/second-factor", json=body).status_code)

    threads = [threading.Thread(target=spend, args=(server.client(), token)) for token in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count(200) == 1
    assert set(told) <= {200, 401, 429}


def test_codes_cannot_be_tried_without_end_and_nobody_is_locked_out(ada: Person) -> None:
    """Attack 41 (CVE-2025-64102, CVE-2024-32868), ASVS 6.3.1: a million codes are tried in an afternoon."""
    server = ada.server
    app, codes = enrol(server.client(login(ada).json()["token"]), server)
    told = [finish(server, step(ada), app.wrong()).status_code for _ in range(6)]
    assert told == [401] * 5 + [429]
    token = step(ada)
    refused = finish(server, token, codes[0])
    assert refusal(refused) == (429, "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) >= 1
    server.clock.advance(int(refused.headers["retry-after"]))
    assert finish(server, token, codes[0]).status_code == 200
    assert finish(server, step(ada), app.wrong()).status_code == 401


def test_the_first_step_alone_opens_nothing(ada: Person) -> None:
    """Attack 42 (CVE-2026-9091, CVE-2026-49448): whoever has the password would leave the second step out."""
    server = ada.server
    client = server.client(login(ada).json()["token"])
    app, _ = enrol(client, server)
    token = step(ada)
    assert server.client(token).get("/v1/auth/verify").status_code == 401
    refresh = server.client().post("/v1/auth/refresh", json={"refresh_token": token})
    assert refusal(refresh) == (401, "invalid_token")
    path = "/v1/auth/login/second-factor"
    for body in (
        {},
        {"mfa_token": token},
        {"mfa_token": token, "code": ""},
        {"mfa_token": token, "code": None},
        {"mfa_token": token, "code": []},
        {"mfa_token": token, "code": 123456},
        {"mfa_token": None, "code": app.code()},
    ):
        assert refusal(server.client().post(path, json=body)) == (400, "invalid_request"), body
    assert refusal(server.client().post(path)) == (400, "invalid_request")
    other = person(ada.tenancy)
    others, _ = enrol(server.client(login(other).json()["token"]), server)
    wrong = (" ", "-", "abcdef", "٠٠٠٠٠٠", others.fresh(), f"{app.code()}0", app.code()[:5])
    for code in wrong:
        token = step(ada)
        server.clock.advance(60)
        assert finish(server, token, code).status_code in {401, 429}, code
    for nonsense in ("x", token[:-1], f"{token}0", ada.tenancy.owner_key["key"]):
        assert refusal(finish(server, nonsense, app.fresh())) == (401, "invalid_credentials")


def test_a_reset_does_not_go_around_it(ada: Person) -> None:
    """ASVS 6.4.3, attack 42: whoever reads somebody's mail would be in."""
    server = ada.server
    app, _ = enrol(server.client(login(ada).json()["token"]), server)
    half = step(ada)
    begun = ada.tenancy.operator.post(f"/v1/users/{ada.id}/password-reset").json()
    new = "several quiet paper lanterns"
    body = {"token": begun["token"], "new_password": new}
    assert server.client().post("/v1/auth/password/reset", json=body).status_code == 204
    assert refusal(finish(server, half, app.fresh())) == (401, "invalid_credentials")
    told = login(ada, password=new).json()
    assert told["mfa_required"] is True
    assert finish(server, told["mfa_token"], app.fresh()).status_code == 200


def test_a_change_of_factors_ends_what_is_half_done(ada: Person) -> None:
    """A login that was begun under the old factor would be finished under none."""
    server = ada.server
    client = server.client(login(ada).json()["token"])
    app, codes = enrol(client, server)
    half = step(ada)
    assert client.delete("/v1/auth/factors/totp").status_code == 200
    assert refusal(finish(server, half, codes[0])) == (401, "invalid_credentials")
    assert refusal(finish(server, half, app.fresh())) == (401, "invalid_credentials")
    assert "token" in login(ada).json()
    assert client.get("/v1/auth/factors").json()["recovery_codes_left"] == 0
    assert refusal(client.delete("/v1/auth/factors/totp")) == (404, "not_found")
    assert refusal(client.post("/v1/auth/recovery-codes")) == (409, "conflict")


@pytest.mark.parametrize("change", ["confirm", "remove"])
def test_other_sessions_end_where_that_is_wanted(ada: Person, change: str) -> None:
    """ASVS 7.4.3: a thief who is logged in would stay when the owner makes the account safe."""
    server = ada.server
    mine, kept, other = (server.client(login(ada).json()["token"]) for _ in range(3))
    if change == "confirm":
        enrol(mine, server)
        assert kept.get("/v1/auth/verify").status_code == 200
        mine.delete("/v1/auth/factors/totp")
        enrol(mine, server, end_sessions=True)
    else:
        enrol(mine, server)
        answer = mine.delete("/v1/auth/factors/totp?end_sessions=true")
        assert answer.json() == {"ended_sessions": 2}
    assert refusal(other.get("/v1/auth/verify")) == (401, "invalid_token")
    assert mine.get("/v1/auth/verify").status_code == 200


def test_new_codes_replace_the_old_ones(ada: Person) -> None:
    """ASVS 6.5.3, ASVS 6.5.4: a list that was lost, or that could be guessed, would go on opening the account."""
    server = ada.server
    client = server.client(login(ada).json()["token"])
    _, old = enrol(client, server)
    new = client.post("/v1/auth/recovery-codes").json()["recovery_codes"]
    assert not set(new) & set(old)
    assert len({*new, *old}) == len(new) + len(old)
    assert all(len(code.replace("-", "")) >= 10 for code in new)
    assert refusal(finish(server, step(ada), old[0])) == (401, "invalid_credentials")
    assert finish(server, step(ada), new[0]).status_code == 200


def test_the_second_step_sets_cookies_as_the_first_would(ada: Person) -> None:
    """People with a second factor could not use the pages."""
    server = ada.server
    app, _ = enrol(server.client(login(ada).json()["token"]), server)
    answer = finish(server, step(ada), app.fresh(), params={"cookie": "true"})
    assert set(answer.json()) == {"expires_at"}
    cookies = answer.headers.get_list("set-cookie")
    assert [cookie.split("=")[0] for cookie in cookies] == ["__Host-session", "__Host-refresh"]
    foreign = finish(
        server,
        step(ada),
        app.fresh(),
        params={"cookie": "true"},
        headers={"Origin": "https://evil.example.com"},
    )
    assert refusal(foreign) == (400, "invalid_request")


def test_only_a_person_who_has_logged_in_changes_their_factors(ada: Person) -> None:
    """A token in a script's configuration would be enough to take the second factor away."""
    server = ada.server
    enrol(server.client(login(ada).json()["token"]), server)
    key = ada.tenancy.owner_key["key"]
    for method, path in (
        ("POST", "/v1/auth/factors"),
        ("POST", "/v1/auth/recovery-codes"),
        ("DELETE", "/v1/auth/factors/totp"),
    ):
        answer = server.client(key).request(method, path, json={} if path == "/v1/auth/factors" else None)
        assert refusal(answer) == (403, "insufficient_scope"), path
    confirm = server.client(key).post("/v1/auth/factors/totp/confirm", json={"code": "000000"})
    assert refusal(confirm) == (403, "insufficient_scope")


def test_an_admin_takes_factors_away_from_who_has_lost_them_and_nobody_else_does(
    ada: Person, fresh_tenancy: Tenancy
) -> None:
    """Attack 47: a lost phone would be a lost account; anybody's admin could strip anybody's account."""
    server = ada.server
    client = server.client(login(ada).json()["token"])
    enrol(client, server)
    path = f"/v1/users/{ada.id}/factors"
    assert refusal(client.delete(path)) == (403, "insufficient_scope")
    assert refusal(fresh_tenancy.api.delete(path)) == (404, "not_found")
    done = ada.tenancy.api.delete(path)
    assert (done.status_code, done.json()) == (200, {"ended_sessions": 1})
    assert refusal(client.get("/v1/auth/verify")) == (401, "invalid_token")
    assert "token" in login(ada).json()
    assert refusal(ada.tenancy.api.delete(path)) == (404, "not_found")
    assert "user.factors_reset" in ada.tenancy.actions(subject_id=ada.id)


def test_nothing_of_a_factor_can_be_read_from_the_audit_trail(ada: Person) -> None:
    """ASVS 16.2.5, ASVS 6.5.2: every admin who reads the trail would have everybody's codes."""
    server = ada.server
    client = server.client(login(ada).json()["token"])
    begun = client.post("/v1/auth/factors", json={}).json()
    app = App(server, begun["secret"])
    codes = client.post("/v1/auth/factors/totp/confirm", json={"code": app.code()}).json()["recovery_codes"]
    assert finish(server, step(ada), codes[0]).status_code == 200
    trail = ada.tenancy.api.get("/v1/audit?limit=100").text
    assert begun["secret"] not in trail
    assert codes[0] not in trail
    assert '"factor":"recovery_code"' in trail.replace(" ", "")
