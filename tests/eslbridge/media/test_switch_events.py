"""The events that carry audio matters, as FreeSWITCH 1.11 really sends them, reach the leg they belong to."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest

from eslbridge.esl.errors import CommandFailed
from eslbridge.esl.events import PlainEvent, event_of
from eslbridge.esl.protocol import Parser
from eslbridge.media.audio_stream import CommunityLeg
from eslbridge.media.switch_events import ForkEvents, StreamEvents, SwitchPlayer
from eslbridge.media.tokens import Grant

from .rigs import DOMAIN, Wire

CALL = "7be37ce4-0a91-4557-b156-1107d04a11ba"
FILE = json.loads((Path(__file__).parent / "data" / "mod_audio_stream_events.json").read_text())


@pytest.fixture(scope="module")
def recorded():
    """Every recorded event by its subclass, through the real parser."""
    parser = Parser()
    events = {}
    for message in FILE["messages"]:
        for parsed in parser.feed(message.encode()):
            event = event_of(parsed)
            events[event.subclass] = event
    return events


class Player:
    def __init__(self):
        self.said = []

    def play_file(self, path):
        self.said.append(path)

    def break_all(self):
        self.said.append("break")


def executed(name, application, argument):
    text = f"Event-Name: {name}\nUnique-ID: {CALL}\nApplication: {application}\nApplication-Data: {argument}\n\n"
    return PlainEvent(text.encode())


@pytest.fixture
def player():
    return Player()


@pytest.fixture
def leg(clock, counters, player, listener):
    leg = CommunityLeg(CALL, clock, counters, player)
    leg.opened(Wire(), Grant(CALL, DOMAIN, leg, 0.0))
    leg.listen(listener)
    return leg


def test_the_recording_holds_what_is_tested(recorded):
    """One event of each kind that the module sent."""
    assert set(recorded) >= {"mod_audio_stream::connect", "mod_audio_stream::play", "mod_audio_stream::error"}


def test_a_recorded_play_event_names_a_file_that_would_be_played(recorded, leg, clock, player):
    """Its body, with the key that our message adds, passes the check of names."""
    leg.play(base64.b64decode("AQA=") * 8000)
    clock.run(20)
    events = StreamEvents(leg, leg)
    events(recorded["mod_audio_stream::play"])
    assert player.said == []
    body = {**json.loads(recorded["mod_audio_stream::play"].body), "id": "1"}
    leg.file_ready(json.dumps(body))
    assert player.said == [f"/tmp/{CALL}_0.tmp.r8"]  # noqa: S108 - the module's own name


def test_a_recorded_error_ends_the_leg_with_its_words(recorded, leg, listener):
    """`Connection refused (system error 111)`, code 6."""
    StreamEvents(leg, leg)(recorded["mod_audio_stream::error"])
    assert listener.lost == ["mod_audio_stream: Connection refused (system error 111) (code 6)"]


def test_a_recorded_connect_event_changes_nothing(recorded, leg, listener):
    """The connection itself has told us."""
    StreamEvents(leg, leg)(recorded["mod_audio_stream::connect"])
    assert listener.lost == []


def test_play_out_follows_the_channel(leg, clock, player):
    """CHANNEL_EXECUTE and CHANNEL_EXECUTE_COMPLETE of `playback` begin and end a file; other applications do not."""
    events = StreamEvents(leg, leg)
    leg.play(b"\1\0" * 8000)
    clock.run(20)
    path = f"/var/tmp/{CALL}_0.tmp.r8"  # noqa: S108 - the module's own name
    leg.file_ready(json.dumps({"file": path, "id": "1"}))
    events(executed("CHANNEL_EXECUTE", "sleep", path))
    clock.run(100)
    assert leg.heard_ms == 0
    events(executed("CHANNEL_EXECUTE", "playback", path))
    clock.run(500)
    assert leg.heard_ms == 500
    events(executed("CHANNEL_EXECUTE_COMPLETE", "playback", path))
    assert leg.heard_ms == 1000


def test_a_closed_listener_hears_nothing(recorded, leg, listener):
    """The leg is over; the connection still brings events."""
    events = StreamEvents(leg, leg)
    events.close()
    events(recorded["mod_audio_stream::error"])
    assert listener.lost == []


@pytest.mark.parametrize(
    ("subclass", "body", "lost"),
    [
        ("connect", "", []),
        ("connect_failed", '{"reason":"no "quotes" here"}', ['mod_audio_fork: {"reason":"no "quotes" here"}']),
        ("disconnect", "", ["mod_audio_fork: disconnect"]),
    ],
)
def test_mod_audio_fork_reports_its_losses(leg, listener, subclass, body, lost):
    """Its bodies may be empty, or no JSON at all."""
    text = f"Event-Name: CUSTOM\nEvent-Subclass: mod_audio_fork%3A%3A{subclass}\nContent-Length: {len(body)}\n\n{body}"
    ForkEvents(leg)(PlainEvent(text.encode()))
    assert listener.lost == lost


async def test_commands_keep_their_order_and_their_errors_to_themselves():
    """Play, break, play: as said, one after the other, though each waits for its reply; a failed one is no obstacle."""
    said = []

    class Call:
        call_uuid = CALL

        async def execute(self, application, argument="", *, wait_s=0.0):
            await asyncio.sleep(0.01)
            said.append((application, argument))

        async def api(self, command, *, timeout_s=5.0):
            said.append(command.line)
            raise CommandFailed(command.name, "-ERR No such channel!")

    player = SwitchPlayer(Call())
    player.play_file("one")
    player.break_all()
    player.play_file("two")
    await player._last
    assert said == [("playback", "one"), f"api uuid_break {CALL} all", ("playback", "two")]
