"""The rules of one conversation, from what the database says of the secretary and of the domain."""

from __future__ import annotations

from typing import Final, cast

from secretary.conversation.keys import menu_of
from secretary.conversation.state import Key, Rules, TurnMode
from secretary.profiles import SecretaryProfile
from secretary.selectors.greetings import greeting_of

TRANSFER_MS: Final = 600_000
"""How long putting through may take, with all who stand in: each part of it has a deadline of its own."""
TURN_MODES: Final = ("adaptive", "provider", "fixed")


def rules(profile: SecretaryProfile, allowed_s: float | None = None, *, greeting: str = "") -> Rules:
    """What the secretary's settings say about the conversation, and the domain's quotas about its end.

    `greeting`: what is said first, where it is not the secretary's own.
    """
    manner = profile.manner
    mode = manner.turn_mode if manner.turn_mode in TURN_MODES else "adaptive"
    return Rules(
        language=profile.language,
        greeting=greeting or greeting_of(profile),
        disclosure=profile.disclosure,
        silence_ms=round(profile.silence_s * 1000),
        silence_prompts=profile.silence_prompts,
        silence_hangs_up=manner.silence_hangs_up,
        max_call_ms=profile.max_call_s * 1000,
        transfer_ms=TRANSFER_MS,
        allowed_ms=None if allowed_s is None else round(allowed_s * 1000),
        turn_mode=cast(TurnMode, mode),
        pause_ms=manner.pause_ms,
        barge_in=manner.barge_in,
        protect_ms=manner.protect_ms,
        menu=_menu(profile),
        max_turns=manner.max_turns,
        max_cost=manner.max_cost,
    )


def _menu(profile: SecretaryProfile) -> tuple[tuple[str, Key], ...]:
    """Only destinations that callers are put through to now; out of hours, when only messages are taken, none."""
    there = set() if profile.message_only else {str(place.destination_uuid) for place in profile.destinations}
    menu = menu_of(profile.manner.menu)
    return tuple((digit, key) for digit, key in menu if key.do != "transfer" or key.destination_uuid in there)
