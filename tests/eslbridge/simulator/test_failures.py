"""What becomes of a call whose node fails: every line of the matrix recorded from FreeSWITCH 1.11."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest

from eslbridge.simulator import Caller, Clock, Options, StandInSwitch
from eslbridge.simulator.channel import Channel
from tests.eslbridge.simulator.node import Handler, Node, Wire, until

DOMAIN = "acme.example"
AFTER = ("set", "reached=fallback")


async def call_through(
    switch: StandInSwitch, sockets: list[str], *, resume: bool, wait_s: float = 60
) -> tuple[Channel, float]:
    """Dial through these `socket` arguments; returns the leg and the switch's seconds until its fallback."""
    resuming = [("set", "socket_resume=true")] if resume else []
    actions = [*resuming, *(("socket", f"{one} async full") for one in sockets), AFTER, ("sleep", "5000")]
    switch.dialplan.add(DOMAIN, "8001", actions)
    started = switch.clock.now()
    call = switch.place_call(DOMAIN, "8001", Caller(patience_ms=None))
    with suppress(TimeoutError):
        await until(lambda: AFTER in call.history, seconds=switch.clock.real(wait_s))
    return call, switch.clock.now() - started


def refused() -> str:
    """An address where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


async def close_at_once(wire: Wire) -> None:
    wire.writer.transport.abort()


async def stay_silent(wire: Wire) -> None:
    await wire.until_end()


async def connect_and_die(wire: Wire) -> None:
    wire.send("connect")
    await wire.reader.readuntil(b"\n\n")
    wire.writer.transport.abort()


async def connect_then_exit(wire: Wire) -> None:
    wire.send("connect")
    await wire.reader.readuntil(b"\n\n")
    await asyncio.sleep(0.05)
    assert await wire.ask("exit") == "+OK bye"
    await wire.until_end()
    assert wire.notices[-1].headers["Content-Disposition"] == "disconnect"


@pytest.mark.parametrize("resume", [False, True])
async def test_refused(switch: StandInSwitch, resume: bool) -> None:
    """A refused connection: the next action at once."""
    _, took = await call_through(switch, [refused()], resume=resume)
    assert took < 5


@pytest.mark.parametrize(("resume", "parked"), [(False, True), (True, False)])
@pytest.mark.parametrize("handler", [close_at_once, connect_and_die])
async def test_dies_at_once(switch: StandInSwitch, handler: Handler, resume: bool, parked: bool) -> None:
    """Closed before `connect`, or within milliseconds of it: parked for ever, or with socket_resume the next action."""
    switch.options.park_entry_s = 0.4  # 20 ms on this clock's wall: the race has to be won on a busy machine
    async with Node(handler) as node:
        call, _ = await call_through(switch, [f"127.0.0.1:{node.port}"], resume=resume, wait_s=20)
        assert (AFTER not in call.history) == parked
        assert call.park.parked == parked
        if parked:
            # A watchdog's transfer frees it.
            call.transfer("8002", DOMAIN)
            await asyncio.wait_for(call.ended.wait(), 2)
            assert call.hangup_cause == "NO_ROUTE_DESTINATION"


@pytest.mark.parametrize(("resume", "parked"), [(False, True), (True, False)])
async def test_silent_listener(resume: bool, parked: bool) -> None:
    """Accepted and silent: 24.5 s of dead air, then parked for ever, or with socket_resume the next action."""
    async with StandInSwitch(Options(port=0), clock=Clock(100)) as switch, Node(stay_silent) as node:
        call, took = await call_through(switch, [f"127.0.0.1:{node.port}"], resume=resume, wait_s=80)
        if parked:
            assert call.park.parked
        else:
            assert 24.4 < took < 60


async def test_watchdog_frees_a_silent_listener(switch: StandInSwitch) -> None:
    """`sched_api +8 … uuid_transfer` in the dialplan: the caller waits 8 s instead of 25."""
    switch.dialplan.add(DOMAIN, "fallback", [AFTER, ("sleep", "1000")])
    async with Node(stay_silent) as node:
        watchdog = "api_result=${sched_api(+8 wd-${uuid} uuid_transfer ${uuid} fallback XML ${domain_name})}"
        actions = [("set", "socket_resume=true"), ("set", watchdog), ("socket", f"127.0.0.1:{node.port} async full")]
        switch.dialplan.add(DOMAIN, "8001", actions)
        started = switch.clock.now()
        call = switch.place_call(DOMAIN, "8001", Caller())
        await asyncio.wait_for(call.ended.wait(), 5)
    assert AFTER in call.history
    assert 8 <= switch.clock.now() - started < 20
    assert call.variable("api_result").startswith("+OK Added: ")


async def test_watchdog_is_taken_back(switch: StandInSwitch) -> None:
    """`api sched_del wd-<uuid>` by the node: the watchdog does not bite."""
    deleted = []

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        await wire.reader.readuntil(b"\n\n")
        deleted.append(await wire.ask(f"api sched_del wd-{call.uuid}"))
        await wire.until_end()

    async with Node(handler) as node:
        watchdog = "x=${sched_api(+2 wd-${uuid} uuid_kill ${uuid})}"
        switch.dialplan.add(DOMAIN, "8001", [("set", watchdog), ("socket", f"127.0.0.1:{node.port} async full")])
        call = switch.place_call(DOMAIN, "8001", Caller())
        await switch.clock.sleep(6)
        assert not call.is_down
    assert deleted == ["+OK Deleted: 1\n"]


@pytest.mark.parametrize("resume", [False, True])
async def test_exit_while_idle(switch: StandInSwitch, resume: bool) -> None:
    """`exit`, 50 ms or more after connect: the next action."""
    async with Node(connect_then_exit) as node:
        call, took = await call_through(switch, [f"127.0.0.1:{node.port}"], resume=resume)
        assert AFTER in call.history
        assert took < 10


@pytest.mark.parametrize("resume", [False, True])
async def test_dies_while_an_application_runs(switch: StandInSwitch, resume: bool) -> None:
    """The application runs to its end, or with socket_resume is broken off at once."""

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        await wire.reader.readuntil(b"\n\n")
        await wire.execute("sleep", "8000")
        await asyncio.sleep(0.05)
        wire.writer.transport.abort()

    async with Node(handler) as node:
        _, took = await call_through(switch, [f"127.0.0.1:{node.port}"], resume=resume)
    assert took < 7 if resume else took > 7.5


async def test_second_socket_takes_over(switch: StandInSwitch) -> None:
    """With socket_resume a second `socket` action gets the call of a node that died, under the same Unique-ID."""
    seen = []

    async def second(wire: Wire) -> None:
        wire.send("connect")
        data = await wire.reply()
        seen.append(data.headers["Unique-ID"])
        await wire.ask("exit")

    async def first(wire: Wire) -> None:
        wire.send("connect")
        await wire.reader.readuntil(b"\n\n")
        await asyncio.sleep(0.05)
        wire.writer.transport.abort()

    async with Node(first) as one, Node(second) as two:
        hosts = [f"127.0.0.1:{one.port}", f"127.0.0.1:{two.port}"]
        call, _ = await call_through(switch, hosts, resume=True)
        assert AFTER in call.history
    assert seen == [call.uuid]


async def test_next_host_of_the_list(switch: StandInSwitch) -> None:
    """`a|b`: the first that accepts gets the call, and socket_host and socket_path tell which."""
    async with Node(connect_then_exit) as node:
        await call_through(switch, [f"{refused()}|127.0.0.1:{node.port}/acme"], resume=True)
        assert node.calls == 1
    call = switch.place_call(DOMAIN, "none", Caller())
    await call.ended.wait()
    assert call.hangup_cause == "NO_ROUTE_DESTINATION"


async def test_last_instruction_hangs_up(switch: StandInSwitch) -> None:
    """Without a further action the call is cleared normally."""
    async with Node(connect_then_exit) as node:
        switch.dialplan.add(DOMAIN, "8009", [("socket", f"127.0.0.1:{node.port} async full")])
        call = switch.place_call(DOMAIN, "8009", Caller())
        await asyncio.wait_for(call.ended.wait(), 5)
    assert call.hangup_cause == "NORMAL_CLEARING"


async def test_old_listener_resets_a_transferred_call(switch: StandInSwitch) -> None:
    """With socket_resume still set, a node that closes after the transfer breaks the colleague's bridge off."""
    moved = asyncio.Event()

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        await wire.reader.readuntil(b"\n\n")
        await moved.wait()

    async with Node(handler) as node:
        actions = [("set", "socket_resume=true"), ("socket", f"127.0.0.1:{node.port} async full")]
        switch.dialplan.add(DOMAIN, "8001", actions)
        call = switch.place_call(DOMAIN, "8001", Caller())
        await switch.clock.sleep(0.5)
        call.transfer("1001", DOMAIN)
        await switch.clock.sleep(3)
        assert call.media.other is not None
        moved.set()
        await switch.clock.sleep(2)
        assert call.state == "CS_RESET"
        assert call.media.other is None


async def test_half_close_answers_what_was_received(switch: StandInSwitch) -> None:
    """After the peer's FIN the commands it sent are still answered, then come the notice and the end."""
    wire = await Wire.login(switch.port)
    wire.writer.write(b"api create_uuid\n\napi uuid_exists x\n\n")
    wire.writer.write_eof()
    assert len((await wire.reply()).body) == 36
    assert (await wire.reply()).body == b"false"
    await wire.until_end()
    assert len(wire.notices) == 1
