"""Two tenants with one of everything; Alice, Gus and Vera of acme, Bob of globex, and Olga, who runs the platform."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.utils import timezone

from eslbridge.jobs import create_job
from eslbridge.models import DialAttempt
from eslbridge.services import save_credential
from secretary.models import (
    Call,
    Callback,
    CallerRequest,
    CallEvent,
    Destination,
    ExtensionMapping,
    Message,
    OpeningHours,
    Secretary,
    SpecialDay,
    Utterance,
)
from secretary.services.providers import create_credential
from secretary.services.reach import set_destinations
from secretary.tools.models import CallerFact
from secretary.tools.prompts import write_prompt
from secretary.tools.services import create_tool
from secretary.webhooks.models import Delivery
from secretary.webhooks.outbox import emit
from secretary.webhooks.services import create_webhook
from tenants.context import tenant_context
from tenants.models import Domain, Member
from tenants.people import invitations
from tenants.services import add_member, create_domain

PASSWORD = "a calm secretary"


@dataclass(frozen=True, slots=True)
class House:
    """A tenant and the UUIDs of one row of each kind, by the name that addresses use for it."""

    domain: Domain
    objects: dict[str, UUID]

    def args(self, **others: UUID) -> dict[str, UUID]:
        return {"domain_uuid": self.domain.pk, **self.objects, **others}


@dataclass(frozen=True, slots=True)
class Cast:
    """Both houses, and the people by role as seen from acme."""

    acme: House
    globex: House
    people: dict[str, User]


def record_sound(path: Path, seconds: float = 2.0) -> bytes:
    """Write a stereo 8,000 Hz WAV of a quiet saw-tooth; gives the file's bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"".join(((i * 16) % 4096).to_bytes(2, "little") * 2 for i in range(int(seconds * 8000))))
    return path.read_bytes()


def furnish(name: str, data_dir: Path) -> House:
    """Make a tenant with one of everything, told from another's by its name."""
    domain = create_domain(name=f"{name}.example")
    record_sound(data_dir / name / "call.wav")
    now = timezone.now()
    save_credential(domain_uuid=domain.pk, host=f"pbx.{name}.example", password=f"{name}'s own")
    with tenant_context(domain.pk):
        secretary = Secretary.objects.create(name=f"{name} secretary", greeting=f"Hello, {name}")
        mapping = ExtensionMapping.objects.create(extension="8001", secretary=secretary)
        hours = OpeningHours.objects.create(
            name=f"{name} hours", is_default=True, weekly={"mon": ["09:00-12:00", "13:00-18:00"]}, holidays_country="BR"
        )
        day = SpecialDay.objects.create(hours=hours, date=date(2026, 12, 24), name=f"{name} eve")
        DialAttempt.objects.create(kind="external", number="+19005551234", allowed=False, reason="premium")
        destination = Destination.objects.create(name=f"{name} sales", aliases=[f"{name} orders"], number="1001")
        call = Call.objects.create(
            secretary=secretary,
            destination=destination,
            extension="8001",
            caller_name=f"{name} caller",
            caller_number="+5511987650001",
            started_at=now - timedelta(seconds=40),
            answered_at=now - timedelta(seconds=40),
            ended_at=now - timedelta(seconds=20),
            outcome="transferred",
            recording=f"{name}/call.wav",
            latency={"greeting": {"count": 1, "p50": 84, "max": 84}, "response": {"count": 3, "p50": 900, "max": 1500}},
        )
        lines = (
            ("secretary", f"Hello, {name}. How can", 0, 900, True),
            ("caller", f"{name} sales please", 800, 1700, False),
        )
        for position, (who, text, start, end, interrupted) in enumerate(lines):
            Utterance.objects.create(
                call=call, position=position, who=who, text=text, start_ms=start, end_ms=end, interrupted=interrupted
            )
        CallEvent.objects.create(call=call, at_ms=0, kind="answered")
        CallEvent.objects.create(call=call, at_ms=1900, kind="tool_done", detail={"name": "transfer", "outcome": "ok"})
        message = Message.objects.create(
            secretary=secretary,
            call=call,
            caller_name=f"{name} friend",
            text=f"Call {name} back",
            audio=f"{name}/call.wav",
        )
        callback = Callback.objects.create(
            number="+5511987650001", name=f"{name} caller", reason=f"About {name}", destination=destination, call=call,
            consent_at=now, consent_how="spoken", not_after=now + timedelta(days=2), next_attempt_at=now,
        )  # fmt: skip
        job = create_job(
            domain_uuid=domain.pk, kind="originate", arguments={"number": "1001"}, run_after=now + timedelta(hours=1)
        )
        (data_dir / name / "caller.zip").write_bytes(b"PK" + name.encode())
        asked = CallerRequest.objects.create(kind="export", state="done", path=f"{name}/caller.zip")
        webhook = create_webhook(url=f"https://{name}.example/hook", events=["*"], description=f"{name} CRM").webhook
        emit(domain.pk, "call.ended", {"caller_name": f"{name} caller"}, fact=str(call.pk))
        delivery = Delivery.objects.get()
        Delivery.objects.update(state="delivered", attempts=1, response_status=200, response_body=f"{name} thanks")
        tool = create_tool(
            name="find_order",
            description=f"Finds an order of {name}",
            url=f"https://{name}.example/orders/{{order}}",
            parameters={"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
        ).tool
        speech = create_credential(provider="gemini-live", label=name, base_url=f"https://127.0.0.1.{name}.invalid/")
        version = write_prompt(secretary_uuid=secretary.pk, text=f"{name} mends heaters", name=f"{name} winter")
        fact = CallerFact.objects.create(number="5511987650001", text=f"{name} caller prefers mornings")
    return House(
        domain,
        {
            "secretary_uuid": secretary.pk,
            "mapping_uuid": mapping.pk,
            "hours_uuid": hours.pk,
            "day_uuid": day.pk,
            "destination_uuid": destination.pk,
            "call_uuid": call.pk,
            "message_uuid": message.pk,
            "callback_uuid": callback.pk,
            "job_uuid": job.pk,
            "request_uuid": asked.pk,
            "tool_uuid": tool.pk,
            "credential_uuid": speech.pk,
            "version_uuid": version.pk,
            "fact_uuid": fact.pk,
            "webhook_uuid": webhook.pk,
            "delivery_uuid": delivery.pk,
        },
    )


def welcome(house: House, name: str) -> None:
    """Give a house somebody who is reached at its destination, and an open invitation."""
    with tenant_context(house.domain.pk):
        member = Member.objects.select_related("user").get(user__username=name)
        set_destinations(member=member, destinations=[house.objects["destination_uuid"]])
    issued = invitations.invite(
        domain_uuid=house.domain.pk, email=f"ina@{house.domain.name}", role="agent", invited_by="somebody"
    )
    house.objects.update(member_uuid=member.pk, invitation_uuid=issued.invitation.pk)


def assemble(data_dir: Path) -> Cast:
    """Both houses and everybody in them."""
    acme, globex = furnish("acme", data_dir), furnish("globex", data_dir)
    people = {
        "admin": User.objects.create_user("alice", password=PASSWORD, first_name="Alice", last_name="Moreau"),
        "agent": User.objects.create_user("gus", password=PASSWORD),
        "viewer": User.objects.create_user("vera", password=PASSWORD),
        "stranger": User.objects.create_user("bob", password=PASSWORD),
        "operator": User.objects.create_superuser("olga", password=PASSWORD),
    }
    for role in ("admin", "agent", "viewer"):
        add_member(domain_uuid=acme.domain.pk, user_id=people[role].pk, role=role)
    add_member(domain_uuid=globex.domain.pk, user_id=people["stranger"].pk, role="admin")
    for house, name in ((acme, "gus"), (globex, "bob")):
        welcome(house, name)
    return Cast(acme, globex, people)


NOBODY = uuid4()
"""A UUID of nothing."""
