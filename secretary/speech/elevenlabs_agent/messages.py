"""The client messages of ElevenLabs Agents, as JSON.

Source: the published AsyncAPI contract of the Agents WebSocket, and ElevenLabs' Python SDK. Audio has no `type`.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import orjson

from secretary.speech.contract import Access, Briefing, Said
from secretary.speech.realtime import prompt

BASE_URL: Final = "https://api.elevenlabs.io"
PATH: Final = "/v1/convai/conversation"
OVERRIDES: Final = "prompt,first_message,language"
"""What the tenant's agent must allow to be overridden; option `overrides` names less, or `voice` beside it."""
_VOICE = re.compile(r"[A-Za-z0-9]{16,32}")
_TO_WEBSOCKET: Final = {"http": "ws", "https": "wss"}
_TO_HTTP: Final = {"ws": "http", "wss": "https"}


def agent_of(access: Access) -> str:
    return access.option("agent_id") or access.model


def url_of(access: Access) -> str:
    return _url(access, PATH, _TO_WEBSOCKET)


def signing_url_of(access: Access) -> str:
    """Where the key gets a URL that needs none."""
    return _url(access, f"{PATH}/get-signed-url", _TO_HTTP)


def api_of(access: Access) -> str:
    """Where an account's agents and tools are."""
    return _url(access, PATH, _TO_HTTP).partition(PATH)[0] + PATH.removesuffix("/conversation")


def overridden(access: Access) -> frozenset[str]:
    return frozenset(name.strip() for name in access.option("overrides", OVERRIDES).split(","))


def initiation(briefing: Briefing, access: Access, *, first: str, lines: Iterable[Said]) -> str:
    """The first message: what is different in this call from the agent as it was made.

    `first`: its first sentence; empty: it waits for the caller.
    """
    may = overridden(access)
    agent: dict[str, Any] = {}
    if "prompt" in may:
        agent["prompt"] = {"prompt": prompt.instructions(briefing, marked=True) + prompt.transcript(lines)}
    if "first_message" in may:
        agent["first_message"] = first
    if "language" in may:
        agent["language"] = briefing.language
    override: dict[str, Any] = {"agent": agent} if agent else {}
    voice = briefing.voice if _VOICE.fullmatch(briefing.voice) else access.option("voice")
    if "voice" in may and voice:
        override["tts"] = {"voice_id": voice}
    variables = {"secretary_name": briefing.secretary_name, "caller_number": briefing.caller_number}
    message: dict[str, Any] = {
        "type": "conversation_initiation_client_data",
        "dynamic_variables": {name: value for name, value in variables.items() if value},
    }
    if override:
        message["conversation_config_override"] = override
    return _json(message)


def audio(data: bytes) -> str:
    """The caller's audio in the format that the agent asked for."""
    return f'{{"user_audio_chunk":"{b64encode(data).decode()}"}}'


def pong(event_id: int) -> str:
    return _json({"type": "pong", "event_id": event_id})


def order(words: str) -> str:
    """Words of the platform that are to be acted upon at once."""
    return _json({"type": "user_message", "text": f"{prompt.MARK} {words}"})


def tool_result(call_id: str, outcome: str, detail: str) -> str:
    result = json.dumps({"outcome": outcome} | ({"detail": detail} if detail else {}), ensure_ascii=False)
    error = outcome in ("failed", "unknown")
    return _json({"type": "client_tool_result", "tool_call_id": call_id, "result": result, "is_error": error})


def _url(access: Access, path: str, schemes: dict[str, str]) -> str:
    parts = urlsplit(access.base_url or BASE_URL)
    before = parts.path.rstrip("/").removesuffix(PATH).removesuffix("/v1")
    query = urlencode({"agent_id": agent_of(access)})
    return urlunsplit((schemes.get(parts.scheme, parts.scheme), parts.netloc, before + path, query, ""))


def _json(message: dict[str, Any]) -> str:
    return orjson.dumps(message).decode()
