"""What a body must be before anything is made of it, for every call that takes one."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Callable
from typing import Final

import httpx2
import pytest

from tests.web.tenancy import Tenancy, refusal

JSON_TYPE: Final = "application/json"


def calls(tenancy: Tenancy) -> list[tuple[str, str, bytes]]:
    """Every call that takes a body, with a good one."""
    key = f"/v1/api-keys/{tenancy.owner_key['id']}"
    return [
        ("POST", "/v1/api-keys", b'{"name":"x"}'),
        ("PATCH", key, b'{"name":"x"}'),
        ("POST", f"{key}/rotate", b'{"overlap_seconds":60}'),
        ("DELETE", key, b'{"reason":"x"}'),
        ("POST", "/v1/users", b'{"email":"x@example.com"}'),
        ("PATCH", f"/v1/users/{tenancy.owner['id']}", b'{"name":"x"}'),
        ("PATCH", f"/v1/tenants/{tenancy.id}", b'{"name":"x"}'),
        ("POST", "/v1/credentials/verify", b'{"credential":"x"}'),
        ("POST", "/v1/tenants", b'{"name":"x"}'),
        ("POST", "/v1/plans", b'{"name":"x","requests_per_hour":1,"burst":1}'),
    ]


def refused(
    tenancy: Tenancy, status: int, field: str, change: str, content_type: str | None = JSON_TYPE
) -> None:
    """Every call refuses a good body that was changed in this way, naming the field, and nothing changes."""
    before = tenancy.everything()
    for method, path, good in calls(tenancy):
        headers = {"Content-Type": content_type} if content_type is not None else {}
        if change == "gzip":
            headers["Content-Encoding"] = "gzip"
        client = tenancy.operator if path in {"/v1/tenants", "/v1/plans"} else tenancy.api
        answer = client.request(method, path, content=CHANGES[change](good), headers=headers)
        assert refusal(answer) == (status, "invalid_request"), f"{method} {path}"
        assert answer.json()["field"] == field, f"{method} {path}"
        assert field in answer.json()["message"] or field == "body", f"{method} {path}"
    assert tenancy.everything() == before


CHANGES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "none": lambda good: good,
    "gzip": gzip.compress,
    "cut": lambda good: good[:-1],
    "doubled": lambda good: good + good,
    "trailing comma": lambda good: good[:-1] + b",}",
    "single quotes": lambda good: good.replace(b'"', b"'"),
    "comment": lambda good: b"/* x */" + good,
    "NaN": lambda good: good[:-1] + b',"metadata":{"a":NaN}}',
    "Infinity": lambda good: good[:-1] + b',"metadata":{"a":-Infinity}}',
    "infinite number": lambda good: good[:-1] + b',"metadata":{"a":1e999}}',
    "leading zero": lambda good: good[:-1] + b',"metadata":{"a":01}}',
    "latin-1": lambda good: good[:-1] + ',"metadata":{"a":"ü"}}'.encode("latin-1"),
    "utf-16": lambda good: good.decode().encode("utf-16"),
    "byte order mark": lambda good: b"\xef\xbb\xbf" + good,
    "overlong": lambda good: good[:-1] + b',"metadata":{"a":"\xc0\xaf"}}',
    "surrogate": lambda good: good[:-1] + b',"metadata":{"a":"\xed\xa0\x80"}}',
    "escaped surrogate": lambda good: good[:-1] + b',"metadata":{"a":"\\ud800"}}',
    "NUL": lambda good: good[:-1] + b',"metadata":{"a":"\x00"}}',
    "escaped NUL": lambda good: good[:-1] + b',"metadata":{"a":"\\u0000"}}',
    "escaped NUL in a name": lambda good: good[:-1] + b',"\\u0000":1}',
    "newline in a string": lambda good: good[:-1] + b',"metadata":{"a":"\n"}}',
    "deep": lambda good: good[:-1] + b',"metadata":{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}}",
    "a list": lambda good: b"[" + good + b"]",
    "a string": lambda good: json.dumps(good.decode()).encode(),
    "a number": lambda _: b"7",
    "true": lambda _: b"true",
    "10 MB": lambda good: good[:-1] + b',"metadata":{"a":"' + b"x" * 10_000_000 + b'"}}',
    "10 MB of spaces": lambda good: b" " * 10_000_000 + good,
}


@pytest.mark.parametrize(
    "change",
    [name for name in CHANGES if name not in {"none", "gzip", "10 MB", "10 MB of spaces"}],
)
def test_what_is_not_strict_json_is_malformed(tenancy: Tenancy, change: str) -> None:
    """Two parsers in a row that forgive differently would see two different requests."""
    refused(tenancy, 400, "body", change)


@pytest.mark.parametrize("change", ["10 MB", "10 MB of spaces"])
def test_a_body_that_is_too_long_is_refused(tenancy: Tenancy, change: str) -> None:
    """A few clients would fill the memory."""
    refused(tenancy, 413, "body", change)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json, text/plain",
        "*/*",
    ],
)
def test_another_type_is_refused(tenancy: Tenancy, content_type: str | None) -> None:
    """A page of another site could send it without asking, with a browser's own credentials."""
    refused(tenancy, 415, "Content-Type", "none", content_type)


def test_a_compressed_body_is_refused(tenancy: Tenancy) -> None:
    """A few bytes would unpack to gigabytes."""
    refused(tenancy, 415, "Content-Encoding", "gzip")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json ;charset=utf8",
        "application/json;",
    ],
)
def test_every_spelling_of_the_type_is_taken(tenancy: Tenancy, content_type: str) -> None:
    """Client libraries spell it differently."""
    answer = tenancy.api.post("/v1/api-keys", content=b'{"name":"x"}', headers={"Content-Type": content_type})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    "content", [b' \r\n\t{"name":"x"}\n', '{"name":"日本"}'.encode(), b'{"name":"\\u65e5"}']
)
def test_every_spelling_of_json_is_taken(tenancy: Tenancy, content: bytes) -> None:
    """And so they do the JSON."""
    answer = tenancy.api.post("/v1/api-keys", content=content, headers={"Content-Type": JSON_TYPE})
    assert answer.status_code == 201, answer.text


def test_where_a_body_is_needed_none_is_malformed(tenancy: Tenancy) -> None:
    """A client that forgot it would get the framework's own words."""
    before = tenancy.everything()
    for method, path, _ in calls(tenancy):
        if method == "DELETE" or path.endswith("/rotate"):
            continue
        client = tenancy.operator if path in {"/v1/tenants", "/v1/plans"} else tenancy.api
        answer = client.request(method, path)
        assert refusal(answer) == (400, "invalid_request"), path
        assert answer.json()["field"] == "body", path
    assert tenancy.everything() == before


def test_a_body_in_pieces_is_a_body(tenancy: Tenancy) -> None:
    """Streaming clients do not say how long it will be."""

    def pieces(*parts: bytes) -> httpx2.Response:
        return tenancy.api.post("/v1/api-keys", content=iter(parts), headers={"Content-Type": JSON_TYPE})

    assert pieces(b'{"na', b'me":', b'"x"}').status_code == 201
    too_long = pieces(b'{"name":"x","metadata":{"a":"', *[b"x" * 8192] * 12, b'"}}')
    assert refusal(too_long) == (413, "invalid_request")


def test_nobody_is_read_before_they_are_known(tenancy: Tenancy) -> None:
    """Anybody could keep the parser busy."""
    broken = secrets.token_bytes(100)
    for method, path, _ in calls(tenancy):
        answer = tenancy.client().request(method, path, content=broken, headers={"Content-Type": JSON_TYPE})
        assert refusal(answer) == (401, "missing_api_key"), path
