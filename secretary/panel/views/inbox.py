"""The messages that callers left: read, listen, mark."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from secretary.panel.access import Access, Can, in_domain
from secretary.panel.audio import play
from secretary.panel.listing import PageLinks, cursors
from secretary.panel.pages import show
from secretary.selectors.inbox import get_message, message_page
from secretary.services.inbox import mark_message


@in_domain()
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """All messages, or only the unread."""
    unread_only = request.GET.get("show") == "unread"
    page = message_page(own=access.own, unread_only=unread_only, **cursors(request))
    return show(
        request,
        access,
        "panel/messages/list.html",
        section="messages",
        page=PageLinks.of(request, page),
        unread_only=unread_only,
        may_mark=access.may(Can.HANDLE_MESSAGES),
    )


@in_domain()
def audio(request: HttpRequest, access: Access, message_uuid: UUID) -> HttpResponseBase:
    """The message's sound."""
    message = get_message(message_uuid=message_uuid, own=access.own)
    if message is None:
        raise Http404
    return play(request, message.audio)


@in_domain(None, change=Can.HANDLE_MESSAGES)
def mark(request: HttpRequest, access: Access, message_uuid: UUID) -> HttpResponse:
    """Mark as read or unread, and back to where the person was."""
    read = request.POST.get("read") != "0"
    if get_message(message_uuid=message_uuid, own=access.own) is None:
        raise Http404
    mark_message(message_uuid=message_uuid, read=read)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = reverse("panel:messages", args=[access.domain.pk])
    return HttpResponseRedirect(back)
