"""Reads: what a unit of a provider costs the active tenant."""

from __future__ import annotations

from decimal import Decimal

from secretary.models import DomainPrice, ProviderPrice


def unit_prices(provider: str) -> dict[str, Decimal]:
    """Price of one unit, by unit: the domain's own where it has one, else the installation's. Two queries.

    What has no price is free: the local provider, unless the installation says otherwise.
    """
    prices = {price.unit: price.unit_price for price in ProviderPrice.objects.filter(provider=provider)}
    own = {price.unit: price.unit_price for price in DomainPrice.objects.filter(provider=provider)}
    return {**prices, **own}
