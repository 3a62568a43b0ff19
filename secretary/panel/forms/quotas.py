"""The operator's form of a domain's quotas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from secretary.panel.forms.base import PanelForm, Section


class QuotaForm(PanelForm):
    """Empty: no limit."""

    layout = (
        Section(
            _("Minutes and money"),
            ("minutes_per_day", "minutes_per_month", "money_per_day", "money_per_month"),
            _("Empty: without end. When one is used up, calls end politely and callers go to the fallback."),
        ),
        Section(_("How many"), ("max_calls", "max_secretaries", "max_extensions", "api_per_minute")),
    )
    widths: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            "minutes_per_day", "minutes_per_month", "money_per_day", "money_per_month", "max_calls",
            "max_secretaries", "max_extensions", "api_per_minute",
        ),
        "half",
    )  # fmt: skip

    minutes_per_day = forms.IntegerField(label=_("Minutes a day"), required=False, min_value=1, max_value=10_000_000)
    minutes_per_month = forms.IntegerField(
        label=_("Minutes a month"), required=False, min_value=1, max_value=10_000_000
    )
    money_per_day = forms.DecimalField(
        label=_("Money a day"), required=False, min_value=0.01, max_digits=12, decimal_places=2
    )
    money_per_month = forms.DecimalField(
        label=_("Money a month"), required=False, min_value=0.01, max_digits=12, decimal_places=2
    )
    max_calls = forms.IntegerField(label=_("Simultaneous calls"), min_value=0, max_value=10_000)
    max_secretaries = forms.IntegerField(label=_("Secretaries"), min_value=0, max_value=10_000)
    max_extensions = forms.IntegerField(label=_("Extensions"), min_value=0, max_value=1_000)
    api_per_minute = forms.IntegerField(
        label=_("API requests a minute"), required=False, min_value=1, max_value=1_000_000
    )
