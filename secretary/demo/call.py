"""The stand-in switch of the demo, in a thread of its own, and the call that is placed on it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from uuid import uuid4

from eslbridge.simulator import Caller, Extension, Options, StandInSwitch
from eslbridge.simulator.channel import Channel
from eslbridge.simulator.options import StreamDialect
from secretary.demo.live import LiveView, Watcher
from secretary.demo.scenarios import Scenario

T = TypeVar("T")
DIALECTS: dict[str, StreamDialect] = {"mod-audio-stream-binary": "binary", "mod-audio-stream-json": "json"}
MOST_CALL_S = 180.0
TALK_S = 2.5
"""How long caller and colleague stay together before the caller hangs up."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that has ended."""

    call_uuid: str
    caller: Caller
    hangup_cause: str
    applications: tuple[tuple[str, str], ...]
    """What the dialplan did with the caller's leg."""
    reached_colleague: bool


class DemoSwitch:
    """The switch, running from `with` to its end; a telephone network of one caller and two colleagues a tenant."""

    def __init__(self, *, port: int, password: str, transport: str, phones: list[Extension]):
        options = Options(port=port, password=password, stream_dialect=DIALECTS.get(transport, "community"))
        options.codec = "PCMU"
        self._switch = StandInSwitch(options)
        for phone in phones:
            self._switch.add_extension(phone)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stand-in switch", daemon=True)

    def __enter__(self) -> DemoSwitch:
        self._thread.start()
        try:
            self._run(self._switch.start(), 10.0)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._run(self._switch.stop(), 10.0)
        finally:
            self._end()

    def install(self, dialplan: str) -> None:
        """Load a dialplan's XML, before the first call. Raises ValueError."""
        self._switch.dialplan.load_xml(dialplan)

    @property
    def port(self) -> int:
        """Where ESL clients reach it."""
        return self._switch.port

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        if not self._thread.is_alive():
            self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except BaseException:
            future.cancel()
            raise

    def place_call(self, domain: str, number: str, scenario: Scenario, recording: Path, watcher: Watcher) -> Placed:
        """Call and wait for the end. `watcher` gets the call's live view, on the switch's thread."""
        return self._run(self._place(domain, number, scenario, recording, watcher), MOST_CALL_S + 20)

    async def _place(self, domain: str, number: str, scenario: Scenario, recording: Path, watcher: Watcher) -> Placed:
        call_uuid = str(uuid4())
        caller = Caller(scenario.steps, patience_ms=round(scenario.patience_s * 1000), recording=recording)
        view = LiveView(call_uuid, watcher)
        await view.open()
        try:
            call = self._switch.place_call(
                domain, number, caller, caller_number="5550100", caller_name="Ana Lima", call_uuid=call_uuid
            )
            reached = await self._follow(call)
            await asyncio.sleep(0.5)  # the node's last words
        finally:
            await view.close()
        return Placed(call_uuid, caller, call.hangup_cause, tuple(call.history), reached)

    async def _follow(self, call: Channel) -> bool:
        """Until the call has ended; whether the caller was bridged with a colleague."""
        reached = False
        began = time.monotonic()
        while not call.ended.is_set():
            if call.other_leg is not None and not reached:
                reached = True
                self._switch.later(TALK_S, call.phone_hung_up)
            if time.monotonic() - began > MOST_CALL_S:
                call.hang_up("ALLOTTED_TIMEOUT")
            try:
                async with asyncio.timeout(0.05):
                    await call.ended.wait()
            except TimeoutError:
                continue
        return reached
