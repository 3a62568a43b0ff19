"""What is measured of turns is what was under way, and the stand-in provider speaks as the vendor does."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode

import orjson
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from eslbridge.media import codec
from secretary.bench import marks
from secretary.bench.realtime_standin import StandIn
from secretary.bench.turns import under_way
from tests.peers.strict import fits


def test_a_mark_is_measured_from_its_sending() -> None:
    """Only those of the measurement, in the order of their arrival; one that never arrives counts nowhere."""
    sent = [(1, 9.0), (2, 10.0), (3, 10.5), (4, 11.0)]
    arrived = [(3, 10.52), (1, 9.01), (2, 10.03), (7, 12.0)]
    ways = under_way(sent, arrived, since=10.0)
    assert [(round(at, 3), round(ms)) for at, ms in ways] == [(10.03, 30), (10.52, 20)]


async def test_the_standin_fits_the_vendors_types() -> None:
    """Every event of a turn, an interruption and a truncation; the caller's mark and its own are noted."""
    adapter: TypeAdapter[object] = TypeAdapter(RealtimeServerEvent)
    standin = StandIn(0.01)
    kinds, audio = [], b""
    async with serve(standin.talk, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/v1/realtime") as socket:
            frame = codec.encode(marks.linear(7) + bytes(288), "PCMU")
            for event in (
                {"type": "session.update", "session": {"type": "realtime"}},
                {"type": "input_audio_buffer.append", "audio": b64encode(frame).decode()},
                {"type": "input_audio_buffer.commit"},
                {"type": "response.create"},
            ):
                await socket.send(orjson.dumps(event), text=True)
            async with asyncio.timeout(5):
                while True:
                    event = orjson.loads(await socket.recv())
                    fits(adapter, event)
                    kinds.append(event["type"])
                    if event["type"] == "response.output_audio.delta" and not audio:
                        audio = b64decode(event["delta"])
                        await socket.send('{"type": "response.cancel"}')
                        truncate = {"item_id": event["item_id"], "content_index": 0, "audio_end_ms": 100}
                        await socket.send(orjson.dumps({"type": "conversation.item.truncate", **truncate}), text=True)
                    if event["type"] == "conversation.item.truncated":
                        break
    assert {"session.created", "session.updated", "input_audio_buffer.committed", "response.done"} <= set(kinds)
    assert set(standin.arrived) == {7}
    assert marks.find_ulaw(audio) in standin.sent
