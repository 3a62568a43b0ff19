"""What the conversation knows of audio: one leg, frames in, voice out.

Everything inside a node is linear 16-bit little-endian mono at 8,000 Hz. A frame is 20 ms: 160 samples, 320 bytes.
A leg converts at its edge (G.711, another rate, a WebSocket dialect), so nobody else has to know the transport.

All methods are called on the node's event loop, return at once and never block. Listener callbacks likewise.
"""

from __future__ import annotations

from typing import Final, Protocol

RATE: Final = 8000
"""Samples a second inside the node (Hz)."""
FRAME_MS: Final = 20
FRAME_SAMPLES: Final = RATE * FRAME_MS // 1000
FRAME_BYTES: Final = FRAME_SAMPLES * 2
BYTES_PER_MS: Final = RATE * 2 // 1000
MAX_LEAD_MS: Final = 60
"""The most audio a leg may have sent ahead of the caller's ear, so that stopping is immediate on every transport."""
HAND_OVER_MS: Final = 120
"""How long after `AudioLeg.hold` the switch may still be busy with what it was sent."""
MAX_QUEUED_MS: Final = 120_000
"""The most voice a leg holds waiting for its turn; `AudioLeg.play` refuses the rest and says so."""


class LegListener(Protocol):
    """Who owns the conversation on this leg."""

    def on_frame(self, frame: bytes) -> None:
        """One caller frame: exactly FRAME_BYTES of L16. Called 50 times a second for each call: keep it short."""

    def on_drained(self) -> None:
        """The caller has just heard the last of what was queued. Not called after `stop`."""

    def on_lost(self, reason: str) -> None:
        """The audio road broke (socket closed, module stopped, no datagram for too long). Called once at most."""


class AudioLeg(Protocol):
    """One call's audio, both ways, on whatever transport."""

    @property
    def transport(self) -> str:
        """The name in `EslCredential.audio_transport`, for the record and the metrics."""
        ...

    @property
    def heard_ms(self) -> int:
        """How much *voice* the caller has heard since the leg opened, in ms; silence between does not count.

        It never decreases, and never exceeds what was played: an utterance queued when `heard_ms + queued_ms` was x
        occupies [x, x + its length) on this scale.
        """
        ...

    @property
    def queued_ms(self) -> int:
        """Voice accepted by `play` and not yet heard, in ms."""
        ...

    def listen(self, listener: LegListener) -> None:
        """Hand every later frame and event to `listener`. Frames before that are dropped."""

    def play(self, pcm: bytes) -> int:
        """Queue voice after what is already queued; L16 of any even length.

        Returns how many bytes were accepted: fewer than given when MAX_QUEUED_MS is reached (counted by the leg).
        A remainder shorter than a frame waits for the next `play` or is padded with silence when the queue runs dry.
        """
        ...

    def stop(self) -> None:
        """Forget all queued voice now; at most MAX_LEAD_MS already on the road is still heard."""

    def hold(self) -> None:
        """Send the switch nothing at all until the next `play`: the call is about to be taken from this leg.

        HAND_OVER_MS later the switch has written all there was. Frames of the caller go on coming.
        """

    def duck(self, gain: float) -> None:
        """Play what follows at this gain (1.0 is normal): the first stage of a barge-in."""

    def close(self) -> None:
        """Release the leg's sockets, ports and tokens. Idempotent; no callback afterwards."""
