"""The modules of the suite, as the tests play them: their clients, their browser, and what they prove."""

from __future__ import annotations

import hashlib
import itertools
import json
import ssl
import time
from base64 import urlsafe_b64encode
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx2
from joserfc import jwk, jws

from tests.conformance.plans import PLANS, SUITE, configuration
from tests.conformance.screen import Screen
from tests.elsewhere import Elsewhere

Json = dict[str, Any]

VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NAMED: Final = {plan.file: plan for plan in PLANS}
NUMBERS: Final = itertools.count()


def signed(claims: Json, key: Any, **header: Any) -> str:
    """What the suite signs."""
    said = {"alg": "ES256", **header}
    return jws.serialize_compact(said, json.dumps(claims), key, algorithms=[said["alg"]])


@dataclass
class Suite:
    """What stands in for the suite: its browser, its calls, and what the server asks of it (`there`)."""

    host: str
    port: int
    trusted: ssl.SSLContext
    open: ExitStack
    there: Elsewhere

    @property
    def url(self) -> str:
        """Of the server under test."""
        return f"https://{self.host}:{self.port}"

    def client(self) -> httpx2.Client:
        """A client, or a browser, of its own."""
        made = httpx2.Client(base_url=self.url, verify=self.trusted, trust_env=False, timeout=60)
        return self.open.enter_context(made)


@dataclass
class Module:
    """A module of a plan, with a browser and a client of its own."""

    suite: Suite
    http: httpx2.Client
    told: Json
    method: str | None
    screen: Screen

    @property
    def callback(self) -> str:
        """Where it takes answers."""
        return f"{SUITE}/test/a/{self.told['alias']}/callback"

    def asks(self, **changes: str | None) -> Json:
        """An authorization request."""
        wanted = {
            "client_id": self.told["client"]["client_id"],
            "response_type": "code",
            "redirect_uri": self.callback,
            "scope": self.told["client"].get("scope", "openid"),
            "state": "s",
            "nonce": "n",
            "unknown": "left aside",
            **changes,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def goes(self, **changes: str | None) -> dict[str, str]:
        """What the browser brings back from the authorization endpoint."""
        return self.screen.go(f"{self.suite.url}/oauth/authorize?{urlencode(self.asks(**changes))}")

    def proof(self, client: str = "client", key: Any = None, **claims: Any) -> tuple[Json, Any]:
        """How its client proves who it is: fields of the body, and the header."""
        known = self.told[client]
        match self.method:
            case "client_secret_basic":
                return {}, httpx2.BasicAuth(known["client_id"], known["client_secret"])
            case "client_secret_post":
                return {"client_id": known["client_id"], "client_secret": known["client_secret"]}, None
            case "private_key_jwt":
                key = key or jwk.import_key(known["jwks"]["keys"][0])
                now = int(time.time())
                said = {
                    "iss": known["client_id"],
                    "sub": known["client_id"],
                    "aud": f"{self.suite.url}/oauth/token",
                    "jti": f"{time.monotonic_ns()} {next(NUMBERS)}",
                    "iat": now,
                    "exp": now + 60,
                    **claims,
                }
                header = {"alg": "RS256"} if key.key_type == "RSA" else {"kid": key.kid}
                assertion = signed(said, key, **header)
                return {"client_assertion": assertion, "client_assertion_type": ASSERTION}, None
            case _:
                return {"client_id": known["client_id"]}, None

    def reads_keys(self) -> list[Json]:
        """The server's keys, as every module reads them at its beginning."""
        metadata = self.http.get(self.told["server"]["discoveryUrl"]).json()
        keys: list[Json] = self.http.get(metadata["jwks_uri"]).json()["keys"]
        return keys

    def redeems(self, code: str, *, redirect_uri: str | None = None, **more: Any) -> Json:
        """The tokens for a code."""
        fields, auth = self.proof(**more)
        form = {
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri or self.callback,
            "code": code,
        }
        answer = self.http.post("/oauth/token", data={**form, **fields}, auth=auth)
        assert answer.status_code == 200, answer.text
        told: Json = answer.json()
        return told


@dataclass
class Held(Module):
    """A module of FAPI 2.0: requests are pushed, tokens are bound to a key."""

    key: Any = None

    def demonstrates(self, method: str, path: str, token: str | None = None, **more: Any) -> dict[str, str]:
        """The header with a proof of its key."""
        claims = {"htm": method, "htu": self.suite.url + path, "iat": int(time.time()), **more}
        claims["jti"] = f"{time.monotonic_ns()} {next(NUMBERS)}"
        if token is not None:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = urlsafe_b64encode(digest).rstrip(b"=").decode()
        public = self.key.as_dict(private=False)
        return {"DPoP": signed(claims, self.key, typ="dpop+jwt", jwk=public)}

    def pushes(self, client: str = "client", **changes: str | None) -> str:
        """The address to which the browser is sent for a request that is pushed."""
        fields, _ = self.proof(client, aud=self.suite.url)
        own = {"client_id": self.told[client]["client_id"], "unknown": None}
        challenge = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        body = {**self.asks(**{**own, **challenge, **changes}), **fields}
        assert self.http.put("/oauth/par", data=body).status_code == 405
        answer = self.http.post("/oauth/par", data=body)
        assert answer.status_code == 201, answer.text
        said = {
            "client_id": body["client_id"],
            "request_uri": answer.json()["request_uri"],
            "state": "outside",
            "scope": body["scope"],
            "response_type": "code",
        }
        return f"{self.suite.url}/oauth/authorize?{urlencode(said)}"

    def gets(self, client: str = "client", **fields: Any) -> httpx2.Response:
        """What the token endpoint answers to a good proof."""
        said, _ = self.proof(client, aud=self.suite.url)
        return self.http.post(
            "/oauth/token", data={**fields, **said}, headers=self.demonstrates("POST", "/oauth/token")
        )


def module_of(suite: Suite, file: str, name: str | None = None) -> Module:
    """A module of a plan."""
    plan = NAMED[file]
    told = configuration(plan, suite.host, suite.port)
    http = suite.client()
    steps = told["override"].get(name, told)["browser"]
    screen = Screen(suite.client(), suite.url, SUITE, steps)
    if plan.fapi:
        return Held(suite, http, told, plan.method, screen, jwk.generate_key("EC", "P-256"))
    return Module(suite, http, told, plan.method, screen)
