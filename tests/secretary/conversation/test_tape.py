"""What becomes of a switch's recording when the switch, or the folder, does not do as it should."""

from __future__ import annotations

from eslbridge.control import ControlError
from secretary.conversation.tape import Tape
from tests.secretary.conversation.doubles import Switch


class Line(Switch):
    """Refuses what it is told to refuse."""

    refused: tuple[str, ...] = ()

    def _do(self, *what: str) -> None:
        self.did.append(what)
        if what[0] in self.refused:
            raise ControlError("no")


def tape_on(line: Line, *, folder: bool = True) -> tuple[Tape, list[str]]:
    steps: list[str] = []

    async def prepare() -> None:
        steps.append("prepared")
        if not folder:
            raise OSError("read-only")

    async def give_up() -> None:
        steps.append("given up")

    return Tape(line, "/r/a.wav", prepare=prepare, give_up=give_up), steps


async def test_begins_once() -> None:
    """However often the caller is told, there is one recording."""
    line = Line()
    tape, _ = tape_on(line)
    assert await tape.begin() == "" and await tape.begin() == ""
    assert line.did == [("record", "/r/a.wav")]


async def test_a_failure_is_told_and_given_up() -> None:
    """No folder, or a switch that refuses: nobody waits for a file that never comes."""
    line = Line()
    tape, steps = tape_on(line, folder=False)
    assert await tape.begin() == "read-only" and steps == ["prepared", "given up"] and line.did == []
    line.refused = ("record",)
    tape, steps = tape_on(line)
    assert await tape.begin() == "no" and steps == ["prepared", "given up"]


async def test_what_cannot_be_masked_is_ended() -> None:
    """A card number is not recorded, even where silence cannot be written: the recording ends there."""
    line = Line()
    line.refused = ("mask",)
    tape, _ = tape_on(line)
    await tape.begin()
    assert not await tape.pause(True)
    assert line.did[-1] == ("stop_recording", "/r/a.wav")
    assert await tape.pause(False)


async def test_paused_before_it_began() -> None:
    """A pause that comes before the recording holds for it."""
    line = Line()
    tape, _ = tape_on(line)
    await tape.pause(True)
    await tape.begin()
    assert line.did == [("record", "/r/a.wav"), ("mask", "/r/a.wav")]
