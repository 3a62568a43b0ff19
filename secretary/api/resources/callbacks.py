"""Callbacks: who wants to be called back, and what became of it. And how the domain calls out."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from eslbridge.models import Job
from secretary.api.problems import Problem, invalid
from secretary.api.resource import ON_ONE, Created, Deleted, Listed, Patched, Replaced, Resource, Shown, seen
from secretary.api.resources.jobs import JobSerializer
from secretary.api.serializing import PageQuery, Query, ResourceSerializer, StrictSerializer
from secretary.api.times import ClockField
from secretary.errors import CallbackRefused
from secretary.models import Callback, CallbackAttempt, CallbackState, CallingRules, ConsentHow
from secretary.services import callbacks, placing
from secretary.services.calling_rules import FIELDS, save_calling_rules
from tenants import audit

REFUSED = {
    "no_consent": "consent", "too_late": "not_after", "unknown_call": "call_uuid",
    "unknown_secretary": "secretary_uuid", "unknown_destination": "destination_uuid",
    "not_a_person": "destination_uuid", "nobody": "destination_uuid",
}  # fmt: skip
"""Which field a refusal is about, where it is not the number."""


class ConsentSerializer(StrictSerializer):
    """That the person agreed to be called back. Without it nobody is called."""

    by = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="With whom, or where. Left out: the key's name."
    )
    at = serializers.DateTimeField(required=False, help_text="Left out: now.")


class AttemptSerializer(ResourceSerializer):
    job_uuid = serializers.UUIDField(source="attempt_uuid", read_only=True)
    destination_uuid = serializers.UUIDField(source="destination_id", read_only=True, allow_null=True)

    class Meta:
        model = CallbackAttempt
        fields = (
            "job_uuid", "position", "destination_uuid", "asked_by", "outcome", "leg", "cause", "created_at", "ended_at",
        )  # fmt: skip
        read_only_fields = fields


class CallbackSerializer(ResourceSerializer):
    secretary_uuid = serializers.UUIDField(source="secretary_id", required=False, allow_null=True)
    call_uuid = serializers.UUIDField(source="call_id", required=False, allow_null=True)
    destination_uuid = serializers.UUIDField(
        source="destination_id", required=False, allow_null=True, help_text="Whose telephone rings first."
    )
    consent = ConsentSerializer(write_only=True, required=False)
    state = serializers.ChoiceField(
        choices=CallbackState.choices, required=False, help_text="`done`: somebody has called by themselves."
    )
    history = AttemptSerializer(many=True, read_only=True)

    class Meta:
        model = Callback
        fields = (
            "callback_uuid", "number", "name", "reason", "secretary_uuid", "call_uuid", "destination_uuid", "consent",
            "consent_at", "consent_how", "consent_by", "not_before", "not_after", "state", "attempts", "max_attempts",
            "spacing_minutes", "next_attempt_at", "outcome", "outcome_detail", "finished_at", "history", "created_at",
            "updated_at",
        )  # fmt: skip
        read_only_fields = (
            "consent_at", "consent_how", "consent_by", "attempts", "next_attempt_at", "outcome", "outcome_detail",
            "finished_at",
        )  # fmt: skip
        extra_kwargs = {  # noqa: RUF012 - as the framework wants it
            "not_after": {"required": False},
            "number": {"help_text": "International form; an extension where the caller is inside."},
        }


class CallbackQuery(PageQuery):
    state = serializers.ChoiceField(required=False, choices=CallbackState.choices)
    number = serializers.CharField(required=False, max_length=21)
    destination_uuid = serializers.UUIDField(required=False)
    call_uuid = serializers.UUIDField(required=False)
    created_from = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)


FILTERS = {
    "state": "state",
    "number": "number",
    "destination_uuid": "destination_id",
    "call_uuid": "call_id",
    "created_from": "created_at__gte",
    "created_before": "created_at__lt",
}
CHANGEABLE = {"name", "reason", "destination_id", "not_before", "not_after", "max_attempts", "spacing_minutes", "state"}


class Callbacks(Listed, Shown, Created, Patched, Deleted):
    path = "callbacks"
    scope = "callbacks"
    lookup = "callback_uuid"
    model = Callback
    serializer_class = CallbackSerializer
    page_query = CallbackQuery

    def rows(self) -> models.QuerySet[Callback]:
        return Callback.objects.prefetch_related("history")

    def filtered(self, rows: models.QuerySet[Any], query: dict[str, Any]) -> models.QuerySet[Any]:
        return rows.filter(**{FILTERS[name]: value for name, value in query.items() if name in FILTERS})

    def perform_create(self, values: dict[str, Any]) -> Callback:
        """It needs consent. A number that the platform does not dial is refused at once."""
        if "state" in values:
            raise invalid("state", "immutable", _("A new callback waits."))
        consent = values.pop("consent", None)
        agreed = None
        if consent is not None:
            by = consent.get("by") or self.principal.name
            agreed = callbacks.Consent(ConsentHow.API, by, consent.get("at"))
        try:
            uuid = callbacks.request_callback(
                domain_uuid=self.kwargs["domain_uuid"],
                secretary_uuid=values.get("secretary_id"),
                call_uuid=values.get("call_id"),
                destination_uuid=values.get("destination_id"),
                number=values["number"],
                name=values.get("name", ""),
                reason=values.get("reason", ""),
                consent=agreed,
                not_before=values.get("not_before"),
                not_after=values.get("not_after"),
                max_attempts=values.get("max_attempts"),
                spacing_minutes=values.get("spacing_minutes"),
            )
        except CallbackRefused as refused:
            raise problem(refused) from refused
        return self.rows().get(pk=uuid)

    def perform_update(self, row: Callback, values: dict[str, Any]) -> Callback:
        """Times, and whom it is for; one that failed or expired waits again then. `state: done`: called by hand."""
        fixed = sorted(name for name in values if name not in CHANGEABLE)
        if fixed:
            raise invalid(fixed[0].replace("_id", "_uuid"), "immutable", _("This cannot be changed."))
        state = values.pop("state", None)
        if state not in (None, CallbackState.DONE, row.state):
            raise invalid("state", "invalid_choice", _("Only “done” can be set; DELETE takes it back."))
        if "destination_id" in values:
            values["destination_uuid"] = values.pop("destination_id")
        try:
            if values:
                row = callbacks.change_callback(callback_uuid=row.pk, seen_at=seen(row), **values)
            if state == CallbackState.DONE and row.state != CallbackState.DONE:
                callbacks.finish_callback(callback_uuid=row.pk)
        except CallbackRefused as refused:
            raise problem(refused) from refused
        return self.rows().get(pk=row.pk)

    def perform_destroy(self, row: Callback) -> None:
        """Take it back: it stays on record as cancelled, and what is ringing for it is hung up."""
        try:
            callbacks.cancel_callback(callback_uuid=row.pk, seen_at=seen(row))
        except CallbackRefused as refused:
            raise problem(refused) from refused

    @classmethod
    def urls(cls) -> list[URLPattern]:
        now = f"domains/<uuid:domain_uuid>/{cls.path}/<uuid:{cls.lookup}>/place"
        return [*super().urls(), path(now, PlaceNow.as_view({"post": "place"}), name="callback-place")]


class PlaceSerializer(StrictSerializer):
    destination_uuid = serializers.UUIDField(
        required=False, help_text="Whose telephone rings this time, if it is not the callback's own."
    )


class PlaceNow(Resource):
    path = "callbacks"
    operation = "callback-place"
    scope = "callbacks"
    lookup = "callback_uuid"
    model = Callback
    serializer_class = CallbackSerializer
    query_class = Query

    @extend_schema(request=PlaceSerializer, responses={202: JobSerializer})
    def place(self, request: Request, **_: Any) -> Response:
        """Call now, whatever the hours: the colleague's telephone first, then the person. Read the job to see how it
        goes."""
        row = self.row()
        wanted = self.body(PlaceSerializer(data=request.data))
        try:
            job_uuid = placing.place_now(
                domain_uuid=row.domain_uuid,
                callback_uuid=row.pk,
                asked_by=self.principal.name,
                destination_uuid=wanted.get("destination_uuid"),
            )
        except CallbackRefused as refused:
            raise problem(refused) from refused
        return Response(JobSerializer(Job.objects.get(pk=job_uuid)).data, status=202)


def problem(refused: CallbackRefused) -> Problem:
    """A refusal in the API's words."""
    match refused.reason:
        case "not_open":
            return Problem("conflict", _("The callback is being placed, or is over."))
        case "too_many":
            return Problem("conflict", _("So many callbacks are open already."))
        case "no_consent":
            text = _("Nobody is called back who has not agreed to it.")
        case "too_late":
            text = _("That time is over.")
        case "not_a_person":
            text = _("Nobody picks up a telephone there.")
        case "nobody":
            text = _("Say whose telephone is to ring.")
        case "unknown_call" | "unknown_secretary" | "unknown_destination":
            return invalid(REFUSED[refused.reason], "does_not_exist", _("The domain has none of this UUID."))
        case _:
            text = _("The platform does not dial this number (%s).") % refused.reason
    return invalid(REFUSED.get(refused.reason, "number"), refused.reason, text)


class CallingRulesSerializer(ResourceSerializer):
    domain_uuid = serializers.UUIDField(source="domain_id", read_only=True)
    earliest = ClockField(required=False, help_text="Nobody is called before, on the domain's clock.")
    latest = ClockField(required=False, help_text="Nor from then on.")

    class Meta:
        model = CallingRules
        fields = ("domain_uuid", *FIELDS, "created_at", "updated_at")


class Rules(Shown, Replaced, Patched, Deleted):
    """How the domain calls out. Without them (404) the defaults hold."""

    path = "calling-rules"
    scope = "calling-rules"
    lookup = "domain_uuid"
    model = CallingRules
    serializer_class = CallingRulesSerializer

    @classmethod
    def urls(cls) -> list[URLPattern]:
        return [path(f"domains/<uuid:domain_uuid>/{cls.path}", cls.as_view(ON_ONE), name=cls.path)]

    def perform_create(self, values: dict[str, Any]) -> CallingRules:
        return save_calling_rules(**values)

    def perform_update(self, row: CallingRules, values: dict[str, Any]) -> CallingRules:
        return save_calling_rules(domain_uuid=row.pk, **values)

    def perform_destroy(self, row: CallingRules) -> None:
        audit.deleted(row)
        row.delete()
