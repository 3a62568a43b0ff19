"""Looking something up in the tenant's facts about the business, and what of them stands in the instructions."""

from __future__ import annotations

import re
from typing import Final

from secretary.tools.policy import plain

IN_INSTRUCTIONS: Final = 6_000
"""Characters of the facts that a model is told from the beginning; the rest it looks up."""
MOST_FOUND: Final = 1_500


def opening_part(facts: str) -> tuple[str, bool]:
    """What stands in the instructions, whole paragraphs as far as they fit; and whether there is more."""
    facts = facts.strip()
    if len(facts) <= IN_INSTRUCTIONS:
        return facts, False
    cut = facts.rfind("\n", 0, IN_INSTRUCTIONS)
    return facts[: cut if cut > 0 else IN_INSTRUCTIONS].rstrip(), True


def look_up(facts: str, topic: str) -> str:
    """The paragraphs that say most about a topic, the best first; empty for none."""
    wanted = {word[:6] for word in plain(topic).split() if len(word) > 2}
    if not wanted:
        return ""
    scored = []
    for place, part in enumerate(_paragraphs(facts)):
        said = {word[:6] for word in plain(part).split()}
        if hits := len(wanted & said):
            scored.append((-hits, place, part))
    found: list[str] = []
    for _hits, _place, part in sorted(scored):
        if sum(map(len, found)) + len(part) > MOST_FOUND:
            break
        found.append(part)
    if not found and scored:
        found = [sorted(scored)[0][2][:MOST_FOUND]]
    return "\n".join(found)


def _paragraphs(facts: str) -> list[str]:
    """Paragraphs, a heading together with what follows it."""
    parts: list[str] = []
    heading = ""
    for part in re.split(r"\n\s*\n", facts):
        text = part.strip()
        if not text:
            continue
        if "\n" not in text and (text.endswith(":") or text.startswith("#")):
            heading = text
            continue
        parts.append(f"{heading}\n{text}" if heading else text)
        heading = ""
    return [*parts, heading] if heading else parts
