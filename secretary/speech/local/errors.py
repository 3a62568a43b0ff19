"""What can go wrong in the local secretary's two organs."""

from __future__ import annotations


class VoiceError(Exception):
    """No engine could speak the text in time. The message names the engine, never the text."""


class RecogniserError(Exception):
    """A turn could not be looked at: too late, too many waiting, or the worker broke."""
