"""What the states and failures of deliveries are called on a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from secretary.panel.words import Text
from secretary.webhooks.models import Delivery, DeliveryState, Webhook

TONES: Mapping[str, str] = {"waiting": "note", "sending": "live", "delivered": "good", "failed": "bad"}

ERRORS: Mapping[str, Text] = {
    "bad_url": gettext_lazy("the address is none"),
    "port": gettext_lazy("the port is not allowed"),
    "address": gettext_lazy("the host is not on the public internet"),
    "resolve": gettext_lazy("the host name does not exist"),
    "connect": gettext_lazy("nobody takes the connection"),
    "tls": gettext_lazy("the certificate is not accepted, or there is no TLS"),
    "timeout": gettext_lazy("no answer in time"),
    "protocol": gettext_lazy("the answer is not HTTP"),
    "secret": gettext_lazy("the secret cannot be decrypted: make a new one"),
    "switched_off": gettext_lazy("the webhook was switched off"),
    "worker_lost": gettext_lazy("our worker was lost on the way"),
}

DISABLED: Mapping[str, Text] = {
    "failing": gettext_lazy("It has failed for three days without a success, and was switched off."),
    "gone": gettext_lazy("Your server answered 410 Gone, and it was switched off."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A delivery as a list shows it."""

    row: Delivery
    tone: str
    answer: Text


def line(row: Delivery) -> Line:
    return Line(row, TONES.get(row.state, ""), answer(row))


def answer(row: Delivery) -> Text:
    """What came back last."""
    if row.response_status is not None:
        return f"HTTP {row.response_status}"
    return ERRORS.get(row.error) or row.error


def standing(webhook: Webhook) -> tuple[Text, str]:
    """How a webhook does, in a word and its tone."""
    if not webhook.enabled:
        return _("Switched off"), "bad" if webhook.disabled_reason else ""
    if webhook.failing_since is not None:
        return _("Failing"), "bad"
    return (_("In use"), "good") if webhook.last_success_at is not None else (_("Nothing sent yet"), "")


def states() -> list[tuple[Any, Any]]:
    """For the filter."""
    return list(DeliveryState.choices)
