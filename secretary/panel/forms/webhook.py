"""The forms of a webhook: what it is, a new secret, and sending again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from secretary.panel.forms.base import PanelForm, Section
from secretary.panel.forms.ticks import Ticks
from secretary.webhooks.catalogue import EVENT_TYPES, EVERYTHING

EVENTS = [
    (EVERYTHING, _("All events, also those to come")),
    *((name, format_lazy("{}: {}", name, words)) for name, words in EVENT_TYPES.items()),
]
OVERLAPS = [
    ("24", _("one day")),
    ("1", _("one hour")),
    ("168", _("one week")),
    ("0", _("not at all: it has become known")),
]
WHEN = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})


class WebhookForm(PanelForm):
    """Where events are sent, and which."""

    layout = (
        Section(_("Where to"), ("url", "description")),
        Section(
            _("What is told"),
            ("events", "enabled"),
            _("Each event is sent by POST as signed JSON, and again for three days until it is taken."),
        ),
    )

    url = forms.CharField(
        label=_("Address"),
        max_length=2_000,
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("It must be reached over the internet."),
    )
    description = forms.CharField(
        label=_("Name"), max_length=200, required=False, help_text=_("For yourself: what listens there.")
    )
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=EVENTS,
        initial=[EVERYTHING],
        widget=Ticks,
    )
    enabled = forms.BooleanField(
        label=_("In use"), required=False, initial=True, help_text=_("Off: nothing is sent there.")
    )


class SecretForm(PanelForm):
    """For how long the secret before still signs."""

    layout = (
        Section(
            _("New secret"),
            ("overlap",),
            _("While both sign, every message has two signatures, and your server may check either."),
        ),
    )

    overlap = forms.ChoiceField(label=_("The old secret stays valid"), choices=OVERLAPS)

    @property
    def span(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["overlap"]))


class ReplayForm(PanelForm):
    """Which events to send again."""

    layout = (
        Section(
            _("Which events"),
            ("since", "until", "only_failed"),
            _("Every event keeps its id: a server that has taken it can tell, and leave it alone."),
        ),
    )
    widths: ClassVar[Mapping[str, str]] = {"since": "half", "until": "half"}

    since = forms.DateTimeField(label=_("From"), widget=WHEN)
    until = forms.DateTimeField(label=_("To"), widget=WHEN)
    only_failed = forms.BooleanField(label=_("Only what was never delivered"), required=False, initial=True)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and until and since >= until:
            self.add_error("until", _("The end must be after the beginning."))
        return values
