"""The API as a Django app: it keeps what was answered under an Idempotency-Key, and has translations of its own."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "secretary.api"
    label = "api"

    def ready(self) -> None:
        from secretary.api import schema  # noqa: F401  (tells drf-spectacular how one signs in)
