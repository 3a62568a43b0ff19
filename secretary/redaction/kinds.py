"""What may be taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which kinds of secrets a domain wants out of what it keeps."""

    cards: bool = False
    """Card numbers with a valid check digit; three or four digits after the words for the security code."""
    accounts: bool = False
    """IBANs with valid check digits."""
    identity: bool = False
    """CPF and CNPJ with valid check digits, and US social security numbers."""
    passwords: bool = False
    """What follows the word."""

    def __bool__(self) -> bool:
        return self.cards or self.accounts or self.identity or self.passwords


NOTHING: Final = Kinds()
CARDS: Final = Kinds(cards=True)
ACCOUNTS: Final = Kinds(accounts=True)
IDENTITY: Final = Kinds(identity=True)
PASSWORDS: Final = Kinds(passwords=True)
