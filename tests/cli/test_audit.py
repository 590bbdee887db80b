"""`bonafides audit`: who did what, as the server's own machine sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bonafides.web import schemas
from tests.cli.conftest import EMAIL, Bonafides


def test_every_change_of_the_command_line_is_in_the_trail(
    bonafides: Bonafides, make_key: Callable[..., dict[str, Any]]
) -> None:
    """Whoever has the server's shell could change things unseen."""
    made = make_key(name="ci")
    bonafides("keys", "disable", made["id"])
    bonafides("tenants", "create", "acme")
    bonafides("plans", "put", "gold", "--requests-per-hour", "1", "--burst", "1")
    page = bonafides("audit", "--json").json
    assert set(page) == {"data", "next_cursor"}
    events = page["data"]
    assert all(set(event) == set(schemas.AuditEvent.model_fields) for event in events)
    assert [event["action"] for event in events] == [
        "plan.put",
        "api_key.disabled",
        "api_key.created",
        "tenant.founded",
    ]
    assert events[1]["subject"] == {"kind": "api_key", "id": made["id"]}
    assert events[1]["actor"] == {
        "user_id": None,
        "credential_id": None,
        "via": "command line",
        "request_id": None,
        "address": None,
    }


def test_the_trail_can_be_narrowed_and_paged(
    bonafides: Bonafides, founded: dict[str, str], make_key: Callable[..., dict[str, Any]]
) -> None:
    """Whoever looks for one key's story would read everybody's."""
    one, other = make_key(), make_key()
    bonafides("keys", "revoke", one["id"])

    def actions(*options: str) -> list[str]:
        return [event["action"] for event in bonafides("audit", *options, "--json").json["data"]]

    assert actions("--subject", one["id"]) == ["api_key.revoked", "api_key.created"]
    assert actions("--subject", other["id"]) == ["api_key.created"]
    assert actions("--action", "api_key.revoked") == ["api_key.revoked"]
    assert actions("--actor", EMAIL) == actions("--actor", founded["user_id"]) == []
    assert bonafides("audit", "--actor", "nobody@example.com").status == 1
    first = bonafides("audit", "--limit", "3", "--json").json
    rest = bonafides("audit", "--limit", "3", "--cursor", first["next_cursor"], "--json").json
    assert len(first["data"]) == 3
    assert [event["action"] for event in rest["data"]] == ["tenant.founded"]
    assert rest["next_cursor"] is None
    table = bonafides("audit").out
    assert "command line" in table
    assert '{"display": "' in table
    assert bonafides("audit", "--action", "nothing.happened").out == "There are no events here.\n"
