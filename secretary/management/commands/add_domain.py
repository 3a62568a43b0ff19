"""`manage.py add_domain <name>`: make a tenant, or change one, with its way to the switch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from eslbridge.models import AudioTransport
from eslbridge.services import save_credential
from tenants.models.domain import Language
from tenants.selectors import find_domain
from tenants.services import create_domain, update_domain

# Option → field of EslCredential; only those given are changed.
SWITCH = {
    "esl_host": "host",
    "esl_port": "port",
    "audio_transport": "audio_transport",
    "switch_media_host": "switch_media_host",
    "switch_media_port_min": "switch_media_port_min",
    "switch_media_port_max": "switch_media_port_max",
    "node_media_host": "node_media_host",
}
DOMAIN = {"language": "language", "time_zone": "time_zone", "max_calls": "max_calls"}


class Command(BaseCommand):
    help = "Make a tenant with its switch's credential; for a domain that exists, change what is given."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the domain's name, such as acme.example; also its dialplan context")
        parser.add_argument("--uuid", type=UUID, help="its domain_uuid in FusionPBX (default: a new one)")
        parser.add_argument("--language", choices=Language.values)
        parser.add_argument("--time-zone")
        parser.add_argument("--max-calls", type=int, help="simultaneous calls")
        parser.add_argument("--esl-host")
        parser.add_argument("--esl-port", type=int)
        parser.add_argument("--esl-password-file", type=Path, help="else the variable ESL_PASSWORD")
        parser.add_argument("--audio-transport", choices=AudioTransport.values)
        parser.add_argument("--switch-media-host", help="where FreeSWITCH binds its audio sockets (direct UDP)")
        parser.add_argument("--switch-media-port-min", type=int)
        parser.add_argument("--switch-media-port-max", type=int)
        parser.add_argument("--node-media-host", help="where FreeSWITCH reaches the nodes' audio")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                domain_uuid = self.store(options)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(f"{options['name']} {domain_uuid}")

    def store(self, options: dict[str, Any]) -> UUID:
        fields = _given(options, DOMAIN)
        domain = find_domain(name=options["name"])
        if domain is None:
            domain = create_domain(name=options["name"], domain_uuid=options["uuid"], **fields)
        elif options["uuid"] not in (None, domain.domain_uuid):
            raise CommandError(f"{domain.name} has the UUID {domain.domain_uuid}.")
        elif fields:
            update_domain(domain_uuid=domain.domain_uuid, **fields)
        switch, password = _given(options, SWITCH), _password(options["esl_password_file"])
        if switch or password is not None:
            save_credential(domain_uuid=domain.domain_uuid, password=password, **switch)
        return domain.domain_uuid


def _given(options: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {field: options[option] for option, field in names.items() if options[option] is not None}


def _password(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get("ESL_PASSWORD") or None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
