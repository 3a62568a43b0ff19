"""A model's text becomes sentences while it is still being written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secretary.speech.pipeline.sentences import LONGEST, Splitter, Thoughts, speakable


def split(text: str, size: int = 3) -> list[str]:
    splitter = Splitter()
    sentences = []
    for start in range(0, len(text), size):
        sentences += splitter.feed(text[start : start + size])
    return sentences + splitter.flush()


@pytest.mark.parametrize(
    "sentences",
    [
        ["Of course, one moment.", "I am putting you through to Dr. Silva now."],
        ["We open at 9.30 a.m. on weekdays.", "Is there anything else?"],
        ["We close at 6 p.m.", "Tomorrow we open at nine."],
        ["Write to ana.souza@acme.example.com, please.", "I will spell it!"],
        ["O Sr. Antônio e a Sra. Lima atendem no ramal 12.", "Quer que eu transfira?"],
        ["O preço é R$ 1.250,00 à vista.", "Posso anotar um recado?"],
        ["É na Av. Paulista, nº. 1000, sala 3.", "Fica perto do metrô…", "Ajudo em algo mais?"],
        ["She said “call me tomorrow.”", "Then she hung up."],
        ["The room is no. 5 on the left.", "There is a sign (a blue one.)", "You cannot miss it."],
        ["Certainly not.", "No. We never do that.", "Goodbye and thank you."],
        ["Version 3.14.1 is out, e.g. for J. Smith and co. in London.", "Ask him."],
        ["First line without a stop", "second line without one"],
        ["What?! Are you sure...", "I think that it works."],
    ],
)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_where_sentences_end(sentences: list[str], size: int) -> None:
    """Neither numbers, times, addresses, titles nor initials end one, however the text is cut into pieces."""
    joined = "\n".join(sentences) if "line" in sentences[0] else " ".join(sentences)
    assert split(joined, size) == sentences


@given(st.text(alphabet=st.sampled_from("abC 1.,!?\n:;—…\"')Dr"), max_size=900), st.integers(1, 40))
def test_nothing_is_lost(text: str, size: int) -> None:
    """Whatever is written, however it is cut: each character is spoken once, in order, in pieces a voice takes."""
    sentences = split(text, size)
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert all(sentence.strip() == sentence and 0 < len(sentence) <= LONGEST for sentence in sentences)


@given(st.text(alphabet=st.sampled_from("ab. !Cé\n"), max_size=300), st.lists(st.integers(1, 9), max_size=60))
def test_pauses_lose_nothing(text: str, cuts: list[int]) -> None:
    """A model that pauses anywhere has every sentence spoken once all the same."""
    splitter, sentences, at = Splitter(), [], 0
    for cut in cuts:
        sentences += splitter.feed(text[at : at + cut]) + splitter.overdue()
        at += cut
    sentences += splitter.feed(text[at:]) + splitter.flush()
    assert "".join("".join(sentences).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("held", "given_out"), [("Sure.", True), ("I am asking Dr.", False), ("At 9.", False), ("It is", False)]
)
def test_a_pause(held: str, given_out: bool) -> None:
    """While the model pauses, a whole sentence is not kept from the caller; half of one is."""
    splitter = Splitter()
    assert splitter.feed(held) == []
    assert splitter.overdue() == ([held] if given_out else [])


def test_the_first_words_leave_early() -> None:
    """The caller waits for the beginning of an answer, so a long first sentence is begun at a comma."""
    first, second = split("I am sorry to hear that your order has not arrived yet, so I will put you through to sales.")
    assert first == "I am sorry to hear that your order has not arrived yet,"
    assert second.startswith("so I will")


def test_a_sentence_without_end() -> None:
    """A million characters without a space cost no more than their length, and come in bounded pieces."""
    sentences = split("x" * 1_000_000, 1_000_000)
    assert sum(map(len, sentences)) == 1_000_000 and max(map(len, sentences)) <= LONGEST


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Sales** is on `extension` _two_.", "Sales is on extension two."),
        ("- first of all", "first of all"),
        ("## Hours", "Hours"),
        ("See [our page](https://acme.example/x) 😀", "See our page"),
        ("Write to a_b@acme.example.", "Write to a_b@acme.example."),
        ("---", ""),
        ("| Sales | 9 to 6 |", "Sales 9 to 6"),
        ("Press <b>two</b>.<br/>", "Press two ."),
        ("Sales → two ⭐ 1\ufe0f\u20e3", "Sales two 1"),
        ("<|im_end|>", ""),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
        ("🎉", ""),
    ],
)
def test_written_marks_are_not_spoken(written: str, spoken: str) -> None:
    """A voice reads words, not Markdown; what has no word in it is not sent to a voice at all."""
    assert speakable(written) == spoken


@given(st.integers(1, 9))
def test_thoughts_stay_inside(size: int) -> None:
    """What a reasoning model thinks aloud is not spoken, wherever its tags are cut; a lone '<' is."""
    text = "<think>The caller < wants > sales.</think>Hello, 3 < 4.<think>x</think> Bye <"
    thoughts = Thoughts()
    said = "".join(thoughts.feed(text[at : at + size]) for at in range(0, len(text), size)) + thoughts.end()
    assert said == "Hello, 3 < 4. Bye <"


@given(st.integers(1, 40))
@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("<thinking>Sales, <think> I think.</thinking>Yes.", "Yes."),
        ("[THINK]The caller [wants] sales.[/THINK]Yes [sic].", "Yes [sic]."),
        ('One moment. <tool_call>{"name": "transfer"}</tool_call>', "One moment. "),
        ("<|channel|>analysis<|message|>Hm.<|end|>Yes.", "Yes."),
        ("Yes.<think>And now I go on and on", "Yes."),
    ],
)
def test_what_models_write_beside(written: str, spoken: str, size: int) -> None:
    """Thoughts by any name, and calls of tools that a server has not understood, are not spoken."""
    thoughts = Thoughts()
    said = "".join(thoughts.feed(written[at : at + size]) for at in range(0, len(written), size)) + thoughts.end()
    assert said == spoken


@given(st.integers(1, 9))
def test_thoughts_without_a_beginning(size: int) -> None:
    """Some servers eat the opening tag: then what comes first is a thought; a stray end tag is never spoken."""
    thoughts, text = Thoughts(inside=True), "The caller wants sales.</think>Sales, certainly."
    said = "".join(thoughts.feed(text[at : at + size]) for at in range(0, len(text), size)) + thoughts.end()
    assert said == "Sales, certainly."
    assert Thoughts().feed("The caller wants sales.</think>Certainly.") == "Certainly."
