"""Times of a day and of a week, as bodies have them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from secretary.api.serializing import StrictSerializer
from secretary.opening.weekly import DAYS, MOST_RANGES


class Times(serializers.ListField):
    """`["09:00-12:00"]`; empty: closed."""

    child = serializers.RegexField(r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")

    def __init__(self, **about: Any) -> None:
        super().__init__(max_length=MOST_RANGES, **about)


class Week(StrictSerializer):
    """A day left out is closed."""

    def get_fields(self) -> dict[str, Any]:
        return {name: Times(required=False) for name in DAYS}
