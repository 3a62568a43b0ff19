"""What goes wrong at OpenAI Realtime, by the code that it gives. Its message is never passed on: it may quote a key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from secretary.speech.contract import FailureKind, ProviderError

KINDS: Final[Mapping[str, FailureKind]] = {
    "invalid_api_key": "auth",
    "authentication_error": "auth",
    "permission_error": "auth",
    "missing_scope": "auth",
    "session_expired": "expired",
    "rate_limit_exceeded": "rate_limited",
    "rate_limit_error": "rate_limited",
    "tokens": "rate_limited",
    "requests": "rate_limited",
    "insufficient_quota": "refused",
    "billing_hard_limit_reached": "refused",
    "model_not_found": "refused",
    "content_filter": "refused",
    "server_error": "unreachable",
    "internal_error": "unreachable",
    "service_unavailable": "unreachable",
    "overloaded": "unreachable",
}
HARMLESS: Final = frozenset(
    {
        "response_cancel_not_active",
        "conversation_already_has_active_response",
        "input_audio_buffer_commit_empty",
        "item_truncate_invalid_item_id",
        "item_not_found",
    }
)
OURS: Final = frozenset({"cancel", "truncate", "commit", "clear", "item"})
"""Events of ours that may fail without harm, by what the `event_id` that we give them begins with."""
_WORD = re.compile(r"[a-z][a-z0-9_.]{0,63}")


def is_ours(event_id: object) -> bool:
    """Whether an error is about something that may fail without harm."""
    return isinstance(event_id, str) and event_id.partition("-")[0] in OURS


def words_of(error: Mapping[str, object]) -> list[str]:
    """Code and type, if they look like such: an error text is not let through."""
    found = [error.get("code"), error.get("type")]
    return [word for word in found if isinstance(word, str) and _WORD.fullmatch(word)]


def error_of(error: Mapping[str, object], host: str) -> ProviderError:
    """The failure that an error object means."""
    words = words_of(error)
    for word in words:
        if word in KINDS:
            return ProviderError(f"{host} reports {word}", kind=KINDS[word])
    kind: FailureKind = "refused" if "invalid_request_error" in words else "protocol"
    return ProviderError(f"{host} reports {' '.join(words) or 'an error without a code'}", kind=kind)
