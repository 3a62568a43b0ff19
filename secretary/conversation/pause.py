"""How long the caller must be quiet until the turn is over: shorter where it sounds complete, longer where it does not.

Pure. The words decide where they are known while the caller speaks; otherwise the voice does: one that falls has
probably come to an end.
"""

from __future__ import annotations

from typing import Final

SHORTEST_MS: Final = 300
LONGEST_MS: Final = 3_000
COMPLETE: Final = 0.7
SHORT_ANSWER: Final = 0.6
FALLING: Final = 0.85
UNFINISHED: Final = 2.0
WHOLE_NUMBER: Final = 10
"""Digits of a telephone number that may be complete."""

HANGING: Final = frozenset(
    # English: what nobody ends with.
    "and or but so because if when that which who with without for from to of in on at by about the a an my your his"
    " her our their is are was were am i we they would could can will shall should um uh er like then than".split()
    # Portuguese.
    + "e ou mas então porque pois se quando que com sem para pra por de do da dos das no na nos nas em um uma o os as"
    " ao à meu minha seu sua nosso nossa é são era foi eu nós eles queria gostaria posso vou hum tipo aí né".split()
)
ANSWERS: Final = frozenset(
    "yes yeah yep no nope okay ok please thanks thank you correct right exactly goodbye bye"
    " sim não claro isso certo exato obrigado obrigada tchau ok pode favor por".split()
)
NUMBERS: Final = frozenset(
    "zero oh one two three four five six seven eight nine ten double triple"
    " um uma dois duas três quatro cinco seis meia sete oito nove dez".split()
)


def pause_after(base_ms: int, text: str = "", *, falling: bool | None = None) -> int:
    """The pause for what was said so far. `base_ms` is the secretary's; `falling`: the voice sank at the end.

    Never below half of the base nor above two and a half times of it, and within SHORTEST_MS and LONGEST_MS.
    """
    factor = _by_words(text) if text.strip() else FALLING if falling else 1.0
    lowest, highest = max(base_ms // 2, SHORTEST_MS), min(base_ms * 5 // 2, LONGEST_MS)
    return max(min(round(base_ms * factor), highest), lowest)


def _by_words(text: str) -> float:
    words = "".join(one if one.isalnum() or one in "'-" else " " for one in text.casefold()).split()
    if not words:
        return 1.0
    if text.rstrip().endswith((",", "-", "…", "...")) or words[-1] in HANGING - NUMBERS:
        return UNFINISHED
    if _spells(words):
        return 1.0 if _digits(words) >= WHOLE_NUMBER else UNFINISHED
    if words[-1] in HANGING:
        return UNFINISHED
    if all(word in ANSWERS for word in words):
        return SHORT_ANSWER
    return COMPLETE if text.rstrip().endswith((".", "?", "!")) else 1.0


def _spells(words: list[str]) -> bool:
    """The last words are digits or letters, one after another."""
    last = words[-2:] if len(words) > 1 else words
    return all(word.isdigit() or word in NUMBERS or (len(word) == 1 and word not in "aeoéià") for word in last)


def _digits(words: list[str]) -> int:
    count = 0
    for word in reversed(words):
        if word.isdigit():
            count += len(word)
        elif word in NUMBERS:
            count += 1
        else:
            break
    return count
