"""The tokens of a response, each kind once: audio costs several times what text does, and what was cached less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def written_down(usage: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """What it cost to write down a turn of the caller: the transcriber is another model, at its own price."""
    if usage.get("type") == "duration":
        yield "stt_second", usage.get("seconds") or 0
        return
    audio = (usage.get("input_token_details") or {}).get("audio_tokens") or 0
    yield "audio_input_token", audio
    yield "input_token", max(0, (usage.get("input_tokens") or 0) - audio)
    yield "output_token", usage.get("output_tokens") or 0


def counts(usage: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Units and quantities. Servers that tell totals only are taken at their word: text."""
    read = usage.get("input_token_details") or {}
    cached = read.get("cached_tokens_details") or {}
    cached_audio = cached.get("audio_tokens") or 0
    cached_text = max(0, (read.get("cached_tokens") or 0) - cached_audio)
    audio = read.get("audio_tokens") or 0
    yield "audio_input_token", max(0, audio - cached_audio)
    yield "input_token", max(0, (usage.get("input_tokens") or 0) - audio - cached_text)
    yield "cached_audio_token", cached_audio
    yield "cached_token", cached_text
    spoken = (usage.get("output_token_details") or {}).get("audio_tokens") or 0
    yield "audio_output_token", spoken
    yield "output_token", max(0, (usage.get("output_tokens") or 0) - spoken)
