"""What is found out for a call at its beginning: who calls, as far as is remembered, and what its model is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog

from secretary.profiles import SecretaryProfile
from secretary.selectors.opening import describe
from secretary.speech.contract import Place
from secretary.tools import facts
from secretary.tools.instructions import Told, instructions
from tenants.context import tenant_context

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Beginning:
    """Read once, at the call's edge."""

    known: tuple[str, ...] = ()


def beginning_of(
    profile: SecretaryProfile, caller_number: str, *, told_before: Mapping[str, str] | None = None
) -> Beginning:
    """Never raises: nothing of this is worth a call. `told_before`: earlier in this very call."""
    before = tuple(f"Told in this call: {name}: {text}" for name, text in (told_before or {}).items())
    try:
        with tenant_context(profile.domain_uuid):
            known = facts.known(caller_number) if profile.remembers_callers else ()
    except Exception:
        log.exception("call_begins_without_memory")
        return Beginning(before)
    return Beginning((*before, *known))


def told(
    profile: SecretaryProfile,
    *,
    tools: frozenset[str],
    greeting: str = "",
    caller_name: str = "",
    beginning: Beginning | None = None,
    at: datetime | None = None,
) -> str:
    """The instructions of a model for one call. Without `beginning`: for what is prepared before anybody calls."""
    in_call = beginning is not None
    now = (at or datetime.now(UTC)).astimezone(ZoneInfo(profile.time_zone)) if in_call else None
    return instructions(
        Told(
            secretary_name=profile.name,
            language=profile.language,
            facts=profile.prompt,
            places=tuple(
                Place(str(place.destination_uuid), place.name, place.aliases) for place in profile.destinations
            ),
            tools=tools,
            now=now,
            opening=describe(profile.opening, profile.language) if in_call and profile.opening else "",
            caller_name=caller_name,
            known=beginning.known if beginning else (),
            disclosed=profile.disclosure,
            greeting=greeting,
        )
    )
