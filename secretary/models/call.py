from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from secretary.models.destination import Destination
from secretary.models.secretary import Secretary
from tenants.models import TenantModel


class CallOutcome(models.TextChoices):
    IN_PROGRESS = "in_progress", _("In progress")
    TRANSFERRED = "transferred", _("Put through")
    MESSAGE = "message", _("Left a message")
    COMPLETED = "completed", _("Completed")
    CALLER_HUNG_UP = "caller_hung_up", _("Caller hung up")
    FALLBACK = "fallback", _("Sent to the fallback")
    FAILED = "failed", _("Failed")


class RecordingState(models.TextChoices):
    NONE = "", _("none, or at once")
    WAITING = "waiting", _("still on the switch")
    STORED = "stored", _("fetched")
    MISSING = "missing", _("lost")


class Call(TenantModel):
    """One call. `call_uuid` is FreeSWITCH's Unique-ID. While in progress it is also the lease of a call slot."""

    call_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    secretary = models.ForeignKey(
        Secretary,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="secretary_uuid",
        db_constraint=False,
        related_name="calls",
    )
    extension = models.CharField(_("extension"), max_length=40, blank=True, default="")
    caller_number = models.CharField(_("caller's number"), max_length=64, blank=True, default="")
    caller_name = models.CharField(_("caller's name"), max_length=120, blank=True, default="")
    transport = models.CharField(_("audio"), max_length=32, blank=True, default="")
    node = models.CharField(_("voice node"), max_length=120, blank=True, default="")
    lease_until = models.DateTimeField(default=timezone.now)
    """The node is taken for dead, and the slot for free, when it has not renewed by then."""
    provider = models.CharField(_("speech service"), max_length=40, blank=True, default="")
    model = models.CharField(_("model"), max_length=120, blank=True, default="")
    """Of the provider that the call ended with."""
    second_price = models.DecimalField(max_digits=20, decimal_places=12, default=0)
    """What a second of it costs, as it was when the call came in; in the installation's currency."""
    used = models.JSONField(default=list, blank=True)
    """What else it has used so far, told with every renewal of the lease: `provider`, `model`, `unit`, `quantity`."""
    spent = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    """What that costs, besides the call's seconds."""
    granted_until = models.DateTimeField(null=True, blank=True)
    """How far the domain's quotas carry the call: that time is taken from them until the call ends. Null: no quota."""
    toll_allow = models.CharField(max_length=200, blank=True, default="")
    """The caller's toll classes, where the caller is an extension of a FusionPBX that uses them."""
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=16, choices=CallOutcome.choices, default=CallOutcome.IN_PROGRESS
    )
    outcome_detail = models.CharField(max_length=200, blank=True, default="")
    destination = models.ForeignKey(
        Destination,
        verbose_name=_("destination"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="destination_uuid",
        db_constraint=False,
        related_name="+",
    )
    recording = models.CharField(_("recording"), max_length=300, blank=True, default="")
    """Path below DATA_DIR."""
    recording_state = models.CharField(
        max_length=8, choices=RecordingState.choices, blank=True, default=RecordingState.NONE
    )
    """Where the switch records: whether its file has been fetched."""
    latency = models.JSONField(default=dict, blank=True)
    """Milliseconds by stage."""
    summary = models.TextField(_("summary"), blank=True, default="")
    """What the call was about and how it ended, in a few sentences of the secretary's language."""
    facts = models.JSONField(default=dict, blank=True)
    """What the caller told of themselves: `name`, `number`, `reason`, `urgency`; nothing of moods."""
    disclosure = models.CharField(_("told to the caller"), max_length=700, blank=True, default="")
    """The words that the platform spoke before anything else; empty: none."""
    prompt_version = models.PositiveIntegerField(_("version of the prompt"), null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ("-started_at",)
        indexes = (
            models.Index(fields=("domain", "-started_at"), name="secretary_call_recent"),
            models.Index(fields=("domain", "destination", "-started_at"), name="secretary_call_destination"),
            models.Index(
                fields=("domain", "lease_until"),
                condition=models.Q(outcome="in_progress"),
                name="secretary_call_open",
            ),
            models.Index(
                fields=("domain", "ended_at"),
                condition=~models.Q(recording=""),
                name="secretary_call_recorded",
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=("domain", "call_uuid"), name="secretary_call_tenant"),
            models.CheckConstraint(condition=models.Q(outcome__in=CallOutcome.values), name="secretary_call_outcome"),
            models.CheckConstraint(
                condition=models.Q(outcome="in_progress") | models.Q(ended_at__isnull=False),
                name="secretary_call_ended",
            ),
        )

    def __str__(self) -> str:
        return str(self.call_uuid)

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end; None while the call lasts."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None
