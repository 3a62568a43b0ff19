from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from secretary.tools.names import BUILT_IN, MAX_NAME, NAME
from secretary.webhooks.signing import new_secret
from tenants.fields import EncryptedTextField
from tenants.models import TenantModel

MAX_PER_DOMAIN: Final = 100
MAX_DESCRIPTION: Final = 1_000
MAX_BYTES: Final = 64 * 1024
MAX_TIMEOUT_S: Final = 15.0
MAX_RESULT: Final = 1_000


class HttpMethod(models.TextChoices):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


def no_parameters() -> dict[str, Any]:
    return {"type": "object", "properties": {}}


class HttpTool(TenantModel):
    """Something that a tenant's own server does for its secretaries, as a model is told of it.

    The request goes through the egress guard and is signed as webhooks are. What comes back is data, never an order.
    """

    tool_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(
        _("name"),
        max_length=MAX_NAME,
        validators=[RegexValidator(NAME, _("Small letters, digits and _; a letter first; 2 to 48 characters."))],
    )
    description = models.TextField(_("description"), max_length=MAX_DESCRIPTION)
    """For the model: what it does, and when it is of use."""
    parameters = models.JSONField(_("parameters"), default=no_parameters)
    """JSON Schema of an object, of the part of it that every model understands: see `secretary.tools.schemas`."""
    enabled = models.BooleanField(_("enabled"), default=True)
    method = models.CharField(_("method"), max_length=6, choices=HttpMethod.choices, default=HttpMethod.POST)
    url = models.CharField(_("address"), max_length=2_000)
    """`{order}` in path or query is replaced by that argument, encoded. GET and DELETE send the other arguments in the
    query, the other methods send all of them as JSON."""
    shares_caller = models.BooleanField(_("tell it who is calling"), default=False)
    secret = EncryptedTextField(default=new_secret, editable=False)
    previous_secret = EncryptedTextField(null=True, blank=True, editable=False)
    previous_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    extra_headers = EncryptedTextField(blank=True, default="", editable=False)
    """JSON object of further headers, such as the server's own key; empty: none."""
    timeout_s = models.FloatField(
        _("seconds it may take"), default=5.0, validators=[MinValueValidator(0.5), MaxValueValidator(MAX_TIMEOUT_S)]
    )
    max_bytes = models.PositiveIntegerField(
        _("bytes it may answer"), default=16_384, validators=[MinValueValidator(256), MaxValueValidator(MAX_BYTES)]
    )
    result_path = models.CharField(
        _("part of the answer"),
        max_length=200,
        blank=True,
        default="",
        validators=[RegexValidator(r"^[^\s.]+(\.[^\s.]+)*\Z", _("Names and positions with dots between them."))],
    )
    """`order.lines.0` of a JSON answer; empty: all of it."""
    result_text = models.TextField(_("in words"), max_length=MAX_RESULT, blank=True, default="")
    """`{status}` is replaced by that member of the answer; empty: the JSON itself."""
    per_call = models.PositiveSmallIntegerField(
        _("times a call"), default=5, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    per_minute = models.PositiveSmallIntegerField(
        _("times a minute"), default=60, validators=[MinValueValidator(1), MaxValueValidator(1_000)]
    )
    """Of all calls of the domain together."""

    class Meta(TenantModel.Meta):
        verbose_name = _("tool")
        verbose_name_plural = _("tools")
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("domain", "name"),
                name="tools_httptool_name",
                violation_error_message=_("There is a tool of this name."),
            ),
            models.CheckConstraint(condition=models.Q(method__in=HttpMethod.values), name="tools_httptool_method"),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        from secretary.tools.http.template import TemplateError, check
        from secretary.tools.schemas import SchemaError, check_schema

        errors: dict[str, Any] = {}
        if self.name in BUILT_IN:
            errors["name"] = _("The platform has a tool of this name.")
        try:
            check_schema(self.parameters)
        except SchemaError as error:
            errors["parameters"] = str(error)
        else:
            known = self.parameters.get("properties", {})
            try:
                check(self.url, known)
            except TemplateError as error:
                errors["url"] = str(error)
        if errors:
            raise ValidationError(errors)

    def live_secrets(self, now: datetime) -> list[str]:
        """What signs now, the current one first."""
        secrets = [self.secret]
        if self.previous_secret and self.previous_expires_at is not None and self.previous_expires_at > now:
            secrets.append(self.previous_secret)
        return secrets

    def headers(self) -> Mapping[str, str]:
        """The further headers, decrypted."""
        found = json.loads(self.extra_headers) if self.extra_headers else {}
        return {str(name): str(value) for name, value in found.items()}
