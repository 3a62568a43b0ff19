"""Reads: the greetings that a node prepares before the first caller asks for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from secretary.conversation.sentences import sentences
from secretary.models import Secretary
from tenants.context import platform_context

MOST_GREETINGS: Final = 2_000
"""A node prepares this many at its start; the rest are prepared by their first caller."""


@dataclass(frozen=True, slots=True)
class Greeting:
    provider: str
    language: str
    voice: str
    text: str


def greeting_of(*, greeting: str, language: str, name: str) -> str:
    """What a secretary says first: its own greeting, or the platform's with its name."""
    return greeting or sentences(language).greeting.format(name=name)


def greetings_in_use() -> list[Greeting]:
    """Of all tenants' enabled secretaries, the last changed first."""
    with platform_context():
        rows = Secretary.objects.filter(enabled=True, domain__enabled=True).order_by("-updated_at")[:MOST_GREETINGS]
        return [
            Greeting(
                provider=row.provider,
                language=row.language,
                voice=row.voice,
                text=greeting_of(greeting=row.greeting, language=row.language, name=row.name),
            )
            for row in rows
        ]
