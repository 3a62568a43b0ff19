"""Reads: what a unit of a provider costs the active tenant."""

from __future__ import annotations

from decimal import Decimal

from secretary.models import DomainPrice, ProviderPrice


def unit_prices(provider: str, model: str = "") -> dict[str, Decimal]:
    """Price of one unit, by unit: the domain's own where it has one, else the installation's. Two queries, or four.

    What has no price is free: the local provider, unless the installation says otherwise.
    """
    prices: dict[str, Decimal] = {}
    for wanted in dict.fromkeys(("", model)):  # a model's own price counts before that of all the provider's models
        for book in (ProviderPrice, DomainPrice):
            rows = book.objects.filter(provider=provider, model=wanted)
            prices |= {price.unit: price.unit_price for price in rows}
    return prices
