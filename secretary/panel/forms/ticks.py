"""Several of a list: a tick each, so that nobody has to hold a key down, and a finger will do."""

from __future__ import annotations

from django import forms


class Ticks(forms.CheckboxSelectMultiple):
    """A list of boxes to tick under one legend; a long list scrolls within itself."""

    template_name = "panel/forms/ticks.html"
