"""The recording that the switch makes of a call: begun once it may be, paused, and given up where it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from eslbridge.control import CallControl, ControlError

log = structlog.get_logger(__name__)


class Tape:
    """One call's. Pauses and resumptions are told to the switch in the order in which they were asked for."""

    def __init__(
        self,
        call: CallControl,
        path: str,
        *,
        prepare: Callable[[], Awaitable[None]],
        give_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._call, self._path = call, path
        self._prepare, self._give_up = prepare, give_up
        self._order = asyncio.Lock()
        self._asked = self._runs = False
        self._paused = False

    async def begin(self) -> str:
        """Have the switch record; once. Returns why it does not, or nothing."""
        if self._asked:
            return ""
        self._asked = True
        async with self._order:
            try:
                await self._prepare()
                await self._call.record(self._path)
                self._runs = True
                if self._paused:
                    await self._call.mask_recording(self._path, True)
            except Exception as error:  # also of the database: a call goes on, whatever happens to its recording
                log.warning("switch_does_not_record", error=repr(error))
                await self._stop()
                return str(error) or type(error).__name__
        return ""

    async def pause(self, on: bool) -> bool:
        """Have silence written, or sound. A recording that cannot be paused is ended: False."""
        self._paused = on
        async with self._order:
            if not self._runs:
                return True
            try:
                await self._call.mask_recording(self._path, on)
            except ControlError as error:
                log.warning("recording_not_masked", on=on, error=str(error))
                if on:
                    await self._end()
                return False
        return True

    async def _end(self) -> None:
        """What was recorded so far is kept."""
        self._runs = False
        try:
            await self._call.stop_recording(self._path)
        except ControlError as error:
            log.error("recording_not_stopped", error=str(error))

    async def _stop(self) -> None:
        if self._runs:  # recording, but not silent where it must be: what there is stays, and nothing is added
            await self._end()
            return
        try:
            await self._give_up()
        except Exception as error:
            log.warning("recording_not_given_up", error=repr(error))
