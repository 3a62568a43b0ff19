"""A colleague's telephone does what it likes, in any order and at any speed: a consultation ends, in time and once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eslbridge.outcomes import TransferOutcome
from secretary.conversation.consult import machine as m
from secretary.conversation.consult.machine import Case, Consult, Meaning, State

ANNOUNCED = Case("Reception", "en", caller_name="Ana Lima", reason="an invoice")
ATTENDED = replace(ANNOUNCED, attended=True)


class Clock:
    """The machine with a timer that fires when it says, as the shell's does."""

    def __init__(self, case: Case) -> None:
        self.consult, self.now = Consult(case), 1_000
        self.actions: list[m.Action] = []

    def pass_time(self, ms: int) -> None:
        until = self.now + ms
        while (due := self.consult.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self.give(m.Tick())
        self.now = until

    def give(self, event: m.Event, after: int = 0) -> list[m.Action]:
        if after:
            self.pass_time(after)
        done = self.consult.receive(event, now=self.now)
        self.actions += done
        return done

    @property
    def ends(self) -> list[m.Finish]:
        return [one for one in self.actions if isinstance(one, m.Finish)]

    @property
    def said(self) -> list[str]:
        return [one.text for one in self.actions if isinstance(one, m.Say)]


EVENTS = st.one_of(
    st.just(m.Started()),
    st.just(m.Drained()),
    st.builds(m.SpeechBegan, st.integers(0, 200_000)),
    st.just(m.SpeechEnded()),
    st.builds(m.Understood, st.sampled_from(Meaning), st.sampled_from([0.0, 0.49, 0.5, 1.0])),
    st.builds(m.Key, st.sampled_from("1234567890*#A")),
    st.builds(m.CallerAnswered, st.sampled_from([b"", b"voice"])),
    st.just(m.CallerGone()),
    st.builds(m.ColleagueGone, st.sampled_from(["", "NORMAL_CLEARING"])),
    st.just(m.Tick()),
)


def _takes(event: m.Event) -> bool:
    match event:
        case m.Key("1"):
            return True
        case m.Understood(Meaning.YES, confidence):
            return confidence >= m.SURE
    return False


@settings(max_examples=300)
@given(
    st.sampled_from([ANNOUNCED, ATTENDED]), st.lists(st.tuples(EVENTS, st.integers(0, 8_000)), min_size=1, max_size=40)
)
def test_any_order_ends_once_and_in_time(case: Case, events: list[tuple[m.Event, int]]) -> None:
    """From any order of events, with nothing more heard after them: one Finish, within the longest time and a goodbye,
    nothing after it; and `ok` only where somebody pressed 1 or a recogniser heard a clear yes."""
    clock = Clock(case)
    for event, after in events:
        clock.give(event, after)
    clock.pass_time(400_000)
    assert len(clock.ends) == 1
    assert clock.actions[-1] is clock.ends[0] and clock.consult.state is State.OVER
    if not any(_takes(event) for event, _ in events):
        assert clock.ends[0].outcome is not TransferOutcome.OK


@settings(max_examples=100)
@given(st.sampled_from([ANNOUNCED, ATTENDED]), st.lists(st.tuples(EVENTS, st.integers(0, 8_000)), max_size=60))
def test_the_longest_time_holds(case: Case, events: list[tuple[m.Event, int]]) -> None:
    """No event whatever, however often, makes a consultation longer than its longest time and one goodbye."""
    clock = Clock(case)
    began = clock.now
    clock.give(m.Started())
    for event, after in events:
        clock.pass_time(after)
        over = clock.now > began + m.LONGEST_MS[case.attended] + m.FAREWELL_MS
        assert not over or clock.consult.state is State.OVER
        clock.give(event)


def test_a_yes_that_was_recognised_late() -> None:
    """A "yes?" from before the question, understood only after a second turn has begun, is still no answer."""
    clock = Clock(ANNOUNCED)
    clock.give(m.Started())
    clock.give(m.SpeechBegan(clock.now))
    assert clock.give(m.SpeechEnded(), after=900) == [m.Understand()]
    clock.give(m.Drained(), after=300)
    clock.give(m.SpeechBegan(clock.now), after=100)
    clock.give(m.Understood(Meaning.YES))
    assert not any("connecting" in text for text in clock.said)
    assert clock.give(m.SpeechEnded(), after=800) == [m.Understand()]
    clock.give(m.Understood(Meaning.YES))
    assert "connecting" in clock.said[-1]
    clock.give(m.Drained(), after=900)
    assert clock.ends == [m.Finish(TransferOutcome.OK)]


def test_a_cough_does_not_hold_the_caller_s_answer_up() -> None:
    """While the caller is asked, a sound of the colleague changes nothing about how long that may take."""
    clock = Clock(ATTENDED)
    clock.give(m.Started())
    clock.give(m.Drained(), after=5_000)
    clock.give(m.Key("3"))
    clock.give(m.Drained(), after=3_000)
    clock.give(m.SpeechBegan(clock.now), after=500)
    assert m.AskCaller() in clock.give(m.SpeechEnded(), after=2_000)
    clock.give(m.SpeechBegan(clock.now), after=1_000)
    clock.give(m.SpeechEnded(), after=300)
    clock.pass_time(m.ASKED_MS)
    assert any("did not answer" in text for text in clock.said)


def test_what_was_said_before_the_tone_is_no_question() -> None:
    """Pressing 3 while talking: the end of that turn is not taken for the question."""
    clock = Clock(ATTENDED)
    clock.give(m.Started())
    clock.give(m.Drained(), after=5_000)
    clock.give(m.SpeechBegan(clock.now), after=500)
    clock.give(m.Key("3"), after=200)
    assert clock.give(m.SpeechEnded(), after=600) == []
    clock.give(m.Drained(), after=2_000)
    clock.give(m.SpeechBegan(clock.now), after=500)
    assert m.AskCaller() in clock.give(m.SpeechEnded(), after=1_500)


def test_questions_have_an_end() -> None:
    """After three questions the colleague is asked to decide, and 3 asks nothing more."""
    clock = Clock(ATTENDED)
    clock.give(m.Started())
    for _ in range(m.MOST_QUESTIONS):
        clock.give(m.Drained(), after=2_000)
        clock.give(m.Key("3"))
        clock.give(m.SpeechBegan(clock.now), after=2_000)
        assert m.AskCaller() in clock.give(m.SpeechEnded(), after=1_500)
        clock.give(m.CallerAnswered(b"voice"), after=4_000)
    clock.give(m.Drained(), after=2_000)
    asked = clock.give(m.Key("3"))
    assert clock.consult.state is State.TELLING and len(asked) == 2


@pytest.mark.parametrize("case", [ANNOUNCED, ATTENDED])
def test_hanging_up_into_the_last_sentence(case: Case) -> None:
    """Accepted, and gone before they are connected: declined. Declined, and gone: declined still. A caller who hangs
    up meanwhile is told of once, and the goodbye gets no longer."""
    for key, gone, outcome in (
        ("1", m.ColleagueGone("NORMAL_CLEARING"), TransferOutcome.DECLINED),
        ("2", m.ColleagueGone("NORMAL_CLEARING"), TransferOutcome.DECLINED),
        ("2", m.CallerGone(), TransferOutcome.DECLINED),
        ("1", m.CallerGone(), TransferOutcome.CALLER_GONE),
    ):
        clock = Clock(case)
        clock.give(m.Started())
        clock.give(m.Key(key), after=1_000)
        for _ in range(3):
            clock.give(gone, after=1_000)
        clock.pass_time(m.FAREWELL_MS)
        assert [end.outcome for end in clock.ends] == [outcome]
        assert sum("has hung up" in text for text in clock.said) == (outcome is TransferOutcome.CALLER_GONE)


def test_a_leg_without_sound() -> None:
    """Nothing is ever heard to have been played: it ends all the same, as nobody having accepted."""
    clock = Clock(ANNOUNCED)
    began = clock.now
    clock.give(m.Started())
    clock.pass_time(m.LONGEST_MS[False] + m.FAREWELL_MS)
    assert clock.ends == [m.Finish(TransferOutcome.NO_ANSWER, "no decision in time")]
    assert clock.now - began <= m.LONGEST_MS[False] + m.FAREWELL_MS
