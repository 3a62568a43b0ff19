"""What the audio road counts. Plain integers, because they are touched for every frame; exported when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(slots=True)
class MediaCounters:
    """Totals since the node started; one object for all legs of a node."""

    frames_in: int = 0
    """20 ms frames handed to listeners."""
    frames_out: int = 0
    """20 ms frames given to a transport, silence included."""
    voice_frames_out: int = 0
    """Frames among them that carried voice."""
    frames_unheard: int = 0
    """Caller frames dropped because nobody listened yet."""
    frames_cut_away: int = 0
    """Caller frames dropped from a message larger than a leg takes at once."""
    frames_waited: int = 0
    """Ticks in which voice waited, because the switch had not yet played what it was sent."""
    silence_left_out: int = 0
    """Frames of silence not sent, so that the switch could catch up."""
    send_errors: int = 0
    """Frames a transport did not take: the socket's buffer was full or the peer does not read."""
    voice_refused_bytes: int = 0
    """Voice that `play` did not accept, because too much was queued already."""
    datagrams_from_strangers: int = 0
    datagrams_odd: int = 0
    """Datagrams whose size was no whole number of samples or frames: taken all the same."""
    receive_limited: int = 0
    """Times a drain stopped at its limit with datagrams left: they wait 5 ms."""
    ticks_late: int = 0
    """Clock phases that ran 5 ms or more behind schedule, and were caught up."""
    ticks_skipped: int = 0
    """Clock phases given up, more than 60 ms behind."""
    frames_skipped: int = 0
    """Leg frames not sent in skipped phases."""
    legs_opened: int = 0
    legs_lost: int = 0
    listener_errors: int = 0
    """Exceptions that came out of a listener or a leg; each is logged, and ends that leg."""
    tokens_refused_unknown: int = 0
    tokens_refused_used: int = 0
    tokens_refused_expired: int = 0
    tokens_refused_foreign: int = 0
    websocket_messages_bad: int = 0
    """Text messages of a switch that could not be understood: ignored."""

    def items(self) -> Iterator[tuple[str, int]]:
        for field in fields(self):
            yield field.name, getattr(self, field.name)
