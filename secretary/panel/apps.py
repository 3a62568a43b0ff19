"""The panel as a Django app: it brings template tags and static files, no models."""

from __future__ import annotations

from django.apps import AppConfig


class PanelConfig(AppConfig):
    name = "secretary.panel"
    label = "panel"
