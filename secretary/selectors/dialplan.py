"""Reads: what a domain's dialplan is made of."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from eslbridge.dialplan import Node, Plan, SecretaryEntry
from eslbridge.models import AudioTransport
from eslbridge.selectors import media_profile
from secretary.models import ExtensionMapping
from tenants.context import tenant_context
from tenants.models import Domain


def dialplan_of(*, domain_uuid: UUID, nodes: Sequence[Node], fallback_number: str = "") -> Plan:
    """The domain's plan: its enabled extensions whose secretary is enabled. Raises ValueError, Domain.DoesNotExist.

    A disabled one is left to the 8XXX pattern: the node refuses it and the caller reaches the fallback.
    """
    with tenant_context(domain_uuid):
        domain = Domain.objects.get()
        media = media_profile(domain_uuid=domain_uuid)
        mappings = ExtensionMapping.objects.filter(enabled=True, secretary__enabled=True).select_related("secretary")
        return Plan(
            domain_uuid=domain.domain_uuid,
            domain_name=domain.name,
            transport=media.audio_transport if media is not None else AudioTransport.DIRECT_UDP,
            nodes=tuple(nodes),
            fallback_number=fallback_number,
            secretaries=tuple(
                SecretaryEntry(
                    extension=mapping.extension,
                    secretary_uuid=mapping.secretary.secretary_uuid,
                    name=mapping.secretary.name,
                    fallback_number=mapping.secretary.fallback_number,
                )
                for mapping in mappings
            ),
        )
