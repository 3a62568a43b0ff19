from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel


class JobKind(models.TextChoices):
    TRANSFER = "transfer", _("Transfer")
    ORIGINATE = "originate", _("Originate")
    HANGUP = "hangup", _("Hang up")
    CONSULT = "consult", _("Call a colleague for a transfer")


class JobState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class JobOutcome(models.TextChoices):
    """How a job ended, in one word that the conversation can act on. Only `done` goes with the state `done`."""

    DONE = "done", _("Done")
    CALLER_GONE = "caller_gone", _("The caller is gone")
    NOT_ALLOWED = "not_allowed", _("Not allowed")
    DECLINED = "declined", _("Declined")
    NO_ANSWER = "no_answer", _("No answer")
    BUSY = "busy", _("Busy")
    DND = "dnd", _("Do not disturb")
    UNREGISTERED = "unregistered", _("No telephone is registered")
    UNREACHABLE = "unreachable", _("Unreachable")
    FAILED = "failed", _("Failed")


FINAL = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


class Job(TenantModel):
    """Something to do on the telephone network. The row is the truth; Celery only carries its id.

    queued → running → done | failed, or queued → cancelled. `sent_at` is set just before the command goes out: a job
    whose worker died before it is sent again, one whose worker died after it is not, because a second transfer would
    tear the caller away from whoever has picked up.
    """

    job_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    secretary_uuid = models.UUIDField(null=True, blank=True)
    call_uuid = models.UUIDField(null=True, blank=True)
    kind = models.CharField(max_length=16, choices=JobKind.choices)
    arguments = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.QUEUED)
    outcome = models.CharField(max_length=16, choices=JobOutcome.choices, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    run_after = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    """Not begun after this: the caller has been told something else by then."""
    enqueued_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    dialled_at = models.DateTimeField(null=True, blank=True)
    """An originate's second number was dialled. Before that, nobody but the first one can have been reached."""
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    """Somebody wants it back after it was sent: what rings is hung up, and it ends as cancelled."""
    detail = models.JSONField(default=dict, blank=True)
    """What the switch said about its end: whose leg, and the hangup cause."""
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("domain", "-created_at"), name="eslbridge_job_recent"),
            models.Index(fields=("domain", "call_uuid"), name="eslbridge_job_call"),
            # What the sweeper looks at: a handful of rows among millions of finished ones.
            models.Index(
                fields=("run_after",),
                condition=models.Q(state__in=("queued", "running")),
                name="eslbridge_job_open",
            ),
        )
        constraints = (
            models.CheckConstraint(condition=models.Q(kind__in=JobKind.values), name="eslbridge_job_kind"),
            models.CheckConstraint(condition=models.Q(state__in=JobState.values), name="eslbridge_job_state"),
            models.CheckConstraint(
                condition=models.Q(state=JobState.DONE, outcome=JobOutcome.DONE)
                | models.Q(state__in=(JobState.QUEUED, JobState.RUNNING, JobState.CANCELLED), outcome="")
                | models.Q(state=JobState.FAILED, outcome__in=[o for o in JobOutcome.values if o != JobOutcome.DONE]),
                name="eslbridge_job_outcome",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.job_uuid} {self.state}"

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    def argument(self, name: str) -> str:
        """A text argument; empty where it is missing."""
        arguments: dict[str, Any] = self.arguments
        return str(arguments.get(name, ""))
