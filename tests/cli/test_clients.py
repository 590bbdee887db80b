"""`bonafides clients`: OAuth clients, from the machine that they live on."""

from __future__ import annotations

from bonafides.web import schemas
from tests.cli.conftest import Bonafides


def test_a_client_is_made_shown_disabled_and_deleted(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """An operator would need the HTTP API, and a key for it, to make the first client."""
    assert founded
    made = bonafides(
        "clients", "create", "nightly", "--grant", "client_credentials", "--scopes", "read", "--json"
    ).json
    assert set(made) == set(schemas.MadeClient.model_fields)
    assert (made["name"], made["scopes"], made["grant_types"]) == (
        "nightly",
        ["read"],
        ["client_credentials"],
    )
    shown = bonafides("clients", "show", made["id"], "--json").json
    assert set(shown) == set(schemas.ClientWithSecrets.model_fields)
    assert made["id"] in bonafides("clients", "list").out
    for verb, status in (("disable", "disabled"), ("enable", "active")):
        assert bonafides("clients", verb, made["id"], "--json").json["status"] == status
    rotated = bonafides("clients", "rotate-secret", made["id"], "--overlap", "1h", "--json").json
    assert rotated["client_secret"] != made["client_secret"]
    assert bonafides("clients", "rotate-secret", made["id"]).status == 0, "the overlap has a default"
    assert len(bonafides("clients", "show", made["id"], "--json").json["secrets"]) == 3
    assert bonafides("clients", "delete", made["id"], "--json").json == {"id": made["id"], "deleted": True}
    assert bonafides("clients", "list").out == "There are no OAuth clients here.\n"


def test_a_person_gets_the_secret_alone_on_its_line(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """It is shown once: whoever cannot copy it has to make another."""
    assert founded
    out = bonafides("clients", "create", "shop", "--redirect-uri", "https://shop.example/cb").out
    assert [line for line in out.splitlines() if line.strip().startswith("bf_sec_")] == [out.splitlines()[2]]
    public = bonafides(
        "clients", "create", "app", "--redirect-uri", "com.example.app:/cb", "--auth-method", "none"
    )
    assert "client_secret" in public.out
    assert "bf_sec_" not in public.out
    gone = bonafides("clients", "show", "cli_nothing")
    assert gone.status == 1
    deleted = bonafides("clients", "delete", bonafides("clients", "list", "--json").json["data"][0]["id"])
    assert deleted.out.startswith("Deleted cli_")


def test_a_client_that_keeps_fapi_is_made_at_once(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """An operator would make it, and then need the HTTP API and a key for it to say how it behaves."""
    assert founded
    made = bonafides(
        *("clients", "create", "bank", "--redirect-uri", "https://bank.example/cb", "--json"),
        *("--auth-method", "private_key_jwt", "--jwks-uri", "https://bank.example/keys"),
        *("--dpop-bound", "--pushes-requests", "--post-logout-uri", "https://bank.example/bye"),
    ).json
    assert made["dpop_bound_access_tokens"] is True
    assert made["require_pushed_authorization_requests"] is True
    assert made["jwks_uri"] == "https://bank.example/keys"
    assert made["post_logout_redirect_uris"] == ["https://bank.example/bye"]
