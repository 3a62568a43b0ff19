"""The form of a destination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from eslbridge.policy import DestinationKind as PolicyKind
from eslbridge.policy import check_number
from secretary.models import DestinationKind
from secretary.models.destination import MAX_ALIASES, TransferMode
from secretary.panel.forms.base import PanelForm, Section
from secretary.panel.forms.hours import as_uuid
from secretary.panel.forms.tags import TagsField
from secretary.selectors.configuration import list_destinations, list_hours

_PUNCTUATION = str.maketrans("", "", " -./()\t\u00a0")
"""What people write into numbers to read them better; nobody dials it."""

_REFUSED: dict[str, Any] = {
    "emergency": _("Emergency numbers are never dialled for a caller. Callers dial them themselves."),
    "secretary_loop": _(
        "8000 to 8999 lead to a secretary again, and a caller could go round for ever. Give the number of a person or"
        " a group."
    ),
}
_MALFORMED_INSIDE = _("Write an extension as it is dialled: digits, * and #, at most 20. For example 1001.")
_MALFORMED_OUTSIDE = _("Write the number as it is dialled: 3 to 20 digits, with + in front if you like.")


class DestinationForm(PanelForm):
    """Whom a caller can ask for, by which names, and the number that reaches them."""

    layout = (
        Section(_("How callers ask for it"), ("name", "aliases")),
        Section(_("How it is reached"), ("kind", "number", "hours_id", "enabled")),
        Section(
            _("How callers are put through"),
            ("transfer_mode", "ring_s", "fallback_id"),
            _("Where nobody takes the call, the caller is back with the secretary, who offers something else."),
        ),
        Section(
            _("Messages and order"),
            ("message_email", "priority"),
            _("Who is written to, and what is offered first where several fit."),
            folded=True,
        ),
    )
    widths: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("kind", "number", "hours_id", "ring_s", "fallback_id", "priority", "message_email"), "half"
    )

    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("The secretary says it, too: “I will put you through to …”.")
    )
    aliases = TagsField(
        label=_("Also asked for as"),
        required=False,
        most=MAX_ALIASES,
        longest=120,
        help_text=_("Other words that callers use, one a line: “orders”, “Mr. Lee”, “the workshop”."),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=DestinationKind.choices)
    number = forms.CharField(
        label=_("Number"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=_("As dialled from a desk telephone."),
    )
    priority = forms.IntegerField(
        label=_("Priority"),
        min_value=-100,
        max_value=100,
        initial=0,
        help_text=_("Where several fit what was said, the highest is offered first."),
    )
    hours_id = forms.TypedChoiceField(
        label=_("Opening hours"),
        required=False,
        coerce=as_uuid,
        empty_value=None,
        help_text=_("Out of them nobody is put through, and the secretary says when somebody is there."),
    )
    transfer_mode = forms.ChoiceField(
        label=_("The colleague gets the call"), choices=TransferMode.choices, initial=TransferMode.BLIND, required=False
    )
    ring_s = forms.IntegerField(label=_("Rings for (seconds)"), min_value=5, max_value=120, initial=25, required=False)
    fallback_id = forms.TypedChoiceField(
        label=_("If nobody takes the call"),
        required=False,
        coerce=as_uuid,
        empty_value=None,
        help_text=_("Tried next, before the caller is back with the secretary."),
    )
    message_email = forms.EmailField(
        label=_("Messages by e-mail to"),
        required=False,
        help_text=_("Empty: to the people who are reached here."),
    )
    enabled = forms.BooleanField(
        label=_("In use"), required=False, initial=True, help_text=_("Off: the secretary does not offer it.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = [row for row in list_destinations() if row.pk != self.initial.get("destination_uuid")]
        for name, nothing, rows in (
            ("hours_id", _("At any hour"), list_hours()),
            ("fallback_id", _("Nobody else"), others),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - for the type checker
            field.choices = [("", nothing), *((str(row.pk), row.name) for row in rows)]

    def clean_transfer_mode(self) -> str:
        return str(self.cleaned_data["transfer_mode"] or TransferMode.BLIND)

    def clean_ring_s(self) -> int:
        return int(self.cleaned_data["ring_s"] or self.fields["ring_s"].initial)

    def clean_number(self) -> str:
        """Readable punctuation is taken out; the rest is judged with the kind in `clean`."""
        return str(self.cleaned_data["number"]).translate(_PUNCTUATION)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        number, kind = values.get("number"), values.get("kind")
        if number and kind:
            decision = check_number(number, PolicyKind(kind))
            if not decision.allowed:
                malformed = _MALFORMED_OUTSIDE if kind == PolicyKind.EXTERNAL else _MALFORMED_INSIDE
                self.add_error("number", _REFUSED.get(decision.reason, malformed))
        return values
