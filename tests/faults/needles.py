"""Secrets, in every form in which they might lie somewhere, and the search for them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

SHORTEST: Final = 11
"""Fewer characters of a secret than this would be found by chance, or are shown on purpose."""


@dataclass
class Needles:
    """What must not be found.

    Args:
        forms: Every form of every secret, with the name to tell it by.
    """

    forms: dict[bytes, str] = field(default_factory=dict)

    def add_credential(self, name: str, credential: str) -> None:
        """A credential of ours: `bf_<kind>_<id and random>_<checksum>`. The id may be seen, the random part not."""
        payload = credential.split("_")[2]
        self.add(name, credential.encode(), whole_only=True)
        self.add(f"{name}'s random part", payload[22:].encode())

    def add(self, name: str, secret: bytes, *, whole_only: bool = False) -> None:
        """Any secret, and unless only the whole of it is one, its halves."""
        parts = [secret]
        if not whole_only:
            middle = max(SHORTEST, len(secret) // 2)
            parts += [secret[:middle], secret[-middle:]]
        for part in parts:
            for form, text in _forms(part):
                self.forms.setdefault(text, f"{name} ({form})")
        for algorithm in ("sha256", "sha1", "md5", "blake2b"):
            digest = hashlib.new(algorithm, secret, usedforsecurity=False)
            self.forms[digest.digest()] = f"{name} ({algorithm}, without a pepper)"
            self.forms[digest.hexdigest().encode()] = f"{name} ({algorithm}, without a pepper)"

    def plain(self) -> Needles:
        """The same secrets, in the form alone in which they are used; for large places."""
        return Needles({text: name for text, name in self.forms.items() if name.endswith("(plain)")})

    def found_in(self, *places: bytes | str) -> list[str]:
        """The names of all that lies in these places, with what lies around it."""
        found = []
        for place in places:
            text = place.encode("utf-8", "surrogateescape") if isinstance(place, str) else place
            for needle, name in self.forms.items():
                at = text.find(needle)
                if at >= 0:
                    found.append(f"{name} in …{text[max(0, at - 150) : at + len(needle) + 80]!r}…")
        return found


def _forms(secret: bytes) -> Iterator[tuple[str, bytes]]:
    yield "plain", secret
    yield "hexadecimal", secret.hex().encode()
    yield "HEXADECIMAL", secret.hex().upper().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        # What stands before it decides at which of three places in base64's groups it begins; its ends are blurred.
        for before in range(3):
            encoded = encode(b"\x00" * before + secret)
            yield "base64", encoded[(0, 2, 3)[before] : len(encoded) - 4]
