"""A stand-in for ElevenLabs Agents: signed URLs, the conversation's beginning, responses, tools, pings, by a script.

    peer.formats = ("ulaw_8000", "pcm_16000")      # what the agent hears, and what it speaks
    await peer.turn("Sales please", Reply("One moment.", tools=[("transfer", {"destination": "Sales"})]))

Every message both ways is held against `elevenlabs_wire`, and what is overridden against the SDK's own type.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any, Final, get_args
from urllib.parse import parse_qs, urlsplit

from elevenlabs.types import ClientEvent, GetAgentResponseModel, ToolsResponseModel
from pydantic import TypeAdapter
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.peers.elevenlabs_wire import CLIENT, INITIATION, SERVER
from tests.peers.server import Peer
from tests.peers.strict import WireFault, fits

EVENTS: Final = frozenset(get_args(get_args(ClientEvent)[0])) | {"error"}
"""The SDK's names of events; it leaves the closing error out."""
LETTER_MS: Final = 60
TONE: Final = bytes([0x90, 0x90, 0x90, 0x90, 0x10, 0x10, 0x10, 0x10])
"""1 ms of a square wave of 1,000 Hz in mu-law."""


AGENT: Final[TypeAdapter[Any]] = TypeAdapter(GetAgentResponseModel)
TOOLS: Final[TypeAdapter[Any]] = TypeAdapter(ToolsResponseModel)


def client_tool(name: str, *, waits: bool = True) -> dict[str, Any]:
    return {"type": "client", "name": name, "description": name, "expects_response": waits}


def agent_of(*tools: str, allows: bool = True, audio: str = "ulaw_8000") -> dict[str, Any]:
    """An agent that has these tools."""
    own = {"prompt": {"prompt": allows}, "first_message": allows, "language": allows}
    prompt = {"tools": [client_tool(name) for name in tools]}
    return {
        "agent_id": "a",
        "name": "Ana",
        "metadata": {"created_at_unix_secs": 1, "updated_at_unix_secs": 2},
        "conversation_config": {
            "asr": {"user_input_audio_format": audio},
            "tts": {"agent_output_audio_format": audio},
            "agent": {"prompt": prompt},
        },
        "platform_settings": {"overrides": {"conversation_config_override": {"agent": own}}},
    }


@dataclass
class Reply:
    text: str = "Certainly."
    tools: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    chunk_s: float = 0.0
    aligned: bool = False


class ElevenLabsPeer(Peer):
    def __init__(self) -> None:
        super().__init__()
        self.formats = ("ulaw_8000", "ulaw_8000")
        self.replies: list[Reply] = []
        self.heard = bytearray()
        self.initiations: list[dict[str, Any]] = []
        self.refusal: dict[str, Any] | None = None
        """The error event that answers the initiation, before the close."""
        self.agent = agent_of()
        """Its settings, as the API shows them."""
        self.tools: list[dict[str, Any]] = []
        """Of the account; they have ids."""
        self._numbers = 0
        self._speaking: asyncio.Task[None] | None = None

    def fits_client(self, message: Any) -> None:
        fits(CLIENT, message)
        if message.get("type") == "conversation_initiation_client_data":
            fits(INITIATION, {key: value for key, value in message.items() if key != "type"})

    def fits_server(self, message: Any) -> None:
        fits(SERVER, message)
        if message["type"] not in EVENTS:
            raise WireFault(f"{message['type']} is no event of theirs")

    def answer(self, request: Request) -> Response | None:
        """The HTTP side: a key gets a URL that needs none."""
        parts = urlsplit(request.path)
        shown: dict[str, Any]
        if parts.path.endswith("/get-signed-url"):
            agent = parse_qs(parts.query)["agent_id"][0]
            signed = f"{self.url}/v1/convai/conversation?agent_id={agent}&conversation_signature=cvtkn_secret"
            shown = {"signed_url": signed}
        elif parts.path.startswith("/v1/convai/agents/"):
            fits(AGENT, self.agent)
            shown = self.agent
        elif parts.path == "/v1/convai/tools":
            shown = {"tools": self.tools, "has_more": False, "next_cursor": None}
            fits(TOOLS, shown)
        else:
            return None
        body = json.dumps(shown).encode()
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
        return Response(200, "OK", headers, body)

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    async def talk(self, connection: ServerConnection) -> None:
        begun = await self.read(connection)
        self.initiations.append(begun)
        if self.refusal is not None:
            await self.send({"type": "error", "error_event": self.refusal})
            await connection.close(self.refusal["code"], "no")
            return
        await self.ping()
        event = {
            "conversation_id": "conv_1",
            "user_input_audio_format": self.formats[0],
            "agent_output_audio_format": self.formats[1],
        }
        await self.send(
            {"type": "conversation_initiation_metadata", "conversation_initiation_metadata_event": event}, connection
        )
        first = begun.get("conversation_config_override", {}).get("agent", {}).get("first_message")
        if first:
            self.respond(Reply(first))
        while True:
            await self._take(await self.read(connection))

    async def _take(self, message: dict[str, Any]) -> None:
        if "user_audio_chunk" in message:
            self.heard += b64decode(message["user_audio_chunk"])
        elif message["type"] == "user_message":
            await self.interrupt(tell=False)
            say = "Say exactly" in message["text"]
            self.respond(Reply(message["text"].partition("\n")[2]) if say else self._next())
        elif message["type"] == "client_tool_result":
            self.respond(self._next())

    def _next(self) -> Reply:
        return self.replies.pop(0) if self.replies else Reply()

    async def ping(self) -> None:
        await self.send({"type": "ping", "ping_event": {"event_id": self.number(), "ping_ms": 20}})

    async def turn(self, text: str, reply: Reply) -> None:
        """The caller has spoken; the agent answers."""
        heard = {"user_transcript": text, "event_id": self.number()}
        tentative = {"type": "tentative_user_transcript", "tentative_user_transcription_event": heard}
        await self.send(tentative)
        await self.send({"type": "user_transcript", "user_transcription_event": heard})
        self.respond(reply)

    async def interrupt(self, *, tell: bool = True, corrected: str = "") -> None:
        """The agent stops what it says."""
        if self._speaking is not None and not self._speaking.done():
            self._speaking.cancel()
        if tell:
            number = self.number()
            await self.send({"type": "interruption", "interruption_event": {"event_id": number}})
            if corrected:
                event = {"original_agent_response": "…", "corrected_agent_response": corrected, "event_id": number}
                await self.send({"type": "agent_response_correction", "agent_response_correction_event": event})

    def respond(self, reply: Reply) -> None:
        self._speaking = self.background(self._speak(reply))

    async def _speak(self, reply: Reply) -> None:
        if reply.text:
            event = {"agent_response": reply.text, "event_id": self.number()}
            await self.send({"type": "agent_response", "agent_response_event": event})
        for letters in [reply.text[at : at + 4] for at in range(0, len(reply.text), 4)]:
            await self.sound(letters, aligned=reply.aligned)
            await asyncio.sleep(reply.chunk_s)
        for name, parameters in reply.tools:
            call = {
                "tool_name": name,
                "tool_call_id": f"call_{self.number()}",
                "parameters": parameters,
                "event_id": self.number(),
            }
            await self.send({"type": "client_tool_call", "client_tool_call": call})

    async def sound(self, letters: str, *, aligned: bool = False, number: int = 0) -> None:
        ms = len(letters) * LETTER_MS
        kind, _, rate = self.formats[1].partition("_")
        voice = TONE * ms if kind == "ulaw" else (b"\x00\x10" * 4 + b"\x00\xf0" * 4) * (ms * int(rate) // 8_000)
        event: dict[str, Any] = {"audio_base_64": b64encode(voice).decode(), "event_id": number or self.number()}
        if aligned:
            times = [at * LETTER_MS for at in range(len(letters))]
            event["alignment"] = {
                "chars": list(letters),
                "char_start_times_ms": times,
                "char_durations_ms": [LETTER_MS] * len(letters),
            }
        await self.send({"type": "audio", "audio_event": event})
