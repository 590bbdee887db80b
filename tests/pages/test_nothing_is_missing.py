"""The pages hold nothing of their own: what a person can do there, a program can do by a described call."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Final

import bonafides
from bonafides.app import build
from tests.attacks.test_anonymous_bootstrap import every_route
from tests.web.tenancy import Tenancy

CLIENT: Final = "/administration/clients"
USER: Final = "/administration/users"
TENANT: Final = "/administration/tenants"
HOOK: Final = "/administration/webhooks"
KEY: Final = "/settings/api-keys"
SECURITY: Final = "/settings/security"
CALLS: Final = {
    f"{CLIENT}": "createClient",
    f"{CLIENT}/{{client_id}}/change": "changeClient",
    f"{CLIENT}/{{client_id}}/delete": "deleteClient",
    f"{CLIENT}/{{client_id}}/disable": "changeClient",
    f"{CLIENT}/{{client_id}}/enable": "changeClient",
    f"{CLIENT}/{{client_id}}/secrets": "createClientSecret",
    f"{CLIENT}/{{client_id}}/secrets/{{secret_id}}/delete": "deleteClientSecret",
    "/administration/plans": "putPlan tryPlan",
    "/administration/plans/{name}/delete": "deletePlan",
    "/administration/signing-keys/rotate": "rotateSigningKeys",
    f"{TENANT}": "createTenant",
    f"{TENANT}/{{tenant_id}}/disable": "changeTenant",
    f"{TENANT}/{{tenant_id}}/enable": "changeTenant",
    f"{TENANT}/{{tenant_id}}/plan": "changeTenant",
    f"{USER}": "createUser",
    f"{USER}/{{user_id}}": "changeUser",
    f"{USER}/{{user_id}}/disable": "changeUser",
    f"{USER}/{{user_id}}/enable": "changeUser",
    f"{USER}/{{user_id}}/password-reset": "startPasswordReset",
    f"{USER}/{{user_id}}/invitation": "inviteUser",
    f"{USER}/{{user_id}}/reset-factors": "resetFactors",
    f"{USER}/{{user_id}}/delete": "deleteUser",
    f"{HOOK}": "createWebhook",
    f"{HOOK}/{{webhook_id}}": "changeWebhook",
    f"{HOOK}/{{webhook_id}}/delete": "deleteWebhook",
    f"{HOOK}/{{webhook_id}}/deliveries/{{event_id}}/resend": "resendWebhookDelivery",
    f"{HOOK}/{{webhook_id}}/disable": "changeWebhook",
    f"{HOOK}/{{webhook_id}}/enable": "changeWebhook",
    f"{HOOK}/{{webhook_id}}/rotate": "rotateWebhookSecret",
    f"{HOOK}/{{webhook_id}}/test": "testWebhook",
    "/choose-password": "resetPassword",
    "/forgotten-password": "forgetPassword",
    "/login": "logIn",
    "/login/passkey": "logInByPasskey",
    "/login/second-factor": "finishLogIn",
    "/login/second-factor/passkey": "finishLogIn",
    "/logout": "logOut",
    "/profile": "changeUser",
    "/prove": "stepUp",
    "/prove/passkey": "stepUp",
    f"{KEY}/check": "verifyCredential",
    f"{KEY}/new": "createApiKey",
    f"{KEY}/try-it": "createApiKey",
    f"{KEY}/{{key_id}}": "changeApiKey",
    f"{KEY}/{{key_id}}/disable": "disableApiKey",
    f"{KEY}/{{key_id}}/enable": "enableApiKey",
    f"{KEY}/{{key_id}}/end-overlap": "changeApiKey",
    f"{KEY}/{{key_id}}/revoke": "revokeApiKey",
    f"{KEY}/{{key_id}}/rotate": "rotateApiKey",
    "/settings/applications/consents/{consent_id}/withdraw": "withdrawConsent",
    "/settings/applications/grants/{grant_id}/end": "endGrant",
    "/settings/checklist/api-keys/{key_id}/bind": "changeApiKey",
    "/settings/checklist/api-keys/{key_id}/expire": "changeApiKey",
    "/settings/checklist/api-keys/{key_id}/narrow": "changeApiKey",
    "/settings/notifications": "changeNotifications",
    f"{SECURITY}/factors/begin": "addFactor",
    f"{SECURITY}/factors/confirm": "confirmFactor",
    f"{SECURITY}/factors/recovery-codes": "renewRecoveryCodes",
    f"{SECURITY}/factors/remove": "removeFactor",
    f"{SECURITY}/passkeys": "addPasskey",
    f"{SECURITY}/passkeys/begin": "beginPasskey",
    f"{SECURITY}/passkeys/{{passkey_id}}/remove": "removeFactor",
    f"{SECURITY}/passkeys/{{passkey_id}}/rename": "renameFactor",
    f"{SECURITY}/password": "changePassword",
    "/settings/sessions/end-others": "endSessions",
    "/settings/sessions/{session_id}/end": "endSession",
    "/settings/tokens/new": "createPersonalAccessToken",
    "/settings/tokens/{token_id}/revoke": "revokePersonalAccessToken",
}
"""For each form, the calls that do the same."""

OF_BROWSERS: Final = {
    "/auth/forward/envoy/{original:path}",
    "/device",
    "/device/decision",
    "/oauth/authorize",
    "/oauth/consent",
    "/oauth/logout",
    "/oauth/logout/decision",
    "/set-up",
}
"""What is for a person in a browser by its standard, for a proxy, or for who reads the server's terminal (there: `bonafides init`)."""

PAGES_OWN: Final = {
    ("Checklist", "known_networks"),
    ("Checklist", "needed_scopes"),
    ("Directory", "ceiling"),
    ("SetUp", "finish"),
    ("SetUp", "is_awaited"),
}
"""Which boxes a form has; which scopes a key needs and which networks it is known from, which the API tells of each finding; and the first run."""

DECIDING: Final = ("credentials", "oauth", "directory", "plans", "usage", "allowances", "denials", "dry_runs")
DECIDING_TOO: Final = ("notifications", "checklist", "audit", "webhooks", "deliveries", "set_up")
WEB: Final = Path(bonafides.__file__).parent / "web"


def test_every_form_has_a_described_call(tenancy: Tenancy) -> None:
    """Whoever automates what they do in the browser would find that it cannot be automated."""
    gate: Any = build(tenancy.server.rooms).asgi
    described = gate._app.openapi()["paths"]
    operations = {operation["operationId"] for calls in described.values() for operation in calls.values()}
    forms = {path for verb, path in every_route(gate._app) if verb == "POST" and path not in described}
    assert forms - OF_BROWSERS == set(CALLS)
    named = {call for calls in CALLS.values() for call in calls.split()}
    assert named <= operations


def rooms_of(arguments: ast.arguments, imported: set[str]) -> dict[str, str]:
    """The rooms among what a function is given, by their names there."""
    found = {}
    for argument in (*arguments.args, *arguments.kwonlyargs):
        match argument.annotation:
            case ast.Name(id=name) if name in imported:
                found[argument.arg] = name
    return found


def asked_of_rooms(path: Path) -> set[tuple[str, str]]:
    """Which functions of the rooms a file of the web calls."""
    tree = ast.parse(path.read_text("utf-8"))
    rooms = tuple(f"bonafides.{room}" for room in (*DECIDING, *DECIDING_TOO))
    imported = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(rooms)
        for name in node.names
    }
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {id(function) for function in calls}
    found = set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        given = rooms_of(function.args, imported)
        where = next(
            (each for each in tree.body if isinstance(each, ast.ClassDef) and function in each.body), function
        )
        for node in ast.walk(where if function.name == "__init__" else function):
            match node:
                case ast.Attribute(value=ast.Attribute(value=ast.Name(id="self"), attr=name), attr=verb):
                    room = given.get(name.lstrip("_")) if function.name == "__init__" else None
                case ast.Attribute(value=ast.Name(id=name), attr=verb):
                    room = given.get(name)
                case _:
                    continue
            if room is not None and id(node) in called:
                found.add((room, verb))
    return found


def test_the_pages_call_what_the_api_calls() -> None:
    """A rule of the dashboard's own would hold for people and not for their programs, or the other way round."""
    pages: set[tuple[str, str]] = set()
    api: set[tuple[str, str]] = set()
    for path in WEB.rglob("*.py"):
        of_pages = path.relative_to(WEB).parts[0] == "pages"
        (pages if of_pages else api).update(asked_of_rooms(path))
    assert ("Clients", "change") in pages & api
    assert len(pages) > 40, "it finds the calls"
    assert pages - api == PAGES_OWN
