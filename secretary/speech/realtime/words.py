"""Words beside their sound: a model's transcript comes in pieces of words, and at its own time.

The conversation writes down what was heard by how much of the *sound so far* was played, so the words given with a part
must be those that sound in it. Where the provider says when each letter sounds, its word counts. Elsewhere letters are
taken to pass at a steady rate, which is learned from what was said before; words are held back until their sound is
there, and never cut in two.
"""

from __future__ import annotations

from typing import Final

LETTERS_PER_S: Final = 15.0
"""Of unhurried speech, English and Portuguese alike; only until the voice has shown its own rate."""
SLOWEST: Final = 8.0
FASTEST: Final = 30.0
MOST_LETTERS: Final = 20_000
"""Of one utterance: some twenty minutes of speech."""


class Pace:
    """How many letters this voice speaks in a second; one for a call."""

    def __init__(self) -> None:
        self.letters_per_s = LETTERS_PER_S

    def learn(self, letters: int, sound_ms: int) -> None:
        """A whole utterance had so many letters in so much sound."""
        if sound_ms >= 1_000 and letters >= 10:
            seen = min(max(letters * 1000 / sound_ms, SLOWEST), FASTEST)
            self.letters_per_s += 0.5 * (seen - self.letters_per_s)


class Words:
    """The words of one utterance. `heard_of` gives those that belong to the sound so far, each once."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._text = ""
        self._given = 0

    @property
    def text(self) -> str:
        """All that was said."""
        return " ".join(self._text.split())

    def add(self, delta: str) -> None:
        """A piece of the transcript, as it comes; it may begin and end within a word."""
        self._text += delta[: MOST_LETTERS - len(self._text)]

    def replace(self, text: str) -> None:
        """The whole transcript is known now. Words that were given already stay as they are."""
        self._text = self._text[: self._given] + text[self._given :]

    def until(self, sound_ms: int) -> str:
        """The words that begin in the first `sound_ms` of the utterance and have not been given."""
        end = min(len(self._text), round(sound_ms * self._pace.letters_per_s / 1000))
        if end < len(self._text):
            end = self._text.rfind(" ", 0, end + 1)
        elif self._text and not self._text[-1].isspace():
            # The last piece may be the beginning of a word.
            end = self._text.rfind(" ")
        return self._give(end)

    def rest(self) -> str:
        """All that was not given: the utterance is over."""
        return self._give(len(self._text))

    def _give(self, end: int) -> str:
        if end <= self._given:
            return ""
        part, self._given = self._text[self._given : end], end
        return " ".join(part.split())

    def whole(self) -> str:
        """All whole words there are: of a provider that gives each part's words with its sound."""
        return self._give(self._text.rfind(" "))
