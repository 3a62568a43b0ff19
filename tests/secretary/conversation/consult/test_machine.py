"""The colleague's side of a transfer, in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.outcomes import TransferOutcome
from secretary.conversation.consult import machine as m
from secretary.conversation.consult.machine import Case, Consult, Meaning, State
from secretary.conversation.consult.sentences import about, who_is_calling

CASE = Case("Reception", "en", caller_name="Ana Lima", caller_number="+5511998765432", reason="an invoice")


class Talk:
    """A machine, its clock, and what it did."""

    def __init__(self, case: Case = CASE, *, told: bool = True) -> None:
        self.consult, self.now = Consult(case), 0
        self.actions: list[m.Action] = []
        self.give(m.Started())
        if told:
            self.give(m.Drained(), after=6_000)

    def give(self, event: m.Event, after: int = 0) -> list[m.Action]:
        self.now += after
        done = self.consult.receive(event, now=self.now)
        self.actions += done
        return done

    def turn(self, meaning: Meaning, confidence: float = 0.9, ms: int = 900) -> list[m.Action]:
        self.give(m.SpeechBegan(self.now))
        asked = self.give(m.SpeechEnded(), after=ms)
        assert m.Understand() in asked
        return self.give(m.Understood(meaning, confidence))

    def wait(self, longest: int = 300_000) -> None:
        """Nothing happens any more but time and what is said being heard."""
        until = self.now + longest
        while self.consult.deadline is not None and self.now < until:
            if self.consult.state in (State.TELLING, State.ENDING):
                self.give(m.Drained(), after=3_000)
            else:
                self.give(m.Tick(), after=self.consult.deadline - self.now)

    @property
    def end(self) -> m.Finish | None:
        return next((one for one in self.actions if isinstance(one, m.Finish)), None)

    @property
    def said(self) -> str:
        return " ".join(one.text for one in self.actions if isinstance(one, m.Say))


def test_the_colleague_is_told_who_and_why() -> None:
    """Name, number digit by digit, what it is about, and how to decide, by voice and by key."""
    said = Talk(told=False).said
    for part in ("Ana Lima", "5 5 1", "an invoice", "say yes or press 1", "say no or press 2"):
        assert part in said
    assert "press 3" not in said
    assert "diga sim ou tecle 1" in Talk(Case("Recepção", "pt-br")).said


@pytest.mark.parametrize("accept", ["key", "voice"])
def test_accepted(accept: str) -> None:
    """A clear yes, or 1; and the last sentence is heard before they are connected."""
    talk = Talk()
    _ = talk.give(m.Key("1")) if accept == "key" else talk.turn(Meaning.YES)
    assert talk.end is None and "connecting" in talk.said
    talk.give(m.Drained(), after=1_000)
    assert talk.end == m.Finish(TransferOutcome.OK)


@pytest.mark.parametrize("decline", ["key", "voice", "hang up"])
def test_declined(decline: str) -> None:
    """No, 2, or the telephone put down."""
    talk = Talk()
    match decline:
        case "key":
            talk.give(m.Key("2"))
        case "voice":
            talk.turn(Meaning.NO)
        case _:
            talk.give(m.ColleagueGone("NORMAL_CLEARING"))
    talk.wait()
    assert talk.end is not None and talk.end.outcome is TransferOutcome.DECLINED


def test_keys_count_at_once() -> None:
    """A key into the first sentence decides: who knows the announcement need not hear it."""
    talk = Talk(told=False)
    assert talk.give(m.Key("1"), after=500)[0] == m.Hush()
    talk.give(m.Drained(), after=900)
    assert talk.end == m.Finish(TransferOutcome.OK)


def test_a_yes_before_the_question_is_no_answer() -> None:
    """ "Yes, hello?" into the announcement accepts nothing."""
    talk = Talk(told=False)
    talk.turn(Meaning.YES)
    assert talk.consult.state is State.TELLING and talk.end is None


@pytest.mark.parametrize(("confidence", "ms"), [(0.3, 900), (0.9, 4_000)])
def test_an_unclear_or_long_yes_is_asked_again(confidence: float, ms: int) -> None:
    """A mumble or a speech is no acceptance."""
    talk = Talk()
    talk.turn(Meaning.YES, confidence, ms)
    assert talk.end is None and talk.consult.state is State.TELLING and "didn't get that" in talk.said


def test_silence_is_no_acceptance() -> None:
    """Asked twice, then given up, in less than half a minute."""
    talk = Talk()
    talk.wait()
    assert talk.end is not None and talk.end.outcome is TransferOutcome.NO_ANSWER
    assert talk.now < 30_000


def test_a_machine_that_answers_is_given_up() -> None:
    """A box tells its greeting and waits for a message: nobody is connected to it."""
    talk = Talk()
    for _ in range(m.MOST_MISSES):
        talk.turn(Meaning.UNKNOWN, ms=5_000)
        talk.give(m.Drained(), after=4_000)
    talk.wait()
    assert talk.end is not None and talk.end.outcome is TransferOutcome.NO_ANSWER


def test_endless_talk_ends() -> None:
    """A box that never pauses: the whole conversation has an end of its own."""
    talk = Talk()
    talk.give(m.SpeechBegan(talk.now))
    talk.wait()
    assert talk.end is not None and talk.end.outcome is TransferOutcome.NO_ANSWER
    assert talk.now <= m.LONGEST_MS[False] + m.FAREWELL_MS


def test_who_why_and_again() -> None:
    """The colleague asks the secretary, and is asked to decide afterwards."""
    for meaning, words in ((Meaning.WHO, "Ana Lima"), (Meaning.WHY, "an invoice"), (Meaning.AGAIN, "Reception")):
        talk = Talk()
        talk.actions.clear()
        talk.turn(meaning)
        assert words in talk.said and "press 1" in talk.said
    quiet = Talk(Case("Reception", "en"))
    quiet.turn(Meaning.WHY)
    assert "did not say what" in quiet.said


def test_a_question_goes_to_the_caller_and_back() -> None:
    """Attended: the colleague's own voice is played to the caller, the caller's own to the colleague."""
    talk = Talk(Case("Reception", "en", attended=True))
    assert "press 3" in talk.said
    talk.give(m.Key("3"))
    assert talk.actions[-1] == m.Say("Please say your question after the tone. I'll play it to the caller.", tone=True)
    talk.give(m.Drained(), after=3_000)
    talk.give(m.SpeechBegan(talk.now))
    assert m.AskCaller() in talk.give(m.SpeechEnded(), after=2_000)
    answered = talk.give(m.CallerAnswered(b"voice"), after=5_000)
    assert m.PlayVoice(b"voice") in answered
    talk.give(m.Drained(), after=5_000)
    talk.turn(Meaning.YES)
    talk.give(m.Drained(), after=1_000)
    assert talk.end == m.Finish(TransferOutcome.OK)


def test_only_attended_transfers_take_questions() -> None:
    """Announced: 3 does nothing, and the word is not understood."""
    talk = Talk()
    assert talk.give(m.Key("3")) == []
    talk.turn(Meaning.QUESTION)
    assert talk.consult.state is State.TELLING


def test_a_caller_who_does_not_answer() -> None:
    """Neither an empty answer nor none at all holds the colleague up."""
    for event in (m.CallerAnswered(b""), None):
        talk = Talk(Case("Reception", "en", attended=True))
        talk.give(m.Key("3"))
        talk.give(m.SpeechBegan(talk.now))
        talk.give(m.SpeechEnded(), after=900)
        if event is not None:
            talk.give(event)
        else:
            talk.give(m.Tick(), after=m.ASKED_MS)
        assert "did not answer" in talk.said and talk.end is None


def test_the_caller_hangs_up() -> None:
    """In every state the colleague is told, briefly, and that is the end."""
    for told in (False, True):
        talk = Talk(told=told)
        talk.give(m.CallerGone())
        talk.give(m.Drained(), after=1_500)
        assert talk.end is not None and talk.end.outcome is TransferOutcome.CALLER_GONE


EVENTS = st.sampled_from([
    m.Drained(), m.SpeechBegan(0), m.SpeechEnded(), m.Key("1"), m.Key("2"), m.Key("3"), m.Key("*"), m.Tick(),
    m.CallerAnswered(b"x"), m.CallerAnswered(b""), m.CallerGone(), m.ColleagueGone(),
    *(m.Understood(meaning) for meaning in Meaning if meaning is not Meaning.YES),
])  # fmt: skip


@given(st.lists(st.tuples(EVENTS, st.integers(0, 5_000)), max_size=30), st.booleans())
def test_always_ends_and_only_a_yes_connects(events: list[tuple[m.Event, int]], attended: bool) -> None:
    """Whatever happens in whatever order: one end, in bounded time, and never `ok` without the key 1 or a yes."""
    talk = Talk(Case("Reception", "en", attended=attended), told=False)
    for event, after in events:
        talk.give(event, after)
    talk.wait()
    ends = [one for one in talk.actions if isinstance(one, m.Finish)]
    assert len(ends) == 1
    if m.Key("1") not in [event for event, _ in events]:
        assert ends[0].outcome is not TransferOutcome.OK


@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=300))
def test_any_text_can_be_told(name: str, number: str, reason: str) -> None:
    """Names and reasons of any kind become one printable sentence, and fill in no placeholder of ours."""
    for language in ("en", "pt-br"):
        said = f"{who_is_calling(language, name=name, number=number)} {about(language, reason)}"
        assert said.isprintable() and len(said) < 500


def test_nobody_is_called_anonymous() -> None:
    """A hidden number and the switch's placeholder names are told as what they are."""
    assert who_is_calling("en", name="Anonymous", number="") == "A caller with a hidden number"
    assert who_is_calling("en", name="1001", number="1001") == "A caller from the number 1 0 0, 1"
