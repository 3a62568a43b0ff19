"""Play one scenario with the product's own conversation, and give back what happened."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

from eslbridge.control import HungUp, Left
from secretary.audio.vad import VoiceActivity
from secretary.conversation import actions as act
from secretary.conversation.recording import Disk, WavFile
from secretary.conversation.session import Record, Session
from secretary.conversation.state import Key, Rules
from secretary.scenarios.caller import Caller, Deed
from secretary.scenarios.office import ScriptedOffice
from secretary.scenarios.script import FOLDER, Script, ScriptError
from secretary.scenarios.sound import of_step
from secretary.scenarios.standin import PerfectEar, StandIn, StandIns, destination_uuid
from secretary.scenarios.telephone import Switch, Telephone
from secretary.speech.breaker import Breaker
from secretary.speech.chain import ChainSession
from secretary.speech.contract import Briefing, Place, SpeechSession
from secretary.speech.metered import Metered
from secretary.speech.steps import Step

CALL_UUID: Final = "5ce9a110-0000-4000-8000-000000008001"
CALLER_NUMBER: Final = "+15550100"
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


class Oracle:
    """Implements `PerfectEar` for all stand-ins of one call."""

    def __init__(self, telephone: Telephone, caller: Caller) -> None:
        self._telephone, self._caller = telephone, caller
        self._before = self._until = 0

    def listen(self) -> str:
        self._before, self._until = self._until, self._telephone.ms
        return self._caller.words(self._before, self._until)

    def so_far(self) -> str:
        return self._caller.words(self._until, self._telephone.ms, whole=True)

    def forget(self) -> None:
        self._until = self._before


Note = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Answering:
    """Who takes the call of a rehearsal, and what they go by."""

    session: SpeechSession
    chain: ChainSession
    rules: Rules
    places: tuple[Place, ...]
    office: ScriptedOffice
    standins: list[StandIn] = field(default_factory=list)
    """Everybody who speaks by script; grows as they come."""


class Answer(Protocol):
    """Gives the one who takes the call. `note` writes into the call's timeline. Raises ScriptError."""

    def __call__(self, script: Script, perfect: PerfectEar, note: Note) -> Answering: ...


@dataclass(slots=True)
class Performance:
    """What happened in a rehearsal."""

    script: Script
    record: Record
    telephone: Telephone
    switch: Switch
    office: ScriptedOffice
    deeds: list[Deed]
    answering: Answering
    took_ms: int


def place_of(name: str) -> Place:
    return Place(str(uuid5(NAMESPACE_URL, f"scenario:{name}")), name)


def standin(script: Script, perfect: PerfectEar, note: Note) -> Answering:
    """Providers that follow the script, in a chain as they are in a real call."""
    book = StandIns(script, perfect)
    briefing = briefing_of(script)
    chain = ChainSession(
        tuple(Step(name) for name in book.names),
        briefing,
        providers=book,
        breaker=Breaker(asyncio.get_running_loop().time),
        note=note,
        metered=Metered(book.prices, now=asyncio.get_running_loop().time),
    )
    rules = rules_with(script, Rules(language=script.language, greeting=script.secretary.greeting), briefing.places)
    return Answering(chain, chain, rules, briefing.places, ScriptedOffice(script.office), book.made)


def rules_with(script: Script, usual: Rules, places: tuple[Place, ...]) -> Rules:
    """These rules with the scenario's own over them. Raises ScriptError for one that there is not."""
    given = dict(script.secretary.rules)
    try:
        if (menu := given.pop("menu", None)) is not None:
            given["menu"] = tuple((str(digit), _key(str(does), places)) for digit, does in menu.items())
        return replace(usual, **given)
    except (TypeError, AttributeError) as error:
        raise ScriptError(f"{script.name}: secretary: rules: {error}") from error


def _key(does: str, places: tuple[Place, ...]) -> Key:
    """`repeat`, `end`, `fallback`, or the name of the place that the key leads to."""
    return Key(does) if does in ("repeat", "end", "fallback") else Key("transfer", destination_uuid(places, does))


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
        caller_number=CALLER_NUMBER,
    )


async def play(script: Script, *, answer: Answer = standin, folder: Path = FOLDER) -> Performance:
    """Hold the call of this scenario. Raises ScriptError for sounds that cannot be made, ProviderError."""
    loop = asyncio.get_running_loop()
    sounds = [
        await loop.run_in_executor(None, of_step, step, folder, step.language or script.language)
        for step in script.caller
    ]
    voice_activity = VoiceActivity(slots=1)
    telephone, switch = Telephone(script.line, voice_activity), Switch(CALL_UUID)
    caller = Caller(script.caller, sounds, telephone, switch)
    record: Record | None = None

    def note(kind: str, detail: Mapping[str, object]) -> None:
        if record is not None:
            record.add_note(act.Note(kind, telephone.ms, detail))

    made = answer(script, Oracle(telephone, caller), note)
    speech, office = made.session, made.office
    with TemporaryDirectory(prefix="scenario-") as temporary:
        session = Session(
            call=switch,
            provider=speech,
            rules=made.rules,
            voice_activity=voice_activity,
            office=office,
            disk=NoDisk(),
            message_path=lambda: Path(temporary) / "message.wav",
        )
        record = session.record
        record.metered = made.chain.metered
        await speech.open(session)
        began = loop.time()
        telephone.start()
        around = [
            loop.create_task(caller.run()),
            loop.create_task(_leave(office, switch)),
            loop.create_task(_lose_patience(script.patience_s, switch)),
        ]
        try:
            await session.run(telephone)
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
    return Performance(script, record, telephone, switch, office, caller.deeds, made, took_ms)


async def _leave(office: ScriptedOffice, switch: Switch) -> None:
    await office.left.wait()
    switch.tell(Left("transferred"))


async def _lose_patience(patience_s: float, switch: Switch) -> None:
    await asyncio.sleep(patience_s)
    switch.tell(HungUp("ORIGINATOR_CANCEL"))
