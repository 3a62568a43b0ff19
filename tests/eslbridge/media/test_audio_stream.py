"""The community module: files, events and breaks, in every order a switch can bring them."""

from __future__ import annotations

import base64
import json

import pytest

from eslbridge.media.audio_stream import CommunityLeg
from eslbridge.media.tokens import Grant

from .rigs import CALL, DOMAIN, FOLDER, RIGS, Wire


class Player:
    def __init__(self):
        self.said = []

    def play_file(self, path):
        self.said.append(path)

    def break_all(self):
        self.said.append("break")


@pytest.fixture
def player():
    return Player()


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def leg(clock, counters, player, wire, listener):
    leg = CommunityLeg(CALL, clock, counters, player)
    assert leg.opened(wire, Grant(CALL, DOMAIN, leg, 0.0))
    leg.listen(listener)
    return leg


def ready(leg, wire, n=0):
    """The switch has written the oldest message that is still unanswered to a file."""
    data = wire.sent.pop(0)["data"]
    data.pop("audioData")
    path = f"{FOLDER}/{CALL}_{n}.tmp.r8"
    leg.file_ready(json.dumps({**data, "file": path}))
    return path


def run(leg, clock, ms):
    leg._quiet_ticks = 0
    clock.run(ms)


def test_a_sentence_is_one_message(leg, wire, clock):
    """Pieces that come together leave together, as raw L16 at 8 kHz."""
    for _ in range(30):
        leg.play(b"\1\0" * 800)
    clock.run(20)
    [message] = wire.sent
    assert message["type"] == "streamAudio"
    assert message["data"]["audioDataType"] == "raw"
    assert message["data"]["sampleRate"] == 8000
    assert base64.b64decode(message["data"]["audioData"]) == b"\1\0" * 24000


def test_a_short_word_waits_a_moment_for_more(leg, wire, clock):
    """Sixty milliseconds, then it leaves as it is."""
    leg.play(b"\1\0" * 800)
    clock.run(40)
    assert wire.sent == []
    clock.run(20)
    assert len(wire.sent) == 1


def test_the_next_file_is_ready_before_the_present_one_ends(leg, wire, clock, player):
    """Queued on the switch 400 ms ahead, so that one follows the other without a gap."""
    leg.play(b"\1\0" * 16000)
    clock.run(20)
    first = ready(leg, wire)
    leg.file_started(first)
    leg.play(b"\2\0" * 8000)
    run(leg, clock, 1500)
    assert wire.sent == []
    run(leg, clock, 120)
    second = ready(leg, wire, 1)
    assert player.said == [first, second]


def test_nothing_is_heard_before_the_switch_plays(leg, wire, clock):
    """The clock of what was heard starts with CHANNEL_EXECUTE, not with our message."""
    leg.play(b"\1\0" * 8000)
    clock.run(200)
    path = ready(leg, wire)
    run(leg, clock, 200)
    assert leg.heard_ms == 0
    leg.file_started(path)
    run(leg, clock, 200)
    assert leg.heard_ms == 200


def test_the_end_that_the_switch_reports_counts(leg, wire, clock, listener):
    """A file that ends a little before our clock was heard whole."""
    leg.play(b"\1\0" * 8000)
    clock.run(20)
    path = ready(leg, wire)
    leg.file_started(path)
    run(leg, clock, 940)
    leg.file_finished(path)
    assert leg.heard_ms == 1000
    assert listener.drained == 1


def test_a_missing_end_is_made_up_by_the_clock(leg, wire, clock, listener):
    """No CHANNEL_EXECUTE_COMPLETE: the conversation goes on all the same."""
    leg.play(b"\1\0" * 4000)
    clock.run(20)
    leg.file_started(ready(leg, wire))
    run(leg, clock, 600)
    assert listener.drained == 0
    run(leg, clock, 1600)
    assert listener.drained == 1


def test_a_file_that_never_begins_is_a_broken_road(leg, wire, clock, listener):
    """Three seconds of nothing: the caller must not wait for a voice that does not come."""
    leg.play(b"\1\0" * 8000)
    clock.run(20)
    ready(leg, wire)
    run(leg, clock, 3100)
    assert listener.lost == ["the switch did not play a file"]


def test_a_stop_before_the_file_is_ready_needs_no_break(leg, wire, clock, player):
    """A break with nothing to break would break the next file; the late file is simply not played."""
    leg.play(b"\1\0" * 8000)
    clock.run(20)
    leg.stop()
    ready(leg, wire)
    assert player.said == []
    assert leg.queued_ms == 0


def test_a_break_that_came_too_late_does_not_eat_the_next_file(leg, wire, clock, player):
    """FreeSWITCH keeps the flag: the file that ends at once is played again, once."""
    leg.play(b"\1\0" * 8000)
    clock.run(20)
    leg.file_started(ready(leg, wire))
    run(leg, clock, 500)
    leg.stop()
    assert player.said[-1] == "break"
    leg.play(b"\2\0" * 8000)
    run(leg, clock, 20)
    second = ready(leg, wire, 1)
    leg.file_started(second)
    run(leg, clock, 20)
    leg.file_finished(second)
    assert player.said[-2:] == [second, second]
    leg.file_started(second)
    run(leg, clock, 980)
    leg.file_finished(second)
    assert leg.queued_ms == 0


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        f"{FOLDER}/ffffffff-0000-4000-8000-000000000000_0.tmp.r8",
        f"{FOLDER}/{CALL}_0.tmp.r8\nhangup",
        f"{FOLDER}/{CALL}_0.tmp.r8 loops",
        "shout://evil/x.mp3",
        7,
        None,
    ],
)
def test_only_files_of_this_call_are_played(leg, wire, clock, player, counters, path):
    """The event's text comes from outside and becomes an argument: only the module's own names are taken."""
    leg.play(b"\1\0" * 8000)
    clock.run(20)
    leg.file_ready(json.dumps({"file": path, "id": "1"}))
    assert player.said == []
    assert counters.websocket_messages_bad == 1


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "7"])
def test_an_event_without_sense_is_ignored(leg, body, counters):
    """Counted, and nothing else."""
    leg.file_ready(body)
    assert counters.websocket_messages_bad == 1


def test_a_long_voice_is_cut_into_files_of_15_s(clock, counters):
    """One message stays below a megabyte."""
    rig = RIGS["mod-audio-stream"](clock, counters)
    rig.leg.play(b"\1\0" * 8000 * 40)
    rig.run(20)
    assert rig.leg._queue.road_ms == 15_000
    rig.run(40_500)
    assert len(rig.files) == 3
    assert rig.ear.count(b"\1\0") == 320_000


def test_a_connection_that_takes_no_voice_is_lost(leg, wire, clock, listener):
    """Better a fallback than a mute secretary."""
    wire.full = True
    leg.play(b"\1\0" * 8000)
    clock.run(20)
    assert listener.lost == ["the audio connection does not take the voice"]
