"""What is there to be asked about: things of the caller's own, and things that a call may destroy."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

import httpx2

from tests.description.prober import Target, counting
from tests.serving import RunningServer

KEY_CALLS: Final = ("getApiKey", "changeApiKey", "getApiKeyUsage")
LETTER_CALLS: Final = ("getNotifications", "changeNotifications")
KEY_ENDING_CALLS: Final = ("revokeApiKey", "rotateApiKey", "disableApiKey", "enableApiKey")
WEBHOOK_CALLS: Final = (
    "getWebhook",
    "changeWebhook",
    "rotateWebhookSecret",
    "testWebhook",
    "listWebhookDeliveries",
)


def unlimited_plan(server: RunningServer) -> str:
    """A plan without limits whose name nothing that is made up will hit, and so nothing will change."""
    name = f"unlimited-{secrets.token_hex(8)}"
    server.create_plan(name)
    return name


def operators_targets(server: RunningServer) -> Mapping[str, Mapping[str, Target]]:
    """What the operator's calls are aimed at: another tenant's, so that the operator is not ended by its own call."""
    admin = server.admin
    tenant = _made(admin, "/v1/tenants", {"name": "target"})["id"]
    names = counting("target")

    def user() -> str:
        body = {"kind": "service", "name": names(), "tenant_id": tenant}
        return str(_made(admin, "/v1/users", body)["id"])

    owner = user()

    def key() -> str:
        return str(_made(admin, "/v1/api-keys", {"name": names(), "user_id": owner})["id"])

    def plan() -> str:
        name = names()
        server.create_plan(name)
        return name

    def person() -> str:
        body = {"email": f"{names()}@example.com", "tenant_id": tenant}
        return str(_made(admin, "/v1/users", body)["id"])

    def client() -> str:
        body = {
            "name": names(),
            "scopes": ["read"],
            "grant_types": ["client_credentials"],
            "tenant_id": tenant,
        }
        return str(_made(admin, "/v1/clients", body)["id"])

    def registration_token() -> str:
        return str(_made(admin, "/v1/registration-tokens", {"name": names(), "scopes": ["read"]})["id"])

    def webhook() -> str:
        # Called by nobody: it is no public address.
        wish = {
            "name": names(),
            "url": "https://127.0.0.1/",
            "tenant_id": _made(admin, "/v1/tenants", {"name": names()})["id"],
        }
        return str(_made(admin, "/v1/webhooks", wish)["id"])

    lasting_key, lasting_user, lasting_plan, lasting_client = key(), user(), plan(), client()
    lasting_webhook = webhook()
    return {
        **{call: {"webhook_id": lambda: lasting_webhook} for call in WEBHOOK_CALLS},
        "deleteWebhook": {"webhook_id": webhook},
        **{call: {"client_id": lambda: lasting_client} for call in ("getClient", "changeClient")},
        **{call: {"client_id": client} for call in ("deleteClient", "createClientSecret")},
        "deleteRegistrationToken": {"token_id": registration_token},
        "deleteClientSecret": _secret_of(admin, client),
        **_tokens(admin),
        **{call: {"user_id": person} for call in ("startPasswordReset", "inviteUser", *LETTER_CALLS)},
        **{call: {"credential_id": lambda: lasting_key} for call in ("getLineage", "listNetworks")},
        **{call: {"key_id": lambda: lasting_key} for call in KEY_CALLS},
        **{call: {"key_id": key} for call in KEY_ENDING_CALLS},
        **{call: {"user_id": lambda: lasting_user} for call in ("getUser", "changeUser")},
        "deleteUser": {"user_id": user},
        "createUser": {"tenant_id": lambda: tenant, "email": lambda: f"{names()}@example.com"},
        **{call: {"tenant_id": lambda: tenant} for call in ("getTenant", "changeTenant")},
        "getPlan": {"name": lambda: lasting_plan},
        "deletePlan": {"name": plan},
    }


def members_targets(server: RunningServer, member: Mapping[str, Any]) -> Mapping[str, Mapping[str, Target]]:
    """What a member's calls are aimed at: their own keys, themselves, and their tenant."""
    client = server.client(member["key"]["key"])
    names = counting("own")
    user, tenant = member["user"]["id"], member["tenant"]["id"]

    def key() -> str:
        return str(_made(client, "/v1/api-keys", {"name": names()})["id"])

    lasting_key = key()
    return {
        **_tokens(client),
        **{call: {"credential_id": lambda: lasting_key} for call in ("getLineage", "listNetworks")},
        **{call: {"key_id": lambda: lasting_key} for call in KEY_CALLS},
        **{call: {"key_id": key} for call in KEY_ENDING_CALLS},
        **{
            call: {"user_id": lambda: user} for call in ("getUser", "changeUser", "deleteUser", *LETTER_CALLS)
        },
        **{call: {"tenant_id": lambda: tenant} for call in ("getTenant", "changeTenant")},
        **{call: {"name": lambda: "free"} for call in ("getPlan", "deletePlan")},
    }


def _tokens(client: httpx2.Client) -> Mapping[str, Mapping[str, Target]]:
    """Tokens of the caller's own, to look at and to end."""

    def personal() -> str:
        return str(_made(client, "/v1/personal-access-tokens", {"description": "target"})["id"])

    def bearer() -> str:
        answer = client.post("/bim/apikey/authenticate")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    lasting_personal, lasting_bearer = personal(), bearer()
    return {
        "getPersonalAccessToken": {"token_id": lambda: lasting_personal},
        "getBearerToken": {"token_id": lambda: lasting_bearer},
        **{call: {"token_id": personal} for call in ("revokePersonalAccessToken", "revokeAccountToken")},
        "revokeBearerToken": {"token_id": bearer},
    }


def _secret_of(admin: httpx2.Client, client: Target) -> Mapping[str, Target]:
    """A secret, and the client that it is of: whichever of the two is asked for first makes them."""
    made: list[str] = []

    def owner() -> str:
        made.append(client())
        return made[-1]

    def secret() -> str:
        shown = admin.get(f"/v1/clients/{made[-1] if made else owner()}").json()
        return str(shown["secrets"][0]["id"])

    return {"client_id": owner, "secret_id": secret}


def _made(client: httpx2.Client, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
