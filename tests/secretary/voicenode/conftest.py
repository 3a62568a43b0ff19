"""A voice node and a stand-in switch in one loop, over real sockets and the real database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.conf import LazySettings

from eslbridge.dialplan import Node, Shape, render
from eslbridge.esl.outbound import OutboundServer
from eslbridge.media import attach
from eslbridge.media.node import MediaNode
from eslbridge.services import save_credential
from eslbridge.simulator import Extension, Options, StandInSwitch
from eslbridge.simulator.caller import Caller
from eslbridge.simulator.channel import Channel
from secretary.audio.vad import VoiceActivity
from secretary.conversation.recording import Disk
from secretary.models import Call
from secretary.selectors.dialplan import dialplan_of
from secretary.speech.contract import (
    NO_ACCESS,
    Access,
    Briefing,
    PlatformEar,
    PlatformVoice,
    ProviderError,
    SpeechListener,
    ToolCall,
)
from secretary.voicenode.archive import Archive
from secretary.voicenode.live import Live
from secretary.voicenode.reception import Reception
from secretary.voicenode.spool import Spool
from tenants.context import in_tenant
from tests.cast import Tenant, acme, globex

__all__ = ["acme", "globex"]

PORTS = 20_000 + os.getpid() % 300 * 100
"""Audio ports of this test process: two runs on one machine, or a real switch, must not take each other's."""
TONE = (np.sin(np.arange(3_200) * 2 * np.pi * 440 / 8_000) * 9_000).astype("<i2").tobytes()
"""0.4 s of something a caller can hear."""


class ScriptedSession:
    """A provider that says what the platform asks, and does what the test scripted when a turn ends."""

    detects_turns = False
    verbatim = True
    asides = True

    def __init__(self, owner: ScriptedProviders, briefing: Briefing) -> None:
        self.owner, self.briefing = owner, briefing
        self.listener: SpeechListener | None = None
        self.closed = False
        self._count = 0

    async def open(self, listener: SpeechListener) -> None:
        if self.owner.broken:
            raise ProviderError("no provider today")
        self.listener = listener

    @property
    def spoke(self) -> bool:
        return self._count > 0

    def speak(self, text: str) -> None:
        assert self.listener is not None
        self._count += 1
        self.listener.on_voice(f"v{self._count}", text, TONE, True)

    def say(self, text: str, *, keep: bool = True) -> None:
        if not self.owner.mute:
            self.speak(text)

    def turn_ended(self, pcm: bytes) -> None:
        assert self.listener is not None
        self.owner.turns.append(pcm)
        self.listener.on_caller_text("something")
        self.owner.on_turn(self)

    def tool(self, name: str, /, **arguments: object) -> None:
        assert self.listener is not None
        self.listener.on_tool(ToolCall(name, name, arguments))

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        self.owner.results.append((tool_call_id, outcome))

    def hear(self, frame: bytes) -> None:
        self.owner.frames += 1

    def turn_started(self) -> None: ...

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None: ...

    def resumed(self, utterance_id: str) -> None: ...

    def dtmf(self, digit: str) -> None: ...

    async def close(self) -> None:
        self.closed = True


@dataclass
class ScriptedProviders:
    on_turn: Callable[[ScriptedSession], None] = lambda session: None
    broken: bool = False
    mute: bool = False
    frames: int = 0
    turns: list[bytes] = field(default_factory=list)
    results: list[tuple[str, str]] = field(default_factory=list)
    sessions: list[ScriptedSession] = field(default_factory=list)
    voice: PlatformVoice | None = None
    ear: PlatformEar | None = None

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def session(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> ScriptedSession:
        if name != "local":
            raise ProviderError(f"no provider is named {name}")
        self.sessions.append(ScriptedSession(self, briefing))
        return self.sessions[-1]

    async def prepare(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> None: ...


@dataclass
class Exchange:
    """Node and switch together; `dial` is a caller."""

    switch: StandInSwitch
    server: OutboundServer
    media: MediaNode
    voice_activity: VoiceActivity
    reception: Reception
    providers: ScriptedProviders

    async def install(self, tenant: Tenant, **credential: Any) -> None:
        """Have the tenant's credential and dialplan in force, with extension 1099 as everybody's last resort."""
        ports = {"switch_media_port_min": PORTS, "switch_media_port_max": PORTS + 99}
        await in_tenant(tenant.domain_uuid, save_credential, domain_uuid=tenant.domain_uuid, **ports, **credential)
        node = Node("127.0.0.1", self.server.port)
        plan = await in_tenant(
            tenant.domain_uuid, dialplan_of, domain_uuid=tenant.domain_uuid, nodes=[node], fallback_number="1099"
        )
        self.switch.dialplan.load_xml(render(plan, Shape.PLAIN))
        for number in ("1001", "1099"):
            self.switch.add_extension(Extension(number, tenant.name, answer_after_s=0.1))

    def busy(self, tenant: Tenant, number: str) -> None:
        """Somebody of the tenant who is always on the telephone."""
        self.switch.add_extension(Extension(number, tenant.name, "busy"))

    def dial(self, tenant: Tenant, caller: Caller, number: str = "8001", **about: Any) -> Channel:
        return self.switch.place_call(tenant.name, number, caller, **about)

    async def ended(self, channel: Channel) -> None:
        async with asyncio.timeout(20):
            await channel.ended.wait()
        assert await self.reception.emptied(10)

    async def reached(self, channel: Channel, number: str) -> None:
        """Until the caller talks with this extension."""
        async with asyncio.timeout(20):
            while not (channel.profile.destination == number and channel.bridged_us):
                await asyncio.sleep(0.01)


@pytest.fixture
async def exchange(
    transactional_db: None, tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Exchange]:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(attach, "FIRST_DATAGRAM_S", 5.0)  # a test run's machine is busier than a telephone switch
    media = MediaNode(udp=("127.0.0.1", 0), websocket=("127.0.0.1", 0))
    voice_activity, providers, live, disk = VoiceActivity(slots=64), ScriptedProviders(), Live(), Disk()
    reception = Reception(
        media=media,
        voice_activity=voice_activity,
        providers=providers,
        live=live,
        disk=disk,
        most_calls=64,
        archive=Archive(Spool(tmp_path / "spool")),
    )
    server = OutboundServer(reception.receive, port=0)
    live.start()
    await media.start()
    media.clock.after_phase(voice_activity.run)
    await server.start()
    async with StandInSwitch(Options(port=0)) as switch:
        yield Exchange(switch, server, media, voice_activity, reception, providers)
    await server.close()
    await media.stop()
    await live.stop()
    disk.close()


async def row_of(tenant: Tenant, channel: Channel) -> Call:
    """The call as PostgreSQL has it, with its relations read."""

    def read() -> Call:
        call = Call.objects.prefetch_related("utterances", "events", "messages").get(call_uuid=UUID(channel.uuid))
        return call

    return await in_tenant(tenant.domain_uuid, read)
