"""Every action that the audit trail tells of, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bonafides.model import CredentialKind

_NOUNS: Final = {
    CredentialKind.API_KEY: "an API key",
    CredentialKind.PERSONAL_ACCESS_TOKEN: "a personal access token",
    CredentialKind.BEARER_TOKEN: "a bearer token",
    CredentialKind.OAUTH_ACCESS_TOKEN: "an access token",
}
_OF_ALL: Final = {
    f"{kind}.{done}": f"Somebody {done} {noun}."
    for kind, noun in _NOUNS.items()
    for done in ("created", "revoked")
}

ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **_OF_ALL,
        "api_key.changed": "A key's name, scopes, plan, expiry, addresses or metadata changed.",
        "api_key.rotated": "A key got a successor; the old one works until its overlap ends.",
        "api_key.disabled": "A key is refused until it is enabled again.",
        "api_key.enabled": "A disabled key works again.",
        "api_key.expiring": "A key ends soon; its owner was told.",
        "api_key.imported": "A key that was made elsewhere is accepted from now on.",
        "personal_access_token.expiring": "A personal access token ends soon; its owner was told.",
        "oauth_access_token.exchanged": "A client exchanged a credential for an access token.",
        "session.opened": "Somebody logged in.",
        "session.refreshed": "A login was prolonged.",
        "session.stepped_up": "Somebody proved anew who they are.",
        "session.ended": "Somebody logged out, or a login was ended.",
        "session.all_ended": "All of a user's logins were ended.",
        "session.refresh_token_reused": "A spent refresh token was shown: its login ended, for somebody may have copied it.",
        "user.created": "A user was made.",
        "user.changed": "A user's name, address, role, scopes or status changed.",
        "user.notifications_changed": "It changed of what a user is told by mail.",
        "user.deleted": "A user is gone, and what they held with them.",
        "user.invited": "Somebody was invited.",
        "user.password_forgotten": "Somebody asked for the way to another password.",
        "user.password_reset_started": "An administrator began to reset a password.",
        "user.password_reset": "A forgotten password was replaced.",
        "user.password_changed": "A user changed their password.",
        "user.totp_begun": "A user began to set codes up as second factor.",
        "user.factor_added": "A user took a second factor into use.",
        "user.factor_removed": "A user removed a second factor.",
        "user.factors_reset": "An administrator removed all second factors of a user.",
        "user.recovery_codes_renewed": "A user got other recovery codes.",
        "user.passkey_renamed": "A user gave a passkey another name.",
        "user.passkey_suspected": "A passkey counted backwards: somebody may hold a copy, and it opens nothing any more.",
        "tenant.founded": "The installation began.",
        "tenant.set_up_begun": "The installation waits for its owner in a browser.",
        "tenant.set_up": "The installation's owner chose a password in a browser.",
        "tenant.created": "A tenant was made.",
        "tenant.changed": "A tenant's name, plan, status or rules changed.",
        "plan.put": "A plan was made, or its figures changed.",
        "plan.deleted": "A plan is gone.",
        "client.created": "An OAuth client was made.",
        "client.registered": "An OAuth client registered itself.",
        "client.changed": "An OAuth client changed.",
        "client.deleted": "An OAuth client is gone, and its tokens with it.",
        "client_secret.created": "An OAuth client got another secret.",
        "client_secret.deleted": "A secret of an OAuth client is gone.",
        "initial_access_token.created": "Somebody may register OAuth clients.",
        "initial_access_token.deleted": "Nobody may register OAuth clients by that token any more.",
        "authorization.granted": "A client was given a code for a person.",
        "consent.given": "A person let a client act for them.",
        "consent.withdrawn": "A person takes that back.",
        "device.approved": "A person let a device act for them.",
        "device.denied": "A person refused a device.",
        "grant.created": "A client got its first tokens for a person.",
        "grant.refreshed": "A client renewed its tokens.",
        "grant.ended": "What a client may do for a person has ended.",
        "grant.revoked": "A client gave its tokens back.",
        "grant.code_reused": "A code was shown twice: what it gave has ended, for somebody may have copied it.",
        "grant.refresh_token_reused": "A spent refresh token was shown: the grant ended, for somebody may have copied it.",
        "signing_key.created": "A key that signs tokens was made.",
        "signing_key.rotated": "Tokens are signed with another key.",
        "signing_key.deleted": "A key is published no more: what it signed has ended.",
        "signing_key.resealed": "Keys that sign tokens are kept under another pepper.",
        "webhook.created": "A webhook was made.",
        "webhook.changed": "A webhook's name, URL, events or status changed.",
        "webhook.secret_rotated": "A webhook's deliveries are signed with another secret.",
        "webhook.disabled": "The server told a webhook nothing more, because it took nothing for too long.",
        "webhook.tested": "Somebody sent a test event to a webhook.",
        "webhook.deleted": "A webhook is gone.",
    }
)
