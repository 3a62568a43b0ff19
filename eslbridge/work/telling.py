"""Whoever answers first is told what the call is about, before the second number is dialled.

The leg goes to a voice node by the extension `secretary_tell` of the printed dialplan, and comes back parked:

    uuid_transfer <leg> 'execute_extension:secretary_tell XML <domain>,set:secretary_told=over,park' inline

The node speaks, and lets the leg go on (it parks, with `secretary_told`) or hangs it up with the cause that says why.
Where no node takes it, or one dies, it parks just as well: whoever picked up sees on the telephone who it is about. The
leg is known at the node by a token that only the platform can make, as a colleague's leg is
(`eslbridge.work.consulting`).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.utils.crypto import salted_hmac

from eslbridge.dialplan import TELL
from eslbridge.esl.command import Command, matching, number, quoted, uuid

TOKEN: Final = "secretary_tell"  # noqa: S105 - the variable's name
"""The channel variable that carries the token."""
TOLD: Final = "secretary_told"
"""The channel variable that a leg has which was told, or for which there was nobody to tell it."""
LONGEST_S: Final = 70
"""The longest that it may take; the conversation itself ends within 60 s."""
_CONTEXT: Final = r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}"


def token_of(*, domain_uuid: UUID | str, leg_uuid: UUID | str) -> str:
    """The token of one leg: 64 hex digits."""
    bound = f"{domain_uuid}/{leg_uuid}".lower()
    return salted_hmac("eslbridge.tell", bound, algorithm="sha256").hexdigest()


def is_token(token: str, *, domain_uuid: UUID | str, leg_uuid: UUID | str) -> bool:
    """Whether it is the token of this leg."""
    return hmac.compare_digest(token_of(domain_uuid=domain_uuid, leg_uuid=leg_uuid).encode(), token.encode())


def token_in(variables: Mapping[str, str]) -> str:
    """The token of an arriving channel; empty for one that is a caller's."""
    return variables.get(TOKEN, "")


def tell(leg_uuid: str, *, context: str, parked_s: int) -> Command:
    """Bring a parked leg to a node, and park it again when it comes back; then for `parked_s` at most.

    A parked channel uses `park_timeout` up, and `socket` parks, too: so it is set before each.
    """
    place = matching(_CONTEXT, context, "a context")
    steps = (
        f"set:park_timeout={LONGEST_S}",
        f"execute_extension:{TELL} XML {place}",
        f"set:{TOLD}=over",
        f"set:park_timeout={number(parked_s, 1, 600, 'a park_timeout')}",
        "park",
    )
    return Command(f"api uuid_transfer {uuid(leg_uuid)} {quoted(','.join(steps))} inline")
