"""Whose call is it? Asked before any command touches a channel.

ESL knows no tenants: whoever may send `uuid_kill` may kill everybody's calls. So a channel is only touched when our
own call table says that it belongs to the job's domain. That table is the product's; it is reached through the setting
ESLBRIDGE_OWNS_CALL, the dotted path of `owns_call(*, domain_uuid, call_uuid) -> bool`.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string


class OwnsCall(Protocol):
    def __call__(self, *, domain_uuid: UUID, call_uuid: UUID) -> bool: ...


def owns_call(*, domain_uuid: UUID, call_uuid: UUID) -> bool:
    """Whether the call is the domain's. Raises ImportError when the setting names nothing: better no transfer."""
    check: OwnsCall = import_string(settings.ESLBRIDGE_OWNS_CALL)
    return check(domain_uuid=domain_uuid, call_uuid=call_uuid)
