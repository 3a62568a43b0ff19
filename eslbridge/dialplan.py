"""The dialplan of a domain: what FreeSWITCH does when somebody dials a secretary, and when nobody answers for her.

A pure renderer: values in, XML out. The one source for plain FreeSWITCH and for FusionPBX. What each secretary gets:

8001
    variables, watchdog, `socket` to the nodes, what comes after; then once more to the other nodes, because a node that
    dies in mid-call leaves the caller here; then the fallback
8001*1, 8001*0
    the same, with `secretary_open` set to true or false: what a FusionPBX time condition, or a day and night switch,
    sends its calls to; a secretary whose hours are the telephone system's goes by it
secretary_after_8001_<result>
    what follows `socket`, by the result the node has set: `done` hangs up, `no_app` (nobody spoke, or the node died)
    goes on to the second `socket`, anything else is the fallback
secretary_fallback_8001
    a human or voicemail: the secretary's own number, or `after_ai` for the whole domain

secretary_tell
    a leg that the platform itself has called (`eslbridge.work.telling`): to a node, which says what the call is about;
    back where it came from afterwards, and also where no node takes it

A node that dies while it has a colleague's telephone ringing cannot hang it up. So it leaves the UUID of that leg in
CALLING, and what comes after `socket` ends it: the first thing that happens to the caller then.

`socket_resume=true` is what lets the dialplan go on at all: without it a caller whose node dies while connecting stays
parked for ever. The watchdog ends the 25 s of silence of a listener that accepts and never speaks: the node deletes
`wd-<uuid>` as its first act, and so does the fallback, or it would tear the caller from whoever picks up.
"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, cast
from uuid import UUID

WATCHDOG_S: Final = 8
MAX_NODES: Final = 50
"""`socket` takes no more (mod_event_socket.c)."""

TELL: Final = "secretary_tell"

CALLING: Final = "secretary_calling"
"""The channel variable with the UUID of the leg that is called for a transfer."""

DOMAIN_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
EXTENSION: Final = re.compile(r"8[0-9]{3}")
NUMBER: Final = re.compile(r"[0-9*#]{1,20}")
HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
"""No IPv6 literal: `socket` splits its argument at the colon."""

# A parked channel plays nothing back over a WebSocket unless it writes silence; over direct UDP that very silence
# collides with the node's own frames, so it is unset there.
WEBSOCKET: Final = (("send_silence_when_idle", "400"),)
AUDIO_STREAM: Final = (
    *WEBSOCKET,
    ("STREAM_BUFFER_SIZE", "20"),
    ("STREAM_SUPPRESS_LOG", "true"),
    ("STREAM_HEART_BEAT", "15"),
)
AUDIO_STREAM_PLAYING: Final = (*AUDIO_STREAM, ("STREAM_PLAYBACK", "true"), ("STREAM_SAMPLE_RATE", "8000"))
TRANSPORT_VARIABLES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "direct-udp": (),
    "direct-udp-g711": (),
    "mod-audio-stream": AUDIO_STREAM,
    "mod-audio-stream-binary": AUDIO_STREAM_PLAYING,
    "mod-audio-stream-json": AUDIO_STREAM_PLAYING,
    "mod-audio-fork": WEBSOCKET,
}


class Shape(StrEnum):
    """`plain`: a file for FreeSWITCH's conf/dialplan. `fusionpbx`: the XML of one dialplan entry of the domain."""

    PLAIN = "plain"
    FUSIONPBX = "fusionpbx"


class Node(NamedTuple):
    """Where a voice node listens for FreeSWITCH."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SecretaryEntry:
    """A secretary at an extension. `fallback_number` empty: the domain's `after_ai`."""

    extension: str
    secretary_uuid: UUID
    name: str
    fallback_number: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the dialplan of a domain depends on."""

    domain_uuid: UUID
    domain_name: str
    transport: str
    nodes: tuple[Node, ...]
    secretaries: tuple[SecretaryEntry, ...] = ()
    fallback_number: str = ""
    """Where `after_ai` leads; empty: a tone and hang-up."""
    watchdog_s: int = WATCHDOG_S

    def __post_init__(self) -> None:
        """Raises ValueError. Whatever passes can neither leave its attribute nor be expanded by FreeSWITCH."""
        _match(DOMAIN_NAME, self.domain_name, "a domain's name")
        if self.transport not in TRANSPORT_VARIABLES:
            raise ValueError(f"not an audio transport: {self.transport!r}")
        if not 1 <= len(self.nodes) <= MAX_NODES:
            raise ValueError(f"1 to {MAX_NODES} nodes, not {len(self.nodes)}")
        for node in self.nodes:
            _match(HOST, node.host, "a node's host")
            if not 1 <= node.port <= 65_535:
                raise ValueError(f"not a port: {node.port}")
        seen: set[str] = set()
        for entry in self.secretaries:
            _match(EXTENSION, entry.extension, "an extension 8XXX")
            if entry.extension in seen:
                raise ValueError(f"{entry.extension} is there twice")
            seen.add(entry.extension)
            if entry.fallback_number:
                _match(NUMBER, entry.fallback_number, "a fallback number")
        if self.fallback_number:
            _match(NUMBER, self.fallback_number, "a fallback number")
        if not 2 <= self.watchdog_s <= 20:
            raise ValueError("the watchdog waits 2 to 20 s")


def _match(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not value.isascii() or pattern.fullmatch(value) is None:
        raise ValueError(f"not {what}: {value!r}")
    return value


def render(plan: Plan, shape: Shape) -> str:
    """The XML to install, with a newline at its end."""
    extensions = list(_extensions(plan))
    if shape is Shape.FUSIONPBX:
        return "".join(_text(extension) for extension in extensions)
    include = ET.Element("include")
    context = ET.SubElement(include, "context", name=plan.domain_name)
    context.extend(extensions)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + _text(include)


def _text(element: ET.Element) -> str:
    ET.indent(element, "  ")
    return ET.tostring(element, encoding="unicode") + "\n"


def _extensions(plan: Plan) -> Iterator[ET.Element]:
    for entry in plan.secretaries:
        yield _comment(f"{entry.extension}: {entry.name}")
        yield _answering(plan, f"^{entry.extension}$", entry.extension, entry.extension, str(entry.secretary_uuid))
    yield _comment("any other 8XXX: the platform knows who answers there")
    yield _answering(plan, r"^(8\d{3})$", "any", "$1", "")
    yield _comment("8001*1 and 8001*0: where a time condition or a day and night switch sends its calls")
    for name, digit, said in (("told_open", 1, "true"), ("told_closed", 0, "false")):
        there = f"$1 XML {plan.domain_name}"
        yield _step(plan, name, rf"^(8\d{{3}})\*{digit}$", [("set", f"secretary_open={said}"), ("transfer", there)])
    yield _comment("the platform's own calls, such as callbacks: a node says what it is about")
    yield _telling(plan)
    yield _step(
        plan, "told", f"^{TELL}_over$", [("set", "secretary_told=over"), ("set", "park_timeout=20"), ("park", "")]
    )
    yield _comment("after the socket: what the node has said")
    yield _step(plan, "after_done", r"^secretary_after_8\d{3}_done$", [("hangup", "NORMAL_CLEARING")])
    yield _step(plan, "after_no_app", r"^secretary_after_8\d{3}_no_app$", [("log", "NOTICE no answer from this node")])
    yield _step(
        plan, "after", r"^secretary_after_(8\d{3})_", [("transfer", f"secretary_fallback_$1 XML {plan.domain_name}")]
    )
    yield _comment("where a caller goes when no secretary can help")
    for entry in plan.secretaries:
        if entry.fallback_number:
            yield _fallback(plan, entry.extension, f"^secretary_fallback_{entry.extension}$", entry.fallback_number)
    yield _fallback(plan, "any", r"^secretary_fallback_8\d{3}$", "after_ai")
    yield _comment("the whole domain's fallback: change it to your liking")
    yield _step(plan, "after_ai", "^after_ai$", _last_resort(plan))


def _answering(plan: Plan, expression: str, name: str, number: str, secretary_uuid: str) -> ET.Element:
    """The extension that brings a caller to a node. `number` is the extension, or `$1` for the pattern."""
    first, second = _sockets(plan.nodes)
    after = ("execute_extension", f"secretary_after_{number}_${{eslbridge_result}} XML {plan.domain_name}")
    return _step(
        plan,
        name,
        expression,
        [
            ("set", f"domain_uuid={plan.domain_uuid}"),
            ("set", f"domain_name={plan.domain_name}"),
            ("set", f"secretary_uuid={secretary_uuid}"),
            ("set", f"secretary_extension={number}"),
            *_audio(plan.transport),
            ("set", "hangup_after_bridge=true"),
            ("set", "socket_resume=true"),
            ("set", "eslbridge_result=no_app"),
            _watchdog(plan, f"secretary_fallback_{number}"),
            ("socket", first),
            _stop_calling(),
            after,
            _stop_watchdog(),
            _watchdog(plan, f"secretary_fallback_{number}"),
            ("socket", second),
            _stop_calling(),
            after,
            ("transfer", f"secretary_fallback_{number} XML {plan.domain_name}"),
        ],
    )


def _telling(plan: Plan) -> ET.Element:
    """Without what follows the socket elsewhere: the leg goes on with whatever had sent it here."""
    return _step(
        plan,
        "tell",
        f"^{TELL}$",
        [
            ("set", f"domain_uuid={plan.domain_uuid}"),
            ("set", f"domain_name={plan.domain_name}"),
            *_audio(plan.transport),
            ("set", "socket_resume=true"),
            _watchdog(plan, f"{TELL}_over"),
            ("socket", _socket(plan.nodes)),
            _stop_watchdog(),
            ("set", "socket_resume=false"),
        ],
    )


def _sockets(nodes: tuple[Node, ...]) -> tuple[str, str]:
    """The arguments of both `socket` actions; the second one begins with another node, as the first has just failed."""
    rotated = (*nodes[1:], nodes[0])
    return _socket(nodes), _socket(rotated)


def _socket(nodes: tuple[Node, ...]) -> str:
    return "|".join(f"{node.host}:{node.port}" for node in nodes) + " async full"


def _audio(transport: str) -> list[tuple[str, str]]:
    variables = TRANSPORT_VARIABLES[transport]
    if not variables:
        return [("unset", "send_silence_when_idle")]
    return [("set", f"{name}={value}") for name, value in variables]


def _watchdog(plan: Plan, target: str) -> tuple[str, str]:
    later = f"uuid_transfer ${{uuid}} {target} XML {plan.domain_name}"
    return ("set", f"api_result=${{sched_api(+{plan.watchdog_s} wd-${{uuid}} {later})}}")


def _stop_watchdog() -> tuple[str, str]:
    return ("set", "api_result=${sched_del(wd-${uuid})}")


def _stop_calling() -> tuple[str, str]:
    return ("set", f"api_result=${{uuid_kill(${{{CALLING}}} ORIGINATOR_CANCEL)}}")


def _fallback(plan: Plan, name: str, expression: str, number: str) -> ET.Element:
    actions = [_stop_watchdog(), ("transfer", f"{number} XML {plan.domain_name}")]
    return _step(plan, f"fallback_{name}", expression, actions)


def _last_resort(plan: Plan) -> list[tuple[str, str]]:
    if plan.fallback_number:
        return [("transfer", f"{plan.fallback_number} XML {plan.domain_name}")]
    return [
        ("answer", ""),
        ("sleep", "500"),
        # Reorder tone: no sound file has to be installed for it.
        ("playback", "tone_stream://%(250,250,480,620);loops=8"),
        ("hangup", "NORMAL_TEMPORARY_FAILURE"),
    ]


def _step(plan: Plan, name: str, expression: str, actions: list[tuple[str, str]]) -> ET.Element:
    # The same extension has the same UUID each time it is printed, so that an installer can replace it.
    identity = uuid.uuid5(plan.domain_uuid, f"dialplan/{name}")
    extension = ET.Element("extension", name=f"voice_secretary_{name}", uuid=str(identity))
    extension.set("continue", "false")
    condition = ET.SubElement(extension, "condition", field="destination_number", expression=expression)
    for application, data in actions:
        action = ET.SubElement(condition, "action", application=application)
        if data:
            action.set("data", data)
    return extension


def _comment(text: str) -> ET.Element:
    """A comment that foreign text cannot end: XML forbids `--` inside, and control characters everywhere."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    printable = printable.encode("utf-8", "replace").decode()
    return cast(ET.Element, ET.Comment(f" {re.sub('-{2,}', '-', printable).replace('${', '{')[:200].strip('-')} "))
