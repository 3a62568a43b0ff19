"""Calling a colleague for a transfer: the leg's dial string, its variables, and how the node knows it again.

The leg is originated to `&socket(<node> async full)`, so that it arrives at the node that has the caller. It is known
there by its UUID (the job's), its domain, and a token that only the platform can make: an HMAC of both and of the call.
So a channel that anybody else sends to the node with such variables is nobody's leg, and the token is in no table.

How each kind is dialled:

* an extension: `user/<number>@<domain>`, the endpoint that rings the registered telephones of exactly that user. It
  never ends in a voicemail box, and it tells USER_BUSY, NO_ANSWER and USER_NOT_REGISTERED apart. An extension that is
  forwarded goes through the dialplan, which alone knows where to.
* everything else: `loopback/<number>/<domain>`, which walks the domain's own dialplan as if an extension had dialled:
  a ring group rings as it is configured, an outside number takes the domain's outbound routes.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.utils.crypto import salted_hmac

from eslbridge.dialplan import TRANSPORT_VARIABLES
from eslbridge.esl.command import matching
from eslbridge.policy import DestinationKind

TOKEN: Final = "secretary_consult"  # noqa: S105 - the variable's name
"""The channel variable that carries the token."""
LEG: Final = "secretary_leg"
"""The leg's UUID, also on the channels that the dialplan makes of it: one that comes to a secretary has gone round."""
MAX_NAME: Final = 60
_NUMBER: Final = r"[A-Za-z0-9+*#_.-]{1,64}"
_UNSPEAKABLE: Final = str.maketrans(dict.fromkeys("{}[]<>()\\'\"^,;:=$|`&", " "))
"""What has a meaning in some dial string or SIP header somewhere, and none in a person's name."""


def token_of(*, domain_uuid: UUID | str, call_uuid: UUID | str, leg_uuid: UUID | str) -> str:
    """The token of one leg: 64 hex digits."""
    bound = "/".join(str(part).lower() for part in (domain_uuid, call_uuid, leg_uuid))
    return salted_hmac("eslbridge.consult", bound, algorithm="sha256").hexdigest()


def is_token(token: str, *, domain_uuid: UUID | str, call_uuid: UUID | str, leg_uuid: UUID | str) -> bool:
    """Whether it is the token of this leg."""
    expected = token_of(domain_uuid=domain_uuid, call_uuid=call_uuid, leg_uuid=leg_uuid)
    return hmac.compare_digest(expected.encode(), token.encode("utf-8", "replace"))


def dial_string(*, kind: str, number: str, domain_name: str, forwarded: bool = False) -> str:
    """The endpoint that reaches a destination. Raises CommandRefused for a number that would name another domain."""
    matching(_NUMBER, number, "a number to dial")
    if kind == DestinationKind.EXTENSION and not forwarded:
        return f"user/{number}@{domain_name}"
    return f"loopback/{number}/{domain_name}"


LOOPBACK: Final[Mapping[str, str]] = {
    # The dialplan behind it asks for the domain's.
    "loopback_export": "domain_uuid,domain_name,export_vars,absolute_codec_string,toll_allow,secretary_leg",
    # A loopback speaks L16, and a leg that its dialplan calls offers what the loopback speaks, and nothing else: a
    # telephone that has no L16 is then INCOMPATIBLE_DESTINATION in the moment of its answer (seen on 1.11).
    "export_vars": "absolute_codec_string,secretary_leg",
    "absolute_codec_string": "PCMU,PCMA",
    # The leg keeps its UUID.
    "loopback_bowout": "false",
}


def loopback_variables(dial: str) -> Mapping[str, str]:
    """What else is set on a leg that goes through the domain's dialplan."""
    return LOOPBACK if dial.startswith("loopback/") else {}


def leg_variables(
    *,
    domain_uuid: UUID | str,
    domain_name: str,
    call_uuid: UUID | str,
    leg_uuid: UUID | str,
    transport: str,
    caller_number: str,
    caller_name: str,
) -> dict[str, str]:
    """What is set on the colleague's leg. The caller's number and name come from SIP: only plain letters are shown."""
    number = "".join(letter for letter in caller_number if letter.isascii() and (letter.isalnum() or letter in "+*#"))
    variables = {
        "origination_uuid": str(leg_uuid),
        "origination_caller_id_number": number[:40] or "anonymous",
        "origination_caller_id_name": shown_name(caller_name) or number[:40] or "anonymous",
        # Only an answer counts: a ring-back tone must not bring the leg to the node.
        "ignore_early_media": "true",
        "hangup_after_bridge": "true",
        # A node that dies in the moment of connecting must not leave the colleague parked for ever.
        "socket_resume": "true",
        "domain_uuid": str(domain_uuid),
        "domain_name": domain_name,
        # The dialplan behind a loopback asks for these.
        "loopback_export": "domain_uuid,domain_name",
        LEG: str(leg_uuid),
        TOKEN: token_of(domain_uuid=domain_uuid, call_uuid=call_uuid, leg_uuid=leg_uuid),
    }
    return {**variables, **dict(TRANSPORT_VARIABLES.get(transport, ()))}


def shown_name(name: str) -> str:
    """A caller's name as a telephone may show it: printable, on one line, without any switch's special characters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(printable.translate(_UNSPEAKABLE).split())[:MAX_NAME]


def token_in(variables: Mapping[str, str]) -> str:
    """The token of an arriving channel; empty for one that is a caller's."""
    return variables.get(TOKEN, "")
