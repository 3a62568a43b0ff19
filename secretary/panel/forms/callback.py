"""The forms of callbacks: a new one, its times, the domain's rules; and a test call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from secretary.models import CallingRules, Destination
from secretary.models.destination import PERSONS
from secretary.panel.forms.base import PanelForm, Section
from secretary.selectors.own import Own

PUNCTUATION = str.maketrans("", "", " -./()\t\u00a0")
WHEN = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
CLOCK = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
TELEPHONE = forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"})


def people(own: Own | None) -> list[tuple[str, Any]]:
    """Destinations where a person picks up; of an agent, their own."""
    rows = Destination.objects.filter(kind__in=PERSONS, enabled=True).order_by("name")
    if own is not None:
        rows = rows.filter(pk__in=own)
    return [(str(row.pk), row.name) for row in rows]


class ChangeForm(PanelForm):
    """What it is about, whom it is for, and when. `own`: the destinations an agent may choose from."""

    layout: ClassVar[Any] = (
        Section(_("Who wants to be called"), ("name", "reason")),
        Section(_("Who calls, and when"), ("destination_uuid", "not_before", "not_after", "max_attempts")),
    )
    widths: ClassVar[Mapping[str, str]] = {"not_before": "half", "not_after": "half", "max_attempts": "half"}

    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    reason = forms.CharField(
        label=_("What it is about"),
        max_length=500,
        required=False,
        help_text=_("The colleague's telephone shows the name; this is read here."),
    )
    destination_uuid = forms.ChoiceField(
        label=_("Who calls back"),
        required=False,
        help_text=_("Their telephone rings first. Nobody: it waits until a person takes it."),
    )
    not_before = forms.DateTimeField(label=_("Not before"), widget=WHEN)
    not_after = forms.DateTimeField(label=_("Not after"), widget=WHEN)
    max_attempts = forms.IntegerField(label=_("Attempts at most"), min_value=1, max_value=20)

    def __init__(self, *args: Any, own: Own | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["destination_uuid"]
        # An agent's callback for nobody would be one that they do not see.
        chosen.choices = [*([("", _("Nobody in particular"))] if own is None else []), *people(own)]
        chosen.required = own is not None

    def clean_destination_uuid(self) -> UUID | None:
        found = self.cleaned_data.get("destination_uuid")
        return UUID(found) if found else None

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        first, last = values.get("not_before"), values.get("not_after")
        if first and last and last <= first:
            self.add_error("not_after", _("The end comes after the beginning."))
        elif last and last <= timezone.now() + timedelta(minutes=1):
            self.add_error("not_after", _("That time is over."))
        return values


class NewForm(ChangeForm):
    """The same with the number, and with the consent that nobody is called without."""

    layout: ClassVar[Any] = (
        Section(_("Who wants to be called"), ("number", "name", "reason")),
        Section(_("Consent"), ("agreed",), _("Nobody is called back who has not agreed to it.")),
        Section(_("Who calls, and when"), ("destination_uuid", "not_before", "not_after", "max_attempts")),
    )

    number = forms.CharField(
        label=_("Number"), max_length=40, widget=TELEPHONE, help_text=_("With the country's code: +55 11 98765-0001.")
    )
    not_before = forms.DateTimeField(label=_("Not before"), required=False, widget=WHEN)
    not_after = forms.DateTimeField(label=_("Not after"), required=False, widget=WHEN)
    max_attempts = forms.IntegerField(label=_("Attempts at most"), required=False, min_value=1, max_value=20)
    agreed = forms.BooleanField(
        label=_("They have agreed to be called back"),
        help_text=_("Your name and the time are kept with it."),
        error_messages={"required": _("Without consent nobody is called.")},
    )

    def clean_number(self) -> str:
        return str(self.cleaned_data["number"]).translate(PUNCTUATION)


class CallingRulesForm(PanelForm):
    """How the domain calls out."""

    layout = (
        Section(
            _("What the other telephone shows"),
            ("caller_id_number", "caller_id_name"),
            _("Empty: what the telephone system's outbound routes say."),
        ),
        Section(_("When"), ("automatic", "earliest", "latest")),
        Section(_("How often"), ("max_attempts", "spacing_minutes", "expires_hours")),
        Section(
            _("How long it rings"),
            ("ring_s", "customer_ring_s"),
            _("Before somebody counts as not there."),
            folded=True,
        ),
    )
    widths: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            "caller_id_number", "caller_id_name", "earliest", "latest", "max_attempts", "spacing_minutes",
            "expires_hours", "ring_s", "customer_ring_s",
        ),
        "half",
    )  # fmt: skip

    caller_id_number = forms.CharField(label=_("Number shown"), max_length=21, required=False, widget=TELEPHONE)
    caller_id_name = forms.CharField(label=_("Name shown"), max_length=40, required=False)
    automatic = forms.BooleanField(
        label=_("Place callbacks when their time comes"),
        required=False,
        help_text=_("Off: they wait until a person places them."),
    )
    earliest = forms.TimeField(label=_("Never before"), widget=CLOCK)
    latest = forms.TimeField(
        label=_("Never after"), widget=CLOCK, help_text=_("Beside the opening hours, on the domain's clock.")
    )
    max_attempts = forms.IntegerField(label=_("Attempts at most"), min_value=1, max_value=20)
    spacing_minutes = forms.IntegerField(label=_("Minutes between attempts"), min_value=1, max_value=1440)
    expires_hours = forms.IntegerField(label=_("Given up after (hours)"), min_value=1, max_value=24 * 31)
    ring_s = forms.IntegerField(label=_("A colleague's telephone (seconds)"), min_value=5, max_value=40)
    customer_ring_s = forms.IntegerField(label=_("The other telephone (seconds)"), min_value=5, max_value=60)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = CallingRules()
        for name, field in self.fields.items():
            field.initial = getattr(usual, name, None)

    @classmethod
    def read(cls, row: CallingRules) -> dict[str, Any]:
        return {name: getattr(row, name) for name in cls.base_fields if name != "seen"}


class TestCallForm(PanelForm):
    """Which telephone rings."""

    layout = (Section(_("Your telephone"), ("number",)),)

    number = forms.CharField(
        label=_("Extension"),
        max_length=20,
        widget=TELEPHONE,
        validators=[RegexValidator(r"^[0-9*#]{1,20}\Z", _("Only digits, * and #."))],
        help_text=_("It rings now. Pick up, and you talk to the secretary as a caller would."),
    )
