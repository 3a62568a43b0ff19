"""What the next provider knows, and what becomes of turns, tools and names that belonged to the last one."""

from __future__ import annotations

import asyncio

from secretary.scenarios import virtual_time
from secretary.speech.contract import Access, Said, ToolCall
from secretary.speech.metered import Metered, Used
from secretary.speech.platform_voice import bridges
from secretary.speech.steps import Step
from tests.secretary.speech.chain.cast import ACME, BRIEFING, OTHER, TURN, Scene, three

FRAME = bytes(320)


def test_what_was_said_and_heard() -> None:
    """The history has each line once, cut where the caller cut it, and without the words of a turn that is replayed."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        await scene.begin()
        acme = scene.acme.now
        assert acme.ear is not None
        scene.turn()
        acme.ear.on_caller_text("What are your hours?")
        utterance = acme.speak("We are open from nine", last=False)
        acme.ear.on_voice(utterance, "to five.", bytes(320), True)
        scene.chain.interrupted(utterance, "We are open", 900)
        scene.turn()
        acme.ear.on_caller_text("And on Sunday?")
        scene.fail()
        await asyncio.sleep(2)
        told = scene.other.now.briefing
        assert told.history == (
            Said("secretary", "Good morning."),
            Said("caller", "What are your hours?"),
            Said("secretary", "We are open"),
        )
        assert (told.instructions, told.call_uuid) == ("You are Clara.", "c1")
        assert acme.cut == [(utterance, "We are open")] and scene.other.now.turns == [TURN]
        other = scene.other.now.ear
        assert other is not None
        other.on_caller_text("and on sunday")
        assert scene.caller.texts == ["What are your hours?", "And on Sunday?"]

    virtual_time.run(call())


def test_a_cough_cut_nothing_off() -> None:
    """What went on after a cough was heard whole, is answered by nobody, and the next provider knows both."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        await scene.begin()
        scene.turn()
        name = scene.acme.now.speak("We are open until six.")
        scene.chain.interrupted(name, "We are", 300)
        scene.turn()
        ear = scene.acme.now.ear
        assert ear is not None
        ear.on_caller_text("uh-huh")
        scene.chain.resumed(name)
        await asyncio.sleep(20)
        assert scene.acme.now.went_on == [name] and scene.chain.step is ACME
        scene.fail()
        await asyncio.sleep(1)
        lines = [line.text for line in scene.other.now.briefing.history if line.who == "secretary"]
        assert lines == ["Good morning.", "We are open until six."] and not scene.other.now.turns

    virtual_time.run(call())


def test_two_turns_without_an_answer() -> None:
    """A caller who says something more before the answer has not said it in vain."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        await scene.begin()
        scene.turn(b"one." * 80)
        scene.turn(b"two." * 80)
        scene.fail()
        await asyncio.sleep(1)
        assert scene.other.now.turns == [b"one." * 80 + b"two." * 80]

    virtual_time.run(call())


def test_one_that_detects_turns_takes_over() -> None:
    """It is played the caller's words, and then enough silence to know that they are over."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        scene.other.detects_turns = True
        await scene.begin()
        scene.turn(b"word" * 800)
        scene.fail()
        await asyncio.sleep(1)
        assert scene.chain.detects_turns
        assert scene.other.now.heard == b"word" * 800 + FRAME * 40 and scene.other.now.turns == []

    virtual_time.run(call())


def test_one_that_detects_turns_is_lost() -> None:
    """What it heard and has not answered was kept beside it."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None, detects_turns=True))
        await scene.begin()
        ear = scene.acme.now.ear
        assert ear is not None
        for _ in range(50):
            scene.chain.hear(FRAME)
        ear.on_speech_started()
        for _ in range(100):
            scene.chain.hear(b"word" * 80)
        ear.on_speech_stopped()
        scene.fail()
        await asyncio.sleep(1)
        [turn] = scene.other.now.turns
        assert turn.endswith(b"word" * 8000) and len(turn) == 125 * 320

    virtual_time.run(call())


def test_in_the_middle_of_the_callers_words() -> None:
    """One that detects turns hears the sentence from its beginning, though it came when half was said."""

    async def call() -> None:
        scene = Scene(*three())
        scene.other.detects_turns = True
        await scene.begin()
        scene.chain.turn_started()
        for _ in range(50):
            scene.chain.hear(b"half" * 80)
        scene.fail()
        await asyncio.sleep(1)
        assert scene.caller.words == ["Good morning."]  # nobody speaks into it
        for _ in range(50):
            scene.chain.hear(b"rest" * 80)
        assert scene.other.now.heard.endswith(b"half" * 4000 + b"rest" * 4000)

    virtual_time.run(call())


def test_a_tool_outlives_its_provider() -> None:
    """The tool is not called twice; the caller learns how it ended, and so does the next provider."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        await scene.begin()
        ear = scene.acme.now.ear
        assert ear is not None
        scene.turn()
        ear.on_tool(ToolCall("t1", "check_available", {}))
        scene.fail()
        await asyncio.sleep(1)
        assert scene.other.now.turns == []
        assert "check_available is still running" in scene.other.now.briefing.instructions
        scene.chain.tool_result("t1", "ok", "free")
        await asyncio.sleep(1)
        assert scene.other.now.results == [] and scene.caller.words[-1] == bridges("en").done
        other = scene.other.now.ear
        assert other is not None
        other.on_tool(ToolCall("t1", "transfer", {}))
        second = scene.caller.tools[-1].tool_call_id
        assert second != "t1"
        scene.chain.tool_result(second, "declined")
        assert scene.other.now.results == [("t1", "declined")]

    virtual_time.run(call())


def test_a_tool_that_failed_meanwhile() -> None:
    """Its end before the next provider has the call is known to that one from the beginning."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        scene.other.open_s = 0.5
        await scene.begin()
        ear = scene.acme.now.ear
        assert ear is not None
        ear.on_tool(ToolCall("t1", "transfer", {}))
        scene.fail()
        scene.chain.tool_result("t1", "no_answer")
        await asyncio.sleep(2)
        assert "transfer ended: no_answer" in scene.other.now.briefing.instructions
        assert scene.caller.words[-1] == bridges("en").not_done

    virtual_time.run(call())


def test_names_of_two_providers() -> None:
    """Both call their first utterance the same; what is cut is cut at the one that said it."""

    async def call() -> None:
        scene = Scene(*three())
        await scene.begin()
        scene.fail()
        await asyncio.sleep(1)
        scene.other.now.speak("Hello.")
        [first, second] = [name for _, name, _ in scene.caller.voices]
        assert first != second
        scene.chain.interrupted(first, "Good", 100)
        scene.chain.interrupted(second, "Hel", 100)
        assert scene.other.now.cut == [("u1", "Hel")] and scene.acme.now.cut == []

    virtual_time.run(call())


def test_keys_pressed_in_between() -> None:
    """Keys wait for the next provider."""

    async def call() -> None:
        scene = Scene(*three())
        await scene.begin()
        scene.fail()
        scene.chain.dtmf("1")
        scene.chain.dtmf("2")
        await asyncio.sleep(1)
        scene.chain.dtmf("3")
        assert scene.other.now.keys == "123"

    virtual_time.run(call())


def test_each_has_its_own_access_and_voice() -> None:
    """No provider is ever told another's key."""

    async def call() -> None:
        scene = Scene(*three(), steps=(ACME, Step("other", Access(api_key="second"), "uuid", voice="marin")))
        await scene.begin()
        scene.fail()
        await asyncio.sleep(1)
        assert scene.acme.now.access is ACME.access and scene.acme.now.briefing.voice == ""
        assert scene.other.now.access.api_key == "second" and scene.other.now.briefing.voice == "marin"

    virtual_time.run(call())


def test_what_is_used() -> None:
    """Time and units are counted for the provider and model that used them, and cost what its price list says."""

    async def call() -> None:
        prices = {("acme", "", "second"): 0.01, ("acme", "big", "output_token"): 0.5, ("other", "", "second"): 1.0}
        metered = Metered(prices, now=asyncio.get_running_loop().time)
        big = Step("acme", Access(model="big"))
        scene = Scene(*three(open_s=0.0), steps=(big, OTHER), metered=metered)
        scene.other.open_s = 0.0
        await scene.begin(greet=False)
        ear = scene.acme.now.ear
        assert ear is not None
        ear.on_usage("output_token", 10)
        ear.on_usage("output_token", -4)
        ear.on_usage("stt_second", 7, "scribe")
        await asyncio.sleep(10)
        assert round(metered.cost, 2) == 5.1
        scene.fail()
        await asyncio.sleep(3)
        await scene.chain.close()
        await asyncio.sleep(60)
        assert metered.used() == (
            Used("acme", "big", "output_token", 10),
            Used("acme", "scribe", "stt_second", 7),
            Used("acme", "big", "second", 10.0),
            Used("other", "", "second", 3.0),
        )
        assert round(metered.cost, 2) == 8.1

    virtual_time.run(call())


def test_secrets_are_not_shown() -> None:
    """Neither a step nor its access says its keys, whoever logs it."""
    step = Step("acme", Access(api_key="sk-1", options=(("stt_key", "sk-2"),)))
    assert "sk-" not in repr(step) and "sk-" not in repr(step.access) and "sk-" not in repr(BRIEFING)
