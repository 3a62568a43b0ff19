"""What of a scenario can be asked of a real provider, and what only holds for one that follows the script.

A scenario is left out whole where it rehearses the stand-in itself, speaks another language, or needs a place or a tool
that the secretary does not have. Of the others, each expectation that is not judged is named, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from secretary.scenarios.judge import failures
from secretary.scenarios.run import Performance
from secretary.scenarios.script import Script
from secretary.scenarios.standin import place_named
from secretary.speech.contract import Place

OF_PROVIDER: Final = frozenset({"filler", "language", "provider_failed", "provider_changed", "provider_skipped"})
"""Timeline entries that come of how quick, or how able, the provider is."""
MENU_WORDS: Final = frozenset({"repeat", "end", "fallback"})


class LeftOut(Exception):
    """The scenario says nothing about this secretary; the message says why."""


@dataclass(frozen=True, slots=True)
class Secretary:
    """Who is rehearsed, as far as it matters here."""

    language: str
    places: tuple[Place, ...]
    tools: Collection[str]


@dataclass(frozen=True, slots=True)
class Fair:
    """The scenario as it may be judged, and what is not judged of it, each with its reason."""

    script: Script
    not_judged: tuple[str, ...]


def fair(script: Script, secretary: Secretary) -> Fair:
    """Raises LeftOut."""
    if script.standin_only:
        raise LeftOut("it rehearses what only a stand-in does")
    if script.language != secretary.language:
        raise LeftOut(f"it speaks {script.language}, the secretary {secretary.language}")
    if missing := sorted(set(_tools_of(script)) - set(secretary.tools)):
        raise LeftOut(f"it needs the tool {', '.join(missing)}, which the secretary does not have")
    if unknown := sorted(name for name in _places_of(script) if place_named(secretary.places, name) is None):
        raise LeftOut(f"it needs the place {', '.join(unknown)}, which the secretary does not have")
    return _judged(script, secretary)


def judge(performance: Performance) -> tuple[list[str], list[str]]:
    """What did not hold, and what could not be judged because it did not come about."""
    expect = performance.script.expect
    left: list[str] = []
    into_voice = any(one.into_voice and one.step.say for one in performance.deeds)
    if not into_voice and (expect.voice_stopped_within_ms or expect.interruptions):
        expect = replace(expect, voice_stopped_within_ms=0, interruptions=None)
        left.append("interruption: the secretary had finished before the caller spoke")
    broken = [
        f"{note.detail.get('provider')} failed: {note.detail.get('reason')}"
        for note in performance.record.notes
        if note.kind == "provider_failed"
    ]
    return broken + failures(replace(performance, script=replace(performance.script, expect=expect))), left


def _judged(script: Script, secretary: Secretary) -> Fair:
    expect = script.expect
    left: list[str] = []
    words, foreign = _written(script), any(part.language for part in script.provider)
    changes: dict[str, Any] = {}

    def only(name: str, why: str, kept: Mapping[str, bool]) -> None:
        """Keep of the list `name` what is true in `kept`."""
        changes[name] = tuple(one for one, judged in kept.items() if judged)
        left.extend(f"{name} {one!r}: {why}" for one, judged in kept.items() if not judged)

    why = "only where the provider tells the language" if foreign else "words of the script"
    only("said", why, {one: not foreign and one.lower() not in words for one in expect.said})
    only("never_said", why, {one: not foreign and one.lower() not in words for one in expect.never_said})
    spoken = " ".join(step.say for step in script.caller).lower()
    only(
        "message_contains",
        "no words of the caller",
        {one: one.lower() in spoken for one in expect.message_contains},
    )
    only("notes", "a matter of the provider", {one: one not in OF_PROVIDER for one in expect.notes})
    changes["tools"] = tuple(dict.fromkeys(expect.tools))  # how often is up to the model
    for name, nothing in (("keys", ""), ("sent_keys", None), ("provider", "")):
        if getattr(expect, name) != nothing:
            changes[name] = nothing
            left.append(f"{name}: of the stand-in")
    if expect.destination and (place := place_named(secretary.places, expect.destination)) is not None:
        changes["destination"] = place.name
    return Fair(replace(script, expect=replace(expect, **changes)), tuple(left))


def _written(script: Script) -> str:
    """All that the stand-in and the scenario's own greeting say."""
    parts = [part.says for one in (script.provider, *script.providers) for part in one]
    return " ".join([script.secretary.greeting, *parts]).lower()


def _tools_of(script: Script) -> Iterator[str]:
    yield from script.expect.tools
    for part in script.provider:
        yield from part.calls


def _places_of(script: Script) -> set[str]:
    calls = [arguments for part in script.provider for arguments in part.calls.values()]
    named = {str(one["destination"]) for one in calls if "destination" in one}
    menu = script.secretary.rules.get("menu")
    if isinstance(menu, Mapping):
        named |= {str(does) for does in menu.values()} - MENU_WORDS
    if script.expect.destination:
        named.add(script.expect.destination)
    return named
