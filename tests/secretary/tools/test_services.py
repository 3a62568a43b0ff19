"""A tenant's own tools and the versions of its prompts: written with a record of who did, of one tenant alone."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from secretary.models import Secretary
from secretary.provisioning.carry_out import provision
from secretary.provisioning.difference import difference
from secretary.provisioning.plan import DocumentError
from secretary.services.optimistic import StaleRowError
from secretary.services.secretaries import create_secretary, update_secretary
from secretary.tools import names, prompts
from secretary.tools.models import HttpTool, PromptVersion
from secretary.tools.models.prompt_version import KEPT
from secretary.tools.services import create_tool, delete_tool, packed, rotate_secret, update_tool
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tenants.origin import Actor, acting
from tests.cast import Tenant

TOOL: dict[str, Any] = {
    "name": "find_order",
    "description": "Finds an order.",
    "url": "https://crm.example/orders/{order}",
    "parameters": {"type": "object", "properties": {"order": {"type": "string"}}},
}


def test_made(acme: Tenant) -> None:
    """With a secret of its own; neither it nor the headers are in the record."""
    with tenant_context(acme.domain_uuid):
        issued = create_tool(**TOOL, headers={"X-Api-Key": "very-secret"})
        assert issued.secret.startswith("whsec_") and issued.tool.headers() == {"X-Api-Key": "very-secret"}
        other = create_tool(**{**TOOL, "name": "another"})
        [line] = AuditEvent.objects.filter(action="httptool.created", object_label="find_order")
    assert other.secret != issued.secret
    assert "very-secret" not in str(line.new) and issued.secret not in str(line.new)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "transfer"),
        ("name", "Find Order"),
        ("name", "x"),
        ("url", "http://crm.example/"),
        ("url", "https://127.0.0.1/"),
        ("url", "https://crm.example/{colour}"),
        ("parameters", {"type": "array"}),
        ("parameters", {"type": "object", "properties": {"a": {"type": "string", "pattern": ".*"}}}),
        ("headers", {"Host": "evil"}),
        ("headers", {"webhook-signature": "v1,x"}),
        ("headers", {"X Y": "z"}),
        ("headers", {"X": "a\r\nb: c"}),
        ("headers", {"X-A": "1", "x-a": "2"}),
        ("headers", {f"X-{n}": "1" for n in range(11)}),
        ("timeout_s", 60.0),
        ("max_bytes", 10_000_000),
        ("per_call", 0),
        ("result_path", "a..b"),
    ],
)
def test_refused(acme: Tenant, field: str, value: Any) -> None:
    """Beside its field."""
    with tenant_context(acme.domain_uuid), pytest.raises(ValidationError) as error:
        create_tool(**{**TOOL, field: value})
    assert field in error.value.message_dict


def test_headers_stay(acme: Tenant) -> None:
    """Until others are given, or none."""
    with tenant_context(acme.domain_uuid):
        tool = create_tool(**TOOL, headers={"X-Api-Key": "k"}).tool
        tool = update_tool(tool_uuid=tool.pk, seen_at=tool.updated_at, description="Finds one.")
        assert tool.headers() == {"X-Api-Key": "k"}
        assert update_tool(tool_uuid=tool.pk, seen_at=tool.updated_at, headers={}).headers() == {}
    assert packed({}) == ""


def test_a_new_name(acme: Tenant, globex: Tenant) -> None:
    """Is its name in its tenant's secretaries, too, and in nobody else's; gone, it is gone from them."""
    for tenant in (acme, globex):
        with tenant_context(tenant.domain_uuid):
            create_tool(**TOOL)
            secretary = Secretary.objects.get()
            update_secretary(
                secretary_uuid=secretary.pk, seen_at=secretary.updated_at, tools=["transfer", "find_order"]
            )
    with tenant_context(acme.domain_uuid):
        tool = HttpTool.objects.get()
        tool = update_tool(tool_uuid=tool.pk, seen_at=tool.updated_at, name="look_up_order")
        assert Secretary.objects.get().tools == ["transfer", "look_up_order"]
        delete_tool(tool_uuid=tool.pk)
        assert Secretary.objects.get().tools == ["transfer"]
    with tenant_context(globex.domain_uuid):
        assert Secretary.objects.get().tools == ["transfer", "find_order"]


def test_another_tenants(acme: Tenant, globex: Tenant) -> None:
    """It can neither be chosen nor changed, and its name is free here."""
    with tenant_context(globex.domain_uuid):
        theirs = create_tool(**TOOL).tool
    with tenant_context(acme.domain_uuid):
        secretary = Secretary.objects.get()
        with pytest.raises(ValidationError, match="find_order"):
            update_secretary(secretary_uuid=secretary.pk, seen_at=secretary.updated_at, tools=["find_order"])
        for act in (lambda: delete_tool(tool_uuid=theirs.pk), lambda: rotate_secret(tool_uuid=theirs.pk)):
            with pytest.raises(HttpTool.DoesNotExist):
                act()
        with pytest.raises(HttpTool.DoesNotExist):
            update_tool(tool_uuid=theirs.pk, seen_at=theirs.updated_at, enabled=False)
        create_tool(**TOOL)


def test_nobodys_work_is_lost(acme: Tenant) -> None:
    """Whoever has seen an older version is told."""
    with tenant_context(acme.domain_uuid):
        tool = create_tool(**TOOL).tool
        update_tool(tool_uuid=tool.pk, seen_at=tool.updated_at, enabled=False)
        with pytest.raises(StaleRowError):
            update_tool(tool_uuid=tool.pk, seen_at=tool.updated_at, enabled=True)


# Prompts ----------------------------------------------------------------------------------------------------------


def versions(tenant: Tenant) -> list[tuple[int, str, str]]:
    with tenant_context(tenant.domain_uuid):
        return list(PromptVersion.objects.order_by("number").values_list("number", "text", "author"))


def change(tenant: Tenant, by: str, text: str) -> None:
    with tenant_context(tenant.domain_uuid), acting(Actor("user", "1", by)):
        row = Secretary.objects.get()
        update_secretary(secretary_uuid=row.pk, seen_at=row.updated_at, prompt=text)


def test_every_change_is_a_version(acme: Tenant) -> None:
    """With who made it; what changes nothing is none."""
    change(acme, "alice", "We mend heaters.")
    change(acme, "bob", "We mend bicycles.")
    change(acme, "bob", "We mend bicycles.")
    assert versions(acme) == [(1, "We mend heaters.", "alice"), (2, "We mend bicycles.", "bob")]
    assert acme.profile().prompt_version == 2


def test_a_prompt_from_before(acme: Tenant) -> None:
    """What was there before versions were kept is the first of them."""
    with tenant_context(acme.domain_uuid):
        Secretary.objects.update(prompt="Old.")
    change(acme, "alice", "New.")
    assert versions(acme) == [(1, "Old.", ""), (2, "New.", "alice")]


def test_restored(acme: Tenant, globex: Tenant) -> None:
    """As the newest version; another tenant's is not there."""
    change(acme, "alice", "One.")
    change(acme, "alice", "Two.")
    with tenant_context(acme.domain_uuid):
        first = PromptVersion.objects.get(number=1)
    with tenant_context(globex.domain_uuid), pytest.raises(PromptVersion.DoesNotExist):
        prompts.restore(version_uuid=first.pk)
    with tenant_context(acme.domain_uuid), acting(Actor("user", "2", "bob")):
        prompts.restore(version_uuid=first.pk)
        assert Secretary.objects.get().prompt == "One."
        assert AuditEvent.objects.filter(action="secretary.prompt-restored", actor_label="bob").count() == 1
    assert versions(acme)[-1] == (3, "One.", "bob")


def test_named(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version with a name outlives the others."""
    monkeypatch.setattr("secretary.tools.history.KEPT", 3)
    assert KEPT == 100
    with tenant_context(acme.domain_uuid):
        prompts.write_prompt(secretary_uuid=acme.secretary.pk, text="Winter.", name="Winter 2026")
    for n in range(6):
        change(acme, "alice", f"Text {n}.")
    assert [text for _, text, _ in versions(acme)] == ["Winter.", "Text 3.", "Text 4.", "Text 5."]


def test_the_same_text_again(acme: Tenant) -> None:
    """Makes no second version; it may get a name."""
    with tenant_context(acme.domain_uuid):
        one = prompts.write_prompt(secretary_uuid=acme.secretary.pk, text="One.")
        again = prompts.write_prompt(secretary_uuid=acme.secretary.pk, text="One.", name="Summer")
    assert one.pk == again.pk and len(versions(acme)) == 1
    with tenant_context(acme.domain_uuid):
        assert create_secretary(name="Night", prompt="At night.").prompt_versions.get().number == 1


# Documents --------------------------------------------------------------------------------------------------------


def test_a_document(acme: Tenant) -> None:
    """Makes tools and lets secretaries have them; the second time nothing is left to do; no secret is shown."""
    document = {
        "tools": [{**TOOL, "headers": {"X-Api-Key": "very-secret"}}],
        "secretaries": [
            {"name": "Night", "tools": ["transfer", "find_order"], "prompt": "At night.", "announce_ai": True}
        ],
    }
    done = provision(domain_uuid=acme.domain_uuid, values=document)
    assert done.counts()["tools"]["created"] == 1
    assert provision(domain_uuid=acme.domain_uuid, values=document).result == "unchanged"
    with tenant_context(acme.domain_uuid):
        tool = HttpTool.objects.get()
        assert tool.secret.startswith("whsec_") and tool.headers() == {"X-Api-Key": "very-secret"}
        night = Secretary.objects.get(name="Night")
        assert night.tools == ["transfer", "find_order"] and night.prompt_versions.get().text == "At night."
    document["tools"][0]["headers"] = {"X-Api-Key": "another-secret"}
    changed = provision(domain_uuid=acme.domain_uuid, values=document, dry_run=True)
    assert changed.counts()["tools"]["changed"] == 1 and "secret" not in "\n".join(difference(changed.plan))


def test_a_document_with_a_tool_that_is_not_there(acme: Tenant, globex: Tenant) -> None:
    """Also where another tenant has one of that name."""
    with tenant_context(globex.domain_uuid):
        create_tool(**TOOL)
    with pytest.raises(DocumentError) as error:
        provision(domain_uuid=acme.domain_uuid, values={"secretaries": [{"name": "Night", "tools": ["find_order"]}]})
    assert set(error.value.errors) == {"secretaries[0].tools"}
    with pytest.raises(DocumentError) as error:
        provision(domain_uuid=acme.domain_uuid, values={"tools": [{**TOOL, "headers": {"Host": "x"}}]})
    assert set(error.value.errors) == {"tools[0].headers"}


def test_what_a_new_secretary_can_do(acme: Tenant) -> None:
    """The usual; a name that is none is refused."""
    assert acme.secretary.tools == list(names.USUAL)
    with tenant_context(acme.domain_uuid), pytest.raises(ValidationError):
        create_secretary(name="Night", tools=["no_such_tool"], secretary_uuid=uuid4())
