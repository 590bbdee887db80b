"""Webhooks over HTTP: made, told of events by signed calls, tried, rotated and looked after."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bonafides.secret import webhook_signature
from tests.elsewhere import Call, Elsewhere, Reply, elsewhere
from tests.serving import RunningServer, running, settings_for

PATH = "/hooks"
SECONDS_MAX = 20.0


@dataclass
class House:
    """A server, and somebody else's that it tells."""

    server: RunningServer
    other: Elsewhere

    def hook(self, *events: str, **wish: Any) -> dict[str, Any]:
        """Make a webhook; it is told at a path of its own."""
        made = self.server.admin.post(
            "/v1/webhooks",
            json={"name": "Watch", "url": self.other.url(PATH), "events": list(events) or ["*"], **wish},
        )
        assert made.status_code == 201, made.text
        self.other.replies[PATH] = Reply(status=204)
        self.other.calls.clear()
        body: dict[str, Any] = made.json()
        return body

    def told(self, count: int = 1) -> list[Call]:
        """What somebody else was told, once it is so much."""
        self.eventually(lambda: len(self.other.calls) >= count)
        return self.other.calls

    def eventually(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; the server looks each second for what is due."""
        ends = time.monotonic() + SECONDS_MAX
        while not holds():
            assert time.monotonic() < ends, self.other.calls
            time.sleep(0.05)

    def log(self, webhook_id: str) -> list[dict[str, Any]]:
        """What the log says."""
        answer = self.server.admin.get(f"/v1/webhooks/{webhook_id}/deliveries")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]
        return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One server for all these tests."""
    folder: Path = tmp_path_factory.mktemp("webhooks")
    settings = settings_for(f"sqlite:///{folder}/bonafides.db", folder, outgoing_private_addresses=True)
    with elsewhere(folder) as other, running(settings) as server:
        yield House(server, other)


@pytest.fixture
def house(both: House) -> Iterator[House]:
    """Without the webhooks of the test before."""
    yield both
    for hook in both.server.admin.get("/v1/webhooks").json()["data"]:
        assert both.server.admin.delete(f"/v1/webhooks/{hook['id']}").status_code == 204
    both.other.calls.clear()


def signed(secret: str, call: Call) -> str:
    """The signature of a call, as the specification says and not as our own code does."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.{call.body.decode()}"
    return "v1," + base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()


def test_signatures_are_those_of_the_specification() -> None:
    """Every library for Standard Webhooks would refuse what we send."""
    told = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert (
        webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", told)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_an_event_is_told_signed_and_logged(house: House) -> None:
    """Whoever waits for revocations would not hear of one, or could not tell it from a forged one."""
    hook = house.hook("api_key.revoked")
    key = house.server.create_key()
    house.server.admin.delete(f"/v1/api-keys/{key['id']}")
    (call,) = house.told()
    assert call.headers["webhook-signature"] == signed(hook["secret"], call)
    assert call.headers["webhook-timestamp"] == str(house.server.clock.now_us // 1_000_000)
    told = json.loads(call.body)
    (event,) = house.server.admin.get(f"/v1/audit?subject_id={key['id']}&action=api_key.revoked").json()[
        "data"
    ]
    assert told == {"type": "api_key.revoked", "timestamp": event["at"], "data": event}
    assert call.headers["webhook-id"] == event["id"]
    house.eventually(lambda: [each["status"] for each in house.log(hook["id"])] == ["delivered"])
    (delivery,) = house.log(hook["id"])
    assert [(each["status"], each["reason"]) for each in delivery["attempts"]] == [(204, None)]
    assert delivery["next_attempt_at"] is None
    assert hook["secret"] not in json.dumps(house.server.admin.get("/v1/audit").json())
    assert "secret" not in house.server.admin.get(f"/v1/webhooks/{hook['id']}").json()


def test_what_is_not_taken_is_told_again_and_on_demand(house: House) -> None:
    """An outage of a minute would cost whoever listens what happened in it."""
    hook = house.hook("plan.put")
    house.other.replies[PATH] = Reply(status=500)
    house.server.create_plan("told")
    house.told()
    house.eventually(lambda: house.server.admin.get(f"/v1/webhooks/{hook['id']}").json()["failures"] == 1)
    house.other.replies[PATH] = Reply(status=200)
    house.server.clock.advance(5)
    first, second = house.told(2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert second.headers["webhook-signature"] == signed(hook["secret"], second)
    house.eventually(lambda: house.log(hook["id"])[0]["status"] == "delivered")
    (delivery,) = house.log(hook["id"])
    assert [each["status"] for each in delivery["attempts"]] == [500, 200]
    again = f"/v1/webhooks/{hook['id']}/deliveries/{delivery['event_id']}/resend"
    assert house.server.admin.post(again).status_code == 202
    house.server.create_plan("hurry")
    assert len({call.headers["webhook-id"] for call in house.told(4)}) == 2
    house.server.admin.patch(f"/v1/webhooks/{hook['id']}", json={"status": "disabled"})
    assert house.server.admin.post(again).status_code == 409
    assert house.server.admin.post(again.replace(delivery["event_id"], "evt_none")).status_code == 409


def test_a_test_says_what_the_url_answers(house: House) -> None:
    """Whoever sets a webhook up would have to revoke a key to see whether it works."""
    hook = house.hook("plan.put")
    test = f"/v1/webhooks/{hook['id']}/test"
    good = house.server.admin.post(test).json()
    assert (good["status"], good["action"], good["attempts"][0]["status"]) == (
        "delivered",
        "webhook.tested",
        204,
    )
    assert json.loads(house.other.calls[0].body)["type"] == "webhook.tested"
    house.other.replies[PATH] = Reply(status=302, headers={"Location": house.other.url("/elsewhere")})
    moved = house.server.admin.post(test).json()
    assert (moved["status"], moved["attempts"][0]["status"]) == ("failed", 302)
    assert {call.path for call in house.other.calls} == {PATH}
    house.server.admin.patch(f"/v1/webhooks/{hook['id']}", json={"url": "https://localhost:1/"})
    gone = house.server.admin.post(test).json()
    assert (gone["attempts"][0]["status"], gone["attempts"][0]["reason"]) == (None, "no_answer")
    assert house.server.admin.get(f"/v1/webhooks/{hook['id']}").json()["failures"] == 0


def test_a_secret_is_rotated_without_a_gap(house: House) -> None:
    """Between the moment of rotation and the roll-out of the new secret every delivery would be refused."""
    hook = house.hook("plan.put")
    turned = house.server.admin.post(f"/v1/webhooks/{hook['id']}/rotate", json={"overlap_seconds": 60}).json()
    test = f"/v1/webhooks/{hook['id']}/test"
    house.server.admin.post(test)
    call = house.other.calls[-1]
    both = call.headers["webhook-signature"].split(" ")
    assert both == [signed(turned["secret"], call), signed(hook["secret"], call)]
    house.server.clock.advance(60)
    house.server.admin.post(test)
    call = house.other.calls[-1]
    assert call.headers["webhook-signature"] == signed(turned["secret"], call)
    too_long = house.server.admin.post(f"/v1/webhooks/{hook['id']}/rotate", json={"overlap_seconds": 10**9})
    assert too_long.status_code == 400


@pytest.mark.parametrize(
    "wish",
    [
        {"url": "http://example.com/"},
        {"url": "https://user:word@example.com/"},
        {"url": "ftp://example.com/"},
        {"url": "https://[::1]/"},
        {"url": "https://example.com/#fragment"},
        {"url": "https://example.com/?secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        {"events": ["api_key.exploded"]},
        {"events": []},
        {"events": ["webhook.tested"]},
        {"name": "a\u202eb"},
        {"tenant_id": "ten_none"},
    ],
)
def test_a_webhook_that_cannot_be_told_is_refused(house: House, wish: dict[str, Any]) -> None:
    """Somebody would wait for events that never come, or get them in the clear."""
    body = {"name": "Watch", "url": "https://example.com/", **wish}
    answer = house.server.admin.post("/v1/webhooks", json=body)
    assert answer.status_code == (404 if "tenant_id" in wish else 400), answer.text


def test_attack_48_no_private_network_is_told(tmp_path: Path) -> None:
    """Attack 48: a tenant's admin would reach into the network that the server stands in, and read what answers."""
    settings = settings_for(f"sqlite:///{tmp_path}/bonafides.db", tmp_path)
    with elsewhere(tmp_path) as other, running(settings) as server:
        other.replies["/"] = Reply()
        wish = {"name": "Inside", "url": other.url("/")}
        made = server.admin.post("/v1/webhooks", json=wish).json()
        tested = server.admin.post(f"/v1/webhooks/{made['id']}/test").json()
        attempt = tested["attempts"][0]
        assert (attempt["status"], attempt["reason"]) == (None, "not_allowed")
        assert other.calls == []
        plain = server.admin.post("/v1/webhooks", json={**wish, "url": "http://localhost/"})
        assert plain.status_code == 400


def test_this_machine_is_told_by_http_where_it_may_be_called(house: House) -> None:
    """Whoever tries it on their own machine would need a certificate for it."""
    hook = house.hook("plan.put", url=f"http://localhost:{house.other.port}{PATH}")
    tested = house.server.admin.post(f"/v1/webhooks/{hook['id']}/test").json()
    assert tested["attempts"][0]["reason"] == "no_answer"  # it speaks TLS


def test_attack_47_each_tenant_has_its_own(house: House) -> None:
    """Attack 47: an admin of one tenant would hear what goes on in another."""
    admin = house.server.admin
    tenant = admin.post("/v1/tenants", json={"name": "Other"}).json()
    wish = {"email": "other@example.com", "role": "admin", "tenant_id": tenant["id"]}
    user = admin.post("/v1/users", json=wish).json()
    key = house.server.create_key(user_id=user["id"], scopes=["read", "admin"])
    member = house.server.create_key(user_id=user["id"], scopes=["read"])
    theirs = house.server.client(key["key"])
    ours = house.hook("plan.put")
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/rotate"),
        ("POST", "/test"),
        ("GET", "/deliveries"),
        ("POST", "/deliveries/evt_1/resend"),
    ):
        body: dict[str, Any] | None = {} if method == "PATCH" else None
        foreign = theirs.request(method, f"/v1/webhooks/{ours['id']}{path}", json=body)
        assert foreign.status_code == 404, (method, path)
        low = house.server.client(member["key"]).request(
            method, f"/v1/webhooks/{ours['id']}{path}", json=body
        )
        assert low.status_code == 403, (method, path)
    assert theirs.get("/v1/webhooks").json()["data"] == []
    made = theirs.post("/v1/webhooks", json={"name": "Own", "url": "https://example.com/"})
    assert made.json()["tenant_id"] == tenant["id"]
    assert admin.get(f"/v1/webhooks?tenant_id={tenant['id']}").json()["data"][0]["id"] == made.json()["id"]
    assert admin.delete(f"/v1/webhooks/{made.json()['id']}").status_code == 204
    assert admin.delete(f"/v1/webhooks/{made.json()['id']}").status_code == 404


def test_a_call_that_is_sent_twice_makes_one_webhook(house: House) -> None:
    """A lost answer would leave a webhook behind whose secret nobody has."""
    wish = {"name": "Once", "url": "https://example.com/"}
    headers = {"Idempotency-Key": "webhook"}
    first = house.server.admin.post("/v1/webhooks", json=wish, headers=headers)
    second = house.server.admin.post("/v1/webhooks", json=wish, headers=headers)
    assert (first.json(), second.headers["idempotent-replayed"]) == (second.json(), "true")
    assert len(house.server.admin.get("/v1/webhooks").json()["data"]) == 1
    turn = f"/v1/webhooks/{first.json()['id']}/rotate"
    one, two = (house.server.admin.post(turn, headers={"Idempotency-Key": "turn"}) for _ in range(2))
    assert one.json()["secret"] == two.json()["secret"]


def test_a_tenant_has_twenty_at_most(house: House) -> None:
    """Each is asked for with every event: a thousand would make every call of the tenant slow."""
    wish = {"name": "Many", "url": "https://example.com/"}
    answers = [house.server.admin.post("/v1/webhooks", json=wish).status_code for _ in range(21)]
    assert answers == [201] * 20 + [409]
