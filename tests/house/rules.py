"""The rules of the house that no off-the-shelf linter knows, each a function from a syntax tree to its offences."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typing_extensions import override

REPOSITORY: Final = Path(__file__).parents[2]
SOURCE: Final = REPOSITORY / "src" / "bonafides"

# A name is secret if its last word is one of these: `api_key_digest` is, `token_type_hint` is not.
_SECRET_WORDS: Final = frozenset(
    {"apikey", "digest", "hash", "hexdigest", "hmac", "password", "pepper", "secret", "signature", "token"}
)
_CLOCKS: Final = frozenset(
    {
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "time.gmtime",
        "time.localtime",
        "time.monotonic",
        "time.monotonic_ns",
        "time.time",
        "time.time_ns",
    }
)
_ENTROPY: Final = re.compile(r"(secrets|random)\.\w+|os\.(urandom|getrandom)|uuid\.uuid[14]")
_DATABASE_CLOCK: Final = re.compile(
    r"\b(now|datetime|julianday|unixepoch|strftime|clock_timestamp|statement_timestamp|transaction_timestamp)\s*\("
    r"|\bCURRENT_(TIMESTAMP|DATE|TIME)\b",
    re.IGNORECASE,
)
_LOG_METHODS: Final = frozenset({"critical", "debug", "error", "exception", "info", "log", "msg", "warning"})
_EXCEPTION_NAMES: Final = frozenset({"err", "error", "exc", "exception"})


@dataclass(frozen=True, slots=True)
class Offence:
    """A line that breaks a rule, and what to do instead."""

    path: Path
    line: int
    advice: str

    @override
    def __str__(self) -> str:
        """Show as `file:line advice`, which terminals make clickable."""
        path = self.path.relative_to(REPOSITORY) if self.path.is_relative_to(REPOSITORY) else self.path
        return f"{path}:{self.line} {self.advice}"


def source_files() -> Iterator[tuple[Path, ast.Module]]:
    """Every module of the product with its syntax tree."""
    for path in sorted(SOURCE.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"), str(path))


def plain_comparisons_of_secrets(path: Path, tree: ast.Module) -> Iterator[Offence]:
    """`==` on a secret or digest takes longer the more of it is right, and so gives it away bit by bit."""
    if path == SOURCE / "secret.py":
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        for (left, right), operator in zip(itertools.pairwise(sides), node.ops, strict=True):
            if not isinstance(operator, ast.Eq | ast.NotEq) or _is_empty(left) or _is_empty(right):
                continue
            if _is_column(left) or _is_column(right):
                continue
            if _is_secret(left) or _is_secret(right):
                yield Offence(
                    path,
                    node.lineno,
                    "compare secrets and digests with secret.same, which takes constant time",
                )


def own_clocks(path: Path, tree: ast.Module) -> Iterator[Offence]:
    """A room with a clock of its own cannot be tested at the edge of an expiry, nor moved in time."""
    if _is_entry(path):
        return
    for line, name in _foreign_names(tree):
        if name in _CLOCKS:
            yield Offence(path, line, f"{name}: take the Clock as an argument; app.py owns the real one")


def own_entropy(path: Path, tree: ast.Module) -> Iterator[Offence]:
    """Randomness from anywhere but app.py may be a weak one, and cannot be replayed by a test."""
    if _is_entry(path):
        return
    for line, name in _foreign_names(tree):
        if _ENTROPY.fullmatch(name):
            yield Offence(path, line, f"{name}: take Entropy as an argument; app.py owns the real one")


def database_clocks(path: Path, tree: ast.Module) -> Iterator[Offence]:
    """A database's clock is a second one: an expiry judged by it differs from one judged by ours."""
    if not path.is_relative_to(SOURCE / "store"):
        return
    documentation = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"func.now", "sa.func.now"}:
            yield Offence(path, node.lineno, "pass the time as a parameter, not func.now()")
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node not in documentation
            and _DATABASE_CLOCK.search(node.value)
        ):
            yield Offence(path, node.lineno, "pass the time as a parameter; this asks the database for it")


def exception_texts(path: Path, tree: ast.Module) -> Iterator[Offence]:
    """What an exception says is written for us: statements, file names and values, none for a client."""
    if not path.is_relative_to(SOURCE / "web"):
        return
    for scope in ast.walk(tree):
        for name in _exceptions_of(scope):
            for node in ast.walk(scope):
                if _shows(node, name):
                    yield Offence(path, node.lineno, f"never show the text of {name}; show AppError.public")  # type: ignore[attr-defined]


def assertions(path: Path, tree: ast.Module) -> Iterator[Offence]:
    """`python -O` removes assertions, and with them the check that one of them was."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield Offence(path, node.lineno, "raise an exception; assert vanishes under python -O")


def prints(path: Path, tree: ast.Module) -> Iterator[Offence]:
    """Printed lines carry no request id, no level and no redaction."""
    if _is_command_line(path):
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"print", "pprint"}
        ):
            yield Offence(path, node.lineno, "log it, or return it; only the command line prints")


def logged_secrets(path: Path, tree: ast.Module) -> Iterator[Offence]:
    """A secret in a log is a secret in every place that logs are copied to."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        receiver = _last_name(node.func.value) or ""
        if node.func.attr not in _LOG_METHODS or not re.search(r"(^|_)log(ger)?$", receiver, re.IGNORECASE):
            continue
        for value in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if _is_secret(value):
                yield Offence(path, node.lineno, "log the credential's id, never a secret or its digest")


def request_urls(path: Path, tree: ast.Module) -> Iterator[Offence]:
    """`request.url` is assembled from the Host header, which is the attacker's (CVE-2026-48710)."""
    if not path.is_relative_to(SOURCE / "web"):
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr in {"url", "base_url"}
            and _last_name(node.value) == "request"
        ):
            yield Offence(path, node.lineno, "read scope['path']; request.url comes from the Host header")


def undocumented_tests(path: Path, tree: ast.Module) -> Iterator[Offence]:
    """A test that does not say what would break for whom is deleted or weakened by the next who meets it red."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")):
            continue
        if not ast.get_docstring(node):
            yield Offence(path, node.lineno, f"{node.name}: say in a docstring what would break for whom")


def _is_command_line(path: Path) -> bool:
    return path == SOURCE / "cli.py" or path.is_relative_to(SOURCE / "cli")


def _is_entry(path: Path) -> bool:
    return path == SOURCE / "app.py" or _is_command_line(path)


def _last_name(node: ast.expr) -> str | None:
    """The name by which a reader knows the value: `x.api_key_digest` → `api_key_digest`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return _last_name(function)
        case ast.Await(value=value):
            return _last_name(value)
        case ast.Subscript(value=value, slice=key):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                return key.value
            return _last_name(value)
        case _:
            return None


def _is_secret(node: ast.expr) -> bool:
    name = _last_name(node)
    # Capitals name constants and classes (CredentialKind.BEARER_TOKEN), which are not secret.
    return name is not None and name == name.lower() and name.rsplit("_", 1)[-1] in _SECRET_WORDS


def _is_column(node: ast.expr) -> bool:
    """Whether it is `table.c.name`, so that `==` compares nothing but writes an SQL condition."""
    return (
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "c"
    )


def _is_empty(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _foreign_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Names of imported things as they are used, in full: `from time import time as t; t()` → `time.time`."""
    meaning: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                meaning[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                meaning[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            first, *rest = ast.unparse(node).split(".")
            if first in meaning:
                yield node.lineno, ".".join([meaning[first], *rest])


def _docstrings(tree: ast.Module) -> frozenset[ast.AST]:
    """Strings that stand alone as statements: prose about the code, which no database reads."""
    return frozenset(node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))


def _exceptions_of(scope: ast.AST) -> Iterator[str]:
    if isinstance(scope, ast.ExceptHandler) and scope.name:
        yield scope.name
    elif isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        for parameter in [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]:
            annotation = ast.unparse(parameter.annotation) if parameter.annotation else ""
            if (
                parameter.arg in _EXCEPTION_NAMES and not re.fullmatch(r"str|int|None|bytes", annotation)
            ) or re.search(r"(Error|Exception)\b", annotation):
                yield parameter.arg


def _shows(node: ast.AST, exception: str) -> bool:
    def is_it(value: ast.AST) -> bool:
        return isinstance(value, ast.Name) and value.id == exception

    match node:
        case ast.Call(func=ast.Name(id="str" | "repr" | "format"), args=arguments):
            return any(is_it(argument) for argument in arguments)
        case ast.Call(func=ast.Attribute(attr="format"), args=arguments, keywords=keywords):
            return any(is_it(value) for value in [*arguments, *(keyword.value for keyword in keywords)])
        case ast.FormattedValue(value=value):
            return is_it(value)
        case ast.BinOp(op=ast.Mod(), right=value):
            return any(is_it(part) for part in (value.elts if isinstance(value, ast.Tuple) else [value]))
        case ast.Attribute(value=value, attr="args" | "__str__" | "__repr__"):
            return is_it(value)
        case _:
            return False
