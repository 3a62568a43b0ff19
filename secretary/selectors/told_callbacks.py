"""Reads: what a colleague is told before a callback's customer is called."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from eslbridge.models import Job, JobKind, JobState
from eslbridge.policy import DestinationKind
from eslbridge.profiles import MediaProfile
from eslbridge.selectors import media_profile
from secretary.conversation.consult.callback import CallbackCase
from secretary.models import Callback, CallbackState
from tenants.context import tenant_context


@dataclass(frozen=True, slots=True)
class Told:
    """What is said, and where the leg's audio runs."""

    case: CallbackCase
    media: MediaProfile


def told_of(*, domain_uuid: UUID, leg_uuid: UUID) -> Told | None:
    """What there is to tell to the leg of a callback that is being placed; None: it is over, or not this tenant's.

    The leg's UUID is its job's. Raises InvalidTenantError.
    """
    with tenant_context(domain_uuid):
        media = media_profile(domain_uuid=domain_uuid)
        job = Job.objects.filter(pk=leg_uuid, kind=JobKind.ORIGINATE, state=JobState.RUNNING).first()
        row = (
            Callback.objects.select_related("secretary", "domain")
            .filter(job_uuid=leg_uuid, state=CallbackState.RUNNING)
            .first()
        )
        if job is None or row is None or media is None:
            return None
        secretary = row.secretary
        case = CallbackCase(
            secretary=secretary.name if secretary is not None else row.domain.name,
            language=secretary.language if secretary is not None else row.domain.language,
            caller_name=row.name,
            caller_number=row.number,
            reason=row.reason,
            listening_is_yes=job.argument("kind") == DestinationKind.EXTENSION,
        )
        return Told(case, media)
