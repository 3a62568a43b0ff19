"""`manage.py providers check`: try every speech service as a call would, and say how that went.

manage.py providers check                                # the installation's keys
manage.py providers check --domain acme.example          # those of a domain
manage.py providers check --provider elevenlabs-agent    # of this service alone

Ends with 1 if one of them does not take calls.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from secretary.models import InstallationProvider, ProviderCredential
from secretary.speech import trying
from secretary.speech.catalogue import DECLARED
from tenants import audit
from tenants.context import platform_context, tenant_context
from tenants.errors import UndecryptableError
from tenants.selectors import find_domain

Row = ProviderCredential | InstallationProvider


class Command(BaseCommand):
    help = "Try speech services out: connect as a call would, show the key, hear whether it is accepted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["check"])
        parser.add_argument("--domain", help="the domain's name (default: the installation's own keys)")
        parser.add_argument("--provider", choices=sorted(DECLARED), help="this service alone")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = {"provider": options["provider"]} if options["provider"] else {}
        uuids: list[UUID]
        if options["domain"]:
            domain = find_domain(name=options["domain"])
            if domain is None:
                raise CommandError(f"There is no domain {options['domain']}.")
            with tenant_context(domain.pk):
                uuids = list(ProviderCredential.objects.filter(**chosen).values_list("pk", flat=True))
            good = [self._of_domain(domain.pk, uuid) for uuid in uuids]
        else:
            with platform_context():
                uuids = list(InstallationProvider.objects.filter(**chosen).values_list("pk", flat=True))
            good = [self._of_installation(uuid) for uuid in uuids]
        if not good:
            self.stdout.write("There are no keys.")
        elif not all(good):
            raise CommandError(f"{good.count(False)} of {len(good)} do not take calls.")

    def _of_domain(self, domain_uuid: UUID, uuid: UUID) -> bool:
        try:
            with tenant_context(domain_uuid):
                row = ProviderCredential.objects.get(pk=uuid)
                audit.log("providercredential.tested", audit.subject_of(row))
        except UndecryptableError:
            return self._unreadable(uuid)
        return self._tried(row)

    def _of_installation(self, uuid: UUID) -> bool:
        try:
            with platform_context():
                row = InstallationProvider.objects.get(pk=uuid)
                audit.log("installationprovider.tested", audit.subject_of(row))
        except UndecryptableError:
            return self._unreadable(uuid)
        return self._tried(row)

    def _tried(self, row: Row) -> bool:
        """Outside every transaction: it takes seconds."""
        tried = trying.attempt(row.provider, row.access(), owner=row.pk)
        name = f"{row.provider} {getattr(row, 'label', '')}".strip()
        self.stdout.write(f"{name}: {tried.outcome} ({tried.duration_ms} ms). {tried.detail}")
        return tried.outcome == "ok"

    def _unreadable(self, uuid: UUID) -> bool:
        self.stdout.write(f"{uuid}: auth. The key cannot be read: give it again.")
        return False
