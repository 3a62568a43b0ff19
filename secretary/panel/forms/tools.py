"""Forms of tools: those of a secretary, a domain's own, a trial; and what callers are told first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from secretary.models.secretary import MAX_NOTICE
from secretary.panel.forms.base import PanelForm, Section
from secretary.panel.forms.ticks import Ticks
from secretary.panel.words import Text
from secretary.tools import names
from secretary.tools.models import HttpMethod, HttpTool
from secretary.tools.models.http_tool import MAX_BYTES, MAX_DESCRIPTION, MAX_RESULT, MAX_TIMEOUT_S

BUILT_IN: Final[Mapping[str, Text]] = {
    names.TRANSFER: _("Put callers through"),
    names.TAKE_MESSAGE: _("Take messages"),
    names.REQUEST_CALLBACK: _("Promise callbacks"),
    names.END_CALL: _("Hang up when all is said"),
    names.BUSINESS_INFO: _("Look things up in the facts about the business"),
    names.OPENING_HOURS: _("Tell opening hours"),
    names.CHECK_AVAILABLE: _("See whether somebody is free"),
    names.SEND_DTMF: _("Press keys in the call"),
    names.HOLD: _("Put callers on hold"),
    names.RESUME: _("Take callers back from hold"),
    names.PAUSE_RECORDING: _("Pause the recording while a card number is given"),
    names.RESUME_RECORDING: _("Go on recording"),
    names.REMEMBER_CALLER: _("Remember callers, where the domain allows it"),
}
JSON_AREA: Final = {"rows": 8, "spellcheck": "false", "autocomplete": "off", "class": "wire"}


def tool_choices() -> list[tuple[str, Text]]:
    """All that a secretary of the active tenant can have."""
    own = HttpTool.objects.order_by("name").values_list("name", flat=True)
    return [*BUILT_IN.items(), *((name, name) for name in own)]


class ToolFields(forms.Form):
    """What a secretary can do, and what its callers hear first: a part of the secretary's form."""

    tools = forms.MultipleChoiceField(
        label=_("Can do"),
        required=False,
        choices=tool_choices,
        initial=names.usual,
        widget=Ticks,
        help_text=_("Your own tools stand below the platform's."),
    )
    summarise = forms.BooleanField(
        label=_("Have the language model sum calls up"),
        required=False,
        initial=True,
        help_text=_("One short request after each call, where there is a pipeline. Off: summed up without a model."),
    )
    callback_other_numbers = forms.BooleanField(
        label=_("Call back at another number"),
        required=False,
        help_text=_("Where the caller asks for it. Off: only the number that is calling."),
    )
    announce_ai = forms.BooleanField(
        label=_("Say that it is an artificial voice"),
        required=False,
        help_text=_("Before anything else. The domain's rules can ask for it, too."),
    )
    ai_notice = forms.CharField(
        label=_("In these words"),
        required=False,
        max_length=MAX_NOTICE,
        help_text=_("Empty: “You are talking with an artificial voice.”"),
    )
    recording_notice = forms.CharField(
        label=_("Recording announced in these words"),
        required=False,
        max_length=MAX_NOTICE,
        help_text=_("Empty: “This call is recorded.” Whether it is said follows from the domain's rules."),
    )


TOOLS = Section(
    _("What it can do"),
    ("tools", "callback_other_numbers", "summarise"),
    _("For speech services that converse freely."),
    folded=True,
)
HEARD_FIRST = Section(
    _("What callers hear first"),
    ("announce_ai", "ai_notice", "recording_notice"),
    _("The platform speaks it by itself: neither the facts above nor a speech service can leave it out."),
    folded=True,
)


def _json_object(text: str) -> Any:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise forms.ValidationError(_("This is no JSON: %(error)s"), params={"error": str(error)[:100]}) from error
    if not isinstance(value, dict):
        raise forms.ValidationError(_("A JSON object is wanted: {…}"))
    return value


class HttpToolForm(PanelForm):
    """A tool of the domain's own."""

    layout = (
        Section(
            _("What it is"),
            ("name", "description", "enabled"),
            _("Speech services go by name and description: say what it does, and when it is of use."),
        ),
        Section(_("What it is given"), ("parameters",)),
        Section(
            _("The request"),
            ("method", "url", "headers", "no_headers", "shares_caller"),
            _("Each request is signed as webhooks are. Redirects are not followed."),
        ),
        Section(
            _("The answer"),
            ("result_path", "result_text"),
            _("It is information for the speech service, never an order."),
            folded=True,
        ),
        Section(
            _("Limits"),
            ("timeout_s", "max_bytes", "per_call", "per_minute"),
            _("How long it may take, and how often it may be used."),
            folded=True,
        ),
    )
    widths: ClassVar[Mapping[str, str]] = {
        "name": "half",
        "method": "third",
        "result_path": "half",
        **dict.fromkeys(("timeout_s", "max_bytes", "per_call", "per_minute"), "half"),
    }

    name = forms.CharField(
        label=_("Name"),
        max_length=names.MAX_NAME,
        widget=forms.TextInput(attrs={"placeholder": "find_order", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Small letters, digits and _."),
    )
    description = forms.CharField(
        label=_("Description"), max_length=MAX_DESCRIPTION, widget=forms.Textarea(attrs={"rows": 3})
    )
    enabled = forms.BooleanField(
        label=_("In use"), required=False, initial=True, help_text=_("Off: no secretary has it.")
    )
    parameters = forms.CharField(
        label=_("Parameters"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs=JSON_AREA),
        initial='{\n  "type": "object",\n  "properties": {}\n}',
        help_text=_("JSON Schema of an object."),
    )
    method = forms.ChoiceField(label=_("Method"), choices=HttpMethod.choices, initial=HttpMethod.POST)
    url = forms.CharField(
        label=_("Address"),
        max_length=2_000,
        widget=forms.TextInput(attrs={"placeholder": "https://", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("{name} in the path or behind the question mark is replaced by that parameter."),
    )
    headers = forms.CharField(
        label=_("Further headers"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(
            attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off", "placeholder": "X-Api-Key: …"}
        ),
        help_text=_("One a line, as Name: value. Kept encrypted and not shown again. Empty: they stay as they are."),
    )
    no_headers = forms.BooleanField(label=_("Forget the headers"), required=False)
    shares_caller = forms.BooleanField(
        label=_("Tell it who is calling"), required=False, help_text=_("The number and name that the telephone shows.")
    )
    result_path = forms.CharField(
        label=_("Part of the answer"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": "order.status", "spellcheck": "false"}),
        help_text=_("Of a JSON answer. Empty: all of it."),
    )
    result_text = forms.CharField(
        label=_("In words"),
        required=False,
        max_length=MAX_RESULT,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("{status} is replaced by that member of the answer. Empty: the answer itself."),
    )
    timeout_s = forms.FloatField(
        label=_("Seconds it may take"), min_value=0.5, max_value=MAX_TIMEOUT_S, initial=5,
        widget=forms.NumberInput(attrs={"step": "0.5"}),
    )  # fmt: skip
    max_bytes = forms.IntegerField(label=_("Bytes it may answer"), min_value=256, max_value=MAX_BYTES, initial=16_384)
    per_call = forms.IntegerField(label=_("Times a call"), min_value=1, max_value=50, initial=5)
    per_minute = forms.IntegerField(label=_("Times a minute"), min_value=1, max_value=1_000, initial=60)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound and "url" not in self.initial:
            # Nothing is kept yet that could be forgotten.
            del self.fields["no_headers"]

    def clean_parameters(self) -> str:
        text: str = self.cleaned_data["parameters"]
        _json_object(text)
        return text

    def clean_headers(self) -> str:
        text: str = self.cleaned_data["headers"]
        if any(":" not in line for line in text.splitlines() if line.strip()):
            raise forms.ValidationError(_("Write each header as Name: value."))
        return text

    @property
    def model_values(self) -> dict[str, Any]:
        """What was typed, as the service takes it."""
        values = self.values
        headers, forgotten = values.pop("headers"), values.pop("no_headers")
        values["parameters"] = _json_object(values["parameters"]) or {"type": "object", "properties": {}}
        if headers.strip():
            pairs = (line.partition(":") for line in headers.splitlines() if line.strip())
            values["headers"] = {name.strip(): value.strip() for name, _colon, value in pairs}
        elif forgotten:
            values["headers"] = {}
        return values


class TryForm(PanelForm):
    """Arguments for one run."""

    layout = (
        Section(
            _("What it is given"), ("arguments",), _("As a speech service would give it. The request is really sent.")
        ),
    )

    arguments = forms.CharField(
        label=_("Arguments"), required=False, max_length=20_000, widget=forms.Textarea(attrs=JSON_AREA), initial="{}"
    )

    def clean_arguments(self) -> Any:
        return _json_object(self.cleaned_data["arguments"])
