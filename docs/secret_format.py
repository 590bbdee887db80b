"""The page on the look of a secret, from the constants that make one; with an example and a checker that are run."""

from __future__ import annotations

from typing import Final

from bonafides.secret import (
    ALPHABET,
    CHECKSUM_WIDTH,
    ID_WIDTH,
    RANDOM_WIDTH,
    SecretKind,
    display,
    mint,
    new_id,
)

KINDS: Final = {
    SecretKind.KEY: "API key",
    SecretKind.PAT: "personal access token",
    SecretKind.TOK: "bearer token",
    SecretKind.OAT: "OAuth access token",
    SecretKind.ORT: "refresh token",
    SecretKind.INV: "an invitation, used once",
    SecretKind.RST: "a password reset, used once",
    SecretKind.MFA: "the second step of a login, used once",
    SecretKind.SEC: "client secret",
    SecretKind.IAT: "initial access token, by which clients are registered",
    SecretKind.RAT: "registration access token, by which a client sees and changes what it has registered",
}
EXAMPLE_US: Final = 1_900_000_000_000_000


def example() -> tuple[str, str]:
    """The id of a key that does not exist, and what its secret would look like."""
    identifier = new_id("key", EXAMPLE_US, lambda size: bytes(range(size)))
    return identifier, mint(SecretKind.KEY, identifier, lambda size: bytes(range(size)))


def secret_format_page() -> str:
    """What a scanner, a log filter or a client needs to tell a secret of ours."""
    identifier, secret = example()
    kinds = "|".join(SecretKind)
    payload = ID_WIDTH + RANDOM_WIDTH
    rows = "\n".join(f"| `bf_{kind}_` | {KINDS[kind]} |" for kind in SecretKind)
    return f"""# The look of a secret

    bf_<kind>_<payload>_<checksum>

| prefix | what it is |
| --- | --- |
{rows}

- **payload**: {payload} characters. The first {ID_WIDTH} are those of the credential's id after its prefix, so that a secret that
  was found can be looked up and revoked without being kept. The last {RANDOM_WIDTH} are 128 random bits.
- **checksum**: {CHECKSUM_WIDTH} characters: the CRC-32 (as in zlib, gzip and PNG) of the ASCII characters before the last underscore.
- Both are base62, the most significant digit first, filled with `0` from the left. The digits are
  `{ALPHABET}`.
- There are letters, digits and underscores alone, so a double click takes the whole.

As a regular expression, for scanners and log filters:

    \\bbf_({kinds})_[0-9A-Za-z]{{{payload}}}_[0-9A-Za-z]{{{CHECKSUM_WIDTH}}}\\b

A match whose checksum is right is one of ours, in whichever installation; whether it still opens anything, only that
installation knows. To check it offline:

```python
import zlib

DIGITS = "{ALPHABET}"


def is_ours(secret: str) -> bool:
    head, _, checksum = secret.rpartition("_")
    number, digits = zlib.crc32(head.encode("ascii")), ""
    for _ in range({CHECKSUM_WIDTH}):
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return digits == checksum
```

The secret of a key `{identifier}` could be `{secret}`
and is displayed as `{display(secret)}`: the first and the last four characters. The server keeps a keyed digest of it and nothing else.

None of this changes for a kind that exists; a new kind gets a new name. Foreign keys that were imported keep the
look that they have, so **not** matching proves nothing about them.
"""
