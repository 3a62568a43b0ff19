"""`manage.py dialplan <domain>`: print the XML to install on the switch."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from eslbridge.dialplan import Node, Shape, render
from secretary.config.env import parse_host_port
from secretary.selectors.dialplan import dialplan_of
from tenants.selectors import find_domain

ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  (to recognise it, not to bind it)


class Command(BaseCommand):
    help = "Print the dialplan that brings a domain's callers to their secretaries (XML)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("domain", help="the domain's name, such as acme.example")
        parser.add_argument(
            "--nodes",
            default="",
            help="where FreeSWITCH reaches the voice nodes, in order: host:8022,host2:8022 (default: this node)",
        )
        parser.add_argument("--fallback", default="", help="number for callers whom no secretary can help")
        shape = parser.add_mutually_exclusive_group()
        shape.add_argument("--plain", action="store_true", help="a file for FreeSWITCH's conf/dialplan (default)")
        shape.add_argument("--fusionpbx", action="store_true", help="the XML of one dialplan entry, order 333")

    def handle(self, *args: Any, **options: Any) -> None:
        domain = find_domain(name=options["domain"])
        if domain is None:
            raise CommandError(f"There is no domain {options['domain']!r}.")
        try:
            plan = dialplan_of(
                domain_uuid=domain.domain_uuid,
                nodes=_nodes(options["nodes"]),
                fallback_number=options["fallback"],
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        shape = Shape.FUSIONPBX if options["fusionpbx"] else Shape.PLAIN
        self.stdout.write(render(plan, shape), ending="")


def _nodes(text: str) -> list[Node]:
    """`host:port,host:port`, or this node's own address. Raises ValueError."""
    if text:
        return [Node(*parse_host_port(part.strip())) for part in text.split(",") if part.strip()]
    host, port = settings.VOICENODE_ESL_BIND
    return [Node(settings.VOICENODE_ADVERTISED_HOST if host in ANY_ADDRESS else host, port)]
