"""Any server with OpenAI's `POST /audio/speech`: Kokoro, Piper and other self-hosted voices, OpenAI until January 2027.

Options: `tts_voice` (also `tts_voice_en`, `tts_voice_pt_br`), `tts_format` (`pcm`, `wav`), `tts_rate` (Hz of `pcm`,
24,000 unless the server says otherwise by answering with a WAV), `tts_speed`, `tts_instructions`, `tts_extra`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

import httpx

from secretary.speech.contract import ProviderError
from secretary.speech.pipeline.pcm import Converter, Linear, Wav
from secretary.speech.pipeline.service import Service

VOICE: Final = "alloy"
COMPRESSED: Final = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"OggS", b"fLaC", b"\xff\xf1", b"\x1aE\xdf\xa3")
"""How MP3, Ogg, FLAC, AAC and WebM begin: servers that do not know the format give what they like, as noise."""


class SpeechServer:
    """Implements `Synthesiser`."""

    def __init__(self, service: Service, voice: str = "") -> None:
        self._service = service
        self._voice = voice
        stage = service.stage
        self._format = stage.option("format", "pcm")
        if self._format not in ("pcm", "wav"):
            raise ProviderError("tts_format is neither pcm nor wav", kind="refused")
        self._rate = int(stage.number("rate", 24_000, 8_000, 96_000))
        self._speed = stage.number("speed", 1.0, 0.25, 4.0)

    def speak(self, text: str, *, language: str, before: str = "") -> AsyncGenerator[bytes, None]:
        return self._service.stream(lambda: self._request(text, language), self._parse)

    def _request(self, text: str, language: str) -> httpx.Request:
        stage = self._service.stage
        body: dict[str, object] = {
            "model": stage.model,
            "input": text,
            "voice": voice_of(self._service, language) or self._voice or VOICE,
            "response_format": self._format,
        }
        if self._speed != 1.0:
            body["speed"] = self._speed
        if instructions := stage.option("instructions"):
            body["instructions"] = instructions
        return self._service.client.build_request(
            "POST",
            stage.at("/audio/speech"),
            headers=stage.bearer(),
            json=body | stage.extra(),
        )

    async def _parse(self, response: httpx.Response) -> AsyncIterator[bytes]:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind.endswith("json") or kind in ("text/html", "text/plain", "audio/mpeg", "text/event-stream"):
            raise ProviderError(f"it gives {kind} where a sound should be")
        converter: Converter | None = None
        begin = b""
        async for chunk in response.aiter_bytes():
            if converter is None:  # believe the sound, not what it is called
                begin += chunk
                if len(begin) < 4:
                    continue
                if begin.startswith(COMPRESSED):
                    raise ProviderError("it gives a compressed sound instead of pcm: try tts_format=wav")
                chunk, is_wav = begin, begin.startswith(b"RIFF")
                converter = Wav() if is_wav else Linear(self._rate)
            if pcm := converter.push(chunk):
                yield pcm


def voice_of(service: Service, language: str) -> str:
    """The voice that the options name for a language, or for all; empty for none."""
    own = service.stage.option(f"voice_{language.replace('-', '_')}")
    return own or service.stage.option("voice")
