"""The caller of a rehearsal: waits, speaks, presses keys, coughs, hangs up, as the script says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from eslbridge.control import Dtmf, HungUp
from secretary.scenarios.script import Step
from secretary.scenarios.telephone import Switch, Telephone

PAUSE_MS: Final = 700
"""How long the secretary must have been silent before a polite caller speaks."""
WORD_GAP_MS: Final = 300
"""A voice that was heard so lately is still speaking."""
KEY_MS: Final = 100


@dataclass(frozen=True, slots=True)
class Deed:
    """What the caller did, and when (ms on the telephone's clock): from the first sound to the last."""

    step: Step
    start_ms: int
    end_ms: int
    into_voice: bool
    """The secretary was speaking at its beginning."""


class Caller:
    """Plays the steps one after the other. `sounds` has the sound of each, made beforehand."""

    def __init__(self, steps: tuple[Step, ...], sounds: list[bytes], telephone: Telephone, switch: Switch) -> None:
        self._steps, self._sounds = steps, sounds
        self._telephone, self._switch = telephone, switch
        self._spoken_before = 0
        self.deeds: list[Deed] = []

    def words(self, since_ms: int, until_ms: int, *, whole: bool = False) -> str:
        """What the caller said between: what a perfect ear understands. `whole`: not what still sounds."""
        said = [
            one.step.say
            for one in self.deeds
            if one.step.say and since_ms <= one.start_ms < until_ms and not (whole and one.end_ms == one.start_ms)
        ]
        return " ".join(said)

    async def run(self) -> None:
        """Do everything, then wait: somebody else ends the call, or the script's patience does."""
        for step, sound in zip(self._steps, self._sounds, strict=True):
            await self._await(step)
            await self._do(step, sound)
            if step.hang_up:
                return

    async def _await(self, step: Step) -> None:
        telephone = self._telephone
        if step.after == "silence":
            await self._until(lambda: self._has_spoken() and telephone.quiet_ms() >= PAUSE_MS + step.wait_ms)
            return
        if step.after == "voice":
            await self._until(lambda: telephone.quiet_ms() == 0)
        await asyncio.sleep(step.wait_ms / 1000)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self._telephone.next_frame()

    def _has_spoken(self) -> bool:
        return any(self._telephone.secretary_sounds[self._spoken_before :])

    async def _do(self, step: Step, sound: bytes) -> None:
        telephone = self._telephone
        into_voice = telephone.quiet_ms() <= WORD_GAP_MS
        start = telephone.ms
        deed = len(self.deeds)
        self.deeds.append(Deed(step, start, start, into_voice))
        for digit in step.press:
            self._switch.tell(Dtmf(digit, KEY_MS))
            await asyncio.sleep(2 * KEY_MS / 1000)
        if sound:
            telephone.speak(sound)
            await self._until(lambda: not telephone.speaking)
        self.deeds[deed] = Deed(step, start, telephone.ms, into_voice)
        self._spoken_before = len(telephone.secretary_sounds)
        if step.hang_up:
            self._switch.tell(HungUp("ORIGINATOR_CANCEL"))
