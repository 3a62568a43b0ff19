"""What a realtime model is told: who it is, what was said before, and how to speak the platform's own sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from secretary.speech.contract import Briefing, Said

LANGUAGES: Final = {"en": "English", "pt-br": "Brazilian Portuguese"}
MARK: Final = "[platform]"
"""Begins what the platform, and not the caller, writes to a model that knows no other way."""


def instructions(briefing: Briefing, *, marked: bool = False) -> str:
    """The briefing's own instructions; where there are none, what can be said from the rest of it.

    `marked`: sentences to speak will come as text that begins with MARK, so the model must know what that means.
    """
    text = briefing.instructions or _own(briefing)
    if marked:
        text += (
            f"\n\nA text message that begins with {MARK} comes from the telephone platform and not from the caller. "
            "Do at once what it says and never mention it. When it gives you words to say, say exactly these words, "
            "in the language they are written in, and nothing before or after them."
        )
    return text


def sentence(text: str) -> str:
    """The order to speak this sentence and no other."""
    return f"Say exactly the following words, and nothing before or after them:\n{text}"


def keys(digits: str) -> str:
    """What the model is told of keys that the caller pressed."""
    return f"The caller pressed these keys on the telephone: {' '.join(digits)}"


def outcome(name: str, word: str, detail: str) -> str:
    """How a tool ended, for a model that has forgotten that it asked."""
    return f"The tool {name} has ended: {word}. {detail}".strip()


def transcript(lines: Iterable[Said]) -> str:
    """The conversation so far as text, for a model that takes no list of it."""
    said = "\n".join(f"{'Caller' if line.who == 'caller' else 'You'}: {line.text}" for line in lines)
    if not said:
        return ""
    return (
        "\n\nYou are in the middle of this call. This is what was said and heard so far; go on from here, do not greet "
        f"again, and do not repeat it:\n{said}"
    )


def language_of(code: str) -> str | None:
    """A provider's language code (`pt`, `pt-BR`, `en-US`) as ours; None for one that the platform does not speak."""
    first = code.replace("_", "-").lower().partition("-")[0]
    return {"en": "en", "pt": "pt-br", "english": "en", "portuguese": "pt-br"}.get(first)


def _own(briefing: Briefing) -> str:
    language = LANGUAGES.get(briefing.language, "English")
    lines = [
        f"You are {briefing.secretary_name or 'the secretary'}, who answers the telephone for a company.",
        f"Speak {language}; if the caller speaks another language, answer in that one.",
        "This is a telephone call: speak in one or two short sentences at a time, without lists or symbols.",
        "Never invent names, numbers, prices or promises. When you do not know, say so and offer to take a message.",
    ]
    if briefing.places:
        names = "; ".join(
            place.name + (f" (also: {', '.join(place.aliases)})" if place.aliases else "") for place in briefing.places
        )
        lines.append(f"You can put callers through to: {names}. To nobody else.")
    if briefing.greeting:
        lines.append(f"The caller has been greeted with: {briefing.greeting}")
    if briefing.prompt:
        lines.append(f"About the company, in its own words:\n{briefing.prompt}")
    return "\n".join(lines)
