"""Several callbacks for one colleague: their telephone rings for one of them at a time."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.utils import timezone

from secretary.models import CallbackAttempt, Destination
from secretary.services import placing
from tenants.context import tenant_context
from tests.cast import Tenant, make_tenant
from tests.secretary.services.test_callbacks import acme, ask, due, end, free, globex, no_broker, open_for_calls, row_of

__all__ = ["acme", "globex", "no_broker"]


def test_one_after_the_other(acme: Tenant) -> None:
    """The second is put off, which is no attempt; when the first is over it is placed."""
    first, second = ask(acme), ask(acme, number="+5511987650002")
    assert due() == placing.Placed(placed=1, put_off=1)
    running, waiting = sorted((row_of(acme, uuid) for uuid in (first, second)), key=lambda row: row.state)
    assert (waiting.state, waiting.attempts, waiting.outcome) == ("waiting", 0, "colleague_busy")
    end(acme, running.pk, "done")
    later = timezone.now() + 2 * placing.NOT_FREE
    assert placing.place_due(later, ask_free=free).placed == 1


def test_several_people(acme: Tenant) -> None:
    """A group has more than one telephone."""
    with tenant_context(acme.domain_uuid):
        Destination.objects.filter(pk=acme.sales.pk).update(kind="ring_group")
    ask(acme)
    ask(acme, number="+5511987650002")
    assert due() == placing.Placed(placed=2)


def test_by_hand(acme: Tenant) -> None:
    """Whoever presses the button knows what rings."""
    ask(acme)
    second = ask(acme, number="+5511987650002", not_before=timezone.now() + placing.NOT_FREE)
    assert due().placed == 1
    placing.place_now(domain_uuid=acme.domain_uuid, callback_uuid=second, asked_by="Bob")
    assert row_of(acme, second).state == "running"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_the_same_moment() -> None:
    """Each finds the colleague free; one of them is right."""
    acme = open_for_calls(make_tenant("acme.example", language="pt-br"))
    for number in ("+5511987650001", "+5511987650002", "+5511987650003"):
        ask(acme, number=number)
    start = threading.Barrier(4)

    def place() -> None:
        start.wait()
        try:
            due()
        finally:
            connection.close()

    threads = [threading.Thread(target=place) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with tenant_context(acme.domain_uuid):
        assert CallbackAttempt.objects.count() == 1
