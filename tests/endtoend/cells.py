"""Every way of putting a caller through, and every way it can end: what happens, and what must have come of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from eslbridge.outcomes import TransferOutcome as Word
from eslbridge.simulator import HangUp, Pause, Press, Say, WaitSilence
from eslbridge.simulator.caller import Step
from secretary.speech.local.phrases import back_again
from tests.endtoend.scene import Scene
from tests.endtoend.world import until

VOICES: Final = Path("secretary/demo/callers")
YES, NO, CHATTER = (Say(VOICES / f"{name}.wav") for name in ("yes", "no", "long"))
MUSIC: Final = ("playback", "tone_stream://%(400,0,1000);loops=50")
VERA: Final = "Vera here, good morning."
TOLD = WaitSilence(300)
"""The colleague has heard what there is to hear."""
SPOKEN: Final = ("announced", "attended")
MODES: Final = ("blind", *SPOKEN)
CONSULT, TRANSFER, HANGUP = "consult", "transfer", "hangup"

Play = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, eq=False)
class Cell:
    """One call. `play` is what people do until the caller hangs up; the rest is what must be true then."""

    name: str
    word: str
    play: Play
    jobs: tuple[tuple[str, str, str], ...] = ()
    """Kind, state, outcome."""
    tried: tuple[tuple[str, str], ...] = ()
    room: Mapping[str, Any] = field(default_factory=dict)
    """What is special about the destination, or the domain."""
    returns: str = ""
    """The caller's leg has gone, and is with a secretary again, who says this."""
    announced: bool = False
    """A colleague was told who is calling."""
    talks: bool = False
    """Takes long, and needs no worker any more after the beginning."""


def done(kind: str) -> tuple[str, str, str]:
    return (kind, "done", "done")


def failed(kind: str, word: str) -> tuple[str, str, str]:
    return (kind, "failed", word)


# What people do -------------------------------------------------------------------------------------------------------


def accepts(*steps: Step, number: str = "1001") -> Play:
    """The colleague takes the call, by these steps; both talk; the caller hangs up."""

    async def play(on: Scene) -> None:
        on.phone(*steps, number=number)
        on.dial()
        leg, _ = await on.answered(number)
        await on.talk(leg)

    return play


def comes_back(word: str, *steps: Step, number: str = "1001", **phone: Any) -> Play:
    """The telephone does this, or its owner; the caller is told, and what else there is."""

    async def play(on: Scene) -> None:
        on.phone(*steps, number=number, **phone)
        on.dial()
        await on.back(word)

    return play


def nobody_there(word: str) -> Play:
    """There is no telephone at all."""

    async def play(on: Scene) -> None:
        on.dial()
        await on.back(word)

    return play


def group(word: str, *actions: tuple[str, str]) -> Play:
    """A ring group whose dialplan does this."""

    async def play(on: Scene) -> None:
        on.phone()
        on.route("600", *actions)
        on.dial()
        await on.back(word)

    return play


async def in_another_call(on: Scene) -> None:
    """The colleague talks with somebody else."""
    on.phone()
    other = on.world.switch.place_call(on.name, "1001", type(on.caller)(patience_ms=None))
    leg, _ = await on.answered()
    on.dial()
    await on.back(Word.BUSY)
    assert on.legs() == [leg]
    other.phone_hung_up()


async def gone_while_it_rings(on: Scene) -> None:
    on.phone(answer_after_s=30.0)
    on.dial()
    leg = await on.rings()
    await on.is_sent()
    on.channel.phone_hung_up()
    await asyncio.wait_for(leg.ended.wait(), 40)
    assert not leg.answered.is_set()


async def gone_while_told(on: Scene) -> None:
    """The caller hangs up while the colleague listens: they hear one sentence more, and are hung up."""
    on.phone()
    on.dial()
    leg, colleague = await on.answered()
    await on.silent(colleague)
    heard = colleague.heard_voice_ms
    on.channel.phone_hung_up()
    await asyncio.wait_for(leg.ended.wait(), 40)
    assert colleague.heard_voice_ms > heard, "nobody told the colleague"


def worker_dies(play: Play) -> Play:
    """It dies before the caller asks for anybody."""

    async def played(on: Scene) -> None:
        await on.world.worker_dies()
        await play(on)

    return played


def worker_dies_while_it_rings(answer_after_s: float) -> Play:
    """Its command is out, and the switch needs no worker to go on ringing."""

    async def play(on: Scene) -> None:
        on.phone(answer_after_s=answer_after_s)
        on.dial()
        await on.rings()
        await on.is_sent()
        await on.world.worker_dies()
        if answer_after_s < LONGER["ring_s"]:
            await on.talk((await on.answered())[0])
        else:
            await on.back(Word.FAILED)

    return play


async def worker_dies_while_sending(on: Scene) -> None:
    """The switch has the command, and does it in a while."""
    on.route("700", ("answer", ""), MUSIC)
    on.world.switch.queues[f"700@{on.name}"] = {"agent": "Available"}
    on.caller.steps.pop()
    on.dial()
    await until(lambda: on.world.waiting_for_death == len(WITHOUT_WORKER) - 1, "all others are ready")
    on.world.switch.options.bgapi_delay_s = 2.0
    on.channel.press("1")
    await on.is_sent()
    await on.world.worker_dies()
    on.world.switch.options.bgapi_delay_s = 0.0
    await _arrives(on, "700")
    await on.written()


def asks(first: Step, *, then: str) -> Play:
    """The colleague asks the caller something, hears the answer, and decides."""

    async def play(on: Scene) -> None:
        on.phone(TOLD, first, TOLD, NO)
        on.dial()
        leg, colleague = await on.answered()
        await _until_asked(on, colleague)
        heard = colleague.heard_voice_ms
        on.caller.speak((VOICES / "no.wav").read_bytes()[44:])
        await _until_heard(colleague, heard + 1_000)  # “the caller says”, and the caller's own words
        await on.silent(colleague)
        leg.press(then)
        await (on.talk(leg) if then == "1" else on.back(Word.DECLINED))

    return play


async def _until_asked(on: Scene, colleague: Any) -> None:
    await until(lambda: colleague.said, "the colleague has asked")
    # The music stops for the question; the silence after it is the caller's.
    await on.silent(on.caller, 400)


async def _until_heard(who: Any, ms: int) -> None:
    await until(lambda: who.heard_voice_ms >= ms, "a voice is heard")


def goes(number: str, *actions: tuple[str, str]) -> Play:
    """The caller's own leg goes to a number of the dialplan, and stays there until the caller hangs up."""

    async def play(on: Scene) -> None:
        on.route(number, *actions)
        on.world.switch.queues[f"{number}@{on.name}"] = {"agent": "Available"}
        on.dial()
        await _arrives(on, number)

    return play


async def _arrives(on: Scene, number: str) -> None:
    await until(lambda: ("execute_extension", f"{number} XML {on.name}") in on.channel.history, f"at {number}")
    heard = on.caller.heard_voice_ms
    await _until_heard(on.caller, heard + 100)


def ends_and_comes_back(number: str, *actions: tuple[str, str]) -> Play:
    """A queue that ends, a number that is not there: the caller is with the secretary again."""

    async def play(on: Scene) -> None:
        if actions:
            on.route(number, *actions)
        on.world.switch.queues[f"{number}@{on.name}"] = {"agent": "Available"}
        on.dial()
        said = len(on.world.said)
        await _returned(on)
        heard = on.caller.heard_voice_ms
        await _until_heard(on.caller, heard + 250)
        await on.silent(on.caller)
        assert len(on.world.said) > said

    return play


async def _returned(on: Scene) -> None:
    await until(lambda: [app for app, _ in on.channel.history].count("socket") == 2, "the call is with a node again")


async def no_agents(on: Scene) -> None:
    on.world.switch.queues[f"700@{on.name}"] = {"agent": "Logged Out"}
    on.dial()
    await on.back(Word.NO_ANSWER)


async def to_another_secretary(on: Scene) -> None:
    await on.second_secretary(VERA)
    on.dial()
    await _returned(on)
    await _until_heard(on.caller, on.caller.heard_voice_ms + 250)
    await on.silent(on.caller)


def _routed(number: str) -> Play:
    """Through the domain's dialplan to the colleague's telephone."""

    async def play(on: Scene) -> None:
        on.route(number, ("bridge", f"user/1001@{on.name}"))
        await accepts(TOLD, Press("1"))(on)

    return play


# The matrix -----------------------------------------------------------------------------------------------------------


def persons() -> Iterator[Cell]:
    """Where a person picks up."""
    for mode in MODES:
        yield from _nobody_picks_up(mode)
    yield Cell("blind-accepted", Word.OK, accepts(), (done(CONSULT),))
    for kind, number, dialled in (("ring_group", "600", "600"), ("external", "+12125551234", "+12125551234")):
        room = {"kind": kind, "number": number, "transfer_mode": "announced"}
        yield Cell(
            f"announced-{kind.replace('_', '-')}",
            Word.OK,
            _routed(dialled),
            (done(CONSULT),),
            room=room,
            announced=True,
        )
    for mode in SPOKEN:
        yield from _somebody_decides(mode)
    asked = {"transfer_mode": "attended"}
    for then, word, job in (("1", Word.OK, done(CONSULT)), ("2", Word.DECLINED, failed(CONSULT, "declined"))):
        yield Cell(
            f"attended-asks-{word}", word, asks(Press("3"), then=then), (job,), room=asked, announced=True, talks=True
        )


def _nobody_picks_up(mode: str) -> Iterator[Cell]:
    def cell(name: str, word: str, play: Play, *jobs: tuple[str, str, str], **room: Any) -> Cell:
        return Cell(f"{mode}-{name}", word, play, jobs, room={"transfer_mode": mode} | room)

    yield cell("no-answer", Word.NO_ANSWER, comes_back("no_answer", conduct="no_answer"), failed(CONSULT, "no_answer"))
    yield cell("busy", Word.BUSY, comes_back("busy", conduct="busy"), failed(CONSULT, "busy"))
    yield cell("rejected", Word.DECLINED, comes_back("declined", conduct="reject"), failed(CONSULT, "declined"))
    forwarded: dict[str, Any] = {"directory": {"forward_all_enabled": "true"}, "conduct": "unregistered"}
    yield cell(
        "forwarded-away", Word.UNREGISTERED, comes_back("unregistered", **forwarded), failed(CONSULT, "unregistered")
    )
    yield cell(
        "no-route", Word.UNREACHABLE, nobody_there("unreachable"), failed(CONSULT, "unreachable"),
        kind="ring_group", number="600",
    )  # fmt: skip
    yield cell("closed", Word.CLOSED, comes_back("closed"), closed=True)
    yield Cell(
        f"{mode}-closed-fallback", Word.OK, accepts(number="1005"), (done(CONSULT),), (("Sales", "closed"),),
        {"transfer_mode": mode, "closed": True, "instead": "1005"},
    )  # fmt: skip
    gone = gone_while_it_rings
    yield cell("caller-gone-ringing", Word.CALLER_GONE, gone, failed(CONSULT, "caller_gone"), done(HANGUP))
    if mode == "attended":
        return  # the rest does not depend on what a colleague may do
    yield cell("in-a-call", Word.BUSY, in_another_call)
    yield cell("away", Word.UNREGISTERED, comes_back("unregistered", conduct="unregistered"))
    yield cell("dnd", Word.DND, comes_back("dnd", directory={"do_not_disturb": "true"}))
    yield cell(
        "switch-away", Word.UNREACHABLE, nobody_there("unreachable"), failed(CONSULT, "unreachable"), port=_nowhere()
    )
    outside = {"kind": "external", "number": "+12125551234"}
    yield cell("policy", Word.NOT_ALLOWED, nobody_there("not_allowed"), blocked="+1212", **outside)
    for word, cause in ((Word.NOT_ALLOWED, "OUTGOING_CALL_BARRED"), (Word.FAILED, "PROTOCOL_ERROR")):
        yield cell(
            cause.lower().replace("_", "-"), word, group(word, ("hangup", cause)), failed(CONSULT, word),
            kind="ring_group", number="600",
        )  # fmt: skip
    yield Cell(
        f"{mode}-busy-fallback", Word.OK, _busy_then_office, (failed(CONSULT, "busy"), done(CONSULT)),
        (("Sales", "busy"),), {"transfer_mode": mode, "instead": "1005"},
    )  # fmt: skip


async def _busy_then_office(on: Scene) -> None:
    on.phone(conduct="busy")
    await accepts(number="1005")(on)


def _somebody_decides(mode: str) -> Iterator[Cell]:
    def cell(name: str, word: str, play: Play, *jobs: tuple[str, str, str], talks: bool = False) -> Cell:
        return Cell(f"{mode}-{name}", word, play, jobs, room={"transfer_mode": mode}, announced=True, talks=talks)

    no, nobody = failed(CONSULT, "declined"), failed(CONSULT, "no_answer")
    yield cell("accepted-by-key", Word.OK, accepts(TOLD, Press("1")), done(CONSULT))
    yield cell("accepted-by-voice", Word.OK, accepts(TOLD, YES), done(CONSULT), talks=True)
    yield cell("declined-by-key", Word.DECLINED, comes_back("declined", TOLD, Press("2")), no)
    yield cell("declined-by-voice", Word.DECLINED, comes_back("declined", TOLD, NO), no, talks=True)
    yield cell("hangs-up", Word.DECLINED, comes_back("declined", TOLD, Pause(200), HangUp()), no)
    yield cell("says-nothing", Word.NO_ANSWER, comes_back("no_answer"), nobody, talks=True)
    yield cell("machine", Word.NO_ANSWER, comes_back("no_answer", CHATTER, CHATTER, CHATTER), nobody, talks=True)
    yield cell("caller-gone-told", Word.CALLER_GONE, gone_while_told, failed(CONSULT, "caller_gone"))


def own_leg() -> Iterator[Cell]:
    """Where the caller's own leg goes."""
    for kind, number in (("queue", "700"), ("ivr", "800"), ("voicemail", "*991001")):
        play = goes(number, ("answer", ""), MUSIC if kind != "voicemail" else ("voicemail", ""))
        yield Cell(kind, Word.OK, play, (done(TRANSFER),), room={"kind": kind, "number": number})
    ends = ends_and_comes_back("700", ("playback", "tone_stream://%(100,0,1000)"))
    queue = {"kind": "queue", "number": "700"}
    yield Cell(
        "queue-ends", Word.OK, ends, (done(TRANSFER),), room=queue, returns=back_again(Word.UNREACHABLE, "Sales", "en")
    )
    gone = ends_and_comes_back("700")
    yield Cell(
        "queue-not-there",
        Word.OK,
        gone,
        (done(TRANSFER),),
        room=queue,
        returns=back_again(Word.UNREACHABLE, "Sales", "en"),
    )
    yield Cell("queue-no-agents", Word.NO_ANSWER, no_agents, room=queue)
    there = {"kind": "secretary", "number": "8002"}
    yield Cell("secretary", Word.OK, to_another_secretary, (done(TRANSFER),), room=there, returns=VERA)
    away = nobody_there("unreachable")
    yield Cell(
        "queue-switch-away",
        Word.UNREACHABLE,
        away,
        (failed(TRANSFER, "unreachable"),),
        room=queue | {"port": _nowhere()},
    )
    yield Cell("queue-closed", Word.CLOSED, nobody_there("closed"), room=queue | {"closed": True})


def _nowhere() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


LONGER: Final[Mapping[str, Any]] = {"ring_s": 7}


def without_worker() -> Iterator[Cell]:
    """The worker dies."""
    nothing = (CONSULT, "cancelled", "")
    yield Cell("worker-dead", Word.FAILED, worker_dies(comes_back("failed")), (nothing,))
    rings, fails = worker_dies_while_it_rings(2.5), worker_dies_while_it_rings(9.0)
    yield Cell("worker-dies-and-somebody-answers", Word.OK, rings, (done(CONSULT),), room=LONGER)
    yield Cell("worker-dies-and-nobody-answers", Word.FAILED, fails, (failed(CONSULT, "failed"),), room=LONGER)
    queue = {"kind": "queue", "number": "700"}
    gone = (TRANSFER, "cancelled", "")
    yield Cell("queue-worker-dead", Word.FAILED, worker_dies(_no_worker_for_the_queue), (gone,), room=queue)
    sends = (failed(TRANSFER, "failed"),)
    yield Cell("queue-worker-dies-sending", Word.OK, worker_dies_while_sending, sends, room=queue)


async def _no_worker_for_the_queue(on: Scene) -> None:
    on.world.switch.queues[f"700@{on.name}"] = {"agent": "Available"}
    on.dial()
    await on.back(Word.FAILED)


WITHOUT_WORKER: Final = {cell.name: cell for cell in without_worker()}
CELLS: Final = {cell.name: cell for cell in (*persons(), *own_leg())} | WITHOUT_WORKER
