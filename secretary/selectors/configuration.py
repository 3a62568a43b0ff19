"""Reads: what a domain has set up. Inside a tenant."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef

from eslbridge.models import EslCredential
from secretary.models import Destination, ExtensionMapping, OpeningHours, Secretary, SpecialDay


def list_secretaries() -> list[Secretary]:
    """All secretaries by name, each with its extensions at hand (`extensions.all()`)."""
    return list(Secretary.objects.prefetch_related("extensions").order_by("name", "pk"))


def get_secretary(*, secretary_uuid: UUID) -> Secretary | None:
    return Secretary.objects.filter(pk=secretary_uuid).first()


def list_destinations() -> list[Destination]:
    """All destinations by name."""
    return list(Destination.objects.order_by("name", "pk"))


def get_destination(*, destination_uuid: UUID) -> Destination | None:
    return Destination.objects.filter(pk=destination_uuid).first()


def list_extensions() -> list[ExtensionMapping]:
    """The 8XXX map in the order of the extensions, each with its secretary."""
    return list(ExtensionMapping.objects.select_related("secretary").order_by("extension"))


def get_extension(*, mapping_uuid: UUID) -> ExtensionMapping | None:
    return ExtensionMapping.objects.select_related("secretary").filter(pk=mapping_uuid).first()


def list_hours() -> list[OpeningHours]:
    """All opening hours, the domain's usual ones first."""
    return list(OpeningHours.objects.order_by("-is_default", "name", "pk"))


def get_hours(*, hours_uuid: UUID) -> OpeningHours | None:
    return OpeningHours.objects.filter(pk=hours_uuid).first()


def list_days() -> list[SpecialDay]:
    """All special days by date, each with its hours."""
    return list(SpecialDay.objects.select_related("hours").order_by("date", "pk"))


def get_day(*, day_uuid: UUID) -> SpecialDay | None:
    return SpecialDay.objects.filter(pk=day_uuid).first()


@dataclass(frozen=True, slots=True)
class SetUp:
    """What a domain needs before a caller can be answered and put through."""

    secretary: bool
    extension: bool
    destination: bool
    connection: bool
    """To a switch: without one nobody is put through."""

    @property
    def complete(self) -> bool:
        return self.secretary and self.extension and self.destination and self.connection


def set_up() -> SetUp:
    """How far the domain is set up; what is switched off does not count."""
    answering = Secretary.objects.filter(enabled=True)
    mapped = ExtensionMapping.objects.filter(enabled=True, secretary_id=OuterRef("pk"))
    return SetUp(
        secretary=answering.exists(),
        extension=answering.filter(Exists(mapped)).exists(),
        destination=Destination.objects.filter(enabled=True).exists(),
        connection=EslCredential.objects.exists(),
    )
