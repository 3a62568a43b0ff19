"""Writing to the person a message is for: text, and the recording where the secretary is set so.

The letters are rows, written with the message itself; a worker sends them, each claimed first, so that two workers do
not send the same one. A mail server that is out of reach is tried again for a day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.core.mail import EmailMessage
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone, translation

from secretary.models import Call, MailState, MemberDestination, Message, MessageMail
from secretary.services import files
from tenants.context import give_connection_back, platform_context, tenant_context

log = structlog.get_logger(__name__)

BATCH: Final = 50
CLAIM: Final = timedelta(minutes=5)
"""A letter that a dead worker had claimed is taken over after this."""
PAUSES: Final = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720))
"""Between attempts; after the last one it has failed."""
MOST_AUDIO_BYTES: Final = 10 * 1024 * 1024
"""A longer recording stays in the panel: mail servers refuse what is larger."""
MOST_ADDRESSES: Final = 20


def plan(message: Message) -> int:
    """Write the letters of a message that is complete, or whose call is over. Asking again adds none.

    They go to the destination's own address; else to the people who are reached there; else to the secretary's
    addresses. Inside the tenant's context. Returns how many there are now.
    """
    secretary = message.secretary
    with_audio = secretary is not None and secretary.mail_audio
    letters = [
        MessageMail(domain_id=message.domain_id, message=message, address=address, with_audio=with_audio)
        for address in _addresses(message)[:MOST_ADDRESSES]
    ]
    MessageMail.objects.bulk_create(letters, ignore_conflicts=True)
    return len(letters)


def plan_of(call: Call) -> None:
    """Write the letters of a call that is over, however far its messages came."""
    for message in Message.objects.select_related("secretary", "destination").filter(call=call):
        plan(message)


def _addresses(message: Message) -> list[str]:
    destination, secretary = message.destination, message.secretary
    if destination is not None:
        if destination.message_email:
            return [destination.message_email]
        people = MemberDestination.objects.filter(destination=destination, member__user__is_active=True)
        emails = people.exclude(member__user__email="").values_list("member__user__email", flat=True)
        if emails:
            return sorted(set(emails))
    return sorted(set(secretary.message_emails)) if secretary is not None else []


def send_waiting(now: datetime | None = None) -> int:
    """Send what is due, in all domains. Returns how many letters left."""
    moment = now or timezone.now()
    with platform_context():
        due = MessageMail.objects.filter(state=MailState.WAITING, next_at__lte=moment).order_by("next_at")
        keys = list(due.values_list("domain_id", "mail_uuid")[:BATCH])
    return sum(_send(domain_uuid, mail_uuid, moment) for domain_uuid, mail_uuid in keys)


def _send(domain_uuid: UUID, mail_uuid: UUID, moment: datetime) -> bool:
    with tenant_context(domain_uuid):
        mine = MessageMail.objects.filter(pk=mail_uuid, state=MailState.WAITING, next_at__lte=moment).update(
            next_at=moment + CLAIM, attempts=F("attempts") + 1, updated_at=moment
        )
        if not mine:
            return False
        mail = MessageMail.objects.select_related("message__secretary", "message__destination", "domain").get(
            pk=mail_uuid
        )
        letter = _letter(mail)
    # Outside of any transaction: a mail server may take half a minute.
    give_connection_back()
    try:
        letter.send()
    except OSError as error:  # SMTPException is one, too
        _failed(mail, moment, f"{type(error).__name__}: {error}")
        return False
    with tenant_context(domain_uuid):
        MessageMail.objects.filter(pk=mail_uuid).update(
            state=MailState.SENT, sent_at=timezone.now(), error="", updated_at=timezone.now()
        )
    return True


def _failed(mail: MessageMail, moment: datetime, why: str) -> None:
    over = mail.attempts > len(PAUSES)
    log.warning("message_mail.not_sent", mail=str(mail.pk), attempts=mail.attempts, over=over, error=why[:200])
    with tenant_context(mail.domain_uuid):
        MessageMail.objects.filter(pk=mail.pk).update(
            state=MailState.FAILED if over else MailState.WAITING,
            next_at=moment if over else moment + PAUSES[mail.attempts - 1],
            error=why[:200],
            updated_at=timezone.now(),
        )


def _letter(mail: MessageMail) -> EmailMessage:
    message = mail.message
    secretary = message.secretary
    language = secretary.language if secretary is not None else mail.domain.language
    with translation.override(language):
        rendered = render_to_string(
            "mail/message.txt",
            {
                "message": message,
                "domain": mail.domain,
                "caller": message.given_name or message.caller_name or message.given_number or message.caller_number,
                "urgent": message.urgency == "urgent",
                "left_at": message.created_at,
                "time_zone": mail.domain.time_zone,
            },
        )
    subject, _, body = rendered.lstrip().partition("\n")
    letter = EmailMessage(" ".join(subject.split())[:200], body.strip() + "\n", None, [mail.address])
    letter.extra_headers["Auto-Submitted"] = "auto-generated"
    audio = _audio(message) if mail.with_audio else None
    if audio is not None:
        letter.attach("message.wav", audio, "audio/wav")
    return letter


def _audio(message: Message) -> bytes | None:
    path = files.below(message.audio)
    try:
        if path is None or path.stat().st_size > MOST_AUDIO_BYTES:
            return None
        return path.read_bytes()
    except OSError as error:
        log.warning("message_mail.no_audio", message=str(message.pk), error=str(error))
        return None
