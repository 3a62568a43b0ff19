"""Stands in for ElevenLabs' `POST /v1/text-to-speech/{voice}/stream`.

ElevenLabs publishes no type of the request's body: the SDK's own `stream` is the truth, its parameters' names, types
and formats. Another test has the SDK make the same request and compares.
"""

from __future__ import annotations

import asyncio
import inspect
import typing
from dataclasses import dataclass
from typing import Any

from elevenlabs.text_to_speech.raw_client import RawTextToSpeechClient
from elevenlabs.text_to_speech.types.text_to_speech_stream_request_output_format import (
    TextToSpeechStreamRequestOutputFormat,
)
from elevenlabs.types import VoiceSettings

from eslbridge.media import codec
from tests.peers.openai_audio import tone
from tests.peers.vendor_types import wrong_model
from tests.peers.web import Reply, Request, WebPeer

IN_QUERY = frozenset({"enable_logging", "optimize_streaming_latency", "output_format"})
PARAMETERS = frozenset(inspect.signature(RawTextToSpeechClient.stream).parameters) - {
    "self",
    "voice_id",
    "request_options",
}
FORMATS = frozenset(typing.get_args(typing.get_args(TextToSpeechStreamRequestOutputFormat)[0]))
TEXTS = frozenset({"text", "model_id", "language_code", "previous_text", "next_text"})


def wrong_request(query: dict[str, str], body: dict[str, Any]) -> str:
    """What ElevenLabs' SDK has against a request; empty for nothing."""
    if unknown := (set(query) - IN_QUERY) | (set(body) - (PARAMETERS - IN_QUERY)):
        return f"unknown parameters: {sorted(unknown)}"
    if query.get("output_format") not in FORMATS:
        return f"no such format: {query.get('output_format')}"
    if not isinstance(body.get("text"), str) or any(not isinstance(body[name], str) for name in TEXTS & set(body)):
        return "a text is no text"
    return wrong_model(VoiceSettings, body["voice_settings"]) if "voice_settings" in body else ""


@dataclass
class ElevenLabsPeer(WebPeer):
    """Speaks 60 ms of tone for each character."""

    first_s: float = 0.0

    def look_at(self, request: Request) -> None:
        parts = request.path.split("/")
        if parts[:3] != ["", "v1", "text-to-speech"] or parts[4:] != ["stream"]:
            self.problems.append(f"unknown address {request.method} {request.path}")
        elif problem := wrong_request(request.query, request.json):
            self.problems.append(problem)

    async def usual(self, request: Request, reply: Reply) -> None:
        pcm = tone(len(request.json["text"]) * 0.06, 8_000)
        ulaw = request.query["output_format"] == "ulaw_8000"
        sound = codec.encode(pcm, "PCMU") if ulaw else pcm
        await asyncio.sleep(self.first_s)
        await reply.start(200, "audio/basic" if ulaw else "audio/pcm")
        await reply.in_pieces(sound, 1001)
        await reply.end()
