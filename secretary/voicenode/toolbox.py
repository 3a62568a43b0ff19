"""One call's tools, put together: out of the profile, on the call's clock, shown to whoever watches."""

from __future__ import annotations

import asyncio

from secretary.profiles import SecretaryProfile
from secretary.tools.about import setup_of
from secretary.tools.box import ToolBox
from secretary.voicenode.arrival import Arrival
from secretary.voicenode.redacted import RedactedLive


def tool_box(profile: SecretaryProfile, arrival: Arrival, live: RedactedLive, began: float) -> ToolBox:
    """`began`: the call's beginning on the loop's clock (s)."""
    loop = asyncio.get_running_loop()
    setup = setup_of(
        profile,
        call_uuid=arrival.call_uuid,
        caller_number=arrival.caller_number,
        caller_name=arrival.caller_name,
    )
    return ToolBox(
        setup,
        clock=lambda: int((loop.time() - began) * 1000),
        note=lambda note: live.note(arrival.call_uuid, note),
    )
