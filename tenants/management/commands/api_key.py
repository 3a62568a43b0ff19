"""`manage.py api_key`: make the first key, where there is none yet to make others with. It is printed this once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from tenants.keys import issue_domain_key, issue_installation_key
from tenants.selectors import find_domain


class Command(BaseCommand):
    help = "Make an API key to the installation, or with --domain to one domain, and print it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="whose it is, such as FusionPBX")
        parser.add_argument("--domain", help="the domain's name; without it the key opens every domain")
        parser.add_argument("--scope", action="append", help="such as calls:read; may be repeated (default: *)")
        parser.add_argument("--allow", action="append", default=[], help="address or network; may be repeated")
        parser.add_argument("--days", type=int, help="how long it is valid (default: until it is revoked)")
        parser.add_argument("--rate", type=int, help="requests per minute (default: the installation's)")

    def handle(self, *args: Any, **options: Any) -> None:
        about: dict[str, Any] = {
            "name": options["name"],
            "scopes": options["scope"] or ["*"],
            "allowed_ips": options["allow"],
            "rate_per_minute": options["rate"],
            "expires_at": timezone.now() + timedelta(days=options["days"]) if options["days"] else None,
            "created_by": "manage.py api_key",
        }
        try:
            if options["domain"]:
                domain = find_domain(name=options["domain"])
                if domain is None:
                    raise CommandError(f"There is no domain {options['domain']}.")
                issued = issue_domain_key(domain_uuid=domain.domain_uuid, **about)
            else:
                issued = issue_installation_key(**about)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(issued.token)
