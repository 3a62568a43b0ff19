"""`manage.py provision <file.yaml>`: make domains what a file says; `--dry-run` only shows the difference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, IntegrityError

from secretary.api.problems import problem_of
from secretary.api.serializing import NUMBERS_ARE_TEXTS
from secretary.provisioning.carry_out import provision
from secretary.provisioning.difference import difference
from secretary.provisioning.document import DomainDocument
from secretary.provisioning.plan import DocumentError
from secretary.provisioning.yaml_file import YamlDocument, YamlError, read_yaml
from tenants.selectors import find_domain


class Command(BaseCommand):
    help = "Make domains, with secretaries, extensions, destinations and credentials, what a YAML file says."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the document; - reads standard input")
        parser.add_argument("--dry-run", action="store_true", help="print the difference and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        document = _read(options["file"])
        domains = document.data.get("domains") if isinstance(document.data, dict) else None
        if not isinstance(domains, list) or set(document.data) != {"domains"}:
            raise CommandError("The file must hold one list, `domains:`.")
        failed = sum(
            not self.one(document, position, values, options["dry_run"]) for position, values in enumerate(domains)
        )
        if failed:
            raise CommandError(
                f"{failed} of {len(domains)} domains could not be provisioned; nothing of them has changed."
            )

    def one(self, document: YamlDocument, position: int, raw: Any, dry_run: bool) -> bool:
        """One domain, whole or not at all."""
        path = f"domains[{position}]"
        try:
            values = DomainDocument(context={NUMBERS_ARE_TEXTS: True}).run_validation(raw)
            domain_uuid = values.get("domain_uuid") or _uuid_of(values.get("name", ""))
            done = provision(domain_uuid=domain_uuid, values=values, dry_run=dry_run)
        except IntegrityError as error:
            self.complain(document, path, "", "conflict", _constraint(error))
            return False
        except DocumentError as error:
            for name, (code, reason) in error.errors.items():
                self.complain(document, path, name, code, reason)
            return False
        except DatabaseError as error:
            raise CommandError(f"The database: {error}") from error
        except Exception as error:
            problem = problem_of(error)
            if not problem.errors:
                raise
            for one in problem.errors:
                self.complain(document, path, one.field, one.code, f"{one.reason} {one.mend}")
            return False
        self.stdout.write(f"{done.plan.domain.name} {domain_uuid}: {done.result}")
        for line in difference(done.plan):
            self.stdout.write(f"  {line}")
        return True

    def complain(self, document: YamlDocument, path: str, name: str, code: str, reason: str) -> None:
        whole = f"{path}.{name}" if name else path
        line = document.line_of(whole)
        where = f"line {line}: " if line else ""
        self.stderr.write(self.style.ERROR(f"{where}{whole}: {reason} ({code})"))


def _read(name: str) -> YamlDocument:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return read_yaml(text)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} cannot be read: {error}") from error
    except YamlError as error:
        raise CommandError(f"{name}: {error}") from error


def _uuid_of(name: str) -> UUID:
    """The domain of this name, or a new UUID."""
    domain = find_domain(name=name) if name else None
    return domain.domain_uuid if domain is not None else uuid4()


def _constraint(error: IntegrityError) -> str:
    """What was in the way, without the row's values."""
    text = str(error.__cause__ or error).split("\n", 1)[0]
    return f"Another domain has this name or UUID ({text})."
