"""The suite's configurations fit the server that is started for them: each plan's client gets through a login."""

from __future__ import annotations

import hashlib
import json
import select
import socket
import ssl
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.conformance.plans import FOLDER, PLANS, SUITE, Plan, clients_of, configuration, documents, written
from tests.conformance.server import READY
from tests.pages.browsing import Read
from tests.pages.clients import target_of

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
START_SECONDS_MAX = 90
WALKED = [plan for plan in PLANS if plan.method is not None and not plan.fapi]


@dataclass
class Suite:
    """What stands in for the suite: its browser, and its calls."""

    host: str
    port: int
    trusted: ssl.SSLContext

    @property
    def url(self) -> str:
        """Of the server under test."""
        return f"https://{self.host}:{self.port}"

    def client(self) -> httpx2.Client:
        """A client, or a browser, of its own."""
        return httpx2.Client(base_url=self.url, verify=self.trusted, trust_env=False, timeout=60)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """The server as `make conformance-server` starts it, on a free port."""
    folder = tmp_path_factory.mktemp("conformance")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.conformance.server", "--port", str(port), "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            until = time.monotonic() + START_SECONDS_MAX
            line = ""
            while READY not in line:
                readable, _, _ = select.select([process.stdout], [], [], until - time.monotonic())
                assert readable, "the server is not ready"
                line = process.stdout.readline()
                assert line, "the server has ended"
            yield Suite("localhost", port, ssl.create_default_context(cafile=str(folder / "certificate.pem")))
        finally:
            process.terminate()


def signed_in_answer(suite: Suite, told: dict[str, Any], query: dict[str, str]) -> dict[str, str]:
    """What the suite's browser brings back, by the very fields and buttons that its steps name."""
    commands = told["browser"][0]["tasks"][0]["commands"]
    with suite.client() as browser:
        answer = browser.get(f"/oauth/authorize?{urlencode(query)}")
        for _ in range(10):
            location = answer.headers.get("location") or target_of(Read(answer))
            if location is not None and location.startswith(SUITE):
                return dict(parse_qsl(urlsplit(location).query))
            if location is not None:
                answer = browser.get(location)
                continue
            read = Read(answer)
            forms = {form.action: form for form in read.forms}
            form = forms.get("/login") or read.forms[-1]
            if form.action == "/login":
                fields = {**form.fields, **{name: value for _, _, name, value in commands[:2]}}
            else:
                assert form.action == "/oauth/consent", read.words
                fields = {**form.fields, "decision": "allow"}
            answer = browser.post(form.action, data=fields, headers={"Origin": suite.url})
    message = f"no way through the pages: {answer.status_code} {answer.text[:500]}"
    raise AssertionError(message)


def proof(plan: Plan, suite: Suite, told: dict[str, Any]) -> tuple[dict[str, str], Any]:
    """How the client of a plan proves who it is: fields of the body, and the header."""
    client = told["client"]
    match plan.method:
        case "client_secret_basic":
            return {}, httpx2.BasicAuth(client["client_id"], client["client_secret"])
        case "client_secret_post":
            return {"client_id": client["client_id"], "client_secret": client["client_secret"]}, None
        case "private_key_jwt":
            key = ECKey.import_key(client["jwks"]["keys"][0])
            now = int(time.time())
            claims = {
                "iss": client["client_id"],
                "sub": client["client_id"],
                "aud": f"{suite.url}/oauth/token",
            }
            header = {"alg": "ES256", "kid": key.kid}
            assertion = jwt.encode(header, {**claims, "jti": plan.file, "iat": now, "exp": now + 60}, key)
            kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            return {"client_assertion": assertion, "client_assertion_type": kind}, None
        case _:
            return {"client_id": client["client_id"]}, None


@pytest.mark.parametrize("plan", WALKED, ids=lambda plan: plan.file)
def test_the_client_of_each_plan_gets_through(suite: Suite, plan: Plan) -> None:
    """The suite would stop at its first step, for want of a client, a password or a button."""
    told = configuration(plan, suite.host, suite.port)
    redirect_uri = f"{SUITE}/test/a/{told['alias']}/callback"
    query = {
        "client_id": told["client"]["client_id"],
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": "openid profile email",
        "state": "s",
        "nonce": "n",
        "unknown": "left aside",
    }
    form = {"grant_type": "authorization_code", "redirect_uri": redirect_uri}
    if plan.method == "none":
        digest = hashlib.sha256(VERIFIER.encode()).digest()
        query["code_challenge"] = urlsafe_b64encode(digest).rstrip(b"=").decode()
        query["code_challenge_method"] = "S256"
        form["code_verifier"] = VERIFIER
    brought = signed_in_answer(suite, told, query)
    assert (brought["state"], brought["iss"]) == ("s", suite.url), brought
    fields, auth = proof(plan, suite, told)
    with suite.client() as client:
        answer = client.post("/oauth/token", data={**form, **fields, "code": brought["code"]}, auth=auth)
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert client.get("/oauth/userinfo", headers=headers).json()["email"]
        keys = client.get("/.well-known/jwks.json").json()
    assert "RS256" in {key["alg"] for key in keys["keys"]}


def test_the_suite_registers_its_own_clients(suite: Suite) -> None:
    """The plan for dynamic clients would stop at its first step."""
    callback = f"{SUITE}/test/a/bonafides-dynamic/callback"
    body = {
        "client_name": "conformance",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "redirect_uris": [callback],
        "contacts": ["certification@oidf.org"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [next(iter(clients_of(PLANS[-1]).values())).public_key]},
    }
    with suite.client() as client:
        metadata = client.get("/.well-known/openid-configuration").json()
        assert metadata["issuer"] == suite.url
        answer = client.post(metadata["registration_endpoint"], json=body)
        assert answer.status_code == 201, answer.text
        fragment = {**body, "redirect_uris": [f"{callback}#fragment"]}
        refused = client.post(metadata["registration_endpoint"], json=fragment)
        assert refused.json()["error"] == "invalid_redirect_uri"


def test_the_files_are_those_that_the_plans_make() -> None:
    """The suite would be told of clients that the server does not know; mend: python -m tests.conformance.plans."""
    wanted = {name: written(document) for name, document in documents().items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in Path(FOLDER).glob("*.json")}
    assert found == wanted
    assert all(json.loads(text) for text in found.values())
