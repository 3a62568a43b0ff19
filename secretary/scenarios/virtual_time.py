"""An event loop whose clock jumps to the next deadline instead of waiting for it.

A call of a minute then takes as long as its work does, and takes it in the same order every time. Sockets on loopback
and work handed to threads still take real time, during which the clock stands still.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

REAL_WAIT_S: Final = 0.02
"""How long to look for the end of a thread's work before looking again."""
STUCK_S: Final = 10.0
"""How long nothing at all may be due before the loop says that it will never end."""


class Stuck(RuntimeError):
    """Nothing is due, nothing is under way, and the work is not done."""


class _Jumping(selectors.DefaultSelector):
    """A selector that turns waiting into the passing of virtual time."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._loop.under_way:
            return list(super().select(REAL_WAIT_S))
        if timeout is None:
            ready = list(super().select(STUCK_S))
            if not ready:
                raise Stuck("nothing is due any more, and the work is not done")
            return ready
        self._loop.jump(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0.0 and moves only when there is nothing else to do."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        self.under_way = 0
        """Pieces of work in threads: while there are any the clock stands still."""
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self._virtual_s

    def jump(self, seconds: float) -> None:
        self._virtual_s += seconds

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        self.under_way += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._landed)
        return future

    def _landed(self, future: asyncio.Future[Any]) -> None:
        self.under_way -= 1


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run this to its end in virtual time. Raises Stuck where it would wait for ever, else what `work` raises."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
