"""The `loopback` endpoint: a leg whose far end walks the dialplan, as if somebody had dialled there.

`loopback/600/acme.example` makes two legs of one wire, `-a` for whoever calls and `-b` in the dialplan. What answers
the one answers the other, and whichever is hung up takes the other with it, with its cause.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from eslbridge.simulator import template
from eslbridge.simulator.audio import SILENCE
from eslbridge.simulator.channel import Channel
from eslbridge.simulator.phone import Phone

if TYPE_CHECKING:
    from eslbridge.simulator.switch import StandInSwitch


class LoopEnd(Phone):
    """One end: says what the other hears."""

    def __init__(self) -> None:
        super().__init__()
        self.other: LoopEnd | None = None
        self._frames: deque[bytes] = deque(maxlen=5)

    def next_frame(self) -> bytes:
        return self._frames.popleft() if self._frames else SILENCE

    def hear(self, frame: bytes | None) -> None:
        super().hear(frame)
        if self.other is not None and frame is not None:
            self.other._frames.append(frame)

    def key(self, digit: str) -> None:
        if self.other is not None and self.other.channel is not None:
            self.other.channel.press(digit)

    def hung_up(self, cause: str) -> None:
        if self.other is not None and self.other.channel is not None:
            self.other.channel.hang_up(cause)


def dial(
    switch: StandInSwitch, given: dict[str, str], number: str, context: str, near: LoopEnd, a_uuid: str
) -> Channel:
    """Let the far end of `near` walk the dialplan. `loopback_export` names what it takes along from `given`."""
    far = LoopEnd()
    far.other, near.other = near, far
    profile = template.Profile(
        caller_number=given.get("origination_caller_id_number", "0000000000"),
        caller_name=given.get("origination_caller_id_name", ""),
        destination=number,
        context=context,
        source="mod_loopback",
    )
    channel = Channel(switch, far, profile, name=f"loopback/{number}-b")
    channel.variables |= {"direction": "inbound", "uuid": channel.uuid, "call_uuid": a_uuid}
    channel.variables["session_id"] = str(switch.register(channel))
    channel.variables["channel_name"] = channel.name
    wanted = given.get("loopback_export", "").split(",")
    channel.variables |= {name: given[name] for name in wanted if name in given}
    channel.start()
    return channel
