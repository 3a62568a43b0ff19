"""Stands in for Anthropic's `POST /v1/messages`, streamed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from anthropic.types import (
    RawContentBlockDeltaEvent,
    RawContentBlockStartEvent,
    RawContentBlockStopEvent,
    RawMessageDeltaEvent,
    RawMessageStartEvent,
    RawMessageStopEvent,
)
from anthropic.types.message_create_params import MessageCreateParamsStreaming

from tests.peers.vendor_types import get_ready, wrong_model, wrong_params
from tests.peers.web import Reply, Request, Step, WebPeer

EVENTS: dict[str, Any] = {
    "message_start": RawMessageStartEvent,
    "content_block_start": RawContentBlockStartEvent,
    "content_block_delta": RawContentBlockDeltaEvent,
    "content_block_stop": RawContentBlockStopEvent,
    "message_delta": RawMessageDeltaEvent,
    "message_stop": RawMessageStopEvent,
}


get_ready(MessageCreateParamsStreaming, *EVENTS.values())


def message_start(read: int = 300, cached: int = 200) -> dict[str, Any]:
    return {
        "type": "message_start",
        "message": {
            "id": "msg_01",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-5-5",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": read, "output_tokens": 1, "cache_read_input_tokens": cached},
        },
    }


def message_end(stop: str, written: int = 30) -> list[dict[str, Any]]:
    return [
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": {"output_tokens": written},
        },
        {"type": "message_stop"},
    ]


def text_block(index: int, *pieces: str) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}},
        *(_delta(index, {"type": "text_delta", "text": text}) for text in pieces),
        {"type": "content_block_stop", "index": index},
    ]


def tool_block(index: int, name: str, arguments: str, size: int = 5) -> list[dict[str, Any]]:
    block = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
    pieces = [arguments[at : at + size] for at in range(0, len(arguments), size)]
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        *(_delta(index, {"type": "input_json_delta", "partial_json": piece}) for piece in ("", *pieces)),
        {"type": "content_block_stop", "index": index},
    ]


def _delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


@dataclass
class MessagesPeer(WebPeer):
    """Every request is judged by Anthropic's request params, every event by its Raw…Event."""

    def look_at(self, request: Request) -> None:
        if request.path != "/v1/messages":
            self.problems.append(f"unknown address {request.method} {request.path}")
        elif problem := wrong_params(MessageCreateParamsStreaming, request.json):
            self.problems.append(problem)
        if not request.headers.get("anthropic-version"):
            self.problems.append("no anthropic-version")

    def says(
        self,
        *pieces: str,
        calls: tuple[tuple[str, str], ...] = (),
        stop: str = "",
        delay_s: float = 0.0,
        bytes_at_a_time: int = 100_000,
    ) -> Step:
        events = [message_start()]
        events += text_block(0, *pieces) if pieces else []
        for n, (name, arguments) in enumerate(calls, start=1 if pieces else 0):
            events += tool_block(n, name, arguments)
        events += message_end(stop or ("tool_use" if calls else "end_turn"))

        async def step(request: Request, reply: Reply) -> None:
            await reply.start(200, "text/event-stream")
            await asyncio.sleep(delay_s)
            for event in events:
                await self.send(reply, event, bytes_at_a_time)
                if event["type"] == "message_start":
                    await reply.send(b'event: ping\ndata: {"type": "ping"}\n\n')
            await reply.end()

        return step

    async def send(self, reply: Reply, event: dict[str, Any], size: int = 100_000) -> None:
        if problem := wrong_model(EVENTS[event["type"]], event):
            self.problems.append(problem)
        data = f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
        await reply.in_pieces(data, size)
