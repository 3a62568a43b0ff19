"""`manage.py bench <part>`: what one core carries, and how long things take. `--json`: the last line is the result."""

from __future__ import annotations

import importlib
import json
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

PARTS: Final = ("media", "turns", "esl", "greeting", "api", "originate", "transfers")


class Command(BaseCommand):
    help = "Measure this machine: calls with audio, control connections, greetings, the API, a call by API."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True, metavar="|".join(PARTS))
        for name in PARTS:
            module = importlib.import_module(f"secretary.bench.{name}")
            module.add_arguments(parts.add_parser(name, help=(module.__doc__ or "").split("\n", 1)[0]))

    def handle(self, *args: Any, **options: Any) -> None:
        module = importlib.import_module(f"secretary.bench.{options['part']}")
        try:
            result = module.run(options)
        except RuntimeError as error:
            raise CommandError(str(error)) from error
        if not options["json"]:
            for name, value in result.items():
                self.stdout.write(f"{name:>20}  {value}")
        self.stdout.write(json.dumps(result))
