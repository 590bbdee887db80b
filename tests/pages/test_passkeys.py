"""Passkeys on pages: added, asked for in three places, renamed and removed, by forms that carry what a browser gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.authenticator import Authenticator
from tests.pages.browsing import Browser, Read
from tests.pages.test_pages import assert_safe
from tests.serving import RunningServer, running, settings_for
from tests.web.people import person
from tests.web.tenancy import Tenancy

SECURITY: Final = "/settings/security"
PASSKEYS: Final = f"{SECURITY}/passkeys"


def asked(read: Read, path: str) -> dict[str, Any]:
    """What a page wants the browser to be asked."""
    assert_safe(read)
    found = [given for tag, given in read.tags if tag == "form" and given["action"].endswith(path)]
    assert len(found) == 1
    assert "hidden" in found[0], "without scripts it is of no use"
    options: dict[str, Any] = json.loads(found[0]["data-passkey"])
    return options


def device(server: RunningServer, **fields: Any) -> Authenticator:
    """A phone that shows a page of the server."""
    origin = server.settings.base_url.replace("127.0.0.1", "localhost")
    return Authenticator(origin, **fields)


def add(browser: Browser, key: Authenticator, name: str = "Phone") -> Read:
    """Add a passkey."""
    begun = browser.submit(browser.get(SECURITY).form(f"{PASSKEYS}/begin"))
    credential = key.create(asked(begun, PASSKEYS))
    return browser.submit(begun.form(PASSKEYS), credential=json.dumps(credential), name=name)


def test_a_passkey_is_added_and_signs_in_alone(tenancy: Tenancy) -> None:
    """ASVS 6.3.3: only programs could have passkeys."""
    browser, who, key = Browser(tenancy.server), person(tenancy), device(tenancy.server)
    browser.sign_in(who)
    begun = browser.submit(browser.get(SECURITY).form(f"{PASSKEYS}/begin"))
    wrong = browser.submit(begun.form(PASSKEYS), credential="{}", name="Phone")
    assert (wrong.status, "is not what your browser was asked for" in wrong.words) == (400, True)
    codes = browser.submit(
        wrong.form(PASSKEYS), credential=json.dumps(key.create(asked(wrong, PASSKEYS))), name="<b>Phone"
    )
    assert len(codes.codes[0].split()) == 10
    listed = browser.get(SECURITY)
    assert_safe(listed)
    assert "<b>Phone" in listed.words
    assert "10 recovery codes" in listed.words
    assert "None. With an app" in listed.words

    again = Browser(tenancy.server)
    page = again.get("/login?next=/profile")
    refused = again.submit(page.form("/login/passkey"), credential='{"id": 5}')
    assert (refused.status, "This passkey is not known here" in refused.words) == (401, True)
    answer = json.dumps(key.get(asked(refused, "/login/passkey")))
    done = again.submit(refused.form("/login/passkey"), credential=answer)
    assert done.answer.request.url.path == "/profile"


def test_a_passkey_is_a_second_step_and_a_proof(tenancy: Tenancy) -> None:
    """ASVS 7.5.1: who has a passkey and no app would be asked for a code that nothing shows."""
    browser, who, key = Browser(tenancy.server), person(tenancy), device(tenancy.server)
    browser.sign_in(who)
    add(browser, key)
    again = Browser(tenancy.server)
    step, path = again.sign_in(who), "/login/second-factor/passkey"
    assert "One more step" in step.words
    wrong = again.submit(step.form(path), credential="x")
    assert wrong.status == 401
    answer = key.get(asked(wrong, path))
    done = again.submit(wrong.form(path), credential=json.dumps(answer))
    assert "API keys" in done.words
    late = again.submit(wrong.form(path), credential=json.dumps(answer))
    assert late.status == 401

    tenancy.server.clock.advance(1_000)
    prove = again.submit(again.get(SECURITY).form(f"{PASSKEYS}/begin"))
    assert "Is it you?" in prove.words
    refused = again.submit(prove.form("/prove/passkey"), credential="{}")
    assert refused.status == 401
    answer = key.get(asked(refused, "/prove/passkey"))
    back = again.submit(refused.form("/prove/passkey"), credential=json.dumps(answer))
    assert back.answer.request.url.path == SECURITY
    other = device(tenancy.server)
    assert "Work" in add(again, other, "Work").words, "no codes are shown for the second"


def test_passkeys_are_renamed_and_removed(tenancy: Tenancy) -> None:
    """ASVS 7.4.3: a lost phone would stay listed, and open the account."""
    browser, who, key = Browser(tenancy.server), person(tenancy), device(tenancy.server)
    browser.sign_in(who)
    add(browser, key)
    listed = browser.get(SECURITY)
    rename = next(form.action for form in listed.forms if form.action.endswith("/rename"))
    listed = browser.submit(listed.form(rename), name="Old phone")
    assert "Old phone" in listed.words
    gone = browser.submit(listed.form(rename.replace("rename", "remove")))
    assert "Old phone" not in gone.words
    assert "recovery codes" not in gone.words


def test_a_server_that_is_a_number_offers_none(tmp_path: Path) -> None:
    """Browsers would show an error that nobody understands."""
    settings = settings_for(f"sqlite:///{tmp_path}/bonafides.db", tmp_path, public_url="https://192.0.2.7")
    with running(settings) as server:
        assert "passkey" not in Browser(server).get("/login").words
