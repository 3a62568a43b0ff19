"""Whatever callers, providers and switches do in whatever order: every call ends, once, and with somewhere to go."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.state import Key, Rules, State
from secretary.speech.contract import ToolCall
from tests.secretary.conversation.stage import Stage, voice

UTTERANCES = st.sampled_from(["a", "b", "c"])
TOOLS = ["transfer", "take_message", "record_message", "end_call", "hold", "resume", "send_dtmf", "nonsense"]
EVENTS = st.one_of(
    st.builds(ev.VoiceArrived, UTTERANCES, st.just("some words"), st.integers(0, 3_000).map(voice), st.booleans()),
    st.builds(ev.CallerStarted, st.integers(0, 1_000)),
    st.builds(ev.CallerEnded, st.integers(0, 1_000), st.booleans()),
    st.just(ev.CallerLikely()),
    st.just(ev.CallerProven()),
    st.just(ev.ProviderHeard()),
    st.just(ev.ProviderStopped()),
    st.just(ev.Thinking()),
    st.builds(ev.CallerText, st.sampled_from(["", "sales", "mhm"])),
    st.builds(
        ev.ToolCalled,
        st.builds(
            ToolCall,
            st.sampled_from(["t1", "t2"]),
            st.sampled_from(
                ["transfer", "take_message", "record_message", "end_call", "hold", "resume", "send_dtmf", "nonsense"]
            ),
        ),
    ),
    st.builds(ev.ToolDone, st.sampled_from(["t1", "t2"]), st.sampled_from(["ok", "failed"])),
    st.just(ev.Drained()),
    st.builds(ev.Pressed, st.sampled_from("05*#")),
    st.just(ev.MusicHeard()),
    st.just(ev.LanguageChanged("pt-br")),
    st.just(ev.Spent(0.5)),
    st.just(ev.Tick()),
    st.builds(ev.Broken, st.sampled_from(["leg", "provider"]), st.just("broke")),
    st.builds(ev.CallLeft, st.just("transferred")),
    st.builds(ev.CallEnded, st.just("NORMAL_CLEARING")),
)


MENU = (("0", Key("transfer", "d1")), ("*", Key("repeat")), ("#", Key("end")))
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "disclosure": st.just("some words of ours"),
        "barge_in": st.booleans(),
        "protect_ms": st.sampled_from([0, 500]),
        "menu": st.just(MENU),
        "max_turns": st.sampled_from([0, 3]),
        "max_cost": st.sampled_from([0.0, 0.5]),
        "silence_hangs_up": st.booleans(),
        "turn_mode": st.sampled_from(["adaptive", "provider", "fixed"]),
    },
)
PATIENCE_MS = 22_000
"""The longest that may pass without anything happening: a little more than a transfer's deadline."""


def play(script: list[tuple[ev.Event, int]], rules: Rules) -> Stage:
    stage = Stage(rules)
    stage.give(ev.Started())
    for event, pause in script:
        stage.give(event)
        stage.advance(pause)
    return stage


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(0, 4_000)), max_size=25), SETTINGS)
def test_every_call_ends_once(script: list[tuple[ev.Event, int]], chosen: dict[str, Any]) -> None:
    """After any script, within the longest call the conversation has closed once, and the caller was not left."""
    stage = play(script, Rules(greeting="Hello.", max_call_ms=60_000, **chosen))
    stage.advance(80_000)
    assert stage.talk.state is State.ENDED
    assert len(stage.all(act.Close)) == 1
    gone = any(isinstance(event, ev.CallEnded | ev.CallLeft) for event, _ in script)
    assert gone or any(isinstance(action, act.HangUp | act.Leave) for action in stage.done)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(0, 4_000)), max_size=25), SETTINGS)
def test_nobody_is_left_in_silence(script: list[tuple[ev.Event, int]], chosen: dict[str, Any]) -> None:
    """Whenever neither side speaks something is due soon: no order of events leads into a corner without a way out."""
    stage = Stage(Rules(greeting="Hello.", hold_ms=20_000, **chosen))  # on hold there is music
    stage.give(ev.Started())
    caller_speaks = False
    for event, pause in script:
        stage.give(event)
        if isinstance(event, ev.CallerStarted | ev.CallerEnded):
            caller_speaks = isinstance(event, ev.CallerStarted)
        stage.advance(pause)
        if not (caller_speaks or stage.queued or stage.talk.state is State.ENDED):
            assert stage.talk.deadline is not None
            assert stage.talk.deadline - stage.now <= PATIENCE_MS


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(0, 4_000)), max_size=25))
def test_the_end_is_the_end(script: list[tuple[ev.Event, int]]) -> None:
    """One way out is taken at most, none of a call that is gone already, and nothing follows the end."""
    stage = play(script, Rules(greeting="Hello.", max_call_ms=60_000))
    stage.advance(80_000)
    last = stage.done[-1]
    assert isinstance(last, act.Close)
    ways = [one for one in stage.done if isinstance(one, act.HangUp | act.Leave)]
    assert len(ways) <= 1
    if any(isinstance(event, ev.CallEnded | ev.CallLeft) for event, _ in script):
        assert not ways or last.outcome not in ("transferred", "caller_hung_up")
    else:
        assert len(ways) == 1


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(0, 4_000)), max_size=25))
def test_no_begun_message_is_lost(script: list[tuple[ev.Event, int]]) -> None:
    """What a caller began to leave is saved before the call ends or another message begins, however it ends."""
    stage = play(script, Rules(greeting="Hello.", max_call_ms=60_000))
    stage.advance(80_000)
    begun = False
    for action in stage.done:
        if isinstance(action, act.MessageBegun):
            begun = True
        elif isinstance(action, act.SaveMessage):
            begun = False
        elif isinstance(action, act.StartMessage | act.Close):
            assert not begun


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(0, 4_000)), max_size=25))
def test_every_tool_is_answered_once(script: list[tuple[ev.Event, int]]) -> None:
    """Whatever comes in between, each call of a tool has one answer in the end, unless the conversation is over."""
    patient = Rules(greeting="", silence_ms=10**7, answer_ms=10**7, max_call_ms=10**8, hold_ms=20_000, message_ms=10**7)
    stage = Stage(patient)
    stage.give(ev.Started())
    called = []
    for n, (event, pause) in enumerate(script):
        if isinstance(event, ev.ToolCalled):
            event = ev.ToolCalled(ToolCall(f"t{n}", event.call.name, event.call.arguments))
            called.append(f"t{n}")
        stage.give(event)
        stage.advance(pause)
    if stage.talk.state not in (State.LEAVING, State.ENDED):
        stage.give(ev.CallerEnded(stage.now))
        stage.give(ev.VoiceArrived("a", "", b"", True))
        stage.give(ev.VoiceArrived("b", "", b"", True))
        stage.give(ev.VoiceArrived("c", "", b"", True))
    stage.advance(100_000)
    answered = [tool_id for tool_id, _ in stage.answers()]
    assert len(set(answered)) == len(answered)
    if stage.talk.state not in (State.LEAVING, State.ENDED):
        assert sorted(answered) == sorted(called)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(0, 4_000)), max_size=25), SETTINGS)
def test_no_voice_is_played_over_the_caller_or_after_the_end(
    script: list[tuple[ev.Event, int]], chosen: dict[str, Any]
) -> None:
    """Who has the floor is not talked over, and nothing is said or played once the conversation has closed."""
    stage = Stage(Rules(greeting="", max_call_ms=60_000, **chosen))
    stage.give(ev.Started())
    for event, pause in script:
        has_floor = stage.talk.has_floor
        actions = stage.give(event)
        if has_floor and not isinstance(event, ev.CallerEnded | ev.ProviderStopped):
            assert not any(isinstance(one, act.Play) for one in actions)
        stage.advance(pause)
    stage.advance(80_000)
    closed = next(n for n, one in enumerate(stage.done) if isinstance(one, act.Close))
    assert closed == len(stage.done) - 1
