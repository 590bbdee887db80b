"""The server as the configurations of the conformance suite expect it: `make conformance-server`.

A fresh installation in a folder of its own, with TLS by a certificate that is made at the start, the person who
signs in, every static client, and an operator who rotates the keys when the suite waits for it.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from bonafides.app import Rooms, SystemClock, build, housekeeping, open_rooms, prepare
from bonafides.audit import Recorder
from bonafides.credentials.passwords import Passwords
from bonafides.delegation import AuthMethod, ClientChanges
from bonafides.installation import Founded
from bonafides.keyring import require_peppers
from bonafides.logs import configure_logs
from bonafides.model import Actor, SigningAlgorithm
from bonafides.oauth.clients import ClientWish, MadeClient
from bonafides.settings import Settings
from bonafides.web.server import server_of
from tests.conformance.plans import EMAIL, HOST, PASSWORD, PLANS, PORT, SUITE, StaticClient, clients_of
from tests.conformance.stand_in import EarlierClock, StandIn, publish_keys, rotating, trust
from tests.elsewhere import certificate_in

READY = "conformance server:"
CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
"""Of TLS 1.2, for the key of the certificate: those of RFC 9325 §4.2, which FAPI 2.0 §5.2.2 allows and no other."""


def settings_in(folder: Path, host: str, port: int) -> Settings:
    """What the plans need.

    Anybody registers, without PKCE where the suite's older clients go without, and from here; requests come by reference,
    and the metadata offer what a dynamic provider had to have in 2014. The suite compares RSA and EC keys alone.
    """
    return Settings(
        host="0.0.0.0",
        port=port,
        database=f"sqlite:///{folder / 'conformance.db'}",
        public_url=f"https://{host}:{port}",
        self_registration=True,
        self_registrations_free=1_000_000,
        registered_clients_use_pkce=False,
        request_objects="any",
        implicit_grant_for_certification=True,
        signing_algorithm=SigningAlgorithm.ES256,
        outgoing_private_addresses=True,
        address_requests_per_minute=None,
        log_level="warning",
    )


async def furnish(rooms: Rooms, founded: Founded, suite: str) -> None:
    """Give the person their password, and make the clients."""
    actor = Actor(None, None, "conformance")
    event = Recorder(rooms.clock, secrets.token_bytes).event(
        "user.password_set", actor, founded.tenant_id, founded.user_id
    )
    await rooms.store.set_password(
        founded.user_id,
        await Passwords().hash(PASSWORD),
        event,
        replaced=None,
        kept_session=None,
        end_others=True,
    )
    for plan in PLANS:
        for client in clients_of(plan).values():
            await add(rooms, founded, client, suite)


async def add(rooms: Rooms, founded: Founded, static: StaticClient, suite: str) -> None:
    """Insert a client with the id, the secret and the key that its configuration names."""
    plan = static.plan
    by_key = static.method == "private_key_jwt"
    changes = ClientChanges(
        redirect_uris=static.redirect_uris(suite),
        post_logout_redirect_uris=static.post_logout_redirect_uris(suite),
        grant_types=frozenset({"authorization_code", "refresh_token"}),
        token_endpoint_auth_method=AuthMethod(static.method),
        dpop_bound=plan.fapi,
        jwks={"keys": [static.public_key]} if by_key else {},
        metadata={
            "id_token_signed_response_alg": "ES256" if plan.fapi else "RS256",
            "backchannel_logout_uri": static.backchannel_logout_uri(suite),
            "backchannel_logout_session_required": True,
            **({"require_pushed_authorization_requests": True} if plan.fapi else {}),
        },
    )
    scopes = ("openid", "profile", "email", "offline_access", "read")
    wish = ClientWish(f"Conformance {static.name}", scopes, changes)
    client = rooms.clients.new(wish, founded.tenant_id, founded.user_id)
    # The suite's clients send no challenge, but for those of FAPI. No call makes a public client that may leave it out.
    # And in a module of FAPI somebody says no, whatever was allowed before: as if nobody had vouched for the client.
    stranger: dict[str, Any] = {"registered": True, "created_by": None} if plan.fapi else {}
    client = replace(client, id=static.id, require_pkce=plan.fapi, **stranger)
    made = await rooms.clients.made(client)
    if made.secret is not None:
        known = replace(made.secret, secret=static.secret, digested=rooms.peppers.digested(static.secret))
        made = MadeClient(client, known)
    event = Recorder(rooms.clock, secrets.token_bytes).event(
        "client.created", Actor(None, None, "conformance"), founded.tenant_id, client.id
    )
    await rooms.store.create_client(rooms.clients.beginning(made), event)


async def serve(folder: Path, host: str, port: int, suite: str) -> None:
    """Serve until a signal asks to end."""
    settings = settings_in(folder, host, port)
    configure_logs(form="console", level=settings.log_level)
    clock = SystemClock()
    founded = await prepare(settings, EMAIL, clock=clock)
    if founded is None:
        message = f"There is an installation in {folder} already."
        raise SystemExit(message)
    async with open_rooms(settings, require_peppers(settings), clock=EarlierClock()) as rooms:
        await publish_keys(rooms)
    async with open_rooms(settings, require_peppers(settings), clock=clock) as rooms:
        await furnish(rooms, founded, suite)
        certificate = certificate_in(folder)
        async with housekeeping(rooms):
            application = build(rooms)

            def announce(_: str) -> None:
                sys.stdout.write(f"{READY} {settings.base_url} (certificate: {certificate})\n")
                sys.stdout.flush()

            stand_in = StandIn(application.asgi, rotating(rooms, founded.tenant_id))
            server = server_of(stand_in, application.lane, announce)
            server.config.ssl_certfile = server.config.ssl_keyfile = str(certificate)
            server.config.ssl_ciphers = CIPHERS
            trusting = asyncio.create_task(trust(rooms.outgoing, suite))
            await server.serve()
            trusting.cancel()


def main() -> None:
    """Read what the command line says, and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default=HOST, help="The name by which the suite reaches the server.")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--suite", default=SUITE, help="The URL of the suite, where answers go.")
    parser.add_argument(
        "--folder", type=Path, help="Where everything is kept; else a folder that is removed."
    )
    given = parser.parse_args()
    if given.folder is not None:
        given.folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(serve(given.folder, given.host, given.port, given.suite))
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(serve(Path(folder), given.host, given.port, given.suite))


if __name__ == "__main__":
    main()
