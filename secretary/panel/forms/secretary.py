"""The form of a secretary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from secretary.models.secretary import DIALLED, MAX_GREETING, MAX_PROMPT
from secretary.panel.forms.base import PanelForm, Section
from secretary.panel.forms.dialling import OUTSIDE_LIST, AllowListFields
from secretary.panel.forms.hours import CLOSED, CLOSED_WIDTHS, ClosedFields
from secretary.panel.forms.keeping import KEEPING, KeepingFields
from secretary.panel.forms.manner import MANNER, MANNER_WIDTHS, MannerFields
from secretary.panel.forms.providers import SPEECH, ChainFields
from secretary.panel.forms.tools import HEARD_FIRST, TOOLS, ToolFields
from tenants.models.domain import Language


class SecretaryForm(ChainFields, MannerFields, ClosedFields, KeepingFields, ToolFields, AllowListFields, PanelForm):
    """Who answers, what is said and known, and what happens when nobody speaks."""

    layout = (
        Section(_("Who answers"), ("name", "language", "enabled")),
        Section(_("What is said and known"), ("greeting", "prompt", "voice")),
        SPEECH,
        KEEPING,
        CLOSED,
        TOOLS,
        HEARD_FIRST,
        MANNER,
        Section(
            _("When a caller says nothing, or nothing else helps"),
            ("silence_s", "silence_prompts", "max_call_s", "fallback_number"),
            _("A caller is never left in silence."),
            folded=True,
        ),
        OUTSIDE_LIST,
    )
    widths: ClassVar[Mapping[str, str]] = {
        "name": "half",
        "language": "half",
        "silence_s": "third",
        "silence_prompts": "third",
        "max_call_s": "third",
        "fallback_number": "half",
        "voice": "half",
        **CLOSED_WIDTHS,
        **MANNER_WIDTHS,
    }

    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("As you call it in this panel."))
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices, help_text=_("Spoken and understood."))
    enabled = forms.BooleanField(
        label=_("Answers calls"),
        required=False,
        initial=True,
        help_text=_("Off: callers go straight to the fallback."),
    )
    greeting = forms.CharField(
        label=_("Greeting"),
        required=False,
        max_length=MAX_GREETING,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The first sentence a caller hears. Short greetings get quicker answers. Empty: a plain one."),
    )
    prompt = forms.CharField(
        label=_("Facts about the business"),
        required=False,
        max_length=MAX_PROMPT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_(
            "Opening hours, address, what you do. For speech services that converse freely; the built-in one does not"
            " use it."
        ),
    )
    voice = forms.CharField(
        label=_("Voice"), required=False, max_length=120, help_text=_("Empty: the usual voice of the language.")
    )
    silence_s = forms.FloatField(
        label=_("Seconds of silence"),
        min_value=1,
        max_value=120,
        initial=8,
        help_text=_("before asking again"),
        widget=forms.NumberInput(attrs={"step": "0.5"}),
    )
    silence_prompts = forms.IntegerField(
        label=_("Times to ask again"), min_value=0, max_value=10, initial=2, help_text=_("then to the fallback")
    )
    max_call_s = forms.IntegerField(
        label=_("Longest call, seconds"), min_value=10, max_value=14_400, initial=600, help_text=_("then a polite end")
    )
    fallback_number = forms.CharField(
        label=_("Fallback number"),
        required=False,
        max_length=20,
        validators=[DIALLED],
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=_("A person or mailbox for callers nobody else can help. Empty: what the telephone system provides."),
    )
