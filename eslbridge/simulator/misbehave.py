"""Ways to misbehave, for the tests of whoever talks to a switch. The default is good conduct."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Faults of the switch (`StandInSwitch.faults`) or of one call (`place_call(faults=…)`)."""

    # ESL inbound: what a worker meets on 8021.
    refuse_login: bool = False
    """Accept the connection and close it before the greeting."""
    silent_login: bool = False
    """Accept the connection and never send a byte."""
    rude: bool = False
    """Refuse by access list: `text/rude-rejection`, then the notice, then close."""
    mute_api: bool = False
    """Read `api` and `bgapi` commands and never answer them."""
    die_after_commands: int | None = None
    """Reset the connection upon the command after this many."""

    # ESL outbound: what a node meets when a call arrives.
    connect_headers: Mapping[str, str] = field(default_factory=dict)
    """More channel data for the `connect` reply, written *unencoded*: FreeSWITCH passes a literal `%0A` on."""
    oversized_connect: int = 0
    """Bytes of padding in the `connect` reply."""
    silent_connect: bool = False
    """Connect to the node and never answer its `connect`."""
    garbage_connect: bool = False
    """Answer `connect` with bytes that are no ESL."""
    oversized_event: int = 0
    """After `connect`, announce an event of this many bytes and send that many zeros."""
    garbage_event: bool = False
    """After `connect`, send an event block whose Content-Length is no number."""
    reset_after_s: float | None = None
    """Reset the ESL connection (no notice) this long after `connect`."""

    # Audio.
    drop: float = 0.0
    """Share of datagrams lost, each way (0 to 1)."""
    stranger_datagrams: int = 0
    """Datagrams of noise sent to the node from a foreign port, one each frame, until this many are sent."""
    odd_datagrams: bool = False
    """Send audio in datagrams of odd sizes now and then."""
    no_metadata: bool = False
    """Never send a WebSocket's metadata text."""
    late_metadata_frames: int = 0
    """Send the metadata only after this many binary frames."""
    odd_frames: bool = False
    """Cut the WebSocket's audio into frames of varying, even odd, sizes."""
    websocket_reset_after_s: float | None = None
    """Reset the audio WebSocket (no close frame) this long after it opened."""
    seed: int = 1

    def dice(self) -> random.Random:
        """A repeatable source of chance for one call."""
        return random.Random(self.seed)  # noqa: S311 - chance for tests, no secret
