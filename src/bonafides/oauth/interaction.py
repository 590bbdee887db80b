"""What has to happen before a person's answer goes to a client: a login, a question, or nothing more.

Pure: the same facts always lead to the same step, whichever node judges them, so nothing of a request has to be
remembered between its pages. Each page sends the whole request along, and it is judged anew each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from bonafides.oauth.authorization_request import (
    IDENTITY_SCOPES,
    AskingClient,
    AuthorizationRequest,
    Prompt,
    Refusal,
)
from bonafides.oauth.redirect_uris import is_loopback, is_web_page


class Step(Enum):
    """What comes next for the person."""

    LOG_IN = "log_in"
    """They prove who they are, even if they did so before."""
    CONSENT = "consent"
    """They are asked whether the client may."""
    GRANT = "grant"
    """Nothing: the client gets its code."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who is at the browser, as far as its cookie tells.

    Args:
        user_id: Whose session it is.
        authenticated_at: When they last proved who they are.
        ceiling: The scopes that they may have at most.
    """

    user_id: str
    authenticated_at: datetime
    ceiling: frozenset[str]


@dataclass(frozen=True, slots=True)
class Given:
    """What a person has allowed a client before, and not taken back."""

    scopes: frozenset[str]
    resources: Sequence[str]


class TrustedClient(AskingClient, Protocol):
    """What is read of a client to know whether a person has to be asked."""

    @property
    def first_party(self) -> bool: ...
    @property
    def created_by(self) -> str | None: ...


def next_step(
    request: AuthorizationRequest,
    client: TrustedClient,
    login: Login | None,
    given: Given | None,
    *,
    began_at: datetime,
    now: datetime,
    hinted_user_id: str | None = None,
) -> Step | Refusal:
    """What has to happen next; a refusal where the client has asked for no pages, or the person has nothing to give.

    Args:
        request: What is asked.
        client: Who asks.
        login: Who is there; None if nobody is signed in.
        given: What they have allowed this client before.
        began_at: When the request came first: a login since then was made for it.
        now: The time.
        hinted_user_id: Whom the client's `id_token_hint` names.

    See: OpenID Connect Core §3.1.2.1, §3.1.2.3 and §3.1.2.6
    """
    silent = Prompt.NONE in request.prompt
    if login is not None and login.authenticated_at >= began_at and _is_another(login, hinted_user_id):
        return Refusal("login_required", "Somebody else has signed in than the client expects.")
    if login is None or _has_to_log_in(request, login, began_at, now, hinted_user_id):
        return Refusal("login_required", "Nobody is signed in who may answer.") if silent else Step.LOG_IN
    scopes = scopes_given(request, login)
    if not scopes:
        return Refusal("invalid_scope", "The person may give none of these scopes.")
    if not _has_to_be_asked(request, client, scopes, given):
        return Step.GRANT
    return Refusal("consent_required", "The person has to be asked.") if silent else Step.CONSENT


def scopes_given(request: AuthorizationRequest, login: Login) -> frozenset[str]:
    """What a person can give of what is asked: never more than they have."""
    return request.scopes & (login.ceiling | IDENTITY_SCOPES)


def is_assured(request: AuthorizationRequest, client: TrustedClient) -> bool:
    """Whether nobody else can pass for the client; else the person is asked each time, whoever made it.

    A public client is known by its redirect URI alone, and that of an app may belong to another app. One that
    has registered itself, without anybody who let it, is known by nothing.

    See: RFC 8252 §8.6, OWASP ASVS 10.4.7 and 10.7.1
    """
    if client.registered and client.created_by is None:
        return False
    if client.token_endpoint_auth_method != "none":
        return True
    uri = request.destination.redirect_uri
    return is_web_page(uri) and not is_loopback(uri)


def _is_another(login: Login, hinted_user_id: str | None) -> bool:
    return hinted_user_id is not None and hinted_user_id != login.user_id


def _has_to_log_in(
    request: AuthorizationRequest,
    login: Login,
    began_at: datetime,
    now: datetime,
    hinted_user_id: str | None,
) -> bool:
    if _is_another(login, hinted_user_id):
        return True
    if login.authenticated_at >= began_at:
        return False
    if Prompt.LOGIN in request.prompt:
        return True
    return request.max_age is not None and now - login.authenticated_at > timedelta(seconds=request.max_age)


def _has_to_be_asked(
    request: AuthorizationRequest, client: TrustedClient, scopes: frozenset[str], given: Given | None
) -> bool:
    if request.prompt & {Prompt.CONSENT, Prompt.SELECT_ACCOUNT}:
        return True
    if not is_assured(request, client):
        return True
    if client.first_party:
        return False
    if given is None:
        return True
    return not (scopes <= given.scopes and set(request.resources) <= set(given.resources))
