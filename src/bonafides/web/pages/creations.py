"""What a form creates, and shows with its secret this once; a form that is sent twice creates one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from fastapi import Request

from bonafides.authority import Authority
from bonafides.idempotency import Attempt, ClaimFor, Idempotency
from bonafides.model import Entropy, Replayed
from bonafides.web.replies import claim_for, sealed_answer

T = TypeVar("T")

_FORM_BYTES = 16
_decode = msgspec.json.Decoder().decode


class Creation:
    """One form that creates something.

    Args:
        idempotency: Knows what was created before.
        attempt: The form that was sent.
    """

    def __init__(self, idempotency: Idempotency, attempt: Attempt | None) -> None:
        self._idempotency = idempotency
        self._attempt = attempt

    def claim_for(self, render: Callable[[T], Mapping[str, Any]]) -> ClaimFor[T] | None:
        """Makes the claim from what is about to be created."""
        return claim_for(self._idempotency, self._attempt, render)

    def shown(self, outcome: T | Replayed, render: Callable[[T], Mapping[str, Any]]) -> Mapping[str, Any]:
        """What was created, now or when the form was sent before."""
        if isinstance(outcome, Replayed):
            made: Mapping[str, Any] = _decode(sealed_answer(self._idempotency, self._attempt, outcome))
            return made
        return render(outcome)


class Creations:
    """Tells forms that create something apart.

    Args:
        idempotency: Knows what was created before.
        entropy: Names forms.
    """

    def __init__(self, idempotency: Idempotency, entropy: Entropy) -> None:
        self._idempotency = idempotency
        self._entropy = entropy

    def once(self, form: Mapping[str, str]) -> str:
        """The name of a form: the one that it was sent with, or a new one."""
        return form.get("once") or self._entropy(_FORM_BYTES).hex()

    async def creation(self, request: Request, authority: Authority, form: Mapping[str, str]) -> Creation:
        """What a form that was sent shall create."""
        call = f"{request.method} {request.scope['path']}"
        attempt = self._idempotency.attempt(form.get("once"), authority, call, await request.body())
        return Creation(self._idempotency, attempt)
