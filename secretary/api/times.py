"""Times of a day and of a week, as bodies have them."""

from __future__ import annotations

import re
from datetime import time
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
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


CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


@extend_schema_field({"type": "string", "pattern": CLOCK})
class ClockField(serializers.CharField):
    """A time of the day on the domain's clock: `08:00`."""

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if not re.fullmatch(CLOCK.strip("^$"), text, re.ASCII):
            raise serializers.ValidationError(_("Hours and minutes, as 08:00."), "invalid")
        return time.fromisoformat(text)

    def to_representation(self, value: Any) -> str:
        return str(value.strftime("%H:%M"))
