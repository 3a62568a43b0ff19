"""The rules' compiler."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secretary.speech.local.automaton import RuleError, compile_rules

WORDS = {word: word for word in ("a", "b", "c")}


def test_optional_choice_and_slot() -> None:
    """The three parts of the notation, together."""
    automaton = compile_rules([("r", "[a] (b | c) SLOT")], {"SLOT": [["x", "y"], ["z"]]}, WORDS)
    assert automaton.rule_of(["a", "b", "z"]) == "r"
    assert automaton.rule_of(["c", "x", "y"]) == "r"
    assert automaton.rule_of(["c", "x"]) is None
    assert automaton.rule_of(["b"]) is None
    assert automaton.rule_of([]) is None


def test_the_earlier_rule_names_what_both_accept() -> None:
    """Ambiguity is settled by order, always the same way."""
    automaton = compile_rules([("first", "a [b]"), ("second", "a b")], {}, WORDS)
    assert automaton.rule_of(["a", "b"]) == "first"


def test_a_word_without_a_sound_takes_only_its_alternative() -> None:
    """What cannot be pronounced is left out; the rest stays."""
    automaton = compile_rules([("r", "(a | unheard) b")], {}, WORDS)
    assert automaton.rule_of(["a", "b"]) == "r"
    assert len(automaton.arcs) == 3


@pytest.mark.parametrize("rule", ["(a", "a)", "[a", "(a]"])
def test_broken_brackets_are_refused(rule: str) -> None:
    """A rule with a slip in it is an error at once, not a grammar that hears something else."""
    with pytest.raises(RuleError):
        compile_rules([("r", rule)], {}, WORDS)


_rules = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda inner: st.one_of(
        st.builds("({} | {})".format, inner, inner),
        st.builds("[{}]".format, inner),
        st.builds("{} {}".format, inner, inner),
    ),
    max_leaves=6,
)


@given(_rules)
def test_it_accepts_what_the_rule_says(rule: str) -> None:
    """Against every sentence of up to four words: the same language as the equal regular expression, silence aside."""
    import re

    expression = "".join(
        {"[": "(?:", "]": ")?", "(": "(?:", ")": ")", "|": "|", " ": ""}.get(sign, sign) for sign in rule
    )
    automaton = compile_rules([("r", rule)], {}, WORDS)
    for length in range(1, 5):
        for sentence in itertools.product("abc", repeat=length):
            expected = re.fullmatch(expression, "".join(sentence)) is not None
            assert (automaton.rule_of(sentence) == "r") is expected
