"""A conversation in virtual time: what the caller gets, whatever happens."""

from __future__ import annotations

import pytest

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.state import Rules, State
from tests.secretary.conversation.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_greets_first_and_then_listens(stage: Stage) -> None:
    """The greeting is the first thing said, and the caller has the floor once it was heard."""
    assert act.Say("Acme, good morning.") in stage.give(ev.Started())
    stage.say("Acme, good morning.", 1_000)
    stage.advance(980)
    assert stage.talk.state is State.GREETING
    stage.advance(40)
    assert stage.talk.state is State.LISTENING
    assert stage.transcript == [("secretary", "Acme, good morning.")]


def test_transfer_waits_for_its_announcement(stage: Stage) -> None:
    """The caller hears the whole sentence before being put through."""
    stage.greet()
    stage.caller_says("sales please")
    stage.say("I'm putting you through to Sales.", 1_500)
    stage.call_tool("transfer", destination_uuid="d1")
    stage.advance(1_400)
    assert not stage.all(act.Transfer)
    stage.advance(200)
    assert stage.all(act.Transfer) == [act.Transfer("transfer", "d1")]
    stage.give(ev.CallLeft("transferred"))
    assert stage.outcome == "transferred"
    assert stage.transcript[-1] == ("secretary", "I'm putting you through to Sales.")


def test_speaking_into_the_announcement_takes_the_transfer_back(stage: Stage) -> None:
    """A caller who objects is not put through."""
    stage.greet()
    stage.caller_says("sales please")
    stage.say("I'm putting you through to Sales.", 1_500)
    stage.call_tool("transfer", destination_uuid="d1")
    stage.advance(500)
    stage.interrupt()
    assert stage.all(act.AnswerTool)[-1].outcome == "interrupted"
    stage.advance(3_000)
    assert not stage.all(act.Transfer)


def test_failed_transfer_goes_back_to_the_secretary(stage: Stage) -> None:
    """After a transfer that failed the provider is told why, and the conversation goes on."""
    stage.greet()
    stage.say("One moment.", 400)
    stage.call_tool("transfer", destination_uuid="d1")
    stage.advance(500)
    stage.give(ev.ToolDone("transfer", "not_allowed", "blocked"))
    assert stage.all(act.AnswerTool)[-1] == act.AnswerTool("transfer", "not_allowed", "blocked")
    stage.say("I am sorry.", 400, id="u2")
    stage.advance(500)
    assert stage.talk.state is State.LISTENING


def test_transfer_without_an_answer_fails_in_time(stage: Stage) -> None:
    """A worker that never answers does not leave the caller waiting."""
    stage.greet()
    stage.call_tool("transfer", destination_uuid="d1")
    stage.advance(20_100)
    assert stage.all(act.AnswerTool)[-1].outcome == "failed"


def test_barge_in_stops_the_voice_and_cuts_the_transcript(stage: Stage) -> None:
    """The transcript keeps only the words that were heard; later voice of that utterance is not played."""
    stage.greet()
    stage.say("one two three four five six seven eight", 4_000, id="long", last=False)
    stage.advance(2_000)
    actions = stage.give(ev.CallerStarted(stage.now - 120))
    assert isinstance(actions[0], act.StopVoice)
    assert not stage.all(act.TellInterrupted)
    stage.give(ev.CallerProven())
    told = stage.all(act.TellInterrupted)[0]
    assert told.utterance_id == "long" and told.heard_ms == 2_000
    assert told.heard_text == "one two three four"
    line = stage.all(act.Line)[-1]
    assert line.interrupted and line.text == told.heard_text
    assert stage.say("nine ten", 1_000, id="long") == []
    assert stage.talk.latency.summary()["stop"] == 120


def test_interrupted_greeting(stage: Stage) -> None:
    """A caller need not wait for the end of the greeting."""
    stage.give(ev.Started())
    stage.say("Acme, good morning.", 2_000)
    stage.advance(500)
    stage.caller_says("sales")
    assert stage.transcript[-1] == ("caller", "sales")
    assert stage.all(act.EndTurn)


def test_voice_that_comes_while_the_caller_speaks_is_not_played(stage: Stage) -> None:
    """An answer to an older turn does not talk into the caller's new one, and the provider knows it was not heard."""
    stage.greet()
    stage.caller_says("sales")
    stage.give(ev.CallerStarted(stage.now))
    played = len(stage.all(act.Play))
    stage.say("Sales, of course.", 1_000, id="late")
    assert len(stage.all(act.Play)) == played
    assert stage.all(act.TellInterrupted)[-1] == act.TellInterrupted("late", "", 0)


def test_silent_caller_is_asked_and_then_passed_on() -> None:
    """Silence: asked as often as the rules say, told, and given to the fallback."""
    stage = Stage(Rules(greeting="Hello.", silence_ms=5_000, silence_prompts=2))
    stage.greet()
    for n in range(2):
        stage.advance(5_000)
        assert stage.all(act.Say)[-1].text == "Are you still there?"
        stage.say("Are you still there?", 800, id=f"ask{n}")
        stage.advance(900)
    stage.advance(5_000)
    stage.say("I cannot hear you. I am passing your call on.", 1_500, id="bye")
    assert not stage.all(act.Leave)
    stage.advance(1_600)
    assert stage.all(act.Leave) == [act.Leave("silent_caller")]
    assert stage.outcome == "fallback"


def test_a_sound_ends_the_count_of_silences() -> None:
    """Only silences in a row count."""
    stage = Stage(Rules(greeting="Hello.", silence_ms=5_000, silence_prompts=1))
    stage.greet()
    for n in range(4):
        stage.advance(5_000)
        stage.say("Are you still there?", 400, id=f"ask{n}")
        stage.advance(500)
        stage.caller_says("yes")
        stage.say("Good.", 300, id=f"good{n}")
        stage.advance(400)
    assert stage.outcome is None


def test_provider_without_a_greeting_sends_the_caller_to_the_fallback(stage: Stage) -> None:
    """No first voice in time: nobody listens to silence."""
    stage.give(ev.Started())
    stage.advance(3_100)
    assert stage.all(act.Leave) == [act.Leave("provider_silent")]


def test_provider_that_does_not_answer(stage: Stage) -> None:
    """One unanswered turn: the caller hears something; the next one goes to the fallback."""
    stage.greet()
    stage.caller_says("sales")
    stage.advance(6_100)
    assert stage.all(act.Say)[-1].text == "Are you still there?"
    stage.advance(6_100)
    stage.advance(2_100)
    assert stage.all(act.Leave) == [act.Leave("provider_silent")]


def test_failed_provider_says_so_or_leaves_within_two_seconds(stage: Stage) -> None:
    """A provider that broke cannot even say so: the caller is passed on within 2 s."""
    stage.greet()
    stage.give(ev.Broken("provider", "connection reset"))
    stage.advance(2_100)
    assert stage.all(act.Leave) == [act.Leave("provider_failed")]


def test_lost_audio_goes_to_the_fallback_at_once(stage: Stage) -> None:
    """Without audio there is nothing to say."""
    stage.greet()
    stage.give(ev.Broken("leg", "no datagram"))
    assert stage.all(act.Leave) == [act.Leave("leg_failed")]


def test_audio_that_ends_because_the_transfer_works_is_no_failure(stage: Stage) -> None:
    """The switch takes the audio away before it says that the call has left."""
    stage.greet()
    stage.call_tool("transfer", destination_uuid="d1")
    stage.give(ev.Broken("leg", "closed"))
    assert not stage.all(act.Leave)
    stage.give(ev.CallLeft("transferred"))
    assert stage.outcome == "transferred"


def test_lost_audio_and_a_failed_transfer_go_to_the_fallback(stage: Stage) -> None:
    """A caller who can neither be put through nor be spoken to is given to a human."""
    stage.greet()
    stage.call_tool("transfer", destination_uuid="d1")
    stage.give(ev.Broken("leg", "closed"))
    stage.give(ev.ToolDone("transfer", "failed"))
    assert stage.all(act.Leave) == [act.Leave("leg_failed")]


def test_message_is_saved_with_its_text(stage: Stage) -> None:
    """A message asked for, spoken and taken."""
    stage.greet()
    stage.caller_says("leave a message")
    stage.say("Please speak after the tone.", 1_000)
    stage.call_tool("record_message")
    assert stage.all(act.StartMessage)
    stage.advance(1_100)
    stage.caller_says("this is Ana", 3_000)
    stage.call_tool("take_message", text="this is Ana", complete=True)
    assert stage.all(act.SaveMessage) == [act.SaveMessage("take_message", "this is Ana", True)]
    stage.give(ev.ToolDone("take_message", "ok"))
    stage.say("Thank you. Goodbye.", 800, id="bye")
    stage.call_tool("end_call", reason="done")
    stage.advance(900)
    assert stage.all(act.HangUp) and stage.outcome == "message"


def test_message_of_a_caller_who_hangs_up_is_kept(stage: Stage) -> None:
    """Hanging up in the middle of a message loses nothing."""
    stage.greet()
    stage.call_tool("record_message")
    stage.give(ev.CallerStarted(stage.now))
    stage.advance(2_000)
    stage.give(ev.CallEnded("NORMAL_CLEARING"))
    assert stage.all(act.SaveMessage) == [act.SaveMessage("", "", False)]
    assert stage.outcome == "message"


def test_no_message_without_a_word(stage: Stage) -> None:
    """A caller who was asked for a message and hangs up without a word has left none."""
    stage.greet()
    stage.call_tool("record_message")
    stage.advance(500)
    stage.give(ev.CallEnded("NORMAL_CLEARING"))
    assert not stage.all(act.SaveMessage)
    assert stage.outcome == "caller_hung_up"


def test_endless_message_ends() -> None:
    """A message has a longest length, and is kept."""
    stage = Stage(Rules(greeting="Hello.", message_ms=10_000))
    stage.greet()
    stage.call_tool("record_message")
    stage.give(ev.CallerStarted(stage.now))
    stage.advance(10_100)
    assert stage.all(act.SaveMessage) == [act.SaveMessage("", "", False)]
    stage.advance(3_000)
    assert stage.outcome == "message"


def test_longest_call() -> None:
    """At the end of its time the call is closed politely."""
    stage = Stage(Rules(greeting="Hello.", max_call_ms=30_000, silence_ms=100_000))
    stage.greet()
    stage.advance(29_000)
    assert stage.all(act.Say)[-1].text.startswith("I am sorry, we have reached the end")
    stage.say("I am sorry, we have reached the end of the time for this call. Goodbye.", 2_000, id="bye")
    stage.advance(2_100)
    assert stage.all(act.HangUp) and stage.outcome == "completed"


def test_last_sentence_is_said_once_whatever_comes(stage: Stage) -> None:
    """While leaving, neither the caller nor a tool changes the end."""
    stage.greet()
    stage.give(ev.Broken("provider", "gone"))
    stage.give(ev.CallerStarted(stage.now))
    stage.call_tool("transfer", destination_uuid="d1")
    stage.advance(9_000)
    assert not stage.all(act.Transfer)
    assert stage.outcome == "fallback"


def test_caller_hangs_up_in_mid_sentence(stage: Stage) -> None:
    """The record says so, and the secretary's half-heard line is cut."""
    stage.give(ev.Started())
    stage.say("one two three four", 2_000)
    stage.advance(1_000)
    stage.give(ev.CallEnded("ORIGINATOR_CANCEL"))
    assert stage.outcome == "caller_hung_up"
    assert stage.transcript == [("secretary", "one two")]


def test_nothing_happens_after_the_end(stage: Stage) -> None:
    """A late event of any kind does nothing."""
    stage.greet()
    stage.give(ev.CallEnded("NORMAL_CLEARING"))
    for event in (ev.Drained(), ev.CallerStarted(0), ev.CallEnded("X"), ev.Tick(), ev.Broken("leg", "x")):
        assert stage.give(event) == []
    assert stage.talk.deadline is None


def test_second_tool_while_one_runs_is_refused(stage: Stage) -> None:
    """Two transfers are never under way at once."""
    stage.greet()
    stage.say("One moment.", 500)
    stage.call_tool("transfer", destination_uuid="d1")
    stage.call_tool("transfer", destination_uuid="d2")
    assert stage.all(act.AnswerTool)[-1].outcome == "busy"
    stage.advance(600)
    assert [t.destination_uuid for t in stage.all(act.Transfer)] == ["d1"]


def test_latencies_are_measured_from_the_callers_last_sound(stage: Stage) -> None:
    """What the caller feels: from falling silent to the first voice."""
    stage.greet()
    stage.caller_says("sales")
    stage.advance(200)
    stage.say("Sales.", 500)
    figures = stage.talk.latency.summary()
    assert (figures["end_of_turn"], figures["answer"], figures["response"]) == (700, 200, 900)


def test_a_key_reaches_the_provider(stage: Stage) -> None:
    """DTMF at any time."""
    stage.greet()
    assert act.PassDigit("5") in stage.give(ev.Pressed("5"))


def test_a_provider_lost_in_a_transfer_does_not_send_the_caller_two_ways(stage: Stage) -> None:
    """The worker is putting the caller through: only where that fails does the caller go to the fallback."""
    stage.greet()
    stage.call_tool("transfer", destination_uuid="d1")
    stage.give(ev.Broken("provider", "socket closed"))
    assert not stage.all(act.Leave)
    stage.give(ev.ToolDone("transfer", "failed"))
    assert stage.all(act.Leave) == [act.Leave("provider_failed")]


def test_time_is_up_in_a_transfer_does_not_hang_up() -> None:
    """The longest call ends after the transfer under way, not into it."""
    stage = Stage(Rules(greeting="", max_call_ms=10_000))
    stage.give(ev.Started())
    stage.advance(9_500)
    stage.call_tool("transfer", destination_uuid="d1")
    stage.advance(5_000)
    assert stage.outcome is None
    stage.give(ev.CallLeft("transferred"))
    assert stage.outcome == "transferred" and not stage.all(act.HangUp)


@pytest.mark.parametrize("ending", ["end_call", "time_is_up"])
def test_a_begun_message_is_kept_however_the_call_ends(ending: str) -> None:
    """A provider that hangs up, or a call that is too long, loses nothing of what the caller began to leave."""
    stage = Stage(Rules(greeting="", max_call_ms=10_000))
    stage.give(ev.Started())
    stage.call_tool("record_message")
    stage.give(ev.CallerStarted(0))
    stage.give(ev.CallerEnded(500))
    if ending == "end_call":
        stage.call_tool("end_call")
    else:
        stage.advance(30_000)
    assert [(saved.text, saved.complete) for saved in stage.all(act.SaveMessage)] == [("", False)]
    assert stage.outcome == "message"


def test_a_second_message_does_not_undo_the_first(stage: Stage) -> None:
    """A caller who left one message and hangs up when asked for another has left a message."""
    stage.greet()
    stage.call_tool("take_message", text="call me")
    stage.give(ev.ToolDone("take_message", "ok"))
    stage.call_tool("record_message")
    stage.give(ev.CallEnded("NORMAL_CLEARING"))
    assert stage.outcome == "message"


def test_a_message_that_cannot_be_stored_does_not_block_the_conversation(stage: Stage) -> None:
    """The provider is told in time, and may call other tools."""
    stage.greet()
    stage.call_tool("take_message", text="call me")
    stage.advance(16_000)
    assert stage.all(act.AnswerTool)[-1] == act.AnswerTool("take_message", "failed", "no answer in time")
    stage.call_tool("end_call")
    assert stage.outcome == "message"


def test_words_without_sound_are_no_dead_end(stage: Stage) -> None:
    """An utterance that is announced and never comes ends at the fallback, not at the longest call."""
    stage.greet()
    stage.give(ev.VoiceArrived("v", "soon", b"", False))
    stage.advance(30_000)
    assert stage.outcome == "fallback"


def test_a_tool_in_a_transfer_is_answered(stage: Stage) -> None:
    """A provider that calls two tools at once is not left waiting for one of them."""
    stage.greet()
    stage.call_tool("transfer", destination_uuid="d1")
    stage.call_tool("take_message", text="x")
    assert stage.all(act.AnswerTool)[-1] == act.AnswerTool("take_message", "busy")
