"""What people do in a call, until the caller hangs up: the caller, the colleague, and a worker that dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from eslbridge.outcomes import TransferOutcome as Word
from eslbridge.simulator import Press, Say, WaitSilence
from eslbridge.simulator.caller import Step
from secretary.speech.local import render
from tests.endtoend.scene import Scene
from tests.endtoend.world import until

VOICES: Final = Path("secretary/demo/callers")
YES, NO, CHATTER = (Say(VOICES / f"{name}.wav") for name in ("yes", "no", "long"))
MUSIC: Final = ("playback", "tone_stream://%(400,0,1000);loops=50")
VERA: Final = "Vera here, good morning."
LONGER_S: Final = 7
TOLD = WaitSilence(700)
"""The colleague has heard what there is to hear."""

Play = Callable[[Scene], Awaitable[None]]


def accepts(*steps: Step, number: str = "1001") -> Play:
    """The colleague takes the call, by these steps; both talk; the caller hangs up."""

    async def play(on: Scene) -> None:
        on.phone(*steps, number=number)
        on.dial()
        leg, _ = await on.answered(number)
        await on.talk(leg)

    return play


def comes_back(word: str, *steps: Step, number: str = "1001", **phone: Any) -> Play:
    """The telephone does this, or its owner; the caller is told, and what else there is."""

    async def play(on: Scene) -> None:
        on.phone(*steps, number=number, **phone)
        on.dial()
        await on.back(word)

    return play


def nobody_there(word: str) -> Play:
    """There is no telephone at all."""

    async def play(on: Scene) -> None:
        on.dial()
        await on.back(word)

    return play


def group(word: str, *actions: tuple[str, str]) -> Play:
    """A ring group whose dialplan does this."""

    async def play(on: Scene) -> None:
        on.phone()
        on.route("600", *actions)
        on.dial()
        await on.back(word)

    return play


async def in_another_call(on: Scene) -> None:
    """The colleague talks with somebody else."""
    on.phone()
    other = on.world.switch.place_call(on.name, "1001", type(on.caller)(patience_ms=None))
    leg, _ = await on.answered()
    on.dial()
    await on.back(Word.BUSY)
    assert on.legs() == [leg]
    other.phone_hung_up()


async def gone_while_it_rings(on: Scene) -> None:
    on.phone(answer_after_s=30.0)
    on.dial()
    leg = await on.rings()
    await on.is_sent()
    on.channel.phone_hung_up()
    await asyncio.wait_for(leg.ended.wait(), 40)
    assert not leg.answered.is_set()


async def gone_while_told(on: Scene) -> None:
    """The caller hangs up while the colleague listens: they hear one sentence more, and are hung up."""
    on.phone()
    on.dial()
    leg, colleague = await on.answered()
    await on.silent(colleague)
    heard = colleague.heard_voice_ms
    on.channel.phone_hung_up()
    await asyncio.wait_for(leg.ended.wait(), 40)
    assert colleague.heard_voice_ms > heard, "nobody told the colleague"


def worker_dies(play: Play) -> Play:
    """It dies before the caller asks for anybody."""

    async def played(on: Scene) -> None:
        await on.world.worker_dies()
        await play(on)

    return played


def worker_dies_while_it_rings(answer_after_s: float) -> Play:
    """Its command is out, and the switch needs no worker to go on ringing."""

    async def play(on: Scene) -> None:
        on.phone(answer_after_s=answer_after_s)
        on.dial()
        await on.rings()
        await on.is_sent()
        await on.world.worker_dies()
        if answer_after_s < LONGER_S:
            await on.talk((await on.answered())[0])
        else:
            await on.back(Word.NO_ANSWER)

    return play


def worker_dies_while_sending(others: int) -> Play:
    """The switch has the command, and does it in a while."""

    async def play(on: Scene) -> None:
        on.route("700", ("answer", ""), MUSIC)
        on.world.switch.queues[f"700@{on.name}"] = {"agent": "Available"}
        on.caller.steps.pop()
        on.dial()
        await until(lambda: on.world.waiting_for_death == others, "all others are ready")
        on.world.switch.options.bgapi_delay_s = 2.0
        on.channel.press("1")
        await on.is_sent()
        await on.world.worker_dies()
        on.world.switch.options.bgapi_delay_s = 0.0
        await _arrives(on, "700")
        await on.written()

    return play


def asks(*, by: str, then: str) -> Play:
    """The colleague says that there is a question, asks the caller, hears the answer, and decides."""

    async def play(on: Scene) -> None:
        wish: Step = Press("3")
        if by == "voice":
            voice = render.resolve("", "en")
            wish = Say(await asyncio.to_thread(render.speak, "I have a question", voice, "en", deadline_s=8.0))
        on.phone(TOLD, wish, TOLD, NO)
        on.dial()
        leg, colleague = await on.answered()
        await _until_asked(on, colleague, 2 if by == "voice" else 1)
        heard = colleague.heard_voice_ms
        on.caller.speak((VOICES / "no.wav").read_bytes()[44:])
        await _until_heard(colleague, heard + 1_000)  # “the caller says”, and the caller's own words
        await on.silent(colleague)
        leg.press(then)
        await (on.talk(leg) if then == "1" else on.back(Word.DECLINED))

    return play


async def _until_asked(on: Scene, colleague: Any, spoken: int) -> None:
    await until(lambda: len(colleague.said) == spoken, "the colleague has asked")
    # The music stops for the question; the silence after it is the caller's.
    await on.silent(on.caller, 400)


async def _until_heard(who: Any, ms: int) -> None:
    await until(lambda: who.heard_voice_ms >= ms, "a voice is heard")


def goes(number: str, *actions: tuple[str, str]) -> Play:
    """The caller's own leg goes to a number of the dialplan, and stays there until the caller hangs up."""

    async def play(on: Scene) -> None:
        on.route(number, *actions)
        on.world.switch.queues[f"{number}@{on.name}"] = {"agent": "Available"}
        on.dial()
        await _arrives(on, number)

    return play


async def _arrives(on: Scene, number: str) -> None:
    await until(lambda: ("execute_extension", f"{number} XML {on.name}") in on.channel.history, f"at {number}")
    heard = on.caller.heard_voice_ms
    await _until_heard(on.caller, heard + 100)


def ends_and_comes_back(number: str, *actions: tuple[str, str]) -> Play:
    """A queue that ends, a number that is not there: the caller is with the secretary again."""

    async def play(on: Scene) -> None:
        if actions:
            on.route(number, *actions)
        on.world.switch.queues[f"{number}@{on.name}"] = {"agent": "Available"}
        on.dial()
        said = len(on.world.said)
        await _returned(on)
        heard = on.caller.heard_voice_ms
        await _until_heard(on.caller, heard + 250)
        await on.silent(on.caller)
        assert len(on.world.said) > said

    return play


async def _returned(on: Scene) -> None:
    await until(lambda: [app for app, _ in on.channel.history].count("socket") == 2, "the call is with a node again")


async def no_agents(on: Scene) -> None:
    on.world.switch.queues[f"700@{on.name}"] = {"agent": "Logged Out"}
    on.dial()
    await on.back(Word.NO_ANSWER)


async def to_another_secretary(on: Scene) -> None:
    await on.second_secretary(VERA)
    on.dial()
    await _returned(on)
    await _until_heard(on.caller, on.caller.heard_voice_ms + 250)
    await on.silent(on.caller)


def routed(number: str) -> Play:
    """Through the domain's dialplan to the colleague's telephone."""

    async def play(on: Scene) -> None:
        on.route(number, ("bridge", f"user/1001@{on.name}"))
        await accepts(TOLD, Press("1"))(on)

    return play


async def busy_then_office(on: Scene) -> None:
    on.phone(conduct="busy")
    await accepts(number="1005")(on)


async def no_worker_for_the_queue(on: Scene) -> None:
    on.world.switch.queues[f"700@{on.name}"] = {"agent": "Available"}
    on.dial()
    await on.back(Word.FAILED)
