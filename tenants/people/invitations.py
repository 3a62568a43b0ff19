"""Invitations: an e-mail address is offered a place. The link carries a secret that is stored as a hash, serves once,
and dies after a week, when it is sent again, or when it is revoked.

    <domain, 32 hex digits>.<secret>   into a domain: looking it up never leaves the tenant
    op.<secret>                        to run the installation
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from tenants import audit
from tenants.context import platform_context, tenant_context
from tenants.models import Domain, Invitation, Member, OperatorInvitation

LIFETIME: Final = timedelta(days=7)
_TOKEN: Final = re.compile(r"(?:(?P<domain>[0-9a-f]{32})|op)\.(?P<secret>[A-Za-z0-9_-]{43})")

AnyInvitation = Invitation | OperatorInvitation


class InvitationRefused(Exception):
    """The link does not serve. `reason`: `gone` (unknown, used, revoked, expired), `other_address`, `has_account`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Issued:
    """An invitation and, for this one moment, its link's token."""

    invitation: AnyInvitation
    token: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What a live link offers: a role in a domain, or (domain None) the installation."""

    email: str
    domain: Domain | None
    role: str
    has_account: bool


def invite(*, domain_uuid: UUID, email: str, role: str, invited_by: str) -> Issued:
    """Invite into a domain. Raises ValidationError by field."""
    with tenant_context(domain_uuid):
        address = email.strip().lower()
        if Member.objects.filter(_account(address, "user__")).exists():
            raise ValidationError({"email": _("Somebody with this address belongs to the domain already.")})
        _make_way(Invitation, address)
        invitation = Invitation(domain_id=domain_uuid, email=address, role=role, invited_by=invited_by[:150])
        return _issue(invitation, None)


def invite_operator(*, email: str, invited_by: str) -> Issued:
    """Invite to run the installation. Raises ValidationError by field."""
    with platform_context():
        address = email.strip().lower()
        if get_user_model().objects.filter(_account(address), is_superuser=True).exists():
            raise ValidationError({"email": _("Somebody with this address runs the platform already.")})
        _make_way(OperatorInvitation, address)
        return _issue(OperatorInvitation(email=address, invited_by=invited_by[:150]), None)


def resend(invitation: AnyInvitation) -> Issued:
    """A new link for a new week; the old link is dead. In the invitation's own context. Raises InvitationRefused."""
    row = type(invitation)._default_manager.select_for_update(of=("self",)).get(pk=invitation.pk)
    if row.accepted_at is not None or row.revoked_at is not None:
        raise InvitationRefused("gone")
    return _issue(row, audit.before(row))


def revoke(invitation: AnyInvitation) -> None:
    """The link is dead from now on. In the invitation's own context."""
    row = type(invitation)._default_manager.select_for_update(of=("self",)).get(pk=invitation.pk)
    if row.accepted_at is None and row.revoked_at is None:
        before = audit.before(row)
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at", "updated_at"])
        audit.saved(row, before)


def note_mailed(invitation: AnyInvitation) -> None:
    """A mail server took it. In the invitation's own context."""
    invitation.mailed_at = timezone.now()
    invitation.save(update_fields=["mailed_at", "updated_at"])


def offer(token: str) -> Offer:
    """What the link offers. Raises InvitationRefused("gone")."""
    with _opened(token, lock=False) as invitation:
        known = get_user_model().objects.filter(_account(invitation.email)).exists()
        if isinstance(invitation, Invitation):
            return Offer(invitation.email, invitation.domain, invitation.role, known)
        return Offer(invitation.email, None, "operator", known)


def accept(token: str, user: Any) -> UUID | None:
    """Take the offer, as somebody who is signed in; gives the domain. Raises InvitationRefused.

    Only an account with the invited address may: a link that was passed on, or taken, helps nobody else.
    """
    with _opened(token, lock=True) as invitation:
        if invitation.email not in (user.email.strip().lower(), user.get_username().lower()):
            raise InvitationRefused("other_address")
        return _take(invitation, user)


@transaction.atomic
def register(token: str, *, password: str, first_name: str = "", last_name: str = "") -> tuple[Any, UUID | None]:
    """Make the account that was invited, and take the offer; gives the account and the domain.

    The password has been validated. Raises InvitationRefused; `has_account` where there is one for the address.
    """
    users = get_user_model().objects
    with _opened(token, lock=True) as invitation:
        if users.filter(_account(invitation.email)).exists():
            raise InvitationRefused("has_account")
        try:
            with transaction.atomic():
                user = users.create_user(
                    username=invitation.email,
                    email=invitation.email,
                    password=password,
                    first_name=first_name,
                    last_name=last_name,
                )
        except IntegrityError as error:
            raise InvitationRefused("has_account") from error
        return user, _take(invitation, user)


def live(rows: Any, now: datetime | None = None) -> Any:
    """Those of a queryset that are neither used nor revoked (they may have expired, and be sent again)."""
    return rows.filter(accepted_at__isnull=True, revoked_at__isnull=True)


@contextmanager
def _opened(token: str, *, lock: bool) -> Iterator[AnyInvitation]:
    """The live invitation of a token, in its own context. Raises InvitationRefused("gone")."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise InvitationRefused("gone")
    domain = found["domain"]
    with tenant_context(UUID(domain)) if domain else platform_context():
        rows: Any = Invitation.objects.select_related("domain") if domain else OperatorInvitation.objects.all()
        if lock:
            rows = rows.select_for_update(of=("self",))
        invitation = rows.filter(token_hash=_hash(token)).first()
        if invitation is None or not invitation.is_open(timezone.now()):
            raise InvitationRefused("gone")
        if isinstance(invitation, Invitation) and not invitation.domain.enabled:
            raise InvitationRefused("gone")
        yield invitation


def _take(invitation: AnyInvitation, user: Any) -> UUID | None:
    before = audit.before(invitation)
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at", "updated_at"])
    audit.saved(invitation, before)
    if isinstance(invitation, Invitation):
        # Who belongs already keeps their role: an invitation must not demote anybody, least of all the last one.
        member, created = Member.objects.get_or_create(user_id=user.pk, defaults={"role": invitation.role})
        if created:
            audit.saved(member, None, label=user.get_username())
        return invitation.domain_uuid
    if not user.is_superuser:
        user.is_superuser = True
        user.save(update_fields=["is_superuser"])
        audit.log("operator.created", audit.Subject("account", str(user.pk), user.get_username()))
    return None


def _issue(invitation: AnyInvitation, before: audit.Values | None) -> Issued:
    lead = invitation.domain_uuid.hex if isinstance(invitation, Invitation) else "op"
    token = f"{lead}.{secrets.token_urlsafe(32)}"
    invitation.token_hash = _hash(token)
    invitation.expires_at = timezone.now() + LIFETIME
    invitation.mailed_at = None
    invitation.full_clean()
    invitation.save()
    audit.saved(invitation, before)
    return Issued(invitation, token)


def _make_way(model: type[Invitation] | type[OperatorInvitation], address: str) -> None:
    """An open invitation of the address gives way to the new one, unless it is still good: then it is sent again."""
    for old in live(model._default_manager.filter(email=address)):
        if old.is_open(timezone.now()):
            raise ValidationError({"email": _("This address is invited already. Send that invitation again instead.")})
        revoke(old)


def _account(address: str, prefix: str = "") -> Q:
    return Q(**{f"{prefix}email__iexact": address}) | Q(**{f"{prefix}username__iexact": address})


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
