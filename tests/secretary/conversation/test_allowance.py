"""A quota that runs out during a call: a sentence, then the fallback, in time."""

from __future__ import annotations

import pytest

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.sentences import sentences
from secretary.conversation.state import Rules
from tests.secretary.conversation.stage import Stage

GOODBYE = sentences("en").allowance


def talking(allowed_ms: int | None) -> Stage:
    stage = Stage(Rules(greeting="Acme.", allowed_ms=allowed_ms, silence_ms=1_000_000))
    stage.greet()
    return stage


def say_goodbye(stage: Stage) -> None:
    stage.say(GOODBYE, 3_000, id="goodbye")
    stage.advance(4_000)


def test_polite_end() -> None:
    """The last sentence begins 5 s before the end and the caller is passed on when it has been heard."""
    stage = talking(60_000)
    stage.advance(60_000 - 5_000 - stage.now - 20)
    assert act.Say(GOODBYE) not in stage.done
    stage.advance(40)
    assert act.Say(GOODBYE) in stage.done
    say_goodbye(stage)
    assert stage.outcome == "fallback" and stage.now <= 60_000
    assert stage.all(act.Leave) == [act.Leave("allowance_used_up")]


def test_renewed_in_time() -> None:
    """Every renewal moves the end on; one that brings no more lets it come."""
    stage = talking(60_000)
    for _ in range(5):
        stage.advance(20_000)
        stage.give(ev.AllowanceChanged(stage.now + 60_000))
    assert stage.outcome is None and act.Say(GOODBYE) not in stage.done
    stage.advance(56_000)
    assert act.Say(GOODBYE) in stage.done


def test_lifted() -> None:
    """Without a quota there is no end."""
    stage = talking(30_000)
    stage.give(ev.AllowanceChanged(None))
    stage.advance(60_000)
    assert stage.outcome is None


def test_at_once() -> None:
    """A quota that was lowered under what is used ends the call now, in the middle of a sentence if it must."""
    stage = talking(None)
    stage.say("We are open from", 4_000, id="long")
    stage.advance(500)
    stage.give(ev.AllowanceChanged(stage.now))
    assert act.StopVoice() in stage.done and act.Say(GOODBYE) in stage.done


def test_a_provider_without_a_voice() -> None:
    """Where the sentence never comes, the caller is passed on all the same."""
    stage = talking(20_000)
    stage.advance(20_000)
    assert stage.outcome == "fallback"


def test_a_begun_message_is_kept() -> None:
    """What the caller was leaving is saved first."""
    stage = talking(30_000)
    stage.call_tool("record_message")
    stage.give(ev.CallerStarted(stage.now))
    stage.advance(30_000)
    assert [saved.complete for saved in stage.all(act.SaveMessage)] == [False]
    assert stage.outcome == "fallback"


def test_not_into_a_transfer() -> None:
    """A caller who is being put through is not cut off."""
    stage = talking(10_000)
    stage.call_tool("transfer", destination_uuid="d1")
    stage.advance(12_000)
    assert stage.outcome is None and not stage.all(act.Leave)
    stage.give(ev.CallLeft("transferred"))
    assert stage.outcome == "transferred"


@pytest.mark.parametrize("late", [ev.AllowanceChanged(None), ev.AllowanceChanged(10**9)])
def test_no_way_back(late: ev.AllowanceChanged) -> None:
    """Once goodbye is being said, a new allowance does not change the end."""
    stage = talking(10_000)
    stage.advance(6_000)
    stage.give(late)
    say_goodbye(stage)
    assert stage.outcome == "fallback"
