"""The forms about what secretaries may dial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import phonenumbers
from django import forms
from django.utils.translation import gettext_lazy as _

from eslbridge.models import DialForm as NumberForm
from eslbridge.models.dial_rules import CLASSES, MAX_ITEMS, OUTSIDE, PREFIX, PUBLIC
from eslbridge.policy import DestinationKind
from secretary.models import DestinationKind as Labels
from secretary.models.secretary import LISTED, MAX_LISTED
from secretary.opening.holiday_calendar import countries
from secretary.panel.forms.base import PanelForm, Section
from secretary.panel.forms.hours import as_uuid
from secretary.panel.forms.tags import TagsField
from secretary.panel.forms.ticks import Ticks
from secretary.panel.words import Text
from secretary.selectors.configuration import list_secretaries

_DIGITS = forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"})


def country_choices() -> list[tuple[str, str]]:
    """Every country with telephone numbers, by its name."""
    known = countries()
    found = {code: known.get(code, code) for code in phonenumbers.SUPPORTED_REGIONS if len(code) == 2}
    return sorted(((code, f"{name} +{phonenumbers.country_code_for_region(code)}") for code, name in found.items()),
                  key=lambda one: one[1])  # fmt: skip


class _Numbers(TagsField):
    """Numbers with their country code, one a line; spaces are for reading."""

    def __init__(self, validator: Any, *, most: int = MAX_ITEMS, **kwargs: Any) -> None:
        super().__init__(most=most, longest=40, required=False, **kwargs)
        self._each = validator

    def to_python(self, value: Any) -> list[str]:
        return ["".join(letter for letter in one if letter not in " -./()") for one in super().to_python(value)]

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        for one in value:
            try:
                self._each(one)
            except forms.ValidationError as error:
                raise forms.ValidationError(
                    _("“%(number)s”: %(reason)s"), params={"number": one[:20], "reason": error.messages[0]}
                ) from error


class AllowListFields(forms.Form):
    """Whom a secretary may call outside: a part of the secretary's form."""

    allow_list = _Numbers(
        LISTED,
        most=MAX_LISTED,
        label=_("Numbers she may call"),
        help_text=_("+4930123456, or the beginning of numbers with a star: +4930*."),
    )
    allow_list_only = forms.BooleanField(
        label=_("No others outside"),
        required=False,
        help_text=_("Not even stored destinations, or what the domain permits."),
    )


OUTSIDE_LIST = Section(
    _("Numbers outside"),
    ("allow_list", "allow_list_only"),
    _("For this secretary, beside what the domain's dialling rules permit. Its blocks hold here, too."),
    folded=True,
)


class DialRulesForm(PanelForm):
    """What a domain's secretaries may dial."""

    layout = (
        Section(
            _("Numbers outside"),
            ("external_allowed", "allowed_countries", "allowed_prefixes", "blocked_prefixes"),
            _(
                "Destinations that you have stored are always put through. Emergency numbers, premium numbers and"
                " satellites are never dialled, whatever stands here; countries known for toll fraud only where you"
                " name them."
            ),
        ),
        Section(
            _("Limits"),
            ("per_call", "external_per_hour", "external_per_day"),
            _("So that nobody can make the secretary dial all night."),
        ),
        Section(
            _("How numbers are written here"),
            ("country", "area_code", "outside_prefix", "dial_as", "internal_digits", "own_numbers", "toll_allow"),
            _("As your telephone system has it; the usual values suit most."),
            folded=True,
        ),
    )
    widths: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("per_call", "external_per_hour", "external_per_day"), "third"),
        **dict.fromkeys(
            ("country", "area_code", "outside_prefix", "dial_as", "internal_digits", "toll_allow"), "half"
        ),
    }  # fmt: skip

    external_allowed = forms.BooleanField(
        label=_("Any number of the domain's country, and of the countries chosen below"),
        required=False,
        help_text=_("For callbacks, and for numbers that nobody has stored. Off: only stored destinations."),
    )
    allowed_countries = forms.MultipleChoiceField(label=_("Other countries"), required=False, widget=Ticks)
    allowed_prefixes = _Numbers(PREFIX, label=_("Always allowed"), help_text=_("Beginnings of numbers: +4930."))
    blocked_prefixes = _Numbers(PREFIX, label=_("Never dialled"), help_text=_("Beginnings of numbers: +49180."))
    per_call = forms.IntegerField(label=_("Dials in one call"), min_value=1, max_value=1_000, initial=10)
    external_per_hour = forms.IntegerField(
        label=_("Public numbers an hour"), min_value=0, max_value=1_000_000, initial=30
    )
    external_per_day = forms.IntegerField(
        label=_("Public numbers a day"), min_value=0, max_value=1_000_000, initial=200
    )
    country = forms.ChoiceField(label=_("Country"), required=False, help_text=_("Of numbers without a country code."))
    area_code = forms.CharField(label=_("Own area code"), required=False, max_length=6, widget=_DIGITS)
    outside_prefix = forms.CharField(
        label=_("Prefix for an outside line"), required=False, max_length=4, validators=[OUTSIDE], widget=_DIGITS
    )
    dial_as = forms.ChoiceField(
        label=_("Public numbers are dialled"), choices=NumberForm.choices, initial=NumberForm.E164,
        help_text=_("As the outbound routes of the telephone system want them."),
    )  # fmt: skip
    internal_digits = forms.IntegerField(
        label=_("Digits of the longest extension"), min_value=2, max_value=12, initial=6,
        help_text=_("What has more is a public number."),
    )  # fmt: skip
    own_numbers = _Numbers(
        PUBLIC, label=_("Own public numbers"), help_text=_("They lead back to a secretary, and are never dialled.")
    )
    toll_allow = forms.CharField(
        label=_("Toll classes"), required=False, max_length=200, validators=[CLASSES],
        help_text=_("As FusionPBX has them for extensions: local,domestic,international. Empty: not used."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everywhere = country_choices()
        for name, choices in (
            ("country", [("", _("By the domain's telephone country code")), *everywhere]),
            ("allowed_countries", everywhere),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
            field.choices = choices


class TryForm(PanelForm):
    """A number to be tried out on the rules."""

    number = forms.CharField(label=_("Number"), max_length=64, widget=_DIGITS)
    kind = forms.ChoiceField(label=_("Kind"), choices=())
    secretary_uuid = forms.TypedChoiceField(label=_("Who calls"), required=False, coerce=as_uuid, empty_value=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels: dict[str, Text] = dict(Labels.choices)
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = [(kind.value, labels.get(kind.value, kind.value)) for kind in DestinationKind]
        who = self.fields["secretary_uuid"]
        assert isinstance(who, forms.ChoiceField)  # noqa: S101 - for the type checker
        who.choices = [("", _("Any secretary")), *((str(one.pk), one.name) for one in list_secretaries())]
