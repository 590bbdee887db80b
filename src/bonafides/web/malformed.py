"""What pydantic says of a request, in our words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bonafides.errors import InvalidRequest

_FIELD_LENGTH_MAX: Final = 100
_WORDS: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this call",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "model_attributes_type": "must be a JSON object",
    "json_invalid": "is not valid JSON",
}


def malformed(problems: Sequence[Any]) -> InvalidRequest:
    """The first problem of a request, with the field to blame and what to do; the input is not repeated.

    Args:
        problems: As pydantic tells them, each with its place in the request.
    """
    problem = problems[0]
    # Where the name of an entry is to blame, pydantic adds a mark of its own; the rest may be the caller's words.
    place = [str(part) for part in problem["loc"] if part != "[key]"]
    field = (".".join(place[1:]) if len(place) > 1 else place[0])[:_FIELD_LENGTH_MAX]
    if problem["type"] == "json_invalid":
        field = "body"
    words = _WORDS.get(problem["type"], str(problem["msg"]).removeprefix("Value error, "))
    more = len(problems) - 1
    tail = f" ({more} more problem{'s' if more > 1 else ''} in this request.)" if more else ""
    words = words[0].lower() + words[1:] if words else "is malformed"
    return InvalidRequest(f"{field}: {words.rstrip('.')}.{tail}", field=field)
