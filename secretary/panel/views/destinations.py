"""Destinations: list, make, change, remove."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from secretary.models import Destination
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.forms.destination import DestinationForm
from secretary.panel.pages import show
from secretary.panel.rows import Rows, fields_of
from secretary.selectors.configuration import get_destination, list_destinations
from secretary.services.destinations import create_destination, delete_destination, update_destination

ROWS = Rows[Destination](
    section="destinations",
    route="destination",
    key="destination_uuid",
    title=_("Destinations"),
    form=DestinationForm,
    read=fields_of(DestinationForm),
    find=get_destination,
    create=create_destination,
    update=update_destination,
    remove=delete_destination,
    new=_("New destination"),
    made=_("Callers can ask for it from the next call on."),
    consequence=_("The secretary no longer puts callers through to it. The record of earlier calls stays."),
)
new, change, delete = ROWS.views()


@in_domain(Can.SEE_SETUP)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    return show(request, access, "panel/destinations/list.html", section=ROWS.section, destinations=list_destinations())
