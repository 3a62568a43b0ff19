"""Reads of the voice node and the worker: who answers a call, and whose it is."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from eslbridge.selectors import media_profile
from secretary.errors import (
    DomainDisabled,
    NoCredential,
    SecretaryDisabled,
    UnknownDomain,
    UnknownSecretary,
    UnmappedExtension,
)
from secretary.models import Call, Destination, ExtensionMapping, Secretary
from secretary.models.secretary import SilenceEnding
from secretary.profiles import DestinationProfile, Manner, SecretaryProfile
from secretary.selectors.caller_data import country_of
from secretary.selectors.data_rules import redaction_of
from secretary.selectors.dial_facts import within_list
from secretary.selectors.opening import hours_of_secretary, state_of
from secretary.selectors.speech_chain import choices_of
from secretary.tools.disclosure import disclosure
from secretary.tools.history import live_version
from secretary.tools.http.load import profiles as http_tools
from secretary.tools.names import BUILT_IN
from tenants.context import tenant_context
from tenants.errors import InvalidTenantError
from tenants.models import Domain
from tenants.quotas import rules_of


def resolve_secretary(
    *, domain_uuid: UUID | str, secretary_uuid: UUID | str | None, extension: str, told_open: bool | None = None
) -> SecretaryProfile:
    """Find who answers a call. The arguments come from channel variables and may be anything.

    The secretary named decides; where none is named (the 8XXX pattern of the dialplan), the extension dialled does.
    `told_open`: what a time condition of the telephone system has said of the call.
    Raises UnknownDomain, DomainDisabled, UnknownSecretary, UnmappedExtension, SecretaryDisabled, NoCredential.
    """
    try:
        with tenant_context(domain_uuid):
            return _resolve(secretary_uuid, extension, told_open)
    except InvalidTenantError as error:
        raise UnknownDomain("The call names no domain's UUID.") from error


def _resolve(secretary_uuid: UUID | str | None, extension: str, told_open: bool | None) -> SecretaryProfile:
    domain = Domain.objects.first()
    if domain is None:
        raise UnknownDomain("There is no domain of this UUID.")
    if not domain.enabled:
        raise DomainDisabled(f"{domain.name} is disabled.")
    secretary = _named(secretary_uuid) if secretary_uuid else _mapped(extension)
    if not secretary.enabled:
        raise SecretaryDisabled("The secretary is disabled.")
    media = media_profile(domain_uuid=domain.domain_uuid)
    if media is None:
        raise NoCredential(f"{domain.name} has no ESL credential.")
    rules = rules_of()
    told = secretary.record_calls and rules.announce_recording
    return SecretaryProfile(
        domain_uuid=domain.domain_uuid,
        domain_name=domain.name,
        time_zone=domain.time_zone,
        max_calls=domain.max_calls,
        secretary_uuid=secretary.secretary_uuid,
        name=secretary.name,
        language=secretary.language,
        voice=secretary.voice,
        greeting=secretary.greeting,
        prompt=secretary.prompt,
        provider=secretary.provider,
        chain=choices_of(secretary.chain, secretary.provider),
        record_calls=secretary.record_calls,
        max_call_s=secretary.max_call_s,
        silence_s=secretary.silence_s,
        silence_prompts=secretary.silence_prompts,
        fallback_number=secretary.fallback_number,
        extension=extension if extension.isascii() and len(extension) <= 20 else "",
        media=media,
        redact=redaction_of(rules),
        manner=_manner(secretary),
        opening=state_of(
            hours_of_secretary(secretary), domain, timezone.now(), told=told_open, language=secretary.language
        ),
        closed_action=secretary.closed_action,
        closed_greeting=secretary.closed_greeting,
        closed_secretary_uuid=secretary.closed_secretary_id,
        closed_number=secretary.closed_number,
        tools=tuple(secretary.tools),
        own_tools=http_tools([name for name in secretary.tools if name not in BUILT_IN]),
        disclosure=disclosure(
            secretary.language,
            ai=rules.announce_ai or secretary.announce_ai,
            recording=told,
            ai_notice=secretary.ai_notice,
            recording_notice=secretary.recording_notice,
        ),
        recorder=secretary.recorder,
        record_after_disclosure=told,
        remembers_callers=rules.remember_callers,
        callback_other_numbers=secretary.callback_other_numbers,
        summarise=secretary.summarise,
        country_code=rules.country_code or country_of(domain.language),
        prompt_version=live_version(secretary.pk) if secretary.prompt else None,
        destinations=tuple(
            DestinationProfile(
                destination_uuid=row.destination_uuid,
                name=row.name,
                aliases=tuple(row.aliases),
                number=row.number,
                kind=row.kind,
                priority=row.priority,
            )
            for row in within_list(secretary, Destination.objects.filter(enabled=True))
        ),
    )


def _manner(secretary: Secretary) -> Manner:
    return Manner(
        turn_mode=secretary.turn_mode,
        pause_ms=secretary.pause_ms,
        barge_in=secretary.barge_in,
        protect_ms=secretary.protect_ms,
        menu=secretary.menu,
        max_turns=secretary.max_turns,
        max_cost=float(secretary.max_cost),
        silence_hangs_up=secretary.silence_ending == SilenceEnding.HANG_UP,
    )


def _named(secretary_uuid: UUID | str) -> Secretary:
    try:
        identity = secretary_uuid if isinstance(secretary_uuid, UUID) else UUID(secretary_uuid)
    except ValueError as error:
        raise UnknownSecretary("The call names no secretary's UUID.") from error
    secretary = Secretary.objects.filter(secretary_uuid=identity).first()
    if secretary is None:
        raise UnknownSecretary("The domain has no secretary of this UUID.")
    return secretary


def _mapped(extension: str) -> Secretary:
    if not extension.isascii() or not extension.isdigit():
        raise UnmappedExtension("No extension was dialled.")
    mapping = ExtensionMapping.objects.filter(extension=extension, enabled=True).select_related("secretary").first()
    if mapping is None:
        raise UnmappedExtension(f"No secretary answers at {extension[:20]}.")
    return mapping.secretary


def owns_call(*, domain_uuid: UUID, call_uuid: UUID) -> bool:
    """Whether a call is this tenant's. The table is filled by the voice node, never from what a job claims."""
    with tenant_context(domain_uuid):
        return Call.objects.filter(call_uuid=call_uuid).exists()


def calls_in_progress(*, domain_uuid: UUID) -> int:
    """How many of the tenant's call slots are taken."""
    with tenant_context(domain_uuid):
        return Call.objects.filter(outcome="in_progress", lease_until__gt=timezone.now()).count()
