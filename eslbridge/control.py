"""What the conversation knows of the telephone switch: control of one call, and what happens to it.

`eslbridge.esl` implements it over a FreeSWITCH outbound socket; another kind of switch would be another folder that
implements the same contract. Every coroutine has a deadline inside and raises `ControlError` instead of hanging.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


class ControlError(Exception):
    """The switch refused, did not answer in time, or the call is gone. The message says which."""


@dataclass(frozen=True, slots=True)
class Dtmf:
    """A key the caller pressed: one of 0-9 * # A-D; how long, in ms."""

    digit: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller's channel ended. `cause` is FreeSWITCH's hangup cause name."""

    cause: str


@dataclass(frozen=True, slots=True)
class Left:
    """The channel left us for another application (transferred, bridged elsewhere): the call lives on without us."""

    reason: str


@dataclass(frozen=True, slots=True)
class Bridged:
    """The channel was bridged to another one."""

    other_uuid: str


CallEvent = Dtmf | HungUp | Left | Bridged


class CallControl(Protocol):
    """One call on a switch."""

    @property
    def call_uuid(self) -> str: ...

    @property
    def variables(self) -> Mapping[str, str]:
        """Channel data by name, decoded, without the `variable_` prefix. Untrusted text: it came with the call."""
        ...

    def on_event(self, callback: Callable[[CallEvent], None]) -> None:
        """Receive the call's events from now on, on the event loop. The last one is HungUp or Left."""

    async def answer(self) -> None: ...

    async def hang_up(self, cause: str = "NORMAL_CLEARING") -> None: ...

    async def leave(self, result: str) -> None:
        """Give the call back to the dialplan, which goes on after `socket` with `eslbridge_result=<result>`."""

    async def bridge(self, other_uuid: str) -> None: ...

    async def transfer(self, number: str, *, context: str) -> None: ...

    async def record(self, path: str) -> None:
        """Have the switch record both sides to a file of its own until the call ends (stereo)."""

    async def mask_recording(self, path: str, on: bool) -> None:
        """Have the switch write silence into that file from now on, or sound again."""
        ...

    async def stop_recording(self, path: str) -> None: ...

    async def send_dtmf(self, digits: str) -> None: ...

    async def set_variable(self, name: str, value: str) -> None: ...
