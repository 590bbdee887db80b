"""Ended logins in the store: which clients have to hear of the end of a session."""

from __future__ import annotations

from bonafides.delegation import EndedLogin
from bonafides.model import CredentialKind, CredentialStatus, Role, Status, UserChanges
from bonafides.store.sql import SqlStore
from tests.store.databases import run_sql
from tests.store.delegated import add_client
from tests.store.records import LATER, credential, event, secret, user


async def login(store: SqlStore, url: str, session: str, user_id: str) -> None:
    """A session of a user, by which they have logged in to a client, twice."""
    for identity, kind in (
        (session, CredentialKind.JWT_SESSION),
        (f"grt_{session}_1", CredentialKind.OAUTH_ACCESS_TOKEN),
        (f"grt_{session}_2", CredentialKind.OAUTH_ACCESS_TOKEN),
    ):
        made = credential(identity, kind=kind, user_id=user_id, expires_at=LATER, allowed_ips=())
        await store.create_credential(made, secret(made), event())
        if identity != session:
            await run_sql(
                url,
                "INSERT INTO grants (id, tenant_id, user_id, client_id, session_id, scopes, resources, methods, claims, "
                f"created_at, ends_at) VALUES ('{identity}', 'ten_a', '{user_id}', 'cli_1', '{session}', 'read', '', 'pwd', '{{}}', 1, 2)",
            )


async def test_clients_of_ended_logins_are_found_once(store: SqlStore, url: str) -> None:
    """A client would not hear of a logout, or hear of one that has not happened."""
    await add_client(store)
    await store.create_user(user("usr_b", role=Role.MEMBER), event())
    await login(store, url, "ses_1", "usr_owner")
    await login(store, url, "ses_2", "usr_b")
    every = ["ses_1", "ses_2", "usr_owner", "usr_b"]
    assert await store.list_ended_logins(every) == []
    await store.set_credential_status("ses_1", "ten_a", CredentialStatus.REVOKED, event())
    assert await store.list_ended_logins(every) == [EndedLogin("cli_1", "usr_owner", "ses_1")]
    assert await store.list_ended_logins(["ses_2", "usr_owner"]) == []
    await store.change_user("usr_b", "ten_a", UserChanges(status=Status.DISABLED), event())
    assert await store.list_ended_logins(["usr_b"]) == [EndedLogin("cli_1", "usr_b", "ses_2")]
