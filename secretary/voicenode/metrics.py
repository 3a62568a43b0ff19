"""Counters of the voice node, for `/metrics`."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

CALLS = Gauge("secretary_calls", "Calls in conversation on this node")
RECEIVED = Counter("secretary_calls_received", "Calls that the switch handed to this node")
REFUSED = Counter("secretary_calls_refused", "Calls given back to the dialplan before an answer", ["reason"])
ENDED = Counter("secretary_calls_ended", "Conversations by how they ended", ["outcome"])
GREETING = Histogram(
    "secretary_greeting_seconds",
    "From the switch's connection to the greeting's first voice",
    buckets=(0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5),
)
LIVE_DROPPED = Counter("secretary_live_messages_dropped", "Live-view messages that Redis did not take in time")
RECORDS_LOST = Counter("secretary_call_records_unwritten", "Call records that PostgreSQL did not take")
