"""The load of `bench esl`: a lean FreeSWITCH that connects, answers as the recorded one did, and sends events."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any, Final, cast
from urllib.parse import unquote

from secretary.bench.esl_pipe import Answer, channel_lines, serve

_REPLY: Final = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
_API: Final = b"Content-Type: api/response\nContent-Length: 4\n\n+OK\n"
_CONNECTED: Final = b"Content-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n"
_SETUP_S: Final = 10.0
_EVENTS: Final = ("CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_STATE", "PLAYBACK_START")
_LINES: Final = channel_lines()
_CHANNEL: Final = "\n".join(_LINES).encode() + b"\n"


class Channel(asyncio.Protocol):
    """One call of the stand-in: answers commands, remembers when its set-up was complete."""

    __slots__ = ("_rest", "began", "call_uuid", "can_write", "done", "transport")

    def __init__(self, done: asyncio.Future[float]) -> None:
        self.began = time.monotonic()
        self.call_uuid = str(uuid.uuid4())
        self.done: asyncio.Future[float] | None = done
        self.can_write = True
        self._rest = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        commands = (self._rest + data).split(b"\n\n")
        self._rest = commands.pop()
        answers = []
        for command in commands:
            if command == b"connect":
                answers.append(_CHANNEL.replace(b"{call_uuid}", self.call_uuid.encode()) + _CONNECTED)
            else:
                answers.append(_API if command.startswith(b"api ") else _REPLY)
            if command.startswith(b"event ") and self.done is not None and not self.done.done():
                self.done.set_result(time.monotonic() - self.began)
                self.done = None
        self.transport.write(b"".join(answers))

    def pause_writing(self) -> None:
        self.can_write = False

    def resume_writing(self) -> None:
        self.can_write = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.can_write = False
        if self.done is not None and not self.done.done():
            self.done.set_exception(ConnectionError("closed during set-up"))

    def events(self) -> bytes:
        """One event of each kind, about 7 KB each, as JSON."""
        headers = {}
        for line in _LINES:
            name, _, value = line.partition(": ")
            headers[name] = unquote(value).replace("{call_uuid}", self.call_uuid)
        parts = []
        for name in _EVENTS:
            body = json.dumps({**headers, "Event-Name": name}, separators=(",", ":"), ensure_ascii=False).encode()
            parts.append(f"Content-Length: {len(body)}\nContent-Type: text/event-json\n\n".encode() + body)
        return b"".join(parts)


async def main(config: dict[str, Any]) -> Answer:
    loop = asyncio.get_running_loop()
    channels: list[Channel] = []

    async def one() -> float:
        done: asyncio.Future[float] = loop.create_future()
        async with asyncio.timeout(_SETUP_S):
            _, channel = await loop.create_connection(lambda: Channel(done), "127.0.0.1", config["port"])
            channels.append(channel)
            return await done

    async def connect(count: int, rate: float) -> dict[str, Any]:
        """Open `count` connections at a steady rate; the times of their set-up in ms."""
        began, tasks = time.monotonic(), []
        for n in range(count):
            ahead = began + n / rate - time.monotonic()
            if ahead > 0:
                await asyncio.sleep(ahead)
            tasks.append(asyncio.create_task(one()))
        times = sorted(await asyncio.gather(*tasks))
        took = time.monotonic() - began

        def at(share: float) -> float:
            return round(times[min(int(len(times) * share), len(times) - 1)] * 1000, 2)

        size = len(_CHANNEL) + len(_CONNECTED)
        return {"p50": at(0.5), "p99": at(0.99), "max": at(1.0), "per_s": count / took, "bytes": size}

    async def talk(seconds: float, talkers: int) -> dict[str, Any]:
        """Send events on some of the connections, as many as the server takes."""
        pairs = [(channel, channel.events() * 2) for channel in channels[-talkers:]]
        sent, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            for channel, events in pairs:
                if channel.can_write:
                    channel.transport.write(events)
                    sent += len(_EVENTS) * 2
            await asyncio.sleep(0)
        async with asyncio.timeout(10.0):
            while any(channel.transport.get_write_buffer_size() for channel, _ in pairs):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        return {"sent": sent, "event_bytes": len(pairs[0][1]) // (len(_EVENTS) * 2) if pairs else 0}

    async def answer(message: dict[str, Any]) -> dict[str, Any]:
        if "connect" in message:
            return await connect(int(message["connect"]), float(message["rate"]))
        return await talk(float(message["talk"]), int(message["talkers"]))

    return answer


if __name__ == "__main__":
    serve(main)
