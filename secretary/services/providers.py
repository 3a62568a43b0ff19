"""Writes: the keys of speech services, of a domain and of the installation, and a secretary's chain of them.

A domain's are written inside its context, the installation's in `platform_context` by whoever may. Each is one
transaction and one line of the record, where keys are masked. Keys go in and never come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from secretary.models import InstallationProvider, ProviderCredential, Secretary
from secretary.models.provider import MOST_CREDENTIALS, CredentialFields
from secretary.services.optimistic import check_seen, lock_settings, lock_unchanged
from secretary.speech.catalogue import LOCAL, declared
from tenants import audit
from tenants.context import platform_context

MOST_STEPS: Final = 6
R = TypeVar("R", bound=CredentialFields)
_KEYS: Final = frozenset({"api_key", "keys"})


@transaction.atomic
def create_credential(*, credential_uuid: UUID | None = None, **values: Any) -> ProviderCredential:
    """Keep a domain's own key. Raises ValidationError by field, also where there are enough of them."""
    lock_settings()
    if ProviderCredential.objects.count() >= MOST_CREDENTIALS:
        text = _("A domain can have %(most)d keys of speech services. Remove one first.")
        raise ValidationError(text % {"most": MOST_CREDENTIALS}, code="too_many")
    row = ProviderCredential(credential_uuid=credential_uuid or uuid4())
    return _store(row, values, new=True)


@transaction.atomic
def update_credential(*, credential_uuid: UUID, seen_at: datetime | None, **values: Any) -> ProviderCredential:
    """Change one. Keys that are left out stay, unless they would go to another address.

    Raises DoesNotExist, StaleRowError, ValidationError.
    """
    lock_settings()
    return _store(lock_unchanged(ProviderCredential, credential_uuid, seen_at), values, new=False)


@transaction.atomic
def delete_credential(*, credential_uuid: UUID) -> None:
    """Remove one. Raises DoesNotExist, and ValidationError while a secretary names it."""
    lock_settings()
    row = ProviderCredential.objects.get(pk=credential_uuid)
    users = Secretary.objects.filter(chain__contains=[{"credential_uuid": str(row.pk)}]).values_list("name", flat=True)
    if names := ", ".join(users[:3]):
        raise ValidationError(_("It is in use: %(names)s.") % {"names": names}, code="in_use")
    audit.deleted(row)
    row.delete()


UNASKED: Final = object()
"""Nobody has seen anything: a program says the whole, under conditions of its own."""


def save_installation(*, provider: str, seen_at: Any = UNASKED, **values: Any) -> InstallationProvider:
    """Keep the installation's key of a service: what domains without one of their own use.

    Raises ValidationError, and StaleRowError where it was not last changed at `seen_at` (None: never there).
    """
    with platform_context(), transaction.atomic():
        row = InstallationProvider.objects.select_for_update().filter(provider=provider).first()
        new = row is None
        row = row or InstallationProvider(provider=provider)
        if seen_at is not UNASKED:
            check_seen(row, seen_at)
        return _store(row, values, new=new)


def delete_installation(*, provider: str) -> bool:
    """Forget it; domains without a key of their own go on without it. False: there is none."""
    with platform_context(), transaction.atomic():
        row = InstallationProvider.objects.filter(provider=provider).first()
        if row is None:
            return False
        audit.deleted(row)
        row.delete()
    return True


def _store(row: R, values: Mapping[str, Any], *, new: bool) -> R:
    before, was = audit.before(row), (row.provider, addresses(row))
    for name, value in values.items():
        if name not in _KEYS:
            setattr(row, name, value)
    moved = not new and was != (row.provider, addresses(row))
    if moved and "api_key" not in values:
        # Who may write but not read could otherwise have a key sent to a server of their own.
        row.put_keys(api_key="", keys={name: "" for name in row.keys_set})
    row.put_keys(api_key=values.get("api_key"), keys=values.get("keys"))
    row.full_clean()
    row.save(force_insert=new)
    audit.saved(row, before)
    return row


def addresses(row: CredentialFields) -> tuple[str, ...]:
    """Everywhere that its keys are sent to."""
    options = row.options if isinstance(row.options, dict) else {}
    return (row.base_url, *(f"{name}={value}" for name, value in sorted(options.items()) if name.endswith("_url")))


def check_chain(chain: Any) -> list[dict[str, Any]]:
    """A secretary's chain as it is stored. Inside the tenant. Raises ValidationError (`chain`)."""
    if not isinstance(chain, list) or len(chain) > MOST_STEPS:
        raise ValidationError({"chain": _("A list of at most %(most)d services is wanted.") % {"most": MOST_STEPS}})
    stored: list[dict[str, Any]] = []
    for entry in chain:
        if not isinstance(entry, Mapping) or set(entry) - {"provider", "credential_uuid", "model", "voice"}:
            text = _("Each service is an object of provider, credential_uuid, model and voice.")
            raise ValidationError({"chain": text})
        provider = str(entry.get("provider") or "")
        try:
            declared(provider)
        except ValidationError as error:
            raise ValidationError({"chain": error}) from error
        more = {name: str(entry.get(name) or "").strip()[:120] for name in ("model", "voice")}
        stored.append({"provider": provider, "credential_uuid": _credential(entry, provider), **more})
    if any(entry["provider"] == LOCAL for entry in stored[:-1]):
        raise ValidationError({"chain": _("Behind the local secretary nobody has a turn: it is always the last.")})
    return stored


def _credential(entry: Mapping[str, Any], provider: str) -> str | None:
    """The credential that an entry names, of this domain and this service. Raises ValidationError."""
    named = entry.get("credential_uuid")
    if not named:
        return None
    try:
        uuid = UUID(str(named))
    except ValueError as error:
        raise ValidationError({"chain": _("credential_uuid is no UUID.")}) from error
    if not ProviderCredential.objects.filter(pk=uuid, provider=provider).exists():
        raise ValidationError({"chain": _("The domain has no such key for this service.")})
    return str(uuid)


def settle_chain(secretary: Secretary, values: Mapping[str, Any]) -> None:
    """Bring `provider` and `chain` together: the first of the chain is the provider, and a provider alone is a chain.

    Raises ValidationError.
    """
    if "provider" in values and values["provider"] != secretary.provider:
        try:
            declared(str(values["provider"]))
        except ValidationError as error:
            raise ValidationError({"provider": error}) from error
    if "chain" in values:
        secretary.chain = check_chain(values["chain"])
        if secretary.chain:
            secretary.provider = secretary.chain[0]["provider"]
        elif "provider" not in values:
            secretary.provider = LOCAL
    elif "provider" in values and secretary.chain and secretary.chain[0]["provider"] != values["provider"]:
        secretary.chain = []
