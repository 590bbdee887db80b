"""The API description as a test uses it: operations by their id, and answers held against what is declared."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import jsonschema_rs

UNLISTED: Final = frozenset(
    {
        # HTTP's own, which the description does not repeat.
        "connection",
        "content-length",
        "content-type",
        "date",
        "transfer-encoding",
        # Said once, in the description's own text.
        "access-control-allow-origin",
        "access-control-expose-headers",
        "referrer-policy",
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
    }
)


@dataclass(frozen=True)
class Operation:
    """One operation of the description, with every reference followed where it stands."""

    id: str
    method: str
    path: str
    declared: Mapping[str, Any]

    def parameters(self, place: str) -> Iterator[Mapping[str, Any]]:
        """The parameters in a place: `path`, `query` or `header`."""
        return (each for each in self.declared.get("parameters", ()) if each["in"] == place)


class Description:
    """A description, and whether answers are what it declares.

    Objects are closed first: a field that an answer has and the description does not is an offence.

    Args:
        document: As served at `/openapi.json`.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._components = copy.deepcopy(document["components"])
        for schema in self._components["schemas"].values():
            _close(schema)
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def operations(self) -> Iterator[Operation]:
        """Every operation."""
        for path, methods in self.document["paths"].items():
            for method, declared in methods.items():
                yield Operation(declared["operationId"], method.upper(), path, declared)

    def operation(self, operation_id: str) -> Operation:
        """The operation of that id."""
        return next(each for each in self.operations() if each.id == operation_id)

    def answer(self, operation: Operation, status: int) -> Mapping[str, Any]:
        """What is declared of an answer with this status."""
        answers = operation.declared["responses"]
        assert str(status) in answers, f"{operation.id} may answer {', '.join(answers)}, not {status}"
        return self.follow(answers[str(status)])

    def follow(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """The thing itself where a reference stands for it."""
        while "$ref" in node:
            target: Any = self.document
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            node = target
        return node

    def check(self, value: object, schema: Mapping[str, Any]) -> None:
        """Fail where a JSON value is not what a schema describes, or has a field more."""
        errors = [
            f"{'/'.join(map(str, error.instance_path))}: {error.message}"
            for error in self._validator(schema).iter_errors(value)
        ]
        assert not errors, errors

    def _validator(self, schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
        """A schema with its objects closed, made ready once: that takes longer than a request."""
        text = json.dumps(schema)
        if text not in self._validators:
            closed = json.loads(text)
            _close(closed)
            root = {**closed, "components": self._components}
            self._validators[text] = jsonschema_rs.Draft202012Validator(root, validate_formats=True)
        return self._validators[text]

    def check_answer(self, operation: Operation, response: httpx2.Response) -> None:
        """Fail where an answer's status, headers, type or body are not declared of this operation."""
        self.check_parts(operation, response.status_code, response.headers, response.content)

    def check_parts(
        self, operation: Operation, status: int, headers: Mapping[str, str], content: bytes
    ) -> None:
        """The same, for whoever has the parts of an answer; names of headers in lower case."""
        declared = self.answer(operation, status)
        self.check_headers(declared.get("headers", {}), headers)
        types = declared.get("content", {})
        if not types:
            assert content == b""
            return
        media_type = headers["content-type"].partition(";")[0]
        assert media_type in types, f"{media_type} is not declared, but {', '.join(types)}"
        schema = types[media_type]["schema"]
        if media_type.endswith("json"):
            self.check(json.loads(content), schema)
        elif schema["type"] == "string":
            assert content

    def check_headers(self, declared: Mapping[str, Any], sent: Mapping[str, str]) -> None:
        """Fail where a header is missing, is not declared, or is not of its type."""
        known = {name.lower(): self.follow(header) for name, header in declared.items()}
        undeclared = {name.lower() for name in sent} - set(known) - UNLISTED
        assert not undeclared, f"undeclared headers: {undeclared}"
        for name, header in known.items():
            value = sent.get(name)
            if value is None:
                assert not header.get("required"), f"{name} is declared as required"
                continue
            if header["schema"]["type"] == "integer":
                assert re.fullmatch(r"\d+", value), f"{name}: {value}"
            else:
                self.check(value, header["schema"])


def _close(schema: Any) -> None:
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            _close(part)
    elif isinstance(schema, list):
        for part in schema:
            _close(part)
