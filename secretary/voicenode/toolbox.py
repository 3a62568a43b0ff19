"""One call's tools, put together: out of the profile, on the call's clock, shown to whoever watches."""

from __future__ import annotations

import asyncio
from typing import Final

from eslbridge.esl.async_pool import AsyncPool
from secretary.conversation.actions import Note
from secretary.profiles import SecretaryProfile
from secretary.services.availability import Availability, ask_switch
from secretary.tools.about import setup_of
from secretary.tools.box import ToolBox
from secretary.tools.instructions import VERSION
from secretary.voicenode.arrival import Arrival
from secretary.voicenode.redacted import RedactedLive

BUILT_IN_PROVIDER: Final = "local"


def tool_box(
    profile: SecretaryProfile, arrival: Arrival, live: RedactedLive, began: float, switches: AsyncPool
) -> ToolBox:
    """`began`: the call's beginning on the loop's clock (s). `switches`: the node's connections."""
    loop = asyncio.get_running_loop()

    async def ask_free(kind: str, number: str) -> Availability:
        return await ask_switch(
            switches, domain_uuid=profile.domain_uuid, domain_name=profile.domain_name, kind=kind, number=number
        )

    setup = setup_of(
        profile,
        call_uuid=arrival.call_uuid,
        caller_number=arrival.caller_number,
        caller_name=arrival.caller_name,
    )
    box = ToolBox(
        setup,
        clock=lambda: int((loop.time() - began) * 1000),
        note=lambda note: live.note(arrival.call_uuid, note),
        ask_free=ask_free,
    )
    if any(choice != BUILT_IN_PROVIDER for choice in (profile.provider, *(one.provider for one in profile.chain))):
        # By what a model was told, long after its rules and its prompt have changed.
        told = {
            "instructions": VERSION,
            "prompt": profile.prompt_version,
            "tools": ", ".join(t.name for t in box.specs),
        }
        box.notes.append(Note("briefed", 0, told))
    return box
