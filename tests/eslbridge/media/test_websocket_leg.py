"""What WebSocket legs must stand: any frame size, metadata at any time or never, and connections that lie or break."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.media.audio_fork import ForkLeg
from eslbridge.media.contract import FRAME_BYTES
from eslbridge.media.counters import MediaCounters
from eslbridge.media.paced import BinaryLeg
from eslbridge.media.tokens import Grant

from .conftest import Listener, VirtualClock
from .rigs import CALL, DOMAIN, RIGS, Wire


def leg_on(clock, counters, kind=BinaryLeg, **options):
    leg = kind(CALL, clock, counters, **options)
    wire = Wire()
    leg.opened(wire, Grant(CALL, DOMAIN, leg, 0.0))
    return leg, wire


@given(sizes=st.lists(st.integers(1, 1500), max_size=25))
def test_messages_of_any_size_are_cut_into_frames(sizes):
    """304, 320, 640, odd ones: the stream is the same, in whole frames."""
    counters, listener = MediaCounters(), Listener()
    leg, _ = leg_on(VirtualClock(counters), counters)
    leg.listen(listener)
    stream = np.random.default_rng(1).bytes(sum(sizes))
    at = 0
    for size in sizes:
        leg.received_bytes(stream[at : at + size])
        at += size
    assert b"".join(listener.frames) == stream[: len(stream) // FRAME_BYTES * FRAME_BYTES]
    assert all(len(frame) == FRAME_BYTES for frame in listener.frames)


@pytest.mark.parametrize("rate", [16000, 24000])
@given(sizes=st.lists(st.integers(1, 2000), max_size=20))
def test_other_rates_arrive_at_8_khz_whatever_the_pieces(rate, sizes):
    """As much time comes out as went in, up to one frame."""
    counters, listener = MediaCounters(), Listener()
    leg, _ = leg_on(VirtualClock(counters), counters, rate=rate)
    leg.listen(listener)
    for size in sizes:
        leg.received_bytes(bytes([1]) * size)
    want = sum(sizes) * 8000 // rate
    assert -2 <= want - len(listener.frames) * FRAME_BYTES < FRAME_BYTES + 2


@pytest.mark.parametrize("text", ["", "hello", "[1,2]", "{", '"x"', "null", "[" * 50_000, '{"type":1}', '{"data":7}'])
@pytest.mark.parametrize("kind", [BinaryLeg, ForkLeg])
def test_texts_that_mean_nothing_are_ignored(clock, counters, listener, text, kind):
    """A switch may send anything by `send_text`; the call goes on."""
    leg, wire = leg_on(clock, counters, kind)
    leg.listen(listener)
    leg.received_text(text)
    leg.received_bytes(bytes(FRAME_BYTES))
    assert len(listener.frames) == 1
    assert wire.closed is None


def test_metadata_may_come_late_twice_or_never(clock, counters, listener):
    """It is checked whenever it comes; audio does not wait for it."""
    leg, wire = leg_on(clock, counters)
    leg.listen(listener)
    for _ in range(20):
        leg.received_bytes(bytes(FRAME_BYTES))
    for _ in range(2):
        leg.received_text(json.dumps({"call_uuid": CALL.upper(), "domain_uuid": DOMAIN}))
    assert len(listener.frames) == 20
    assert wire.closed is None


@pytest.mark.parametrize("lie", [{"call_uuid": "ffffffff-0000-4000-8000-000000000000"}, {"domain_uuid": "other"}])
def test_a_connection_that_names_another_call_is_closed(clock, counters, listener, lie, caplog):
    """Tenant A's token with tenant B's call: closed by policy, counted, logged with the call, and told."""
    leg, wire = leg_on(clock, counters)
    leg.listen(listener)
    leg.received_text(json.dumps({"call_uuid": CALL, "domain_uuid": DOMAIN} | lie))
    assert wire.closed == 1008
    assert counters.tokens_refused_foreign == 1
    assert len(listener.lost) == 1
    assert CALL in caplog.text


def test_an_empty_binary_message_is_the_end(clock, counters, listener):
    """mod_audio_fork's graceful end: the server must close."""
    leg, wire = leg_on(clock, counters)
    leg.listen(listener)
    leg.received_bytes(b"")
    assert wire.closed == 1000
    assert listener.lost == ["the switch ended the audio"]


def test_one_enormous_message_is_bounded(clock, counters, listener):
    """A minute at once: the newest three seconds are taken, the rest is counted."""
    leg, _ = leg_on(clock, counters)
    leg.listen(listener)
    leg.received_bytes(bytes(FRAME_BYTES * 3000))
    assert len(listener.frames) == 150
    assert counters.frames_cut_away == 2850


def test_a_peer_that_does_not_read_costs_frames_and_not_the_node(clock, counters):
    """Nothing piles up on our side."""
    leg, wire = leg_on(clock, counters)
    wire.full = True
    leg.play(bytes(16000))
    clock.run(2000)
    assert wire.sent[1:] == []
    assert counters.send_errors == 50


def test_silence_of_the_road_is_a_loss(clock, counters, listener):
    """Ten seconds without any message: closed, and said."""
    leg, wire = leg_on(clock, counters)
    leg.listen(listener)
    clock.run(9_900)
    leg.received_bytes(bytes(FRAME_BYTES))
    clock.run(9_900)
    assert listener.lost == []
    clock.run(300)
    assert listener.lost == ["no audio from the switch for 10 s"]
    assert wire.closed == 1000


def test_a_hang_up_is_not_a_loss(clock, counters, listener):
    """The switch closes the connection a moment before it reports the hang-up: 300 ms of patience."""
    leg, _ = leg_on(clock, counters)
    leg.listen(listener)
    leg.play(bytes([1]) * 16000)
    clock.run(100)
    leg.disconnected(1000)
    clock.run(280)
    assert (listener.lost, listener.drained) == ([], 0)
    leg.close()
    clock.run(500)
    assert listener.lost == []


def test_a_connection_that_stays_closed_is_a_loss(clock, counters, listener):
    """The call lives, its audio does not."""
    leg, _ = leg_on(clock, counters)
    leg.listen(listener)
    leg.disconnected(1006)
    clock.run(400)
    assert listener.lost == ["the switch closed the audio connection (1006)"]


def test_fork_tells_when_it_has_killed(clock, counters):
    """killAudio breaks the silence that keeps the channel writing: it must be played again."""
    leg, _ = leg_on(clock, counters, ForkLeg)
    killed = []
    leg.after_kill(lambda: killed.append(1))
    leg.stop()
    leg.play(bytes([1]) * 16000)
    clock.run(100)
    leg.stop()
    assert killed == [1]


def test_a_leg_takes_one_connection(clock, counters):
    """A second one with the same leg is not let in; nor one for a leg that was closed."""
    leg, _ = leg_on(clock, counters)
    assert not leg.opened(Wire(), Grant(CALL, DOMAIN, leg, 0.0))
    late = BinaryLeg(CALL, clock, counters)
    late.close()
    assert not late.opened(Wire(), Grant(CALL, DOMAIN, late, 0.0))


async def test_waiting_for_the_connection_ends_with_it_or_with_its_failure(clock, counters):
    """Attaching is told at once either way, and in time if nothing comes."""
    leg = BinaryLeg(CALL, clock, counters)
    waiting = asyncio.create_task(leg.wait_connected(5))
    await asyncio.sleep(0)
    leg.opened(Wire(), Grant(CALL, DOMAIN, leg, 0.0))
    await waiting
    await leg.wait_connected(0)
    failing = BinaryLeg(CALL, clock, counters)
    waiting = asyncio.create_task(failing.wait_connected(5))
    await asyncio.sleep(0)
    failing.failed("mod_audio_stream: Connection refused (code 6)")
    with pytest.raises(ConnectionError, match="refused"):
        await waiting
    with pytest.raises(ConnectionError, match="refused"):
        await failing.wait_connected(1)
    with pytest.raises(TimeoutError):
        await BinaryLeg(CALL, clock, counters).wait_connected(0.01)


def test_binary_is_announced_once(clock, counters):
    """Streaming builds want to know the rate before the first binary message."""
    _, wire = leg_on(clock, counters, return_rate=16000)
    assert wire.sent == [{"type": "rawAudio", "data": {"sampleRate": 16000}}]


def test_binary_leads_by_60_ms_and_then_keeps_pace(clock, counters):
    """Three frames at once, then one in each 20 ms."""
    leg, wire = leg_on(clock, counters)
    wire.take()
    leg.play(bytes([1]) * 16000)
    clock.run(20)
    assert len(wire.take()) == 3
    for _ in range(10):
        clock.run(20)
        assert len(wire.take()) == 1


def test_json_says_stop_once_and_only_when_there_is_something(clock, counters):
    """`stopAudio` for each barge-in."""
    rig = RIGS["mod-audio-stream-json"](clock, counters)
    rig.leg.stop()
    assert rig.wire.types() == []
    rig.leg.play(bytes([1]) * 16000)
    rig.run(100)
    rig.leg.stop()
    rig.leg.stop()
    assert rig.wire.types() == ["stopAudio"]


def test_fork_never_sends_what_crashes_the_switch(clock, counters):
    """Only binary, marks and killAudio: `playAudio` may dereference nothing."""
    leg, wire = leg_on(clock, counters, ForkLeg)
    leg.play(bytes([1]) * 32000)
    clock.run(3000)
    leg.stop()
    leg.play(bytes([1]) * 32000)
    clock.run(500)
    leg.stop()
    assert set(wire.types()) == {"mark", "killAudio"}
    assert all(len(message) in (1280, 2560) for message in wire.sent if isinstance(message, bytes))


def test_fork_believes_the_clock_when_marks_never_return(clock, counters, listener):
    """An old build, or a parked channel without silence: drained comes half a second later all the same."""
    leg, _ = leg_on(clock, counters, ForkLeg)
    leg.listen(listener)
    leg.play(bytes([1]) * 3200)
    clock.run(400)
    assert (listener.drained, leg.heard_ms) == (0, 200)
    clock.run(600)
    assert listener.drained == 1
