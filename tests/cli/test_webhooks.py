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
    turned = bonafides("webhooks", "rotate-secret", made["id"], "--overlap", "1h", "--json").json
    assert turned["secret"] != made["secret"]
    tested = bonafides("webhooks", "test", made["id"], "--json").json
    assert tested["attempts"][0]["reason"] == "not_allowed"
    assert "webhook.tested" in bonafides("webhooks", "log", made["id"]).out
    assert bonafides("webhooks", "delete", made["id"], "--json").json["deleted"] is True
    assert bonafides("webhooks", "list").out == "There are no webhooks here.\n"
