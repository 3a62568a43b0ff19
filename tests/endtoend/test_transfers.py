"""Every transfer kind and outcome, with real Celery, Redis and PostgreSQL, a whole voice node, and the stand-in switch.

All the calls run side by side, each in a domain of its own with the same numbers as all the others; those during which
the worker dies come when nobody else needs it. What came of each is looked at by a subtest of its own.
"""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from django.utils import timezone

from eslbridge import jobs
from eslbridge.outcomes import TransferOutcome
from secretary.conversation import session
from secretary.models.destination import DestinationKind, TransferMode
from secretary.speech.local.phrases import NOT_PUT_THROUGH, Phrase, sentence
from secretary.voicenode import putting_through
from tenants.context import in_thread
from tests.endtoend.cells import CELLS, WITHOUT_WORKER, Cell
from tests.endtoend.foreign import FOREIGN
from tests.endtoend.scene import Scene, Told
from tests.endtoend.world import World, until, world

ONE_CALL_S = 90.0
APART_S = 0.05
"""Calls are in a hurry: all in the same moment would be more than the small machine of a test run takes in in time."""
Came = dict[str, Told | str]
"""What came of each call; a text says what went wrong with it."""


async def play(here: World, cell: Cell) -> Scene | str:
    """Until the caller may hang up."""
    on = Scene(here, cell.name)
    try:
        async with asyncio.timeout(ONE_CALL_S):
            await on.furnish(**cell.room)
            await cell.play(on)
            return on
    except Exception:
        return f"{traceback.format_exc()}\n{on.story()}"


async def over(on: Scene | str, cell: Cell) -> Told | str:
    try:
        return on if isinstance(on, str) else await on.over(cell.jobs)
    except Exception:
        return traceback.format_exc()


async def call(here: World, cell: Cell) -> Told | str:
    return await over(await play(here, cell), cell)


async def meet(here: World, name: str) -> tuple[str, str]:
    """Two tenants; empty where all went well."""
    try:
        async with asyncio.timeout(ONE_CALL_S):
            await FOREIGN[name](here)
            return name, ""
    except Exception:
        return name, traceback.format_exc()


async def play_all(folder: Path, names: Sequence[str]) -> Came:
    cells = [CELLS[name] for name in names if name in CELLS and name not in WITHOUT_WORKER]
    async with world(folder) as here:
        tenants = asyncio.gather(*(meet(here, name) for name in names if name in FOREIGN))
        calls = {}
        for cell in sorted(cells, key=lambda cell: not cell.talks):
            calls[cell] = asyncio.create_task(call(here, cell))
            await asyncio.sleep(APART_S)
        await asyncio.gather(tenants, *(task for cell, task in calls.items() if not cell.talks))
        came = await play_without_worker(here, [CELLS[name] for name in names if name in WITHOUT_WORKER])
        return came | dict(await tenants) | {cell.name: await task for cell, task in calls.items()}


async def play_without_worker(here: World, cells: Sequence[Cell]) -> Came:
    if not cells:
        return {}

    async def kill() -> None:
        with suppress(AssertionError):  # whoever is not ready says so
            await until(lambda: here.waiting_for_death == len(cells), "everybody is ready for the worker's death")
        await here.worker.stop()
        here.worker_is_dead.set()

    with (
        mock.patch.object(putting_through, "CALLING_S", 4.0),
        mock.patch.object(putting_through, "TRANSFER_S", 3.0),
        mock.patch.object(session, "GOODBYE_S", 2.0),
    ):
        scenes, _ = await asyncio.gather(asyncio.gather(*(play(here, cell) for cell in cells)), kill())
    # As the sweeper does it when the time has come.
    await in_thread(jobs.sweep, timezone.now() + jobs.STALE_AFTER + timedelta(seconds=1))
    came = await asyncio.gather(*(over(on, cell) for on, cell in zip(scenes, cells, strict=True)))
    return dict(zip((cell.name for cell in cells), came, strict=True))


def check(cell: Cell, told: Told | str) -> None:
    """The outcome is on the timeline and in the job, the caller hears it and what else there is, nothing is left."""
    assert isinstance(told, Told), told
    assert told.jobs == list(cell.jobs)
    assert told.said[:2] == ["Good morning.", sentence(Phrase.TRANSFERRING, "en", place="Sales")]
    assert bool(told.announced) is cell.announced, "the colleague hears who is calling, unless it is blind"
    match cell.word:
        case "ok":
            assert told.outcome == ("caller_hung_up" if cell.returns else "transferred")
            assert (told.ends, told.tried) == ([], list(cell.tried))
            assert told.said[2:] == ([cell.returns] if cell.returns else [])
        case "caller_gone":
            assert told.outcome == "caller_hung_up"
        case word:
            assert (told.outcome, told.ends, told.tried) == ("caller_hung_up", [word], [("Sales", word)])
            said = sentence(NOT_PUT_THROUGH.get(word, Phrase.TRANSFER_FAILED), "en", place="Sales")
            assert told.said[2:] == [said] and said.endswith("?"), "what happened, and what else there is"


@pytest.mark.django_db(transaction=True)
async def test_every_transfer(tmp_path: Path, subtests: pytest.Subtests) -> None:
    """Every way of putting a caller through ends as it should; and two tenants never meet.

    One test, because the calls share what is dear. Some of them: CALLS=busy,queue in the environment.
    """
    chosen = os.environ.get("CALLS", "").split(",")
    names = [name for name in (*CELLS, *FOREIGN) if any(one in name for one in chosen)]
    came = await play_all(tmp_path, names)
    for name in names:
        with subtests.test(name):
            if name in CELLS:
                check(CELLS[name], came[name])
            else:
                assert came[name] == ""


def test_every_kind_and_every_outcome_is_among_them() -> None:
    """The matrix has them all; how many calls it takes is written here, so that none gets lost unseen."""
    rooms = [cell.room for cell in CELLS.values()]
    assert {cell.word for cell in CELLS.values()} == {str(word) for word in TransferOutcome}
    assert {room.get("transfer_mode", "blind") for room in rooms} == set(TransferMode.values)
    assert {room.get("kind", "extension") for room in rooms} == set(DestinationKind.values)
    assert len(CELLS) == 76
