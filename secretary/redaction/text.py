"""From what is found to what is left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from secretary.redaction import checks
from secretary.redaction.digits import Run, runs
from secretary.redaction.kinds import Kinds

Span = tuple[int, int, str]
"""Beginning, end and name of something that must go."""

_CODE_WORD: Final = re.compile(
    r"\b(?:cvv2?|cvc2?|cv2|security code|card verification|c[oó]digo de seguran[cç]a|c[oó]digo verificador)\b",
    re.IGNORECASE,
)
_SSN_WORD: Final = re.compile(r"\b(?:ssn|social security)\b", re.IGNORECASE)
_SSN: Final = re.compile(r"(?<![\d-])\d{3}[- ]\d{2}[- ]\d{4}(?![\d-])")
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ \-]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_PASSWORD: Final = re.compile(
    r"\b(?:pass ?word|pass ?code|pass ?phrase|pin(?: code| number)?|senha|palavra[- ]passe)\b"
    r"(?:\s{1,3}\w{1,12}){0,2}?\s{0,3}(?:[:=]|\b(?:is|are|will be|é|eh|são|seria)\b[:,]?)\s{0,3}"
    r"(?P<secret>[^.!?\n]{1,80})",
    re.IGNORECASE,
)
_SPELLED: Final = re.compile(
    r"\b(?:pass ?word|pass ?code|senha|palavra[- ]passe)\b[\s,:]{1,3}(?P<secret>\w(?:[\s,\-]{1,3}\w\b){2,40})",
    re.IGNORECASE,
)
_REACH: Final = 40
"""Characters between a word and the number that it announces."""


def redact(text: str, kinds: Kinds) -> str:
    """The text without what `kinds` names; each is replaced by its name in brackets."""
    return redact_lines([text], kinds)[0]


def redact_lines(lines: Sequence[str], kinds: Kinds) -> list[str]:
    """The same for lines that one speaker said one after the other: a number may go over several of them."""
    if not kinds or not lines:
        return list(lines)
    whole = "\n".join(lines)
    found = _outermost(_find(whole, kinds))
    redacted, begin = [], 0
    for line in lines:
        redacted.append(_without(line, begin, found))
        begin += len(line) + 1
    return redacted


def redact_value(value: object, kinds: Kinds) -> object:
    """The same for every text inside a JSON value."""
    if not kinds:
        return value
    if isinstance(value, str):
        return redact(value, kinds)
    if isinstance(value, Mapping):
        return {key: redact_value(part, kinds) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact_value(part, kinds) for part in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**10:
        text = str(value)
        return redacted if (redacted := redact(text, kinds)) != text else value
    return value


def _find(text: str, kinds: Kinds) -> Iterator[Span]:
    if kinds.cards or kinds.identity:
        codes = [match.end() for match in _CODE_WORD.finditer(text)] if kinds.cards else []
        numbers = [match.end() for match in _SSN_WORD.finditer(text)] if kinds.identity else []
        for run in runs(text):
            if kinds.cards:
                yield from _cards(run)
                if 3 <= len(run.digits) <= 4 and _announced(run, codes):
                    yield (*run.span(0, len(run.digits)), "security code")
            if kinds.identity:
                yield from _windows(run, 11, checks.cpf, "CPF")
                yield from _windows(run, 14, checks.cnpj, "CNPJ")
                if checks.ssn(run.digits) and _announced(run, numbers):
                    yield (*run.span(0, 9), "SSN")
    if kinds.identity:
        for match in _SSN.finditer(text):
            if checks.ssn(re.sub(r"\D", "", match[0])):
                yield (*match.span(), "SSN")
    if kinds.accounts:
        for match in _IBAN.finditer(text):
            yield from _ibans(match)
    if kinds.passwords:
        for pattern in (_PASSWORD, _SPELLED):
            for match in pattern.finditer(text):
                yield (*match.span("secret"), "password")


def _announced(run: Run, words: list[int]) -> bool:
    start = run.places[0][0]
    return any(0 <= start - word <= _REACH for word in words)


def _cards(run: Run) -> Iterator[Span]:
    for begin in range(len(run.digits) - 12):
        for size in checks.card_lengths(run.digits[begin : begin + 2]):
            number = run.digits[begin : begin + size]
            if len(number) == size and checks.luhn(number):
                yield (*run.span(begin, begin + size), "card")


def _windows(run: Run, size: int, check: Callable[[str], bool], name: str) -> Iterator[Span]:
    for begin in range(len(run.digits) - size + 1):
        if check(run.digits[begin : begin + size]):
            yield (*run.span(begin, begin + size), name)


def _ibans(match: re.Match[str]) -> Iterator[Span]:
    # The words that follow look like more of it, so the longest beginning that checks is taken.
    text = match[0]
    for end in range(len(text), 14, -1):
        whole_word = end == len(text) or not text[end].isalnum()
        if whole_word and text[end - 1].isalnum() and checks.iban(re.sub(r"[ \-]", "", text[:end]).upper()):
            yield match.start(), match.start() + end, "IBAN"
            return


def _outermost(found: Iterator[Span]) -> list[Span]:
    """Spans that overlap as one, by the name of the first."""
    merged: list[Span] = []
    for start, end, name in sorted(found):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), merged[-1][2])
        else:
            merged.append((start, end, name))
    return merged


def _without(line: str, begin: int, found: list[Span]) -> str:
    """A line of the whole, which begins at `begin`, without the spans that touch it."""
    parts, at = [], 0
    for start, end, name in found:
        first, last = max(0, start - begin), min(len(line), end - begin)
        if first < last:
            parts += [line[at:first], f"[{name}]"]
            at = last
    return "".join([*parts, line[at:]])
