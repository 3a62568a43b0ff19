"""`manage.py standin_switch`: a switch that is not there, with the dialplans and extensions of this installation."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from eslbridge.simulator.cli import add_arguments, run
from secretary.models import Destination
from tenants.context import tenant_context
from tenants.selectors import all_domains


class Command(BaseCommand):
    help = (
        "Stand in for FreeSWITCH: runs every domain's dialplan as `manage.py dialplan` prints it, answers at the "
        "extensions of its destinations, and places calls with --call."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        import argparse

        given = argparse.Namespace(**options)
        known = {text.partition("=")[0] for text in given.extension}
        plans = []
        for domain in all_domains():
            plans.append(dialplan_of(domain.name))
            with tenant_context(domain.domain_uuid):
                numbers = Destination.objects.filter(kind="extension", enabled=True).values_list("number", flat=True)
                places = [f"{number}@{domain.name}" for number in numbers]
            given.extension += [place for place in places if place not in known]
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
        try:
            asyncio.run(run(given, plans))
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error


def dialplan_of(domain: str) -> str:
    """What an administrator would install for this domain."""
    text = io.StringIO()
    call_command("dialplan", domain, stdout=text)
    return text.getvalue()
