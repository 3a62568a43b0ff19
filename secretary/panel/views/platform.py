"""The operator's view across domains: accounts, operators."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from secretary.panel import mail
from secretary.panel.access import ROLES, for_operators
from secretary.panel.browsers import browser_name
from secretary.panel.editing import Link, add_errors
from secretary.panel.forms.people import OperatorInviteForm
from secretary.panel.inviting import deliver, show_link
from secretary.panel.pages import show_outside
from secretary.panel.tasks import reset_link
from tenants.context import platform_context
from tenants.models import OperatorInvitation
from tenants.people import accounts, invitations, second_factor

LONGEST_SEARCH = 64


@for_operators()
def everybody(request: HttpRequest) -> HttpResponse:
    """All accounts; by a part of name or address, a page at a time."""
    query = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    after = request.GET.get("after", "").replace("\0", "")[:150]
    people, more = accounts.find_people(search=query, after=after)
    return show_outside(
        request,
        "panel/platform/everybody.html",
        section="everybody",
        people=people,
        query=query,
        first=not after,
        more=urlencode({"q": query, "after": more} if query else {"after": more}) if more else "",
    )


@for_operators()
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """One account: its domains, its browsers, what can be done for it."""
    user = _account(user_id)
    return show_outside(
        request,
        "panel/platform/person.html",
        section="everybody",
        person=user,
        places=[(place, ROLES.get(place.role, place.role)) for place in accounts.all_memberships(user.pk)],
        sessions=[(row, browser_name(row.agent)) for row in accounts.sessions(user.pk)],
        second_factor=second_factor.is_on(user.pk),
        myself=user.pk == request.user.pk,
        no_mail=not mail.is_configured(),
        back=Link(reverse("panel:everybody"), _("Accounts")),
    )


@for_operators("POST")
def sign_out(request: HttpRequest, user_id: int) -> HttpResponse:
    """Sign an account out everywhere."""
    accounts.end_sessions(_account(user_id))
    messages.success(request, _("Signed out everywhere."))
    return redirect("panel:person", user_id)


@for_operators("POST")
def lose_second_factor(request: HttpRequest, user_id: int) -> HttpResponse:
    """Switch the second factor off for somebody who has lost it."""
    if accounts.lose_second_factor(_account(user_id)):
        messages.success(request, _("Two-factor sign-in is off for this account."))
    return redirect("panel:person", user_id)


@for_operators("POST")
def switch(request: HttpRequest, user_id: int) -> HttpResponse:
    """Switch an account off or on."""
    try:
        accounts.switch(_account(user_id), active=request.POST.get("active") == "1")
    except accounts.LastOperator:
        messages.error(request, _("This is the last operator. Make somebody else one first."))
    return redirect("panel:person", user_id)


@for_operators("POST")
def make_reset_link(request: HttpRequest, user_id: int) -> HttpResponse:
    """A link to set a new password, shown to be handed over: only where there is no mail server."""
    user = _account(user_id)
    if mail.is_configured() or not user.is_active:
        raise Http404
    accounts.note(user, "password.link-made")
    return show_outside(
        request,
        "panel/platform/reset_link.html",
        section="everybody",
        person=user,
        link=reset_link(user, request.build_absolute_uri("/")),
        back=Link(reverse("panel:person", args=[user.pk]), user.get_username()),
    )


@for_operators()
def operators(request: HttpRequest) -> HttpResponse:
    """Who runs the platform, and who is invited to."""
    now = timezone.now()
    with platform_context():
        invited = [
            (row, row.expires_at <= now) for row in invitations.live(OperatorInvitation.objects.order_by("email"))
        ]
    return show_outside(
        request, "panel/platform/operators.html", section="operators", people=accounts.operators(), invited=invited
    )


@for_operators("GET", "HEAD", "POST")
def invite_operator(request: HttpRequest) -> HttpResponse:
    """Invite an address to run the platform."""
    form = OperatorInviteForm(request.POST or None)
    back = Link(reverse("panel:operators"), _("Operators"))
    if request.method == "POST" and form.is_valid():
        try:
            issued = invitations.invite_operator(invited_by=request.user.get_username(), **form.values)
        except ValidationError as error:
            add_errors(form, error)
        else:
            return _handed_over(request, issued)
    status = 422 if request.method == "POST" else 200
    title = _("Invite an operator")
    return show_outside(
        request, "panel/account/form.html", section="operators", status=status, form=form, title=title, back=back
    )


@for_operators("POST")
def resend_operator(request: HttpRequest, invitation_uuid: UUID) -> HttpResponse:
    """A new link; the old one is dead."""
    with platform_context():
        issued = invitations.resend(_invitation(invitation_uuid))
    return _handed_over(request, issued)


@for_operators("POST")
def revoke_operator(request: HttpRequest, invitation_uuid: UUID) -> HttpResponse:
    """The link is dead."""
    with platform_context():
        row = _invitation(invitation_uuid)
        invitations.revoke(row)
    messages.success(request, _("The invitation of %(email)s is revoked.") % {"email": row.email})
    return redirect("panel:operators")


@for_operators("POST")
def remove_operator(request: HttpRequest, user_id: int) -> HttpResponse:
    """Take the operator's rights away; the account stays."""
    user = _account(user_id)
    if not user.is_superuser:
        raise Http404
    try:
        accounts.remove_operator(user)
    except accounts.LastOperator:
        messages.error(request, _("This is the last operator. Make somebody else one first."))
    else:
        messages.success(request, _("“%(name)s” was removed.") % {"name": user.get_username()})
    return redirect("panel:operators")


def _account(user_id: int) -> Any:
    user = get_user_model().objects.filter(pk=user_id).first() if user_id < 2**31 else None
    if user is None:
        raise Http404
    return user


def _invitation(invitation_uuid: UUID) -> OperatorInvitation:
    row = invitations.live(OperatorInvitation.objects.filter(pk=invitation_uuid)).first()
    if row is None:
        raise Http404
    found: OperatorInvitation = row
    return found


def _handed_over(request: HttpRequest, issued: invitations.Issued) -> HttpResponse:
    with platform_context():
        link = deliver(request, issued, domain=None)
    back = Link(reverse("panel:operators"), _("Operators"))
    if link is None:
        return redirect(back.url)
    return show_outside(request, "panel/platform/link.html", section="operators", **show_link(issued, link, back))
