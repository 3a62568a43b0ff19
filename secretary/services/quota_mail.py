"""Writing to a domain's administrators that a quota runs out. The alarms' rows are the list of what is to be sent."""

from __future__ import annotations

from typing import Final

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone, translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from tenants.context import platform_context, tenant_context
from tenants.models import Member, QuotaAlarm
from tenants.models.member import Role
from tenants.models.quota_alarm import QuotaKind

log = structlog.get_logger(__name__)

BATCH: Final = 50
"""Alarms that one run looks after; the next is a minute away."""


def mail_alarms() -> int:
    """Send what is to be sent, each in a transaction of its own. Returns how many alarms were looked after.

    A mail server that is out of reach leaves the alarm for the next run. Two runs do not send the same one: each
    holds the row that it works on.
    """
    with platform_context():
        waiting = QuotaAlarm.objects.filter(mailed_at__isnull=True).order_by("created_at")
        keys = list(waiting.values_list("domain_id", "alarm_uuid")[:BATCH])
    done = 0
    for domain_uuid, alarm_uuid in keys:
        with tenant_context(domain_uuid):
            rows = QuotaAlarm.objects.select_for_update(of=("self",), skip_locked=True).select_related("domain")
            alarm = rows.filter(pk=alarm_uuid, mailed_at__isnull=True).first()
            if alarm is None:
                continue
            try:
                _send(alarm)
            except OSError as error:  # SMTPException is one, too
                log.warning("quota.mail_failed", error=str(error)[:200])
                continue
            alarm.mailed_at = timezone.now()
            alarm.save(update_fields=["mailed_at", "updated_at"])
            done += 1
    return done


def _send(alarm: QuotaAlarm) -> None:
    admins = Member.objects.filter(role=Role.ADMIN, user__is_active=True).exclude(user__email="")
    addresses = sorted(set(admins.values_list("user__email", flat=True)))
    if not addresses:
        return
    with translation.override(alarm.domain.language):
        subject, text = words_of(alarm)
        for address in addresses:  # one mail each: nobody learns the others' addresses
            send_mail(subject, text, None, [address])


def words_of(alarm: QuotaAlarm) -> tuple[str, str]:
    """Subject and text, in the active language."""
    names = {
        "domain": alarm.domain.name,
        "percent": alarm.percent,
        "used": number_format(alarm.used, 2),
        "quota": number_format(alarm.quota, 2 if alarm.kind == QuotaKind.MONEY else 0),
        "unit": settings.CURRENCY if alarm.kind == QuotaKind.MONEY else _("minutes"),
        "period": alarm.get_period_display(),
    }
    if alarm.percent >= 100:
        subject = _("%(domain)s: a quota is used up") % names
        after = _(
            "From now on callers go straight to the fallback, until the next period begins or the quota is raised."
        )
    else:
        subject = _("%(domain)s: %(percent)s %% of a quota is used") % names
        after = _("Calls go on. When all of it is used, callers go straight to the fallback.")
    first = _("%(used)s of %(quota)s %(unit)s %(period)s are used.") % names
    return subject, f"{first}\n\n{after}\n"
