"""Direct UDP: bare datagrams both ways, nothing buffered, gone after a playback."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from eslbridge.simulator import Caller, Faults, StandInSwitch, g711
from eslbridge.simulator.audio import FRAME_BYTES, tone
from eslbridge.simulator.caller import Pause, Say
from tests.eslbridge.simulator.node import Node, Wire, free_port, until

DOMAIN = "acme.example"


class NodeSocket(asyncio.DatagramProtocol):
    """The node's end: keeps what comes, with its sender."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, tuple[str, int]]] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.append((data, addr))


async def run(
    switch: StandInSwitch,
    caller: Caller,
    *,
    native: bool = False,
    faults: Faults | None = None,
    send: Sequence[bytes] = (),
) -> tuple[NodeSocket, int]:
    """A call under unicast; `send` goes to the caller 20 ms apart. Returns the node's socket and the switch's port."""
    loop = asyncio.get_running_loop()
    transport, ours = await loop.create_datagram_endpoint(NodeSocket, local_addr=("127.0.0.1", 0))
    local, remote = free_port(), transport.get_extra_info("sockname")[1]

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        await wire.reader.readuntil(b"\n\n")
        await wire.execute("answer")
        assert await wire.unicast(local, remote, native=native) == "+OK"
        await until(lambda: ours.got)
        for payload in send:
            transport.sendto(payload, ("127.0.0.1", local))
            await asyncio.sleep(switch.clock.real(0.02))
        await wire.until_end()

    async with Node(handler) as node:
        switch.dialplan.contexts.clear()
        switch.dialplan.add(DOMAIN, "8001", [("socket", f"127.0.0.1:{node.port} async full")])
        call = switch.place_call(DOMAIN, "8001", caller, faults=faults)
        await asyncio.wait_for(call.ended.wait(), 20)
    transport.close()
    return ours, local


@pytest.mark.parametrize("native", [False, True])
async def test_both_ways(switch: StandInSwitch, native: bool) -> None:
    """L16 is 320 bytes each way; native G.711 160, but the first may be 320; the voice arrives as it left."""
    voice = tone(600, 500.0, 0.5)
    caller = Caller([Pause(2000), Say(voice)], patience_ms=1200)
    back = [voice[at : at + FRAME_BYTES] for at in range(0, len(voice), FRAME_BYTES)]
    if native:
        back = [g711.encode("PCMU", frame) for frame in back]
    got, local = await run(switch, caller, native=native, send=back)
    sizes = {len(data) for data, _ in got.got[1:]}
    assert sizes == {160 if native else 320}
    assert len(got.got[0][0]) == 320
    assert {addr for _, addr in got.got} == {("127.0.0.1", local)}
    heard = b"".join(g711.decode("PCMU", data) if native else data for data, _ in got.got[1:])
    if native:
        voice = g711.decode("PCMU", g711.encode("PCMU", voice))
    assert voice in heard
    assert caller.heard_voice_ms >= 400  # a fast clock on a busy machine may merge a frame or two


async def test_playback_ends_unicast_for_good(switch: StandInSwitch) -> None:
    """After a playback no datagram comes any more, and a second `unicast` does not revive it."""
    loop = asyncio.get_running_loop()
    transport, ours = await loop.create_datagram_endpoint(NodeSocket, local_addr=("127.0.0.1", 0))
    remote = transport.get_extra_info("sockname")[1]
    counts = []

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        await wire.reader.readuntil(b"\n\n")
        await wire.ask("myevents plain")
        await wire.execute("answer")
        await wire.unicast(free_port(), remote)
        await switch.clock.sleep(1)
        counts.append(len(ours.got))
        await wire.execute("playback", "tone_stream://%(200,0,440)")
        await wire.event("CHANNEL_EXECUTE_COMPLETE", Application="playback")
        counts.append(len(ours.got))
        assert await wire.unicast(free_port(), remote) == "+OK"
        await switch.clock.sleep(1)
        counts.append(len(ours.got))
        call.hang_up()

    async with Node(handler) as node:
        switch.dialplan.add(DOMAIN, "8001", [("socket", f"127.0.0.1:{node.port} async full")])
        call = switch.place_call(DOMAIN, "8001", Caller())
        await asyncio.wait_for(call.ended.wait(), 10)
    transport.close()
    before, during, after = counts
    assert before > 10
    assert during - before <= 3
    assert after == during


async def test_misbehaving_datagrams(switch: StandInSwitch) -> None:
    """Drops, strangers and odd sizes happen as told, and the bytes themselves stay in order."""
    got, local = await run(switch, Caller(patience_ms=2000), faults=Faults(stranger_datagrams=5, drop=0.5))
    strangers = [data for data, addr in got.got if addr != ("127.0.0.1", local)]
    assert len(strangers) == 5
    assert 20 < len(got.got) - 5 < 80
    voice = tone(500, 300.0)
    got, _ = await run(switch, Caller([Pause(2000), Say(voice)], patience_ms=1200), faults=Faults(odd_datagrams=True))
    assert len({len(data) for data, _ in got.got}) > 5
    assert voice[: len(voice) // 2] in b"".join(data for data, _ in got.got)


async def test_comfort_noise(switch: StandInSwitch) -> None:
    """A telephone with comfort noise sends frames of 0xFF while it is silent."""
    got, _ = await run(switch, Caller(patience_ms=400, comfort_noise=True))
    assert {data for data, _ in got.got} == {b"\xff" * 320}


@pytest.mark.parametrize("waiting", [0, 4000])
async def test_a_transfer_waits_while_our_frames_wait(switch: StandInSwitch, waiting: int) -> None:
    """A node that has sent more than was played keeps FreeSWITCH from letting go of the channel."""
    loop = asyncio.get_running_loop()
    transport, ours = await loop.create_datagram_endpoint(NodeSocket, local_addr=("127.0.0.1", 0))
    local, remote = free_port(), transport.get_extra_info("sockname")[1]

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        await wire.reader.readuntil(b"\n\n")
        await wire.execute("answer")
        await wire.unicast(local, remote)
        await wire.until_end()

    async with Node(handler) as node:
        switch.dialplan.contexts.clear()
        switch.dialplan.add(DOMAIN, "8001", [("socket", f"127.0.0.1:{node.port} async full")])
        switch.dialplan.add(DOMAIN, "1001", [("hangup", "")])
        call = switch.place_call(DOMAIN, "8001", Caller([Pause(200_000)]))
        await until(lambda: ours.got)
        unicast = call.media.unicast
        assert unicast is not None
        unicast.playout.frames.extend([tone(20, 500.0, 0.5)] * waiting)
        transfer = asyncio.create_task(switch.api.run(f"uuid_transfer {call.uuid} 1001 XML {DOMAIN}"))
        await asyncio.wait({transfer}, timeout=0.3)
        assert transfer.done() is not bool(waiting)
        unicast.playout.clear()
        assert await asyncio.wait_for(transfer, 5) == "+OK\n"
        await asyncio.wait_for(call.ended.wait(), 20)
    transport.close()
