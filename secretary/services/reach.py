"""Writes: at which destinations a member is reached. Inside a tenant."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from secretary.models import Destination, MemberDestination
from secretary.selectors.own import own_destinations
from tenants import audit
from tenants.models import Member


@transaction.atomic
def set_destinations(*, member: Member, destinations: Collection[UUID]) -> None:
    """A member is reached at these and no other. Raises ValidationError where the domain has not all of them."""
    wanted, old = frozenset(destinations), own_destinations(member_uuid=member.pk)
    if wanted == old:
        return
    names = dict(Destination.objects.filter(pk__in=wanted | old).values_list("destination_uuid", "name"))
    if wanted - names.keys():
        raise ValidationError({"destinations": _("A destination is not there any more. Choose again.")})
    MemberDestination.objects.filter(member=member).exclude(destination_id__in=wanted).delete()
    MemberDestination.objects.bulk_create(
        MemberDestination(member=member, destination_id=destination) for destination in sorted(wanted - old)
    )
    audit.log(
        "member.reach-changed",
        audit.Subject("member", str(member.pk), member.user.get_username()),
        old={"destinations": sorted(names[uuid] for uuid in old if uuid in names)},
        new={"destinations": sorted(names[uuid] for uuid in wanted)},
    )
