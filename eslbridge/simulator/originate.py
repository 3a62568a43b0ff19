"""Making legs: dial strings, ringing, `originate`, and two legs that talk."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eslbridge.simulator import loopback, template
from eslbridge.simulator.arguments import separate
from eslbridge.simulator.channel import IDLE, Channel
from eslbridge.simulator.colleague import Colleague
from eslbridge.simulator.dialplan import Action
from eslbridge.simulator.events import Headers
from eslbridge.simulator.options import Extension
from eslbridge.simulator.phone import Phone

if TYPE_CHECKING:
    from eslbridge.simulator.switch import StandInSwitch

CAUSES = {"no_answer": "NO_ANSWER", "busy": "USER_BUSY", "reject": "CALL_REJECTED"}
"""How a telephone that does not answer ends its ringing."""


@dataclass(slots=True)
class DialString:
    """One endpoint with its variables."""

    endpoint: str
    variables: dict[str, str] = field(default_factory=dict)


def split_variables(text: str, opening: str = "{") -> tuple[dict[str, str], str]:
    """`{a=b,c='d,e'}rest` (or `[…]rest`) → variables and rest."""
    variables: dict[str, str] = {}
    closing = {"{": "}", "[": "]"}[opening]
    while text[:1] == opening:
        end = _end_of_block(text, opening, closing)
        for pair in separate(text[1:end], delimiter=","):
            name, *value = separate(pair, 2, "=")
            if value:
                variables[name.strip()] = value[0]
        text = text[end + 1 :]
    return variables, text


def _end_of_block(text: str, opening: str, closing: str) -> int:
    """`switch_find_end_paren`: it only counts."""
    depth = 0
    for index, char in enumerate(text):
        depth += (char == opening) - (char == closing)
        if depth == 0:
            return index
    return len(text) - 1


def parse(dial: str) -> list[DialString]:
    """All endpoints in the order they are rung (`|` and `,` alike, one after the other)."""
    shared, rest = split_variables(dial)
    found = []
    for part in re.split(r"[|,](?![^\[{]*[\]}])", rest):
        own, endpoint = split_variables(part.strip(), "[")
        if endpoint:
            found.append(DialString(endpoint, shared | own))
    return found


def target_of(switch: StandInSwitch, endpoint: str, domain: str) -> tuple[Extension | None, str]:
    """The colleague behind an endpoint, and the number dialled."""
    kind, _, rest = endpoint.partition("/")
    if kind == "sofia":
        rest = rest.partition("/")[2]
    rest = rest.split("/")[0]
    number, _, host = rest.partition("@")
    return switch.extension(number, host.split(":")[0] if host else domain), number


async def ring(
    switch: StandInSwitch, dial: str, *, caller: Channel | None = None, timeout_s: float | None = None
) -> tuple[Channel | None, str]:
    """Ring until one answers. Returns its leg and `SUCCESS`, or None and the last cause."""
    cause = "DESTINATION_OUT_OF_ORDER"
    for one in parse(dial):
        patience = one.variables.get("leg_timeout") or one.variables.get("originate_timeout") or ""
        if not patience and caller is not None:
            patience = caller.variable("call_timeout")
        seconds = timeout_s or float(patience or switch.options.ring_timeout_s)
        leg, cause = await _ring_one(switch, one, caller, seconds)
        if leg is not None:
            return leg, "SUCCESS"
    return None, cause


async def _ring_one(
    switch: StandInSwitch, dial: DialString, caller: Channel | None, seconds: float
) -> tuple[Channel | None, str]:
    domain = caller.profile.context if caller is not None else dial.variables.get("domain_name", "default")
    if dial.endpoint.startswith("loopback/"):
        return await _walk(switch, dial, caller, domain, seconds)
    extension, number = target_of(switch, dial.endpoint, domain)
    if extension is None:
        # Of a user whom the directory does not know, as 1.11 says it.
        return None, "SUBSCRIBER_ABSENT" if dial.endpoint.startswith("user/") else "NORMAL_TEMPORARY_FAILURE"
    if extension.conduct == "unregistered":
        return None, "USER_NOT_REGISTERED"
    name = f"sofia/internal/{number}@{extension.domain}"
    leg = _new_leg(switch, dial, Colleague(extension), name, number, extension.domain, caller)
    if "presence_id" not in leg.variables:
        leg.variables["presence_id"] = f"{number}@{extension.domain}"  # as the directory's dial string has it
    cause = CAUSES.get(extension.conduct, "")
    if extension.answer_after_s > seconds:
        cause = "NO_ANSWER"
    waiting = seconds if cause == "NO_ANSWER" else min(extension.answer_after_s, seconds)
    try:
        await _until_hung_up(switch, leg, waiting)
    except asyncio.CancelledError:
        leg.hang_up("ORIGINATOR_CANCEL")
        raise
    if leg.is_down or cause:
        leg.hang_up(cause)
        return None, leg.hangup_cause
    leg.answer()
    return leg, "SUCCESS"


async def _walk(
    switch: StandInSwitch, dial: DialString, caller: Channel | None, domain: str, seconds: float
) -> tuple[Channel | None, str]:
    """`loopback/<number>[/<context>]`: through the dialplan; answered when what it leads to is answered."""
    _, number, context = [*dial.endpoint.split("/"), ""][:3]
    near = loopback.LoopEnd()
    leg = _new_leg(switch, dial, near, f"loopback/{number}-a", number, context or domain, caller)
    far = loopback.dial(switch, dial.variables, number, context or domain, near, leg.uuid)
    try:
        await _until_hung_up(switch, leg, seconds, far.answered)
    except asyncio.CancelledError:
        leg.hang_up("ORIGINATOR_CANCEL")
        raise
    if leg.is_down or not far.answered.is_set():
        leg.hang_up("NO_ANSWER")
        return None, leg.hangup_cause
    leg.answer()
    return leg, "SUCCESS"


async def _until_hung_up(switch: StandInSwitch, leg: Channel, seconds: float, *events: asyncio.Event) -> None:
    """Ring for that long, or until somebody hangs the ringing leg up (`uuid_kill`), or one of the events is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in (leg.ended, *events)]
    try:
        timeout = switch.clock.real(seconds) if seconds > 0 else 0
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _new_leg(
    switch: StandInSwitch,
    dial: DialString,
    phone: Phone,
    name: str,
    number: str,
    context: str,
    caller: Channel | None,
) -> Channel:
    given = dial.variables
    number_shown = caller.profile.caller_number if caller else "0000000000"
    profile = template.Profile(
        caller_number=given.get("origination_caller_id_number", number_shown),
        caller_name=given.get("origination_caller_id_name", caller.profile.caller_name if caller else ""),
        destination=number,
        context=context,
        source="src/switch_ivr_originate.c",
    )
    leg = Channel(
        switch,
        phone,
        profile,
        name=name,
        direction="outbound",
        channel_uuid=given.get("origination_uuid", ""),
    )
    switch.rung.append(leg)
    leg.variables |= {"direction": "outbound", "is_outbound": "true", "uuid": leg.uuid, "call_uuid": leg.uuid}
    leg.variables["session_id"] = str(switch.register(leg))
    leg.variables["channel_name"] = leg.name
    leg.variables |= given
    if caller is not None:
        leg.other_leg = caller
        leg.variables["call_uuid"] = caller.uuid
    leg.call_state = "RINGING"
    leg.start([IDLE])
    leg.emit("CHANNEL_OUTGOING")
    leg.emit("CHANNEL_ORIGINATE")
    leg.emit("CHANNEL_PROGRESS")
    return leg


async def talk(channel: Channel, leg: Channel) -> None:
    """Bridge until one side hangs up or is taken away. Run by `channel`'s own thread."""
    channel.answer()
    channel.end_unicast()
    channel.media.join(leg.media)
    channel.bridged_us = leg.bridged_us = template.now_us()
    channel.other_leg, leg.other_leg = leg, channel
    for one, other in ((channel, leg), (leg, channel)):
        one.variables |= {"bridge_uuid": other.uuid, "bridge_channel": other.name, "signal_bond": other.uuid}
        one.variables["last_bridge_to"] = other.uuid
    sides: Headers = [("Bridge-A-Unique-ID", channel.uuid), ("Bridge-B-Unique-ID", leg.uuid)]
    channel.emit("CHANNEL_BRIDGE", first=sides)
    taken = False
    try:
        await channel.media.parted.wait()
    except asyncio.CancelledError:
        taken = True
        raise
    finally:
        channel.media.part()
        channel.emit("CHANNEL_UNBRIDGE", first=sides)
        for one in (channel, leg):
            for name in ("bridge_uuid", "signal_bond"):
                one.variables.pop(name, None)
            one.other_leg = None
        if taken and not leg.is_down:
            leg.hang_up("NORMAL_CLEARING" if channel.is_down else "BLIND_TRANSFER")
    await _after(channel)


async def _after(channel: Channel) -> None:
    """The colleague is gone: where the caller goes."""
    target = channel.variable("transfer_after_bridge")
    if target:
        number, _, rest = target.partition(":")
        dialplan, _, context = rest.partition(":")
        channel.variables.pop("transfer_after_bridge", None)
        channel.transfer(number, context, dialplan)
        await asyncio.sleep(0)
    elif channel.is_true("hangup_after_bridge"):
        channel.hang_up("NORMAL_CLEARING")
        await asyncio.sleep(0)


async def originate(switch: StandInSwitch, text: str) -> str:
    """`originate <dial string> <exten>|&<app>(<data>) [<dialplan>] [<context>] …` → `+OK <uuid>` or `-ERR <cause>`."""
    words = separate(text)
    if len(words) < 2:
        return "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>]\n"
    timeout = float(words[6]) if len(words) > 6 and words[6].isdigit() else None
    leg, cause = await ring(switch, words[0], timeout_s=timeout)
    if leg is None:
        return f"-ERR {cause}\n"
    target = re.fullmatch(r"&([a-z_0-9]+)(?:\((.*)\))?", words[1], re.DOTALL)
    if target:
        leg.redirect([Action(target.group(1), target.group(2) or "")])
    else:
        leg.transfer(words[1], words[3] if len(words) > 3 else leg.profile.context)
    return f"+OK {leg.uuid}\n"
