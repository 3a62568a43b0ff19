"""Every way of putting a caller through, and every way it can end: what happens, and what must have come of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eslbridge.outcomes import TransferOutcome as Word
from eslbridge.simulator import HangUp, Pause, Press
from secretary.speech.local.phrases import back_again
from tests.endtoend.plays import (
    CHATTER,
    LONGER_S,
    MUSIC,
    NO,
    TOLD,
    VERA,
    YES,
    Play,
    accepts,
    asks,
    busy_then_office,
    comes_back,
    ends_and_comes_back,
    goes,
    gone_while_it_rings,
    gone_while_told,
    group,
    in_another_call,
    no_agents,
    no_worker_for_the_queue,
    nobody_there,
    routed,
    to_another_secretary,
    worker_dies,
    worker_dies_while_it_rings,
    worker_dies_while_sending,
)  # fmt: skip

SPOKEN: Final = ("announced", "attended")
MODES: Final = ("blind", *SPOKEN)
CONSULT, TRANSFER, HANGUP = "consult", "transfer", "hangup"


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
            routed(dialled),
            (done(CONSULT),),
            room=room,
            announced=True,
        )
    for mode in SPOKEN:
        yield from _somebody_decides(mode)
    asked = {"transfer_mode": "attended"}
    no = failed(CONSULT, "declined")
    for by, then, word, job in (
        ("key", "1", Word.OK, done(CONSULT)), ("key", "2", Word.DECLINED, no), ("voice", "1", Word.OK, done(CONSULT)),
    ):  # fmt: skip
        play = asks(by=by, then=then)
        yield Cell(f"attended-asks-by-{by}-{word}", word, play, (job,), room=asked, announced=True, talks=True)


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
        f"{mode}-busy-fallback", Word.OK, busy_then_office, (failed(CONSULT, "busy"), done(CONSULT)),
        (("Sales", "busy"),), {"transfer_mode": mode, "instead": "1005"},
    )  # fmt: skip


def _somebody_decides(mode: str) -> Iterator[Cell]:
    def cell(name: str, word: str, play: Play, *jobs: tuple[str, str, str], talks: bool = False) -> Cell:
        return Cell(f"{mode}-{name}", word, play, jobs, room={"transfer_mode": mode}, announced=True, talks=talks)

    no, nobody = failed(CONSULT, "declined"), failed(CONSULT, "no_answer")
    yield cell("accepted-by-key", Word.OK, accepts(TOLD, Press("1")), done(CONSULT))
    yield cell("accepted-by-voice", Word.OK, accepts(*(TOLD, YES) * 2), done(CONSULT), talks=True)
    yield cell("declined-by-key", Word.DECLINED, comes_back("declined", TOLD, Press("2")), no)
    yield cell("declined-by-voice", Word.DECLINED, comes_back("declined", *(TOLD, NO) * 2), no, talks=True)
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


LONGER: Final = {"ring_s": LONGER_S}


def without_worker() -> Iterator[Cell]:
    """The worker dies."""
    nothing = (CONSULT, "cancelled", "")
    yield Cell("worker-dead", Word.FAILED, worker_dies(comes_back("failed")), (nothing,))
    rings, fails = worker_dies_while_it_rings(2.5), worker_dies_while_it_rings(9.0)
    yield Cell("worker-dies-and-somebody-answers", Word.OK, rings, (done(CONSULT),), room=LONGER)
    yield Cell("worker-dies-and-nobody-answers", Word.NO_ANSWER, fails, (failed(CONSULT, "no_answer"),), room=LONGER)
    queue = {"kind": "queue", "number": "700"}
    gone = (TRANSFER, "cancelled", "")
    yield Cell("queue-worker-dead", Word.FAILED, worker_dies(no_worker_for_the_queue), (gone,), room=queue)
    sends = (failed(TRANSFER, "failed"),)
    yield Cell("queue-worker-dies-sending", Word.OK, worker_dies_while_sending(4), sends, room=queue)


WITHOUT_WORKER: Final = {cell.name: cell for cell in without_worker()}
CELLS: Final = {cell.name: cell for cell in (*persons(), *own_leg())} | WITHOUT_WORKER
