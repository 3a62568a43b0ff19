"""The client events of OpenAI Realtime (GA), as JSON. Audio is G.711 mu-law, 8,000 Hz, both ways.

Source: the API reference's client events; the tests hold every event against the types of OpenAI's Python SDK.
"""

from __future__ import annotations

import itertools
import json
import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Final

import orjson

from eslbridge.media.codec import encode
from secretary.speech.contract import Access, Briefing, Said, ToolSpec
from secretary.speech.realtime import prompt

VOICES: Final = frozenset("alloy ash ballad coral echo sage shimmer verse marin cedar".split())
VOICE: Final = "marin"
TRANSCRIBER: Final = "gpt-transcribe"
SEVERAL: Final = ("gpt-transcribe", "gpt-live-transcribe")
"""Transcribers that are told of possible languages and of words to expect, instead of one language."""
OURS: Final = ("en", "pt")
MOST_WORDS: Final = 50
FORMAT: Final = {"type": "audio/pcmu"}
_numbers = itertools.count(1)
_CUSTOM = re.compile(r"voice_[A-Za-z0-9_-]+")


def append(frame: bytes) -> str:
    """The caller's audio: L16 of any length."""
    return f'{{"type":"input_audio_buffer.append","audio":"{b64encode(encode(frame, "PCMU")).decode()}"}}'


def commit() -> str:
    """What was appended is a turn."""
    return _json({"type": "input_audio_buffer.commit"}, "commit")


def clear() -> str:
    """What was appended is none."""
    return _json({"type": "input_audio_buffer.clear"}, "clear")


def session_update(briefing: Briefing, access: Access) -> str:
    """What the session is, all at once."""
    turns = access.option("turns", "platform")
    session: dict[str, Any] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": prompt.instructions(briefing),
        "audio": {
            "input": {
                "format": FORMAT,
                "transcription": _transcription(briefing, access),
                "turn_detection": _turn_detection(turns, access),
                "noise_reduction": _noise_reduction(access),
            },
            "output": {"format": FORMAT, "voice": voice_of(briefing, access)},
        },
        "tools": [_tool(tool) for tool in briefing.tools],
        "tool_choice": "auto",
    }
    if speed := access.option("speed"):
        session["audio"]["output"]["speed"] = float(speed)
    if effort := access.option("reasoning"):
        session["reasoning"] = {"effort": effort}
    if most := access.option("max_output_tokens"):
        session["max_output_tokens"] = int(most)
    return _json({"type": "session.update", "session": session}, "setup")


def voice_of(briefing: Briefing, access: Access) -> str | dict[str, str]:
    """The secretary's voice if it is one of theirs; else the option; else a good one."""
    for name in (briefing.voice, access.option("voice")):
        if name in VOICES:
            return name
        if name and _CUSTOM.fullmatch(name):
            return {"id": name}
    return VOICE


def said(line: Said) -> str:
    """A line of the conversation so far."""
    if line.who == "caller":
        return message("user", "input_text", line.text)
    return message("assistant", "output_text", line.text)


def note(text: str) -> str:
    """What the platform tells the model."""
    return message("system", "input_text", text)


def message(role: str, kind: str, text: str) -> str:
    item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
    return _json({"type": "conversation.item.create", "item": item}, "item")


def rest(item_id: str, after: str, text: str) -> str:
    """The words that the caller heard after an item had been truncated."""
    content = [{"type": "output_text", "text": text}]
    item = {"type": "message", "id": item_id, "role": "assistant", "content": content}
    return _json({"type": "conversation.item.create", "previous_item_id": after, "item": item}, "item")


def delete(item_id: str) -> str:
    return _json({"type": "conversation.item.delete", "item_id": item_id}, "item")


def tool_output(call_id: str, outcome: str, detail: str) -> str:
    output = json.dumps({"outcome": outcome} | ({"detail": detail} if detail else {}), ensure_ascii=False)
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    return _json({"type": "conversation.item.create", "item": item}, "item")


def response() -> str:
    """Answer."""
    return _json({"type": "response.create"}, "response")


def speak(text: str, *, keep: bool) -> str:
    """Speak this sentence: with nothing before it in mind, so that it is not taken for something to answer."""
    order: dict[str, Any] = {
        "conversation": "auto" if keep else "none",
        "input": [],
        "instructions": prompt.sentence(text),
        "tool_choice": "none",
    }
    return _json({"type": "response.create", "response": order}, "response")


def cancel(response_id: str) -> str:
    return _json({"type": "response.cancel", "response_id": response_id}, "cancel")


def truncate(item_id: str, index: int, heard_ms: int) -> str:
    return _json(
        {
            "type": "conversation.item.truncate",
            "item_id": item_id,
            "content_index": index,
            "audio_end_ms": heard_ms,
        },
        "truncate",
    )


def history(lines: Iterable[Said]) -> list[str]:
    return [said(line) for line in lines]


def transcriber_of(access: Access) -> str:
    """Who writes down what the caller says; `none`: nobody."""
    return access.option("transcriber") or TRANSCRIBER


def _transcription(briefing: Briefing, access: Access) -> dict[str, Any] | None:
    """Of the caller's words. With the language told: without it, noise becomes words of any language."""
    model = transcriber_of(access)
    if model == "none":
        return None
    language = access.option("transcriber_language") or briefing.language.partition("-")[0]
    if not model.startswith(SEVERAL):
        return {"model": model} | ({"language": language} if language != "auto" else {})
    told: dict[str, Any] = {"model": model, "languages": list(OURS) if language == "auto" else [language]}
    words = [place.name for place in briefing.places[:MOST_WORDS]]
    return told | ({"keywords": words} if words else {})


def _turn_detection(turns: str, access: Access) -> dict[str, Any] | None:
    """Its own detection answers, but never interrupts: the platform judges whether the caller means it."""
    if turns == "semantic_vad":
        eager = access.option("eagerness", "auto")
        return {"type": turns, "create_response": True, "interrupt_response": False, "eagerness": eager}
    if turns in ("server_vad", "provider"):
        pause = int(access.option("pause_ms", "500"))
        return {
            "type": "server_vad",
            "create_response": True,
            "interrupt_response": False,
            "silence_duration_ms": pause,
            "prefix_padding_ms": 300,
        }
    return None


def _noise_reduction(access: Access) -> dict[str, str] | None:
    kind = access.option("noise_reduction")
    return {"type": kind} if kind in ("near_field", "far_field") else None


def _tool(tool: ToolSpec) -> dict[str, Any]:
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    return {"type": "function", "name": tool.name, "description": tool.description, "parameters": parameters}


def _json(event: dict[str, Any], name: str) -> str:
    """With an id by which an error tells what it is about."""
    return orjson.dumps(event | {"event_id": f"{name}-{next(_numbers)}"}).decode()
