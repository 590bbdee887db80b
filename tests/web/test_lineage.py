"""§4 and §5: what is made from a credential is its child, and the family is shown before anything is ended."""

from __future__ import annotations

from tests.web.tenancy import Tenancy, refusal


def test_the_dry_run_tells_what_the_revocation_does(tenancy: Tenancy) -> None:
    """Somebody would end a key in the night, and half the company's programs with it."""
    key = tenancy.key()
    successor = tenancy.api.post(f"/v1/api-keys/{key['id']}/rotate").json()
    old, new = tenancy.exchange(key["key"]), tenancy.exchange(successor["key"])
    tenancy.api.delete(f"/v1/bearer-tokens/{old['id']}")
    family = tenancy.api.get(f"/v1/credentials/{successor['id']}/lineage").json()
    assert family["root_id"] == key["id"]
    ends = {member["id"]: member["ends_with_it"] for member in family["members"]}
    assert ends == {key["id"]: False, successor["id"]: True, old["id"]: False, new["id"]: True}
    tenancy.api.delete(f"/v1/api-keys/{successor['id']}")
    for credential in (successor["key"], new["token"]):
        assert tenancy.verify(credential).status_code == 401
    assert tenancy.verify(key["key"]).status_code == 200
    after = tenancy.api.get(f"/v1/credentials/{key['id']}/lineage").json()
    statuses = {member["id"]: member["status"] for member in after["members"]}
    assert statuses == {
        key["id"]: "active",
        successor["id"]: "revoked",
        old["id"]: "revoked",
        new["id"]: "revoked",
    }


def test_a_family_is_shown_to_whom_it_concerns(tenancy: Tenancy) -> None:
    """Attack 47: whoever guesses an id would learn what somebody else has."""
    key = tenancy.key()
    path = f"/v1/credentials/{key['id']}/lineage"
    for client in (tenancy.member(), tenancy.client(tenancy.server.create_tenant_user_key()["key"]["key"])):
        assert refusal(client.get(path)) == (404, "not_found")
    assert refusal(tenancy.client().get(path)) == (401, "missing_api_key")
    assert tenancy.operator.get(path).status_code == 200
