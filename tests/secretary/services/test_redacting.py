"""Nothing that is stored or shown of a call holds what its tenant does not keep."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps

from secretary.conversation.actions import Line, Note
from secretary.models import Call, CallEvent, Message, Utterance
from secretary.profiles import CallRecord, EventRecord, MessageRecord, UtteranceRecord
from secretary.redaction import CARDS, NOTHING
from secretary.services.callbacks import Consent, change_callback, request_callback
from secretary.services.calls import finish_call
from secretary.services.messages import save_message
from secretary.tools.facts import remember
from secretary.voicenode.redacted import RedactedLive
from secretary.webhooks.models import Webhook, WebhookEvent
from tenants.context import tenant_context
from tenants.models import AuditEvent, TenantModel
from tenants.quotas import set_rules
from tests.cast import Tenant

CARD = "4111111111111111"


def lines(*said: tuple[str, str]) -> tuple[UtteranceRecord, ...]:
    return tuple(
        UtteranceRecord(who, text, place * 1_000, place * 1_000 + 900) for place, (who, text) in enumerate(said)
    )


def stored(tenant: Tenant, **record: Any) -> str:
    """Everything that is kept of a call, as one text."""
    with tenant_context(tenant.domain_uuid):
        Webhook.objects.create(url="https://hooks.example.com/", events=["*"], secret="x")
    call = tenant.call()
    finish_call(domain_uuid=tenant.domain_uuid, call_uuid=call.pk, record=CallRecord("completed", **record))
    with tenant_context(tenant.domain_uuid):
        texts = [row.text for row in Utterance.objects.all()] + [row.text for row in Message.objects.all()]
        details = [row.detail for row in CallEvent.objects.all()]
        told = [event.payload for event in WebhookEvent.objects.all()]
    return str([texts, details, told])


def test_everywhere(acme: Tenant) -> None:
    """Transcript, message, timeline and webhooks; by default."""
    kept = stored(
        acme,
        utterances=lines(("caller", "my card is 4111 1111"), ("secretary", "go on"), ("caller", "1111 1111")),
        events=(EventRecord(0, "tool", {"text": CARD}), *(EventRecord(1, "dtmf", {"digit": d}) for d in CARD + "#")),
        message=MessageRecord(f"charge {CARD}", complete=True),
    )
    assert "1111" not in kept and "go on" in kept and kept.count("[card]") >= 4
    assert kept.count("•") == 16 and "#" in kept


def test_switched_off(acme: Tenant, globex: Tenant) -> None:
    """A domain that wants the numbers keeps them; its neighbour does not."""
    set_rules(domain_uuid=acme.domain_uuid, redact_cards=False)
    assert CARD in stored(acme, utterances=lines(("caller", CARD)))
    assert CARD not in stored(globex, utterances=lines(("caller", CARD)))


def test_a_menu_is_not_a_card(acme: Tenant) -> None:
    """Keys pressed in a menu stay on the timeline."""
    kept = stored(acme, events=tuple(EventRecord(1, "dtmf", {"digit": d}) for d in "12"))
    assert "'digit': '1'" in kept and "'digit': '2'" in kept


def test_a_message_that_grows(acme: Tenant) -> None:
    """Each time it is saved."""
    call = acme.call()
    uuid = uuid4()
    for text in ("my card", f"my card {CARD}"):
        record = MessageRecord(text, message_uuid=uuid)
        assert CARD not in save_message(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=record).text


class Screen:
    """What the live view shows."""

    def __init__(self) -> None:
        self.shown: list[Line | Note] = []

    def line(self, call_uuid: str, line: Line) -> None:
        self.shown.append(line)

    def note(self, call_uuid: str, note: Note) -> None:
        self.shown.append(note)


@pytest.mark.parametrize(("kinds", "hidden"), [(CARDS, True), (NOTHING, False)])
def test_live_view(kinds: Any, hidden: bool) -> None:
    """Whoever watches the call sees no more than is kept."""
    screen = Screen()
    live = RedactedLive(screen, kinds)  # type: ignore[arg-type]
    live.line("c", Line("caller", f"it is {CARD}", 0, 900))
    live.line("c", Line("caller", "4111 1111 1111", 1_000, 1_900))
    live.line("c", Line("caller", "1111", 2_000, 2_900))
    live.note("c", Note("dtmf", 0, {"digit": "4"}))
    live.note("c", Note("tool", 0, {"text": CARD}))
    texts = [item.text if isinstance(item, Line) else item.detail for item in screen.shown]
    if hidden:
        assert texts == ["it is [card]", "4111 1111 1111", "[card]", {"digit": "•"}, {"text": "[card]"}]
    else:
        assert CARD in str(texts) and {"digit": "4"} in texts


def test_in_no_table_at_all(acme: Tenant) -> None:
    """Whatever a caller says ends up as (a tool's arguments and result, facts, summary, callback, what is remembered,
    and what the record of changes tells of it), no row of any table of the tenant holds the number."""
    set_rules(domain_uuid=acme.domain_uuid, remember_callers=True)
    said = f"charge {CARD}, please"
    note = {"tool": "find_order", "arguments": {"order": said, "more": [CARD]}, "result": f'{{"card": "{CARD}"}}'}
    about: Any = {
        "utterances": lines(("caller", said)),
        "events": (EventRecord(0, "tool_run", note),),
        "message": MessageRecord(said, complete=True, given={"name": said, "reason": said}),
        "facts": {"name": said, "reason": said},
        "summary": said,
    }
    assert "[card]" in stored(acme, **about)
    with tenant_context(acme.domain_uuid):
        call = Call.objects.get()
    late = "x" * 490 + f" {CARD}"
    ours: Any = {"domain_uuid": acme.domain_uuid, "secretary_uuid": acme.secretary.pk, "call_uuid": call.pk}
    uuid = request_callback(
        **ours, number="1001", name=said, reason=late, consent=Consent("spoken", said), not_before=None, not_after=None,
        destination_uuid=acme.sales.pk,
    )  # fmt: skip
    with tenant_context(acme.domain_uuid):
        change_callback(callback_uuid=uuid, name=CARD, reason=late)
    remember(domain_uuid=acme.domain_uuid, number="+5511987650001", text=said, call_uuid=call.pk)
    models = [model for model in apps.get_models() if issubclass(model, TenantModel | AuditEvent)]
    with tenant_context(acme.domain_uuid):
        rows = [str(row) for model in models for row in model._default_manager.values()]
    assert len(rows) > 10 and not [row for row in rows if "4111" in row]
