"""Finding numbers in what people write and say: `4111 1111…`, `four one one one…`, `quatro um um um…`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_UNITS: Final = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9",
    "um": "1", "uma": "1", "dois": "2", "duas": "2", "três": "3", "tres": "3", "quatro": "4", "cinco": "5",
    "seis": "6", "meia": "6", "sete": "7", "oito": "8", "nove": "9",
}  # fmt: skip
_TEENS: Final = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
    "dez": "10", "onze": "11", "doze": "12", "treze": "13", "catorze": "14", "quatorze": "14", "quinze": "15",
    "dezesseis": "16", "dezessete": "17", "dezoito": "18", "dezenove": "19",
}  # fmt: skip
_TENS: Final = {
    "twenty": "2", "thirty": "3", "forty": "4", "fifty": "5", "sixty": "6", "seventy": "7", "eighty": "8",
    "ninety": "9",
    "vinte": "2", "trinta": "3", "quarenta": "4", "cinquenta": "5", "sessenta": "6", "setenta": "7", "oitenta": "8",
    "noventa": "9",
}  # fmt: skip
_TIMES: Final = {"double": 2, "triple": 3}


def _any(words: dict[str, str] | dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_TOKEN: Final = re.compile(
    rf"(?P<digit>\d)|\b(?:(?P<times>{_any(_TIMES)})[\s-]{{1,3}}(?P<timed>\d\b|(?:{_any(_UNITS)})\b)"
    rf"|(?P<tens>{_any(_TENS)})(?:(?:\s+e\s+|[\s-]{{1,3}})(?P<unit>{_any(_UNITS)})\b(?!\s+e\s))?\b"
    rf"|(?P<teen>{_any(_TEENS)})\b|(?P<one>{_any(_UNITS)})\b)",
    re.IGNORECASE,
)
_SEPARATORS: Final = r"[\s\-\u2013\u2014.,;:/\u2026]*"
_FILLERS: Final = "uh|um|er|erm|hm+|ah|eh|é|éh|and|then|e|depois|space|dash|espaço|traço|ponto|barra"
_GAP: Final = re.compile(rf"{_SEPARATORS}(?:\b(?:{_FILLERS})\b{_SEPARATORS}){{0,2}}", re.IGNORECASE)
LONGEST_GAP: Final = 24
"""Characters between two digits of one number."""


@dataclass(frozen=True, slots=True)
class Token:
    """One or more digits as they stand in the text."""

    start: int
    end: int
    digits: str


@dataclass(frozen=True, slots=True)
class Run:
    """Digits that follow each other with nothing but separators between them; `places[i]` is where digit i stands."""

    digits: str
    places: tuple[tuple[int, int], ...]

    def span(self, begin: int, end: int) -> tuple[int, int]:
        return self.places[begin][0], self.places[end - 1][1]


def runs(text: str) -> Iterator[Run]:
    """The numbers of a text. Twice where `um` stands, which says one in Portuguese and nothing in English."""
    tokens = list(_tokens(text))
    yield from _grouped(text, tokens)
    without = [token for token in tokens if text[token.start : token.end].lower() != "um"]
    if len(without) != len(tokens):
        yield from _grouped(text, without)


def _tokens(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        if match["digit"]:
            digits = _plain(match["digit"])
        elif match["times"]:
            timed = match["timed"].lower()
            digits = (_UNITS.get(timed) or _plain(timed)) * _TIMES[match["times"].lower()]
        elif match["tens"]:
            digits = _TENS[match["tens"].lower()] + (_UNITS[match["unit"].lower()] if match["unit"] else "0")
        elif match["teen"]:
            digits = _TEENS[match["teen"].lower()]
        else:
            digits = _UNITS[match["one"].lower()]
        yield Token(match.start(), match.end(), digits)


def _plain(digit: str) -> str:
    return str(int(digit))  # `\d` also finds the digits of other scripts


def _grouped(text: str, tokens: list[Token]) -> Iterator[Run]:
    group: list[Token] = []
    for token in tokens:
        if group and not _joined(text[group[-1].end : token.start]):
            yield _run(group)
            group = []
        group.append(token)
    if group:
        yield _run(group)


def _joined(gap: str) -> bool:
    return len(gap) <= LONGEST_GAP and _GAP.fullmatch(gap) is not None


def _run(group: list[Token]) -> Run:
    places = tuple((token.start, token.end) for token in group for _ in token.digits)
    return Run("".join(token.digits for token in group), places)
