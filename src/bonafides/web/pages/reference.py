"""The readable description at `/docs/api-reference`: one page, made from the OpenAPI description, without network or script."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib import resources
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from bonafides.errors import WIRE_CODES
from bonafides.settings import Settings
from bonafides.web.examples import EXAMPLES, Example
from bonafides.web.forms import FORM
from bonafides.web.guard import COST_KEY, SCOPES_KEY

Json = Mapping[str, Any]

_STYLE: Final = "docs.css"
_INLINE: Final = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
_ID: Final = re.compile(r"\^([a-z]+)_\[0-9A-Za-z\]\{\d+\}\$")
_FLAT_LIST: Final = re.compile(r"\[\s*\n([^\[\]{}]*)\]")
_FOLDED: Final = frozenset({"400", "401", "403", "408", "413", "415", "429", "431", "500", "503"})
"""Errors that are explained once for all calls; a call shows one of them where it has words of its own for it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter, or one field of a body."""

    name: str
    kind: Markup
    required: bool
    text: str
    default: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer of a call."""

    status: str
    phrase: str
    text: str
    shape: str


@dataclass(frozen=True, slots=True)
class Call:
    """One operation."""

    id: str
    method: str
    path: str
    summary: str
    text: str
    scopes: tuple[str, ...] | None
    free: bool
    parameters: tuple[tuple[str, tuple[Field, ...]], ...]
    body_shape: str
    body: tuple[Field, ...]
    body_required: bool
    outcomes: tuple[Outcome, ...]
    curl: str
    answer_head: str
    answer: str
    excerpt: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of one tag."""

    name: str
    anchor: str
    text: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of object that answers hold."""

    name: str
    text: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """One error code: what it means, the statuses that it comes with, and how it looks."""

    code: str
    text: str
    statuses: tuple[str, ...]
    example: str


class Reference:
    """What the description says, in parts that templates tell; made once.

    Args:
        describe: Makes the OpenAPI description.
        settings: For the bounds that the page names.
    """

    def __init__(self, describe: Callable[[], Json], settings: Settings) -> None:
        self._describe = describe
        self._settings = settings
        self._values: dict[str, Any] = {}

    def values(self) -> dict[str, Any]:
        """The parts, by the names that templates know them by."""
        if not self._values:
            schema = self._describe()
            components = schema["components"]
            self._values = {
                "title": schema["info"]["title"],
                "version": schema["info"]["version"],
                "description": schema["info"]["description"],
                "base_url": self._settings.base_url,
                "settings": self._settings,
                "schemes": components["securitySchemes"],
                "headers": components["headers"],
                "groups": tuple(_groups(schema)),
                "shapes": tuple(_shapes(schema)),
                "failures": tuple(_failures(components["responses"])),
                "folded": [
                    Outcome(status, _phrase(status), components["responses"][status]["description"], "")
                    for status in sorted({*_FOLDED, "404", "405", "409"})
                ],
                "problem": _pretty(
                    next(iter(_examples(components["responses"]["404"], "application/problem+json").values()))
                ),
            }
        return self._values

    def page(self) -> bytes:
        """The page of all calls, in UTF-8."""
        return _environment().get_template("docs.html").render(**self.values()).encode()


def docs_style() -> bytes:
    """Its style sheet."""
    return resources.files("bonafides.web").joinpath("templates", _STYLE).read_bytes()


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bonafides.web"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["prose"] = prose
    return environment


def prose(text: str) -> Markup:
    """Text of the description as HTML: paragraphs' inline code and emphasis, and nothing else."""
    marked = _INLINE.sub(
        lambda match: f"<code>{match[1]}</code>" if match[1] else f"<strong>{match[2]}</strong>",
        str(escape(text)),
    )
    return Markup(marked)  # noqa: S704 - escaped above


def _groups(schema: Json) -> Iterator[Group]:
    for tag in schema["tags"]:
        calls = tuple(
            _call(schema, method, path, operation)
            for path, operations in schema["paths"].items()
            for method, operation in operations.items()
            if operation["tags"] == [tag["name"]]
        )
        yield Group(tag["name"], _anchor(tag["name"]), tag["description"], calls)


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _call(schema: Json, method: str, path: str, operation: Json) -> Call:
    example = EXAMPLES[operation["operationId"]]
    scopes = operation.get(SCOPES_KEY)
    content = operation.get("requestBody", {}).get("content", {})
    media = content.get("application/json") or content.get(FORM, {})
    body_shape = _shape_name(media.get("schema", {}))
    body = schema["components"]["schemas"][body_shape] if body_shape else {}
    return Call(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        text=operation.get("description", ""),
        scopes=None if scopes is None else tuple(scopes),
        free=operation.get(COST_KEY, 1) == 0,
        parameters=tuple(_parameters(schema, operation)),
        body_shape=body_shape,
        body=tuple(_fields(schema, body)),
        body_required=operation.get("requestBody", {}).get("required", False),
        outcomes=tuple(_outcomes(operation["responses"])),
        curl=_curl(schema["servers"][0]["url"], method.upper(), path, operation, example),
        answer_head=_answer_head(example),
        answer=_answer_text(example),
        excerpt=example.excerpt,
    )


def _parameters(schema: Json, operation: Json) -> Iterator[tuple[str, tuple[Field, ...]]]:
    for place, heading in (("path", "In the path"), ("query", "In the query"), ("header", "Headers")):
        found = tuple(
            Field(
                name=parameter["name"],
                kind=_kind(schema, parameter["schema"]),
                required=parameter["required"] and place != "path",
                text=parameter.get("description", ""),
                default=_default(parameter["schema"]),
            )
            for parameter in operation.get("parameters", ())
            if parameter["in"] == place
        )
        if found:
            yield heading, found


def _fields(schema: Json, described: Json) -> Iterator[Field]:
    required = described.get("required", ())
    for name, part in described.get("properties", {}).items():
        yield Field(
            name=name,
            kind=_kind(schema, part),
            required=name in required,
            text=part.get("description", ""),
            default=_default(part),
        )


def _default(part: Json) -> str:
    value = part.get("default")
    return "" if value in (None, "", [], {}) else json.dumps(value)


def _shape_name(part: Json) -> str:
    """The name of the object that a schema refers to, alone or as one of two; empty where it refers to none."""
    for choice in (part, *part.get("anyOf", ())):
        if "$ref" in choice:
            return str(choice["$ref"]).rpartition("/")[2]
    return ""


def _kind(schema: Json, part: Json) -> Markup:
    """What a value may be, in words."""
    if "$ref" in part:
        return _named_kind(schema, str(part["$ref"]).rpartition("/")[2])
    if "anyOf" in part:
        return Markup(" or ").join(dict.fromkeys(_kind(schema, choice) for choice in part["anyOf"]))
    if "const" in part:
        return Markup("<code>{}</code>").format(json.dumps(part["const"]))
    if "enum" in part:
        return Markup(" or ").join(Markup("<code>{}</code>").format(value) for value in part["enum"])
    match part.get("type"):
        case "array":
            return Markup("list of {}").format(_kind(schema, part["items"]))
        case "integer":
            return escape("whole number" + _bounds(part))
        case "boolean":
            return Markup("<code>true</code> or <code>false</code>")
        case "null":
            return Markup("<code>null</code>")
        case "object" if isinstance(part.get("additionalProperties"), dict):
            return Markup("object of {}").format(_kind(schema, part["additionalProperties"]))
        case "object":
            return Markup("object")
        case _:
            return escape(_text_kind(part))


def _named_kind(schema: Json, name: str) -> Markup:
    named = schema["components"]["schemas"][name]
    if "properties" in named or "anyOf" in named:
        return Markup('<a href="#object-{}">{}</a>').format(name, name)
    return _kind(schema, named)


def _text_kind(part: Json) -> str:
    if part.get("format") == "date-time":
        return "time"
    if identifier := _ID.fullmatch(part.get("pattern", "")):
        return f"id {identifier[1]}_…"
    shortest, longest = part.get("minLength", 0), part.get("maxLength")
    if longest is None:
        return "text"
    return (
        f"text of {shortest} to {longest:,} characters"
        if shortest
        else f"text of at most {longest:,} characters"
    )


def _bounds(part: Json) -> str:
    least, most = part.get("minimum"), part.get("maximum")
    if least is not None and most is not None:
        return f" from {least:,} to {most:,}"
    return f" from {least:,}" if least is not None else ""


def _outcomes(responses: Json) -> Iterator[Outcome]:
    """The answers that are this call's own: its successes, and the errors that it has words for."""
    for status, response in responses.items():
        if status in _FOLDED and "description" not in response:
            continue
        content = response.get("content", {}).get("application/json", {})
        shape = _shape_name(content.get("schema", {}))
        yield Outcome(status, _phrase(status), response["description"], shape)


def _phrase(status: str) -> str:
    return HTTPStatus(int(status)).phrase


def _curl(base_url: str, method: str, path: str, operation: Json, example: Example) -> str:
    """The example's request as a command that a shell takes."""
    for name, value in example.path.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    url = base_url + path + (f"?{urlencode(example.query)}" if example.query else "")
    words = ["curl"]
    if method != "GET":
        words[0] += f" -X {method}"
    words[0] += f" {shlex.quote(url)}"
    if operation.get(SCOPES_KEY) is not None:
        words.append('-H "Authorization: Bearer $KEY"')
    words += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in example.headers.items()]
    words += [
        f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in (example.form or {}).items()
    ]
    if example.body is not None:
        words.append("-H 'Content-Type: application/json'")
        words.append(f"-d {shlex.quote(_pretty(example.body))}".replace("\n", "\n  "))
    return " \\\n  ".join(words)


def _answer_head(example: Example) -> str:
    status = HTTPStatus(example.status)
    lines = [f"{status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in example.answer_headers.items()]
    return "\n".join(lines)


def _answer_text(example: Example) -> str:
    if example.answer is None:
        return ""
    return example.answer if isinstance(example.answer, str) else _pretty(example.answer)


def _pretty(value: object) -> str:
    """JSON as a person would write it: indented, and short lists on one line."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _FLAT_LIST.sub(lambda match: "[" + re.sub(r"\s*\n\s*", " ", match[1].strip()) + "]", text)


def _shapes(schema: Json) -> Iterator[Shape]:
    """The objects of answers; what only a request holds stands with its call."""
    for name in sorted(_answer_shapes(schema)):
        described = schema["components"]["schemas"][name]
        fields = tuple(_fields(schema, described))
        text = described.get("description", "")
        if not fields:
            choices = [str(choice["$ref"]).rpartition("/")[2] for choice in described["anyOf"]]
            text += f" {' or '.join(choices)}."
        yield Shape(name, text, fields)


def _answer_shapes(schema: Json) -> set[str]:
    schemas = schema["components"]["schemas"]
    waiting = [
        _shape_name(media["schema"])
        for operations in schema["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for media in response.get("content", {}).values()
    ]
    found: set[str] = {"Error", "Problem"}
    while waiting:
        name = waiting.pop()
        if not name or name in found:
            continue
        found.add(name)
        described = schemas[name]
        parts = [*described.get("properties", {}).values(), *described.get("anyOf", ())]
        for part in parts:
            waiting += [_shape_name(part), _shape_name(part.get("items", {}))]
    return {name for name in found if "properties" in schemas[name] or "anyOf" in schemas[name]}


def _examples(response: Json, media_type: str) -> dict[str, Any]:
    examples: Json = response["content"][media_type]["examples"]
    return {code: example["value"] for code, example in examples.items()}


def _failures(responses: Json) -> Iterator[Failure]:
    for code, text in WIRE_CODES.items():
        shown = {
            status: _pretty(examples[code])
            for status, response in responses.items()
            if code in (examples := _examples(response, "application/json"))
        }
        yield Failure(code, text, tuple(shown), next(iter(shown.values()), ""))
