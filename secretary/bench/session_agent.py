"""The real conversation as the agent of a measurement: `--agent session`.

Session, state machine, transcript and (with `--recording`) the stereo recording are the product's own; the provider
answers every turn with the same speech after 50 ms, and the switch and the office do nothing, so that what is
measured is ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from eslbridge.control import CallEvent
from eslbridge.media.contract import AudioLeg
from secretary.audio.vad import VoiceActivity
from secretary.conversation.actions import Line, Note
from secretary.conversation.office import NOTHING_GIVEN, CallerSide, Outcome
from secretary.conversation.recording import Disk
from secretary.conversation.session import Session
from secretary.conversation.state import Rules
from secretary.speech.contract import SpeechListener

_THINKING_S = 0.05
_NEVER_MS = 24 * 3_600_000


class Switch:
    """A call on no switch. Implements CallControl."""

    variables: Mapping[str, str] = {}

    def __init__(self, call_uuid: str) -> None:
        self.call_uuid = call_uuid

    def on_event(self, callback: Callable[[CallEvent], None]) -> None: ...

    async def answer(self) -> None: ...

    async def hang_up(self, cause: str = "NORMAL_CLEARING") -> None: ...

    async def leave(self, result: str) -> None: ...

    async def bridge(self, other_uuid: str) -> None: ...

    async def transfer(self, number: str, *, context: str) -> None: ...

    async def record(self, path: str) -> None: ...

    async def mask_recording(self, path: str, on: bool) -> None: ...

    async def stop_recording(self, path: str) -> None: ...

    async def send_dtmf(self, digits: str) -> None: ...

    async def set_variable(self, name: str, value: str) -> None: ...


class Provider:
    """Says the same whatever it hears. Implements SpeechSession."""

    detects_turns = False
    verbatim = True
    asides = True

    def __init__(self, voice: bytes) -> None:
        self._voice = voice
        self._listener: SpeechListener | None = None
        self._said = 0

    async def open(self, listener: SpeechListener) -> None:
        self._listener = listener

    def hear(self, frame: bytes) -> None: ...

    def turn_started(self) -> None: ...

    def turn_ended(self, pcm: bytes) -> None:
        asyncio.get_running_loop().call_later(_THINKING_S, self._answer)

    def _answer(self) -> None:
        if self._listener is not None:
            self._listener.on_caller_text("I have a question.")
            self.say("Thank you for calling.")

    def say(self, text: str, *, keep: bool = True) -> None:
        if self._listener is not None:
            self._said += 1
            self._listener.on_voice(f"u{self._said}", text, self._voice, True)

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None: ...

    def resumed(self, utterance_id: str) -> None: ...

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None: ...

    def dtmf(self, digit: str) -> None: ...

    async def close(self) -> None:
        self._listener = None


class NoOffice:
    """Keeps nothing, does nothing. Implements Office."""

    def live_line(self, line: Line) -> None: ...

    def live_note(self, note: Note) -> None: ...

    async def transfer(self, destination_uuid: str, caller: CallerSide) -> Outcome:
        return Outcome("failed")

    async def run_tool(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        return Outcome("unknown")

    async def save_message(
        self, *, text: str, audio: Path | None, complete: bool, given: Mapping[str, str] = NOTHING_GIVEN
    ) -> Outcome:
        return Outcome("ok")


def begin(
    leg: AudioLeg, speech: VoiceActivity, voice: bytes, disk: Disk, call_uuid: str, folder: Path | None
) -> asyncio.Task[object]:
    """Hold a conversation on this leg until the task is cancelled or the leg is lost."""
    provider = Provider(voice)
    session = Session(
        call=Switch(call_uuid),
        provider=provider,
        rules=Rules(greeting="Hello.", silence_ms=_NEVER_MS, max_call_ms=_NEVER_MS),
        voice_activity=speech,
        office=NoOffice(),
        disk=disk,
        message_path=lambda: Path("/nonexistent"),
        recording_path=folder / f"{call_uuid}.wav" if folder is not None else None,
    )

    async def hold() -> object:
        await provider.open(session)
        return await session.run(leg)

    return asyncio.get_running_loop().create_task(hold())
