"""A transfer with a way back: the caller's leg walks through the domain's dialplan, and comes home if it comes out.

By FreeSWITCH's `inline` dialplan (mod_dptools): `set`, `execute_extension`, `transfer`, in this order. A number that
the dialplan does not know, a bridge that fails, a box or a menu that ends: the channel goes on to the secretary's
extension instead of being hung up. Seen on 1.11.
"""

from __future__ import annotations

from typing import Final

from eslbridge.esl.command import Command, matching, quoted, uuid

DISPOSITION: Final = "originate_disposition"
"""The variable in which `bridge` leaves how its last attempt went: SUCCESS, or a hangup cause."""
_NUMBER = r"[A-Za-z0-9+*#_][A-Za-z0-9+*#_.@-]{0,127}"
_CONTEXT = r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}"


def uuid_transfer_and_return(call_uuid: str, destination: str, *, context: str, back_to: str) -> Command:
    """Run what the dialplan has for a number on the channel itself; then it goes to `back_to`."""
    target, home = (matching(_NUMBER, one, "a number to dial") for one in (destination, back_to))
    place = matching(_CONTEXT, context, "a context")
    steps = [
        "set:continue_on_fail=true",
        "set:hangup_after_bridge=true",
        f"unset:{DISPOSITION}",  # what an earlier bridge has left would be taken for what becomes of this one
        f"execute_extension:{target} XML {place}",
        f"transfer:{home} XML {place}",
    ]
    return Command(f"api uuid_transfer {uuid(call_uuid)} {quoted(','.join(steps))} inline")
