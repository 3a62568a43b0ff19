"""The map of `web`."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from secretary.config.health import livez, readyz

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
]
if find_spec("secretary.panel.urls") is not None:
    urlpatterns.append(path("", include("secretary.panel.urls")))
