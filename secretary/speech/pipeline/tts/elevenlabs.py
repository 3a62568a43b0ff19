"""ElevenLabs (`POST /v1/text-to-speech/{voice}/stream`), in µ-law at 8,000 Hz: nothing is resampled anywhere.

Options: `tts_voice` (also `tts_voice_en`, `tts_voice_pt_br`), `tts_format` (`ulaw_8000`, `pcm_8000`), `tts_stability`,
`tts_similarity_boost`, `tts_speed`, `tts_extra`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final
from urllib.parse import quote

import httpx

from secretary.speech.contract import ProviderError
from secretary.speech.pipeline.pcm import Linear, Ulaw
from secretary.speech.pipeline.service import Service
from secretary.speech.pipeline.tts.openai import voice_of

VOICE: Final = "EXAVITQu4vr4xnSDxMaL"
"""One of the voices that every account has, with any language."""
BEFORE: Final = 200
"""Characters of what was said before that go along."""
_SETTINGS: Final = {"stability": (0.0, 1.0), "similarity_boost": (0.0, 1.0), "speed": (0.7, 1.2)}
"""What it takes; what is beyond is brought there, because other services' voices may go faster."""
_BY_LANGUAGE: Final = ("flash", "turbo", "v3")
"""In the names of models that take a language; the others refuse it or pass over it."""


class ElevenLabsVoice:
    """Implements `Synthesiser`."""

    def __init__(self, service: Service, voice: str = "") -> None:
        self._service = service
        self._voice = voice
        stage = service.stage
        self._format = stage.option("format", "ulaw_8000")
        if self._format not in ("ulaw_8000", "pcm_8000"):
            raise ProviderError("tts_format is neither ulaw_8000 nor pcm_8000", kind="refused")
        self._settings = {
            name: min(max(stage.number(name, 1.0, 0.0, 4.0), lowest), highest)
            for name, (lowest, highest) in _SETTINGS.items()
            if stage.option(name)
        }

    def speak(self, text: str, *, language: str, before: str = "") -> AsyncGenerator[bytes, None]:
        return self._service.stream(lambda: self._request(text, language, before), self._parse)

    def _request(self, text: str, language: str, before: str) -> httpx.Request:
        stage = self._service.stage
        voice = voice_of(self._service, language) or self._voice or VOICE
        body: dict[str, object] = {"text": text, "model_id": stage.model}
        if any(word in stage.model for word in _BY_LANGUAGE):
            body["language_code"] = language.split("-")[0]
        if before and "v3" not in stage.model:
            body["previous_text"] = before[-BEFORE:]
        if self._settings:
            body["voice_settings"] = self._settings
        return self._service.client.build_request(
            "POST",
            f"{stage.url}/v1/text-to-speech/{quote(voice, safe='')}/stream",
            params={"output_format": self._format},
            headers={"xi-api-key": stage.key} if stage.key else {},
            json=body | stage.extra(),
        )

    async def _parse(self, response: httpx.Response) -> AsyncIterator[bytes]:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind.endswith("json") or kind.startswith("text/") or kind == "audio/mpeg":
            raise ProviderError(f"it gives {kind} where a sound should be")
        converter = Ulaw() if self._format == "ulaw_8000" else Linear(8_000)
        async for chunk in response.aiter_bytes():
            if pcm := converter.push(chunk):
                yield pcm
