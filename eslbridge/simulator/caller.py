"""A scripted caller: waits, speaks a recording, presses keys, hangs up. Counts time in the frames it hears.

The script is a list of steps, done one after the other:

    Caller([WaitSilence(800), Say("sales.wav"), WaitSilence(600), Say("yes.wav")])

The caller judges the secretary's voice by level, so the same script works over every transport.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eslbridge.simulator.audio import FRAME_MS, peak, read_cached
from eslbridge.simulator.phone import VOICE_PEAK, Phone
from eslbridge.simulator.recording import StereoRecording


@dataclass(frozen=True, slots=True)
class WaitSilence:
    """Until the secretary, having spoken since the last step, has been silent for `ms`.

    `timeout_ms` goes on regardless; `after_voice=False` does not ask that she spoke.
    """

    ms: int = 800
    timeout_ms: int = 30_000
    after_voice: bool = True


@dataclass(frozen=True, slots=True)
class WaitVoice:
    """Until the secretary has been speaking for `ms` (to interrupt her)."""

    ms: int = 600
    timeout_ms: int = 30_000


@dataclass(frozen=True, slots=True)
class At:
    """Until this moment of the call, in ms since the answer."""

    ms: int


@dataclass(frozen=True, slots=True)
class Pause:
    ms: int


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a recording (8 kHz WAV) or raw L16; `cut_ms` breaks it off after that long."""

    voice: str | Path | bytes
    cut_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """Keys, one after the other, 200 ms apart."""

    digits: str


@dataclass(frozen=True, slots=True)
class HangUp:
    cause: str = "NORMAL_CLEARING"


Step = WaitSilence | WaitVoice | At | Pause | Say | Press | HangUp


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of speech, ms since the answer."""

    start_ms: int
    end_ms: int


class Caller(Phone):
    """The person who calls. After the last step: stays on the line until `patience_ms` have passed, then hangs up."""

    def __init__(
        self,
        steps: Sequence[Step] = (),
        *,
        patience_ms: int | None = 60_000,
        recording: str | Path | None = None,
        comfort_noise: bool = False,
        on_ended: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self.steps = list(steps)
        self.patience_ms = patience_ms
        self.comfort_noise = comfort_noise
        self.recording = StereoRecording(recording) if recording is not None else None
        self.on_ended = on_ended
        self.ms = 0
        """Time since the answer: what this telephone has heard, in ms."""
        self.said: list[Span] = []
        self.heard: list[Span] = []
        """When the secretary spoke; pauses below 200 ms do not part a stretch."""
        self.ended_cause = ""
        self._step = 0
        self._step_started = 0
        self._voice_in_step = 0
        self._voice_run = 0
        self._silent_for = 0
        self._voice_started = 0
        self._in_voice = False
        self._say_started: int | None = None
        self._frame = b""

    # What the secretary hears ----------------------------------------------------------------------

    def next_frame(self) -> bytes:
        self._advance()
        if self._say_started is not None and not self.speaking:
            self.said.append(Span(self._say_started, self.ms))
            self._say_started = None
        self._frame = super().next_frame()
        return self._frame

    def _advance(self) -> None:
        """Do all steps that are due."""
        while self._step < len(self.steps):
            if not self._do(self.steps[self._step]):
                return
            self._step += 1
            self._step_started = self.ms
            self._voice_in_step = 0
        if self._step == len(self.steps) and self.patience_ms is not None and not self.speaking:
            if self.ms - self._step_started >= self.patience_ms and self.channel is not None:
                self._step += 1
                self.channel.phone_hung_up()

    def _do(self, step: Step) -> bool:
        """Start or continue a step; True when it is done."""
        elapsed = self.ms - self._step_started
        match step:
            case WaitSilence():
                ready = self._silent_for >= step.ms and (self._voice_in_step > 0 or not step.after_voice)
                return ready or elapsed >= step.timeout_ms
            case WaitVoice():
                return self._voice_run >= step.ms or elapsed >= step.timeout_ms
            case At():
                return self.ms >= step.ms
            case Pause():
                return elapsed >= step.ms
            case Say():
                return self._say(step, elapsed)
            case Press():
                if self.channel is not None:
                    self.channel.press(step.digits)
                return True
            case HangUp():
                if self.channel is not None:
                    self.channel.phone_hung_up(step.cause)
                return True

    def _say(self, step: Say, elapsed: int) -> bool:
        if self._say_started is None and elapsed == 0:
            self._say_started = self.ms
            self.speak(step.voice if isinstance(step.voice, bytes) else read_cached(str(step.voice)))
            return False
        if step.cut_ms is not None and elapsed >= step.cut_ms:
            self._queue, self._position = b"", 0
        return not self.speaking

    # What the secretary says -----------------------------------------------------------------------

    def hear(self, frame: bytes | None) -> None:
        super().hear(frame)
        if self.recording is not None:
            self.recording.write(self._frame, frame)
        self.ms += FRAME_MS
        if frame is not None and peak(frame) > VOICE_PEAK:
            if not self._in_voice:
                self._in_voice = True
                self._voice_started = self.ms - FRAME_MS
            self._voice_run += FRAME_MS
            self._voice_in_step += FRAME_MS
            self._silent_for = 0
            return
        self._silent_for += FRAME_MS
        if self._silent_for >= 200:
            self._voice_run = 0
            self._close_stretch()

    def _close_stretch(self) -> None:
        if self._in_voice:
            self._in_voice = False
            self.heard.append(Span(self._voice_started, self.ms - self._silent_for))

    def hung_up(self, cause: str) -> None:
        self._close_stretch()
        if self._say_started is not None:
            self.said.append(Span(self._say_started, self.ms))
            self._say_started = None
        self.ended_cause = cause
        if self.recording is not None:
            self.recording.close()
        if self.on_ended is not None:
            self.on_ended(cause)

    # What the caller can tell afterwards -----------------------------------------------------------

    @property
    def first_voice_ms(self) -> int | None:
        """From the answer to the secretary's first sound."""
        if self.heard:
            return self.heard[0].start_ms
        return self._voice_started if self._in_voice else None

    @property
    def silent_ms(self) -> int:
        """How long nothing has been heard by now."""
        return self._silent_for

    def answer_gaps_ms(self) -> list[int]:
        """For each thing said: how long until the secretary spoke next."""
        gaps = []
        for said in self.said:
            later = [heard.start_ms for heard in self.heard if heard.start_ms >= said.end_ms]
            if later:
                gaps.append(later[0] - said.end_ms)
        return gaps

    def overlaps_ms(self) -> list[int]:
        """For each time the caller spoke into the secretary's voice: how long she went on."""
        return [
            min(heard.end_ms, said.end_ms) - said.start_ms
            for said in self.said
            for heard in self.heard
            if heard.start_ms < said.start_ms < heard.end_ms
        ]
