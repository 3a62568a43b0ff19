"""The people of a domain: who they are, inviting, roles, removing, and the rule of two factors."""

from __future__ import annotations

from collections.abc import Mapping
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

from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link, edit, edit_once
from secretary.panel.forms.base import PanelForm
from secretary.panel.forms.people import InviteForm, MemberForm, RuleForm
from secretary.panel.inviting import deliver, show_link
from secretary.panel.pages import show
from secretary.selectors.own import destinations_by_member, own_destinations
from secretary.services.optimistic import StaleRowError
from secretary.services.reach import set_destinations
from tenants.models import Domain, Invitation, Member
from tenants.people import invitations, members

SECTION = "people"


def _back(access: Access) -> Link:
    return Link(reverse("panel:people", args=[access.domain.pk]), _("People"))


@in_domain(Can.MANAGE_PEOPLE)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """Everybody in the domain, and who is invited."""
    reached = destinations_by_member()
    now = timezone.now()
    return show(
        request,
        access,
        "panel/people/list.html",
        section=SECTION,
        people=[(member, reached.get(member.pk, [])) for member in members.list_members()],
        invited=[(row, row.expires_at <= now) for row in invitations.live(Invitation.objects.order_by("email"))],
    )


@in_domain(Can.MANAGE_PEOPLE, change=Can.MANAGE_PEOPLE)
def invite(request: HttpRequest, access: Access) -> HttpResponse:
    """Invite an address. Where there is no mail server, the link is shown, to be handed over."""
    issued: list[invitations.Issued] = []

    def save(form: PanelForm) -> None:
        inviter = request.user.get_username()
        issued.append(invitations.invite(domain_uuid=access.domain.pk, invited_by=inviter, **form.values))

    response = edit(
        request,
        access,
        section=SECTION,
        title=_("Invite somebody"),
        intro=_("They get a link that serves once, for seven days, and set a password or use the account they have."),
        back=_back(access),
        form_class=InviteForm,
        initial={},
        row=None,
        read=dict,
        save=save,
        done="",
    )
    return _handed_over(request, access, issued[0]) if issued else response


@in_domain(None, change=Can.MANAGE_PEOPLE)
def resend(request: HttpRequest, access: Access, invitation_uuid: UUID) -> HttpResponse:
    """A new link; the old one is dead."""
    try:
        issued = invitations.resend(_invitation(invitation_uuid))
    except invitations.InvitationRefused as refused:
        raise Http404 from refused
    return _handed_over(request, access, issued)


@in_domain(None, change=Can.MANAGE_PEOPLE)
def revoke(request: HttpRequest, access: Access, invitation_uuid: UUID) -> HttpResponse:
    """The link is dead."""
    row = _invitation(invitation_uuid)
    invitations.revoke(row)
    messages.success(request, _("The invitation of %(email)s is revoked.") % {"email": row.email})
    return redirect(_back(access).url)


@in_domain(Can.MANAGE_PEOPLE, change=Can.MANAGE_PEOPLE)
def change(request: HttpRequest, access: Access, member_uuid: UUID) -> HttpResponse:
    """Role and destinations of a member."""
    member = members.get_member(member_uuid=member_uuid)
    if member is None:
        raise Http404
    return edit(
        request,
        access,
        section=SECTION,
        title=member.user.get_full_name() or member.user.get_username(),
        intro=member.user.email,
        back=_back(access),
        form_class=MemberForm,
        initial=_read(member),
        row=member,
        read=_read,
        save=partial(_save, member_uuid),
        done=_("Saved. It holds from the person's next click on."),
        delete_url=reverse("panel:member-remove", args=[access.domain.pk, member.pk]),
    )


@in_domain(Can.MANAGE_PEOPLE, change=Can.MANAGE_PEOPLE)
def remove(request: HttpRequest, access: Access, member_uuid: UUID) -> HttpResponse:
    """Take somebody out of the domain."""
    member = members.get_member(member_uuid=member_uuid)
    if member is None:
        raise Http404
    name = member.user.get_full_name() or member.user.get_username()
    blocked, status = "", 200
    if request.method == "POST":
        try:
            members.remove(member_uuid=member.pk)
        except members.LastAdministrator:
            status = 409
        else:
            messages.success(request, _("“%(name)s” was removed.") % {"name": name})
            return redirect(_back(access).url)
    if members.is_last_administrator(member):
        blocked = _("This is the last administrator of the domain. Make somebody else one first.")
    return show(
        request,
        access,
        "panel/delete.html",
        section=SECTION,
        status=status,
        title=_("Remove “%(name)s”?") % {"name": name},
        back=Link(reverse("panel:member", args=[access.domain.pk, member.pk]), name),
        blocked=blocked,
        consequence=_("From the next click on, the person sees nothing of this domain. Their account stays."),
    )


@in_domain(Can.MANAGE_PEOPLE, change=Can.MANAGE_PEOPLE)
def rule(request: HttpRequest, access: Access) -> HttpResponse:
    """Who must sign in with two factors."""
    return edit_once(
        request,
        access,
        section=SECTION,
        title=_("Two-factor sign-in"),
        back=_back(access),
        form_class=RuleForm,
        find=Domain.objects.get,
        read=_read_rule,
        save=members.set_rule,
        done=_("Saved. It holds from everybody's next click on."),
    )


def _read(member: Member) -> Mapping[str, Any]:
    reached = own_destinations(member_uuid=member.pk)
    return {"role": member.role, "destinations": sorted(str(uuid) for uuid in reached)}


def _read_rule(domain: Domain) -> Mapping[str, Any]:
    return {"second_factor": domain.second_factor}


def _save(member_uuid: UUID, form: PanelForm) -> None:
    try:
        member = members.change_role(member_uuid=member_uuid, role=form.values["role"], seen_at=form.seen_at)
    except members.StaleMember as stale:
        raise StaleRowError(stale.member) from stale
    except members.LastAdministrator as last:
        words = _("This is the last administrator of the domain. Make somebody else one first.")
        raise ValidationError({"role": words}) from last
    set_destinations(member=member, destinations=form.values["destinations"])


def _invitation(invitation_uuid: UUID) -> Invitation:
    row = invitations.live(Invitation.objects.filter(pk=invitation_uuid)).first()
    if row is None:
        raise Http404
    found: Invitation = row
    return found


def _handed_over(request: HttpRequest, access: Access, issued: invitations.Issued) -> HttpResponse:
    link = deliver(request, issued, domain=access.domain)
    if link is None:
        return redirect(_back(access).url)
    return show(request, access, "panel/people/link.html", section=SECTION, **show_link(issued, link, _back(access)))
