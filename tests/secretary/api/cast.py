"""A tenant with one object of each kind that addresses of the API name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from eslbridge.dialling import save_rules
from eslbridge.jobs import create_job
from secretary.models import CallerRequest, ExtensionMapping
from secretary.profiles import MessageRecord
from secretary.services.callbacks import Consent, request_callback
from secretary.services.calling_rules import save_calling_rules
from secretary.services.messages import save_message
from secretary.services.opening_hours import create_day, create_hours
from secretary.services.providers import create_credential
from secretary.tools.models import CallerFact
from secretary.tools.prompts import write_prompt
from secretary.tools.services import create_tool
from secretary.webhooks.models import Delivery
from secretary.webhooks.services import create_webhook, send_ping
from tenants.context import tenant_context
from tenants.keys import issue_domain_key
from tests.cast import Tenant, make_tenant

TOOL = {"name": "find_order", "description": "Finds an order.", "url": "https://crm.example.com/orders/{order}"} | {
    "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
}


@dataclass
class Cast:
    """A tenant and one object of each kind, by the name that it has in addresses."""

    tenant: Tenant
    objects: dict[str, UUID] = field(default_factory=dict)
    bodies: dict[str, Any] = field(default_factory=dict)


def cast_of(name: str) -> Cast:
    tenant = make_tenant(name)
    call = tenant.call()
    record = MessageRecord(text="Call me back.", audio=f"messages/{tenant.domain_uuid}.wav", complete=True)
    message = save_message(domain_uuid=tenant.domain_uuid, call_uuid=call.pk, record=record)
    folder = Path(settings.DATA_DIR) / "messages"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{tenant.domain_uuid}.wav").write_bytes(b"RIFF" + bytes(60))
    job = create_job(domain_uuid=tenant.domain_uuid, kind="originate", arguments={"number": "1001"})
    save_calling_rules(domain_uuid=tenant.domain_uuid)
    callback_uuid = request_callback(
        domain_uuid=tenant.domain_uuid, secretary_uuid=tenant.secretary.pk, call_uuid=call.pk, number="1001",
        name="Ana", reason="", consent=Consent("spoken", "Reception"), not_before=None, not_after=None,
    )  # fmt: skip
    key = issue_domain_key(domain_uuid=tenant.domain_uuid, name="spare", scopes=["calls:read"]).key
    with tenant_context(tenant.domain_uuid):
        webhook = create_webhook(url="https://crm.example.com/hook", events=["*"]).webhook
        delivery = send_ping(webhook_uuid=webhook.pk)
        Delivery.objects.update(state="delivered")
        call.recording = record.audio
        call.save()
        mapping = ExtensionMapping.objects.get()
        hours = create_hours(name="Office", weekly={"mon": ["09:00-18:00"]})
        day = create_day(date=date(2026, 12, 24), name="Christmas Eve")
    save_rules(domain_uuid=tenant.domain_uuid, country="US")
    with tenant_context(tenant.domain_uuid):
        tool = create_tool(**{**TOOL, "name": "find_customer"}).tool
        speech = create_credential(provider="openai-realtime", label="main", base_url="https://127.0.0.1.example/")
        version = write_prompt(secretary_uuid=tenant.secretary.pk, text="We mend heaters.")
        fact = CallerFact.objects.create(number="5511987650001", text="Prefers mornings")
        export = CallerRequest.objects.create(kind="export", state="done", path=f"exports/{tenant.domain_uuid}.zip")
    (Path(settings.DATA_DIR) / "exports").mkdir(exist_ok=True)
    (Path(settings.DATA_DIR) / export.path).write_bytes(b"PK" + bytes(20))
    objects = {
        "tool_uuid": tool.pk,
        "credential_uuid": speech.pk,
        "version_uuid": version.pk,
        "fact_uuid": fact.pk,
        "request_uuid": export.pk,
        "domain_uuid": tenant.domain_uuid,
        "secretary_uuid": tenant.secretary.pk,
        "mapping_uuid": mapping.pk,
        "destination_uuid": tenant.sales.pk,
        "call_uuid": call.pk,
        "message_uuid": message.pk,
        "job_uuid": job.pk,
        "callback_uuid": callback_uuid,
        "key_uuid": key.key_uuid,
        "webhook_uuid": webhook.pk,
        "hours_uuid": hours.pk,
        "day_uuid": day.pk,
        "delivery_uuid": delivery.pk,
    }
    bodies = {
        "prompt": {"secretary_uuid": str(tenant.secretary.pk), "text": "We mend bicycles."},
        "domain": {"name": name},
        "place": {"destination_uuid": str(tenant.sales.pk)},
        "extension": {"extension": "8002", "secretary_uuid": str(tenant.secretary.pk)},
    }
    return Cast(tenant, objects, bodies)
