"""`dialplan` prints what belongs to one domain, and complains about what it cannot print."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from secretary.models import Secretary
from tenants.context import tenant_context
from tests.cast import Tenant


def dialplan(*arguments: str) -> str:
    out = StringIO()
    call_command("dialplan", *arguments, stdout=out)
    return out.getvalue()


def test_of_one_domain(acme: Tenant, globex: Tenant) -> None:
    """Its own secretary and context; nothing of the other's."""
    text = dialplan("ACME.example", "--nodes", "10.0.0.5:8022, node2:8023", "--fallback", "1000")
    assert '<context name="acme.example">' in text
    assert f"secretary_uuid={acme.secretary.secretary_uuid}" in text
    assert "10.0.0.5:8022|node2:8023 async full" in text
    assert "globex" not in text and str(globex.domain_uuid) not in text


def test_fusionpbx(acme: Tenant) -> None:
    """For FusionPBX: extensions alone."""
    text = dialplan("acme.example", "--fusionpbx")
    assert "<context" not in text and text.count("<extension ") == 11


def test_this_node_by_default(acme: Tenant) -> None:
    """Without --nodes, the address that this node listens at."""
    assert "127.0.0.1:8022 async full" in dialplan("acme.example")


def test_disabled_secretary_is_left_to_the_pattern(acme: Tenant) -> None:
    """Her callers still reach a node, which refuses them into the fallback."""
    with tenant_context(acme.domain_uuid):
        Secretary.objects.update(enabled=False)
    assert "secretary_uuid=" + str(acme.secretary.secretary_uuid) not in dialplan("acme.example")


@pytest.mark.parametrize(
    "arguments",
    [["nobody.example"], ["acme.example", "--nodes", "host"], ["acme.example", "--nodes", "h:1;x"],
     ["acme.example", "--nodes", "a|b:1"], ["acme.example", "--fallback", "1000 XML x"]],
)  # fmt: skip
def test_complaints(acme: Tenant, arguments: list[str]) -> None:
    """A wrong domain, node or number is named, and no XML is printed."""
    with pytest.raises(CommandError):
        dialplan(*arguments)
