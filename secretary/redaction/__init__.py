"""Taking out of a text what must never be stored: card numbers, security codes, accounts, identities, passwords.

    redact("it is 4111 1111 1111 1111", CARDS)      # "it is [card]"
    redact_lines(["four one one one …", "…"], kinds)  # a number that was said in several turns

Pure functions: no database, no clock. Spoken digits count as digits, in English and in Portuguese.
"""

from __future__ import annotations

from secretary.redaction.kinds import ACCOUNTS, CARDS, IDENTITY, NOTHING, PASSWORDS, Kinds
from secretary.redaction.text import redact, redact_lines, redact_value

__all__ = ["ACCOUNTS", "CARDS", "IDENTITY", "NOTHING", "PASSWORDS", "Kinds", "redact", "redact_lines", "redact_value"]
