"""`bonafides users` and `bonafides tenants`: who there is, and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bonafides.cli import session
from bonafides.web import schemas
from tests.cli.conftest import EMAIL, Bonafides

MakeKey = Callable[..., dict[str, Any]]
ADA = "Ada@Example.com"


@pytest.fixture
def ada(bonafides: Bonafides, founded: dict[str, str]) -> dict[str, Any]:
    """A member of the operator's tenant."""
    assert founded
    done = bonafides("users", "create", "--email", ADA, "--name", "Ada [b]L[/b]", "--json")
    assert done.status == 0, done.err
    made: dict[str, Any] = done.json
    return made


def test_a_user_has_the_shape_of_the_http_api(bonafides: Bonafides, ada: dict[str, Any]) -> None:
    """A script would have to read the command line's answers otherwise than the API's."""
    assert set(ada) == set(schemas.User.model_fields)
    assert (ada["kind"], ada["role"], ada["scopes"], ada["status"]) == ("person", "member", None, "active")
    assert ada["name"] == "Ada [b]L[/b]"
    for name in (ada["id"], "ada@example.COM"):
        assert bonafides("users", "show", name, "--json").json == ada
    page = bonafides("users", "list", "--json").json
    assert [user["email"] for user in page["data"]] == [ADA, EMAIL]
    assert page["next_cursor"] is None
    assert "Ada [b]L[/b]" in bonafides("users", "list").out


def test_a_service_has_a_name_and_no_password(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """A program could not have keys of its own, or would need somebody's address."""
    assert founded
    made = bonafides(
        "users", "create", "--kind", "service", "--name", "billing", "--scopes", "read", "--json"
    ).json
    assert (made["kind"], made["name"], made["email"], made["scopes"]) == (
        "service",
        "billing",
        None,
        ["read"],
    )
    key = bonafides("keys", "create", "x", "--user", made["id"], "--json").json
    assert key["scopes"] == ["read"]


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        ((), 1, "a person needs an e-mail address"),
        (("--kind", "service"), 1, "a service needs a name"),
        (("--kind", "robot"), 2, "'robot'"),
        (("--kind", "service", "--name", "x", "--role", "owner"), 1, "a service cannot own a tenant"),
        (("--email", "ada@example.com"), 1, "has this e-mail address already"),
        (("--email", "ada"), 1, "ada@example.com"),
        (("--email", "b@example.com", "--scopes", "admin"), 1, "member cannot have the scope admin"),
        (("--email", "b@example.com", "--role", "king"), 2, "'king'"),
        (("--email", "b@example.com", "--tenant", "ten_x"), 1, "There is no tenant 'ten_x'"),
    ],
)
@pytest.mark.usefixtures("ada")
def test_a_user_that_cannot_be_is_refused(
    bonafides: Bonafides, options: tuple[str, ...], status: int, reason: str
) -> None:
    """Somebody would exist who cannot log in, or who may do more than was meant."""
    done = bonafides("users", "create", *options, "--json")
    assert (done.status, done.out) == (status, "")
    assert reason in done.error["message"]
    assert len(bonafides("users", "list", "--json").json["data"]) == 2


def test_what_is_named_changes_and_the_rest_stays(bonafides: Bonafides, ada: dict[str, Any]) -> None:
    """A new name would make somebody an admin, or take their scopes away."""
    before = ada
    for options, name, value in (
        (("--name", "Ada"), "name", "Ada"),
        (("--scopes", "read,credentials:verify"), "scopes", ["credentials:verify", "read"]),
        (("--scopes", ""), "scopes", []),
        (("--role-scopes",), "scopes", None),
        (("--role", "admin"), "role", "admin"),
        (("--status", "disabled"), "status", "disabled"),
        (("--status", "active"), "status", "active"),
        (("--email", "lovelace@example.com"), "email", "lovelace@example.com"),
    ):
        after = bonafides("users", "update", before["email"], *options, "--json").json
        assert after == before | {name: value, "updated_at": after["updated_at"]}
        before = after
    assert bonafides("users", "update", before["id"]).status == 2
    assert bonafides("users", "update", before["id"], "--scopes", "read", "--role-scopes").status == 2
    assert bonafides("users", "update", before["id"], "--status", "deleted").status == 2


@pytest.mark.parametrize(
    "words", [("delete",), ("update", "--role", "member"), ("update", "--status", "disabled")]
)
def test_a_tenant_keeps_an_owner(
    bonafides: Bonafides, founded: dict[str, str], words: tuple[str, ...]
) -> None:
    """Nobody could administer the tenant any more."""
    done = bonafides("users", words[0], founded["user_id"], *words[1:], "--json")
    assert (done.status, done.error["error"]) == (1, "conflict")
    assert "needs an active owner" in done.error["message"]


def test_deleting_a_user_revokes_their_keys(
    bonafides: Bonafides, ada: dict[str, Any], make_key: MakeKey
) -> None:
    """Somebody who left would keep working keys."""
    key = make_key("--user", ADA)["key"]
    assert bonafides("verify", "-", stdin=key).status == 0
    done = bonafides("users", "delete", ADA, "--json")
    assert (done.status, done.json) == (0, {"id": ada["id"], "object": "user", "deleted": True})
    assert bonafides("verify", "-", stdin=key).status == 1
    assert bonafides("users", "delete", ADA).status == 1
    assert bonafides("users", "show", ada["id"]).status == 1


def test_a_script_is_not_asked_before_deleting(bonafides: Bonafides, ada: dict[str, Any]) -> None:
    """A script would hang at a question that nobody answers."""
    done = bonafides("users", "delete", ada["id"])
    assert (done.status, done.out) == (0, f"Deleted {ada['id']}. All their credentials are revoked.\n")


@pytest.mark.parametrize(
    ("answer", "options", "status"), [("n\n", (), 130), ("", (), 130), ("y\n", (), 0), ("", ("--yes",), 0)]
)
def test_a_person_is_asked_before_deleting(
    bonafides: Bonafides, ada: dict[str, Any], answer: str, options: tuple[str, ...], status: int
) -> None:
    """A slip at the keyboard would end all of somebody's keys."""
    done = bonafides("users", "delete", ada["id"], *options, typed=answer)
    assert done.status == status
    assert ("for ever?" in done.err) is (not options)
    assert ("Deleted" in done.out) is (status == 0)
    assert bonafides("users", "show", ada["id"]).status == (1 if status == 0 else 0)


def test_a_tenant_has_the_shape_of_the_http_api(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """A script would have to read the command line's answers otherwise than the API's."""
    made = bonafides("tenants", "create", "--name", "acme", "--plan", "pro", "--json").json
    assert set(made) == set(schemas.Tenant.model_fields)
    assert (made["name"], made["plan"], made["operator"], made["status"]) == ("acme", "pro", False, "active")
    assert bonafides("tenants", "show", made["id"], "--json").json == made
    page = bonafides("tenants", "list", "--json").json
    assert [tenant["id"] for tenant in page["data"]] == [made["id"], founded["tenant_id"]]
    first = bonafides("tenants", "list", "--limit", "1", "--json").json
    rest = bonafides("tenants", "list", "--cursor", first["next_cursor"], "--json").json
    assert rest == {"data": page["data"][1:], "next_cursor": None}
    assert "acme" in bonafides("tenants", "list").out


def test_a_tenant_is_changed_at_once(bonafides: Bonafides, make_key: MakeKey) -> None:
    """A tenant that was disabled would go on being served."""
    tenant = bonafides("tenants", "create", "acme", "--json").json
    bonafides("users", "create", "--tenant", tenant["id"], "--email", ADA, "--role", "owner")
    key = make_key("--tenant", tenant["id"])["key"]
    before = tenant
    for options, name, value in (
        (("--name", "umbrella"), "name", "umbrella"),
        (("--plan", "pro"), "plan", "pro"),
        (("--status", "disabled"), "status", "disabled"),
    ):
        after = bonafides("tenants", "update", tenant["id"], *options, "--json").json
        assert after == before | {name: value, "updated_at": after["updated_at"]}
        before = after
    assert bonafides("verify", "-", stdin=key).status == 1
    assert bonafides("tenants", "update", tenant["id"], "--status", "active").status == 0
    assert bonafides("verify", "-", stdin=key).status == 0


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (("create", "default"), 1, "has this name already"),
        (("create", "x", "--plan", "gold"), 1, "there is no plan 'gold'"),
        (("create",), 2, "NAME"),
        (("show", "ten_x"), 1, "There is no tenant 'ten_x'"),
        (("update", "ten_x", "--name", "y"), 1, "There is no tenant 'ten_x'"),
        (("update", "ten_x"), 2, "Say what to change"),
    ],
)
@pytest.mark.usefixtures("founded")
def test_a_tenant_that_cannot_be_is_refused(
    bonafides: Bonafides, words: tuple[str, ...], status: int, reason: str
) -> None:
    """Two tenants would be taken for one, or one would be on a plan without figures."""
    done = bonafides("tenants", *words, "--json")
    assert (done.status, done.out) == (status, "")
    assert reason in done.error["message"]


def test_the_operators_tenant_stays_enabled(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """Nobody could administer the installation any more."""
    done = bonafides("tenants", "update", founded["tenant_id"], "--status", "disabled")
    assert done.status == 1
    assert "cannot be disabled" in done.err


def test_people_are_found_however_many_there_are(
    bonafides: Bonafides, ada: dict[str, Any], founded: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a large installation nobody past the first page could be named, nor the operator's tenant be found."""
    monkeypatch.setattr(session, "_BATCH", 1)
    bonafides("tenants", "create", "acme")
    bonafides("users", "create", "--email", "bob@example.com", "--role", "owner")
    assert bonafides("users", "show", ADA, "--json").json["id"] == ada["id"]
    assert bonafides("users", "show", "nobody@example.com").status == 1
    assert bonafides("keys", "create", "x", "--json").json["user_id"] == founded["user_id"]


def test_everything_happens_in_the_tenant_at_hand(bonafides: Bonafides, ada: dict[str, Any]) -> None:
    """A command for one tenant would read or change another's people."""
    tenant = bonafides("tenants", "create", "acme", "--json").json["id"]
    other = bonafides("users", "create", "--tenant", tenant, "--email", ADA, "--json").json
    assert other["tenant_id"] == tenant
    assert bonafides("users", "show", ADA, "--tenant", tenant, "--json").json["id"] == other["id"]
    assert bonafides("users", "show", ADA, "--json").json["id"] == ada["id"]
    assert [user["id"] for user in bonafides("users", "list", "--tenant", tenant, "--json").json["data"]] == [
        other["id"]
    ]
    actions = bonafides("audit", "--tenant", tenant, "--json").json["data"]
    assert [(event["action"], event["tenant_id"]) for event in actions] == [
        ("user.created", tenant),
        ("tenant.created", tenant),
    ]


def test_a_person_is_let_choose_a_password(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """Only whoever founded the installation could log in."""
    started = bonafides("users", "reset-password", EMAIL, "--json").json
    assert set(started) == set(schemas.StartedPasswordReset.model_fields)
    assert started["user_id"] == founded["user_id"]
    lines = bonafides("users", "reset-password", EMAIL).out.splitlines()
    assert [line for line in lines if line.strip().startswith("bf_rst_")] == [lines[2]]
    assert bonafides("users", "reset-password", "nobody@example.com").status == 1


def test_keys_and_users_are_found_by_what_is_shown_of_them(bonafides: Bonafides, make_key: MakeKey) -> None:
    """Of ten thousand, an operator would page through all, or pipe every key through grep."""
    checkout, _ = make_key(name="Checkout service"), make_key(name="nightly export")
    bonafides("users", "create", "--email", ADA)
    for noun, words, found in (
        ("keys", "CHECKOUT", [checkout["id"]]),
        ("keys", checkout["display"][-4:], [checkout["id"]]),
        ("keys", "no such", []),
    ):
        page = bonafides(noun, "list", "--search", words, "--json").json
        assert [one["id"] for one in page["data"]] == found, words
    page = bonafides("users", "list", "--search", "ada@", "--json").json
    assert [user["email"] for user in page["data"]] == [ADA]
    first = bonafides("users", "list", "--search", "@example.com", "--limit", "1", "--json").json
    assert first["next_cursor"]
    other = bonafides("users", "list", "--search", "ada@", "--cursor", first["next_cursor"])
    assert other.status != 0, "a cursor is of one search"


def test_letters_are_chosen_for_somebody(bonafides: Bonafides, ada: dict[str, Any]) -> None:
    """An operator could not help somebody whose mailbox overflows."""
    shown = bonafides("users", "notifications", ADA, "--json").json
    assert set(shown) == set(schemas.Notifications.model_fields)
    assert shown["user_id"] == ada["id"]
    assert shown["new_places"] is shown["account_changes"] is True
    options = ("--off", "new_places", "--off", "disabled_webhooks", "--on", "expiring_credentials")
    changed = bonafides("users", "notifications", ADA, *options, "--json").json
    assert (changed["new_places"], changed["expiring_credentials"]) == (False, True)
    assert bonafides("users", "notifications", ADA, "--json").json == changed
    both = bonafides("users", "notifications", ADA, "--on", "new_places", "--off", "new_places", "--json")
    assert both.error["error"] == "invalid_request"
