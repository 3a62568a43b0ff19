"""Check digits: what tells a card or an identity from any other number."""

from __future__ import annotations

from typing import Final


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def card_lengths(digits: str) -> tuple[int, ...]:
    """How long a card number is that begins like this; empty: none does."""
    first, two = digits[:1], digits[:2]
    if first == "4":
        return (16, 19, 13)
    if two in ("34", "37"):
        return (15,)
    if two in ("30", "36", "38", "39"):
        return (14, 16)
    if two == "35" or first in ("2", "5"):
        return (16,)
    if first == "6":
        return (16, 19, 18, 17)
    return ()


def cpf(digits: str) -> bool:
    """Eleven digits of a Brazilian person; eleven times the same one is nobody's."""
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    return all(
        int(digits[size]) == sum(int(d) * (size + 1 - i) for i, d in enumerate(digits[:size])) * 10 % 11 % 10
        for size in (9, 10)
    )


_CNPJ: Final = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


def cnpj(digits: str) -> bool:
    """Fourteen digits of a Brazilian company."""
    if len(digits) != 14 or len(set(digits)) == 1:
        return False
    return all(int(digits[size]) == _weighed(digits[:size]) * 10 % 11 % 10 for size in (12, 13))


def _weighed(digits: str) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, _CNPJ[13 - len(digits) :], strict=True))


def ssn(digits: str) -> bool:
    """Nine digits that the US social security administration could have given."""
    return (
        len(digits) == 9
        and digits[:3] not in ("000", "666")
        and digits[0] != "9"
        and digits[3:5] != "00"
        and digits[5:] != "0000"
    )


def iban(text: str) -> bool:
    """ISO 13616: the letters as numbers, the first four moved to the end, modulo 97 is 1."""
    if not 15 <= len(text) <= 34 or not text.isascii() or not text.isalnum():
        return False
    moved = text[4:] + text[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1
