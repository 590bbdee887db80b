"""§4: `last_used_at`, which is written in batches and never by the request itself."""

from __future__ import annotations

from collections.abc import Callable

import httpx2

from tests.web.tenancy import Json, Tenancy, eventually, seconds_of

PATH = "/v1/api-keys"


def last_used(tenancy: Tenancy, key: Json) -> float | None:
    """When the key was last used, as it is listed."""
    moment = tenancy.api.get(f"{PATH}/{key['id']}").json()["last_used_at"]
    return None if moment is None else seconds_of(moment)


def test_a_key_that_nobody_used_says_so(tenancy: Tenancy) -> None:
    """Whoever cleans up could not tell a key that waits from one that works."""
    assert last_used(tenancy, tenancy.key()) is None


def test_the_last_use_is_the_last(tenancy: Tenancy) -> None:
    """The date would be that of some use, and a key in use would be cleaned away."""
    key = tenancy.key()
    clock = tenancy.server.clock
    for _ in range(3):
        clock.advance(3600)
        used_at = clock.micros() / 1e6
        assert tenancy.verify(key["key"]).status_code == 200
        eventually(lambda: last_used(tenancy, key) == used_at)  # noqa: B023 - called within the round


def test_every_kind_of_use_counts(tenancy: Tenancy) -> None:
    """A key that only works behind a proxy would look forgotten."""
    uses: list[Callable[[str], httpx2.Response]] = [
        lambda key: tenancy.client(key).get("/auth/forward"),
        lambda key: tenancy.client(key).get(PATH),
        lambda key: tenancy.api.post("/v1/credentials/verify", json={"credential": key}),
    ]
    keys = [tenancy.key() for _ in uses]
    for key, use in zip(keys, uses, strict=True):
        assert use(key["key"]).is_success
    for key in keys:
        eventually(lambda: last_used(tenancy, key) is not None)  # noqa: B023 - called within the round


def test_a_refused_request_is_no_use(tenancy: Tenancy) -> None:
    """Somebody who tries a leaked key from outside its network would make it look alive."""
    away, scopeless, used_up = (
        tenancy.key(allowed_ips=["192.0.2.1"]),
        tenancy.key(scopes=[]),
        tenancy.key(plan=tenancy.plan(0)),
    )
    witness = tenancy.key()
    assert tenancy.verify(away["key"], "198.51.100.1").status_code == 403
    assert tenancy.verify(scopeless["key"], scope="read").status_code == 403
    assert tenancy.verify(used_up["key"]).status_code == 429
    assert tenancy.verify(witness["key"]).status_code == 200
    eventually(lambda: last_used(tenancy, witness) is not None)
    assert [last_used(tenancy, key) for key in (away, scopeless, used_up)] == [None, None, None]


def test_using_a_key_is_no_change_of_it(tenancy: Tenancy) -> None:
    """The audit trail would fill with requests, and `updated_at` would say nothing."""
    key = tenancy.key()
    tenancy.server.clock.advance(60)
    tenancy.verify(key["key"])
    eventually(lambda: last_used(tenancy, key) is not None)
    listed = tenancy.api.get(f"{PATH}/{key['id']}").json()
    assert listed["updated_at"] == key["updated_at"]
    assert tenancy.actions(subject_id=key["id"]) == ["api_key.created"]
