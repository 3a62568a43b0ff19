"""Reads: what the active tenant wants neither shown nor kept."""

from __future__ import annotations

from secretary.redaction import Kinds
from tenants.quotas import rules_of


def redaction_of() -> Kinds:
    rules = rules_of()
    return Kinds(rules.redact_cards, rules.redact_accounts, rules.redact_identity, rules.redact_passwords)
