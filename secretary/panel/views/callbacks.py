"""Callbacks: the list, one of them, a new one; to place, change, finish and take back. Agents see their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from secretary.errors import CallbackRefused
from secretary.models import Callback, CallbackState, ConsentHow
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.callback_words import LEGS, TONES, outcome, refusal
from secretary.panel.editing import Link, edit, edit_once
from secretary.panel.forms.base import PanelForm
from secretary.panel.forms.callback import CallingRulesForm, ChangeForm, NewForm
from secretary.panel.listing import PageLinks, cursors
from secretary.panel.pages import show
from secretary.selectors.callback_list import OPEN, callback_page, get_callback, phones_of
from secretary.selectors.inbox import get_message
from secretary.selectors.one_call import get_call
from secretary.services import callbacks, placing
from secretary.services.calling_rules import calling_rules_of, save_calling_rules

SECTION = "callbacks"
NEVER = datetime.min.replace(tzinfo=UTC)
"""Seen at no time: a form without the guard overwrites nothing."""
FIELDS = {
    "too_late": "not_after", "unknown_destination": "destination_uuid", "not_a_person": "destination_uuid",
    "no_consent": "agreed",
}  # fmt: skip


def _callback(access: Access, callback_uuid: UUID) -> Callback:
    row = get_callback(callback_uuid=callback_uuid, own=access.own)
    if row is None:
        raise Http404
    return row


def _to_list(access: Access) -> Link:
    return Link(reverse("panel:callbacks", args=[access.domain.pk]), _("Callbacks"))


def _to_one(access: Access, row: Callback) -> Link:
    return Link(reverse("panel:callback", args=[access.domain.pk, row.pk]), str(row))


@in_domain()
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """What is open, or all of it."""
    state = request.GET.get("state", OPEN)
    state = state if state in TONES else "" if state == "all" else OPEN
    page = callback_page(own=access.own, state=state, **cursors(request))
    return show(
        request,
        access,
        "panel/callbacks/list.html",
        section=SECTION,
        page=PageLinks.of(request, page),
        lines=[(row, TONES.get(row.state, ""), outcome(row.outcome) if row.outcome else "") for row in page.items],
        states=[(OPEN, _("Open")), ("all", _("All callbacks")), *CallbackState.choices],
        state=state or "all",
        may_act=access.may(Can.HANDLE_MESSAGES),
    )


@in_domain()
def detail(request: HttpRequest, access: Access, callback_uuid: UUID) -> HttpResponse:
    """One callback and its attempts."""
    row = _callback(access, callback_uuid)
    may_act = access.may(Can.HANDLE_MESSAGES)
    again = row.state in (CallbackState.WAITING, CallbackState.FAILED, CallbackState.EXPIRED)
    return show(
        request,
        access,
        "panel/callbacks/detail.html",
        section=SECTION,
        callback=row,
        tone=TONES.get(row.state, ""),
        outcome=outcome(row.outcome) if row.outcome else "",
        attempts=[(one, outcome(one.outcome), LEGS.get(one.leg, "")) for one in row.history.all()],
        may_change=may_act and again,
        may_cancel=may_act and row.state != CallbackState.CANCELLED and (again or row.is_open),
        phones=phones_of(request.user.pk) if may_act and again and row.consent_at else [],
        may_place=may_act and again and row.consent_at is not None and row.destination is not None,
        back=_to_list(access),
    )


def _refused(error: CallbackRefused) -> ValidationError:
    text = str(refusal(error.reason))
    if error.reason in ("not_open", "too_many"):
        return ValidationError(text)
    return ValidationError({FIELDS.get(error.reason, "number"): [text]})


@in_domain(Can.HANDLE_MESSAGES, change=Can.HANDLE_MESSAGES)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    """Make one, from nothing or for whoever left a message or called."""
    about = _about(request, access)

    def save(form: PanelForm) -> None:
        values = form.values
        values.pop("agreed")
        consent = callbacks.Consent(ConsentHow.PANEL, request.user.get_username())
        try:
            callbacks.request_callback(
                domain_uuid=access.domain.pk,
                secretary_uuid=None,
                call_uuid=about.get("call_uuid"),
                consent=consent,
                **values,
            )
        except CallbackRefused as error:
            raise _refused(error) from error

    return edit(
        request,
        access,
        section=SECTION,
        title=_("New callback"),
        back=_to_list(access),
        form_class=partial(NewForm, own=access.own),
        initial={name: value for name, value in about.items() if name != "call_uuid"},
        row=None,
        read=dict,
        save=save,
        done=_("It is kept. It is placed when its time has come, if somebody is there to call."),
        may_write=True,
    )


def _about(request: HttpRequest, access: Access) -> dict[str, Any]:
    """Whom the address is about: `?message=` or `?call=`, if the person may see it. Rubbish is ignored."""
    for name in ("message", "call"):
        try:
            uuid = UUID(request.GET.get(name, ""))
        except ValueError:
            continue
        found: Any = (
            get_message(message_uuid=uuid, own=access.own)
            if name == "message"
            else get_call(call_uuid=uuid, own=access.own)
        )
        if found is not None:
            return {
                "number": getattr(found, "given_number", "") or found.caller_number,
                "name": getattr(found, "given_name", "") or found.caller_name,
                "call_uuid": found.call_id if name == "message" else found.pk,
            }
    return {}


def _read(row: Callback) -> Mapping[str, Any]:
    return {
        "name": row.name,
        "reason": row.reason,
        "destination_uuid": str(row.destination_id or ""),
        "not_before": row.not_before,
        "not_after": row.not_after,
        "max_attempts": row.max_attempts,
    }


@in_domain(Can.HANDLE_MESSAGES, change=Can.HANDLE_MESSAGES)
def change(request: HttpRequest, access: Access, callback_uuid: UUID) -> HttpResponse:
    """Other times, somebody else; one that failed or expired waits again then."""
    row = _callback(access, callback_uuid)

    def save(form: PanelForm) -> None:
        try:
            callbacks.change_callback(callback_uuid=row.pk, seen_at=form.seen_at or NEVER, **form.values)
        except CallbackRefused as error:
            raise _refused(error) from error

    return edit(
        request,
        access,
        section=SECTION,
        title=str(row),
        back=_to_one(access, row),
        form_class=partial(ChangeForm, own=access.own),
        initial=_read(row),
        row=row,
        read=_read,
        save=save,
        done=_("Saved."),
        may_write=True,
    )


@in_domain(None, change=Can.HANDLE_MESSAGES)
def place(request: HttpRequest, access: Access, callback_uuid: UUID) -> HttpResponse:
    """Call now: from the callback's own telephone, or from one of the person's."""
    row = _callback(access, callback_uuid)
    mine = {str(phone.pk): phone.pk for phone in phones_of(request.user.pk)}
    phone = mine.get(request.POST.get("phone", ""))
    try:
        placing.place_now(
            domain_uuid=access.domain.pk,
            callback_uuid=row.pk,
            asked_by=request.user.get_username(),
            destination_uuid=phone,
            tell=phone is None,  # on one's own telephone one has just read it
        )
    except CallbackRefused as error:
        messages.error(request, str(refusal(error.reason)))
    else:
        messages.success(request, _("The telephone rings. Pick up, and the other one is called. Reload to see more."))
    return redirect(_to_one(access, row).url)


@in_domain(None, change=Can.HANDLE_MESSAGES)
def finish(request: HttpRequest, access: Access, callback_uuid: UUID) -> HttpResponse:
    """Somebody has called by themselves."""
    row = _callback(access, callback_uuid)
    return _by_hand(request, access, row, callbacks.finish_callback, _("Marked as done."))


@in_domain(None, change=Can.HANDLE_MESSAGES)
def cancel(request: HttpRequest, access: Access, callback_uuid: UUID) -> HttpResponse:
    """Take it back; what rings for it is hung up."""
    row = _callback(access, callback_uuid)
    return _by_hand(request, access, row, callbacks.cancel_callback, _("Taken back. Nobody is called."))


def _by_hand(request: HttpRequest, access: Access, row: Callback, do: Any, done: str) -> HttpResponse:
    try:
        do(callback_uuid=row.pk)
    except CallbackRefused as error:
        messages.error(request, str(refusal(error.reason)))
    else:
        messages.success(request, done)
    return redirect(_to_one(access, row).url)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def rules(request: HttpRequest, access: Access) -> HttpResponse:
    """How the domain calls out."""
    return edit_once(
        request,
        access,
        section=SECTION,
        title=_("How the domain calls out"),
        back=_to_list(access),
        form_class=CallingRulesForm,
        find=calling_rules_of,
        read=CallingRulesForm.read,
        save=partial(save_calling_rules, domain_uuid=access.domain.pk),
        done=_("Saved. The next call uses it (%(time)s).") % {"time": timezone.localtime().strftime("%H:%M")},
    )
