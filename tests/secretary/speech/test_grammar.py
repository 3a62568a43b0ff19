"""Destinations as a grammar."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secretary.speech.local import grammar
from secretary.speech.local.grammar import FILLER, GrammarSpec, build
from secretary.speech.local.intents import NOTHING, Intent
from secretary.speech.local.phones import Pronunciation

SPEC = GrammarSpec.of("en", [("Sales", ["the sales department"]), ("Support", ["technical support"])])


class Spelling:
    """Stands in for the lexicon: every word sounds the same, which is enough for syntax."""

    def pronounce(self, words: Iterable[str]) -> dict[str, tuple[Pronunciation, ...]]:
        return {word: (("AH", "B"),) for word in words}


def symbols(built: grammar.Grammar, sentence: str, place: int | None = None) -> list[str]:
    """The symbols a decoder would give for these words; words of a place's name are taken from that place."""
    by_word = {word: symbol for symbol, word in built.words.items() if symbol.startswith("w_")}
    names = {word: symbol for symbol, word in built.words.items() if symbol.startswith(f"p{place}_")}
    return [names.get(word) or by_word[word] for word in sentence.split()]


@pytest.mark.parametrize(
    ("sentence", "intent", "place"),
    [
        ("sales please", Intent.PLACE, 0),
        ("hello i would like to speak with sales department please", Intent.PLACE, 0),
        ("could you put me through to support", Intent.PLACE, 1),
        ("i want to leave a message", Intent.MESSAGE, None),
        ("yes please", Intent.YES, None),
        ("no thank you", Intent.NO, None),
        ("no thank you goodbye", Intent.GOODBYE, None),
        ("can i speak with somebody please", Intent.OPERATOR, None),
        ("can you repeat that please", Intent.REPEAT, None),
    ],
)
def test_what_callers_say_has_its_meaning(sentence: str, intent: Intent, place: int | None) -> None:
    """The carrier phrases around a destination, and what is said without one."""
    built = build(GrammarSpec.of("en", [("Sales", []), ("Support", [])]), Spelling())
    what = built.meaning(["<s>", *symbols(built, sentence, place), "<sil>", "</s>"])
    assert (what.intent, what.place, what.text) == (intent, place, sentence)


def test_a_filler_or_half_a_sentence_means_nothing() -> None:
    """What the decoder could not finish is not guessed at."""
    built = build(SPEC, Spelling())
    half = symbols(built, "i would like to speak")
    assert built.meaning(half) == NOTHING
    assert built.meaning([*half, f"{FILLER}T_AA"]) == NOTHING
    assert built.meaning([]) == NOTHING


def test_one_tenants_places_are_never_in_anothers_grammar() -> None:
    """No word, no sound and no symbol of acme's destinations is in globex's grammar, whatever was built before."""
    acme = build(GrammarSpec.of("en", [("Zanzibar Desk", ["quetzal line"])]), Spelling())
    globex_spec = GrammarSpec.of("en", [("Sales", [])])
    globex = build(globex_spec, Spelling())
    assert {"zanzibar", "quetzal"} <= set(acme.words.values())
    assert not {"zanzibar", "quetzal"} & set(globex.words.values())
    assert GrammarSpec.of("en", [("Zanzibar Desk", [])]).key != globex_spec.key


def test_a_shared_alias_belongs_to_the_first() -> None:
    """Two places that answer to one name: always the same one."""
    spec = GrammarSpec.of("en", [("Sales", ["orders"]), ("Shipping", ["orders"])])
    assert spec.names == (("sales", "orders"), ("shipping",))


def test_size_is_bounded() -> None:
    """A domain with a telephone book of destinations gets a grammar all the same."""
    aliases = [f"alias {n}" for n in range(30)]
    people = [(f"Person {n} " + "word " * 20, [f"{alias} of {n}" for alias in aliases]) for n in range(900)]
    spec = GrammarSpec.of("en", people)
    assert len(spec.names) == grammar.MAX_PLACES
    assert all(len(ways) <= grammar.MAX_NAMES for ways in spec.names)
    assert all(len(way.split()) <= grammar.MAX_WORDS for ways in spec.names for way in ways)


@given(st.lists(st.tuples(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=3)), max_size=5))
def test_no_name_breaks_the_grammar(places: list[tuple[str, list[str]]]) -> None:
    """Whatever a tenant types as a name: symbols stay ours, arcs inside the network, the dictionary lines."""
    spec = GrammarSpec.of("en", places)
    built = build(spec, Spelling())
    start, final, arcs = built.network(1e-6, 1e-6)
    known = set(built.words) | set(grammar.SYLLABLES)
    last = max(max(arc[0], arc[1]) for arc in arcs)
    assert start == 0
    assert 0 < final <= last
    assert all(arc[3] in known for arc in arcs if len(arc) == 4)
    for line in built.dictionary.splitlines():
        symbol, *phones = line.split()
        assert symbol.partition("(")[0] in known
        assert phones
