"""What a server has acknowledged, and whether it still stands by it."""

from __future__ import annotations

import random
import secrets
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2


@dataclass
class Key:
    """A key as the server's answers say it is."""

    id: str
    secret: str
    parent: Key | None = None
    status: str = "active"
    rotated: bool = False
    children: list[Key] = field(default_factory=list)

    def verifies(self) -> bool:
        """Whether the key is good: it and all those that it was made from are active."""
        return self.status == "active" and (self.parent is None or self.parent.verifies())

    def lineage(self) -> Iterator[Key]:
        """It and all that was made from it."""
        yield self
        for child in self.children:
            yield from child.lineage()


@dataclass
class Call:
    """One change that was asked for."""

    path: str
    method: str = "POST"
    key: Key | None = None
    # A call whose answer was lost is sent again under the same name, and must have happened once.
    name: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def action(self) -> str:
        """The audit trail's word for it."""
        verb = self.path.rpartition("/")[2]
        if self.method == "DELETE":
            return "api_key.revoked"
        return {"rotate": "api_key.rotated", "disable": "api_key.disabled", "enable": "api_key.enabled"}.get(
            verb, "api_key.created"
        )


class Ledger:
    """One client's keys, and every change to them that the server acknowledged; nobody else touches them.

    Args:
        seed: Decides what the client does.
    """

    def __init__(self, seed: int) -> None:
        self.keys: list[Key] = []
        self.events: Counter[tuple[str, str]] = Counter()
        self.acknowledged = 0
        self.unanswered: Call | None = None
        self.touched: list[Key] = []
        """The keys that were changed since `settle` was last called."""
        self._random = random.Random(seed)

    def work(self, client: httpx2.Client, stop: threading.Event) -> None:
        """Change keys until the server is gone or the event is set."""
        while not stop.is_set():
            call = self._next_call()
            self.unanswered = call
            try:
                answer = self._send(client, call)
            except httpx2.TransportError:
                return
            self._book(call, answer)

    def settle(self, client: httpx2.Client) -> None:
        """Send the call again that was never answered: whether it had happened or not, now it has, once."""
        if self.unanswered is not None:
            self._book(self.unanswered, self._send(client, self.unanswered))

    def certain(self) -> Sequence[Key]:
        """The keys changed lately, without those that the call which was never answered may concern."""
        doubtful: set[str] = set()
        if self.unanswered is not None and self.unanswered.key is not None:
            doubtful = {key.id for key in self.unanswered.key.lineage()}
        return [key for key in self.touched if key.id not in doubtful]

    def sample(self, count: int) -> Sequence[Key]:
        """Some of all the keys."""
        return self._random.sample(self.keys, min(count, len(self.keys)))

    def _next_call(self) -> Call:
        recent = [key for key in self.keys[-60:] if key.status != "revoked"]
        key = self._random.choice(recent) if recent else None
        if key is None or self._random.random() < 0.35:
            return Call("/v1/api-keys")
        if key.status == "disabled" and self._random.random() < 0.5:
            return Call(f"/v1/api-keys/{key.id}/enable", key=key)
        if key.status == "disabled" or self._random.random() < 0.3:
            return Call(f"/v1/api-keys/{key.id}", method="DELETE", key=key)
        if not key.rotated and self._random.random() < 0.6:
            return Call(f"/v1/api-keys/{key.id}/rotate", key=key)
        return Call(f"/v1/api-keys/{key.id}/disable", key=key)

    def _send(self, client: httpx2.Client, call: Call) -> httpx2.Response:
        body: dict[str, Any] | None = None
        if call.action == "api_key.created":
            body = {"name": f"key {call.name}"}
        elif call.action == "api_key.rotated":
            body = {"overlap_seconds": 86_400}
        return client.request(call.method, call.path, json=body, headers={"Idempotency-Key": call.name})

    def _book(self, call: Call, answer: httpx2.Response) -> None:
        assert answer.status_code in {200, 201}, answer.text
        made = answer.json()
        if call.key is None:
            subject = Key(made["id"], made["key"])
            self.keys.append(subject)
        else:
            subject = call.key
        match call.action:
            case "api_key.rotated":
                child = Key(made["id"], made["key"], parent=subject)
                subject.rotated = True
                subject.children.append(child)
                self.keys.append(child)
                self.touched.append(child)
            case "api_key.revoked":
                for key in subject.lineage():
                    key.status = "revoked"
            case "api_key.disabled":
                subject.status = "disabled"
            case "api_key.enabled":
                subject.status = "active"
            case _:
                pass
        self.touched.append(subject)
        self.events[call.action, subject.id] += 1
        self.acknowledged += 1
        self.unanswered = None


class Trail:
    """The audit trail, read as it grows."""

    def __init__(self) -> None:
        self.events: Counter[tuple[str, str]] = Counter()
        self._known: set[str] = set()

    def read(self, client: httpx2.Client) -> None:
        """Count every event that is new since the last reading."""
        cursor: str | None = None
        while True:
            page = {"limit": 100} | ({"cursor": cursor} if cursor else {})
            answer = client.get("/v1/audit", params=page)
            assert answer.status_code == 200, answer.text
            events = [event for event in answer.json()["data"] if event["id"] not in self._known]
            for event in events:
                self._known.add(event["id"])
                self.events[event["action"], event["subject"]["id"]] += 1
            cursor = answer.json()["next_cursor"]
            if cursor is None or not events:
                return


def standing(client: httpx2.Client, keys: Sequence[Key]) -> list[str]:
    """What the server says of keys against what it said before; empty where it stands by all of it."""
    broken = []
    for key in keys:
        answer = client.get("/v1/auth/verify", headers={"Authorization": f"Bearer {key.secret}"})
        expected = 200 if key.verifies() else 401
        if answer.status_code != expected:
            broken.append(f"{key.id} was {key.status}: expected {expected}, got {answer.text}")
    return broken
