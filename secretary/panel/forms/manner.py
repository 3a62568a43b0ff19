"""How a conversation goes: a part of the secretary's form. To be made inside a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from secretary.models.menu import KEYS, KeyAction
from secretary.models.secretary import SilenceEnding, TurnMode
from secretary.panel.forms.base import Section
from secretary.selectors.configuration import list_destinations

WORDS: Mapping[str, str] = {"repeat": KeyAction.REPEAT, "fallback": KeyAction.FALLBACK, "end": KeyAction.END}


class MenuField(forms.CharField):
    """One key a line: `0 = Sales`, `* = repeat`. Stored as `Secretary.menu`."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        names = {str(row.pk): row.name for row in list_destinations()}
        lines = []
        for key, what in value.items():
            gone = "?" if what.get("do") == KeyAction.TRANSFER else what.get("do", "?")
            lines.append(f"{key} = {names.get(str(what.get('destination_uuid')), gone)}")
        return "\n".join(lines)

    def clean(self, value: Any) -> Any:
        places = {row.name.casefold(): str(row.pk) for row in list_destinations()}
        menu: dict[str, dict[str, str]] = {}
        for line in str(super().clean(value) or "").splitlines():
            key, _sign, what = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if len(key) != 1 or key not in KEYS or key in menu:
                raise forms.ValidationError(_("“%(line)s” does not begin with a key."), params={"line": line[:60]})
            if what.casefold() in WORDS:
                menu[key] = {"do": str(WORDS[what.casefold()])}
            elif what.casefold() in places:
                menu[key] = {"do": str(KeyAction.TRANSFER), "destination_uuid": places[what.casefold()]}
            else:
                raise forms.ValidationError(_("There is no destination “%(name)s”."), params={"name": what[:60]})
        return menu


class MannerFields(forms.Form):
    """Turns, interruptions, keys and limits."""

    turn_mode = forms.ChoiceField(
        label=_("Who has finished speaking is told by"),
        choices=TurnMode.choices,
        initial=TurnMode.ADAPTIVE,
        required=False,
    )
    pause_ms = forms.IntegerField(
        label=_("Pause that ends a turn (ms)"),
        min_value=300,
        max_value=3_000,
        initial=700,
        required=False,
        help_text=_("Longer for callers who take their time."),
    )
    barge_in = forms.BooleanField(
        label=_("Callers may interrupt"),
        required=False,
        initial=True,
        help_text=_("Off: what the secretary says is always heard to its end."),
    )
    protect_ms = forms.IntegerField(
        label=_("First words that are always heard (ms)"), min_value=0, max_value=10_000, initial=500, required=False
    )
    menu = MenuField(
        label=_("Keys"),
        required=False,
        max_length=1_000,
        help_text=_("One a line: 0 = Sales (a destination's name), * = repeat, 9 = fallback, # = end."),
    )
    silence_ending = forms.ChoiceField(
        label=_("A caller who stays silent"),
        choices=SilenceEnding.choices,
        initial=SilenceEnding.FALLBACK,
        required=False,
    )
    max_turns = forms.IntegerField(
        label=_("Most turns of the caller"),
        min_value=0,
        max_value=1_000,
        initial=0,
        required=False,
        help_text=_("0: as many as they like."),
    )
    max_cost = forms.DecimalField(
        label=_("Most that a call may cost"),
        min_value=Decimal(0),
        max_digits=10,
        decimal_places=4,
        initial=Decimal(0),
        required=False,
        help_text=_("By the price list. 0: no limit."),
    )

    def clean(self) -> dict[str, Any]:
        """What is left out is as usual."""
        values = super().clean() or self.cleaned_data
        for name in MANNER.fields:
            if name in values and values[name] in (None, "") and name != "menu":
                values[name] = self.fields[name].initial
        return values


MANNER = Section(
    _("How a conversation goes"),
    ("turn_mode", "pause_ms", "barge_in", "protect_ms", "menu", "silence_ending", "max_turns", "max_cost"),
    _("Pauses, interruptions, keys to press, and how long a call may go on."),
    folded=True,
)
MANNER_WIDTHS: Mapping[str, str] = {
    "turn_mode": "half",
    "pause_ms": "half",
    "protect_ms": "half",
    "silence_ending": "half",
    "max_turns": "half",
    "max_cost": "half",
}
