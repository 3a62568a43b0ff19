"""A secretary's numbers outside, in the panel."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from secretary.models import Secretary
from tenants.context import tenant_context
from tests.secretary.panel.cast import Cast
from tests.secretary.panel.test_forms import SECRETARY


def test_what_is_typed_can_be_tried_out(cast: Cast, alice: Client) -> None:
    """Spaces are for reading; the page of dialling tells for whom a number would be dialled."""
    domain = cast.acme.domain
    values = {**SECRETARY, "allow_list": "+49 (30) 123-456\r\n+55 11*", "allow_list_only": "on"}
    response = alice.post(reverse("panel:secretary-new", args=[domain.pk]), values)
    assert response.status_code == 302, response.content.decode()
    with tenant_context(domain.pk):
        row = Secretary.objects.get(name="Sofia")
    assert (row.allow_list, row.allow_list_only) == (["+4930123456", "+5511*"], True)
    overview = reverse("panel:dialling", args=[domain.pk])
    for number, who, said in (
        ("+4930123456", str(row.pk), "as +4930123456"),
        ("+4930999999", str(row.pk), "Not on this secretary"),
        ("+4930123456", "", "Neither a stored destination"),
    ):
        page = alice.get(overview, {"number": number, "kind": "external", "secretary_uuid": who}).content.decode()
        assert said in page


@pytest.mark.parametrize(
    ("entry", "said"),
    [("030123456", "country code"), ("+49*30", "country code"), ("*", "country code"), ("+19005551234", "premium")],
)
def test_with_a_mistake(cast: Cast, alice: Client, entry: str, said: str) -> None:
    """No entry, or a number that nobody dials: refused in words."""
    page = alice.post(reverse("panel:secretary-new", args=[cast.acme.domain.pk]), {**SECRETARY, "allow_list": entry})
    assert page.status_code == 422 and said in page.content.decode()


def test_somebody_elses_secretary_is_no_choice(cast: Cast, alice: Client) -> None:
    """The list of another tenant cannot be looked into by trying numbers."""
    with tenant_context(cast.globex.domain.pk):
        theirs = Secretary.objects.create(name="Theirs", allow_list=["+4930123456"])
    query = {"number": "+4930123456", "kind": "external", "secretary_uuid": str(theirs.pk)}
    page = alice.get(reverse("panel:dialling", args=[cast.acme.domain.pk]), query).content.decode()
    assert "as +4930123456" not in page and "Theirs" not in page
