"""The map of `web`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from secretary.config.health import livez, readyz

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/", include("secretary.api.urls")),
    path("", include("secretary.panel.urls")),
]
