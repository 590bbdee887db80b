"""`bonafides registration-tokens`: what lets somebody register clients, from the machine that they live on."""

from __future__ import annotations

from bonafides.web import registered
from tests.cli.conftest import Bonafides


def test_a_token_is_made_listed_and_deleted(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """An operator would need the HTTP API, and a key for it, to let a partner in."""
    assert founded
    made = bonafides(
        *("registration-tokens", "create", "fleet", "--scopes", "read", "--uses", "3", "--expires-in", "2d"),
        "--json",
    ).json
    assert set(made) == set(registered.MadeInitialToken.model_fields)
    assert (made["name"], made["scopes"], made["uses_left"]) == ("fleet", ["read"], 3)
    out = bonafides("registration-tokens", "create", "partners", "--scopes", "read").out
    assert out.splitlines()[2].strip().startswith("bf_iat_")
    listed = bonafides("registration-tokens", "list", "--json").json["data"]
    assert {token["name"] for token in listed} == {"fleet", "partners"}
    assert "bf_iat_" not in str([token.get("initial_access_token") for token in listed])
    deleted = bonafides("registration-tokens", "delete", made["id"], "--json").json
    assert deleted == {"id": made["id"], "deleted": True}
    assert "fleet" not in bonafides("registration-tokens", "list").out
    assert bonafides("registration-tokens", "delete", made["id"]).status == 1
