"""What a client sends to an OAuth endpoint: a form, or JSON where a client sends that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request

from bonafides.errors import InvalidRequest, UnsupportedMediaType
from bonafides.web.forms import FORM, media_type_of

JSON_TYPE: Final = "application/json"
REPEATABLE: Final = frozenset({"resource", "audience"})

_FIELDS_MAX: Final = 50
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True, repr=False)
class Parameters:
    """The fields of a body; an empty field is the same as none.

    Args:
        fields: Each given once.
        repeated: Those that may be given several times.
    """

    fields: dict[str, str]
    repeated: dict[str, tuple[str, ...]]

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field that may be repeated."""
        return self.repeated.get(name, ())


def described_body(schema: str, *media_types: str) -> dict[str, Any]:
    """A body that is read by hand, for the API description.

    Args:
        schema: Its name among the description's components.
        media_types: Those that it may come in.
    """
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {"required": True, "content": dict.fromkeys(media_types, content)}


async def parameters_of(request: Request) -> Parameters:
    """The fields of a request, from a form or from a JSON object of strings.

    Raises:
        InvalidRequest: It is malformed, or names a field twice; no value is repeated, for it may be a secret.
        UnsupportedMediaType: It is something else.

    See: RFC 6749 §3.2 and appendix B
    """
    return parameters_in(media_type_of(request), await request.body())


def parameters_in(media_type: str, body: bytes) -> Parameters:
    """The fields of a body of that media type.

    Raises:
        InvalidRequest: It is malformed, or names a field twice; no value is repeated, for it may be a secret.
        UnsupportedMediaType: It is something else than a form or JSON.

    See: RFC 6749 §3.2 and appendix B
    """
    if not body:
        return Parameters({}, {})
    if media_type == FORM:
        return _gathered(_of_form(body))
    if media_type == JSON_TYPE:
        return _gathered(_of_json(body))
    message = f"The body must be a form. Send Content-Type: {FORM}."
    raise UnsupportedMediaType(message, field="Content-Type")


def _of_form(body: bytes) -> Iterable[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict"
        )
    except ValueError:
        message = f"The body is not a form in UTF-8 with at most {_FIELDS_MAX} fields."
        raise InvalidRequest(message, field="body") from None


def _of_json(body: bytes) -> Iterable[tuple[str, str]]:
    try:
        value = _decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        value = None
    if not isinstance(value, dict) or len(value) > _FIELDS_MAX:
        message = f"The body must be a JSON object with at most {_FIELDS_MAX} fields."
        raise InvalidRequest(message, field="body")
    pairs: list[tuple[str, str]] = []
    for name, said in value.items():
        values: list[Any] = said if name in REPEATABLE and isinstance(said, list) else [said]
        if not all(isinstance(each, str) for each in values):
            message = f"{name[:64]!a} must be a string."
            raise InvalidRequest(message, field=_plain(name))
        pairs += [(name, each) for each in values]
    return pairs


def _gathered(pairs: Iterable[tuple[str, str]]) -> Parameters:
    fields: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    seen: set[str] = set()
    for name, value in pairs:
        if "\x00" in value:
            message = "The body must not contain NUL characters."
            raise InvalidRequest(message, field="body")
        if name in REPEATABLE:
            if value:
                repeated.setdefault(name, []).append(value)
            continue
        if name in seen:
            message = f"{name[:64]!a} must be given once."
            raise InvalidRequest(message, field=_plain(name))
        seen.add(name)
        if value:
            fields[name] = value
    return Parameters(fields, {name: tuple(values) for name, values in repeated.items()})


def _plain(name: str) -> str:
    return f"{name[:64]!a}"[1:-1]
