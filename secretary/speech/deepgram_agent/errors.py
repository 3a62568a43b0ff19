"""What goes wrong at Deepgram's Voice Agent, by the code of its `Error`. Its description is never passed on."""

from __future__ import annotations

import re
from typing import Any, Final

from secretary.speech.contract import FailureKind, ProviderError

_KINDS: Final[tuple[tuple[str, FailureKind], ...]] = (
    ("AUTH", "auth"),
    ("CREDENTIAL", "auth"),
    ("PERMISSION", "auth"),
    ("RATE_LIMIT", "rate_limited"),
    ("TOO_MANY", "rate_limited"),
    ("CONCURREN", "rate_limited"),
    ("EXPIRED", "expired"),
    ("DURATION", "expired"),
    ("SESSION", "expired"),
    ("GOING_AWAY", "expired"),
    ("ASR_", "unreachable"),
    ("CLIENT_MESSAGE_TIMEOUT", "unreachable"),
    ("INTERNAL_SERVER_ERROR", "unreachable"),
    ("FAILED_TO_", "unreachable"),
    ("REQUEST_FAILED", "unreachable"),
    ("SLOW", "unreachable"),
    ("INVALID", "refused"),
    ("CREDITS", "refused"),
    ("BALANCE", "refused"),
    ("UNPARSABLE", "protocol"),
)
_WORD = re.compile(r"[A-Z][A-Z0-9_-]{0,79}")


def error_of(event: dict[str, Any], host: str) -> ProviderError:
    code = str(event.get("code") or "")
    word = code if _WORD.fullmatch(code) else "an error"
    kind: FailureKind = "protocol"
    for part, meant in _KINDS:
        if part in word:
            kind = meant
            break
    return ProviderError(f"{host} reports {word}", kind=kind)
