"""Whatever callers, providers and switches do in whatever order: every call ends, once, and with somewhere to go."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.state import Rules, State
from secretary.speech.contract import ToolCall
from tests.secretary.conversation.stage import Stage, voice

UTTERANCES = st.sampled_from(["a", "b", "c"])
EVENTS = st.one_of(
    st.builds(ev.VoiceArrived, UTTERANCES, st.just("some words"), st.integers(0, 3_000).map(voice), st.booleans()),
    st.builds(ev.CallerStarted, st.integers(0, 1_000)),
    st.builds(ev.CallerEnded, st.integers(0, 1_000)),
    st.builds(ev.CallerText, st.sampled_from(["", "sales", "yes"])),
    st.builds(
        ev.ToolCalled,
        st.builds(
            ToolCall,
            st.sampled_from(["t1", "t2"]),
            st.sampled_from(["transfer", "take_message", "record_message", "end_call", "nonsense"]),
        ),
    ),
    st.builds(ev.ToolDone, st.sampled_from(["t1", "t2"]), st.sampled_from(["ok", "failed"])),
    st.just(ev.Drained()),
    st.just(ev.Pressed("1")),
    st.just(ev.Tick()),
    st.builds(ev.Broken, st.sampled_from(["leg", "provider"]), st.just("broke")),
    st.builds(ev.CallLeft, st.just("transferred")),
    st.builds(ev.CallEnded, st.just("NORMAL_CLEARING")),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(0, 4_000)), max_size=25))
def test_every_call_ends_once(script: list[tuple[ev.Event, int]]) -> None:
    """After any script, within the longest call the conversation has closed once, and the caller was not left."""
    stage = Stage(Rules(greeting="Hello.", max_call_ms=60_000))
    stage.give(ev.Started())
    for event, pause in script:
        stage.give(event)
        stage.advance(pause)
        if stage.talk.state is not State.ENDED:
            assert stage.talk.deadline is not None
    stage.advance(80_000)
    assert stage.talk.state is State.ENDED
    assert len(stage.all(act.Close)) == 1
    gone = any(isinstance(event, ev.CallEnded | ev.CallLeft) for event, _ in script)
    assert gone or stage.all(act.HangUp) or stage.all(act.Leave)
