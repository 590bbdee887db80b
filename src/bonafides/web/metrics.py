"""Prometheus metrics: a registry of this application's own, with labels that cannot grow without end."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bonafides.model import Accepted, Verdict

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counts what the server does; never by credential, user or address."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "bonafides_http_requests", "Answers.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "bonafides_http_request_seconds",
            "Time to answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._verdicts = Counter(
            "bonafides_verdicts",
            "Verdicts on presented credentials.",
            ("outcome", "kind"),
            registry=self._registry,
        )

        self._before: list[Callable[[], None]] = []

    def before_reading(self, hand_in: Callable[[], None]) -> None:
        """Call this each time before the metrics are read; the fast lane counts by itself until then."""
        self._before.append(hand_in)

    def add_answers(self, method: str, route: str, status: int, count: int) -> None:
        """So many answers were sent; those of the fast lane have no time of their own."""
        self._answers.labels(method, route, str(status)).inc(count)

    def add_accepted(self, kind: str, count: int) -> None:
        """So many credentials of a kind were accepted."""
        self._verdicts.labels("accepted", kind).inc(count)

    def count_answer(self, method: str, route: str, status: int, seconds: float) -> None:
        """An answer was sent.

        Args:
            method: Of the request; unknown ones are counted together.
            route: The path's template, never the path.
            status: Sent; 0 if the client had gone.
            seconds: From the request's head to the answer's end.
        """
        known = method if method in {"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"} else "other"
        self._answers.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_verdict(self, verdict: Verdict) -> None:
        """A credential was judged."""
        if isinstance(verdict, Accepted):
            self._verdicts.labels("accepted", str(verdict.principal.kind)).inc()
        else:
            self._verdicts.labels(str(verdict.reason), str(verdict.kind) if verdict.kind else "unknown").inc()

    def watch(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Show a figure that is read when it is asked for."""
        Gauge(name, help_text, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        for hand_in in self._before:
            hand_in()
        return generate_latest(self._registry)
