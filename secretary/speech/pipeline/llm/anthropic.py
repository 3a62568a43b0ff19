"""Anthropic's Messages (`POST /v1/messages`, version 2026-10-21), streamed.

Options: `llm_max_tokens`, `llm_extra`; this version of the interface knows no temperature any more. Instructions and
tools are marked as cacheable: they are the same in every turn of a call, and of the next call of the same secretary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from secretary.speech.contract import ProviderError
from secretary.speech.pipeline.llm.contract import (
    Draft,
    FromCaller,
    Message,
    Piece,
    Prompt,
    Stopped,
    StopReason,
    Text,
    Thinking,
    Usage,
)
from secretary.speech.pipeline.llm.openai import MAX_ARGUMENTS, MAX_CALLS
from secretary.speech.pipeline.service import named, words_of
from secretary.speech.pipeline.settings import Stage

VERSION: Final = "2026-10-21"
OPENING: Final = "(The caller is on the line.)"
"""Messages begin with the user's; a call begins with the secretary's greeting."""
_STOPS: Final[Mapping[str, StopReason]] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "pause_turn": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tools",
    "refusal": "refused",
}


class Messages:
    """Implements `Dialect`."""

    path = "/v1/messages"

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._max_tokens = int(stage.number("max_tokens", 1000, 1, 100_000))

    def headers(self) -> Mapping[str, str]:
        key = self._stage.key
        # As Anthropic's own client does it since its second version; `x-api-key` was the way before.
        return {"anthropic-version": VERSION} | ({"Authorization": f"Bearer {key}"} if key else {})

    def body(self, prompt: Prompt) -> dict[str, object]:
        body: dict[str, object] = {
            "model": self._stage.model,
            "max_tokens": self._max_tokens,
            "messages": _written(prompt.messages),
            "stream": True,
        }
        if prompt.system:
            body["system"] = [{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}]
        if prompt.tools:
            body["tools"] = [
                {
                    "name": tool.name,
                    "description": tool.description,
                    "input_schema": dict(tool.parameters) or {"type": "object", "properties": {}},
                }
                for tool in prompt.tools
            ]
        return body

    def reader(self) -> EventReader:
        return EventReader()


def _written(messages: tuple[Message, ...]) -> list[dict[str, object]]:
    """Alternating roles; a tool's results open the user's message after it."""
    written: list[dict[str, Any]] = []

    def add(role: str, blocks: list[dict[str, object]]) -> None:
        if not blocks:
            return
        if not written and role == "assistant":
            written.append({"role": "user", "content": [{"type": "text", "text": OPENING}]})
        if written and written[-1]["role"] == role:
            written[-1]["content"] += blocks
        else:
            written.append({"role": role, "content": blocks})

    for message in messages:
        if isinstance(message, FromCaller):
            add("user", [{"type": "text", "text": message.text}])
            continue
        said: list[dict[str, object]] = [{"type": "text", "text": message.text}] if message.text else []
        said += [
            {"type": "tool_use", "id": call.call_id, "name": call.name, "input": _object(call.arguments)}
            for call in message.calls
        ]
        add("assistant", said)
        add(
            "user",
            [
                {"type": "tool_result", "tool_use_id": result.call_id, "content": result.text}
                | ({"is_error": True} if result.failed else {})
                for result in message.results
            ],
        )
    if not written or written[-1]["role"] == "assistant":  # an answer is asked for, not a continuation
        written.append({"role": "user", "content": [{"type": "text", "text": OPENING}]})
    return list(written)


def _object(arguments: str) -> dict[str, object]:
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


class EventReader:
    """Puts the events of one message together. Implements `Reader`."""

    def __init__(self) -> None:
        self._drafts: dict[int, Draft] = {}
        self._read = self._cached = 0
        self._stop: StopReason | None = None
        self._over = False

    def take(self, name: str, data: str) -> list[Piece]:
        event = json.loads(data)
        match event["type"]:
            case "message_start":
                usage = event["message"]["usage"]
                self._cached = int(usage.get("cache_read_input_tokens") or 0)
                fresh = int(usage["input_tokens"]) + int(usage.get("cache_creation_input_tokens") or 0)
                self._read = fresh + self._cached
                return [Usage(self._read, int(usage.get("output_tokens") or 0), self._cached)]
            case "content_block_start":
                return self._block(int(event["index"]), event["content_block"])
            case "content_block_delta":
                return self._delta(int(event["index"]), event["delta"])
            case "message_delta":
                if reason := event["delta"].get("stop_reason"):
                    self._stop = _STOPS.get(str(reason), "end")
                return [Usage(self._read, int(event["usage"]["output_tokens"]), self._cached)]
            case "message_stop":
                self._over = True
            case "error":
                raise named(ProviderError("it broke its answer off", kind="unreachable"), *words_of(data.encode()))
            case _:  # ping, content_block_stop, and what may come: clients are asked to pass over the unknown
                pass
        return []

    def _block(self, index: int, block: dict[str, Any]) -> list[Piece]:
        if block["type"] == "tool_use":
            if len(self._drafts) >= MAX_CALLS:
                raise ProviderError("it wants too many tools at once")
            self._drafts[index] = Draft(str(block["id"]), str(block["name"]))
            return [Thinking()]
        if block["type"] == "text" and block.get("text"):
            return [Text(str(block["text"]))]
        return []

    def _delta(self, index: int, delta: dict[str, Any]) -> list[Piece]:
        match delta["type"]:
            case "text_delta":
                return [Text(str(delta["text"]))] if delta["text"] else []
            case "input_json_delta":
                draft = self._drafts[index]
                draft.arguments.append(str(delta["partial_json"]))
                if sum(map(len, draft.arguments)) > MAX_ARGUMENTS:
                    raise ProviderError("a tool's arguments are too long")
        return [Thinking()]

    def end(self) -> list[Piece]:
        if not self._over:
            raise ProviderError("it broke its answer off", kind="unreachable")
        calls = [draft.done() for _, draft in sorted(self._drafts.items())]
        return [*calls, Stopped("tools" if calls else self._stop or "end")]
