"""The platform's sentences are heard in time and once, whoever says them."""

from __future__ import annotations

import asyncio

import pytest

from secretary.scenarios import virtual_time
from secretary.speech.contract import ToolCall
from secretary.speech.platform_voice import bridges
from tests.secretary.speech.chain.cast import ACME, Scene, three

GREETING = "Good morning."


@pytest.mark.parametrize("open_s", [0.05, 0.6, 0.95, 1.2, 1.45])
@pytest.mark.parametrize("say_s", [0.1, 0.8, 1.3, 2.0, 3.5, None])
def test_a_greeting_is_heard_once_whoever_is_slow(open_s: float, say_s: float | None) -> None:
    """Within 2.1 s of the answer and not again; a provider that is merely slow has the call, a silent one has not."""

    async def call() -> None:
        scene = Scene(*three(open_s=open_s, say_s=say_s))
        await scene.begin(greet=False)
        scene.chain.say(GREETING)
        await asyncio.sleep(8)
        assert scene.caller.words == [GREETING] and scene.caller.voices[0][0] <= 2.1
        assert scene.caller.ended == [scene.caller.voices[0][1]]
        silent = say_s is None and open_s < 1.0
        assert (scene.chain.step is not ACME) == silent
        scene.turn()
        await asyncio.sleep(2)
        assert scene.caller.words[1:] == ["This is other." if silent else "This is acme."]

    virtual_time.run(call())


def test_most_providers_greet_themselves() -> None:
    """One that takes 0.9 s to open and 0.7 s to begin is not replaced by another voice."""

    async def call() -> None:
        scene = Scene(*three(open_s=0.9, say_s=0.7))
        await scene.begin(greet=False)
        scene.chain.say(GREETING)
        await asyncio.sleep(3)
        assert scene.caller.words == [GREETING] and not scene.noted("provider_bridged")

    virtual_time.run(call())


def test_what_comes_instead_is_heard() -> None:
    """A provider that never says the sentence, but answers, calls tools and goes on, is heard with all of that."""

    async def call() -> None:
        scene = Scene(*three(say_s=None))
        await scene.begin()
        assert scene.caller.words == [GREETING]
        scene.turn()
        await asyncio.sleep(1)
        ear = scene.acme.now.ear
        assert ear is not None
        ear.on_tool(ToolCall("t1", "hours", {}))
        scene.chain.tool_result("t1", "ok")
        scene.acme.now.speak("We open at nine.")
        scene.chain.dtmf("1")
        scene.acme.now.speak("You pressed one.")
        assert scene.caller.words[1:] == ["This is acme.", "We open at nine.", "You pressed one."]

    virtual_time.run(call())


def test_a_late_sentence_after_the_callers_turn() -> None:
    """The words tell a late sentence from an answer."""

    async def call() -> None:
        scene = Scene(*three(say_s=None, answer_s=None))
        await scene.begin()
        scene.turn()
        scene.acme.now.speak("Good morning.")
        scene.acme.now.speak("We open at nine.")
        assert scene.caller.words == [GREETING, "We open at nine."]

    virtual_time.run(call())


def test_the_last_sentence_of_a_call() -> None:
    """A farewell that a silent provider is asked for, the caller hears in less than the 2 s that the call waits."""

    async def call() -> None:
        scene = Scene(*three(say_s=None), steps=(ACME,))
        scene.local.say_s = scene.local.answer_s = None
        await scene.begin(greet=False)
        scene.fail()
        await asyncio.sleep(10)
        asked = asyncio.get_running_loop().time()
        scene.chain.say("Somebody will take your call now.")
        await asyncio.sleep(3)
        assert scene.chain.step.provider == "local" and scene.caller.first_voice_after(asked) < 2.0
        assert scene.caller.words == ["Somebody will take your call now."]

    virtual_time.run(call())


@pytest.mark.parametrize(
    ("verbatim", "asides", "asked"), [(True, True, True), (False, True, True), (False, False, False)]
)
def test_who_covers_the_time_of_a_tool(verbatim: bool, asides: bool, asked: bool) -> None:
    """A filler is said by the provider where it may, else at once by the platform; what is kept is asked of it."""

    async def call() -> None:
        scene = Scene(*three(verbatim=verbatim, asides=asides))
        await scene.begin()
        scene.chain.say("One moment.", keep=False)
        scene.chain.say("Are you still there?")
        await asyncio.sleep(1)
        assert sorted(scene.caller.words[1:]) == ["Are you still there?", "One moment."]
        assert ("One moment." in scene.acme.now.said, "Are you still there?" in scene.acme.now.said) == (asked, True)
        assert bridges("en").one_moment not in scene.caller.words

    virtual_time.run(call())
