"""Requests that schemathesis makes up, sent as somebody, and their answers held against the description."""

from __future__ import annotations

import base64
import itertools
import os
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
import schemathesis
from schemathesis import Case, CheckContext, CheckFunction, Config, Response
from schemathesis.config import (
    CoveragePhaseConfig,
    ExamplesPhaseConfig,
    GenerationConfig,
    HealthCheck,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
)
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.meta import TestPhase
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.described import Description, Operation
from tests.serving import RunningServer

EXAMPLES: Final = int(os.environ.get("BONAFIDES_EXAMPLES", "15"))
"""Made-up requests for an operation, beside those at the edges of its schema, which are all sent where they are read."""

SEED: Final = int(os.environ.get("BONAFIDES_SEED", "1"))
SECONDS_MAX: Final = 300 if EXAMPLES <= 25 else 3_600

EDGES_MAX: Final = 30 if EXAMPLES <= 25 else 1_000_000
"""Of a body with thirty fields there are hundreds of edges: of those past this, a third is sent, which ones by the seed."""

PROBES_OF_AUTHENTICATION: Final = 2
"""Each is five requests more: without a credential, and with a bad one in each header."""

_CLAIM: Final = "Idempotency-Key"

CLIENT_MISTAKES: Final = frozenset(
    {
        "audiences",
        "client_uri",
        "grant_types",
        "jwks",
        "jwks_uri",
        "logo_uri",
        "policy_uri",
        "post_logout_redirect_uris",
        "redirect_uris",
        "require_pkce",
        "response_types",
        "scopes",
        "token_endpoint_auth_method",
        "tos_uri",
    }
)
"""What a client says of itself has to go together."""

CALLERS_MISTAKES: Final[Mapping[str, frozenset[str]]] = {
    "createApiKey": frozenset(
        {"allowed_ips", "expires_at", "expires_in", "metadata", "plan", "scopes", "user_id"}
    ),
    "changeApiKey": frozenset({"allowed_ips", "expires_at", "expires_in", "metadata", "plan", "scopes"}),
    "createUser": frozenset({"email", "name", "role", "scopes"}),
    "changeUser": frozenset({"email", "role", "scopes"}),
    "createClient": frozenset({*CLIENT_MISTAKES, "tenant_id"}),
    "changeClient": CLIENT_MISTAKES,
    "registerClient": frozenset({"Authorization"}),
    "getRegistration": frozenset({"Authorization"}),
    "changeRegistration": frozenset({"Authorization"}),
    "deleteRegistration": frozenset({"Authorization"}),
    "createRegistrationToken": frozenset({"scopes", "tenant_id"}),
    "listRegistrationTokens": frozenset({"cursor"}),
    "createClientSecret": frozenset({"expires_at", "expires_in"}),
    "listClients": frozenset({"cursor"}),
    "requestToken": frozenset({"body", "client_secret", "grant_type"}),
    "pushAuthorizationRequest": frozenset({"body", "client_secret"}),
    "beginDeviceAuthorization": frozenset({"body", "client_secret"}),
    "revokeToken": frozenset({"body", "client_secret", "token"}),
    "createTenant": frozenset({"plan"}),
    "changeTenant": frozenset({"plan"}),
    "verifyCredential": frozenset({"ip"}),
    "introspect": frozenset({"ip"}),
    "createPersonalAccessToken": frozenset({"expires_at", "expires_in", "scopes"}),
    "createAccountToken": frozenset({"expirationDate"}),
    "exchangeApiKey": frozenset({"apikey", "scope"}),
    "refreshTokens": frozenset({"refresh_token", "Origin"}),
    "logIn": frozenset({"Origin"}),
    "logOut": frozenset({"Authorization"}),
    "finishLogIn": frozenset({"Origin", "code"}),
    "addPasskey": frozenset({"credential"}),
    "logInByPasskey": frozenset({"Origin"}),
    "stepUp": frozenset({"Authorization", "Origin"}),
    "changePassword": frozenset({"new_password"}),
    "resetPassword": frozenset({"new_password"}),
    "startPasswordReset": frozenset({"user_id"}),
    "inviteUser": frozenset({"user_id"}),
    "getNotifications": frozenset({"user_id"}),
    "changeNotifications": frozenset({"user_id"}),
    "listBearerTokens": frozenset({"cursor"}),
    "listPersonalAccessTokens": frozenset({"cursor"}),
    "listAccountTokens": frozenset({"cursor"}),
    "listSessions": frozenset({"cursor"}),
    "listConsents": frozenset({"cursor"}),
    "listGrants": frozenset({"cursor"}),
    "listApiKeys": frozenset({"cursor"}),
    "listUsers": frozenset({"cursor"}),
    "listTenants": frozenset({"cursor"}),
    "listPlans": frozenset({"cursor"}),
    "listAuditEvents": frozenset({"cursor"}),
    "createWebhook": frozenset({"tenant_id", "url"}),
    "changeWebhook": frozenset({"url"}),
    "listWebhooks": frozenset({"cursor"}),
    "listWebhookDeliveries": frozenset({"cursor"}),
    "listAuditEventsAlias": frozenset({"cursor"}),
}
"""Fields for whose values a schema cannot say all: what is in the past, unknown, or does not go with another."""

BY_PASSWORD: Final = frozenset(
    {
        "logIn",
        "finishLogIn",
        "stepUp",
        "refreshTokens",
        "logOut",
        "changePassword",
        "resetPassword",
        "addFactor",
        "confirmFactor",
        "renewRecoveryCodes",
        "removeFactor",
        "beginPasskey",
        "addPasskey",
        "renameFactor",
        "logInByPasskey",
        "askForStepUp",
        "requestToken",
        "pushAuthorizationRequest",
        "beginDeviceAuthorization",
        "revokeToken",
        "registerClient",
        "getRegistration",
        "changeRegistration",
        "deleteRegistration",
    }
)
"""Calls that succeed with a password, or what was made by one, which nobody makes up."""

UNMET: Final = frozenset(
    {
        "getDenial",
        "getSession",
        "endSession",
        "getConsent",
        "withdrawConsent",
        "getGrant",
        "endGrant",
        "rotateSigningKeys",
        "resetFactors",
        "resendWebhookDelivery",
        "getUserinfo",
        "postUserinfo",
    }
)
"""Calls about what comes of requests and logins alone, of which there are none to aim at here."""

Target = Callable[[], str]
AnyCase = Case[Any]


class Prober:
    """Sends cases as one caller.

    Made-up ids name nothing, and so never get behind the door; most cases are therefore aimed at something
    that is there, which one depends on the case alone, so that it can be repeated.

    Args:
        server: Where to.
        credential: The caller's, None for nobody.
        targets: For each operation, a thing that it may be aimed at, by the name of the parameter
            or of the field.
        sends_edges_of: Of which calls. A call that is refused before anything of it is read has none, and one that is
            open to everybody has the same for all.
    """

    def __init__(
        self,
        server: RunningServer,
        credential: str | None,
        targets: Mapping[str, Mapping[str, Target]],
        sends_edges_of: Callable[[Operation], bool],
    ) -> None:
        self.server = server
        self.description = Description(server.client().get("/openapi.json").json())
        self.statuses: dict[str, Counter[int]] = {}
        self._claims = counting("probe")
        self._credential = credential
        self._sends_edges_of = sends_edges_of
        self._targets = targets
        self._session = requests.Session()
        self._session.trust_env = False
        self._schema = self._load(edges=True)
        self._unread = self._load(edges=False)
        self._operations = {(each.method, each.path): each for each in self.description.operations()}

    def run(self, operation_id: str) -> None:
        """Send every case of an operation: at the edges of its schema, and made up at random from the seed."""
        schema = self._schema
        found = schema.find_operation_by_id(operation_id)
        if not self._sends_edges_of(self._operations[found.method.upper(), found.path]):
            schema = self._unread
            found = schema.find_operation_by_id(operation_id)
        build_operation_test(
            config=schema.config,
            operation=found,
            test_func=self._send,
            given_kwargs={},
            feedback=NO_FEEDBACK,
        )()

    def _send(self, case: AnyCase) -> None:
        self.probe(case)

    def probe(self, case: AnyCase) -> None:
        """Send a case; fail where anything of the answer is not as declared."""
        operation = self._operations[case.operation.method.upper(), case.operation.path]
        chance = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
        at_edge = case.meta is not None and case.meta.phase.name is TestPhase.COVERAGE
        if at_edge and self._sent(operation.id) >= EDGES_MAX and (chance // 16 + SEED) % 3:
            return
        self._aim(case, operation.id, chance)
        headers = self._present(chance)
        response = case.call(self.server.url, session=self._session, headers=headers, timeout=20)
        seen = self.statuses.setdefault(operation.id, Counter())
        seen[response.status_code] += 1
        excluded: list[CheckFunction] = [positive_data_acceptance]
        if seen.total() and sum(n for status, n in seen.items() if status < 300) > PROBES_OF_AUTHENTICATION:
            excluded.append(ignored_auth)
        case.validate_response(
            response,
            additional_checks=[self._is_closed(operation), self._is_taken(operation)],
            excluded_checks=excluded,
            headers=headers or None,
            transport_kwargs={"base_url": self.server.url, "session": self._session, "headers": headers},
        )

    def _load(self, *, edges: bool) -> OpenApiSchema:
        generation = GenerationConfig(
            max_examples=EXAMPLES, with_security_parameters=self._credential is None, database="none"
        )
        # The description's own examples are sent by tests/docs; here, hypothesis would fill them up for as long as all else takes.
        phases = PhasesConfig(
            examples=ExamplesPhaseConfig(enabled=False), coverage=CoveragePhaseConfig(enabled=edges)
        )
        config = Config(
            seed=SEED,
            suppress_health_check=[HealthCheck.all],
            projects=ProjectsConfig(default=ProjectConfig(generation=generation, phases=phases)),
        )
        schema: OpenApiSchema = schemathesis.openapi.from_dict(dict(self.description.document), config=config)
        return schema

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _sent(self, operation_id: str) -> int:
        return self.statuses.get(operation_id, Counter()).total()

    def _aim(self, case: AnyCase, operation_id: str, chance: int) -> None:
        targets = self._targets.get(operation_id, {})
        allowed = case.meta is not None and case.meta.generation.mode.is_positive
        if chance % 4:
            for name, target in targets.items():
                if name in case.path_parameters:
                    case.path_parameters[name] = target()
                elif allowed and isinstance(case.body, dict) and name in case.body:
                    case.body[name] = target()
            if allowed and _CLAIM in case.headers:
                # The same one each time would get behind the door once.
                case.headers[_CLAIM] = self._claims()

    def _present(self, chance: int) -> dict[str, str]:
        """The credential in one of its four ways."""
        if self._credential is None:
            return {}
        pair = base64.b64encode(f"{self._credential}:".encode()).decode()
        ways = (
            {"Authorization": f"Bearer {self._credential}"},
            {"Authorization": self._credential},
            {"X-API-Key": self._credential},
            {"Authorization": f"Basic {pair}"},
        )
        return ways[chance // 4 % len(ways)]

    def _is_closed(self, operation: Operation) -> CheckFunction:
        """A check that an answer holds nothing that is not declared: no status, header, type or field."""

        def holds_nothing_undeclared(_: CheckContext, response: Response, case: AnyCase) -> bool | None:
            if case.method.upper() != operation.method:
                assert response.status_code == 405
                return None
            headers = {name.lower(): ", ".join(values) for name, values in response.headers.items()}
            self.description.check_parts(operation, response.status_code, headers, response.content)
            return None

        return holds_nothing_undeclared

    def _is_taken(self, operation: Operation) -> CheckFunction:
        """A check that what the schema allows is refused for nothing but what a schema cannot say."""

        def takes_what_the_schema_allows(_: CheckContext, response: Response, case: AnyCase) -> bool | None:
            if (
                self._credential is None
                or response.status_code not in {400, 413, 415}
                or case.meta is None
                or not case.meta.generation.mode.is_positive
            ):
                return None
            error: dict[str, Any] = response.json()
            field = error.get("field", "").partition(".")[0]
            told = field in CALLERS_MISTAKES.get(operation.id, frozenset()) or "NUL" in error["message"]
            assert told, f"what the schema allows was refused: {error['message']}"
            return None

        return takes_what_the_schema_allows


def counting(prefix: str) -> Callable[[], str]:
    """Names that were never given before."""
    numbers = itertools.count()
    return lambda: f"{prefix}-{next(numbers)}"
