"""A message that the caller began to leave is kept."""

from __future__ import annotations

from uuid import uuid4

import pytest

from eslbridge.models import Job
from secretary.models import Call, Message
from secretary.profiles import MessageRecord
from secretary.services.messages import save_message
from secretary.services.transfers import request_transfer
from tenants.context import tenant_context
from tests.cast import Tenant


def test_grows_under_its_uuid(acme: Tenant) -> None:
    """Saved as it is recorded; the last word completes the same row."""
    call, message_uuid = acme.call(caller_number="1000"), uuid4()
    for record in (
        MessageRecord("", "m/1.wav", False, message_uuid),
        MessageRecord("please call back\0", "m/1.wav", True, message_uuid),
    ):
        save_message(domain_uuid=acme.domain_uuid, call_uuid=call.call_uuid, record=record)
    with tenant_context(acme.domain_uuid):
        kept = Message.objects.get()
    assert (kept.text, kept.complete, kept.caller_number) == ("please call back", True, "1000")
    assert kept.secretary_id == acme.secretary.secretary_uuid and not kept.is_read


def test_only_for_a_call_of_ones_own(acme: Tenant, globex: Tenant) -> None:
    """Nobody leaves a message in another tenant's inbox."""
    call = globex.call()
    with pytest.raises(Call.DoesNotExist):
        save_message(domain_uuid=acme.domain_uuid, call_uuid=call.call_uuid, record=MessageRecord("spam"))


def test_for_whom(acme: Tenant, globex: Tenant) -> None:
    """It is for the destination that was tried last in the call; for nobody where none was, or where it is gone."""
    call = acme.call()

    def saved_for() -> object:
        record = MessageRecord("please call back")
        return save_message(domain_uuid=acme.domain_uuid, call_uuid=call.call_uuid, record=record).destination_id

    assert saved_for() is None
    wanted = acme.sales.destination_uuid
    request_transfer(domain_uuid=acme.domain_uuid, call_uuid=call.call_uuid, destination_uuid=wanted)
    assert saved_for() == wanted
    for other in (str(globex.sales.destination_uuid), "rubbish", ""):
        with tenant_context(acme.domain_uuid):
            Job.objects.update(arguments={"destination_uuid": other})
        assert saved_for() is None
