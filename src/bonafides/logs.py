"""Structured logs on standard error, with every secret made unreadable before a line is written."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from bonafides.secret import redact

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


def configure_logs(*, form: str, level: str) -> None:
    """Send every log line of this process, ours and the libraries', through one redacting pipeline.

    Args:
        form: `json` for lines of JSON, `console` for a person.
        level: The least severe line that is written.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # The console's renderer takes a traceback as text alone.
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        )
        if form == "json"
        else structlog.processors.format_exc_info,
        redact_event,
    ]
    renderers: list[Any] = (
        [structlog.processors.JSONRenderer()]
        if form == "json"
        else [printable_event, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    # What uvicorn only warns of is logged by us, as a request with an id and an outcome.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401
    """A structlog processor: the event without secrets, however deep they lie."""
    return {key: _redacted(value) for key, value in event.items()}


def printable_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401
    """A structlog processor: no text of the event moves a terminal's cursor; a traceback alone has lines."""
    shown = {key: _printable(value) if isinstance(value, str) else value for key, value in event.items()}
    if isinstance(event.get("exception"), str):
        shown["exception"] = "\n".join(map(_printable, event["exception"].split("\n")))
    return shown


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _redacted(value: Any) -> Any:  # noqa: ANN401 - any loggable value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, bytes):
        return redact(value.decode("latin-1"))
    if isinstance(value, dict):
        return {key: _redacted(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(part) for part in value]
    return value
