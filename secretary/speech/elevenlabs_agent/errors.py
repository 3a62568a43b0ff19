"""What goes wrong at ElevenLabs Agents: by the type of error that it names, else by the code it closes with."""

from __future__ import annotations

import re
from typing import Any, Final

from websockets.exceptions import ConnectionClosed

from secretary.speech.contract import FailureKind, ProviderError
from secretary.speech.net import provider_error

KINDS: Final[dict[str, FailureKind]] = {
    "max_duration_exceeded": "expired",
    "websocket_disconnect": "unreachable",
    "safety_violation": "refused",
    "override_error": "refused",
    "missing_dynamic_variable": "refused",
    "missing_dynamic_variable_transfer": "refused",
    "missing_fields": "protocol",
    "invalid_message": "protocol",
    "value_error": "protocol",
    "http_exception": "refused",
}
"""Every other type is a fault on their side: a model, a voice or a recogniser that failed."""
_CODES: Final[dict[int, FailureKind]] = {1000: "expired", 1002: "unreachable", 1008: "refused", 1011: "unreachable"}
_REASONS: Final[tuple[tuple[str, FailureKind], ...]] = (
    ("quota", "rate_limited"),
    ("concurren", "rate_limited"),
    ("credit", "refused"),
    ("unauthorized", "auth"),
    ("api key", "auth"),
    ("authoriz", "auth"),
    ("authenticat", "auth"),
)
_WORD = re.compile(r"[a-z][a-z_]{0,63}")


def error_of(event: dict[str, Any], host: str) -> ProviderError:
    """What an `error` message means."""
    named = event.get("error_type")
    word = named if isinstance(named, str) and _WORD.fullmatch(named) else "an error"
    kind = KINDS.get(word) or ("unreachable" if event.get("code") in (1002, 1011) else "refused")
    hint = ": allow the overrides in the agent's security settings" if word == "override_error" else ""
    return ProviderError(f"{host} reports {word}{hint}", kind=kind)


def explain(error: BaseException, host: str) -> ProviderError:
    """What an exception of the connection means. The reason is only looked at: it is the other side's text."""
    if isinstance(error, ConnectionClosed) and error.rcvd is not None:
        code, reason = error.rcvd.code, error.rcvd.reason.lower()
        kind = next((kind for word, kind in _REASONS if word in reason), _CODES.get(code))
        if kind is not None:
            hint = ": allow the overrides in the agent's security settings" if "override" in reason else ""
            return ProviderError(f"{host} closed the connection (code {code}){hint}", kind=kind)
    return provider_error(error, host=host)
