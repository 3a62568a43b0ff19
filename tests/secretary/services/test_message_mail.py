"""Whoever a message is for gets a letter: once, with what was asked for, and not somebody else's."""

from __future__ import annotations

import wave
from datetime import timedelta
from pathlib import Path
from smtplib import SMTPServerDisconnected
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core import mail
from django.utils import timezone

from secretary.models import MailState, Message, MessageMail
from secretary.profiles import MessageRecord
from secretary.services import message_mail
from secretary.services.messages import save_message
from tenants.context import platform_context, tenant_context
from tests.cast import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme_call(acme: Tenant) -> UUID:
    return acme.call(caller_number="+15550100").call_uuid


def leave(tenant: Tenant, call_uuid: UUID, **more: Any) -> UUID:
    """A complete message of this call."""
    record = MessageRecord(text="Please call me back about the ladder.", complete=True, **more)
    save_message(domain_uuid=tenant.domain_uuid, call_uuid=call_uuid, record=record)
    return record.message_uuid


def set_secretary(tenant: Tenant, **values: Any) -> None:
    with tenant_context(tenant.domain_uuid):
        for name, value in values.items():
            setattr(tenant.secretary, name, value)
        tenant.secretary.save()


def letters() -> list[MessageMail]:
    with platform_context():
        return list(MessageMail.objects.all())


def test_the_secretarys_addresses_get_it(acme: Tenant, acme_call: UUID) -> None:
    """For nobody in particular: whoever the secretary names. Sent once, however often it is asked for."""
    set_secretary(acme, message_emails=["office@acme.example", "boss@acme.example"])
    leave(acme, acme_call)
    assert message_mail.send_waiting() == 2
    assert message_mail.send_waiting() == 0
    assert sorted(one.to[0] for one in mail.outbox) == ["boss@acme.example", "office@acme.example"]
    assert "about the ladder" in mail.outbox[0].body
    assert not mail.outbox[0].attachments


def test_the_destinations_address_comes_first(acme: Tenant, acme_call: UUID) -> None:
    """A message for sales goes to sales and not to the office."""
    set_secretary(acme, message_emails=["office@acme.example"])
    with tenant_context(acme.domain_uuid):
        acme.sales.message_email = "sales@acme.example"
        acme.sales.save()
        message = Message.objects.create(call_id=acme_call, secretary=acme.secretary, destination=acme.sales)
        assert message_mail.plan(message) == 1
    message_mail.send_waiting()
    assert [one.to for one in mail.outbox] == [["sales@acme.example"]]
    assert "For:" in mail.outbox[0].body


def test_the_recording_goes_along_where_it_is_wanted(
    acme: Tenant, acme_call: UUID, settings: Any, tmp_path: Path
) -> None:
    """Off by default; a file outside of the data folder is never attached."""
    settings.DATA_DIR = tmp_path / "data"
    (tmp_path / "data").mkdir()
    with wave.open(str(tmp_path / "data" / "message.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    (tmp_path / "secret.wav").write_bytes(b"RIFF")
    set_secretary(acme, message_emails=["office@acme.example"], mail_audio=True)
    leave(acme, acme_call, audio="message.wav")
    leave(acme, acme_call, audio="../secret.wav")
    assert message_mail.send_waiting() == 2
    names = [[attached[0] for attached in one.attachments] for one in mail.outbox]
    assert sorted(names) == [[], ["message.wav"]]


def test_a_mail_server_out_of_reach_is_tried_again(
    acme: Tenant, acme_call: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For more than a day, with growing pauses; then it is said to have failed."""
    set_secretary(acme, message_emails=["office@acme.example"])
    leave(acme, acme_call)

    def refuse(letter: object) -> None:
        raise SMTPServerDisconnected("no server")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    now, times = timezone.now(), []
    for _ in range(20):
        if letters()[0].state == MailState.FAILED:
            break
        now = letters()[0].next_at
        times.append(now)
        assert message_mail.send_waiting(now) == 0
        assert message_mail.send_waiting(now) == 0
    assert letters()[0].state == MailState.FAILED and "no server" in letters()[0].error
    assert times[-1] - times[0] > timedelta(hours=20) and len(times) == len(message_mail.PAUSES) + 1


def test_a_letter_that_is_being_sent_is_not_sent_again(acme: Tenant, acme_call: UUID) -> None:
    """Another worker leaves it alone; one whose worker died is taken over later."""
    set_secretary(acme, message_emails=["office@acme.example"])
    leave(acme, acme_call)
    now = timezone.now()
    with platform_context():
        MessageMail.objects.update(next_at=now + message_mail.CLAIM, attempts=1)
    assert message_mail.send_waiting(now) == 0
    assert message_mail.send_waiting(now + message_mail.CLAIM) == 1


def test_line_breaks_make_no_headers(acme: Tenant, acme_call: UUID) -> None:
    """A caller's name is text, whatever it contains."""
    set_secretary(acme, message_emails=["office@acme.example"])
    with tenant_context(acme.domain_uuid):
        message = Message.objects.create(
            call_id=acme_call, secretary=acme.secretary, given_name="Eve\nBcc: all@acme.example", text="Hello"
        )
        message_mail.plan(message)
    message_mail.send_waiting()
    assert "Bcc" not in mail.outbox[0].message() and mail.outbox[0].recipients() == ["office@acme.example"]


def test_tenants_get_their_own(acme: Tenant, globex: Tenant, acme_call: UUID) -> None:
    """Globex's addresses learn nothing of acme's message, and its context sees no letter of it."""
    set_secretary(acme, message_emails=["office@acme.example"])
    set_secretary(globex, message_emails=["office@globex.example"])
    leave(acme, acme_call)
    message_mail.send_waiting()
    assert [one.to for one in mail.outbox] == [["office@acme.example"]]
    with tenant_context(globex.domain_uuid):
        assert not MessageMail.objects.exists()
        assert not MessageMail.objects.filter(pk=uuid4()).exists()
