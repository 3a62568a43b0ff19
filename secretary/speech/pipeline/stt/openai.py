"""Any server with OpenAI's `POST /audio/transcriptions`: whisper.cpp, faster-whisper servers, vLLM, OpenAI itself.

It gets the turn when it is over, as a WAV at 16,000 Hz: whisper.cpp takes no other rate, and the rest do not mind.

Options: `stt_language` (`auto`: let the model find out; empty: the secretary's), `stt_keyterms` (words to expect; only
for `gpt-transcribe`, which is told of possible languages instead of one), `stt_prompt`, `stt_temperature`.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Final

import httpx

from eslbridge.media.contract import BYTES_PER_MS, RATE
from secretary.audio.resample import resample
from secretary.speech.contract import ProviderError
from secretary.speech.pipeline.service import Service
from secretary.speech.pipeline.stt.contract import Transcript, language_of

WAV_RATE: Final = 16_000
SEVERAL: Final = "gpt-transcribe"
"""OpenAI's newer models replace `language` by `languages` and take `keywords`."""
OURS: Final = ["en", "pt"]
MOST_WORDS: Final = 50
LONGEST_MS: Final = 120_000
"""Of a turn that is sent; the end of a longer one."""
MAX_ANSWER: Final = 200_000
_NOISE: Final = re.compile(r"[\[(*♪][^\])*♪]{0,40}[\])*♪]|<\|[^|]{0,40}\|>")
"""What Whisper writes for sounds that are not words: [BLANK_AUDIO], (music), ♪ … ♪."""
_INVENTED: Final = frozenset(
    {
        "thank you for watching",
        "thanks for watching",
        "please subscribe",
        "subtitles by the amara.org community",
        "legendas pela comunidade amara.org",
        "legendas pela comunidade de amara.org",
        "legenda adriana zanotto",
        "obrigado por assistir",
        "inscreva-se no canal",
        "you",
    }
)
"""What Whisper makes of noise: the ends of its training films. Nobody says these to a secretary."""


class TurnRecogniser:
    """Implements `Recogniser`."""

    def __init__(self, service: Service, language: str, names: Sequence[str] = ()) -> None:
        """`names`: words to expect, unless the options name others."""
        self._service = service
        stage = service.stage
        chosen = stage.option("language")
        self._language = "" if chosen == "auto" else (chosen or language).split("-")[0]
        own = [term.strip() for term in stage.option("keyterms").split(",")]
        self._words = [word for word in (own if any(own) else names) if word][:MOST_WORDS]

    async def open(self, interim: Callable[[str], None]) -> None: ...

    def hear(self, frame: bytes) -> None: ...

    def turn_started(self) -> None: ...

    async def turn_ended(self, pcm: bytes) -> Transcript:
        pcm = pcm[-LONGEST_MS * BYTES_PER_MS :]
        sound = wav(resample(pcm, RATE, WAV_RATE), WAV_RATE)
        async with aclosing(self._service.stream(lambda: self._request(sound), self._parse)) as answers:
            async for text, language in answers:
                return Transcript(spoken_words(text), language, len(pcm) / BYTES_PER_MS / 1000)
        raise self._service.wrong("it gave no answer")

    async def close(self) -> None: ...

    def _request(self, sound: bytes) -> httpx.Request:
        stage = self._service.stage
        form: dict[str, str | list[str]] = {"model": stage.model, "response_format": "json"}
        if stage.model.startswith(SEVERAL):
            form["languages[]"] = [self._language] if self._language else OURS
            if self._words:
                form["keywords[]"] = self._words
        elif self._language:
            form["language"] = self._language
        for option in ("prompt", "temperature"):
            if value := stage.option(option):
                form[option] = value
        form |= {name: str(value) for name, value in stage.extra().items()}
        return self._service.client.build_request(
            "POST",
            stage.at("/audio/transcriptions"),
            headers=stage.bearer(),
            data=form,
            files={"file": ("turn.wav", sound, "audio/wav")},
        )

    async def _parse(self, response: httpx.Response) -> AsyncIterator[tuple[str, str]]:
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER:
                raise ProviderError("its answer is too long")
        yield read(body, response.headers.get("Content-Type", ""))


def read(body: bytes, content_type: str) -> tuple[str, str]:
    """The text and the language of an answer. Raises ProviderError (`protocol`)."""
    if content_type.startswith("text/plain"):  # a server that does not know response_format
        return body.decode("utf-8", "replace"), ""
    try:
        answer = json.loads(body)
        text = answer["text"]
        if not isinstance(text, str):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        raise ProviderError("its answer has no text in it") from None
    languages = answer.get("languages")
    first = languages[0] if isinstance(languages, list) and languages else {}
    code = first.get("code") if isinstance(first, dict) else None
    return text, language_of(str(code or answer.get("language") or ""))


def spoken_words(text: str) -> str:
    """Without what stands for noise, and without what a model invents where nobody spoke."""
    text = " ".join(_NOISE.sub(" ", text).split())
    return "" if text.lower().strip(" .!?…") in _INVENTED else text


def wav(pcm: bytes, rate: int) -> bytes:
    """L16 mono as a WAV file."""
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    head = b"RIFF" + struct.pack("<I", 36 + len(pcm)) + b"WAVEfmt " + struct.pack("<I", 16) + form
    return head + b"data" + struct.pack("<I", len(pcm)) + pcm
