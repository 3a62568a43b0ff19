"""Told to misbehave, the switch does; several hundred calls at once are no misbehaviour."""

from __future__ import annotations

import asyncio

import pytest

from eslbridge.simulator import Caller, Clock, Faults, Options, StandInSwitch
from tests.eslbridge.simulator.node import Node, Wire, free_port

DOMAIN = "acme.example"


async def test_login_faults() -> None:
    """Refused, silent, rude, mute and dying switches, as a worker meets them."""
    async with StandInSwitch(Options(port=0)) as switch:

        async def open_wire() -> Wire:
            return Wire(*await asyncio.open_connection("127.0.0.1", switch.port))

        switch.faults.refuse_login = True
        assert await (await open_wire()).reader.read() == b""
        switch.faults = Faults(rude=True)
        wire = await open_wire()
        assert (await wire.read()).kind == "text/rude-rejection"
        assert (await wire.read()).kind == "text/disconnect-notice"
        switch.faults = Faults(silent_login=True)
        wire = await open_wire()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.reader.read(1), 0.1)
        switch.faults = Faults(mute_api=True)
        wire = await Wire.login(switch.port)
        wire.send("api status")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.reader.read(1), 0.1)
        switch.faults = Faults(die_after_commands=2)
        wire = await Wire.login(switch.port)
        await wire.ask("api status")
        wire.send("api status")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await wire.read()


async def connect_reply(faults: Faults, *, extra_s: float = 0.0) -> bytes:
    """All that a node gets to read from such a call, after its `connect`."""
    raw = bytearray()
    done = asyncio.Event()

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        try:
            async with asyncio.timeout(0.3 + extra_s):
                while data := await wire.reader.read(65536):
                    raw.extend(data)
        except (TimeoutError, ConnectionError):
            raw.extend(b"")
        done.set()

    async with StandInSwitch(Options(port=0), clock=Clock(20)) as switch, Node(handler) as node:
        switch.dialplan.add(DOMAIN, "8001", [("socket", f"127.0.0.1:{node.port} async full")])
        switch.place_call(DOMAIN, "8001", Caller(), faults=faults)
        await asyncio.wait_for(done.wait(), 10)
    return bytes(raw)


async def test_connect_faults() -> None:
    """Forged headers with a literal %0A, padding, silence, garbage, and events that cannot be parsed."""
    forged = await connect_reply(Faults(connect_headers={"variable_sip_user_agent": "x%0AUnique-ID: victim"}))
    assert b"variable_sip_user_agent: x%0AUnique-ID: victim\n" in forged
    assert await connect_reply(Faults(silent_connect=True)) == b""
    assert b"nonsense" in await connect_reply(Faults(garbage_connect=True))
    assert len(await connect_reply(Faults(oversized_connect=300_000))) > 300_000
    assert b"Content-Length: many" in await connect_reply(Faults(garbage_event=True))
    assert len(await connect_reply(Faults(oversized_event=1_000_000))) > 1_000_000
    assert b"disconnect-notice" not in await connect_reply(Faults(reset_after_s=1.0))


async def test_two_hundred_calls() -> None:
    """200 calls at once, each with its node connection and its audio socket, all served and all cleaned up."""
    counts: list[int] = []
    ready = asyncio.Event()

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        await wire.reader.readuntil(b"\n\n")
        await wire.execute("answer")
        await wire.unicast(free_port(), sink)
        counts.append(1)
        if len(counts) == 200:
            ready.set()
        await wire.until_end()

    sink = free_port()
    async with StandInSwitch(Options(port=0)) as switch, Node(handler) as node:
        switch.dialplan.add(DOMAIN, "8001", [("socket", f"127.0.0.1:{node.port} async full")])
        calls = [switch.place_call(DOMAIN, "8001", Caller()) for _ in range(200)]
        await asyncio.wait_for(ready.wait(), 20)
        before = [call.media.frames_in for call in calls]
        await asyncio.sleep(1.0)
        sent = [call.media.frames_in - count for call, count in zip(calls, before, strict=True)]
        assert min(sent) > 35
        for call in calls:
            call.phone_hung_up()
        await asyncio.gather(*(asyncio.wait_for(call.ended.wait(), 10) for call in calls))
        assert not switch.channels
        assert not any(switch.ticker.phases)
