"""Tools in a call, from the provider's word to the row: judged, run, in the timeline; and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.conf import settings

from eslbridge.simulator.caller import Caller, HangUp, Pause, Say, WaitSilence
from secretary.models import Callback, Secretary
from secretary.services.secretaries import update_secretary
from secretary.tools import names
from secretary.tools.digest import Summariser
from secretary.tools.facts import remember
from secretary.tools.models import CallerFact
from secretary.tools.services import create_tool
from secretary.voicenode import desk
from secretary.voicenode.arrival import Arrival
from secretary.webhooks.models import Webhook, WebhookEvent
from tenants.context import in_tenant, in_thread
from tenants.quotas import set_rules
from tests.cast import Tenant
from tests.receiver import answer, receiving
from tests.secretary.voicenode.conftest import Exchange, ScriptedSession, row_of

SPEECH = Path("secretary/demo/callers/no.wav")
PARAMETERS = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}

AtOnce = Callable[[Callable[[ScriptedSession], None]], None]


async def change(tenant: Tenant, **values: Any) -> None:
    def write() -> None:
        row = Secretary.objects.get()
        update_secretary(secretary_uuid=row.pk, seen_at=row.updated_at, **values)

    await in_tenant(tenant.domain_uuid, write)


def listens(then_ms: float = 0) -> Caller:
    """Hears the greeting, and hangs up."""
    return Caller([WaitSilence(300), Pause(then_ms), HangUp()], patience_ms=15_000)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[ScriptedSession], None]], None]:
    """Have the provider do something as soon as it has the greeting to say: no need to wait for a caller's turn."""

    def let(act: Callable[[ScriptedSession], None]) -> None:
        say = ScriptedSession.say

        def said(self: ScriptedSession, text: str, *, keep: bool = True) -> None:
            begun = self.spoke
            say(self, text, keep=keep)
            if not begun:
                act(self)

        monkeypatch.setattr(ScriptedSession, "say", said)

    return let


async def test_what_a_model_is_told(exchange: Exchange, acme: Tenant) -> None:
    """Its tools, its instructions, what is remembered of this caller; in the record, which prompt it was."""
    await in_thread(set_rules, domain_uuid=acme.domain_uuid, remember_callers=True)
    await in_thread(remember, domain_uuid=acme.domain_uuid, number="1000", text="Prefers mornings")
    await change(acme, prompt="We mend heaters.", tools=list(names.BUILT_IN))
    await exchange.install(acme)
    channel = exchange.dial(acme, Caller([WaitSilence(200), HangUp()]))
    await exchange.ended(channel)
    briefing = exchange.providers.sessions[0].briefing
    assert {tool.name for tool in briefing.tools} == set(names.BUILT_IN)
    for text in ("# Rules of the platform", "We mend heaters.", "Prefers mornings", "Sales", "Good morning."):
        assert text in briefing.instructions
    assert (await row_of(acme, channel)).prompt_version == 1


async def test_an_own_tool_in_a_call(exchange: Exchange, acme: Tenant, at_once: AtOnce, settings: Any) -> None:
    """The model gets the answer; the timeline has arguments, result and how long it took, without card numbers."""

    def turn(session: ScriptedSession) -> None:
        session.tool("find_order", order="17, paid with 4111 1111 1111 1111")

    with receiving(answer(200, b'{"status": "on its way"}', ["Content-Type: application/json"])) as server:
        settings.EGRESS_ALLOW = [f"127.0.0.1:{server.port}"]
        about = {"name": "find_order", "description": "Finds an order.", "parameters": PARAMETERS}
        await in_tenant(acme.domain_uuid, lambda: create_tool(url=server.url(), **about))
        await change(acme, tools=["find_order"])
        at_once(turn)
        await exchange.install(acme)
        channel = exchange.dial(acme, listens())
        await exchange.ended(channel)
        assert exchange.providers.results == [("find_order", "ok")] and len(server.received) == 1
    events = [event for event in (await row_of(acme, channel)).events.all() if event.kind == "tool_run"]
    assert len(events) == 1 and events[0].detail["outcome"] == "ok"
    assert "on its way" in events[0].detail["result"] and events[0].detail["duration_ms"] >= 0
    assert events[0].detail["arguments"]["order"].startswith("17") and "4111" not in str(events[0].detail)
    assert events[0].at_ms > 0


async def test_what_is_refused(exchange: Exchange, acme: Tenant, at_once: AtOnce, globex: Tenant) -> None:
    """A number, another tenant's destination, a tool that there is not: the call goes on as if nothing had been."""

    def turn(session: ScriptedSession) -> None:
        session.tool("transfer", destination="+19005550199")
        session.tool("transfer", destination_uuid=str(globex.sales.pk))
        session.tool("delete_everything")

    at_once(turn)
    await exchange.install(acme)
    channel = exchange.dial(acme, listens())
    await exchange.ended(channel)
    assert sorted(exchange.providers.results) == [
        ("delete_everything", "unknown"), ("transfer", "unknown_destination"), ("transfer", "unknown_destination"),
    ]  # fmt: skip
    call = await row_of(acme, channel)
    assert call.outcome == "caller_hung_up"
    assert [event.detail["outcome"] for event in call.events.all() if event.kind == "tool_run"].count("unknown") == 1


async def test_a_transfer_by_name(exchange: Exchange, acme: Tenant, at_once: AtOnce) -> None:
    """A model says whom; the platform knows the number."""
    at_once(lambda session: session.tool("transfer", destination="the sales department"))
    await exchange.install(acme)
    asked: list[str] = []
    exchange_office = "secretary.voicenode.office.CallOffice.transfer"

    async def noted(self: Any, destination_uuid: str, *_: Any, **__: Any) -> Any:
        asked.append(destination_uuid)
        await asyncio.sleep(30)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange_office, noted)
        channel = exchange.dial(acme, listens(300))
        await exchange.ended(channel)
    assert asked == [str(acme.sales.pk)]


async def test_what_is_kept(exchange: Exchange, acme: Tenant, at_once: AtOnce) -> None:
    """Name, number, reason and urgency of the message; a summary; webhooks are told of both."""

    def turn(session: ScriptedSession) -> None:
        about = {"name": "Maria", "number": "555 0199", "reason": "a broken heater", "urgency": "urgent"}
        session.tool("take_message", text="Please call me back.", **about)

    hook = {"url": "https://hooks.example.com/", "events": ["*"], "secret": "x"}
    await in_tenant(acme.domain_uuid, lambda: Webhook.objects.create(**hook))
    at_once(turn)
    await exchange.install(acme)
    channel = exchange.dial(acme, listens())
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    (message,) = call.messages.all()
    assert (message.given_name, message.given_number, message.urgency) == ("Maria", "555 0199", "urgent")
    assert message.reason == "a broken heater" and message.complete
    assert call.facts == {"name": "Maria", "number": "555 0199", "reason": "a broken heater", "urgency": "urgent"}
    assert call.summary.startswith(
        "Maria (555 0199) called. It was about: a broken heater. A message was left (urgent)."
    )

    def told() -> dict[str, Any]:
        return dict(WebhookEvent.objects.values_list("type", "payload"))

    payloads = await in_tenant(acme.domain_uuid, told)
    assert payloads["call.ended"]["summary"] == call.summary and payloads["call.ended"]["facts"] == call.facts
    assert payloads["message.created"]["reason"] == "a broken heater"


async def test_what_is_known_goes_to_the_next_node(exchange: Exchange, acme: Tenant, at_once: AtOnce) -> None:
    """With the node's sign of life, once for each news; whoever takes the call over begins with it."""
    at_once(lambda session: session.tool("take_message", name="Maria", complete=False))
    await exchange.install(acme)
    channel = exchange.dial(acme, listens(1_500))
    async with asyncio.timeout(10):
        while not (told := exchange.reception.facts_told()):
            await asyncio.sleep(0.01)
    assert told == {UUID(channel.uuid): (acme.domain_uuid, {"name": "Maria"})}
    assert exchange.reception.facts_told() == {}
    await in_thread(desk.renew, node=settings.VOICENODE_NAME, call_uuids=[], facts=told)
    arrival = Arrival(channel.uuid, str(acme.domain_uuid), "", "8001", "+15550100", "")
    taken_over = await in_thread(desk.admit, arrival)
    assert taken_over.facts == {"name": "Maria"}
    assert taken_over.beginning.known == ("Told in this call: name: Maria",)
    await exchange.ended(channel)


async def test_summed_up_by_a_model(exchange: Exchange, acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one is at hand, and the secretary lets it; redacted like everything that is kept."""
    asked: list[Any] = []

    async def summarise(self: Summariser, steps: Any, lines: Any, **about: Any) -> str:
        asked.append([line.text for line in lines])
        return "Maria paid with 4111 1111 1111 1111."

    monkeypatch.setattr(Summariser, "summarise", summarise)
    await exchange.install(acme)
    channel = exchange.dial(acme, listens())
    await exchange.ended(channel)
    assert (await row_of(acme, channel)).summary == "Maria paid with [card]." and asked == [["Good morning."]]
    await change(acme, summarise=False)
    channel = exchange.dial(acme, listens())
    await exchange.ended(channel)
    assert (await row_of(acme, channel)).summary.endswith("The caller hung up.") and len(asked) == 1


async def test_a_message_that_was_not_finished(exchange: Exchange, acme: Tenant, at_once: AtOnce) -> None:
    """The caller hangs up in the middle of it: what the model knew, and what was said, is there."""
    at_once(lambda session: session.tool("take_message", name="Maria", complete=False))
    await exchange.install(acme)
    caller = Caller([WaitSilence(300), Say(SPEECH), HangUp()], patience_ms=15_000)
    channel = exchange.dial(acme, caller)
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    (message,) = call.messages.all()
    assert not message.complete and message.given_name == "Maria" and message.audio
    assert call.facts["name"] == "Maria" and "not finished" in call.summary


async def test_a_callback_and_a_memory(exchange: Exchange, acme: Tenant, at_once: AtOnce) -> None:
    """Two tools side by side, each with its row."""

    def turn(session: ScriptedSession) -> None:
        session.tool("request_callback", consent=True, reason="A heater")
        session.tool("remember_caller", fact="Has a heater of type B")

    await in_thread(set_rules, domain_uuid=acme.domain_uuid, remember_callers=True)
    await change(acme, tools=list(names.BUILT_IN))
    at_once(turn)
    await exchange.install(acme)
    channel = exchange.dial(acme, listens())
    await exchange.ended(channel)
    assert sorted(exchange.providers.results) == [("remember_caller", "ok"), ("request_callback", "ok")]
    call = await row_of(acme, channel)

    def rows() -> tuple[list[Any], list[Any]]:
        return list(Callback.objects.values_list("call_id", "number")), list(CallerFact.objects.values_list("text"))

    callbacks, facts = await in_tenant(acme.domain_uuid, rows)
    assert callbacks == [(call.pk, "1000")] and facts == [("Has a heater of type B",)]
    assert "A callback was promised." in call.summary


async def test_callers_are_told_first(exchange: Exchange, acme: Tenant, tmp_path: Path) -> None:
    """Before the greeting, in the tenant's words; kept in the row; nothing of the caller is recorded before."""
    await in_thread(set_rules, domain_uuid=acme.domain_uuid, announce_ai=True)
    await change(acme, record_calls=True, ai_notice="You are talking with Ava, a machine")
    await exchange.install(acme)
    speaks_at_once = Caller([Say(SPEECH), HangUp()], patience_ms=15_000)
    channel = exchange.dial(acme, speaks_at_once)
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    said = "You are talking with Ava, a machine. This call is recorded."
    assert call.disclosure == said
    assert next(line.text for line in call.utterances.all() if line.who == "secretary") == said
    told = next(event for event in call.events.all() if event.kind == "disclosed")
    both = np.frombuffer((tmp_path / call.recording).read_bytes()[44:], "<i2").reshape(-1, 2)
    caller, before = np.abs(both[:, 0].astype(int)), told.at_ms * 8
    assert caller[: before - 400].max(initial=0) == 0, "no word of the caller's before they were told"
    assert caller[before:].max() > 500, "and theirs after it"


async def test_a_prompt_cannot_take_it_away(exchange: Exchange, acme: Tenant) -> None:
    """Nor can a greeting, or words of the tenant's own that are none."""
    await in_thread(set_rules, domain_uuid=acme.domain_uuid, announce_ai=True)
    await change(acme, prompt="Never say that you are a machine.", ai_notice=" ... ", greeting="I am human.")
    await exchange.install(acme)
    channel = exchange.dial(acme, listens())
    await exchange.ended(channel)
    assert (await row_of(acme, channel)).disclosure == "You are talking with an artificial voice."
