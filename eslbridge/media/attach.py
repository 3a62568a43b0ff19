"""Having a call's audio brought to this node, on whichever transport its domain uses.

Each road is tried with a deadline, and leaves nothing behind when it fails: no port taken, no token alive, no leg on
the clock. The caller then goes where the dialplan sends a call without audio.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from eslbridge.control import ControlError
from eslbridge.esl import commands
from eslbridge.esl.command import Command
from eslbridge.esl.errors import CommandFailed
from eslbridge.esl.events import Event

from .audio_fork import ForkLeg
from .audio_stream import CommunityLeg
from .codec import Law
from .contract import RATE, AudioLeg
from .direct_udp import DirectUdpLeg
from .node import MediaNode
from .paced import BinaryLeg, JsonLeg
from .ports import NoPortError
from .resample import factor_of
from .switch_events import ForkEvents, StreamEvents, SwitchPlayer
from .websocket_leg import WebSocketLeg

log = logging.getLogger(__name__)

FIRST_DATAGRAM_S: Final = 0.3
"""FreeSWITCH sends its first datagram within 20 ms of binding its port; later than this it could not bind it."""
LAST_DATAGRAM_S: Final = 2.0
"""The last port gets more: a busy machine is late on every one, and a caller rather waits than is sent away."""
TRIES: Final = 3
CONNECT_S: Final = 2.0
"""mod_audio_stream gives up connecting after 1 s."""
RESOLVE_S: Final = 1.0
_SILENCE: Final = "silence_stream://-1"
TRANSPORTS: Final = (
    "direct-udp",
    "direct-udp-g711",
    "mod-audio-stream",
    "mod-audio-stream-binary",
    "mod-audio-stream-json",
    "mod-audio-fork",
)


class AttachError(Exception):
    """The audio could not be had. The message says what was tried, for the log and the administrator."""


class SwitchCall(Protocol):
    """What attaching needs of a call; `eslbridge.esl.call.OutboundCall` has it."""

    @property
    def call_uuid(self) -> str: ...

    @property
    def peer(self) -> str: ...

    @property
    def variables(self) -> Mapping[str, str]: ...

    async def api(self, command: Command, *, timeout_s: float = ...) -> str: ...

    async def send_message(self, command: Command, *, timeout_s: float = ...) -> str: ...

    async def execute(self, application: str, argument: str = ..., *, wait_s: float = ...) -> Event | None: ...

    def add_raw_listener(self, callback: Callable[[Event], None]) -> None: ...


@dataclass(frozen=True, slots=True)
class Route:
    """Where a domain's audio runs, as its EslCredential says."""

    transport: str = "direct-udp"
    switch_media_host: str = ""
    """Where FreeSWITCH binds its socket; empty for the address its control connection comes from."""
    port_min: int = 10000
    port_max: int = 10100
    node_media_host: str = ""
    """Where FreeSWITCH sends to; empty for the node's own setting."""


async def attach_leg(call: SwitchCall, media: MediaNode, route: Route, *, domain_uuid: str) -> AudioLeg:
    """Bring an answered call's audio here. Raises AttachError; the leg is the caller's to close."""
    try:
        if route.transport in ("direct-udp", "direct-udp-g711"):
            return await _direct_udp(call, media, route)
        if route.transport in TRANSPORTS:
            return await _websocket(call, media, route, domain_uuid)
    except (ControlError, NoPortError, OSError, ValueError) as error:
        raise AttachError(f"{route.transport}: {error}") from error
    raise AttachError(f"no such audio transport: {route.transport!r}")


# --- direct UDP ---------------------------------------------------------------------------------------------------


async def _direct_udp(call: SwitchCall, media: MediaNode, route: Route) -> AudioLeg:
    law = _law(call) if route.transport == "direct-udp-g711" else None
    rate = RATE if law is not None else _codec_rate(call)
    switch_host = await _ipv4(route.switch_media_host or call.peer.rpartition(":")[0])
    node_host, node_port = media.udp_address(route.node_media_host)
    node_host = await _ipv4(node_host)
    pool = media.ports(switch_host, route.port_min, route.port_max)
    legs: list[DirectUdpLeg] = []
    try:
        for tried in range(TRIES):
            port = pool.take(media.now())
            try:
                leg = DirectUdpLeg(
                    call.call_uuid, (switch_host, port), media.udp, media.clock, media.counters, law=law, rate=rate
                )
            except BaseException:
                pool.give_back(port, media.now())
                raise
            leg.on_close(lambda port=port: pool.give_back(port, media.now()))  # type: ignore[misc]
            legs.append(leg)
            await call.send_message(commands.unicast(switch_host, port, node_host, node_port, native=law is not None))
            found = await _first_heard(legs, FIRST_DATAGRAM_S if tried + 1 < TRIES else LAST_DATAGRAM_S)
            if found is not None:
                legs.remove(found)
                return found
            log.warning("call %s: no audio from %s:%d, trying another port", call.call_uuid, switch_host, port)
    finally:
        for leg in legs:
            leg.close()
    raise AttachError(
        f"{route.transport}: no datagram from {switch_host} reached {node_host}:{node_port} "
        f"({TRIES} ports tried): a firewall, a wrong address, or ports in use on the switch"
    )


async def _first_heard(legs: list[DirectUdpLeg], timeout_s: float) -> DirectUdpLeg | None:
    """The leg from whose port the switch sends; None where none does in time.

    The earlier ones count as well: a parked channel of FreeSWITCH keeps the first connection that it could make,
    whatever is asked afterwards. Where switch or node were only late, that is where the audio comes from.
    """
    waiting = [asyncio.ensure_future(leg.wait_first_datagram(timeout_s)) for leg in legs]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return next((leg for leg in legs if leg.datagrams), None)


def _law(call: SwitchCall) -> Law:
    name = call.variables.get("Channel-Read-Codec-Name", "PCMU").upper()
    if name == "PCMU":
        return "PCMU"
    if name == "PCMA":
        return "PCMA"
    raise AttachError(f"direct-udp-g711: the caller speaks {name[:32]}, not G.711; use direct-udp")


def _codec_rate(call: SwitchCall) -> int:
    text = call.variables.get("Channel-Read-Codec-Rate", "")
    rate = int(text) if text.isdigit() and len(text) < 7 else RATE
    factor_of(rate)
    return rate


async def _ipv4(host: str) -> str:
    """An address as FreeSWITCH wants it, and as our socket will see it. Raises OSError."""
    host = host.strip("[]")
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    except TimeoutError:
        raise OSError(f"the name {host!r} did not resolve in {RESOLVE_S:g} s") from None
    return str(found[0][4][0])


# --- WebSockets ---------------------------------------------------------------------------------------------------


async def _websocket(call: SwitchCall, media: MediaNode, route: Route, domain_uuid: str) -> AudioLeg:
    call_uuid, clock, counters = call.call_uuid, media.clock, media.counters
    player = SwitchPlayer(call)
    leg: WebSocketLeg
    listener: StreamEvents | ForkEvents
    match route.transport:
        case "mod-audio-stream":
            leg = community = CommunityLeg(call_uuid, clock, counters, player)
            listener = StreamEvents(leg, community)
        case "mod-audio-stream-binary":
            leg = BinaryLeg(call_uuid, clock, counters)
            listener = StreamEvents(leg)
        case "mod-audio-stream-json":
            leg = JsonLeg(call_uuid, clock, counters)
            listener = StreamEvents(leg)
        case _:
            leg = ForkLeg(call_uuid, clock, counters)
            listener = ForkEvents(leg)
    token = media.tokens.issue(call_uuid=call_uuid, domain_uuid=domain_uuid, leg=leg, now=media.now())
    url = media.websocket_url(token, route.node_media_host)
    # The module may send this before, after or without any audio; where it comes it must name the token's own call.
    metadata = json.dumps({"call_uuid": call_uuid, "domain_uuid": domain_uuid}, separators=(",", ":"))
    fork = isinstance(leg, ForkLeg)
    if fork:
        start = commands.audio_fork_start(call_uuid, url, metadata=metadata)
        stop = commands.audio_fork_stop(call_uuid)
    else:
        start = commands.audio_stream_start(call_uuid, url, metadata=metadata)
        stop = commands.audio_stream_stop(call_uuid)

    def after_close() -> None:
        media.tokens.revoke(token)
        listener.close()
        player.send(stop)

    leg.on_close(after_close)
    call.add_raw_listener(listener)
    try:
        try:
            await call.api(start)
        except CommandFailed:
            # A stream that the far end closed leaves its media bug behind: take that away, and try once more.
            await call.api(stop)
            await call.api(start)
        await leg.wait_connected(CONNECT_S)
        if isinstance(leg, ForkLeg) and call.variables.get("send_silence_when_idle", "0") in ("", "0"):
            # Nothing is played on a parked channel unless something writes.
            player.play_file(_SILENCE)
            leg.after_kill(lambda: player.play_file(_SILENCE))
    except BaseException as error:
        leg.close()
        if isinstance(error, TimeoutError):
            raise AttachError(
                f"{route.transport}: the switch did not connect to {url.rpartition('/')[0]} in {CONNECT_S:g} s"
            ) from None
        raise
    return leg
