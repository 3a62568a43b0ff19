"""Forms of one's own account: password, second factor, invitation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from secretary.panel.forms.base import PanelForm, Section

LONGEST_PASSWORD = 256
"""Long enough for any passphrase; hashing a megabyte for strangers is no service."""


def password_field(label: Any, *, new: bool, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_PASSWORD,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password" if new else "current-password"}),
    )


def code_field(label: Any, help_text: Any = "") -> forms.CharField:
    attrs = {"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}
    return forms.CharField(label=label, max_length=40, help_text=help_text, widget=forms.TextInput(attrs=attrs))


class NewPassword(PanelForm):
    """A new password, typed once: password managers and the eye do better than typing blind twice."""

    layout = (Section(_("New password"), ("password",)),)

    password = password_field(
        _("New password"),
        new=True,
        help_text=_("At least 12 characters. A sentence is easier to remember and harder to guess than a word."),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, self.user)
        return password


class ChangePassword(NewPassword):
    """Likewise, by somebody who knows the old one."""

    layout = (Section(_("Change your password"), ("current", "password")),)

    current = password_field(_("Your password now"), new=False)

    def clean_current(self) -> str:
        if not self.user.check_password(self.cleaned_data["current"]):
            raise ValidationError(_("This is not your password."))
        return ""


class Register(NewPassword):
    """What somebody who was invited says of themselves."""

    layout = (Section("", ("first_name", "last_name", "password")),)
    widths: ClassVar[Mapping[str, str]] = {"first_name": "half", "last_name": "half"}

    first_name = forms.CharField(
        label=_("First name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=_("Last name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )


class Confirm(PanelForm):
    """Password and code of somebody who is signed in: a browser left alone must not be enough."""

    layout = (Section("", ("current", "code")),)

    current = password_field(_("Your password"), new=False)
    code = code_field(_("Code"))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_current(self) -> str:
        if not self.user.check_password(self.cleaned_data["current"]):
            raise ValidationError(_("This is not your password."))
        return ""


class Code(PanelForm):
    """The second step of signing in."""

    code = code_field(_("Code"), _("Six digits from your authenticator app, or one of your recovery codes."))


class Forgotten(PanelForm):
    """Whose password is forgotten."""

    name = forms.CharField(
        label=_("User name or e-mail"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
