"""Records as the JSON objects of the wire: one shape for the HTTP API and the command line.

Everything here is pure; times are RFC 3339 in UTC with `Z`, sets are sorted lists, and no secret passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bonafides.allowances import Left
from bonafides.credentials.lineage import Family
from bonafides.credentials.password_changes import StartedReset
from bonafides.credentials.password_mails import Invitation
from bonafides.delegation import Client, ClientSecret, InitialAccessToken, SeenConsent, SeenGrant
from bonafides.model import (
    Accepted,
    AuditEvent,
    Check,
    Credential,
    CredentialKind,
    CredentialStatus,
    Delegation,
    Denial,
    FactorKind,
    Factors,
    LiveSession,
    NetworkUse,
    Plan,
    Principal,
    Reason,
    Rejected,
    ShownStatus,
    SigningKey,
    Tenant,
    Usage,
    UsageBucket,
    User,
    Verdict,
    to_datetime,
)
from bonafides.notifications import Notifications
from bonafides.oauth.client_metadata import SAID_METADATA
from bonafides.oauth.exchange import act_of
from bonafides.passkey import Passkey
from bonafides.plans import figures
from bonafides.webhook import Delivery, DeliveryStatus, Webhook

Resource = dict[str, Any]
"""A JSON object."""

SHOWN_METADATA: Final = (
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "jwks_uri",
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "require_pushed_authorization_requests",
    "request_uris",
    "request_object_signing_alg",
    "require_signed_request_object",
)
"""What a client says of itself to people."""

REGISTRATION_PATH: Final = "/oauth/register"

_KEY_NAMES: Final = {
    CredentialKind.API_KEY: "API key",
    CredentialKind.PERSONAL_ACCESS_TOKEN: "personal access token",
}
_SENTENCES: Final = {
    Reason.MISSING: "No API key provided in the Authorization header.",
    Reason.INVALID_KEY: "The API key provided is invalid.",
    Reason.INVALID_TOKEN: "The access token provided is invalid.",
    Reason.ADDRESS: "The credential may not be used from this address.",
}


def time_text(moment: datetime | int) -> str:
    """A moment as RFC 3339 in UTC with `Z`, to the microsecond where it has any.

    Args:
        moment: An aware datetime, or microseconds since the epoch.

    See: RFC 3339 §5.6
    """
    aware = to_datetime(moment) if isinstance(moment, int) else moment.astimezone(UTC)
    return aware.replace(tzinfo=None).isoformat() + "Z"


def key_status(credential: Credential, now: datetime) -> ShownStatus:
    """What is told of a key; what somebody decided outweighs what time did."""
    ended = credential.ends_at is not None and credential.ends_at <= now
    if ended and credential.status is CredentialStatus.ACTIVE:
        return ShownStatus.EXPIRED
    return ShownStatus(credential.status)


def key_resource(credential: Credential, now: datetime) -> Resource:
    """An API key, without its secret.

    Args:
        credential: The key's record.
        now: When it is looked at; `status` says `expired` by it.
    """
    return {
        "id": credential.id,
        "object": "api_key",
        "name": credential.name,
        "display": credential.display,
        "scopes": sorted(credential.scopes),
        "plan": credential.plan,
        "status": str(key_status(credential, now)),
        "user_id": credential.user_id,
        "tenant_id": credential.tenant_id,
        "parent_id": credential.parent_id,
        "expires_at": _time_or_none(credential.expires_at),
        "overlap_ends_at": _time_or_none(credential.overlap_ends_at),
        "allowed_ips": list(credential.allowed_ips),
        "metadata": dict(credential.metadata),
        "created_by": credential.created_by,
        "created_at": time_text(credential.created_at),
        "updated_at": time_text(credential.updated_at),
        "last_used_at": _time_or_none(credential.last_used_at),
        "revoked_at": _time_or_none(credential.revoked_at),
        "revocation_reason": credential.revocation_reason,
        "bearer_token_seconds": credential.bearer_token_seconds,
    }


def personal_token_resource(credential: Credential, now: datetime) -> Resource:
    """A personal access token, without its secret.

    Args:
        credential: The token's record.
        now: When it is looked at; `status` says `expired` by it.
    """
    return {
        "id": credential.id,
        "object": "personal_access_token",
        "description": credential.name,
        **_life(credential, now),
    }


def bearer_token_resource(credential: Credential, now: datetime) -> Resource:
    """A bearer token, without its secret.

    Args:
        credential: The token's record.
        now: When it is looked at; `status` says `expired` by it.
    """
    return {
        "id": credential.id,
        "object": "bearer_token",
        "parent_id": credential.parent_id,
        **_life(credential, now),
    }


def _life(credential: Credential, now: datetime) -> Resource:
    return {
        "display": credential.display,
        "scopes": sorted(credential.scopes),
        "status": str(key_status(credential, now)),
        "user_id": credential.user_id,
        "tenant_id": credential.tenant_id,
        "expires_at": _time_or_none(credential.expires_at),
        "created_at": time_text(credential.created_at),
        "last_used_at": _time_or_none(credential.last_used_at),
        "revoked_at": _time_or_none(credential.revoked_at),
        "revocation_reason": credential.revocation_reason,
    }


def lineage_resource(family: Family, now: datetime) -> Resource:
    """A credential's family, oldest first, and which of it the credential's revocation would end."""
    return {
        "object": "lineage",
        "id": family.credential.id,
        "root_id": family.credential.root_id,
        "members": [
            {
                "id": member.id,
                "kind": str(member.kind),
                "name": member.name,
                "display": member.display,
                "parent_id": member.parent_id,
                "status": str(key_status(member, now)),
                "expires_at": _time_or_none(member.expires_at),
                "created_at": time_text(member.created_at),
                "ends_with_it": member.id in family.ends_with_it,
            }
            for member in family.members
        ],
        "whole": family.whole,
    }


def account_resource(user: User, tenant: Tenant) -> Resource:
    """The caller, and the tenant that they are in, as `/api/auth/user` tells it."""
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": str(user.role),
        "status": str(user.status),
        "tenantInfo": {"id": tenant.id, "name": tenant.name, "plan": tenant.plan},
    }


def user_resource(user: User) -> Resource:
    """A user; `scopes` null means what the role gives."""
    return {
        "id": user.id,
        "object": "user",
        "tenant_id": user.tenant_id,
        "kind": str(user.kind),
        "email": user.email,
        "name": user.name,
        "role": str(user.role),
        "scopes": None if user.scopes is None else sorted(user.scopes),
        "status": str(user.status),
        "created_at": time_text(user.created_at),
        "updated_at": time_text(user.updated_at),
    }


def tenant_resource(tenant: Tenant) -> Resource:
    """A tenant; `operator` is true for the one that runs the installation."""
    return {
        "id": tenant.id,
        "object": "tenant",
        "name": tenant.name,
        "status": str(tenant.status),
        "plan": tenant.plan,
        "operator": tenant.operator,
        "personal_access_token_seconds_max": tenant.personal_access_token_seconds_max,
        "created_at": time_text(tenant.created_at),
        "updated_at": time_text(tenant.updated_at),
    }


def plan_resource(plan: Plan) -> Resource:
    """A plan, known by its name; a figure that is null is no limit."""
    return {
        "name": plan.name,
        "object": "plan",
        **figures(plan),
        "created_at": time_text(plan.created_at),
        "updated_at": time_text(plan.updated_at),
    }


def session_resource(live: LiveSession, own: str | None) -> Resource:
    """A session that has not ended.

    Args:
        live: The session.
        own: The id of the one that whoever looks is in.
    """
    session = live.session
    last_used_at = max(session.seen_at, live.last_used_at or session.seen_at)
    return {
        "id": session.id,
        "object": "session",
        "user_id": session.user_id,
        "tenant_id": session.tenant_id,
        "device": session.device,
        "address": session.address,
        "methods": sorted(session.methods),
        "current": session.id == own,
        "created_at": time_text(session.created_at),
        "authenticated_at": time_text(session.authenticated_at),
        "last_used_at": time_text(last_used_at),
        "ends_at": time_text(session.ends_at),
    }


def factors_resource(factors: Factors) -> Resource:
    """The second factors in use; one that was not confirmed counts for nothing."""
    totp = factors.totp
    shown = [passkey_resource(each) for each in factors.passkeys]
    if totp is not None and totp.confirmed_at is not None:
        app = {
            "id": str(FactorKind.TOTP),
            "object": "factor",
            "kind": str(FactorKind.TOTP),
            "name": "Authenticator app",
            "created_at": time_text(totp.confirmed_at),
        }
        shown.insert(0, app)
    return {"data": shown, "recovery_codes_left": factors.recovery_codes, "next_cursor": None}


def passkey_resource(passkey: Passkey) -> Resource:
    """A passkey, without what authenticators and browsers alone need."""
    return {
        "id": passkey.id,
        "object": "factor",
        "kind": str(FactorKind.PASSKEY),
        "name": passkey.name,
        "created_at": time_text(passkey.created_at),
        "last_used_at": _time_or_none(passkey.last_used_at),
        "synced": passkey.backed_up,
        "suspected_at": _time_or_none(passkey.suspected_at),
    }


def signing_key_resource(key: SigningKey) -> Resource:
    """A signing key, known by its thumbprint; the public part itself is in the key set."""
    return {
        "id": key.kid,
        "object": "signing_key",
        "algorithm": str(key.algorithm),
        "status": str(key.status),
        "created_at": time_text(key.created_at),
        "activated_at": _time_or_none(key.activated_at),
        "retired_at": _time_or_none(key.retired_at),
        "published_until": _time_or_none(key.published_until),
    }


def event_resource(event: AuditEvent) -> Resource:
    """A line of the audit trail: who did what to which thing, when and from where."""
    return {
        "id": event.id,
        "object": "audit_event",
        "at": time_text(event.at),
        "tenant_id": event.tenant_id,
        "action": event.action,
        "subject": {"kind": event.subject_kind, "id": event.subject_id},
        "actor": {
            "user_id": event.actor.user_id,
            "credential_id": event.actor.credential_id,
            "via": event.actor.via,
            "request_id": event.actor.request_id,
            "address": event.actor.address,
        },
        "details": dict(event.details),
    }


def usage_resource(usage: Usage) -> Resource:
    """The usage of a period, from its first bucket to the end of the one that is under way."""
    return {
        "object": "usage",
        "tenant_id": usage.subject.tenant_id,
        "user_id": usage.subject.user_id,
        "credential_id": usage.subject.credential_id,
        "lineage": usage.subject.root_id is not None,
        "period": str(usage.period),
        "start": time_text(usage.total.starts_at_us),
        "end": time_text(usage.ends_at_us),
        "bucket_seconds": int(usage.span),
        "total": _requests(usage.total),
        "buckets": [
            {"start": time_text(bucket.starts_at_us), **_requests(bucket)} for bucket in usage.buckets
        ],
    }


def networks_resource(uses: Sequence[NetworkUse]) -> Resource:
    """The networks that a credential was used from."""
    return {
        "data": [
            {
                "object": "network_use",
                "network": use.network or None,
                "first_used_at": time_text(use.first_used_at),
                "last_used_at": time_text(use.last_used_at),
                "requests": use.requests,
            }
            for use in uses
        ]
    }


def notifications_resource(notifications: Notifications) -> Resource:
    """Of what a person is told by mail; of changes of their account, always."""
    return {
        "object": "notifications",
        "user_id": notifications.user.id,
        **{str(topic): wanted for topic, wanted in notifications.wanted.items()},
        "account_changes": True,
    }


def limits_resource(left: Left) -> Resource:
    """What is left of the limits of a credential, a user or a tenant."""
    return {
        "object": "limits",
        "tenant_id": left.subject.tenant_id,
        "user_id": left.subject.user_id,
        "credential_id": left.subject.credential_id,
        "plan": left.plan.name,
        "count_by": str(left.plan.count_by),
        "windows": [
            {
                "name": window.name,
                "seconds": window.seconds,
                "limit": window.limit,
                "remaining": window.remaining,
                "resets_at": time_text(window.resets_at_us),
            }
            for window in left.windows
        ],
    }


def _requests(bucket: UsageBucket) -> Resource:
    return {"accepted": bucket.accepted, "refused": dict(bucket.refused)}


def denial_resource(denial: Denial) -> Resource:
    """Why a request was denied: every check in its order, and of the one that refused by which figures."""
    figures = {
        name.removesuffix("_us"): time_text(value) if name.endswith("_us") and value is not None else value
        for name, value in denial.figures.items()
    }
    checks = list(Check)
    refused_at = checks.index(denial.refused_by)
    return {
        "object": "denial",
        "request_id": denial.request_id,
        "at": time_text(denial.at),
        "tenant_id": denial.tenant_id,
        "user_id": denial.user_id,
        "credential": None
        if denial.credential_id is None
        else {"id": denial.credential_id, "kind": str(denial.kind)},
        "error": str(denial.reason),
        "refused_by": str(denial.refused_by),
        "explanation": _explanation(denial, figures),
        "checks": [
            {
                "check": str(check),
                "outcome": "passed"
                if place < refused_at
                else "refused"
                if place == refused_at
                else "not_reached",
                "figures": figures if place == refused_at else {},
            }
            for place, check in enumerate(checks)
        ],
    }


def _explanation(denial: Denial, figures: Resource) -> str:
    """One sentence for a person: what refused, and by which figure."""
    whose = "credential" if denial.kind is None else _KEY_NAMES.get(denial.kind, "access token")
    match denial.refused_by:
        case Check.SHAPE:
            return "What was presented is not a whole credential: a character is missing, added or wrong."
        case Check.LOOK_UP:
            return "Nobody's credential was presented, or one that whoever asked may not see."
        case Check.STATUS if figures.get("of") in {"user", "tenant"}:
            return f"The {figures['of']} of the {whose} is {figures['status']}."
        case Check.STATUS:
            since = f" since {figures['since']}" if figures.get("since") else ""
            reason = f" ({figures['reason']})" if figures.get("reason") else ""
            return f"The {whose} is {figures.get('status', 'not active')}{since}{reason}."
        case Check.EXPIRY if figures.get("by") == "overlap_ends_at":
            return f"The {whose} was rotated, and its overlap ended at {figures['ended_at']}."
        case Check.EXPIRY:
            return f"The {whose} expired at {figures['ended_at']}."
        case Check.LINEAGE if "status" in figures:
            return f"The {whose} was made from {figures['credential_id']}, which is {figures['status']}."
        case Check.LINEAGE:
            return (
                f"The {whose} was made from {figures['credential_id']}, which ended at {figures['ended_at']}."
            )
        case Check.ADDRESS:
            allowed = ", ".join(figures["allowed_ips"])
            return f"The {whose} came from {figures['address'] or 'no known address'}, and may be used from {allowed}."
        case Check.SCOPE:
            lacking = " ".join(sorted(set(figures["needed"]) - set(figures["held"])))
            return f"The {whose} lacks the scope {lacking}."
        case Check.LIMIT:  # pragma: no branch - mypy refuses a check without a case
            return (
                f"{figures['remaining']} of {figures['limit']} requests in {figures['seconds']} seconds were left, and "
                f"this one counts for {figures['cost']}; there is room again at {figures['resets_at']}."
            )


def consent_resource(seen: SeenConsent) -> Resource:
    """What somebody lets a client do until they take it back."""
    consent = seen.consent
    return {
        "id": consent.id,
        "object": "consent",
        "user_id": consent.user_id,
        "tenant_id": consent.tenant_id,
        "client_id": consent.client_id,
        "client_name": seen.client_name,
        "scopes": sorted(consent.scopes),
        "resources": list(consent.resources),
        "created_at": time_text(consent.created_at),
        "updated_at": time_text(consent.updated_at),
    }


def grant_resource(seen: SeenGrant) -> Resource:
    """What a client got when somebody said yes to it, and how it is used."""
    grant = seen.grant
    return {
        "id": grant.id,
        "object": "grant",
        "user_id": grant.user_id,
        "tenant_id": grant.tenant_id,
        "client_id": grant.client_id,
        "client_name": seen.client_name,
        "scopes": sorted(grant.scopes),
        "resources": list(grant.resources),
        "created_at": time_text(grant.created_at),
        "last_used_at": _time_or_none(seen.last_used_at),
        "ends_at": time_text(grant.ends_at),
    }


def client_resource(client: Client) -> Resource:
    """An OAuth client, without its secrets."""
    return {
        "id": client.id,
        "object": "client",
        "client_id": client.id,
        "tenant_id": client.tenant_id,
        "name": client.name,
        "status": str(client.status),
        "grant_types": sorted(client.grant_types),
        "response_types": sorted(client.response_types),
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "scopes": sorted(client.scopes),
        "audiences": list(client.audiences),
        "token_endpoint_auth_method": str(client.token_endpoint_auth_method),
        "jwks": dict(client.jwks) or None,
        "require_pkce": client.require_pkce,
        "first_party": client.first_party,
        "dpop_bound_access_tokens": client.dpop_bound,
        "access_token_format": str(client.token_format),
        "access_token_seconds": client.access_token_seconds,
        "registered": client.registered,
        **{name: client.metadata.get(name) for name in SHOWN_METADATA},
        "created_by": client.created_by,
        "created_at": time_text(client.created_at),
        "updated_at": time_text(client.updated_at),
    }


def client_secret_resource(secret: ClientSecret) -> Resource:
    """A secret of a client, without the secret itself."""
    return {
        "id": secret.id,
        "object": "client_secret",
        "client_id": secret.client_id,
        "name": secret.name,
        "display": secret.display,
        "created_by": secret.created_by,
        "created_at": time_text(secret.created_at),
        "expires_at": _time_or_none(secret.expires_at),
    }


def initial_token_resource(token: InitialAccessToken) -> Resource:
    """What lets somebody register clients, without the secret itself."""
    return {
        "id": token.id,
        "object": "initial_access_token",
        "tenant_id": token.tenant_id,
        "name": token.name,
        "display": token.display,
        "scopes": sorted(token.scopes),
        "uses_left": token.uses_left,
        "created_by": token.created_by,
        "created_at": time_text(token.created_at),
        "expires_at": time_text(token.expires_at),
    }


def registration_resource(client: Client, base_url: str, token: str, secret: str | None) -> Resource:
    """What a client that has registered itself is told of what it registered.

    Args:
        client: As it is now.
        base_url: Of this server.
        token: By which it is seen and changed.
        secret: A new one; None where there is none that could be shown.

    See: RFC 7591 §3.2.1, RFC 7592 §3
    """
    said = {name: client.metadata.get(name) for name in (*SHOWN_METADATA, *SAID_METADATA)}
    return {
        "client_id": client.id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        **({} if secret is None else {"client_secret": secret, "client_secret_expires_at": 0}),
        "registration_access_token": token,
        "registration_client_uri": f"{base_url}{REGISTRATION_PATH}/{client.id}",
        "client_name": client.name,
        "grant_types": sorted(client.grant_types),
        "response_types": sorted(client.response_types),
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "scope": " ".join(sorted(client.scopes)),
        "token_endpoint_auth_method": str(client.token_endpoint_auth_method),
        **({"jwks": dict(client.jwks)} if client.jwks else {}),
        **({"dpop_bound_access_tokens": True} if client.dpop_bound else {}),
        **{name: value for name, value in said.items() if value is not None},
    }


def webhook_resource(webhook: Webhook) -> Resource:
    """A URL that is told of events, and how it fares."""
    return {
        "id": webhook.id,
        "object": "webhook",
        "tenant_id": webhook.tenant_id,
        "name": webhook.name,
        "url": webhook.url,
        "events": sorted(webhook.events),
        "status": str(webhook.status),
        "disabled_because": webhook.disabled_because,
        "failures": webhook.failures,
        "failing_since": _time_or_none(webhook.failing_since),
        "old_secret_ends_at": _time_or_none(webhook.old_secret_until),
        "created_by": webhook.created_by,
        "created_at": time_text(webhook.created_at),
        "updated_at": time_text(webhook.updated_at),
    }


def delivery_resource(delivery: Delivery) -> Resource:
    """An event that a webhook was told of, or is to be."""
    waits = delivery.status is DeliveryStatus.WAITING
    return {
        "object": "webhook_delivery",
        "webhook_id": delivery.webhook_id,
        "event_id": delivery.event_id,
        "action": delivery.action,
        "status": str(delivery.status),
        "created_at": time_text(delivery.created_at),
        "next_attempt_at": time_text(delivery.due_at) if waits else None,
        "attempts": [
            {
                "at": time_text(attempt.at),
                "status": attempt.status,
                "reason": attempt.reason,
                "milliseconds": attempt.milliseconds,
            }
            for attempt in delivery.attempts
        ],
    }


def page_resource(data: Sequence[Resource], next_cursor: str | None) -> Resource:
    """One page of a listing; `next_cursor` null means that it is the last."""
    return {"data": list(data), "next_cursor": next_cursor}


def identity_resource(principal: Principal, expires_at_us: int | None) -> Resource:
    """Who a good credential speaks for, with what scopes and until when: the same for every kind."""
    return {
        "authenticated": True,
        "user_id": principal.user_id,
        "scopes": sorted(principal.scopes),
        "expires_at": None if expires_at_us is None else time_text(expires_at_us),
        "tenant_id": principal.tenant_id,
        "credential": {
            "id": principal.credential_id,
            "kind": str(principal.kind),
            "name": principal.name,
        },
    }


def introspection_resource(verdict: Verdict, issuer: str) -> Resource:
    """The answer to an introspection; of what is not good it tells nothing at all.

    Args:
        verdict: On the credential.
        issuer: The server's own URL.

    See: RFC 7662 §2.2
    """
    if not isinstance(verdict, Accepted):
        return {"active": False}
    return active_resource(verdict.principal, verdict.expires_at_us, issuer)


def active_resource(principal: Principal, ends_at_us: int | None, issuer: str) -> Resource:
    """What an introspection tells of a good credential."""
    return {
        "active": True,
        "scope": " ".join(sorted(principal.scopes)),
        "token_type": "Bearer",
        **({} if ends_at_us is None else {"exp": ends_at_us // 1_000_000}),
        "sub": principal.user_id,
        "iss": issuer,
        "jti": principal.credential_id,
        "tenant_id": principal.tenant_id,
        "kind": str(principal.kind),
        **_delegated(principal.delegation),
    }


def _delegated(delegation: Delegation | None) -> Resource:
    """What is told of an access token beside what every credential has.

    See: RFC 7662 §2.2, RFC 8693 §4.1, RFC 9449 §6.2
    """
    if delegation is None:
        return {}
    told: Resource = {"client_id": delegation.client_id}
    if delegation.audiences:
        told["aud"] = list(delegation.audiences)
    if delegation.jkt is not None:
        told |= {"token_type": "DPoP", "cnf": {"jkt": delegation.jkt}}
    if delegation.actors:
        told["act"] = act_of(delegation.actors)
    return told


def reset_resource(started: StartedReset) -> Resource:
    """What lets one user choose a password, once."""
    return {
        "object": "password_reset",
        "user_id": started.user_id,
        "token": started.token,
        "expires_at": time_text(started.expires_at),
    }


def invitation_resource(invitation: Invitation) -> Resource:
    """What lets somebody choose their first password; `token` null means that it was mailed."""
    return {
        "object": "invitation",
        "user_id": invitation.user_id,
        "token": invitation.token,
        "expires_at": time_text(invitation.expires_at),
    }


def verdict_resource(verdict: Verdict) -> Resource:
    """The answer to a question about somebody's credential; a refusal has the code of the error and its words."""
    if isinstance(verdict, Accepted):
        return {"valid": True, **identity_resource(verdict.principal, verdict.expires_at_us)}
    return {"valid": False, "code": str(verdict.reason), "message": reason_message(verdict)}


def reason_message(rejected: Rejected) -> str:
    """The sentence for a person that goes with a refusal."""
    match rejected.reason:
        case Reason.EXPIRED:
            name = "access token" if rejected.kind is None else _KEY_NAMES.get(rejected.kind, "access token")
            return f"The {name} has expired."
        case Reason.SCOPE:
            needed = " ".join(sorted(rejected.scopes))
            return f"The credential does not have every scope that this needs: {needed}."
        case Reason.RATE:
            return f"Rate limit exceeded. Try again in {rejected.allowance.retry_after_seconds} seconds."
        case reason:
            return _SENTENCES[reason]


def _time_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)
