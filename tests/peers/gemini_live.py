"""A stand-in for Gemini Live (BidiGenerateContent): set-up, activity, turns, tools, resumption, by a script.

    peer.replies = [Reply("Good morning."), Reply("One moment.", tools=[("transfer", {"destination": "Sales"})])]
    peer.caller_says = ["Sales please"]

Every message both ways is held against `google.genai.types`. Its voice is a square wave of 24,000 Hz, 60 ms a letter.
Like the real one it sends JSON in binary frames.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any, Final

from google.genai import types
from pydantic import TypeAdapter
from websockets.asyncio.server import ServerConnection

from tests.peers.server import Peer
from tests.peers.strict import WireFault, fits

CLIENT: Final[TypeAdapter[Any]] = TypeAdapter(types.LiveClientMessage)
SERVER: Final[TypeAdapter[Any]] = TypeAdapter(types.LiveServerMessage)
INPUT: Final[TypeAdapter[Any]] = TypeAdapter(types.RealtimeInputConfig)
LETTER_MS: Final = 60
CHUNK_MS: Final = 200
TONE: Final = ((6_000).to_bytes(2, "little") * 12 + (-6_000).to_bytes(2, "little", signed=True) * 12) * 1
"""1 ms of a square wave of 1,000 Hz, L16 of 24,000 Hz."""


@dataclass
class Reply:
    text: str = "Certainly."
    tools: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    delay_s: float = 0.0
    chunk_s: float = 0.0
    late_words: bool = False
    """The transcript comes after the sound."""


class GeminiPeer(Peer):
    def __init__(self) -> None:
        super().__init__()
        self.replies: list[Reply] = []
        self.caller_says: list[str] = []
        self.language = ""
        self.heard = bytearray()
        """The caller's audio within activity, L16 of 16,000 Hz."""
        self.setups: list[dict[str, Any]] = []
        self.known_handles = {"handle-1"}
        self.refusal: tuple[int, str] | None = None
        """Code and reason that close a connection instead of `setupComplete`."""
        self._ids = itertools.count(1)
        self._active = False
        self._answering: asyncio.Task[None] | None = None

    def fits_client(self, message: Any) -> None:
        if "setup" in message:  # this part of the set-up is missing in the SDK's type of it, though the SDK sends it
            setup = dict(message["setup"])
            fits(INPUT, setup.pop("realtimeInputConfig"))
            message = {"setup": setup}
        read = fits(CLIENT, message)
        if len(message) != 1 or not read.model_fields_set:
            raise WireFault("a message has exactly one part")
        realtime = message.get("realtimeInput")
        if realtime is not None and len(realtime) != 1:
            raise WireFault("realtime input has exactly one part")

    def fits_server(self, message: Any) -> None:
        fits(SERVER, message)

    def encoded(self, message: Any) -> str | bytes:
        return json.dumps(message).encode()

    async def content(self, **fields: Any) -> None:
        await self.send({"serverContent": fields})

    async def talk(self, connection: ServerConnection) -> None:
        setup = (await self.read(connection))["setup"]
        self.setups.append(setup)
        handle = setup["sessionResumption"].get("handle")
        if self.refusal is not None:
            await connection.close(*self.refusal)
            return
        if handle and handle not in self.known_handles:
            await connection.close(1007, "Request contains an invalid argument.")
            return
        await self.send({"setupComplete": {}}, connection)
        while True:
            await self._take(await self.read(connection))

    async def _take(self, message: dict[str, Any]) -> None:
        realtime = message.get("realtimeInput") or {}
        if "activityStart" in realtime:
            self._active = True
            await self.interrupt()
        elif "activityEnd" in realtime:
            self._active = False
            said = self.caller_says.pop(0) if self.caller_says else "Hello."
            for piece in (said[: len(said) // 2], said[len(said) // 2 :]):
                heard = {"text": piece} | ({"languageCode": self.language} if self.language else {})
                await self.content(inputTranscription=heard)
            self.respond(self._next())
        elif "audio" in realtime:
            assert realtime["audio"]["mimeType"] == "audio/pcm;rate=16000"
            self.heard += b64decode(realtime["audio"]["data"])
        elif "text" in realtime:
            await self._order(realtime["text"])
        elif "clientContent" in message:
            await self._order(message["clientContent"]["turns"][-1]["parts"][0]["text"])
        elif "toolResponse" in message:
            self.respond(self._next())

    def _next(self) -> Reply:
        return self.replies.pop(0) if self.replies else Reply()

    async def _order(self, words: str) -> None:
        await self.interrupt()
        say = "Say exactly" in words
        self.respond(Reply(words.partition("\n")[2]) if say else self._next())

    async def interrupt(self) -> None:
        """The model stops what it says."""
        if self._answering is not None and not self._answering.done():
            self._answering.cancel()
            await self.content(interrupted=True)
            await self.content(turnComplete=True)

    def respond(self, reply: Reply) -> None:
        self._answering = self.background(self._answer(reply))

    async def _answer(self, reply: Reply) -> None:
        await asyncio.sleep(reply.delay_s)
        if reply.text and not reply.late_words:
            await self.content(outputTranscription={"text": reply.text})
        voice = TONE * (len(reply.text) * LETTER_MS)
        size = CHUNK_MS * len(TONE)
        for at in range(0, len(voice), size):
            data = b64encode(voice[at : at + size]).decode()
            blob = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": data}}
            await self.content(modelTurn={"role": "model", "parts": [blob]})
            await asyncio.sleep(reply.chunk_s)
        if reply.tools:
            calls = [{"id": f"call-{next(self._ids)}", "name": name, "args": args} for name, args in reply.tools]
            await self.send({"toolCall": {"functionCalls": calls}})
            return
        await self.content(generationComplete=True)
        if reply.late_words:
            await self.content(outputTranscription={"text": reply.text})
        await self.send({"sessionResumptionUpdate": {"newHandle": "handle-1", "resumable": True}})
        used = {
            "promptTokenCount": 40,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 30}, {"modality": "TEXT", "tokenCount": 10}],
            "responseTokenCount": 15,
            "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 15}],
            "thoughtsTokenCount": 5,
            "totalTokenCount": 60,
        }
        await self.send({"serverContent": {"turnComplete": True}, "usageMetadata": used})

    async def go_away(self, left_s: float) -> None:
        await self.send({"goAway": {"timeLeft": f"{left_s:g}s"}})
