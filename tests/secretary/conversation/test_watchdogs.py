"""Conversations that lead nowhere end politely, and the record says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.sentences import sentences
from secretary.conversation.state import Rules
from tests.secretary.conversation.stage import Stage

SAY = sentences("en")


def talking(**rules: object) -> Stage:
    stage = Stage(Rules(greeting="Hello.", **rules))  # type: ignore[arg-type]
    stage.greet()
    return stage


def turns(stage: Stage, *texts: str, answers: Callable[[int], str] = lambda n: f"Answer number {n} of many.") -> None:
    for n, text in enumerate(texts):
        if stage.all(act.Leave) or "watchdog" in kinds(stage):
            return
        stage.caller_says(text)
        stage.say(answers(n), 600, id=f"a{n}-{stage.now}")
        stage.advance(700)


def kinds(stage: Stage) -> list[str]:
    return [note.kind for note in stage.all(act.Note)]


def ended(stage: Stage, sentence: str, detail: str) -> bool:
    """The sentence is said, heard, and then it is over for this reason; the timeline names the watchdog."""
    assert stage.all(act.Say)[-1].text == sentence and stage.outcome is None
    stage.say(sentence, 1_500, id="last")
    stage.advance(1_600)
    return stage.all(act.Close)[0].detail == detail and "watchdog" in kinds(stage)


def test_a_secretary_in_circles_passes_the_caller_on() -> None:
    """The same sentence for the fourth time is no conversation."""
    stage = talking()
    turns(stage, *(f"something else {n}" for n in range(5)), answers=lambda n: "Sorry, I did not get that.")
    assert ended(stage, SAY.circles, "going_in_circles") and stage.outcome == "fallback"


def test_short_sentences_may_come_again() -> None:
    """ "Of course." four times is good service."""
    stage = talking()
    turns(stage, *(f"something else {n}" for n in range(8)), answers=lambda n: "Of course.")
    assert stage.outcome is None and "watchdog" not in kinds(stage)


def test_a_caller_who_says_the_same_three_times_is_passed_on() -> None:
    """A recording, or somebody who is not understood: a person decides better."""
    stage = talking()
    turns(stage, *["I want to speak to a person"] * 4)
    assert ended(stage, SAY.circles, "caller_repeats") and stage.outcome == "fallback"


def test_music_on_the_line_is_said_goodbye_to() -> None:
    """Nobody is there."""
    stage = talking(silence_ms=100_000)
    stage.advance(21_000)
    stage.give(ev.MusicHeard())
    assert ended(stage, SAY.no_person, "music_on_line") and stage.all(act.HangUp)


def test_a_noisy_line_with_somebody_on_it_is_no_music() -> None:
    """Who was understood a moment ago is there."""
    stage = talking()
    turns(stage, "hello")
    stage.give(ev.MusicHeard())
    assert "watchdog" not in kinds(stage)


def test_a_voice_that_never_pauses_twice_is_a_recording() -> None:
    """The first time it is answered, the second time it is left."""
    stage = talking(max_turn_ms=10_000)
    for n in range(2):
        stage.give(ev.CallerStarted(stage.now))
        stage.advance(10_100)
        if not n:
            stage.say("I see.", 400, id="see")
            stage.advance(500)
    assert ended(stage, SAY.no_person, "recording_on_line")


def test_a_long_dictation_is_no_recording() -> None:
    """A message has a longest length of its own."""
    stage = talking(max_turn_ms=10_000)
    stage.call_tool("record_message")
    stage.give(ev.CallerStarted(stage.now))
    stage.advance(60_000)
    assert "long_turn" not in kinds(stage) and stage.outcome is None


def test_most_turns() -> None:
    """A limit of turns ends with a sentence and the fallback."""
    stage = talking(max_turns=3)
    turns(stage, "one", "two", "three", "four")
    assert ended(stage, SAY.enough, "turns_used_up")


def test_most_cost() -> None:
    """A limit of cost, too; below it nothing happens."""
    stage = talking(max_cost=0.5)
    stage.give(ev.Spent(0.49))
    assert stage.outcome is None and "watchdog" not in kinds(stage)
    stage.give(ev.Spent(0.5))
    assert ended(stage, SAY.enough, "cost_used_up")


@pytest.mark.parametrize("limit", ["turns", "cost"])
def test_a_limit_cuts_no_answer_off(limit: str) -> None:
    """The last turn is answered to its end; then it is over, and not a sentence later."""
    stage = talking(max_turns=1) if limit == "turns" else talking(max_cost=0.5)
    stage.caller_says("What do you sell?")
    stage.say("We sell saws.", 1_000)
    stage.give(ev.Spent(0.6))
    stage.advance(900)
    assert "watchdog" not in kinds(stage)
    stage.advance(200)
    assert stage.transcript[-1] == ("secretary", "We sell saws.")
    assert ended(stage, SAY.enough, f"{limit}_used_up")


@pytest.mark.parametrize("limit", ["turns", "cost"])
def test_a_caller_who_interrupts_goes_no_further_than_the_limit(limit: str) -> None:
    """Who speaks into the last answer is not answered again."""
    stage = talking(max_turns=1) if limit == "turns" else talking(max_cost=0.5)
    stage.caller_says("What do you sell?")
    stage.say("We sell saws, and many other things.", 5_000)
    stage.give(ev.Spent(0.6))
    stage.advance(500)
    stage.caller_says("And hammers?")
    assert ended(stage, SAY.enough, f"{limit}_used_up")


def test_a_limit_takes_no_transfer_back() -> None:
    """Where the last answer puts the caller through, they are put through."""
    stage = talking(max_turns=1)
    stage.caller_says("Sales, please.")
    stage.say("One moment.", 600)
    stage.call_tool("transfer", destination_uuid="d1")
    stage.advance(700)
    assert stage.all(act.Transfer) and "watchdog" not in kinds(stage)


@pytest.mark.parametrize(("hangs_up", "way"), [(False, act.Leave), (True, act.HangUp)])
def test_a_silent_caller_is_passed_on_or_said_goodbye_to(hangs_up: bool, way: type[act.Action]) -> None:
    """As the secretary's settings say."""
    stage = talking(silence_ms=3_000, silence_prompts=1, silence_hangs_up=hangs_up)
    stage.advance(3_000)
    stage.say(SAY.still_there, 500, id="ask")
    stage.advance(3_600)
    sentence = SAY.silent_goodbye if hangs_up else SAY.nobody_there
    assert stage.all(act.Say)[-1].text == sentence
    stage.say(sentence, 1_000, id="bye")
    stage.advance(1_100)
    assert stage.all(way) and stage.all(act.Close)[0].detail == "silent_caller" and "watchdog" in kinds(stage)


def test_the_platform_speaks_the_callers_language() -> None:
    """Once it changes, the platform's own sentences change with it; the record says when."""
    stage = talking(silence_ms=3_000)
    stage.give(ev.LanguageChanged("pt-br"))
    stage.give(ev.LanguageChanged("pt-br"))
    stage.give(ev.LanguageChanged("tlh"))
    stage.advance(3_000)
    assert stage.all(act.Say)[-1].text == sentences("pt-br").still_there
    assert [note.detail for note in stage.all(act.Note) if note.kind == "language"] == [{"language": "pt-br"}]


def test_both_languages_have_every_sentence() -> None:
    """Nothing is left out, nothing is left in English."""
    english, portuguese = sentences("en"), sentences("pt-br")
    for name in type(english).__slots__:
        assert getattr(english, name) != getattr(portuguese, name) and getattr(portuguese, name)


def test_each_turn_tells_its_stages() -> None:
    """Caller's last sound, decision, first token, first voice: in the timeline by turn, in the summary by stage."""
    stage = talking()
    stage.caller_says("sales")
    stage.advance(200)
    stage.give(ev.Thinking())
    stage.advance(100)
    stage.give(ev.Thinking())
    stage.say("Sales.", 500)
    (turn,) = (note.detail for note in stage.all(act.Note) if note.kind == "turn")
    assert turn == {"end_of_turn": 700, "thinking": 200, "voice": 100, "answer": 300, "response": 1_000}
    assert stage.talk.latency.summary()["thinking"] == 200
