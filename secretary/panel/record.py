"""The record of changes made ready for a page and for a spreadsheet. Nothing here queries."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from django.apps import apps
from django.db.models import Field
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from secretary.panel.words import Text
from tenants.models.audit import EventFields

KINDS: Mapping[str, Text] = {
    "account": gettext_lazy("Account"),
    "apikey": gettext_lazy("API key"),
    "callback": gettext_lazy("Callback"),
    "callerrequest": gettext_lazy("One caller's data"),
    "callerfact": gettext_lazy("Fact about a caller"),
    "callingrules": gettext_lazy("How the domain calls out"),
    "datarules": gettext_lazy("What is kept"),
    "destination": gettext_lazy("Destination"),
    "dialrules": gettext_lazy("What may be dialled"),
    "domain": gettext_lazy("Domain"),
    "domainprice": gettext_lazy("Price of the domain"),
    "eslcredential": gettext_lazy("Connection to the switch"),
    "extensionmapping": gettext_lazy("Extension"),
    "httptool": gettext_lazy("Tool"),
    "installationkey": gettext_lazy("Installation key"),
    "installationprovider": gettext_lazy("Speech service of the installation"),
    "invitation": gettext_lazy("Invitation"),
    "member": gettext_lazy("Person"),
    "job": gettext_lazy("Job"),
    "message": gettext_lazy("Message"),
    "openinghours": gettext_lazy("Opening hours"),
    "operatorinvitation": gettext_lazy("Operator's invitation"),
    "promptversion": gettext_lazy("Version of the facts about the business"),
    "providercredential": gettext_lazy("Speech service"),
    "quota": gettext_lazy("Quotas"),
    "retention": gettext_lazy("How long it is kept"),
    "secretary": gettext_lazy("Secretary"),
    "specialday": gettext_lazy("Special day"),
    "webhook": gettext_lazy("Webhook"),
}
VERBS: Mapping[str, Text] = {
    "created": gettext_lazy("created"),
    "changed": gettext_lazy("changed"),
    "deleted": gettext_lazy("deleted"),
    "read": gettext_lazy("marked as read"),
    "unread": gettext_lazy("marked as unread"),
    "reach-changed": gettext_lazy("reached elsewhere"),
    "started": gettext_lazy("signed in"),
    "ended": gettext_lazy("signed out"),
    "failed": gettext_lazy("failed to sign in"),
    "reset": gettext_lazy("password reset"),
    "link-made": gettext_lazy("link to reset the password made"),
    "switched-on": gettext_lazy("switched on"),
    "switched-off": gettext_lazy("switched off"),
    "used": gettext_lazy("recovery code used"),
    "renewed": gettext_lazy("recovery codes renewed"),
    "secret-renewed": gettext_lazy("new secret made"),
    "sent-again": gettext_lazy("events sent again"),
    "purged": gettext_lazy("deleted for its age"),
    "export_asked": gettext_lazy("export asked for"),
    "exported": gettext_lazy("exported"),
    "downloaded": gettext_lazy("downloaded"),
    "erase_asked": gettext_lazy("erasure asked for"),
    "erased": gettext_lazy("erased"),
    "given-up": gettext_lazy("given up after several attempts"),
    "requested": gettext_lazy("asked for"),
    "cancelled": gettext_lazy("taken back"),
    "placed": gettext_lazy("placed"),
    "tested": gettext_lazy("tried"),
    "tried": gettext_lazy("tried"),
}
LONGEST = 64
MOST_ROWS = 20_000
"""Bound on one export: a spreadsheet of more is nobody's reading. Choose a shorter time."""
CSV_COLUMNS = (
    "at", "actor_kind", "actor", "action", "object_kind", "object_id", "object", "field", "old", "new", "address",
    "request_id",
)  # fmt: skip
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: a person, an object, a kind, from the first day to the last (both included)."""

    who: str = ""
    what: str = ""
    kind: str = ""
    first: date | None = None
    last: date | None = None

    @classmethod
    def of(cls, request: HttpRequest) -> Wanted:
        """Out of an address; rubbish is ignored."""
        get = request.GET
        kind = get.get("kind", "")
        return cls(
            who=_tidy(get.get("who", "")),
            what=_tidy(get.get("what", "")),
            kind=kind if kind in KINDS else "",
            first=_day(get.get("from", "")),
            last=_day(get.get("to", "")),
        )

    @property
    def is_any(self) -> bool:
        return bool(self.who or self.what or self.kind or self.first or self.last)

    @property
    def begins(self) -> datetime | None:
        """The first moment, in the domain's time zone."""
        return _midnight(self.first) if self.first is not None else None

    @property
    def ends(self) -> datetime | None:
        """The first moment after the last day."""
        return _midnight(self.last + timedelta(days=1)) if self.last is not None else None


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, before and after."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record, for the page."""

    at: datetime
    who: str
    kind: Text
    verb: Text
    label: str
    differences: list[Difference]
    address: str


def entry(event: EventFields) -> Entry:
    verb = event.action.rpartition(".")[2]
    return Entry(
        at=event.at,
        who=event.actor_label or (str(_("the platform itself")) if event.actor_kind == "system" else event.actor_kind),
        kind=KINDS.get(event.object_kind, event.object_kind),
        verb=VERBS.get(verb, verb.replace("-", " ")),
        label=event.object_label,
        differences=in_words(event.object_kind, differences(event)),
        address=event.address or "",
    )


def differences(event: EventFields) -> list[Difference]:
    """Field by field; what is empty before and after is left out."""
    old, new = event.old or {}, event.new or {}
    rows = [Difference(name, spoken(old.get(name)), spoken(new.get(name))) for name in {**old, **new}]
    return [row for row in rows if row.old or row.new]


@cache
def _fields(kind: str) -> Mapping[str, Field[Any, Any]]:
    found = [model for model in apps.get_models() if model._meta.model_name == kind]
    return {field.name: field for model in found for field in model._meta.concrete_fields}


def in_words(kind: str, rows: list[Difference]) -> list[Difference]:
    """The same for a page: fields called as where people set them, choices by their names, moments on the domain's
    clock. A field that is gone keeps its name.
    """
    fields = _fields(kind)
    said = []
    for row in rows:
        field = fields.get(row.field)
        choices = dict(field.flatchoices) if field is not None else {}
        old, new = (str(choices.get(text, "")) or _on_the_clock(text) for text in (row.old, row.new))
        said.append(Difference(str(field.verbose_name if field is not None else row.field).replace("_", " "), old, new))
    return said


def _on_the_clock(text: str) -> str:
    """A moment as ISO 8601 has it, as people write it; everything else as it is."""
    if not _MOMENT.match(text):
        return text
    try:
        when = parse_datetime(text)
    except ValueError:
        return text
    if when is None or when.tzinfo is None:
        return text
    local = timezone.localtime(when)
    return f"{date_format(local, 'SHORT_DATE_FORMAT')}, {date_format(local, 'H:i')}"


def spoken(value: Any) -> str:
    """A stored value in words."""
    if value in (None, "", {}, []):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(spoken(part) for part in value)
    return str(value)


def safe_cell(text: str) -> str:
    """A spreadsheet takes what begins like a formula for one; an apostrophe in front makes it text (OWASP)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_csv(events: Iterable[EventFields]) -> str:
    """One line for each field that changed, and one for an event without any. Times in UTC, ISO 8601."""
    out = io.StringIO()
    # Excel takes a file for UTF-8 only when it begins so.
    out.write("\N{ZERO WIDTH NO-BREAK SPACE}")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for event in events:
        head = (event.at.isoformat(), event.actor_kind, event.actor_label, event.action)
        about = (event.object_kind, event.object_id, event.object_label)
        for row in differences(event) or [Difference("", "", "")]:
            cells = (*head, *about, row.field, row.old, row.new, event.address or "", event.request_id)
            writer.writerow([safe_cell(cell) for cell in cells])
    return out.getvalue()


def _tidy(text: str) -> str:
    return text.replace("\0", "").strip()[:LONGEST]


def _day(text: str) -> date | None:
    try:
        day = parse_date(text[:10])
    except ValueError:
        return None
    return day if day is not None and 1900 < day.year < 9000 else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
