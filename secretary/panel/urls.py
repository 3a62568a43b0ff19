"""The panel's addresses. All that concerns a domain carries its UUID, and starts with the access to it."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from secretary.panel.views import (
    account,
    calls,
    data,
    destinations,
    entry,
    extensions,
    home,
    inbox,
    joining,
    people,
    platform,
    record,
    secretaries,
    usage,
    webhooks,
)

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
    path("webhooks/", webhooks.index, name="webhooks"),
    path("webhooks/new/", webhooks.new, name="webhook-new"),
    path("webhooks/<uuid:webhook_uuid>/", webhooks.log, name="webhook"),
    path("webhooks/<uuid:webhook_uuid>/settings/", webhooks.change, name="webhook-settings"),
    path("webhooks/<uuid:webhook_uuid>/delete/", webhooks.delete, name="webhook-delete"),
    path("webhooks/<uuid:webhook_uuid>/secret/", webhooks.secret, name="webhook-secret"),
    path("webhooks/<uuid:webhook_uuid>/test/", webhooks.ping, name="webhook-ping"),
    path("webhooks/<uuid:webhook_uuid>/replay/", webhooks.replay, name="webhook-replay"),
    path("webhooks/<uuid:webhook_uuid>/deliveries/<uuid:delivery_uuid>/", webhooks.one, name="delivery"),
    path("webhooks/<uuid:webhook_uuid>/deliveries/<uuid:delivery_uuid>/again/", webhooks.again, name="delivery-again"),
    path("usage/", usage.index, name="usage"),
    path("usage/quotas/", usage.quotas, name="quotas"),
    path("data/", data.index, name="data"),
    path("data/rules/", data.rules, name="data-rules"),
    path("data/export/", data.export, name="data-export"),
    path("data/erase/", data.erase, name="data-erase"),
    path("data/requests/<uuid:request_uuid>/download", data.download, name="data-download"),
    path("people/", people.index, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/two-factors/", people.rule, name="rule"),
    path("people/<uuid:member_uuid>/", people.change, name="member"),
    path("people/<uuid:member_uuid>/remove/", people.remove, name="member-remove"),
    path("people/invitations/<uuid:invitation_uuid>/resend/", people.resend, name="invitation-resend"),
    path("people/invitations/<uuid:invitation_uuid>/revoke/", people.revoke, name="invitation-revoke"),
    path("record/", record.index, name="record"),
    path("record/export", record.export, name="record-export"),
]

own_account: list[URLPattern | URLResolver] = [
    path("", account.overview, name="account"),
    path("password/", account.password, name="password"),
    path("second-factor/", account.two_factors, name="second-factor"),
    path("second-factor/off/", account.two_factors_off, name="second-factor-off"),
    path("second-factor/codes/", account.new_codes, name="recovery-codes"),
    path("sessions/<uuid:session_uuid>/end/", account.end_session, name="session-end"),
    path("sessions/end-others/", account.end_others, name="sessions-end"),
]

platform_wide: list[URLPattern | URLResolver] = [
    path("accounts/", platform.everybody, name="everybody"),
    path("accounts/<int:user_id>/", platform.person, name="person"),
    path("accounts/<int:user_id>/sign-out/", platform.sign_out, name="person-sign-out"),
    path("accounts/<int:user_id>/lose-second-factor/", platform.lose_second_factor, name="person-second-factor"),
    path("accounts/<int:user_id>/switch/", platform.switch, name="person-switch"),
    path("accounts/<int:user_id>/reset-link/", platform.make_reset_link, name="person-reset-link"),
    path("operators/", platform.operators, name="operators"),
    path("operators/invite/", platform.invite_operator, name="operator-invite"),
    path("operators/<int:user_id>/remove/", platform.remove_operator, name="operator-remove"),
    path("operators/invitations/<uuid:invitation_uuid>/resend/", platform.resend_operator, name="operator-resend"),
    path("operators/invitations/<uuid:invitation_uuid>/revoke/", platform.revoke_operator, name="operator-revoke"),
    path("record/", record.installation, name="installation-record"),
    path("record/export", record.installation_export, name="installation-record-export"),
]

panel: list[URLPattern | URLResolver] = [
    path("", entry.start, name="start"),
    path("domains/", entry.domains, name="domains"),
    path("d/<uuid:domain_uuid>/", include(in_domain)),
    path("account/", include(own_account)),
    path("platform/", include(platform_wide)),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", entry.SignIn.as_view(), name="login"),
    path("sign-in/second-step/", entry.second_step, name="second-step"),
    path("password/forgotten/", joining.forgotten, name="forgotten"),
    path("password/reset/<uidb64>/<token>/", joining.Reset.as_view(), name="reset"),
    path("invitation/", joining.invitation, name="invitation"),
    path("invitation/<str:token>/", joining.open_invitation, name="open-invitation"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="set_language"),
    path("", include((panel, "panel"))),
]
