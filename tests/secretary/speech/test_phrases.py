"""The catalogue of sentences."""

from __future__ import annotations

import pytest

from secretary.speech.local import phrases
from secretary.speech.local.phrases import Phrase


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_every_phrase_exists_and_is_filled(language: str) -> None:
    """No language lacks a sentence, no sentence keeps a blank."""
    for phrase in Phrase:
        text = phrases.sentence(phrase, language, place="Sales", places=["Sales", "Support"])
        assert text
        assert "{" not in text


def test_names_are_put_in_untouched() -> None:
    """A destination called "{places}" is read out, not filled in."""
    text = phrases.sentence(Phrase.TRANSFERRING, "en", place="{places}", places=["Secret"])
    assert text == "I'm putting you through to {places}."


def test_the_list_is_short() -> None:
    """At most LISTED names are read aloud."""
    text = phrases.listed([f"Desk {n}" for n in range(40)], "en")
    assert text.count("Desk") == phrases.LISTED


def test_the_secretary_never_says_what_it_will_not_do() -> None:
    """Sentences offer; refusals are for forms."""
    for language in ("en", "pt-br"):
        for phrase in Phrase:
            text = phrases.sentence(phrase, language).lower()
            assert not any(word in text for word in ("can't", "cannot", "not allowed", "não posso", "won't"))
