"""Forms, as OAuth 2.0 and its relatives send them: `application/x-www-form-urlencoded`, and nothing else."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

from bonafides.errors import InvalidRequest, UnsupportedMediaType

FORM: Final = "application/x-www-form-urlencoded"
_FIELDS_MAX: Final = 50


def media_type_of(request: Request) -> str:
    """The body's media type, in lower case and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def fields_of(body: bytes, *, fields_max: int = _FIELDS_MAX) -> dict[str, str]:
    """The fields of a form, each of which is given once.

    Args:
        body: As received.
        fields_max: How many it may have.

    Raises:
        InvalidRequest: It is no form in UTF-8, or names a field twice; no value is repeated, for it may be a secret.

    See: RFC 6749 §3.2
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=fields_max, errors="strict"
        )
    except ValueError:
        message = f"The body is not a form in UTF-8 with at most {fields_max} fields."
        raise InvalidRequest(message, field="body") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            message = f"{name[:64]!a} must be given once."
            raise InvalidRequest(message, field=f"{name[:64]!a}"[1:-1])
        if "\x00" in value:
            message = "The body must not contain NUL characters."
            raise InvalidRequest(message, field="body")
        fields[name] = value
    return fields


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a request whose body is a form; an empty field is the same as none.

    Raises:
        UnsupportedMediaType: The body is something else.
        InvalidRequest: It is malformed.

    See: RFC 6749 §3.1 and §3.2
    """
    if media_type_of(request) != FORM:
        message = f"The body must be a form. Send Content-Type: {FORM}."
        raise UnsupportedMediaType(message, field="Content-Type")
    return {name: value for name, value in fields_of(await request.body()).items() if value}
