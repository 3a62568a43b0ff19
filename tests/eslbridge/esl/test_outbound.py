"""The server that FreeSWITCH connects to: calls in, nobody left in silence."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest
import uvloop

from eslbridge.esl import outbound
from eslbridge.esl.call import OutboundCall
from eslbridge.esl.outbound import OutboundServer
from eslbridge.metrics import ESL_DROPPED
from tests.eslbridge.esl.switch import RECORDED_UUID, Switch, reply

on_each_loop = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
"""The node runs on uvloop; where its sockets differ from asyncio's own, both are tried."""


class Calls:
    """A handler that keeps the calls it was given."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[OutboundCall] = asyncio.Queue()

    def __call__(self, call: OutboundCall) -> None:
        self.queue.put_nowait(call)

    async def next(self) -> OutboundCall:
        return await asyncio.wait_for(self.queue.get(), 3)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def server(calls: Calls) -> AsyncIterator[OutboundServer]:
    server = OutboundServer(calls, port=0)
    await server.start()
    yield server
    await server.close()


def dropped(kind: str) -> float:
    return ESL_DROPPED.labels(kind)._value.get()


async def test_set_up_takes_one_round_trip(server: OutboundServer, calls: Calls) -> None:
    """`connect` comes first and alone; the rest follows in one go, without waiting for answers in between."""
    switch = await Switch.dial(server.port)
    switch.answers.update({"api": None, "linger": None, "myevents": None, "event": None})  # says nothing more
    call = await calls.next()
    await switch.heard("event")
    assert switch.said[0] == "connect"
    assert switch.said[1] == f"api sched_del wd-{RECORDED_UUID}"
    assert server.call(RECORDED_UUID) is call
    assert switch.said[-3:-1] == ["linger 10", "myevents json"]
    assert "CUSTOM" in switch.said[-1] and "mod_audio_stream::play" in switch.said[-1]
    assert call.call_uuid == RECORDED_UUID
    assert call.variables["domain_uuid"] == "11111111-1111-1111-1111-111111111111"


async def test_set_up_complete(server: OutboundServer, calls: Calls) -> None:
    await Switch.dial(server.port)
    call = await calls.next()
    await call.start()
    assert call.is_open and call.is_answered


async def test_socket_resume_is_always_set(server: OutboundServer, calls: Calls) -> None:
    """Where the dialplan forgot it, a node that dies early would leave the caller parked for ever."""
    switch = await Switch.dial(server.port)
    await switch.heard(f"api uuid_setvar {RECORDED_UUID} socket_resume 'true'")


async def test_a_silent_switch_is_dropped(
    server: OutboundServer, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who does not describe the channel in time is cut off, counted, and its place is free again."""
    monkeypatch.setattr(outbound, "CONNECT_S", 0.05)
    before = dropped("silent")
    switch = await Switch.dial(server.port)
    switch.answers["connect"] = None
    await switch.gone()
    await asyncio.sleep(0.02)
    assert dropped("silent") == before + 1 and server.connections == 0 and calls.queue.empty()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\n\n",
        b"Content-Type: x\nContent-Length: 99999999\n\n",
        reply("-ERR no session"),
        reply("+OK") * 2,
    ],
    ids=["http", "oversized", "no channel", "unasked reply"],
)
async def test_garbage_is_cut_off_and_counted(server: OutboundServer, calls: Calls, garbage: bytes) -> None:
    before = dropped("protocol")
    switch = await Switch.dial(server.port)
    switch.answers["connect"] = garbage
    await switch.gone()
    assert dropped("protocol") == before + 1 and calls.queue.empty()


async def test_endless_headers_are_cut_off(server: OutboundServer, calls: Calls) -> None:
    switch = await Switch.dial(server.port)
    switch.answers["connect"] = b"x: " + b"a" * 1_200_000
    await switch.gone()
    assert calls.queue.empty()


async def test_a_caller_who_hangs_up_before_connect(server: OutboundServer) -> None:
    """A connection that ends at once frees its place, whichever way it ends."""
    before = dropped("before connect")
    for _ in range(5):
        switch = await Switch.dial(server.port)
        switch.answers["connect"] = None
        switch.end()
        await switch.gone()
    await asyncio.sleep(0.05)
    assert server.connections == 0 and dropped("before connect") == before + 5


@on_each_loop
def test_full_server_refuses_connections_and_reopens(run: Callable[[Coroutine[None, None, None]], None]) -> None:
    """When full it does not listen, so FreeSWITCH tries the next host; with room it listens on the same port again."""

    async def scenario() -> None:
        calls = Calls()
        server = OutboundServer(calls, port=0, max_connections=2)
        await server.start()
        first, _second = await Switch.dial(server.port), await Switch.dial(server.port)
        for _ in range(2):
            await calls.next()
        assert not server.is_listening
        with pytest.raises(ConnectionRefusedError):
            await Switch.dial(server.port)
        first.end()
        await first.gone()
        async with asyncio.timeout(3):
            while not server.is_listening:
                await asyncio.sleep(0.01)
        await Switch.dial(server.port)
        await calls.next()
        await server.close()

    run(scenario())


@on_each_loop
def test_those_in_the_backlog_are_given_back_with_care(run: Callable[[Coroutine[None, None, None]], None]) -> None:
    """Whom the kernel accepted before the listener closed gets `busy`, no reset, and no exit within 100 ms."""

    async def scenario() -> None:
        calls = Calls()
        server = OutboundServer(calls, port=0, max_connections=1)
        await server.start()
        loop = asyncio.get_running_loop()
        raw = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]  # all wait in the backlog
        since = loop.time()
        for sock in raw:
            sock.setblocking(False)
        switches = [Switch(*await asyncio.open_connection(sock=sock)) for sock in raw]
        await calls.next()
        for switch in switches[1:]:
            await switch.heard("exit")
            assert any("eslbridge_result 'busy'" in command for command in switch.said)
        assert loop.time() - since >= 0.1
        assert "exit" not in switches[0].said and calls.queue.empty()
        await server.close()

    run(scenario())


async def test_a_handler_that_fails_gives_the_caller_back(calls: Calls) -> None:
    """An exception of the node's own is no reason for silence."""

    async def broken(call: OutboundCall) -> None:
        raise RuntimeError("no such secretary")

    server = OutboundServer(broken, port=0)
    await server.start()
    switch = await Switch.dial(server.port)
    await switch.heard("exit")
    assert any("eslbridge_result 'failed'" in command for command in switch.said)
    await server.close()


async def test_draining_keeps_the_calls_there_are(server: OutboundServer, calls: Calls) -> None:
    switch = await Switch.dial(server.port)
    call = await calls.next()
    server.drain()
    with pytest.raises(ConnectionRefusedError):
        await Switch.dial(server.port)
    await call.start()
    switch.hang_up()
    assert await call.wait_closed(3)


async def test_two_processes_can_share_a_port(calls: Calls) -> None:
    first = OutboundServer(calls, port=0, reuse_port=True)
    await first.start()
    second = OutboundServer(calls, port=first.port, reuse_port=True)
    await second.start()
    assert second.port == first.port
    await first.close()
    await second.close()


async def test_a_switch_that_stops_reading_is_dropped(server: OutboundServer, calls: Calls) -> None:
    """What we write is bounded: nobody can make us keep more than 256 KB for him."""
    switch = await Switch.dial(server.port)
    call = await calls.next()
    await call.start()
    switch.writer.transport.pause_reading()  # type: ignore[attr-defined]
    before = dropped("not reading") + dropped("queue full")
    big = "x" * 8000
    with pytest.raises(Exception, match=r"read|answered"):
        for _ in range(5000):
            call._connection.send(outbound.commands.audio_stream_send_text(RECORDED_UUID, big))
    assert dropped("not reading") + dropped("queue full") >= before


async def test_no_file_descriptors_left(server: OutboundServer, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it refuses, which sends calls to the next host, and listens again after a while."""
    monkeypatch.setattr(outbound, "EXHAUSTED_S", 0.05)
    server._exhausted(OSError(errno.EMFILE, "Too many open files"))
    with pytest.raises(ConnectionRefusedError):
        await Switch.dial(server.port)
    await asyncio.sleep(0.2)
    await Switch.dial(server.port)
    await calls.next()
