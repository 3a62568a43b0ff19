"""One round of an answer: the model's pieces as they come, cut into sentences, given to the voice meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from secretary.speech.contract import ProviderError
from secretary.speech.pipeline.llm.contract import Call, Piece, Prompt, Stopped, Text, Thinking, Usage
from secretary.speech.pipeline.sentences import Splitter, Thoughts, speakable
from secretary.speech.pipeline.speaker import Speaker
from secretary.speech.pipeline.tts.contract import Synthesiser

PATIENCE_S: Final = 0.15
"""What looks like a whole sentence waits this long for the word that would prove it."""
LONGEST: Final = 20_000
"""Characters of one round: twenty minutes of talk."""
CHARACTERS_A_TOKEN: Final = 4


class Round:
    """Read it with `run`; then `calls` and `refused` say how it ended."""

    def __init__(
        self,
        pieces: AsyncGenerator[Piece, None],
        speaker: Speaker,
        another: Callable[[], str],
        voice: Synthesiser,
        language: str,
        *,
        thinks_first: bool = False,
    ) -> None:
        """`another` gives an utterance's name: the first, and one for each that follows after a pause."""
        self._pieces = pieces
        self._speaker, self._another, self._voice, self._language = speaker, another, voice, language
        self._splitter = Splitter()
        self._thoughts = Thoughts(inside=thinks_first)
        self._sentences: asyncio.Queue[str | None] = asyncio.Queue()
        self._pause: asyncio.TimerHandle | None = None
        self._usage: Usage | None = None
        self._written = 0
        self.calls: list[Call] = []
        self.refused = False
        self._over = False

    async def run(self, on_thinking: Callable[[], None]) -> None:
        """Until the model has ended and its last sentence is handed over. Raises ProviderError."""
        said = self._speaker.speak(self._another(), self._sentences, self._voice, self._language, another=self._another)
        speaking = asyncio.create_task(said, name="speak")
        reading = asyncio.create_task(self._read(on_thinking), name="read the model")
        try:
            await asyncio.wait([speaking, reading], return_when=asyncio.FIRST_EXCEPTION)
            for task in (reading, speaking):
                if task.done():
                    task.result()
            await asyncio.gather(reading, speaking)
        finally:
            if self._pause is not None:
                self._pause.cancel()
            for task in (speaking, reading):
                task.cancel()
            await asyncio.gather(speaking, reading, return_exceptions=True)

    def usage(self, prompt: Prompt) -> Usage:
        """Tokens as the service counts them; where it was cut off before it did, about so many."""
        about = self._written // CHARACTERS_A_TOKEN
        if self._usage is not None:
            return self._usage if self._over else replace(self._usage, written=max(self._usage.written, about))
        if not self._written:
            return Usage()
        size = len(prompt.system) + sum(len(message.text) for message in prompt.messages)
        return Usage(size // CHARACTERS_A_TOKEN, about)

    async def _read(self, on_thinking: Callable[[], None]) -> None:
        thinking = False
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                if not thinking and isinstance(piece, Text | Thinking | Call):
                    thinking = True
                    on_thinking()
                match piece:
                    case Text(text):
                        self._text(text)
                    case Call():
                        self.calls.append(piece)
                    case Usage():
                        self._usage = piece
                    case Stopped(reason):
                        self.refused, self._over = reason == "refused", True
        self._say([*self._splitter.feed(self._thoughts.end()), *self._splitter.flush()])
        self._sentences.put_nowait(None)

    def _text(self, text: str) -> None:
        self._written += len(text)
        if self._written > LONGEST:
            raise ProviderError("language model: an answer without end")
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._say(self._splitter.feed(self._thoughts.feed(text)))
        if self._splitter.complete:
            self._pause = asyncio.get_running_loop().call_later(PATIENCE_S, self._paused)

    def _paused(self) -> None:
        self._say(self._splitter.overdue())

    def _say(self, sentences: list[str]) -> None:
        for sentence in sentences:
            if spoken := speakable(sentence):
                self._sentences.put_nowait(spoken)
