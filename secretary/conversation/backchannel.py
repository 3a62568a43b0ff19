"""Sounds that say "go on": an interruption by nothing else is none."""

from __future__ import annotations

from typing import Final

SOUNDS: Final = frozenset(
    "uh huh uhuh uhhuh mm mmm mhm hm hmm hmmm mhmm ah aha ahan oh um uh er"  # both, and English
    " aham uhum hum hã ã é ahã tá".split()  # Portuguese
)
"""Words that are nothing else. "Okay", "yes", "right" are answers as often, and stay the caller's."""


def is_backchannel(text: str) -> bool:
    """Whether the words are only such sounds; also where there are none."""
    words = "".join(one if one.isalnum() else " " for one in text.casefold()).split()
    return all(word in SOUNDS for word in words)
