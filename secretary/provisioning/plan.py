"""From values to what has to be done: rows to make, rows to change (with old and new values), rows to delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from eslbridge.models import EslCredential
from eslbridge.services import check_move
from secretary.models import Destination, ExtensionMapping, OpeningHours, ProviderCredential, Secretary, SpecialDay
from secretary.provisioning.document import SETTINGS
from secretary.provisioning.hours import check_closed_secretaries, one_default, with_hours
from secretary.provisioning.rules import plan_rules, settle_webhooks, with_events
from secretary.provisioning.services import check_addresses, check_providers, with_chain, with_keys
from secretary.provisioning.steps import Steps, assign
from secretary.services.providers import addresses
from secretary.services.spoken_names import spoken_key
from secretary.tools.models import HttpTool
from secretary.tools.names import BUILT_IN
from secretary.tools.services import packed as pack_headers
from secretary.webhooks.models import Webhook
from tenants.models import Domain


class DocumentError(Exception):
    """The document contradicts itself or what is there. `errors`: path → (code, sentence)."""

    def __init__(self, errors: Mapping[str, tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {reason}" for path, (_code, reason) in errors.items()))
        self.errors = dict(errors)


KINDS: Final = (
    "domain", "quota", "data_rules", "calling_rules", "esl_credential", "dial_rules", "opening_hours", "special_days",
    "providers", "tools", "secretaries", "extensions", "destinations", "webhooks",
)  # fmt: skip


@dataclass(slots=True)
class Plan:
    """What has to be done to a domain, by kind, in the order in which it can be done."""

    domain: Domain
    steps: dict[str, Steps]

    @property
    def result(self) -> str:
        if self.steps["domain"].made:
            return "created"
        return "unchanged" if all(steps.is_empty for steps in self.steps.values()) else "changed"


def make_plan(domain_uuid: UUID, values: Mapping[str, Any]) -> Plan:
    """Compare a document's values with the domain. Inside the domain's context, its row is locked from here on.

    Raises DocumentError, ValidationError (with paths of fields) and nothing else that a document could cause.
    """
    errors: dict[str, tuple[str, str]] = {}
    steps = {kind: Steps() for kind in KINDS}
    domain = Domain.objects.select_for_update(no_key=True).first()
    is_new = domain is None
    if domain is None:
        if "name" not in values:
            raise DocumentError({"name": ("required", _("A new domain needs a name."))})
        domain = Domain(domain_uuid=domain_uuid)
        steps["domain"].made.append(domain)
    assign(domain, {name: values[name] for name in SETTINGS if name in values}, steps["domain"])
    _plan_credential(domain, is_new, values.get("esl_credential"), steps["esl_credential"], errors)
    prune = values.get("prune", False)

    named = "providers" in values or any("chain" in one for one in values.get("secretaries") or ())
    absent = is_new or not named  # what nobody names is not read, nor decrypted
    services = _Kind(ProviderCredential, "providers", "credential_uuid", "label", domain, absent, steps, errors)
    before = {row.pk: addresses(row) for row in services.rows.values()}
    services.plan(with_keys(values.get("providers"), errors), prune)
    check_addresses(services, before, errors)
    if values.get("tools") is not None:
        tools = _Kind(HttpTool, "tools", "tool_uuid", "name", domain, is_new, steps, errors)
        tools.plan(_packed(values["tools"], errors), prune)
        own_tools = {row.name for row in tools.rows.values()}
    else:
        own_tools = set() if is_new else set(HttpTool.objects.values_list("name", flat=True))
    plan_rules(domain, is_new, values, steps, errors)
    hours = _Kind(OpeningHours, "opening_hours", "hours_uuid", "name", domain, is_new, steps, errors)
    hours.plan(values.get("opening_hours"), prune)
    one_default(hours, errors)
    days = _Kind(SpecialDay, "special_days", "day_uuid", "date", domain, is_new, steps, errors)
    days.plan(with_hours("special_days", values.get("special_days"), hours, errors), prune)
    secretaries = _Kind(Secretary, "secretaries", "secretary_uuid", "name", domain, is_new, steps, errors)
    wanted = with_chain(values.get("secretaries"), services.rows, errors)
    secretaries.plan(with_hours("secretaries", wanted, hours, errors), prune)
    check_providers(secretaries, errors)
    check_closed_secretaries(secretaries, errors)
    extensions = _Kind(ExtensionMapping, "extensions", "mapping_uuid", "extension", domain, is_new, steps, errors)
    extensions.plan(_resolved(values.get("extensions"), secretaries, errors), prune)
    destinations = _Kind(Destination, "destinations", "destination_uuid", "name", domain, is_new, steps, errors)
    destinations.plan(with_hours("destinations", values.get("destinations"), hours, errors), prune)
    if values.get("webhooks") is not None:  # else their secrets are not read
        webhooks = _Kind(Webhook, "webhooks", "webhook_uuid", "url", domain, is_new, steps, errors)
        webhooks.plan(with_events(values["webhooks"]), prune)
        settle_webhooks(list(webhooks.rows.values()), steps["webhooks"].made, errors)
    _check_tools(secretaries, own_tools, errors)
    _check_extensions(extensions, errors)
    _check_spoken_names(destinations, errors)
    if errors:
        raise DocumentError(errors)
    return Plan(domain, steps)


class _Kind:
    """The rows of one kind: those that are there, and those that the document wants."""

    def __init__(
        self,
        model: type[Any],
        name: str,
        key: str,
        natural: str,
        domain: Domain,
        is_new: bool,
        steps: dict[str, Steps],
        errors: dict[str, tuple[str, str]],
    ) -> None:
        self.model, self.name, self.key, self.natural = model, name, key, natural
        self.domain, self.steps, self.errors = domain, steps[name], errors
        self.rows: dict[UUID, Any] = {} if is_new else {row.pk: row for row in model.objects.all()}
        self.by_name: dict[str, list[Any]] = {}
        for row in self.rows.values():
            self.by_name.setdefault(getattr(row, natural), []).append(row)
        self.places: dict[UUID, str] = {}
        """Where in the document a row stands."""

    def plan(self, wanted: Sequence[Mapping[str, Any]] | None, prune: bool) -> None:
        if wanted is None:
            return
        for position, values in enumerate(wanted):
            self._plan_one(f"{self.name}[{position}]", dict(values))
        if prune:
            for pk in [pk for pk in self.rows if pk not in self.places]:
                self.steps.deleted.append(self.rows.pop(pk))

    def named(self, name: str) -> list[Any]:
        """The rows of a name, as they will be."""
        return [row for row in self.rows.values() if getattr(row, self.natural) == name]

    def _plan_one(self, path: str, values: dict[str, Any]) -> None:
        row = self._found(path, values)
        if row is not None and row.pk in self.places:
            reason = _("This is the same object as %(other)s.") % {"other": self.places[row.pk]}
            self.errors[f"{path}.{self.natural}"] = ("unique", reason)
            return
        made = row is None
        if row is None:
            row = self.model(**{self.key: values.get(self.key) or uuid4()}, domain_id=self.domain.pk)
            self.rows[row.pk] = row
            self.steps.made.append(row)
        self.places[row.pk] = path
        values.pop(self.key, None)
        assign(row, values, self.steps, is_new=made)
        try:
            row.clean()
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                self.errors[f"{path}.{name}"] = ("invalid", " ".join(messages))

    def _found(self, path: str, values: Mapping[str, Any]) -> Any:
        uuid = values.get(self.key)
        if uuid is not None:
            return self.rows.get(uuid)
        same = self.by_name.get(values[self.natural], [])
        if len(same) > 1:
            reason = _("There are several of this name: say which by %(key)s.") % {"key": self.key}
            self.errors[f"{path}.{self.natural}"] = ("ambiguous", reason)
        if same:
            return same[0]
        return next((row for row in self.steps.made if getattr(row, self.natural) == values[self.natural]), None)


def _plan_credential(
    domain: Domain,
    is_new: bool,
    wanted: Mapping[str, Any] | None,
    steps: Steps,
    errors: dict[str, tuple[str, str]],
) -> None:
    if wanted is None:
        return
    row = None if is_new else EslCredential.objects.first()
    if row is None:
        if "password" not in wanted:
            errors["esl_credential.password"] = ("required", _("A new credential needs a password."))
            return
        row = EslCredential(domain_id=domain.pk)
        steps.made.append(row)
    else:
        try:
            check_move(
                row,
                wanted.get("host", row.host),
                wanted.get("port", row.port),
                password_given="password" in wanted,
            )
        except ValidationError as error:
            errors["esl_credential.password"] = ("required", " ".join(error.messages))
    assign(row, wanted, steps)
    if row.switch_media_port_min > row.switch_media_port_max:
        errors["esl_credential.switch_media_port_min"] = ("invalid", _("The first media port is above the last one."))
    try:
        row.clean()
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            errors[f"esl_credential.{name}"] = ("invalid", " ".join(messages))


def _resolved(
    wanted: Sequence[Mapping[str, Any]] | None, secretaries: _Kind, errors: dict[str, tuple[str, str]]
) -> list[dict[str, Any]] | None:
    """Extensions whose secretary is told by its UUID, and is there."""
    if wanted is None:
        return None
    by_name: dict[str, list[UUID]] = {}
    for row in secretaries.rows.values():
        by_name.setdefault(row.name, []).append(row.pk)
    resolved = []
    for position, values in enumerate(wanted):
        name, uuid = values.get("secretary"), values.get("secretary_uuid")
        found = by_name.get(name, []) if name is not None else [uuid] if uuid in secretaries.rows else []
        if len(found) == 1:
            rest = {key: value for key, value in values.items() if key not in ("secretary", "secretary_uuid")}
            resolved.append({**rest, "secretary_id": found[0]})
        else:
            resolved.append({"extension": values["extension"]})
            path = f"extensions[{position}].{'secretary' if name is not None else 'secretary_uuid'}"
            reason = _("The domain has no such secretary.") if not found else _("There are several of this name.")
            errors[path] = ("does_not_exist" if not found else "ambiguous", reason)
    return resolved


def _packed(wanted: Sequence[Mapping[str, Any]], errors: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """Tools whose headers are as they are stored."""
    packed = []
    for position, values in enumerate(wanted):
        rest = {name: value for name, value in values.items() if name != "headers"}
        if "headers" in values:
            try:
                rest["extra_headers"] = pack_headers(values["headers"])
            except ValidationError as error:
                errors[f"tools[{position}].headers"] = ("invalid", " ".join(error.messages))
        packed.append(rest)
    return packed


def _check_tools(secretaries: _Kind, own: set[str], errors: dict[str, tuple[str, str]]) -> None:
    for row in secretaries.rows.values():
        if row.pk in secretaries.places and (unknown := sorted(set(row.tools) - own - set(BUILT_IN))):
            reason = _("There is no tool named %(name)s.") % {"name": unknown[0]}
            errors[f"{secretaries.places[row.pk]}.tools"] = ("does_not_exist", reason)


def _check_extensions(extensions: _Kind, errors: dict[str, tuple[str, str]]) -> None:
    taken: dict[str, Any] = {}
    for row in sorted(extensions.rows.values(), key=lambda row: row.pk in extensions.places):
        other = taken.setdefault(row.extension, row)
        if other is not row:
            path = extensions.places.get(row.pk, extensions.name)
            errors[f"{path}.extension"] = ("unique", _("%(value)s is taken.") % {"value": row.extension})


def _check_spoken_names(destinations: _Kind, errors: dict[str, tuple[str, str]]) -> None:
    if destinations.steps.is_empty:
        return
    taken: dict[str, Any] = {}
    for row in sorted(destinations.rows.values(), key=lambda row: row.pk in destinations.places):
        for spoken in (row.name, *row.aliases):
            other = taken.setdefault(spoken_key(spoken), row)
            if other is not row and row.pk in destinations.places:
                place = f"{destinations.places[row.pk]}.{'name' if spoken == row.name else 'aliases'}"
                names = {"spoken": spoken, "owner": other.name}
                errors[place] = ("unique", _("“%(spoken)s” leads to “%(owner)s” already.") % names)
