"""Whether the switch records a call, and where to."""

from __future__ import annotations

from uuid import UUID

from eslbridge.control import CallControl
from secretary.conversation.tape import Tape
from secretary.models.secretary import Recorder
from secretary.profiles import SecretaryProfile
from secretary.services import switch_recordings
from tenants.context import in_thread


def tape_of(call: CallControl, profile: SecretaryProfile) -> Tape | None:
    """None: the call is not recorded, or the node does it."""
    if not (profile.record_calls and profile.recorder == Recorder.SWITCH and switch_recordings.is_possible()):
        return None
    domain_uuid, call_uuid = profile.domain_uuid, UUID(call.call_uuid)

    def prepare() -> None:
        switch_recordings.make_folder(domain_uuid=domain_uuid)
        switch_recordings.expect(domain_uuid=domain_uuid, call_uuid=call_uuid)

    async def expect() -> None:
        await in_thread(prepare)

    async def give_up() -> None:
        await in_thread(switch_recordings.give_up, domain_uuid=domain_uuid, call_uuid=call_uuid)

    path = switch_recordings.path_on_switch(domain_uuid=domain_uuid, call_uuid=call_uuid)
    return Tape(call, path, prepare=expect, give_up=give_up)
