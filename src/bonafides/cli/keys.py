"""`bonafides keys`: issue, list, show, change, rotate, disable, enable and revoke API keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from bonafides.cli.options import (
    LIMIT_DEFAULT,
    AsJson,
    Cursor,
    Database,
    Limit,
    Search,
    TenantId,
    duration,
    example,
    exclude,
    json_object,
    moment,
    named,
    require_some,
    words,
)
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import Columns, print_family, print_made, print_page, print_thing, print_usage
from bonafides.credentials.api_keys import KeyChanges, KeyWish
from bonafides.credentials.holdings import Made
from bonafides.model import UNCHANGED, Credential, CredentialStatus, Replayed, ShownStatus, UsagePeriod
from bonafides.resources import Resource, key_resource, lineage_resource, networks_resource, usage_resource

commands = typer.Typer(
    name="keys",
    help="Issue, list, change, rotate and revoke API keys, and count their use.",
    epilog=example("bonafides keys create ci --scopes read --expires-in 90d"),
    no_args_is_help=True,
)

COLUMNS: Final[Columns] = {
    "ID": lambda key: key["id"],
    "NAME": lambda key: key["name"],
    "KEY": lambda key: key["display"],
    "STATUS": lambda key: key["status"],
    "SCOPES": lambda key: key["scopes"],
    "EXPIRES": lambda key: key["overlap_ends_at"] or key["expires_at"],
    "LAST USED": lambda key: key["last_used_at"],
}

NETWORK_COLUMNS: Final[Columns] = {
    "NETWORK": lambda use: use["network"] or "all others",
    "FIRST USED": lambda use: use["first_used_at"],
    "LAST USED": lambda use: use["last_used_at"],
    "REQUESTS": lambda use: use["requests"],
}

KeyId = Annotated[
    str, typer.Argument(metavar="KEY_ID", help="The key's id, such as key_…; not the key itself.")
]
Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scopes", "--scope", metavar="SCOPES", help="Scopes, separated by commas; may be repeated."
    ),
]
AllowedIps = Annotated[
    list[str] | None,
    typer.Option(
        "--allowed-ips",
        "--allowed-ip",
        metavar="CIDRS",
        help="Addresses or networks that may use it; by commas.",
    ),
]
ExpiresAt = Annotated[
    datetime | None,
    typer.Option(
        "--expires-at", metavar="TIME", parser=moment, help="When it expires: 2030-01-01T00:00:00Z."
    ),
]
ExpiresIn = Annotated[
    int | None,
    typer.Option(
        "--expires-in", metavar="TIME", parser=duration, help="The same, from now on: 90d, 12h, 600."
    ),
]
Overlap = Annotated[
    int | None,
    typer.Option(
        "--overlap",
        "--overlap-seconds",
        metavar="TIME",
        parser=duration,
        help="How long the old key goes on working: 90, 15m, 12h, 7d.",
    ),
]
Metadata = Annotated[
    dict[str, Any] | None,
    typer.Option("--metadata", metavar="JSON", parser=json_object, help="A JSON object of at most 16 KB."),
]

TokenSeconds = Annotated[
    int | None,
    typer.Option(
        "--token-seconds", metavar="TIME", parser=duration, help="How long its bearer tokens last: 600, 2h."
    ),
]


def _made(made: Made | Replayed, session: Session) -> Resource:
    """A new key with its secret; only calls that carry an `Idempotency-Key` are replayed, and these carry none."""
    if isinstance(made, Replayed):
        raise TypeError("replayed without a claim")
    return {**key_resource(made.credential, session.now), "key": made.secret}


@commands.command(
    epilog=example(
        "bonafides keys create ci --scopes read,write --expires-in 90d",
        "bonafides keys create --name ci --user ada@example.com --json",
    )
)
def create(
    *,
    name: Annotated[str | None, typer.Argument(help="What the key is for.")] = None,
    name_option: Annotated[str | None, typer.Option("--name", help="The same.")] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            "--user-id",
            metavar="USER",
            help="Whose: an id or an e-mail address; else the first owner's.",
        ),
    ] = None,
    scopes: Scopes = None,
    expires_at: ExpiresAt = None,
    expires_in: ExpiresIn = None,
    plan: Annotated[str | None, typer.Option("--plan", help="A plan of its own; else the tenant's.")] = None,
    allowed_ips: AllowedIps = None,
    metadata: Metadata = None,
    bearer_token_seconds: TokenSeconds = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Issue an API key, and show it this once."""
    called = named(name, name_option, "NAME")
    exclude(("--expires-at", expires_at), ("--expires-in", expires_in))

    async def do(session: Session) -> Resource:
        owner = await session.user(user) if user is not None else await session.first_owner()
        wish = KeyWish(
            name=called,
            scopes=words(scopes),
            expires_at=expires_at,
            expires_in=expires_in,
            user_id=owner.id,
            tenant_id=tenant,
            plan=plan,
            allowed_ips=words(allowed_ips) or (),
            metadata=metadata or {},
            bearer_token_seconds=bearer_token_seconds,
        )
        return _made(await session.rooms.api_keys.create(session.authority, wish), session)

    _show_secret(work(database, tenant, do), as_json=as_json)


def _show_secret(made: Resource, *, as_json: bool) -> None:
    print_made(
        made,
        "key",
        as_json=as_json,
        words="This is the key. It is shown this once, and cannot be read again.",
    )


@commands.command(
    "list", epilog=example("bonafides keys list --status active", "bonafides keys list --json | jq .data")
)
def list_keys(
    *,
    user: Annotated[
        str | None,
        typer.Option(
            "--user", "--user-id", metavar="USER", help="Only this user's: an id or an e-mail address."
        ),
    ] = None,
    status: Annotated[
        ShownStatus | None, typer.Option("--status", help="Only those that are shown with this status.")
    ] = None,
    search: Search = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List the tenant's API keys, newest first, without their secrets."""

    async def do(session: Session) -> Resource:
        user_id = (await session.user(user)).id if user is not None else None
        context = f"keys {user_id} {status} {search or ''}"
        found = await session.rooms.api_keys.page(
            session.authority,
            session.page(limit, cursor, context),
            user_id=user_id,
            status=status,
            search=search,
        )
        now = session.now
        return session.listed(
            found, limit, context, lambda key: key_resource(key, now), lambda key: (key.created_at, key.id)
        )

    print_page(work(database, tenant, do), COLUMNS, as_json=as_json, noun="API keys")


@commands.command(epilog=example("bonafides keys show key_0Nf4gQ2s9XbR7mT1kVwZaC"))
def show(*, key_id: KeyId, database: Database = None, as_json: AsJson = False) -> None:
    """Show an API key, without its secret."""
    _change(database, lambda session: session.rooms.api_keys.get(session.authority, key_id), as_json=as_json)


@commands.command(epilog=example("bonafides keys update key_0Nf4gQ2s9XbR7mT1kVwZaC --never-expires"))
def update(
    *,
    key_id: KeyId,
    name: Annotated[str | None, typer.Option("--name", help="What it is for.")] = None,
    scopes: Scopes = None,
    plan: Annotated[str | None, typer.Option("--plan", help="A plan of its own.")] = None,
    tenant_plan: Annotated[
        bool, typer.Option("--tenant-plan", help="No plan of its own: the tenant's.")
    ] = False,
    expires_at: ExpiresAt = None,
    expires_in: ExpiresIn = None,
    never_expires: Annotated[bool, typer.Option("--never-expires", help="Take its expiry away.")] = False,
    overlap: Annotated[
        int | None,
        typer.Option(
            "--overlap",
            "--overlap-seconds",
            metavar="TIME",
            parser=duration,
            help="For a rotated key: end its overlap so long from now; it can only be shortened.",
        ),
    ] = None,
    allowed_ips: AllowedIps = None,
    any_ip: Annotated[bool, typer.Option("--any-ip", help="Allow every address.")] = False,
    metadata: Metadata = None,
    bearer_token_seconds: TokenSeconds = None,
    plan_token_seconds: Annotated[
        bool, typer.Option("--plan-token-seconds", help="Leave the life of its bearer tokens to the plan.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Change an API key; what is not named stays. It binds the next request."""
    expiry = (("--expires-at", expires_at), ("--expires-in", expires_in), ("--never-expires", never_expires))
    exclude(*expiry)
    exclude(("--plan", plan), ("--tenant-plan", tenant_plan))
    exclude(("--allowed-ips", allowed_ips), ("--any-ip", any_ip))
    tokens = (("--token-seconds", bearer_token_seconds), ("--plan-token-seconds", plan_token_seconds))
    exclude(*tokens)
    others = [*dict(expiry).values(), *dict(tokens).values()]
    require_some([name, scopes, plan, tenant_plan, overlap, allowed_ips, any_ip, metadata, *others])
    changes = KeyChanges(
        name=UNCHANGED if name is None else name,
        scopes=UNCHANGED if scopes is None else words(scopes) or [],
        plan=UNCHANGED if plan is None and not tenant_plan else plan,
        expires_at=UNCHANGED if expires_at is None and not never_expires else expires_at,
        expires_in=UNCHANGED if expires_in is None else expires_in,
        overlap_seconds=UNCHANGED if overlap is None else overlap,
        allowed_ips=UNCHANGED if allowed_ips is None and not any_ip else words(allowed_ips) or [],
        metadata=UNCHANGED if metadata is None else metadata,
        bearer_token_seconds=(
            UNCHANGED if bearer_token_seconds is None and not plan_token_seconds else bearer_token_seconds
        ),
    )
    _change(
        database,
        lambda session: session.rooms.api_keys.change(session.authority, key_id, changes),
        as_json=as_json,
        heading="Changed.\n",
    )


@commands.command(epilog=example("bonafides keys rotate key_0Nf4gQ2s9XbR7mT1kVwZaC --overlap 24h"))
def rotate(
    *, key_id: KeyId, overlap: Overlap = None, database: Database = None, as_json: AsJson = False
) -> None:
    """Issue a key's successor, shown this once; the old key works until the overlap (an hour) ends."""

    async def do(session: Session) -> Resource:
        made = await session.rooms.api_keys.rotate(session.authority, key_id, overlap_seconds=overlap)
        return _made(made, session)

    _show_secret(work(database, None, do), as_json=as_json)


@commands.command(epilog=example("bonafides keys disable key_0Nf4gQ2s9XbR7mT1kVwZaC"))
def disable(*, key_id: KeyId, database: Database = None, as_json: AsJson = False) -> None:
    """Disable a key, and every credential made from it, until it is enabled."""
    _set_status(key_id, CredentialStatus.DISABLED, database, as_json=as_json, heading="Disabled.\n")


@commands.command(epilog=example("bonafides keys enable key_0Nf4gQ2s9XbR7mT1kVwZaC"))
def enable(*, key_id: KeyId, database: Database = None, as_json: AsJson = False) -> None:
    """Enable a disabled key."""
    _set_status(key_id, CredentialStatus.ACTIVE, database, as_json=as_json, heading="Enabled.\n")


@commands.command(
    epilog=example("bonafides keys revoke key_0Nf4gQ2s9XbR7mT1kVwZaC --reason 'found in a log'")
)
def revoke(
    *,
    key_id: KeyId,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for the audit trail.")] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key, and every credential made from it, for ever and at once."""
    _set_status(
        key_id,
        CredentialStatus.REVOKED,
        database,
        as_json=as_json,
        heading="Revoked, for ever.\n",
        reason=reason,
    )


@commands.command(epilog=example("bonafides keys lineage key_0Nf4gQ2s9XbR7mT1kVwZaC"))
def lineage(*, key_id: KeyId, database: Database = None, as_json: AsJson = False) -> None:
    """Show what a credential was made from and what was made from it, and what its revocation would end."""

    async def do(session: Session) -> Resource:
        return lineage_resource(await session.rooms.lineage.family(session.authority, key_id), session.now)

    print_family(work(database, None, do), as_json=as_json)


@commands.command(epilog=example("bonafides keys usage key_0Nf4gQ2s9XbR7mT1kVwZaC --period month"))
def usage(
    *,
    key_id: KeyId,
    period: Annotated[
        UsagePeriod,
        typer.Option("--period", help="The last 60 minutes, 24 hours or 30 days, in UTC."),
    ] = UsagePeriod.DAY,
    lineage: Annotated[
        bool,
        typer.Option(
            "--lineage",
            help="Of what it was rotated from and to, too, and of all tokens that were made from these.",
        ),
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Count an API key's requests, by their outcome and the time."""

    async def do(session: Session) -> Resource:
        return usage_resource(
            await session.rooms.usage.usage(session.authority, period, credential_id=key_id, lineage=lineage)
        )

    print_usage(work(database, None, do), as_json=as_json)


@commands.command(epilog=example("bonafides keys networks key_0Nf4gQ2s9XbR7mT1kVwZaC"))
def networks(*, key_id: KeyId, database: Database = None, as_json: AsJson = False) -> None:
    """List the networks that an API key or a personal access token was used from, the latest first."""

    async def do(session: Session) -> Resource:
        return networks_resource(await session.rooms.usage.networks(session.authority, key_id))

    found = work(database, None, do)
    print_page(
        found if as_json else {**found, "next_cursor": None},
        NETWORK_COLUMNS,
        as_json=as_json,
        noun="networks",
    )


def _set_status(
    key_id: str,
    status: CredentialStatus,
    database: str | None,
    *,
    as_json: bool,
    heading: str,
    reason: str | None = None,
) -> None:
    _change(
        database,
        lambda session: session.rooms.api_keys.set_status(session.authority, key_id, status, reason=reason),
        as_json=as_json,
        heading=heading,
    )


def _change(
    database: str | None,
    change: Callable[[Session], Awaitable[Credential]],
    *,
    as_json: bool,
    heading: str | None = None,
) -> None:
    """Do something to a key and show it as it is then."""

    async def do(session: Session) -> Resource:
        return key_resource(await change(session), session.now)

    print_thing(work(database, None, do), as_json=as_json, heading=heading)
