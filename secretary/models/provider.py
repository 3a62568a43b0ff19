from __future__ import annotations

import uuid
from typing import Any, Final, cast
from urllib.parse import urlsplit

import orjson
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from secretary.speech.catalogue import LOCAL, Declared, declared
from secretary.speech.contract import Access
from tenants.egress import BlockedError, check_url
from tenants.fields import EncryptedTextField
from tenants.models import TenantModel
from tenants.models.base import Timestamped

MOST_CREDENTIALS: Final = 50
"""Of one domain."""
MAX_KEY: Final = 4_000
_BLOCKED: Final[dict[str, Any]] = {
    "bad_url": _("Write a whole address: https://, a host name, no user name or password in it."),
    "port": _("This port is not allowed here."),
    "address": _("The host is not on the public internet."),
}


class CredentialFields(Timestamped):
    """How a speech provider is reached, and with which keys. `keys` are the secret options, as a JSON object."""

    credential_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.CharField(_("speech service"), max_length=40)
    label = models.CharField(_("name"), max_length=80, blank=True, default="")
    enabled = models.BooleanField(_("in use"), default=True)
    api_key = EncryptedTextField(_("key"), blank=True, default="")
    keys = EncryptedTextField(blank=True, default="{}", editable=False)
    key_hint = models.CharField(max_length=4, blank=True, default="", editable=False)
    """The key's last characters, to tell one from another."""
    keys_set = models.JSONField(default=list, blank=True, editable=False)
    """Names of the secret options that are there."""
    base_url = models.CharField(_("address"), max_length=500, blank=True, default="")
    model = models.CharField(_("model"), max_length=120, blank=True, default="")
    options = models.JSONField(_("options"), default=dict, blank=True)

    guarded = True

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.provider} {self.label}".strip()

    def put_keys(self, *, api_key: str | None = None, keys: dict[str, object] | None = None) -> None:
        """Store secrets and what may be shown of them. None, and keys that are not named, stay; empty ones go.

        Raises ValidationError.
        """
        if api_key is not None:
            if len(api_key) > MAX_KEY or not (api_key.isascii() and (api_key == "" or api_key.isprintable())):
                raise ValidationError({"api_key": _("This is no key: one line of plain characters is wanted.")})
            self.api_key = api_key.strip()
            self.key_hint = self.api_key[-4:] if len(self.api_key) >= 12 else ""
        if keys is not None:
            known = self._declared()
            try:
                new = known.checked(keys, secret=True)
            except ValidationError as error:
                raise ValidationError({"keys": error}) from error
            kept = {**self.secret_options(), **new}
            for name, value in keys.items():
                if value == "":
                    kept.pop(name, None)
            self.keys = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()
            self.keys_set = sorted(kept)

    def secret_options(self) -> dict[str, str]:
        return cast(dict[str, str], orjson.loads(self.keys or "{}"))

    def clean(self) -> None:
        known = self._declared()
        if self.provider == LOCAL:
            raise ValidationError({"provider": _("The local secretary needs no key.")})
        complaints: dict[str, Any] = {}
        if not isinstance(self.options, dict):
            raise ValidationError({"options": _("An object is wanted.")})
        try:
            self.options = known.checked(self.options)
        except ValidationError as error:
            complaints["options"] = error
        urls = {"base_url": self.base_url}
        urls |= {one.name: self.options.get(one.name, "") for one in known.plain if one.kind == "url"}
        for name, url in urls.items():
            if url and (reason := self._wrong_with(url)) is not None:
                complaints["base_url" if name == "base_url" else "options"] = reason
        if known.needs_key and not self.api_key and not self.base_url:
            complaints.setdefault("api_key", _("A key is wanted."))
        if complaints:
            raise ValidationError(complaints)

    def _wrong_with(self, url: str) -> Any:
        """What a tenant may not aim at; what its name resolves to is judged at each connection."""
        scheme, separator, rest = url.partition("://")
        plain = {"wss": "https", "ws": "http"}.get(scheme, scheme)
        if plain not in ("http", "https") or not separator or not rest:
            return _BLOCKED["bad_url"]
        if not self.guarded:
            try:
                return None if urlsplit(url).hostname else _BLOCKED["bad_url"]
            except ValueError:
                return _BLOCKED["bad_url"]
        try:
            check_url(f"{plain}://{rest}")
        except BlockedError as error:
            return _BLOCKED[error.reason]
        return None

    def _declared(self) -> Declared:
        try:
            return declared(self.provider)
        except ValidationError as error:
            raise ValidationError({"provider": error}) from error

    def access(self) -> Access:
        """As a provider is told it. Raises UndecryptableError."""
        options = {**self.options, **self.secret_options()}
        return Access(
            api_key=self.api_key,
            base_url=self.base_url,
            model=self.model,
            options=tuple(sorted((name, str(value)) for name, value in options.items())),
            guarded=self.guarded,
        )


class ProviderCredential(CredentialFields, TenantModel):
    """A domain's own way to a speech provider. Its address is guarded, whatever it says."""

    class Meta(TenantModel.Meta):
        verbose_name = _("speech service")
        verbose_name_plural = _("speech services")
        ordering = ("provider", "label")
        constraints = (
            models.UniqueConstraint(fields=("domain", "credential_uuid"), name="secretary_provider_tenant"),
            models.UniqueConstraint(
                fields=("domain", "provider", "label"),
                name="secretary_provider_label",
                violation_error_message=_("There is one of this name for this service already."),
            ),
        )


class InstallationProvider(CredentialFields):
    """The installation's way to a speech provider, for every domain that has none of its own. The platform's alone."""

    guarded = False

    class Meta:
        verbose_name = _("speech service of the installation")
        verbose_name_plural = _("speech services of the installation")
        ordering = ("provider",)
        constraints = (
            models.UniqueConstraint(
                fields=("provider",),
                name="secretary_installation_provider",
                violation_error_message=_("The installation has this service already."),
            ),
        )
