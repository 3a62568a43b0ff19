"""Reads: what the active tenant wants neither shown nor kept."""

from __future__ import annotations

from secretary.redaction import Kinds
from tenants.models import DataRules
from tenants.quotas import rules_of


def redaction_of(rules: DataRules | None = None) -> Kinds:
    """By these rules, or by the tenant's where none are given."""
    rules = rules or rules_of()
    return Kinds(rules.redact_cards, rules.redact_accounts, rules.redact_identity, rules.redact_passwords)
