"""How many secretaries and extensions a domain may have. Inside the tenant, with its settings locked."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from secretary.models import ExtensionMapping, Secretary
from tenants.quotas import quota_of


def check_room(*, secretaries: int = 0, extensions: int = 0) -> None:
    """Whether there is room for so many more. Raises ValidationError."""
    if not secretaries and not extensions:
        return
    quota = quota_of()
    if secretaries and Secretary.objects.count() + secretaries > quota.max_secretaries:
        text = _("The domain may have %(most)d secretaries. The operator of the platform can allow more.")
        raise ValidationError(text % {"most": quota.max_secretaries}, code="quota")
    if extensions and ExtensionMapping.objects.count() + extensions > quota.max_extensions:
        text = _("The domain may have %(most)d extensions. The operator of the platform can allow more.")
        raise ValidationError(text % {"most": quota.max_extensions}, code="quota")
