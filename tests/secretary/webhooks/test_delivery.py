"""Deliveries over real HTTP in virtual time: success, every kind of failure, retries, the end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from secretary.webhooks import attempt, signing
from secretary.webhooks.models import Delivery, DeliveryState, Webhook
from secretary.webhooks.sweep import sweep
from tenants import egress
from tenants.context import tenant_context
from tenants.models.audit import AuditEvent
from tests.cast import Tenant
from tests.receiver import Receiver, answer, drip, raw, receiving, silence
from tests.secretary.webhooks.post import Clock, content, deliver, deliveries, happen, hook, let_through, only

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kicks")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of time, shorter."""
    limits = egress.Limits(connect_s=0.4, total_s=0.5, max_body=attempt.LIMITS.max_body, cut=True)
    monkeypatch.setattr(attempt, "LIMITS", limits)


def webhook_of(tenant: Tenant) -> Webhook:
    with tenant_context(tenant.domain_uuid):
        return Webhook.objects.get()


def test_success(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """The message arrives signed, and the log says what the receiver answered."""
    secret = hook(acme, receiver).secret
    event_uuid = happen(acme, "call.ended", call_uuid="x", text="Olá")
    assert deliver(acme, clock) == 1
    [got] = receiver.received
    assert signing.verify([secret], headers=got.headers, body=got.body, now=clock()) == str(event_uuid)
    body = content(got)
    assert (body["id"], body["type"], body["version"]) == (str(event_uuid), "call.ended", 1)
    assert body["domain_uuid"] == str(acme.domain_uuid) and body["data"] == {"call_uuid": "x", "text": "Olá"}
    assert got.method == "POST" and got.headers["content-type"] == "application/json"
    assert got.headers["webhook-attempt"] == "1" and secret not in str(got)
    row = only(acme)
    assert (row.state, row.response_status, row.response_body) == ("delivered", 200, "thanks")
    assert row.duration_ms is not None and got.headers["webhook-delivery"] == str(row.pk)
    assert deliver(acme, clock) == 0


def test_only_what_was_chosen(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """A webhook gets the types it has chosen, one that is switched off gets nothing."""
    hook(acme, receiver, ["message.created", "call.ended"])
    hook(acme, receiver, enabled=False)
    for event_type in ("call.started", "call.ended", "transfer.done", "message.created"):
        happen(acme, event_type)
    assert deliver(acme, clock) == 2
    assert [content(got)["type"] for got in receiver.received] == ["call.ended", "message.created"]


FAILURES = {
    "500": (answer(500, b"oh no"), 500, ""),
    "404": (answer(404), 404, ""),
    "a redirect": (answer(302, b"", ["Location: http://127.0.0.1:1/"]), 302, ""),
    "silence": (silence(), None, "timeout"),
    "a slow drip": (drip(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"x"), None, "timeout"),
    "no HTTP": (raw(b"hello\r\n\r\n"), None, "protocol"),
    "a closed connection": (raw(b""), None, "protocol"),
}


@pytest.mark.parametrize("how", FAILURES)
def test_failure_is_tried_again(acme: Tenant, receiver: Receiver, clock: Clock, how: str) -> None:
    """Whatever goes wrong: written down, tried again in about ten seconds, then well."""
    behaviour, status, error = FAILURES[how]
    receiver.then(behaviour, answer())
    hook(acme, receiver)
    event_uuid = happen(acme)
    assert deliver(acme, clock) == 1
    row = only(acme)
    assert (row.state, row.response_status, row.error, row.attempts) == ("waiting", status, error, 1)
    assert timedelta(seconds=8) <= row.next_attempt_at - clock() <= timedelta(seconds=12)
    clock.pass_by(seconds=7)
    assert deliver(acme, clock) == 0
    clock.pass_by(seconds=6)
    assert deliver(acme, clock) == 1
    row = only(acme)
    assert (row.state, row.attempts, row.error) == ("delivered", 2, "")
    assert {got.headers["webhook-id"] for got in receiver.received} == {str(event_uuid)}
    assert webhook_of(acme).consecutive_failures == 0 and webhook_of(acme).failing_since is None


def test_huge_answer(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """Of a long answer the first 2 KB are read and kept; binary rubbish does no harm."""
    receiver.then(answer(200, b"\xff\0\x1b[2J" + b"x" * 3_000_000))
    hook(acme, receiver)
    happen(acme)
    deliver(acme, clock)
    row = only(acme)
    assert row.state == "delivered" and 1000 < len(row.response_body) <= 2048 and "\0" not in row.response_body


def test_redirect_inside(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """A redirect leads nowhere: what it points to sees no connection."""
    with receiving() as inside:
        receiver.then(answer(307, b"", [f"Location: {inside.url('/admin')}"]))
        hook(acme, receiver)
        happen(acme)
        deliver(acme, clock)
        assert inside.connections == 0 and only(acme).response_status == 307


def test_name_that_leads_inside(acme: Tenant, receiver: Receiver, clock: Clock, settings: Settings) -> None:
    """A name that was public when it was stored and is internal now: nothing is sent, and the log says why."""
    settings.EGRESS_ALLOW = []
    settings.EGRESS_PORTS = [str(receiver.port)]
    hook(acme, receiver, url=f"http://hooks.example:{receiver.port}/")
    happen(acme)

    def send(*args: object, **more: object) -> egress.Response:
        return egress.request(*args, **more, resolve=lambda host, port: ["127.0.0.1"])  # type: ignore[arg-type]

    deliver(acme, clock, send=send)
    assert (only(acme).error, only(acme).state, receiver.connections) == ("address", "waiting", 0)


def test_retry_after(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """A receiver may ask for a longer pause, up to an hour."""
    receiver.then(answer(429, b"", ["Retry-After: 600"]), answer(503, b"", ["Retry-After: 999999"]), answer())
    hook(acme, receiver)
    happen(acme)
    deliver(acme, clock)
    assert only(acme).next_attempt_at - clock() == timedelta(seconds=600)
    clock.pass_by(seconds=600)
    deliver(acme, clock)
    assert only(acme).next_attempt_at - clock() == timedelta(hours=1)


def test_three_days_then_given_up(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """Retries go on for three days; then the delivery has failed, and a webhook that only fails is switched off."""
    receiver.then(answer(500))
    issued = hook(acme, receiver)
    happen(acme)
    begun, attempts = clock(), 0
    while only(acme).is_open:
        attempts += deliver(acme, clock)
        clock.pass_by(minutes=20)
        sweep(clock())  # ends what would be due only after the three days
        assert clock() - begun < timedelta(days=4)
    assert 12 <= attempts <= 24 and only(acme).attempts == attempts
    assert clock() - begun > timedelta(days=2.6)
    assert only(acme).state == DeliveryState.FAILED
    # The next event finds it hopeless.
    clock.pass_by(days=1)
    happen(acme)
    happen(acme)
    with tenant_context(acme.domain_uuid):
        Delivery.objects.filter(state="waiting").update(next_attempt_at=clock(), expires_at=clock() + timedelta(days=3))
    deliver(acme, clock)
    webhook = webhook_of(acme)
    assert not webhook.enabled and webhook.disabled_reason == "failing"
    assert [row.state for row in deliveries(acme)] == ["failed"] * 3
    with tenant_context(acme.domain_uuid):
        line = AuditEvent.objects.get(action="webhook.switched-off")
    assert line.object_id == str(issued.webhook.pk) and line.new["reason"] == "failing"
    assert issued.secret not in str(line.new) + str(line.old)


def test_gone(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """410 says: never again."""
    receiver.then(answer(410))
    hook(acme, receiver)
    happen(acme)
    happen(acme)
    assert deliver(acme, clock) == 1
    assert webhook_of(acme).disabled_reason == "gone" and not webhook_of(acme).enabled
    assert [(row.state, row.error) for row in deliveries(acme)] == [("failed", ""), ("failed", "switched_off")]


def test_breather(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """A receiver that fails again and again is left alone for a while; one success, and all goes on at once."""
    receiver.then(*[answer(500)] * 6, answer())
    hook(acme, receiver)
    for _ in range(20):
        happen(acme)
    assert deliver(acme, clock) == 5
    assert deliver(acme, clock) == 0
    clock.pass_by(seconds=16)
    assert deliver(acme, clock) == 1
    clock.pass_by(seconds=31)
    assert deliver(acme, clock) == 20
    assert {row.state for row in deliveries(acme)} == {"delivered"}


def test_rotation(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """While a secret is exchanged both sign; afterwards only the new one does."""
    from secretary.webhooks.services import rotate_secret

    old = hook(acme, receiver)
    with tenant_context(acme.domain_uuid):
        new = rotate_secret(webhook_uuid=old.webhook.pk)
    happen(acme)
    deliver(acme, clock)
    for secret in (old.secret, new.secret):
        assert signing.verify(
            [secret], headers=receiver.received[0].headers, body=receiver.received[0].body, now=clock()
        )
    clock.pass_by(hours=25)
    happen(acme)
    deliver(acme, clock)
    last = receiver.received[-1]
    assert last.headers["webhook-signature"].count("v1,") == 1
    assert signing.verify([new.secret], headers=last.headers, body=last.body, now=clock())


def test_lost_key(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """A secret that no key opens stops its own webhook, not the lane."""
    from django.db import connection

    broken = hook(acme, receiver)
    hook(acme, receiver, url=receiver.url("/other"))
    with tenant_context(acme.domain_uuid), connection.cursor() as cursor:
        cursor.execute("update webhooks_webhook set secret = 'rubbish' where webhook_uuid = %s", [broken.webhook.pk])
    happen(acme)
    assert deliver(acme, clock) == 2
    assert [got.path for got in receiver.received] == ["/other"]
    assert sorted(row.error for row in deliveries(acme)) == ["", "secret"]


def test_switched_off_domain(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """Nothing leaves a domain that is switched off."""
    from tenants.services import update_domain

    hook(acme, receiver)
    happen(acme)
    update_domain(domain_uuid=acme.domain_uuid, enabled=False)
    assert deliver(acme, clock) == 0 and receiver.connections == 0


def test_in_order(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """One lane sends in the order in which things happened."""
    hook(acme, receiver)
    events = [str(happen(acme, number=number)) for number in range(10)]
    deliver(acme, clock)
    assert [got.headers["webhook-id"] for got in receiver.received] == events


def test_budget(acme: Tenant, receiver: Receiver, clock: Clock, kicks: list[str]) -> None:
    """A lane ends in time, and asks for another."""
    hook(acme, receiver)
    happen(acme)
    happen(acme)
    assert deliver(acme, clock, budget_s=0) == 1
    assert kicks[-1] == str(acme.domain_uuid)


def test_one_receiver_does_not_hold_up_another(
    acme: Tenant, receiver: Receiver, clock: Clock, settings: Settings
) -> None:
    """While two attempts at one receiver are under way, the domain's other receivers are served."""
    from secretary.webhooks.claims import claim_next

    with receiving(silence()) as slow:
        let_through(settings, slow)
        busy = hook(acme, slow)
        for _ in range(10):
            happen(acme)
        hook(acme, receiver)
        happen(acme, "message.created")
        claims = [claim_next(domain_uuid=acme.domain_uuid, now=clock()) for _ in range(2)]
        assert [claim.webhook_uuid for claim in claims if claim] == [busy.webhook.pk] * 2
        assert deliver(acme, clock) == 1
        assert content(receiver.received[0])["type"] == "message.created" and slow.connections == 0
