"""The node's side of recognition: jobs to worker processes, answers back, each within its deadline.

pocketsphinx holds the interpreter while it searches, so it never runs in the node: TURNS worker processes understand
turns, one more (started when first needed, ended when idle) writes recorded messages down, which takes ten times as
long and must not stand in a caller's way. A worker that dies or overruns its deadline is killed and replaced.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from secretary.speech.local import worker
from secretary.speech.local.errors import RecogniserError
from secretary.speech.local.grammar import GrammarSpec
from secretary.speech.local.intents import Intent, Understood

TURNS: Final = 2
WAITING: Final = 32
"""Jobs that may wait for one worker; the next is refused, so that nobody waits behind a hopeless queue."""
TURN_DEADLINE_S: Final = 3.0
MESSAGE_DEADLINE_S: Final = 60.0
PREPARE_DEADLINE_S: Final = 10.0
IDLE_S: Final = 120.0
"""The dictation worker (about 110 MB with its language model) goes when nobody has left a message for so long."""
START_DEADLINE_S: Final = 20.0
PAUSE_S: Final = 0.25
"""Before a worker that did not start is tried again; doubled each time, up to MOST_PAUSE_S."""
MOST_PAUSE_S: Final = 15.0
_ROOT: Final = Path(__file__).resolve().parents[3]
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
"""All of the node's environment that a worker sees: its secrets are not among them."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counters:
    """What happened since the node started."""

    done: int = 0
    refused: int = 0
    late: int = 0
    died: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Job:
    message: dict[str, Any]
    audio: bytes
    deadline: float
    """On time.monotonic()."""
    answer: asyncio.Future[dict[str, Any]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Recogniser:
    """One for a node."""

    def __init__(self, *, turns: int = TURNS, waiting: int = WAITING, command: list[str] | None = None) -> None:
        self.counters = Counters()
        command = command or [sys.executable, "-m", "secretary.speech.local.worker"]
        self._turns = [_Worker(f"turns-{n}", command, waiting, self.counters) for n in range(turns)]
        self._dictation = _Worker("dictation", command, waiting, self.counters, idle_s=IDLE_S)
        self._closed = False

    async def start(self) -> None:
        """Start the workers and wait until they listen. Raises RecogniserError."""
        await asyncio.gather(*(one.warm_up() for one in self._turns))

    async def prepare(self, spec: GrammarSpec) -> None:
        """Have every worker build this grammar now, so that no caller waits for it. Raises RecogniserError."""
        message = {"do": "prepare", **_spec(spec)}
        await asyncio.gather(*(self._ask(one, message, b"", PREPARE_DEADLINE_S) for one in self._turns))

    async def understand(
        self, spec: GrammarSpec, pcm: bytes, *, answer: bool = False, deadline_s: float = TURN_DEADLINE_S
    ) -> Understood:
        """The meaning of one turn (L16 8 kHz); `answer` after a yes/no question. Raises RecogniserError."""
        one = min(self._turns, key=lambda each: each.load)
        found = await self._ask(one, {"do": "understand", "answer": answer, **_spec(spec)}, pcm, deadline_s)
        place = found["place"]
        return Understood(Intent(found["intent"]), found["text"], found["confidence"], place)

    async def dictate(self, pcm: bytes, *, deadline_s: float = MESSAGE_DEADLINE_S) -> str:
        """Best-effort text of free English speech, in the background. Raises RecogniserError."""
        return str((await self._ask(self._dictation, {"do": "dictate"}, pcm, deadline_s))["text"])

    async def close(self) -> None:
        """End all workers, within 1 s. Idempotent."""
        self._closed = True
        await asyncio.gather(*(one.close() for one in (*self._turns, self._dictation)))

    async def _ask(self, one: _Worker, message: dict[str, Any], audio: bytes, deadline_s: float) -> dict[str, Any]:
        if self._closed:
            raise RecogniserError("the recogniser is closed")
        job = _Job(message, audio[: worker.MAX_AUDIO], time.monotonic() + deadline_s)
        one.put(job)
        try:
            answer = await asyncio.wait_for(job.answer, deadline_s + 0.5)
        except TimeoutError:
            raise RecogniserError("no answer in time") from None
        self.counters.done += 1
        return answer


class _Worker:
    """One process, its queue, and the task that feeds it one job at a time."""

    def __init__(
        self, name: str, command: list[str], waiting: int, counters: Counters, *, idle_s: float | None = None
    ) -> None:
        self._name = name
        self._command = command
        self._queue: asyncio.Queue[_Job] = asyncio.Queue(waiting)
        self._counters = counters
        self._idle_s = idle_s
        self._task: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._busy = False
        self._starting: asyncio.Task[None] | None = None
        self._failed_starts = 0
        self._not_before = 0.0
        """When the next start may be tried, on time.monotonic(). Jobs fail at once until then: waiting it out would
        take longer than their deadlines, and the worker would never be started again."""
        self._serial = 0

    @property
    def load(self) -> int:
        """Jobs waiting or under way."""
        return self._queue.qsize() + self._busy

    @property
    def pid(self) -> int | None:
        """The process, where there is one."""
        return self._process.pid if self._process is not None else None

    async def warm_up(self) -> None:
        if self._process is None:
            await self._started(START_DEADLINE_S + 1.0)
        self._ensure_task()

    def put(self, job: _Job) -> None:
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            self._counters.refused += 1
            raise RecogniserError("too many turns are waiting to be recognised") from None
        self._ensure_task()

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        while not self._queue.empty():
            _refuse(self._queue.get_nowait(), "the recogniser is closed")
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        await self._stop()

    def _ensure_task(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"recogniser {self._name}")

    async def _run(self) -> None:
        while True:
            try:
                job = await asyncio.wait_for(self._queue.get(), self._idle_s)
            except TimeoutError:
                await self._stop()
                continue
            self._busy = True
            try:
                await self._serve(job)
            except asyncio.CancelledError:
                _refuse(job, "the recogniser is closed")
                raise
            finally:
                self._busy = False

    async def _serve(self, job: _Job) -> None:
        """Answer one job. A worker that dies under it is replaced once: the next try may be luckier."""
        for attempt in (1, 2):
            left = job.deadline - time.monotonic()
            if job.answer.done() or left <= 0:
                if not job.answer.done():
                    self._counters.late += 1
                    _refuse(job, "its turn came too late")
                return
            try:
                if self._process is None or self._process.returncode is not None:
                    await self._started(left)
                    left = job.deadline - time.monotonic()
                answer = await asyncio.wait_for(self._exchange(job), max(left, 0.001))
            except TimeoutError:
                self._counters.late += 1
                log.warning("recogniser %s: killed at its deadline", self._name)
                await self._stop()
                _refuse(job, "recognition took too long")
                return
            except (OSError, EOFError, ValueError, RecogniserError) as error:
                self._counters.died += 1
                log.warning("recogniser %s: died (%s), attempt %d", self._name, error, attempt)
                await self._stop()
                continue
            if "error" in answer:
                self._counters.failed += 1
                log.warning("recogniser %s: %s", self._name, answer["error"])
                _refuse(job, "the worker could not do it")
            elif not job.answer.done():
                job.answer.set_result(answer)
            return
        _refuse(job, "the worker died twice")

    async def _exchange(self, job: _Job) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None:
            raise EOFError("no process")
        self._serial += 1
        process.stdin.write(worker.pack({**job.message, "id": self._serial}, job.audio))
        await process.stdin.drain()
        answer = await self._read(process)
        if answer.get("id") != self._serial:
            raise ValueError("an answer to another question")
        return answer

    async def _read(self, process: Process) -> dict[str, Any]:
        if process.stdout is None:
            raise EOFError("no pipe")
        head = await process.stdout.readexactly(worker.HEADER.size)
        length, audio = worker.HEADER.unpack(head)
        if length > worker.MAX_JSON or audio:
            raise ValueError("not an answer")
        answer: dict[str, Any] = json.loads(await process.stdout.readexactly(length))
        return answer

    async def _started(self, patience_s: float) -> None:
        """Have a worker within this time. One that takes longer goes on starting: the next job will find it.

        Raises RecogniserError, TimeoutError.
        """
        if self._starting is None:
            if time.monotonic() < self._not_before:
                raise RecogniserError(f"the worker {self._name} did not start a moment ago")
            self._starting = asyncio.create_task(self._start(), name=f"recogniser {self._name} starts")
        await asyncio.wait({self._starting}, timeout=max(patience_s, 0.001))
        if not self._starting.done():
            raise TimeoutError
        starting, self._starting = self._starting, None
        starting.result()

    async def _start(self) -> None:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        # One thread each: a worker is one core's worth of work, and must not take the audio clock's cores.
        environment |= {"PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        process: Process | None = None
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
            )
            async with asyncio.timeout(START_DEADLINE_S):
                await self._read(process)
        except BaseException as error:
            await _kill(process)
            if not isinstance(error, (OSError, EOFError, ValueError, TimeoutError)):
                raise
            self._failed_starts += 1
            self._not_before = time.monotonic() + min(MOST_PAUSE_S, PAUSE_S * 2 ** min(self._failed_starts, 10))
            raise RecogniserError(f"the worker {self._name} does not start: {error}") from error
        self._process = process
        self._failed_starts, self._not_before = 0, 0.0

    async def _stop(self) -> None:
        process, self._process = self._process, None
        await _kill(process)


async def _kill(process: Process | None) -> None:
    if process is None:
        return
    with suppress(ProcessLookupError):
        process.kill()  # it keeps nothing that must be put away
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 0.8)


def _refuse(job: _Job, reason: str) -> None:
    if not job.answer.done():
        job.answer.set_exception(RecogniserError(reason))


def _spec(spec: GrammarSpec) -> dict[str, Any]:
    return {"language": spec.language, "names": spec.names}
