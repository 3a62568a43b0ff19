"""Whatever is written by the API is in the record of changes: who, from where, old and new; secrets masked."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, override_settings

from tenants.context import tenant_context
from tenants.models.audit import AuditEvent
from tenants.services import add_member
from tests.cast import Tenant
from tests.secretary.api.client import Api, assertion, bearer, installation_key


def record(tenant: Tenant) -> list[AuditEvent]:
    with tenant_context(tenant.domain_uuid):
        return list(AuditEvent.objects.order_by("at"))


@pytest.mark.parametrize(
    ("method", "path", "body", "action"),
    [
        ("POST", "secretaries", {"name": "Night"}, "secretary.created"),
        ("PUT", "secretaries/11111111-1111-4111-8111-111111111113", {"name": "Night"}, "secretary.created"),
        ("POST", "destinations", {"name": "Repairs", "number": "1009"}, "destination.created"),
        ("PUT", "esl-credential", {"host": "10.9.9.9", "password": "swordfish"}, "eslcredential.changed"),
        ("DELETE", "esl-credential", None, "eslcredential.deleted"),
        ("PATCH", "", {"language": "pt-br"}, "domain.changed"),
        ("POST", "jobs", {"kind": "originate", "number": "1001"}, "job.requested"),
        ("POST", "api-keys", {"name": "k", "scopes": ["calls:read"]}, "apikey.created"),
        ("PUT", "provision", {"secretaries": [{"name": "Night"}]}, "secretary.created"),
    ],
)
def test_every_write_is_recorded(acme: Tenant, api: Api, method: str, path: str, body: Any, action: str) -> None:
    """With the key that did it, the address, the request's id, and never a secret."""
    before = len(record(acme))
    where = f"domains/{acme.domain_uuid}/{path}".rstrip("/")
    condition = {"If_Match": "*"} if method in ("PATCH", "DELETE") else {}
    answer = api.send(method, where, body, X_Request_Id="abc", **condition)
    assert answer.status_code < 300, answer.content
    (event,) = record(acme)[before:]
    assert (event.action, event.actor_kind, event.request_id) == (action, "domain-key", "abc")
    assert event.actor_label == "a key"
    assert event.address == "127.0.0.1"
    token = answer.json().get("token", "swordfish") if answer.content else "swordfish"
    assert "swordfish" not in f"{event.old} {event.new}"
    assert token not in f"{event.old} {event.new}"


def test_fusionpbx_users_are_named(acme: Tenant) -> None:
    """Not the key that signed, but the user it spoke for."""
    fusionpbx = assertion(installation_key(), acme.domain_uuid)
    fusionpbx.post(f"domains/{acme.domain_uuid}/secretaries", {"name": "Night"})
    event = record(acme)[-1]
    assert (event.actor_kind, event.actor_id) == ("fusionpbx-user", "alice")


def test_what_fails_leaves_no_line(acme: Tenant, api: Api) -> None:
    """A refused write and a dry run have changed nothing."""
    before = len(record(acme))
    base = f"domains/{acme.domain_uuid}"
    assert api.post(f"{base}/secretaries", {"name": ""}).status_code == 400
    assert api.put(f"{base}/provision?dry_run=true", {"secretaries": [{"name": "Night"}]}).status_code == 200
    assert api.patch(f"{base}/destinations/{acme.sales.pk}", {"name": "X"}, If_Match='"1"').status_code == 412
    assert len(record(acme)) == before


def test_provisioning_tells_what_changed(acme: Tenant) -> None:
    """Field by field."""
    operator = bearer(installation_key())
    body = {"secretaries": [{"name": acme.secretary.name, "greeting": "Hi."}]}
    operator.put(f"domains/{acme.domain_uuid}/provision", body)
    event = record(acme)[-1]
    assert (event.action, event.actor_kind) == ("secretary.changed", "installation-key")
    assert (event.old, event.new) == ({"greeting": "Good morning."}, {"greeting": "Hi."})


def test_the_second_factor_is_wanted_here_too(acme: Tenant) -> None:
    """Where the panel asks for it, a session without it may not use the API."""
    user = get_user_model().objects.create_user("alice")
    add_member(domain_uuid=acme.domain_uuid, user_id=user.pk, role="admin")
    browser = Client()
    browser.force_login(user)
    api = Api("", browser)
    where = f"domains/{acme.domain_uuid}/secretaries"
    assert api.get(where).status_code == 200
    with override_settings(SECOND_FACTOR_REQUIRED="administrators"):
        assert api.get(where).status_code == 403
        get_user_model().objects.filter(pk=user.pk).update(is_superuser=True)
        assert api.get("api-keys").status_code == 403
