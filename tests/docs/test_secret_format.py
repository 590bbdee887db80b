"""The page on the look of a secret says what is true, and its checker checks."""

from __future__ import annotations

import re
import secrets
from typing import Any

from bonafides.secret import SecretKind, mint, new_id
from docs import secret_format

PAGE = secret_format.secret_format_page()


def test_every_kind_is_on_the_page() -> None:
    """A scanner that is set up by the page would miss a kind."""
    assert set(secret_format.KINDS) == set(SecretKind)
    assert all(f"| `bf_{kind}_` |" in PAGE for kind in SecretKind)


def test_the_checker_and_the_expression_know_what_we_mint() -> None:
    """A scanner would miss real secrets, or report what is none."""
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    pattern = re.search(r"^    (\\b.+\\b)$", PAGE, re.MULTILINE)
    assert code is not None
    assert pattern is not None
    scope: dict[str, Any] = {}
    exec(code[1], scope)  # noqa: S102 - the page's own code is what is tested
    for kind in SecretKind:
        for _ in range(50):
            secret = mint(kind, new_id("key", secrets.randbits(50), secrets.token_bytes), secrets.token_bytes)
            found = re.search(pattern[1], f'"token": "{secret}", "x": 1')
            assert found is not None
            assert found[0] == secret
            assert scope["is_ours"](secret)
            place = secrets.randbelow(len(secret) - 7)
            other = "a" if secret[place] != "a" else "b"
            assert not scope["is_ours"](secret[:place] + other + secret[place + 1 :])


def test_the_example_is_whole() -> None:
    """Whoever tries the checker on it would think that one of the two is wrong."""
    identifier, secret = secret_format.example()
    assert secret in PAGE
    assert identifier in PAGE
    assert secret.startswith("bf_key_" + identifier.removeprefix("key_"))
