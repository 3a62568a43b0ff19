"""Webhooks: list, make, change, remove; their deliveries, a test, a new secret, sending again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link, edit
from secretary.panel.forms.base import PanelForm
from secretary.panel.forms.webhook import ReplayForm, SecretForm, WebhookForm
from secretary.panel.listing import PageLinks, cursors
from secretary.panel.pages import show
from secretary.panel.webhook_words import DISABLED, TONES, line, standing, states
from secretary.webhooks import selectors, services
from secretary.webhooks.attempt import message
from secretary.webhooks.models import Delivery, Webhook
from secretary.webhooks.services import Issued

SECTION = "webhooks"


def _to_list(access: Access) -> Link:
    return Link(reverse("panel:webhooks", args=[access.domain.pk]), _("Webhooks"))


def _to_log(access: Access, row: Webhook) -> Link:
    return Link(reverse("panel:webhook", args=[access.domain.pk, row.pk]), str(row))


def _webhook(webhook_uuid: UUID) -> Webhook:
    row = selectors.get_webhook(webhook_uuid=webhook_uuid)
    if row is None:
        raise Http404
    return row


def _delivery(webhook_uuid: UUID, delivery_uuid: UUID) -> Delivery:
    row = selectors.get_delivery(webhook_uuid=webhook_uuid, delivery_uuid=delivery_uuid)
    if row is None:
        raise Http404
    return row


def _read(row: Webhook) -> Mapping[str, Any]:
    return {"url": row.url, "description": row.description, "events": list(row.events), "enabled": row.enabled}


@in_domain(Can.CONFIGURE)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """Every webhook and how it does."""
    rows = [(row, *standing(row)) for row in selectors.list_webhooks()]
    return show(request, access, "panel/webhooks/list.html", section=SECTION, webhooks=rows)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    """Make one; its secret is shown on the page that answers, and never again."""
    issued: list[Issued] = []
    response = edit(
        request,
        access,
        section=SECTION,
        title=_("New webhook"),
        back=_to_list(access),
        form_class=WebhookForm,
        initial={},
        row=None,
        read=dict,
        save=lambda form: issued.append(services.create_webhook(**form.values)),
        done="",
    )
    return _shown_once(request, access, issued[0]) if issued else response


@in_domain(Can.CONFIGURE)
def log(request: HttpRequest, access: Access, webhook_uuid: UUID) -> HttpResponse:
    """A webhook's deliveries, newest first."""
    row = _webhook(webhook_uuid)
    state = request.GET.get("state", "")
    state = state if state in TONES else ""
    page = selectors.delivery_page(webhook_uuid=row.pk, state=state, **cursors(request))
    word, tone = standing(row)
    return show(
        request,
        access,
        "panel/webhooks/log.html",
        section=SECTION,
        webhook=row,
        word=word,
        tone=tone,
        disabled=DISABLED.get(row.disabled_reason, "") if not row.enabled else "",
        page=PageLinks.of(request, page),
        lines=[line(delivery) for delivery in page.items],
        states=states(),
        state=state,
        back=_to_list(access),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, webhook_uuid: UUID) -> HttpResponse:
    row = _webhook(webhook_uuid)

    def save(form: PanelForm) -> None:
        services.update_webhook(webhook_uuid=row.pk, seen_at=form.seen_at, **form.values)

    return edit(
        request,
        access,
        section=SECTION,
        title=str(row),
        back=_to_log(access, row),
        form_class=WebhookForm,
        initial=_read(row),
        row=row,
        read=_read,
        save=save,
        done=_("Saved. The next event uses it."),
        delete_url=reverse("panel:webhook-delete", args=[access.domain.pk, row.pk]),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def delete(request: HttpRequest, access: Access, webhook_uuid: UUID) -> HttpResponse:
    row = _webhook(webhook_uuid)
    if request.method == "POST":
        services.delete_webhook(webhook_uuid=row.pk)
        messages.success(request, _("“%(name)s” was removed.") % {"name": row})
        return redirect(_to_list(access).url)
    return show(
        request,
        access,
        "panel/delete.html",
        section=SECTION,
        title=_("Remove “%(name)s”?") % {"name": row},
        back=_to_log(access, row),
        consequence=_("Nothing is sent there any more, not even what is waiting. Its log goes with it."),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def secret(request: HttpRequest, access: Access, webhook_uuid: UUID) -> HttpResponse:
    """A new secret, shown once; the old one signs beside it for a while."""
    row = _webhook(webhook_uuid)
    issued: list[Issued] = []

    def save(form: PanelForm) -> None:
        assert isinstance(form, SecretForm)  # noqa: S101 - for the types
        issued.append(services.rotate_secret(webhook_uuid=row.pk, overlap=form.span))

    response = edit(
        request,
        access,
        section=SECTION,
        title=_("New secret"),
        action=_("Make a new secret"),
        intro=str(row),
        back=_to_log(access, row),
        form_class=SecretForm,
        initial={},
        row=None,
        read=dict,
        save=save,
        done="",
    )
    return _shown_once(request, access, issued[0]) if issued else response


@in_domain(None, change=Can.CONFIGURE)
def ping(request: HttpRequest, access: Access, webhook_uuid: UUID) -> HttpResponse:
    """Send a test event."""
    row = _webhook(webhook_uuid)
    if row.enabled:
        services.send_ping(webhook_uuid=row.pk)
        messages.success(request, _("The test is on its way. Reload to see how it went."))
    else:
        messages.error(request, _("The webhook is switched off. Switch it on first."))
    return redirect(_to_log(access, row).url)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def replay(request: HttpRequest, access: Access, webhook_uuid: UUID) -> HttpResponse:
    """Send the events of a time again."""
    row = _webhook(webhook_uuid)

    def save(form: PanelForm) -> None:
        count = services.replay_range(webhook_uuid=row.pk, **form.values)
        words = ngettext("%(n)s event is on its way.", "%(n)s events are on their way.", count)
        messages.success(request, words % {"n": count})

    now = timezone.localtime()
    return edit(
        request,
        access,
        section=SECTION,
        title=_("Send again"),
        action=_("Send again"),
        intro=str(row),
        back=_to_log(access, row),
        form_class=ReplayForm,
        initial={"since": now - timedelta(days=1), "until": now + timedelta(minutes=1)},
        row=None,
        read=dict,
        save=save,
        done="",
    )


@in_domain(Can.CONFIGURE)
def one(request: HttpRequest, access: Access, webhook_uuid: UUID, delivery_uuid: UUID) -> HttpResponse:
    """One delivery: what was sent, and what came back."""
    delivery = _delivery(webhook_uuid, delivery_uuid)
    row = _webhook(webhook_uuid)
    sent = orjson.dumps(orjson.loads(message(delivery.event)), option=orjson.OPT_INDENT_2).decode()
    return show(
        request,
        access,
        "panel/webhooks/delivery.html",
        section=SECTION,
        webhook=row,
        delivery=delivery,
        line=line(delivery),
        sent=sent,
        may_send_again=row.enabled and not delivery.is_open,
        back=_to_log(access, row),
    )


@in_domain(None, change=Can.CONFIGURE)
def again(request: HttpRequest, access: Access, webhook_uuid: UUID, delivery_uuid: UUID) -> HttpResponse:
    """Send one event again."""
    delivery = _delivery(webhook_uuid, delivery_uuid)
    try:
        services.replay_delivery(webhook_uuid=webhook_uuid, delivery_uuid=delivery.pk)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The event is on its way again. Reload to see how it went."))
    return redirect(_to_log(access, _webhook(webhook_uuid)).url)


def _shown_once(request: HttpRequest, access: Access, issued: Issued) -> HttpResponse:
    return show(
        request,
        access,
        "panel/webhooks/secret.html",
        section=SECTION,
        webhook=issued.webhook,
        secret=issued.secret,
        back=_to_log(access, issued.webhook),
    )
