"""The local secretary in one call: the thin shell over dialogue, recogniser and voice.

Order is kept by one outbox: what the dialogue decided leaves in that order, voice when it is rendered, a tool only
after the voice before it was handed over. Everything that waits is bounded; a call costs one task.

Tools it calls: `transfer(destination_uuid)`, `record_message()` (the conversation keeps the caller's audio from here
on, so a caller who hangs up in mid-message loses nothing), `take_message(text, complete)`, `end_call(reason)`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from secretary.speech.contract import Briefing, ProviderError, SpeechListener, ToolCall
from secretary.speech.local import render
from secretary.speech.local.dialogue import Action, Collect, Dialogue, Do, Fail, Say
from secretary.speech.local.errors import RecogniserError, VoiceError
from secretary.speech.local.grammar import GrammarSpec
from secretary.speech.local.intents import NOTHING, Intent
from secretary.speech.local.phrases import language_of
from secretary.speech.local.recogniser import Recogniser
from secretary.speech.local.voice import Voice

FRAME_MS: Final = 20
OUTBOX: Final = 64
"""Sentences and tool calls waiting to leave. A conversation that takes none of them is broken."""
TURN_BYTES: Final = 12 * 16_000
"""Of turns that are put together because the caller went on before the answer: 12 s."""
SHORT_BYTES: Final = 2 * 16_000
"""A first turn of a message that is longer than this (2 s) is the message, whatever it sounds like."""
COLLECT_S: Final = 2.0
"""How long a message's text may keep the caller waiting; what is not written down by then stays audio only."""
PARTS: Final = 30
"""Turns of one message that are written down; a 120 s message has fewer."""

log = logging.getLogger(__name__)


class LocalSession:
    """Implements `SpeechSession`."""

    detects_turns = False
    verbatim = True
    asides = True

    def __init__(self, briefing: Briefing, *, voice: Voice, recogniser: Recogniser) -> None:
        self._briefing = briefing
        self._language = language_of(briefing.language)
        self._voice = voice
        self._recogniser = recogniser
        self._spec = spec_of(briefing)
        self._dialogue = Dialogue(self._language, briefing.places)
        if (back := briefing.came_back) is not None:
            self._dialogue.came_back(back.destination_uuid, back.outcome)
        self._listener: SpeechListener | None = None
        self._clock_ms = 0
        self._outbox: asyncio.Queue[Action] = asyncio.Queue(OUTBOX)
        self._pump: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._serial = 0
        self._tools: dict[str, str] = {}
        self._pending = b""
        """A turn that is being recognised: joined with the next one when the caller goes on before the answer."""
        self._turn_serial = 0
        self._went_on = False
        self._texts: dict[int, str] = {}
        self._dictating: deque[asyncio.Task[None]] = deque(maxlen=PARTS)
        self._failed = False

    async def open(self, listener: SpeechListener) -> None:
        """Take the call. Raises ProviderError when there is no voice engine at all."""
        self._listener = listener
        if self._pump is not None:
            raise ProviderError("the session is open already")
        self._pump = self._watched(asyncio.create_task(self._send(), name="local secretary"))

    # What the conversation tells

    def hear(self, frame: bytes) -> None:
        self._clock_ms += FRAME_MS
        actions = self._dialogue.tick(self._clock_ms)
        if actions:
            self._do(actions)

    def turn_started(self) -> None:
        self._dialogue.speech_started(self._clock_ms)
        if self._pending:
            self._went_on = True

    def turn_ended(self, pcm: bytes) -> None:
        self._dialogue.speech_ended(self._clock_ms)
        if self._dialogue.wants_dictation:
            self._message_part(pcm)
            return
        if not self._dialogue.wants_intent:
            self._pending = b""
            self._went_on = False
            self._tell_text("")
            return
        if self._went_on:
            pcm = (self._pending + pcm)[-TURN_BYTES:]
        self._went_on = False
        self._pending = pcm
        self._turn_serial += 1
        self._later(self._understand(pcm, self._turn_serial))

    def say(self, text: str, *, keep: bool = True) -> None:
        if keep:
            self._dialogue.spoken(text)
        self._do([Say(text)])

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None:
        if utterance_id == f"local-{self._serial}":
            self._dialogue.interrupted(heard_ms)

    def resumed(self, utterance_id: str) -> None:
        """Nothing to do: what it says does not hang on what was heard of it."""

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        name = self._tools.pop(tool_call_id, None)
        if name is not None:
            self._do(self._dialogue.tool_result(name, outcome))

    def dtmf(self, digit: str) -> None:
        self._do(self._dialogue.key(digit))

    async def close(self) -> None:
        tasks = [task for task in (self._pump, *self._background) if task is not None]
        self._pump = None
        self._listener = None
        for task in tasks:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await asyncio.gather(*tasks, return_exceptions=True)

    # Turns

    async def _understand(self, pcm: bytes, serial: int) -> None:
        try:
            what = await self._recogniser.understand(self._spec, pcm, answer=self._dialogue.wants_answer)
        except RecogniserError as error:
            log.warning("call %s: turn not recognised: %s", self._briefing.call_uuid, error)
            what = NOTHING
        if serial != self._turn_serial or self._went_on:
            # The caller went on: the next turn brings this one along, and each turn is answered once.
            self._tell_text("")
            return
        self._pending = b""
        if self._listener is None:
            return
        self._tell_text(what.text if what.intent is not Intent.UNKNOWN else "")
        self._do(self._dialogue.heard(what))

    # Messages

    def _message_part(self, pcm: bytes) -> None:
        if self._dialogue.wants_intent and len(pcm) <= SHORT_BYTES:
            self._later(self._perhaps_yes(pcm))
            return
        self._dialogue.message_turn()
        self._write_down(pcm)

    async def _perhaps_yes(self, pcm: bytes) -> None:
        """A short first turn: an answer to the invitation, or a message already."""
        try:
            what = await self._recogniser.understand(self._spec, pcm, answer=True)
        except RecogniserError:
            what = NOTHING
        if self._listener is None:
            return
        actions = self._dialogue.heard(what)
        if actions:
            self._tell_text(what.text)
            self._do(actions)
        else:
            self._write_down(pcm)

    def _write_down(self, pcm: bytes) -> None:
        part = len(self._dictating)
        if part >= PARTS:
            self._tell_text("")
            return
        task = self._later(self._dictate(pcm, part, self._texts))
        self._dictating.append(task)

    async def _dictate(self, pcm: bytes, part: int, texts: dict[int, str]) -> None:
        text = ""
        if self._language == "en":  # the bundled language model knows English only
            try:
                text = await self._recogniser.dictate(pcm)
            except RecogniserError as error:
                log.info("call %s: part of a message stays audio only: %s", self._briefing.call_uuid, error)
        texts[part] = text
        self._tell_text(text)

    async def _collect(self) -> None:
        if self._dictating:
            await asyncio.wait(self._dictating, timeout=COLLECT_S)
        text = " ".join(text for _, text in sorted(self._texts.items()) if text)
        self._dictating.clear()
        self._texts = {}  # what comes later belongs to a message that is gone
        self._do(self._dialogue.collected(text))

    # Out

    def _tell_text(self, text: str) -> None:
        if self._listener is not None:
            self._listener.on_caller_text(text)

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Collect):
                self._later(self._collect())
                continue
            try:
                self._outbox.put_nowait(action)
            except asyncio.QueueFull:
                self._fail("nobody takes what the local secretary says")

    async def _send(self) -> None:
        while True:
            action = await self._outbox.get()
            listener = self._listener
            if listener is None or self._failed:
                return
            match action:
                case Say():
                    await self._speak(listener, action)
                case Do(name, arguments):
                    self._serial_tool(listener, name, arguments)
                case Fail(reason):
                    self._fail(reason)
                case Collect():  # never queued
                    pass

    async def _speak(self, listener: SpeechListener, what: Say) -> None:
        pcm = self._voice.ready(what.text, self._briefing.voice, self._language)
        if pcm is None:
            try:
                pcm = await self._voice.render(what.text, self._briefing.voice, self._language)
            except VoiceError as error:
                self._fail(f"no voice: {error}")
                return
        if self._listener is None:
            return
        self._serial += 1
        utterance = f"local-{self._serial}"
        listener.on_voice(utterance, what.text, pcm, not what.tone)
        if what.tone:
            listener.on_voice(utterance, "", render.tone(), True)

    def _serial_tool(self, listener: SpeechListener, name: str, arguments: dict[str, object]) -> None:
        self._turn_serial += 1  # what is still being recognised belongs to the time before
        tool_call_id = f"tool-{self._turn_serial}"
        self._tools[tool_call_id] = name
        listener.on_tool(ToolCall(tool_call_id, name, arguments))

    def _fail(self, reason: str) -> None:
        if not self._failed and self._listener is not None:
            self._failed = True
            self._listener.on_failed(reason)

    def _later(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._watched(asyncio.create_task(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def _watched(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        """A task that breaks has the caller passed on at once, instead of after two silences."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("call %s: error in the local secretary", self._briefing.call_uuid, exc_info=error)
                self._fail("internal error in the local secretary")

        task.add_done_callback(ended)
        return task


def spec_of(briefing: Briefing) -> GrammarSpec:
    """The grammar of this call: its own domain's places and nothing else."""
    return GrammarSpec.of(language_of(briefing.language), [(place.name, place.aliases) for place in briefing.places])
