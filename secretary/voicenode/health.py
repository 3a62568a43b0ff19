"""What operators and load balancers ask a node: is it alive, does it take calls, what has it counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from eslbridge.media.node import MediaNode
from eslbridge.media.websocket_server import Answer, HttpHook


def hooks(is_ready: Callable[[], bool]) -> Mapping[str, HttpHook]:
    """HTTP paths of the media server. `/readyz` says 503 while the node takes no calls."""

    def ready() -> Answer:
        return Answer() if is_ready() else Answer(status=503, body=b"draining or full\n")

    return {
        "/livez": Answer,
        "/readyz": ready,
        "/metrics": lambda: Answer(body=generate_latest(), content_type=CONTENT_TYPE_LATEST),
    }


class MediaCollector(Collector):
    """The audio road's own integers, which are counted without a metrics library because frames touch them."""

    def __init__(self, media: MediaNode) -> None:
        self._media = media

    def collect(self) -> Iterable[Metric]:
        for name, value in self._media.counters.items():
            yield CounterMetricFamily(f"eslbridge_media_{name}", name.replace("_", " "), value=value)
        yield GaugeMetricFamily("eslbridge_media_legs", "Audio legs on the clock", value=len(self._media.clock))
        yield GaugeMetricFamily(
            "eslbridge_media_clock_lag_ms",
            "How late the media clock has been lately (ms)",
            value=self._media.clock.lag_ms,
        )
