"""What each setting is called, may be, and does: for the documentation, which shows what a server may be told, not what it was."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from bonafides.settings import ENVIRONMENT_PREFIX, Settings

_WORDS: Final = MappingProxyType(
    {
        "str": "text",
        "int": "whole number",
        "float": "number",
        "bool": "true or false",
        "SecretStr": "secret text",
        "IPv4Network": "network",
        "IPv6Network": "network",
    }
)


@dataclass(frozen=True, slots=True)
class DescribedSetting:
    """One setting, in the words of Markdown."""

    name: str
    variable: str
    kind: str
    default: str
    text: str


def described_settings() -> Iterator[DescribedSetting]:
    """Every setting that there is, in the order in which they are declared."""
    for name, field in Settings.model_fields.items():
        yield DescribedSetting(
            name,
            f"{ENVIRONMENT_PREFIX}{name.upper()}",
            _kind(field.annotation),
            _default(field),
            field.description or "",
        )


def _kind(annotation: object) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_kind(argument) for argument in arguments))
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if arguments:
        return " or ".join(f"`{argument}`" for argument in arguments)
    name = "none" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))
    return _WORDS.get(name, name)


def _default(field: FieldInfo) -> str:
    if field.default in ("", (), None):
        return "empty"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default}`"
