"""Why a request did not happen, or has no response. `reason` is a fixed word for logs and tables."""

from __future__ import annotations


class EgressError(Exception):
    """`reason` in one word; the message is for people and names no internal address."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class BlockedError(EgressError):
    """Not allowed, whoever asks: `bad_url`, `port`, `address`. Nothing was sent. Trying again does not help."""


class UnreachableError(EgressError):
    """No connection: `resolve`, `connect`, `tls`. Nothing of the request was sent."""


class EgressTimeout(EgressError):
    """Out of time. The request may have been understood all the same."""

    def __init__(self, message: str = "The receiver took too long.") -> None:
        super().__init__("timeout", message)


class ResponseError(EgressError):
    """The other side does not speak HTTP properly (`protocol`), or says too much (`too_large`)."""
