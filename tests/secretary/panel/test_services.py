"""Speech services in the panel: keys that are never shown again, tries, and the chain of a secretary."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from secretary.models import InstallationProvider, ProviderCredential, Secretary
from tenants.context import platform_context, tenant_context
from tests.secretary.panel.cast import Cast

KEY = "sk-panel-0123456789-wxyz"


def test_a_key_is_typed_once(cast: Cast, alice: Client) -> None:
    """It is kept, its last characters are shown, and no page has it again, not even the one that complains."""
    domain = cast.acme.domain
    where = reverse("panel:service-new", args=[domain.pk]) + "?service=openai-realtime"
    refused = alice.post(where, {"api_key": KEY, "option_speed": "9", "enabled": "on"})
    assert refused.status_code == 422 and KEY not in refused.content.decode()
    made = alice.post(where, {"label": "Main", "api_key": KEY, "option_speed": "1.1", "enabled": "on"}, follow=True)
    page = made.content.decode()
    assert "•••wxyz" in page and KEY not in page
    with tenant_context(domain.pk):
        row = ProviderCredential.objects.get(provider="openai-realtime")
        assert (row.api_key, row.options, row.enabled) == (KEY, {"speed": "1.1"}, True)
    one = reverse("panel:service", args=[domain.pk, row.pk])
    assert KEY not in alice.get(one).content.decode()
    seen = {"seen": row.updated_at.isoformat(), "enabled": "on"}
    alice.post(one, {**seen, "label": "Other", "api_key": ""})
    with tenant_context(domain.pk):
        row.refresh_from_db()
        assert (row.label, row.api_key, row.options) == ("Other", KEY, {})


def test_a_try_says_how_it_went(cast: Cast, alice: Client) -> None:
    """What does not answer is told with its reason; nothing changes."""
    where = reverse("panel:service-test", args=[cast.acme.domain.pk, cast.acme.objects["credential_uuid"]])
    page = alice.post(where, follow=True).content.decode()
    assert "does not take calls" in page


def test_the_chain_of_a_secretary(cast: Cast, alice: Client) -> None:
    """Rows of service, model and voice; what the service refuses stands beside them with everything typed kept."""
    domain, uuid = cast.acme.domain, cast.acme.objects["secretary_uuid"]
    where = reverse("panel:secretary", args=[domain.pk, uuid])
    page = alice.get(where)
    form = page.context["form"]
    with tenant_context(domain.pk):
        typed = {name: form[name].value() for name in form.fields if name != "chain"}
    values = {name: value for name, value in typed.items() if value and not isinstance(value, dict)}
    own = f"gemini-live:{cast.acme.objects['credential_uuid']}"
    assert own in page.content.decode()
    theirs = f"gemini-live:{cast.globex.objects['credential_uuid']}"
    assert theirs not in page.content.decode()
    refused = alice.post(where, {**values, "chain_1": theirs})
    assert refused.status_code == 422
    chain = {"chain_1": own, "chain_1_voice": "Kore", "chain_3": "pipeline", "chain_3_model": "big"}
    saved = alice.post(where, {**values, **chain})
    assert saved.status_code == 302, saved.context["form"].errors
    with tenant_context(domain.pk):
        row = Secretary.objects.get(pk=uuid)
    assert [(entry["provider"], entry["model"], entry["voice"]) for entry in row.chain] == [
        ("gemini-live", "", "Kore"),
        ("pipeline", "big", ""),
    ]
    assert row.provider == "gemini-live"
    assert f'value="{own}" selected' in alice.get(where).content.decode()


def test_the_installations_keys(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """The operator keeps and forgets them; an address inside is theirs to give."""
    operator = sign_in("operator")
    where = reverse("panel:platform-service", args=["openai-realtime"])
    saved = operator.post(where, {"api_key": KEY, "base_url": "http://10.0.0.5:8000/v1", "enabled": "on"}, follow=True)
    assert "•••wxyz" in saved.content.decode() and KEY not in saved.content.decode()
    with platform_context():
        assert InstallationProvider.objects.get().api_key == KEY
    assert operator.get(reverse("panel:platform-service", args=["local"])).status_code == 404
    operator.post(reverse("panel:platform-service-remove", args=["openai-realtime"]))
    with platform_context():
        assert not InstallationProvider.objects.exists()
