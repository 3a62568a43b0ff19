"""Direct UDP: FreeSWITCH's `unicast` message makes a stock switch send a call's audio here as bare datagrams.

Facts, from FreeSWITCH 1.11 (switch_ivr.c: switch_ivr_activate_unicast, the park loop, unicast_thread_run):

* A datagram has no header. Without `flags: native` it is L16 at the codec's rate, one packet time long (20 ms for most
  phones); with it, the codec's own payload.
* While the phone sends comfort noise FreeSWITCH sends a frame of 0xFF bytes instead, in the *linear* size, even in
  native mode: that is why the first native datagram may have 320 bytes. 0xFF is silence in mu-law, nearly silence in
  L16 and a loud constant in A-law, so such a frame is taken as silence in every mode.
* Whatever datagram comes back is written to the call as one frame, by a thread of its own (unicast_thread_run). With an
  RTP timer, which is the default, FreeSWITCH writes one frame each 20 ms of that timer and no sooner: a frame that
  comes early waits in the switch's socket, and so does every frame after it, until one is left out. So a burst of
  three is a delay of 40 ms for the rest of the call, and a switch that stood still for a second is a second behind.
  A datagram of no bytes ends FreeSWITCH's reader: never sent.
* That thread holds the channel's write lock while it waits for the timer. With two frames or more waiting it holds it
  always, and whoever wants to reset the channel, such as `uuid_transfer`, waits until the caller hangs up; or gets the
  lock in the wrong microsecond, waits for the thread to end while the thread waits for the lock, and the channel is
  never freed again. Seen on FreeSWITCH 1.11: 11 of 12 transfers, after a burst of two extra frames.

So a leg counts how far it is ahead of the switch: 20 ms more for each frame it sends, and less for each that comes, for
FreeSWITCH sends one in each 20 ms. It leaves out silence until the switch has caught up, holds voice back when
MOST_AHEAD_MS wait, and before a transfer it falls silent (`hold`).

Between utterances a leg sends silence, one frame each 20 ms. It costs half of the sending work, and buys what a
telephone call is expected to be: an unbroken RTP stream whose timestamps agree with the time (FreeSWITCH counts
samples written, not milliseconds), which keeps NAT bindings, carriers' silence watchdogs and jitter buffers quiet.
`silence=False` saves it.

There is no authentication: only the address and port given to FreeSWITCH for a call is heard on that call.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Final

from .clock import MediaClock
from .codec import SILENCE_BYTE, Law, decode, encode
from .contract import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, FRAME_SAMPLES, HAND_OVER_MS, RATE
from .counters import MediaCounters
from .frames import SILENCE, FrameCutter
from .leg import BaseLeg
from .resample import Decimator, Interpolator

Address = tuple[str, int]
LOST_AFTER_S: Final = 5.0
"""No datagram for this long is a broken road: FreeSWITCH sends one each 20 ms, whether the phone speaks or not."""
MOST_AHEAD_MS: Final = HAND_OVER_MS - FRAME_MS
"""How much may wait in the switch: it is rid of it in HAND_OVER_MS."""
_QUIET_AHEAD_MS: Final = 2 * FRAME_MS
"""So far ahead, silence is left out. One frame is always under way, and two are when the network jitters."""
_RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024
"""What the kernel may hold while the loop is busy: 500 calls fill 0.25 MB in 10 ms, counted with its bookkeeping."""
_MAX_DATAGRAM: Final = 4096
_NOISE: Final = {size: b"\xff" * size for size in (160, 240, 320, 480, 640, 960, 1920)}

log = logging.getLogger(__name__)


class UdpRoad:
    """One socket for all calls of a node. Read by `drain`, once a phase of the clock, until it would block.

    Reading on the clock instead of on readability costs the caller 2.5 ms on average and saves one wake-up of the event
    loop for nearly every datagram.
    """

    def __init__(self, counters: MediaCounters) -> None:
        self._counters = counters
        self._legs: dict[Address, DirectUdpLeg] = {}
        self._socket: socket.socket | None = None
        self._error = ""
        self.receive_buffer_bytes = 0

    def __len__(self) -> int:
        return len(self._legs)

    @property
    def address(self) -> Address:
        """Where the socket is bound. Raises RuntimeError before `open`."""
        host, port = self.socket.getsockname()[:2]
        return str(host), int(port)

    @property
    def socket(self) -> socket.socket:
        if self._socket is None:
            raise RuntimeError("the UDP socket is not open")
        return self._socket

    def open(self, host: str, port: int) -> None:
        """Bind. Raises OSError."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _RECEIVE_BUFFER_BYTES)
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        # The kernel reports twice what it grants, and grants no more than net.core.rmem_max.
        self.receive_buffer_bytes = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
        if self.receive_buffer_bytes < _RECEIVE_BUFFER_BYTES:
            log.warning(
                "the kernel gives the audio socket %d bytes instead of %d: raise net.core.rmem_max beyond 100 calls",
                self.receive_buffer_bytes,
                _RECEIVE_BUFFER_BYTES,
            )
        self._socket = sock

    def close(self) -> None:
        """Idempotent. Legs that are still there simply hear nothing any more."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._legs.clear()

    def register(self, address: Address, leg: DirectUdpLeg) -> None:
        """Hear this address for this leg. Raises ValueError if another call has it."""
        if address in self._legs:
            raise ValueError(f"{address[0]}:{address[1]} belongs to another call")
        self._legs[address] = leg

    def forget(self, address: Address) -> None:
        self._legs.pop(address, None)

    def drain(self) -> None:
        """Read what has arrived and hand it to its legs; at most a few frames for each leg, so that a flood of
        strangers cannot hold the clock."""
        sock = self._socket
        if sock is None:
            return
        receive, legs = sock.recvfrom, self._legs
        limit = 64 + 4 * len(legs)
        try:
            for _ in range(limit):
                data, address = receive(_MAX_DATAGRAM)
                leg = legs.get(address)
                if leg is not None:
                    leg.receive(data)
                else:
                    self._counters.datagrams_from_strangers += 1
        except BlockingIOError:
            return
        except OSError as error:
            # Tried again in 5 ms: told when it begins, not each time.
            if self._error != str(error):
                self._error = str(error)
                log.warning("reading the audio socket failed: %s", error)
            return
        self._counters.receive_limited += 1


class DirectUdpLeg(BaseLeg):
    """One call over direct UDP. `law` is set for native G.711; else `rate` is the codec's, a multiple of 8,000 Hz."""

    __slots__ = (
        "_address",
        "_ahead_ms",
        "_bytes_per_ms",
        "_cutter",
        "_down",
        "_factor",
        "_first",
        "_held",
        "_law",
        "_plain",
        "_quiet",
        "_quiet_limit",
        "_quiet_ticks",
        "_road",
        "_send",
        "_up",
        "datagrams",
    )

    def __init__(
        self,
        call_uuid: str,
        address: Address,
        road: UdpRoad,
        clock: MediaClock,
        counters: MediaCounters,
        *,
        law: Law | None = None,
        rate: int = RATE,
        silence: bool = True,
        lost_after_s: float = LOST_AFTER_S,
    ) -> None:
        super().__init__("direct-udp" if law is None else "direct-udp-g711", call_uuid, clock, counters)
        self._address = address
        self._road = road
        self._law = law
        self._cutter = FrameCutter()
        self._down = Decimator(rate) if law is None and rate != RATE else None
        self._up = Interpolator(rate) if law is None and rate != RATE else None
        self._factor = rate // RATE
        self._plain = law is None and rate == RATE
        self._quiet: bytes | None = None
        if silence:
            self._quiet = SILENCE if law is None else bytes([SILENCE_BYTE[law]]) * FRAME_SAMPLES
            self._quiet *= self._factor if law is None else 1
        self._quiet_ticks = 0
        self._quiet_limit = int(lost_after_s * 1000 / FRAME_MS)
        self._first: asyncio.Future[None] | None = None
        self._bytes_per_ms = BYTES_PER_MS // 2 if law is not None else BYTES_PER_MS * self._factor
        self._ahead_ms = 0
        self._held = False
        self.datagrams = 0
        """Datagrams of this call so far."""
        self._send = road.socket.sendto
        road.register(address, self)
        clock.add(self)

    async def wait_first_datagram(self, timeout_s: float) -> None:
        """Until FreeSWITCH has sent something: only then has it bound its port. Raises TimeoutError."""
        if not self.datagrams:
            self._first = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._first
            finally:
                self._first = None

    def receive(self, data: bytes) -> None:
        """One datagram from the call's own address."""
        self._quiet_ticks = 0
        self.datagrams += 1
        if self._first is not None and not self._first.done():
            self._first.set_result(None)
        size = len(data)
        # What was sent before the first datagram went nowhere; and a switch cannot be ahead of us.
        ahead = self._ahead_ms - size // self._bytes_per_ms
        self._ahead_ms = ahead if ahead > 0 and self.datagrams > 1 else 0
        if size == FRAME_BYTES and self._plain and data[0] != 0xFF and not self._cutter.holds:
            # The common case first: L16 at 8,000 Hz in frames of 20 ms, with nothing held back.
            self._hear(data)
            return
        if not size:
            return
        if data[0] == 0xFF and data == _NOISE.get(size):
            self._take(SILENCE if self._law is not None else bytes(size // self._factor))
            return
        if self._law is not None:
            data = decode(data, self._law)
        elif self._down is not None:
            if size % 2:
                self._counters.datagrams_odd += 1
                data = data[:-1]
            data = self._down.push(data)
        elif size % 2:
            # Half a sample at the end of a datagram is damage and not a beginning: datagrams do not continue each
            # other.
            self._counters.datagrams_odd += 1
            data = data[:-1]
        self._take(data)

    def tick(self) -> None:
        self._quiet_ticks += 1
        if self._quiet_ticks > self._quiet_limit:
            self._lose(f"no audio from the switch for {self._quiet_limit * FRAME_MS / 1000:g} s")
            return
        queue, counters, ahead = self._queue, self._counters, self._ahead_ms
        frame: bytes | None = None
        if queue.active:
            if queue.tick():
                self._drained()
                if self._closed:
                    return
            if ahead > MOST_AHEAD_MS - FRAME_MS:
                counters.frames_waited += 1
                return
            frame = queue.take()
        if frame is None:
            frame = self._quiet
            if frame is None or self._held:
                return
            if ahead >= _QUIET_AHEAD_MS:
                counters.silence_left_out += 1
                return
        else:
            counters.voice_frames_out += 1
            if self._law is not None:
                frame = encode(frame, self._law)
            elif self._up is not None:
                frame = self._up.push(frame)
        self._ahead_ms = ahead + FRAME_MS
        try:
            self._send(frame, self._address)
        except OSError:
            counters.send_errors += 1
        else:
            counters.frames_out += 1

    def play(self, pcm: bytes) -> int:
        self._held = False
        return super().play(pcm)

    def stop(self) -> None:
        self._queue.stop(fade=True)

    def hold(self) -> None:
        self._queue.stop()
        self._held = True

    def _take(self, pcm: bytes) -> None:
        for frame in self._cutter.push(pcm):
            self._hear(frame)

    def _release(self) -> None:
        self._road.forget(self._address)
