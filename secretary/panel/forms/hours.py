"""The forms of opening hours and special days, and the part of a secretary's form that is about hours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from secretary.models import ClosedAction, HoursSource
from secretary.models.secretary import DIALLED, MAX_GREETING
from secretary.opening.holiday_calendar import countries, subdivisions
from secretary.panel.forms.base import PanelForm, Section
from secretary.panel.forms.week import TimesField, WeekField
from secretary.selectors.configuration import list_hours, list_secretaries


def as_uuid(value: str) -> UUID | None:
    return UUID(value) if value else None


class HoursForm(PanelForm):
    """A week, and what public holidays there are. To be made inside a tenant."""

    layout = (
        Section(_("Hours"), ("name", "is_default")),
        Section(
            _("Week"),
            ("weekly",),
            _("In the domain's time zone. Empty: closed. 22:00 to 06:00 goes on into the next day."),
        ),
        Section(
            _("Public holidays"),
            ("holidays_country", "holidays_subdivision"),
            _("Closed on all of them. A special day says otherwise."),
        ),
        Section(
            _("Who knows whether it is open"),
            ("source",),
            _("The week above, or a time condition of the telephone system."),
            folded=True,
        ),
    )
    widths: ClassVar[Mapping[str, str]] = {"name": "half", "holidays_country": "half", "holidays_subdivision": "half"}

    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("As you call them: “Office”, “Workshop”."))
    is_default = forms.BooleanField(
        label=_("The usual hours of the domain"),
        required=False,
        help_text=_("For every secretary that has none of its own."),
    )
    weekly = WeekField(label=_("Week"))
    holidays_country = forms.ChoiceField(label=_("Public holidays of"), required=False)
    holidays_subdivision = forms.ChoiceField(label=_("State or province"), required=False)
    source = forms.ChoiceField(
        label=_("Who knows"),
        choices=HoursSource.choices,
        initial=HoursSource.WEEKLY,
        help_text=_(
            "A time condition of the telephone system sends calls to the extension with *1 when it is open, and with *0"
            " when it is closed: 8001*0. Calls that bring no such word go by the week."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = str(
            self.data.get("holidays_country", "") if self.is_bound else self.initial.get("holidays_country", "")
        )
        self._choose("holidays_country", [("", _("Nowhere: days like others")), *countries().items()])
        states = list(subdivisions(chosen).items())
        everywhere = _("Only those of the whole country") if states else _("Choose a country and save first")
        self._choose("holidays_subdivision", [("", everywhere), *states])

    def _choose(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = choices


class SpecialDayForm(PanelForm):
    """A holiday of one's own, or an exception. To be made inside a tenant: it lists the tenant's hours."""

    layout = (
        Section(_("Which day"), ("date", "every_year", "name", "hours_id")),
        Section(_("Open"), ("ranges",), _("Empty: closed all day.")),
    )
    widths: ClassVar[Mapping[str, str]] = {"date": "half", "name": "half", "hours_id": "half"}

    date = forms.DateField(label=_("Date"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    every_year = forms.BooleanField(label=_("Every year"), required=False)
    name = forms.CharField(
        label=_("Name"), required=False, max_length=120, help_text=_("The secretary says it: “closed today: …”.")
    )
    hours_id = forms.TypedChoiceField(label=_("Of"), required=False, coerce=as_uuid, empty_value=None)
    ranges = TimesField(label=_("Times"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["hours_id"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - for the type checker
        field.choices = [("", _("All opening hours")), *((str(row.pk), row.name) for row in list_hours())]


class ClosedFields(forms.Form):
    """Hours, and what happens out of them: a part of the secretary's form. To be made inside a tenant."""

    hours_id = forms.TypedChoiceField(label=_("Opening hours"), required=False, coerce=as_uuid, empty_value=None)
    closed_action = forms.ChoiceField(
        label=_("Out of hours"), choices=ClosedAction.choices, initial=ClosedAction.ANSWER, required=False
    )
    closed_greeting = forms.CharField(
        label=_("Greeting out of hours"),
        required=False,
        max_length=MAX_GREETING,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Where a message is taken. Empty: that it is closed, and when it opens again."),
    )
    closed_secretary_id = forms.TypedChoiceField(
        label=_("Other secretary"), required=False, coerce=as_uuid, empty_value=None
    )
    closed_number = forms.CharField(
        label=_("Number out of hours"),
        required=False,
        max_length=20,
        validators=[DIALLED],
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=_("Where nobody answers: a mailbox such as *991001. Empty: the fallback."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("hours_id", _("The usual ones of the domain"), list_hours())
        self._offer("closed_secretary_id", _("None"), list_secretaries())

    def _offer(self, name: str, nothing: Any, rows: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - for the type checker
        field.choices = [("", nothing), *((str(row.pk), row.name) for row in rows)]

    def clean_closed_action(self) -> str:
        return str(self.cleaned_data["closed_action"] or ClosedAction.ANSWER)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("closed_action") == ClosedAction.SECRETARY and not values.get("closed_secretary_id"):
            self.add_error("closed_secretary_id", _("Choose who answers out of hours."))
        return values


CLOSED = Section(
    _("Opening hours"),
    ("hours_id", "closed_action", "closed_greeting", "closed_secretary_id", "closed_number"),
    _("Which hours it goes by, and what callers hear out of them."),
    folded=True,
)
CLOSED_WIDTHS: Mapping[str, str] = dict.fromkeys(
    ("hours_id", "closed_action", "closed_secretary_id", "closed_number"), "half"
)
