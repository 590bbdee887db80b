"""Answers as Starlette sends them, and creating calls that may be sent twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi import Request, Response

from bonafides.authority import Authority
from bonafides.idempotency import Attempt, ClaimFor, Idempotency
from bonafides.model import Replayed
from bonafides.web.answers import JSON, NO_STORE, Answer, json_answer, json_bytes

T = TypeVar("T")


def reply(answer: Answer) -> Response:
    """The Starlette response of an answer."""
    response = Response(content=answer.body, status_code=answer.status)
    response.raw_headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    return response


async def attempt_of(request: Request, idempotency: Idempotency, authority: Authority) -> Attempt | None:
    """The attempt behind a creating call, None where it carries no `Idempotency-Key`."""
    call = f"{request.method} {request.scope['path']}"
    return idempotency.attempt(request.headers.get("idempotency-key"), authority, call, await request.body())


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
    location: Callable[[T], str],
) -> Response:
    """201 with what was created; the first call's very answer where this call repeats one."""
    if isinstance(outcome, Replayed):
        if attempt is None:  # pragma: no cover - a store never replays what made no claim
            message = "replayed without an attempt"
            raise RuntimeError(message)
        body = idempotency.answer(attempt, outcome)
        return reply(Answer(201, [JSON, NO_STORE, (b"idempotent-replayed", b"true")], body))
    return reply(json_answer(201, render(outcome), (b"location", location(outcome).encode("ascii"))))
