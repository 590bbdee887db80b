"""The shortest story: a key is made, verified, and revoked."""

from __future__ import annotations

from tests.serving import RunningServer


def test_a_key_lives_and_dies(any_server: RunningServer) -> None:
    """Without this, nobody could use the product at all."""
    made = any_server.create_key(scopes=["read"])
    client = any_server.client(made["key"])
    assert client.get("/v1/auth/verify").json()["credential"]["id"] == made["id"]
    assert any_server.admin.delete(f"/v1/api-keys/{made['id']}").status_code == 200
    refused = client.get("/v1/auth/verify")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_api_key")
