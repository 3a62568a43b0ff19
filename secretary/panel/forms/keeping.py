"""What is kept of calls, and who is written to: a part of the secretary's form."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from secretary.models.secretary import MAX_EMAILS, Recorder
from secretary.panel.forms.base import Section
from secretary.panel.forms.tags import TagsField


class KeepingFields(forms.Form):
    """Recordings, and letters about messages."""

    record_calls = forms.BooleanField(
        label=_("Keep recordings of calls"),
        required=False,
        help_text=_("The law may require that callers are told: see what callers hear first."),
    )
    recorder = forms.ChoiceField(
        label=_("Recorded by"),
        choices=Recorder.choices,
        required=False,
        initial=Recorder.NODE,
        help_text=_("The switch needs a folder that it shares with this platform; without one, this platform records."),
    )
    message_emails = TagsField(
        label=_("Messages by e-mail to"),
        required=False,
        most=MAX_EMAILS,
        longest=254,
        help_text=_(
            "One address a line. A message for somebody goes to that destination's own address, or to the people there."
        ),
    )
    mail_audio = forms.BooleanField(
        label=_("Attach what the caller said"),
        required=False,
        help_text=_("Mail travels far. Off: the recording stays in this panel."),
    )

    def clean_recorder(self) -> str:
        return str(self.cleaned_data["recorder"] or Recorder.NODE)

    def clean_message_emails(self) -> list[str]:
        addresses: list[str] = self.cleaned_data["message_emails"]
        for address in addresses:
            try:
                forms.EmailField().clean(address)
            except forms.ValidationError:
                raise forms.ValidationError(
                    _("“%(address)s” is no e-mail address."), params={"address": address[:60]}
                ) from None
        return addresses


KEEPING = Section(_("Recordings and messages"), ("record_calls", "recorder", "message_emails", "mail_audio"))
