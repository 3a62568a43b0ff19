"""What the services do is told, in the same transaction, once, and only what the tenant may know."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from eslbridge import jobs
from eslbridge.jobs import JobResult
from secretary.errors import QuotaFull, TransferRefused
from secretary.models import CallOutcome
from secretary.profiles import CallRecord, MessageRecord
from secretary.services.calls import finish_call, open_call, refuse_call, sweep_calls
from secretary.services.messages import save_message
from secretary.services.transfers import request_transfer
from secretary.webhooks.models import WebhookEvent
from secretary.webhooks.outbox import emit
from tenants.context import tenant_context
from tests.cast import Tenant
from tests.receiver import Receiver
from tests.secretary.webhooks.post import hook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kicks")]


def told(tenant: Tenant) -> list[tuple[str, dict[str, object]]]:
    """The events of a tenant in the order they were written."""
    with tenant_context(tenant.domain_uuid):
        return [(event.type, event.payload) for event in WebhookEvent.objects.order_by("created_at")]


def types(tenant: Tenant) -> list[str]:
    return [event_type for event_type, _ in told(tenant)]


@pytest.fixture(autouse=True)
def listening(acme: Tenant, globex: Tenant, receiver: Receiver) -> None:
    """Both tenants want to know everything."""
    hook(acme, receiver)
    hook(globex, receiver)


def test_a_call(acme: Tenant, globex: Tenant) -> None:
    """From start to end, with who called and what became of it; the other tenant is told nothing."""
    call = acme.call(caller_number="+5511", caller_name="Ana")
    record = CallRecord(
        outcome="transferred", outcome_detail="", answered_at=timezone.now(), destination_uuid=acme.sales.pk
    )
    finish_call(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=record)
    [(_, started), (_, ended)] = told(acme)
    assert types(acme) == ["call.started", "call.ended"]
    assert started["call_uuid"] == str(call.pk) and started["caller_number"] == "+5511"
    assert ended["outcome"] == "transferred" and ended["destination_uuid"] == str(acme.sales.pk)
    assert isinstance(ended["duration_s"], float) and str(ended["ended_at"]).endswith("+00:00")
    assert told(globex) == []


def test_once(acme: Tenant) -> None:
    """A call that another node takes over has not started again, and ends once."""
    call = acme.call()
    open_call(profile=acme.profile(), call_uuid=call.pk, node="node-b")
    for _ in range(2):
        finish_call(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=CallRecord(outcome="completed"))
    assert types(acme) == ["call.started", "call.ended"]


def test_node_lost(acme: Tenant, globex: Tenant) -> None:
    """A call that the sweeper gives up has ended, its message is told; if it was alive, its real end is told, too."""
    call, other = acme.call(), globex.call()
    save_message(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=MessageRecord(text="Call me", complete=False))
    assert sweep_calls(timezone.now() + timedelta(minutes=5)) == 2
    assert types(acme) == ["call.started", "call.ended", "message.created"]
    assert told(acme)[1][1]["outcome_detail"] == "node_lost"
    assert [payload["call_uuid"] for _, payload in told(globex)] == [str(other.pk)] * 2
    finish_call(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=CallRecord(outcome="completed"))
    assert types(acme)[3:] == ["call.ended"] and told(acme)[3][1]["outcome"] == "completed"


def test_refused(acme: Tenant) -> None:
    """A call that went to the fallback at once has only an end."""
    about = {"domain_uuid": acme.domain_uuid, "call_uuid": uuid4(), "reason": "quota_full", "node": "n"}
    assert refuse_call(**about) and not refuse_call(**about)
    [(event_type, payload)] = told(acme)
    assert event_type == "call.ended"
    assert (payload["outcome"], payload["outcome_detail"]) == (CallOutcome.FALLBACK, "quota_full")


def test_message(acme: Tenant) -> None:
    """Told when it is whole, not before, and once."""
    call, message_uuid = acme.call(), uuid4()

    def save(text: str, complete: bool) -> None:
        record = MessageRecord(text=text, complete=complete, message_uuid=message_uuid)
        save_message(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=record)

    save("Please", False)
    assert types(acme) == ["call.started"]
    save("Please call back", True)
    save("Please call back", True)
    finish_call(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=CallRecord(outcome="message"))
    assert types(acme) == ["call.started", "message.created", "call.ended"]
    assert told(acme)[1][1]["text"] == "Please call back"


def test_message_cut_off(acme: Tenant) -> None:
    """What the caller began is told at the end of the call, or later if it is written later."""
    call = acme.call()
    record = MessageRecord(text="Please", complete=False, message_uuid=uuid4())
    save_message(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=record)
    finish_call(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=CallRecord(outcome="caller_hung_up"))
    late = MessageRecord(text="late", complete=False, message_uuid=uuid4())
    save_message(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=late)
    assert types(acme) == ["call.started", "call.ended", "message.created", "message.created"]
    assert told(acme)[2][1]["complete"] is False


def transfer(tenant: Tenant) -> UUID:
    return request_transfer(
        domain_uuid=tenant.domain_uuid, call_uuid=tenant.call().pk, destination_uuid=tenant.sales.pk
    )


@pytest.mark.parametrize(("outcome", "event_type"), [("done", "transfer.done"), ("unreachable", "transfer.failed")])
def test_transfer(acme: Tenant, outcome: str, event_type: str) -> None:
    """Asked for, and how it went."""
    job_uuid = transfer(acme)
    job = jobs.claim(domain_uuid=acme.domain_uuid, job_uuid=job_uuid)
    assert job is not None and jobs.finish(job, JobResult(outcome, "why")) and not jobs.finish(job, JobResult("done"))
    assert types(acme) == ["call.started", "transfer.requested", event_type]
    requested, ended = told(acme)[1][1], told(acme)[2][1]
    assert requested["job_uuid"] == ended["job_uuid"] == str(job_uuid)
    assert requested["destination_uuid"] == str(acme.sales.pk)
    assert ended["outcome"] == ("ok" if outcome == "done" else outcome)


def test_transfer_that_never_ran(acme: Tenant, globex: Tenant) -> None:
    """Cancelled, or expired in the queue: failed, each for its own tenant."""
    job_uuid = transfer(acme)
    assert jobs.cancel(domain_uuid=acme.domain_uuid, job_uuid=job_uuid)
    assert types(acme)[2:] == ["transfer.failed"] and told(acme)[2][1]["outcome"] == "cancelled"
    transfer(globex)
    jobs.sweep(timezone.now() + timedelta(minutes=5))
    assert types(globex)[2:] == ["transfer.failed"] and len(told(acme)) == 3


def test_what_did_not_happen_is_not_told(acme: Tenant) -> None:
    """A refused transfer, and a fact whose transaction is rolled back."""
    with pytest.raises(TransferRefused):
        request_transfer(domain_uuid=acme.domain_uuid, call_uuid=uuid4(), destination_uuid=acme.sales.pk)
    with pytest.raises(QuotaFull), tenant_context(acme.domain_uuid), transaction.atomic():
        acme.call()
        raise QuotaFull("for some reason")
    assert told(acme) == []


def test_without_webhook(acme: Tenant) -> None:
    """A domain that has no webhook keeps no events."""
    from secretary.webhooks.models import Webhook

    with tenant_context(acme.domain_uuid):
        Webhook.objects.all().delete()
    acme.call()
    assert told(acme) == [] and emit(acme.domain_uuid, "quota.warning", {}) is None


def test_catalogue(acme: Tenant) -> None:
    """A type that is not in the catalogue is a bug of ours; the payload is made storable."""
    with pytest.raises(ValueError, match=r"call\.exploded"):
        emit(acme.domain_uuid, "call.exploded", {})
    emit(acme.domain_uuid, "quota.exceeded", {"text": "a\0b", "number": float("nan"), "uuid": acme.domain_uuid})
    assert told(acme) == [("quota.exceeded", {"text": "ab", "number": None, "uuid": str(acme.domain_uuid)})]


def test_kicked_on_commit(
    acme: Tenant, kicks: list[str], django_capture_on_commit_callbacks: pytest.FixtureRequest
) -> None:
    """A worker is asked to look only when the fact is safe, and never without need."""
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        acme.call()
        assert kicks == []
    assert kicks == [str(acme.domain_uuid)]
