"""The clock jumps where nothing is to be done, and stands where something is."""

from __future__ import annotations

import asyncio
import time

import pytest

from secretary.scenarios.virtual_time import Stuck, run


def test_an_hour_takes_no_time() -> None:
    """Waiting is free."""

    async def wait() -> float:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(3_600)
        return loop.time()

    began = time.monotonic()
    assert run(wait()) == pytest.approx(3_600)
    assert time.monotonic() - began < 1


def test_the_clock_stands_while_a_thread_works() -> None:
    """Rendering a voice takes the call no time."""

    async def work() -> float:
        loop = asyncio.get_running_loop()
        late = loop.create_task(asyncio.sleep(0.01))
        await loop.run_in_executor(None, time.sleep, 0.1)
        at = loop.time()
        await late
        return at

    assert run(work()) < 0.02


def test_sockets_on_loopback_work() -> None:
    """A stand-in server in the same loop answers before the clock moves on."""

    async def talk() -> tuple[bytes, float]:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(5))
            await writer.drain()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello")
        async with asyncio.timeout(5):
            answer = await reader.readexactly(5)
        writer.close()
        server.close()
        return answer, asyncio.get_running_loop().time()

    answer, at = run(talk())
    assert answer == b"hello" and at < 1


def test_waiting_for_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rehearsal that can never end ends with a reason."""
    monkeypatch.setattr("secretary.scenarios.virtual_time.STUCK_S", 0.05)

    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck):
        run(wait())
