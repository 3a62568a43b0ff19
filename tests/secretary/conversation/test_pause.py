"""How long a pause must be to end a turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secretary.conversation.pause import LONGEST_MS, SHORTEST_MS, pause_after


@given(st.integers(300, 3_000), st.text(max_size=60), st.sampled_from([True, False, None]))
def test_never_too_short_nor_for_ever(base: int, text: str, falling: bool | None) -> None:
    """Whatever is understood, the pause stays within its bounds and near the secretary's own."""
    pause = pause_after(base, text, falling=falling)
    assert SHORTEST_MS <= pause <= LONGEST_MS
    assert base // 2 <= pause <= max(base * 5 // 2, SHORTEST_MS)


@pytest.mark.parametrize(
    "text", ["Can I talk to sales?", "I need a new contract.", "yes", "Não, obrigado.", "Quero falar com vendas."]
)
def test_shorter_where_it_is_complete(text: str) -> None:
    """A sentence or an answer is answered sooner."""
    assert pause_after(700, text) < 700


@pytest.mark.parametrize(
    "text",
    [
        "I would like to talk to",
        "my name is Ana and",
        "because",
        "my number is five five five",
        "it is spelled S T",
        "555 12",
        "eu queria falar com o",
        "meu nome é Ana e",
        "o número é nove oito",
        "well,",
        "um",
    ],
)
def test_longer_where_more_must_come(text: str) -> None:
    """Nobody is cut off after "and", in the middle of a number, or while spelling."""
    assert pause_after(700, text) >= 1_400


def test_a_whole_number_may_be_the_end() -> None:
    """Ten digits are not waited for twice as long."""
    assert pause_after(700, "0 11 5555 1234") == 700
    assert pause_after(700, "five five five one two three four five six seven") == 700


def test_the_voice_tells_where_there_are_no_words() -> None:
    """One that falls is a little sooner at its end; anything else is waited for as usual."""
    assert pause_after(700, falling=True) < pause_after(700, falling=False) == pause_after(700) == 700
