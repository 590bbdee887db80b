"""Where the peppers are kept: in the settings, or in a file that its owner alone can read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bonafides.errors import Misconfigured
from bonafides.model import Entropy
from bonafides.secret import Pepper, Peppers, new_pepper, parse_pepper
from bonafides.settings import Settings

PRIVATE: Final = 0o600
OTHERS: Final = 0o077
"""The permission bits of everybody but a file's owner."""


def load_peppers(settings: Settings) -> Peppers | None:
    """The peppers in force, or None where none was ever made.

    Raises:
        Misconfigured: One is malformed, the file cannot be read, or others can read it too.
    """
    if settings.peppers:
        return Peppers([parse_pepper(pepper.get_secret_value()) for pepper in settings.peppers])
    path = settings.pepper_path
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            mode = os.fstat(file.fileno()).st_mode
            lines = file.read().split()
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"The pepper file {path} cannot be read: {error.strerror}."
        raise Misconfigured(message) from None
    if mode & OTHERS:
        message = f"The pepper file {path} can be read by others. Run: chmod 600 {path}"
        raise Misconfigured(message)
    if not lines:
        message = (
            f"The pepper file {path} is empty. Restore it from a backup: without it no key can be checked."
        )
        raise Misconfigured(message)
    return Peppers([parse_pepper(line) for line in lines])


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


def make_peppers(settings: Settings, entropy: Entropy) -> Peppers:
    """The peppers in force, in a new file if there were none; of concurrent callers all get the same.

    Raises:
        Misconfigured: The file cannot be written, or `load_peppers` refuses what is there.
    """
    peppers = load_peppers(settings)
    if peppers is None:
        path = settings.pepper_path
        with _complaining(path):
            beside = path.with_name(f"{path.name}.{entropy(8).hex()}")
            _write(beside, [new_pepper(entropy)])
            try:
                # Whole or not at all, and never over another's: unlike a rename, a link fails where a file is.
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(beside)
            finally:
                beside.unlink()
            _settle(path.parent)
        peppers = require_peppers(settings)
    return peppers


def rotate_pepper(settings: Settings, entropy: Entropy) -> Pepper:
    """Put a new pepper in front of those in the file; keys are digested anew as they are used.

    Raises:
        Misconfigured: The peppers are in the settings, the file cannot be written, or somebody else is
            rotating it.
    """
    if settings.peppers:
        message = "The peppers are in BONAFIDES_PEPPERS: put a new one in front there, and keep the others."
        raise Misconfigured(message)
    path = settings.pepper_path
    if load_peppers(settings) is None:
        message = f"There is no pepper file {path} yet. Run: bonafides init"
        raise Misconfigured(message)
    beside = path.with_name(f"{path.name}.new")
    newest = new_pepper(entropy)
    with _complaining(path):
        try:
            # The name is also the lock: of two rotations at once neither loses the other's pepper.
            _write(beside, [newest], of=path)
        except FileExistsError:
            message = f"{beside} exists: another rotation is under way, or was interrupted. If it was, delete that file."
            raise Misconfigured(message) from None
        beside.replace(path)
        _settle(path.parent)
    return parse_pepper(newest)


def _write(path: Path, lines: Iterable[str], *, of: Path | None = None) -> None:
    """Write a file that did not exist, readable by its owner alone, and on the disk when this returns.

    Args:
        path: The new file.
        lines: What it begins with.
        of: The file whose lines follow, and whose owner, who need not be the caller, owns this one too.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            if of is not None:
                was = of.stat()
                with contextlib.suppress(PermissionError):
                    os.chown(file.fileno(), was.st_uid, was.st_gid)
                lines = [*lines, *of.read_text(encoding="ascii").split()]
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise


def _settle(folder: Path) -> None:
    """Put the folder's own entries on the disk, so that a power cut does not take a name back."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _complaining(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"The pepper file {path} cannot be written: {error.strerror}."
        raise Misconfigured(message) from None
