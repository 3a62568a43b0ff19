"""The one function: may this be dialled, and why not. Pure; outside every model and provider.

It is asked when a destination is saved, when somebody wants to dial, and again by the worker before a command is sent.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from phonenumbers import shortnumberinfo

from eslbridge.policy import tolls
from eslbridge.policy.allow_list import on_list
from eslbridge.policy.kinds import Decision, DestinationKind
from eslbridge.policy.numbers import (
    World,
    cleaned,
    country_known,
    international_prefix,
    readings,
    trunk_prefix,
    world_number,
)
from eslbridge.policy.ranges import (
    EMERGENCY,
    EMERGENCY_INSIDE,
    HIGH_RISK_COUNTRIES,
    HIGH_RISK_PREFIXES,
    NO_COUNTRY,
    REFUSED_FEATURES,
    SATELLITE_PREFIXES,
)
from eslbridge.policy.rules import Dial, DialAs, Rules

SECRETARIES: Final = re.compile(r"8[0-9]{3}")
"""The numbers that lead to a secretary: a transfer to one of them could go round for ever."""
TOLD: Final = re.compile(r"8[0-9]{3}[*#].*")
"""Our own dialplan's ways there: `8001*1`, behind a time condition."""
INSIDE: Final = re.compile(r"[0-9*#]{1,20}")
LEAST_S: Final = 20.0
"""With less of the domain's minutes left, nobody is called any more."""
COSTLY: Final = {"premium": "premium", "shared": "premium", "personal": "premium", "pager": "premium"}


def decide(dial: Dial) -> Decision:
    """Judge a wish to dial. Reasons of a refusal:

    For every number: unknown_kind, disabled, malformed, emergency, secretary_loop, feature_code. Inside: looks_external
    (a dialplan would take it for a public number). Outside: own_number, blocked, satellite, premium, allow_list (the
    secretary may call nothing but her list), invalid, high_risk, external (neither listed nor permitted), country,
    toll_allow. Enough for now: per_call, per_hour, per_day, calls_full, minutes.
    """
    try:
        kind = DestinationKind(dial.kind)
    except ValueError:
        return Decision(False, "unknown_kind", f"kind {dial.kind[:40]!r}")
    if not dial.enabled:
        return Decision(False, "disabled")
    number = cleaned(dial.number)
    if not number:
        return Decision(False, "malformed")
    decision = _outside(dial, number) if kind is DestinationKind.EXTERNAL else _inside(dial, number, kind)
    if not decision.allowed:
        return decision
    too_much = _limits(dial, decision.external)
    if too_much is not None:
        return replace(decision, allowed=False, dialled="", grant="", reason=too_much[0], detail=too_much[1])
    return decision


def _inside(dial: Dial, number: str, kind: DestinationKind) -> Decision:
    rules = dial.rules
    if INSIDE.fullmatch(number) is None:
        return Decision(False, "malformed", "only digits, * and # inside the domain")
    if any(_is_emergency(text, rules, EMERGENCY_INSIDE) for text in _behind_feature(number)):
        return Decision(False, "emergency", f"{number} is an emergency number")
    if kind is DestinationKind.SECRETARY:
        if SECRETARIES.fullmatch(number) is None:
            return Decision(False, "malformed", "secretaries answer at 8000 to 8999")
        if number in dial.moment.visited:
            return Decision(False, "secretary_loop", f"the call has been at {number}")
        return Decision(True, "ok", dialled=number)
    if TOLD.fullmatch(number) or any(SECRETARIES.fullmatch(text) for text in _behind_feature(number)):
        return Decision(False, "secretary_loop", f"{number} leads to a secretary")
    if number.startswith(REFUSED_FEATURES):
        return Decision(False, "feature_code", f"{number} is not for callers")
    digits = sum(letter.isdigit() for letter in number)
    most = rules.internal_digits + (2 if number[0] in "*#" else 0)
    outside = rules.outside_prefix
    if digits > most or (outside and number.startswith(outside) and len(number) > len(outside)):
        return Decision(False, "looks_external", f"{number} would leave the domain")
    return Decision(True, "ok", dialled=number)


def _outside(dial: Dial, number: str) -> Decision:
    rules = dial.rules
    if "*" in number or "#" in number:
        return Decision(False, "malformed", "a public number has digits only")
    if _is_emergency(number, rules, EMERGENCY):
        return Decision(False, "emergency", f"{number} is an emergency number")
    if any(SECRETARIES.fullmatch(text) for text in readings(number, rules.country, rules.outside_prefix)):
        return Decision(False, "secretary_loop", f"{number} leads to a secretary")
    world = world_number(number, rules.country, rules.outside_prefix)
    if world is None:
        return Decision(False, "malformed", "not a number of the public network")
    known = Decision(False, "", e164=world.e164, region=world.region, toll_class=tolls.toll_class(world, rules))
    if _is_emergency(world.national, rules, frozenset(), world.region) or _would_become_one(world, rules):
        return replace(known, reason="emergency", detail=f"{world.e164} is an emergency number")
    reason, detail = _refusal(dial, world)
    if reason:
        return replace(known, reason=reason, detail=detail)
    if not tolls.permitted(known.toll_class, dial.toll_allow, rules.toll_allow):
        return replace(known, reason="toll_allow", detail=f"toll_allow lacks {known.toll_class}")
    used = dial.toll_allow is not None or rules.toll_allow is not None
    grant = known.toll_class if used else ""
    return replace(known, allowed=True, reason="ok", dialled=_as_dialled(world, rules), grant=grant)


def _refusal(dial: Dial, world: World) -> tuple[str, str]:
    """Reason and detail, empty where nothing speaks against a public number."""
    rules, digits = dial.rules, world.e164[1:]
    if world.e164 in rules.own_numbers:
        return "own_number", f"{world.e164} is the domain's own"
    if (prefix := _begins(digits, rules.blocked_prefixes)) is not None:
        return "blocked", f"+{prefix} is blocked for the domain"
    if (world.region == NO_COUNTRY and world.kind != "toll_free") or digits.startswith(SATELLITE_PREFIXES):
        return "satellite", f"{world.e164} is a satellite or international network"
    if world.kind == "premium":
        return "premium", f"{world.e164} is a premium number"
    own = on_list(world.e164, dial.allow_list)
    if dial.allow_list_only and not own:
        return "allow_list", f"{world.e164} is not on the secretary's list"
    chosen = _begins(digits, rules.allowed_prefixes)
    if chosen is None:
        if reason := COSTLY.get(world.kind):
            return reason, f"{world.e164} is a {world.kind} number"
        if not world.valid:
            return "invalid", f"{world.e164} is in no known range"
        abroad = world.region not in rules.allowed_countries and world.region != rules.country
        if abroad and (world.region in HIGH_RISK_COUNTRIES or digits.startswith(HIGH_RISK_PREFIXES)):
            return "high_risk", f"{world.region} is known for toll fraud"
        if not (dial.listed or own):
            if not rules.external_allowed:
                return "external", "neither a stored destination, nor on the secretary's list"
            if abroad:
                return "country", f"{world.region} is not among the domain's countries"
    return "", ""


def _begins(digits: str, prefixes: tuple[str, ...]) -> str | None:
    for prefix in prefixes:
        plain = prefix.removeprefix("+")
        if plain and digits.startswith(plain):
            return plain
    return None


def _is_emergency(number: str, rules: Rules, known: frozenset[str], region: str = "") -> bool:
    """Whether any reading of a number is one: with a plus, with leading zeros, after the outside prefix."""
    spellings = set()
    for text in readings(number, rules.country, rules.outside_prefix):
        digits = text.lstrip("+")
        spellings |= {digits, digits.lstrip("0") or digits[:3]}  # of nothing but zeros: Australia's 000
    for text in spellings:
        if text in known or (number.startswith("+") and text in EMERGENCY):
            return True
        for country in {rules.country, region}:
            if text and country_known(country) and shortnumberinfo.is_emergency_number(text, country):
                return True
    return False


def _would_become_one(world: World, rules: Rules) -> bool:
    """A number in no known range that begins, as it is dialled at home, as an emergency number does: `112345678`."""
    if world.valid or rules.dial_as != DialAs.NATIONAL or not country_known(rules.country):
        return False
    form = _as_dialled(world, rules).removeprefix(rules.outside_prefix)
    return bool(shortnumberinfo.connects_to_emergency_number(form, rules.country))


def _behind_feature(number: str) -> list[str]:
    """What a number inside may dial: itself, and what stands behind a feature code: 911 and 8001 in `*67911`, `**8001`.

    No more than two digits are the code: `*991112` is the box of 1112.
    """
    rest = number.lstrip("*#")
    return [number] if rest == number else [number, *(rest[cut:] for cut in range(3) if rest[cut:])]


def form_of(number: str, rules: Rules) -> str:
    """What a public number would be dialled as, whether it may be or not; empty for what is none."""
    clean = cleaned(number)
    world = world_number(clean, rules.country, rules.outside_prefix) if clean else None
    return _as_dialled(world, rules) if world is not None else ""


def _as_dialled(world: World, rules: Rules) -> str:
    digits = world.e164[1:]
    match rules.dial_as:
        case DialAs.DIGITS:
            return rules.outside_prefix + digits
        case DialAs.NATIONAL if world.region == rules.country:
            return rules.outside_prefix + trunk_prefix(rules.country) + world.national
        case DialAs.NATIONAL:
            return rules.outside_prefix + international_prefix(rules.country) + digits
    return world.e164


def _limits(dial: Dial, external: bool) -> tuple[str, str] | None:
    rules, now = dial.rules, dial.moment
    if now.in_call is not None and now.in_call >= rules.per_call:
        return "per_call", f"{now.in_call} dials in this call"
    if external and now.external_hour is not None and now.external_hour >= rules.external_per_hour:
        return "per_hour", f"{now.external_hour} external dials in an hour"
    if external and now.external_day is not None and now.external_day >= rules.external_per_day:
        return "per_day", f"{now.external_day} external dials in a day"
    if dial.new_call and now.calls is not None and now.max_calls is not None and now.calls >= now.max_calls:
        return "calls_full", f"{now.calls} calls in progress"
    if (dial.new_call or external) and now.seconds_left is not None and now.seconds_left < LEAST_S:
        return "minutes", "the domain has used its minutes or money"
    return None
