"""Reads: what a secretary says first, and which secretaries a node prepares before they are called."""

from __future__ import annotations

from typing import Final

import structlog

from secretary.conversation.sentences import sentences
from secretary.errors import CallRefused
from secretary.models import Secretary
from secretary.profiles import SecretaryProfile
from secretary.selectors.calls import resolve_secretary
from tenants.context import platform_context

log = structlog.get_logger(__name__)

MOST_PREPARED: Final = 100
"""Secretaries that a node prepares at its start, the last changed first; the others by their first call."""


def greeting_of(profile: SecretaryProfile) -> str:
    """What a secretary says first: its own greeting, or the platform's with its name."""
    return profile.greeting or sentences(profile.language).greeting.format(name=profile.name)


def profiles_to_prepare() -> list[SecretaryProfile]:
    """Of all tenants."""
    with platform_context():
        rows = Secretary.objects.filter(enabled=True, domain__enabled=True).order_by("-updated_at")
        keys = list(rows.values_list("domain_id", "secretary_uuid")[:MOST_PREPARED])
    profiles = []
    for domain_uuid, secretary_uuid in keys:
        try:
            profiles.append(resolve_secretary(domain_uuid=domain_uuid, secretary_uuid=secretary_uuid, extension=""))
        except CallRefused as refusal:
            log.info("secretary_not_prepared", secretary=str(secretary_uuid), why=str(refusal))
    return profiles
