"""Forms of speech services: one for each, made of what it wants to be told; and a secretary's chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from secretary.models import ProviderCredential
from secretary.models.provider import MAX_KEY
from secretary.panel.forms.base import PanelForm, Section
from secretary.panel.words import Text
from secretary.speech.catalogue import DECLARED, LOCAL, LONGEST, Declared, Option

ROWS: Final = 2
"""Services of a chain that are offered at least; always one more than are chosen."""
OPTION: Final = "option_"
KEY: Final = "key_"
CHOOSABLE: Final = tuple(one for one in DECLARED.values() if one.name != LOCAL)


class ServiceForm(PanelForm):
    """What every service has; `form_of` adds its own options."""

    declared: ClassVar[Declared]

    label = forms.CharField(
        label=_("Name"), required=False, max_length=80, help_text=_("To tell it from another of the same service.")
    )
    enabled = forms.BooleanField(label=_("In use"), required=False, initial=True)
    api_key = forms.CharField(
        label=_("Key"),
        required=False,
        max_length=MAX_KEY,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Kept encrypted and not shown again. Empty: it stays as it is, unless the address changes."),
    )
    model = forms.CharField(label=_("Model"), required=False, max_length=120, help_text=_("Empty: the usual one."))

    @property
    def model_values(self) -> dict[str, Any]:
        """What was typed, as the service takes it."""
        given = self.values
        values: dict[str, Any] = {
            name: given[name] for name in ("label", "enabled", "model", "base_url") if name in given
        }
        values["options"] = {
            name.removeprefix(OPTION): value for name, value in given.items() if name.startswith(OPTION) and value
        }
        if given["api_key"]:
            values["api_key"] = given["api_key"]
        keys = {name.removeprefix(KEY): value for name, value in given.items() if name.startswith(KEY) and value}
        if keys:
            values["keys"] = keys
        return values


def form_of(declared: Declared, *, guarded: bool = True) -> type[ServiceForm]:
    """The form of one service. `guarded`: for a domain, whose address must be on the internet."""
    fields: dict[str, forms.Field] = {}
    if declared.base_url:
        fields["base_url"] = forms.CharField(
            label=_("Own address"),
            required=False,
            max_length=500,
            widget=forms.TextInput(attrs={"placeholder": "https://", "autocomplete": "off", "spellcheck": "false"}),
            help_text=_text(declared.base_url),
        )
    keys = {KEY + option.name: _key(option) for option in declared.secret}
    options = {OPTION + option.name: _field(option) for option in declared.plain}
    reached = ("api_key", *keys, *(("base_url",) if declared.base_url else ()))
    layout = [Section(_("Which one"), ("label", "enabled"))] if guarded else [Section(_("State"), ("enabled",))]
    layout.append(Section(_("How it is reached"), reached))
    intro = _("Empty: as the service has it by itself.")
    layout.append(Section(_("How it is to be"), ("model", *options), intro, folded=True))
    members: dict[str, Any] = {**fields, **keys, **options, "layout": tuple(layout), "declared": declared}
    members["widths"] = {"label": "half", **dict.fromkeys(options, "half")}
    return type("ServiceForm", (ServiceForm,), members)


def read(row: Any) -> Mapping[str, Any]:
    """A row's values as the form has them: never a key."""
    values = {name: getattr(row, name) for name in ("label", "enabled", "model", "base_url")}
    return {**values, **{OPTION + name: value for name, value in row.options.items()}}


def _text(text: Any) -> Any:
    """A text of the catalogue, lazy or not, as Django's stubs want it."""
    return text


def _key(option: Option) -> forms.Field:
    return forms.CharField(
        label=option.name,
        required=False,
        max_length=MAX_KEY,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


def _field(option: Option) -> forms.Field:
    common: dict[str, Any] = {"label": option.name, "required": False, "help_text": option.help}
    if option.kind in ("choice", "yes_no"):
        words = {"yes": _("yes"), "no": _("no")} if option.kind == "yes_no" else {one: one for one in option.choices}
        return forms.ChoiceField(choices=[("", "—"), *words.items()], **common)
    if option.kind == "json":
        return forms.CharField(max_length=10 * LONGEST, widget=forms.Textarea(attrs={"rows": 2}), **common)
    return forms.CharField(max_length=LONGEST, **common)


# A secretary's chain --------------------------------------------------------------------------------------------------


def services() -> list[tuple[str, Text]]:
    """All that a secretary of the active tenant can have: each service, and each key of the domain's own by itself."""
    found: list[tuple[str, Text]] = [("", _("(none)"))]
    rows = ProviderCredential.objects.filter(enabled=True).defer("api_key", "keys").order_by("provider", "label")
    own: dict[str, list[ProviderCredential]] = {}
    for row in rows:
        own.setdefault(row.provider, []).append(row)
    for one in CHOOSABLE:
        found.append((one.name, one.title))
        for row in own.get(one.name, []):
            found.append((f"{one.name}:{row.pk}", f"{one.title}: {row.label or row.key_hint or row.pk}"))
    return found


class ChainWidget(forms.Widget):
    """Rows of service, model and voice. Works without scripts."""

    template_name = "panel/forms/chain.html"

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_1"

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        chain = [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
        offered = services()
        rows = []
        for number in range(1, max(ROWS, len(chain) + 1) + 1):
            entry = chain[number - 1] if number <= len(chain) else {}
            chosen = str(entry.get("provider") or "")
            if entry.get("credential_uuid"):
                chosen = f"{chosen}:{entry['credential_uuid']}"
            known = offered if any(key == chosen for key, _label in offered) else [*offered, (chosen, chosen)]
            choices = [(key, label, key == chosen) for key, label in known]
            more = {part: str(entry.get(part) or "") for part in ("model", "voice")}
            rows.append({"number": number, "choices": choices, **more})
        context["widget"] |= {"rows": rows}
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[dict[str, Any]]:
        chain = []
        for number in range(1, 13):
            provider, _colon, uuid = str(data.get(f"{name}_{number}", "")).strip().partition(":")
            if provider:
                entry: dict[str, Any] = {"provider": provider[:40], "credential_uuid": uuid[:40] or None}
                entry |= {part: str(data.get(f"{name}_{number}_{part}", "")).strip() for part in ("model", "voice")}
                chain.append(entry)
        return chain


class ChainField(forms.Field):
    """A chain as the service takes it, which judges it. A name that is no UUID is refused here."""

    widget = ChainWidget

    def clean(self, value: Any) -> Any:
        for entry in value:
            if entry["credential_uuid"] is not None:
                try:
                    entry["credential_uuid"] = str(UUID(entry["credential_uuid"]))
                except ValueError as error:
                    raise ValidationError(_("There is no such service.")) from error
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != data)


class ChainFields(forms.Form):
    """Who speaks: a part of the secretary's form."""

    chain = ChainField(
        label=_("Speech services"),
        required=False,
        help_text=_(
            "Who speaks, the first choice first. When one fails, in the middle of a call too, the next takes over. At"
            " the end there is always the local secretary; with none chosen it answers alone."
        ),
    )


SPEECH: Final = Section(_("Who speaks"), ("chain",))
