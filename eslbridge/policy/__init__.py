"""What the platform dials: one deterministic function, outside every model and provider; its record says why.

    decision = policy.decide(Dial(number, kind, listed=..., rules=..., moment=...))
    decision.allowed, decision.reason, decision.detail, decision.dialled

Nothing here reads the database: `eslbridge.dialling` gathers the facts, asks, counts and writes down.
"""

from eslbridge.policy.checks import check_destination, check_number
from eslbridge.policy.decide import SECRETARIES, decide, form_of
from eslbridge.policy.kinds import OK, Decision, DestinationKind
from eslbridge.policy.ranges import EMERGENCY, EMERGENCY_INSIDE
from eslbridge.policy.rules import Dial, DialAs, Moment, Rules, toll_classes

__all__ = [
    "EMERGENCY",
    "EMERGENCY_INSIDE",
    "OK",
    "SECRETARIES",
    "Decision",
    "DestinationKind",
    "Dial",
    "DialAs",
    "Moment",
    "Rules",
    "check_destination",
    "check_number",
    "decide",
    "form_of",
    "toll_classes",
]
