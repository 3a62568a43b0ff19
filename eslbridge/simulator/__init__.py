"""A stand-in FreeSWITCH for the demo, the tests and the benchmarks.

It speaks ESL (inbound and outbound), direct UDP audio and the audio WebSockets as FreeSWITCH 1.11 was recorded to,
carries several hundred calls in one process, and can be told to misbehave. It shares no code with the parts of the
project that it is there to test.
"""

from eslbridge.simulator.caller import Caller, HangUp, Pause, Press, Say, WaitSilence, WaitVoice
from eslbridge.simulator.clock import Clock
from eslbridge.simulator.misbehave import Faults
from eslbridge.simulator.options import Extension, Options
from eslbridge.simulator.switch import StandInSwitch

__all__ = [
    "Caller",
    "Clock",
    "Extension",
    "Faults",
    "HangUp",
    "Options",
    "Pause",
    "Press",
    "Say",
    "StandInSwitch",
    "WaitSilence",
    "WaitVoice",
]
