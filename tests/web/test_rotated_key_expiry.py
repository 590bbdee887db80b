"""A rotated key may be made to expire before its overlap ends."""

from __future__ import annotations

from tests.serving import RunningServer


def test_an_expiry_before_the_end_of_the_overlap(any_server: RunningServer) -> None:
    """An operator who cuts a leaking predecessor short must not get an error for it."""
    made = any_server.create_key(expires_in=100_000)
    admin = any_server.admin
    assert admin.post(f"/v1/api-keys/{made['id']}/rotate", json={"overlap_seconds": 5_000}).status_code == 201
    changed = admin.patch(f"/v1/api-keys/{made['id']}", json={"expires_in": 60})
    assert changed.status_code == 200, changed.text
    client = any_server.client(made["key"])
    assert client.get("/v1/auth/verify").status_code == 200
    any_server.clock.advance(61)
    assert client.get("/v1/auth/verify").json()["error"] == "token_expired"
