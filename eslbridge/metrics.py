"""What is counted of the traffic with switches. Nothing here is touched per audio frame or per ordinary event."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ESL_CALLS_OPEN = Gauge("eslbridge_esl_calls_open", "Outbound connections that FreeSWITCH has open to this process")
ESL_CALLS = Counter("eslbridge_esl_calls", "Outbound connections that became calls")
ESL_DROPPED = Counter("eslbridge_esl_dropped", "Event Socket connections given up, by reason", ["reason"])
ESL_LISTENER_CLOSED = Counter("eslbridge_esl_listener_closed", "How often the outbound listener closed for being full")
ESL_SETUP_SECONDS = Histogram(
    "eslbridge_esl_setup_seconds",
    "From FreeSWITCH's connection to the channel's data",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0),
)
ESL_COMMANDS_FAILED = Counter("eslbridge_esl_commands_failed", "Commands refused, failed or late", ["reason"])
ESL_CALLBACK_ERRORS = Counter("eslbridge_esl_callback_errors", "Exceptions in somebody's event callback")
ESL_CLIENT_CONNECTS = Counter("eslbridge_esl_client_connects", "Connections made to switches, by result", ["result"])
ESL_CLIENT_EVENTS_DROPPED = Counter("eslbridge_esl_client_events_dropped", "Events a client's queue had no room for")
