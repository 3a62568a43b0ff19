from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from secretary.models.call import Call
from secretary.models.destination import Destination
from secretary.models.secretary import Secretary
from tenants.models import TenantModel

NUMBER: Final = RegexValidator(r"^\+?[0-9*#]{2,20}\Z", _("Only digits, * and #."))
MOST_ATTEMPTS: Final = 20


class CallbackState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Being called")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")


class ConsentHow(models.TextChoices):
    SPOKEN = "spoken", _("Spoken to the secretary")
    PANEL = "panel", _("Noted by a person")
    API = "api", _("Told by another system")


class Callback(TenantModel):
    """A caller wants to be called back. waiting → running → done | waiting again | failed | expired, or cancelled.

    Nothing is dialled without `consent_at`, and a row that is `running` belongs to one attempt: `job_uuid`.
    """

    audit_hides = frozenset({"number", "name", "reason"})
    callback_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("number"), max_length=21, validators=[NUMBER])
    name = models.CharField(_("name"), max_length=120, blank=True, default="")
    reason = models.CharField(_("what it is about"), max_length=500, blank=True, default="")
    secretary = models.ForeignKey(
        Secretary,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="secretary_uuid",
        db_constraint=False,
        related_name="+",
    )
    call = models.ForeignKey(
        Call,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="call_uuid",
        db_constraint=False,
        related_name="callbacks",
    )
    """The call in which it was asked for."""
    destination = models.ForeignKey(
        Destination,
        verbose_name=_("who calls back"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="destination_uuid",
        db_constraint=False,
        related_name="+",
    )
    """Whose telephone rings first; null: nobody in particular, so that a person has to take it."""
    consent_at = models.DateTimeField(_("agreed on"), null=True, blank=True)
    consent_how = models.CharField(max_length=8, choices=ConsentHow.choices, blank=True, default="")
    consent_by = models.CharField(_("agreed with"), max_length=200, blank=True, default="")
    not_before = models.DateTimeField(_("not before"), default=timezone.now)
    not_after = models.DateTimeField(_("not after"))
    state = models.CharField(_("state"), max_length=12, choices=CallbackState.choices, default=CallbackState.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    max_attempts = models.PositiveSmallIntegerField(_("attempts at most"), default=3, validators=[MinValueValidator(1)])
    spacing_minutes = models.PositiveSmallIntegerField(
        _("minutes between attempts"), default=30, validators=[MinValueValidator(1)]
    )
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    job_uuid = models.UUIDField(null=True, blank=True)
    """The job of the last attempt."""
    outcome = models.CharField(_("outcome"), max_length=24, blank=True, default="")
    """Of the last attempt, or why the last one was put off, in one word."""
    outcome_detail = models.CharField(max_length=200, blank=True, default="")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("callback")
        verbose_name_plural = _("callbacks")
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("domain", "-created_at"), name="secretary_callback_recent"),
            # What beat looks at: a handful of rows among all that are over.
            models.Index(
                fields=("next_attempt_at",), condition=models.Q(state="waiting"), name="secretary_callback_due"
            ),
            models.Index(fields=("domain", "job_uuid"), name="secretary_callback_job"),
        )
        constraints = (
            models.UniqueConstraint(fields=("domain", "callback_uuid"), name="secretary_callback_tenant"),
            models.CheckConstraint(condition=models.Q(state__in=CallbackState.values), name="secretary_callback_state"),
            models.CheckConstraint(
                condition=~models.Q(state="running") | models.Q(consent_at__isnull=False),
                name="secretary_callback_consent",
            ),
            models.CheckConstraint(
                condition=models.Q(not_after__gt=models.F("not_before")), name="secretary_callback_times"
            ),
        )

    def __str__(self) -> str:
        return self.name or self.number

    @property
    def is_open(self) -> bool:
        return self.state in (CallbackState.WAITING, CallbackState.RUNNING)

    def is_over_at(self, moment: datetime) -> bool:
        """Whether it is too late for it."""
        return self.not_after <= moment


class CallbackAttempt(TenantModel):
    """One time that a callback was placed. The primary key is the job's UUID, so that no attempt can be there twice."""

    attempt_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    callback = models.ForeignKey(
        Callback,
        on_delete=models.CASCADE,
        db_column="callback_uuid",
        db_constraint=False,
        related_name="history",
    )
    position = models.PositiveSmallIntegerField()
    """1 for the first."""
    destination = models.ForeignKey(
        Destination,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="destination_uuid",
        db_constraint=False,
        related_name="+",
    )
    asked_by = models.CharField(max_length=200, blank=True, default="")
    """Who had it placed at once; empty: its time had come."""
    outcome = models.CharField(max_length=24, blank=True, default="")
    leg = models.CharField(max_length=12, blank=True, default="")
    """Whose telephone the outcome is about: `colleague` or `customer`."""
    cause = models.CharField(max_length=60, blank=True, default="")
    """The switch's hangup cause."""
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("domain", "callback", "position"), name="secretary_attempt_once"),
        )

    def __str__(self) -> str:
        return f"{self.callback_id} #{self.position}"
