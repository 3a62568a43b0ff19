"""A number by itself, without a domain's rules: what a form can tell at once. `decide` has the last word."""

from __future__ import annotations

import re
from typing import Final

from eslbridge.policy.decide import SECRETARIES
from eslbridge.policy.kinds import OK, Decision, DestinationKind
from eslbridge.policy.ranges import EMERGENCY, EMERGENCY_INSIDE

INTERNAL: Final = re.compile(r"[0-9*#]{1,20}")
EXTERNAL: Final = re.compile(r"\+?[0-9]{3,20}")


def check_number(number: str, kind: DestinationKind) -> Decision:
    """Judge a number by itself. Reasons: malformed, emergency, secretary_loop."""
    pattern = EXTERNAL if kind is DestinationKind.EXTERNAL else INTERNAL
    if not number.isascii() or pattern.fullmatch(number) is None:
        return Decision(False, "malformed")
    emergency = EMERGENCY if kind is DestinationKind.EXTERNAL else EMERGENCY_INSIDE
    if number.lstrip("+") in emergency:
        return Decision(False, "emergency")
    if kind is DestinationKind.SECRETARY:
        return OK if SECRETARIES.fullmatch(number) is not None else Decision(False, "malformed")
    if SECRETARIES.fullmatch(number) is not None:
        return Decision(False, "secretary_loop")
    return OK


def check_destination(*, number: str, kind: str, enabled: bool, external_allowed: bool = False) -> Decision:
    """Judge a destination by itself. More reasons: unknown_kind, disabled, external.

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
