"""Prometheus metrics: a registry of this application's own, with labels that cannot grow without end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from operator import add
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from typing_extensions import override

from bonafides.model import Accepted, Verdict

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

MEMORY_TRUSTED: Final = "bonafides_memory_trusted"
COUNTED_SUBJECTS: Final = "bonafides_counted_subjects"
_LEAST: Final = frozenset({MEMORY_TRUSTED})
_MOST: Final = frozenset({COUNTED_SUBJECTS})

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


GatherMetrics = Callable[[], Awaitable[bytes]]
"""Everything that is counted, in Prometheus' text format."""


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

        # Found once for each kind of answer: to ask for them takes longer than to count.
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
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
        counted = self._counted.get((known, route, status))
        if counted is None:
            counted = (self._answers.labels(known, route, str(status)), self._seconds.labels(route))
            self._counted[known, route, status] = counted
        answers, times = counted
        answers.inc()
        times.observe(seconds)

    def count_verdict(self, verdict: Verdict) -> None:
        """A credential was judged."""
        if isinstance(verdict, Accepted):
            self._verdicts.labels("accepted", str(verdict.principal.kind)).inc()
        else:
            self._verdicts.labels(str(verdict.reason), str(verdict.kind) if verdict.kind else "unknown").inc()

    def watch(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Show a figure that is read when it is asked for."""
        Gauge(name, help_text, registry=self._registry).set_function(value)

    async def told(self) -> bytes:
        """The same as `text`, for who would wait for it."""
        return self.text()

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        for hand_in in self._before:
            hand_in()
        return generate_latest(self._registry)


class Totals:
    """Sums what several processes have counted, without going back when one of them ends.

    Counters and histograms of a process that ended are kept in the sum; its gauges are not.
    """

    def __init__(self) -> None:
        self._latest: dict[int, list[Metric]] = {}
        self._ended: list[Metric] = []

    def text(self, answers: Mapping[int, bytes | None]) -> bytes:
        """The sum in Prometheus' text format.

        Args:
            answers: Each running process's metrics by its number; None for one that did not answer, for
                which its last answer stands.
        """
        for number in set(self._latest) - set(answers):
            lasting = [metric for metric in self._latest.pop(number) if metric.type != "gauge"]
            self._ended = _summed([self._ended, lasting])
        for number, answer in answers.items():
            if answer is not None:
                self._latest[number] = list(text_string_to_metric_families(answer.decode("utf-8")))
        registry = CollectorRegistry()
        registry.register(_Collected(_summed([self._ended, *self._latest.values()])))
        return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    @override
    def collect(self) -> list[Metric]:
        return self._metrics


def _summed(processes: Iterable[Iterable[Metric]]) -> list[Metric]:
    metrics: dict[str, Metric] = {}
    samples: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for metric in (metric for process in processes for metric in process):
        if metric.name not in metrics:
            metrics[metric.name] = Metric(metric.name, metric.documentation, metric.type)
        values = samples.setdefault(metric.name, {})
        for sample in metric.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            known = values.get(key)
            values[key] = sample.value if known is None else _together(sample.name)(known, sample.value)
    for name, values in samples.items():
        for (sample_name, labels), value in values.items():
            metrics[name].add_sample(sample_name, dict(labels), value)
    return list(metrics.values())


def _together(name: str) -> Callable[[float, float], float]:
    """What a figure of two processes is: the sum, but for when counting began, and for what they share."""
    if name.endswith("_created") or name in _LEAST:
        return min
    return max if name in _MOST else add
