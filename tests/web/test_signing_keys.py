"""`/.well-known/jwks.json` and `/v1/signing-keys`: what everybody may know of signing keys, and who turns them over."""

from __future__ import annotations

from tests.serving import RunningServer
from tests.web.tenancy import Tenancy, refusal


def test_the_key_set_is_for_everybody_and_may_be_kept_for_minutes(any_server: RunningServer) -> None:
    """Each API that verifies by itself would ask anew for every request, or not at all."""
    answer = any_server.client().get("/.well-known/jwks.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert len(answer.json()["keys"]) == 2
    for key in answer.json()["keys"]:
        assert set(key) == {"kid", "kty", "crv", "x", "alg", "use"}
        assert (key["alg"], key["use"]) == ("EdDSA", "sig")
    assert any_server.client().get("/.well-known/jwks.json").json() == answer.json()


def test_the_operator_rotates_and_everybody_sees_the_new_keys(any_server: RunningServer) -> None:
    """The key set would show keys that no longer sign, and not those that do."""
    operator, anybody = any_server.admin, any_server.client()
    before = anybody.get("/.well-known/jwks.json").json()["keys"]
    early = operator.post("/v1/signing-keys/rotate")
    assert refusal(early) == (409, "conflict")
    any_server.clock.advance(300)
    rotated = operator.post("/v1/signing-keys/rotate")
    assert rotated.status_code == 200, rotated.text
    assert rotated.json() == operator.get("/v1/signing-keys").json()
    after = anybody.get("/.well-known/jwks.json").json()["keys"]
    assert [key["kid"] for key in after] == [key["id"] for key in rotated.json()["data"]]
    assert {key["kid"] for key in before} < {key["kid"] for key in after}
    forced = operator.post("/v1/signing-keys/rotate", json={"force": True})
    assert [key["status"] for key in forced.json()["data"]] == ["current", "next", "retired", "retired"]


def test_nobody_else_may(tenancy: Tenancy) -> None:
    """ASVS 8.2.1: an admin of any tenant could end what the whole installation signs with."""
    for client, status in ((tenancy.api, 403), (tenancy.member(), 403), (tenancy.client(), 401)):
        assert client.get("/v1/signing-keys").status_code == status
        assert client.post("/v1/signing-keys/rotate", json={"force": True}).status_code == status
    refused = tenancy.operator.post("/v1/signing-keys/rotate", json={"force": "yes"})
    assert refusal(refused) == (400, "invalid_request")
