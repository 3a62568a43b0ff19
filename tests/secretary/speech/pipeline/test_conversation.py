"""A pipeline and the conversation's own machine together: greeting, turns, interruption, tools, an end."""

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
from tests.peers.web import refuses
from tests.secretary.conversation import doubles
from tests.secretary.speech.pipeline.conftest import ACME, Stage


class Office(doubles.Office):
    async def transfer(self, destination_uuid: str, *about_the_caller: object) -> doubles.Outcome:
        self.transfers.append(destination_uuid)
        assert isinstance(self.transfer_outcome, doubles.Outcome)
        return self.transfer_outcome


@dataclass
class Call:
    stage: Stage
    leg: doubles.Leg
    switch: doubles.Switch
    office: Office
    activity: doubles.Activity
    session: Session
    task: asyncio.Task[Record]

    async def until(self, true: Any) -> None:
        await self.stage.listener.until(true)

    def time_passes(self, ms: int) -> None:
        self.session._began -= ms / 1000

    def speak(self, ms: int) -> None:
        """The caller speaks for so long, over or after the secretary's voice."""
        assert self.leg.listener is not None
        for _ in range(ms // 32):
            self.leg.listener.on_frame(b"\x10\x00" * 160)
            self.time_passes(32)
            self.activity.judge(0.95)

    def pause(self) -> None:
        """Until the turn is over."""
        assert self.leg.listener is not None
        for _ in range(60):
            self.leg.listener.on_frame(bytes(320))
            self.time_passes(32)
            self.activity.judge(0.01)

    def lines(self) -> list[tuple[str, str]]:
        return [(line.who, line.text) for line in self.office.lines]


@pytest.fixture
async def call(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Call]:
    monkeypatch.setattr("secretary.conversation.waiting.HAND_OVER_MS", 0, raising=False)
    leg, switch, office, activity, disk = (
        doubles.Leg(),
        doubles.Switch(),
        Office(),
        doubles.Activity(),
        Disk(),
    )
    provider = stage.provider.session(ACME, stage.access())
    session = Session(
        call=switch,
        provider=provider,
        rules=Rules(greeting=ACME.greeting),
        voice_activity=cast(Any, activity),
        office=office,
        disk=disk,
        message_path=lambda: tmp_path / "message.wav",
    )
    await provider.open(session)
    task = asyncio.create_task(session.run(leg))
    await asyncio.sleep(0)
    yield Call(stage, leg, switch, office, activity, session, task)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await provider.close()
    disk.close()


async def heard(call: Call, sentence: str) -> None:
    """The caller hears everything up to the end of this sentence."""

    def all_of_it() -> bool:
        if call.leg.queued_ms:
            call.leg.hear_all()
        return any(sentence in text for _, text in call.lines())

    await call.until(all_of_it)


async def test_a_call(call: Call) -> None:
    """Greeting, question, tool, answer: all of it in the record as it was heard, and the model knows it so."""
    chat, stt = call.stage.chat, call.stage.stt
    await heard(call, "Acme, good morning.")
    chat.then(
        chat.says("One moment please.", calls=(("business_info", '{"topic": "hours"}'),)),
        chat.says("We are open until six."),
    )
    stt.then(stt.hears("Until when are you open?"))
    call.speak(1_000)
    call.pause()
    await heard(call, "One moment please.")
    await call.until(lambda: call.office.tools)
    await heard(call, "We are open until six.")
    assert call.lines() == [
        ("secretary", "Acme, good morning."),
        ("caller", "Until when are you open?"),
        ("secretary", "One moment please."),
        ("secretary", "We are open until six."),
    ]
    assert call.office.tools == [("business_info", {"topic": "hours"})]
    roles = [message["role"] for message in chat.requests[1].json["messages"]]
    assert roles == ["system", "assistant", "user", "assistant", "tool"]


async def test_interrupting(call: Call) -> None:
    """What the record says was heard is what the model is told was heard."""
    chat, stt = call.stage.chat, call.stage.stt
    await heard(call, "Acme, good morning.")
    chat.then(chat.says("We are in the old town, next to the church, where the market is."), chat.says("At nine."))
    stt.then(stt.hears("Where are you?"), stt.hears("No, when do you open?"))
    call.speak(1_000)
    call.pause()
    await call.until(lambda: call.leg.queued_ms > 3_000)
    call.leg.heard_ms += 1_500
    call.leg.queued_ms -= 1_500
    call.speak(1_500)
    assert call.leg.stops == 1
    call.pause()
    await heard(call, "At nine.")
    said = [text for who, text in call.lines() if who == "secretary"]
    assert said[1] and len(said[1]) < 40 and "We are in the old town, next to the church".startswith(said[1])
    told = [message["content"] for message in chat.requests[1].json["messages"][1:]]
    assert told == [ACME.greeting, "Where are you?", f"{said[1]}…", "No, when do you open?"]


async def test_being_put_through(call: Call) -> None:
    """The sentence that announces a transfer is heard before the transfer; one that fails goes back to the model."""
    chat = call.stage.chat
    await heard(call, "Acme, good morning.")
    call.office.transfer_outcome = doubles.Outcome("no_answer")
    chat.then(
        chat.says("I will put you through to sales.", calls=(("transfer", '{"destination_uuid": "u-sales"}'),)),
        chat.says("Nobody answers in sales."),
    )
    call.speak(1_000)
    call.pause()
    await call.until(lambda: call.leg.queued_ms > 1_000)
    await asyncio.sleep(0.05)
    assert not call.office.transfers
    await heard(call, "I will put you through to sales.")
    await call.until(lambda: call.office.transfers == ["u-sales"])
    await heard(call, "Nobody answers in sales.")


async def test_a_service_that_is_gone(call: Call) -> None:
    """The caller is not left with a dead line: the call goes to the dialplan's fallback."""
    await heard(call, "Acme, good morning.")
    call.stage.chat.then(refuses(401))
    call.speak(1_000)
    call.pause()
    await call.until(lambda: any(note.kind == "broken" for note in call.office.notes))
    call.time_passes(20_000)
    await call.until(lambda: call.switch.did)
    assert call.switch.did[0][0] == "leave"
