"""The client messages of Deepgram's Voice Agent (v1), as JSON. Audio is raw mu-law of 8,000 Hz both ways, in binary.

Source: the published AsyncAPI specification; the tests hold every message against the types of Deepgram's Python SDK.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import orjson

from secretary.speech.contract import Access, Briefing, ProviderError, Said, ToolSpec
from secretary.speech.realtime import prompt

BASE_URL: Final = "wss://agent.deepgram.com"
PATH: Final = "/v1/agent/converse"
LISTENER: Final = "nova-3"
THINKER: Final = "gpt-5.4-mini"
VOICE: Final = "aura-2-thalia-en"
KEEP_ALIVE: Final = '{"type":"KeepAlive"}'
_SCHEMES: Final = {"http": "ws", "https": "wss"}
_VOICE = re.compile(r"aura-[a-z0-9-]+")
_LANGUAGES: Final = {"en": "en", "pt-br": "pt-BR"}


def url_of(access: Access) -> str:
    parts = urlsplit(access.base_url or BASE_URL)
    path = parts.path.rstrip("/")
    path += "" if path.endswith("/converse") else PATH.removeprefix("/v1") if path.endswith("/v1") else PATH
    return urlunsplit((_SCHEMES.get(parts.scheme, parts.scheme), parts.netloc, path, parts.query, ""))


def settings(briefing: Briefing, access: Access, lines: Iterable[Said]) -> str:
    """The first message. Raises ProviderError where there is no voice for the language."""
    audio = {"encoding": "mulaw", "sample_rate": 8_000}
    agent: dict[str, Any] = {
        "listen": {"provider": _listen(briefing, access)},
        "think": _think(briefing, access),
        "speak": _speak(briefing, access),
    }
    before = [
        {"type": "History", "role": "user" if line.who == "caller" else "assistant", "content": line.text}
        for line in lines
    ]
    if before:
        agent["context"] = {"messages": before}
    message: dict[str, Any] = {
        "type": "Settings",
        "flags": {"history": False},
        "audio": {"input": audio, "output": audio | {"container": "none"}},
        "agent": agent,
    }
    if access.option("mip_opt_out", "yes") == "yes":
        message["mip_opt_out"] = True  # what callers say is not for training
    return _json(message)


def say(text: str, behavior: str) -> str:
    return _json({"type": "InjectAgentMessage", "message": text, "behavior": behavior})


def order(words: str) -> str:
    """Words of the platform that are to be acted upon at once."""
    return _json({"type": "InjectUserMessage", "content": f"{prompt.MARK} {words}"})


def function_response(call_id: str, name: str, outcome: str, detail: str) -> str:
    content = json.dumps({"outcome": outcome} | ({"detail": detail} if detail else {}), ensure_ascii=False)
    return _json({"type": "FunctionCallResponse", "id": call_id, "name": name, "content": content})


def _listen(briefing: Briefing, access: Access) -> dict[str, Any]:
    model = access.option("listen_model", LISTENER)
    if model.startswith("flux"):
        return {"type": "deepgram", "version": "v2", "model": model}
    language = access.option("listen_language") or _LANGUAGES.get(briefing.language, "multi")
    return {"type": "deepgram", "version": "v1", "model": model, "language": language, "smart_format": True}


def _think(briefing: Briefing, access: Access) -> dict[str, Any]:
    provider: dict[str, Any] = {
        "type": access.option("think_provider", "open_ai"),
        "model": access.model or THINKER,
    }
    if temperature := access.option("temperature"):
        provider["temperature"] = float(temperature)
    think: dict[str, Any] = {"provider": provider, "prompt": prompt.instructions(briefing, marked=True)}
    if url := access.option("think_url"):
        think["endpoint"] = _endpoint(url, {"authorization": f"Bearer {access.option('think_key')}"})
    if briefing.tools:
        think["functions"] = [_function(tool) for tool in briefing.tools]
    return think


def _speak(briefing: Briefing, access: Access) -> dict[str, Any]:
    """Deepgram's own voices, or another vendor's with a key of its own: Deepgram has none for Portuguese."""
    service = access.option("speak_provider", "deepgram")
    voice, key = access.option("voice"), access.option("speak_key")
    if service == "deepgram":
        model = briefing.voice if _VOICE.fullmatch(briefing.voice) else voice
        if not model and briefing.language != "en":
            words = "Deepgram has no voice for Portuguese: name another vendor's in option speak_provider"
            raise ProviderError(words, kind="refused")
        return {"provider": {"type": "deepgram", "model": model or VOICE}}
    if service == "eleven_labs":
        model = access.option("speak_model", "eleven_multilingual_v2")
        language = _LANGUAGES.get(briefing.language, "en").partition("-")[0]
        url = access.option("speak_url") or f"wss://api.elevenlabs.io/v1/text-to-speech/{voice}/multi-stream-input"
        provider = {"type": service, "model_id": model, "language_code": language}
        return {"provider": provider, "endpoint": _endpoint(url, {"xi-api-key": key})}
    if service == "open_ai":
        url = access.option("speak_url", "https://api.openai.com/v1/audio/speech")
        provider = {"type": service, "model": access.option("speak_model", "tts-1"), "voice": voice or "alloy"}
        return {"provider": provider, "endpoint": _endpoint(url, {"authorization": f"Bearer {key}"})}
    raise ProviderError("option speak_provider is deepgram, eleven_labs or open_ai", kind="refused")


def _endpoint(url: str, headers: dict[str, str]) -> dict[str, Any]:
    return {"url": url, "headers": headers}


def _function(tool: ToolSpec) -> dict[str, Any]:
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    return {"name": tool.name, "description": tool.description, "parameters": parameters}


def _json(message: dict[str, Any]) -> str:
    return orjson.dumps(message).decode()
