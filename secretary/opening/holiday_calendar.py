"""Public holidays by country and state, from the `holidays` library: chosen by name, never typed.

A country's year is worked out once in a process (well under a millisecond each, some tens for the library's first),
so that a call that comes in finds it ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import holidays
from holidays import registry


@lru_cache(maxsize=1)
def countries() -> Mapping[str, str]:
    """ISO code → English name, by name."""
    found = {
        names[1]: _words(names[0]) for names in registry.COUNTRIES.values() if len(names) > 1 and len(names[1]) == 2
    }
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _words(name: str) -> str:
    """`UnitedStates` → `United States`."""
    return "".join(f" {letter}" if letter.isupper() and place else letter for place, letter in enumerate(name))


@lru_cache(maxsize=256)
def subdivisions(country: str) -> Mapping[str, str]:
    """Code → name of a country's parts that have holidays of their own; empty where there are none, or no country."""
    if country not in countries():
        return {}
    kind = getattr(holidays, country)
    names: dict[str, str] = {}
    for alias, code in getattr(kind, "subdivisions_aliases", {}).items():
        names.setdefault(code, alias)
    found = {code: names.get(code, code) for code in kind.subdivisions}
    return dict(sorted(found.items(), key=lambda item: item[1]))


@lru_cache(maxsize=512)
def public_holidays(country: str, subdivision: str, year: int, language: str) -> Mapping[date, str]:
    """The days of one year and their names, in the language asked for where the library has it. Empty: no calendar."""
    if country not in countries():
        return {}
    kind = getattr(holidays, country)
    supported = getattr(kind, "supported_languages", ())
    wanted = {"en": ("en_US", "en_GB", "en"), "pt-br": ("pt_BR", "pt_PT", "pt")}.get(language, ())
    chosen = next((name for name in wanted if name in supported), None)
    known = subdivision if subdivision in kind.subdivisions else None
    return dict(holidays.country_holidays(country, subdiv=known, years=year, language=chosen).items())
