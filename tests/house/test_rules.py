"""The rules of the house hold, and each is shown to catch what it forbids."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house import rules
from tests.house.rules import SOURCE, Offence

Rule = Callable[[Path, ast.Module], Iterator[Offence]]

# For each rule: what it must catch, and neighbours that it must let pass. Each sample is one module.
SAMPLES: dict[Rule, tuple[str, list[str], list[str]]] = {
    rules.plain_comparisons_of_secrets: (
        "web/verify.py",
        [
            "ok = presented_digest == row.digest",
            "ok = row.key_hash != b",
            "ok = record['client_secret'] == given",
            "ok = hashlib.sha256(x).hexdigest() == y",
            "ok = a == csrf_token == b",
            "ok = mac == (await store.find_token(1))",
        ],
        [
            "ok = kind == CredentialKind.BEARER_TOKEN",
            "ok = token_type_hint == 'refresh_token'",
            "ok = password == ''",
            "ok = digest in index",
            "where = credentials.c.secret_digest == digest",
            "ok = secret is None",
            "ok = count == 3",
        ],
    ),
    rules.own_clocks: (
        "verification/verifier.py",
        [
            "import time\nnow = time.time()",
            "from time import monotonic as ticks\nnow = ticks()",
            "from datetime import UTC, datetime\nnow = datetime.now(UTC)",
            "import datetime as dt\nnow = dt.datetime.utcnow()",
            "import time\ndef f(clock=time.time_ns): ...",
        ],
        [
            "def f(clock): return clock.micros()",
            "from datetime import datetime\nx = datetime.fromisoformat('2026-01-01')",
            "import time\nstarted = time.perf_counter()",
            "def f(self): return self.time.time()",
        ],
    ),
    rules.own_entropy: (
        "credentials/api_keys.py",
        [
            "import secrets\nx = secrets.token_bytes(16)",
            "from os import urandom\nx = urandom(16)",
            "import uuid\nx = uuid.uuid4()",
            "import random\nx = random.random()",
        ],
        [
            "def f(entropy): return entropy(16)",
            "import os\nx = os.environ",
            "import uuid\nx = uuid.UUID('0' * 32)",
        ],
    ),
    rules.database_clocks: (
        "store/sql.py",
        [
            "x = func.now()",
            "x = text('UPDATE t SET at = now()')",
            "x = 'DEFAULT CURRENT_TIMESTAMP'",
            "x = \"SELECT strftime('%s', 'now')\"",
        ],
        ["x = 'SELECT at FROM credentials'", '"""Nobody asks now() of the database."""', "x = func.count()"],
    ),
    rules.exception_texts: (
        "web/problems.py",
        [
            "try: f()\nexcept ValueError as e: show(str(e))",
            "try: f()\nexcept ValueError as e: show(f'wrong: {e}')",
            "try: f()\nexcept ValueError as e: show('wrong: {}'.format(e))",
            "try: f()\nexcept ValueError as e: show('wrong: %s' % e)",
            "try: f()\nexcept ValueError as e: show('wrong: %s, %s' % (1, e))",
            "try: f()\nexcept ValueError as e: show(e.args)",
            "def handle(request, exc): return repr(exc)",
            "def handle(request, failure: Exception): return f'{failure}'",
        ],
        [
            "try: f()\nexcept AppError as e: show(e.public)",
            "try: f()\nexcept ValueError as e: raise InvalidRequest('no') from e",
            "def handle(request, exc): return exc.public",
            "def handle(request, error: AppError): return b'%d' % error.retry_after_seconds",
            "def f(error: str): return f'{error}'",
        ],
    ),
    rules.assertions: (
        "credentials/api_keys.py",
        ["assert x", "def f():\n assert x, 'y'"],
        ["x = 'assert y'"],
    ),
    rules.prints: ("app.py", ["print('x')", "from pprint import pprint\npprint(x)"], ["console.print('x')"]),
    rules.logged_secrets: (
        "web/manage.py",
        [
            "log.info('issued', value=secret)",
            "self._logger.warning('refused', presented=request.api_key_digest)",
            "log.debug(token)",
        ],
        [
            "log.info('issued', credential=credential.id)",
            "catalog.info(token)",
            "log.info('the token was refused')",
        ],
    ),
    rules.request_urls: (
        "web/verify.py",
        ["x = request.url.path", "x = self.request.base_url"],
        ["x = request.scope['path']", "x = settings.base_url"],
    ),
    rules.undocumented_tests: (
        "test_sample.py",
        ["def test_x(): pass", "class TestX:\n async def test_y(self): pass"],
        ["def test_x():\n '''Somebody would lose something.'''", "def given(): pass"],
    ),
}

RULES = sorted(SAMPLES, key=lambda rule: rule.__name__)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule is not rules.undocumented_tests])
def test_the_source_keeps_every_rule(rule: Rule) -> None:
    """ASVS 11.2.4: a breach is one of the mistakes that cost other servers their users' keys, as a comparison that takes its time."""
    offences = [offence for path, tree in rules.source_files() for offence in rule(path, tree)]
    assert not offences, "\n" + "\n".join(map(str, offences))


def test_every_test_says_what_would_break() -> None:
    """A reader who meets a red test has to learn from it who is harmed."""
    offences = [
        offence
        for path in sorted((rules.REPOSITORY / "tests").rglob("test_*.py"))
        for offence in rules.undocumented_tests(path, ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not offences, "\n" + "\n".join(map(str, offences))


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_catches_what_it_forbids(rule: Rule) -> None:
    """A rule that catches nothing would stay green while the source rots."""
    place, forbidden, _ = SAMPLES[rule]
    missed = [sample for sample in forbidden if not list(rule(SOURCE / place, ast.parse(sample)))]
    assert not missed


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_cries_wolf(rule: Rule) -> None:
    """A rule that hits innocent code would be switched off by whoever is in a hurry."""
    place, _, innocent = SAMPLES[rule]
    hit = [sample for sample in innocent if list(rule(SOURCE / place, ast.parse(sample)))]
    assert not hit


@pytest.mark.parametrize(
    ("rule", "place", "sample"),
    [
        (rules.plain_comparisons_of_secrets, "secret.py", "ok = digest == other"),
        (rules.own_clocks, "app.py", "import time\nx = time.time()"),
        (rules.own_clocks, "cli.py", "import time\nx = time.time()"),
        (rules.own_entropy, "app.py", "import os\nx = os.urandom"),
        (rules.prints, "cli.py", "print('x')"),
        (rules.prints, "cli/keys.py", "print('x')"),
        (rules.exception_texts, "cli.py", "try: f()\nexcept ValueError as e: show(str(e))"),
    ],
)
def test_each_rule_spares_the_file_that_owns_the_matter(rule: Rule, place: str, sample: str) -> None:
    """Somebody has to read the real clock, and print; the rule must leave that one place alone."""
    assert not list(rule(SOURCE / place, ast.parse(sample)))
