"""The form of a domain's connection to its telephone system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from eslbridge.models import EslCredential
from eslbridge.models.credential import HOST, AudioTransport
from secretary.panel.forms.base import PanelForm, Section

_NAME = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"})
_REACHED = ("host", "port", "password")
_AUDIO = ("audio_transport", "switch_media_host", "node_media_host", "switch_media_port_min", "switch_media_port_max")
_PATIENCE = ("connect_timeout_s", "read_timeout_s", "reconnect_delay_s", "max_reconnects")
_NEW = EslCredential()


def _usual(name: str) -> Any:
    return getattr(_NEW, name)


def _port(label: Any, name: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=1, max_value=65_535, initial=_usual(name))


class ConnectionForm(PanelForm):
    """How the platform reaches the switch, and how audio travels between them."""

    layout = (
        Section(
            _("How it is reached"),
            _REACHED,
            _("The event socket of FreeSWITCH: its address, port and password stand in event_socket.conf.xml."),
        ),
        Section(_("How audio travels"), _AUDIO, _("A FreeSWITCH as it comes needs no change here."), folded=True),
        Section(
            _("Patience"), _PATIENCE, _("How long the platform waits for it, and how often it tries."), folded=True
        ),
    )
    widths: ClassVar[Mapping[str, str]] = dict.fromkeys((*_REACHED, *_AUDIO[1:], *_PATIENCE), "half")

    host = forms.CharField(
        label=_("Address"), max_length=253, validators=[HOST], widget=_NAME, help_text=_("A name or an IP address.")
    )
    port = _port(_("Port"), "port")
    password = forms.CharField(
        label=_("Password"),
        required=False,
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Kept encrypted and not shown again. Empty: it stays as it is, unless the address changes."),
    )
    audio_transport = forms.ChoiceField(
        label=_("Audio"), choices=AudioTransport.choices, initial=AudioTransport.DIRECT_UDP
    )
    switch_media_host = forms.CharField(
        label=_("The switch's address for audio"),
        max_length=253,
        validators=[HOST],
        widget=_NAME,
        initial=_usual("switch_media_host"),
    )
    node_media_host = forms.CharField(
        label=_("The platform's address for audio"),
        required=False,
        max_length=253,
        validators=[HOST],
        widget=_NAME,
        help_text=_("Empty: as the voice node says."),
    )
    switch_media_port_min = _port(_("First port for audio"), "switch_media_port_min")
    switch_media_port_max = _port(_("Last port for audio"), "switch_media_port_max")
    connect_timeout_s = forms.FloatField(
        label=_("To connect (seconds)"), min_value=0.1, max_value=60, initial=_usual("connect_timeout_s")
    )
    read_timeout_s = forms.FloatField(
        label=_("To answer (seconds)"), min_value=0.1, max_value=60, initial=_usual("read_timeout_s")
    )
    reconnect_delay_s = forms.FloatField(
        label=_("Between attempts (seconds)"), min_value=0, max_value=30, initial=_usual("reconnect_delay_s")
    )
    max_reconnects = forms.IntegerField(
        label=_("Further attempts"), min_value=0, max_value=10, initial=_usual("max_reconnects")
    )
