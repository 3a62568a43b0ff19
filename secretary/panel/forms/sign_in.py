"""Signing in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _

from secretary.panel.forms.base import PanelRenderer


class SignInForm(AuthenticationForm):
    """User name and password, in the panel's looks. A wrong one never tells which of the two was wrong."""

    default_renderer = PanelRenderer()
    error_messages = {  # noqa: RUF012 - Django's own attribute
        "invalid_login": _("User name and password do not belong together. Check both; capital letters matter."),
        "inactive": _("This account is switched off. Ask whoever runs your telephones."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["username"].label = _("User name")
        self.fields["password"].label = _("Password")
        for field in self.fields.values():
            field.error_messages["required"] = str(_("Please fill this in."))
