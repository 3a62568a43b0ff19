"""What kind of switch to stand in for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from eslbridge.simulator.caller import Step

StreamDialect = Literal["community", "binary", "json"]
"""What `uuid_audio_stream` plays back: nothing (it writes a file and says so), binary frames, or raw `streamAudio`."""

ExtensionConduct = Literal["answer", "busy", "no_answer", "reject", "unregistered"]


@dataclass(frozen=True, slots=True)
class Extension:
    """A colleague's telephone, registered as `number` in `domain`."""

    number: str
    domain: str
    conduct: ExtensionConduct = "answer"
    answer_after_s: float = 1.0
    """Seconds of ringing before an answer, or before the line is reported busy or the call rejected."""
    wav: str = ""
    """What the colleague says after answering; a short chime when empty."""
    steps: tuple[Step, ...] | None = None
    """What the colleague does after answering, instead of that (see `colleague.py`)."""
    hang_up_after_s: float | None = None
    """Seconds after the answer at which the colleague hangs up; never when None."""
    directory: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Variables of the user in the directory: `do_not_disturb`, `forward_all_enabled`, …"""


@dataclass(slots=True)
class Options:
    """Addresses, secrets and the habits that differ between builds of FreeSWITCH."""

    host: str = "127.0.0.1"
    port: int = 8021
    """Where ESL clients connect; 0 takes a free port (see `StandInSwitch.port`)."""
    password: str = "ClueCon"  # noqa: S105 - FreeSWITCH's own published default
    stream_dialect: StreamDialect = "community"
    codec: Literal["PCMU", "PCMA"] = "PCMU"
    silent_listener_s: float = 24.5
    """How long FreeSWITCH waits for a listener's first command before it goes on (measured on 1.11)."""
    park_entry_s: float = 0.005
    """Between a listener's `connect` and the call entering park: a listener that dies within it leaves the call parked
    for ever, unless `socket_resume` is set."""
    bgapi_delay_s: float = 0.0
    ring_timeout_s: float = 30.0
    event_queue: int = 100_000
    """Undelivered events a connection may have (FreeSWITCH's own bound) before they are lost; 500 lost end it."""
    temp_dir: str = ""
    """Where `streamAudio` files are written; the system's temporary folder when empty."""
    extensions: list[Extension] = field(default_factory=list)
