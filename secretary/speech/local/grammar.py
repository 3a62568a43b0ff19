"""A domain's destinations as a grammar that pocketsphinx can search.

A tenant's words never become part of anything that is parsed: every word stands in the grammar as a symbol of ours
(`p3_17`: word 17 inside a name of place 3), and the symbol's sound is in a small dictionary beside it. So a name
cannot break the syntax, and the symbols of a hypothesis say which place was meant.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from secretary.speech.local import automaton
from secretary.speech.local.carriers import RULES, SLOTS
from secretary.speech.local.intents import NOTHING, Intent, Understood
from secretary.speech.local.phones import Pronunciation, words_of

MAX_PLACES: Final = 300
MAX_NAMES: Final = 12
"""Name and aliases of one place."""
MAX_WORDS: Final = 8
"""Words of one name; what is longer is cut, as a caller would."""

ANSWERS: Final = frozenset({Intent.YES, Intent.NO, Intent.GOODBYE, Intent.UNKNOWN})
ARTICLES: Final = frozenset("a an the for you him her them of it that um uma o os as do da de".split())
FILLER: Final = "g_"
OTHER: Final = "g"
"""The filler's place in the automaton: one arc there, a loop of syllables in the network."""
SYLLABLES: Final[Mapping[str, Pronunciation]] = {
    f"{FILLER}{onset}_{vowel}": (onset, vowel)
    for onset in ("B", "T", "K", "S", "SH", "M", "N", "L", "R", "HH", "V")
    for vowel in ("AA", "AE", "IY", "UW", "AH", "EH")
}
Arc = tuple[int, int, float] | tuple[int, int, float, str]


@dataclass(frozen=True, slots=True)
class GrammarSpec:
    """What a grammar is made from. Travels to the worker, which builds the grammar there."""

    language: str
    names: tuple[tuple[str, ...], ...]
    """For each place of the briefing, in its order: how it may be called."""
    answers_only: bool = False
    """Only yes, no and goodbye: a small grammar for the turn after a question."""

    @classmethod
    def of(cls, language: str, places: Iterable[tuple[str, Iterable[str]]]) -> GrammarSpec:
        """From (name, aliases) of each place; bounded and put into spoken words."""
        names: list[tuple[str, ...]] = []
        taken: set[str] = set()
        for name, aliases in places:
            spoken = [" ".join(words_of(way)[:MAX_WORDS]) for way in (name, *aliases)]
            # What two places share belongs to the first: a caller who says it must land somewhere, and always there.
            mine = [way for way in dict.fromkeys(spoken) if way and way not in taken][:MAX_NAMES]
            taken.update(mine)
            names.append(tuple(mine))
            if len(names) == MAX_PLACES:
                break
        return cls(language if language in RULES else "en", tuple(names))

    @property
    def key(self) -> str:
        """The same for equal grammars, so that a decoder can be kept."""
        return hashlib.sha256(json.dumps([self.language, self.names, self.answers_only]).encode()).hexdigest()[:24]


class Pronouncer(Protocol):
    """What a grammar needs from `phones.Lexicon`."""

    def pronounce(self, words: Iterable[str]) -> dict[str, tuple[Pronunciation, ...]]: ...


@dataclass(frozen=True, slots=True)
class Grammar:
    """Ready for a decoder."""

    automaton: automaton.Automaton
    dictionary: str
    """In CMUdict's format: `symbol PH ON ES`, alternatives as `symbol(2)`."""
    words: Mapping[str, str]
    """Symbol to the word as it is written."""
    telling: frozenset[str]
    """Symbols of words that carry a meaning by themselves: a name's, or those of a rule that are in no slot."""
    lengths: Mapping[str, int]
    """Symbol to how many phones its word has."""

    def network(self, entry: float, each: float) -> tuple[int, int, list[Arc]]:
        """Start, end and arcs for `Decoder.create_fsg`. Every path is as likely as every other: the sound decides.

        Where the automaton has OTHER, the filler is put: its first syllable at the probability `entry`, each further
        one at `each`.
        """
        final = len(self.automaton.arcs)
        arcs: list[Arc] = [(state, final, 1.0) for state in self.automaton.ends]
        loops: dict[int, int] = {}
        for state, to, symbol in self.automaton.transitions():
            if symbol != OTHER:
                arcs.append((state, to, 1.0, symbol))
                continue
            if to not in loops:
                loop = loops[to] = final + 1 + len(loops)
                arcs += [(loop, loop, each, syllable) for syllable in SYLLABLES]
                arcs.append((loop, to, 1.0))
            arcs += [(state, loops[to], entry, syllable) for syllable in SYLLABLES]
        return 0, final, arcs

    def meaning(self, symbols: Iterable[str]) -> Understood:
        """What a hypothesis means, with full confidence; an incomplete or empty one means UNKNOWN."""
        known = [raw.partition("(")[0] for raw in symbols]
        if any(symbol.startswith(FILLER) for symbol in known):
            return NOTHING
        said = [symbol for symbol in known if symbol in self.words]  # without the decoder's marks of silence
        rule = self.automaton.rule_of(said)
        if rule is None:
            return NOTHING
        text = " ".join(self.words[symbol] for symbol in said)
        place = next((place_of(symbol) for symbol in said if is_place(symbol)), None)
        return Understood(Intent(rule), text, 1.0, place)


def is_place(symbol: str) -> bool:
    """Whether the symbol is a word of a destination's name."""
    return symbol.startswith("p")


def place_of(symbol: str) -> int:
    return int(symbol[1:].partition("_")[0])


def build(spec: GrammarSpec, lexicon: Pronouncer) -> Grammar:
    """The grammar of one domain in one language."""
    rules = [
        (intent.value, line)
        for intent, lines in RULES[spec.language].items()
        for line in lines
        if not spec.answers_only or (intent in ANSWERS and "ASK" not in line)
    ]
    slots: dict[str, str | Sequence[Sequence[str]]] = {**SLOTS[spec.language], "OTHER": [[OTHER]]}
    carrier = {
        token
        for line in (*(line for _, line in rules), *SLOTS[spec.language].values())
        for token in automaton.tokens(line)
        if automaton.is_word(token)
    }
    vocabulary = sorted(carrier | {word for ways in spec.names for way in ways for word in way.split()})
    numbers = {word: number for number, word in enumerate(vocabulary)}
    sounds = lexicon.pronounce(vocabulary)
    words: dict[str, str] = {f"w_{numbers[word]}": word for word in carrier if sounds.get(word)}
    names: list[list[str]] = []
    for index, ways in enumerate(spec.names):
        for way in ways:
            said = way.split()
            if not all(sounds.get(word) for word in said):
                continue
            names.append([f"p{index}_{numbers[word]}" for word in said])
            words.update((f"p{index}_{numbers[word]}", word) for word in said)
    slots["PLACE"] = names
    symbols = {word: symbol for symbol, word in words.items() if not is_place(symbol)}
    compiled = automaton.compile_rules(rules, slots, symbols)
    filler = "".join(f"{syllable} {' '.join(way)}\n" for syllable, way in SYLLABLES.items())
    common = {word for line in SLOTS[spec.language].values() for word in automaton.tokens(line)} | ARTICLES
    telling = frozenset(symbol for symbol, word in words.items() if is_place(symbol) or word not in common)
    lengths = {symbol: len(sounds[word][0]) for symbol, word in words.items()}
    return Grammar(compiled, _dictionary(words, sounds) + filler, words, telling, lengths)


def _dictionary(words: Mapping[str, str], sounds: Mapping[str, tuple[Pronunciation, ...]]) -> str:
    lines = []
    for symbol, word in sorted(words.items()):
        for number, way in enumerate(sounds[word], start=1):
            lines.append(f"{symbol if number == 1 else f'{symbol}({number})'} {' '.join(way)}\n")
    return "".join(lines)
