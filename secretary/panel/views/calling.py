"""Telephones that ring because somebody pressed a button, and the list of what the platform does on the telephone."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from eslbridge import jobs as switch_jobs
from eslbridge.models import EslCredential, Job, JobKind, JobState
from secretary.errors import TransferRefused
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.callback_words import TONES, outcome, refusal
from secretary.panel.editing import Link, edit
from secretary.panel.forms.base import PanelForm
from secretary.panel.forms.callback import TestCallForm
from secretary.panel.listing import PageLinks, cursors
from secretary.panel.pages import show
from secretary.selectors.callback_list import get_job, job_page, phones_of
from secretary.selectors.configuration import get_secretary
from secretary.selectors.inbox import get_message
from secretary.selectors.one_call import get_call
from secretary.services import calling_out
from tenants import audit


def _asked(job: Job) -> None:
    calling_out.record(job)


def _nowhere_to_ring() -> str:
    """What to say where nothing can ring, because there is no switch to ask; empty where there is one."""
    return "" if EslCredential.objects.exists() else _("No telephone system is connected yet, so nothing can ring.")


def _dial(request: HttpRequest, access: Access, number: str, name: str, back: str) -> HttpResponse:
    """The person's own telephone rings, then the number."""
    phones = phones_of(request.user.pk)
    phone = next((one for one in phones if str(one.pk) == request.POST.get("phone", "")), phones[0] if phones else None)
    if phone is None:
        messages.error(request, _("Nobody knows your telephone. An administrator says under “People” where you are."))
        return redirect(back)
    if nowhere := _nowhere_to_ring():
        messages.error(request, nowhere)
        return redirect(back)
    try:
        job = calling_out.click_to_call(domain_uuid=access.domain.pk, phone=phone.number, number=number, name=name)
    except TransferRefused as error:
        messages.error(request, str(refusal(error.reason)))
    else:
        _asked(job)
        text = _("Your telephone (%(phone)s) rings. Pick up, and %(number)s is called.")
        messages.success(request, text % {"phone": phone.number, "number": name or number})
    return redirect(back)


@in_domain(None, change=Can.HANDLE_MESSAGES)
def dial_message(request: HttpRequest, access: Access, message_uuid: UUID) -> HttpResponse:
    """Call whoever left a message."""
    row = get_message(message_uuid=message_uuid, own=access.own)
    if row is None:
        raise Http404
    back = f"{reverse('panel:messages', args=[access.domain.pk])}#m-{row.pk}"
    # The number that the caller gave goes before the one that the telephone showed.
    return _dial(request, access, row.given_number or row.caller_number, row.given_name or row.caller_name, back)


@in_domain(None, change=Can.HANDLE_MESSAGES)
def dial_call(request: HttpRequest, access: Access, call_uuid: UUID) -> HttpResponse:
    """Call whoever called."""
    row = get_call(call_uuid=call_uuid, own=access.own)
    if row is None:
        raise Http404
    back = reverse("panel:call", args=[access.domain.pk, row.pk])
    return _dial(request, access, row.caller_number, row.caller_name, back)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def test_call(request: HttpRequest, access: Access, secretary_uuid: UUID) -> HttpResponse:
    """Try a secretary from the desk: a telephone rings, and whoever picks up talks to her."""
    row = get_secretary(secretary_uuid=secretary_uuid)
    if row is None:
        raise Http404

    def save(form: PanelForm) -> None:
        if nowhere := _nowhere_to_ring():
            raise ValidationError(nowhere)
        try:
            _asked(
                calling_out.to_secretary(
                    domain_uuid=access.domain.pk, number=form.values["number"], secretary_uuid=row.pk
                )
            )
        except TransferRefused as error:
            raise ValidationError({"number": [str(refusal(error.reason))]}) from error

    phones = phones_of(request.user.pk)
    return edit(
        request,
        access,
        section="secretaries",
        title=_("Test call"),
        intro=row.name,
        action=_("Ring now"),
        back=Link(reverse("panel:secretaries", args=[access.domain.pk]), _("Secretaries")),
        form_class=TestCallForm,
        initial={"number": phones[0].number if phones else ""},
        row=None,
        read=dict,
        save=save,
        done=_("The telephone rings. Pick up, and say something."),
    )


@in_domain(Can.SEE_SETUP)
def jobs(request: HttpRequest, access: Access) -> HttpResponse:
    """What the platform was asked to do on the telephone, and how it went."""
    state, kind = request.GET.get("state", ""), request.GET.get("kind", "")
    state = state if state in JobState.values else ""
    kind = kind if kind in JobKind.values else ""
    page = job_page(state=state, kind=kind, **cursors(request))
    return show(
        request,
        access,
        "panel/jobs/list.html",
        section="jobs",
        page=PageLinks.of(request, page),
        lines=[(row, TONES.get(row.state, ""), outcome(row.outcome) if row.outcome else "") for row in page.items],
        states=JobState.choices,
        state=state,
        kinds=JobKind.choices,
        kind=kind,
    )


@in_domain(None, change=Can.CONFIGURE)
def cancel_job(request: HttpRequest, access: Access, job_uuid: UUID) -> HttpResponse:
    """Take a job back; what an originate has ringing is hung up."""
    row = get_job(job_uuid=job_uuid)
    if row is None:
        raise Http404
    audit.log("job.cancelled", audit.Subject("job", str(row.pk), row.kind))
    reason = f"cancelled by {request.user.get_username()}"
    taken = switch_jobs.cancel(domain_uuid=access.domain.pk, job_uuid=row.pk, reason=reason)
    if taken or switch_jobs.cancel_ringing(domain_uuid=access.domain.pk, job_uuid=row.pk):
        messages.success(request, _("Taken back."))
    else:
        messages.error(request, _("Too late: it has been done, or is over."))
    return redirect("panel:jobs", access.domain.pk)
