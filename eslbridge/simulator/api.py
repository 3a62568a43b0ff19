"""The `api` commands, by name. Output is as FreeSWITCH 1.11 writes it."""

from __future__ import annotations

import json
import re
import time
import uuid as uuids
from collections.abc import Callable
from typing import TYPE_CHECKING

from eslbridge.simulator import apps, originate
from eslbridge.simulator.arguments import separate
from eslbridge.simulator.audio_fork import AudioFork
from eslbridge.simulator.audio_stream import AudioStream
from eslbridge.simulator.dialplan import Action

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel
    from eslbridge.simulator.switch import StandInSwitch

MODULES = frozenset(
    {"mod_sofia", "mod_dptools", "mod_commands", "mod_event_socket", "mod_audio_stream", "mod_audio_fork"}
)
NO_CHANNEL = "-ERR No such channel!\n"
Handler = Callable[["Api", str], str]
HANDLERS: dict[str, Handler] = {}


def command(name: str) -> Callable[[Handler], Handler]:
    def register(function: Handler) -> Handler:
        HANDLERS[name] = function
        return function

    return register


class Api:
    """The command table of one switch."""

    def __init__(self, switch: StandInSwitch) -> None:
        self.switch = switch
        self.started = time.time()
        self.calls: list[str] = []
        """The last commands run, newest last, at most 500: for tests."""

    async def run(self, line: str) -> str:
        """An `api` line. `originate`, `msleep` and at times `uuid_transfer` take their time; the others are at once."""
        name, _, rest = line.strip("\r").partition(" ")
        if name == "originate":
            self._note(line)
            return await originate.originate(self.switch, rest)
        if name == "uuid_transfer":
            await self._let_go(rest)
        if name == "msleep":
            await self.switch.clock.sleep(int(rest or 0) / 1000)
            return "+OK\n"
        return self.call(name, rest)

    def call(self, name: str, rest: str) -> str:
        """A command that answers at once; `${name(rest)}` in a dialplan comes here too."""
        self._note(f"{name} {rest}".rstrip())
        handler = HANDLERS.get(name)
        return handler(self, rest) if handler is not None else f"-ERR {name} Command not found!\n"

    async def _let_go(self, rest: str) -> None:
        """Wait, as long as it takes, until the thread that writes a unicast's frames lets go of the channel's lock."""
        channel = self.channel(rest.partition(" ")[0])
        while channel is not None and not channel.is_down and channel.media.unicast and channel.media.unicast.is_behind:
            await self.switch.clock.sleep(0.02)

    def _note(self, line: str) -> None:
        self.calls.append(line)
        del self.calls[:-500]

    def channel(self, uuid: str) -> Channel | None:
        return self.switch.channels.get(uuid)


@command("status")
def status(api: Api, rest: str) -> str:
    seconds = int(time.time() - api.started)
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    count = len(api.switch.channels)
    return (
        f"UP 0 years, {days} days, {hours} hours, {minutes} minutes, {seconds % 60} seconds, 0 milliseconds, "
        "0 microseconds\nFreeSWITCH (Version 1.11.3-dev git cc93a68 2026-08-21 14:10:14Z 64bit) is ready\n"
        f"{api.switch.sessions} session(s) since startup\n{count} session(s) - peak {api.switch.peak}, last 5min 0 \n"
        f"0 session(s) per Sec out of max 2000, peak 2, last 5min 0 \n20000 session(s) max\n"
        "min idle cpu 0.00/91.10\nCurrent Stack Size/Max 240K/8192K\n"
    )


@command("create_uuid")
def create_uuid(api: Api, rest: str) -> str:
    return str(uuids.uuid4())


@command("uuid_exists")
def uuid_exists(api: Api, rest: str) -> str:
    return "true" if api.channel(rest.strip()) is not None else "false"


@command("uuid_getvar")
def uuid_getvar(api: Api, rest: str) -> str:
    words = rest.split()
    if len(words) < 2:
        return "-USAGE: <uuid> <var>\n"
    channel = api.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    return channel.variable(words[1]) or "_undef_"


@command("uuid_setvar")
def uuid_setvar(api: Api, rest: str) -> str:
    words = separate(rest, 3)
    if len(words) < 2:
        return "-USAGE: <uuid> <var> [value]\n"
    name, value = words[1], words[2] if len(words) > 2 else ""
    channel = api.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    if value:
        channel.variables[name] = value
    else:
        channel.variables.pop(name, None)
    return "+OK\n"


@command("uuid_kill")
def uuid_kill(api: Api, rest: str) -> str:
    words = rest.split()
    channel = api.channel(words[0]) if words else None
    if channel is None:
        return NO_CHANNEL
    channel.hang_up(words[1] if len(words) > 1 else "NORMAL_CLEARING")
    return "+OK\n"


@command("uuid_transfer")
def uuid_transfer(api: Api, rest: str) -> str:
    words = separate(rest)
    if len(words) < 2:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    channel = api.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    if words[1] == "-bleg":
        words.pop(1)
        if channel.other_leg is None:
            return "-ERR No such channel!\n"
        channel = channel.other_leg
    dialplan, context = [*words[2:4], "", ""][:2]
    channel.transfer(words[1], context, dialplan)
    return "+OK\n"


@command("uuid_bridge")
def uuid_bridge(api: Api, rest: str) -> str:
    words = rest.split()
    if len(words) < 2:
        return "-USAGE: <uuid> <other_uuid>\n"
    one, other = api.channel(words[0]), api.channel(words[1])
    if one is None or other is None or not one.has_media:
        return "-ERR Invalid uuid\n"
    other.redirect([Action("_idle", "")])
    one.redirect([Action("_bridge_uuid", other.uuid)])
    return f"+OK {other.uuid}\n"


@command("uuid_broadcast")
def uuid_broadcast(api: Api, rest: str) -> str:
    """A file, or `app::data`, queued for the channel's own thread."""
    words = separate(rest)
    if len(words) < 2:
        return "-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n"
    channel = api.channel(words[0])
    if channel is None:
        return "-ERR invalid uuid\n"
    app, double, data = words[1].partition("::")
    app, data = (app, data) if double else ("playback", words[1])
    api.switch.broadcast(channel, app, data)
    return "+OK Message sent\n"


@command("uuid_break")
def uuid_break(api: Api, rest: str) -> str:
    words = rest.split()
    if not words:
        return "-USAGE: <uuid> [all]\n"
    channel = api.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    if "all" in words[1:]:
        channel.park.flush()
    if channel.media.player is not None:
        channel.media.player.break_off()
    return "+OK\n"


@command("uuid_record")
def uuid_record(api: Api, rest: str) -> str:
    words = separate(rest)
    if len(words) < 3:
        return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>]\n"
    channel = api.channel(words[0])
    if channel is None:
        return "-ERR Cannot locate session!\n"
    if words[1] == "start":
        try:
            apps.start_recording(channel, words[2])
        except OSError:
            return "-ERR Cannot record session!\n"
    elif words[1] == "stop":
        if channel.media.recorder is None:
            return "-ERR Cannot stop record session!\n"
        apps.stop_recording(channel)
    elif words[1] in ("mask", "unmask"):
        recorder = channel.media.recorder
        if recorder is None or str(recorder.path) != words[2]:
            return "-ERR Cannot mask recording session!\n"
        recorder.masked = words[1] == "mask"
    return "+OK Success\n"


@command("uuid_answer")
def uuid_answer(api: Api, rest: str) -> str:
    channel = api.channel(rest.strip())
    if channel is None:
        return NO_CHANNEL
    channel.answer()
    return "+OK\n"


@command("uuid_send_dtmf")
def uuid_send_dtmf(api: Api, rest: str) -> str:
    words = rest.split()
    if len(words) < 2:
        return "-USAGE: <uuid> <dtmf digits>[@<tone_duration>]\n"
    if api.channel(words[0]) is None:
        return "-ERR Cannot locate session!\n"
    return f"+OK {words[0]} sent DTMF {words[1]}.\n"


@command("hupall")
def hupall(api: Api, rest: str) -> str:
    words = rest.split()
    cause = words[0] if words else "MANAGER_REQUEST"
    for channel in list(api.switch.channels.values()):
        if len(words) < 3 or channel.variable(words[1]) == words[2]:
            channel.hang_up(cause)
    if len(words) >= 3:
        return f"+OK hangup all channels matching [{words[1]}]=[{words[2]}] with cause: {cause}\n"
    return f"+OK hangup all channels with cause {cause}\n"


@command("sched_api")
def sched_api(api: Api, rest: str) -> str:
    """`+8 <group> <command>`: `sched_del <group>` takes it back."""
    match = re.fullmatch(r"([+@]?)(\d+) (\S+) (.+)", rest)
    if match is None:
        return "-ERR Invalid syntax. USAGE: [+@]<time> <group_name> <command_string>[&]\n"
    how, number, group, line = match.groups()
    seconds = float(number) if how else max(0.0, float(number) - time.time())
    task = api.switch.schedule(seconds, group, line.rstrip("&"), repeat=how == "@")
    return f"+OK Added: {task}\n"


@command("sched_del")
def sched_del(api: Api, rest: str) -> str:
    return f"+OK Deleted: {api.switch.unschedule(rest.strip())}\n"


@command("show")
def show(api: Api, rest: str) -> str:
    words = rest.split()
    if words[:1] not in (["channels"], ["calls"]):
        return "-USAGE: codec|endpoint|application|api|channels|calls\n"
    channels = list(api.switch.channels.values())
    if words[1:2] == ["like"] and len(words) > 2:
        channels = [channel for channel in channels if _is_like(channel, words[2])]
        words = [words[0], *words[3:]]
    if words[1:] == ["as", "json"]:
        if not channels:
            return '{"row_count": 0}\n'
        rows = [_row(channel) for channel in channels]
        return json.dumps({"row_count": len(rows), "rows": rows}, ensure_ascii=False, separators=(",", ":"))
    return f"\n{len(channels)} total.\n"


def _is_like(channel: Channel, text: str) -> bool:
    """What `show channels like` looks at (mod_commands); SQL's LIKE knows no case."""
    looked_at = (channel.uuid, channel.name, channel.profile.caller_name, channel.profile.caller_number)
    return any(text.lower() in one.lower() for one in looked_at)


def _row(channel: Channel) -> dict[str, str]:
    """One line of `show channels as json`, with the recorded keys in their order."""
    created = time.localtime(channel.created_us / 1e6)
    profile = channel.profile
    app, data = channel.application
    row = {
        "uuid": channel.uuid,
        "direction": channel.direction,
        "created": time.strftime("%Y-%m-%d %H:%M:%S", created),
        "created_epoch": str(channel.created_us // 1_000_000),
        "name": channel.name,
        "state": channel.state,
        "cid_name": profile.caller_name,
        "cid_num": profile.caller_number,
        "ip_addr": profile.network_addr,
        "dest": profile.destination,
        "application": app,
        "application_data": data,
        "dialplan": profile.dialplan,
        "context": profile.context,
    }
    for way in ("read", "write"):
        row |= {f"{way}_codec": channel.codec, f"{way}_rate": "8000", f"{way}_bit_rate": "64000"}
    row |= {
        "secure": "",
        "hostname": "vm",
        "presence_id": channel.variable("presence_id"),
        "presence_data": "",
        "accountcode": "",
    }
    row |= {"callstate": channel.call_state, "callee_name": "", "callee_num": "", "callee_direction": ""}
    row |= {"call_uuid": channel.variable("call_uuid"), "sent_callee_name": "", "sent_callee_num": ""}
    row |= {"initial_cid_name": profile.caller_name, "initial_cid_num": profile.caller_number}
    row |= {"initial_ip_addr": profile.network_addr, "initial_dest": profile.destination}
    return row | {"initial_dialplan": profile.dialplan, "initial_context": profile.context}


@command("uuid_audio_stream")
def uuid_audio_stream(api: Api, rest: str) -> str:
    uuid, _, order = rest.partition(" ")
    channel = api.channel(uuid)
    return AudioStream.command(channel, order) if channel is not None else "-ERR no reply\n"


@command("uuid_audio_fork")
def uuid_audio_fork(api: Api, rest: str) -> str:
    uuid, _, order = rest.partition(" ")
    channel = api.channel(uuid)
    return AudioFork.command(channel, order) if channel is not None else "-ERR Operation Failed\n"


@command("module_exists")
def module_exists(api: Api, rest: str) -> str:
    return "true" if rest.strip() in MODULES else "false"


@command("global_getvar")
def global_getvar(api: Api, rest: str) -> str:
    return "vm" if rest.strip() == "hostname" else ""


@command("cond")
def cond(api: Api, rest: str) -> str:
    """`a == b ? x : y`."""
    match = re.fullmatch(r"\s*(.*?)\s*(==|!=)\s*(.*?)\s*\?\s*(.*?)\s*:\s*(.*?)\s*", rest)
    if match is None:
        return "-ERR"
    left, operator, right, yes, no = match.groups()
    return yes if (left.strip("'") == right.strip("'")) == (operator == "==") else no
