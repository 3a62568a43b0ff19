"""What Gemini Live means when it closes the connection: it says so in the reason, for which there are few codes.

The reason is only looked at, never passed on.
"""

from __future__ import annotations

from typing import Final

from websockets.exceptions import ConnectionClosed

from secretary.speech.contract import FailureKind, ProviderError
from secretary.speech.net import provider_error

_REASONS: Final[tuple[tuple[str, FailureKind], ...]] = (
    ("api key", "auth"),
    ("api_key", "auth"),
    ("unauthenticated", "auth"),
    ("permission", "auth"),
    ("quota", "rate_limited"),
    ("exhausted", "rate_limited"),
    ("rate limit", "rate_limited"),
    ("deadline expired", "expired"),
    ("session duration", "expired"),
    ("aborted", "expired"),
    ("not found", "refused"),
    ("not supported", "refused"),
    ("invalid", "refused"),
)
_CODES: Final[dict[int, FailureKind]] = {1007: "refused", 1008: "refused"}


def explain(error: BaseException, host: str) -> ProviderError:
    """The failure that an exception of the connection means."""
    if isinstance(error, ConnectionClosed) and error.rcvd is not None:
        code, reason = error.rcvd.code, error.rcvd.reason.lower()
        kind = next((kind for word, kind in _REASONS if word in reason), _CODES.get(code))
        if kind is not None:
            return ProviderError(f"{host} closed the connection (code {code})", kind=kind)
    return provider_error(error, host=host)
