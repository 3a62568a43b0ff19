"""`manage.py rotate_field_keys`: encrypt every stored secret with the newest of FIELD_ENCRYPTION_KEYS.

Put the new key in front of the list, restart, run this, and only then remove the old key.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models
from django.db.models.functions import Cast

from tenants.context import platform_context
from tenants.encryption import key_ring
from tenants.errors import UndecryptableError
from tenants.fields import EncryptedTextField


class Command(BaseCommand):
    help = "Encrypt stored secrets again with the newest of FIELD_ENCRYPTION_KEYS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what would be changed, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        rotated = lost = 0
        for model in apps.get_models():
            for field in model._meta.concrete_fields:
                if isinstance(field, EncryptedTextField):
                    done, failed = rotate(model, field, dry_run=options["dry_run"])
                    rotated, lost = rotated + done, lost + failed
        self.stdout.write(f"{rotated} secrets {'to rotate' if options['dry_run'] else 'rotated'}")
        if lost:
            raise CommandError(f"{lost} secrets open with none of the keys: keep the old keys, or set them anew.")


def rotate(model: type[models.Model], field: EncryptedTextField, *, dry_run: bool) -> tuple[int, int]:
    """Rotate one column in one transaction. Returns how many were (or would be) changed, and how many do not open."""
    ring = key_ring()
    done = failed = 0
    with platform_context():
        # Cast: the column as it is stored; the field itself would decrypt it.
        stored = Cast(field.attname, models.TextField())
        rows = model._default_manager.select_for_update().annotate(stored=stored).values_list("pk", "stored")
        for key, ciphertext in list(rows):
            if ciphertext is None or ring.is_current(ciphertext):
                continue
            try:
                secret = ring.decrypt(ciphertext)
            except UndecryptableError:
                failed += 1
                continue
            if not dry_run:
                model._default_manager.filter(pk=key).update(**{field.attname: secret})
            done += 1
    return done, failed
