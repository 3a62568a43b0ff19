"""No page asks the database once for each of its rows."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from eslbridge.jobs import create_job
from eslbridge.models import DialAttempt
from secretary.models import (
    Call,
    Callback,
    CallerRequest,
    Destination,
    ExtensionMapping,
    Message,
    OpeningHours,
    Secretary,
    SpecialDay,
)
from secretary.services.providers import create_credential
from secretary.services.reach import set_destinations
from secretary.tools.models import CallerFact
from secretary.tools.prompts import write_prompt
from secretary.tools.services import create_tool
from secretary.webhooks.outbox import emit
from secretary.webhooks.services import create_webhook
from tenants.context import tenant_context
from tenants.models import Member
from tenants.people import invitations
from tests.secretary.panel.cast import Cast
from tests.secretary.panel.test_markup import PAGES


def grow(cast: Cast) -> None:
    """Twelve more of all that stands in a list."""
    domain_uuid, objects = cast.acme.domain.pk, cast.acme.objects
    people = User.objects.bulk_create(User(username=f"p{i}@acme.example") for i in range(12))
    with tenant_context(domain_uuid):
        call = Call.objects.get()
        destination, hours = Destination.objects.get(), OpeningHours.objects.get()
        for i in range(12):
            other = Secretary.objects.create(name=f"s{i}", greeting=f"Hello {i}")
            ExtensionMapping.objects.create(extension=f"81{i:02}", secretary=other)
            place = Destination.objects.create(name=f"d{i}", number=f"20{i:02}", hours=hours)
            member = Member.objects.create(user=people[i], role="agent")
            set_destinations(member=member, destinations=[place.pk])
            more = Call.objects.create(
                secretary=other, destination=place, outcome="transferred", ended_at=call.ended_at
            )
            Message.objects.create(secretary=other, call=more, destination=place, text=str(i))
            Callback.objects.create(
                number=f"+55119876500{i:02}", destination=destination, call=more, consent_at=call.started_at,
                consent_how="spoken", not_after=call.started_at + timedelta(days=1), next_attempt_at=call.started_at,
            )  # fmt: skip
            DialAttempt.objects.create(kind="external", number="+4930123456", allowed=True, call_uuid=more.pk)
            create_job(domain_uuid=domain_uuid, kind="originate", arguments={"number": "1001"})
            SpecialDay.objects.create(hours=hours, date=date(2027, 1, 1 + i))
            OpeningHours.objects.create(name=f"h{i}", weekly={"mon": ["09:00-12:00"]})
            CallerFact.objects.create(number="5511987650001", text=str(i))
            CallerRequest.objects.create(kind="export", state="waiting")
            create_tool(
                name=f"tool_{i}", description="Does", url="https://acme.example/", parameters={"type": "object"}
            )
            create_credential(provider="gemini-live", label=str(i), api_key="a key of some length")
            write_prompt(secretary_uuid=objects["secretary_uuid"], text=f"fact {i}", name="")
            create_webhook(url=f"https://acme.example/{i}", events=["*"])
            emit(domain_uuid, "call.ended", {}, fact=str(i))
    for i in range(12):
        invitations.invite(domain_uuid=domain_uuid, email=f"i{i}@acme.example", role="agent", invited_by="somebody")


def test_queries_do_not_grow(cast: Cast, alice: Client) -> None:
    """Every list costs as many queries with thirteen rows as with one: nothing is asked for each row."""
    addresses = [route.address(cast.acme) for route in PAGES if not route.name.endswith(("-new", "-delete", "-remove"))]

    def counts() -> dict[str, int]:
        found = {}
        for address in addresses:
            with CaptureQueriesContext(connection) as queries:
                assert alice.get(address).status_code == 200
            found[address.removeprefix(f"/d/{cast.acme.domain.pk}/")] = len(queries)
        return found

    alice.get("/")  # what a first request alone asks for
    before = counts()
    grow(cast)
    after = counts()
    assert {name: (few, after[name]) for name, few in before.items() if after[name] > few} == {}
    assert max(after.values()) <= 30
