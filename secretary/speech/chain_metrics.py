"""Counters of the chains of speech providers, for `/metrics`. Providers by name; never a tenant."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

FAILED = Counter("secretary_speech_failures", "Speech providers that could not go on with a call", ["provider", "kind"])
CHANGED = Counter("secretary_speech_takeovers", "Calls that went to the next provider", ["failed", "taken_by"])
LEFT_ALONE = Gauge("secretary_speech_left_alone", "Accesses to speech providers that this node leaves alone now")
BRIDGED = Counter("secretary_speech_bridges", "Gaps between providers that the platform's voice filled")
OPENED = Histogram(
    "secretary_speech_open_seconds",
    "How long a provider takes to take a call",
    ["provider"],
    buckets=(0.01, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 3.0),
)
