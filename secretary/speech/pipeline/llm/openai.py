"""Any server with OpenAI's `POST /chat/completions`: OpenAI, Azure, vLLM, llama.cpp, Ollama, Groq, OpenRouter, …

Options: `llm_max_tokens`, `llm_temperature`, `llm_reasoning_effort`, `llm_usage` (`off` for a server that does not
know stream_options), `llm_extra` (JSON that goes into every request, such as
`{"chat_template_kwargs": {"enable_thinking": false}}` for a reasoning model on vLLM).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from secretary.speech.contract import ProviderError
from secretary.speech.openai_realtime.address import is_azure_host
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
from secretary.speech.pipeline.service import named, words_of
from secretary.speech.pipeline.settings import STAGES, Stage

MAX_CALLS: Final = 16
MAX_ARGUMENTS: Final = 20_000
"""Characters of one call's arguments."""
_STOPS: Final[Mapping[str, StopReason]] = {
    "stop": "end",
    "length": "length",
    "tool_calls": "tools",
    "function_call": "tools",
    "content_filter": "refused",
}


class ChatCompletions:
    """Implements `Dialect`."""

    path = "/chat/completions"

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._max_tokens = int(stage.number("max_tokens", 1000, 1, 100_000))
        self._temperature = stage.number("temperature", -1.0, -1.0, 2.0)

    def headers(self) -> Mapping[str, str]:
        return self._stage.bearer()

    def body(self, prompt: Prompt) -> dict[str, object]:
        messages: list[dict[str, object]] = []
        if prompt.system:
            messages.append({"role": "system", "content": prompt.system})
        for message in prompt.messages:
            messages += _written(message)
        # OpenAI's own models refuse the old name, most others do not know the new one.
        own = self._stage.url == STAGES["llm"]["openai"] or is_azure_host(self._stage.url)
        body: dict[str, object] = {
            "model": self._stage.model,
            "messages": messages,
            "stream": True,
            "max_completion_tokens" if own else "max_tokens": self._max_tokens,
        }
        if self._stage.option("usage", "on") != "off":
            body["stream_options"] = {"include_usage": True}
        if self._temperature >= 0:
            body["temperature"] = self._temperature
        if effort := self._stage.option("reasoning_effort"):
            body["reasoning_effort"] = effort
        if prompt.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": dict(tool.parameters) or {"type": "object", "properties": {}},
                    },
                }
                for tool in prompt.tools
            ]
        return body

    def reader(self) -> ChunkReader:
        return ChunkReader()


def _written(message: Message) -> list[dict[str, object]]:
    if isinstance(message, FromCaller):
        return [{"role": "user", "content": message.text}]
    said: dict[str, object] = {"role": "assistant", "content": message.text}
    if message.calls:
        said["content"] = message.text or None
        said["tool_calls"] = [
            {
                "id": call.call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": _object(call.arguments)},
            }
            for call in message.calls
        ]
    results: list[dict[str, object]] = [
        {"role": "tool", "tool_call_id": result.call_id, "content": result.text} for result in message.results
    ]
    return [said, *results]


def _object(arguments: str) -> str:
    """What a model wrote for a tool, where it is JSON: some servers refuse every further request for what is none."""
    try:
        return arguments if isinstance(json.loads(arguments), dict) else "{}"
    except ValueError:
        return "{}"


class ChunkReader:
    """Puts `chat.completion.chunk`s together. Implements `Reader`."""

    def __init__(self) -> None:
        self._drafts: list[Draft] = []
        self._numbers: dict[object, int] = {}
        """What the server calls a call, to its place among the drafts."""
        self._stop: StopReason | None = None
        self._any = False

    def take(self, name: str, data: str) -> list[Piece]:
        if data.strip() == "[DONE]":
            self._any = True
            return []
        chunk = json.loads(data)
        if chunk.get("error"):
            raise named(ProviderError("it broke its answer off", kind="unreachable"), *words_of(data.encode()))
        self._any = True
        pieces: list[Piece] = []
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) == 0:
                pieces += self._choice(choice)
        if usage := chunk.get("usage"):
            cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
            pieces.append(Usage(int(usage["prompt_tokens"]), int(usage.get("completion_tokens") or 0), int(cached)))
        return pieces

    def _choice(self, choice: dict[str, Any]) -> list[Piece]:
        pieces: list[Piece] = []
        delta = choice.get("delta") or {}
        if text := delta.get("content"):
            pieces.append(Text(str(text)))
        elif delta.get("reasoning_content") or delta.get("reasoning"):  # vLLM, DeepSeek, Ollama
            pieces.append(Thinking())
        if delta.get("refusal"):
            pieces.append(Text(str(delta["refusal"])))
        for part in delta.get("tool_calls") or ():
            self._call(part)
            pieces.append(Thinking())
        if reason := choice.get("finish_reason"):
            self._stop = _STOPS.get(str(reason), "end")
        return pieces

    def _call(self, part: dict[str, Any]) -> None:
        number, given = part.get("index"), str(part.get("id") or "")
        index = self._numbers.get(number)
        if index is None or number is None or (given and self._drafts[index].call_id not in ("", given)):
            # A new one, also from servers that send whole calls without a number, or number all of them 0.
            if len(self._drafts) >= MAX_CALLS:
                raise ProviderError("it wants too many tools at once")
            index = self._numbers[number] = len(self._drafts)
            self._drafts.append(Draft())
        draft = self._drafts[index]
        draft.call_id = draft.call_id or given
        function = part.get("function") or {}
        draft.name = draft.name or str(function.get("name") or "")
        if arguments := function.get("arguments"):
            draft.arguments.append(arguments if isinstance(arguments, str) else json.dumps(arguments))
        if sum(map(len, draft.arguments)) > MAX_ARGUMENTS:
            raise ProviderError("a tool's arguments are too long")

    def end(self) -> list[Piece]:
        if not self._any:
            raise ProviderError("it gave no answer")
        if self._stop is None and not self._drafts:
            # The stream just stopped: what was said may be half a sentence, and nobody knows what was to follow.
            raise ProviderError("it broke its answer off", kind="unreachable")
        pieces: list[Piece] = []
        for number, draft in enumerate(self._drafts):
            draft.call_id = draft.call_id or f"call_{number}"
            pieces.append(draft.done())
        return [*pieces, Stopped("tools" if pieces else self._stop or "end")]
