"""Callbacks, jobs and telephones that ring by a button: what each person sees and may do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from eslbridge import dialling
from eslbridge.models import Job
from eslbridge.tasks import run_job
from secretary.models import Callback, Destination, Message
from tenants.context import tenant_context
from tests.secretary.panel.cast import Cast

SignIn = Callable[[str], Client]


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: None)


@pytest.fixture
def brazil(cast: Cast) -> Cast:
    """Acme may call Brazil."""
    dialling.save_rules(domain_uuid=cast.acme.domain.pk, country="BR", external_allowed=True)
    return cast


def at(cast: Cast, name: str, **more: object) -> str:
    route = {"callback": "callback_uuid", "message": "message_uuid", "call": "call_uuid", "job": "job_uuid"}
    keys: dict[str, object] = {"domain_uuid": cast.acme.domain.pk}
    key = "secretary_uuid" if name == "secretary-test" else route.get(name.split("-")[0], "")
    if key and name not in ("callback-new",):
        keys[key] = cast.acme.objects[key]
    return reverse(f"panel:{name}", kwargs=keys | more)


def originates(cast: Cast) -> list[dict[str, Any]]:
    with tenant_context(cast.acme.domain.pk):
        rows = Job.objects.filter(kind="originate").exclude(arguments={"number": "1001"})
        return [row.arguments for row in rows.order_by("created_at")]


def the_callback(cast: Cast) -> Callback:
    with tenant_context(cast.acme.domain.pk):
        return Callback.objects.get(pk=cast.acme.objects["callback_uuid"])


def foreign_callback(cast: Cast) -> Callback:
    """Acme's, but for somebody else than the agent."""
    with tenant_context(cast.acme.domain.pk):
        other = Destination.objects.create(name="Workshop", number="1002")
        return Callback.objects.create(
            number="+5511987650002", name="Somebody else", destination=other, consent_at=timezone.now(),
            not_after=timezone.now() + timedelta(days=1),
        )  # fmt: skip


def test_agents_see_their_own(cast: Cast, sign_in: SignIn) -> None:
    """Administrators and viewers see all; an agent what is addressed to them, and nothing of others by any address."""
    other = foreign_callback(cast)
    for role, seen in (("admin", True), ("viewer", True), ("agent", False)):
        page = sign_in(role).get(at(cast, "callbacks")).content.decode()
        assert "acme caller" in page and ("Somebody else" in page) == seen, role
        assert "globex" not in page
        assert ("New callback" in page) == (role != "viewer")
        one = at(cast, "callback", callback_uuid=other.pk)
        assert sign_in(role).get(one).status_code == (200 if seen else 404)
    for name in ("callback-place", "callback-done", "callback-cancel", "callback-change"):
        assert sign_in("agent").post(at(cast, name, callback_uuid=other.pk)).status_code == 404
    page = sign_in("viewer").get(at(cast, "callback")).content.decode()
    assert "Take back" not in page and "Call now" not in page


def test_called_from_ones_own_telephone(brazil: Cast, sign_in: SignIn) -> None:
    """An agent calls back from the telephone where they are reached; nobody's telephone rings that is not theirs."""
    agent = sign_in("agent")
    page = agent.get(at(brazil, "callback")).content.decode()
    assert "From my telephone (1001)" in page
    foreign = foreign_callback(brazil).destination_id
    agent.post(at(brazil, "callback-place"), {"phone": str(foreign)})
    (arguments,) = originates(brazil)
    assert (arguments["number"], arguments["to"]) == ("1001", "+5511987650001")
    row = the_callback(brazil)
    assert (row.state, row.attempts) == ("running", 1)
    page = agent.get(at(brazil, "callback")).content.decode()
    assert "asked for by gus" in page and "Being called" in page
    agent.post(at(brazil, "callback-place"))
    assert len(originates(brazil)) == 1
    agent.post(at(brazil, "callback-cancel"))
    assert the_callback(brazil).state == "cancelled"


def test_new(brazil: Cast, sign_in: SignIn) -> None:
    """From a message, with the consent that somebody heard; without it nothing is kept."""
    alice = sign_in("admin")
    page = alice.get(at(brazil, "callback-new") + f"?call={brazil.acme.objects['call_uuid']}").content.decode()
    assert "+5511987650001" in page
    foreign = brazil.globex.objects["call_uuid"]
    assert "+5511987650001" not in alice.get(at(brazil, "callback-new") + f"?call={foreign}").content.decode()
    values = {"number": "+55 (11) 98765-0003", "name": "Caio", "destination_uuid": ""}
    assert alice.post(at(brazil, "callback-new"), values).status_code == 422
    assert alice.post(at(brazil, "callback-new"), values | {"agreed": "on", "number": "190"}).status_code == 422
    assert alice.post(at(brazil, "callback-new"), values | {"agreed": "on"}).status_code == 302
    with tenant_context(brazil.acme.domain.pk):
        row = Callback.objects.get(name="Caio")
    assert (row.number, row.consent_how, row.consent_by) == ("+5511987650003", "panel", "alice")
    # An agent's callback is for one of their own destinations.
    agent, foreign_one = sign_in("agent"), str(foreign_callback(brazil).destination_id)
    mine = str(brazil.acme.objects["destination_uuid"])
    for whom, status in (("", 422), (foreign_one, 422), (mine, 302)):
        body = values | {"agreed": "on", "destination_uuid": whom}
        assert agent.post(at(brazil, "callback-new"), body).status_code == status


def test_changed(cast: Cast, sign_in: SignIn) -> None:
    """Other times, guarded against overwriting what somebody else has just changed; done by hand."""
    alice, row = sign_in("admin"), the_callback(cast)
    values = {
        "name": "Ana", "reason": "x", "destination_uuid": "", "not_before": "2026-01-01T10:00",
        "not_after": (timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M"), "max_attempts": "4",
    }  # fmt: skip
    assert alice.post(at(cast, "callback-change"), values).status_code == 409
    seen = {"seen": row.updated_at.isoformat()}
    assert alice.post(at(cast, "callback-change"), values | seen).status_code == 302
    row = the_callback(cast)
    assert (row.name, row.destination, row.max_attempts) == ("Ana", None, 4)
    alice.post(at(cast, "callback-done"))
    assert (the_callback(cast).state, the_callback(cast).outcome) == ("done", "by_hand")
    assert "Called by hand" in alice.get(at(cast, "callback")).content.decode()


@pytest.mark.parametrize("name", ["call-dial", "message-dial"])
def test_click_to_call(name: str, brazil: Cast, sign_in: SignIn) -> None:
    """The person's own telephone first; who has none is told so, and nothing rings."""
    with tenant_context(brazil.acme.domain.pk):
        Message.objects.update(caller_number="+5511987650008", given_number="+5511987650001")
    page = sign_in("admin").post(at(brazil, name), follow=True).content.decode()
    assert "Nobody knows your telephone" in page and originates(brazil) == []
    page = sign_in("agent").post(at(brazil, name), follow=True).content.decode()
    assert "Your telephone (1001) rings" in page
    (arguments,) = originates(brazil)
    assert (arguments["number"], arguments["then"], arguments["to"]) == ("1001", "dial", "+5511987650001")
    dialling.save_rules(domain_uuid=brazil.acme.domain.pk, external_allowed=False)
    assert "does not permit" in sign_in("agent").post(at(brazil, name), follow=True).content.decode()
    assert len(originates(brazil)) == 1


def test_test_call(cast: Cast, sign_in: SignIn) -> None:
    """A telephone of the domain rings, and whoever picks up talks to the secretary; no other number."""
    alice = sign_in("admin")
    for number in ("+5511987650001", "911", "8001", "10 01; hupall"):
        assert alice.post(at(cast, "secretary-test"), {"number": number}).status_code == 422
    assert alice.post(at(cast, "secretary-test"), {"number": "1001"}).status_code == 302
    (arguments,) = originates(cast)
    assert (arguments["number"], arguments["then"], arguments["to"]) == ("1001", "secretary", "8001")
    assert "Test call" in alice.get(reverse("panel:secretaries", args=[cast.acme.domain.pk])).content.decode()


def test_jobs(cast: Cast, sign_in: SignIn) -> None:
    """State, attempts and reason of each; an administrator takes one back; rubbish in the address is ignored."""
    alice = sign_in("admin")
    where = reverse("panel:jobs", args=[cast.acme.domain.pk])
    page = alice.get(where).content.decode()
    assert "Queued" in page and "Originate" in page
    assert "No job here" in alice.get(f"{where}?state=failed").content.decode()
    assert alice.get(f"{where}?state=%00&kind=x&before=zzz").status_code == 200
    alice.post(at(cast, "job-cancel"))
    page = alice.get(f"{where}?state=cancelled").content.decode()
    assert "Cancelled by alice" in page
    assert "Too late" in alice.post(at(cast, "job-cancel"), follow=True).content.decode()


def test_rules(cast: Cast, sign_in: SignIn) -> None:
    """The number shown, the day, and how often: by administrators alone, within bounds."""
    alice, where = sign_in("admin"), reverse("panel:calling-rules", args=[cast.acme.domain.pk])
    values = {
        "caller_id_number": "+551133330000", "caller_id_name": "Acme", "automatic": "on", "earliest": "09:00",
        "latest": "18:00", "max_attempts": "2", "spacing_minutes": "15", "expires_hours": "24", "ring_s": "20",
        "customer_ring_s": "30",
    }  # fmt: skip
    assert alice.post(where, values | {"latest": "08:00"}).status_code == 422
    assert alice.post(where, values | {"caller_id_number": "1};hupall"}).status_code == 422
    assert alice.post(where, values).status_code == 302
    assert 'value="09:00"' in alice.get(where).content.decode()
