"""Servers that say nearly the right thing: whatever is wrong in a message, nothing escapes and nothing hangs."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from secretary.speech.contract import ProviderError
from secretary.speech.realtime.session import RealtimeSession
from tests.secretary.speech.realtime.ear import BRIEFING, FRAME, Ear, access
from tests.secretary.speech.realtime.test_in_conversation import ANSWER, KINDS, Kind

STRANGE: tuple[Any, ...] = (None, "", "x", 0, -1, 10**9, 1.5, True, [], {}, ["x"], {"x": None})


class Mute:
    """Stands in for a connection: takes everything."""

    host, closed, idle_s, dropped = "host", False, 0.0, 0

    def send(self, message: Any) -> None: ...

    def send_audio(self, message: Any) -> None: ...

    async def close(self) -> None: ...


def garbled(message: Any, dice: random.Random) -> Any:
    """The same with one thing gone or turned into something else, however deep."""
    if isinstance(message, dict) and message and dice.random() < 0.9:
        key = dice.choice(list(message))
        if dice.random() < 0.25:
            return {name: value for name, value in message.items() if name != key}
        return message | {key: garbled(message[key], dice)}
    if isinstance(message, list) and message and dice.random() < 0.7:
        at = dice.randrange(len(message))
        return [*message[:at], garbled(message[at], dice), *message[at + 1 :]]
    return dice.choice(STRANGE)


async def recorded(kind: Kind) -> list[Any]:
    """What a server sends in a whole conversation."""
    async with kind.peer() as peer:
        session = kind.provider().session(BRIEFING, access(peer.url, **kind.options))
        ear = Ear()
        await session.open(ear)
        session.say(BRIEFING.greeting)
        await ear.until(lambda: BRIEFING.greeting in ear.said())
        session.turn_started()
        turn = asyncio.create_task(kind.turn(peer, "Hello?", ANSWER, 0.0))
        await asyncio.sleep(0.01)
        session.turn_ended(FRAME * 50)
        await turn
        await ear.until(lambda: ANSWER in ear.said())
        await session.close()
        return [message for message in peer.sent if not isinstance(message, bytes)]


@pytest.mark.parametrize("name", ["openai", "openai-vad", "gemini", "elevenlabs", "deepgram"])
async def test_a_garbled_server_does_no_harm(name: str) -> None:
    """A message either means something or ends the session as `protocol`; the methods of the session never raise."""
    kind, dice = KINDS[name], random.Random(7)  # noqa: S311 - not for secrets
    messages = await recorded(kind)
    loop_faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: loop_faults.append(context))
    refused = 0
    for _ in range(150):
        session: RealtimeSession = kind.provider().session(BRIEFING, access("ws://127.0.0.1:9", **kind.options))
        ear = Ear()
        session._listener, session._wire = ear, Mute()  # type: ignore[assignment]
        at = dice.randrange(len(messages))
        for number, message in enumerate(messages):
            if number in (at, at + 3):
                message = garbled(message, dice)
            try:
                session._take(json.dumps(message).encode() if session.decode is False else json.dumps(message))
            except Exception as error:  # what the reader of the wire makes of it
                refused += 1
                assert not isinstance(error, ProviderError | AssertionError)
                session._fail(ProviderError("not understood"))
                break
        session.turn_started()
        session.hear(FRAME)
        session.turn_ended(FRAME * 20)
        session.say("Hello?")
        for utterance_id in list(ear.utterances):
            session.interrupted(utterance_id, "Hel", 100)
        session.tool_result("call-1", "ok")
        session.dtmf("#")
        await asyncio.sleep(0)
        async with asyncio.timeout(1.0):
            await session.close()
        assert len(ear.of("failed")) <= 1
    assert refused
    assert not loop_faults
