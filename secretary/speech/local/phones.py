"""How a word sounds, in the 39 ARPAbet phones that pocketsphinx' English model knows.

English words come from CMUdict, which the pocketsphinx wheel carries. What it lacks (João, Okonkwo, a brand's name) and
all Portuguese is read by espeak-ng, whose IPA is mapped to the nearest English phones. For Portuguese that is an
approximation by nature: nasal vowels become vowel + N or NG, the tapped r becomes D, the strong r becomes HH.

Runs in the recogniser's worker process only: the dictionary's 134,000 lines have no place in the node.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Final

from secretary.speech.local import espeak
from secretary.speech.local.ipa import ENGLISH, PORTUGUESE

PHONES: Final = frozenset(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()
)
Pronunciation = tuple[str, ...]
MAX_PHONES: Final = 60
"""A longer "word" is somebody's mistake in the panel; its tail cannot help."""
MAX_ALTERNATES: Final = 3

_MAPS: Final = {
    language: {unicodedata.normalize("NFC", ipa): phones for ipa, phones in table.items()}
    for language, table in (("en", ENGLISH), ("pt-br", PORTUGUESE))
}
_LONGEST: Final = max(len(key) for table in _MAPS.values() for key in table)


def phones_of_ipa(ipa: str, language: str) -> Pronunciation:
    """Nearest ARPAbet phones of espeak-ng's IPA; marks it does not know are left out. Never raises."""
    table = _MAPS[language]
    text = unicodedata.normalize("NFC", ipa)
    text = "".join(c for c in text if c not in "ˈˌ‍͡.ˑʲʰʷ_-")
    phones: list[str] = []
    at = 0
    while at < len(text) and len(phones) < MAX_PHONES:
        for length in range(min(_LONGEST, len(text) - at), 0, -1):
            found = table.get(text[at : at + length])
            if found is not None:
                phones += found.split()
                at += length
                break
        else:
            at += 1  # length marks, tone digits, language switches such as (en)
    # A repeated phone is one phone held longer: "ɐ̃ŋ" gives NG twice, "ou" of João OW twice.
    single = [phone for index, phone in enumerate(phones) if index == 0 or phones[index - 1] != phone]
    return tuple(single[:MAX_PHONES])


def words_of(text: str) -> list[str]:
    """A spoken name as words: lower case, split at blanks and marks, apostrophes kept inside."""
    text = unicodedata.normalize("NFC", text).casefold().replace("\u2019", "'").replace("&", " and ")
    kept = "".join(c if c.isalnum() or c == "'" or unicodedata.category(c).startswith("M") else " " for c in text)
    return [word for word in (part.strip("'") for part in kept.split()) if word]


class Lexicon:
    """Pronunciations of words in one language, looked up once and kept (bounded).

    Memory: the words asked for, never the whole dictionary.
    """

    def __init__(self, language: str, dictionary: Path | None = None, *, limit: int = 20_000) -> None:
        if language not in _MAPS:
            raise ValueError(f"no pronunciation for language {language!r}")
        self.language = language
        self._dictionary = dictionary if language == "en" else None
        self._known: dict[str, tuple[Pronunciation, ...]] = {}
        self._limit = limit

    def pronounce(self, words: Iterable[str]) -> dict[str, tuple[Pronunciation, ...]]:
        """All known ways to say each word, likeliest first; an empty tuple for what nobody can read aloud.

        Raises espeak.EspeakError when a word is not in the dictionary and espeak-ng cannot be asked.
        """
        wanted = sorted(set(words))
        missing = [word for word in wanted if word not in self._known]
        if missing:
            found = self._look_up(missing)
            for word, ways in self._read_aloud(missing, found).items():
                found[word] = tuple(dict.fromkeys((*found.get(word, ()), *ways)))[:MAX_ALTERNATES]
            if len(self._known) + len(found) > self._limit:
                kept = {word: self._known[word] for word in wanted if word in self._known}
                self._known = kept
            self._known.update(found)
        return {word: self._known[word] for word in wanted}

    def _look_up(self, words: list[str]) -> dict[str, tuple[Pronunciation, ...]]:
        if self._dictionary is None:
            return {}
        wanted = set(words) | {_without_marks(word) for word in words}
        found: dict[str, list[Pronunciation]] = {}
        with self._dictionary.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                head, _, phones = line.partition(" ")
                word = head.partition("(")[0]
                if word in wanted and len(found.setdefault(word, [])) < MAX_ALTERNATES:
                    found[word].append(tuple(phones.split()))
        ways = {word: found.get(word) or found.get(_without_marks(word)) for word in words}
        return {word: tuple(known) for word, known in ways.items() if known}

    def _read_aloud(self, words: list[str], known: Container[str]) -> dict[str, tuple[Pronunciation, ...]]:
        """espeak-ng's reading of what is not known, and, in English, the Portuguese one of words with marks.

        "João" in an English office is said the Portuguese way as often as not.
        """
        found: dict[str, list[Pronunciation]] = {word: [] for word in words}
        for reader in dict.fromkeys((self.language, "pt-br")):
            asked = {
                word: _legible(word)
                for word in words
                if (word not in known if reader == self.language else _is_foreign(word))
            }
            asked = {word: letters for word, letters in asked.items() if letters}
            if not asked:
                continue
            for word, ipa in zip(asked, espeak.phonemes(list(asked.values()), reader), strict=True):
                way = phones_of_ipa(ipa, reader)
                if way:
                    found[word].append(way)
        return {word: tuple(ways) for word, ways in found.items()}


def _is_foreign(word: str) -> bool:
    return not word.isascii()


def _without_marks(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def _legible(word: str) -> str:
    """The word in letters that a western reader knows: others lose their marks, and what is left makes it empty.

    espeak-ng would spell a stranger out ("Chinese letter"), which nobody says. Such a name is reached by its number.
    """
    if all(ord(c) < 256 for c in word):
        return word
    word = _without_marks(word)
    return word if all(ord(c) < 256 for c in word) else ""
