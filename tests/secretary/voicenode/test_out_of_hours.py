"""Out of hours at the node: who answers, with which words, or where the caller goes; and what the record says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from eslbridge.simulator import Extension
from eslbridge.simulator.caller import Caller, HangUp, WaitSilence
from secretary.models import OpeningHours, Secretary
from secretary.services.extensions import create_mapping
from secretary.services.opening_hours import create_hours
from secretary.services.secretaries import create_secretary
from tenants.context import in_tenant
from tests.cast import Tenant
from tests.secretary.voicenode.conftest import Exchange, row_of

ALWAYS = {day: ["00:00-00:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


async def close(tenant: Tenant, *, weekly: Any = None, source: str = "weekly", **secretary: Any) -> None:
    """Give the domain usual hours (never open, unless told), and its secretary a rule for closed hours."""

    def write() -> None:
        create_hours(name="Usual", is_default=True, weekly=weekly or {}, source=source)
        Secretary.objects.filter(pk=tenant.secretary.pk).update(**secretary)

    await in_tenant(tenant.domain_uuid, write)


async def greeted(exchange: Exchange, tenant: Tenant, number: str = "8001") -> tuple[Any, Any]:
    """A caller who hears the greeting and hangs up: the call's row, and what the provider was told."""
    channel = exchange.dial(tenant, Caller([WaitSilence(300), HangUp()]), number)
    await exchange.ended(channel)
    return await row_of(tenant, channel), exchange.providers.sessions[-1].briefing


async def test_takes_a_message(exchange: Exchange, acme: Tenant) -> None:
    """Another greeting, nobody to be put through to, and the timeline says that it was closed."""
    await exchange.install(acme)
    await close(acme, closed_action="message", closed_greeting="We are closed. Shall I take a message?")
    call, briefing = await greeted(exchange, acme)
    assert briefing.greeting == "We are closed. Shall I take a message?"
    assert briefing.places == ()
    first = call.events.all()[0]
    assert (first.kind, first.detail) == ("closed", {"reason": "hours", "action": "message"})


async def test_the_platforms_own_words(exchange: Exchange, acme: Tenant) -> None:
    """Without a greeting for it: who is here, that it is closed, and a message."""
    await exchange.install(acme)
    await close(acme, closed_action="message", language="pt-br", name="Clara")
    _, briefing = await greeted(exchange, acme)
    assert briefing.greeting == (
        "Olá, aqui é Clara. No momento estamos fechados. Se quiser, posso anotar um recado: é só dizer sim."
    )


@pytest.mark.parametrize(("weekly", "action"), [(ALWAYS, "message"), (None, "answer")])
async def test_as_always(exchange: Exchange, acme: Tenant, weekly: Any, action: str) -> None:
    """While it is open, and where the secretary answers at any hour."""
    await exchange.install(acme)
    await close(acme, weekly=weekly, closed_action=action)
    _, briefing = await greeted(exchange, acme)
    assert briefing.greeting == "Good morning." and [place.name for place in briefing.places] == ["Sales"]


async def test_another_secretary_answers(exchange: Exchange, acme: Tenant) -> None:
    """The call is hers, and on record as hers; when she is switched off, the one who was called answers."""
    await exchange.install(acme)
    night = await in_tenant(acme.domain_uuid, lambda: create_secretary(name="Night", greeting="Good evening."))
    await close(acme, closed_action="secretary", closed_secretary_id=night.pk)
    call, briefing = await greeted(exchange, acme)
    assert (briefing.greeting, call.secretary_id) == ("Good evening.", night.pk)
    assert call.events.all()[0].detail["secretary"] == "Night"
    await in_tenant(acme.domain_uuid, lambda: Secretary.objects.filter(pk=night.pk).update(enabled=False))
    call, briefing = await greeted(exchange, acme)
    assert (briefing.greeting, call.secretary_id) == ("Good morning.", acme.secretary.pk)


@pytest.mark.parametrize(("number", "reached"), [("", "1099"), ("1005", "1005")])
async def test_nobody_answers(exchange: Exchange, acme: Tenant, number: str, reached: str) -> None:
    """Straight to the number for it, or to the fallback, unanswered by us and without a slot; and on record."""
    await exchange.install(acme)
    exchange.switch.add_extension(Extension("1005", acme.name, answer_after_s=0.1))
    await close(acme, closed_action="fallback", closed_number=number)
    channel = exchange.dial(acme, Caller([], patience_ms=8_000))
    await exchange.reached(channel, reached)
    assert not exchange.providers.sessions
    channel.phone_hung_up()
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    assert (call.outcome, call.outcome_detail, call.extension) == ("fallback", "closed", "8001")


async def test_a_time_condition_of_the_telephone_system(exchange: Exchange, acme: Tenant) -> None:
    """8001*0 is closed and 8001*1 open, where the hours are left to the telephone system; else the week decides."""
    await exchange.install(acme)
    await close(acme, source="switch", closed_action="message", closed_greeting="Closed.")
    for dialled, greeting in (("8001*0", "Closed."), ("8001*1", "Good morning."), ("8001", "Good morning.")):
        call, briefing = await greeted(exchange, acme, dialled)
        assert (briefing.greeting, call.extension) == (greeting, "8001"), dialled
    await in_tenant(acme.domain_uuid, lambda: OpeningHours.objects.update(source="weekly", weekly=ALWAYS))
    _, briefing = await greeted(exchange, acme, "8001*0")
    assert briefing.greeting == "Good morning."


# As FusionPBX 5.6 writes them: the rows of Dialplan Manager that make both numbers selectable, a time condition (app
# time_conditions: Monday to Friday, 9:00 to 18:00, a zone of its own, an alternate destination), an inbound route.
FUSIONPBX = """
<extension name="secretary_8001_open" continue="false" uuid="7a0f1a4e-0000-4000-8000-000000000001">
  <condition field="destination_number" expression="^8001\\*1$">
    <action application="set" data="secretary_open=true"/>
    <action application="transfer" data="8001 XML acme.example"/>
  </condition>
</extension>
<extension name="secretary_8001_closed" continue="false" uuid="7a0f1a4e-0000-4000-8000-000000000002">
  <condition field="destination_number" expression="^8001\\*0$">
    <action application="set" data="secretary_open=false"/>
    <action application="transfer" data="8001 XML acme.example"/>
  </condition>
</extension>
<extension name="Office" continue="false" uuid="7a0f1a4e-0000-4000-8000-000000000003">
  <condition field="destination_number" expression="^2000$">
    <action application="set" data="timezone=America/Sao_Paulo" inline="true"/>
  </condition>
  <condition field="destination_number" expression="^2000$"/>
  <condition wday="2-6" minute-of-day="541-1080" break="never">
    <action application="transfer" data="8001*1 XML acme.example"/>
  </condition>
  <condition field="destination_number" expression="^2000$">
    <action application="transfer" data="8001*0 XML acme.example"/>
  </condition>
</extension>
"""
PUBLIC = """
<extension name="551130001000" continue="false" uuid="7a0f1a4e-0000-4000-8000-000000000004">
  <condition field="destination_number" expression="^(551130001000)$">
    <action application="set" data="domain_name=acme.example" inline="true"/>
    <action application="transfer" data="2000 XML acme.example"/>
  </condition>
</extension>
"""


@pytest.mark.parametrize(
    ("first", "times"),
    [
        # Friday, 9:00 and a minute before, in São Paulo
        ("rows of FusionPBX", (("2026-05-29T12:00", "Good morning."), ("2026-05-29T11:59", "Closed."))),
        # Friday, 18:00, and Saturday
        ("printed dialplan", (("2026-05-29T20:59", "Good morning."), ("2026-05-30T15:00", "Closed."))),
    ],
)
async def test_from_the_trunk_through_a_time_condition(
    exchange: Exchange, acme: Tenant, first: str, times: tuple[tuple[str, str], ...]
) -> None:
    """Inbound route, time condition, 8001*1 or 8001*0, secretary: by the clock of the condition's zone. Whichever of
    the two stands first in the context, FusionPBX's rows or ours."""
    for what in sorted(("rows of FusionPBX", "printed dialplan"), key=lambda one: one != first):
        if what == "printed dialplan":
            await exchange.install(acme)
        else:
            exchange.switch.dialplan.load_xml(FUSIONPBX, acme.name)
    exchange.switch.dialplan.load_xml(PUBLIC, "public")
    await close(acme, source="switch", closed_action="message", closed_greeting="Closed.")
    for utc, greeting in times:
        exchange.switch.dialplan.now = datetime.fromisoformat(utc).replace(tzinfo=UTC).astimezone
        channel = exchange.switch.place_call("public", "551130001000", Caller([WaitSilence(300), HangUp()]))
        await exchange.ended(channel)
        assert exchange.providers.sessions[-1].briefing.greeting == greeting, utc
        assert (await row_of(acme, channel)).extension == "8001"


async def test_hours_of_another_tenant(exchange: Exchange, acme: Tenant, globex: Tenant) -> None:
    """Globex being closed is nothing to acme, though both have a secretary at 8001."""
    await exchange.install(acme)
    await exchange.install(globex)
    await close(globex, closed_action="message", closed_greeting="Closed.")
    await in_tenant(acme.domain_uuid, lambda: create_mapping(extension="8002", secretary=acme.secretary))
    _, briefing = await greeted(exchange, acme)
    assert briefing.greeting == "Good morning."
    _, briefing = await greeted(exchange, globex)
    assert briefing.greeting == "Closed."


def set_number(number: str) -> None:
    Secretary.objects.update(closed_number=number)


async def test_a_number_that_would_go_round(exchange: Exchange, acme: Tenant) -> None:
    """Whatever got into the row, a closed secretary does not send callers to herself, nor to an emergency number."""
    await exchange.install(acme)
    await close(acme, closed_action="fallback", closed_number="8001")
    for number in ("8001", "911"):
        await in_tenant(acme.domain_uuid, set_number, number)
        channel = exchange.dial(acme, Caller([], patience_ms=8_000))
        await exchange.reached(channel, "1099")
        channel.phone_hung_up()
        await exchange.ended(channel)
