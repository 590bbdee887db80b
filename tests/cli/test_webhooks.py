"""`bonafides webhooks`: URLs that are told of events, from the machine that the server lives on."""

from __future__ import annotations

from bonafides.web import webhook_schemas as schemas
from tests.cli.conftest import Bonafides


def test_a_webhook_is_made_tested_rotated_and_deleted(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """An operator would need the HTTP API, and a key for it, to be told of anything."""
    assert founded
    made = bonafides(
        "webhooks", "create", "watch", "--url", "https://127.0.0.1/", "--events", "api_key.*", "--json"
    ).json
    assert set(made) == set(schemas.MadeWebhook.model_fields)
    assert (made["events"], made["status"]) == (["api_key.*"], "active")
    shown = bonafides("webhooks", "show", made["id"], "--json").json
    assert set(shown) == set(schemas.Webhook.model_fields)
    assert made["id"] in bonafides("webhooks", "list").out
    for verb, status in (("disable", "disabled"), ("enable", "active")):
        assert bonafides("webhooks", verb, made["id"], "--json").json["status"] == status
    there = "https://127.0.0.1/other"
    changed = bonafides("webhooks", "update", made["id"], "--url", there, "--name", "other", "--json").json
    assert (changed["url"], changed["name"], changed["events"]) == (there, "other", ["api_key.*"])
    changed = bonafides("webhooks", "update", made["id"], "--events", "user.*,plan.put", "--json").json
    assert (changed["url"], changed["events"]) == (there, ["plan.put", "user.*"])
    assert bonafides("webhooks", "update", made["id"]).status != 0
    turned = bonafides("webhooks", "rotate-secret", made["id"], "--overlap", "1h", "--json").json
    assert turned["secret"] != made["secret"]
    tested = bonafides("webhooks", "test", made["id"], "--json").json
    assert tested["attempts"][0]["reason"] == "not_allowed"
    assert "webhook.tested" in bonafides("webhooks", "log", made["id"]).out
    again = bonafides("webhooks", "resend", made["id"], tested["event_id"], "--json")
    assert again.status == 0, again.err
    assert again.json["event_id"] == tested["event_id"]
    assert bonafides("webhooks", "resend", made["id"], "evt_nothing").status != 0
    assert bonafides("webhooks", "delete", made["id"], "--json").json["deleted"] is True
    assert bonafides("webhooks", "list").out == "There are no webhooks here.\n"
