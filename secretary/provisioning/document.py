"""What a document may say of a domain, and whether it does so correctly. No database."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from eslbridge.dialling import RULE_FIELDS
from eslbridge.models import DialRules, EslCredential
from secretary.api.provider_fields import ChainEntry, Options
from secretary.api.serializing import ResourceSerializer, StrictSerializer
from secretary.api.times import ClockField, Times, Week
from secretary.api.tool_fields import Headers, Parameters
from secretary.models import (
    CallingRules,
    Destination,
    ExtensionMapping,
    OpeningHours,
    ProviderCredential,
    Secretary,
    SpecialDay,
)
from secretary.models.provider import MAX_KEY, MOST_CREDENTIALS
from secretary.opening.weekly import NotOpeningHours, read_ranges, read_weekly
from secretary.services.calling_rules import FIELDS as CALLING_FIELDS
from secretary.services.opening_hours import MOST_DAYS, MOST_HOURS
from secretary.services.providers import MOST_STEPS
from secretary.tools.models import HttpTool
from secretary.tools.models.http_tool import MAX_PER_DOMAIN
from secretary.tools.names import MAX_NAME, NAME
from secretary.webhooks.catalogue import EVENT_TYPES
from secretary.webhooks.models import Webhook
from secretary.webhooks.models.webhook import MAX_PER_DOMAIN as MAX_WEBHOOKS
from secretary.webhooks.models.webhook import validate_event_type, validate_url
from secretary.webhooks.signing import FORM
from tenants.models import DataRules, Domain, Quota
from tenants.quotas import QUOTA_FIELDS, RULES_FIELDS

MOST_DOMAINS = 500
"""In one request or file."""
MOST_OBJECTS = 2_000
"""Of each kind in one domain: there are a thousand extensions."""


class _Part(ResourceSerializer):
    """An object of the domain. Every field may be left out where the object is there already; `plan` knows."""

    class Meta:
        model: Any = None
        fields: tuple[str, ...] = ()


class CredentialPart(_Part):
    password = serializers.CharField(required=False, max_length=200, trim_whitespace=False, write_only=True)

    class Meta(_Part.Meta):
        model = EslCredential
        fields = (
            "host", "port", "password", "connect_timeout_s", "read_timeout_s", "reconnect_delay_s", "max_reconnects",
            "audio_transport", "switch_media_host", "switch_media_port_min", "switch_media_port_max",
            "node_media_host",
        )  # fmt: skip


class DialRulesPart(_Part):
    class Meta(_Part.Meta):
        model = DialRules
        fields = RULE_FIELDS


class QuotaPart(_Part):
    class Meta(_Part.Meta):
        model = Quota
        fields = QUOTA_FIELDS


class DataRulesPart(_Part):
    class Meta(_Part.Meta):
        model = DataRules
        fields = RULES_FIELDS


class CallingRulesPart(_Part):
    earliest = ClockField(required=False)
    latest = ClockField(required=False)

    class Meta(_Part.Meta):
        model = CallingRules
        fields = CALLING_FIELDS


class OpeningHoursPart(_Part):
    hours_uuid = serializers.UUIDField(required=False, help_text="Left out: found by its name, or made.")
    name = serializers.CharField(max_length=120)
    weekly = Week(required=False)

    class Meta(_Part.Meta):
        model = OpeningHours
        fields = ("hours_uuid", "name", "is_default", "source", "weekly", "holidays_country", "holidays_subdivision")

    def validate_weekly(self, value: dict[str, list[str]]) -> dict[str, list[str]]:
        try:
            return read_weekly(value).as_json()
        except NotOpeningHours as error:
            raise serializers.ValidationError(error.sentence) from error


class SpecialDayPart(_Part):
    day_uuid = serializers.UUIDField(required=False, help_text="Left out: found by its date, or made.")
    hours = serializers.CharField(
        required=False, allow_null=True, max_length=120, help_text="The hours' name; null: all of them."
    )
    ranges = Times(required=False)

    class Meta(_Part.Meta):
        model = SpecialDay
        fields = ("day_uuid", "hours", "name", "date", "every_year", "ranges")

    def validate_ranges(self, value: list[str]) -> list[str]:
        try:
            return [str(one) for one in read_ranges(value)]
        except NotOpeningHours as error:
            raise serializers.ValidationError(error.sentence) from error


class ProviderPart(_Part):
    credential_uuid = serializers.UUIDField(required=False, help_text="Left out: found by its label, or made.")
    provider = serializers.CharField(max_length=40)
    label = serializers.CharField(max_length=80)  # type: ignore[assignment]
    api_key = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_KEY, trim_whitespace=False, write_only=True
    )
    keys = serializers.DictField(
        child=serializers.CharField(max_length=MAX_KEY), required=False, write_only=True, help_text="All there are."
    )
    options = Options(required=False)

    class Meta(_Part.Meta):
        model = ProviderCredential
        fields = (
            "credential_uuid", "provider", "label", "enabled", "api_key", "keys", "base_url", "model", "options",
        )  # fmt: skip


class ChainPart(ChainEntry):
    credential = serializers.CharField(required=False, allow_null=True, max_length=80, help_text="The key's label.")


class SecretaryPart(_Part):
    secretary_uuid = serializers.UUIDField(required=False, help_text="Left out: found by its name, or made.")
    name = serializers.CharField(max_length=120)
    hours = serializers.CharField(
        required=False, allow_null=True, max_length=120, help_text="The hours' name; null: the domain's usual ones."
    )
    closed_secretary_uuid = serializers.UUIDField(source="closed_secretary_id", required=False, allow_null=True)
    chain = ChainPart(many=True, required=False, max_length=MOST_STEPS)  # type: ignore[call-arg]

    class Meta(_Part.Meta):
        model = Secretary
        fields = (
            "secretary_uuid", "name", "enabled", "language", "voice", "greeting", "prompt", "provider", "chain",
            "record_calls", "recorder", "message_emails", "mail_audio",
            "max_call_s", "silence_s", "silence_prompts", "silence_ending", "fallback_number", "hours", "closed_action",
            "closed_greeting", "closed_secretary_uuid", "closed_number",
            "turn_mode", "pause_ms", "barge_in", "protect_ms", "menu", "max_turns", "max_cost",
            "tools", "announce_ai", "ai_notice", "recording_notice", "summarise",
            "callback_other_numbers", "allow_list", "allow_list_only",
        )  # fmt: skip


class ToolPart(_Part):
    tool_uuid = serializers.UUIDField(required=False, help_text="Left out: found by its name, or made.")
    name = serializers.CharField(max_length=MAX_NAME, validators=[RegexValidator(NAME)])
    parameters = Parameters(required=False)
    headers = Headers(child=serializers.CharField(max_length=1_000), required=False, write_only=True)

    class Meta(_Part.Meta):
        model = HttpTool
        fields = (
            "tool_uuid", "name", "description", "parameters", "enabled", "method", "url", "shares_caller", "headers",
            "timeout_s", "max_bytes", "result_path", "result_text", "per_call", "per_minute",
        )  # fmt: skip


class ExtensionPart(_Part):
    mapping_uuid = serializers.UUIDField(required=False, help_text="Left out: found by its extension, or made.")
    secretary_uuid = serializers.UUIDField(required=False, help_text="This, or `secretary`.")
    secretary = serializers.CharField(required=False, max_length=120, help_text="The secretary's name.")

    class Meta(_Part.Meta):
        model = ExtensionMapping
        fields = ("mapping_uuid", "extension", "secretary_uuid", "secretary", "enabled")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("secretary" in attrs) == ("secretary_uuid" in attrs):
            detail = ErrorDetail(_("Either secretary or secretary_uuid is wanted."), "required")
            raise serializers.ValidationError({"secretary_uuid": [detail]})
        return attrs


class DestinationPart(_Part):
    destination_uuid = serializers.UUIDField(required=False, help_text="Left out: found by its name, or made.")
    name = serializers.CharField(max_length=120)
    hours = serializers.CharField(
        required=False, allow_null=True, max_length=120, help_text="The hours' name; null: at any hour."
    )

    class Meta(_Part.Meta):
        model = Destination
        fields = (
            "destination_uuid", "name", "aliases", "number", "kind", "enabled", "priority", "transfer_mode", "ring_s",
            "hours", "message_email",
        )  # fmt: skip


class WebhookPart(_Part):
    webhook_uuid = serializers.UUIDField(required=False, help_text="Left out: found by its address, or made.")
    url = serializers.CharField(max_length=2_000, validators=[validate_url])
    events = serializers.ListField(
        child=serializers.CharField(max_length=40, validators=[validate_event_type]),
        required=False, max_length=len(EVENT_TYPES) + 1, help_text="A new one's default: `*`, all.",
    )  # fmt: skip
    secret = serializers.RegexField(
        FORM, required=False, write_only=True, max_length=200,
        help_text="What signs: `whsec_` and 32 bytes or so in base64. Left out: it stays, or is made; see `rotate`.",
    )  # fmt: skip

    class Meta(_Part.Meta):
        model = Webhook
        fields = ("webhook_uuid", "url", "description", "events", "enabled", "secret")


class DomainSettings(_Part):
    class Meta(_Part.Meta):
        model = Domain
        fields = ("name", "enabled", "language", "time_zone", "max_calls")


class DomainDocument(StrictSerializer):
    """A whole domain."""

    domain_uuid = serializers.UUIDField(required=False)
    esl_credential = CredentialPart(required=False)
    quota = QuotaPart(required=False, help_text="Only the installation may set it.")
    data_rules = DataRulesPart(required=False)
    calling_rules = CallingRulesPart(required=False)
    dial_rules = DialRulesPart(required=False)
    opening_hours = OpeningHoursPart(many=True, required=False, max_length=MOST_HOURS)
    special_days = SpecialDayPart(many=True, required=False, max_length=MOST_DAYS)
    providers = ProviderPart(many=True, required=False, max_length=MOST_CREDENTIALS)
    tools = ToolPart(many=True, required=False, max_length=MAX_PER_DOMAIN)
    secretaries = SecretaryPart(many=True, required=False, max_length=MOST_OBJECTS)
    extensions = ExtensionPart(many=True, required=False, max_length=MOST_OBJECTS)
    destinations = DestinationPart(many=True, required=False, max_length=MOST_OBJECTS)
    webhooks = WebhookPart(many=True, required=False, max_length=MAX_WEBHOOKS)
    prune = serializers.BooleanField(
        required=False, default=False, help_text="Delete what is not listed, of those kinds that are."
    )

    def get_fields(self) -> dict[str, Any]:
        # The domain's own fields as the model has them, so that pattern, choices and bounds are said once.
        own = DomainSettings().get_fields()
        for field in own.values():
            field.required = False
        return {**super().get_fields(), **own}


SETTINGS = DomainSettings.Meta.fields


class NamedDomainDocument(DomainDocument):
    """A whole domain among others."""

    domain_uuid = serializers.UUIDField()
