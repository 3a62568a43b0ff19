"""The caller who is being put through hears music all the while, whatever else they are played."""

from __future__ import annotations

import asyncio

from eslbridge import control as ctl
from secretary.conversation.office import CallerSide, Outcome
from tests.secretary.conversation.conftest import Call


async def test_the_music_goes_round_until_it_is_decided(call: Call) -> None:
    """However long a colleague rings and listens; and when nobody takes the call, the voice comes without it."""
    decided = asyncio.Event()

    async def rings(destination_uuid: str, caller: CallerSide) -> Outcome:
        caller.music(True)
        await decided.wait()
        return Outcome("declined")

    call.office.transfer = rings  # type: ignore[method-assign]
    call.leg.hear_all()
    call.provider.tool("transfer", destination_uuid="d1")
    await call.settle()
    for _ in range(4):
        assert call.leg.queued_ms > 5_000
        call.leg.hear_all()
    decided.set()
    await call.settle()
    assert call.leg.queued_ms == 0 and call.provider.results == [("transfer", "declined")]


async def test_a_colleagues_question_comes_between(call: Call) -> None:
    """The caller hears it without music, answers it, and the music is back."""
    answers: list[bytes] = []

    async def asks(destination_uuid: str, caller: CallerSide) -> Outcome:
        caller.music(True)
        answers.append(await caller.ask(bytes(16 * 1_000)))
        await asyncio.Event().wait()
        return Outcome("ok")

    call.office.transfer = asks  # type: ignore[method-assign]
    call.leg.hear_all()
    call.provider.tool("transfer", destination_uuid="d1")
    await call.settle()
    assert call.leg.queued_ms == 1_000
    call.leg.hear_all()
    assert call.leg.queued_ms == 0
    call.speak()
    for _ in range(60):
        call.session._began -= 0.032
        call.activity.judge(0.0)
    await call.settle()
    assert len(answers) == 1 and len(answers[0]) > 0
    call.leg.hear_all()
    assert call.leg.queued_ms > 5_000
    call.switch.tell(ctl.HungUp("NORMAL_CLEARING"))
    assert (await call.ended()).outcome == "caller_hung_up"
