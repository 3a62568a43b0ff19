"""The API's addresses: the resources', its documentation, and an error in the API's own shape for everything else."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from secretary.api.documentation import Document, documentation
from secretary.api.nowhere import Nowhere
from secretary.api.resources import urls

app_name = "api"

urlpatterns: list[URLPattern] = [
    *urls(),
    path("openapi.json", Document.as_view(), name="openapi"),
    path("docs", documentation, name="docs"),
    re_path(r"^[\s\S]*\Z", Nowhere.as_view(), name="nowhere"),
]
