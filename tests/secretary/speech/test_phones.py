"""How words sound."""

from __future__ import annotations

from pathlib import Path

import pocketsphinx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secretary.speech.local import espeak
from secretary.speech.local.phones import MAX_PHONES, PHONES, Lexicon, phones_of_ipa, words_of

CMUDICT = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))


def test_english_words_come_from_the_dictionary() -> None:
    """Alternatives included."""
    found = Lexicon("en", CMUDICT).pronounce(["sales", "the"])
    assert found["sales"] == (("S", "EY", "L", "Z"),)
    assert len(found["the"]) > 1


@pytest.mark.parametrize("name", ["João", "Okonkwo", "Xuân", "Nguyễn", "O'Brien", "Øystein", "Conceição", "24", "Zoë"])
@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_awkward_names_get_a_pronunciation(name: str, language: str) -> None:
    """Whatever a tenant calls a colleague, in phones that the model knows."""
    words = words_of(name)
    found = Lexicon(language, CMUDICT).pronounce(words)
    for word in words:
        assert found[word]
        for way in found[word]:
            assert 0 < len(way) <= MAX_PHONES
            assert set(way) <= PHONES


def test_joao_is_said_both_ways_in_english() -> None:
    """The English reader's way and the Portuguese one."""
    ways = Lexicon("en", CMUDICT).pronounce(["joão"])["joão"]
    assert ways == (("JH", "OW", "OW"), ("ZH", "OW", "AW", "NG"))


def test_what_nobody_here_can_read_has_no_sound() -> None:
    """A name in another script is reached by its key, instead of being spelled as "Chinese letter"."""
    assert Lexicon("en", CMUDICT).pronounce(["東京"]) == {"東京": ()}


def test_without_the_binary_the_library_answers_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's library, in a process of its own, is as good as the system's espeak-ng."""
    monkeypatch.setattr(espeak, "binary", lambda: None)
    assert phones_of_ipa(espeak.phonemes(["okonkwo"], "en")[0], "en") == ("AA", "K", "AO", "NG", "K", "W", "OW")


@given(st.text(), st.sampled_from(["en", "pt-br"]))
def test_any_ipa_maps_to_known_phones(ipa: str, language: str) -> None:
    """Whatever espeak-ng may print, only phones of the model come out, and not without end."""
    phones = phones_of_ipa(ipa, language)
    assert set(phones) <= PHONES
    assert len(phones) <= MAX_PHONES


@given(st.text())
def test_words_are_clean(text: str) -> None:
    """No blank, no mark, no capital, never an empty word."""
    for word in words_of(text):
        assert word
        assert not any(c.isspace() for c in word)
        assert words_of(word) == [word]
