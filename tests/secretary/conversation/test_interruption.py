"""Interrupting the secretary: quick to fall silent, and not for a cough."""

from __future__ import annotations

import pytest

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.playout import REWIND_MS
from secretary.conversation.state import Rules, State
from tests.secretary.conversation.stage import Stage, voice


def speaking(ms: int = 4_000, heard: int = 1_500, **rules: object) -> Stage:
    """In the middle of a long sentence."""
    stage = Stage(Rules(greeting="Hello.", **rules))  # type: ignore[arg-type]
    stage.greet()
    stage.caller_says("tell me")
    stage.say("one two three four five six seven eight", ms, id="long")
    stage.advance(heard)
    return stage


def notes(stage: Stage, kind: str) -> list[act.Note]:
    return [note for note in stage.all(act.Note) if note.kind == kind]


def test_a_likely_sound_turns_the_voice_down_and_nothing_more() -> None:
    """Turned down with the first suspicion, normal again when it was nothing."""
    stage = speaking()
    stage.give(ev.CallerLikely())
    assert 0 < stage.gain < 0.5 and not stage.all(act.StopVoice)
    stage.give(ev.CallerUnlikely())
    assert stage.gain == 1.0


def test_the_next_voice_is_not_turned_down() -> None:
    """A voice that was stopped leaves the gain as it was."""
    stage = speaking()
    stage.give(ev.CallerLikely())
    stage.interrupt()
    assert stage.all(act.StopVoice) and stage.gain == 1.0


def test_silence_is_not_turned_down() -> None:
    """Nothing is said: nothing to turn down."""
    stage = Stage(Rules(greeting="Hello."))
    stage.greet()
    stage.give(ev.CallerLikely())
    assert not stage.all(act.Duck)


def test_a_cough_lets_the_voice_go_on_and_the_provider_knows_nothing() -> None:
    """Silent at once; 320 ms after the cough the sentence goes on a little before where it was, and is heard whole."""
    stage = speaking()
    stage.burst(200)
    assert len(stage.all(act.StopVoice)) == 1
    assert not stage.all(act.TellInterrupted) and len(stage.all(act.EndTurn)) == 1
    assert len(stage.all(act.Play)[-1].pcm) == 16 * (4_000 - 1_580 + REWIND_MS)
    stage.advance(4_000)
    assert stage.transcript[-1] == ("secretary", "one two three four five six seven eight")
    assert not stage.all(act.Line)[-1].interrupted
    assert [note.detail["reason"] for note in notes(stage, "resumed")] == ["burst"] and not notes(stage, "barge_in")


def test_a_cough_does_not_take_a_transfer_back() -> None:
    """What was announced still happens, after the sentence."""
    stage = speaking()
    stage.call_tool("transfer", destination_uuid="d1")
    stage.burst(200)
    assert not stage.all(act.Transfer)
    stage.advance(4_000)
    assert stage.all(act.Transfer) and stage.answers() == []


@pytest.mark.parametrize("text", ["uh-huh", "Mhm.", "aham", ""])
def test_a_backchannel_lets_the_voice_go_on(text: str) -> None:
    """The words tell: the sentence goes on, and the answer to "uh-huh" is not heard."""
    stage = speaking()
    stage.burst(420)
    stage.give(ev.CallerText(text))
    assert notes(stage, "resumed")
    stage.say("What did you say?", 800, id="answer")
    stage.advance(5_000)
    assert ("secretary", "one two three four five six seven eight") in stage.transcript
    assert "What did you say?" not in [line for _, line in stage.transcript]
    assert stage.all(act.TellInterrupted)[-1] == act.TellInterrupted("answer", "", 0)
    assert stage.all(act.TellResumed) == [act.TellResumed("long")]
    stage.caller_says("and now?")
    stage.say("Now you are heard.", 800, id="next")
    stage.advance(900)
    assert stage.transcript[-1] == ("secretary", "Now you are heard.")


def test_one_word_interrupts_when_it_is_one() -> None:
    """A short "stop" is an interruption: the rest is never said, the record shows what was heard."""
    stage = speaking()
    stage.burst(420)
    stage.give(ev.CallerText("stop"))
    stage.say("All right.", 500, id="answer")
    stage.advance(5_000)
    assert stage.transcript[-3:] == [("secretary", "one two three"), ("caller", "stop"), ("secretary", "All right.")]
    assert stage.all(act.TellInterrupted)[0].heard_text == "one two three"


def test_an_answer_before_the_words_gives_the_rest_up() -> None:
    """A model may answer before it has written down what it heard."""
    stage = speaking()
    stage.burst(420)
    stage.say("All right.", 500, id="answer")
    stage.give(ev.CallerText("mhm"))
    stage.advance(5_000)
    assert ("secretary", "All right.") in stage.transcript and not notes(stage, "resumed")


def test_a_sentence_of_the_callers_is_an_interruption_when_it_is_proven() -> None:
    """The provider learns how far it was heard as soon as it is sure."""
    stage = speaking()
    stage.interrupt()
    (told,) = stage.all(act.TellInterrupted)
    assert (told.utterance_id, told.heard_text) == ("long", "one two three")
    assert stage.all(act.BeginTurn)[-1] and notes(stage, "barge_in")
    stage.say("nine", 500, id="long")
    assert stage.queued == 0


def test_speaking_again_after_a_cough_is_no_cough() -> None:
    """While the sentence is still waiting to go on, a second sound proves the first."""
    stage = speaking()
    stage.burst(420, provider_decides=True)
    assert not stage.all(act.TellInterrupted)
    stage.give(ev.CallerStarted(stage.now))
    assert stage.all(act.TellInterrupted)


def test_what_still_arrives_of_a_stopped_voice_is_heard_after_the_cough() -> None:
    """A provider that streams goes on in between."""
    stage = Stage(Rules(greeting="Hello."))
    stage.greet()
    stage.say("one two", 1_000, id="u", last=False)
    stage.advance(300)
    onset = stage.now
    stage.give(ev.CallerStarted(onset))
    stage.say("three", 500, id="u", last=False)
    stage.advance(200)
    stage.say("four", 500, id="u")
    stage.say("five six", 800, id="v")
    assert stage.queued == 0
    stage.advance(300)
    stage.give(ev.CallerEnded(onset + 150))
    stage.advance(4_000)
    assert stage.transcript[-2:] == [("secretary", "one two three four"), ("secretary", "five six")]


def test_somebody_who_answers_early_is_answered() -> None:
    """In the last moment of a sentence nobody says "uh-huh": the turn begins."""
    stage = speaking(4_000, 3_700)
    stage.give(ev.CallerStarted(stage.now - 80))
    assert stage.all(act.TellInterrupted) and stage.all(act.BeginTurn)


def test_a_provider_with_ears_of_its_own_is_told_when_it_heard_too() -> None:
    """Short and unheeded: the voice goes on. Heard by the provider: it does not."""
    stage = speaking()
    stage.burst(420, provider_decides=True)
    assert not stage.all(act.TellInterrupted) and stage.all(act.DropTurn)
    stage.advance(1_600)
    assert [note.detail["reason"] for note in notes(stage, "resumed")] == ["unheeded"]
    stage = speaking()
    stage.burst(420, provider_decides=True)
    stage.give(ev.ProviderStopped())
    stage.say("All right.", 500, id="answer")
    stage.advance(1_000)
    assert ("secretary", "All right.") in stage.transcript and not notes(stage, "resumed")


def test_a_provider_that_decides_ends_the_turn() -> None:
    """No audio is handed over: it has heard it. Its decision is what the answer is measured from."""
    stage = Stage(Rules(greeting="Hello."))
    stage.greet()
    onset = stage.now
    stage.give(ev.CallerStarted(onset))
    stage.advance(1_000)
    stage.give(ev.ProviderStopped())
    assert not stage.all(act.EndTurn) and stage.all(act.DropTurn)
    stage.advance(300)
    stage.say("Of course.", 500)
    assert stage.talk.latency.summary()["answer"] == 300
    assert stage.give(ev.CallerEnded(stage.now - 100, True)) == []


def test_the_first_words_of_a_greeting_are_heard() -> None:
    """Who says hello at the same time as the secretary hears its name, and is answered."""
    stage = Stage(Rules(greeting="Acme, good morning.", protect_ms=800))
    stage.give(ev.Started())
    onset = stage.now
    stage.give(ev.CallerStarted(onset))
    stage.say("Acme, good morning.", 2_000, id="greeting")
    stage.advance(500)
    assert not stage.all(act.StopVoice)
    stage.give(ev.CallerEnded(onset + 400))
    assert stage.all(act.EndTurn)
    stage.give(ev.CallerText("hello"))
    stage.say("How can I help?", 1_000, id="answer")
    stage.advance(3_000)
    assert [text for _, text in stage.transcript] == ["hello", "Acme, good morning.", "How can I help?"]


def test_who_speaks_on_has_the_floor_after_the_first_words() -> None:
    """Protection ends, and the caller who still speaks is not talked over."""
    stage = Stage(Rules(greeting="Acme, good morning.", protect_ms=800))
    stage.give(ev.Started())
    stage.say("Acme, good morning.", 3_000, id="greeting")
    stage.give(ev.CallerStarted(stage.now))
    stage.advance(760)
    assert not stage.all(act.StopVoice)
    stage.advance(200)
    assert stage.all(act.StopVoice) and stage.all(act.BeginTurn) and stage.talk.state is State.LISTENING


def test_the_disclosure_is_never_cut() -> None:
    """Said first, heard whole whatever the caller does, and noted in the record."""
    stage = Stage(Rules(greeting="Hello.", disclosure="This call is recorded.", protect_ms=0))
    first, second = [one for one in stage.give(ev.Started()) if isinstance(one, act.Say)]
    assert (first.text, first.kind, second.text) == ("This call is recorded.", "disclosure", "Hello.")
    stage.give(ev.CallerStarted(0))
    stage.say("This call", 600, id="d", last=False)
    stage.say("is recorded.", 900, id="d")
    stage.say("Hello.", 2_000, id="g")
    stage.advance(1_460)
    assert not stage.all(act.StopVoice)
    stage.advance(200)
    assert stage.all(act.StopVoice)
    assert [note.detail for note in notes(stage, "disclosed")] == [{"text": "This call is recorded.", "whole": True}]


def test_the_disclosure_is_noted_as_soon_as_it_was_heard() -> None:
    """Recording may hang on it: not only when the greeting after it is over, too."""
    stage = Stage(Rules(greeting="Hello.", disclosure="This call is recorded."))
    stage.give(ev.Started())
    stage.say("This call is recorded.", 1_500, id="d")
    stage.say("Hello.", 3_000, id="g")
    stage.advance(1_700)
    assert [note.detail["whole"] for note in notes(stage, "disclosed")] == [True]


def test_a_disclosure_that_a_caller_does_not_wait_for_is_noted_as_far_as_it_was_heard() -> None:
    """The record says what the caller was told, and no more."""
    stage = Stage(Rules(greeting="Hello.", disclosure="This call is recorded."))
    stage.give(ev.Started())
    stage.say("This call is recorded.", 2_000, id="d")
    stage.advance(1_000)
    stage.give(ev.CallEnded("NORMAL_CLEARING"))
    (note,) = notes(stage, "disclosed")
    assert note.detail["whole"] is False


def test_barge_in_can_be_switched_off() -> None:
    """The secretary finishes; what the caller said meanwhile is a turn all the same."""
    stage = speaking(barge_in=False)
    stage.give(ev.CallerLikely())
    onset = stage.now
    stage.give(ev.CallerStarted(onset))
    stage.advance(1_000)
    stage.give(ev.CallerEnded(onset + 800))
    assert not stage.all(act.StopVoice) and not stage.all(act.Duck) and len(stage.all(act.EndTurn)) == 2
    stage.advance(4_000)
    assert stage.transcript[-1] == ("secretary", "one two three four five six seven eight")


def test_somebody_who_never_pauses_is_answered_all_the_same() -> None:
    """After the longest turn the provider gets what there is."""
    stage = Stage(Rules(greeting="Hello.", max_turn_ms=10_000))
    stage.greet()
    ended = len(stage.all(act.EndTurn))
    stage.give(ev.CallerStarted(stage.now))
    stage.advance(10_100)
    assert len(stage.all(act.EndTurn)) == ended + 1 and notes(stage, "long_turn")


def test_stopping_is_measured_from_the_onset() -> None:
    """The figure of the record, also where the voice goes on after all."""
    stage = speaking()
    stage.burst(200)
    assert stage.talk.latency.summary()["stop"] == 80
    assert voice(20) and stage.talk.state is State.SPEAKING
