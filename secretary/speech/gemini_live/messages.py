"""The client messages of Gemini Live (BidiGenerateContent, v1beta), as JSON.

Audio goes out as L16 of 16,000 Hz and comes back as L16 of 24,000 Hz. The key goes into a header, not into the URL.
Source: the API reference, and what Google's Python SDK sends; the tests hold every message against the SDK's types.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import orjson

from secretary.speech.contract import Access, Briefing, Said, ToolSpec
from secretary.speech.realtime import prompt

BASE_URL: Final = "wss://generativelanguage.googleapis.com"
PATH: Final = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
MODEL: Final = "gemini-3.8-live"
IN_RATE: Final = 16_000
OUT_RATE: Final = 24_000
ACTIVITY_START: Final = '{"realtimeInput":{"activityStart":{}}}'
ACTIVITY_END: Final = '{"realtimeInput":{"activityEnd":{}}}'
_VOICE = re.compile(r"[A-Z][a-z]{2,20}")
"""Their voices are called Puck, Kore, Aoede, …; those of other providers are not."""
_SCHEMES: Final = {"http": "ws", "https": "wss"}


def url_of(access: Access) -> str:
    parts = urlsplit(access.base_url or BASE_URL)
    path = parts.path.rstrip("/")
    if "BidiGenerateContent" not in path:
        path += PATH
    return urlunsplit((_SCHEMES.get(parts.scheme, parts.scheme), parts.netloc, path, parts.query, ""))


def model_of(access: Access) -> str:
    model = access.model or MODEL
    return model if "/" in model else f"models/{model}"


def waits_for_tools(access: Access) -> bool:
    """Whether the model must be told to wait for a tool's result; before version 3.8 it does, with much thought never.

    A secretary that goes on talking while it puts somebody through is not what anybody wants.
    """
    model = model_of(access)
    return not any(part in model for part in ("gemini-2", "gemini-3.1", "extended-thinking"))


def setup(briefing: Briefing, access: Access, *, handle: str, lines: Iterable[Said]) -> str:
    """The first message. `handle` resumes a session; without one it begins with what was said so far."""
    speech: dict[str, Any] = {}
    for name in (briefing.voice, access.option("voice")):
        if name and _VOICE.fullmatch(name):
            speech["voiceConfig"] = {"prebuiltVoiceConfig": {"voiceName": name}}
            break
    if language := access.option("language_code"):
        speech["languageCode"] = language  # models with native audio refuse it: they choose by themselves
    generation: dict[str, Any] = {"responseModalities": ["AUDIO"]}
    if speech:
        generation["speechConfig"] = speech
    if budget := access.option("thinking_budget"):  # of version 2.5
        generation["thinkingConfig"] = {"thinkingBudget": int(budget)}
    elif level := access.option("thinking_level"):  # of 3.1, and of 3.8 with extended thinking
        generation["thinkingConfig"] = {"thinkingLevel": level.upper()}
    words = prompt.instructions(briefing, marked=True) + ("" if handle else prompt.transcript(lines))
    message: dict[str, Any] = {
        "model": model_of(access),
        "generationConfig": generation,
        "systemInstruction": {"parts": [{"text": words}]},
        "realtimeInputConfig": _turns(access),
        "inputAudioTranscription": {},
        "outputAudioTranscription": {},
        "sessionResumption": {"handle": handle} if handle else {},
        "contextWindowCompression": {"slidingWindow": {}},
    }
    if briefing.tools:
        waits = waits_for_tools(access)
        message["tools"] = [{"functionDeclarations": [_tool(tool, waits=waits) for tool in briefing.tools]}]
    return _json({"setup": message})


def audio(pcm: bytes) -> str:
    """L16 of 16,000 Hz."""
    data = b64encode(pcm).decode()
    return f'{{"realtimeInput":{{"audio":{{"data":"{data}","mimeType":"audio/pcm;rate=16000"}}}}}}'


def text(words: str, access: Access) -> str:
    """Words of the platform that are to be acted upon at once. Version 3.1 takes them as realtime input only."""
    words = f"{prompt.MARK} {words}"
    if access.option("text_as", "realtime" if "gemini-3.1" in model_of(access) else "content") == "content":
        turn = {"role": "user", "parts": [{"text": words}]}
        return _json({"clientContent": {"turns": [turn], "turnComplete": True}})
    return _json({"realtimeInput": {"text": words}})


def tool_response(call_id: str, name: str, outcome: str, detail: str) -> str:
    response = {"outcome": outcome} | ({"detail": detail} if detail else {})
    return _json({"toolResponse": {"functionResponses": [{"id": call_id, "name": name, "response": response}]}})


def _turns(access: Access) -> dict[str, Any]:
    """Whose detection counts. With its own, it also interrupts itself: nothing else would stop it."""
    if access.option("turns", "platform") == "platform":
        return {"automaticActivityDetection": {"disabled": True}}
    pause = int(access.option("pause_ms", "500"))
    return {
        "automaticActivityDetection": {"silenceDurationMs": pause, "prefixPaddingMs": 100},
        "activityHandling": "START_OF_ACTIVITY_INTERRUPTS",
    }


def _tool(tool: ToolSpec, *, waits: bool) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": tool.name, "description": tool.description}
    if waits:
        declared["behavior"] = "BLOCKING"
    if tool.parameters.get("properties"):
        declared["parametersJsonSchema"] = dict(tool.parameters)
    return declared


def _json(message: dict[str, Any]) -> str:
    return orjson.dumps(message).decode()
