"""A stand-in for OpenAI Realtime (GA): sessions, turns, responses, tools, truncation and errors, by a script.

    peer.replies = [Reply("Good morning."), Reply("One moment.", tool=("transfer", {"destination": "Sales"}))]
    peer.caller_says = ["Sales please"]            # transcripts of the turns to come

Every event both ways is held against `openai.types.realtime`. Its voice is a square wave, 60 ms a letter.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any, Final

from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from openai.types.realtime.realtime_session_create_request import RealtimeSessionCreateRequest
from pydantic import TypeAdapter
from websockets.asyncio.server import ServerConnection

from tests.peers.server import Peer
from tests.peers.strict import fits

CLIENT: Final[TypeAdapter[Any]] = TypeAdapter(RealtimeClientEvent)
SERVER: Final[TypeAdapter[Any]] = TypeAdapter(RealtimeServerEvent)
SESSION: Final[TypeAdapter[Any]] = TypeAdapter(RealtimeSessionCreateRequest)
LETTER_MS: Final = 60
USAGE: Final = {
    "total_tokens": 130,
    "input_tokens": 100,
    "output_tokens": 30,
    "input_token_details": {
        "audio_tokens": 40,
        "text_tokens": 60,
        "cached_tokens": 35,
        "cached_tokens_details": {"audio_tokens": 15, "text_tokens": 20},
    },
    "output_token_details": {"audio_tokens": 25, "text_tokens": 5},
}
CHUNK: Final = 1_600
"""Bytes of mu-law in one delta: 200 ms."""
TONE: Final = bytes([0x90, 0x90, 0x90, 0x90, 0x10, 0x10, 0x10, 0x10])
"""1 ms of a square wave of 1,000 Hz in mu-law."""


@dataclass
class Reply:
    """What the model does when a response is asked for."""

    text: str = "Certainly."
    tools: list[tuple[str, Any]] = field(default_factory=list)
    """Name and arguments; a text goes out as it is."""
    delay_s: float = 0.0
    chunk_s: float = 0.0
    """The pause between two pieces of voice."""
    status: str = "completed"
    error: dict[str, str] | None = None
    endless: bool = False
    """It never ends by itself."""


class OpenAIPeer(Peer):
    def __init__(self) -> None:
        super().__init__()
        self.replies: list[Reply] = []
        self.caller_says: list[str] = []
        self.transcribe = True
        self.heard = bytearray()
        """The caller's audio, mu-law."""
        self.sessions: list[dict[str, Any]] = []
        self.vad = False
        self.refusal: dict[str, Any] | None = None
        """The error that answers `session.update`."""
        self.expires_at = 0
        self.confirms = True
        """It tells when it has been set up."""
        self.usage = USAGE
        self.transcript_usage: dict[str, Any] = {"type": "duration", "seconds": 1.0}
        self._ids = itertools.count(1)
        self._sounds: dict[str, int] = {}
        """Item -> ms of voice that were sent of it."""
        self._answering: asyncio.Task[None] | None = None
        self._response = ""
        self._committed = 0

    def fits_client(self, message: Any) -> None:
        fits(CLIENT, message)

    def fits_server(self, message: Any) -> None:
        # The session that the server shows has fields that the type of its event leaves out.
        if message["type"].startswith("session."):
            shown = {
                key: value for key, value in message["session"].items() if key not in ("id", "object", "expires_at")
            }
            message = message | {"session": shown}
        fits(SERVER, message)

    async def event(self, kind: str, **fields: Any) -> None:
        await self.send({"type": kind, "event_id": f"event_{next(self._ids)}", **fields})

    async def error(self, code: str, *, kind: str = "invalid_request_error", event_id: str | None = None) -> None:
        message = "Incorrect API key provided: sk-secret."
        error = {"type": kind, "code": code, "message": message, "param": None, "event_id": event_id}
        await self.event("error", error=error)

    async def talk(self, connection: ServerConnection) -> None:
        await self.event("session.created", session={"type": "realtime", "id": "sess_1", "object": "realtime.session"})
        while True:
            await self._take(await self.read(connection))

    async def _take(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "session.update" if self.refusal is not None:
                await self.event("error", error=self.refusal)
            case "session.update" if not self.confirms:
                self.sessions.append(event["session"])
            case "session.update":
                self.sessions.append(event["session"])
                self._committed = len(self.heard)
                shown = event["session"] | {"id": "sess_1", "object": "realtime.session"}
                await self.event(
                    "session.updated", session=shown | ({"expires_at": self.expires_at} if self.expires_at else {})
                )
            case "input_audio_buffer.append":
                self.heard += b64decode(event["audio"])
            case "input_audio_buffer.clear":
                self._committed = len(self.heard)
                await self.event("input_audio_buffer.cleared")
            case "input_audio_buffer.commit" if len(self.heard) - self._committed < 800:
                await self.error("input_audio_buffer_commit_empty", event_id=event.get("event_id"))
            case "input_audio_buffer.commit":
                await self.commit()
            case "conversation.item.create":
                await self._added(event["item"])
            case "response.create":
                await self._respond(event)
            case "response.cancel":
                await self._cancel(event)
            case "conversation.item.truncate":
                await self._truncate(event)
            case "conversation.item.delete":
                await self.event("conversation.item.deleted", item_id=event["item_id"])

    async def commit(self, item_id: str = "") -> str:
        """The caller's turn becomes an item, and is written down."""
        self._committed = len(self.heard)
        item_id = item_id or f"item_{next(self._ids)}"
        await self.event("input_audio_buffer.committed", item_id=item_id, previous_item_id=None)
        audio = {"type": "input_audio", "transcript": None}
        await self._added({"type": "message", "role": "user", "content": [audio], "id": item_id, "status": "completed"})
        if self.transcribe:
            await self.transcribed(item_id, self.caller_says.pop(0) if self.caller_says else "Hello.")
        return item_id

    async def transcribed(self, item_id: str, text: str) -> None:
        kind = "conversation.item.input_audio_transcription.completed"
        usage = self.transcript_usage
        await self.event(kind, item_id=item_id, content_index=0, transcript=text, usage=usage)

    async def caller_turn(self) -> None:
        """Server VAD hears a turn of the caller, and answers it."""
        item_id = f"item_{next(self._ids)}"
        await self.event("input_audio_buffer.speech_started", audio_start_ms=0, item_id=item_id)
        await self.event("input_audio_buffer.speech_stopped", audio_end_ms=500, item_id=item_id)
        await self.commit(item_id)
        if self._answering is None or self._answering.done():
            await self._respond({"type": "response.create"})

    async def _added(self, item: dict[str, Any]) -> None:
        item = {"id": f"item_{next(self._ids)}", "object": "realtime.item", "status": "completed"} | item
        await self.event("conversation.item.added", item=item, previous_item_id=None)
        await self.event("conversation.item.done", item=item, previous_item_id=None)

    async def _respond(self, event: dict[str, Any]) -> None:
        if self._answering is not None and not self._answering.done():
            await self.error("conversation_already_has_active_response", event_id=event.get("event_id"))
            return
        order = event.get("response") or {}
        words = str(order.get("instructions", ""))
        if words.startswith("Say exactly"):
            reply = Reply(words.partition("\n")[2])
        else:
            reply = self.replies.pop(0) if self.replies else Reply()
        self._response = f"resp_{next(self._ids)}"
        self._answering = self.background(self._answer(self._response, reply))

    async def _answer(self, response_id: str, reply: Reply) -> None:
        await self.event("response.created", response=self._shown(response_id, "in_progress"))
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        if reply.text and reply.status == "completed":
            await self._speak(response_id, reply)
        for at, (name, arguments) in enumerate(reply.tools, start=1):
            await self._call(response_id, at, name, arguments)
        if reply.endless:
            await asyncio.Event().wait()
        await self._done(response_id, reply.status, reply.error)

    async def _speak(self, response_id: str, reply: Reply) -> None:
        item_id = f"item_{next(self._ids)}"
        item = {"id": item_id, "object": "realtime.item", "type": "message", "role": "assistant"}
        where = {"response_id": response_id, "output_index": 0}
        part = where | {"item_id": item_id, "content_index": 0}
        await self.event("response.output_item.added", **where, item=item | {"status": "in_progress", "content": []})
        await self.event("response.content_part.added", **part, part={"type": "audio", "transcript": ""})
        for at, word in enumerate(reply.text.split(" ")):
            await self.event("response.output_audio_transcript.delta", **part, delta=word if at == 0 else f" {word}")
        voice = TONE * (len(reply.text) * LETTER_MS)
        for at in range(0, len(voice), CHUNK):
            chunk = voice[at : at + CHUNK]
            self._sounds[item_id] = self._sounds.get(item_id, 0) + len(chunk) // 8
            await self.event("response.output_audio.delta", **part, delta=b64encode(chunk).decode())
            await asyncio.sleep(reply.chunk_s)
        await self.event("response.output_audio.done", **part)
        await self.event("response.output_audio_transcript.done", **part, transcript=reply.text)
        content = [{"type": "output_audio", "transcript": reply.text}]
        await self.event("response.content_part.done", **part, part={"type": "audio", "transcript": reply.text})
        await self.event("response.output_item.done", **where, item=item | {"status": "completed", "content": content})

    async def _call(self, response_id: str, at: int, name: str, arguments: Any) -> None:
        item_id, call_id = f"item_{next(self._ids)}", f"call_{next(self._ids)}"
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        where = {"response_id": response_id, "output_index": at}
        item = {"id": item_id, "object": "realtime.item", "type": "function_call", "name": name, "call_id": call_id}
        started = item | {"status": "in_progress", "arguments": ""}
        await self.event("response.output_item.added", **where, item=started)
        done = where | {"item_id": item_id, "call_id": call_id}
        await self.event("response.function_call_arguments.delta", **done, delta=text)
        await self.event("response.function_call_arguments.done", **done, name=name, arguments=text)
        finished = item | {"status": "completed", "arguments": text}
        await self.event("response.output_item.done", **where, item=finished)

    async def _cancel(self, event: dict[str, Any]) -> None:
        if self._answering is None or self._answering.done():
            await self.error("response_cancel_not_active", event_id=event.get("event_id"))
            return
        self._answering.cancel()
        await self._done(self._response, "cancelled", None)

    async def _done(self, response_id: str, status: str, error: dict[str, str] | None) -> None:
        shown = self._shown(response_id, status)
        if status == "cancelled":
            shown["status_details"] = {"type": "cancelled", "reason": "client_cancelled"}
        if error is not None:
            shown["status_details"] = {"type": "failed", "error": error}
        shown["usage"] = self.usage
        self._answering = None
        await self.event("response.done", response=shown)

    def _shown(self, response_id: str, status: str) -> dict[str, Any]:
        return {"id": response_id, "object": "realtime.response", "status": status, "output": []}

    async def _truncate(self, event: dict[str, Any]) -> None:
        if event["audio_end_ms"] > self._sounds.get(event["item_id"], -1):
            await self.error("invalid_value", event_id=event.get("event_id"))
            return
        item_id, end = event["item_id"], event["audio_end_ms"]
        await self.event("conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=end)
