"""The pool of workers: deadlines, deaths and bounds, with a worker that obeys; and once with the real one."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from secretary.speech.local.errors import RecogniserError
from secretary.speech.local.grammar import GrammarSpec
from secretary.speech.local.intents import Intent
from secretary.speech.local.recogniser import Recogniser
from tests.secretary.speech import lines

FAKE = [sys.executable, "-m", "tests.secretary.speech.fake_worker"]
RUN = "runpy.run_module('tests.secretary.speech.fake_worker', run_name='__main__')"


def order(name: str) -> GrammarSpec:
    return GrammarSpec("en", ((name,),))


@pytest.fixture
async def pool() -> AsyncIterator[Recogniser]:
    pool = Recogniser(turns=1, waiting=3, command=FAKE)
    await pool.start()
    yield pool
    await pool.close()


async def test_an_answer_comes_back(pool: Recogniser) -> None:
    """Audio goes there whole, the meaning comes back, from another process."""
    what = await pool.understand(order("well"), b"\0\0" * 100)
    assert what.place == 200
    assert what.text != str(os.getpid())
    assert pool.counters.done == 1


async def test_a_dead_worker_is_replaced(pool: Recogniser) -> None:
    """A worker that crashes costs the turn that crashed it, and no other."""
    first = await pool.understand(order("well"), b"")
    with pytest.raises(RecogniserError):
        await pool.understand(order("die"), b"")
    again = await pool.understand(order("well"), b"")
    assert again.text != first.text
    assert pool.counters.died == 2  # it was tried once more


async def test_a_hanging_worker_is_killed_at_the_deadline(pool: Recogniser) -> None:
    """The caller waits no longer than the deadline, and the next caller gets a fresh worker."""
    first = await pool.understand(order("well"), b"")
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(RecogniserError):
        await pool.understand(order("hang"), b"", deadline_s=0.3)
    assert loop.time() - began < 1.5
    with suppress(ProcessLookupError):
        for _ in range(100):
            os.kill(int(first.text), 0)
            await asyncio.sleep(0.01)
        pytest.fail("the hanging worker still lives")
    assert (await pool.understand(order("well"), b"")).intent is Intent.PLACE
    assert pool.counters.late == 1


@pytest.mark.parametrize("evil", ["garbage", "error"])
async def test_a_wrong_answer_is_an_error(pool: Recogniser, evil: str) -> None:
    """Nothing that a worker says is taken on trust."""
    with pytest.raises(RecogniserError):
        await pool.understand(order(evil), b"")
    assert (await pool.understand(order("well"), b"")).intent is Intent.PLACE


async def test_the_queue_is_bounded(pool: Recogniser) -> None:
    """More turns than can be looked at soon are refused at once and counted."""
    results = await asyncio.gather(*(pool.understand(order("slow"), b"") for _ in range(12)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, RecogniserError)]
    assert pool.counters.refused == len(refused)
    assert 8 <= len(refused) <= 9


async def test_a_turn_whose_time_has_passed_is_not_looked_at(pool: Recogniser) -> None:
    """Work that nobody waits for any more is skipped, so that a queue clears itself."""
    slow = [asyncio.create_task(pool.understand(order("slow"), b"")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(RecogniserError):
        await pool.understand(order("well"), b"", deadline_s=0.05)
    await asyncio.gather(*slow)
    assert pool.counters.late == 1


async def test_a_worker_that_cannot_start_says_so() -> None:
    """A machine without the recogniser is told from one with a slow one."""
    pool = Recogniser(turns=1, command=[sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(RecogniserError, match="does not start"):
        await pool.start()
    await pool.close()


async def test_a_worker_that_could_not_start_is_tried_again(pool: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it failed, it is heard again once it can start: a machine short of memory recovers."""
    monkeypatch.setattr("secretary.speech.local.recogniser.MOST_PAUSE_S", 0.05)
    (one,) = pool._turns
    good, one._command = one._command, [sys.executable, "-c", "raise SystemExit(1)"]
    await one._stop()
    for _ in range(8):
        with pytest.raises(RecogniserError):
            await pool.understand(order("well"), b"", deadline_s=0.5)
        await asyncio.sleep(0.06)
    one._command = good
    assert (await pool.understand(order("well"), b"")).intent is Intent.PLACE


async def test_a_worker_that_starts_slowly_is_waited_for(pool: Recogniser) -> None:
    """A start that takes longer than a turn may costs that turn; it is not begun again and again for each."""
    (one,) = pool._turns
    one._command = [sys.executable, "-c", "import time; time.sleep(0.5); import runpy;" + RUN]
    await one._stop()
    with pytest.raises(RecogniserError):
        await pool.understand(order("well"), b"", deadline_s=0.2)
    assert (await pool.understand(order("well"), b"", deadline_s=3.0)).intent is Intent.PLACE


async def test_closing_answers_everybody(pool: Recogniser) -> None:
    """Nobody is left waiting for a worker that is gone."""
    waiting = asyncio.create_task(pool.understand(order("hang"), b"", deadline_s=30))
    await asyncio.sleep(0.05)
    await pool.close()
    with pytest.raises(RecogniserError):
        await waiting
    with pytest.raises(RecogniserError):
        await pool.understand(order("well"), b"")


async def test_a_worker_sees_none_of_the_nodes_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is a short list."""
    monkeypatch.setenv("SECRET_KEY", "hush")
    code = (
        "import os, sys; from secretary.speech.local.worker import pack;"
        "sys.stdout.buffer.write(pack({'ready': True}) if 'SECRET_KEY' not in os.environ else b''); sys.stdout.flush();"
        "sys.stdin.read()"
    )
    pool = Recogniser(turns=1, command=[sys.executable, "-c", code])
    await pool.start()
    await pool.close()


async def test_the_real_worker_understands_and_writes_down() -> None:
    """The whole road once: processes, grammar, audio, answer."""
    pool = Recogniser(turns=1)
    await pool.start()
    try:
        spec = GrammarSpec.of("en", [("Sales", ["the sales department"])])
        await pool.prepare(spec)
        what = await pool.understand(spec, lines.turn("sales", mulaw=True), deadline_s=20)
        assert (what.intent, what.place) == (Intent.PLACE, 0)
        assert "robert" in await pool.dictate(lines.turn("message"))
    finally:
        await pool.close()
