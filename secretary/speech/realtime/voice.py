"""One utterance of the secretary while it comes from the provider."""

from __future__ import annotations

from dataclasses import dataclass

from eslbridge.media.contract import BYTES_PER_MS
from secretary.speech.realtime.words import Words


@dataclass(slots=True)
class Utterance:
    """What is known of it. `key`, `response`, `index` are the provider's own names for it."""

    utterance_id: str
    words: Words
    key: str = ""
    response: str = ""
    index: int = 0
    kept: bool = True
    """It is in the provider's memory of the conversation."""
    size: int = 0
    """Bytes of L16 so far."""
    told: bool = False
    """The conversation knows of it."""
    heard: str | None = None
    """What the caller heard of it, where they cut it off; None: all."""
    muted: bool = False
    """The caller cut it off: nothing more of it is told."""
    over: bool = False

    @property
    def sound_ms(self) -> int:
        return self.size // BYTES_PER_MS
