"""The session does what the machine says, with doubles all around it."""

from __future__ import annotations

import asyncio
import threading
import wave
from pathlib import Path
from typing import Any, cast

import pytest

from eslbridge import control as ctl
from secretary.conversation.office import Outcome
from secretary.conversation.recording import Disk, WavFile
from secretary.conversation.session import Session
from secretary.conversation.state import Rules
from tests.secretary.conversation import doubles
from tests.secretary.conversation.conftest import Call


async def test_greets_and_says_live_what_was_heard(call: Call) -> None:
    """The greeting is asked for at once; its line is live when it was heard, and in the record at the end."""
    assert call.provider.said == ["Hello."]
    assert call.office.lines == []
    call.leg.hear_all()
    assert [line.text for line in call.office.lines] == ["Hello."]
    call.switch.tell(ctl.HungUp("NORMAL_CLEARING"))
    record = await call.ended()
    assert record.outcome == "caller_hung_up" and record.lines == call.office.lines


async def test_barge_in_reaches_the_leg_and_the_provider(call: Call) -> None:
    """The voice stops in the very call of voice activity that proves speech; the provider learns how far it came."""
    call.leg.hear_all()
    call.provider.speak("one two three four", ms=4_000)
    call.leg.heard_ms += 2_000
    call.speak()
    assert call.leg.stops == 1 and call.provider.cut == []
    call.go_on()
    assert call.provider.cut == [("u", "one two", 2_000)]


async def test_transfer_is_asked_of_the_office_and_ends_when_the_call_leaves(call: Call) -> None:
    """Only the call's leaving makes a transfer; the record names the destination."""
    call.leg.hear_all()
    call.provider.tool("transfer", destination_uuid="d1")
    await call.settle()
    assert call.office.transfers == ["d1"]
    assert not call.task.done()
    call.switch.tell(ctl.Left("transferred"))
    record = await call.ended()
    assert (record.outcome, record.destination_uuid) == ("transferred", "d1")


async def test_the_leg_falls_silent_before_the_transfer_is_asked(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A switch that is still writing our voice to the call would never let go of it."""
    monkeypatch.setattr("secretary.conversation.waiting.HAND_OVER_MS", 40)
    call.leg.hear_all()
    call.provider.tool("transfer", destination_uuid="d1")
    await call.settle()
    assert (call.leg.holds, call.office.transfers) == (1, [])
    await asyncio.sleep(0.1)
    assert call.office.transfers == ["d1"]


async def test_a_caller_who_hangs_up_meanwhile_is_not_put_through(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between falling silent and asking, too, the transfer can be taken back."""
    monkeypatch.setattr("secretary.conversation.waiting.HAND_OVER_MS", 40)
    call.leg.hear_all()
    call.provider.tool("transfer", destination_uuid="d1")
    await call.settle()
    call.switch.tell(ctl.HungUp("ORIGINATOR_CANCEL"))
    assert (await call.ended()).outcome == "caller_hung_up"
    assert call.office.transfers == []


@pytest.mark.parametrize("trouble", [Outcome("not_allowed", "premium"), RuntimeError("database gone")])
async def test_failed_transfer_comes_back_to_the_provider(call: Call, trouble: Outcome | Exception) -> None:
    """Whatever goes wrong outside, the provider hears of it and the record names no destination."""
    call.office.transfer_outcome = trouble
    call.leg.hear_all()
    call.provider.tool("transfer", destination_uuid="d1")
    await call.settle()
    assert call.provider.results == [("transfer", "not_allowed" if isinstance(trouble, Outcome) else "failed")]
    assert call.session.record.destination_uuid == ""


async def test_hanging_up_in_a_message_keeps_its_audio(call: Call) -> None:
    """The message of a caller who hangs up is stored with all that was said, before the session ends."""
    call.leg.hear_all()
    call.provider.tool("record_message")
    call.speak()
    call.switch.tell(ctl.HungUp("NORMAL_CLEARING"))
    record = await call.ended()
    assert record.outcome == "message"
    begun, ended = call.office.messages
    text, audio, complete = ended
    assert begun == ended and (text, complete) == ("", False) and audio is not None
    with wave.open(str(audio)) as file:
        assert file.getnframes() == 8 * 160


async def test_end_of_a_turn_gives_its_audio_to_the_provider(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn is what was heard from before its onset on."""
    call.leg.hear_all()
    call.speak()
    monkeypatch.setattr(call.session, "_began", call.session._began - 2.0)
    call.activity.judge(0.0)
    assert len(call.provider.turns) == 1 and len(call.provider.turns[0]) == 8 * 320


async def test_a_switch_that_refuses_does_not_break_the_end(call: Call) -> None:
    """The call is gone already: the session still ends and cleans up."""
    call.switch.refuse = True
    call.leg.hear_all()
    call.provider.tool("end_call", reason="done")
    record = await call.ended()
    assert record.outcome == "completed" and call.switch.did == [("hang_up", "NORMAL_CLEARING")]
    assert call.leg.closed and call.provider.closed and call.activity.slots == 0


async def test_a_node_going_down_gives_the_caller_to_the_fallback(call: Call) -> None:
    """Nobody is dropped into silence."""
    call.session.drop("restart")
    record = await call.ended()
    assert record.outcome == "fallback" and call.switch.did == [("leave", "node_failed")]


async def test_cancelling_leaves_nothing_behind(call: Call) -> None:
    """A cancelled session gives back its slot, leg and provider, and sends the caller to the fallback."""
    call.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.task
    assert call.leg.closed and call.provider.closed and call.activity.slots == 0
    assert call.switch.did == [("leave", "node_failed")]


async def test_both_sides_are_recorded(call: Call, tmp_path: Path) -> None:
    """The recording is complete when the session ends, also what came in one burst."""
    call.leg.hear_all()
    call.speak()
    call.switch.tell(ctl.HungUp("NORMAL_CLEARING"))
    await call.ended()
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert file.getnchannels() == 2 and file.getnframes() >= 8 * 160


async def test_an_action_that_fails_sends_the_caller_on(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider with a bug costs its own call the conversation, and not the caller the way out."""

    def broken(pcm: bytes) -> None:
        raise RuntimeError("a bug")

    call.leg.hear_all()
    monkeypatch.setattr(call.provider, "turn_ended", broken)
    call.speak()
    monkeypatch.setattr(call.session, "_began", call.session._began - 2.0)
    call.activity.judge(0.0)
    record = await call.ended()
    assert call.switch.did == [("leave", "node_failed")] and record.outcome == "fallback"


async def test_an_answer_from_inside_an_action_comes_after_it(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that speaks the moment it hears of a result does not overtake what was decided before."""
    order: list[str] = []
    monkeypatch.setattr(call.provider, "turn_started", lambda: order.append("turn"))

    def answered(*_: str) -> None:
        call.provider.speak("oh", id="v")
        order.append("result")

    monkeypatch.setattr(call.provider, "tool_result", answered)
    monkeypatch.setattr(call.provider, "interrupted", lambda *_: order.append("interrupted"))
    call.leg.hear_all()
    call.provider.speak("One moment.", ms=2_000)
    call.provider.tool("transfer", destination_uuid="d1")
    call.speak()
    call.go_on()
    assert order == ["interrupted", "result", "turn", "interrupted"]


async def test_a_provider_that_fails_before_the_audio_is_there_is_heard(tmp_path: Path) -> None:
    """Its failure is not forgotten: the caller does not wait for a greeting that cannot come."""
    leg, switch, provider, disk = doubles.Leg(), doubles.Switch(), doubles.Provider(), Disk()
    session = Session(
        call=switch,
        provider=provider,
        rules=Rules(greeting="Hello."),
        voice_activity=cast(Any, doubles.Activity()),
        office=doubles.Office(),
        disk=disk,
        message_path=lambda: tmp_path / "message.wav",
    )
    await provider.open(session)
    session.on_failed("the socket closed")
    task = asyncio.create_task(session.run(leg))
    await asyncio.sleep(0)
    assert "Hello." not in provider.said
    leg.hear_all()
    assert (await task).detail == "provider_failed"
    disk.close()


async def test_a_disk_that_fails_loses_no_message(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message reaches the database although its sound could not be written."""

    def full(file: WavFile) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(WavFile, "close", full)
    call.leg.hear_all()
    call.provider.tool("record_message")
    call.speak()
    call.switch.tell(ctl.HungUp("NORMAL_CLEARING"))
    record = await call.ended()
    assert record.outcome == "message" and len(call.office.messages) == 2


async def test_a_disk_that_hangs_does_not_hold_the_record(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a call waits for its files, but not for ever."""
    monkeypatch.setattr("secretary.conversation.keeping.DISK_S", 0.05)
    stuck = threading.Event()
    call.session._disk._thread.submit(stuck.wait, 4)
    call.leg.hear_all()
    call.speak()
    call.switch.tell(ctl.HungUp("NORMAL_CLEARING"))
    async with asyncio.timeout(2):
        assert (await call.task).outcome == "caller_hung_up"
    stuck.set()


async def test_hanging_up_takes_the_transfer_back(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller who is gone is not put through, and the record does not wait for it."""
    taken_back = asyncio.Event()

    async def transfer(destination_uuid: str, caller: object) -> Outcome:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            taken_back.set()
            raise
        return Outcome("ok")

    monkeypatch.setattr(call.office, "transfer", transfer)
    call.leg.hear_all()
    call.provider.tool("transfer", destination_uuid="d1")
    await call.settle()
    call.switch.tell(ctl.HungUp("ORIGINATOR_CANCEL"))
    async with asyncio.timeout(2):
        assert (await call.task).outcome == "caller_hung_up"
    assert taken_back.is_set()


async def test_a_call_that_came_back_is_not_sent_on_by_its_old_conversation(call: Call) -> None:
    """The newer connection has the caller: the old conversation ends without a word to the switch."""
    call.leg.hear_all()
    call.session.moved()
    assert (await call.ended()).outcome == "transferred"
    assert call.switch.did == []


async def test_tools_are_run_by_the_office(call: Call) -> None:
    """Name and arguments reach it, its answer reaches the provider; one that breaks is a failed tool, no more."""
    call.leg.hear_all()
    call.provider.tool("business_info", topic="hours")
    await call.settle()
    assert call.office.tools == [("business_info", {"topic": "hours"})]
    call.office.tool_outcome = RuntimeError("a bug")
    call.provider.tool("other")
    await call.settle()
    assert call.provider.results == [("business_info", "ok"), ("other", "failed")]


async def test_digits_go_to_the_switch(call: Call) -> None:
    """And what it says of them comes back."""
    call.leg.hear_all()
    call.provider.tool("send_dtmf", digits="12#")
    await call.settle()
    call.switch.refuse = True
    call.provider.tool("send_dtmf", digits="3")
    await call.settle()
    assert call.switch.did == [("send_dtmf", "12#"), ("send_dtmf", "3")]
    assert call.provider.results == [("send_dtmf", "ok"), ("send_dtmf", "failed")]


async def test_what_a_caller_told_of_themselves_is_stored(call: Call) -> None:
    """A model's message goes to the office with all that it gave."""
    call.leg.hear_all()
    call.provider.tool("take_message", text="Please call.", reason="an invoice")
    await call.settle()
    assert call.office.messages == [("Please call.", None, True)] and call.office.given == [{"reason": "an invoice"}]


async def test_music_on_hold_goes_round_until_somebody_is_back(call: Call) -> None:
    """Heard until the caller speaks, however long; then there is silence at once."""
    call.leg.hear_all()
    call.provider.tool("hold")
    for _ in range(3):
        assert call.leg.queued_ms > 5_000
        call.leg.hear_all()
    assert call.leg.listener is not None
    for _ in range(25):
        call.leg.listener.on_frame(bytes(320))
    call.speak()
    assert call.leg.queued_ms == 0 and call.provider.results == [("hold", "interrupted")]


async def test_a_suspicion_turns_the_voice_down_and_back(call: Call) -> None:
    """On the leg, in the very call of voice activity that raises it."""
    call.leg.hear_all()
    call.provider.speak("one two three four", ms=4_000)
    call.activity.judge(0.45)
    assert call.leg.gains == [0.35]
    for _ in range(4):
        call.activity.judge(0.0)
    assert call.leg.gains == [0.35, 1.0] and call.leg.stops == 0


async def test_a_cough_is_played_over(call: Call) -> None:
    """The leg is stopped and given the rest, and the provider hears nothing of it."""
    call.leg.hear_all()
    call.provider.speak("one two three four", ms=4_000)
    call.leg.heard_ms, call.leg.queued_ms = call.leg.heard_ms + 2_000, 2_000
    call.activity.judge(0.95)
    assert call.leg.queued_ms == 0
    call.session._began -= 0.4
    call.activity.judge(0.0)
    assert call.leg.queued_ms == 2_240 and call.provider.cut == [] and call.provider.turns == []


async def test_the_first_frame_of_an_answer_is_timed(call: Call) -> None:
    """From the provider's sound to the frame that leaves."""
    call.leg.heard_ms += 20
    assert call.leg.listener is not None
    call.leg.listener.on_frame(bytes(320))
    assert call.session._machine.latency.summary()["to_switch"] >= 0
    call.leg.listener.on_frame(bytes(320))
    assert "to_switch_max" not in call.session._machine.latency.summary()


async def test_a_provider_that_hears_by_itself_gets_no_audio_twice(call: Call) -> None:
    """Its own decision ends the turn; what it understands meanwhile is welcome."""
    call.provider.detects_turns = True
    call.leg.hear_all()
    call.speak()
    call.session.on_caller_interim("I want to")
    call.session.on_speech_started()
    call.session.on_speech_stopped()
    assert call.provider.turns == []
    call.provider.speak("Of course.", ms=400)
    assert call.leg.queued_ms == 400
    call.session.on_language("pt-br")
    assert [note.detail for note in call.office.notes if note.kind == "language"] == [{"language": "pt-br"}]
