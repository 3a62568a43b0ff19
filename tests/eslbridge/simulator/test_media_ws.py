"""The audio WebSockets: each dialect as recorded or read, against a plain WebSocket server."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from eslbridge.simulator import Caller, Clock, Faults, Options, StandInSwitch
from eslbridge.simulator.audio import tone
from eslbridge.simulator.caller import Pause, Say
from eslbridge.simulator.channel import Channel
from eslbridge.simulator.options import StreamDialect
from tests.eslbridge.simulator.node import Wire, free_port

DOMAIN = "acme.example"
VOICE = tone(600, 500.0, 0.5)


class Ear:
    """The server's end."""

    def __init__(self) -> None:
        self.messages: list[str | bytes] = []
        self.connection: ServerConnection | None = None
        self.connected = asyncio.Event()
        self.closed = asyncio.Event()
        self.accept_after = 0.0

    async def serve(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.connected.set()
        async for message in connection:
            self.messages.append(message)
        self.closed.set()

    @property
    def audio(self) -> bytes:
        return b"".join(one for one in self.messages if isinstance(one, bytes))

    @property
    def texts(self) -> list[str]:
        return [one for one in self.messages if isinstance(one, str)]

    async def send(self, message: str | bytes) -> None:
        await asyncio.wait_for(self.connected.wait(), 5)
        assert self.connection is not None
        await self.connection.send(message)


class Line:
    """A parked call, an event connection and a WebSocket server."""

    def __init__(self, switch: StandInSwitch, call: Channel, wire: Wire, ear: Ear, url: str) -> None:
        self.switch, self.call, self.wire, self.ear, self.url = switch, call, wire, ear, url

    def stream(self, order: str) -> str:
        return self.switch.api.call("uuid_audio_stream", f"{self.call.uuid} {order}")

    def fork(self, order: str) -> str:
        return self.switch.api.call("uuid_audio_fork", f"{self.call.uuid} {order}")

    async def wait(self, seconds: float) -> None:
        await self.switch.clock.sleep(seconds)


@asynccontextmanager
async def line(
    *,
    dialect: StreamDialect = "community",
    variables: dict[str, str] | None = None,
    faults: Faults | None = None,
    tmp: Path | None = None,
) -> AsyncIterator[Line]:
    options = Options(port=0, stream_dialect=dialect, temp_dir=str(tmp or ""))
    async with StandInSwitch(options, clock=Clock(10)) as switch:
        ear = Ear()
        async with serve(ear.serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            switch.dialplan.add(DOMAIN, "9999", [("answer", ""), ("park", "")])
            caller = Caller([Pause(400), Say(VOICE)], patience_ms=None)
            call = switch.place_call(DOMAIN, "9999", caller, variables=variables, faults=faults)
            await call.answered.wait()
            wire = await Wire.login(switch.port)
            kinds = "connect disconnect json play error connect_failed kill_audio".split()
            names = " ".join(f"{module}::{kind}" for module in ("mod_audio_stream", "mod_audio_fork") for kind in kinds)
            await wire.ask(f"event plain CUSTOM {names}")
            yield Line(switch, call, wire, ear, f"ws://127.0.0.1:{port}/media/tok123")
            wire.close()


async def test_community_session(tmp_path: Path) -> None:
    """The recorded session: metadata, frames of STREAM_BUFFER_SIZE, play events with a file, pause, stop, restart."""
    variables = {"STREAM_BUFFER_SIZE": "40", "STREAM_EXTRA_HEADERS": '{"X-Call-Token":"abc"}'}
    async with line(variables=variables, tmp=tmp_path) as one:
        assert one.stream(f'start {one.url} mono 16000 {{"hello":"meta"}}') == "+OK Success\n"
        connect = await one.wire.event("CUSTOM", Event_Subclass="mod_audio_stream::connect")
        assert connect["Unique-ID"] == one.call.uuid
        assert one.ear.connection is not None and one.ear.connection.request is not None
        headers = one.ear.connection.request.headers
        assert headers["X-Call-Token"] == "abc"
        assert headers["Origin"] == one.url.replace("ws:", "http:").removesuffix("/media/tok123")
        assert "Sec-WebSocket-Extensions" not in headers
        assert "Sec-WebSocket-Protocol" not in headers
        await one.wait(1.5)
        # First, unless the connection took long enough for audio to be queued before it.
        assert one.ear.texts == ['{"hello":"meta"}']
        frames = [message for message in one.ear.messages if isinstance(message, bytes)]
        assert {len(frame) for frame in frames} == {1280}
        raw = base64.b64encode(VOICE).decode()
        play = {"type": "streamAudio", "data": {"audioDataType": "raw", "sampleRate": 8000, "audioData": raw}}
        await one.ear.send(json.dumps(play))
        await one.wire.event("CUSTOM", Event_Subclass="mod_audio_stream::play")
        file = tmp_path / f"{one.call.uuid}_0.tmp.r8"
        assert file.read_bytes() == VOICE
        heard = one.call.phone.heard_voice_ms
        await one.ear.send(VOICE)  # ignored
        await one.ear.send('{"type":"hello","any":"json"}')
        await one.wire.event("CUSTOM", Event_Subclass="mod_audio_stream::json")
        assert one.call.phone.heard_voice_ms == heard == 0
        assert one.stream("pause") == "+OK Success\n"
        await one.wait(0.2)
        count = len(one.ear.messages)
        await one.wait(0.5)
        assert len(one.ear.messages) == count
        assert one.stream("resume") == "+OK Success\n"
        assert one.stream(f"start {one.url} mono 8k") == "-ERR Operation Failed\n"
        assert one.stream('stop {"bye":1}') == "+OK Success\n"
        await asyncio.wait_for(one.ear.closed.wait(), 5)
        assert one.ear.messages[-1] == '{"bye":1}'
        assert one.ear.connection.close_code == 1000
        assert one.ear.connection.close_reason == "Normal closure"
        assert not file.exists()
        assert one.stream("stop") == "-ERR Operation Failed\n"
        assert one.stream(f"start {one.url} mono 8k") == "+OK Success\n"


async def test_binary_plays() -> None:
    """The streaming build plays binary frames, at the rate that rawAudio named."""
    async with line(dialect="binary") as one:
        one.stream(f"start {one.url} mono 8k")
        await one.ear.send(VOICE)
        await one.wait(1.0)
        assert 580 <= one.call.phone.heard_voice_ms <= 620
        await one.ear.send('{"type":"rawAudio","data":{"sampleRate":16000}}')
        await one.ear.send(VOICE)
        await one.wait(1.0)
        assert 860 <= one.call.phone.heard_voice_ms <= 940


async def test_json_plays_and_stops() -> None:
    """The forks' streamAudio goes straight to the telephone, and stopAudio silences it."""
    async with line(dialect="json") as one:
        one.stream(f"start {one.url} mono 8k")
        raw = base64.b64encode(VOICE * 10).decode()
        data = {"audioDataType": "raw", "sampleRate": 8000, "audioData": raw}
        await one.ear.send(json.dumps({"type": "streamAudio", "data": data}))
        await one.wait(1.0)
        await one.ear.send('{"type":"stopAudio"}')
        await one.wait(0.3)
        heard = one.call.phone.heard_voice_ms
        assert 500 <= heard <= 1500
        await one.wait(0.5)
        assert one.call.phone.heard_voice_ms == heard


async def test_fork_needs_a_writer() -> None:
    """jambonz's build plays on a parked channel only with send_silence_when_idle; marks and killAudio as it answers."""
    async with line(variables={"send_silence_when_idle": "400"}) as one:
        order = f'start {one.url} mono 8k bug1 \'{{"a":"b c"}}\' true true 8000'
        assert one.fork(order) == "+OK Success\n"
        await one.wire.event("CUSTOM", Event_Subclass="mod_audio_fork::connect")
        await one.ear.send(VOICE)
        await one.ear.send('{"type":"mark","data":{"name":"m1"}}')
        await one.wait(1.2)
        assert one.ear.connection is not None and one.ear.connection.request is not None
        assert one.ear.connection.request.headers["Sec-WebSocket-Protocol"] == "audio.drachtio.org"
        assert ":" not in one.ear.connection.request.headers["Host"]
        assert one.ear.texts[0] == '{"a":"b c"}'
        assert json.loads(one.ear.texts[1]) == {"type": "mark", "data": {"name": "m1", "event": "playout"}}
        assert 580 <= one.call.phone.heard_voice_ms <= 620
        await one.ear.send(VOICE * 4)
        await one.ear.send('{"type":"mark","data":{"name":"m2"}}')
        await one.wait(0.4)
        await one.ear.send('{"type":"killAudio"}')
        await one.wire.event("CUSTOM", Event_Subclass="mod_audio_fork::kill_audio")
        await one.wait(0.2)
        assert json.loads(one.ear.texts[2])["data"] == {"name": "m2", "event": "cleared"}
        assert one.call.phone.heard_voice_ms < 1600
        assert one.fork("graceful-shutdown bug1") == "+OK Success\n"
        await one.wait(0.2)
        assert one.ear.messages[-1] == b""
        assert one.fork("stop bug1") == "+OK Success\n"
    async with line() as one:
        one.fork(f"start {one.url} mono 8k bug1 x true true 8000")
        await one.ear.send(VOICE)
        await one.wait(1.0)
        assert one.call.phone.heard_voice_ms == 0


async def test_fork_hands_on_in_lumps() -> None:
    """Audio shorter than the first 1,280 samples is not heard, nor is a tail below 640."""
    async with line(variables={"send_silence_when_idle": "400"}) as one:
        one.fork(f"start {one.url} mono 8k bug1 x true true 8000")
        await one.ear.send(VOICE[:2000])
        await one.wait(0.5)
        assert one.call.phone.heard_voice_ms == 0
        await one.ear.send(VOICE[2000:3000])
        await one.wait(0.5)
        assert one.call.phone.heard_voice_ms > 150


async def test_connection_failures() -> None:
    """Refused and not upgraded are error 6, slower than 1 s is error 10; the bug is gone and start works again."""
    async with line() as one:
        assert one.stream(f"start ws://127.0.0.1:{free_port()}/x mono 8k") == "+OK Success\n"
        await one.wire.event("CUSTOM", Event_Subclass="mod_audio_stream::error")
        silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        assert one.stream(f"start ws://127.0.0.1:{port}/x mono 8k") == "+OK Success\n"
        while not one.wire.events:
            message = await one.wire.read()
            one.wire.events.append(message)
        assert b'"code":10' in one.wire.events[0].body
        silent.close()
        assert one.stream(f"start {one.url} mono 8k") == "+OK Success\n"
        assert one.stream("start ws://under_score/x mono 8k") == "-ERR Operation Failed\n"


async def test_far_end_close_and_drop() -> None:
    """A server's CLOSE leaves the bug (start fails until stop); a broken connection removes it."""
    async with line() as one:
        one.stream(f"start {one.url} mono 8k")
        await one.ear.connected.wait()
        assert one.ear.connection is not None
        await one.ear.connection.close(1001, "going away")
        await one.wire.event("CUSTOM", Event_Subclass="mod_audio_stream::disconnect")
        assert one.stream(f"start {one.url} mono 8k") == "-ERR Operation Failed\n"
        assert one.stream("stop") == "+OK Success\n"
        one.ear.connected.clear()
        assert one.stream(f"start {one.url} mono 8k") == "+OK Success\n"
        await one.ear.connected.wait()
        one.ear.connection.transport.abort()
        await one.wire.event("CUSTOM", Event_Subclass="mod_audio_stream::error")
        assert one.stream(f"start {one.url} mono 8k") == "+OK Success\n"


@pytest.mark.parametrize("faults", [Faults(no_metadata=True), Faults(late_metadata_frames=20), Faults(odd_frames=True)])
async def test_misbehaviour(faults: Faults) -> None:
    """Metadata never or late, frames of any size: the audio itself is complete and in order."""
    async with line(faults=faults) as one:
        one.stream(f"start {one.url} mono 8k meta")
        await one.wait(2.0)
        if faults.no_metadata:
            assert one.ear.texts == []
        elif faults.late_metadata_frames:
            assert one.ear.messages.index("meta") >= 20
        else:
            assert len({len(message) for message in one.ear.messages if isinstance(message, bytes)}) > 10
        assert VOICE[:8000] in one.ear.audio


async def test_hangup_closes_the_socket() -> None:
    """The call's end closes with 1000 and fires no disconnect event."""
    async with line() as one:
        one.stream(f"start {one.url} mono 8k")
        await one.ear.connected.wait()
        one.call.hang_up()
        await asyncio.wait_for(one.ear.closed.wait(), 5)
        assert one.ear.connection is not None
        assert one.ear.connection.close_code == 1000
