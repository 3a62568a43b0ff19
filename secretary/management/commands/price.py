"""`manage.py price`: the price list, of the installation or of one domain.

manage.py price                                        # show it
manage.py price openai 0.06 --per 60                   # 0.06 a minute of conversation
manage.py price openai 5 --unit output_token --per 1000000
manage.py price openai 9 --unit audio_output_token --per 1000000 --model gpt-realtime-mini
manage.py price openai 0.05 --per 60 --domain acme.example
manage.py price openai none --domain acme.example      # the installation's holds again
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from secretary.models import DomainPrice, ProviderPrice, UsageUnit
from secretary.services.prices import remove_price, set_price
from tenants.context import platform_context
from tenants.selectors import find_domain


class Command(BaseCommand):
    help = "Show the price list, or change a price of the installation or of one domain."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", nargs="?", help="the speech service, such as local")
        parser.add_argument("amount", nargs="?", help="price of so many units, or `none`")
        parser.add_argument("--per", type=int, default=60, help="how many units the price is for (default: 60)")
        parser.add_argument("--unit", choices=UsageUnit.values, default=UsageUnit.SECOND)
        parser.add_argument(
            "--model", default="", help="of this model alone (default: all without a price of their own)"
        )
        parser.add_argument("--domain", help="the domain's name (default: the installation)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["provider"]:
            self._show()
            return
        if not options["amount"]:
            raise CommandError("Say the price, or `none`.")
        domain = find_domain(name=options["domain"]) if options["domain"] else None
        if options["domain"] and domain is None:
            raise CommandError(f"There is no domain {options['domain']}.")
        about = {
            "domain_uuid": domain.pk if domain is not None else None,
            "provider": options["provider"],
            "unit": options["unit"],
            "model": options["model"],
        }
        if options["amount"] == "none":
            self.stdout.write("removed" if remove_price(**about) else "there was none")
            return
        try:
            row = set_price(**about, amount=Decimal(options["amount"]), per=options["per"])
        except (InvalidOperation, ValidationError) as error:
            raise CommandError(f"This is no price: {error}") from error
        self.stdout.write(f"{row} {settings.CURRENCY}")

    def _show(self) -> None:
        with platform_context():
            for price in ProviderPrice.objects.order_by("provider", "model", "unit"):
                self.stdout.write(f"{price} {settings.CURRENCY}")
            for own in DomainPrice.objects.select_related("domain").order_by(
                "domain__name", "provider", "model", "unit"
            ):
                self.stdout.write(f"{own.domain.name}: {own} {settings.CURRENCY}")
