"""The colleague on the telephone: what was cut off is not said, what comes after it is, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from eslbridge import control as ctl
from eslbridge.outcomes import TransferOutcome
from secretary.conversation.consult.machine import Case, Consult, Finish
from secretary.conversation.consult.sentences import consult_sentences
from secretary.speech.contract import ProviderError
from secretary.voicenode import colleague as module
from secretary.voicenode.colleague import Colleague

WORDS = consult_sentences("en")
CASE = Case("Clara", "en", caller_name="Ana Lima", caller_number="1000")


class Leg:
    """The audio of the colleague's leg. What is played is heard when the test says so."""

    def __init__(self) -> None:
        self.played: list[bytes] = []
        self.stops = 0
        self.listener: Any = None

    def listen(self, listener: Any) -> None:
        self.listener = listener

    def play(self, pcm: bytes) -> int:
        self.played.append(pcm)
        return len(pcm)

    def stop(self) -> None:
        self.stops += 1

    def hold(self) -> None: ...

    def close(self) -> None: ...


class Call:
    """The colleague's channel."""

    def __init__(self) -> None:
        self.tell: Callable[[ctl.CallEvent], None] = lambda event: None

    def on_event(self, callback: Callable[[ctl.CallEvent], None]) -> None:
        self.tell = callback


class Voice:
    """Renders when the test lets it: the sound is the words themselves."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ready = asyncio.Event()
        self.broken = False

    async def render(self, text: str, voice: str, language: str) -> bytes:
        self.asked.append(text)
        await self.ready.wait()
        if self.broken:
            raise ProviderError("hoarse")
        return text.encode()


class Ears:
    def open(self, callback: Callable[[float], None]) -> int:
        return 0

    def close(self, slot: int) -> None: ...


class Stage:
    def __init__(self) -> None:
        self.leg, self.call, self.voice = Leg(), Call(), Voice()
        parts: dict[str, Any] = {"call": self.call, "voice": self.voice, "voice_activity": Ears(), "media": None}
        talk = Consult(CASE)
        self.colleague = Colleague(**parts, consult=talk, route=None, domain_uuid="", ear=None, ask_caller=None)  # type: ignore[arg-type]
        self.asking = asyncio.create_task(self.colleague.run())

    def press(self, digit: str) -> None:
        self.call.tell(ctl.Dtmf(digit, 100))

    async def rendered(self) -> None:
        self.voice.ready.set()
        await settle()

    @property
    def heard(self) -> list[str]:
        return [sound.rstrip(b"\0").decode() for sound in self.leg.played]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def on(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    async def attach(*_: object, **__: object) -> Leg:
        return stage.leg

    monkeypatch.setattr(module, "attach_leg", attach)
    stage = Stage()
    await settle()
    yield stage
    stage.colleague.close()
    stage.asking.cancel()


async def test_a_key_into_a_sentence_that_is_being_made(on: Stage) -> None:
    """The sentence that was cut off before it was there is never heard; the answer to the key is."""
    assert len(on.voice.asked) == 1 and not on.heard
    on.press("1")
    await on.rendered()
    assert on.heard == [WORDS.connecting]
    on.leg.listener.on_drained()
    assert await on.asking == Finish(TransferOutcome.OK)


async def test_a_key_into_a_sentence_that_is_heard(on: Stage) -> None:
    """It stops at once, and the next one is spoken: as often as somebody presses a key."""
    await on.rendered()
    hello = on.heard[0]
    assert "Ana Lima" in hello
    for times in (2, 3, 4):
        on.press("*")
        await settle()
        assert on.heard == [hello] * times and on.leg.stops == times - 1
    on.press("2")
    await settle()
    assert on.heard[-1] == WORDS.declined
    on.leg.listener.on_drained()
    assert (await on.asking).outcome is TransferOutcome.DECLINED


async def test_keys_faster_than_the_voice(on: Stage) -> None:
    """Only what was asked for last is said."""
    for digit in "***2":
        on.press(digit)
        await settle()
    await on.rendered()
    assert on.heard == [WORDS.declined]


async def test_the_caller_hangs_up_meanwhile(on: Stage) -> None:
    """Whoever waited for the decision is gone, and the colleague is told all the same, to the end."""
    await on.rendered()
    on.asking.cancel()
    await settle()
    goodbye = asyncio.create_task(on.colleague.farewell())
    await settle()
    assert on.heard[-1] == WORDS.gone and not goodbye.done()
    on.leg.listener.on_drained()
    await asyncio.wait_for(goodbye, 1)


async def test_without_a_voice(on: Stage) -> None:
    """Nothing can be said: the keys still count, and nobody waits for a sentence that does not come."""
    on.voice.broken = True
    await on.rendered()
    on.press("1")
    assert (await asyncio.wait_for(on.asking, 1)).outcome is TransferOutcome.OK and not on.heard
