"""A revocation that could not be written is never called one."""

from __future__ import annotations

from pathlib import Path

from tests.faults.outages import locked
from tests.serving import running, settings_for
from tests.web.oauth import app_of


def test_what_could_not_be_revoked_is_503_and_goes_on_until_it_is(tmp_path: Path) -> None:
    """Attack 21 (fosite CVE-2020-15223), RFC 7009 §2.2.1: who was told that a stolen token is dead stopped looking."""
    path = tmp_path / "bonafides.db"
    with running(settings_for(f"sqlite:///{path}", tmp_path)) as server:
        shop = app_of(server.admin, server)
        owner = server.admin.get("/v1/users/me").json()
        told, other = shop.granted(owner), shop.granted(owner)

        def status(access_token: str) -> int:
            headers = {"Authorization": f"Bearer {access_token}"}
            return server.nobody.get("/v1/auth/verify", headers=headers).status_code

        def revoked() -> list[str]:
            events = server.admin.get("/v1/audit", params={"limit": 100}).json()["data"]
            return [event["action"] for event in events if event["action"].endswith(".revoked")]

        given = (told["access_token"], other["refresh_token"])
        with locked(path):
            for token in given:
                refused = shop.revoke(token)
                assert refused.status_code == 503, refused.text
                assert int(refused.headers["retry-after"]) > 0
                assert refused.json()["error"] == "unavailable"
            assert status(told["access_token"]) == status(other["access_token"]) == 200
        assert revoked() == []
        for token in given:
            assert shop.revoke(token).status_code == 200
        assert status(told["access_token"]) == status(other["access_token"]) == 401
        assert sorted(revoked()) == ["grant.revoked", "oauth_access_token.revoked"]
        assert shop.refresh(told["refresh_token"]).status_code == 200
        assert shop.refresh(other["refresh_token"]).status_code == 400
