"""Stands in for a chat server that speaks OpenAI's `POST /chat/completions`, streamed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from openai.types.chat import ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

from tests.peers.vendor_types import get_ready, wrong_model, wrong_params
from tests.peers.web import Reply, Request, Step, WebPeer

get_ready(CompletionCreateParamsStreaming, ChatCompletionChunk)


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One `chat.completion.chunk`."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "stand-in",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


def usage(read: int = 120, written: int = 20, cached: int = 0) -> dict[str, Any]:
    figures = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return chunk({}) | {"choices": [], "usage": figures | {"prompt_tokens_details": {"cached_tokens": cached}}}


def tool_parts(*calls: tuple[str, str], size: int = 7) -> list[dict[str, Any]]:
    """Deltas of parallel calls (name, arguments), the arguments in pieces that alternate between the calls."""
    begin = [
        {"index": n, "id": f"call_{n}abc", "type": "function", "function": {"name": name, "arguments": ""}}
        for n, (name, _) in enumerate(calls)
    ]
    longest = max(len(arguments) for _, arguments in calls)
    pieces = [
        {"index": n, "function": {"arguments": arguments[at : at + size]}}
        for at in range(0, longest, size)
        for n, (_, arguments) in enumerate(calls)
        if arguments[at : at + size]
    ]
    return [{"tool_calls": [part]} for part in (*begin, *pieces)]


@dataclass
class ChatPeer(WebPeer):
    """Every request is judged by OpenAI's request params, every chunk by its ChatCompletionChunk."""

    prefix: str = "/v1"

    def look_at(self, request: Request) -> None:
        if request.path != "/v1/chat/completions":
            self.problems.append(f"unknown address {request.method} {request.path}")
        elif problem := wrong_params(CompletionCreateParamsStreaming, request.json):
            self.problems.append(problem)

    def says(
        self,
        *pieces: str,
        calls: tuple[tuple[str, str], ...] = (),
        finish: str | None = None,
        delay_s: float = 0.0,
        pause_s: float = 0.0,
        bytes_at_a_time: int = 100_000,
        then_hang: bool = False,
        then_break: bool = False,
    ) -> Step:
        """Answer with these pieces of text and calls: `delay_s` before the first, `pause_s` before each other."""
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": text} for text in pieces)]
        deltas += tool_parts(*calls) if calls else []

        async def step(request: Request, reply: Reply) -> None:
            await reply.start(200, "text/event-stream; charset=utf-8")
            await asyncio.sleep(delay_s)
            for n, delta in enumerate(deltas):
                if n > 1 and pause_s:
                    await asyncio.sleep(pause_s)
                await self._send(reply, chunk(delta), bytes_at_a_time)
            if then_hang:
                await reply.hang()
            if then_break:
                reply.break_off()
                return
            await self._send(reply, chunk({}, finish or ("tool_calls" if calls else "stop")), bytes_at_a_time)
            if (request.json.get("stream_options") or {}).get("include_usage"):
                await self._send(reply, usage(), bytes_at_a_time)
            await reply.in_pieces(b"data: [DONE]\n\n", bytes_at_a_time)
            await reply.end()

        return step

    async def usual(self, request: Request, reply: Reply) -> None:
        await self.says("Very well, ", "thank you for calling.")(request, reply)

    async def _send(self, reply: Reply, value: dict[str, Any], size: int) -> None:
        if problem := wrong_model(ChatCompletionChunk, value):
            self.problems.append(problem)
        data = f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()
        await reply.in_pieces(data, size)


def raw(*events: str, content_type: str = "text/event-stream") -> Step:
    """Events as they are, for what no vendor's type allows."""

    async def step(request: Request, reply: Reply) -> None:
        await reply.start(200, content_type)
        for event in events:
            await reply.send(event.encode())
        await reply.end()

    return step
