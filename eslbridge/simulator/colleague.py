"""A person at an extension: what happens after they have picked up.

The same script as a caller's (`caller.py`), with the time counted from the answer:

    Extension("1001", "acme.example", answer_after_s=0.5, steps=(WaitSilence(400), Press("1")))     takes the call
    Extension("1002", "acme.example", steps=(WaitSilence(400), Say("no.wav")))                      says no
    Extension("1003", "acme.example", steps=())                                                      says nothing
    Extension("1004", "acme.example", steps=(Say("box.wav"), Pause(2000), HangUp()))                 a machine

Without `steps`: a chime, or the `wav`, at once. Nobody hangs up by themselves, but after `hang_up_after_s`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eslbridge.simulator.audio import chime, read_cached
from eslbridge.simulator.caller import Caller, Say

if TYPE_CHECKING:
    from eslbridge.simulator.options import Extension


class Colleague(Caller):
    """What they said, heard and pressed can be asked afterwards, as of a caller."""

    def __init__(self, extension: Extension) -> None:
        steps = extension.steps
        if steps is None:
            steps = (Say(read_cached(extension.wav) if extension.wav else chime()),)
        super().__init__(steps, patience_ms=None)
        self.extension = extension

    def answered(self) -> None:
        channel = self.channel
        if self.extension.hang_up_after_s is not None and channel is not None:
            channel.switch.later(self.extension.hang_up_after_s, channel.phone_hung_up)
