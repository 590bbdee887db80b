"""The forms that take a password, as a password manager and a person in a hurry meet them."""

from __future__ import annotations

import re

import pytest

from tests.serving import RunningServer

FIELDS = {
    "/login": {"username", "password", "tenant_id"},
    "/forgotten-password": {"username"},
    "/choose-password": {"token", "new_password"},
    "/set-up": {"token", "email", "new_password"},
}
OF_THE_FORM = {"csrf", "next", "credential"}
"""The last is what a passkey says, which nobody types."""


@pytest.mark.parametrize("path", FIELDS)
def test_a_form_asks_for_no_more_than_it_needs_and_takes_what_is_pasted(
    server: RunningServer, path: str
) -> None:
    """ASVS 6.2.7, ASVS 6.4.2: a mother's maiden name opened accounts, and what cannot be pasted is made short."""
    page = server.nobody.get(path, headers={"Accept": "text/html"}).text
    inputs = re.findall(r"<(?:input|select|textarea)\b[^>]*>", page)
    named = {found[1]: field for field in inputs if (found := re.search(r'\bname="([^"]+)"', field))}
    assert set(named) - OF_THE_FORM == FIELDS[path]
    for name, field in named.items():
        if "password" in name:
            assert 'type="password"' in field
            assert re.search(r'autocomplete="(current|new)-password"', field)
            assert int(re.findall(r'maxlength="(\d+)"', field)[0]) >= 64
        assert not re.search(r"\bon(paste|copy|cut|keydown|input)\b|readonly", field)


def test_no_script_stands_between_a_password_manager_and_a_field(server: RunningServer) -> None:
    """ASVS 6.2.7: whoever may not paste chooses what can be typed."""
    assert not re.search(r"paste|preventDefault\(\).*password", server.nobody.get("/static/site.js").text)
