"""Secrets at rest: encrypted with the newest key, opened by any, never passed on as ciphertext."""

from __future__ import annotations

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from eslbridge.models import EslCredential
from tenants.context import tenant_context
from tenants.encryption import KeyRing
from tenants.errors import UndecryptableError
from tests.cast import Tenant

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def stored(tenant: Tenant) -> str:
    with tenant_context(tenant.domain_uuid), connection.cursor() as cursor:
        cursor.execute("select password from eslbridge_eslcredential")
        return str(cursor.fetchone()[0])


def password(tenant: Tenant) -> str:
    with tenant_context(tenant.domain_uuid):
        return EslCredential.objects.get().password


def test_any_key_opens_and_the_newest_encrypts() -> None:
    """A ring of two keys opens what either made."""
    old, both = KeyRing([OLD]), KeyRing([NEW, OLD])
    secret = "Grüße, 世界\n"
    assert both.decrypt(old.encrypt(secret)) == secret
    assert both.is_current(both.encrypt(secret)) and not both.is_current(old.encrypt(secret))
    assert old.encrypt("") != ""
    assert old.decrypt(old.encrypt("")) == ""


@pytest.mark.parametrize("value", ["", "ClueCon", "v1:", "v1:12345678:", "v1:12345678:abc", "v0:a:b", "gAAAAA"])
def test_what_does_not_open_raises(value: str) -> None:
    """Neither plain text nor a torn value passes for a secret, and the message repeats none of it."""
    with pytest.raises(UndecryptableError) as caught:
        KeyRing([NEW]).decrypt(value)
    assert "ClueCon" not in str(caught.value)


def test_altered_ciphertext_raises() -> None:
    """A token is authenticated: a changed letter is noticed."""
    ring = KeyRing([NEW])
    token = ring.encrypt("secret")
    with pytest.raises(UndecryptableError):
        ring.decrypt(token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:])


@pytest.mark.parametrize("keys", [[], ["short"], [NEW, "x" * 44]])
def test_broken_keys_are_named_not_shown(keys: list[str]) -> None:
    """A key that is none stops the process, without its text in the message."""
    with pytest.raises(ImproperlyConfigured) as caught:
        KeyRing(keys)
    assert not any(key in str(caught.value) for key in keys)


def test_column_holds_no_plain_text(acme: Tenant) -> None:
    """The database has the ciphertext, the model the secret."""
    assert stored(acme).startswith("v1:")
    assert "password" not in stored(acme)
    assert password(acme) == "password of acme.example"


def test_encrypted_column_cannot_be_searched(acme: Tenant) -> None:
    """A lookup would compare ciphertexts, which never match: it raises instead."""
    with tenant_context(acme.domain_uuid), pytest.raises(FieldError):
        EslCredential.objects.filter(password="password of acme.example").exists()


def test_lost_key_raises_on_reading(acme: Tenant, settings: Settings) -> None:
    """With another key the row cannot be read, unless the secret is left out."""
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    with pytest.raises(UndecryptableError):
        password(acme)
    with tenant_context(acme.domain_uuid):
        assert EslCredential.objects.defer("password").get().port == 8021


def test_rotation(acme: Tenant, globex: Tenant, settings: Settings) -> None:
    """After the command the old key can go; a dry run changes nothing; a second run has nothing to do."""
    before = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = [NEW, *before]
    out = StringIO()
    call_command("rotate_field_keys", "--dry-run", stdout=out)
    assert "2 secrets to rotate" in out.getvalue()
    call_command("rotate_field_keys", stdout=out)
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert password(acme) == "password of acme.example"
    assert password(globex) == "password of globex.example"
    call_command("rotate_field_keys", stdout=out)
    assert out.getvalue().endswith("0 secrets rotated\n")


def test_rotation_tells_what_it_cannot_open(acme: Tenant, settings: Settings) -> None:
    """A secret of a lost key fails the command and stays as it is."""
    before = stored(acme)
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    with pytest.raises(CommandError, match="1 secrets"):
        call_command("rotate_field_keys", stdout=StringIO())
    assert stored(acme) == before
