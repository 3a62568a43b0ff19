"""The one place where commands for FreeSWITCH are built.

Each function gives a checked `Command`; the name is FreeSWITCH's own. Arguments that come from people, models or SIP
are checked against what they may be, or escaped. All raise CommandRefused, and nothing is sent then.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from eslbridge.esl.command import (
    Command,
    matching,
    number,
    originate_value,
    plain_text,
    quoted,
    uuid,
)
from eslbridge.esl.errors import CommandRefused

MixType = Literal["mono", "mixed", "stereo"]
Leg = Literal["aleg", "bleg", "both"]

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"
_NUMBER = r"[A-Za-z0-9+*#_][A-Za-z0-9+*#_.@-]{0,127}"
_CONTEXT = r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}"
_CAUSE = r"[A-Z][A-Z0-9_]{1,48}"
_EVENT = r"[A-Z][A-Z_]{1,40}"
_SUBCLASS = r"[A-Za-z0-9_]+(::[A-Za-z0-9_]+)+"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_-]{0,63}"
_GROUP = r"[A-Za-z][A-Za-z0-9_.-]{0,63}"
_WS_URL = r"wss?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]*)?"
_DIAL = r"(user|sofia|loopback|null|error)/[A-Za-z0-9_.+@:/*#~;=-]{1,250}"
_HOST = r"[A-Za-z0-9.-]{1,253}"
_MEDIA_FLAGS: Final = ("aleg", "bleg", "both")

MOD_AUDIO_STREAM_EVENTS: Final = tuple(
    f"mod_audio_stream::{kind}" for kind in ("connect", "disconnect", "error", "json", "play")
)
MOD_AUDIO_FORK_EVENTS: Final = tuple(
    f"mod_audio_fork::{kind}"
    for kind in ("connect", "connect_failed", "disconnect", "buffer_overrun", "error", "json", "play_audio",
                 "kill_audio", "transcription", "transfer")
)  # fmt: skip


# --- the connection itself ---------------------------------------------------------------------------------------


def connect() -> Command:
    """The first thing to say on an outbound connection; the reply is the channel's data."""
    return Command("connect")


def auth(password: str) -> Command:
    """Log in on an inbound connection."""
    if not password:
        raise CommandRefused("an empty password")
    return Command(f"auth {password}", secret=True)


def linger(seconds: int) -> Command:
    """Keep the connection that long after the call, for its last events. Never without a number: see `exit_`."""
    return Command(f"linger {number(seconds, 1, 600, 'linger')}")


def myevents() -> Command:
    """The call's own events, as JSON."""
    return Command("myevents json")


def events(names: Iterable[str] = (), *, custom: Iterable[str] = ()) -> Command:
    """Subscribe to events as JSON; `custom` are subclasses of CUSTOM, which must be named one by one."""
    known = [matching(_EVENT, name, "an event's name") for name in names]
    subclasses = [matching(_SUBCLASS, name, "a subclass") for name in custom]
    if "CUSTOM" in known or not (known or subclasses):
        raise CommandRefused("name the events; CUSTOM ones by their subclass")
    return Command(" ".join(["event json", *known, *(["CUSTOM", *subclasses] if subclasses else [])]))


def nixevent(names: Iterable[str]) -> Command:
    """End the subscription to some events."""
    return Command(" ".join(["nixevent", *(matching(_EVENT, name, "an event's name") for name in names)]))


LEG_HEADERS: Final = ("Unique-ID", "Other-Leg-Unique-ID")
"""The leg that an event is about, and the leg that called it or that it talks to."""


def filter_(header: str, call_uuid: str) -> Command:
    """Have only events sent with this header's value; several filters are ORed (mod_event_socket.c, `event_handler`).

    Sent before `event`, so that a busy switch's other calls never reach us.
    """
    if header not in LEG_HEADERS:
        raise CommandRefused(f"not a header to filter by: {header!r}")
    return Command(f"filter {header} {uuid(call_uuid)}")


def noevents() -> Command:
    """End every subscription and forget what is queued."""
    return Command("noevents")


def divert_events(on: bool) -> Command:
    """Have digits and speech results come to the socket instead of the running application."""
    return Command(f"divert_events {'on' if on else 'off'}")


def exit_() -> Command:
    """End the connection; an outbound call then goes on in the dialplan."""
    return Command("exit")


# --- messages to a channel ---------------------------------------------------------------------------------------


def _sendmsg(call_uuid: str | None) -> str:
    return f"sendmsg {uuid(call_uuid)}" if call_uuid else "sendmsg"


def execute(application: str, argument: str = "", *, event_uuid: str, call_uuid: str | None = None) -> Command:
    """Run a dialplan application after those already running (event-lock); events carry `event_uuid`.

    `${…}` in the argument is refused: FreeSWITCH would expand it, and `${system …}` runs a program. So are the
    `%[…]` settings that it reads at the start of an argument.
    """
    plain_text(argument, f"the argument of {application}")
    if argument.startswith("%") and "[" in argument[1:3]:
        raise CommandRefused(f"the argument of {application} would set variables")
    headers = [("call-command", "execute"), ("execute-app-name", application)]
    if argument:
        headers.append(("execute-app-arg", argument))
    headers += [("event-lock", "true"), ("Event-UUID", uuid(event_uuid))]
    return Command(_sendmsg(call_uuid), tuple(headers))


def hangup(cause: str = "NORMAL_CLEARING", *, call_uuid: str | None = None) -> Command:
    """End the call with a cause such as NORMAL_CLEARING or USER_BUSY."""
    return Command(
        _sendmsg(call_uuid),
        (("call-command", "hangup"), ("hangup-cause", matching(_CAUSE, cause, "a hangup cause"))),
    )


def unicast(
    local_ip: str,
    local_port: int,
    remote_ip: str,
    remote_port: int,
    *,
    native: bool = False,
    call_uuid: str | None = None,
) -> Command:
    """Bring the call's audio to a UDP socket: FreeSWITCH binds `local`, sends to `remote` (IPv4 addresses).

    Only for an answered call that is parked: FreeSWITCH takes the codec of the running audio, and dies without one
    (switch_ivr.c, `switch_ivr_activate_unicast`). `native` leaves the codec's own payload undecoded.
    """
    headers = [
        ("call-command", "unicast"),
        ("local-ip", _ipv4(local_ip)),
        ("local-port", str(number(local_port, 1, 65535, "a port"))),
        ("remote-ip", _ipv4(remote_ip)),
        ("remote-port", str(number(remote_port, 1, 65535, "a port"))),
        ("transport", "udp"),
    ]
    if native:
        headers.append(("flags", "native"))
    return Command(_sendmsg(call_uuid), tuple(headers))


def _ipv4(address: str) -> str:
    try:
        return str(ipaddress.IPv4Address(address))
    except ipaddress.AddressValueError:
        raise CommandRefused(f"not an IPv4 address: {address[:64]!r}") from None


# --- API commands on a channel -----------------------------------------------------------------------------------


def uuid_broadcast(call_uuid: str, path: str, leg: Leg = "aleg") -> Command:
    """Play a file or tone on a channel. `app::argument` and `app!cause`, which would run anything, are refused."""
    if leg not in _MEDIA_FLAGS:
        raise CommandRefused(f"not a leg: {leg!r}")
    return Command(f"api uuid_broadcast {uuid(call_uuid)} {quoted(_media_path(path))} {leg}")


def uuid_break(call_uuid: str, *, everything: bool = True) -> Command:
    """Stop what is playing; `everything` also what waits behind it."""
    return Command(f"api uuid_break {uuid(call_uuid)}{' all' if everything else ''}")


def uuid_bridge(call_uuid: str, other_uuid: str) -> Command:
    """Connect two channels."""
    return Command(f"api uuid_bridge {uuid(call_uuid)} {uuid(other_uuid)}")


def uuid_kill(call_uuid: str, cause: str = "NORMAL_CLEARING") -> Command:
    """Hang a channel up."""
    return Command(f"api uuid_kill {uuid(call_uuid)} {matching(_CAUSE, cause, 'a hangup cause')}")


def uuid_transfer(call_uuid: str, destination: str, *, context: str) -> Command:
    """Send a channel to a number of the XML dialplan. The number cannot start with `-`, which would be an option."""
    target = matching(_NUMBER, destination, "a number to dial")
    return Command(f"api uuid_transfer {uuid(call_uuid)} {target} XML {matching(_CONTEXT, context, 'a context')}")


def uuid_getvar(call_uuid: str, name: str) -> Command:
    """A channel variable; the answer is `_undef_` where it is not set."""
    return Command(f"api uuid_getvar {uuid(call_uuid)} {_variable(name)}")


def uuid_setvar(call_uuid: str, name: str, value: str) -> Command:
    """Set a channel variable; an empty value unsets it."""
    line = f"api uuid_setvar {uuid(call_uuid)} {_variable(name)}"
    return Command(f"{line} {quoted(plain_text(value, name))}" if value else line)


def uuid_exists(call_uuid: str) -> Command:
    """`true` or `false`."""
    return Command(f"api uuid_exists {uuid(call_uuid)}")


def uuid_record(call_uuid: str, action: Literal["start", "stop", "mask", "unmask"], path: str) -> Command:
    """Record a channel to an absolute path on the switch; `mask` has silence written until `unmask`."""
    if action not in ("start", "stop", "mask", "unmask"):
        raise CommandRefused(f"not a way to record: {action!r}")
    if not path.startswith("/") or any(mark in path for mark in "{}[]"):
        raise CommandRefused(f"not an absolute path: {path[:64]!r}")
    return Command(f"api uuid_record {uuid(call_uuid)} {action} {quoted(plain_text(path, 'a path'))}")


def uuid_send_dtmf(call_uuid: str, digits: str) -> Command:
    """Send keys to the far end; `w` is a pause of 500 ms."""
    return Command(f"api uuid_send_dtmf {uuid(call_uuid)} {matching('[0-9*#A-DwW]{1,64}', digits, 'keys')}")


def originate(
    dial: str,
    *,
    application: str = "park",
    argument: str = "",
    variables: Mapping[str, str] | None = None,
    timeout_s: int | None = None,
) -> Command:
    """Call somebody, and run one application when they answer. Use it in the background: it blocks until then.

    `dial` is one endpoint such as `user/1001@acme.example`; `variables` are set on the new channel, and an empty
    value is left out, as FreeSWITCH would.
    """
    if application not in ("park", "socket", "bridge", "playback", "hangup"):
        raise CommandRefused(f"not an application to originate to: {application!r}")
    settings = dict(variables or {})
    if timeout_s is not None:
        settings.setdefault("originate_timeout", str(number(timeout_s, 1, 600, "originate_timeout")))
    pairs = [f"{_variable(name)}={originate_value(value, name)}" for name, value in settings.items() if value]
    if any(mark in plain_text(argument, "an argument") for mark in "()"):
        raise CommandRefused("brackets in the argument of an originate")
    if application == "bridge":
        matching(_DIAL, argument, "an endpoint to dial")
    prefix = "{" + ",".join(pairs) + "}" if pairs else ""
    target = quoted(f"&{application}({argument})")
    return Command(f"api originate {prefix}{matching(_DIAL, dial, 'an endpoint to dial')} {target}")


def socket_argument(host: str, port: int) -> str:
    """The argument of the `socket` application that connects a new leg to a voice node."""
    return f"{matching(_HOST, host, 'a host')}:{number(port, 1, 65535, 'a port')} async full"


# --- API commands on the switch ----------------------------------------------------------------------------------


def status() -> Command:
    return Command("api status")


def show_channels() -> Command:
    """Every channel, as JSON."""
    return Command("api show channels as json")


def module_exists(name: str) -> Command:
    """`true` where a module is loaded."""
    return Command(f"api module_exists {matching(_NAME, name, 'a module')}")


def sched_api(delay_s: int, group: str, command: Command) -> Command:
    """Have the switch run an API command later, unless the group is deleted before: a watchdog."""
    if not command.is_api:
        raise CommandRefused(f"{command.name} cannot be scheduled")
    plain_text(command.line, "a scheduled command")
    later = number(delay_s, 1, 86400, "a delay")
    return Command(f"api sched_api +{later} {matching(_GROUP, group, 'a group')} {command.line.removeprefix('api ')}")


def sched_del(group: str) -> Command:
    """Forget what was scheduled under a group's name."""
    return Command(f"api sched_del {matching(_GROUP, group, 'a group')}")


# --- audio modules -----------------------------------------------------------------------------------------------


def audio_stream_start(
    call_uuid: str, url: str, *, mix: MixType = "mono", rate: int = 8000, metadata: str = ""
) -> Command:
    """mod_audio_stream: bring the audio to a WebSocket. `+OK` comes before any connection: wait for the event."""
    parts = ["api uuid_audio_stream", uuid(call_uuid), "start", _websocket(url), _mix(mix), str(_rate(rate))]
    return Command(" ".join([*parts, quoted(metadata)] if metadata else parts))


def audio_stream_stop(call_uuid: str, text: str = "") -> Command:
    """mod_audio_stream: close the WebSocket, after one last text."""
    return Command(f"api uuid_audio_stream {uuid(call_uuid)} stop{' ' + quoted(text) if text else ''}")


def audio_stream_pause(call_uuid: str) -> Command:
    return Command(f"api uuid_audio_stream {uuid(call_uuid)} pause")


def audio_stream_resume(call_uuid: str) -> Command:
    return Command(f"api uuid_audio_stream {uuid(call_uuid)} resume")


def audio_stream_send_text(call_uuid: str, text: str) -> Command:
    """mod_audio_stream: send one text frame on the call's WebSocket."""
    if not text:
        raise CommandRefused("an empty text")
    return Command(f"api uuid_audio_stream {uuid(call_uuid)} send_text {quoted(text)}")


def audio_fork_start(
    call_uuid: str,
    url: str,
    *,
    mix: MixType = "mono",
    rate: int = 8000,
    bugname: str = "secretary",
    metadata: str = "",
    return_rate: int = 8000,
) -> Command:
    """mod_audio_fork with playback by binary frames (jambonz' build): all ten arguments, audio both ways.

    On a parked channel nothing is played unless `send_silence_when_idle` was set before parking.
    """
    parts = ["api uuid_audio_fork", uuid(call_uuid), "start", _websocket(url), _mix(mix), str(_rate(rate))]
    parts += [matching(_NAME, bugname, "a name"), quoted(metadata), "true", "true", str(_rate(return_rate))]
    return Command(" ".join(parts))


def audio_fork_stop(call_uuid: str, *, bugname: str = "secretary", text: str = "") -> Command:
    """mod_audio_fork: close the WebSocket, after one last text."""
    line = f"api uuid_audio_fork {uuid(call_uuid)} stop {matching(_NAME, bugname, 'a name')}"
    return Command(f"{line} {quoted(text)}" if text else line)


# --- fields ------------------------------------------------------------------------------------------------------


def _variable(name: str) -> str:
    return matching(_VARIABLE, name, "a variable's name")


def _media_path(path: str) -> str:
    plain_text(path, "a path")
    if not path or "::" in path or re.search(r"[{}\[\]]", path) or path.startswith("-"):
        raise CommandRefused(f"not a path to play: {path[:64]!r}")
    return path


def _websocket(url: str) -> str:
    # The module's own check knows neither underscores nor IPv6 in a host, nor `?` before a slash.
    return matching(_WS_URL, url, "a WebSocket address")


def _mix(mix: str) -> str:
    if mix not in ("mono", "mixed", "stereo"):
        raise CommandRefused(f"not a mix: {mix!r}")
    return mix


def _rate(rate: int) -> int:
    if number(rate, 8000, 64000, "a sample rate") % 8000:
        raise CommandRefused(f"not a sample rate: {rate}")
    return rate
