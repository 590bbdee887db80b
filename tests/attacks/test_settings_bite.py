"""Every setting that protects something changes what the server does; none is read and then forgotten."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import pytest
from joserfc import jwk, jws
from typing_extensions import override

from bonafides.errors import Misconfigured
from bonafides.keyring import load_peppers, require_peppers
from bonafides.outgoing import Fetched, Unfetched
from bonafides.secret import SecretKind, mint, new_id, new_pepper
from bonafides.settings import Settings, load
from bonafides.verification.feed import Feed
from bonafides.verification.mark import Mark
from tests.attacks.cast import refused
from tests.attacks.wire import request, wire
from tests.elsewhere import Reply, elsewhere
from tests.processes import process
from tests.serving import START_US, FakeClock, RunningServer, running, serving, settings_for
from tests.valkey import ValkeyServer
from tests.web.oauth import app_of

Serve = Callable[..., AbstractContextManager[RunningServer]]
"""Serves the same database under other settings."""

ANYBODYS: Final = {"redirect_uris": ["https://any.example/cb"]}

PROTECT_NOTHING: Final = {
    "port": "where it listens",
    "workers": "how many processes answer",
    "database": "where everything is kept; another database is another installation",
    "feed_poll_seconds": "how soon news comes; what may be trusted meanwhile is max_staleness_seconds",
    "last_used_flush_seconds": "how soon a last use is seen",
    "usage_flush_seconds": "how soon a request is seen in the usage",
    "usage_minutes_kept_days": "how long usage is kept by the minute",
    "usage_hours_kept_days": "how long usage is kept by the hour",
    "usage_days_kept_days": "how long usage is kept by the day",
    "networks_kept_days": "how long it is kept from where keys are used",
    "ended_tokens_kept_seconds": "for how long an expired token is told so; it is refused either way",
    "smtp_host": "who is given mails; tests of mails hold what becomes of them",
    "smtp_port": "where that listens",
    "smtp_user": "who the server is there",
    "smtp_password": "what it proves there; it is never shown, as no secret setting is",
    "mail_from": "who mails come from",
    "drain_seconds_max": "how long an end may take",
    "database_connections_max": "how much is asked of the database at once",
    "change_retention_seconds": "how long the feed is kept; a longer silence makes memory forget everything",
    "token_audience": "whom tokens are for; another audience refuses them, which tests of signing keys hold",
    "signing_algorithm": "how tokens are signed; each one is strong enough",
    "brand_name": "what the pages are called",
    "brand_logo": "which image stands on them",
    "brand_color": "what colour they have; it stays readable, which tests of the theme hold",
    "log_format": "the look of the log; neither form shows a secret, which other tests hold",
    "log_level": "how much is logged; production mode refuses the one that is too talkative",
}


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """One installation, to be served under many settings."""
    folder = tmp_path_factory.mktemp("settings")
    url = f"sqlite:///{folder / 'bonafides.db'}"
    clock = FakeClock()
    with running(settings_for(url, folder), clock) as server:
        server.create_plan("enterprise")
        server.create_plan("free")
        founded = server.founded

    def serve(**changes: object) -> AbstractContextManager[RunningServer]:
        clock.advance(120)
        return serving(settings_for(url, folder, **changes), founded, clock)

    return serve


def guess() -> str:
    """A key that nobody has."""
    return mint(SecretKind.KEY, new_id("key", START_US, secrets.token_bytes), secrets.token_bytes)


def bites_public_url(serve: Serve, _: Path) -> None:
    """It is the base of links, and with https, browsers are told to stay there."""
    for url, strict in (
        ("https://auth.example.com", "max-age=31536000; includeSubDomains"),
        ("http://localhost", None),
    ):
        with serve(public_url=url) as server:
            for answer in (
                server.client().get("/v1/auth/verify"),
                server.admin.get("/v1/auth/verify"),
                server.admin.get("/auth/forward"),
            ):
                assert answer.headers.get("strict-transport-security") == strict
            assert server.client().get("/v1/auth/verify").json()["doc_url"].startswith(f"{url}/docs")


def bites_host(_: Serve, folder: Path) -> None:
    """It listens there and nowhere else."""
    for host, other in (("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1")):
        inner = folder / host
        inner.mkdir()
        with running(settings_for(f"sqlite:///{inner / 'x.db'}", inner, host=host)) as server:
            port = int(server.url.rpartition(":")[2])
            socket.create_connection((host, port), 5).close()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((other, port), 5)


def bites_production(_: Serve, folder: Path) -> None:
    """It refuses what is safe on a developer's machine alone."""
    safe = {"production": "true", "public_url": "https://auth.example.com"}
    unsafe: dict[str, dict[str, str]] = {
        "public_url": {"public_url": "http://auth.example.com"},
        "host": {"host": "0.0.0.0"},
        "address_requests_per_minute": {"address_requests_per_minute": "none"},
        "log_level": {"log_level": "debug"},
    }
    assert load({}, _variables(safe), folder).production
    for name, change in unsafe.items():
        load({}, _variables({**safe, **change, "production": "false"}), folder)
        with pytest.raises(Misconfigured, match=name):
            load({}, _variables({**safe, **change}), folder)


def _variables(values: dict[str, str]) -> dict[str, str]:
    return {f"BONAFIDES_{name.upper()}": value for name, value in values.items()}


def bites_trusted_proxies(serve: Serve, _: Path) -> None:
    """It decides whose word about addresses counts."""
    for proxies, status in (((), 403), (("10.0.0.0/8",), 403), (("127.0.0.0/8",), 200)):
        with serve(trusted_proxies=proxies) as server:
            key = server.create_key(allowed_ips=["192.0.2.7"])["key"]
            answer = server.client(key).get("/v1/auth/verify", headers={"X-Forwarded-For": "192.0.2.7"})
            assert answer.status_code == status


def bites_peppers(serve: Serve, _: Path) -> None:
    """It keys every digest: under another one, no key is known."""
    one, other = new_pepper(secrets.token_bytes), new_pepper(secrets.token_bytes)
    with serve(peppers=f"{one}") as server:
        assert server.admin.get("/v1/auth/verify").status_code == 401
    with serve(peppers=(other, one)) as server:
        assert server.admin.get("/v1/auth/verify").status_code == 401
    with serve() as server:
        assert server.admin.get("/v1/auth/verify").status_code == 200


def _logged_in(server: RunningServer) -> dict[str, str]:
    body = {"username": "admin@example.com", "password": server.founded.password}
    tokens: dict[str, str] = server.client().post("/v1/auth/login", json=body).json()
    return tokens


def _refreshed(server: RunningServer, tokens: dict[str, str]) -> int:
    body = {"refresh_token": tokens["refresh_token"]}
    return server.client().post("/v1/auth/refresh", json=body).status_code


def bites_session_token_seconds(serve: Serve, _: Path) -> None:
    """It ends a token of a login."""
    for seconds in (60, 120):
        with serve(session_token_seconds=seconds) as server:
            client = server.client(_logged_in(server)["token"])
            server.clock.advance(seconds - 1)
            assert client.get("/v1/auth/verify").status_code == 200
            server.clock.advance(1)
            assert client.get("/v1/auth/verify").status_code == 401


def bites_session_idle_seconds(serve: Serve, _: Path) -> None:
    """It ends a session that is not refreshed."""
    for seconds, status in ((600, 401), (601, 200)):
        with serve(session_idle_seconds=seconds) as server:
            tokens = _logged_in(server)
            server.clock.advance(600)
            assert _refreshed(server, tokens) == status


def bites_session_seconds_max(serve: Serve, _: Path) -> None:
    """It ends a session however it is used."""
    for seconds, status in ((600, 401), (601, 200)):
        with serve(session_seconds_max=seconds, session_idle_seconds=600) as server:
            tokens = _logged_in(server)
            server.clock.advance(300)
            body = {"refresh_token": tokens["refresh_token"]}
            tokens = server.client().post("/v1/auth/refresh", json=body).json()
            server.clock.advance(300)
            assert _refreshed(server, tokens) == status


def bites_outgoing_private_addresses(serve: Serve, folder: Path) -> None:
    """Attack 48: it keeps URLs that clients name out of the server's own network."""
    with elsewhere(folder) as other:
        other.replies["/keys"] = Reply()
        for private, kind in ((False, Unfetched), (True, Fetched)):
            with serve(outgoing_private_addresses=private) as server:
                calling = server.rooms.outgoing.get(other.url("/keys"))
                assert isinstance(asyncio.run_coroutine_threadsafe(calling, server.loop).result(20), kind)


def bites_webhook_plain_http(serve: Serve, folder: Path) -> None:
    """It keeps events from crossing networks in the clear: production refuses to go without."""
    for plain, status in ((False, 400), (True, 201)):
        with serve(webhook_plain_http=plain) as server:
            wish = {"name": "plain", "url": "http://example.com/hooks"}
            assert server.admin.post("/v1/webhooks", json=wish).status_code == status
    variables = {"production": "true", "public_url": "https://auth.example.com", "webhook_plain_http": "true"}
    with pytest.raises(Misconfigured, match="webhook_plain_http"):
        load({}, _variables(variables), folder)


def bites_smtp_tls(_: Serve, folder: Path) -> None:
    """It keeps resets from crossing a network in the clear: production refuses to go without."""
    safe = {"production": "true", "public_url": "https://auth.example.com", "mail_from": "auth@example.com"}
    for host, tls, refuses in (
        ("mail.example.com", "none", True),
        ("mail.example.com", "starttls", False),
        ("mail.example.com", "tls", False),
        ("127.0.0.1", "none", False),
    ):
        variables = _variables({**safe, "smtp_host": host, "smtp_tls": tls})
        if refuses:
            with pytest.raises(Misconfigured, match="smtp_tls"):
                load({}, variables, folder)
        else:
            assert load({}, variables, folder).smtp_tls == tls


def bites_dpop_nonce_required(serve: Serve, _: Path) -> None:
    """It keeps proofs that somebody had a client make ahead from being good later."""
    with serve() as server:
        client = app_of(server.admin, server)
    key = jwk.generate_key("EC", "P-256")
    for required, status in ((False, 200), (True, 400)):
        with serve(dpop_nonce_required=required) as server:
            claims = {"jti": f"{required}", "htm": "POST", "htu": f"{server.settings.base_url}/oauth/token"}
            claims["iat"] = str(server.clock.now_us // 1_000_000)
            header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
            body = json.dumps({**claims, "iat": int(claims["iat"])})
            answer = server.client().post(
                "/oauth/token",
                data={"grant_type": "client_credentials"},
                headers={"DPoP": jws.serialize_compact(header, body, key)},
                auth=client.auth,
            )
            assert answer.status_code == status, answer.text


def bites_step_up_seconds(serve: Serve, _: Path) -> None:
    """It ends the time after a login in which a credential with `admin` is made without another proof."""
    for seconds, status in ((59, 403), (60, 201)):
        with serve(step_up_seconds=seconds) as server:
            client = server.client(_logged_in(server)["token"])
            server.clock.advance(60)
            body = {"name": "an admin's", "scopes": ["admin"]}
            assert client.post("/v1/api-keys", json=body).status_code == status


def bites_refresh_grace_seconds(serve: Serve, _: Path) -> None:
    """It bounds how long a spent refresh token is answered again."""
    for seconds, status in ((5, 401), (6, 200)):
        with serve(refresh_grace_seconds=seconds) as server:
            tokens = _logged_in(server)
            assert _refreshed(server, tokens) == 200
            server.clock.advance(6)
            assert _refreshed(server, tokens) == status


def bites_signing_key_rotation_days(serve: Serve, _: Path) -> None:
    """It takes a signing key out of use."""
    for days, kept in ((3, True), (2, False)):
        with serve(signing_key_rotation_days=days) as server:
            before = server.admin.get("/v1/signing-keys").json()["data"][0]["id"]
            server.clock.advance(2 * 86_400)
            assert (server.admin.get("/v1/signing-keys").json()["data"][0]["id"] == before) is kept


def bites_pepper_file(serve: Serve, folder: Path) -> None:
    """It is read from where it says, and refused where others can read it too."""
    path = folder / "a.pepper"
    path.write_text(new_pepper(secrets.token_bytes))
    path.chmod(0o600)
    with serve(pepper_file=str(path)) as server:
        assert server.admin.get("/v1/auth/verify").status_code == 401
    for mode in (0o604, 0o640, 0o644, 0o666, 0o602):
        path.chmod(mode)
        with pytest.raises(Misconfigured, match="can be read by others"):
            load_peppers(Settings(pepper_file=str(path)))
    with pytest.raises(Misconfigured, match="no pepper"):
        require_peppers(Settings(pepper_file=str(folder / "missing")))


def bites_scopes(serve: Serve, _: Path) -> None:
    """It defines which scopes there are; one that is taken away is gone from every key at once."""
    with serve(scopes=("payouts",)) as server:
        key = server.create_key(scopes=["read", "payouts"])["key"]
        assert server.client(key).get("/v1/auth/verify?scope=payouts").status_code == 200
    with serve() as server:
        assert server.client(key).get("/v1/auth/verify?scope=payouts").status_code == 403
        assert server.client(key).get("/v1/auth/verify").json()["scopes"] == ["read"]
        assert refused(
            server.admin.post("/v1/api-keys", json={"name": "x", "scopes": ["payouts"]}),
            400,
            "invalid_request",
        )


def bites_resources(serve: Serve, _: Path) -> None:
    """RFC 8707 §2: whoever registers a client would get tokens that a resource takes, which has never been told of it."""
    mcp = "https://mcp.example.com/mcp"
    with serve() as server:
        client = app_of(server.admin, server)
    for resources, status in (((), 400), ((mcp,), 200)):
        with serve(resources=resources) as server:
            body = {"grant_type": "client_credentials", "resource": mcp}
            answer = server.client().post("/oauth/token", data=body, auth=client.auth)
            assert answer.status_code == status, answer.text


def bites_limits_across(serve: Serve, _: Path) -> None:
    """It is whether two servers on one database have one limit."""
    for where, admitted in (("machine", 6), ("nodes", 3)):
        with serve(limits_across=where) as one, serve(limits_across=where) as other:
            one.create_plan(f"across-{where}", requests_per_hour=3)
            key = one.create_key(plan=f"across-{where}")["key"]
            clients = [server.client(key) for server in (one, other)]
            told = [client.get("/v1/auth/verify").status_code for client in clients * 5]
            assert told.count(200) == admitted
            assert told.count(429) == 10 - admitted


def bites_valkey(serve: Serve, _: Path) -> None:
    """It is where the limits of several servers are counted, and without it nobody can say that there is room."""
    valkey = ValkeyServer()
    try:
        valkey.start()
        with serve(valkey=valkey.url) as one, serve(valkey=valkey.url) as other:
            one.create_plan("in-valkey", requests_per_hour=3)
            key = one.create_key(plan="in-valkey")["key"]
            clients = [server.client(key) for server in (one, other)]
            told = [client.get("/v1/auth/verify").status_code for client in clients * 5]
            assert (told.count(200), told.count(429)) == (3, 7)
            one.create_plan("elsewhere", requests_per_hour=3)
            key = one.create_key(plan="elsewhere")["key"]
            valkey.stop()
            assert one.client(key).get("/v1/auth/verify").status_code == 503
    finally:
        valkey.close()


def bites_uncounted_requests(serve: Serve, folder: Path) -> None:
    """It is whether a request passes that nobody can count."""
    for what, status in (("deny", 503), ("allow", 200)):
        with serve(limits_across="nodes", uncounted_requests=what, max_staleness_seconds=60) as server:
            server.create_plan(f"counted-{what}", requests_per_hour=500)
            key = server.client(server.create_key(plan=f"counted-{what}")["key"])
            asyncio.run_coroutine_threadsafe(server.rooms.feed.read(), server.loop).result(10)
            database = Path(server.settings.database_url.removeprefix("sqlite:///"))
            told = [0]
            for _ in range(10):
                assert key.get("/v1/auth/verify").status_code == 200
                database.rename(folder / "aside.db")
                try:
                    told = [key.get("/v1/auth/verify").status_code for _ in range(12)]
                finally:
                    (folder / "aside.db").rename(database)
                if told[0] == 200:
                    break
                # On a busy machine, what was in hand may have been given back for want of use.
            assert told[0] == 200, (what, told)
            assert told[-1] == status
            assert set(told) == {200, status}


def bites_max_staleness_seconds(serve: Serve, _: Path) -> None:
    """It is how long memory is trusted after the last reading of the feed."""

    class Clock(FakeClock):
        now = 0.0

        @override
        def monotonic(self) -> float:
            return self.now

    for seconds in (1.0, 5.0):
        clock = Clock()
        with serve(max_staleness_seconds=seconds) as server:
            feed = Feed(
                server.rooms.store,
                lambda _: None,
                clock,
                max_staleness_seconds=server.settings.max_staleness_seconds,
                poll_seconds=0.05,
                retention_seconds=3600,
                forget_all=lambda: None,
                complain=lambda _: None,
                mark=Mark(),
            )
            asyncio.run_coroutine_threadsafe(feed.read(), server.loop).result(10)
            clock.now = seconds - 0.01
            assert feed.is_fresh()
            clock.now = seconds
            assert not feed.is_fresh()


def bites_resident_credentials_max(serve: Serve, _: Path) -> None:
    """It bounds what memory holds of keys."""
    with serve(resident_credentials_max=2) as server:
        keys = [server.create_key()["key"] for _ in range(5)]
        for key in keys * 2:
            assert server.client(key).get("/v1/auth/verify").status_code == 200
            assert len(server.rooms.index) <= 2


def bites_known_misses_max(serve: Serve, _: Path) -> None:
    """It bounds what memory holds of guesses."""
    for maximum, remembered in ((2, False), (1_000, True)):
        with serve(known_misses_max=maximum) as server:
            first = guess()
            for key in (first, *(guess() for _ in range(20))):
                assert server.client(key).get("/v1/auth/verify").status_code == 401
            digest = server.rooms.peppers.digest(first.encode())
            assert server.rooms.index.is_known_miss(digest) is remembered


def bites_address_requests_per_minute(serve: Serve, _: Path) -> None:
    """It bounds how many guesses come from one address."""
    for limit in (3, 6, None):
        with serve(address_requests_per_minute=limit) as server:
            found = [server.client(guess()).get("/v1/auth/verify").status_code for _ in range(8)]
            assert found.count(401) == (8 if limit is None else limit)


def bites_self_registration(serve: Serve, _: Path) -> None:
    """It decides whether anybody may make a client that people are asked about."""
    for is_open in (False, True):
        with serve(self_registration=is_open) as server:
            answer = server.client().post("/oauth/register", json=ANYBODYS)
            assert answer.status_code == (201 if is_open else 401), answer.text


def bites_self_registrations_free(serve: Serve, _: Path) -> None:
    """It bounds how many clients come from one address."""
    for free in (2, 4):
        with serve(self_registration=True, self_registrations_free=free) as server:
            server.clock.advance(7_200)
            found = [
                server.client().post("/oauth/register", json=ANYBODYS).status_code for _ in range(free + 2)
            ]
            assert found.count(201) == free


def bites_client_id_documents(serve: Serve, folder: Path) -> None:
    """It decides whether a client that nobody has made may send people."""
    with elsewhere(folder) as other:
        url = other.url("/client")
        said = {"client_id": url, "redirect_uris": ["https://any.example/cb"]}
        other.replies["/client"] = Reply(json.dumps(said).encode())
        query = {"client_id": url, "response_type": "code", "redirect_uri": "https://any.example/cb"}
        for is_open in (False, True):
            with serve(client_id_documents=is_open, outgoing_private_addresses=True) as server:
                answer = server.client().get("/oauth/authorize", params=query)
                assert answer.status_code == (303 if is_open else 400), answer.text
                metadata = server.client().get("/.well-known/oauth-authorization-server").json()
                assert metadata["client_id_metadata_document_supported"] is is_open


def bites_registered_clients_use_pkce(serve: Serve, _: Path) -> None:
    """It decides whether a stolen code is of use to who has the client's secret too."""
    for use in (True, False):
        with serve(self_registration=True, registered_clients_use_pkce=use) as server:
            server.clock.advance(7_200)
            client = server.client().post("/oauth/register", json=ANYBODYS).json()["client_id"]
            query = {"client_id": client, "response_type": "code", "redirect_uri": "https://any.example/cb"}
            answer = server.client().get("/oauth/authorize", params=query)
            assert ("code_challenge" in answer.headers.get("location", "")) is use


def bites_request_objects(serve: Serve, _: Path) -> None:
    """It decides whether a client may ask by what stands elsewhere, and whether that has to be signed."""
    whole = {"response_type": "code", "redirect_uri": "https://any.example/cb", "scope": "nonsense"}
    nobodys = (
        "eyJhbGciOiJub25lIn0." + urlsafe_b64encode(json.dumps(whole).encode()).decode().rstrip("=") + "."
    )
    for taken, error in (
        ("off", "request_not_supported"),
        ("signed", "invalid_request_object"),
        ("any", "invalid_scope"),
    ):
        with serve(
            self_registration=True, registered_clients_use_pkce=False, request_objects=taken
        ) as server:
            server.clock.advance(7_200)
            client = server.client().post("/oauth/register", json=ANYBODYS).json()["client_id"]
            query = {"client_id": client, "redirect_uri": "https://any.example/cb", "request": nobodys}
            answer = server.client().get("/oauth/authorize", params=query)
            assert f"error={error}&" in answer.headers["location"]
            metadata = server.client().get("/.well-known/oauth-authorization-server").json()
            assert metadata["request_parameter_supported"] is metadata["request_uri_parameter_supported"]
            assert metadata["request_parameter_supported"] is (taken != "off")
            algorithms = metadata.get("request_object_signing_alg_values_supported", [])
            assert (bool(algorithms), "none" in algorithms) == (taken != "off", taken == "any")


def bites_implicit_grant_for_certification(serve: Serve, _: Path) -> None:
    """It decides whether anybody may be told tokens in an address; no production does."""
    wanted = {**ANYBODYS, "grant_types": ["implicit"], "response_types": ["id_token token"]}
    for told in (False, True):
        with serve(self_registration=True, implicit_grant_for_certification=told) as server:
            server.clock.advance(7_200)
            assert server.client().post("/oauth/register", json=wanted).status_code == (201 if told else 400)
            metadata = server.client().get("/.well-known/openid-configuration").json()
            assert metadata["response_types_supported"] == [
                "code",
                *(["id_token", "id_token token"] if told else []),
            ]
            assert metadata["response_modes_supported"] == [
                "query",
                "form_post",
                *(["fragment"] if told else []),
            ]
            assert ("implicit" in metadata["grant_types_supported"]) is told
    variables = {"public_url": "https://auth.example.com", "implicit_grant_for_certification": "true"}
    with pytest.raises(Misconfigured, match="IMPLICIT_GRANT_FOR_CERTIFICATION=false"):
        load({"production": True, **variables}, {}, Path())


def bites_body_bytes_max(serve: Serve, _: Path) -> None:
    """It bounds what is read of a body."""
    for maximum, status in ((2_048, 413), (8_192, 201)):
        with serve(body_bytes_max=maximum) as server:
            body = {"name": "x", "metadata": {"n": "a" * 4_000}}
            assert server.admin.post("/v1/api-keys", json=body).status_code == status


def bites_header_bytes_max(serve: Serve, _: Path) -> None:
    """It bounds what is read of a head."""
    for maximum, status in ((2_048, 431), (8_192, 200)):
        with serve(header_bytes_max=maximum) as server:
            answer = server.admin.get("/v1/auth/verify", headers={"X-Note": "a" * 4_000})
            assert answer.status_code == status


def _patience(server: RunningServer, start: bytes) -> float:
    with wire(server.url) as connection:
        began = time.monotonic()
        connection.send(start)
        connection.drain()
        return time.monotonic() - began


def bites_header_seconds_max(serve: Serve, _: Path) -> None:
    """It bounds how long a head may take."""
    with serve(header_seconds_max=0.2) as server:
        quick = _patience(server, b"GET / HT")
    with serve(header_seconds_max=1.0) as server:
        assert 0.2 <= quick < 1.0 <= _patience(server, b"GET / HT")


def bites_body_seconds_max(serve: Serve, _: Path) -> None:
    """It bounds how long a body may take."""
    headers = ("Content-Type: application/json", "Content-Length: 9")
    with serve(body_seconds_max=0.2) as server:
        start = request("POST", "/v1/api-keys", *headers, key=server.founded.api_key)
        quick = _patience(server, start)
    with serve(body_seconds_max=1.0) as server:
        assert 0.2 <= quick < 1.0 <= _patience(server, start)


def bites_keep_alive_seconds(serve: Serve, _: Path) -> None:
    """It bounds how long an idle connection is kept, after a quick answer as after a slow one."""
    for target in ("/v1/auth/verify", "/v1/users/me"):
        with serve(keep_alive_seconds=1) as server:
            start = request("GET", target, key=server.founded.api_key)
            _patience(server, start)
            assert 0.9 <= _patience(server, start) < 4


def bites_idempotency_seconds(serve: Serve, _: Path) -> None:
    """It bounds how long a new secret can be fetched again."""
    for seconds, again in ((60, False), (3_600, True)):
        with serve(idempotency_seconds=seconds) as server:
            headers = {"Idempotency-Key": secrets.token_hex(8)}
            first = server.admin.post("/v1/api-keys", json={"name": "x"}, headers=headers).json()
            server.clock.advance(61)
            second = server.admin.post("/v1/api-keys", json={"name": "x"}, headers=headers).json()
            assert (first["key"] == second["key"]) is again


def bites_metrics_address(_: Serve, folder: Path) -> None:
    """It serves metrics without a credential there, and there alone; elsewhere they stay the operator's."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with process(f"sqlite:///{folder / 'metrics.db'}", folder, metrics_address=f"127.0.0.1:{port}") as server:
        assert server.client().get("/metrics").status_code == 401
        assert server.admin.get("/metrics").status_code == 200
        beside = f"http://127.0.0.1:{port}"
        for target, status in (
            ("/metrics", 200),
            ("/v1/auth/verify", 404),
            ("/v1/api-keys", 404),
            ("/", 404),
        ):
            with wire(beside) as connection:
                connection.send(request("GET", target))
                assert connection.reply().status == status


BITES: Final[dict[str, Callable[[Serve, Path], None]]] = {
    name.removeprefix("bites_"): function
    for name, function in list(globals().items())
    if name.startswith("bites_")
}


@pytest.mark.parametrize("name", BITES)
def test_the_setting_changes_what_the_server_does(serve: Serve, tmp_path: Path, name: str) -> None:
    """Attack 53 (CVE-2024-23656, CVE-2021-21411): a setting was read and dropped, and its protection with it."""
    BITES[name](serve, tmp_path)


def test_no_setting_is_left_out() -> None:
    """Attack 53: a new setting that nobody tried is the one that does nothing."""
    assert set(BITES).isdisjoint(PROTECT_NOTHING)
    assert set(BITES) | set(PROTECT_NOTHING) == set(Settings.model_fields)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("trusted_proxies", "0.0.0.0/0"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_proxies", "proxy.example.com"),
        ("address_requests_per_minute", "0"),
        ("address_requests_per_minute", "-1"),
        ("address_requests_per_minute", "off"),
        ("max_staleness_seconds", "inf"),
        ("max_staleness_seconds", "3600"),
        ("max_staleness_seconds", "nan"),
        ("body_bytes_max", "-1"),
        ("header_seconds_max", "inf"),
        ("production", "maybe"),
        ("peppers", "short"),
        ("public_url", "javascript:alert(1)"),
        ("public_url", "https://user@example.com"),
        ("trusted_proxy", "127.0.0.1"),
        ("productoin", "true"),
        ("adress_requests_per_minute", "10"),
    ],
)
def test_a_wrong_or_misspelt_setting_stops_the_start(tmp_path: Path, name: str, text: str) -> None:
    """Attack 53: a protection that was meant and misspelt is a protection that is not there."""

    def start() -> Any:
        settings = load({}, {f"BONAFIDES_{name.upper()}": text}, tmp_path)
        return load_peppers(settings)

    with pytest.raises(Misconfigured) as raised:
        start()
    assert text not in str(raised.value) or name != "peppers"
