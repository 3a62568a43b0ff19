"""The form of an extension."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from secretary.models.extension import EXTENSION_PATTERN
from secretary.panel.forms.base import PanelForm, Section
from secretary.selectors.configuration import list_secretaries


class ExtensionForm(PanelForm):
    """Which secretary answers at an extension. To be made inside a tenant: it lists the tenant's secretaries."""

    layout = (Section(_("Who answers where"), ("extension", "secretary", "enabled")),)
    widths: ClassVar[Mapping[str, str]] = {"extension": "half", "secretary": "half"}

    extension = forms.CharField(
        label=_("Extension"),
        max_length=8,
        validators=[RegexValidator(EXTENSION_PATTERN, _("Write four digits that begin with 8, for example 8001."))],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("From 8000 to 8999."),
    )
    secretary = forms.ChoiceField(
        label=_("Secretary"),
        error_messages={"invalid_choice": _("This secretary is not there any more. Choose another one.")},
    )
    enabled = forms.BooleanField(
        label=_("In use"), required=False, initial=True, help_text=_("Off: callers go straight to the fallback.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(secretary.pk), secretary.name) for secretary in list_secretaries()]
        field = self.fields["secretary"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = choices if len(choices) == 1 else [("", _("Choose…")), *choices]

    @property
    def model_values(self) -> dict[str, Any]:
        """The choice was made of this tenant's secretaries, so the id is one of theirs."""
        values = self.values
        secretary_uuid = UUID(values.pop("secretary"))
        return {**values, "secretary_id": secretary_uuid}
