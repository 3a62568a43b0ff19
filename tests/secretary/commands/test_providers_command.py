"""`manage.py providers check`: every key is tried as a call would, each domain's apart, and none is shown."""

from __future__ import annotations

from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from secretary.models import InstallationProvider, ProviderCredential
from tenants.context import platform_context, tenant_context
from tenants.models import AuditEvent, InstallationEvent
from tests.cast import make_tenant
from tests.receiver import answer, receiving

KEY = "sk-never-shown-0000"


def run(*args: str) -> str:
    out = StringIO()
    try:
        call_command("providers", "check", *args, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}! {error}"
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_each_is_tried(settings: LazySettings) -> None:
    """What is wrong is said of each, it is on record, and nothing of a key or of another domain is in it."""
    acme, globex = make_tenant("acme.example"), make_tenant("globex.example")
    assert "no keys" in run() and "no keys" in run("--domain", "acme.example")
    with receiving() as server:
        settings.EGRESS_ALLOW = [f"127.0.0.1:{server.port}"]
        url = f"http://127.0.0.1:{server.port}/v1"
        with tenant_context(acme.domain_uuid):
            ProviderCredential.objects.create(provider="openai-realtime", api_key=KEY, base_url=url, label="Main")
            ProviderCredential.objects.create(provider="elevenlabs-agent", api_key=KEY, base_url=url)
        with tenant_context(globex.domain_uuid):
            ProviderCredential.objects.create(provider="gemini-live", api_key=KEY, base_url=url)
        with platform_context():
            InstallationProvider.objects.create(provider="openai-realtime", api_key=KEY, base_url=url)
        server.then(answer(401, KEY.encode()))
        told = run("--domain", "acme.example", "--provider", "openai-realtime")
        assert "openai-realtime Main: auth" in told and "! 1 of 1 do not take calls." in told
        told = run("--domain", "acme.example")
        assert "elevenlabs-agent: refused" in told and "agent_id" in told and "gemini" not in told
        server.then(answer(403, KEY.encode()))
        installed = run()
        assert "openai-realtime: auth" in installed
    assert KEY not in told + installed
    with tenant_context(acme.domain_uuid):
        assert AuditEvent.objects.filter(action="providercredential.tested").count() == 3
    with platform_context():
        assert InstallationEvent.objects.filter(action="installationprovider.tested").count() == 1
    assert "no domain" in run("--domain", "nobody.example")
