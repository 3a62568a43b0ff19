"""Webhooks: list, make, change, remove; their deliveries, a test, a new secret, sending again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from secretary.panel.access import Access, Can, in_domain
from secretary.panel.forms.webhook import ReplayForm, SecretForm, WebhookForm
from secretary.panel.listing import PageLinks, cursors
from secretary.panel.pages import show
from secretary.panel.rows import Rows, fields_of
from secretary.panel.webhook_words import DISABLED, TONES, line, standing, states
from secretary.webhooks import selectors, services
from secretary.webhooks.attempt import message
from secretary.webhooks.models import Delivery, Webhook
from secretary.webhooks.services import Issued


def _shown_once(request: HttpRequest, access: Access, issued: Issued) -> HttpResponse:
    return show(
        request,
        access,
        "panel/webhooks/secret.html",
        section=ROWS.section,
        webhook=issued.webhook,
        secret=issued.secret,
        back=ROWS.to_one(access, issued.webhook),
    )


ROWS = Rows[Webhook](
    section="webhooks",
    route="webhook",
    key="webhook_uuid",
    title=gettext_lazy("Webhooks"),
    form=WebhookForm,
    read=fields_of(WebhookForm),
    find=selectors.get_webhook,
    create=services.create_webhook,
    update=services.update_webhook,
    remove=services.delete_webhook,
    new=gettext_lazy("New webhook"),
    made="",
    saved=gettext_lazy("Saved. The next event uses it."),
    consequence=gettext_lazy("Nothing is sent there any more, not even what is waiting. Its log goes with it."),
    see=Can.CONFIGURE,
    then=_shown_once,
)
new, _change, delete = ROWS.views()


def _delivery(webhook_uuid: UUID, delivery_uuid: UUID) -> Delivery:
    row = selectors.get_delivery(webhook_uuid=webhook_uuid, delivery_uuid=delivery_uuid)
    if row is None:
        raise Http404
    return row


@in_domain(Can.CONFIGURE)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """Every webhook and how it does."""
    rows = [(row, *standing(row)) for row in selectors.list_webhooks()]
    return show(request, access, "panel/webhooks/list.html", section=ROWS.section, webhooks=rows)


@in_domain(Can.CONFIGURE)
def log(request: HttpRequest, access: Access, webhook_uuid: UUID) -> HttpResponse:
    """A webhook's deliveries, newest first."""
    row = ROWS.get(webhook_uuid)
    state = request.GET.get("state", "")
    state = state if state in TONES else ""
    page = selectors.delivery_page(webhook_uuid=row.pk, state=state, **cursors(request))
    word, tone = standing(row)
    return show(
        request,
        access,
        "panel/webhooks/log.html",
        section=ROWS.section,
        webhook=row,
        word=word,
        tone=tone,
        disabled=DISABLED.get(row.disabled_reason, "") if not row.enabled else "",
        page=PageLinks.of(request, page),
        lines=[line(delivery) for delivery in page.items],
        states=states(),
        state=state,
        back=ROWS.to_list(access),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, webhook_uuid: UUID) -> HttpResponse:
    row = ROWS.get(webhook_uuid)
    return ROWS.change(request, access, row, back=ROWS.to_one(access, row))


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def secret(request: HttpRequest, access: Access, webhook_uuid: UUID) -> HttpResponse:
    """A new secret, shown once; the old one signs beside it for a while."""
    row = ROWS.get(webhook_uuid)
    return ROWS.act(
        request,
        access,
        row,
        title=_("New secret"),
        action=_("Make a new secret"),
        form=SecretForm,
        do=lambda form: services.rotate_secret(webhook_uuid=row.pk, overlap=form.span),
        back=ROWS.to_one(access, row),
        then=_shown_once,
    )


@in_domain(None, change=Can.CONFIGURE)
def ping(request: HttpRequest, access: Access, webhook_uuid: UUID) -> HttpResponse:
    """Send a test event."""
    row = ROWS.get(webhook_uuid)
    if row.enabled:
        services.send_ping(webhook_uuid=row.pk)
        messages.success(request, _("The test is on its way. Reload to see how it went."))
    else:
        messages.error(request, _("The webhook is switched off. Switch it on first."))
    return redirect(ROWS.to_one(access, row).url)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def replay(request: HttpRequest, access: Access, webhook_uuid: UUID) -> HttpResponse:
    """Send the events of a time again."""
    row = ROWS.get(webhook_uuid)

    def send(form: Any) -> None:
        count = services.replay_range(webhook_uuid=row.pk, **form.values)
        words = ngettext("%(n)s event is on its way.", "%(n)s events are on their way.", count)
        messages.success(request, words % {"n": count})

    now = timezone.localtime()
    return ROWS.act(
        request,
        access,
        row,
        title=_("Send again"),
        action=_("Send again"),
        form=ReplayForm,
        do=send,
        back=ROWS.to_one(access, row),
        initial={"since": now - timedelta(days=1), "until": now + timedelta(minutes=1)},
    )


@in_domain(Can.CONFIGURE)
def one(request: HttpRequest, access: Access, webhook_uuid: UUID, delivery_uuid: UUID) -> HttpResponse:
    """One delivery: what was sent, and what came back."""
    delivery = _delivery(webhook_uuid, delivery_uuid)
    row = ROWS.get(webhook_uuid)
    sent = orjson.dumps(orjson.loads(message(delivery.event)), option=orjson.OPT_INDENT_2).decode()
    return show(
        request,
        access,
        "panel/webhooks/delivery.html",
        section=ROWS.section,
        webhook=row,
        delivery=delivery,
        line=line(delivery),
        sent=sent,
        may_send_again=row.enabled and not delivery.is_open,
        back=ROWS.to_one(access, row),
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
    return redirect(ROWS.to_one(access, ROWS.get(webhook_uuid)).url)
