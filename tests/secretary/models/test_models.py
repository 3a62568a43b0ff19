"""What the tables themselves refuse, whoever writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from secretary.models import Call, Destination, ExtensionMapping, Secretary, Utterance
from tenants.context import tenant_context
from tests.cast import Tenant


def refuses(write: Callable[..., Any], **values: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write(**values)


def test_extension_is_8xxx_and_unique_in_its_domain(acme: Tenant, globex: Tenant) -> None:
    """8001 exists once in each domain; nothing but 8000 to 8999 exists at all."""
    with tenant_context(acme.domain_uuid):
        for extension in ("8001", "7001", "800", "", "8a01"):
            refuses(ExtensionMapping.objects.create, extension=extension, secretary=acme.secretary)
        for extension in ("9000", "80010", "8\uff10\uff10\uff11", "8001\n"):
            with pytest.raises(ValidationError):
                ExtensionMapping(extension=extension, secretary=acme.secretary).full_clean()
        ExtensionMapping.objects.create(extension="8999", secretary=acme.secretary)


def test_words_outside_the_lists(acme: Tenant) -> None:
    """Kinds, outcomes, speakers and languages are the known ones."""
    call = acme.call()
    with tenant_context(acme.domain_uuid):
        refuses(Destination.objects.create, name="x", number="1", kind="ufo")
        refuses(Secretary.objects.create, name="x", language="tlh")
        refuses(Call.objects.filter(call_uuid=call.call_uuid).update, outcome="lost")
        refuses(Utterance.objects.create, call=call, position=0, who="ghost", text="x", start_ms=0, end_ms=0)
        refuses(Utterance.objects.create, call=call, position=0, who="caller", text="x", start_ms=9, end_ms=1)


def test_ended_call_has_an_end(acme: Tenant) -> None:
    """An outcome without a time of end cannot be written."""
    with tenant_context(acme.domain_uuid):
        refuses(Call.objects.create, call_uuid=uuid4(), outcome="completed")
        call = Call.objects.create(call_uuid=uuid4(), outcome="completed", ended_at=timezone.now())
        assert call.duration_s is not None


@pytest.mark.parametrize(
    ("number", "kind", "valid"),
    [
        ("1001", "extension", True),
        ("*991001", "voicemail", True),
        ("+4930123456", "external", True),
        ("+4930123456", "extension", False),
        ("8001", "extension", False),
        ("911", "external", False),
        ("1001 XML x", "extension", False),
        ("1001\n", "extension", False),
        ("", "extension", False),
    ],
)
def test_destination_is_judged_when_it_is_saved(acme: Tenant, number: str, kind: str, valid: bool) -> None:
    """An administrator is told at once what the platform would refuse during a call."""
    destination = Destination(domain_id=acme.domain_uuid, name="Somebody", number=number, kind=kind)
    with tenant_context(acme.domain_uuid):
        if valid:
            destination.full_clean()
            return
        with pytest.raises(ValidationError) as caught:
            destination.full_clean()
    assert "number" in caught.value.message_dict


@pytest.mark.parametrize("aliases", [["x" * 121], [f"alias {n}" for n in range(21)]])
def test_aliases_are_bounded(acme: Tenant, aliases: list[str]) -> None:
    """The grammar of the recogniser is made of them: not too many, not too long."""
    with tenant_context(acme.domain_uuid), pytest.raises(ValidationError):
        Destination(name="Somebody", number="1", aliases=aliases).full_clean()
