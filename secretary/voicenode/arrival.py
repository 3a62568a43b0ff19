"""What a call brings with it, read once from the channel's data. All of it is untrusted text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eslbridge.esl.returning import DISPOSITION

MOST_TEXT: Final = 256
VISITS: Final = "secretary_hops"
"""The channel variable in which nodes count how often they were given it."""
_TOLD: Final = {
    **dict.fromkeys(("true", "yes", "1", "open"), True),
    **dict.fromkeys(("false", "no", "0", "closed"), False),
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who calls whom. The dialplan sets the domain and the secretary; the rest came with the call."""

    call_uuid: str
    domain_uuid: str
    secretary_uuid: str
    """Empty where the dialplan's 8XXX pattern matched: then the extension decides."""
    extension: str
    caller_number: str
    caller_name: str
    toll_allow: str = ""
    """FusionPBX's classes of a caller who is an extension; empty: none are used, or the call is from outside."""
    told_open: bool | None = None
    """What a time condition before us has said in `secretary_open`; None: there was none."""
    disposition: str = ""
    """How the last bridge of the channel went; empty: there was none since it was sent on."""
    visits: int = 0
    """How often this channel has been at a secretary before."""

    @classmethod
    def of(cls, call_uuid: str, variables: Mapping[str, str]) -> Arrival:
        """Read a FreeSWITCH channel's variables and caller data; whatever is missing is empty."""

        def read(*names: str) -> str:
            return next((value for name in names if (value := variables.get(name, ""))), "")[:MOST_TEXT]

        # A leg that we have called ourselves shows our own number; whom we called is in a variable of ours.
        party = read("secretary_party_number")
        return cls(
            call_uuid=call_uuid,
            domain_uuid=read("domain_uuid"),
            secretary_uuid=read("secretary_uuid"),
            extension=read("secretary_extension", "Caller-Destination-Number"),
            caller_number=party or read("Caller-Caller-ID-Number", "caller_id_number"),
            caller_name="" if party else read("Caller-Caller-ID-Name", "caller_id_name"),
            toll_allow=read("toll_allow"),
            told_open=_TOLD.get(read("secretary_open").strip().lower()),
            disposition=read(DISPOSITION),
            visits=int(visits) if (visits := read(VISITS)).isascii() and visits.isdigit() and len(visits) < 4 else 0,
        )
