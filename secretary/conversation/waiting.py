"""The caller who is being put through: music, and a colleague's question to them. Implements `CallerSide`."""

from __future__ import annotations

import asyncio
from typing import Final

from eslbridge.media.contract import BYTES_PER_MS, HAND_OVER_MS, AudioLeg
from secretary.audio.hold_music import music
from secretary.conversation import events as ev
from secretary.conversation.ear import Ear

ANSWER_S: Final = 12.0
"""How long after a question the caller may take to begin to answer, and to finish it."""


class Waiting:
    """One call's. The conversation is at rest meanwhile; what the caller says counts only while `asking`."""

    def __init__(self, leg: AudioLeg, ear: Ear) -> None:
        self._leg, self._ear = leg, ear
        self._music = False
        self._answer: asyncio.Future[bytes] | None = None

    @property
    def asking(self) -> bool:
        """Whether the caller has a question to answer."""
        return self._answer is not None

    def music(self, on: bool) -> None:
        if on == self._music:
            return
        self._music = on
        if on and not self._leg.queued_ms:
            self._leg.play(music())
        elif not on:
            self._leg.stop()

    def drained(self) -> None:
        """All that was queued has been heard."""
        if self._music:
            self._leg.play(music())

    async def let_go(self) -> None:
        self._music = False
        self._leg.hold()
        await asyncio.sleep(HAND_OVER_MS / 1000)

    async def ask(self, voice: bytes) -> bytes:
        had_music, self._music = self._music, False
        self._leg.stop()
        self._answer = asyncio.get_running_loop().create_future()
        self._leg.play(voice)
        try:
            async with asyncio.timeout(len(voice) / BYTES_PER_MS / 1000 + ANSWER_S):
                return await self._answer
        except TimeoutError:
            return b""
        finally:
            self._answer = None
            self._ear.end()
            self.music(had_music)

    def heard(self, event: ev.Event) -> None:
        """What voice activity says of the caller."""
        match event:
            case ev.CallerStarted():
                self._leg.stop()
                self._ear.end()
                self._ear.begin()
            case ev.CallerEnded() if self._answer is not None and not self._answer.done():
                self._answer.set_result(self._ear.end())
