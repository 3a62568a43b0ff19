"""Tools: each is answered once, none leaves the caller in silence, none outlives the conversation."""

from __future__ import annotations

from itertools import pairwise

import pytest

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.sentences import sentences
from secretary.conversation.state import Rules
from secretary.speech.contract import COVER
from tests.secretary.conversation.stage import Stage

FILLERS = sentences("en").fillers


@pytest.fixture
def stage() -> Stage:
    stage = Stage(Rules(greeting="Acme, good morning."))
    stage.greet()
    stage.caller_says("when are you open?")
    return stage


def fillers(stage: Stage) -> list[str]:
    return [said.text for said in stage.all(act.Say) if said.kind == "filler"]


def test_a_tool_runs_outside_and_its_answer_goes_back(stage: Stage) -> None:
    """Name and arguments go out as they came; outcome and detail come back to the provider, once."""
    stage.call_tool("business_info", topic="hours")
    assert stage.all(act.RunTool) == [act.RunTool("business_info", "business_info", {"topic": "hours"})]
    stage.give(ev.ToolDone("business_info", "ok", '{"open": true}'))
    stage.give(ev.ToolDone("business_info", "ok", "again"))
    assert stage.all(act.AnswerTool) == [act.AnswerTool("business_info", "ok", '{"open": true}')]


def test_tools_called_together_run_side_by_side(stage: Stage) -> None:
    """A model may ask for several things at once; each is answered by itself, more than four are refused."""
    for n in range(5):
        stage.call_tool("check", tool_id=f"t{n}")
    for n in (2, 0, 1, 3):
        stage.give(ev.ToolDone(f"t{n}", "ok"))
    assert stage.answers() == [("t4", "busy"), ("t2", "ok"), ("t0", "ok"), ("t1", "ok"), ("t3", "ok")]


def test_a_tool_that_never_ends_is_answered_in_time(stage: Stage) -> None:
    """The provider learns that it failed; a result that comes later is not told twice."""
    stage.call_tool("slow")
    stage.advance(20_100)
    stage.give(ev.ToolDone("slow", "ok"))
    assert stage.answers() == [("slow", "failed")]


def test_a_quick_tool_needs_no_filler(stage: Stage) -> None:
    """Nothing is said over a tool that takes less than 700 ms."""
    stage.call_tool("quick")
    stage.advance(680)
    stage.give(ev.ToolDone("quick", "ok"))
    stage.advance(3_000)
    assert fillers(stage) == []


def test_a_filler_covers_a_slow_tool_and_is_no_answer(stage: Stage) -> None:
    """After 700 ms of silence a sentence that the provider does not keep, and that no figure or line counts."""
    stage.call_tool("slow")
    stage.advance(720)
    (filler,) = (said for said in stage.all(act.Say) if said.kind == "filler")
    assert filler.text in FILLERS and not filler.keep
    stage.say(filler.text, 900, id="filler")
    assert "answer" not in stage.talk.latency.summary()
    stage.advance(1_000)
    stage.give(ev.ToolDone("slow", "ok"))
    stage.say("We open at nine.", 800, id="answer")
    stage.advance(900)
    assert stage.talk.latency.summary()["response"] > 2_000
    assert [text for who, text in stage.transcript if who == "secretary"] == ["Acme, good morning.", "We open at nine."]
    assert [note.detail["text"] for note in stage.all(act.Note) if note.kind == "filler"] == [filler.text]


def test_fillers_vary_and_the_caller_is_not_asked_whether_they_are_there(stage: Stage) -> None:
    """Waiting long: another sentence after a while, never the same twice in a row, and no reprompt."""
    stage.call_tool("slow")
    for n in range(3):
        stage.advance(6_500)
        if fillers(stage):
            stage.say(fillers(stage)[-1], 500, id=f"f{n}")
    said = fillers(stage)
    assert len(said) >= 3 and all(one != other for one, other in pairwise(said))
    assert not [said for said in stage.all(act.Say) if said.text == sentences("en").still_there]


def test_an_answer_whose_words_come_later_is_no_filler(stage: Stage) -> None:
    """A filler that was asked for and never said does not swallow the answer."""
    stage.call_tool("slow")
    stage.advance(720)
    stage.give(ev.ToolDone("slow", "ok"))
    stage.say("", 300, id="answer", last=False)
    stage.say("We open at nine.", 800, id="answer")
    stage.advance(1_200)
    assert stage.transcript[-1] == ("secretary", "We open at nine.")
    assert "answer" in stage.talk.latency.summary()


def test_no_filler_over_somebody_who_speaks(stage: Stage) -> None:
    """The secretary's own sentence covers the tool; a caller who speaks is not talked over."""
    stage.say("Let me see.", 1_500, id="own")
    stage.call_tool("slow")
    stage.advance(1_400)
    assert fillers(stage) == []
    stage.give(ev.CallerStarted(stage.now - 100))
    stage.advance(2_000)
    assert fillers(stage) == []


def test_nobody_is_talked_to_over_music(stage: Stage) -> None:
    """On hold the music is what covers the wait; who is taken off hold is spoken to again."""
    stage.call_tool("order_status")
    stage.call_tool("hold", seconds=30)
    stage.advance(5_000)
    assert not fillers(stage)
    stage.call_tool("resume")
    stage.advance(1_500)
    assert fillers(stage) and not stage.all(act.TellInterrupted)
    stage.advance(12_000)
    assert "reprompt" not in [note.kind for note in stage.all(act.Note)]  # the tool still runs


def test_a_sentence_that_covers_a_wait_is_no_answer(stage: Stage) -> None:
    """Said by the platform's voice while a service thinks or another takes over: the answer is still owed."""
    stage.advance(3_000)
    stage.say("One moment, please.", 1_000, id=f"{COVER}1")
    stage.advance(1_100)
    assert ("secretary", "One moment, please.") not in stage.transcript
    assert "answer" not in stage.talk.latency.summary() and stage.talk.deadline is not None
    stage.say("We are here.", 500, id="a1")
    assert stage.talk.latency.summary()["answer"] == 4_100
    stage.caller_says("Hello?")
    stage.advance(3_000)
    stage.say("One moment, please.", 1_000, id=f"{COVER}2")
    stage.advance(9_000)
    assert "provider_silent" in [note.kind for note in stage.all(act.Note)]


def test_a_filler_that_is_interrupted_is_nothing_the_provider_knows(stage: Stage) -> None:
    """It has no such utterance in its memory to cut."""
    stage.call_tool("slow")
    stage.advance(720)
    stage.say(fillers(stage)[0], 900, id="filler")
    stage.advance(200)
    stage.give(ev.CallerStarted(stage.now - 100))
    stage.advance(1_000)
    stage.give(ev.CallerEnded(stage.now - 400))
    assert not stage.all(act.TellInterrupted)


def test_digits_are_sent_or_refused(stage: Stage) -> None:
    """Only keys of a telephone leave; anything else is an error of the provider's."""
    stage.call_tool("send_dtmf", tool_id="a", digits="12 3#")
    stage.call_tool("send_dtmf", tool_id="b", digits="1;rm")
    assert stage.all(act.SendDigits) == [act.SendDigits("a", "123#")]
    assert stage.answers() == [("b", "invalid")]
    stage.give(ev.ToolDone("a", "ok"))
    assert stage.answers()[-1] == ("a", "ok")


def on_hold(**arguments: object) -> Stage:
    stage = Stage(Rules(greeting="Acme."))
    stage.greet()
    stage.caller_says("one moment please")
    stage.say("Of course.", 500)
    stage.call_tool("hold", **arguments)
    assert not stage.all(act.HoldMusic)
    stage.advance(600)
    assert stage.all(act.HoldMusic) == [act.HoldMusic(True)]
    return stage


def test_hold_ends_with_its_time() -> None:
    """Music instead of questions, then it is the provider's turn."""
    stage = on_hold(seconds=30)
    stage.advance(29_800)
    assert stage.all(act.HoldMusic) == [act.HoldMusic(True)] and not stage.answers()
    stage.advance(200)
    assert stage.all(act.HoldMusic)[-1] == act.HoldMusic(False) and stage.answers() == [("hold", "ok")]


def test_hold_ends_when_the_caller_speaks() -> None:
    """Somebody who is back is listened to."""
    stage = on_hold()
    stage.give(ev.CallerStarted(stage.now - 100))
    assert stage.all(act.HoldMusic)[-1] == act.HoldMusic(False) and stage.answers() == [("hold", "interrupted")]


def test_hold_ends_by_resume_or_by_speaking() -> None:
    """The provider takes the caller back."""
    stage = on_hold()
    stage.call_tool("resume")
    assert stage.answers() == [("hold", "ok"), ("resume", "ok")]
    stage = on_hold()
    stage.say("Here I am again.", 500, id="back")
    assert stage.answers() == [("hold", "ok")] and not stage.all(act.HoldMusic)[-1].on


def test_what_a_model_takes_down_is_kept_when_the_caller_hangs_up(stage: Stage) -> None:
    """A message with a name and nothing else is incomplete, and saved when the call ends there."""
    stage.call_tool("take_message", name="Ana", number="555 1234", urgency="urgent")
    assert stage.answers() == [("take_message", "incomplete")]
    stage.give(ev.CallEnded("NORMAL_CLEARING"))
    given = {"name": "Ana", "number": "555 1234", "urgency": "urgent"}
    assert stage.all(act.SaveMessage) == [act.SaveMessage("", "", False, given)]
    assert stage.outcome == "message"


def test_a_models_message_grows(stage: Stage) -> None:
    """What was given first belongs to the message that is complete at last."""
    stage.call_tool("take_message", tool_id="m1", name="Ana")
    stage.call_tool("take_message", tool_id="m2", text="Please call back.", reason="an invoice")
    given = {"name": "Ana", "reason": "an invoice"}
    assert stage.all(act.SaveMessage) == [act.SaveMessage("m2", "Please call back.", True, given)]
    stage.give(ev.CallEnded("NORMAL_CLEARING"))
    assert len(stage.all(act.SaveMessage)) == 1 and stage.outcome == "message"


def test_a_model_that_forgets_a_message_does_not_end_the_call(stage: Stage) -> None:
    """What was begun is saved after the longest message, and the conversation goes on."""
    stage.call_tool("take_message", name="Ana")
    for n in range(45):
        stage.say("And then?", 400, id=f"and{n}")
        stage.advance(500)
        stage.caller_says("well", 3_000)
    assert [saved.complete for saved in stage.all(act.SaveMessage)] == [False]
    assert stage.outcome is None
