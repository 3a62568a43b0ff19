"""What a model is told that it is: the platform's rules first and last, the tenant's words in between, as data.

The same input gives the same text, to the letter; a change of the rules is a new VERSION, which the record of each
call names. Nothing that a tenant, a caller or a tool says can take a rule away: their texts stand between marks that
they cannot write themselves, and the rules stand before and after them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from secretary.speech.contract import Place
from secretary.tools import business, names
from secretary.tools.rules import ENGLISH, PORTUGUESE, Rules

VERSION: Final = 1
MOST_PLACES: Final = 60
MOST_KNOWN: Final = 20
_MARKS: Final = re.compile(r"(?:<(?=<))+|(?:>(?=>))+")
"""All but the last of a run: where a whole run went, its neighbours could make a new one."""
_HEADING: Final = re.compile(r"^[\s#]+")


@dataclass(frozen=True, slots=True)
class Told:
    """What the instructions are made of."""

    secretary_name: str
    language: str
    facts: str = ""
    """The tenant's prompt."""
    places: tuple[Place, ...] = ()
    tools: frozenset[str] = frozenset()
    now: datetime | None = None
    """In the domain's time zone; None: nothing is said about the time."""
    opening: str = ""
    """Whether the business is open, in words."""
    caller_name: str = ""
    """As the network shows it."""
    known: tuple[str, ...] = ()
    """What is remembered of the caller."""
    disclosed: str = ""
    """What the platform has told the caller before."""
    greeting: str = ""


def instructions(told: Told) -> str:
    """The whole text."""
    rules = PORTUGUESE if told.language.lower().startswith("pt") else ENGLISH
    parts = [
        _section(rules.title, [rules.intro, *(f"- {rule}" for rule in rules.rules)]),
        _section(rules.tools_title, _tools(rules, told.tools)),
        _section(rules.who_title, _who(rules, told)),
        _section(rules.places_title, _places(rules, told)),
        _section(rules.facts_title, _facts(rules, told)),
        _section(rules.caller_title, _caller(rules, told)),
        _section(rules.last_title, [rules.last]),
    ]
    return "\n\n".join(part for part in parts if part)


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"# {title}", *lines]) if lines else ""


def _tools(rules: Rules, tools: frozenset[str]) -> list[str]:
    lines = [f"- {text}" for name, text in rules.tools.items() if name in tools]
    return [rules.tools_intro, *lines] if tools else [rules.no_tools]


def _who(rules: Rules, told: Told) -> list[str]:
    lines = [rules.who.format(name=_line(told.secretary_name))]
    if told.disclosed:
        lines.append(rules.disclosed.format(text=_line(told.disclosed)))
    if told.greeting:
        lines.append(rules.greeted.format(text=_line(told.greeting)))
    if told.now is not None:
        lines.append(rules.time(told.now))
    if told.opening:
        lines.append(_line(told.opening))
    return lines


def _places(rules: Rules, told: Told) -> list[str]:
    if not told.places:
        return [rules.no_places]
    lines = []
    for place in told.places[:MOST_PLACES]:
        also = ", ".join(_line(alias) for alias in place.aliases)
        lines.append(f"- {_line(place.name)} ({rules.also}: {also})" if also else f"- {_line(place.name)}")
    return [rules.places_intro, *lines]


def _facts(rules: Rules, told: Told) -> list[str]:
    text, more = business.opening_part(_data(told.facts))
    if not text:
        return [rules.no_facts]
    lookup = [rules.more_facts] if more and names.BUSINESS_INFO in told.tools else []
    return [rules.facts_intro, "<<<", text, ">>>", *lookup]


def _caller(rules: Rules, told: Told) -> list[str]:
    lines = []
    if told.caller_name:
        lines.append(rules.shown_name.format(name=_line(told.caller_name)))
    if told.known:
        lines += [rules.known_intro, "<<<", *(f"- {_line(fact)}" for fact in told.known[:MOST_KNOWN]), ">>>"]
    return lines


def _line(text: str) -> str:
    """A foreign text within a line."""
    return " ".join(_MARKS.sub("", text).split()).lstrip("# ")[:300]


def _data(text: str) -> str:
    """A foreign text of several lines: without our marks, without headings that look like ours."""
    return "\n".join(_HEADING.sub("", line) for line in _MARKS.sub("", text).splitlines()).strip()
