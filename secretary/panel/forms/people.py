"""Forms about other people: inviting, role and destinations, the domain's rule of two factors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from secretary.panel.forms.base import PanelForm, Section
from secretary.panel.forms.ticks import Ticks
from secretary.selectors.configuration import list_destinations
from tenants.models.domain import SecondFactorRule
from tenants.models.member import Role

ROLE_HELP = _(
    "Administrators change everything and manage people. Agents see the calls and messages of their own destinations."
    " Read only: sees all, changes nothing."
)
EMAIL = forms.EmailInput(attrs={"autocomplete": "off"})


class InviteForm(PanelForm):
    """An address and the role it is offered."""

    layout = (Section(_("Whom you invite"), ("email", "role")),)

    email = forms.EmailField(label=_("E-mail"), max_length=150, widget=EMAIL)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.AGENT, help_text=ROLE_HELP)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()


class OperatorInviteForm(PanelForm):
    """An address that is to run the platform."""

    layout = (Section(_("Whom you invite"), ("email",), _("Operators see and change every domain.")),)

    email = forms.EmailField(label=_("E-mail"), max_length=150, widget=EMAIL)


class MemberForm(PanelForm):
    """Role and destinations. To be made inside a tenant: it lists the tenant's destinations."""

    layout = (
        Section(_("Role"), ("role",)),
        Section(
            _("Where the person is reached"),
            ("destinations",),
            _("An agent sees the calls that were put through to these destinations, and the messages for them."),
        ),
    )

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, help_text=ROLE_HELP)
    destinations = forms.TypedMultipleChoiceField(
        label=_("Destinations"),
        required=False,
        coerce=UUID,
        widget=Ticks,
        error_messages={"invalid_choice": _("A destination is not there any more. Choose again.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["destinations"]
        assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101 - for the types
        field.choices = [(str(row.pk), f"{row.name} ({row.number})") for row in list_destinations()]


class RuleForm(PanelForm):
    """Who must sign in with two factors."""

    layout = (
        Section(
            _("Two-factor sign-in"),
            ("second_factor",),
            _("Besides the password, a code from an app on the telephone. Whoever has none yet sets it up first."),
        ),
    )

    second_factor = forms.ChoiceField(
        label=_("Who must use it"),
        required=False,
        choices=SecondFactorRule.choices,
        help_text=_("A domain can ask for more than the installation does, never for less."),
    )
