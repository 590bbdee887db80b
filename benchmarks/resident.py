"""Rows on credentials that are in memory, beside both yardsticks; and whether bad ones slow them down."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from benchmarks.client import Order
from benchmarks.load import CONNECTIONS, Client, Outcome, Request, hammer, send
from benchmarks.machine import cpu_seconds
from benchmarks.measure import Contestant, Row, Target, UnfitError, Workplace, contest
from benchmarks.peers import FORM, peers
from benchmarks.service import Installation, Service, bearer, serving, unknown_keys, verify_request
from benchmarks.yardsticks import HAPROXY, HAPROXY_KEY, Yardstick, haproxy, nginx, nginx_before

FORWARD = "/auth/forward"
_NGINX_SHARE = Target(0.60, "nginx")
_OIDC_SHARE = Target(5, "oidc-provider")
_FLOOD_CONNECTIONS = 64
COMPILING_SECONDS = 10
"""Node.js is at its speed when it has compiled what is asked of it most."""


def sender(port: int, request: Request, keys: list[str] | None = None) -> Callable[[float], Outcome]:
    """Sends one request over and over."""
    return lambda seconds: hammer(port, request, seconds, keys=keys or ())


@contextlib.contextmanager
def yardsticks(place: Workplace, *, with_others: bool = True) -> Iterator[list[Contestant]]:
    """nginx, and HAProxy and the peers where they are installed, ready to be measured beside something."""
    with contextlib.ExitStack() as stack:
        found = [nginx_contestant(stack.enter_context(nginx(place.subfolder("nginx"))))]
        if not with_others:
            yield found
            return
        if HAPROXY is None:
            place.left_out["haproxy"] = "it was not found"
        else:
            other = stack.enter_context(haproxy(place.subfolder("haproxy")))
            row = Row("haproxy", "HAProxy: SHA-256, one of 100,000 keys, rate counted, three headers")
            found.append(Contestant(row, sender(other.port, _haproxy_request("/")), (other.pid,)))
        for peer in stack.enter_context(peers(place.subfolder("peers"), place.left_out)):
            row = Row(peer.name, peer.title)
            asked = patient(sender(peer.port, peer.request))
            if place.effort.warm_up_seconds:
                asked(COMPILING_SECONDS)
            found.append(Contestant(row, asked, (peer.pid,)))
        yield found


def patient(load: Callable[[float], Outcome]) -> Callable[[float], Outcome]:
    """A load under which an answer may come too late: a peer is measured by those that came."""
    return lambda seconds: replace(load(seconds), lost=0)


def nginx_contestant(running: Yardstick) -> Contestant:
    """The yardstick itself."""
    row = Row("nginx", "nginx: `return 200` of a verify body, three headers")
    return Contestant(row, sender(running.port, Request("/")), (running.pid,))


def resident(place: Workplace) -> list[Row]:
    """Every way to ask about a credential in memory."""
    installation = Installation.make(place.subfolder("resident"))
    rotating = installation.add_keys(place.effort.rotating_keys)
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(serving(installation))
        service.make_plan()
        _make_resident(service, rotating, place)
        beside = stack.enter_context(yardsticks(place))
        key = service.make_key()
        asked = json.dumps({"credential": key})
        guarded = service.make_key(allowed_ips=["127.0.0.0/8", "2001:db8::/32"])
        everything = "read write"

        def lane(name: str, title: str, request: Request, *targets: Target) -> Contestant:
            target, further = (*targets, None, None)[:2]
            row = Row(name, title, target=target, further=further)
            return Contestant(row, sender(service.port, request), (service.pid,))

        contestants = [
            lane("verify", "verify, resident key", verify_request(key), _NGINX_SHARE, _OIDC_SHARE),
            lane("forward", "forward auth", Request(FORWARD, (bearer(key),)), _NGINX_SHARE),
            lane(
                "verify-scope",
                "verify with a scope",
                verify_request(key, query=f"?scope={everything.replace(' ', '+')}"),
            ),
            lane("verify-networks", "verify, key bound to networks", verify_request(guarded)),
            lane(
                "verify-asked",
                "verify by a resource server (caller and key judged)",
                Request("/v1/credentials/verify", (bearer(service.admin),), "POST", asked),
            ),
            lane(
                "introspect",
                "introspection (RFC 7662; caller and key judged)",
                Request("/oauth/introspect", (bearer(service.admin),), "POST", f"token={key}", FORM),
                Target(3, "oidc-provider"),
            ),
            lane(
                "verify-pat",
                "verify, personal access token",
                verify_request(service.make_personal_token()),
                Target(0.9, "verify"),
            ),
            lane(
                "verify-bearer",
                "verify, bearer token",
                verify_request(service.make_bearer_token(key)),
                Target(0.9, "verify"),
            ),
            lane(
                "verify-jwt",
                "verify, JWT of a login",
                verify_request(service.make_login_token()),
                Target(0.9, "verify"),
            ),
            lane(
                "verify-slow",
                "verify, past the lane through the application",
                verify_request(key, "Connection: x"),
            ),
            Contestant(
                Row("verify-rotating", f"verify, {len(rotating):,} resident keys in turn"),
                sender(service.port, verify_request("{key}"), rotating),
                (service.pid,),
            ),
        ]
        rows = contest(contestants, beside, place.effort)
        by_name = {row.name: row for row in rows}
        for name in ("verify-pat", "verify-bearer", "verify-jwt"):
            by_name[name].beside["verify"] = by_name["verify"].runs
        return rows


def behind_nginx(place: Workplace) -> list[Row]:
    """Forward auth as it is used: behind nginx `auth_request`; nginx's time counts too, for HAProxy as for us."""
    installation = Installation.make(place.subfolder("behind"))
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(serving(installation))
        service.make_plan()
        front = stack.enter_context(nginx_before(place.subfolder("behind-front"), service.port))
        request = Request("/", (bearer(service.make_key()),))
        beside: list[Contestant] = []
        target = None
        if HAPROXY is not None:
            other = stack.enter_context(haproxy(place.subfolder("behind-haproxy")))
            other_front = stack.enter_context(nginx_before(place.subfolder("behind-other"), other.port))
            row = Row("haproxy-behind", "nginx `auth_request` to HAProxy, both counted")
            processes = (other.pid, other_front.pid)
            beside = [Contestant(row, sender(other_front.port, _haproxy_request("/")), processes)]
            target = Target(0.90, row.name)
        mine = Row("forward-behind", "nginx `auth_request` to us, both counted", target=target)
        contestant = Contestant(mine, sender(front.port, request), (service.pid, front.pid))
        return contest([contestant], beside, place.effort)


def flood(place: Workplace) -> list[Row]:
    """What is left of a resident key's speed while unknown keys of the right form come at full speed."""
    installation = Installation.make(place.subfolder("flood"), address_requests_per_minute=1_200)
    names = {"flood": [], "flood-spread": [f"127.0.{at}.1" for at in range(1, 101)]}
    titles = {
        "flood": "resident speed kept in a flood of unknown keys, from its own address",
        "flood-spread": "the same, the flood from 100 addresses",
    }
    rows = [
        Row(name, titles[name], "of its speed alone", target=Target(0.80, words="≥ 0.80")) for name in names
    ]
    with serving(installation) as service:
        service.make_plan()
        request = verify_request(service.make_key())
        for _ in range(place.effort.runs):
            for row in rows:
                _flood_round(service, place, request, names[row.name], row)
    return rows


def _flood_round(service: Service, place: Workplace, request: Request, sources: list[str], row: Row) -> None:
    seconds = place.effort.seconds
    alone, _ = _resident_speed(service, request, seconds)
    keys = place.folder / "unknown"
    keys.write_text("\n".join(unknown_keys(max(2_000, place.effort.cold_keys))))
    before = cpu_seconds(service.pid)
    client = Client(
        Order(
            port=service.port,
            request=verify_request("{key}").text(service.port),
            connections=_FLOOD_CONNECTIONS,
            seconds=seconds + 1,
            keys=str(keys),
            sources=sources,
        )
    )
    beside, good = _resident_speed(service, request, seconds)
    refused = client.outcome()
    spent = cpu_seconds(service.pid) - before - good / alone
    row.runs.append(beside / alone)
    row.notes.setdefault("refused_a_second", []).append(round(refused.bad / refused.seconds))
    row.notes.setdefault("refusal_cpu_us_each", []).append(round(spent / max(1, refused.bad) * 1e6))


def _resident_speed(service: Service, request: Request, seconds: float) -> tuple[float, int]:
    """Answers a second of processor time, and how many there were."""
    before = cpu_seconds(service.pid)
    outcome = hammer(service.port, request, seconds, connections=CONNECTIONS)
    if outcome.good == 0 or outcome.bad:
        raise UnfitError(f"flood: {outcome}")
    return outcome.good / (cpu_seconds(service.pid) - before), outcome.good


def _make_resident(service: Service, keys: list[str], place: Workplace) -> None:
    path = place.folder / "resident-keys"
    path.write_text("\n".join(keys))
    request = verify_request("{key}").text(service.port)
    outcome = send(
        Order(port=service.port, request=request, connections=CONNECTIONS, seconds=300, keys=str(path))
    )
    if outcome.good != len(keys):
        raise UnfitError(f"resident: {outcome}")


def _haproxy_request(path: str) -> Request:
    return Request(path, (bearer(HAPROXY_KEY),))
