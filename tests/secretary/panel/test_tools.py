"""Tools, versions of prompts, what is remembered and what callers hear first, in the panel."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from secretary.models import Call, Message, Secretary
from secretary.tools.models import CallerFact, HttpTool, PromptVersion
from tenants.context import tenant_context
from tenants.quotas import rules_of
from tests.receiver import answer, receiving
from tests.secretary.panel.cast import Cast
from tests.secretary.panel.test_forms import SECRETARY

TOOL: dict[str, Any] = {
    "name": "find_customer",
    "description": "Finds a customer.",
    "enabled": "on",
    "parameters": '{"type": "object", "properties": {"name": {"type": "string"}}}',
    "method": "POST",
    "url": "https://crm.example/customers/{name}",
    "headers": "X-Api-Key: very-secret\r\nX-Team: a: b",
    "timeout_s": "3",
    "max_bytes": "4096",
    "per_call": "3",
    "per_minute": "30",
}


def at(cast: Cast, name: str, *more: str) -> str:
    return reverse(f"panel:{name}", args=[cast.acme.domain.pk, *(cast.acme.objects[part] for part in more)])


def page(client: Client, where: str) -> str:
    return unescape(client.get(where).content.decode())


def test_make(cast: Cast, alice: Client) -> None:
    """The secret stands on the answer and nowhere after it; the headers nowhere at all."""
    response = alice.post(at(cast, "tool-new"), TOOL)
    shown = re.search(r'value="(whsec_[^"]+)"', response.content.decode())
    with tenant_context(cast.acme.domain.pk):
        row = HttpTool.objects.get(name="find_customer")
    assert shown is not None and row.secret == shown[1] and row.timeout_s == 3
    assert row.headers() == {"X-Api-Key": "very-secret", "X-Team": "a: b"}
    for where in (reverse("panel:tool", args=[cast.acme.domain.pk, row.pk]), at(cast, "tools"), at(cast, "record")):
        assert "whsec_" not in page(alice, where) and "very-secret" not in page(alice, where)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("parameters", "{", "no JSON"),
        ("parameters", "[]", "JSON object"),
        ("parameters", '{"type": "array"}', "must be of an object"),
        ("url", "https://10.0.0.1/", "not on the public internet"),
        ("url", "https://crm.example/{colour}", "none of the parameters"),
        ("headers", "no colon", "Name: value"),
        ("headers", "Host: evil", "set by the platform"),
        ("name", "transfer", "has a tool of this name"),
    ],
)
def test_refused(cast: Cast, alice: Client, field: str, value: str, words: str) -> None:
    """What is wrong stands beside it."""
    response = alice.post(at(cast, "tool-new"), {**TOOL, field: value})
    assert response.status_code == 422 and words in unescape(response.content.decode())


def test_change(cast: Cast, alice: Client) -> None:
    """Headers that are not typed again stay, until they are to be forgotten."""
    where = at(cast, "tool", "tool_uuid")
    for more, left in (({"headers": "X-Key: k"}, True), ({"headers": ""}, True), ({"no_headers": "on"}, False)):
        with tenant_context(cast.acme.domain.pk):
            seen = HttpTool.objects.get().updated_at.isoformat()
        values = {**TOOL, "name": "find_order", "headers": "", "seen": seen, **more}
        assert alice.post(where, values).status_code == 302
        with tenant_context(cast.acme.domain.pk):
            assert bool(HttpTool.objects.get().headers()) is left


def test_try(cast: Cast, alice: Client, settings: Any) -> None:
    """Sent for once, and shown as a model would be told."""
    with receiving(answer(200, b'{"status": "on its way"}', ["Content-Type: application/json"])) as server:
        settings.EGRESS_ALLOW = [f"127.0.0.1:{server.port}"]
        with tenant_context(cast.acme.domain.pk):
            HttpTool.objects.update(url=server.url("/o/{order}"))
        response = alice.post(at(cast, "tool-try", "tool_uuid"), {"arguments": '{"order": "17"}'})
        assert "on its way" in response.content.decode() and server.received[0].path == "/o/17"


def test_chosen(cast: Cast, alice: Client) -> None:
    """The secretary's form offers the domain's own tools, and not another's; notices are kept."""
    where = at(cast, "secretary", "secretary_uuid")
    with tenant_context(cast.globex.domain.pk):
        HttpTool.objects.update(name="their_tool")
    shown = page(alice, where)
    assert "find_order" in shown and "their_tool" not in shown
    with tenant_context(cast.acme.domain.pk):
        seen = Secretary.objects.get(pk=cast.acme.objects["secretary_uuid"]).updated_at.isoformat()
    chosen = {"tools": ["transfer", "find_order"], "announce_ai": "on", "ai_notice": "I am a machine"}
    assert alice.post(where, {**SECRETARY, **chosen, "seen": seen}).status_code == 302
    with tenant_context(cast.acme.domain.pk):
        row = Secretary.objects.get(pk=cast.acme.objects["secretary_uuid"])
    assert (row.tools, row.announce_ai, row.ai_notice) == (["transfer", "find_order"], True, "I am a machine")
    assert alice.post(where, {**SECRETARY, "tools": ["their_tool"]}).status_code == 422


def test_versions(cast: Cast, alice: Client) -> None:
    """Seen with who wrote them; named, and made live again."""
    where = at(cast, "prompts", "secretary_uuid")
    with tenant_context(cast.acme.domain.pk):
        first = PromptVersion.objects.get(pk=cast.acme.objects["version_uuid"])
        Secretary.objects.filter(pk=first.secretary_id).update(prompt="Something else.")
    assert "acme winter" in page(alice, where) and "globex" not in page(alice, where)
    assert alice.post(at(cast, "prompt-restore", "secretary_uuid", "version_uuid")).status_code == 302
    assert alice.post(at(cast, "prompt-name", "secretary_uuid", "version_uuid"), {"name": "Cold"}).status_code == 302
    with tenant_context(cast.acme.domain.pk):
        assert Secretary.objects.get(pk=first.secretary_id).prompt == first.text
        assert PromptVersion.objects.get(pk=first.pk).name == "Cold"


def test_another_secretarys_version(cast: Cast, alice: Client) -> None:
    """Is not one of this secretary."""
    with tenant_context(cast.acme.domain.pk):
        other = Secretary.objects.create(name="Night")
    args = [cast.acme.domain.pk, other.pk, cast.acme.objects["version_uuid"]]
    assert alice.post(reverse("panel:prompt-restore", args=args)).status_code == 404


def test_remembered(cast: Cast, alice: Client) -> None:
    """Found by number, and forgotten."""
    where = at(cast, "caller-facts")
    assert "acme caller prefers mornings" in page(alice, where)
    assert "acme caller" in page(alice, f"{where}?number=%2B55+11+98765-0001")
    assert "Nothing is remembered" in page(alice, f"{where}?number=123456")
    alice.post(at(cast, "caller-forget"), {"number": "+55 11 98765-0001"})
    with tenant_context(cast.acme.domain.pk):
        assert not CallerFact.objects.exists()
    with tenant_context(cast.globex.domain.pk):
        assert CallerFact.objects.count() == 1


def test_rules(cast: Cast, alice: Client) -> None:
    """What callers are told and whether they are remembered is the domain's to decide."""
    assert alice.post(at(cast, "data-rules"), {"announce_ai": "on", "remember_callers": "on"}).status_code == 302
    with tenant_context(cast.acme.domain.pk):
        rules = rules_of()
    assert (rules.announce_ai, rules.announce_recording, rules.remember_callers) == (True, False, True)


def test_what_is_kept_is_shown(cast: Cast, alice: Client) -> None:
    """The summary and what the caller gave, at the call and at the message; what was told first."""
    with tenant_context(cast.acme.domain.pk):
        Call.objects.update(summary="Maria called.", facts={"name": "Maria"}, disclosure="You are recorded.")
        Message.objects.update(given_name="Maria", reason="a <broken> heater", urgency="urgent")
    shown = page(alice, at(cast, "call", "call_uuid"))
    assert "Maria called." in shown and "You are recorded." in shown
    listed = alice.get(at(cast, "messages")).content.decode()
    assert "Urgent" in listed and "a &lt;broken&gt; heater" in listed
