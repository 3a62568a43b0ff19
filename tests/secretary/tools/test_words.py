"""Disclosures, summaries and what is looked up: the same in, the same out, in both languages."""

from __future__ import annotations

import pytest

from secretary.tools.business import IN_INSTRUCTIONS, look_up, opening_part
from secretary.tools.disclosure import disclosure
from secretary.tools.summary import MOST, Ending, summary

FACTS = """We are a bakery in Lisbon.

# Prices:

A loaf of bread costs two euros.
A cake costs twelve euros.

# Address:

Rua da Prata 12, two minutes from the station."""


def test_nothing_to_be_said() -> None:
    """Where neither the domain nor the secretary wants it."""
    assert disclosure("en", ai=False, recording=False, ai_notice="I am a robot.") == ""


def test_the_platforms_words() -> None:
    """In the secretary's language."""
    both = {"ai": True, "recording": True}
    assert disclosure("en", **both) == "You are talking with an artificial voice. This call is recorded."
    assert disclosure("pt-br", **both) == (
        "Você está falando com uma assistente virtual. Esta ligação está sendo gravada."
    )


def test_own_words() -> None:
    """Replace the platform's, each for itself."""
    said = disclosure("en", ai=True, recording=True, ai_notice="Hi,  I am\nAva, a machine", recording_notice="")
    assert said == "Hi, I am Ava, a machine. This call is recorded."


@pytest.mark.parametrize("empty", ["", "   ", "\n", "...", "-", "“”"])
def test_never_empty(empty: str) -> None:
    """Words that say nothing do not count as words."""
    assert disclosure("en", ai=True, recording=False, ai_notice=empty) == "You are talking with an artificial voice."


@pytest.mark.parametrize(
    ("language", "ending", "text"),
    [
        (
            "en",
            Ending(
                "message", {"name": "Maria", "number": "555 0199", "reason": "a broken heater", "urgency": "urgent"}
            ),
            "Maria (555 0199) called. It was about: a broken heater. A message was left (urgent).",
        ),
        (
            "pt-br",
            Ending("message", {"name": "Maria", "reason": "aquecedor quebrado"}, message="x", message_complete=False),
            "Maria ligou. Assunto: aquecedor quebrado. Começou um recado, mas não terminou.",
        ),
        (
            "en",
            Ending("transferred", {}, "Ana", "+5511987650001", destination="Sales", first_words="Sales, please"),
            "Ana (+5511987650001) called. First words: “Sales, please” The caller was put through to Sales.",
        ),
        ("en", Ending("caller_hung_up"), "Somebody without a number called. The caller hung up."),
        (
            "pt-br",
            Ending("completed", {"reason": "retorno"}, shown_number="1002", callback=True),
            "1002 ligou. Assunto: retorno. Um retorno foi prometido.",
        ),
        (
            "en",
            Ending("fallback", {}, shown_number="1002", destination="Sales"),
            "1002 called. Sales could not be reached.",
        ),
    ],
)
def test_summary(language: str, ending: Ending, text: str) -> None:
    """Who, what about, and how it ended."""
    assert summary(language, ending) == text


def test_a_summary_is_short() -> None:
    """However much was said."""
    assert len(summary("en", Ending("message", {"reason": "x " * 900}, message="y" * 5_000))) <= MOST


def test_look_up() -> None:
    """The paragraph that says most, with its heading; nothing for what is not there."""
    assert look_up(FACTS, "price of a cake").startswith("# Prices:\nA loaf of bread")
    assert "Rua da Prata" in look_up(FACTS, "the address, please")
    assert look_up(FACTS, "helicopters") == "" and look_up(FACTS, "") == "" and look_up("", "price") == ""


def test_what_stands_in_the_instructions() -> None:
    """As much as fits, whole lines; the rest is to be looked up."""
    assert opening_part(FACTS) == (FACTS, False)
    text, more = opening_part("a line\n" * 2_000)
    assert more and len(text) <= IN_INSTRUCTIONS and text.endswith("a line")
