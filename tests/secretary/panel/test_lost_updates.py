"""What there is once in a domain, or in the installation: of two people who edit it at once the second one is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from eslbridge.models import DialRules
from secretary.models import CallingRules, InstallationProvider
from tenants.context import platform_context
from tenants.models import DataRules, Domain, Quota
from tests.secretary.panel.cast import Cast

QUOTA = {"max_calls": "3", "max_secretaries": "5", "max_extensions": "7"}
CALLING = {
    "ring_s": "20", "customer_ring_s": "30", "earliest": "08:00", "latest": "20:00", "max_attempts": "3",
    "spacing_minutes": "30", "expires_hours": "24",
}  # fmt: skip
DIALLING = {
    "dial_as": "national", "internal_digits": "6", "per_call": "3", "external_per_hour": "9", "external_per_day": "9",
}  # fmt: skip

# (form, what is sent always, the field that both change, the first one's value, the second one's, where it is stored)
FORMS: dict[str, tuple[dict[str, str], str, str, str, Any]] = {
    "data-rules": ({}, "messages_days", "90", "30", DataRules),
    "dial-rules": (DIALLING, "area_code", "11", "21", DialRules),
    "calling-rules": (CALLING, "caller_id_name", "Acme", "Somebody", CallingRules),
    "quotas": (QUOTA, "minutes_per_day", "60", "30", Quota),
    "rule": ({}, "second_factor", "", "everybody", Domain),
    "platform-service": ({"enabled": "on", "api_key": "AIza-not-one"}, "model", "one", "another", InstallationProvider),
}


def seen_in(page: str) -> str:
    found = re.search(r'name="seen"[^>]*?value="([^"]*)"', page)
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize("name", FORMS)
def test_the_second_one_is_told(name: str, cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """Also where nothing was ever stored: 409 with both versions, nothing lost, and sent again it is a decision."""
    always, field, first, second, model = FORMS[name]
    client = sign_in("operator")
    where = reverse(f"panel:{name}", args=["gemini-live" if name == "platform-service" else cast.acme.domain.pk])

    def stored() -> str:
        with platform_context():
            rows = model.objects.all() if name == "platform-service" else model.objects.filter(pk=cast.acme.domain.pk)
            return str(getattr(rows.get(), field))

    opened = seen_in(client.get(where).content.decode())
    answer = client.post(where, {**always, field: first, "seen": opened})
    assert answer.status_code == 302, re.findall(r"error[^>]*>[^<]+<", answer.content.decode())
    answer = client.post(where, {**always, field: second, "seen": opened})
    page = answer.content.decode()
    assert answer.status_code == 409 and "Somebody else changed this" in page
    assert stored() == first and second in page
    assert client.post(where, {**always, field: second, "seen": seen_in(page)}).status_code == 302
    assert stored() == second


def test_a_limit_that_another_program_has_changed(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """Simultaneous calls stand in the domain's row: a change there is not overwritten by the form of quotas either."""
    client, where = sign_in("operator"), reverse("panel:quotas", args=[cast.acme.domain.pk])
    opened = seen_in(client.get(where).content.decode())
    with platform_context():
        domain = Domain.objects.get(pk=cast.acme.domain.pk)
        domain.max_calls = 20
        domain.save()
    assert client.post(where, {**QUOTA, "seen": opened}).status_code == 409
