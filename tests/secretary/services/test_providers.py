"""Keys of speech services and chains: what may be stored, who sees it, who gets it in a call, and what that costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from secretary.models import (
    Call,
    DomainPrice,
    InstallationProvider,
    ProviderCredential,
    ProviderPrice,
    UsageDay,
    UsageRecord,
)
from secretary.profiles import CallRecord, UsageItem
from secretary.selectors.prices import unit_prices
from secretary.selectors.speech_chain import price_of, speech_of
from secretary.services.allowance import renew
from secretary.services.calls import LEASE, finish_call, note_usage, open_call, sweep_calls
from secretary.services.providers import (
    create_credential,
    delete_credential,
    delete_installation,
    save_installation,
    update_credential,
)
from secretary.services.secretaries import update_secretary
from tenants.context import platform_context, tenant_context
from tenants.models import AuditEvent, InstallationEvent
from tenants.quotas import set_quota
from tests.cast import Tenant

KEY = "sk-acme-0123456789-abcd"


def keep(tenant: Tenant, provider: str = "openai-realtime", **values: Any) -> ProviderCredential:
    with tenant_context(tenant.domain_uuid):
        return create_credential(provider=provider, **{"api_key": KEY, **values})


def choose(tenant: Tenant, *chain: dict[str, Any]) -> None:
    with tenant_context(tenant.domain_uuid):
        tenant.secretary.refresh_from_db()
        update_secretary(secretary_uuid=tenant.secretary.pk, seen_at=tenant.secretary.updated_at, chain=list(chain))


def complaints(tenant: Tenant, **values: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        keep(tenant, **values)
    return caught.value.message_dict


def test_a_key_is_kept_and_not_shown(acme: Tenant) -> None:
    """Encrypted in the table, masked in the record, and known by its last characters only."""
    row = keep(acme, label="main", keys={}, options={"speed": 1.1, "azure": False})
    assert (row.key_hint, row.options) == ("abcd", {"speed": "1.1", "azure": "no"})
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("select api_key, keys from secretary_providercredential")
        assert all(value.startswith("v1:") for value in cursor.fetchone() or [""])
    with tenant_context(acme.domain_uuid):
        event = AuditEvent.objects.get(action="providercredential.created")
    assert KEY not in str(event.new) and "'api_key': '•••'" in str(event.new) and KEY not in repr(row)


def test_further_keys(acme: Tenant) -> None:
    """Each stage of a pipeline has a key of its own; those that are left out stay, and empty ones go."""
    row = keep(acme, "pipeline", api_key="", keys={"stt_key": "dg-1", "tts_key": "el-1"}, options={"stt": "deepgram"})
    assert row.keys_set == ["stt_key", "tts_key"]
    with tenant_context(acme.domain_uuid):
        row = update_credential(credential_uuid=row.pk, seen_at=row.updated_at, keys={"stt_key": "", "llm_key": "an-1"})
        again = ProviderCredential.objects.get()
    assert again.secret_options() == {"tts_key": "el-1", "llm_key": "an-1"}
    access = again.access()
    assert (access.option("llm_key"), access.option("stt"), access.guarded) == ("an-1", "deepgram", True)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"provider": "nobody"}, "provider"),
        ({"provider": "local"}, "provider"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": "two\nlines"}, "api_key"),
        ({"base_url": "https://10.0.0.1/v1"}, "base_url"),
        ({"base_url": "wss://127.0.0.1:443"}, "base_url"),
        ({"base_url": "https://169.254.169.254/"}, "base_url"),
        ({"base_url": "https://speech.example:22/"}, "base_url"),
        ({"base_url": "file:///etc/passwd"}, "base_url"),
        ({"base_url": "https://user:pw@speech.example/"}, "base_url"),
        ({"options": {"voyce": "marin"}}, "options"),
        ({"options": {"speed": "fast"}}, "options"),
        ({"options": {"speed": [1]}}, "options"),
        ({"options": {"turns": "never"}}, "options"),
        ({"keys": {"stt_key": "x"}}, "keys"),
        (
            {"provider": "pipeline", "options": {"stt_url": "http://localhost/"}, "base_url": "http://[::1]/"},
            "base_url",
        ),
        ({"provider": "pipeline", "options": {"tts_url": "https://192.168.1.1/"}}, "options"),
        ({"provider": "pipeline", "options": {"llm_extra": "[]"}}, "options"),
    ],
)
def test_what_is_not_stored(acme: Tenant, values: dict[str, Any], field: str) -> None:
    """Unknown services and options, keys that are none, and addresses that lead inside."""
    assert field in complaints(acme, **values)


def test_a_key_does_not_move_to_another_address(acme: Tenant) -> None:
    """Whoever may change an address and not read the key does not get the key sent to a server of their own."""
    row = keep(acme, "pipeline", keys={"llm_key": "an-1"})
    with tenant_context(acme.domain_uuid):
        row = update_credential(credential_uuid=row.pk, seen_at=row.updated_at, base_url="https://evil.example/v1")
        assert (row.api_key, row.key_hint, row.keys_set) == ("", "", [])
        row = update_credential(
            credential_uuid=row.pk, seen_at=row.updated_at, api_key=KEY, options={"llm_url": "https://a.example/"}
        )
        row = update_credential(credential_uuid=row.pk, seen_at=row.updated_at, label="other name")
        assert row.api_key == KEY
        row = update_credential(
            credential_uuid=row.pk, seen_at=row.updated_at, options={"llm_url": "https://b.example/"}
        )
        assert row.api_key == ""


def test_which_key_a_call_gets(acme: Tenant, globex: Tenant) -> None:
    """The one that was named, else the domain's own, else the installation's; and never another domain's."""
    choose(acme, {"provider": "openai-realtime"}, {"provider": "gemini-live", "model": "small", "voice": "Kore"})
    assert speech_of(acme.profile()).missing == ("openai-realtime", "gemini-live")
    save_installation(provider="openai-realtime", api_key="sk-installation-000", base_url="http://10.0.0.5/v1")
    first, last = speech_of(acme.profile()).steps
    assert (first.access.api_key, first.owner, first.access.guarded) == ("sk-installation-000", "installation", False)
    assert (last.provider, speech_of(acme.profile()).missing) == ("local", ("gemini-live",))
    keep(globex, api_key="sk-globex-0000000")
    assert speech_of(acme.profile()).steps[0].owner == "installation"
    own, second = keep(acme, label="a"), keep(acme, label="b", api_key="sk-second-000000")
    google = keep(acme, "gemini-live", model="big")
    first, middle, last = speech_of(acme.profile()).steps
    assert (first.access.api_key, first.owner, first.access.guarded) == (KEY, str(own.pk), True)
    assert (middle.owner, middle.model, middle.voice) == (str(google.pk), "small", "Kore")
    choose(acme, {"provider": "openai-realtime", "credential_uuid": str(second.pk)})
    assert speech_of(acme.profile()).steps[0].access.api_key == "sk-second-000000"
    assert "sk-" not in repr(acme.profile()) and "sk-" not in repr(speech_of(acme.profile()))
    with tenant_context(acme.domain_uuid):
        ProviderCredential.objects.filter(pk=second.pk).update(enabled=False)
    assert speech_of(acme.profile()).missing == ("openai-realtime",)  # that one and no other was wanted


def test_a_secretary_may_leave_turns_to_its_service(acme: Tenant) -> None:
    """Then the service is asked to tell when the caller has finished, unless its credential says who does."""
    keep(acme)
    choose(acme, {"provider": "openai-realtime"})
    assert speech_of(acme.profile()).steps[0].access.option("turns") == ""
    with tenant_context(acme.domain_uuid):
        acme.secretary.refresh_from_db()
        update_secretary(secretary_uuid=acme.secretary.pk, seen_at=acme.secretary.updated_at, turn_mode="provider")
    assert speech_of(acme.profile()).steps[0].access.option("turns") == "provider"
    with tenant_context(acme.domain_uuid):
        ProviderCredential.objects.update(options={"turns": "semantic_vad"})
    assert speech_of(acme.profile()).steps[0].access.option("turns") == "semantic_vad"


def test_a_call_without_speech_services_asks_for_none(acme: Tenant, django_assert_max_num_queries: Any) -> None:
    """The local secretary costs a call no look at keys."""
    profile = acme.profile()
    with django_assert_max_num_queries(6) as queries:
        assert [step.provider for step in speech_of(profile).steps] == ["local"]
    assert not any("credential" in query["sql"] or "installationprovider" in query["sql"] for query in queries)


def test_a_key_that_does_not_open(acme: Tenant, settings: Settings) -> None:
    """A key ring that lost its key costs the service, not the call."""
    keep(acme)
    choose(acme, {"provider": "openai-realtime"})
    profile = acme.profile()
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    speech = speech_of(profile)
    assert [step.provider for step in speech.steps] == ["local"] and speech.missing == ("openai-realtime",)


@pytest.mark.parametrize(
    "chain",
    [
        "openai-realtime",
        [{"provider": "nobody"}],
        [{"provider": "local"}, {"provider": "openai-realtime"}],
        [{"provider": "openai-realtime", "credential_uuid": "x"}],
        [{"provider": "openai-realtime", "credential_uuid": str(uuid4())}],
        [{"provider": "openai-realtime", "api_key": "sk"}],
        [{"provider": "openai-realtime"}] * 7,
    ],
)
def test_chains_that_are_none(acme: Tenant, chain: Any) -> None:
    """What cannot be a chain is refused with a reason at `chain`."""
    with tenant_context(acme.domain_uuid), pytest.raises(ValidationError) as caught:
        update_secretary(secretary_uuid=acme.secretary.pk, seen_at=acme.secretary.updated_at, chain=chain)
    assert list(caught.value.message_dict) == ["chain"]


def test_another_domains_key_cannot_be_named(acme: Tenant, globex: Tenant) -> None:
    """Neither in a chain, nor, however it got there, in a call."""
    theirs = keep(globex, api_key="sk-globex-0000000")
    entry = {"provider": "openai-realtime", "credential_uuid": str(theirs.pk), "model": "", "voice": ""}
    with pytest.raises(ValidationError):
        choose(acme, entry)
    with tenant_context(acme.domain_uuid):
        acme.secretary.chain = [entry]
        acme.secretary.save()
    assert speech_of(acme.profile()).missing == ("openai-realtime",)
    with tenant_context(acme.domain_uuid), pytest.raises(ProviderCredential.DoesNotExist):
        delete_credential(credential_uuid=theirs.pk)


def test_provider_and_chain_agree(acme: Tenant) -> None:
    """The first of the chain is the provider; a provider alone is a chain of one."""
    keep(acme)

    def change(**values: Any) -> tuple[str, int]:
        with tenant_context(acme.domain_uuid):
            acme.secretary.refresh_from_db()
            row = update_secretary(secretary_uuid=acme.secretary.pk, seen_at=acme.secretary.updated_at, **values)
            return row.provider, len(row.chain)

    assert change(chain=[{"provider": "openai-realtime"}, {"provider": "pipeline"}]) == ("openai-realtime", 2)
    assert change(name="Other") == ("openai-realtime", 2)
    assert change(provider="gemini-live") == ("gemini-live", 0)
    assert change(provider="openai-realtime") == ("openai-realtime", 0)
    assert speech_of(acme.profile()).steps[0].provider == "openai-realtime"
    assert change(chain=[]) == ("local", 0)
    with pytest.raises(ValidationError, match="no speech provider"):
        change(provider="nobody")


def test_a_key_in_use_is_not_removed(acme: Tenant) -> None:
    """A chain never names a key that is gone."""
    row = keep(acme)
    choose(acme, {"provider": "openai-realtime", "credential_uuid": str(row.pk)})
    with tenant_context(acme.domain_uuid):
        with pytest.raises(ValidationError, match="in use"):
            delete_credential(credential_uuid=row.pk)
    choose(acme)
    with tenant_context(acme.domain_uuid):
        delete_credential(credential_uuid=row.pk)
        assert not ProviderCredential.objects.exists()


def test_the_installations_keys_are_the_operators(acme: Tenant) -> None:
    """No tenant reads or writes them; the record masks them."""
    save_installation(provider="openai-realtime", api_key="sk-installation-000")
    save_installation(provider="openai-realtime", model="gpt-realtime")
    with tenant_context(acme.domain_uuid):
        assert not InstallationProvider.objects.exists()
    with platform_context():
        assert InstallationProvider.objects.get().api_key == "sk-installation-000"
        assert not InstallationEvent.objects.filter(new__icontains="sk-installation").exists()
    assert delete_installation(provider="openai-realtime") and not delete_installation(provider="openai-realtime")


# What calls use of their services ---------------------------------------------------------------------------------


def price(provider: str, unit: str, amount: str, *, model: str = "", domain_uuid: UUID | None = None) -> None:
    book: Any = ProviderPrice if domain_uuid is None else DomainPrice
    with platform_context() if domain_uuid is None else tenant_context(domain_uuid):
        book.objects.create(provider=provider, model=model, unit=unit, amount=Decimal(amount), per=1)


def rows(tenant: Tenant) -> dict[tuple[str, str, str], tuple[Decimal, Decimal]]:
    with tenant_context(tenant.domain_uuid):
        found = UsageRecord.objects.all()
        return {(row.provider, row.model, row.unit): (row.quantity, row.amount) for row in found}


def test_prices_by_model(acme: Tenant) -> None:
    """A model's own price counts before that of all models, and the domain's before the installation's."""
    price("openai-realtime", "second", "1")
    price("openai-realtime", "second", "5", model="big")
    price("openai-realtime", "second", "2", domain_uuid=acme.domain_uuid)
    with tenant_context(acme.domain_uuid):
        assert unit_prices("openai-realtime")["second"] == 2
        assert unit_prices("openai-realtime", "big")["second"] == 5
        assert unit_prices("openai-realtime", "small")["second"] == 2
    choose(acme, {"provider": "openai-realtime"})
    prices = speech_of(acme.profile()).prices
    assert [price_of(prices, "openai-realtime", model, "second") for model in ("", "big", "small")] == [2, 5, 2]
    assert price_of(prices, "nobody", "", "second") == 0


def test_a_call_that_changed_hands(acme: Tenant) -> None:
    """Its seconds are shared by who had it and together exactly its own; tokens are charged to who used them."""
    price("openai-realtime", "second", "0.01")
    price("openai-realtime", "audio_output_token", "0.5", model="big")
    opened = open_call(
        profile=replace(acme.profile(), provider="openai-realtime"), call_uuid=uuid4(), node="n", model="big"
    )
    start = timezone.now()
    usage = (
        UsageItem("openai-realtime", "second", 20.0, "big"),
        UsageItem("local", "second", 10.0),
        UsageItem("openai-realtime", "audio_output_token", 8, "big"),
        UsageItem("openai-realtime", "bananas", 8, "big"),
    )
    record = CallRecord(
        "completed", answered_at=start, ended_at=start + timedelta(seconds=33), usage=usage,
        provider="openai-realtime", model="big",
    )  # fmt: skip
    assert finish_call(domain_uuid=acme.domain_uuid, call_uuid=opened.call_uuid, record=record)
    assert rows(acme) == {
        ("openai-realtime", "big", "second"): (Decimal("22.000"), Decimal("0.220000")),
        ("local", "", "second"): (Decimal("11.000"), Decimal("0")),
        ("openai-realtime", "big", "audio_output_token"): (Decimal("8.000"), Decimal("4.000000")),
    }
    with tenant_context(acme.domain_uuid):
        call = Call.objects.get(pk=opened.call_uuid)
        assert (call.provider, call.model) == ("openai-realtime", "big")
        days = {(day.provider, day.model, day.unit): (day.calls, day.amount) for day in UsageDay.objects.all()}
        assert days == {
            ("openai-realtime", "big", "second"): (1, Decimal("0.220000")),
            ("local", "", "second"): (1, Decimal(0)),
            ("openai-realtime", "big", "audio_output_token"): (1, Decimal("4.000000")),
        }


def test_tokens_use_up_the_money(acme: Tenant, globex: Tenant) -> None:
    """A call that is paid by the token ends when its domain's money is spent, though its seconds cost nothing."""
    set_quota(domain_uuid=acme.domain_uuid, money_per_day=Decimal(5))
    call, other = acme.call(), globex.call()

    def allowed(spent: str) -> float | None:
        items = (UsageItem("openai-realtime", "output_token", 10, "big"),)
        note_usage(node="node-a", used={uuid: (items, Decimal(spent)) for uuid in (call.pk, other.pk)})
        return renew(node="node-a", call_uuids=[call.pk, other.pk]).get(call.pk)

    assert allowed("4.99") is None
    assert allowed("5.00") == 0.0
    assert renew(node="node-a", call_uuids=[other.pk]) == {}


def test_a_node_that_is_lost(acme: Tenant) -> None:
    """What its calls had used by its last sign of life is charged; told twice, it is charged once."""
    price("openai-realtime", "output_token", "0.5")
    call = acme.call()
    items = (UsageItem("openai-realtime", "output_token", 10, "big"),)
    note_usage(node="another", used={call.pk: (items * 9, Decimal(99))})
    note_usage(node="node-a", used={call.pk: (items, Decimal("5.00"))})
    with tenant_context(acme.domain_uuid):
        call.refresh_from_db()
    assert call.spent == 5 and len(call.used) == 1
    again = open_call(profile=acme.profile(), call_uuid=call.pk, node="node-b")
    assert again.used == items
    assert sweep_calls(timezone.now() + 2 * LEASE) == 1
    assert rows(acme)["openai-realtime", "big", "output_token"] == (Decimal("10.000"), Decimal("5.000000"))
    late = CallRecord("completed", answered_at=call.started_at, usage=(replace(items[0], quantity=12),))
    assert finish_call(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=late)
    assert rows(acme)["openai-realtime", "big", "output_token"] == (Decimal("12.000"), Decimal("6.000000"))
