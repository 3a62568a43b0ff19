"""Dialplan applications: those a secretary's call needs, with FreeSWITCH's responses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from eslbridge.simulator import sounds
from eslbridge.simulator.media import Player
from eslbridge.simulator.outbound import socket_application
from eslbridge.simulator.recording import StereoRecording

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel

Application = Callable[["Channel", str], Awaitable[str | None]]
APPLICATIONS: dict[str, Application] = {"socket": socket_application}
"""By name. An application returns its `Application-Response`, or None for `_none_`."""


def application(*names: str) -> Callable[[Application], Application]:
    def register(function: Application) -> Application:
        for name in names:
            APPLICATIONS[name] = function
        return function

    return register


@application("answer")
async def answer(channel: Channel, data: str) -> None:
    channel.answer()


@application("pre_answer", "ring_ready")
async def pre_answer(channel: Channel, data: str) -> None:
    channel.pre_answer()


@application("set", "export", "bridge_export")
async def set_variable(channel: Channel, data: str) -> None:
    name, _, value = data.partition("=")
    name = name.removeprefix("nolocal:")
    if value:
        channel.variables[name] = value
        if name == "send_silence_when_idle":
            channel.media.silence_when_idle = value != "0"
    else:
        channel.variables.pop(name, None)


@application("unset")
async def unset(channel: Channel, data: str) -> None:
    channel.variables.pop(data, None)


@application("multiset")
async def multiset(channel: Channel, data: str) -> None:
    delimiter = " "
    if data.startswith("^^") and len(data) > 3:
        delimiter, data = data[2], data[3:]
    for pair in data.split(delimiter):
        await set_variable(channel, pair)


@application("log", "info", "hash", "limit", "sched_hangup", "start_dtmf", "stop_dtmf", "export_vars", "presence")
async def nothing(channel: Channel, data: str) -> None:
    """Applications without a counterpart here."""


@application("_idle")
async def idle(channel: Channel, data: str) -> None:
    await channel.idle()


@application("park")
async def park(channel: Channel, data: str) -> None:
    await channel.park.run()


@application("sleep")
async def sleep(channel: Channel, data: str) -> None:
    """Milliseconds; `uuid_break` ends it early."""
    player = Player(bytes(16 * max(0, int(data or 0))))
    if not channel.has_media:
        await channel.switch.clock.sleep(int(data or 0) / 1000)
        return
    await _play(channel, player)


@application("echo")
async def echo(channel: Channel, data: str) -> None:
    channel.answer()
    channel.media.join(channel.media)
    try:
        await channel.idle()
    finally:
        channel.media.part()


@application("hangup")
async def hangup(channel: Channel, data: str) -> None:
    channel.hang_up(data.strip() or "NORMAL_CLEARING")
    await asyncio.sleep(0)


@application("transfer")
async def transfer(channel: Channel, data: str) -> None:
    words = data.split()
    if not words:
        return
    dialplan, context = [*words[1:3], "", ""][:2]
    channel.transfer(words[0], context, dialplan)
    await asyncio.sleep(0)


@application("execute_extension")
async def execute_extension(channel: Channel, data: str) -> None:
    """The actions of another extension, then on with this one."""
    words = data.split()
    if not words:
        return
    context = words[2] if len(words) > 2 else channel.profile.context
    for action in channel.switch.look_up(channel, words[0], context) or []:
        await channel.execute(action.app, action.data)


@application("playback", "play")
async def playback(channel: Channel, data: str) -> str:
    """Plays a file or stream. Resets the session first, so a unicast connection is gone afterwards."""
    channel.end_unicast()
    channel.pre_answer()
    try:
        pcm = sounds.find(data)
    except FileNotFoundError:
        return "FILE NOT FOUND"
    except (OSError, ValueError):
        return "PLAYBACK ERROR"
    channel.emit("PLAYBACK_START", extra=[("Playback-File-Path", data)])
    player = Player(pcm)
    try:
        await _play(channel, player)
    finally:
        status = "break" if player.broken else "done"
        played_ms = player.position // 16
        channel.variables["playback_seconds"] = str(played_ms // 1000)
        channel.variables["playback_ms"] = str(played_ms)
        channel.variables["playback_samples"] = str(player.position // 2)
        channel.variables["current_application_response"] = "FILE PLAYED"
        channel.emit("PLAYBACK_STOP", extra=[("Playback-File-Path", data), ("Playback-Status", status)])
    return "FILE PLAYED"


async def _play(channel: Channel, player: Player) -> None:
    before, channel.media.player = channel.media.player, player
    try:
        await player.done.wait()
    finally:
        player.break_off()
        if channel.media.player is player:
            channel.media.player = before


@application("endless_playback")
async def endless_playback(channel: Channel, data: str) -> str:
    while await playback(channel, data) == "FILE PLAYED":
        pass
    return "PLAYBACK ERROR"


@application("record_session")
async def record_session(channel: Channel, data: str) -> None:
    start_recording(channel, data)


@application("stop_record_session")
async def stop_record_session(channel: Channel, data: str) -> None:
    stop_recording(channel)


def start_recording(channel: Channel, path: str) -> None:
    """A media bug: both sides in one stereo WAV. A file that is being written already goes on."""
    if channel.media.recorder is not None and str(channel.media.recorder.path) == path:
        return
    stop_recording(channel)
    channel.media.recorder = StereoRecording(path)
    channel.emit("RECORD_START", extra=[("Record-File-Path", path)])


def stop_recording(channel: Channel) -> None:
    recorder = channel.media.recorder
    if recorder is not None:
        recorder.close()
        channel.media.recorder = None
        channel.emit("RECORD_STOP", extra=[("Record-File-Path", str(recorder.path))])


@application("voicemail")
async def voicemail(channel: Channel, data: str) -> None:
    """The fallback's end: a beep, and then the caller's message until the caller hangs up (at most two minutes)."""
    channel.answer()
    await playback(channel, "tone_stream://%(400,0,1000)")
    await channel.switch.clock.sleep(120)


@application("bridge")
async def bridge(channel: Channel, data: str) -> str | None:
    """Ring the endpoints of a dial string in turn, and join the first that answers."""
    from eslbridge.simulator import originate

    leg, cause = await originate.ring(channel.switch, data, caller=channel)
    channel.variables["originate_disposition"] = cause
    channel.variables["DIALSTATUS"] = cause
    if leg is None:
        channel.variables["originate_failed_cause"] = cause
        wanted = channel.variable("continue_on_fail")
        if channel.is_true("continue_on_fail") or cause in (wanted.split(",") if wanted else ALWAYS_ON):
            return cause
        channel.hang_up(cause)
        await asyncio.sleep(0)
        return cause
    await originate.talk(channel, leg)
    return None


ALWAYS_ON = ("NO_ANSWER", "NO_USER_RESPONSE", "ORIGINATOR_CANCEL")
"""Nobody answered: the dialplan goes on, unless `continue_on_fail` says otherwise (switch_channel_handle_cause)."""


@application("_bridge_uuid")
async def bridge_uuid(channel: Channel, data: str) -> None:
    """Join a leg that is already up (`uuid_bridge`)."""
    from eslbridge.simulator import originate

    leg = channel.switch.channels.get(data)
    if leg is not None:
        await originate.talk(channel, leg)
