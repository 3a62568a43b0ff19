"""Hours, special days and dial rules in a domain's document."""

from __future__ import annotations

from typing import Any

import pytest

from eslbridge.models import DialRules
from secretary.models import Destination, OpeningHours, Secretary, SpecialDay
from secretary.provisioning.carry_out import Provisioned, provision
from secretary.provisioning.document import DomainDocument
from secretary.provisioning.plan import DocumentError
from secretary.services.opening_hours import create_hours
from tenants.context import tenant_context
from tests.cast import Tenant, acme, globex

__all__ = ["acme", "globex"]

DOCUMENT: dict[str, Any] = {
    "dial_rules": {"country": "BR", "external_allowed": True, "blocked_prefixes": ["+55300"]},
    "opening_hours": [
        {"name": "Office", "is_default": True, "weekly": {"mon": ["09:00-18:00"]}, "holidays_country": "BR"},
        {"name": "Night", "weekly": {"fri": ["22:00-06:00"], "sun": ["00:00-24:00"]}},
    ],
    "special_days": [
        {"date": "2026-12-24", "name": "Eve", "ranges": ["09:00-12:00"]},
        {"date": "2026-12-31", "hours": "Night"},
    ],
    "secretaries": [
        {
            "name": "Clara",
            "hours": "Night",
            "closed_action": "message",
            "allow_list": ["+4930*"],
            "allow_list_only": True,
        }
    ],
    "destinations": [{"name": "Workshop", "number": "1002", "hours": "Office"}],
}


def apply(tenant: Tenant, **values: Any) -> Provisioned:
    serializer = DomainDocument(data=values)
    serializer.is_valid(raise_exception=True)
    return provision(domain_uuid=tenant.domain_uuid, values=serializer.validated_data)


def test_all_of_it_and_again(acme: Tenant) -> None:
    """References are names; the same document again changes nothing."""
    assert apply(acme, **DOCUMENT).result == "changed"
    with tenant_context(acme.domain_uuid):
        assert DialRules.objects.get().blocked_prefixes == ["+55300"]
        night = OpeningHours.objects.get(name="Night")
        assert night.weekly == {"fri": ["22:00-06:00"], "sun": ["00:00-00:00"]}
        clara = Secretary.objects.get(name="Clara")
        assert (clara.hours, clara.allow_list, clara.allow_list_only) == (night, ["+4930*"], True)
        assert Destination.objects.get(name="Workshop").hours == OpeningHours.objects.get(is_default=True)
        assert [day.hours_id for day in SpecialDay.objects.order_by("date")] == [None, night.pk]
    assert apply(acme, **DOCUMENT).result == "unchanged"


def test_the_usual_hours_change_hands(acme: Tenant) -> None:
    """Whoever becomes the usual one takes the mark from the other, in the document or not; two cannot have it."""
    with tenant_context(acme.domain_uuid):
        create_hours(name="Old", is_default=True)
    apply(acme, opening_hours=[{"name": "New", "is_default": True}])
    apply(acme, opening_hours=[{"name": "New", "is_default": False}, {"name": "Old", "is_default": True}])
    with tenant_context(acme.domain_uuid):
        assert list(OpeningHours.objects.filter(is_default=True).values_list("name", flat=True)) == ["Old"]
    both = [{"name": name, "is_default": True} for name in ("New", "Old")]
    with pytest.raises(DocumentError) as error:
        apply(acme, opening_hours=both)
    assert list(error.value.errors) == ["opening_hours[1].is_default"]


def test_prune(acme: Tenant) -> None:
    """What is not listed goes; who had those hours has the usual ones."""
    apply(acme, **DOCUMENT)
    apply(acme, prune=True, opening_hours=[{"name": "Office"}], special_days=[])
    with tenant_context(acme.domain_uuid):
        assert not SpecialDay.objects.exists() and OpeningHours.objects.count() == 1
        assert Secretary.objects.get(name="Clara").hours is None


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"secretaries": [{"name": "Clara", "hours": "Nowhere"}]}, "secretaries[0].hours"),
        ({"destinations": [{"name": "Sales", "number": "1001", "hours": "Nowhere"}]}, "destinations[0].hours"),
        ({"special_days": [{"date": "2026-12-24", "hours": "Nowhere"}]}, "special_days[0].hours"),
        ({"opening_hours": [{"name": "A", "holidays_country": "XX"}]}, "opening_hours[0].holidays_country"),
    ],
)
def test_what_is_not_there(acme: Tenant, globex: Tenant, values: dict[str, Any], place: str) -> None:
    """Said where it stands; and another domain's hours are not there."""
    with tenant_context(globex.domain_uuid):
        create_hours(name="Nowhere")
    with pytest.raises(DocumentError) as error:
        apply(acme, **values)
    assert list(error.value.errors) == [place]


def test_a_foreign_secretary_out_of_hours(acme: Tenant, globex: Tenant) -> None:
    """Whoever answers instead is one of the domain."""
    entry = {"name": "Clara", "closed_action": "secretary", "closed_secretary_uuid": str(globex.secretary.pk)}
    with pytest.raises(DocumentError) as error:
        apply(acme, secretaries=[entry])
    assert list(error.value.errors) == ["secretaries[0].closed_secretary_uuid"]
