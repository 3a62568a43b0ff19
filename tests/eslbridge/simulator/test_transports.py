"""The product's own server and audio legs on the stand-in switch: every transport, both ways, end to end."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field

from eslbridge.dialplan import Node, Plan, SecretaryEntry, Shape, render
from eslbridge.esl.call import OutboundCall
from eslbridge.esl.outbound import OutboundServer
from eslbridge.media.attach import TRANSPORTS, Route, attach_leg
from eslbridge.media.contract import AudioLeg
from eslbridge.media.node import MediaNode
from eslbridge.simulator import Caller, Extension, Options, StandInSwitch
from eslbridge.simulator.audio import peak, tone
from eslbridge.simulator.caller import Pause, Say
from eslbridge.simulator.options import StreamDialect
from tests.eslbridge.simulator.node import until

DOMAIN = "acme.example"
GREETING = tone(500, 600.0)
DIALECTS: dict[str, StreamDialect] = {"mod-audio-stream-binary": "binary", "mod-audio-stream-json": "json"}


@dataclass
class Parrot:
    """A secretary who greets, listens, speaks at length, is stopped, and puts the caller through."""

    media: MediaNode
    transport: str
    heard_voice_ms: int = 0
    stopped_at_ms: int | None = None
    caller: Caller | None = None
    errors: list[BaseException] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def on_frame(self, frame: bytes) -> None:
        assert len(frame) == 320
        if peak(frame) > 400:
            self.heard_voice_ms += 20

    def on_drained(self) -> None: ...

    def on_lost(self, reason: str) -> None:
        self.errors.append(RuntimeError(reason))

    async def answer(self, call: OutboundCall) -> None:
        try:
            await call.start()
            await call.answer()
            leg = await attach_leg(call, self.media, Route(self.transport), domain_uuid=str(uuid.uuid4()))
            leg.listen(self)
            try:
                await self.converse(leg)
            finally:
                leg.close()
            await call.transfer("1001", context=DOMAIN)
        except BaseException as error:
            self.errors.append(error)
            raise
        finally:
            self.done.set()

    async def converse(self, leg: AudioLeg) -> None:
        assert self.caller is not None
        leg.play(GREETING)
        await until(lambda: self.heard_voice_ms >= 380, seconds=8)
        before = self.caller.heard_voice_ms
        leg.play(tone(4000, 600.0))
        await until(lambda: self.caller is not None and self.caller.heard_voice_ms >= before + 300, seconds=8)
        leg.stop()
        self.stopped_at_ms = self.caller.ms
        await asyncio.sleep(0.5)


async def test_a_whole_call() -> None:
    """Over the rendered dialplan: greeting heard, caller heard, voice stopped, colleague reached. All side by side."""
    came = await asyncio.gather(*(whole_call(transport) for transport in TRANSPORTS), return_exceptions=True)
    errors = [error for error in came if isinstance(error, Exception)]
    if errors:
        raise ExceptionGroup("transports", errors)


async def whole_call(transport: str) -> None:
    try:
        await _whole_call(transport)
    except BaseException as error:
        error.add_note(transport)
        raise


async def _whole_call(transport: str) -> None:
    media = MediaNode(udp=("127.0.0.1", 0), websocket=("127.0.0.1", 0))
    await media.start()
    parrot = Parrot(media, transport)
    server = OutboundServer(parrot.answer, port=0)
    await server.start()
    plan = Plan(
        uuid.uuid4(),
        DOMAIN,
        transport,
        (Node("127.0.0.1", server.port),),
        (SecretaryEntry("8001", uuid.uuid4(), "Clara"),),
    )
    options = Options(port=0, stream_dialect=DIALECTS.get(transport, "community"))
    try:
        async with StandInSwitch(options) as switch:
            switch.add_extension(Extension("1001", DOMAIN, answer_after_s=0.1))
            switch.dialplan.load_xml(render(plan, Shape.PLAIN))
            caller = parrot.caller = Caller([Pause(900), Say(tone(400, 440.0))])
            call = switch.place_call(DOMAIN, "8001", caller)
            await asyncio.wait_for(parrot.done.wait(), 15)
            assert parrot.errors == []
            await until(lambda: call.other_leg is not None)
            call.phone_hung_up()
            await asyncio.wait_for(call.ended.wait(), 5)
    finally:
        await server.close()
        await media.stop()
    assert 380 <= parrot.heard_voice_ms <= 440
    greeting, speech = caller.heard[0], caller.heard[1]
    assert greeting.start_ms < 1000
    assert abs((greeting.end_ms - greeting.start_ms) - 500) <= 60
    assert parrot.stopped_at_ms is not None
    # The community module plays files, which uuid_break ends; the fork holds up to 160 ms of its own.
    assert speech.end_ms - parrot.stopped_at_ms <= 250
