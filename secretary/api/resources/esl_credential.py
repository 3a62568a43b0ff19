"""The ESL credential: how the domain's switch is reached. One a domain; the password goes in and never comes out."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from rest_framework import serializers

from eslbridge.models import EslCredential
from eslbridge.services import check_move, save_credential
from secretary.api.problems import invalid
from secretary.api.resource import ON_ONE, Deleted, Patched, Replaced, Shown
from secretary.api.serializing import ResourceSerializer
from tenants import audit


class EslCredentialSerializer(ResourceSerializer):
    domain_uuid = serializers.UUIDField(source="domain_id", read_only=True)
    password = serializers.CharField(
        write_only=True,
        required=False,
        max_length=200,
        trim_whitespace=False,
        help_text="Left out: stays as it is. With another host or port it must be given again.",
    )

    class Meta:
        model = EslCredential
        fields = (
            "domain_uuid", "host", "port", "password", "connect_timeout_s", "read_timeout_s", "reconnect_delay_s",
            "max_reconnects", "audio_transport", "switch_media_host", "switch_media_port_min", "switch_media_port_max",
            "node_media_host", "created_at", "updated_at",
        )  # fmt: skip
        extra_kwargs: ClassVar = {
            "host": {"help_text": "Calls are taken from its addresses, and from those that the node trusts anyway."}
        }


class Credential(Shown, Replaced, Patched, Deleted):
    path = "esl-credential"
    scope = "esl-credential"
    lookup = "domain_uuid"
    model = EslCredential
    serializer_class = EslCredentialSerializer

    @classmethod
    def urls(cls) -> list[URLPattern]:
        return [path(f"domains/<uuid:domain_uuid>/{cls.path}", cls.as_view(ON_ONE), name=cls.path)]

    def rows(self) -> models.QuerySet[EslCredential]:
        # Nothing here needs the secret, so nothing decrypts it.
        return EslCredential.objects.defer("password")

    def perform_create(self, values: dict[str, Any]) -> EslCredential:
        if "password" not in values:
            raise invalid("password", "required", _("A new credential needs a password."))
        return save_credential(**values)

    def perform_update(self, row: EslCredential, values: dict[str, Any]) -> EslCredential:
        check_move(row, values.get("host", row.host), values.get("port", row.port), password_given="password" in values)
        return save_credential(domain_uuid=row.pk, **values)

    def perform_destroy(self, row: EslCredential) -> None:
        whole = EslCredential.objects.get(pk=row.pk)
        audit.deleted(whole)
        whole.delete()
