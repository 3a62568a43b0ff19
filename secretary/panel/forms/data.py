"""The forms about what is kept: how long, what never, and of whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from secretary.panel.forms.base import PanelForm, Section

_DAYS: Mapping[str, Any] = {"required": False, "min_value": 1, "max_value": 36_500}


class DataRulesForm(PanelForm):
    """Retention and redaction."""

    layout = (
        Section(
            _("How long it is kept"),
            ("transcripts_days", "recordings_days", "messages_days", "events_days", "facts_days"),
            _("Days. Empty: for ever. What is older is deleted within the hour, and cannot be brought back."),
        ),
        Section(
            _("What is never written down"),
            ("redact_cards", "redact_accounts", "redact_identity", "redact_passwords"),
            _("It is taken out of transcripts, messages, timelines and the live view. Recordings are not changed."),
        ),
        Section(
            _("What callers are told first"),
            ("announce_ai", "announce_recording"),
            _("By every secretary, in its own words or the platform's, and before a word of theirs is recorded."),
        ),
        Section(_("Callers who call again"), ("remember_callers",)),
        Section(_("Callers' numbers"), ("country_code",)),
    )
    widths: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("transcripts_days", "recordings_days", "messages_days", "events_days", "facts_days", "country_code"), "half"
    )

    transcripts_days = forms.IntegerField(label=_("Transcripts"), **_DAYS)
    recordings_days = forms.IntegerField(label=_("Recordings"), **_DAYS)
    messages_days = forms.IntegerField(label=_("Messages"), **_DAYS)
    events_days = forms.IntegerField(label=_("Timelines and webhook events"), **_DAYS)
    facts_days = forms.IntegerField(label=_("What is remembered of callers"), **_DAYS)
    announce_ai = forms.BooleanField(label=_("That they speak with a machine"), required=False)
    announce_recording = forms.BooleanField(
        label=_("That they are recorded"), required=False, help_text=_("Where calls are recorded.")
    )
    remember_callers = forms.BooleanField(
        label=_("Secretaries may remember callers"),
        required=False,
        help_text=_("Short facts for the next call from the same number. You can read and erase them."),
    )
    redact_cards = forms.BooleanField(label=_("Card numbers and security codes"), required=False)
    redact_accounts = forms.BooleanField(label=_("Bank accounts (IBAN)"), required=False)
    redact_identity = forms.BooleanField(label=_("CPF, CNPJ and social security numbers"), required=False)
    redact_passwords = forms.BooleanField(label=_("Passwords"), required=False)
    country_code = forms.CharField(
        label=_("Country code"),
        required=False,
        max_length=3,
        validators=[RegexValidator(r"^[1-9][0-9]{0,2}\Z")],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("Of numbers that are shown without one, for example 55. Empty: by the domain's language."),
    )


class CallerForm(PanelForm):
    """Whose data."""

    layout = (Section(_("Whose data"), ("number",)),)

    number = forms.CharField(
        label=_("Caller's number"),
        max_length=64,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=_("As it stands in a call, or in any other way of writing it."),
    )


class EraseForm(CallerForm):
    """The same twice: there is no way back."""

    layout = (Section(_("Whose data"), ("number", "again")),)

    again = forms.CharField(
        label=_("The number once more"),
        max_length=64,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=_("What is erased cannot be brought back."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("number") and cleaned.get("again") and cleaned["number"] != cleaned["again"]:
            self.add_error("again", _("This is not the number above."))
        return cleaned
