"""Answers as Starlette sends them, and creating calls that may be sent twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from fastapi import Request, Response

from bonafides.authority import Authority
from bonafides.errors import InvalidRequest
from bonafides.idempotency import Attempt, ClaimFor, Idempotency
from bonafides.model import Replayed
from bonafides.web.answers import JSON, NO_STORE, Answer, json_answer, json_bytes

T = TypeVar("T")

NO_TENANT: Final = {"description": "There is no such tenant, or it is not yours to see."}
NOT_ADMIN: Final = {"description": "You need the scope admin."}
"""How the description of the calls that manage things tells a refusal."""
REPLAYED: Final = (b"idempotent-replayed", b"true")

_decode = msgspec.json.Decoder().decode


def reply(answer: Answer) -> Response:
    """The Starlette response of an answer."""
    return _Reply(answer)


class _Reply(Response):
    """A response whose headers are known, so that Starlette need not make up others first."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self.body = answer.body
        self.background = None
        self.raw_headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]


async def attempt_of(request: Request, idempotency: Idempotency, authority: Authority) -> Attempt | None:
    """The attempt behind a creating call, None where it carries no `Idempotency-Key`.

    Raises:
        InvalidRequest: It carries two, or one that is none.
    """
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1:
        message = "Idempotency-Key must be sent once."
        raise InvalidRequest(message, field="Idempotency-Key")
    call = f"{request.method} {request.scope['path']}"
    return idempotency.attempt(keys[0], authority, call, await request.body())


def claim_for(
    idempotency: Idempotency, attempt: Attempt | None, render: Callable[[T], Mapping[str, Any]]
) -> ClaimFor[T] | None:
    """Makes the claim of an attempt from what is about to be created."""
    if attempt is None:
        return None
    return lambda made: idempotency.claim(attempt, json_bytes(render(made)))


def created(
    idempotency: Idempotency,
    attempt: Attempt | None,
    outcome: T | Replayed,
    render: Callable[[T], Mapping[str, Any]],
    location: Callable[[Mapping[str, Any]], str],
) -> Response:
    """201 with what was created; the first call's very answer where this call repeats one.

    Args:
        idempotency: Opens the first call's answer.
        attempt: The call, if it carries an `Idempotency-Key`.
        outcome: What was created, or that it had been.
        render: What was created as JSON.
        location: Its path, from that JSON.
    """
    if isinstance(outcome, Replayed):
        sealed = sealed_answer(idempotency, attempt, outcome)
        place = (b"location", location(_decode(sealed)).encode("ascii"))
        return reply(Answer(201, [JSON, NO_STORE, place, REPLAYED], sealed))
    body = render(outcome)
    return reply(json_answer(201, body, (b"location", location(body).encode("ascii"))))


def sealed_answer(idempotency: Idempotency, attempt: Attempt | None, replayed: Replayed) -> bytes:
    """What the first call sealed, byte for byte."""
    if attempt is None:  # pragma: no cover - a store never replays what made no claim
        message = "replayed without an attempt"
        raise RuntimeError(message)
    return idempotency.answer(attempt, replayed)
