from __future__ import annotations

from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from eslbridge.profiles import MediaProfile
from tenants.fields import EncryptedTextField
from tenants.managers import TenantManager
from tenants.models.base import TenantModel, Timestamped

# A name or address as it may stand in an ESL message and in the dialplan.
HOST = RegexValidator(r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\Z|^[0-9A-Fa-f:]+\Z", _("Not a host name or address."))
PORT = (MinValueValidator(1), MaxValueValidator(65_535))


class AudioTransport(models.TextChoices):
    DIRECT_UDP = "direct-udp", _("Direct UDP (stock FreeSWITCH)")
    DIRECT_UDP_G711 = "direct-udp-g711", _("Direct UDP, native G.711")
    MOD_AUDIO_STREAM = "mod-audio-stream", _("mod_audio_stream (community)")
    MOD_AUDIO_STREAM_BINARY = "mod-audio-stream-binary", _("mod_audio_stream with binary playback")
    MOD_AUDIO_STREAM_JSON = "mod-audio-stream-json", _("mod_audio_stream with JSON playback")
    MOD_AUDIO_FORK = "mod-audio-fork", _("mod_audio_fork (jambonz)")


class EslCredential(Timestamped):
    """How the platform reaches a domain's switch, and how its audio reaches the platform. One a domain."""

    domain = models.OneToOneField(
        "tenants.Domain",
        on_delete=models.CASCADE,
        primary_key=True,
        db_column="domain_uuid",
        related_name="+",
        editable=False,
    )
    host = models.CharField(_("host"), max_length=253, default="127.0.0.1", validators=[HOST])
    port = models.PositiveIntegerField(_("port"), default=8021, validators=PORT)
    password = EncryptedTextField(_("password"))
    connect_timeout_s = models.FloatField(
        _("connect timeout (s)"), default=5.0, validators=[MinValueValidator(0.1), MaxValueValidator(60)]
    )
    read_timeout_s = models.FloatField(
        _("read timeout (s)"), default=30.0, validators=[MinValueValidator(0.1), MaxValueValidator(60)]
    )
    reconnect_delay_s = models.FloatField(
        _("reconnect delay (s)"), default=2.0, validators=[MinValueValidator(0), MaxValueValidator(30)]
    )
    max_reconnects = models.PositiveSmallIntegerField(
        _("reconnects at most"), default=3, validators=[MaxValueValidator(10)]
    )
    audio_transport = models.CharField(
        _("audio"), max_length=32, choices=AudioTransport.choices, default=AudioTransport.DIRECT_UDP
    )
    switch_media_host = models.CharField(
        _("switch's media address"), max_length=253, default="127.0.0.1", validators=[HOST]
    )
    switch_media_port_min = models.PositiveIntegerField(_("first media port"), default=10_000, validators=PORT)
    switch_media_port_max = models.PositiveIntegerField(_("last media port"), default=10_100, validators=PORT)
    node_media_host = models.CharField(
        _("node's media address"), max_length=253, default="", blank=True, validators=[HOST]
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta(TenantModel.Meta):
        verbose_name = _("ESL credential")
        verbose_name_plural = _("ESL credentials")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(audio_transport__in=AudioTransport.values), name="eslbridge_credential_transport"
            ),
            models.CheckConstraint(
                condition=models.Q(switch_media_port_min__lte=models.F("switch_media_port_max")),
                name="eslbridge_credential_ports",
                violation_error_message=_("The first media port is above the last one."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def clean(self) -> None:
        # FreeSWITCH's `auth` is one line; a line break in it would be a second command.
        if any(character in self.password for character in "\r\n\0"):
            raise ValidationError({"password": _("The password must be one line.")})

    def media_profile(self) -> MediaProfile:
        return MediaProfile(
            audio_transport=self.audio_transport,
            switch_media_host=self.switch_media_host,
            switch_media_port_min=self.switch_media_port_min,
            switch_media_port_max=self.switch_media_port_max,
            node_media_host=self.node_media_host,
        )
