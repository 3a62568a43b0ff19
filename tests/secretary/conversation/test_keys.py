"""Keys at any time: the secretary's menu, and digits for whoever listens."""

from __future__ import annotations

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.keys import menu_of
from secretary.conversation.sentences import sentences
from secretary.conversation.state import Key, Rules
from tests.secretary.conversation.stage import Stage

MENU = (("0", Key("transfer", "d1")), ("9", Key("fallback")), ("*", Key("repeat")), ("#", Key("end")))
SAY = sentences("en")


def stage_with_menu() -> Stage:
    stage = Stage(Rules(greeting="Hello.", menu=MENU))
    stage.greet()
    return stage


def press(stage: Stage, digits: str, every_ms: int = 200) -> None:
    for digit in digits:
        stage.give(ev.Pressed(digit))
        stage.advance(every_ms)


def passed(stage: Stage) -> str:
    return "".join(one.digit for one in stage.all(act.PassDigit))


def test_without_a_menu_every_key_goes_to_the_provider() -> None:
    """At once, one by one."""
    stage = Stage()
    stage.greet()
    press(stage, "5#0*")
    assert passed(stage) == "5#0*"


def test_zero_is_a_person_when_nothing_follows() -> None:
    """After a moment the caller is put through."""
    stage = stage_with_menu()
    press(stage, "0")
    assert not stage.all(act.Transfer)
    stage.advance(700)
    assert [one.destination_uuid for one in stage.all(act.Transfer)] == ["d1"]
    stage.give(ev.CallLeft("transferred"))
    assert stage.outcome == "transferred"


def test_a_number_that_begins_with_zero_is_a_number() -> None:
    """The keys of the menu are digits of it, and # ends it."""
    stage = stage_with_menu()
    press(stage, "055900#")
    stage.advance(2_000)
    assert passed(stage) == "055900#" and not stage.all(act.Transfer) and stage.outcome is None
    press(stage, "#")
    assert stage.all(act.Say)[-1].text == SAY.goodbye


def test_a_key_interrupts_what_is_said() -> None:
    """In the middle of a sentence, and the provider learns how far it was heard."""
    stage = stage_with_menu()
    stage.say("one two three four", 4_000, id="long")
    stage.advance(1_000)
    press(stage, "3")
    assert stage.all(act.StopVoice) and stage.all(act.TellInterrupted)[0].heard_text == "one"
    assert passed(stage) == "3"


def test_nobody_keys_a_disclosure_away() -> None:
    """It must be heard; the key counts all the same."""
    stage = Stage(Rules(greeting="Hello.", disclosure="This call is recorded.", menu=MENU))
    stage.give(ev.Started())
    stage.say("This call is recorded.", 2_000, id="d")
    press(stage, "3")
    assert not stage.all(act.StopVoice) and passed(stage) == "3"


def test_star_says_the_last_sentence_again() -> None:
    """In the platform's words of what was heard last, and the provider needs not remember it."""
    stage = stage_with_menu()
    stage.say("We open at nine.", 1_000, id="u")
    stage.advance(1_100)
    press(stage, "*")
    assert stage.all(act.Say)[-1] == act.Say("We open at nine.", keep=False)


def test_who_cannot_be_reached_is_told_by_the_platform() -> None:
    """The provider knows nothing of the key: it is not asked what to do now."""
    stage = stage_with_menu()
    press(stage, "0", 800)
    stage.give(ev.ToolDone(stage.all(act.Transfer)[0].tool_call_id, "no_answer"))
    assert stage.all(act.Say)[-1].text == SAY.not_reached and stage.answers() == []
    stage.say(SAY.not_reached, 1_000, id="sorry")
    stage.advance(1_100)
    assert stage.outcome is None


def test_a_key_may_lead_to_the_fallback() -> None:
    """A person, where no destination is one."""
    stage = stage_with_menu()
    press(stage, "9", 800)
    stage.say(SAY.passing_on, 800, id="bye")
    stage.advance(1_000)
    assert stage.all(act.Leave) == [act.Leave("caller_asked")]


def test_a_stored_menu_is_read_as_far_as_it_makes_sense() -> None:
    """What is wrong or gone does nothing, and breaks nothing."""
    stored = {"0": {"do": "transfer", "destination_uuid": "d1"}, "1": {"do": "transfer"}, "x": {"do": "end"}, "2": 5}
    assert menu_of(stored) == (("0", Key("transfer", "d1")),)
    assert menu_of(None) == ()
