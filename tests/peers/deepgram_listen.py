"""Stands in for Deepgram's streaming recogniser, WebSocket `/v1/listen`: it answers as its documentation says.

It understands nothing; each turn (what comes before a `Finalize`) has the next words of the script. Query parameters
are judged by the SDK's `connect`, messages in both directions by the SDK's types.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import typing
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from deepgram.listen.v1.client import V1Client
from deepgram.listen.v1.types import (
    ListenV1CloseStream,
    ListenV1Finalize,
    ListenV1KeepAlive,
    ListenV1Metadata,
    ListenV1Results,
)
from deepgram.types.listen_v1encoding import ListenV1Encoding
from deepgram.types.listen_v1model import ListenV1Model
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.peers.vendor_types import get_ready, wrong_model

PARAMETERS = frozenset(inspect.signature(V1Client.connect).parameters) - {"self", "authorization", "request_options"}
ENCODINGS = frozenset(typing.get_args(typing.get_args(ListenV1Encoding)[0]))
MODELS = frozenset(typing.get_args(typing.get_args(ListenV1Model)[0]))
MESSAGES: dict[str, Any] = {
    "KeepAlive": ListenV1KeepAlive,
    "Finalize": ListenV1Finalize,
    "CloseStream": ListenV1CloseStream,
}


get_ready(ListenV1Results, ListenV1Metadata, *MESSAGES.values())


def wrong_query(query: list[tuple[str, str]]) -> str:
    given = dict(query)
    if unknown := set(given) - PARAMETERS:
        return f"unknown parameters: {sorted(unknown)}"
    if given.get("encoding") not in ENCODINGS or given.get("model") not in MODELS:
        return f"no such encoding or model: {given.get('encoding')}, {given.get('model')}"
    return "" if given.get("sample_rate", "").isdigit() else "no sample_rate"


def wrong_message(value: dict[str, Any]) -> str:
    kind = MESSAGES.get(str(value.get("type")))
    return wrong_model(kind, value) if kind else f"unknown message: {value}"


def results(
    transcript: str,
    start: float,
    duration: float,
    *,
    final: bool = True,
    speech_final: bool = False,
    from_finalize: bool = False,
    languages: tuple[str, ...] = (),
    speech_s: float = 1e9,
) -> dict[str, Any]:
    said = transcript.split()
    spoken = min(duration, speech_s)
    each, begin = spoken / max(1, len(said)), start + duration - spoken
    words = [
        {
            "word": word.lower().strip(".,?!"),
            "start": round(begin + n * each, 2),
            "end": round(begin + (n + 1) * each, 2),
            "confidence": 0.99,
            "punctuated_word": word,
        }
        for n, word in enumerate(said)
    ]
    best: dict[str, Any] = {"transcript": transcript, "confidence": 0.99, "words": words}
    if languages:
        best["languages"] = list(languages)
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "duration": round(duration, 2),
        "start": round(start, 2),
        "is_final": final,
        "speech_final": speech_final,
        "from_finalize": from_finalize,
        "channel": {"alternatives": [best]},
        "metadata": {
            "request_id": "r-1",
            "model_info": {"name": "general-nova-3", "version": "2025-07-31.0", "arch": "nova-3"},
            "model_uuid": "m-1",
        },
    }


@dataclass
class DeepgramPeer:
    """Use it with `async with`. `turns` are the words of each turn to come; more behaviour by its fields."""

    turns: list[str] = field(default_factory=list)
    speech_s: float = 0.8
    """The words lie in the last so many seconds of what was sent."""
    languages: tuple[str, ...] = ()
    delay_s: float = 0.0
    """Between `Finalize` and its result."""
    status: int = 101
    """Other than 101: the door stays shut."""
    silent: bool = False
    """Nothing is ever answered."""
    drop_after: int = 0
    """Bytes of audio after which the first connection breaks; 0: never."""
    close_code: int = 1011
    endpoint: bool = False
    """The words come as `speech_final` while the audio still flows."""
    garbage: str = ""
    """Said instead of a result."""
    queries: list[list[tuple[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    audio: list[bytearray] = field(default_factory=list)
    """By connection, everything that came."""
    messages: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    sockets: list[ServerConnection] = field(default_factory=list)
    _server: Server | None = None
    _width: int = 2

    async def __aenter__(self) -> Self:
        self._server = await serve(self._serve, "127.0.0.1", 0, process_request=self._door)
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        if error[0] is None:
            assert not self.problems, "\n".join(self.problems)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    def _door(self, connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        query = parse_qsl(parts.query)
        self.queries.append(query)
        self.headers.append({name.lower(): value for name, value in request.headers.raw_items()})
        if problem := wrong_query(query):
            self.problems.append(problem)
        if parts.path != "/v1/listen":
            self.problems.append(f"unknown address {parts.path}")
        self._width = 1 if dict(query).get("encoding") == "mulaw" else 2
        return None if self.status == 101 else connection.respond(self.status, "no")

    async def _serve(self, socket: ServerConnection) -> None:
        audio = bytearray()
        self.audio.append(audio)
        self.sockets.append(socket)
        answered = 0
        told = False
        try:
            async for message in socket:
                if isinstance(message, bytes):
                    audio += message
                    if self.drop_after and len(self.audio) == 1 and len(audio) >= self.drop_after:
                        await socket.close(self.close_code, "NET-0000")
                        return
                    if self.endpoint and not told and self.turns and self._seconds(len(audio) - answered) > 0.5:
                        told = True
                        await self._tell(socket, self.turns.pop(0), answered, len(audio), speech_final=True)
                    continue
                kind = json.loads(message)["type"]
                self.messages.append(kind)
                if problem := wrong_message(json.loads(message)):
                    self.problems.append(problem)
                if kind == "CloseStream":
                    await self._send(socket, metadata(self._seconds(len(audio))), ListenV1Metadata)
                    return
                if kind != "Finalize" or self.silent:
                    continue
                if self.garbage:
                    await socket.send(self.garbage)
                    continue
                await asyncio.sleep(self.delay_s)
                words = "" if told or not self.turns else self.turns.pop(0)
                await self._tell(socket, words, answered, len(audio), from_finalize=True)
                answered, told = len(audio), False
        except ConnectionClosed:
            pass

    async def _tell(self, socket: ServerConnection, words: str, begin: int, end: int, **flags: bool) -> None:
        start, duration = self._seconds(begin), self._seconds(end - begin)
        first = " ".join(words.split()[:2])
        if words and not flags.get("speech_final"):
            interim = results(first, start, duration / 2, final=False)
            await self._send(socket, interim, ListenV1Results)
        value = results(words, start, duration, languages=self.languages, speech_s=self.speech_s, **flags)
        await self._send(socket, value, ListenV1Results)

    async def _send(self, socket: ServerConnection, value: dict[str, Any], kind: Any) -> None:
        if problem := wrong_model(kind, value):
            self.problems.append(problem)
        await socket.send(json.dumps(value))

    def _seconds(self, size: int) -> float:
        return size / self._width / 8000


def metadata(duration: float) -> dict[str, Any]:
    return {
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": "r-1",
        "sha256": "0" * 64,
        "created": "2026-11-20T00:00:00Z",
        "duration": duration,
        "channels": 1,
    }
