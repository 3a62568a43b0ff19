"""What a call was about and how it ended, in a few sentences: put together from facts, by no model.

summary("en", Ending(outcome="message", facts={"name": "Maria", "reason": "a broken heater"}, …))
# Maria called. It was about: a broken heater. A message was left (urgent).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MOST: Final = 600
MOST_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class Ending:
    """All that a summary is made of."""

    outcome: str
    facts: Mapping[str, str] = field(default_factory=dict)
    """`name`, `number`, `reason`, `urgency`, as the caller told them."""
    shown_name: str = ""
    shown_number: str = ""
    destination: str = ""
    """Whom the caller was put through to, or wanted."""
    message: str = ""
    message_complete: bool = True
    callback: bool = False
    first_words: str = ""
    """The caller's own, where nothing else says what it was about."""


@dataclass(frozen=True, slots=True)
class Words:
    called: str
    somebody: str
    about: str
    said: str
    put_through: str
    put_through_to: str
    message: str
    message_cut: str
    urgent: str
    callback: str
    wanted: str
    outcomes: Mapping[str, str]


_ENGLISH: Final = Words(
    called="{who} called.",
    somebody="Somebody without a number",
    about="It was about: {reason}",
    said="First words: “{words}”",
    put_through="The caller was put through.",
    put_through_to="The caller was put through to {place}.",
    message="A message was left{urgent}.",
    message_cut="A message was begun{urgent}, and not finished.",
    urgent=" (urgent)",
    callback="A callback was promised.",
    wanted="{place} could not be reached.",
    outcomes={
        "completed": "The call ended in the ordinary way.",
        "caller_hung_up": "The caller hung up.",
        "fallback": "The call went on to the fallback.",
        "failed": "The call broke off.",
    },
)
_PORTUGUESE: Final = Words(
    called="{who} ligou.",
    somebody="Alguém sem número",
    about="Assunto: {reason}",
    said="Primeiras palavras: “{words}”",
    put_through="A ligação foi passada.",
    put_through_to="A ligação foi passada para {place}.",
    message="Deixou um recado{urgent}.",
    message_cut="Começou um recado{urgent}, mas não terminou.",
    urgent=" (urgente)",
    callback="Um retorno foi prometido.",
    wanted="Não foi possível falar com {place}.",
    outcomes={
        "completed": "A ligação terminou normalmente.",
        "caller_hung_up": "A pessoa desligou.",
        "fallback": "A ligação seguiu para o destino alternativo.",
        "failed": "A ligação caiu.",
    },
)


def summary(language: str, ending: Ending) -> str:
    """A few sentences in `en` or `pt-br`; English for any other."""
    words = _PORTUGUESE if language.lower().startswith("pt") else _ENGLISH
    parts = [words.called.format(who=_who(words, ending))]
    reason = _one_line(ending.facts.get("reason", "")) or _one_line(ending.message)
    if reason:
        parts.append(_stopped(words.about.format(reason=reason)))
    elif ending.first_words:
        parts.append(words.said.format(words=_one_line(ending.first_words)))
    parts += _happened(words, ending)
    return " ".join(parts)[:MOST]


def _who(words: Words, ending: Ending) -> str:
    name = ending.facts.get("name", "") or ending.shown_name
    number = ending.facts.get("number", "") or ending.shown_number
    if name and number and name != number:
        return f"{name} ({number})"
    return name or number or words.somebody


def _happened(words: Words, ending: Ending) -> list[str]:
    urgent = words.urgent if ending.facts.get("urgency") == "urgent" else ""
    parts = []
    if ending.outcome == "transferred":
        place = ending.destination
        parts.append(words.put_through_to.format(place=place) if place else words.put_through)
    elif ending.destination:
        parts.append(words.wanted.format(place=ending.destination))
    if ending.outcome == "message" or ending.message:
        parts.append((words.message if ending.message_complete else words.message_cut).format(urgent=urgent))
    if ending.callback:
        parts.append(words.callback)
    if not parts and ending.outcome in words.outcomes:
        parts.append(words.outcomes[ending.outcome])
    return parts


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_REASON else line[: MOST_REASON - 1].rstrip() + "…"


def _stopped(text: str) -> str:
    return text if text[-1] in ".!?…" else f"{text}."
