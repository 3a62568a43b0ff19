"""PostgreSQL, Redis and the platform's processes, run in the user's own folder. Knows no Django."""

from secretary.embedded.errors import (
    AlreadyRunningError,
    CommandFailedError,
    EmbeddedError,
    MissingServerError,
    ServiceFailedError,
)
from secretary.embedded.stack import ALL, SERVERS, Stack

__all__ = [
    "ALL",
    "SERVERS",
    "AlreadyRunningError",
    "CommandFailedError",
    "EmbeddedError",
    "MissingServerError",
    "ServiceFailedError",
    "Stack",
]
