"""Direct UDP as FreeSWITCH speaks it, over real sockets on loopback and virtual time."""

from __future__ import annotations

import socket

import numpy as np
import pytest

from eslbridge.media import codec
from eslbridge.media.contract import FRAME_BYTES
from eslbridge.media.direct_udp import MOST_AHEAD_MS, DirectUdpLeg, UdpRoad
from eslbridge.media.frames import SILENCE


class Switch:
    """FreeSWITCH's end of one call: its own socket, bound to `local-port`."""

    def __init__(self, road: UdpRoad) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(1)
        self.address = self.socket.getsockname()
        self.socket.connect(road.address)

    def send(self, data: bytes) -> None:
        self.socket.send(data)

    def received(self) -> list[bytes]:
        self.socket.setblocking(False)
        got = []
        while True:
            try:
                got.append(self.socket.recv(4096))
            except BlockingIOError:
                return got

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def road(counters, clock):
    road = UdpRoad(counters)
    road.open("127.0.0.1", 0)
    clock.before_phase(road.drain)
    yield road
    road.close()
    road.close()


@pytest.fixture
def switch(road):
    switch = Switch(road)
    yield switch
    switch.close()


@pytest.fixture
def make(road, switch, clock, counters):
    def make(**options):
        return DirectUdpLeg("call-1", switch.address, road, clock, counters, **options)

    return make


def speech(seed: int = 0) -> bytes:
    return np.random.default_rng(seed).integers(-8000, 8000, 160).astype("<i2").tobytes()


def test_linear_frames_arrive_as_they_were_sent(make, switch, clock, listener, counters):
    """320 bytes of L16 are one frame, byte for byte."""
    make().listen(listener)
    frames = [speech(n) for n in range(5)]
    for frame in frames:
        switch.send(frame)
    clock.run(20)
    assert listener.frames == frames
    assert counters.frames_in == 5


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_native_g711_is_decoded_and_encoded(make, switch, clock, listener, law):
    """160 bytes each way, of the channel's own law; silence between utterances too."""
    leg = make(law=law)
    leg.listen(listener)
    assert leg.transport == "direct-udp-g711"
    payload = codec.encode(speech(), law)
    switch.send(payload)
    leg.play(speech(1))
    clock.run(60)
    assert listener.frames == [codec.decode(payload, law)]
    sent = switch.received()
    assert codec.encode(speech(1), law) in sent
    assert bytes([codec.SILENCE_BYTE[law]]) * 160 in sent
    assert {len(frame) for frame in sent} == {160}


@pytest.mark.parametrize("options", [{}, {"law": "PCMA"}, {"law": "PCMU"}])
def test_comfort_noise_is_silence_of_one_frame(make, switch, clock, listener, options):
    """FreeSWITCH sends 320 bytes of 0xFF, whatever the codec: one quiet frame, and no loud A-law constant."""
    make(**options).listen(listener)
    switch.send(b"\xff" * 320)
    clock.run(20)
    assert listener.frames == [SILENCE]


def test_a_wideband_call_is_brought_to_8_khz_and_back(make, switch, clock, listener):
    """G.722 and Opus calls arrive as L16 at the codec's rate: 640 bytes each 20 ms at 16 kHz."""
    leg = make(rate=16000)
    leg.listen(listener)
    for _ in range(3):
        switch.send(bytes(640))
    leg.play(speech())
    clock.run(60)
    assert [len(frame) for frame in listener.frames] == [FRAME_BYTES] * 3
    assert {len(frame) for frame in switch.received()} == {640}


def test_other_packet_times_are_cut_into_frames(make, switch, clock, listener):
    """A phone with 30 ms packets: two datagrams are three frames, in order."""
    make().listen(listener)
    stream = speech(1) + speech(2) + speech(3)
    switch.send(stream[:480])
    switch.send(stream[480:])
    clock.run(20)
    assert b"".join(listener.frames) == stream


def test_odd_and_empty_datagrams_do_no_harm(make, switch, clock, listener, counters):
    """Half a sample is dropped and counted; the call goes on in step."""
    make().listen(listener)
    switch.send(b"")
    switch.send(speech(1) + b"\x07")
    switch.send(speech(2))
    clock.run(20)
    assert listener.frames == [speech(1), speech(2)]
    assert counters.datagrams_odd == 1


def test_a_stranger_is_counted_and_not_heard(make, road, clock, listener, counters):
    """Only the address given to FreeSWITCH for this call is heard on it."""
    make().listen(listener)
    stranger = Switch(road)
    stranger.send(speech())
    clock.run(20)
    stranger.close()
    assert listener.frames == []
    assert counters.datagrams_from_strangers == 1


def test_a_flood_cannot_hold_the_clock(make, road, clock, counters):
    """A drain reads a bounded number and leaves the rest for the next phase."""
    make()
    stranger = Switch(road)
    for _ in range(300):
        stranger.send(b"x")
    clock.run(5)
    assert counters.datagrams_from_strangers == 68
    assert counters.receive_limited == 1
    clock.run(40)
    stranger.close()
    assert counters.datagrams_from_strangers == 300


def test_two_calls_never_mix(make, road, switch, clock, counters, listener):
    """One socket, two calls: each hears its own."""
    make().listen(listener)
    other_switch, other_listener = Switch(road), type(listener)()
    other = DirectUdpLeg("call-2", other_switch.address, road, clock, counters)
    other.listen(other_listener)
    switch.send(speech(1))
    other_switch.send(speech(2))
    other.play(speech(3))
    clock.run(40)
    assert (listener.frames, other_listener.frames) == ([speech(1)], [speech(2)])
    assert speech(3) in other_switch.received()
    assert speech(3) not in switch.received()
    other_switch.close()


def test_an_address_has_one_call(make):
    """Registering it again is a programming error and says so."""
    make()
    with pytest.raises(ValueError, match="another call"):
        make()


def test_no_datagram_for_long_is_lost_and_said_once(make, clock, listener, counters):
    """FreeSWITCH sends one each 20 ms, come what may: silence of the road itself means that it broke."""
    leg = make(lost_after_s=1.0)
    leg.listen(listener)
    clock.run(980)
    assert listener.lost == []
    clock.run(2000)
    assert listener.lost == ["no audio from the switch for 1 s"]
    assert counters.legs_lost == 1
    assert leg.play(speech()) == 0


def test_a_listener_that_comes_after_the_loss_is_told(make, clock, listener):
    """Nobody waits for a leg that is gone."""
    leg = make(lost_after_s=0.2)
    clock.run(400)
    leg.listen(listener)
    assert len(listener.lost) == 1


def test_silence_flows_between_utterances_unless_told_otherwise(make, switch, clock):
    """50 frames a second, so that the telephone network sees an unbroken stream."""
    make()
    for _ in range(10):
        switch.send(speech())
        clock.run(20)
    assert switch.received() == [SILENCE] * 10


def test_without_silence_only_voice_is_sent(make, switch, clock):
    """The cheaper way, for networks known to stand it."""
    leg = make(silence=False)
    clock.run(200)
    leg.play(speech())
    clock.run(200)
    assert switch.received() == [speech()]


def test_a_send_that_fails_is_counted_and_the_call_goes_on(make, clock, counters, road):
    """A full socket buffer costs a frame, not a call."""
    leg = make()

    def full(*_args):
        raise BlockingIOError

    leg._send = full
    leg.play(speech() * 3)
    clock.run(60)
    assert counters.send_errors == 3
    assert len(clock) == 1


def test_a_closed_leg_gives_its_address_back(make, road, clock):
    """The next call may have the port; nothing of the old one remains on the clock."""
    gone = []
    leg = make()
    leg.on_close(lambda: gone.append(1))
    leg.close()
    leg.close()
    assert len(road) == len(clock) == 0
    assert gone == [1]
    make()


def test_a_switch_that_stands_still_is_not_filled_with_silence(make, switch, clock, counters):
    """What waits in FreeSWITCH is delay for the rest of the call, and keeps it from letting go of the channel."""
    make()
    switch.send(speech())
    clock.run(500)
    assert switch.received() == [SILENCE] * 2
    assert counters.silence_left_out == 23


def test_a_switch_that_stands_still_gets_little_voice(make, switch, clock, counters):
    """Voice waits with us, where it can be stopped; it goes on where it was when the switch does."""
    leg = make(silence=False)
    switch.send(speech())
    clock.run(20)
    leg.play(b"".join(speech(n) for n in range(20)))
    clock.run(500)
    assert switch.received() == [speech(n) for n in range(MOST_AHEAD_MS // 20)]
    assert leg.heard_ms + leg.queued_ms == 400
    assert leg.heard_ms <= MOST_AHEAD_MS
    assert counters.frames_waited == 20
    for _ in range(20):
        switch.send(speech())
        clock.run(20)
    assert switch.received() == [speech(n) for n in range(MOST_AHEAD_MS // 20, 20)]
    assert leg.heard_ms == 400


@pytest.mark.parametrize("law", [None, "PCMU"])
def test_a_burst_of_ours_is_made_good_in_the_next_silence(make, switch, clock, law):
    """A late clock catches up, and the switch plays it frame by frame: as many frames of silence are left out."""
    leg = make(law=law)
    frame = speech() if law is None else codec.encode(speech(), law)
    waiting = 0
    for turn in range(40):
        if turn == 10:
            leg.play(speech() * 8)
            for _ in range(3):
                leg.tick()
        switch.send(frame)
        clock.run(20)
        waiting = max(waiting + len(switch.received()) - 1, 0)
        if turn == 12:
            assert waiting >= 2
    assert waiting <= 1


def test_a_phone_with_longer_packets_is_spoken_to_at_full_speed(make, switch, clock, counters):
    """One datagram each 40 ms is two frames' worth."""
    leg = make()
    leg.play(speech() * 50)
    for _ in range(26):
        switch.send(speech() * 2)
        clock.run(40)
    assert leg.heard_ms == 1000
    assert counters.frames_waited == 0


def test_a_held_leg_sends_nothing_until_it_speaks_again(make, switch, clock, listener):
    """The caller goes on being heard; a transfer that failed leaves nothing behind."""
    leg = make()
    leg.listen(listener)
    switch.send(speech())
    clock.run(20)
    switch.received()
    leg.hold()
    for _ in range(10):
        switch.send(speech())
        clock.run(20)
    assert switch.received() == []
    assert len(listener.frames) == 11
    leg.play(speech(1))
    for _ in range(3):
        switch.send(speech())
        clock.run(20)
    assert switch.received() == [speech(1), SILENCE, SILENCE]
