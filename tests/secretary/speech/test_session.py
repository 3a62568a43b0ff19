"""The local secretary in a call, end to end, with a conversation that only listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

import pytest

from secretary.speech import registry
from secretary.speech.contract import Briefing, FailureKind, Place, ProviderError, ToolCall
from secretary.speech.local import render
from secretary.speech.local.errors import RecogniserError, VoiceError
from secretary.speech.local.grammar import GrammarSpec
from secretary.speech.local.intents import NOTHING, Intent, Understood
from secretary.speech.local.provider import LocalProvider
from secretary.speech.local.session import LocalSession
from secretary.speech.local.voice import Voice
from tests.secretary.speech import lines

GREETING = "Acme, good morning. How can I help you?"
ACME = Briefing(
    call_uuid="call-1",
    domain_uuid="acme",
    secretary_uuid="ana",
    secretary_name="Ana",
    language="en",
    voice="",
    greeting=GREETING,
    prompt="",
    places=(Place("u-sales", "Sales", ("the sales department",)), Place("u-support", "Support")),
)
SALES = Understood(Intent.PLACE, "sales please", 0.95, 0)
MESSAGE = Understood(Intent.MESSAGE, "leave a message", 0.9)
FRAME = bytes(320)


class Listener:
    """Keeps what the session says, in order."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.news = asyncio.Event()

    def _add(self, what: object) -> None:
        self.heard.append(what)
        self.news.set()

    def on_caller_interim(self, text: str) -> None: ...

    def on_caller_text(self, text: str) -> None:
        self._add(("caller", text))

    def on_voice(self, utterance_id: str, text: str, pcm: bytes, last: bool) -> None:
        assert pcm
        assert len(pcm) % 2 == 0
        self._add(("says", text, last))

    def on_tool(self, call: ToolCall) -> None:
        self._add(call)

    def on_thinking(self) -> None: ...

    def on_speech_started(self) -> None: ...

    def on_speech_stopped(self) -> None: ...

    def on_language(self, language: str) -> None: ...

    def on_usage(self, unit: str, quantity: float, model: str = "") -> None: ...

    def on_failed(self, reason: str, kind: FailureKind = "protocol", retry_after_s: float | None = None) -> None:
        self._add(("failed", reason))

    def tool(self, name: str) -> ToolCall:
        return next(call for call in reversed(self.heard) if isinstance(call, ToolCall) and call.name == name)

    def spoken(self) -> list[str]:
        return [what[1] for what in self.heard if isinstance(what, tuple) and what[0] == "says"]


class Ears:
    """Stands in for the recogniser: understands what the script says, when it is let."""

    def __init__(self, script: Iterable[Understood | RecogniserError]) -> None:
        self.script = list(script)
        self.turns: list[bytes] = []
        self.answers: list[bool] = []
        self.specs: list[GrammarSpec] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def understand(self, spec: GrammarSpec, pcm: bytes, *, answer: bool = False) -> Understood:
        self.specs.append(spec)
        self.turns.append(pcm)
        self.answers.append(answer)
        await self.gate.wait()
        what = self.script.pop(0)
        if isinstance(what, RecogniserError):
            raise what
        return what

    async def dictate(self, pcm: bytes) -> str:
        await self.gate.wait()
        return f"{len(pcm)} bytes"


Make = Callable[..., Awaitable[tuple[LocalSession, Listener, Ears]]]


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """A session with a voice of 100 ms a sentence and scripted ears."""

    def speak(text: str, _voice: str, _language: str, *, deadline_s: float) -> bytes:
        if text == "broken":
            raise VoiceError("no engine")
        return bytes(1600)

    monkeypatch.setattr(render, "speak", speak)
    voice = Voice(tmp_path)
    sessions: list[LocalSession] = []

    async def build(
        *script: Understood | RecogniserError, briefing: Briefing = ACME
    ) -> tuple[LocalSession, Listener, Ears]:
        listener, ears = Listener(), Ears(script)
        session = LocalSession(briefing, voice=voice, recogniser=ears)  # type: ignore[arg-type]
        await session.open(listener)
        sessions.append(session)
        return session, listener, ears

    yield build
    for session in sessions:
        await session.close()
    voice.close()


async def until(listener: Listener, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            listener.news.clear()
            await listener.news.wait()


def turn(session: LocalSession, pcm: bytes = bytes(3200)) -> None:
    session.turn_started()
    session.turn_ended(pcm)


async def test_a_call_from_greeting_to_transfer(make: Make) -> None:
    """Greeting, understood, announced, and only then the tool."""
    session, listener, _ = await make(SALES)
    session.say(GREETING)
    await until(listener, lambda: len(listener.heard) == 1)
    turn(session)
    await until(listener, lambda: len(listener.heard) == 4)
    assert listener.heard[:3] == [
        ("says", GREETING, True),
        ("caller", "sales please"),
        ("says", "I'm putting you through to Sales.", True),
    ]
    assert listener.tool("transfer").arguments == {"destination_uuid": "u-sales"}


async def test_a_failed_transfer_is_answered(make: Make) -> None:
    """The tool's outcome reaches the mind once; an unknown id is ignored."""
    session, listener, _ = await make(SALES)
    turn(session)
    await until(listener, lambda: len(listener.heard) == 3)
    call = listener.tool("transfer")
    session.tool_result("somebody else's", "failed")
    session.tool_result(call.tool_call_id, "failed")
    session.tool_result(call.tool_call_id, "failed")
    await until(listener, lambda: len(listener.spoken()) == 2)
    assert listener.spoken()[1].startswith("I'm sorry, I couldn't reach Sales")


async def test_a_message_from_tone_to_thanks(make: Make) -> None:
    """Recording begins after the tone; each turn is written down; the pause is counted in frames."""
    session, listener, ears = await make(MESSAGE)
    turn(session)
    await until(listener, lambda: len(listener.heard) == 4)
    assert listener.heard[1:3] == [
        ("says", "Please leave your name, your number and your message after the tone.", False),
        ("says", "", True),
    ]
    session.tool_result(listener.tool("record_message").tool_call_id, "ok")
    turn(session, bytes(50_000))
    for _ in range(50):
        session.hear(FRAME)
    turn(session, bytes(60_000))
    for _ in range(101):
        session.hear(FRAME)
    await until(
        listener, lambda: isinstance(listener.heard[-1], ToolCall) and listener.heard[-1].name == "take_message"
    )
    assert listener.tool("take_message").arguments == {"text": "50000 bytes 60000 bytes", "complete": True}
    session.tool_result(listener.tool("take_message").tool_call_id, "ok")
    await until(listener, lambda: "noted your message" in listener.spoken()[-1])
    assert len(ears.turns) == 1


async def test_a_slow_text_does_not_hold_the_message(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not written down in time stays audio only; the message is taken all the same."""
    monkeypatch.setattr("secretary.speech.local.session.COLLECT_S", 0.05)
    session, listener, ears = await make(MESSAGE)
    turn(session)
    await until(listener, lambda: len(listener.heard) == 4)
    ears.gate.clear()
    turn(session, bytes(50_000))
    for _ in range(101):
        session.hear(FRAME)
    await until(
        listener, lambda: isinstance(listener.heard[-1], ToolCall) and listener.heard[-1].name == "take_message"
    )
    assert listener.tool("take_message").arguments["text"] == ""


async def test_yes_to_the_invitation_is_not_the_message(make: Make) -> None:
    """ "Yes, please", then the message."""
    session, listener, ears = await make(MESSAGE, Understood(Intent.YES, "yes please", 0.9), NOTHING)
    turn(session)
    await until(listener, lambda: len(listener.heard) == 4)
    turn(session)
    await until(listener, lambda: listener.spoken()[-1] == "Please go ahead.")
    turn(session, bytes(6400))
    for _ in range(101):
        await asyncio.sleep(0)
        session.hear(FRAME)
    await until(
        listener, lambda: isinstance(listener.heard[-1], ToolCall) and listener.heard[-1].name == "take_message"
    )
    assert listener.tool("take_message").arguments["text"] == "6400 bytes"
    assert ears.answers == [False, True, True]


async def test_a_caller_who_goes_on_is_heard_as_a_whole(make: Make) -> None:
    """ "I'd like to speak with … (a breath) … sales": both parts are looked at together, the answer comes once."""
    session, listener, ears = await make(NOTHING, SALES)
    ears.gate.clear()
    turn(session, b"a" * 1000)
    await asyncio.sleep(0)
    turn(session, b"b" * 1000)
    await asyncio.sleep(0)
    ears.gate.set()
    await until(listener, lambda: len(listener.heard) == 4)
    assert ears.turns == [b"a" * 1000, b"a" * 1000 + b"b" * 1000]
    assert listener.heard[:2] == [("caller", ""), ("caller", "sales please")]


async def test_a_broken_recogniser_is_a_turn_not_understood(make: Make) -> None:
    """The caller is asked again, never left in silence."""
    session, listener, _ = await make(RecogniserError("died"), RecogniserError("died"))
    turn(session)
    await until(listener, lambda: len(listener.heard) == 2)
    assert listener.heard[0] == ("caller", "")
    turn(session)
    await until(listener, lambda: "leave a message" in listener.spoken()[-1])


async def test_a_voice_that_fails_hands_the_call_on(make: Make) -> None:
    """Without a voice the secretary is of no use: somebody else must take the call, and is told once."""
    session, listener, _ = await make()
    session.say("broken")
    session.say("broken")
    await until(listener, lambda: len(listener.heard) == 1)
    await asyncio.sleep(0.01)
    assert listener.heard == [("failed", "no voice: no engine")]


async def test_after_close_nothing_comes(make: Make) -> None:
    """Close is quick, may be called twice, and silences everything that was under way."""
    session, listener, ears = await make(SALES)
    ears.gate.clear()
    turn(session)
    await asyncio.sleep(0)
    await session.close()
    await session.close()
    ears.gate.set()
    session.say("anybody there?")
    session.hear(FRAME)
    turn(session)
    await asyncio.sleep(0.02)
    assert listener.heard == []


async def test_opening_twice_is_refused(make: Make) -> None:
    """One session, one call."""
    session, listener, _ = await make()
    with pytest.raises(ProviderError):
        await session.open(listener)


async def test_each_call_has_its_own_tenants_grammar(make: Make) -> None:
    """Two calls at the same moment on the same node: neither knows the other's destinations."""
    globex = Briefing("call-2", "globex", "eva", "Eva", "en", "", "Globex.", "", (Place("g-lab", "Laboratory"),))
    one, _, ears_one = await make(NOTHING)
    two, _, ears_two = await make(NOTHING, briefing=globex)
    turn(one)
    turn(two)
    await asyncio.sleep(0.01)
    assert ears_one.specs[0].names == (("sales", "the sales department"), ("support",))
    assert ears_two.specs[0].names == (("laboratory",),)


async def test_the_whole_road_with_real_ears_and_voice(tmp_path: Path) -> None:
    """A recorded caller, the node's own provider: prepared, greeted at once, understood, put through."""
    provider = registry.PROVIDERS["local"](tmp_path)
    assert isinstance(provider, LocalProvider)
    await provider.start()
    try:
        await provider.prepare(ACME)
        assert provider.voice.ready(GREETING, "", "en") is not None
        listener = Listener()
        session = provider.session(ACME)
        await session.open(listener)
        loop = asyncio.get_running_loop()
        asked = loop.time()
        session.say(GREETING)
        await until(listener, lambda: len(listener.heard) == 1)
        assert loop.time() - asked < 0.1
        turn(session, lines.turn("sales", mulaw=True))
        await until(listener, lambda: isinstance(listener.heard[-1], ToolCall))
        assert listener.tool("transfer").arguments == {"destination_uuid": "u-sales"}
        await session.close()
    finally:
        await provider.close()


async def test_an_error_of_its_own_passes_the_caller_on(make: Make) -> None:
    """A bug in understanding is the provider's failure, told at once: nobody waits for two silences."""
    session, listener, _ = await make()  # an empty script: understanding raises IndexError
    session.turn_started()
    session.turn_ended(FRAME * 50)
    await until(listener, lambda: ("failed", "internal error in the local secretary") in listener.heard)
