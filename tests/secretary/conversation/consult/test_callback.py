"""A colleague is told about a callback: listening is enough at a desk, and not where a mailbox may have picked up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eslbridge.outcomes import TransferOutcome
from secretary.conversation.consult import machine as m
from secretary.conversation.consult.callback import LISTENED_MS, CallbackCase, CallbackConsult
from secretary.conversation.consult.machine import Finish, Meaning
from tests.secretary.conversation.test_consult import Clock

DESK = CallbackCase("Clara", "en", "Ana Lima", "+5511987650001", "an invoice", listening_is_yes=True)
MOBILE = replace(DESK, listening_is_yes=False)


def begun(case: CallbackCase) -> Clock:
    """All of the first sentence has been heard."""
    clock = Clock(case)
    clock.consult = CallbackConsult(case)
    clock.give(m.Started())
    clock.give(m.Drained(), after=9_000)
    return clock


def test_what_is_said() -> None:
    """Who, why, and what to do; the number only of somebody without a name."""
    (told,) = begun(DESK).said
    assert told.startswith("Hello, this is Clara with a callback. Ana Lima would like to be called back.")
    assert "It is about: an invoice." in told and "Stay on the line" in told and "5 5 1" not in told
    (told,) = begun(replace(MOBILE, caller_name="", language="pt-br")).said
    assert "Alguém do número 5 5 1" in told and "diga sim ou tecle 1" in told


def test_listening_to_the_end() -> None:
    """A moment after the last word the customer is called."""
    clock = begun(DESK)
    clock.pass_time(LISTENED_MS - 1)
    assert len(clock.said) == 1
    clock.pass_time(1)
    clock.give(m.Drained(), after=1_500)
    assert clock.said[-1] == "Thank you. I'm calling them." and clock.ends == [Finish(TransferOutcome.OK)]


@pytest.mark.parametrize("case", [DESK, MOBILE])
@pytest.mark.parametrize(
    ("does", "outcome"),
    [
        ([m.Key("1")], TransferOutcome.OK),
        ([m.Key("2")], TransferOutcome.DECLINED),
        ([m.SpeechBegan(10_500), m.SpeechEnded(), m.Understood(Meaning.YES)], TransferOutcome.OK),
        ([m.SpeechBegan(10_500), m.SpeechEnded(), m.Understood(Meaning.NO)], TransferOutcome.DECLINED),
        ([m.ColleagueGone("NORMAL_CLEARING")], TransferOutcome.DECLINED),
    ],
)
def test_key_or_voice(case: CallbackCase, does: list[m.Event], outcome: TransferOutcome) -> None:
    """Both count everywhere, at once."""
    clock = begun(case)
    for event in does:
        clock.give(event, after=600)
    clock.give(m.Drained(), after=1_500)
    assert [end.outcome for end in clock.ends] == [outcome]


def test_a_mailbox_listens_patiently() -> None:
    """Where one may have picked up, silence is no yes; nor where what picked up at a desk talked like one."""
    quiet = begun(MOBILE)
    quiet.pass_time(70_000)
    chatty = Clock(DESK)
    chatty.consult = CallbackConsult(DESK)
    chatty.give(m.Started())
    chatty.give(m.SpeechBegan(1_200), after=200)
    chatty.give(m.SpeechEnded(), after=4_000)
    chatty.give(m.Understood(Meaning.UNKNOWN), after=100)
    chatty.give(m.Drained(), after=5_000)
    chatty.pass_time(70_000)
    for clock in (quiet, chatty):
        assert [end.outcome for end in clock.ends] == [TransferOutcome.NO_ANSWER]
        assert clock.said[-2].startswith("To be connected, say yes or press 1.")


def test_a_short_hello_is_no_chatter() -> None:
    """Whoever says hello into the first sentence need do no more than others."""
    clock = Clock(DESK)
    clock.consult = CallbackConsult(DESK)
    clock.give(m.Started())
    clock.give(m.SpeechBegan(1_200), after=200)
    clock.give(m.SpeechEnded(), after=700)
    clock.give(m.Understood(Meaning.UNKNOWN), after=100)
    clock.give(m.Drained(), after=8_000)
    clock.pass_time(LISTENED_MS)
    clock.give(m.Drained(), after=1_000)
    assert clock.ends == [Finish(TransferOutcome.OK)]
