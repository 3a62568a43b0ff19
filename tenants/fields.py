"""A model field for secrets."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from tenants.encryption import key_ring


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted in the database and plain in Python. It can be read and written, not searched.

    Reading raises UndecryptableError when no key opens the value; `defer` it where the secret is not needed.
    """

    description = "encrypted text"

    def from_db_value(self, value: str | None, expression: object, connection: BaseDatabaseWrapper) -> str | None:
        return None if value is None else key_ring().decrypt(value)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        return key_ring().encrypt(str(value))

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted: it cannot be searched by `{lookup_name}`.")
        return super().get_lookup(lookup_name)
