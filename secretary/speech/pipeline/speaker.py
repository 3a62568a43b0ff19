"""Sentences to voice: in order, the next one being made while one is handed over, never far ahead of the caller's ear.

An utterance is one thing said, of one or more sentences; utterances do not mix. Each part of an utterance carries the
words that sound in it, by the pace at which this voice has spoken so far, so that what was heard of a sentence can be
told while the rest of its sound is still to come.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Final, Protocol

from eslbridge.media.contract import BYTES_PER_MS
from secretary.speech.contract import ProviderError
from secretary.speech.pipeline.tts.contract import Synthesiser

MADE_AT_ONCE: Final = 2
"""The sentence that is handed over and the one after it."""
AHEAD_S: Final = 8.0
"""No new sentence is begun while the caller has more than this to listen to: most of it would be thrown away."""
PAUSE_S: Final = 1.0
"""A pause between two sentences that is longer than this is the end of an utterance."""
FIRST_WORDS: Final = 3
"""Words that the first part of a sentence has at least: an utterance is known by its first words."""
MS_A_CHARACTER: Final = 65.0
"""The pace before anything is known: 15 characters a second."""
SLOW, FAST = 200.0, 25.0
MOST_SOUND: Final = 60_000 * BYTES_PER_MS
"""Of one sentence; a voice that goes on for longer is broken."""


class Tell(Protocol):
    def __call__(self, utterance: str, text: str, pcm: bytes, last: bool) -> None: ...


class Speaker:
    """One call's voice."""

    def __init__(self, tell: Tell, spent: Callable[[int], None]) -> None:
        self._tell = tell
        self._spent = spent
        self._floor = asyncio.Lock()
        self._stops = 0
        self._plays_until = 0.0
        self._pace = MS_A_CHARACTER
        self.saying = ""
        """The utterance of which something has been handed over and more is to come."""

    async def speak(
        self,
        utterance: str,
        sentences: asyncio.Queue[str | None],
        voice: Synthesiser,
        language: str,
        *,
        at_once: bool = False,
        another: Callable[[], str] | None = None,
    ) -> None:
        """Say the sentences up to the None that ends them. Raises ProviderError.

        `at_once`: the platform's own; it may have silenced the voice without telling. `another` gives a new utterance
        for what comes after a pause: within one, sound that does not come is taken for a failure.
        """
        stops = self._stops
        slots = asyncio.Semaphore(MADE_AT_ONCE)
        made: asyncio.Queue[_Sound | None] = asyncio.Queue()
        sounds: list[_Sound] = []

        async def make() -> None:
            before = ""
            try:
                while (text := await sentences.get()) is not None:
                    await slots.acquire()
                    if not at_once:
                        await self._not_too_far_ahead()
                    sound = _Sound(text, voice.speak(text, language=language, before=before))
                    sounds.append(sound)
                    made.put_nowait(sound)
                    before = text
            finally:
                made.put_nowait(None)

        making = asyncio.create_task(make(), name="make sentences")
        upcoming = asyncio.ensure_future(made.get())
        try:
            while (sound := await upcoming) is not None:
                await sound.begun()
                async with self._floor:
                    if stops != self._stops:
                        return
                    self.saying = utterance
                    while sound is not None:
                        await self._hand_over(utterance, sound)
                        slots.release()
                        upcoming = asyncio.ensure_future(made.get())
                        if another is not None and not (await asyncio.wait([upcoming], timeout=PAUSE_S))[0]:
                            break
                        sound = await upcoming
                    self.finish()
                if sound is not None and another is not None:
                    utterance = another()
            await making
        finally:
            if self.saying == utterance:
                self.saying = ""
            for task in (making, upcoming, *(sound.task for sound in sounds)):
                task.cancel()
            await asyncio.gather(making, upcoming, *(sound.task for sound in sounds), return_exceptions=True)

    def finish(self) -> None:
        """What is being said ends with what has been handed over."""
        saying, self.saying = self.saying, ""
        if saying:
            self._tell(saying, "", b"", True)

    def stop(self) -> None:
        """The caller hears nothing more of what was handed over, and nothing more is."""
        self.saying = ""
        self._stops += 1
        self._plays_until = 0.0

    async def _hand_over(self, utterance: str, sound: _Sound) -> None:
        words = Words(sound.text, self._pace)
        length = 0
        async for pcm in sound.parts():
            if not length:
                self._spent(len(sound.text))
            length += len(pcm) // BYTES_PER_MS
            self._plays_until = max(self._plays_until, _now()) + len(pcm) / BYTES_PER_MS / 1000
            if self.saying == utterance:
                self._tell(utterance, words.until(length), pcm, False)
        rest = words.rest()
        if rest and self.saying == utterance:
            self._tell(utterance, rest, b"", False)
        if length and len(sound.text) > 8:
            self._pace = (self._pace + min(max(length / len(sound.text), FAST), SLOW)) / 2

    async def _not_too_far_ahead(self) -> None:
        await asyncio.sleep(max(0.0, self._plays_until - _now() - AHEAD_S))


class _Sound:
    """One sentence that is being made: its parts wait here until their turn comes."""

    def __init__(self, text: str, source: AsyncGenerator[bytes, None]) -> None:
        self.text = text
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._begun = asyncio.Event()
        self.task = asyncio.create_task(self._make(source), name="make a sentence")

    async def _make(self, source: AsyncGenerator[bytes, None]) -> None:
        size = 0
        try:
            async with aclosing(source):
                async for pcm in source:
                    self._parts.put_nowait(pcm)
                    self._begun.set()
                    size += len(pcm)
                    if size > MOST_SOUND:
                        raise ProviderError("text to speech: a sentence without end")
            if not size:
                raise ProviderError("text to speech: a sentence without sound")
        finally:
            self._parts.put_nowait(None)
            self._begun.set()

    async def begun(self) -> None:
        await self._begun.wait()

    async def parts(self) -> AsyncIterator[bytes]:
        """What there is joined, then what comes. Raises what the making raised."""
        over = False
        while not over:
            got = [await self._parts.get()]
            while not self._parts.empty():
                got.append(self._parts.get_nowait())
            if over := got[-1] is None:
                got.pop()
            if pcm := b"".join(part for part in got if part):
                yield pcm
        await self.task


class Words:
    """The words of a sentence, each given once, with the part of the sound that it belongs to."""

    def __init__(self, text: str, ms_a_character: float) -> None:
        self._words = text.split()
        self._given = 0
        self._characters = 0
        self._pace = ms_a_character

    def until(self, ms: int) -> str:
        """Those that have sounded after `ms` of the sentence, as far as not given yet."""
        begin = self._given
        heard = ms / self._pace
        while self._given < len(self._words):
            word = self._words[self._given]
            if self._given >= FIRST_WORDS and self._characters + len(word) / 2 > heard:
                break
            self._characters += len(word) + 1
            self._given += 1
        return " ".join(self._words[begin : self._given])

    def rest(self) -> str:
        begin, self._given = self._given, len(self._words)
        return " ".join(self._words[begin:])


def _now() -> float:
    return asyncio.get_running_loop().time()
