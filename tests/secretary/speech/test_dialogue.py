"""The local secretary's mind, in virtual time."""

from __future__ import annotations

import pytest

from eslbridge.outcomes import TransferOutcome
from secretary.speech.contract import Place
from secretary.speech.local.dialogue import (
    MESSAGE_MAX_MS,
    MESSAGE_PAUSE_MS,
    Action,
    Collect,
    Dialogue,
    Do,
    Fail,
    Say,
    State,
)
from secretary.speech.local.intents import NOTHING, Intent, Understood

PLACES = (Place("u-sales", "Sales", ("the sales department",)), Place("u-support", "Support"))
SALES = Understood(Intent.PLACE, "sales please", 0.95, 0)
YES = Understood(Intent.YES, "yes", 0.9)
NO = Understood(Intent.NO, "no", 0.9)
MESSAGE = Understood(Intent.MESSAGE, "leave a message", 0.9)
GOODBYE = Understood(Intent.GOODBYE, "goodbye", 0.9)
OPERATOR = Understood(Intent.OPERATOR, "operator", 0.95)


@pytest.fixture
def dialogue() -> Dialogue:
    return Dialogue("en", PLACES)


def said(actions: list[Action]) -> str:
    return " ".join(action.text for action in actions if isinstance(action, Say))


def done(actions: list[Action]) -> list[tuple[str, dict[str, object]]]:
    return [(action.name, action.arguments) for action in actions if isinstance(action, Do)]


def record(dialogue: Dialogue, *, at_ms: int = 0) -> int:
    """A message is asked for and one long turn of it spoken; gives the time when the caller fell silent."""
    dialogue.heard(MESSAGE)
    dialogue.tick(at_ms)
    dialogue.speech_started(at_ms + 1000)
    dialogue.speech_ended(at_ms + 6000)
    dialogue.message_turn()
    return at_ms + 6000


def test_a_destination_is_named_and_put_through(dialogue: Dialogue) -> None:
    """The caller is told where the call goes before it goes there."""
    actions = dialogue.heard(SALES)
    assert actions == [Say("I'm putting you through to Sales."), Do("transfer", {"destination_uuid": "u-sales"})]
    assert dialogue.state is State.TRANSFERRING


def test_an_uncertain_destination_is_asked_back(dialogue: Dialogue) -> None:
    """Nobody is put through on a guess."""
    actions = dialogue.heard(Understood(Intent.PLACE, "sales", 0.2, 0))
    assert actions == [Say("Did you say Sales?")]
    assert done(dialogue.heard(YES)) == [("transfer", {"destination_uuid": "u-sales"})]


def test_a_wrong_guess_is_dropped(dialogue: Dialogue) -> None:
    """After "no" to the question the other destination can be named."""
    dialogue.heard(Understood(Intent.PLACE, "sales", 0.2, 0))
    assert done(dialogue.heard(NO)) == []
    assert done(dialogue.heard(Understood(Intent.PLACE, "support", 0.9, 1))) == [
        ("transfer", {"destination_uuid": "u-support"})
    ]


def test_not_understood_gets_the_list_then_the_offer(dialogue: Dialogue) -> None:
    """Once: what can be had. Twice: a message."""
    assert "Sales, Support" in said(dialogue.heard(NOTHING))
    assert "leave a message" in said(dialogue.heard(NOTHING))
    assert dialogue.state is State.OFFERING


def test_an_offer_never_understood_ends_in_a_recording(dialogue: Dialogue) -> None:
    """Somebody whom the secretary cannot understand at all still leaves a message."""
    for _ in range(4):
        actions = dialogue.heard(NOTHING)
    assert done(actions) == [("record_message", {})]


def test_a_declined_offer_leads_to_goodbye(dialogue: Dialogue) -> None:
    """No message, nothing else: the call ends politely."""
    dialogue.heard(NOTHING)
    dialogue.heard(NOTHING)
    assert "anything else" in said(dialogue.heard(NO))
    assert done(dialogue.heard(NO)) == [("end_call", {"reason": "nothing_else"})]


def test_goodbye_ends_the_call_from_any_question(dialogue: Dialogue) -> None:
    """ "No thank you, goodbye" needs no further question."""
    dialogue.heard(NOTHING)
    dialogue.heard(NOTHING)
    actions = dialogue.heard(GOODBYE)
    assert "Goodbye" in said(actions)
    assert done(actions) == [("end_call", {"reason": "caller_said_goodbye"})]


def test_a_message_is_recorded_until_a_pause(dialogue: Dialogue) -> None:
    """The tone comes after the invitation; two seconds of silence end the message; it is kept, then thanked for."""
    actions = dialogue.heard(MESSAGE)
    assert actions[0] == Say("Please leave your name, your number and your message after the tone.", tone=True)
    assert done(actions) == [("record_message", {})]
    dialogue.tick(0)
    dialogue.speech_started(1000)
    dialogue.speech_ended(6000)
    dialogue.message_turn()
    assert dialogue.tick(6000 + MESSAGE_PAUSE_MS - 1) == []
    assert dialogue.tick(6000 + MESSAGE_PAUSE_MS) == [Collect()]
    assert done(dialogue.collected("call me")) == [("take_message", {"text": "call me", "complete": True})]
    assert "noted your message" in said(dialogue.tool_result("take_message", "ok"))
    assert done(dialogue.heard(NO)) == [("end_call", {"reason": "nothing_else"})]


def test_a_caller_who_goes_on_is_not_cut_off(dialogue: Dialogue) -> None:
    """The pause counts from the end of the last words, and not while somebody speaks."""
    silent_since = record(dialogue)
    dialogue.speech_started(silent_since + 1500)
    assert dialogue.tick(silent_since + 5000) == []
    dialogue.speech_ended(silent_since + 6000)
    dialogue.message_turn()
    assert dialogue.tick(silent_since + 7000) == []
    assert dialogue.tick(silent_since + 6000 + MESSAGE_PAUSE_MS) == [Collect()]


def test_a_message_without_end_is_ended(dialogue: Dialogue) -> None:
    """Somebody who never pauses is thanked at the limit."""
    dialogue.heard(MESSAGE)
    dialogue.tick(0)
    dialogue.speech_started(500)
    assert dialogue.tick(MESSAGE_MAX_MS - 1) == []
    assert dialogue.tick(MESSAGE_MAX_MS) == [Collect()]


def test_hash_ends_a_message(dialogue: Dialogue) -> None:
    """The key # is what voicemail taught people."""
    record(dialogue)
    assert dialogue.key("#") == [Collect()]


def test_yes_before_the_message_is_not_the_message(dialogue: Dialogue) -> None:
    """An answer to the invitation is answered once; the next turn is the message whatever it sounds like."""
    dialogue.heard(MESSAGE)
    dialogue.tick(0)
    assert said(dialogue.heard(YES)) == "Please go ahead."
    assert dialogue.heard(YES) == []
    assert not dialogue.wants_intent


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_every_outcome_has_a_sentence(language: str) -> None:
    """Whoever could not be put through hears why, by name, and what can be done now."""
    told = set()
    for outcome in set(TransferOutcome) - {TransferOutcome.OK, TransferOutcome.CALLER_GONE}:
        dialogue = Dialogue(language, PLACES)
        dialogue.heard(SALES)
        dialogue.heard(YES)
        sentence = said(dialogue.tool_result("transfer", str(outcome)))
        assert PLACES[0].name in sentence and sentence.endswith("?")
        told.add(sentence)
    assert len(told) == 7


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_a_transfer_that_fails_becomes_an_offer(dialogue: Dialogue, outcome: str) -> None:
    """The caller hears where it failed and what can be done now."""
    dialogue.heard(SALES)
    actions = dialogue.tool_result("transfer", outcome)
    assert said(actions) == "I'm sorry, I couldn't reach Sales just now. Would you like to leave a message?"
    assert done(dialogue.heard(YES)) == [("record_message", {})]


def test_a_message_that_cannot_be_kept_goes_to_somebody_else(dialogue: Dialogue) -> None:
    """The secretary never thanks for a message that is lost."""
    silent_since = record(dialogue)
    dialogue.tick(silent_since + MESSAGE_PAUSE_MS)
    dialogue.collected("")
    actions = dialogue.tool_result("take_message", "failed")
    assert "Thank you" not in said(actions)
    assert isinstance(actions[-1], Fail)


def test_repeat_says_the_last_sentence_again(dialogue: Dialogue) -> None:
    """The greeting too, which the platform spoke."""
    repeat = Understood(Intent.REPEAT, "pardon", 0.9)
    dialogue.spoken("Acme, good morning.")
    assert dialogue.heard(repeat) == [Say("Acme, good morning.")]
    first = dialogue.heard(NOTHING)
    assert dialogue.heard(repeat) == first


def test_a_person_means_the_reception_where_there_is_one() -> None:
    """A destination with an operator's name takes those who want anybody; else they hear the list, then the offer."""
    with_reception = Dialogue("en", (*PLACES, Place("u-front", "Front Desk")))
    assert done(with_reception.heard(OPERATOR)) == [("transfer", {"destination_uuid": "u-front"})]
    without = Dialogue("en", PLACES)
    assert "Sales, Support" in said(without.heard(OPERATOR))
    assert "message" in said(without.heard(OPERATOR))
    assert without.state is State.OFFERING


def test_an_apology_cut_off_at_once_is_not_counted(dialogue: Dialogue) -> None:
    """A caller who only paused in mid-sentence has two tries left, as before."""
    dialogue.heard(NOTHING)
    dialogue.interrupted(heard_ms=300)
    assert "Sales, Support" in said(dialogue.heard(NOTHING))


def test_keys_reach_destinations(dialogue: Dialogue) -> None:
    """Where speech fails, the keys 1 to 9 never do; a key without a destination does nothing."""
    assert dialogue.key("7") == []
    assert done(dialogue.key("2")) == [("transfer", {"destination_uuid": "u-support"})]


def test_nothing_happens_while_a_transfer_is_under_way(dialogue: Dialogue) -> None:
    """Words spoken over the announcement do not start a second transfer."""
    dialogue.heard(SALES)
    assert dialogue.heard(Understood(Intent.PLACE, "support", 0.9, 1)) == []
    assert dialogue.key("2") == []


def test_a_transfer_that_the_caller_interrupts_is_taken_back(dialogue: Dialogue) -> None:
    """ "No, wait": what the caller says into the announcement is heard as a new wish."""
    dialogue.heard(SALES)
    assert dialogue.tool_result("transfer", "interrupted") == []
    assert done(dialogue.heard(Understood(Intent.PLACE, "support", 0.9, 1))) == [
        ("transfer", {"destination_uuid": "u-support"})
    ]


def test_a_secretary_without_destinations_offers_a_message() -> None:
    """There is always something to be had."""
    dialogue = Dialogue("en", ())
    assert "Shall I take a message" in said(dialogue.heard(NOTHING))
    assert done(dialogue.heard(YES)) == [("record_message", {})]


def test_portuguese_speaks_portuguese() -> None:
    """Every sentence comes from the caller's catalogue, and the list names the keys."""
    dialogue = Dialogue("pt-br", (Place("u", "Vendas"),))
    assert "Vendas, tecle 1" in said(dialogue.heard(NOTHING))
    assert said(dialogue.heard(Understood(Intent.PLACE, "vendas", 0.45, 0))) == "Você disse Vendas?"


def test_back_from_somebody_who_was_not_reached(dialogue: Dialogue) -> None:
    """The caller has been asked whether to leave a message: yes is one, and another destination may be named."""
    dialogue.came_back("u-sales", "no_answer")
    assert dialogue.wants_answer
    assert ("record_message", {}) in done(dialogue.heard(YES))
    dialogue.came_back("u-sales", "busy")
    assert done(dialogue.heard(SALES)) == [("transfer", {"destination_uuid": "u-sales"})]


def test_back_from_where_it_came_to_an_end(dialogue: Dialogue) -> None:
    """After a mailbox or a menu there may be nothing else; a destination that is gone by then is no trouble."""
    dialogue.came_back("u-gone", "over")
    assert done(dialogue.heard(NO)) == [("end_call", {"reason": "nothing_else"})]


def test_back_after_the_secretary_was_lost(dialogue: Dialogue) -> None:
    """Nothing was asked that a yes could answer: the caller says what they want."""
    dialogue.came_back("", "cut_off")
    assert not dialogue.wants_answer
    assert done(dialogue.heard(SALES)) == [("transfer", {"destination_uuid": "u-sales"})]
