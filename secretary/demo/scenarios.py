"""Who calls, what they say, and how the call is expected to end.

The callers' voices are recordings in `callers/` (8,000 Hz, 16 bit, mono).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eslbridge.simulator.caller import HangUp, Say, Step, WaitSilence, WaitVoice

VOICES = Path(__file__).parent / "callers"
PAUSE_MS = 700
"""How long the secretary must have been silent before a polite caller speaks."""


def _voice(name: str) -> Say:
    return Say(VOICES / f"{name}.wav")


@dataclass(frozen=True, slots=True)
class Result:
    """What a scenario's expectation is judged by."""

    outcome: str
    destination: str
    """Name and number of the destination; empty for none."""
    interrupted: bool
    """Whether any of the secretary's lines was cut by the caller."""
    message: bool
    """Whether a message was kept."""
    reached_colleague: bool
    """Whether the caller was bridged with the colleague's telephone."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One caller. `expected` in words and as a judgement."""

    name: str
    says: str
    steps: Sequence[Step]
    expects: str
    holds: Callable[[Result], bool]
    patience_s: float = 20.0
    """How long the caller stays on the line after the last step."""


def _put_through(result: Result) -> bool:
    return result.outcome == "transferred" and result.reached_colleague


def _interrupted(result: Result) -> bool:
    return _put_through(result) and result.interrupted


def _message(result: Result) -> bool:
    return result.outcome == "message" and result.message


SCENARIOS = {
    one.name: one
    for one in (
        Scenario(
            "sales",
            "asks for the sales department and is put through",
            (WaitSilence(PAUSE_MS), _voice("sales")),
            "transferred to the sales department",
            _put_through,
        ),
        Scenario(
            "message",
            "leaves a message",
            (
                WaitSilence(PAUSE_MS),
                _voice("leave-message"),
                WaitSilence(PAUSE_MS),
                _voice("message"),
                WaitSilence(PAUSE_MS),
                _voice("goodbye"),
                WaitSilence(PAUSE_MS),
                HangUp(),
            ),
            "a message is kept",
            _message,
        ),
        Scenario(
            "interrupt",
            "interrupts the greeting, and is put through",
            (WaitVoice(900), _voice("sales")),
            "the greeting stops at once; transferred to the sales department",
            _interrupted,
        ),
        Scenario(
            "silent",
            "says nothing",
            (),
            "asked again, then sent to the fallback",
            lambda result: result.outcome == "fallback",
            patience_s=90.0,
        ),
        Scenario(
            "unknown",
            "asks for somebody who does not exist",
            (
                WaitSilence(PAUSE_MS),
                _voice("unknown"),
                WaitSilence(PAUSE_MS),
                _voice("unknown-again"),
                WaitSilence(PAUSE_MS),
                _voice("goodbye"),
                WaitSilence(PAUSE_MS),
                HangUp(),
            ),
            "nobody is called, a message is offered, the call ends in peace",
            lambda result: result.outcome in {"caller_hung_up", "completed"} and not result.reached_colleague,
        ),
        Scenario(
            "hangup",
            "hangs up in mid-sentence",
            (WaitSilence(PAUSE_MS), Say(VOICES / "long.wav", cut_ms=3000), HangUp()),
            "noticed, and recorded as hung up",
            lambda result: result.outcome == "caller_hung_up",
        ),
    )
}
