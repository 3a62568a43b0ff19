"""The platform's tools: what a model is told of each, and who does it.

Descriptions are English whatever language is spoken: models follow them best. What stands here is offered; whether it
may be done is decided by `policy` and by the services, each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from secretary.speech.contract import ToolSpec
from secretary.tools import names, schemas

Schema = dict[str, Any]
MOST_PLACES: Final = 60
"""Places that a schema lists; of more a model is told none, and the name it gives is looked up."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool of the platform."""

    name: str
    description: str
    parameters: Callable[[Sequence[str]], Schema]
    """JSON Schema for a secretary with these places."""
    by_machine: bool = False
    """The conversation itself does it: it ends, moves or silences the call."""


def _text(description: str, most: int = 300) -> Schema:
    return {"type": "string", "description": description, "maxLength": most}


def _place(description: str, places: Sequence[str]) -> Schema:
    choices = {"enum": list(places)} if 0 < len(places) <= MOST_PLACES else {}
    return {"type": "string", "description": description, **choices}


def _object(members: Schema, *required: str) -> Schema:
    return {"type": "object", "properties": members, **({"required": list(required)} if required else {})}


_URGENCY: Final[Schema] = {
    "type": "string",
    "enum": ["low", "normal", "urgent"],
    "description": "urgent only where the caller says so.",
}
_NAME: Final = "The caller's name as they said it. Leave it out if they did not say it; never guess."
_NUMBER: Final = "Only a number that the caller has said, digits. Leave it out for the number they are calling from."


def _transfer(places: Sequence[str]) -> Schema:
    return _object(
        {
            "destination": _place("Whom to put the caller through to.", places),
            "reason": _text("What the caller wants, in a few words, for the colleague."),
            "caller_name": _text(_NAME, 120),
        },
        "destination",
    )


def _take_message(places: Sequence[str]) -> Schema:
    return _object(
        {
            "text": _text("The message in the caller's own words.", 2_000),
            "name": _text(_NAME, 120),
            "number": _text(_NUMBER, 40),
            "reason": _text("What it is about, in a few words.", 200),
            "urgency": _URGENCY,
            "complete": {
                "type": "boolean",
                "description": "false while the caller is still telling it: what is known is kept at once.",
            },
        }
    )


def _request_callback(places: Sequence[str]) -> Schema:
    return _object(
        {
            "consent": {
                "type": "boolean",
                "description": "true only if the caller has said in this call that they want to be called back.",
            },
            "name": _text(_NAME, 120),
            "number": _text(_NUMBER, 40),
            "reason": _text("What it is about, in a few words.", 200),
            "not_before": _text("Earliest local time, as 2026-05-31T14:00; leave it out for as soon as possible.", 25),
            "not_after": _text("Latest local time, likewise.", 25),
            "destination": _place("Who should call back, if the caller said so.", places),
        },
        "consent",
    )


def _end_call(places: Sequence[str]) -> Schema:
    return _object({"reason": _text("Why the call is over, in a few words.", 120)})


def _business_info(places: Sequence[str]) -> Schema:
    return _object({"topic": _text("A word or two, such as: prices, address, returns.", 100)}, "topic")


def _opening_hours(places: Sequence[str]) -> Schema:
    return _object(
        {
            "at": _text("Local date, or date and time, as 2026-05-31T14:00; leave it out for now.", 25),
            "destination": _place("Whose hours; leave it out for the business as a whole.", places),
        }
    )


def _check_available(places: Sequence[str]) -> Schema:
    return _object({"destination": _place("Who might be free to talk.", places)}, "destination")


def _send_dtmf(places: Sequence[str]) -> Schema:
    return _object({"digits": _text("0 to 9, * and #.", 20)}, "digits")


def _hold(places: Sequence[str]) -> Schema:
    return _object({"seconds": {"type": "integer", "description": "How long, about.", "minimum": 5, "maximum": 120}})


def _nothing(places: Sequence[str]) -> Schema:
    return _object({})


def _remember_caller(places: Sequence[str]) -> Schema:
    return _object({"fact": _text("One short sentence that will be of use when they call again.", 200)}, "fact")


TOOLS: Final[Mapping[str, Tool]] = {
    tool.name: tool
    for tool in (
        Tool(
            names.TRANSFER,
            "Put the caller through to a person or department. Say first whom you are connecting them to. If it fails,"
            " say so and offer to take a message.",
            _transfer,
            by_machine=True,
        ),
        Tool(
            names.TAKE_MESSAGE,
            "Keep a message for the people of the business. Call it as soon as the caller begins to leave a message,"
            " with what you know and complete=false; again as you learn more; and with complete=true at the end. Only"
            " what was kept by this tool is kept: never say that you have noted something without it.",
            _take_message,
        ),
        Tool(
            names.REQUEST_CALLBACK,
            "Have somebody call the caller back. Ask whether they want that, and when; then call it once.",
            _request_callback,
        ),
        Tool(
            names.END_CALL,
            "Hang up. Say goodbye first. Only when the caller has nothing more to ask.",
            _end_call,
            by_machine=True,
        ),
        Tool(
            names.BUSINESS_INFO,
            "Look something up in the facts about the business when your instructions do not answer the question.",
            _business_info,
        ),
        Tool(names.OPENING_HOURS, "Find out whether the business is open, and when it opens.", _opening_hours),
        Tool(
            names.CHECK_AVAILABLE,
            "Find out whether somebody is free to talk right now, before you offer to put the caller through.",
            _check_available,
        ),
        Tool(names.SEND_DTMF, "Press telephone keys in the call.", _send_dtmf, by_machine=True),
        Tool(names.HOLD, "Put the caller on hold: they hear music. Say so first.", _hold, by_machine=True),
        Tool(names.RESUME, "Take the caller back from hold.", _nothing, by_machine=True),
        Tool(
            names.PAUSE_RECORDING,
            "Stop recording before the caller gives a card number, a password or anything else that must not be kept."
            " Call it before you ask for it. Recording goes on by itself after 90 seconds.",
            _nothing,
            by_machine=True,
        ),
        Tool(
            names.RESUME_RECORDING,
            "Go on recording, as soon as the caller has given what must not be kept.",
            _nothing,
            by_machine=True,
        ),
        Tool(
            names.REMEMBER_CALLER,
            "Remember one thing about this caller for their next call, if they ask for it or it is plainly of use:"
            " never health, religion, politics, money, cards or passwords.",
            _remember_caller,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool that one secretary has."""

    name: str
    description: str
    schema: Mapping[str, Any]
    by_machine: bool = False

    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, self.description, schemas.portable(self.schema))


def built_in(chosen: Iterable[str], places: Sequence[str], *, remembers: bool, records: bool) -> list[Offered]:
    """Those of the platform's tools that were chosen and make sense: nobody is put through where there is nobody, and
    no recording is paused where there is none.
    """
    wanted = set(chosen)
    if not places:
        wanted -= {names.TRANSFER, names.CHECK_AVAILABLE}
    if not remembers:
        wanted.discard(names.REMEMBER_CALLER)
    if names.RESUME in wanted and names.HOLD not in wanted:
        wanted.discard(names.RESUME)
    if not records:
        wanted.discard(names.PAUSE_RECORDING)
    if names.PAUSE_RECORDING in wanted:
        wanted.add(names.RESUME_RECORDING)
    else:
        wanted.discard(names.RESUME_RECORDING)
    return [
        Offered(tool.name, tool.description, tool.parameters(places), tool.by_machine)
        for tool in TOOLS.values()
        if tool.name in wanted
    ]
