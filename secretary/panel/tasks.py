"""Letters that are sent by a worker, so that the page which asked for them tells nothing by how long it takes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from celery import shared_task
from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from secretary.panel import mail
from tenants.people import throttle
from tenants.sessions import SessionStore

MOST_ACCOUNTS = 3
"""Accounts with one and the same address that get a letter each."""


@shared_task(name="panel.mail_reset")
def mail_reset(name: str, site: str, language: str) -> int:
    """Send a link to whoever has this name or address, if anybody; gives how many letters went out."""
    wanted = Q(username__iexact=name) | Q(email__iexact=name)
    sent = 0
    with translation.override(language):
        for user in get_user_model().objects.filter(wanted, is_active=True).exclude(email="")[:MOST_ACCOUNTS]:
            sent += mail.send(to=user.email, template="reset", name=user.get_username(), link=reset_link(user, site))
    return sent


@shared_task(name="panel.sweep_sign_ins")
def sweep_sign_ins() -> None:
    """Forget expired sessions and old failures."""
    SessionStore.clear_expired()
    throttle.sweep()


def reset_link(user: Any, site: str) -> str:
    """Where a person sets a new password; `site` is scheme and host."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return urljoin(site, reverse("reset", args=[uid, default_token_generator.make_token(user)]))
