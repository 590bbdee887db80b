"""Signing keys are turned over while tokens are made and verified: nobody is refused, here or at an API that verifies by itself."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import jwt
import pytest
from joserfc import jwk, jws
from joserfc.errors import BadSignatureError

from tests.nodejs import Script, has
from tests.serving import RunningServer, running, settings_for
from tests.web.oauth import app_of

ISSUER = "https://api.example.com"
ROTATIONS = 4
ROUNDS = 5
"""Of everybody, between one rotation and the next."""
SECONDS_MAX = 60.0


class Crowd:
    """Everybody who makes or verifies tokens meanwhile, each in a thread.

    Args:
        works: What each of them does again and again; raises where it fails.
    """

    def __init__(self, *works: Callable[[], None]) -> None:
        self._rounds = [0] * len(works)
        self._failures: list[BaseException] = []
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=each, daemon=True) for each in enumerate(works)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        assert self._failures == []

    def go_on(self) -> None:
        """Return once everybody has done their work some more times, or somebody has failed."""
        wanted = [done + ROUNDS for done in self._rounds]
        deadline = time.monotonic() + SECONDS_MAX
        while not self._failures and any(
            done < enough for done, enough in zip(self._rounds, wanted, strict=True)
        ):
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def _repeat(self, position: int, work: Callable[[], None]) -> None:
        try:
            while not self._ended.is_set():
                work()
                self._rounds[position] += 1
        except BaseException as error:  # noqa: BLE001 - shown to the test
            self._failures.append(error)


class Joserfc:
    """An API that keeps the key set for as long as it may, and asks for no other in between."""

    def __init__(self, server: RunningServer) -> None:
        self._client = server.client()
        self.renew()

    def renew(self) -> None:
        """Fetch the key set."""
        self._keys = jwk.KeySet.import_key_set(self._client.get("/.well-known/jwks.json").json())

    def verify(self, token: str) -> None:
        """Raise unless the signature is good."""
        assert self.accepts(token)

    def accepts(self, token: str) -> bool:
        """Whether the signature is good."""
        try:
            jws.deserialize_compact(token, self._keys, algorithms=["EdDSA"], registry=REGISTRY)
        except BadSignatureError:
            return False
        return True


class Jose:
    """An API on Node.js, with the library that most of them use."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._one_by_one = threading.Lock()
        self.renew()

    def renew(self) -> None:
        """Fetch the key set."""
        self.verify("")

    def verify(self, token: str) -> None:
        """Raise unless the signature is good, and what the token says of its issuer and audience."""
        with self._one_by_one:
            assert self._script.ask(token) == "ok"

    def accepts(self, token: str) -> bool:
        """Whether the signature is good."""
        with self._one_by_one:
            return not self._script.ask(token).startswith("ERR_JWS_SIGNATURE_VERIFICATION_FAILED")


LIBRARIES = ["PyJWT", "joserfc", *(["jose"] if has("jose") else [])]
"""That fetch the key set; jose only where Node.js is, and the run's name says which there were."""
REGISTRY = jws.JWSRegistry(algorithms=["EdDSA"])


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("libraries", [pytest.param(LIBRARIES, id=", ".join(LIBRARIES))])
def test_nobody_is_refused_while_signing_keys_are_turned_over(tmp_path: Path, libraries: list[str]) -> None:
    """ASVS 13.3.4, ASVS 9.1.1: a rotation that logs people out is put off until the key has leaked."""
    settings = settings_for(f"sqlite:///{tmp_path / 'bonafides.db'}", tmp_path, public_url=ISSUER)
    with running(settings) as server, contextlib.ExitStack() as beside:
        server.create_plan("enterprise")
        server.create_plan("free")
        shop = app_of(server.admin, server, access_token_format="jwt")
        body = {"username": "admin@example.com", "password": server.founded.password}
        made: list[str] = []
        numbers = itertools.count()

        maker, asker = server.client(), server.client()

        def make() -> None:
            if next(numbers) % 2:
                answer = maker.post("/v1/auth/login", json=body)
            else:
                answer = maker.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=shop.auth)
            told = answer.json()
            made.append(told.get("token") or told["access_token"])

        def asked() -> None:
            headers = {"Authorization": f"Bearer {chosen()}"}
            answer = asker.get("/v1/auth/verify", headers=headers)
            assert answer.status_code == 200, answer.text

        stock = jwt.PyJWKClient(f"{server.url}/.well-known/jwks.json")

        def by_pyjwt() -> None:
            token = chosen()
            options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
            key = stock.get_signing_key_from_jwt(token)
            jwt.decode(token, key, algorithms=["EdDSA"], audience=ISSUER, options=options)

        def chosen() -> str:
            # The newest one is not known to memory yet, and its key perhaps to nobody.
            return made[-1] if random.random() < 0.5 else random.choice(made)

        keepers: list[Joserfc | Jose] = [Joserfc(server)]
        if "jose" in libraries:
            started = Script("jose.mjs", f"{server.url}/.well-known/jwks.json", ISSUER)
            keepers.append(Jose(beside.enter_context(started)))

        def by(keeper: Joserfc | Jose) -> Callable[[], None]:
            return lambda: keeper.verify(chosen())

        make()
        with Crowd(make, asked, by_pyjwt, *map(by, keepers)) as crowd:
            for _ in range(ROTATIONS):
                crowd.go_on()
                server.clock.advance(300)
                turned = server.admin.post("/v1/signing-keys/rotate")
                assert turned.status_code == 200, turned.text
                # All that they kept has run out since: so they have the next key before it signs, and never later.
                stock.get_jwk_set(refresh=True)
                for keeper in keepers:
                    keeper.renew()
            crowd.go_on()
            kids = {jwt.get_unverified_header(token)["kid"] for token in made}
        assert len(kids) == ROTATIONS + 1
        forged = made[0].rpartition(".")[0] + "." + made[-1].rpartition(".")[2]
        for keeper in keepers:
            assert not keeper.accepts(forged)
