"""A call's row: a slot of the quota, a lease, and a record that is written once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from secretary.errors import ForeignCall, QuotaFull
from secretary.models import Call, CallEvent, Message, Utterance
from secretary.profiles import CallRecord, EventRecord, MessageRecord, UtteranceRecord
from secretary.services.calls import (
    LEASE,
    NODE_LOST,
    finish_call,
    note_facts,
    open_call,
    refuse_call,
    renew_leases,
    sweep_calls,
)
from secretary.services.destinations import delete_destination
from tenants.context import tenant_context
from tests.cast import Tenant, make_tenant

HELLO = UtteranceRecord("secretary", "Good morning.", 0, 900)
SALES = UtteranceRecord("caller", "sales please", 1200, 2100, True)


def row(tenant: Tenant, call: Call) -> Call:
    with tenant_context(tenant.domain_uuid):
        return Call.objects.get(call_uuid=call.call_uuid)


def finish(tenant: Tenant, call: Call, *, node: str = "", **record: Any) -> bool:
    record.setdefault("outcome", "completed")
    return finish_call(domain_uuid=tenant.domain_uuid, call_uuid=call.call_uuid, record=CallRecord(**record), node=node)


def test_opened(acme: Tenant) -> None:
    """The row says who called whom, on which node, and that the call lasts."""
    call = acme.call(caller_number="1000", caller_name="Alice")
    assert (call.extension, call.caller_number, call.caller_name) == ("8001", "1000", "Alice")
    assert (call.node, call.transport, call.outcome) == ("node-a", "direct-udp", "in_progress")
    assert call.secretary_id == acme.secretary.secretary_uuid
    assert call.lease_until > timezone.now()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Eve\0", "Eve"),
        ("Eve\r\nVia: x", "Eve Via: x"),
        ("x" * 5000, "x" * 120),
        ("\ud800", "?"),
        ("\x1b[31m", "[31m"),
        ("Zoë 世界", "Zoë 世界"),
        ("' or true; --", "' or true; --"),
    ],
)
def test_names_from_sip_are_cleaned_not_fatal(acme: Tenant, given: str, kept: str) -> None:
    """Whatever a SIP header holds, the call is taken."""
    call = acme.call(caller_name=given, caller_number=given)
    assert call.caller_name == kept
    assert call.caller_number == kept[:64]


def test_quota(acme: Tenant, globex: Tenant) -> None:
    """The call beyond the tenant's limit is refused; another tenant's calls do not count."""
    profile = replace(acme.profile(), max_calls=2)
    globex.call()
    first = open_call(profile=profile, call_uuid=uuid4(), node="node-a")
    open_call(profile=profile, call_uuid=uuid4(), node="node-a")
    with pytest.raises(QuotaFull):
        open_call(profile=profile, call_uuid=uuid4(), node="node-a")
    finish_call(domain_uuid=acme.domain_uuid, call_uuid=first.call_uuid, record=CallRecord("completed"))
    open_call(profile=profile, call_uuid=uuid4(), node="node-a")
    with pytest.raises(QuotaFull):
        open_call(profile=replace(globex.profile(), max_calls=0), call_uuid=uuid4(), node="node-a")


@pytest.mark.django_db(transaction=True)
def test_ten_threads_race_for_the_last_slot() -> None:
    """Exactly one gets it."""
    profile = replace(make_tenant("acme.example").profile(), max_calls=1)
    connections.close_all()  # the pool has ten connections, and each racer wants one
    barrier, results = Barrier(10, timeout=30), []

    def dial() -> None:
        connections["default"].ensure_connection()  # or connecting would space them out, and nobody would race
        barrier.wait()
        try:
            open_call(profile=profile, call_uuid=uuid4(), node="node-a")
            results.append("taken")
        except QuotaFull:
            results.append("full")
        finally:
            connections.close_all()

    threads = [Thread(target=dial) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["full"] * 9 + ["taken"]


def test_second_node_takes_the_call_over(acme: Tenant) -> None:
    """A call that comes back keeps its row, its start and its slot, even when the quota is full."""
    call = acme.call()
    profile = replace(acme.profile(), max_calls=1)
    opened = open_call(profile=profile, call_uuid=call.call_uuid, node="node-b", caller_number="forged")
    assert opened.resumed and opened.started_at == call.started_at
    again = row(acme, call)
    assert (again.node, again.caller_number, again.outcome) == ("node-b", call.caller_number, "in_progress")


def test_channel_of_another_tenant(acme: Tenant, globex: Tenant) -> None:
    """Two domains on one switch can pass a channel on; its row stays with the first, untouched."""
    call = acme.call()
    with pytest.raises(ForeignCall):
        globex.call(call.call_uuid)
    assert not refuse_call(
        domain_uuid=globex.domain_uuid, call_uuid=call.call_uuid, reason="foreign_call", node="node-a"
    )
    assert row(acme, call).outcome == "in_progress"


def test_written_whole(acme: Tenant) -> None:
    """Outcome, transcript, timeline and message in one go, in order, with the caller's identity on the message."""
    call = acme.call(caller_number="1000", caller_name="Alice")
    assert finish(
        acme,
        call,
        outcome="message",
        outcome_detail="asked for Bob",
        destination_uuid=acme.sales.destination_uuid,
        recording="calls/x.wav",
        latency_ms={"greeting": 81.5},
        utterances=(HELLO, SALES),
        events=(EventRecord(0, "answered"), EventRecord(1250, "barge_in", {"heard_ms": 840})),
        message=MessageRecord("call me back", "messages/x.wav", True),
    )
    kept = row(acme, call)
    assert (kept.outcome, kept.outcome_detail, kept.recording) == ("message", "asked for Bob", "calls/x.wav")
    assert kept.latency == {"greeting": 81.5} and kept.ended_at is not None
    with tenant_context(acme.domain_uuid):
        lines = [(u.position, u.who, u.text, u.interrupted) for u in Utterance.objects.all()]
        assert lines == [(0, "secretary", "Good morning.", False), (1, "caller", "sales please", True)]
        assert [(e.at_ms, e.kind, e.detail) for e in CallEvent.objects.all()] == [
            (0, "answered", {}),
            (1250, "barge_in", {"heard_ms": 840}),
        ]
        message = Message.objects.get()
        assert (message.text, message.caller_number, message.caller_name) == ("call me back", "1000", "Alice")
        assert message.complete and message.secretary_id == acme.secretary.secretary_uuid


def test_finished_once(acme: Tenant, globex: Tenant) -> None:
    """The second record changes nothing; nobody finishes another tenant's call."""
    call = acme.call()
    assert not finish(globex, call)
    assert finish(acme, call, outcome="transferred", utterances=(HELLO,))
    assert not finish(acme, call, outcome="failed", utterances=(HELLO,))
    assert row(acme, call).outcome == "transferred"
    with tenant_context(acme.domain_uuid):
        assert Utterance.objects.count() == 1


def test_transcript_goes_on_after_the_first_nodes(acme: Tenant) -> None:
    """What a second node hears comes after what the first one wrote."""
    call = acme.call()
    finish(acme, call, utterances=(HELLO,))
    open_call(profile=acme.profile(), call_uuid=call.call_uuid, node="node-b")
    assert finish(acme, call, utterances=(SALES,))
    with tenant_context(acme.domain_uuid):
        assert [u.text for u in Utterance.objects.all()] == ["Good morning.", "sales please"]


def test_call_that_another_node_has_is_not_ended_by_the_first(acme: Tenant) -> None:
    """It moved on while its first node was writing: the words are kept, the slot and the outcome are the other's."""
    call = acme.call()
    open_call(profile=acme.profile(), call_uuid=call.call_uuid, node="node-b")
    assert finish(acme, call, node="node-a", utterances=(HELLO,))
    assert row(acme, call).outcome == "in_progress"
    later = replace(SALES, start_ms=500, end_ms=900)
    began = call.started_at + timedelta(seconds=60)
    assert finish(acme, call, node="node-b", outcome="message", answered_at=began, utterances=(later,))
    assert row(acme, call).outcome == "message"
    with tenant_context(acme.domain_uuid):
        lines = [(u.text, u.start_ms) for u in Utterance.objects.all()]
    assert lines == [("Good morning.", HELLO.start_ms), ("sales please", 60_500)]


def test_facts_go_with_the_call(acme: Tenant, globex: Tenant) -> None:
    """What a caller told a node that is lost, or late, the next node has; nobody writes into another tenant's call."""
    call = acme.call()
    note_facts(domain_uuid=acme.domain_uuid, call_uuid=call.pk, node="node-a", given={"name": "Maria", "moods": "bad"})
    note_facts(domain_uuid=globex.domain_uuid, call_uuid=call.pk, node="node-a", given={"name": "Eve"})
    opened = open_call(profile=acme.profile(), call_uuid=call.pk, node="node-b")
    assert opened.facts == {"name": "Maria"}
    note_facts(domain_uuid=acme.domain_uuid, call_uuid=call.pk, node="node-a", given={"name": "Late"})
    assert finish(acme, call, node="node-a", facts={"name": "Mary", "reason": "a saw"})
    assert row(acme, call).facts == {"name": "Maria", "reason": "a saw"}
    assert finish(acme, call, node="node-b", facts={"number": "5550142"})
    assert row(acme, call).facts == {"name": "Maria", "reason": "a saw", "number": "5550142"}


def test_record_of_nonsense_is_still_written(acme: Tenant) -> None:
    """NULs, odd numbers, deep structures and unknown words are mended; the rest of the record is not lost."""
    call = acme.call()
    deep: dict[str, object] = {}
    for _ in range(50):
        deep = {"x\0": deep, "nan": float("nan"), "big": 10**30}
    assert finish(
        acme,
        call,
        outcome="confused",
        outcome_detail="\0" * 9 + "x" * 999,
        destination_uuid=uuid4(),
        recording="a" * 999,
        latency_ms={"greeting": float("inf")},
        utterances=(UtteranceRecord("ghost", "a\0b\ud800", 50, 20), UtteranceRecord("caller", "x" * 99_999, -5, 2**40)),
        events=(EventRecord(-1, "k" * 99, deep), EventRecord(2**40, "\0", {"bytes": b"\xff", "set": {1}})),
    )
    kept = row(acme, call)
    assert kept.outcome == "failed" and kept.outcome_detail.startswith("confused")
    assert kept.destination_id is None and kept.latency == {"greeting": None}
    with tenant_context(acme.domain_uuid):
        first, second = Utterance.objects.all()
        assert (first.text, first.start_ms, first.end_ms) == ("ab?", 50, 50)
        assert (len(second.text), second.start_ms) == (10_000, 0)
        assert CallEvent.objects.count() == 2


def test_destination_deleted_in_mid_call(acme: Tenant) -> None:
    """The record is written without it."""
    call = acme.call()
    with tenant_context(acme.domain_uuid):
        delete_destination(destination_uuid=acme.sales.destination_uuid)
    assert finish(acme, call, outcome="transferred", destination_uuid=acme.sales.destination_uuid)


def test_refused_call_is_on_record(acme: Tenant) -> None:
    """A call that went to the fallback at once is in the list, with the reason; it takes no slot."""
    call_uuid = uuid4()
    about = {"call_uuid": call_uuid, "reason": "quota_full", "node": "node-a", "caller_name": "E\0ve"}
    assert refuse_call(domain_uuid=acme.domain_uuid, **about)  # type: ignore[arg-type]
    assert not refuse_call(domain_uuid=acme.domain_uuid, **about)  # type: ignore[arg-type]
    with tenant_context(acme.domain_uuid):
        kept = Call.objects.get()
    assert (kept.outcome, kept.outcome_detail, kept.caller_name) == ("fallback", "quota_full", "Eve")
    assert not refuse_call(domain_uuid=uuid4(), call_uuid=uuid4(), reason="unknown_domain", node="node-a")


def test_dead_nodes_calls_are_ended(acme: Tenant, globex: Tenant) -> None:
    """Without a sign of life the slot is free and the row ends, in all tenants; renewed ones stay."""
    lost, foreign, alive = acme.call(), globex.call(), acme.call()
    moment = timezone.now() + LEASE + timedelta(seconds=1)
    assert sweep_calls() == 0
    with tenant_context(acme.domain_uuid):
        Call.objects.filter(call_uuid=alive.call_uuid).update(lease_until=moment + timedelta(seconds=5))
    assert sweep_calls(moment) == 2
    for tenant, call in ((acme, lost), (globex, foreign)):
        kept = row(tenant, call)
        assert (kept.outcome, kept.outcome_detail, kept.ended_at) == ("failed", NODE_LOST, moment)
    assert row(acme, alive).outcome == "in_progress"


def test_sign_of_life(acme: Tenant, globex: Tenant) -> None:
    """A node renews its own calls of all tenants in one statement, and not another node's or ended ones."""
    mine, theirs, ended = acme.call(), globex.call(), acme.call()
    finish(acme, ended)
    uuids = [mine.call_uuid, theirs.call_uuid, ended.call_uuid, uuid4()]
    assert renew_leases(node="node-a", call_uuids=uuids) == 2
    assert renew_leases(node="node-b", call_uuids=uuids) == 0
    assert renew_leases(node="node-a", call_uuids=[]) == 0
    assert row(acme, mine).lease_until > mine.lease_until


def test_lease_that_ran_out_frees_the_slot_before_the_sweeper_comes(acme: Tenant) -> None:
    """A dead node's calls do not keep a tenant from being called."""
    profile = replace(acme.profile(), max_calls=1)
    dead = acme.call()
    with tenant_context(acme.domain_uuid):
        Call.objects.filter(call_uuid=dead.call_uuid).update(lease_until=timezone.now() - timedelta(seconds=1))
    open_call(profile=profile, call_uuid=uuid4(), node="node-b")


def test_node_that_was_only_slow(acme: Tenant) -> None:
    """A node given up too early still writes its record."""
    call = acme.call()
    sweep_calls(timezone.now() + LEASE + timedelta(seconds=1))
    assert row(acme, call).outcome_detail == NODE_LOST
    assert finish(acme, call, outcome="transferred", utterances=(HELLO,))
    assert row(acme, call).outcome == "transferred"
