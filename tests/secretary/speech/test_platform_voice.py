"""The platform's own voice: every sentence that bridges a gap, in both languages, at once when it is needed."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import pytest

from secretary.speech.contract import ProviderError
from secretary.speech.local import render
from secretary.speech.local.errors import VoiceError
from secretary.speech.local.voice import Voice
from secretary.speech.platform_voice import LocalVoice, bridges


@pytest.mark.parametrize("language", ["en", "pt-br"])
async def test_bridges_are_ready(tmp_path: Path, language: str) -> None:
    """Once prepared they are there without waiting, each a second or more of sound; a vendor's voice is no obstacle."""
    voice = LocalVoice(Voice(tmp_path))
    sentences = bridges(language).all
    assert len(set(sentences)) == len(astuple(bridges(language)))
    await voice.prepare(sentences, "marin", language)
    for sentence in sentences:
        pcm = voice.ready(sentence, "marin", language)
        assert pcm is not None and 0.7 < len(pcm) / 16_000 < 6.0, sentence


async def test_it_says_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an engine it fails as any provider does."""

    def speak(*args: object, **more: object) -> bytes:
        raise VoiceError("no engine")

    monkeypatch.setattr(render, "speak", speak)
    with pytest.raises(ProviderError, match="no engine"):
        await LocalVoice(Voice(tmp_path)).render("Hello.", "", "en")
