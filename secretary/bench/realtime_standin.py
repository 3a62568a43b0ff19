"""The provider of `bench turns`: a server that speaks OpenAI's Realtime protocol and answers after a known delay.

It runs in a process of its own. It notes when each mark in the caller's audio arrived and when it sent each mark of its
own; what the platform adds is the difference to what the callers' side notes. Speaks JSON with `turns.py`.

Event names and fields: https://platform.openai.com/docs/api-reference/realtime-server-events (the GA interface).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any, Final

import orjson
import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from eslbridge.media import codec
from secretary.bench import marks, sounds
from secretary.bench.media_server import ask, say

PIECE_MS: Final = 200
FASTER: Final = 4
"""Voice comes so much faster than it is heard."""
_ULAW_BYTES_PER_MS: Final = 8
_SESSION: Final = {"type": "realtime"}


class Talk:
    """One connection: one call's session."""

    def __init__(self, server: StandIn, connection: ServerConnection) -> None:
        self._server, self._connection = server, connection
        self._answering: asyncio.Task[None] | None = None
        self._response: str = ""
        self._ids = itertools.count(1)
        self._turn = 0

    async def run(self) -> None:
        await self._send("session.created", session=_SESSION)
        try:
            async for message in self._connection:
                await self._take(orjson.loads(message))
        except ConnectionClosed:
            pass
        finally:
            if self._answering is not None:
                self._answering.cancel()

    async def _take(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "input_audio_buffer.append":
                self._server.heard(b64decode(event["audio"]))
            case "session.update":
                await self._send("session.updated", session=event["session"])
            case "input_audio_buffer.commit":
                self._turn += 1
                item = f"item_u{self._turn}"
                await self._send("input_audio_buffer.committed", item_id=item, previous_item_id=None)
                await self._send(
                    "conversation.item.input_audio_transcription.completed",
                    item_id=item,
                    content_index=0,
                    transcript=f"I would like to talk to somebody about order {self._turn}.",
                    usage={"type": "duration", "seconds": 2.0},
                )
            case "response.create":
                await self._cancel()
                self._response = f"resp_{next(self._ids)}"
                self._answering = asyncio.create_task(self._answer(self._response))
            case "response.cancel":
                await self._cancel()
            case "conversation.item.truncate":
                await self._send(
                    "conversation.item.truncated",
                    item_id=event["item_id"],
                    content_index=event["content_index"],
                    audio_end_ms=event["audio_end_ms"],
                )

    async def _answer(self, response: str) -> None:
        item, words = f"item_{response}", f"One moment please, I am looking for the person for order {self._turn}."
        where = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        await self._send(
            "response.created", response={"id": response, "object": "realtime.response", "status": "in_progress"}
        )
        await asyncio.sleep(self._server.delay_s)
        await self._send("response.output_audio_transcript.delta", **where, delta=words)
        for number, piece in enumerate(self._server.pieces()):
            if number == 0:
                piece = self._server.marked(piece)
            await self._send("response.output_audio.delta", **where, delta=b64encode(piece).decode())
            await asyncio.sleep(PIECE_MS / FASTER / 1000)
        await self._send("response.output_audio.done", **where)
        await self._send("response.output_audio_transcript.done", **where, transcript=words)
        await self._done(response, "completed")

    async def _cancel(self) -> None:
        task, self._answering = self._answering, None
        if task is not None and not task.done():
            task.cancel()
            await self._done(self._response, "cancelled")

    async def _done(self, response: str, status: str) -> None:
        usage = {"total_tokens": 20, "input_tokens": 10, "output_tokens": 10}
        await self._send("response.done", response=_response(response, status) | {"usage": usage, "output": []})

    async def _send(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "event_id": f"event_{next(self._ids)}"} | fields
        await self._connection.send(orjson.dumps(event), text=True)


def _response(response_id: str, status: str) -> dict[str, Any]:
    return {"id": response_id, "object": "realtime.response", "status": status}


class StandIn:
    """All connections; what they share."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self._voice = codec.encode(sounds.load("agent"), "PCMU")
        self._marks = itertools.count(1)
        self.arrived: dict[int, float] = {}
        """Mark of a caller -> when it was here."""
        self.sent: dict[int, float] = {}
        """Mark of ours -> when it left."""
        self.connections = 0
        self.answers = 0

    def pieces(self) -> Iterator[bytes]:
        self.answers += 1
        size = PIECE_MS * _ULAW_BYTES_PER_MS
        for at in range(0, len(self._voice), size):
            yield self._voice[at : at + size]

    def marked(self, piece: bytes) -> bytes:
        """The piece with a new mark at its beginning; noted as sent now."""
        number = next(self._marks)
        self.sent[number] = time.time()
        return marks.ulaw(number) + piece[marks.SIZE :]

    def heard(self, codes: bytes) -> None:
        number = marks.find_ulaw(codes)
        if number is not None:
            self.arrived[number] = time.time()

    async def talk(self, connection: ServerConnection) -> None:
        self.connections += 1
        await Talk(self, connection).run()


async def main_loop(config: dict[str, Any]) -> None:
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    server = StandIn(config["delay_ms"] / 1000)
    async with serve(server.talk, "127.0.0.1", 0, compression=None, max_queue=None) as listening:
        say({"port": next(iter(listening.sockets)).getsockname()[1]})
        await ask(stdin)
        say(
            {
                "arrived": list(server.arrived.items()),
                "sent": list(server.sent.items()),
                "connections": server.connections,
                "answers": server.answers,
            }
        )
        with contextlib.suppress(EOFError):
            await ask(stdin)  # until the node has hung up


def main() -> None:
    config = json.loads(sys.argv[1])
    os.sched_setaffinity(0, {config["core"]})
    uvloop.run(main_loop(config))


if __name__ == "__main__":
    main()
