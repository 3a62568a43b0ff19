"""FusionPBX's toll classes: `toll_allow` of an extension names those of the routes it may use."""

from __future__ import annotations

from typing import Final

from eslbridge.policy.numbers import World
from eslbridge.policy.rules import Rules

LOCAL: Final = "local"
DOMESTIC: Final = "domestic"
INTERNATIONAL: Final = "international"
_ENOUGH: Final = {
    LOCAL: frozenset({LOCAL, DOMESTIC}),
    DOMESTIC: frozenset({DOMESTIC}),
    INTERNATIONAL: frozenset({INTERNATIONAL}),
}


def toll_class(world: World, rules: Rules) -> str:
    """local: the domain's own area, or free of charge; domestic: its country; international: everything else."""
    if world.region != rules.country:
        return INTERNATIONAL
    near = bool(rules.area_code) and world.national.startswith(rules.area_code)
    return LOCAL if near or world.kind == "toll_free" else DOMESTIC


def permitted(wanted: str, *lists: frozenset[str] | None) -> bool:
    """Whether every list that is known has the class. Words that are none of the three are somebody else's."""
    return all(known is None or known & _ENOUGH[wanted] for known in lists)
