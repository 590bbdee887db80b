"""The access log: one line for a request, whichever way it was answered."""

from __future__ import annotations

from typing import Final

import structlog

from bonafides.web.exchange import Exchange

log: Final = structlog.get_logger("bonafides.access")


def note_access(
    exchange: Exchange, method: str | None, path: str | None, status: int, seconds: float | None
) -> None:
    """Write the line.

    Args:
        exchange: What is known of the request.
        method: Its method, None if it never became a request.
        path: Its path without secrets, None if it never became a request.
        status: Sent; 0 if the client had gone.
        seconds: From the request's head to the answer's end, None where nobody measured it.
    """
    principal = exchange.principal
    log.info(
        "request",
        request_id=exchange.request_id,
        method=method,
        path=path,
        status=status,
        outcome=exchange.outcome or "ok",
        address=exchange.address,
        credential_id=principal.credential_id if principal else None,
        tenant_id=principal.tenant_id if principal else None,
        milliseconds=round(seconds * 1000, 3) if seconds is not None else None,
    )
