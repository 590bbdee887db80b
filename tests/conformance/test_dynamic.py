"""Every module of the plan for dynamic providers, as the suite plays it: `oidcc-dynamic-certification-test-plan`.

Their steps are those of the suite's source (`OIDCCDynamicTestPlan` and what it names). What comes of keys that a client
changes within a minute, `tests/web/test_client_keys.py` holds with a clock of its own.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from joserfc import jwk, jws
from joserfc.jwk import KeySet
from typing_extensions import override

from bonafides.outgoing import Fetched, Outgoing
from tests.conformance.modules import Json, Module, Suite, module_of, signed
from tests.conformance.plans import FAILURES, SUITE
from tests.conformance.stand_in import KEYS, TOGETHER_SECONDS, StandIn, pinned, trust
from tests.elsewhere import Elsewhere, Reply, elsewhere
from tests.ports import free_port

RSA: Final = jwk.generate_key("RSA", 2048)
"""Of the suite's clients; it has no name, as theirs has none."""


@dataclass
class Registered(Module):
    """A module whose client has registered itself."""

    key: Any = field(default_factory=lambda: RSA)

    @override
    def redeems(self, code: str, *, redirect_uri: str | None = None, **more: Any) -> Json:
        """The tokens for a code."""
        return super().redeems(code, redirect_uri=redirect_uri, **{"key": self.key, **more})

    def verified(self, token: str) -> tuple[Json, Json]:
        """Header and claims of what the server has signed, by the keys that were read when the module began."""
        keys = KeySet.import_key_set({"keys": self.reads_keys()})
        opened = jws.deserialize_compact(token, keys, algorithms=["RS256"])
        claims: Json = json.loads(opened.payload)
        return dict(opened.headers()), claims


def begun(suite: Suite, name: str, **said: Any) -> Registered:
    """A module that has registered its client."""
    found = module_of(suite, "dynamic", name)
    module = Registered(found.suite, found.http, found.told, "private_key_jwt", found.screen)
    module.reads_keys()
    body = {
        "client_name": f"conformance {secrets.token_hex(4)}",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "redirect_uris": [module.callback],
        "contacts": ["certification@oidf.org"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [{**RSA.as_dict(private=False), "use": "sig", "alg": "RS256"}]},
        **said,
    }
    answer = module.http.post(
        "/oauth/register", json={name: told for name, told in body.items() if told is not None}
    )
    assert answer.status_code == 201, answer.text
    module.told["client"] = answer.json()
    return module


def ended(module: Registered) -> None:
    """The suite unregisters its client, and warns where it cannot."""
    client = module.told["client"]
    own = {"Authorization": f"Bearer {client['registration_access_token']}"}
    assert module.http.delete(client["registration_client_uri"], headers=own).status_code == 204


def asked_userinfo(module: Registered, tokens: Json) -> Any:
    """What the server says of the person."""
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = module.http.get("/oauth/userinfo", headers=bearer)
    assert answer.status_code == 200
    return answer


def test_the_flow_of_a_client_that_registers_itself(suite: Suite) -> None:
    """`oidcc-server`, `oidcc-idtoken-rs256`, `oidcc-userinfo-rs256`, `oidcc-redirect-uri-query-OK`: what they ask for is what they get."""
    for name, said in (
        ("oidcc-server", {}),
        ("oidcc-idtoken-rs256", {"id_token_signed_response_alg": "RS256"}),
        ("oidcc-userinfo-rs256", {"userinfo_signed_response_alg": "RS256"}),
    ):
        module = begun(suite, name, **said)
        tokens = module.redeems(module.goes(scope="openid")["code"])
        header, claims = module.verified(tokens["id_token"])
        assert (header["alg"], bool(header["kid"]), claims["nonce"]) == ("RS256", True, "n")
        answer = asked_userinfo(module, tokens)
        told = answer.json() if name != "oidcc-userinfo-rs256" else module.verified(answer.text)[1]
        assert told["sub"] == claims["sub"]
        ended(module)
    module = begun(suite, "oidcc-redirect-uri-query-OK")
    queried = f"{module.callback}?foo=bar"
    module = begun(suite, "oidcc-redirect-uri-query-OK", redirect_uris=[queried])
    brought = module.goes(scope="openid", redirect_uri=queried)
    assert brought["foo"] == "bar"
    assert module.redeems(brought["code"], redirect_uri=queried)["id_token"]


def test_a_redirect_uri_that_is_not_registered_leads_nowhere(suite: Suite) -> None:
    """Four modules end on a page of ours, which is pictured, and one at registration."""
    for name, registered, asked in (
        ("oidcc-ensure-redirect-uri-in-authorization-request", ["", "?dummy1=lorem"], None),
        ("oidcc-redirect-uri-query-mismatch", ["?foo=bar"], "?foo=baz"),
        ("oidcc-redirect-uri-query-added", [""], "?foo=bar"),
    ):
        callback = module_of(suite, "dynamic").callback
        module = begun(suite, name, redirect_uris=[callback + query for query in registered])
        changed = None if asked is None else callback + asked
        assert module.goes(scope="openid", redirect_uri=changed) == {}
        assert len(module.screen.pictures) == 1
    body = {"redirect_uris": [f"{SUITE}/test/a/x/callback#foo"], "client_name": "oidcc-redirect-uri-regfrag"}
    refused = suite.client().post("/oauth/register", json=body)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("oidcc-registration-logo-uri", {"logo_uri": f"{SUITE}/images/openid.png"}),
        ("oidcc-registration-policy-uri", {"policy_uri": f"{SUITE}/policy"}),
        ("oidcc-registration-tos-uri", {"tos_uri": f"{SUITE}/tos"}),
    ],
)
def test_what_a_client_shows_is_pictured(suite: Suite, name: str, said: Json) -> None:
    """Three modules want a picture of the page with the client's own logo or links."""
    module = begun(suite, name, **said)
    assert module.goes(scope="openid") == {}
    assert module.screen.pictures == ["Allow"]


def test_keys_may_stand_at_a_url_of_the_suite(suite: Suite) -> None:
    """`oidcc-registration-jwks-uri`, and the beginning of `oidcc-refresh-token-rp-key-rotation`: offline access, asked for."""
    named = jwk.generate_key("RSA", 2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})
    suite.there.replies["/client1_jwks"] = Reply(
        json.dumps({"keys": [named.as_dict(private=False)]}).encode()
    )
    module = begun(
        suite,
        "oidcc-registration-jwks-uri",
        jwks=None,
        jwks_uri=suite.there.url("/client1_jwks"),
        grant_types=["authorization_code", "refresh_token"],
    )
    module.key = named
    tokens = module.redeems(module.goes(scope="openid offline_access", prompt="consent")["code"])
    assert asked_userinfo(module, tokens).json()["sub"]
    renewed = refreshed(module, tokens["refresh_token"])
    assert renewed["access_token"] != tokens["access_token"]


def refreshed(module: Registered, refresh_token: str) -> Json:
    """What comes of a refresh token."""
    fields, _ = module.proof(key=module.key)
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **fields}
    told: Json = module.http.post("/oauth/token", data=form).json()
    return told


def test_a_refresh_token_is_its_clients_own(suite: Suite) -> None:
    """`oidcc-refresh-token` has two clients, each with a token of its own, which tries the other's."""
    first, second = (
        begun(suite, "oidcc-refresh-token", grant_types=["authorization_code", "refresh_token"])
        for _ in range(2)
    )
    tokens = [
        module.redeems(module.goes(scope="openid offline_access", prompt="consent")["code"])
        for module in (first, second)
    ]
    renewed = refreshed(first, tokens[0]["refresh_token"])
    before, after = (first.verified(each["id_token"])[1] for each in (tokens[0], renewed))
    assert [before[name] for name in ("iss", "sub", "aud")] == [after[name] for name in ("iss", "sub", "aud")]
    assert refreshed(second, renewed["refresh_token"])["error"] == "invalid_grant"
    assert "error" not in refreshed(second, tokens[1]["refresh_token"])


def test_an_assertion_for_the_issuer_is_taken(suite: Suite) -> None:
    """`oidcc-ensure-client-assertion-with-iss-aud-succeeds`: for the issuer, not for the endpoint."""
    module = begun(suite, "oidcc-ensure-client-assertion-with-iss-aud-succeeds")
    assert module.redeems(module.goes(scope="openid")["code"], aud=suite.url)["id_token"]


def test_what_the_server_does_not_offer_is_skipped(suite: Suite) -> None:
    """`oidcc-idtoken-unsigned` and the two modules of sectors skip themselves by these very lists."""
    told = suite.client().get("/.well-known/openid-configuration").json()
    assert "none" not in told["id_token_signing_alg_values_supported"]
    assert "pairwise" not in told["subject_types_supported"]
    assert FAILURES.keys() == {"oidcc-userinfo-post-body"}


def by_reference(suite: Suite, name: str, **said: Any) -> tuple[Registered, str]:
    """A module that has registered where its request objects stand, with the hash of something else behind it."""
    path = f"/requesturi/{secrets.token_hex(32)}"
    noise = hashlib.sha256(secrets.token_bytes(8)).digest()
    uri = f"{suite.there.url(path)}#{base64.urlsafe_b64encode(noise).rstrip(b'=').decode()}"
    return begun(suite, name, request_uris=[uri], **said), uri


def stands(there: Elsewhere, uri: str, written: str) -> None:
    """Let the suite serve it."""
    path = "/" + uri.partition("#")[0].split("/", 3)[3]
    there.replies[path] = Reply(written.encode(), headers={"Content-Type": "application/jwt"})


def goes_with(module: Registered, claims: Json, **beside: str) -> dict[str, str]:
    """What the browser brings back, where a request object holds all, and the address what OAuth wants there."""
    doubled = {name: claims[name] for name in ("response_type", "client_id", "scope", "redirect_uri")}
    return module.screen.go(f"{module.suite.url}/oauth/authorize?{urlencode({**doubled, **beside})}")


def unsigned(claims: Json) -> str:
    """As the suite writes a JWT that nobody has signed."""
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def test_requests_come_by_reference(suite: Suite) -> None:
    """`oidcc-request-uri-unsigned` and `oidcc-request-uri-signed-rs256`: the state is in the object alone."""
    module, uri = by_reference(suite, "oidcc-request-uri-unsigned")
    claims = module.asks(scope="openid", state="in the object")
    stands(suite.there, uri, unsigned(claims))
    brought = goes_with(module, claims, request_uri=uri)
    assert brought["state"] == "in the object", brought
    assert module.verified(module.redeems(brought["code"])["id_token"])[1]["nonce"] == "n"
    module, uri = by_reference(suite, "oidcc-request-uri-signed-rs256", request_object_signing_alg="RS256")
    claims = module.asks(scope="openid", state="signed")
    own = {"aud": suite.url, "iss": claims["client_id"]}
    stands(suite.there, uri, signed({**claims, **own}, RSA, alg="RS256"))
    brought = goes_with(module, claims, request_uri=uri)
    assert brought["state"] == "signed", brought
    assert module.redeems(brought["code"])["id_token"]
    stands(suite.there, uri, unsigned(claims))
    assert goes_with(module, claims, request_uri=uri)["error"] == "invalid_request_object"


@pytest.mark.parametrize("file", ["dynamic", "basic", "formpost-basic"])
def test_the_redirect_uri_of_an_object_counts(suite: Suite, file: str) -> None:
    """`oidcc-ensure-request-object-with-redirect-uri`, and `oidcc-unsigned-request-object-…`, which other plans have too."""
    name = "oidcc-ensure-request-object-with-redirect-uri"
    module: Module = begun(suite, name) if file == "dynamic" else module_of(suite, file, name)
    for beside in ({"redirect_uri": f"{SUITE}/invalid"}, {}):
        mode = {"response_mode": "form_post"} if file.startswith("formpost") else {}
        claims = {**module.asks(scope="openid", state="object"), **mode}
        doubled = {each: claims[each] for each in ("response_type", "client_id", "scope", "redirect_uri")}
        query = urlencode({**doubled, **beside, "request": unsigned(claims)})
        brought = module.screen.go(f"{suite.url}/oauth/authorize?{query}")
        assert brought["state"] == "object", brought
        assert module.redeems(brought["code"])["id_token"]


def test_keys_are_rotated_when_the_suite_waits_for_it(suite: Suite) -> None:
    """`oidcc-server-rotate-keys`: `run-test-plan.py` starts it before anybody could; what was signed before stays good."""
    module = begun(suite, "oidcc-server-rotate-keys")
    tokens = module.redeems(module.goes(scope="openid")["code"])
    before = module.reads_keys()
    after: list[Json] = module.http.get(KEYS).json()["keys"]
    new = [key for key in after if key not in before]
    assert new
    assert all(key["kty"] in {"RSA", "EC"} for key in new)
    known = {(key["kid"], key.get("x"), key.get("n")) for key in before}
    assert not {(key["kid"], key.get("x"), key.get("n")) for key in new} & known
    assert all(key in after for key in before), "they are retired, and still published"
    assert module.verified(tokens["id_token"])[1]["nonce"] == "n"
    # A module that begins afterwards changes nothing, and what is signed now is signed by what it has read.
    assert module.reads_keys() == after
    header, _ = module.verified(module.redeems(module.goes(scope="openid")["code"])["id_token"])
    assert header["kid"] in {key["kid"] for key in before}


def test_only_who_reads_the_keys_again_is_waited_for() -> None:
    """Before it come modules that are skipped: they read the metadata alone, one just before, and one long ago."""
    seen: list[str] = []
    now = 0.0

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        del receive, send
        seen.append(scope["path"])

    async def rotate() -> None:
        seen.append("rotated")

    stand_in = StandIn(answer, rotate, lambda: now)

    async def work() -> None:
        nonlocal now
        told = "/.well-known/openid-configuration"
        for path in (told, "/.well-known/oauth-authorization-server", KEYS, "/oauth/token", KEYS, told):
            await stand_in({"path": path}, None, None)
        now = TOGETHER_SECONDS + 1
        await stand_in({"path": KEYS}, None, None)

    asyncio.run(work())
    assert [index for index, what in enumerate(seen) if what == "rotated"] == [4, 7]


def test_the_suite_is_called_by_the_certificate_that_it_shows(tmp_path: Path) -> None:
    """Its image has one of no name that anybody calls it by; and what another server shows is as bad as ever."""

    async def here(host: str, port: int) -> list[str]:
        del host, port
        return ["127.0.0.1"]

    async def fetched(suite: str, url: str) -> int | None:
        outgoing = Outgoing(private=True, resolve=here)
        await trust(outgoing, suite)
        answer = await outgoing.get(url)
        return answer.status if isinstance(answer, Fetched) else None

    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    with elsewhere(folders[0]) as one, elsewhere(folders[1]) as other:
        for found, status in ((one, 200), (other, None)):
            found.replies["/x"] = Reply()
            url = found.url("/x", host="suite.example.com")
            assert asyncio.run(fetched(one.url(), url)) == status
    assert pinned(f"https://localhost:{free_port()}") is None
