"""The panel's addresses. All that concerns a domain carries its UUID, and starts with the access to it."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from secretary.panel.views import calls, destinations, entry, extensions, home, inbox, secretaries

in_domain: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("calls/", calls.index, name="calls"),
    path("calls/<uuid:call_uuid>/", calls.detail, name="call"),
    path("calls/<uuid:call_uuid>/recording", calls.recording, name="recording"),
    path("messages/", inbox.index, name="messages"),
    path("messages/<uuid:message_uuid>/audio", inbox.audio, name="message-audio"),
    path("messages/<uuid:message_uuid>/mark/", inbox.mark, name="message-mark"),
    path("secretaries/", secretaries.index, name="secretaries"),
    path("secretaries/new/", secretaries.new, name="secretary-new"),
    path("secretaries/<uuid:secretary_uuid>/", secretaries.change, name="secretary"),
    path("secretaries/<uuid:secretary_uuid>/delete/", secretaries.delete, name="secretary-delete"),
    path("destinations/", destinations.index, name="destinations"),
    path("destinations/new/", destinations.new, name="destination-new"),
    path("destinations/<uuid:destination_uuid>/", destinations.change, name="destination"),
    path("destinations/<uuid:destination_uuid>/delete/", destinations.delete, name="destination-delete"),
    path("extensions/", extensions.index, name="extensions"),
    path("extensions/new/", extensions.new, name="extension-new"),
    path("extensions/<uuid:mapping_uuid>/", extensions.change, name="extension"),
    path("extensions/<uuid:mapping_uuid>/delete/", extensions.delete, name="extension-delete"),
]

panel: list[URLPattern | URLResolver] = [
    path("", entry.start, name="start"),
    path("domains/", entry.domains, name="domains"),
    path("d/<uuid:domain_uuid>/", include(in_domain)),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", entry.SignIn.as_view(), name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="set_language"),
    path("", include((panel, "panel"))),
]
