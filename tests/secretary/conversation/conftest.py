"""A session with doubles all around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from secretary.conversation.recording import Disk
from secretary.conversation.session import Record, Session
from secretary.conversation.state import Rules
from tests.secretary.conversation import doubles


@dataclass
class Call:
    """A session with its doubles, running."""

    leg: doubles.Leg
    switch: doubles.Switch
    provider: doubles.Provider
    office: doubles.Office
    activity: doubles.Activity
    session: Session
    task: asyncio.Task[Record]

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def ended(self) -> Record:
        async with asyncio.timeout(5):
            return await self.task

    def speak(self) -> None:
        """The caller begins to speak: as many windows as prove it, with their frames."""
        assert self.leg.listener is not None
        for _ in range(8):
            self.leg.listener.on_frame(b"\x10\x00" * 160)
        for _ in range(4):
            self.activity.judge(0.9)

    def go_on(self, ms: int = 700) -> None:
        """The caller speaks on: so long that it is no cough."""
        self.session._began -= ms / 1000
        self.activity.judge(0.9)


@pytest.fixture
async def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Call]:
    monkeypatch.setattr("secretary.conversation.waiting.HAND_OVER_MS", 0)
    leg, switch, provider = doubles.Leg(), doubles.Switch(), doubles.Provider()
    office, activity, disk = doubles.Office(), doubles.Activity(), Disk()
    session = Session(
        call=switch,
        provider=provider,
        rules=Rules(greeting="Hello."),
        voice_activity=cast(Any, activity),
        office=office,
        disk=disk,
        message_path=lambda: tmp_path / "message.wav",
        recording_path=tmp_path / "call.wav",
    )
    await provider.open(session)
    task = asyncio.create_task(session.run(leg))
    await asyncio.sleep(0)
    yield Call(leg, switch, provider, office, activity, session, task)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    disk.close()
