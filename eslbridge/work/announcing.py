"""Jobs that end are told to the product, in the transaction in which they end, so that it can act on them or tell.

The product is reached through the setting ESLBRIDGE_JOBS_ENDED, the dotted path of
`jobs_ended(*, domain_uuid, job_uuids) -> None`; empty: nobody wants to know.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string


class JobsEnded(Protocol):
    def __call__(self, *, domain_uuid: UUID, job_uuids: Collection[UUID]) -> None: ...


def announce_ended(domain_uuid: UUID, job_uuids: Collection[UUID]) -> None:
    """Jobs of one domain have just been written as done, failed or cancelled."""
    if settings.ESLBRIDGE_JOBS_ENDED:
        listener: JobsEnded = import_string(settings.ESLBRIDGE_JOBS_ENDED)
        listener(domain_uuid=domain_uuid, job_uuids=job_uuids)
