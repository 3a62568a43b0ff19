"""The tools of one call: offered, judged, counted, run, written down; whatever a model gives, it goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from secretary.conversation.actions import Note
from secretary.conversation.office import Outcome
from secretary.models import Callback, Secretary
from secretary.speech.contract import ToolCall
from secretary.tools import box as boxes
from secretary.tools import names
from secretary.tools.about import setup_of
from secretary.tools.box import MOST_ALIKE, MOST_USES, ToolBox
from secretary.tools.gate import GatedSpeech
from secretary.tools.models import CallerFact, HttpTool
from secretary.tools.services import create_tool, update_tool
from tenants.context import tenant_context
from tenants.quotas import set_rules
from tests.cast import Tenant, make_tenant
from tests.receiver import Receiver, answer, receiving, silence

ALICE = "+15550100199"
PARAMETERS = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    return make_tenant("acme.example")


@pytest.fixture
def globex(transactional_db: None) -> Tenant:
    return make_tenant("globex.example")


@pytest.fixture
def server(settings: Settings) -> Iterator[Receiver]:
    with receiving(answer(200, b'{"status": "on its way"}', ["Content-Type: application/json"])) as receiver:
        settings.EGRESS_ALLOW = [f"127.0.0.1:{receiver.port}"]
        yield receiver


def give(tenant: Tenant, *tools: str, **more: Any) -> None:
    """Let the tenant's secretary have these tools."""
    with tenant_context(tenant.domain_uuid):
        Secretary.objects.filter(pk=tenant.secretary.pk).update(tools=list(tools), **more)


def own(tenant: Tenant, server: Receiver, **more: Any) -> HttpTool:
    values = {"name": "find_order", "description": "Finds an order.", "url": server.url(), "parameters": PARAMETERS}
    with tenant_context(tenant.domain_uuid):
        tool = create_tool(**{**values, **more}).tool
    give(tenant, *names.USUAL, tool.name)
    return tool


class Clock:
    now = 1_000

    def __call__(self) -> int:
        return self.now


def box_of(tenant: Tenant, *, number: str = ALICE, call_uuid: str = "", ask_free: Any = None) -> ToolBox:
    setup = setup_of(tenant.profile(), call_uuid=call_uuid or str(uuid4()), caller_number=number, caller_name="Ana")
    shown: list[Note] = []
    box = ToolBox(setup, clock=Clock(), note=shown.append, ask_free=ask_free)
    box.shown = shown  # type: ignore[attr-defined]
    return box


def run(box: ToolBox, tool: str, /, **arguments: Any) -> Outcome:
    return asyncio.run(box.run(tool, arguments))


def test_what_a_model_is_offered(acme: Tenant, server: Receiver) -> None:
    """The secretary's choice, in schemas of plain words; places by name, no number anywhere."""
    own(acme, server)
    specs = {spec.name: spec for spec in box_of(acme).specs}
    assert set(specs) == {*names.USUAL, "find_order"}
    assert specs["transfer"].parameters["properties"]["destination"]["enum"] == ["Sales"]  # type: ignore[index]
    assert "1001" not in str(specs) and "maxLength" not in str(specs)
    give(acme, names.TAKE_MESSAGE)
    assert [spec.name for spec in box_of(acme).specs] == ["take_message"]


def test_unknown_and_wrong(acme: Tenant) -> None:
    """Words by which a model can do better, and a line in the timeline for each."""
    box = box_of(acme)
    unknown = run(box, "open_the_vault", combination="1234")
    assert unknown.word == "unknown" and "transfer" in unknown.detail
    wrong = run(box, names.BUSINESS_INFO)
    assert wrong.word == "invalid_arguments" and "`topic` missing" in wrong.detail
    assert [note.detail["outcome"] for note in box.notes] == ["unknown", "invalid_arguments"]
    assert box.notes[0].detail["arguments"] == {"combination": "1234"}
    assert list(box.notes) == box.shown  # type: ignore[attr-defined]


def test_a_tool_that_was_not_chosen(acme: Tenant) -> None:
    """Is not there, whatever the model says."""
    give(acme, names.END_CALL)
    assert run(box_of(acme), names.REQUEST_CALLBACK, consent=True).word == "unknown"


def test_business_info(acme: Tenant) -> None:
    """Out of the tenant's own words."""
    give(acme, *names.USUAL, prompt="Prices:\n\nA cake costs twelve euros.\n\nParking is behind the house.")
    box = box_of(acme)
    assert run(box, names.BUSINESS_INFO, topic="parking").detail == "Parking is behind the house."
    assert run(box, names.BUSINESS_INFO, topic="helicopter").word == "not_found"


def test_opening_hours(acme: Tenant) -> None:
    """Where there are none it says so; a date that is none is refused."""
    box = box_of(acme)
    assert run(box, names.OPENING_HOURS).word == "ok"
    assert run(box, names.OPENING_HOURS, at="2026-05-31").word == "ok"
    assert run(box, names.OPENING_HOURS, at="tomorrow").word == "invalid_arguments"


@pytest.mark.parametrize(("word", "told"), [("free", "offer to put"), ("dnd", "take a message"), ("unknown", "try")])
def test_check_available(acme: Tenant, word: str, told: str) -> None:
    """What the switch says, in words to go by; whom it is about the model says by name."""
    asked: list[Any] = []

    async def free(*about: Any) -> Any:
        asked.append(about)
        return SimpleNamespace(word=word)

    outcome = run(box_of(acme, ask_free=free), names.CHECK_AVAILABLE, destination="sales")
    assert outcome.word == "ok" and outcome.detail.startswith(word) and told in outcome.detail.lower()
    assert asked == [("extension", "1001")]
    assert "1001" not in outcome.detail
    assert run(box_of(acme), names.CHECK_AVAILABLE, destination="sales").detail.startswith("unknown")


def test_request_callback(acme: Tenant) -> None:
    """A wish of this call, with spoken consent, for the number that called; asked twice it is one."""
    call = acme.call(caller_number="1002")
    box = box_of(acme, number="1002", call_uuid=str(call.pk))
    assert run(box, names.REQUEST_CALLBACK, consent=False).word == "no_consent"
    assert run(box, names.REQUEST_CALLBACK, consent=True, number="+19005550199").word == "not_allowed"
    assert run(box, names.REQUEST_CALLBACK, consent=True, name="Ana", reason="A heater").word == "ok"
    assert run(box, names.REQUEST_CALLBACK, consent=True, name="Ana", reason="A heater").word == "ok"
    with tenant_context(acme.domain_uuid):
        [callback] = Callback.objects.all()
    assert (callback.number, callback.consent_how, callback.call_id) == ("1002", "spoken", call.pk)
    assert box.kept.values["reason"] == "A heater"


def test_a_callback_to_another_number(acme: Tenant) -> None:
    """Where the secretary may; the dialling rules refuse what they refuse all the same."""
    give(acme, *names.USUAL, callback_other_numbers=True)
    box = box_of(acme, number="", call_uuid=str(acme.call().pk))
    assert run(box, names.REQUEST_CALLBACK, consent=True).word == "unknown_caller"
    assert run(box, names.REQUEST_CALLBACK, consent=True, number="1002").word == "ok"
    refused = run(box, names.REQUEST_CALLBACK, consent=True, number="+1 900 555 0199")
    assert refused.word not in ("ok", "failed") and "not taken" in refused.detail
    with tenant_context(acme.domain_uuid):
        assert [callback.number for callback in Callback.objects.all()] == ["1002"]


def test_remember_caller(acme: Tenant) -> None:
    """Only where the domain allows it; under the caller's number."""
    give(acme, *names.BUILT_IN)
    assert run(box_of(acme), names.REMEMBER_CALLER, fact="Prefers mornings").word == "unknown"
    set_rules(domain_uuid=acme.domain_uuid, remember_callers=True)
    assert run(box_of(acme), names.REMEMBER_CALLER, fact="Prefers mornings").word == "ok"
    assert run(box_of(acme, number=""), names.REMEMBER_CALLER, fact="x").word == "unknown"
    with tenant_context(acme.domain_uuid):
        assert list(CallerFact.objects.values_list("number", "text")) == [("15550100199", "Prefers mornings")]


def test_an_own_tool(acme: Tenant, server: Receiver) -> None:
    """Runs, and stands in the timeline with what went in and what came out."""
    own(acme, server, result_path="status")
    box = box_of(acme)
    outcome = run(box, "find_order", order="17")
    assert outcome.word == "ok" and "on its way" in outcome.detail
    [note] = box.notes
    assert note.kind == "tool_run" and note.detail["arguments"] == {"order": "17"}
    assert "on its way" in str(note.detail["result"]) and note.detail["duration_ms"] == 0
    assert box.notes[0].at_ms == 1_000


def test_so_often_a_call(acme: Tenant, server: Receiver) -> None:
    """Then no more, in this call; in another one again."""
    own(acme, server, per_call=2)
    box = box_of(acme)
    assert [run(box, "find_order", order=str(n)).word for n in range(3)] == ["ok", "ok", "too_many"]
    assert len(server.received) == 2 and run(box_of(acme), "find_order", order="1").word == "ok"


async def in_turn(boxes_: list[ToolBox]) -> list[str]:
    return [(await box.run("find_order", {"order": "1"})).word for box in boxes_]


def test_so_often_a_minute(acme: Tenant, server: Receiver) -> None:
    """All calls of the domain together."""
    own(acme, server, per_minute=2)
    assert asyncio.run(in_turn([box_of(acme) for _ in range(3)])) == ["ok", "ok", "busy"]


def test_a_limit_without_redis(acme: Tenant, server: Receiver, settings: Settings) -> None:
    """Each node counts for itself."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    own(acme, server, per_minute=1)
    assert asyncio.run(in_turn([box_of(acme) for _ in range(2)])) == ["ok", "busy"]


def test_the_same_again(acme: Tenant) -> None:
    """A model that asks the same again and again is told to go on."""
    give(acme, *names.USUAL, prompt="We bake bread.")
    box = box_of(acme)
    words = [run(box, names.BUSINESS_INFO, topic="bread").word for _ in range(MOST_ALIKE + 1)]
    assert words == ["ok"] * MOST_ALIKE + ["repeated"]


def test_round_in_circles(acme: Tenant) -> None:
    """There is an end to all tools of a call."""
    give(acme, *names.USUAL, prompt="We bake bread.")
    box = box_of(acme)
    words = [run(box, names.BUSINESS_INFO, topic=f"bread {n}").word for n in range(MOST_USES + 1)]
    assert words == ["ok"] * MOST_USES + ["too_many"]


def test_switched_off_meanwhile(acme: Tenant, server: Receiver) -> None:
    """A tool that is gone in mid-call is not used."""
    tool = own(acme, server)
    box = box_of(acme)
    with tenant_context(acme.domain_uuid):
        update_tool(tool_uuid=tool.pk, seen_at=tool.updated_at, enabled=False)
    assert run(box, "find_order", order="1").word == "unknown" and server.received == []
    assert "find_order" not in {spec.name for spec in box_of(acme).specs}


def test_another_tenants_tool(acme: Tenant, globex: Tenant, server: Receiver) -> None:
    """By its name it is not offered; by its UUID it is not found."""
    tool = own(globex, server)
    give(acme, "find_order")
    box = box_of(acme)
    assert box.specs == () and run(box, "find_order", order="1").word == "unknown"
    forged = replace(box._setup, own=globex.profile().own_tools)
    assert run(ToolBox(forged, clock=Clock(), note=lambda note: None), tool.name, order="1").word == "unknown"
    assert server.received == []


def test_a_caller_who_hangs_up(acme: Tenant, server: Receiver) -> None:
    """The run is in the timeline all the same."""
    own(acme, server)
    server.then(silence(3))
    box = box_of(acme)

    async def hang_up() -> None:
        running = asyncio.create_task(box.run("find_order", {"order": "1"}))
        await asyncio.sleep(0.3)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(hang_up())
    assert [note.detail["outcome"] for note in box.notes] == ["caller_gone"]


def test_a_tool_that_breaks(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or hangs: a word for the model, and the call goes on."""
    give(acme, *names.USUAL, prompt="We bake bread.")
    monkeypatch.setattr(boxes.business, "look_up", lambda *_: 1 / 0)
    assert run(box_of(acme), names.BUSINESS_INFO, topic="bread").word == "failed"

    def forever(*_: object) -> Outcome:
        time.sleep(1)
        raise AssertionError

    monkeypatch.setattr(boxes, "PATIENCE_S", 0.05)
    monkeypatch.setattr(boxes.elsewhere, "whom_to_ask_about", forever)
    assert run(box_of(acme), names.CHECK_AVAILABLE, destination="Sales").word == "timeout"


# The gate ---------------------------------------------------------------------------------------------------------


class Ear:
    """A conversation and a provider in one: what came through, and what was answered at once."""

    detects_turns = verbatim = asides = False

    def __init__(self) -> None:
        self.calls: list[ToolCall] = []
        self.results: list[tuple[str, str, str]] = []
        self.listener: Any = None

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None

    async def open(self, listener: Any) -> None:
        self.listener = listener

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        self.results.append((tool_call_id, outcome, detail))

    def on_tool(self, call: ToolCall) -> None:
        self.calls.append(call)


def gate(tenant: Tenant) -> tuple[Ear, ToolBox]:
    ear, box = Ear(), box_of(tenant)
    asyncio.run(GatedSpeech(ear, box).open(ear))  # type: ignore[arg-type]
    return ear, box


def test_a_transfer_comes_through_as_a_uuid(acme: Tenant) -> None:
    """By name from a model, by UUID from the built-in secretary."""
    ear, box = gate(acme)
    uuid = str(acme.sales.pk)
    for arguments in ({"destination": "the sales department", "reason": "A lamp"}, {"destination_uuid": uuid}):
        ear.listener.on_tool(ToolCall("t", "transfer", arguments))
    assert [call.arguments["destination_uuid"] for call in ear.calls] == [uuid, uuid]
    assert box.kept.values == {"reason": "A lamp"} and ear.results == []
    assert [note.detail["arguments"]["destination"] for note in box.notes] == ["Sales", "Sales"]  # type: ignore[index]


def test_a_transfer_to_a_number_does_not(acme: Tenant, globex: Tenant) -> None:
    """Nor to another tenant's destination: the model is told at once, the conversation never hears of it."""
    ear, box = gate(acme)
    for wanted in ("+19005550199", str(globex.sales.pk)):
        ear.listener.on_tool(ToolCall(wanted, "transfer", {"destination": wanted}))
        ear.listener.on_tool(ToolCall(wanted, "transfer", {"destination_uuid": wanted}))
    assert ear.calls == [] and {outcome for _, outcome, _ in ear.results} == {"unknown_destination"}
    assert len(ear.results) == len(box.notes) == 4


def test_what_the_built_in_secretary_says(acme: Tenant) -> None:
    """Its own protocol goes through."""
    ear, _ = gate(acme)
    ear.listener.on_tool(ToolCall("a", "record_message", {}))
    ear.listener.on_tool(ToolCall("b", "take_message", {"text": "", "complete": True}))
    ear.listener.on_tool(ToolCall("c", "end_call", {"reason": "done"}))
    assert [call.name for call in ear.calls] == ["record_message", "take_message", "end_call"]


def test_keys_are_keys(acme: Tenant) -> None:
    """And only where the secretary may press any."""
    ear, _ = gate(acme)
    ear.listener.on_tool(ToolCall("a", "send_dtmf", {"digits": "1"}))
    give(acme, names.SEND_DTMF)
    allowed, _ = gate(acme)
    allowed.listener.on_tool(ToolCall("b", "send_dtmf", {"digits": "12 #"}))
    allowed.listener.on_tool(ToolCall("c", "send_dtmf", {"digits": "1\nhangup"}))
    assert ear.results[0][1] == "unknown" and [call.arguments for call in allowed.calls] == [{"digits": "12#"}]


ARGUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def test_anything_at_all(acme: Tenant) -> None:
    """Whatever name and arguments a model makes up: judged, or refused with words; nothing else is raised."""
    give(acme, *names.BUILT_IN)
    box = box_of(acme)

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from([*names.BUILT_IN, "x"]) | st.text(max_size=20), ARGUMENTS)
    def judged(name: str, arguments: Any) -> None:
        try:
            accepted = box.judge(name, arguments)
        except boxes.policy.Refused as refused:
            assert refused.word and len(refused.detail) < 1_000
        else:
            assert name in names.BUILT_IN and accepted.get("destination_uuid", str(acme.sales.pk)) == str(acme.sales.pk)

    judged()
