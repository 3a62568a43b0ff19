"""Recording doubles at the lowest layer: a leg, a switch, a provider, an office, and voice activity on command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from eslbridge import control as ctl
from eslbridge.media.contract import LegListener
from secretary.conversation.actions import Line, Note
from secretary.conversation.office import NOTHING_GIVEN, CallerSide, Outcome
from secretary.speech.contract import SpeechListener, ToolCall


class Leg:
    transport = "double"

    def __init__(self) -> None:
        self.listener: LegListener | None = None
        self.heard_ms = 0
        self.queued_ms = 0
        self.stops = 0
        self.gains: list[float] = []
        self.holds = 0
        self.closed = False

    def listen(self, listener: LegListener) -> None:
        self.listener = listener

    def play(self, pcm: bytes) -> int:
        self.queued_ms += len(pcm) // 16
        return len(pcm)

    def stop(self) -> None:
        self.stops += 1
        self.queued_ms = 0

    def hold(self) -> None:
        self.holds += 1

    def duck(self, gain: float) -> None:
        self.gains.append(gain)

    def close(self) -> None:
        self.closed = True

    def hear_all(self) -> None:
        """The caller hears everything that is queued."""
        self.heard_ms += self.queued_ms
        self.queued_ms = 0
        assert self.listener is not None
        self.listener.on_drained()


class Switch:
    call_uuid = "11111111-1111-4111-8111-111111111111"

    def __init__(self) -> None:
        self.variables: Mapping[str, str] = {}
        self.did: list[tuple[str, ...]] = []
        self.tell: Callable[[ctl.CallEvent], None] = lambda event: None
        self.refuse = False

    def on_event(self, callback: Callable[[ctl.CallEvent], None]) -> None:
        self.tell = callback

    async def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        self._do("hang_up", cause)

    async def leave(self, result: str) -> None:
        self._do("leave", result)

    async def answer(self) -> None: ...

    async def bridge(self, other_uuid: str) -> None: ...

    async def transfer(self, number: str, *, context: str) -> None: ...

    async def record(self, path: str) -> None:
        self._do("record", path)

    async def mask_recording(self, path: str, on: bool) -> None:
        self._do("mask" if on else "unmask", path)

    async def stop_recording(self, path: str) -> None:
        self._do("stop_recording", path)

    async def send_dtmf(self, digits: str) -> None:
        self._do("send_dtmf", digits)

    async def set_variable(self, name: str, value: str) -> None: ...

    def _do(self, *what: str) -> None:
        self.did.append(what)
        if self.refuse:
            raise ctl.ControlError("the call is gone")


class Provider:
    detects_turns = False
    verbatim = True
    asides = True

    def __init__(self) -> None:
        self.listener: SpeechListener | None = None
        self.said: list[str] = []
        self.kept: list[bool] = []
        self.turns: list[bytes] = []
        self.results: list[tuple[str, str]] = []
        self.cut: list[tuple[str, str, int]] = []
        self.went_on: list[str] = []
        self.frames = 0
        self.closed = False

    async def open(self, listener: SpeechListener) -> None:
        self.listener = listener

    def hear(self, frame: bytes) -> None:
        self.frames += 1

    def turn_started(self) -> None: ...

    def turn_ended(self, pcm: bytes) -> None:
        self.turns.append(pcm)

    def say(self, text: str, *, keep: bool = True) -> None:
        self.said.append(text)
        self.kept.append(keep)
        self.speak(text, id=f"say{len(self.said)}")

    def speak(self, text: str, *, ms: int = 400, id: str = "u") -> None:
        assert self.listener is not None
        self.listener.on_voice(id, text, bytes(16 * ms), True)

    def tool(self, name: str, **arguments: object) -> None:
        assert self.listener is not None
        self.listener.on_tool(ToolCall(name, name, arguments))

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None:
        self.cut.append((utterance_id, heard_text, heard_ms))

    def resumed(self, utterance_id: str) -> None:
        self.went_on.append(utterance_id)

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        self.results.append((tool_call_id, outcome))

    def dtmf(self, digit: str) -> None: ...

    async def close(self) -> None:
        self.closed = True


class Office:
    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.notes: list[Note] = []
        self.transfers: list[str] = []
        self.messages: list[tuple[str, Path | None, bool]] = []
        self.given: list[Mapping[str, str]] = []
        self.tools: list[tuple[str, Mapping[str, object]]] = []
        self.tool_outcome: Outcome | Exception = Outcome("ok", "{}")
        self.transfer_outcome: Outcome | Exception = Outcome("ok")

    def live_line(self, line: Line) -> None:
        self.lines.append(line)

    def live_note(self, note: Note) -> None:
        self.notes.append(note)

    async def transfer(self, destination_uuid: str, caller: CallerSide) -> Outcome:
        await caller.let_go()
        self.transfers.append(destination_uuid)
        if isinstance(self.transfer_outcome, Exception):
            raise self.transfer_outcome
        return self.transfer_outcome

    async def run_tool(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        self.tools.append((name, arguments))
        if isinstance(self.tool_outcome, Exception):
            raise self.tool_outcome
        return self.tool_outcome

    async def save_message(
        self, *, text: str, audio: Path | None, complete: bool, given: Mapping[str, str] = NOTHING_GIVEN
    ) -> Outcome:
        self.messages.append((text, audio, complete))
        self.given.append(given)
        return Outcome("ok")


class Activity:
    """Voice activity that judges as the test says."""

    def __init__(self) -> None:
        self.judge: Callable[[float], None] = lambda probability: None
        self.slots = 0

    def open(self, judged: Callable[[float], None]) -> int:
        self.judge = judged
        self.slots += 1
        return 7

    def feed(self, slot: int, frame: bytes) -> None:
        assert slot == 7

    def close(self, slot: int) -> None:
        self.slots -= 1
