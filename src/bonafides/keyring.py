"""Where the peppers are kept: in the settings, or in a file that its owner alone can read."""

from __future__ import annotations

import os
from pathlib import Path

from bonafides.errors import Misconfigured
from bonafides.model import Entropy
from bonafides.secret import Pepper, Peppers, new_pepper, parse_pepper
from bonafides.settings import Settings


def load_peppers(settings: Settings) -> Peppers | None:
    """The peppers in force, or None where none was ever made.

    Raises:
        Misconfigured: One is malformed, the file cannot be read, or others can read it too.
    """
    if settings.peppers:
        return Peppers([parse_pepper(pepper.get_secret_value()) for pepper in settings.peppers])
    path = settings.pepper_path
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="ascii", errors="replace").split()
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"The pepper file {path} cannot be read: {error.strerror}."
        raise Misconfigured(message) from None
    if mode & 0o077:
        message = f"The pepper file {path} can be read by others. Run: chmod 600 {path}"
        raise Misconfigured(message)
    if not lines:
        message = f"The pepper file {path} is empty. Restore it from a backup: without it no key can be checked."
        raise Misconfigured(message)
    return Peppers([parse_pepper(line) for line in lines])


def make_peppers(settings: Settings, entropy: Entropy) -> Peppers:
    """The peppers in force, in a new file if there were none.

    Raises:
        Misconfigured: The file cannot be written.
    """
    peppers = load_peppers(settings)
    if peppers is not None:
        return peppers
    text = new_pepper(entropy)
    _write_new(settings.pepper_path, text)
    made = load_peppers(settings)
    return made if made is not None else Peppers([parse_pepper(text)])


def rotate_pepper(settings: Settings, entropy: Entropy) -> Pepper:
    """Put a new pepper in front of those in the file; keys are digested anew as they are used.

    Raises:
        Misconfigured: The peppers are in the settings, or the file cannot be written.
    """
    if settings.peppers:
        message = "The peppers are in BONAFIDES_PEPPERS: put a new one in front there, and keep the others."
        raise Misconfigured(message)
    if load_peppers(settings) is None:
        message = f"There is no pepper file {settings.pepper_path} yet. Run: bonafides init"
        raise Misconfigured(message)
    path = settings.pepper_path
    newest = new_pepper(entropy)
    beside = path.with_name(f"{path.name}.new")
    _write_new(beside, newest + "\n" + path.read_text(encoding="ascii").strip())
    beside.replace(path)
    return parse_pepper(newest)


def _write_new(path: Path, text: str) -> None:
    """Write a file that did not exist, readable by its owner alone, and on the disk when this returns."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        return
    except OSError as error:
        message = f"The pepper file {path} cannot be written: {error.strerror}."
        raise Misconfigured(message) from None


def require_peppers(settings: Settings) -> Peppers:
    """The peppers in force.

    Raises:
        Misconfigured: There are none, or `load_peppers` refuses them.
    """
    peppers = load_peppers(settings)
    if peppers is None:
        message = (
            f"There is no pepper: {settings.pepper_path} does not exist and BONAFIDES_PEPPERS is not set. "
            "Restore it from a backup: without the pepper no key of this database can be checked."
        )
        raise Misconfigured(message)
    return peppers
