"""Speech services in a document: keys by their label, and secretaries' chains that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from secretary.models import ProviderCredential
from secretary.services.providers import addresses
from secretary.speech.catalogue import LOCAL, declared

Errors = dict[str, tuple[str, str]]


def with_keys(wanted: Sequence[Mapping[str, Any]] | None, errors: Errors) -> list[dict[str, Any]] | None:
    """Credentials whose keys are as they are stored, with what may be shown of them. `keys` are all there are."""
    if wanted is None:
        return None
    ready = []
    for position, values in enumerate(wanted):
        rest = {name: value for name, value in values.items() if name not in ("api_key", "keys")}
        scratch = ProviderCredential(provider=values["provider"])
        try:
            rest["options"] = declared(values["provider"]).checked(values.get("options", {}))
            scratch.put_keys(api_key=values.get("api_key"), keys=values.get("keys"))
        except ValidationError as error:
            for name, reasons in _by_field(error).items():
                errors[f"providers[{position}].{name}"] = ("invalid", " ".join(reasons))
            continue
        if "api_key" in values:
            rest |= {"api_key": scratch.api_key, "key_hint": scratch.key_hint}
        if "keys" in values:
            rest |= {"keys": scratch.keys, "keys_set": scratch.keys_set}
        ready.append(rest)
    return ready


def check_addresses(rows: Any, before: Mapping[Any, tuple[str, ...]], errors: Errors) -> None:
    """A key does not move to another address without being given again: a document need not know it to send it away."""
    for change in rows.steps.changed:
        told = {"api_key", "keys"} & set(change.fields)
        if before[change.row.pk] != addresses(change.row) and not told and (change.row.api_key or change.row.keys_set):
            reason = _("With another address the key must be given again.")
            errors[f"{rows.places[change.row.pk]}.api_key"] = ("required", reason)


def with_chain(
    wanted: Sequence[Mapping[str, Any]] | None, credentials: Mapping[Any, Any], errors: Errors
) -> list[dict[str, Any]] | None:
    """Secretaries whose chain is as it is stored: each key by its UUID."""
    if wanted is None:
        return None
    ready = []
    for position, values in enumerate(wanted):
        if "chain" not in values:
            ready.append(dict(values))
            continue
        path = f"secretaries[{position}].chain"
        chain = [_entry(entry, credentials, f"{path}[{place}]", errors) for place, entry in enumerate(values["chain"])]
        if any(entry["provider"] == LOCAL for entry in chain[:-1]):
            errors[path] = ("invalid", _("Behind the local secretary nobody has a turn: it is always the last."))
        first = {"provider": chain[0]["provider"]} if chain else {}
        ready.append({**values, **first, "chain": chain})
    return ready


def check_providers(secretaries: Any, errors: Errors) -> None:
    """`provider` and the chain say the same."""
    for row in secretaries.rows.values():
        if row.pk in secretaries.places and row.chain and row.chain[0]["provider"] != row.provider:
            reason = _("Its chain begins with %(name)s: change the chain.") % {"name": row.chain[0]["provider"]}
            errors[f"{secretaries.places[row.pk]}.provider"] = ("conflict", reason)


def _entry(entry: Mapping[str, Any], credentials: Mapping[Any, Any], path: str, errors: Errors) -> dict[str, Any]:
    provider, label, uuid = entry["provider"], entry.get("credential"), entry.get("credential_uuid")
    try:
        declared(provider)
    except ValidationError as error:
        errors[f"{path}.provider"] = ("invalid_choice", " ".join(error.messages))
    found = None
    if label or uuid:
        same = (row for row in credentials.values() if row.provider == provider)
        found = next((row for row in same if row.pk == uuid or (label and row.label == label)), None)
        if found is None:
            where = f"{path}.{'credential' if label else 'credential_uuid'}"
            errors[where] = ("does_not_exist", _("The domain has no such key for this service."))
    return {
        "provider": provider,
        "credential_uuid": str(found.pk) if found is not None else None,
        "model": entry.get("model", ""),
        "voice": entry.get("voice", ""),
    }


def _by_field(error: ValidationError) -> dict[str, list[str]]:
    return error.message_dict if hasattr(error, "error_dict") else {"options": error.messages}
