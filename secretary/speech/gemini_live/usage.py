"""The tokens of a turn, each kind once: audio costs several times what text does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def counts(usage: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Units and quantities. What was thought is paid like what was said."""
    audio = _audio(usage.get("promptTokensDetails"))
    cached_audio = _audio(usage.get("cacheTokensDetails"))
    cached = (usage.get("cachedContentTokenCount") or 0) - cached_audio
    read = (usage.get("promptTokenCount") or 0) + (usage.get("toolUsePromptTokenCount") or 0)
    yield "audio_input_token", max(0, audio - cached_audio)
    yield "input_token", max(0, read - audio - max(0, cached))
    yield "cached_audio_token", cached_audio
    yield "cached_token", max(0, cached)
    spoken = _audio(usage.get("responseTokensDetails"))
    yield "audio_output_token", spoken
    given = (usage.get("responseTokenCount") or 0) + (usage.get("thoughtsTokenCount") or 0)
    yield "output_token", max(0, given - spoken)


def _audio(details: object) -> int:
    if not isinstance(details, list):
        return 0
    return sum(one.get("tokenCount") or 0 for one in details if one.get("modality") == "AUDIO")
