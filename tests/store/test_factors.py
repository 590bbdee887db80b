"""Second factors in the store: confirmed once, spent with what they open, and never gone around."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from bonafides.model import (
    Account,
    Change,
    ChangeKind,
    CredentialStatus,
    Elevation,
    FactorKind,
    Factors,
    GuessLimit,
    OneTimePurpose,
    Page,
    Proof,
    Status,
    TotpFactor,
    UserChanges,
    UserKind,
)
from bonafides.store.sql import SqlStore
from tests.store.records import LATER, NOW, event, secret, user
from tests.store.test_sessions import HASH, one_time, opening, session, status_of, token

APP = TotpFactor("usr_owner", b"sealed", "p1", 0, NOW)
CODES = [secret("code 1"), secret("code 2")]


def used(counter: int, **fields: Any) -> TotpFactor:
    """The app as it is kept once a code was used."""
    return replace(APP, confirmed_at=NOW, last_counter=counter, **fields)


def by_app(counter: int, step_id: str | None = None) -> Proof:
    """A code of the app."""
    return Proof(FactorKind.TOTP, step_id, used(counter))


def by_code(name: str, step_id: str | None = None) -> Proof:
    """A recovery code."""
    return Proof(FactorKind.RECOVERY_CODE, step_id, recovery_code=secret(name).digest)


async def confirmed(store: SqlStore, **options: Any) -> int | None:
    """Set the founding owner's app up."""
    assert await store.begin_totp(APP, event("user.totp_begun"))
    options = {"kept_session": None, "end_others": False, **options}
    return await store.confirm_totp(used(1), CODES, event("user.factor_added"), **options)


async def account(store: SqlStore) -> Account:
    """The founding owner's."""
    found = await store.find_account_of("usr_owner", "ten_a")
    assert found is not None
    return found


async def begun(store: SqlStore, identity: str, **fields: Any) -> None:
    """A login that has come to its second step."""
    made = one_time(identity, OneTimePurpose.LOGIN, email_folded=None, **fields)
    await store.create_one_time_secret(made, secret(identity), None)


async def test_an_app_counts_once_it_is_confirmed(store: SqlStore) -> None:
    """A page that was closed too early would lock its user out; a second app would take the place of the first."""
    assert await store.find_factors("usr_owner") == Factors(None, 0)
    assert await store.begin_totp(replace(APP, sealed=b"another"), event())
    assert (await account(store)).factors == ()
    assert await confirmed(store) == 0
    assert await store.find_factors("usr_owner") == Factors(used(1), 2)
    assert (await account(store)).factors == (FactorKind.TOTP, FactorKind.RECOVERY_CODE)
    assert not await store.begin_totp(replace(APP, sealed=b"third"), event())
    wish: dict[str, Any] = {"kept_session": None, "end_others": False}
    assert await store.confirm_totp(used(2), CODES, event(), **wish) is None
    assert await store.find_factors("usr_owner") == Factors(used(1), 2)
    digests = [b"x" * 32, secret("code 1").digest]
    assert await store.find_recovery_code("usr_owner", digests) == secret("code 1").digest
    assert await store.find_recovery_code("usr_owner", digests[:1]) is None
    assert await store.find_recovery_code("usr_other", digests) is None


async def test_what_another_has_begun_since_is_not_confirmed(store: SqlStore) -> None:
    """The code of one secret would take another into use, which nobody has."""
    assert await store.begin_totp(APP, event())
    wish: dict[str, Any] = {"kept_session": None, "end_others": False}
    assert await store.confirm_totp(used(1, sealed=b"other"), CODES, event(), **wish) is None
    assert await store.find_factors("usr_owner") == Factors(APP, 0)


async def test_new_codes_replace_the_old_ones_of_who_has_a_factor(store: SqlStore) -> None:
    """Codes without a factor would be a way in of their own, and old ones would go on serving."""
    new = [secret("code 3")]
    assert not await store.replace_recovery_codes("usr_owner", new, event())
    await confirmed(store)
    assert await store.replace_recovery_codes("usr_owner", new, event())
    assert (await store.find_factors("usr_owner")).recovery_codes == 1
    assert await store.find_recovery_code("usr_owner", [secret("code 1").digest]) is None


async def test_taking_a_factor_away_ends_what_it_protected(store: SqlStore, told: list[Change]) -> None:
    """ASVS 7.4.3: a login that is half done would be finished without it, and a thief's session go on."""
    for number in (1, 2):
        await store.open_session(opening(session(f"ses_{number}")), event())
    told.clear()
    assert await confirmed(store, kept_session="ses_2", end_others=True) == 1
    assert {change.subject_id for change in told} == {"ses_1", "jwt_ses_1"}
    await begun(store, "mfa_1")
    wish: dict[str, Any] = {"kept_session": None, "end_others": True}
    assert await store.remove_factors("usr_owner", event(), **wish) == 1
    assert await status_of(store, "ses_2") is CredentialStatus.REVOKED
    found = await store.find_one_time_secret([secret("mfa_1").digest], OneTimePurpose.LOGIN, NOW)
    assert found is None
    assert await store.find_factors("usr_owner") == Factors(None, 0)
    assert await store.remove_factors("usr_owner", event(), **wish) is None


async def test_who_has_a_factor_opens_no_session_without_it(store: SqlStore) -> None:
    """Attack 42: each new way of logging in would be one around the second factor."""
    await confirmed(store)
    assert not await store.open_session(opening(session()), event())
    assert not await store.open_session(opening(session(), password_hash=None), event())
    assert not await store.open_session(opening(session(), proof=by_app(1)), event())
    assert not await store.open_session(opening(session(), proof=by_code("code 9")), event())
    assert await store.open_session(opening(session(), proof=by_app(2)), event())
    assert not await store.open_session(opening(session("ses_2"), proof=by_app(2)), event())
    assert await store.open_session(opening(session("ses_2"), proof=by_code("code 1")), event())
    assert not await store.open_session(opening(session("ses_3"), proof=by_code("code 1")), event())
    assert (await store.find_factors("usr_owner")).recovery_codes == 1
    await store.create_user(user("usr_second"), event())
    theirs = session("ses_4", user_id="usr_second")
    assert not await store.open_session(opening(theirs, password_hash=None, proof=by_code("code 2")), event())


async def test_who_has_none_proves_none(store: SqlStore) -> None:
    """A factor that was taken away in this moment would still open a session."""
    assert not await store.open_session(opening(session(), proof=by_app(2)), event())
    await store.begin_totp(APP, event())
    assert not await store.open_session(opening(session(), proof=by_app(2)), event())


async def test_a_step_that_is_over_spends_no_code(store: SqlStore) -> None:
    """A recovery code would be gone, and nobody logged in for it."""
    await confirmed(store)
    await begun(store, "mfa_1")
    await begun(store, "mfa_late", expires_at=NOW)
    for step_id in ("mfa_late", "mfa_nobodys", "rst_1"):
        assert not await store.open_session(opening(session(), proof=by_code("code 1", step_id)), event())
    assert (await store.find_factors("usr_owner")).recovery_codes == 2
    assert await store.open_session(opening(session(), proof=by_code("code 1", "mfa_1")), event())
    assert not await store.open_session(opening(session("ses_2"), proof=by_code("code 2", "mfa_1")), event())
    assert (await store.find_factors("usr_owner")).recovery_codes == 1


async def test_steps_of_logins_do_not_end_each_other(store: SqlStore) -> None:
    """Whoever knows a password would keep its owner from ever finishing a login."""
    limit = GuessLimit("account", 1, 60)
    await store.count_guess([limit], NOW)
    for identity in ("mfa_1", "mfa_2"):
        await begun(store, identity)
    made = one_time("mfa_3", OneTimePurpose.LOGIN, email_folded=None)
    await store.create_one_time_secret(made, secret("mfa_3"), None, guessed=("account",))
    assert await store.count_guess([limit], NOW) == 0
    for identity in ("mfa_1", "mfa_2", "mfa_3"):
        digests = [secret(identity).digest]
        assert await store.find_one_time_secret(digests, OneTimePurpose.LOGIN, NOW) is not None


@pytest.mark.parametrize("proof", ["code", "app", "step"])
async def test_of_many_at_once_one_is_let_in(
    opened: Callable[[], SqlStore], store: SqlStore, proof: str
) -> None:
    """ASVS 2.3.4, ASVS 6.5.1: one code that was seen would open as many sessions as are asked for at once."""
    await confirmed(store)
    stores = [store, opened(), opened()]
    proofs = []
    for number in range(6):
        identity = "mfa_0" if proof == "step" else f"mfa_{number}"
        if number == 0 or proof != "step":
            await begun(store, identity)
        if proof == "code":
            proofs.append(by_code("code 1", identity))
        else:
            proofs.append(by_app(2 if proof == "app" else 2 + number, identity))
    wins = await asyncio.gather(
        *(
            stores[number % 3].open_session(opening(session(f"ses_{number}"), proof=each), event())
            for number, each in enumerate(proofs)
        )
    )
    assert sum(wins) == 1


# Proving anew


def elevation(at: datetime = LATER, **fields: Any) -> Elevation:
    """The founding owner proves who they are, in their session."""
    made = session(authenticated_at=at, methods=frozenset({"pwd", "otp"}))
    whole = Elevation(
        session=made,
        token=token("jwt_next", made),
        token_secret=secret("jwt_next"),
        replaced="jwt_ses_1",
        password_hash=HASH,
        proof=None,
        guessed=("account",),
    )
    return replace(whole, **fields)


async def test_a_fresh_proof_is_noted_and_the_token_replaced(store: SqlStore, told: list[Change]) -> None:
    """ASVS 7.2.4: the token from before the proof would go on beside the one from after it."""
    await store.open_session(opening(session()), event())
    assert await store.proven_at("jwt_ses_1") == NOW
    assert await store.proven_at("key_first") is None
    assert await store.proven_at("jwt_nobodys") is None
    limit = GuessLimit("account", 1, 60)
    await store.count_guess([limit], NOW)
    told.clear()
    assert await store.elevate(elevation(), event("session.stepped_up"))
    assert await store.count_guess([limit], NOW) == 0
    assert Change(ChangeKind.CREDENTIAL_CREATED, "jwt_next") in told
    assert Change(ChangeKind.CREDENTIAL, "jwt_ses_1") in told
    assert await store.proven_at("jwt_next") == LATER
    assert await status_of(store, "jwt_ses_1") is CredentialStatus.REVOKED
    assert await status_of(store, "ses_1") is await status_of(store, "jwt_next") is CredentialStatus.ACTIVE
    live = await store.find_session("ses_1", "ten_a", NOW)
    assert live is not None
    assert live.session.methods == frozenset({"pwd", "otp"})


@pytest.mark.parametrize("obstacle", ["password", "user", "ended", "code"])
async def test_what_no_longer_holds_proves_nothing(store: SqlStore, obstacle: str) -> None:
    """A proof that was under way would outlive the change that was to end it."""
    await store.open_session(opening(session()), event())
    made = elevation()
    if obstacle == "password":
        made = elevation(password_hash="$argon2id$another")
    elif obstacle == "user":
        await store.create_user(user("usr_second"), event())
        await store.change_user("usr_owner", "ten_a", UserChanges(status=Status.DISABLED), event())
    elif obstacle == "ended":
        await store.set_credential_status("ses_1", "ten_a", CredentialStatus.REVOKED, event())
    else:
        await confirmed(store)
        made = elevation(proof=by_app(1))
    assert not await store.elevate(made, event())
    assert await store.proven_at("jwt_next") is None
    assert await store.proven_at("jwt_ses_1") == NOW
    if obstacle == "code":
        assert await store.elevate(elevation(proof=by_app(2), password_hash=None), event())


async def test_a_pepper_that_a_factor_or_a_session_needs_is_counted(store: SqlStore) -> None:
    """ASVS 13.3.4: an operator would drop an old pepper, and lock out whoever has a second factor."""
    await store.begin_totp(replace(APP, pepper_id="p_app"), event())
    wish: dict[str, Any] = {"kept_session": None, "end_others": False}
    kept = replace(used(1), pepper_id="p_app")
    assert await store.confirm_totp(kept, [secret("code 1", "p_code")], event(), **wish) == 0
    made = opening(session(), proof=by_code("code 1"))
    token_secret = replace(made.refresh_token, secret=secret("first ses_1", "p_refresh"))
    counted = await store.pepper_ids()
    assert (counted["p_app"], counted["p_code"]) == (1, 1)
    assert await store.open_session(replace(made, refresh_token=token_secret), event())
    counted = await store.pepper_ids()
    assert counted["p_refresh"] == 1
    assert "p_code" not in counted


async def test_who_proves_nothing_but_a_password_is_found(store: SqlStore) -> None:
    """An admin could not ask those to set one up whose password alone opens everything."""
    await store.create_user(user("usr_other", kind=UserKind.PERSON), event())
    await store.create_user(user("usr_service", kind=UserKind.SERVICE), event())

    async def found(tenant: str = "ten_a", user_id: str | None = None) -> list[str]:
        page = Page(10)
        return sorted(each.id for each in await store.list_people_without_factor(tenant, page, user_id))

    assert await found() == ["usr_other", "usr_owner"]
    assert await found(user_id="usr_owner") == ["usr_owner"]
    assert await found("ten_nowhere") == []
    assert await store.begin_totp(APP, event("user.totp_begun"))
    assert await found() == ["usr_other", "usr_owner"]
    await store.confirm_totp(used(1), CODES, event("user.factor_added"), kept_session=None, end_others=False)
    assert await found() == ["usr_other"]
    assert await found(user_id="usr_owner") == []
    await store.change_user("usr_other", "ten_a", UserChanges(status=Status.DISABLED), event())
    assert await found() == []
