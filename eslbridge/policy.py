"""What the platform dials. One deterministic function, outside every model and provider; its record says why.

It is asked when a destination is saved, when a transfer is requested, and again by the worker before a command is
sent. Nothing here reads the database: the caller passes what is needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class DestinationKind(StrEnum):
    EXTENSION = "extension"
    RING_GROUP = "ring_group"
    QUEUE = "queue"
    VOICEMAIL = "voicemail"
    EXTERNAL = "external"


INTERNAL: Final = re.compile(r"[0-9*#]{1,20}")
EXTERNAL: Final = re.compile(r"\+?[0-9]{3,20}")
SECRETARIES: Final = re.compile(r"8[0-9]{3}")
"""The numbers that lead to a secretary: a transfer to one of them could go round for ever."""

# No model dials these: a person in need presses the keys. The short ones of the world for external numbers; inside a
# domain, where 100 or 110 is somebody's desk, those that a PBX commonly routes to the emergency services.
EMERGENCY_INSIDE: Final = frozenset({"000", "112", "190", "192", "193", "911", "933", "999"})
EMERGENCY: Final = EMERGENCY_INSIDE | frozenset(
    {"100", "101", "102", "108", "110", "111", "113", "115", "116", "117", "118", "119", "120", "122", "123", "131"}
    | {"132", "133", "144", "155", "158", "191", "194", "197", "198", "199", "988", "991", "995", "997", "998"}
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a number may be dialled, and the reason in one word for the record (`ok` when it may)."""

    allowed: bool
    reason: str


OK: Final = Decision(True, "ok")


def check_number(number: str, kind: DestinationKind) -> Decision:
    """Judge a number by itself. Reasons: malformed, emergency, secretary_loop."""
    pattern = EXTERNAL if kind is DestinationKind.EXTERNAL else INTERNAL
    if not number.isascii() or pattern.fullmatch(number) is None:
        return Decision(False, "malformed")
    emergency = EMERGENCY if kind is DestinationKind.EXTERNAL else EMERGENCY_INSIDE
    if number.lstrip("+") in emergency:
        return Decision(False, "emergency")
    if SECRETARIES.fullmatch(number) is not None:
        return Decision(False, "secretary_loop")
    return OK


def check_destination(*, number: str, kind: str, enabled: bool, external_allowed: bool = False) -> Decision:
    """Judge a destination before it is dialled. More reasons: unknown_kind, disabled, external.

    `external_allowed` is true only for a destination that an administrator has stored with the kind `external`.
    """
    try:
        known = DestinationKind(kind)
    except ValueError:
        return Decision(False, "unknown_kind")
    if not enabled:
        return Decision(False, "disabled")
    if known is DestinationKind.EXTERNAL and not external_allowed:
        return Decision(False, "external")
    return check_number(number, known)
