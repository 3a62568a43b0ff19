"""The rotation of keys reaches every secret that is stored, of tenants and of the installation."""

from __future__ import annotations

from io import StringIO

from cryptography.fernet import Fernet
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from secretary.models import InstallationProvider, ProviderCredential
from secretary.tools.models import HttpTool
from secretary.webhooks.models import Webhook
from tenants import keys
from tenants.context import platform_context, tenant_context
from tenants.encryption import key_ring
from tenants.fields import EncryptedTextField
from tenants.models import SecondFactor
from tests.cast import Tenant


def columns() -> list[tuple[str, str]]:
    """Table and column of every encrypted field."""
    return [
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedTextField)
    ]


def stored() -> dict[tuple[str, str], list[str]]:
    """The ciphertexts by column, as they are in the database."""
    found = {}
    with platform_context(), connection.cursor() as cursor:
        for table, column in columns():
            cursor.execute(f"select {column} from {table} where {column} is not null")  # noqa: S608 - our own names
            found[table, column] = [row[0] for row in cursor.fetchall()]
    return found


def test_every_encrypted_column_is_rotated(acme: Tenant, globex: Tenant, settings: Settings) -> None:
    """A row in each of them: a new encrypted field without one here fails, and so does one that is left behind."""
    for tenant in (acme, globex):
        with tenant_context(tenant.domain_uuid):
            Webhook.objects.create(url="https://hooks.example.com/", events=["*"], secret="one", previous_secret="two")
            HttpTool.objects.create(name="find_order", previous_secret="two", extra_headers='{"X-Key": "k"}')
            ProviderCredential.objects.create(provider="openai-realtime", api_key="three")
    with platform_context():
        InstallationProvider.objects.create(provider="openai-realtime", api_key="four")
        SecondFactor.objects.create(user=User.objects.create_user("alice"), secret="ABC")
    keys.issue_installation_key(name="the hosting company", scopes=("*",))
    before = stored()
    assert [column for column, values in before.items() if not values] == []
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    call_command("rotate_field_keys", stdout=StringIO())
    after = stored()
    assert {column: len(values) for column, values in after.items()} == {
        column: len(values) for column, values in before.items()
    }
    assert all(key_ring().is_current(value) for values in after.values() for value in values)
