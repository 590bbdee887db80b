"""Every example of the API description is true: the story that they tell is lived against a server."""

from __future__ import annotations

import asyncio
import re
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx2
import pyotp
import pytest
import yaml
from typing_extensions import override

from bonafides.audit import Recorder
from bonafides.credentials.holdings import blank_credential
from bonafides.delegation import Consent
from bonafides.model import Actor, CredentialKind, DigestedSecret, to_datetime
from bonafides.outgoing import Fetched, Outgoing
from bonafides.secret import new_id
from bonafides.web.examples import (
    ATTESTATION,
    AUTHENTICATOR_DATA,
    CLIENT_ID,
    CREATED_CLIENT_DATA,
    CREDENTIAL_ID,
    DENIED_REQUEST_ID,
    EXAMPLES,
    INITIAL_TOKEN,
    KEY,
    MFA_TOKEN,
    NEW_PASSWORD,
    OLD_SESSION_ID,
    OWNER_EMAIL,
    PASSWORD,
    PROVEN_TOKEN,
    RECOVERY_CODE,
    REGISTRATION_TOKEN,
    SIGNATURE,
    SIGNED_CLIENT_DATA,
    TOKEN,
    TOTP_CODE,
    USER_HANDLE,
)
from bonafides.web.forms import FORM
from tests.authenticator import Authenticator
from tests.described import Description, Operation
from tests.serving import RunningServer, running, settings_for
from tests.web.oauth import owners_token

DISPLAY: Final = re.compile(r"bf_(?:key|pat|tok|sec|iat)_[0-9A-Za-z]{4}…[0-9A-Za-z]{4}")
ID: Final = re.compile(r"(key|usr|ten|evt|req|pat|tok|ses|cli|sec|con|grt|iat|psk|whk)_[0-9A-Za-z]{22}")
SECRET: Final = re.compile(
    r"bf_[a-z]+_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}|eyJ[\w-]+\.[\w-]+\.[\w-]+|whsec_[0-9A-Za-z+/]{43}="
)
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
NETWORK: Final = re.compile(r"[0-9a-f.:]+/(24|48)")
URL: Final = re.compile(r"http://127\.0\.0\.1:\d+(/oauth/register/cli_[0-9A-Za-z]{22})?")
THUMBPRINT: Final = re.compile(r"[0-9A-Za-z_-]{43}")
CURSOR: Final = re.compile(r"[0-9a-f]{30,}")
TOTP: Final = re.compile(r"[A-Z2-7]{32}|otpauth://totp/Bonafides.*|<svg .*</svg>", re.DOTALL)
CODE: Final = re.compile(r"[a-z2-7]{6}(-[a-z2-7]{6}){3}")
WRITTEN_IN_BATCHES: Final = {
    "last_used_at",
    "accepted",
    "requests",
    "refused",
    "device",
    "updated_at",
    "client_id_issued_at",
    "milliseconds",
}
"""What may be there already or not yet, or is what the test's own client says."""


class Takers(Outgoing):
    """Whoever is told takes it: what the story names is on no machine."""

    @override
    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Fetched:
        """Take it."""
        return Fetched(204, b"", {})


@dataclass(frozen=True)
class Lived:
    """What came of an example."""

    operation: Operation
    response: httpx2.Response
    objection: str


class Story:
    """The examples, lived in the order in which they are written.

    What the server made in place of the description's ids and secrets is remembered, and used from then on.
    """

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self.description = Description(server.client().get("/openapi.json").json())
        self._real: dict[str, str] = {
            PASSWORD: server.founded.password,
            OLD_SESSION_ID: self._earlier_sessions()[0],
        }
        self.lived = {operation_id: self._live(operation_id) for operation_id in EXAMPLES}

    def _earlier_sessions(self) -> list[str]:
        """Two logins from before the story begins."""
        body = {"username": OWNER_EMAIL, "password": self._server.founded.password}
        for _ in range(2):
            assert self._server.client().post("/v1/auth/login", json=body).status_code == 200
        return [session["id"] for session in self._server.admin.get("/v1/sessions").json()["data"]]

    def real(self, value: Any) -> Any:
        """A request of the description with the server's own ids and secrets."""
        if isinstance(value, str):
            return self._real.get(value, value)
        if isinstance(value, list):
            return [self.real(item) for item in value]
        if isinstance(value, dict):
            return {name: self.real(item) for name, item in value.items()}
        return value

    def recognise(self, told: Any, real: Any, place: str = "") -> None:
        """Fail where an answer is not the one that is told, whatever its ids, secrets and times."""
        if isinstance(told, dict):
            assert isinstance(real, dict), place
            assert sorted(told) == sorted(real), place
            for name, item in told.items():
                if name not in WRITTEN_IN_BATCHES:
                    self.recognise(item, real[name], f"{place}.{name}")
        elif isinstance(told, list):
            assert isinstance(real, list), place
            assert len(told) == len(real), place
            for position, (left, right) in enumerate(zip(told, real, strict=True)):
                self.recognise(left, right, f"{place}.{position}")
        elif isinstance(told, str) and (ID.fullmatch(told) or SECRET.fullmatch(told)):
            assert isinstance(real, str), place
            assert real[:4] == told[:4], place
            assert self._real.setdefault(told, real) == real, f"{place}: not the one that was told before"
        elif isinstance(told, str) and (
            form := next(
                (
                    p
                    for p in (TIME, CURSOR, DISPLAY, NETWORK, THUMBPRINT, URL, TOTP, CODE)
                    if p.fullmatch(told)
                ),
                None,
            )
        ):
            assert isinstance(real, str), place
            assert form.fullmatch(real), place
        else:
            assert told == real, place

    def _live(self, operation_id: str) -> Lived:
        self._server.clock.advance(1)
        if operation_id == "getDenial":
            refused = self._server.client(self._real.get(KEY)).get("/v1/auth/verify?scope=admin")
            self._real[DENIED_REQUEST_ID] = refused.json()["request_id"]
        if operation_id == "listConsents":
            self._agree(self._real[CLIENT_ID])
        if operation_id == "finishLogIn":
            body = {"username": OWNER_EMAIL, "password": NEW_PASSWORD}
            step = self._server.client().post("/v1/auth/login", json=body).json()
            self._real[MFA_TOKEN] = step["mfa_token"]
        if operation_id == "resetFactors":
            self._live("addFactor")
            self._live("confirmFactor")
        operation = self.description.operation(operation_id)
        path = operation.path
        for parameter in operation.parameters("path"):
            path = path.replace(f"{{{parameter['name']}}}", self.real(parameter["example"]))
        client = {
            "operator": self._server.admin,
            "key": self._server.client(self._real.get(KEY)),
            "session": self._server.client(self._real.get(PROVEN_TOKEN) or self._real.get(TOKEN)),
            "initial": self._server.client(self._real.get(INITIAL_TOKEN)),
            "registered": self._server.client(self._real.get(REGISTRATION_TOKEN)),
            "person": self._server.client(self._persons_token(EXAMPLES[operation_id].caller)),
            "nobody": self._server.client(),
        }[EXAMPLES[operation_id].caller]
        response = client.request(
            operation.method,
            path,
            params=self._given(operation, "query"),
            headers=self._given(operation, "header"),
            json=self.real(_request_example(operation, "application/json")),
            data=self.real(_request_example(operation, FORM)),
        )
        if operation_id == "addFactor":
            app = pyotp.TOTP(response.json()["secret"])
            self._real[TOTP_CODE] = app.at((self._server.clock.now_us + 1_000_000) // 1_000_000)
        if operation_id == "beginPasskey":
            self._key = Authenticator(self._server.settings.base_url.replace("127.0.0.1", "localhost"))
            made = self._key.create(response.json())
            self._real |= {CREDENTIAL_ID: made["id"], USER_HANDLE: self._key.user_handle or ""}
            self._real[CREATED_CLIENT_DATA] = made["response"]["clientDataJSON"]
            self._real[ATTESTATION] = made["response"]["attestationObject"]
        if operation_id == "askForPasskey":
            signed = self._key.get(response.json())["response"]
            self._real[SIGNED_CLIENT_DATA] = signed["clientDataJSON"]
            self._real[AUTHENTICATOR_DATA] = signed["authenticatorData"]
            self._real[SIGNATURE] = signed["signature"]
        if operation_id == "confirmFactor":
            self._real[RECOVERY_CODE] = response.json()["recovery_codes"][0]
        if operation_id == "resetFactors":
            body = {"username": OWNER_EMAIL, "password": NEW_PASSWORD}
            self._real[PROVEN_TOKEN] = self._server.client().post("/v1/auth/login", json=body).json()["token"]
        return Lived(operation, response, self._objection(operation, response))

    def _agree(self, client_id: str) -> None:
        """The operator lets a client do something, and it has got what it asked for."""
        rooms, founded = self._server.rooms, self._server.founded
        now = to_datetime(self._server.clock.now_us)
        scopes = frozenset({"read"})
        consent = Consent(
            new_id("con", self._server.clock.now_us, secrets.token_bytes),
            founded.user_id,
            client_id,
            founded.tenant_id,
            scopes,
            (),
            now,
            now,
        )
        event = Recorder(rooms.clock, secrets.token_bytes).event(
            "consent.given", Actor(None, None, via="tests"), founded.tenant_id, client_id
        )
        grant_id = new_id("grt", self._server.clock.now_us, secrets.token_bytes)
        granted = blank_credential(
            CredentialKind.OAUTH_ACCESS_TOKEN,
            grant_id,
            founded.tenant_id,
            founded.user_id,
            "grant",
            scopes,
            now,
        )
        secret = DigestedSecret(secrets.token_bytes(32), rooms.peppers.newest_id)

        async def agree() -> None:
            await rooms.store.give_consent(consent, event)
            await rooms.store.create_credential(granted, secret, replace(event, id=f"{event.id}x"))

        asyncio.run_coroutine_threadsafe(agree(), self._server.loop).result(20)
        ends_us = self._server.clock.now_us + 90 * 86_400 * 1_000_000
        with closing(sqlite3.connect(self._server.settings.sqlite_path or "")) as file, file:
            file.execute(
                "INSERT INTO grants (id, tenant_id, user_id, client_id, scopes, resources, methods, claims, created_at, ends_at) "
                "VALUES (?, ?, ?, ?, 'read', '', 'pwd', '{}', ?, ?)",
                (
                    grant_id,
                    founded.tenant_id,
                    founded.user_id,
                    client_id,
                    self._server.clock.now_us,
                    ends_us,
                ),
            )

    def _persons_token(self, caller: str) -> str | None:
        """An access token that the operator let a client have."""
        return owners_token(self._server) if caller == "person" else None

    def _objection(self, operation: Operation, response: httpx2.Response) -> str:
        told = _told(self.description, operation)
        if told is None or EXAMPLES[operation.id].excerpt or not response.is_success:
            return ""
        try:
            self.recognise(told, response.json())
        except AssertionError as error:
            return str(error)
        return ""

    def _given(self, operation: Operation, place: str) -> dict[str, str]:
        return {
            parameter["name"]: str(self.real(parameter["example"]))
            for parameter in operation.parameters(place)
            if "example" in parameter
        }


def _request_example(operation: Operation, media_type: str) -> Any:
    content = operation.declared.get("requestBody", {}).get("content", {})
    return content.get(media_type, {}).get("example")


def _told(description: Description, operation: Operation) -> Any:
    content = description.answer(operation, EXAMPLES[operation.id].status).get("content", {})
    return next((media["example"] for media in content.values()), None)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The whole story, lived once."""
    folder = tmp_path_factory.mktemp("story")
    settings = settings_for(f"sqlite:///{folder}/bonafides.db", folder, address_requests_per_minute=100_000)
    with running(settings) as server:
        server.rooms.deliveries._outgoing = Takers()
        yield Story(server)


def test_every_operation_has_an_example_and_nothing_else_has(story: Story) -> None:
    """A reader of the description would find a call without an example, or an example of no call."""
    assert set(EXAMPLES) == {operation.id for operation in story.description.operations()}


@pytest.mark.parametrize("operation_id", EXAMPLES)
def test_the_example_is_answered_as_the_description_tells(story: Story, operation_id: str) -> None:
    """Somebody who copies the example would get another answer than the one beside it."""
    lived = story.lived[operation_id]
    assert lived.response.status_code == EXAMPLES[operation_id].status, lived.response.text
    assert not lived.objection
    story.description.check_answer(lived.operation, lived.response)
    assert "x-request-id" in lived.response.headers


@pytest.mark.parametrize("operation_id", EXAMPLES)
def test_the_example_is_what_its_own_schema_says(story: Story, operation_id: str) -> None:
    """A client that was generated from the schema could not send the example, or not read its answer."""
    operation = story.lived[operation_id].operation
    for parameter in operation.declared.get("parameters", ()):
        if "example" in parameter:
            story.description.check(parameter["example"], parameter["schema"])
    body = operation.declared.get("requestBody")
    shown = [media for media in body["content"].values() if "example" in media] if body is not None else []
    for media in shown:
        story.description.check(media["example"], media["schema"])
    if body is not None and not shown:
        assert not body.get("required"), "an operation that needs a body has none in its example"
    for media in (
        story.description.answer(operation, EXAMPLES[operation_id].status).get("content", {}).values()
    ):
        if not EXAMPLES[operation_id].excerpt:
            story.description.check(media["example"], media["schema"])


@pytest.mark.parametrize("operation_id", [name for name, example in EXAMPLES.items() if example.excerpt])
def test_an_excerpt_is_part_of_the_answer(story: Story, operation_id: str) -> None:
    """The part that is shown would be of another document."""
    lived = story.lived[operation_id]
    told = _told(story.description, lived.operation)
    if isinstance(told, str):
        assert told in lived.response.text
    else:
        real = yaml.safe_load(lived.response.text)
        assert {name: real[name] for name in told} == told


def test_identity_headers_are_those_of_the_story(story: Story) -> None:
    """An API behind a proxy would be told of somebody else than the example says."""
    for operation_id, example in EXAMPLES.items():
        for name, value in example.answer_headers.items():
            assert story.lived[operation_id].response.headers[name] == story.real(value)


def test_the_examples_of_errors_are_errors(story: Story) -> None:
    """A client that was written after them would not understand the real ones."""
    responses = story.description.document["components"]["responses"]
    for status, response in responses.items():
        for media in response["content"].values():
            assert media["examples"], status
            for name, example in media["examples"].items():
                story.description.check(example["value"], media["schema"])
                assert example["value"]["error"] == name
                assert str(example["value"].get("code", example["value"].get("status"))) == status


def test_both_forms_say_the_same(story: Story) -> None:
    """Two readers of one description would build two different clients."""
    assert yaml.safe_load(story.lived["getOpenapiYaml"].response.text) == story.description.document
