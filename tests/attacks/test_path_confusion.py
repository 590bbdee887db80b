"""One path is one path: no other spelling of it slips past a rule, and none reaches a handler unguarded."""

from __future__ import annotations

from typing import Final

import pytest

from tests.attacks.cast import Party
from tests.attacks.wire import Reply, request, wire
from tests.serving import RunningServer

GUARDED: Final = (
    "/v1/users",
    "/v1/api-keys",
    "/v1/tenants",
    "/v1/audit",
    "/audit",
    "/metrics",
    "/v1/auth/verify",
    "/auth/forward",
)
OPEN: Final = ("/healthz", "/docs", "/openapi.json", "/.well-known/oauth-protected-resource")


def spellings(path: str) -> list[str]:
    """Other ways to write a path, some of which some servers take for it."""
    first, *rest = path.strip("/").split("/")
    tail = "/".join(rest)
    inner = f"/{first}" + (f"/{tail}" if tail else "")
    return [
        f"/{path}",
        f"//{path}",
        path.replace("/", "//"),
        f"/.{path}",
        f"/./{path.strip('/')}",
        f"/x/..{path}",
        f"/x/../{path.strip('/')}",
        f"/%2e{path}",
        f"/x/%2e%2e{path}",
        f"/x/%2E%2E/{path.strip('/')}",
        f"/x/.%2e{path}",
        f"/..{path}",
        f"/../..{path}",
        f"{path}/",
        f"{path}//",
        f"{path}/.",
        f"{path}/..",
        f"{path}/./",
        f"{path}/x/..",
        f"{path}%2f",
        f"{path}%2F..",
        f"{path}%20",
        f"{path}%09",
        f"{path}%0a",
        f"{path}%00",
        f"{path}%00.json",
        f"{path}%ff",
        f"{path}%c0%ae",
        f"{path};",
        f"{path};a=b",
        f"/{first};a/{tail}",
        f"{path}.json",
        f"{path}.",
        f"{path}~",
        f"{path}\\",
        inner.replace("/", "\\"),
        path.replace("/", "%2f"),
        path.replace("/", "%5c"),
        path.upper(),
        path.title(),
        path.swapcase(),
        path.replace("u", "%75"),
        path.replace("a", "%61"),
        "/" + "".join(f"%{ord(letter):02x}" for letter in path[1:]),
        path.replace("u", "%2575").replace("a", "%2561"),
        path.replace("u", "\\u0075"),
        path.replace("u", "%u0075"),
        path.replace("v1", "v01"),
        path.replace("v1", "v%31"),
        *(f"{public}/..{path}" for public in OPEN),
        *(f"{public}/%2e%2e{path}" for public in OPEN),
        *(f"{public}/..;{path}" for public in OPEN),
        *(f"{public}{path}" for public in OPEN),
        *(f"{public}%2f..{path}" for public in OPEN),
        f"/.well-known/..%2f{path.strip('/')}",
        f"/docs?{path}",
        f"/auth/forward/envoy/..{path}",
        f"/auth/forward/envoy/../../..{path}",
        f"{path}?/healthz",
        f"{path}?/../healthz",
        f"{path}?x=/docs",
        f"http://localhost{path}",
        f"http://localhost/{path}",
        f"https://evil.example{path}",
    ]


def answers(house: RunningServer, targets: list[str], key: str | None) -> list[tuple[str, Reply]]:
    """What each target gets."""
    found = []
    for target in targets:
        with wire(house.url) as connection:
            connection.send(request("GET", target, key=key))
            found.append((target, connection.reply()))
    return found


@pytest.mark.parametrize("path", GUARDED)
def test_no_spelling_is_open_to_nobody(house: RunningServer, path: str) -> None:
    """Attack 35 (CVE-2025-54576, CVE-2026-41059, CVE-2026-33494, CVE-2026-48794): a rule and a router that read differently."""
    public = [reply.body for _, reply in answers(house, list(OPEN), None)]
    for target, reply in answers(house, spellings(path), None):
        if reply.status < 300:
            assert reply.body in public, target
        else:
            assert reply.status in {400, 401, 404}, target


@pytest.mark.parametrize("path", ["/v1/users", "/v1/audit", "/audit", "/metrics"])
def test_no_spelling_lifts_the_scope(house: RunningServer, mine: Party, path: str) -> None:
    """Attack 35, ASVS 8.2.1: whoever may come in, but not here, must not come in here by another name."""
    public = [reply.body for _, reply in answers(house, list(OPEN), None)]
    for target, reply in answers(house, spellings(path), mine.member.key):
        if reply.status < 300 and "/auth/forward/envoy" not in target:
            assert reply.body in public, target
        else:
            assert reply.status in {204, 400, 403, 404}, target


def test_nothing_is_redirected(house: RunningServer, mine: Party) -> None:
    """ASVS 4.1.2: a redirect would take the credential along to wherever it points."""
    for path in (*GUARDED, *OPEN, "/"):
        for target, reply in answers(house, [path, *spellings(path)], mine.member.key):
            assert not 300 <= reply.status < 400, target
            assert reply.header("location") is None, target


@pytest.mark.parametrize("verb", ["disable", "enable", "rotate"])
def test_an_id_is_one_segment(house: RunningServer, mine: Party, verb: str) -> None:
    """Attack 35: an id with a slash in it would turn one call into another."""
    key = house.create_key(user_id=mine.owner.id)
    for identifier in (
        f"{key['id']}/{verb}",
        f"{key['id']}/{verb}?",
        f"x/../{key['id']}/{verb}",
        f"{key['id']}/.//{verb}",
    ):
        for method in ("GET", "PATCH", "DELETE"):
            with wire(house.url) as connection:
                connection.send(
                    request(method, f"/v1/api-keys/{identifier}", "Content-Length: 0", key=mine.owner.key)
                )
                assert connection.reply().status in {404, 405}
    assert house.client(key["key"]).get("/v1/auth/verify").status_code == 200


@pytest.mark.parametrize(
    "key_id",
    [
        "",
        ".",
        "..",
        "%2e%2e",
        "*",
        "%",
        "me",
        "null",
        "undefined",
        "0",
        "-1",
        "key_",
        "{key_id}",
        "key_%00",
        "a" * 5_000,
    ],
)
def test_an_odd_id_is_nobodys(house: RunningServer, key_id: str) -> None:
    """Attack 35, attack 47: an id that means `all`, `mine` or `none` to some layer would reach somebody's thing."""
    for path in (f"/v1/api-keys/{key_id}", f"/v1/tenants/{key_id}", f"/v1/plans/{key_id}"):
        with wire(house.url) as connection:
            connection.send(request("GET", path, key=house.founded.api_key))
            assert connection.reply().status in {400, 404}
    with wire(house.url) as connection:
        connection.send(request("DELETE", f"/v1/users/{key_id}", key=house.founded.api_key))
        assert connection.reply().status in {400, 404, 405}
