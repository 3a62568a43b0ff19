"""What is at the far end of a leg: somebody who speaks, hears, presses keys and hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eslbridge.simulator.audio import FRAME_BYTES, SILENCE, peak

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel

VOICE_PEAK = 400
"""A frame louder than this (of 32768) is somebody's voice: about -38 dBFS."""


class Phone:
    """A silent telephone: says nothing, hears everything. Base of callers and colleagues.

    The switch calls `next_frame` and then `hear` once each 20 ms while the leg has media.
    """

    comfort_noise = False
    """True when this telephone sends comfort noise instead of silence."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self.heard_frames = 0
        self.heard_voice_ms = 0
        self._queue = b""
        self._position = 0

    def attach(self, channel: Channel) -> None:
        self.channel = channel

    def answered(self) -> None:
        """Media flows from now on."""

    def hung_up(self, cause: str) -> None:
        """The leg is gone."""

    def key(self, digit: str) -> None:
        """The other end of a bridge has pressed a key."""

    def speak(self, pcm: bytes) -> None:
        """Say this from the next frame on, after what is being said."""
        self._queue = self._queue[self._position :] + pcm
        self._position = 0

    @property
    def speaking(self) -> bool:
        return self._position < len(self._queue)

    def next_frame(self) -> bytes:
        """The next 20 ms of this end's voice."""
        if not self.speaking:
            return SILENCE
        frame = self._queue[self._position : self._position + FRAME_BYTES]
        self._position += FRAME_BYTES
        return frame.ljust(FRAME_BYTES, b"\0")

    def hear(self, frame: bytes | None) -> None:
        """The next 20 ms of the other end's voice; None is silence."""
        self.heard_frames += 1
        if frame is not None and peak(frame) > VOICE_PEAK:
            self.heard_voice_ms += 20
