"""`bonafides tokens`, `bearer-tokens` and `keys lineage`: tokens, from the machine that they live on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bonafides.cli.session import Session, work
from bonafides.model import Accepted, Actor
from bonafides.verification.verifier import Facts
from bonafides.web import schemas
from tests.cli.conftest import EMAIL, Bonafides

MakeKey = Callable[..., dict[str, Any]]


def exchanged(database: Path, key: str) -> str:
    """The id of a bearer token that a key was exchanged for."""

    async def do(session: Session) -> str:
        verdict = await session.rooms.verifier.verify(key.encode(), Facts())
        assert isinstance(verdict, Accepted)
        made = await session.rooms.bearer_tokens.issue(verdict.principal, Actor(None, None, "api"))
        assert made is not None
        return made.credential.id

    return work(str(database), None, do)


def test_a_personal_token_is_made_listed_shown_and_revoked(
    bonafides: Bonafides, founded: dict[str, str]
) -> None:
    """An operator would have to log in as somebody to help them with their tokens."""
    made = bonafides(
        "tokens", "create", "backup", "--user", EMAIL, "--scopes", "read", "--expires-in", "90d", "--json"
    ).json
    assert set(made) == set(schemas.MadePersonalAccessToken.model_fields)
    assert (made["description"], made["scopes"], made["user_id"]) == ("backup", ["read"], founded["user_id"])
    assert bonafides("verify", "-", stdin=made["token"]).status == 0
    listed = bonafides("tokens", "list", "--user", EMAIL, "--json").json["data"]
    shown = bonafides("tokens", "show", made["id"], "--json").json
    assert listed == [shown]
    assert "token" not in shown
    assert made["id"] in bonafides("tokens", "list").out
    revoked = bonafides("tokens", "revoke", made["id"], "--reason", "lost", "--json").json
    assert (revoked["status"], revoked["revocation_reason"]) == ("revoked", "lost")
    assert bonafides("verify", "-", stdin=made["token"]).status == 1
    assert (
        bonafides("tokens", "list", "--status", "active").out == "There are no personal access tokens here.\n"
    )


def test_a_person_gets_the_token_alone_on_its_line(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """It is shown once: whoever cannot copy it has to make another."""
    assert founded
    lines = bonafides("tokens", "create", "backup", "--user", EMAIL).out.splitlines()
    assert [line for line in lines if line.strip().startswith("bf_pat_")] == [lines[2]]


def test_the_policy_of_a_tenant_is_set_and_lifted(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """A policy that the command line alone ignores is none."""
    update = ("tenants", "update", founded["tenant_id"], "--json")
    assert bonafides(*update, "--token-seconds-max", "1d").json["personal_access_token_seconds_max"] == 86_400
    refused = bonafides("tokens", "create", "x", "--user", EMAIL, "--json")
    assert refused.status == 1
    assert "86400 seconds at most" in refused.error["message"]
    assert bonafides(*update, "--no-token-seconds-max").json["personal_access_token_seconds_max"] is None
    assert bonafides("tokens", "create", "x", "--user", EMAIL).status == 0


def test_bearer_tokens_are_listed_shown_and_revoked(
    bonafides: Bonafides, make_key: MakeKey, tmp_path: Path
) -> None:
    """A token that leaked could be ended with its key alone."""
    key = make_key("--token-seconds", "10m")
    assert key["bearer_token_seconds"] == 600
    (database,) = tmp_path.glob("**/bonafides.db")
    token_id = exchanged(database, key["key"])
    (listed,) = bonafides("bearer-tokens", "list", "--key", key["id"], "--json").json["data"]
    assert set(listed) == set(schemas.BearerToken.model_fields)
    assert listed == bonafides("bearer-tokens", "show", token_id, "--json").json
    assert token_id in bonafides("bearer-tokens", "list").out
    family = bonafides("keys", "lineage", key["id"], "--json").json
    assert {member["id"]: member["ends_with_it"] for member in family["members"]} == {
        key["id"]: True,
        token_id: True,
    }
    tree = bonafides("keys", "lineage", key["id"]).out.splitlines()
    assert tree[1].startswith(key["id"])
    assert tree[2].startswith(f"  {token_id}")
    assert bonafides("bearer-tokens", "revoke", token_id, "--json").json["status"] == "revoked"
    assert bonafides("verify", "-", stdin=key["key"]).status == 0


def test_the_life_of_tokens_is_the_plans_or_the_keys(bonafides: Bonafides, make_key: MakeKey) -> None:
    """An option that is dropped on its way makes tokens that live longer than was said."""
    plan = bonafides(
        "plans",
        "put",
        "brief",
        "--requests-per-hour",
        "none",
        "--burst",
        "none",
        "--token-seconds",
        "5m",
        "--json",
    ).json
    assert plan["bearer_token_seconds"] == 300
    key = make_key("--token-seconds", "2h")
    update = ("keys", "update", key["id"], "--json")
    assert bonafides(*update, "--token-seconds", "3h").json["bearer_token_seconds"] == 10_800
    assert bonafides(*update, "--plan-token-seconds").json["bearer_token_seconds"] is None
    assert bonafides(*update, "--plan-token-seconds", "--token-seconds", "1h").status == 2
