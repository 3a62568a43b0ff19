"""Play one scenario with the product's own conversation, and give back what happened."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

from eslbridge.control import HungUp, Left
from secretary.audio.vad import VoiceActivity
from secretary.conversation.recording import Disk, WavFile
from secretary.conversation.session import Record, Session
from secretary.conversation.state import Rules
from secretary.scenarios.caller import Caller, Deed
from secretary.scenarios.office import ScriptedOffice
from secretary.scenarios.script import FOLDER, Part, Script
from secretary.scenarios.sound import of_step
from secretary.scenarios.standin import StandIn
from secretary.scenarios.telephone import Switch, Telephone
from secretary.speech.contract import Briefing, Place, SpeechSession

CALL_UUID: Final = "5ce9a110-0000-4000-8000-000000008001"
AFTER_S: Final = 2.0
"""How long to go on listening when the call has left us."""


class NoDisk(Disk):
    """Writes at once: a rehearsal has no thread that could be late."""

    def write(self, file: WavFile, pcm: bytes) -> None:
        file.append(pcm)

    def close_file(self, file: WavFile) -> Future[None]:
        file.close()
        done: Future[None] = Future()
        done.set_result(None)
        return done


class MakeProvider(Protocol):
    """Gives the one who speaks in the rehearsal. `words`: what the caller has said since it was last asked."""

    def __call__(self, script: Script, briefing: Briefing, words: Callable[[], str]) -> SpeechSession: ...


@dataclass(slots=True)
class Performance:
    """What happened in a rehearsal."""

    script: Script
    record: Record
    telephone: Telephone
    switch: Switch
    office: ScriptedOffice
    deeds: list[Deed]
    places: tuple[Place, ...]
    took_ms: int
    provider: SpeechSession
    standins: list[StandIn] = field(default_factory=list)


def place_of(name: str) -> Place:
    return Place(str(uuid5(NAMESPACE_URL, f"scenario:{name}")), name)


def standin(script: Script, briefing: Briefing, words: Callable[[], str]) -> SpeechSession:
    """The provider that follows the script."""
    return StandIn(briefing, script.provider, script.pace, words)


def briefing_of(script: Script) -> Briefing:
    """What the provider of a scenario is told."""
    return Briefing(
        call_uuid=CALL_UUID,
        domain_uuid=str(UUID(int=1)),
        secretary_uuid=str(UUID(int=2)),
        secretary_name="Rehearsal",
        language=script.language,
        voice="female",
        greeting=script.secretary.greeting,
        prompt="",
        places=tuple(map(place_of, script.secretary.places)),
        caller_number="+15550100",
    )


async def play(script: Script, *, provider: MakeProvider = standin, folder: Path = FOLDER) -> Performance:
    """Hold the call of this scenario. Raises ScriptError for sounds that cannot be made, ProviderError."""
    loop = asyncio.get_running_loop()
    sounds = [
        await loop.run_in_executor(None, of_step, step, folder, step.language or script.language)
        for step in script.caller
    ]
    voice_activity = VoiceActivity(slots=1)
    telephone, switch = Telephone(script.line, voice_activity), Switch(CALL_UUID)
    caller = Caller(script.caller, sounds, telephone, switch)
    briefing = briefing_of(script)
    asked = 0

    def words() -> str:
        nonlocal asked
        since, asked = asked, telephone.ms
        return caller.words(since, asked)

    speech = provider(script, briefing, words)
    office = ScriptedOffice(script.office)
    rules = replace(Rules(language=script.language, greeting=script.secretary.greeting), **script.secretary.rules)
    with TemporaryDirectory(prefix="scenario-") as temporary:
        session = Session(
            call=switch,
            provider=speech,
            rules=rules,
            voice_activity=voice_activity,
            office=office,
            disk=NoDisk(),
            message_path=lambda: Path(temporary) / "message.wav",
        )
        await speech.open(session)
        began = loop.time()
        telephone.start()
        around = [
            loop.create_task(caller.run()),
            loop.create_task(_leave(office, switch)),
            loop.create_task(_lose_patience(script.patience_s, switch)),
        ]
        try:
            record = await session.run(telephone)
            took_ms = round((loop.time() - began) * 1000)
            for task in around:
                if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                    raise error
        finally:
            for task in around:
                task.cancel()
            telephone.close()
            await asyncio.gather(*around, return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AFTER_S):
                    await speech.close()
    return Performance(
        script, record, telephone, switch, office, caller.deeds, briefing.places, took_ms, speech, _standins(speech)
    )


async def _leave(office: ScriptedOffice, switch: Switch) -> None:
    await office.left.wait()
    switch.tell(Left("transferred"))


async def _lose_patience(patience_s: float, switch: Switch) -> None:
    await asyncio.sleep(patience_s)
    switch.tell(HungUp("ORIGINATOR_CANCEL"))


def _standins(speech: SpeechSession) -> list[StandIn]:
    return [speech] if isinstance(speech, StandIn) else []


def parts_of(script: Script) -> list[tuple[Part, ...]]:
    """The scripts of all providers, in the order in which they take over."""
    return [script.provider, *script.providers]
