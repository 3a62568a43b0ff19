"""The telephone of a rehearsal: an audio leg and a switch without a network, and an account of who sounded when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from eslbridge import control as ctl
from eslbridge.media.contract import FRAME_MS, LegListener
from eslbridge.media.playqueue import PlayQueue
from secretary.audio.vad import VoiceActivity
from secretary.scenarios.script import Line
from secretary.scenarios.sound import SILENCE, Road, is_sound

MOST_S: Final = 900
"""The longest rehearsal."""


class Telephone:
    """Implements `AudioLeg` for the secretary, and is mouth and ear for the caller. Frames go by the loop's clock."""

    transport = "rehearsal"

    def __init__(self, line: Line, voice_activity: VoiceActivity) -> None:
        self._road = Road(line)
        self._voice_activity = voice_activity
        self._queue = PlayQueue(1)
        self._listener: LegListener | None = None
        self._spoken: bytes = b""
        self._task: asyncio.Task[None] | None = None
        self._framed = asyncio.Event()
        self.ms = 0
        """Since the call was answered."""
        self.secretary_sounds: list[bool] = []
        """Frame by frame, as the caller's ear has it."""
        self.caller_sounds: list[bool] = []
        self.heard: list[bytes] = []
        """What the caller heard, frame by frame."""
        self.quietest_gain = 1.0

    # The caller's side

    def speak(self, pcm: bytes) -> None:
        """The caller begins to make this sound now, after what is still to come of the last."""
        self._spoken += pcm

    @property
    def speaking(self) -> bool:
        return bool(self._spoken)

    def quiet_ms(self) -> int:
        """How long the secretary has been silent."""
        return _since(self.secretary_sounds)

    async def next_frame(self) -> None:
        """Wait until the next 20 ms are over."""
        await self._framed.wait()

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="telephone")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(1, MOST_S * 1000 // FRAME_MS):
            await asyncio.sleep(max(0.0, began + number * FRAME_MS / 1000 - loop.time()))
            self._frame()

    def _frame(self) -> None:
        drained = self._queue.tick()
        heard = (self._queue.take() if self._queue.has_room_on_road() else None) or SILENCE
        spoken, self._spoken = self._spoken[: len(SILENCE)], self._spoken[len(SILENCE) :]
        spoken += SILENCE[len(spoken) :]
        self.ms += FRAME_MS
        self.heard.append(heard)
        self.secretary_sounds.append(is_sound(heard))
        self.caller_sounds.append(is_sound(spoken))
        self._framed.set()
        self._framed.clear()
        listener = self._listener
        if listener is None:
            return
        if drained:
            listener.on_drained()
        listener.on_frame(self._road.carry(spoken, heard))
        self._voice_activity.run()

    # The secretary's side

    @property
    def heard_ms(self) -> int:
        return self._queue.heard_ms

    @property
    def queued_ms(self) -> int:
        return self._queue.queued_ms

    def listen(self, listener: LegListener) -> None:
        self._listener = listener

    def play(self, pcm: bytes) -> int:
        return self._queue.play(pcm)

    def stop(self) -> None:
        self._queue.stop(fade=True)

    def hold(self) -> None:
        self._queue.stop()

    def duck(self, gain: float) -> None:
        self.quietest_gain = min(self.quietest_gain, gain)
        self._queue.duck(gain)

    def close(self) -> None:
        self._listener = None
        if self._task is not None:
            self._task.cancel()


class Switch:
    """Implements `CallControl`: notes what is asked of it, and tells how the call ended."""

    def __init__(self, call_uuid: str) -> None:
        self.call_uuid = call_uuid
        self.variables: Mapping[str, str] = {}
        self.left = ""
        self.hung_up = ""
        self.sent_dtmf = ""
        self.over = asyncio.get_running_loop().create_future()
        self._callback: Callable[[ctl.CallEvent], None] | None = None

    def on_event(self, callback: Callable[[ctl.CallEvent], None]) -> None:
        self._callback = callback

    def tell(self, event: ctl.CallEvent) -> None:
        """Have the conversation hear of this."""
        if self._callback is not None:
            self._callback(event)

    async def answer(self) -> None:
        return

    async def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        self.hung_up = cause
        self._end(ctl.HungUp(cause))

    async def leave(self, result: str) -> None:
        self.left = result
        self._end(ctl.Left(result))

    async def bridge(self, other_uuid: str) -> None:
        self._end(ctl.Left("bridged"))

    async def transfer(self, number: str, *, context: str) -> None:
        self._end(ctl.Left("transferred"))

    async def record(self, path: str) -> None:
        return

    async def mask_recording(self, path: str, on: bool) -> None:
        return

    async def stop_recording(self, path: str) -> None:
        return

    async def send_dtmf(self, digits: str) -> None:
        self.sent_dtmf += digits

    async def set_variable(self, name: str, value: str) -> None:
        return

    def _end(self, event: ctl.CallEvent) -> None:
        if not self.over.done():
            self.over.set_result(None)
            asyncio.get_running_loop().call_soon(self.tell, event)


def _since(sounds: list[bool]) -> int:
    """How long ago the last sound was (ms); the whole time where there was none."""
    for back, sound in enumerate(reversed(sounds)):
        if sound:
            return back * FRAME_MS
    return len(sounds) * FRAME_MS
