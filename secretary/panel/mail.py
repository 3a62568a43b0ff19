"""Letters to people: plain text, in the language of the page they were asked for on."""

from __future__ import annotations

import smtplib

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

log = structlog.get_logger(__name__)


def is_configured() -> bool:
    """Whether there is a mail server. Without one, links are shown to whoever may hand them over."""
    return bool(settings.EMAIL_URL)


def send(*, to: str, template: str, **context: object) -> bool:
    """Send `panel/mail/<template>.txt`, whose first line is the subject. False: the server did not take it."""
    subject, _, body = render_to_string(f"panel/mail/{template}.txt", context).lstrip().partition("\n")
    try:
        send_mail(subject.strip(), body.strip() + "\n", None, [to])
    except (OSError, smtplib.SMTPException) as error:
        log.error("mail.not_sent", template=template, error=type(error).__name__)
        return False
    return True
