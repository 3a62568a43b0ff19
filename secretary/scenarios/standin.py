"""A speech provider that follows a script: it hears perfectly, answers what is written, and breaks when told to."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, Protocol
from uuid import uuid4

import structlog

from eslbridge.media.contract import BYTES_PER_MS
from secretary.scenarios import sound
from secretary.scenarios.script import Pace, Part, Script
from secretary.speech.contract import (
    NO_ACCESS,
    Access,
    Briefing,
    Place,
    PlatformEar,
    PlatformVoice,
    ProviderError,
    SpeechListener,
    SpeechSession,
    ToolCall,
)
from secretary.speech.steps import LAST

log = structlog.get_logger(__name__)

PIECE_MS: Final = 100
INTERIM_FRAMES: Final = 5
"""So often the words so far are told."""
FASTER: Final = 3
"""Voice is delivered so much faster than it is heard, as providers do."""
TOKENS: Final = 40.0
"""What an answer is said to cost."""
SENTENCE: Final = re.compile(r"(?<=[.!?…])\s+")


class PerfectEar(Protocol):
    """Knows what the caller says, because it knows the script."""

    def listen(self) -> str:
        """What was said since the last time."""

    def so_far(self) -> str:
        """What was said since then, as far as it is a whole; it will be heard again."""

    def forget(self) -> None:
        """Whoever listened last did nothing with it: the next one hears it again."""


class StandIn:
    """Implements `SpeechSession`."""

    detects_turns = False
    verbatim = True
    asides = True

    def __init__(self, briefing: Briefing, parts: tuple[Part, ...], pace: Pace, perfect: PerfectEar) -> None:
        self._briefing, self._parts, self._pace, self._perfect = briefing, parts, pace, perfect
        self._used: set[int] = set()
        self._listener: SpeechListener | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._speaking: asyncio.Task[None] | None = None
        self._mouth = asyncio.Lock()
        self._calls: dict[str, str] = {}
        self._interim = ""
        self.keys = ""
        self.frames = 0
        self.turns: list[str] = []
        """What it heard, turn by turn."""
        self.interruptions: list[tuple[str, int]] = []
        self.results: list[tuple[str, str, str]] = []
        """Tool, outcome, detail."""
        self.closed = False

    async def open(self, listener: SpeechListener) -> None:
        await asyncio.sleep(self._pace.opens_ms / 1000)
        refusing = next((part for part in self._parts if part.fails == "refused"), None)
        if refusing is not None:
            raise ProviderError("the stand-in was told to refuse")
        self._listener = listener

    def hear(self, frame: bytes) -> None:
        self.frames += 1
        if self._pace.interim and self.frames % INTERIM_FRAMES == 0:
            self._tell_interim()

    def turn_started(self) -> None:
        self._stop_speaking()

    def turn_ended(self, pcm: bytes) -> None:
        heard = self._perfect.listen()
        self.turns.append(heard)
        self._later(self._answer_turn(heard))

    def say(self, text: str, *, keep: bool = True) -> None:
        self._later(self._speak(text))

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None:
        self.interruptions.append((heard_text, heard_ms))
        self._stop_speaking()

    def resumed(self, utterance_id: str) -> None: ...

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        name = self._calls.pop(tool_call_id, "")
        self.results.append((name, outcome, detail))
        part = self._pick(lambda one: one.result in (name, f"{name}={outcome}") and bool(one.result))
        if part is not None:
            self._later(self._answer(part))

    def dtmf(self, digit: str) -> None:
        self.keys += digit
        part = self._pick(lambda one: bool(one.key) and self.keys.endswith(one.key))
        if part is not None:
            self._later(self._answer(part))

    async def close(self) -> None:
        self.closed = True
        self._listener = None
        for task in tuple(self._tasks):
            task.cancel()

    def _tell_interim(self) -> None:
        text = self._perfect.so_far()
        if text and text != self._interim and self._listener is not None:
            self._listener.on_caller_interim(text)
        self._interim = text

    async def _answer_turn(self, heard: str) -> None:
        pace = self._pace
        part = self._pick(
            lambda one: not one.key and not one.result and re.search(one.hears, heard, re.IGNORECASE) is not None
        )
        if part is not None and part.fails:
            self._perfect.forget()
        if part is not None and part.fails == "silent":
            return
        await asyncio.sleep(pace.understands_ms / 1000)
        if self._listener is None:
            return
        if part is None or not part.fails:
            self._listener.on_caller_text(heard)
        if not heard or part is None:
            return
        await asyncio.sleep((pace.first_token_ms - pace.understands_ms) / 1000)
        await self._answer(part)

    async def _answer(self, part: Part) -> None:
        if (listener := self._listener) is None:
            return
        if part.fails == "error":
            listener.on_failed("the stand-in was told to fail")
            return
        if part.fails == "silent":
            return
        listener.on_thinking()
        if part.language:
            listener.on_language(part.language)
        if part.says:
            await asyncio.sleep((self._pace.first_audio_ms - self._pace.first_token_ms) / 1000)
            self._speaking = asyncio.current_task()
            await self._speak(part.says)
        listener.on_usage("output_token", TOKENS)
        for name, arguments in part.calls.items():
            tool_call_id = f"call_{uuid4().hex[:8]}"
            self._calls[tool_call_id] = name
            listener.on_tool(ToolCall(tool_call_id, name, self._named(arguments)))

    async def _speak(self, text: str) -> None:
        async with self._mouth:  # one sentence after the other
            await self._pronounce(text)

    async def _pronounce(self, text: str) -> None:
        utterance_id = uuid4().hex
        sentences = SENTENCE.split(text.strip())
        for number, sentence in enumerate(sentences, 1):
            pcm = await sound.in_background(sentence, self._briefing.voice, self._briefing.language)
            size = PIECE_MS * BYTES_PER_MS
            pieces = [pcm[at : at + size] for at in range(0, len(pcm), size)]
            for at, piece in enumerate(pieces, 1):
                if self._listener is None:
                    return
                words = f"{sentence} " if at == 1 else ""
                last = number == len(sentences) and at == len(pieces)
                self._listener.on_voice(utterance_id, words, piece, last)
                await asyncio.sleep(PIECE_MS / FASTER / 1000)

    def _stop_speaking(self) -> None:
        if self._speaking is not None:
            self._speaking.cancel()
            self._speaking = None

    def _named(self, arguments: Any) -> dict[str, Any]:
        """The script names a place; the platform wants its UUID. What is not known stays as it is."""
        made = dict(arguments)
        if (name := made.pop("destination", None)) is not None:
            made["destination_uuid"] = destination_uuid(self._briefing.places, str(name))
        return made

    def _pick(self, fits: Callable[[Part], bool]) -> Part | None:
        for number, part in enumerate(self._parts):
            if (part.again or number not in self._used) and fits(part):
                self._used.add(number)
                return part
        return None

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("standin_broke", error=repr(error))
            if self._listener is not None:
                self._listener.on_failed(repr(error))


def destination_uuid(places: tuple[Place, ...], name: str) -> str:
    """The UUID of a place by one of its names; the name itself where there is none."""
    found = place_named(places, name)
    return found.destination_uuid if found is not None else name


def place_named(places: tuple[Place, ...], name: str) -> Place | None:
    """The place that goes by this name, among others."""
    wanted = name.casefold()
    return next((one for one in places if wanted in map(str.casefold, (one.name, *one.aliases))), None)


class StandIns:
    """Implements `Providers`: the stand-ins of one scenario, of whom the last plays the local secretary."""

    def __init__(self, script: Script, perfect: PerfectEar) -> None:
        parts = [script.provider, *script.providers]
        self._parts = {f"provider-{number}": one for number, one in enumerate(parts[:-1], 1)} | {
            LAST.provider: parts[-1]
        }
        self._pace, self._perfect = script.pace, perfect
        self.prices = {(name, "", "output_token"): script.price_per_token for name in self._parts}
        self.made: list[StandIn] = []
        self.voice: PlatformVoice | None = _PlatformVoice()
        self.ear: PlatformEar | None = None

    @property
    def names(self) -> list[str]:
        return list(self._parts)

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def session(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> SpeechSession:
        self.made.append(StandIn(briefing, self._parts[name], self._pace, self._perfect))
        return self.made[-1]

    async def prepare(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> None: ...


class _PlatformVoice:
    """Implements `PlatformVoice`."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, str], bytes] = {}

    def ready(self, text: str, voice: str, language: str) -> bytes | None:
        return self._made.get((text, voice, language))

    async def render(self, text: str, voice: str, language: str) -> bytes:
        return self._made.setdefault((text, voice, language), await sound.in_background(text, voice, language))

    async def prepare(self, texts: Iterable[str], voice: str, language: str) -> None:
        for text in texts:
            if text:
                await self.render(text, voice, language)
