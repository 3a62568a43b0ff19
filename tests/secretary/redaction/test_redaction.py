"""What must never be stored is found however it is written or said; everything else stays as it is."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from secretary.redaction import ACCOUNTS, CARDS, IDENTITY, NOTHING, PASSWORDS, Kinds, redact, redact_lines, redact_value
from secretary.redaction.checks import cnpj, cpf, iban, luhn, ssn

EVERYTHING = Kinds(True, True, True, True)
ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PORTUGUESE = ["zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"]


def with_check_digit(body: str) -> str:
    return next(body + str(digit) for digit in range(10) if luhn(body + str(digit)))


CARD = st.one_of(
    st.from_regex(r"\A4[0-9]{14}\Z"),
    st.from_regex(r"\A5[1-5][0-9]{13}\Z"),
    st.from_regex(r"\A3[47][0-9]{12}\Z"),
    st.from_regex(r"\A6[0-9]{14}\Z"),
).map(with_check_digit)
GAPS = st.sampled_from(["", " ", "-", ".", ", ", " uh ", " - "])


@given(CARD, st.lists(GAPS, min_size=19, max_size=19), st.text(alphabet="abc xyz,.", max_size=20))
def test_a_card_in_digits(card: str, gaps: list[str], around: str) -> None:
    """However its digits are grouped, none of it is left."""
    written = "".join(digit + gap for digit, gap in zip(card, gaps, strict=False)).rstrip(" -.,uh")
    kept = redact(f"{around}: {written}; {around}", CARDS)
    assert "[card]" in kept and not re.search(r"\d", kept)


@given(CARD, st.sampled_from([ENGLISH, PORTUGUESE]), st.lists(st.sampled_from([" ", ", ", "... "]), min_size=19))
def test_a_card_in_words(card: str, words: list[str], gaps: list[str]) -> None:
    """Spoken digit by digit, in both languages."""
    spoken = "".join(words[int(digit)] + gap for digit, gap in zip(card, gaps, strict=False))
    kept = redact(f"my number: {spoken}thank you", CARDS)
    assert "[card]" in kept
    assert not set(re.findall(r"[a-zê]+", kept)) & set(words)


@given(CARD, st.lists(st.integers(1, 18), min_size=1, max_size=3), st.booleans())
def test_a_card_over_several_turns(card: str, cuts: list[int], spoken: bool) -> None:
    """Said in pieces, no piece is left."""
    edges = [0, *sorted({cut for cut in cuts if cut < len(card)}), len(card)]
    pieces = [card[begin:end] for begin, end in pairwise(edges)]
    if spoken:
        pieces = [" ".join(ENGLISH[int(digit)] for digit in piece) for piece in pieces]
    kept = redact_lines(["hello", *pieces, "bye"], CARDS)
    assert kept == ["hello", *["[card]"] * len(pieces), "bye"]


@given(st.text(max_size=200))
def test_text_without_numbers_is_untouched(text: str) -> None:
    """Without digits, or words for them, nothing is a card or an identity."""
    assume(not re.search(r"\d|[a-z]{2}", text, re.IGNORECASE))
    assert redact(text, Kinds(cards=True, identity=True)) == text


@given(st.from_regex(r"\A\+?[0-9]{2,3}[ -]?[0-9]{2}[ -]?9[0-9]{4}-?[0-9]{2}\Z"))
def test_telephone_numbers_stay(number: str) -> None:
    """Twelve digits and fewer are no card: a caller's number in a message must be readable."""
    assert redact(f"call {number} please", CARDS) == f"call {number} please"


@given(st.text(max_size=300), st.sampled_from([IDENTITY, ACCOUNTS, Kinds(accounts=True, identity=True)]))
def test_any_text(text: str, kinds: Kinds) -> None:
    """Nothing breaks it, and its own marks are not taken for secrets: twice is as good as once."""
    once = redact(text, kinds)
    assert redact(once, kinds) == once
    assert isinstance(redact(text, EVERYTHING), str) and redact(text, NOTHING) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("it is 4111 1111 1111 1111 thanks", "it is [card] thanks"),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("forty-one eleven eleven eleven eleven eleven eleven eleven", "[card]"),
        ("quarenta e um onze onze onze onze onze onze onze", "[card]"),
        ("four triple one one one one one um one one one one one one one one", "[card]"),
        ("quatro um um um um um um um um um um um um um um um", "[card]"),
        ("4111-1111-1111-1111 12/27 cvv 123", "[card] 12/27 cvv [security code]"),
        ("the CVV is one two three", "the CVV is [security code]"),
        ("código de segurança: nove oito sete", "código de segurança: [security code]"),
        ("room 123", "room 123"),
        (
            "\u0664\u0661\u0661\u0661 \u0661\u0661\u0661\u0661 \u0661\u0661\u0661\u0661 \u0661\u0661\u0661\u0661",
            "[card]",
        ),
        ("pedido 2026112100012345678901", "pedido 2026112100012345678901"),
    ],
)
def test_cards(text: str, kept: str) -> None:
    """Examples people say."""
    assert redact(text, CARDS) == kept


@pytest.mark.parametrize(
    ("text", "kinds", "kept"),
    [
        ("CPF 529.982.247-25", IDENTITY, "CPF [CPF]"),
        ("cinco dois nove nove oito dois dois quatro sete dois cinco", IDENTITY, "[CPF]"),
        ("CPF 529.982.247-26", IDENTITY, "CPF 529.982.247-26"),
        ("CNPJ 11.222.333/0001-81", IDENTITY, "CNPJ [CNPJ]"),
        ("my social security number is 078051120", IDENTITY, "my social security number is [SSN]"),
        ("078-05-1120", IDENTITY, "[SSN]"),
        ("000-05-1120", IDENTITY, "000-05-1120"),
        ("529.982.247-25", CARDS, "529.982.247-25"),
        ("pay DE89 3704 0044 0532 0130 00 today", ACCOUNTS, "pay [IBAN] today"),
        ("pay DE88 3704 0044 0532 0130 00 today", ACCOUNTS, "pay DE88 3704 0044 0532 0130 00 today"),
        ("My password is hunter two. Goodbye", PASSWORDS, "My password is [password]. Goodbye"),
        ("minha senha é abacaxi, obrigado", PASSWORDS, "minha senha é [password]"),
        ("password: h u n t e r", PASSWORDS, "password: [password]"),
        ("senha a b a c a", PASSWORDS, "senha [password]"),
        ("I forgot my password", PASSWORDS, "I forgot my password"),
    ],
)
def test_others(text: str, kinds: Kinds, kept: str) -> None:
    """Each kind by itself, with valid and invalid check digits."""
    assert redact(text, kinds) == kept


def test_check_digits() -> None:
    """Published examples; the same digit many times is nobody's identity."""
    assert luhn("79927398713") and not luhn("79927398710")
    assert cpf("52998224725") and not cpf("11111111111") and not cpf("5299822472")
    assert cnpj("11222333000181") and not cnpj("00000000000000")
    assert iban("GB82WEST12345698765432") and not iban("GB82WEST12345698765431")
    assert ssn("078051120") and not ssn("666051120") and not ssn("900051120")


def test_values() -> None:
    """Every text inside an event's details, at any depth, and a number that is one."""
    value = {"text": "4111111111111111", "list": ["4111 1111 1111 1111", 5], "n": 4111111111111111, "ok": True}
    assert redact_value(value, CARDS) == {"text": "[card]", "list": ["[card]", 5], "n": "[card]", "ok": True}


@pytest.mark.parametrize("text", ["4 " * 5_000, "one " * 2_500, "a1" * 5_000, "senha é " * 1_200, "DE89 " * 2_000])
def test_no_text_takes_long(text: str) -> None:
    """The longest line that is stored, made to be slow, is done within a moment."""
    began = time.perf_counter()
    redact(text, EVERYTHING)
    assert time.perf_counter() - began < 1.5
