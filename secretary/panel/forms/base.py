"""What all forms of the panel share: how they look, their sections, and the guard against lost updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from secretary.panel.words import Text


class PanelRenderer(TemplatesSetting):
    """Draws a field with its label, its help and what is wrong with it."""

    field_template_name = "panel/forms/field.html"


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together, under one heading. `folded`: most people leave them as they are."""

    title: Text
    fields: Sequence[str]
    intro: Text = ""
    folded: bool = False


@dataclass(frozen=True, slots=True)
class BoundSection:
    """A section with the form's own fields, for the template."""

    title: Text
    intro: Text
    fields: list[BoundField]
    folded: bool

    @property
    def open(self) -> bool:
        """A folded section is open where something is to be mended, or is not as it is by itself."""
        return any(field.errors or _is_set(field) for field in self.fields)


def _is_set(field: BoundField) -> bool:
    usual = field.field.initial
    return bool(field.field.has_changed(usual() if callable(usual) else usual, field.value()))


class PanelForm(forms.Form):
    """A form of the panel.

    `layout` says where each field stands, `widths` which are narrower than the line (`half`, `third`). The hidden
    `seen` carries the moment at which the row was last changed when the page was made: whoever saves over somebody
    else's change is told so.
    """

    default_renderer = PanelRenderer()
    layout: ClassVar[Sequence[Section]] = ()
    widths: ClassVar[Mapping[str, str]] = {}

    seen = forms.CharField(required=False, widget=forms.HiddenInput, max_length=40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for field in self.fields.values():
            field.error_messages["required"] = str(_("Please fill this in."))

    @property
    def sections(self) -> Iterator[BoundSection]:
        for section in self.layout:
            yield BoundSection(
                section.title,
                section.intro,
                [self[name] for name in section.fields if name in self.fields],
                section.folded,
            )

    @property
    def seen_at(self) -> datetime | None:
        """The change that the person had seen; None for a new row or a value that is no time."""
        try:
            return parse_datetime(self.cleaned_data.get("seen", ""))
        except ValueError:
            return None

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, cleaned, without the guard."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}

    @property
    def model_values(self) -> dict[str, Any]:
        """What was typed, as the service takes it."""
        return self.values
