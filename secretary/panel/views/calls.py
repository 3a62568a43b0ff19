"""The calls of a domain: the list, one call, its recording."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from secretary.panel import one_call
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.audio import play, stored_file
from secretary.panel.listing import PageLinks, cursors
from secretary.panel.pages import show
from secretary.panel.words import OUTCOMES
from secretary.selectors.call_list import call_page
from secretary.selectors.one_call import get_call, whole_call

LONGEST_SEARCH = 64


@in_domain()
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """Calls, newest first; by outcome, by a part of the caller's number or name."""
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in OUTCOMES else ""
    query = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    page = call_page(own=access.own, outcome=outcome, search=query, **cursors(request))
    return show(
        request,
        access,
        "panel/calls/list.html",
        section="calls",
        page=PageLinks.of(request, page),
        outcomes=[(value, words.label) for value, words in OUTCOMES.items()],
        outcome=outcome,
        query=query,
        filtered=bool(outcome or query),
    )


@in_domain()
def detail(request: HttpRequest, access: Access, call_uuid: UUID) -> HttpResponse:
    """One call: what was said, what happened, how quick it was, and its sound."""
    whole = whole_call(call_uuid=call_uuid, own=access.own)
    if whole is None:
        raise Http404
    call, utterances = whole.call, whole.utterances
    playable = stored_file(call.recording) is not None
    return show(
        request,
        access,
        "panel/calls/detail.html",
        section="calls",
        call=call,
        message_left=whole.message,
        turns=one_call.turns(call, utterances),
        lanes=one_call.lanes(call, utterances),
        length_ms=one_call.length_ms(call, utterances),
        stages=one_call.stages(call.latency),
        timeline=one_call.timeline(whole.events),
        facts=one_call.facts(call),
        used=one_call.used(whole.usage) if access.sees_setup else [],
        recording_url=reverse("panel:recording", args=[access.domain.pk, call.pk]) if playable else "",
        recording_label=_("Recording of the call"),
        may_dial=access.may(Can.HANDLE_MESSAGES),
    )


@in_domain()
def recording(request: HttpRequest, access: Access, call_uuid: UUID) -> HttpResponseBase:
    """The call's sound."""
    call = get_call(call_uuid=call_uuid, own=access.own)
    if call is None:
        raise Http404
    return play(request, call.recording)
