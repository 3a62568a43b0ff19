"""Getting an invitation's link to the person: by letter, or, without a mail server, through whoever invites."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from secretary.panel import mail
from secretary.panel.access import ROLES
from secretary.panel.editing import Link
from tenants.models import Domain
from tenants.people import invitations


def deliver(request: HttpRequest, issued: invitations.Issued, *, domain: Domain | None) -> str | None:
    """Send the letter. The link itself where there is no mail server, to be shown this once; else None.

    With a mail server nobody but the mailbox's owner gets to see the link: it proves that the address is theirs.
    """
    link = request.build_absolute_uri(reverse("open-invitation", args=[issued.token]))
    row = issued.invitation
    if not mail.is_configured():
        return link
    role = str(ROLES.get(getattr(row, "role", ""), ""))
    inviter = request.user.get_full_name() or request.user.get_username()  # type: ignore[union-attr]
    name = domain.name if domain is not None else ""
    if mail.send(to=row.email, template="invitation", link=link, domain=name, inviter=inviter, role=role):
        invitations.note_mailed(row)
        messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": row.email})
    else:
        words = _("The mail server did not take the letter to %(email)s. Send the invitation again later.")
        messages.error(request, words % {"email": row.email})
    return None


def show_link(issued: invitations.Issued, link: str, back: Link) -> dict[str, Any]:
    """What the page with the link shows."""
    return {"email": issued.invitation.email, "link": link, "expires_at": issued.invitation.expires_at, "back": back}
