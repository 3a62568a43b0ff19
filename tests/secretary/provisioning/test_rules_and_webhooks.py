"""What there is once in a domain (quota, data, calling out), and webhooks, in a domain's document."""

from __future__ import annotations

import copy
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from secretary.models import CallingRules, Secretary
from secretary.provisioning.plan import DocumentError
from secretary.webhooks.models import Webhook
from secretary.webhooks.signing import new_secret
from tenants.context import tenant_context
from tenants.models import AuditEvent, DataRules, Quota
from tests.cast import Tenant, acme, globex
from tests.secretary.api.client import bearer, domain_key, installation_key
from tests.secretary.provisioning.test_hours_and_rules import apply

__all__ = ["acme", "globex"]

SECRET = new_secret()
DOCUMENT: dict[str, Any] = {
    "quota": {"minutes_per_day": 60, "money_per_month": "12.50", "max_secretaries": 5},
    "data_rules": {"messages_days": 90, "redact_identity": True, "announce_ai": True},
    "calling_rules": {"automatic": True, "earliest": "08:30", "latest": "19:00", "caller_id_number": "1000"},
    "webhooks": [
        {"url": "https://crm.example.com/hook", "events": ["call.ended", "call.ended"], "secret": SECRET},
        {"url": "https://crm.example.com/all", "description": "All"},
    ],
}


def changed(**about: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DOCUMENT), **about}


def test_all_of_it_and_again(acme: Tenant, globex: Tenant) -> None:
    """It is what the document says, in this domain alone; the same again changes nothing; secrets stay."""
    assert apply(acme, **DOCUMENT).result == "changed"
    with tenant_context(acme.domain_uuid):
        quota, rules, calling = Quota.objects.get(), DataRules.objects.get(), CallingRules.objects.get()
        assert (quota.minutes_per_day, quota.money_per_month, quota.max_secretaries) == (60, Decimal("12.50"), 5)
        assert (rules.messages_days, rules.redact_cards, rules.redact_identity) == (90, True, True)
        assert (calling.automatic, calling.earliest.strftime("%H:%M"), calling.caller_id_number) == (
            True, "08:30", "1000",
        )  # fmt: skip
        one, every = Webhook.objects.order_by("-url")
        assert (one.events, one.secret, every.events) == (["call.ended"], SECRET, ["*"])
        assert every.secret.startswith("whsec_") and every.secret != SECRET
        assert SECRET not in str(list(AuditEvent.objects.values_list("new", "old")))
    with tenant_context(globex.domain_uuid):
        assert not (Quota.objects.exists() or Webhook.objects.exists() or DataRules.objects.exists())
    assert apply(acme, **DOCUMENT).result == "unchanged"
    without = [{name: value for name, value in hook.items() if name != "secret"} for hook in DOCUMENT["webhooks"]]
    assert apply(acme, webhooks=without).result == "unchanged"
    with tenant_context(acme.domain_uuid):
        Webhook.objects.update(enabled=False, consecutive_failures=9, disabled_reason="failing")
    apply(acme, webhooks=[{**without[0], "enabled": True}], prune=True)
    with tenant_context(acme.domain_uuid):
        hook = Webhook.objects.get()
        assert (hook.secret, hook.enabled, hook.consecutive_failures, hook.disabled_reason) == (SECRET, True, 0, "")
        assert AuditEvent.objects.filter(action="webhook.deleted").count() == 1


def test_a_quota_holds_for_its_own_document(acme: Tenant) -> None:
    """One that is raised makes room for what stands below it, one that is lowered does not."""
    many = [{"name": f"S{position}"} for position in range(101)]
    with pytest.raises(DocumentError, match="100"):
        apply(acme, secretaries=many)
    with pytest.raises(DocumentError):
        apply(acme, secretaries=many[:6], quota={"max_secretaries": 5})
    apply(acme, secretaries=many, quota={"max_secretaries": 200})
    with tenant_context(acme.domain_uuid):
        assert Secretary.objects.count() == 102


@pytest.mark.parametrize(
    ("kind", "wrong", "path"),
    [
        ("calling_rules", {"earliest": "20:00", "latest": "08:00"}, "calling_rules.latest"),
        ("data_rules", {"messages_days": 0}, "data_rules"),
        ("quota", {"money_per_day": "-1"}, "quota"),
        ("webhooks", [{"url": "http://127.0.0.1/", "events": ["*"]}], "webhooks"),
        ("webhooks", [{"url": "https://a.example.com/", "events": ["no.such"]}], "webhooks"),
        ("webhooks", [{"url": "https://a.example.com/", "events": ["*"], "secret": "whsec_short"}], "webhooks"),
        ("webhooks", [{"url": f"https://a.example.com/{n}", "events": ["*"]} for n in range(200)], "webhooks"),
    ],
)
def test_refused(acme: Tenant, kind: str, wrong: Any, path: str) -> None:
    """By its path, in the API too, and nothing happens."""
    operator = bearer(installation_key())
    answer = operator.put(f"domains/{acme.domain_uuid}/provision", changed(**{kind: wrong}))
    assert answer.status_code == 400 and answer.json()["errors"][0]["field"].startswith(path), answer.json()
    with tenant_context(acme.domain_uuid):
        assert not (Quota.objects.exists() or Webhook.objects.exists() or CallingRules.objects.exists())


def test_a_domain_may_not_give_itself_a_quota(acme: Tenant) -> None:
    """The installation's key may; the domain's may do the rest."""
    where = f"domains/{acme.domain_uuid}/provision"
    own, operator = bearer(domain_key(acme.domain_uuid)), bearer(installation_key())
    assert own.put(where, DOCUMENT).status_code == 403
    answer = own.put(where, {name: value for name, value in DOCUMENT.items() if name != "quota"})
    assert answer.status_code == 200 and answer.json()["counts"]["webhooks"]["created"] == 2
    assert SECRET not in answer.content.decode()
    assert operator.put(where, DOCUMENT).json()["counts"]["quota"]["created"] == 1


def test_a_dry_run_says_the_difference(acme: Tenant, tmp_path: Path) -> None:
    """In words, without secrets, and nothing happens."""
    apply(acme, **DOCUMENT)
    file = tmp_path / "domains.yaml"
    file.write_text(
        f"domains:\n  - domain_uuid: {acme.domain_uuid}\n    prune: true\n"
        "    quota: {money_per_month: 20.5}\n    data_rules: {messages_days: 30}\n"
        "    calling_rules: {latest: '20:00'}\n"
        f"    webhooks: [{{url: https://crm.example.com/hook, secret: {new_secret()}}}]\n"
    )
    out = io.StringIO()
    call_command("provision", str(file), "--dry-run", stdout=out)
    text = out.getvalue()
    for line in (
        "~ quota", "money_per_month: 12.50 → 20.5", "messages_days: 90 → 30", "latest: 19:00:00 → 20:00:00",
        "secret: '•••' → '•••'", "- webhook All",
    ):  # fmt: skip
        assert line in text, text
    assert "whsec_" not in text
    assert apply(acme, **DOCUMENT).result == "unchanged"
