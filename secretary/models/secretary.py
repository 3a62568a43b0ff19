from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from eslbridge.policy.allow_list import ENTRY
from secretary.models.menu import validate_menu
from secretary.tools.names import MAX_NAME, MOST_TOOLS, NAME, usual
from tenants.models import TenantModel
from tenants.models.domain import Language

# What may be dialled: digits, star and hash, as on a telephone.
DIALLED = RegexValidator(r"^[0-9*#]{1,20}\Z", _("Only digits, * and #, at most 20."))
MAX_GREETING: Final = 1_000
MAX_PROMPT: Final = 20_000
MAX_EMAILS: Final = 5
MAX_NOTICE: Final = 300
MAX_LISTED: Final = 250
LISTED = RegexValidator(
    rf"^(?:{ENTRY.pattern})\Z", _("With its country code: +4930123456, or the beginning of numbers: +4930*.")
)


class ClosedAction(models.TextChoices):
    """What happens to calls out of hours."""

    ANSWER = "answer", _("Answer as always")
    MESSAGE = "message", _("Say that it is closed, and take a message")
    SECRETARY = "secretary", _("Another secretary answers")
    FALLBACK = "fallback", _("Nobody answers: straight to a number, or to the fallback")


class TurnMode(models.TextChoices):
    """Who decides that the caller has finished."""

    ADAPTIVE = "adaptive", _("A pause, shorter after a complete sentence")
    PROVIDER = "provider", _("The speech service, where it can")
    FIXED = "fixed", _("Always the same pause")


class SilenceEnding(models.TextChoices):
    """What becomes of a caller who does not answer."""

    FALLBACK = "fallback", _("is passed on, to the fallback")
    HANG_UP = "hang_up", _("is said goodbye to")


class Recorder(models.TextChoices):
    """Who writes a call's recording."""

    NODE = "node", _("This platform: the conversation with the secretary")
    SWITCH = "switch", _("The switch: the whole call, also after it was put through")


class Secretary(TenantModel):
    """Who answers: a name, a voice, a language, what is said and known, and what happens when nobody speaks."""

    secretary_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    enabled = models.BooleanField(_("enabled"), default=True)
    language = models.CharField(_("language"), max_length=8, choices=Language.choices, default=Language.ENGLISH)
    voice = models.CharField(_("voice"), max_length=120, blank=True, default="")
    greeting = models.TextField(_("greeting"), max_length=MAX_GREETING, blank=True, default="")
    prompt = models.TextField(_("facts about the business"), max_length=MAX_PROMPT, blank=True, default="")
    provider = models.CharField(_("provider"), max_length=40, default="local")
    """The first of the chain."""
    chain = models.JSONField(_("speech services"), default=list, blank=True)
    """Who speaks: objects of `provider`, `credential_uuid`, `model`, `voice`, the first choice first. At the end there
    is always the local secretary; empty: it alone."""
    record_calls = models.BooleanField(_("record calls"), default=False)
    recorder = models.CharField(_("recorded by"), max_length=8, choices=Recorder.choices, default=Recorder.NODE)
    message_emails = ArrayField(
        models.EmailField(), verbose_name=_("messages by e-mail to"), size=MAX_EMAILS, default=list, blank=True
    )
    """Where a message goes that is for nobody in particular, or for somebody without an address."""
    mail_audio = models.BooleanField(_("attach the recording"), default=False)
    max_call_s = models.PositiveIntegerField(
        _("longest call (s)"), default=600, validators=[MinValueValidator(10), MaxValueValidator(14_400)]
    )
    silence_s = models.FloatField(
        _("silence before asking again (s)"), default=8.0, validators=[MinValueValidator(1.0), MaxValueValidator(120.0)]
    )
    silence_prompts = models.PositiveSmallIntegerField(
        _("times to ask a silent caller"), default=2, validators=[MaxValueValidator(10)]
    )
    silence_ending = models.CharField(
        _("a caller who stays silent"), max_length=8, choices=SilenceEnding.choices, default=SilenceEnding.FALLBACK
    )
    turn_mode = models.CharField(
        _("end of the caller's turn"), max_length=8, choices=TurnMode.choices, default=TurnMode.ADAPTIVE
    )
    pause_ms = models.PositiveIntegerField(
        _("pause that ends a turn (ms)"), default=700, validators=[MinValueValidator(300), MaxValueValidator(3_000)]
    )
    barge_in = models.BooleanField(_("callers may interrupt"), default=True)
    protect_ms = models.PositiveIntegerField(
        _("greeting that cannot be interrupted (ms)"), default=500, validators=[MaxValueValidator(10_000)]
    )
    menu = models.JSONField(_("keys"), default=dict, blank=True, validators=[validate_menu])
    """What keys do while a call goes on, by key; any other goes to the speech service."""
    max_turns = models.PositiveIntegerField(
        _("most turns of the caller"), default=0, validators=[MaxValueValidator(1_000)]
    )
    """0: as many as they like."""
    max_cost = models.DecimalField(
        _("most that a call may cost"),
        max_digits=10,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0))],
    )
    """In the installation's currency; 0: no limit."""
    fallback_number = models.CharField(
        _("fallback number"), max_length=20, blank=True, default="", validators=[DIALLED]
    )
    """Where a caller goes when nothing else works; empty: the dialplan's own fallback."""
    hours = models.ForeignKey(
        "secretary.OpeningHours",
        verbose_name=_("opening hours"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="hours_uuid",
        db_constraint=False,
        related_name="+",
    )
    """Null: the domain's usual ones; where it has none either, it is always open."""
    closed_action = models.CharField(
        _("out of hours"), max_length=10, choices=ClosedAction.choices, default=ClosedAction.ANSWER
    )
    closed_greeting = models.TextField(_("greeting out of hours"), max_length=MAX_GREETING, blank=True, default="")
    """Empty: that it is closed, and when it opens again."""
    closed_secretary = models.ForeignKey(
        "self",
        verbose_name=_("other secretary"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="closed_secretary_uuid",
        db_constraint=False,
        related_name="+",
    )
    closed_number = models.CharField(
        _("number out of hours"), max_length=20, blank=True, default="", validators=[DIALLED]
    )
    """Such as a mailbox; empty: the fallback."""
    tools = ArrayField(
        models.CharField(max_length=MAX_NAME, validators=[RegexValidator(NAME)]),
        verbose_name=_("tools"),
        size=MOST_TOOLS,
        default=usual,
        blank=True,
    )
    """Names of the platform's tools and of the domain's own; one that there is not is left out."""
    announce_ai = models.BooleanField(_("say that it is an artificial voice"), default=False)
    """Also where the domain's rules do not ask for it."""
    ai_notice = models.CharField(_("in these words"), max_length=MAX_NOTICE, blank=True, default="")
    """Empty: the platform's words."""
    callback_other_numbers = models.BooleanField(_("call back at another number than the caller's"), default=False)
    """Where the caller asks for it; the dialling rules decide about each number all the same."""
    allow_list = ArrayField(
        models.CharField(max_length=17, validators=[LISTED]),
        verbose_name=_("may call these numbers outside"),
        size=MAX_LISTED,
        default=list,
        blank=True,
    )
    """Public numbers, or beginnings with a star, also where the domain permits none. See `eslbridge.policy`."""
    allow_list_only = models.BooleanField(_("and no others outside"), default=False)
    """Not even the domain's stored external destinations."""
    summarise = models.BooleanField(_("have the language model sum calls up"), default=True)
    """Where there is a pipeline with one; else, and where it fails, calls are summed up without a model."""
    recording_notice = models.CharField(
        _("recording announced in these words"), max_length=MAX_NOTICE, blank=True, default=""
    )

    class Meta(TenantModel.Meta):
        verbose_name = _("secretary")
        verbose_name_plural = _("secretaries")
        ordering = ("name",)
        constraints = (
            # The target of foreign keys that stay inside the tenant.
            models.UniqueConstraint(fields=("domain", "secretary_uuid"), name="secretary_secretary_tenant"),
            models.CheckConstraint(condition=models.Q(language__in=Language.values), name="secretary_language"),
            models.CheckConstraint(condition=models.Q(turn_mode__in=TurnMode.values), name="secretary_turn_mode"),
            models.CheckConstraint(
                condition=models.Q(silence_ending__in=SilenceEnding.values), name="secretary_silence_ending"
            ),
            models.CheckConstraint(condition=models.Q(recorder__in=Recorder.values), name="secretary_recorder"),
            models.CheckConstraint(
                condition=models.Q(closed_action__in=ClosedAction.values), name="secretary_closed_action"
            ),
        )

    def __str__(self) -> str:
        return self.name
