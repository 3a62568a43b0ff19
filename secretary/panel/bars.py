"""Bars of a month, drawn on the server: numbers that a template puts into SVG as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from secretary.selectors.usage_summary import Figures
from secretary.services.allowance import next_month

WIDTH: Final = 20
HEIGHT: Final = 120


@dataclass(frozen=True, slots=True)
class Bar:
    """One day; x, y and height in the drawing's units, as text: a language's decimal comma must not get in."""

    day: date
    figures: Figures
    x: str
    y: str
    height: str
    label_x: str


def bars(first: date, by_day: Mapping[date, Figures]) -> list[Bar]:
    """A bar for each day of the month; the highest fills the drawing."""
    most = max((figures.seconds for figures in by_day.values()), default=Decimal(0))
    drawn = []
    for number in range((next_month(first) - first).days):
        day = first + timedelta(days=number)
        figures = by_day.get(day, Figures())
        height = float(figures.seconds / most) * HEIGHT if most else 0.0
        # What was used at all is seen, however little it is beside the rest.
        height = max(height, 1.5) if figures.seconds else 0.0
        x = number * WIDTH
        drawn.append(Bar(day, figures, f"{x + 2}", f"{HEIGHT - height:.1f}", f"{height:.1f}", f"{x + WIDTH / 2:.1f}"))
    return drawn
