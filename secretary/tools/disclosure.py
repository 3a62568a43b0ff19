"""What callers are told before anything else: that they speak with a machine, and that they are recorded.

The domain's rules can demand it, and a secretary can do so by itself. The words may be the tenant's own, but never
none; the platform speaks them, so that no prompt and no model can leave them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    ai: str
    recording: str


_ENGLISH: Final = Words(
    ai="You are talking with an artificial voice.",
    recording="This call is recorded.",
)
_PORTUGUESE: Final = Words(
    ai="Você está falando com uma assistente virtual.",
    recording="Esta ligação está sendo gravada.",
)


def words(language: str) -> Words:
    """The platform's own words in `en` or `pt-br`; English for any other."""
    return _PORTUGUESE if language.lower().startswith("pt") else _ENGLISH


def disclosure(language: str, *, ai: bool, recording: bool, ai_notice: str = "", recording_notice: str = "") -> str:
    """What has to be said; empty where nothing has. A notice of white space alone is none."""
    own = words(language)
    parts = []
    if ai:
        parts.append(_sentence(ai_notice) or own.ai)
    if recording:
        parts.append(_sentence(recording_notice) or own.recording)
    return " ".join(parts)


def _sentence(notice: str) -> str:
    text = " ".join(notice.split())
    if not any(letter.isalnum() for letter in text):
        return ""  # dots alone would be spoken as silence
    return text if text[-1] in ".!?…" else f"{text}."
