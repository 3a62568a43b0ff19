"""Stands in for servers that speak OpenAI's `POST /audio/transcriptions` and `POST /audio/speech`."""

from __future__ import annotations

import asyncio
import io
import wave
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from typing import Any, cast

import numpy as np
from openai.types.audio import SpeechCreateParams, Transcription
from openai.types.audio.transcription_create_params import TranscriptionCreateParamsNonStreaming

from tests.peers.vendor_types import get_ready, wrong_model, wrong_params
from tests.peers.web import Reply, Request, Step, WebPeer

get_ready(TranscriptionCreateParamsNonStreaming, SpeechCreateParams, Transcription)


def form_of(request: Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A multipart body as fields (texts; lists where the name ends with []) and files (by field)."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    fields: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for part in cast("list[Message]", BytesParser().parsebytes(head + request.body).get_payload()):
        name = str(part.get_param("name", header="content-disposition"))
        content = cast("bytes", part.get_payload(decode=True))
        if part.get_filename():
            files[name] = content
        elif name.endswith("[]"):
            fields.setdefault(name.removesuffix("[]"), []).append(content.decode())
        else:
            fields[name] = content.decode()
    return fields, files


def tone(seconds: float, rate: int, hz: float = 440.0) -> bytes:
    """A voice of sorts: L16."""
    return (8000 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype("<i2").tobytes()


def wav_file(pcm: bytes, rate: int, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    return file.getvalue()


@dataclass
class TranscriptionPeer(WebPeer):
    """Requests are judged by OpenAI's params, answers by its Transcription; `turns` are the sounds that came."""

    prefix: str = "/v1"
    turns: list[bytes] = field(default_factory=list)
    """L16 at the WAV's own rate."""
    rates: list[int] = field(default_factory=list)

    def look_at(self, request: Request) -> None:
        if request.path != "/v1/audio/transcriptions":
            self.problems.append(f"unknown address {request.method} {request.path}")
            return
        fields, files = form_of(request)
        with wave.open(io.BytesIO(files["file"])) as reader:
            self.rates.append(reader.getframerate())
            self.turns.append(reader.readframes(reader.getnframes()))
        params: dict[str, Any] = {**fields, **files}
        if "temperature" in params:  # a form knows text only
            params["temperature"] = float(params["temperature"])
        if problem := wrong_params(TranscriptionCreateParamsNonStreaming, params):
            self.problems.append(problem)

    def hears(self, text: str, delay_s: float = 0.0, **more: Any) -> Step:
        async def step(request: Request, reply: Reply) -> None:
            await asyncio.sleep(delay_s)
            value = {"text": text, **more}
            if problem := wrong_model(Transcription, value):
                self.problems.append(problem)
            await reply.all(200, value)

        return step

    async def usual(self, request: Request, reply: Reply) -> None:
        await self.hears("I would like to speak to sales, please.")(request, reply)


@dataclass
class SpeechPeer(WebPeer):
    """Requests are judged by OpenAI's params. Speaks 60 ms of tone for each character, in `pcm` or as a WAV."""

    prefix: str = "/v1"
    rate: int = 24_000
    first_s: float = 0.0
    """Before the first sound of a sentence."""
    spread_s: float = 0.0
    """Between the pieces of a sentence."""
    pieces: int = 4
    ms_a_character: int = 60

    @property
    def texts(self) -> list[str]:
        return [request.json["input"] for request in self.requests]

    def look_at(self, request: Request) -> None:
        if request.path != "/v1/audio/speech":
            self.problems.append(f"unknown address {request.method} {request.path}")
        elif problem := wrong_params(SpeechCreateParams, request.json):
            self.problems.append(problem)

    async def usual(self, request: Request, reply: Reply) -> None:
        asked = request.json
        sound = tone(len(asked["input"]) * self.ms_a_character / 1000, self.rate)
        await asyncio.sleep(self.first_s)
        if asked.get("response_format") == "wav":
            await reply.start(200, "audio/wav")
            sound = wav_file(sound, self.rate)
        else:
            await reply.start(200, "audio/pcm")
        size = max(1, len(sound) // self.pieces) | 1  # odd on purpose: samples are cut in two
        for at in range(0, len(sound), size):
            if at:
                await asyncio.sleep(self.spread_s)
            await reply.send(sound[at : at + size])
        await reply.end()
