"""The settings of a running server, as its operator may read them: what is secret is only said to be there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from pydantic import SecretStr

from bonafides.settings import ENVIRONMENT_PREFIX, Settings

Value: TypeAlias = str | int | float | bool | list[str] | None

SECRET: Final = "(hidden)"
"""In place of a value that nobody may read."""


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """One setting.

    Args:
        name: As in `bonafides.toml`.
        variable: As in the environment.
        value: What holds; `SECRET` in place of what is secret and not empty.
        source: What has said so: a flag, a variable, a line of the file, or `default`.
        secret: Whether its value is never shown.
        text: What it does.
    """

    name: str
    variable: str
    value: Value
    source: str
    secret: bool
    text: str


def settings_in_force(settings: Settings) -> Iterator[SettingInForce]:
    """Every setting, in the order in which they are declared; of URLs with a password, all but that is shown."""
    without_password = {"database": settings.database_shown, "valkey": settings.valkey_shown}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        secret = _is_secret(value)
        shown = without_password.get(name, value) if value else value
        yield SettingInForce(
            name,
            f"{ENVIRONMENT_PREFIX}{name.upper()}",
            SECRET if secret and _is_there(value) else None if secret else _plain(shown),
            settings.source_of(name),
            secret,
            field.description or "",
        )


def _is_secret(value: object) -> bool:
    if isinstance(value, tuple):
        return any(map(_is_secret, value))
    return isinstance(value, SecretStr)


def _is_there(value: object) -> bool:
    return bool(value.get_secret_value()) if isinstance(value, SecretStr) else bool(value)


def _plain(value: object) -> Value:
    if isinstance(value, tuple):
        return [str(each) for each in value]
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)
