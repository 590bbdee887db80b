"""An organisation in which something has happened, so that its pages have something to show."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any, Final

from tests.serving import RunningServer
from tests.web.oauth import CHALLENGE, REDIRECT_URI, app_of
from tests.web.tenancy import Json, eventually, made

DAY: Final = 86_400
HOUR_US: Final = 3_600_000_000
HOME, OFFICE, STRANGE = "203.0.113.7", "198.51.100.20", "2001:db8:7::1"


def _used(server: RunningServer, key: Json, address: str, scope: str = "", times: int = 1) -> None:
    path = f"/v1/auth/verify?scope={scope}" if scope else "/v1/auth/verify"
    for _ in range(times):
        server.client(key["key"]).get(path, headers={"X-Forwarded-For": address})


def _count(server: RunningServer, key: Json) -> None:
    """A day of requests, more by day than by night, and some refused."""
    now_us, whose = server.clock.now_us, (key["tenant_id"], key["user_id"], key["id"])
    rows = [
        (span, now_us // step * step - back * step, outcome, requests)
        for span, step, count in ((60, HOUR_US // 60, 60), (3600, HOUR_US, 24), (86_400, 24 * HOUR_US, 30))
        for back in range(count)
        for outcome, requests in (("accepted", 40 + 31 * (back % 7)), ("rate_limit_exceeded", 3 * (back % 4)))
        if requests
    ]
    with closing(sqlite3.connect(server.settings.sqlite_path or "")) as file, file:
        file.executemany(
            "INSERT OR IGNORE INTO usage_counts (span, starts_at, tenant_id, user_id, credential_id, outcome, requests) "
            f"VALUES (?, ?, '{whose[0]}', '{whose[1]}', '{whose[2]}', ?, ?)",
            rows,
        )
        file.executemany(
            f"INSERT OR IGNORE INTO usage_totals VALUES (?, ?, '{whose[0]}', ?, ?)",
            rows,
        )


def furnish(server: RunningServer) -> dict[str, str]:
    """Fill the operator's organisation; each page that shows one thing, by its name."""
    admin, owner = server.admin, server.founded.user_id
    assert admin.patch(f"/v1/users/{owner}", json={"name": "Ada Lovelace"}).status_code == 200

    def made_at(path: str, **body: object) -> Json:
        return made(admin.post(path, json=body))

    def key(name: str, **wish: object) -> Json:
        return made_at("/v1/api-keys", **{"name": name, "user_id": owner, **wish})

    steady = key("Checkout service (EU)", scopes=["read", "write"])
    key("Nightly export", expires_in=200 * DAY)
    _used(server, steady, HOME, "read", 3)
    grace = made_at("/v1/users", email="grace@example.com", name="Grace Hopper", role="admin")
    robot = made_at("/v1/users", kind="service", name="Build machine", role="member")
    eventually(lambda: bool(admin.get(f"/v1/credentials/{steady['id']}/networks").json()["data"]))
    server.clock.advance(40 * DAY)
    _used(server, steady, HOME, "read", 4)
    _used(server, steady, STRANGE, "read")
    hers = key("Grace's laptop", user_id=grace["id"], expires_in=30 * DAY)
    built = key("CI, main branch", user_id=robot["id"], scopes=["read"])
    for each in (hers, built):
        _used(server, each, OFFICE)
    rotated = key("Billing", expires_in=90 * DAY)
    made(admin.post(f"/v1/api-keys/{rotated['id']}/rotate", json={"overlap_seconds": DAY}))
    _used(server, rotated, HOME)
    _used(server, rotated, OFFICE)
    revoked = key("Old website")
    admin.request(
        "DELETE", f"/v1/api-keys/{revoked['id']}", json={"reason": "It was found in a public repository."}
    )
    bound = key("Warehouse scanners", allowed_ips=["192.0.2.0/24", "2001:db8::/32"], expires_in=10 * DAY)
    _used(server, bound, "192.0.2.9")
    _count(server, steady)
    refused = server.client(bound["key"]).get("/v1/auth/verify", headers={"X-Forwarded-For": HOME})
    made_at(
        "/v1/personal-access-tokens",
        description="Terminal on the laptop",
        scopes=["read"],
        expires_in=60 * DAY,
    )
    tenant = made_at("/v1/tenants", name="Northwind Traders")
    shop = app_of(admin, server, name="Northwind shop")
    shop.granted(admin.get(f"/v1/users/{owner}").json())
    made_at("/v1/registration-tokens", name="Partners", scopes=["read"], expires_in=7 * DAY)
    hook = made_at("/v1/webhooks", name="Security alerts", url="https://hooks.example.com/bonafides")
    networks_known = ("steady", "rotated")
    names: dict[str, Any] = {"steady": steady, "rotated": rotated}
    for name in networks_known:
        path = f"/v1/credentials/{names[name]['id']}/networks"
        eventually(lambda path=path: len(admin.get(path).json()["data"]) > 1)  # type: ignore[misc]
    keys, people, clients = "/settings/api-keys", "/administration/users", "/administration/clients"
    asking = (
        f"/oauth/authorize?response_type=code&client_id={shop.id}&redirect_uri={REDIRECT_URI}"
        f"&scope=read+write+openid&state=x&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
    return {
        "settings-api-keys-one": f"{keys}/{steady['id']}",
        "settings-api-keys-rotated": f"{keys}/{rotated['id']}",
        "settings-api-keys-rotate": f"{keys}/{steady['id']}/rotate",
        "settings-api-keys-revoke": f"{keys}/{rotated['id']}/revoke",
        "settings-api-keys-revoked": f"{keys}/{revoked['id']}",
        "settings-api-keys-all": f"{keys}?whose=all",
        "settings-api-keys-none": f"{keys}?search=nothing+of+that+name",
        "administration-users-one": f"{people}/{grace['id']}",
        "administration-users-of-tenant": f"{people}?tenant_id={tenant['id']}",
        "administration-clients-one": f"{clients}/{shop.id}",
        "administration-clients-change": f"{clients}/{shop.id}/change",
        "administration-webhooks-one": f"/administration/webhooks/{hook['id']}",
        "usage-all-day": "/usage?whose=all&period=day",
        "usage-denials-one": f"/usage/denials?request_id={refused.headers['X-Request-Id']}",
        "oauth-authorize": asking,
    }
