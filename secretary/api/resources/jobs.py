"""Jobs: what the platform is asked to do on the telephone network."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from eslbridge import jobs
from eslbridge.models import Job, JobKind, JobState
from secretary.api.problems import FieldError, Problem, invalid
from secretary.api.resource import Created, Deleted, Listed, Shown
from secretary.api.serializing import PageQuery, ResourceSerializer, StrictSerializer
from secretary.errors import TransferRefused
from secretary.services import calling_out
from secretary.services.switch_jobs import request_hangup
from secretary.services.transfers import request_transfer
from tenants import audit


class JobSerializer(ResourceSerializer):
    outcome = serializers.CharField(read_only=True, help_text="How it ended, in one word; empty until then.")

    class Meta:
        model = Job
        fields = (
            "job_uuid", "kind", "state", "outcome", "reason", "call_uuid", "secretary_uuid", "arguments", "attempts",
            "run_after", "expires_at", "claimed_at", "sent_at", "dialled_at", "cancel_asked_at", "finished_at",
            "detail", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class NewJob(StrictSerializer):
    """What is to be done. Each kind wants fields of its own."""

    kind = serializers.ChoiceField(choices=[JobKind.ORIGINATE, JobKind.TRANSFER, JobKind.HANGUP])
    number = serializers.RegexField(
        r"^\+?[0-9*#]{1,20}\Z", required=False, help_text="originate: the telephone that is rung first."
    )
    to = serializers.RegexField(
        r"^\+?[0-9*#]{1,20}\Z",
        required=False,
        help_text="originate: whom the first telephone, which is one of the domain's own, is connected with.",
    )
    secretary_uuid = serializers.UUIDField(
        required=False, help_text="originate: the secretary that the first telephone is connected with."
    )
    name = serializers.CharField(
        required=False, max_length=60, help_text="originate with `to`: whom the call is about, for the first telephone."
    )
    call_uuid = serializers.UUIDField(required=False, help_text="transfer, hangup: a call in progress.")
    destination_uuid = serializers.UUIDField(required=False, help_text="transfer: a destination of the domain.")


WANTED = {
    JobKind.ORIGINATE: {"number"},
    JobKind.TRANSFER: {"call_uuid", "destination_uuid"},
    JobKind.HANGUP: {"call_uuid"},
}
"""The fields of each kind that must be there."""
ALSO = {JobKind.ORIGINATE: {"to", "secretary_uuid", "name"}}
"""Those that may be there."""
REFUSED = {
    "unknown_call": "call_uuid", "unknown_destination": "destination_uuid", "unknown_secretary": "secretary_uuid",
}  # fmt: skip
"""Which field a refusal is about, where it is not the number that the policy refuses."""


class JobQuery(PageQuery):
    state = serializers.ChoiceField(required=False, choices=JobState.choices)
    kind = serializers.ChoiceField(required=False, choices=JobKind.choices)
    call_uuid = serializers.UUIDField(required=False)


class Jobs(Listed, Shown, Created, Deleted):
    path = "jobs"
    scope = "jobs"
    lookup = "job_uuid"
    model = Job
    serializer_class = JobSerializer
    page_query = JobQuery

    @extend_schema(request=NewJob, responses={202: JobSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Ask for something to be done. It is answered at once; read the job to see how it went.

        Send an `Idempotency-Key`: a phone that rings twice is worse than one that does not ring.
        """
        wanted = self.body(NewJob(data=request.data))
        _check_fields(wanted)
        row = self._asked(wanted)
        calling_out.record(row)
        response = self.shown(row, status=202)
        response.headers["Location"] = f"{request.path}/{row.pk}"
        return response

    def _asked(self, wanted: dict[str, Any]) -> Job:
        domain_uuid = self.kwargs["domain_uuid"]
        try:
            match wanted["kind"]:
                case JobKind.TRANSFER:
                    job_uuid = request_transfer(
                        domain_uuid=domain_uuid,
                        call_uuid=wanted["call_uuid"],
                        destination_uuid=wanted["destination_uuid"],
                    )
                    return Job.objects.get(pk=job_uuid)
                case JobKind.HANGUP:
                    return request_hangup(domain_uuid=domain_uuid, call_uuid=wanted["call_uuid"])
            return _originate(domain_uuid, wanted)
        except TransferRefused as error:
            if error.reason in REFUSED:
                reason = _("The domain has none of this UUID.")
                raise invalid(REFUSED[error.reason], "does_not_exist", reason) from error
            if error.reason == "no_extension":
                reason = _("The secretary answers at no extension.")
                raise invalid("secretary_uuid", error.reason, reason) from error
            name = ("to" if "to" in wanted else "number") if wanted["kind"] == JobKind.ORIGINATE else "destination_uuid"
            reason = _("The platform does not dial this number (%s).") % error.reason
            raise invalid(name, error.reason, reason) from error

    def perform_destroy(self, row: Job) -> None:
        """Take it back. Once its command has gone out only an originate can be: what rings for it is hung up."""
        audit.log("job.cancelled", audit.Subject("job", str(row.pk), row.kind))
        if not jobs.cancel(
            domain_uuid=row.domain_uuid, job_uuid=row.pk, reason="cancelled by the API"
        ) and not jobs.cancel_ringing(domain_uuid=row.domain_uuid, job_uuid=row.pk):
            raise Problem("conflict", _("The job is %(state)s: too late to take it back.") % {"state": row.state})


def _originate(domain_uuid: UUID, wanted: dict[str, Any]) -> Job:
    number = wanted["number"]
    if "to" in wanted:
        name = wanted.get("name", "")
        return calling_out.click_to_call(domain_uuid=domain_uuid, phone=number, number=wanted["to"], name=name)
    if "secretary_uuid" in wanted:
        secretary_uuid = wanted["secretary_uuid"]
        return calling_out.to_secretary(domain_uuid=domain_uuid, number=number, secretary_uuid=secretary_uuid)
    return calling_out.ring(domain_uuid=domain_uuid, number=number)


def _check_fields(wanted: dict[str, Any]) -> None:
    """Exactly the fields of the kind. Raises Problem."""
    kind = JobKind(wanted["kind"])
    fields = WANTED[kind]
    errors = [FieldError.of(name, "required", _("This field is required.")) for name in fields - set(wanted)]
    odd = set(wanted) - fields - ALSO.get(kind, set()) - {"kind"}
    if "to" in wanted and "secretary_uuid" in wanted:
        odd.add("secretary_uuid")
    errors += [FieldError.of(name, "unknown_field", _("This kind of job has no such field.")) for name in odd]
    if errors:
        raise Problem("invalid", errors=sorted(errors, key=lambda error: error.field))
