"""Reads: who speaks in a call, with which keys, and what that costs. Once, as the call is admitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Q

from secretary.models import DomainPrice, InstallationProvider, ProviderCredential, ProviderPrice
from secretary.profiles import SecretaryProfile, SpeechChoice
from secretary.speech.catalogue import LOCAL
from secretary.speech.contract import Access
from secretary.speech.metered import Key
from secretary.speech.steps import LAST, Step
from tenants.context import platform_context, tenant_context
from tenants.errors import UndecryptableError

log = structlog.get_logger(__name__)

INSTALLATION = "installation"


@dataclass(frozen=True, slots=True)
class Speech:
    """The chain of one call. `missing`: services that were chosen and have no key."""

    steps: tuple[Step, ...] = field(default=(LAST,), repr=False)
    prices: Mapping[Key, Decimal] = field(default_factory=dict)
    """Of one unit, by provider, model (empty: any) and unit."""
    missing: tuple[str, ...] = ()


def choices_of(chain: Any, provider: str) -> tuple[SpeechChoice, ...]:
    """A secretary's chain as it is stored. What is not as it should be is left out: a call must not fail of it."""
    found = []
    for entry in chain if isinstance(chain, list) else ():
        try:
            uuid = entry.get("credential_uuid")
            found.append(
                SpeechChoice(
                    provider=str(entry["provider"]),
                    credential_uuid=UUID(str(uuid)) if uuid else None,
                    model=str(entry.get("model") or ""),
                    voice=str(entry.get("voice") or ""),
                )
            )
        except (AttributeError, KeyError, ValueError):
            log.warning("speech_chain_entry_ignored")
    return tuple(found) or (SpeechChoice(provider),)


def speech_of(profile: SecretaryProfile) -> Speech:
    """Resolve a secretary's chain: the credential that was named, else the domain's own, else the installation's."""
    choices = profile.chain or (SpeechChoice(profile.provider),)
    wanted = {choice.provider for choice in choices} - {LOCAL}
    own: list[ProviderCredential] = []
    with tenant_context(profile.domain_uuid):
        if wanted:
            named = [choice.credential_uuid for choice in choices if choice.credential_uuid is not None]
            own = _opened(
                ProviderCredential.objects.filter(Q(provider__in=wanted) | Q(pk__in=named), enabled=True).order_by(
                    "created_at"
                )
            )
        prices = price_list(wanted | {LOCAL})
    lacking = {choice.provider for choice in choices if _own(choice, own) is None and not choice.credential_uuid}
    shared: list[InstallationProvider] = []
    if lacking - {LOCAL}:
        with platform_context():
            shared = _opened(InstallationProvider.objects.filter(provider__in=lacking, enabled=True))
    steps, missing = [], []
    for choice in choices:
        if choice.provider == LOCAL:
            steps.append(replace(LAST, voice=choice.voice))
        elif (step := _step(choice, own, shared)) is not None:
            steps.append(step)
        else:
            missing.append(choice.provider)
    if not any(step.provider == LOCAL for step in steps):
        steps.append(LAST)
    if profile.manner.turn_mode == "provider":
        steps = [_decides_turns(step) for step in steps]
    return Speech(tuple(steps), prices, tuple(missing))


def _decides_turns(step: Step) -> Step:
    """The service itself says when the caller has finished, where it can and its credential does not say otherwise."""
    if step.access.option("turns"):
        return step
    return replace(step, access=replace(step.access, options=(*step.access.options, ("turns", "provider"))))


def price_list(providers: set[str]) -> dict[Key, Decimal]:
    """Prices of one unit: the domain's own where it has one, else the installation's. Inside the tenant."""
    prices: dict[Key, Decimal] = {}
    for model in (ProviderPrice, DomainPrice):
        for row in model.objects.filter(provider__in=providers):
            prices[row.provider, row.model, row.unit] = row.unit_price
    return prices


def price_of(prices: Mapping[Key, Decimal], provider: str, model: str, unit: str) -> Decimal:
    """The model's own price, or that of all the provider's models; what has none is free."""
    return prices.get((provider, model, unit), prices.get((provider, "", unit), Decimal(0)))


def _own(choice: SpeechChoice, own: list[ProviderCredential]) -> ProviderCredential | None:
    fitting = (row for row in own if row.provider == choice.provider)
    if choice.credential_uuid is not None:
        return next((row for row in fitting if row.pk == choice.credential_uuid), None)
    return next(fitting, None)


def _step(choice: SpeechChoice, own: list[ProviderCredential], shared: list[InstallationProvider]) -> Step | None:
    row: ProviderCredential | InstallationProvider | None = _own(choice, own)
    owner = str(row.pk) if row is not None else INSTALLATION
    if row is None and choice.credential_uuid is None:
        row = next((row for row in shared if row.provider == choice.provider), None)
    if row is None:
        return None
    access: Access = row.access()
    if choice.model:
        access = replace(access, model=choice.model)
    return Step(choice.provider, access, owner, choice.voice)


def _opened(rows: Any) -> Any:
    """The rows, or none where a key of the ring is missing: the call goes on with who needs none."""
    try:
        return list(rows)
    except UndecryptableError as error:
        log.error("speech_credential_not_opened", error=str(error))
        return []
