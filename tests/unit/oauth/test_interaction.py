"""What has to happen before a client gets its answer: who is asked, and when nobody is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bonafides.oauth.authorization_request import Refusal
from bonafides.oauth.interaction import Given, Login, Step, next_step, scopes_given
from tests.unit.oauth.asking import API, APP, CALLBACK, DEFINED, StubClient, accepted, pairs

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=2)
ADA = Login("usr_ada", LONG_AGO, DEFINED - {"admin"})
FRESH = Login("usr_ada", NOW, ADA.ceiling)
ALL = Given(frozenset({"read", "write", "openid"}), (API,))
WEB = StubClient(audiences=(API, "urn:example:other"))


def step(
    login: Login | None = ADA,
    given: Given | None = ALL,
    client: StubClient = WEB,
    extra: list[tuple[str, str]] | None = None,
    hinted_user_id: str | None = None,
    **changes: Any,
) -> Step | str:
    """What comes next, or the error that the client is told."""
    asked = accepted([*pairs(**changes), *(extra or [])], client)
    outcome = next_step(asked, client, login, given, began_at=NOW, now=NOW, hinted_user_id=hinted_user_id)
    return outcome.error if isinstance(outcome, Refusal) else outcome


def test_who_is_not_signed_in_signs_in() -> None:
    """Nobody is asked for anything before it is known who they are; without pages the client is told (prompt=none)."""
    assert step(login=None) is Step.LOG_IN
    assert step(login=None, prompt="consent") is Step.LOG_IN
    assert step(login=None, prompt="none") == "login_required"


def test_a_client_may_want_a_new_login() -> None:
    """prompt=login is met by a login since the request came, and by no older one (OpenID Connect Core §3.1.2.1)."""
    assert step(prompt="login") is Step.LOG_IN
    assert step(login=FRESH, prompt="login") is Step.GRANT


@pytest.mark.parametrize(
    ("max_age", "expected"),
    [("0", Step.LOG_IN), ("7199", Step.LOG_IN), ("7200", Step.GRANT), ("9999", Step.GRANT)],
)
def test_a_login_may_be_too_old(max_age: str, expected: Step) -> None:
    """max_age counts from when somebody last proved who they are, not from when they were last here."""
    assert step(max_age=max_age) is expected
    assert step(login=FRESH, max_age=max_age) is Step.GRANT
    silent = step(max_age=max_age, prompt="none")
    assert silent == ("login_required" if expected is Step.LOG_IN else Step.GRANT)


def test_a_hint_names_who_has_to_answer() -> None:
    """Another user's answer is not what the client waits for: they sign in, and if somebody else does, the client is told."""
    assert step(hinted_user_id="usr_ada") is Step.GRANT
    assert step(hinted_user_id="usr_eve") is Step.LOG_IN
    assert step(login=FRESH, hinted_user_id="usr_eve") == "login_required"
    assert step(hinted_user_id="usr_eve", prompt="none") == "login_required"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, Step.CONSENT),
        (Given(frozenset({"read"}), ()), Step.CONSENT),
        (Given(frozenset({"read", "write"}), ()), Step.GRANT),
        (ALL, Step.GRANT),
    ],
)
def test_a_person_is_asked_for_what_they_have_not_given(given: Given | None, expected: Step) -> None:
    """One more scope is one more question."""
    assert step(given=given) is expected
    silent = step(given=given, prompt="none")
    assert silent == ("consent_required" if expected is Step.CONSENT else Step.GRANT)


def test_a_person_is_asked_for_each_resource() -> None:
    """What was given for one API is not given for another."""
    assert step(extra=[("resource", API)]) is Step.GRANT
    assert step(extra=[("resource", "urn:example:other")]) is Step.CONSENT


def test_who_registers_with_somebodys_leave_is_not_asked_for_each_time() -> None:
    """Somebody answers for a client that was registered with a token that they gave."""
    client = StubClient(registered=True, created_by="usr_admin")
    assert step(client=client) is Step.GRANT


@pytest.mark.parametrize("prompt", ["consent", "select_account", "consent select_account"])
def test_a_client_may_want_the_question(prompt: str) -> None:
    """It is asked even if it was answered before, and of first-party clients too."""
    assert step(prompt=prompt) is Step.CONSENT
    assert step(prompt=prompt, client=StubClient(first_party=True)) is Step.CONSENT


def test_a_first_party_client_needs_no_consent() -> None:
    """The operator's own application is not somebody else."""
    assert step(given=None, client=StubClient(first_party=True)) is Step.GRANT
    assert step(login=None, given=None, client=StubClient(first_party=True)) is Step.LOG_IN


@pytest.mark.parametrize("first_party", [False, True])
@pytest.mark.parametrize(
    ("facts", "uri"),
    [
        ({"registered": True}, CALLBACK),
        ({"token_endpoint_auth_method": "none"}, "http://127.0.0.1:4000/callback"),
        ({"token_endpoint_auth_method": "none"}, "http://localhost:4000/callback"),
        ({"token_endpoint_auth_method": "none"}, "com.example.app:/callback"),
    ],
)
def test_where_anybody_can_pass_for_the_client_a_person_is_asked_each_time(
    facts: dict[str, Any], uri: str, *, first_party: bool
) -> None:
    """Another app can listen at an app's address, and anybody can register: no answer of before speaks for them."""
    client = StubClient(redirect_uris=(uri,), first_party=first_party, **facts)
    assert step(client=client, redirect_uri=uri) is Step.CONSENT
    assert step(client=client, redirect_uri=uri, prompt="none") == "consent_required"


def test_a_public_client_on_a_page_of_its_own_is_known_by_it() -> None:
    """Only the owner of a host answers at https, so what was given there holds."""
    assert step(client=StubClient(token_endpoint_auth_method="none")) is Step.GRANT
    assert APP.token_endpoint_auth_method == "none"


def test_nobody_gives_what_they_do_not_have() -> None:
    """A member's consent makes no administrator of a client."""
    client = StubClient(scopes=frozenset({"read", "admin", "openid"}))
    asked = accepted(pairs(scope="openid read admin"), client)
    assert scopes_given(asked, ADA) == {"openid", "read"}
    given = Given(frozenset({"read", "openid"}), ())
    assert step(client=client, given=given, scope="openid read admin") is Step.GRANT
    assert step(client=client, given=given, scope="admin") == "invalid_scope"
