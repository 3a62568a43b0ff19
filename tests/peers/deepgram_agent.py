"""A stand-in for Deepgram's Voice Agent: settings, conversation, injected sentences, functions, by a script.

    await peer.turn("Sales please", Reply("One moment.", tools=[("transfer", {"destination": "Sales"})]))

Every message both ways is held against the types of Deepgram's Python SDK. Its voice is a square wave, 60 ms a letter.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
from dataclasses import dataclass, field
from typing import Any, Final

from deepgram.agent.v1 import types
from pydantic import BaseModel, TypeAdapter
from websockets.asyncio.server import ServerConnection

from tests.peers.server import Peer
from tests.peers.strict import WireFault, fits

_OURS: Final[dict[str, type[BaseModel]]] = {
    "Settings": types.AgentV1Settings,
    "KeepAlive": types.AgentV1KeepAlive,
    "InjectAgentMessage": types.AgentV1InjectAgentMessage,
    "InjectUserMessage": types.AgentV1InjectUserMessage,
    "FunctionCallResponse": types.AgentV1SendFunctionCallResponse,
    "UpdatePrompt": types.AgentV1UpdatePrompt,
    "UpdateSpeak": types.AgentV1UpdateSpeak,
    "ForceEndTurn": types.AgentV1ForceEndTurn,
}
_THEIRS: Final[dict[str, type[BaseModel]]] = {
    "Welcome": types.AgentV1Welcome,
    "SettingsApplied": types.AgentV1SettingsApplied,
    "ConversationText": types.AgentV1ConversationText,
    "UserStartedSpeaking": types.AgentV1UserStartedSpeaking,
    "AgentThinking": types.AgentV1AgentThinking,
    "AgentStartedSpeaking": types.AgentV1AgentStartedSpeaking,
    "AgentAudioDone": types.AgentV1AgentAudioDone,
    "FunctionCallRequest": types.AgentV1FunctionCallRequest,
    "FunctionCallCancelled": types.AgentV1FunctionCallCancelled,
    "InjectionRefused": types.AgentV1InjectionRefused,
    "Error": types.AgentV1Error,
    "Warning": types.AgentV1Warning,
}
CLIENT: Final = {name: TypeAdapter[Any](kind) for name, kind in _OURS.items()}
SERVER: Final = {name: TypeAdapter[Any](kind) for name, kind in _THEIRS.items()}
NEWER: Final = frozenset({"gpt-5.4-mini", "gpt-5.4"})
"""Models that Deepgram's documentation has and its SDK's list has not: all of that list's are about to be shut down."""
LETTER_MS: Final = 60
TONE: Final = bytes([0x90, 0x90, 0x90, 0x90, 0x10, 0x10, 0x10, 0x10])
"""1 ms of a square wave of 1,000 Hz in mu-law."""


@dataclass
class Reply:
    text: str = "Certainly."
    tools: list[tuple[str, Any]] = field(default_factory=list)
    chunk_s: float = 0.0
    done: bool = True
    """It tells that its sound is over."""


def typed(adapters: dict[str, TypeAdapter[Any]], message: Any) -> None:
    """Raises WireFault."""
    if not isinstance(message, dict) or message.get("type") not in adapters:
        raise WireFault(f"there is no message of the type {message.get('type') if isinstance(message, dict) else '?'}")
    fits(adapters[message["type"]], message)


def _as_listed(message: Any) -> Any:
    """The same with a model that the SDK knows, where it is a newer one."""
    if not isinstance(message, dict) or message.get("type") != "Settings":
        return message
    shown: dict[str, Any] = copy.deepcopy(message)
    provider = shown.get("agent", {}).get("think", {}).get("provider", {})
    if provider.get("model") in NEWER:
        provider["model"] = "gpt-4.1-mini"
    return shown


class DeepgramPeer(Peer):
    def __init__(self) -> None:
        super().__init__()
        self.replies: list[Reply] = []
        self.heard = bytearray()
        self.settings: list[dict[str, Any]] = []
        self.refusal = ""
        """The code of the error that answers the settings."""
        self.refuse_injections = 0
        self._ids = itertools.count(1)
        self._speaking: asyncio.Task[None] | None = None

    def fits_client(self, message: Any) -> None:
        if not isinstance(message, bytes):
            typed(CLIENT, _as_listed(message))

    def fits_server(self, message: Any) -> None:
        typed(SERVER, message)

    async def tell(self, kind: str, **fields: Any) -> None:
        await self.send({"type": kind, **fields})

    async def talk(self, connection: ServerConnection) -> None:
        await self.tell("Welcome", request_id="request-1")
        self.settings.append(await self.read(connection))
        if self.refusal:
            await self.error(self.refusal)
            await connection.close(1011)
            return
        await self.tell("SettingsApplied")
        while True:
            message = await self.read(connection)
            if isinstance(message, bytes):
                self.heard += message
            elif message["type"] == "InjectAgentMessage":
                await self._inject(message)
            elif message["type"] in ("InjectUserMessage", "FunctionCallResponse"):
                self.respond(self.replies.pop(0) if self.replies else Reply())

    async def _inject(self, message: dict[str, Any]) -> None:
        busy = self._speaking is not None and not self._speaking.done()
        if self.refuse_injections:
            self.refuse_injections -= 1
            await self.tell("InjectionRefused", message="somebody speaks")
        elif busy and message.get("behavior") == "queue":
            assert self._speaking is not None
            speaking = self._speaking
            self._speaking = self.background(self._after(speaking, Reply(message["message"])))
        else:
            if busy and self._speaking is not None:
                self._speaking.cancel()
            self.respond(Reply(message["message"]))

    async def _after(self, speaking: asyncio.Task[None], reply: Reply) -> None:
        await asyncio.wait({speaking})
        await self._speak(reply)

    async def turn(self, text: str, reply: Reply, **fields: Any) -> None:
        """The caller has spoken; the agent answers."""
        await self.user_starts()
        await self.tell("ConversationText", role="user", content=text, **fields)
        await self.tell("AgentThinking", content="Hm.")
        self.respond(reply)

    async def user_starts(self) -> None:
        if self._speaking is not None and not self._speaking.done():
            self._speaking.cancel()
        await self.tell("UserStartedSpeaking")

    def respond(self, reply: Reply) -> None:
        self._speaking = self.background(self._speak(reply))

    async def _speak(self, reply: Reply) -> None:
        if reply.text:
            await self.tell("ConversationText", role="assistant", content=reply.text)
        voice = TONE * (len(reply.text) * LETTER_MS)
        for at in range(0, len(voice), 960):
            await self.send(voice[at : at + 960])
            await asyncio.sleep(reply.chunk_s)
        if reply.tools:
            functions = [
                {
                    "id": f"call-{next(self._ids)}",
                    "name": name,
                    "arguments": args if isinstance(args, str) else json.dumps(args),
                    "client_side": True,
                }
                for name, args in reply.tools
            ]
            await self.tell("FunctionCallRequest", functions=functions)
        if reply.done:
            await self.tell("AgentAudioDone")

    async def error(self, code: str) -> None:
        await self.tell("Error", code=code, description="about the key sk-secret")
