"""Every way in which a provider fails, at every moment of a call: what the caller hears, and when."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from secretary.scenarios import virtual_time
from secretary.speech.contract import FailureKind, ProviderError, Said, ToolCall
from secretary.speech.platform_voice import bridges
from secretary.speech.relay import HUNG_S, MOMENT_S, SIGN_S
from tests.secretary.speech.chain.cast import ACME, BRIEFING, TURN, FakeVoice, Scene, three

KINDS = get_args(FailureKind)
SAY = bridges("en")


@pytest.mark.parametrize("kind", KINDS)
def test_refused_at_the_door(kind: FailureKind) -> None:
    """A provider that does not take the call: the next one greets, and the caller does not notice."""

    async def call() -> None:
        scene = Scene(*three(refuses=ProviderError("no", kind=kind)))
        await scene.begin()
        assert scene.caller.words == ["Good morning."] and scene.caller.voices[0][0] < 0.5
        assert scene.chain.step.provider == "other"
        assert scene.noted("provider_failed") == [{"provider": "acme", "kind": kind, "reason": "no"}]
        assert scene.noted("provider_changed") == [{"from": "acme", "to": "other", "reason": "no"}]

    virtual_time.run(call())


def test_slow_to_open() -> None:
    """The greeting is not late where a provider is slow: the platform says it, once, and the provider answers."""

    async def call() -> None:
        scene = Scene(*three(open_s=1.2))
        await scene.begin()
        assert scene.caller.words == ["Good morning."] and scene.caller.voices[0][0] <= 1.2
        scene.turn()
        await asyncio.sleep(1)
        assert scene.caller.words[1:] == ["This is acme."] and scene.acme.now.said == []

    virtual_time.run(call())


def test_nobody_opens_in_time() -> None:
    """A provider that hangs is given up after its time, and so is the next; the local secretary takes the call."""

    async def call() -> None:
        scene = Scene(*three(open_s=60), briefing=BRIEFING)
        scene.other.open_s = 60
        await scene.begin()
        began = scene.turn()
        await asyncio.sleep(5)
        assert scene.caller.words[0] == "Good morning." and scene.caller.voices[0][0] <= 1.2
        assert scene.caller.first_voice_after(began) <= 2.0 and scene.caller.words[-1] == "This is local."
        assert scene.local.now.turns == [TURN] and scene.acme.now.closed

    virtual_time.run(call())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("open_s", [0.05, 1.4, 60.0])
def test_cut_off_while_the_caller_waits(kind: FailureKind, open_s: float) -> None:
    """The next provider is given the turn and answers it; by 2 s after the failure the caller has heard something."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        scene.other.open_s = open_s
        await scene.begin()
        scene.turn()
        await asyncio.sleep(0.5)
        failed = scene.fail(kind)
        scene.acme.answer_s = 0.4
        await asyncio.sleep(4)
        assert scene.caller.first_voice_after(failed) <= 2.0
        taker = {True: scene.acme, False: scene.other if open_s < 2 else scene.local}[kind == "expired"]
        assert taker.now.turns[-1] == TURN and scene.caller.words[-1] == taker.answer
        assert scene.caller.failures == []

    virtual_time.run(call())


def test_silence() -> None:
    """No sign of an answer: the caller hears so within 2 s, then the next one's answer, with nothing in between."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        await scene.begin()
        ended = scene.turn()
        await asyncio.sleep(6)
        assert scene.caller.first_voice_after(ended) == pytest.approx(HUNG_S) and HUNG_S < 2.0
        assert scene.caller.words[-2:] == [SAY.one_moment, "This is other."]
        assert scene.caller.voices[-1][0] - ended == pytest.approx(SIGN_S + 0.45, abs=0.1)
        assert scene.noted("provider_failed")[0]["kind"] == "unreachable"

    virtual_time.run(call())


def test_a_slow_answer_is_not_talked_into() -> None:
    """A first token in time is worth 3.5 s of silence; one that comes later was covered, and is heard after that."""

    async def call() -> None:
        for token_s, covered in ((1.0, []), (2.5, [SAY.one_moment])):
            scene = Scene(*three(answer_s=3.2))
            await scene.begin()
            scene.turn()
            ear = scene.acme.now.ear
            assert ear is not None and MOMENT_S > 3.2
            asyncio.get_running_loop().call_later(token_s, ear.on_thinking)
            await asyncio.sleep(6)
            assert scene.caller.words[1:] == [*covered, "This is acme."] and scene.chain.step is ACME

    virtual_time.run(call())


def test_nobody_speaks_into_a_message() -> None:
    """Once a message is being recorded it is the caller's turn: no "one moment" over their first words."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        await scene.begin()
        scene.turn()
        ear = scene.acme.now.ear
        assert ear is not None
        scene.acme.now.speak("Please speak after the tone.")
        ear.on_tool(ToolCall("t1", "record_message", {}))
        scene.chain.tool_result("t1", "ok")
        await asyncio.sleep(10)
        assert scene.caller.words[-1] == "Please speak after the tone." and scene.chain.step is ACME

    virtual_time.run(call())


def test_a_thoughtful_provider() -> None:
    """A sign of an answer is worth waiting for; without sound after it the next provider answers."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        await scene.begin()
        scene.turn()
        await asyncio.sleep(3)
        ear = scene.acme.now.ear
        assert ear is not None
        ear.on_thinking()
        await asyncio.sleep(3)
        assert scene.chain.step is ACME
        assert scene.caller.words[-1] == SAY.one_moment
        await asyncio.sleep(3)
        assert scene.caller.words[-1] == "This is other."

    virtual_time.run(call())


def test_in_the_middle_of_a_sentence() -> None:
    """The unfinished utterance is closed, and its turn is answered anew by the next provider."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        await scene.begin()
        scene.turn()
        scene.acme.now.speak("I can", last=False)
        failed = scene.fail()
        await asyncio.sleep(3)
        assert scene.caller.ended[-2] == "u2" and scene.caller.words[-1] == "This is other."
        assert scene.caller.first_voice_after(failed) <= 2.0
        assert scene.other.now.briefing.history[-1] == Said("secretary", "I can")

    virtual_time.run(call())


def test_stalled_in_the_middle_of_a_sentence() -> None:
    """Sound that stops coming before its end is silence, too."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        await scene.begin()
        scene.turn()
        scene.acme.now.speak("I can", last=False)
        await asyncio.sleep(5)
        assert scene.caller.words[-1] == "This is other."

    virtual_time.run(call())


def test_in_the_greeting() -> None:
    """A greeting that breaks off has nobody's turn behind it: the caller is told to go on."""

    async def call() -> None:
        scene = Scene(*three(say_s=None))
        await scene.begin(greet=False)
        scene.chain.say("Good morning.")
        scene.acme.now.speak("Good", last=False)
        scene.fail()
        await asyncio.sleep(2)
        assert scene.caller.words == ["Good", SAY.broken_off]

    virtual_time.run(call())


def test_a_sentence_that_is_never_spoken() -> None:
    """The platform's sentence is spoken by the platform when a provider does not."""

    async def call() -> None:
        scene = Scene(*three(say_s=None))
        await scene.begin(greet=False)
        scene.chain.say("Are you still there?")
        await asyncio.sleep(4)
        assert scene.caller.words == ["Are you still there?"] and scene.chain.step.provider == "other"

    virtual_time.run(call())


def test_words_that_come_after_their_sound() -> None:
    """A sentence of the platform beside a turn that waits: what is said is one or the other, by its words."""

    async def call() -> None:
        for words, taken in (("Are you still there?", [TURN]), ("It opens at nine.", [])):
            scene = Scene(*three(answer_s=None, say_s=None))
            await scene.begin(greet=False)
            scene.turn()
            scene.chain.say("Are you still there?")
            ear = scene.acme.now.ear
            assert ear is not None
            ear.on_voice("u1", "", bytes(320), False)
            ear.on_voice("u1", words, bytes(320), True)
            await asyncio.sleep(3)
            assert scene.chain.step is ACME  # it has spoken: it is not taken for silent
            scene.fail()
            await asyncio.sleep(1)
            assert scene.other.now.turns == taken

    virtual_time.run(call())


def test_while_nobody_waits() -> None:
    """A provider that is lost while both are silent is replaced without a word."""

    async def call() -> None:
        scene = Scene(*three())
        await scene.begin()
        scene.fail()
        await asyncio.sleep(10)
        assert scene.caller.words == ["Good morning."]
        scene.turn()
        await asyncio.sleep(1)
        assert scene.caller.words[-1] == "This is other."

    virtual_time.run(call())


def test_while_the_caller_speaks() -> None:
    """Nobody speaks into the caller's sentence, and the next provider gets it whole."""

    async def call() -> None:
        scene = Scene(*three())
        await scene.begin()
        scene.chain.turn_started()
        scene.fail()
        await asyncio.sleep(3)
        assert scene.caller.words == ["Good morning."]
        scene.chain.turn_ended(TURN)
        await asyncio.sleep(1)
        assert scene.other.now.turns == [TURN] and scene.caller.words[-1] == "This is other."

    virtual_time.run(call())


def test_a_turn_that_never_ended() -> None:
    """A beginning that was taken back does not silence the platform for the rest of the call."""

    async def call() -> None:
        scene = Scene(*three())
        await scene.begin()
        scene.chain.turn_started()
        await asyncio.sleep(30)
        scene.other.open_s = scene.local.open_s = 3.0
        scene.fail()
        scene.chain.say("Are you still there?")
        await asyncio.sleep(1)
        assert scene.caller.words[-1] == "Are you still there?"

    virtual_time.run(call())


def test_one_that_raises() -> None:
    """A bug in a provider is its failure and not the call's."""

    async def call() -> None:
        scene = Scene(*three(raises=True))
        await scene.begin()
        scene.turn()
        await asyncio.sleep(1)
        assert scene.caller.words[-1] == "This is other." and scene.noted("provider_failed")[0]["kind"] == "protocol"

    virtual_time.run(call())


def test_all_of_them() -> None:
    """When the local secretary fails, too, the conversation is told, which has a human for the caller."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        await scene.begin()
        scene.other.refuses = scene.local.refuses = ProviderError("no voice engine")
        scene.turn()
        failed = scene.fail()
        await asyncio.sleep(1)
        assert [reason for _, reason in scene.caller.failures] == ["no voice engine"]
        assert scene.caller.failures[0][0] - failed < 2.0
        scene.chain.say("Somebody will take your call now.")
        assert scene.caller.words[-1] == "Somebody will take your call now."  # at once: nobody else will say it
        assert scene.noted("providers_exhausted")

    virtual_time.run(call())


def test_nobody_at_all_takes_the_call() -> None:
    """What is known at once is raised at once: the caller goes to the fallback before anything is said."""

    async def call() -> None:
        scene = Scene(*three(refuses=ProviderError("no")), steps=(ACME,))
        scene.local.refuses = ProviderError("no voice engine")
        with pytest.raises(ProviderError, match="no voice engine"):
            await scene.chain.open(scene.caller)

    virtual_time.run(call())


def test_the_platforms_voice_is_not_ready() -> None:
    """A sentence that must be made first is in time as well."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None), voice=FakeVoice(ready=False))
        scene.other.open_s = scene.local.open_s = 3.0
        await scene.begin()
        scene.turn()
        failed = scene.fail()
        await asyncio.sleep(2)
        assert scene.caller.first_voice_after(failed) <= 1.2

    virtual_time.run(call())


def test_a_session_whose_time_is_over() -> None:
    """The same provider goes on with a new session; if that ends at once, too, the next one does."""

    async def call() -> None:
        scene = Scene(*three())
        await scene.begin()
        scene.fail("expired")
        await asyncio.sleep(1)
        assert len(scene.acme.sessions) == 2 and scene.chain.step is ACME
        scene.fail("expired")
        await asyncio.sleep(1)
        assert scene.chain.step.provider == "other"

    virtual_time.run(call())


def test_late_words_of_a_lost_provider() -> None:
    """Nothing that a provider says after it has lost the call is heard, done or counted."""

    async def call() -> None:
        scene = Scene(*three())
        await scene.begin()
        ear = scene.acme.now.ear
        scene.fail()
        await asyncio.sleep(1)
        assert ear is not None
        ear.on_voice("u9", "Hello?", bytes(320), True)
        ear.on_tool(ToolCall("t9", "transfer", {}))
        ear.on_usage("input_token", 5)
        ear.on_failed("again")
        assert scene.caller.words == ["Good morning."] and not scene.caller.tools and not scene.caller.usage
        assert scene.chain.step.provider == "other"

    virtual_time.run(call())


def test_what_must_be_said_exactly() -> None:
    """A disclosure is never left to a model: the platform's voice says it, in these words."""

    async def call() -> None:
        scene = Scene(*three(verbatim=False), exact=("You are talking with an AI.",))
        await scene.begin(greet=False)
        scene.chain.say("You are talking with an AI.")
        scene.chain.say("Good morning.")
        await asyncio.sleep(1)
        assert scene.caller.words == ["You are talking with an AI.", "Good morning."]
        assert scene.acme.now.said == ["Good morning."]

    virtual_time.run(call())


def test_in_portuguese() -> None:
    """The platform speaks the caller's language, also when that changed in mid-call."""

    async def call() -> None:
        scene = Scene(*three(answer_s=None))
        await scene.begin()
        ear = scene.acme.now.ear
        assert ear is not None
        ear.on_language("pt-br")
        scene.turn()
        await asyncio.sleep(5)
        assert bridges("pt-br").one_moment in scene.caller.words
        assert scene.other.now.briefing.language == "pt-br"

    virtual_time.run(call())


def test_closing_in_the_middle() -> None:
    """A caller who hangs up while providers are tried leaves no session and no task behind."""

    async def call() -> None:
        scene = Scene(*three(open_s=60))
        await scene.begin(greet=False)
        await scene.chain.close()
        await scene.chain.close()
        assert scene.acme.now.closed and len(asyncio.all_tasks()) == 1

    virtual_time.run(call())
