"""A credential in a URL is refused, not used and not repeated, however it is written there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import pytest
import structlog

from tests.attacks.cast import Party, as_
from tests.attacks.wire import request, wire
from tests.serving import RunningServer


def every_byte(text: str) -> str:
    """Encode what need not be encoded."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


def some_bytes(text: str) -> str:
    """Encode every other character."""
    return "".join(letter if place % 2 else f"%{ord(letter):02x}" for place, letter in enumerate(text))


SPELLINGS: Final[dict[str, Callable[[str], str]]] = {
    "plain": lambda key: key,
    "underscores encoded": lambda key: key.replace("_", "%5F"),
    "every byte encoded": every_byte,
    "some bytes encoded": some_bytes,
    "encoded twice": lambda key: quote(every_byte(key)),
    "encoded three times": lambda key: quote(quote(every_byte(key))),
    "encoded eight times": lambda key: quote(quote(quote(quote(quote(quote(quote(every_byte(key)))))))),
    "between other text": lambda key: f"see-{key}-here",
    "cut after the random part": lambda key: key.rpartition("_")[0],
}
PLACES: Final = {
    "a query parameter": "/v1/auth/verify?apikey={}",
    "a parameter of any name": "/v1/auth/verify?q={}",
    "a parameter's name": "/v1/auth/verify?{}=1",
    "a query without names": "/v1/auth/verify?{}",
    "the scope": "/v1/auth/verify?scope={}",
    "a cursor": "/v1/api-keys?cursor={}",
    "a path segment": "/v1/api-keys/{}",
    "a path that leads nowhere": "/{}/x",
    "a path parameter": "/v1/auth/verify;key={}",
    "a forward call": "/auth/forward?token={}",
    "what Envoy appends": "/auth/forward/envoy/orders/{}",
    "a page that needs no credential": "/healthz?x={}",
    "the description": "/openapi.json?{}",
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("also_in_header", [False, True])
def test_a_credential_in_the_url_is_refused(
    house: RunningServer,
    mine: Party,
    place: str,
    spell: Callable[[str], str],
    also_in_header: bool,  # noqa: FBT001
) -> None:
    """Attack 35, RFC 6750 §2.3, RFC 9700 §4.3.2: logs, histories and referrers keep URLs, and keys with them."""
    target = place.format(spell(mine.member.key))
    with wire(house.url) as connection:
        connection.send(request("GET", target, key=mine.owner.key if also_in_header else None))
        reply = connection.reply()
        assert reply.refuses(400, "invalid_request")
        assert mine.member.key.encode() not in reply.body


@pytest.mark.parametrize(
    "name",
    [
        "apikey",
        "api_key",
        "api-key",
        "APIKEY",
        "Api_Key",
        "x-api-key",
        "X_API_KEY",
        "access_token",
        "access-token",
        "authorization",
        "credential",
        "%61pikey",
        "api%5Fkey",
        " apikey",
    ],
)
def test_a_parameter_that_is_named_like_a_credential_is_refused(
    house: RunningServer, mine: Party, name: str
) -> None:
    """RFC 6750 §2.3: keys of other makes, which have no look of their own, would still be sent this way."""
    with wire(house.url) as connection:
        connection.send(
            request("GET", f"/v1/auth/verify?{name.replace(' ', '+')}=an-imported-key", key=mine.owner.key)
        )
        assert connection.reply().refuses(400, "invalid_request")


@pytest.mark.parametrize(
    "target",
    [
        "/v1/auth/verify?jwt=eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJl",
        "/v1/api-keys/eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJl",
        "/v1/api-keys/%65yJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJl",
        "/v1/auth/verify?x=bf_tok_0123456789abcdef",
        "/v1/auth/verify?x=bf_oat_0123456789abcdef",
        "/v1/auth/verify?x=bf_ort_0123456789abcdef",
        "/v1/auth/verify?x=bf_pat_0123456789abcdef",
        "/v1/auth/verify?x=bf_sec_0123456789abcdef",
    ],
)
def test_every_kind_of_credential_is_refused(house: RunningServer, mine: Party, target: str) -> None:
    """RFC 9700 §4.3.2: a kind that is forgotten here is the kind that leaks."""
    with wire(house.url) as connection:
        connection.send(request("GET", target, key=mine.owner.key))
        assert connection.reply().refuses(400, "invalid_request")


@pytest.mark.parametrize(
    "form",
    [
        "http://{}@api.example.com/v1/auth/verify",
        "http://x:{}@api.example.com/v1/auth/verify",
        "/v1/auth/verify#{}",
        "/v1/auth/verify?scope=read#{}",
    ],
)
def test_no_other_part_of_a_target_hides_one(house: RunningServer, mine: Party, form: str) -> None:
    """Attack 35: user name and fragment were cut off before anybody looked at them."""
    with wire(house.url) as connection:
        connection.send(request("GET", form.format(mine.member.key), key=mine.owner.key))
        assert connection.reply().refuses(400, "invalid_request")


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Uri", "X-Original-URI", "X-Original-URL", "X-Envoy-Original-Path"]
)
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_the_url_that_a_proxy_asks_about_is_looked_at_too(
    house: RunningServer, mine: Party, name: str, spell: Callable[[str], str]
) -> None:
    """Attack 34: the key in the original URL stands in the proxy's log as much as one in ours."""
    client = as_(house, mine.owner)
    for uri in (f"/orders?key={spell(mine.member.key)}", f"/orders/{spell(mine.member.key)}"):
        for _ in range(2):
            assert client.get("/auth/forward", headers={name: uri}).status_code == 400


def test_a_refused_url_is_logged_without_its_credential(house: RunningServer, mine: Party) -> None:
    """ASVS 16.2.5: the one log that we write ourselves would keep what we tell others not to keep."""
    random = mine.member.key.split("_")[2]
    usual = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
    with structlog.testing.capture_logs() as lines, wire(house.url) as connection:
        for spell in SPELLINGS.values():
            for place in PLACES.values():
                connection.send(request("GET", place.format(spell(mine.member.key))))
                connection.reply()
    structlog.configure(wrapper_class=usual)
    assert len(lines) >= len(SPELLINGS) * len(PLACES) - 1, "the last line may come after its answer"
    decoded = json.dumps(lines)
    for _ in range(10):
        assert random not in decoded
        decoded = re.sub(r"%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), decoded)


@pytest.mark.parametrize(
    "target",
    [
        "/v1/api-keys/key_0Nf4gQ2s9XbR7mT1kVwZaC",
        "/v1/plans/%25",
        "/v1/plans/a%2525b",
        "/v1/auth/verify?scope=read+write",
    ],
)
def test_what_is_no_credential_is_let_through(house: RunningServer, mine: Party, target: str) -> None:
    """Attack 35: a net that is too fine refuses ids and scopes, and people would switch it off."""
    with wire(house.url) as connection:
        connection.send(request("GET", target, key=mine.owner.key))
        assert connection.reply().status in {200, 404}
