"""A voice node in this process, a Celery worker beside it, and the stand-in switch: what a call needs from end to end.

The local secretary has the calls, with her own dialogue and her own ear. Only her voice is a tone: what she said is in
the call's row, in the words that were heard.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from django.test import override_settings

from eslbridge.media import attach, process
from eslbridge.simulator import Options, StandInSwitch
from secretary.config.env import HostPort
from secretary.conversation.consult import machine
from secretary.services.transfers import Plan, plan_transfer
from secretary.speech.contract import NO_ACCESS, Access, Briefing
from secretary.speech.local.provider import LocalProvider
from secretary.speech.local.session import LocalSession
from secretary.speech.local.voice import Voice
from secretary.speech.platform_ear import LocalEar
from secretary.speech.platform_voice import LocalVoice
from secretary.speech.registry import Providers
from secretary.voicenode import node as node_module
from secretary.voicenode import putting_through
from secretary.voicenode.node import VoiceNode
from tests.worker import Worker

TONE = (np.sin(np.arange(3_200) * 2 * np.pi * 440 / 8_000) * 9_000).astype("<i2").tobytes()
"""Any sentence, as it is heard here: 400 ms."""
SHORTER_S = 3
PORTS = 12_000 + os.getpid() % 8 * 500
"""Audio ports of this test process: below those of a FreeSWITCH that may run here, which has 16384 and more."""


class Tones(Voice):
    """Says everything as a tone, and remembers the words."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.said: list[str] = []

    def ready(self, text: str, voice: str, language: str) -> bytes | None:
        self.said.append(text)
        return TONE

    async def render(self, text: str, voice: str, language: str) -> bytes:
        self.said.append(text)
        return TONE


class Followed(LocalSession):
    """Tells the test how its tools ended, before the secretary says a word about it."""

    told: Callable[[str, str], None]

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        self.told(self._briefing.call_uuid, outcome)
        super().tool_result(tool_call_id, outcome, detail)


class FollowedProvider(LocalProvider):
    told: Callable[[str, str], None] = staticmethod(lambda call_uuid, outcome: None)

    async def prepare(self, briefing: Briefing, access: Access = NO_ACCESS) -> None:
        """Callers press keys here, and sixty secretaries are new at once: their grammars would be in the way."""

    def session(self, briefing: Briefing, access: Access = NO_ACCESS) -> LocalSession:
        followed = Followed(briefing, voice=self.voice, recogniser=self.recogniser)
        followed.told = self.told
        return followed


class LocalOnly(Providers):
    """The registry of a node that has the local secretary and nobody else."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.tones = Tones(data_dir / "voice")
        self.local = FollowedProvider(data_dir, voice=self.tones)
        self._providers = {"local": self.local}
        self.voice, self.ear = LocalVoice(self.tones), LocalEar(self.local.recogniser)


class World:
    """One for all calls of a module."""

    def __init__(self, switch: StandInSwitch, node: VoiceNode, worker: Worker) -> None:
        self.switch, self.node, self.worker = switch, node, worker
        providers = node.providers
        assert isinstance(providers, LocalOnly)
        self.said = providers.tones.said
        """Whatever was spoken to anybody, in the order in which it was made."""
        providers.local.told = self._told
        self.following: dict[str, Callable[[str], None]] = {}
        """By call: whoever wants to know how its tools end."""
        self.waiting_for_death = 0
        self.worker_is_dead = asyncio.Event()

    async def worker_dies(self) -> None:
        """Wait for the moment: everybody is ready for it, and it has come."""
        self.waiting_for_death += 1
        await self.worker_is_dead.wait()

    def _told(self, call_uuid: str, outcome: str) -> None:
        if (follower := self.following.get(call_uuid)) is not None:
            follower(outcome)


@asynccontextmanager
async def world(folder: Path, **settings: Any) -> AsyncIterator[World]:
    """Everything up; Redis and PostgreSQL are those of the test run."""
    worker = Worker(folder / "worker.log", at_once=100)
    anywhere = HostPort("127.0.0.1", 0)
    here = {
        "DATA_DIR": folder,
        "VOICENODE_ESL_BIND": anywhere,
        "VOICENODE_MEDIA_BIND": anywhere,
        "VOICENODE_UDP_BIND": anywhere,
        "VOICENODE_ADVERTISED_HOST": "127.0.0.1",
        **settings,
    }
    with (
        override_settings(**here),
        mock.patch.object(node_module, "Providers", LocalOnly),
        mock.patch.object(machine, "DECIDE_MS", 2_000),
        mock.patch.object(attach, "FIRST_DATAGRAM_S", 5.0),  # dozens of calls on a machine that does more
        mock.patch.object(putting_through, "plan_transfer", _plan),
        mock.patch.object(process, "tune"),  # of a process of its own: it freezes what lives
    ):
        worker.start()
        node = VoiceNode()
        try:
            async with StandInSwitch(Options(port=0)) as switch:
                await asyncio.gather(node.start(), worker.ready())
                try:
                    yield World(switch, node, worker)
                finally:
                    await node.stop()
        finally:
            await worker.stop()


def _plan(**wish: Any) -> Plan:
    """As it is, but telephones ring for less than the five seconds that there are in the panel."""
    plan = plan_transfer(**wish)
    return replace(plan, ring_s=plan.ring_s - SHORTER_S)


async def until(holds: Callable[[], object], what: str, seconds: float = 40.0) -> None:
    """Look every 20 ms. Raises AssertionError that says what did not come true."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.02)
