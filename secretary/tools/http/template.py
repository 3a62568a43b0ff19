"""Addresses with places for arguments: `https://crm.example/orders/{order}?lang={language}`.

An argument stands in the path or behind the question mark, never in the host, and is encoded so that it can be
nothing but one piece of it: no further segment, no further parameter, no way up (`..`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from django.utils.translation import gettext as _

from tenants.egress import BlockedError, check_url
from tenants.egress.policy import EgressPolicy
from tenants.egress.target import Target

PLACE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
SCALARS: Final = ("string", "integer", "number", "boolean")
MAX_VALUE: Final = 500


class TemplateError(ValueError):
    """An address that cannot be used, or an argument that does not fit into it."""


def check(url: str, properties: Mapping[str, Any]) -> None:
    """Whether a tenant's address can be used with these parameters. Raises TemplateError, for a person."""
    head, _sep, _rest = url.partition("://")
    host = re.split(r"[/?#]", url[len(head) + 3 :], maxsplit=1)[0]
    if "{" in head or "{" in host or "}" in host:
        raise TemplateError(_("Arguments may stand in the path or behind the question mark, not in the host."))
    if "#" in url:
        raise TemplateError(_("An address with # in it cannot be used here."))
    for name in PLACE.findall(url):
        kind = properties[name].get("type") if name in properties else None
        if kind not in SCALARS:
            raise TemplateError(_("{%(name)s} is none of the parameters, or no simple value.") % {"name": name})
    plain = PLACE.sub("x", url)
    if "{" in plain or "}" in plain:
        raise TemplateError(_("Write places for arguments as {name}."))
    try:
        target = check_url(plain)
    except BlockedError as error:
        raise TemplateError(_blocked(error.reason)) from error
    if not target.is_tls and not _is_ours(target):
        raise TemplateError(_("The address must begin with https://."))


def _is_ours(target: Target) -> bool:
    """Whether the operator has allowed this internal host: there, without TLS will do."""
    allowed = EgressPolicy.of_installation().allowed
    if target.address is None:
        return any(entry.name == target.host for entry in allowed)
    return any(entry.network is not None and target.address in entry.network for entry in allowed)


def _blocked(reason: str) -> str:
    return {
        "port": _("This port is not allowed here."),
        "address": _("The host is not on the public internet."),
    }.get(reason, _("Write a whole address: https://, a host name, no user name or password in it."))


def fill(url: str, arguments: Mapping[str, Any], *, rest_in_query: bool) -> str:
    """The address of one request. `rest_in_query`: what has no place of its own is added behind the question mark.

    Raises TemplateError for a model: an argument that is missing, or cannot stand in a path.
    """
    path, mark, query = url.partition("?")
    used = set(PLACE.findall(url))
    filled = PLACE.sub(lambda found: _segment(found[1], arguments), path)
    query = PLACE.sub(lambda found: quote(_plain(arguments.get(found[1], "")), safe=""), query)
    if rest_in_query:
        rest = [
            f"{quote(name, safe='')}={quote(_plain(part), safe='')}"
            for name, value in arguments.items()
            if name not in used
            for part in (value if isinstance(value, list) else [value])
        ]
        query = "&".join(filter(None, [query, *rest]))
    return f"{filled}?{query}" if mark or query else filled


def _segment(name: str, arguments: Mapping[str, Any]) -> str:
    text = _plain(arguments.get(name, ""))
    if not text.strip("."):
        raise TemplateError(f"`{name}` is missing, or cannot be used.")
    return quote(text, safe="")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)[:MAX_VALUE]
    return str(value)[:MAX_VALUE]
