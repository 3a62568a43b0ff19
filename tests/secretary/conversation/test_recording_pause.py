"""A recording is paused while something is said that must not be kept, and never for longer."""

from __future__ import annotations

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from tests.secretary.conversation.stage import Stage


def paused() -> Stage:
    stage = Stage()
    stage.greet()
    stage.call_tool("pause_recording")
    return stage


def kinds(stage: Stage) -> list[str]:
    return [note.kind for note in stage.all(act.Note) if note.kind.startswith("recording_")]


def test_pauses_and_resumes() -> None:
    """The model is answered when the switch has been told, and may have it go on."""
    stage = paused()
    assert stage.all(act.PauseRecording) == [act.PauseRecording("pause_recording")] and stage.answers() == []
    stage.give(ev.ToolDone("pause_recording", "ok"))
    stage.call_tool("resume_recording")
    assert stage.answers() == [("pause_recording", "ok"), ("resume_recording", "ok")]
    assert kinds(stage) == ["recording_paused", "recording_resumed"] and len(stage.all(act.ResumeRecording)) == 1


def test_goes_on_by_itself() -> None:
    """A model that forgets it: after 90 seconds the call is recorded again, and not before."""
    stage = paused()
    stage.give(ev.ToolDone("pause_recording", "ok"))
    for second in range(95):  # a conversation goes on meanwhile
        if second == 89:
            assert not stage.all(act.ResumeRecording)
        stage.advance(1_000)
        if second % 3 == 0:
            stage.say("One moment.", 500, id=f"m{second}")
    assert len(stage.all(act.ResumeRecording)) == 1 and kinds(stage)[-1] == "recording_resumed"


def test_goes_on_at_a_transfer_and_at_the_end() -> None:
    """Whoever has the caller next is recorded: sound is written before the call is moved."""
    for event in (ev.CallEnded("NORMAL_CLEARING"), ev.Broken("provider", "gone")):
        stage = paused()
        stage.give(event)
        stage.advance(10_000)
        assert len(stage.all(act.ResumeRecording)) == 1
    stage = paused()
    stage.give(ev.ToolDone("pause_recording", "ok"))
    stage.call_tool("transfer", destination_uuid="d")
    stage.advance(100)
    moved = [type(action) for action in stage.done if isinstance(action, act.ResumeRecording | act.Transfer)]
    assert moved == [act.ResumeRecording, act.Transfer]


def test_keys_are_not_written_down_meanwhile() -> None:
    """A card number that is typed stands nowhere; the provider has the digits."""
    stage = paused()
    for digit in "4111":
        stage.give(ev.Pressed(digit))
    stage.call_tool("resume_recording")
    stage.give(ev.Pressed("5"))
    assert [note.detail for note in stage.all(act.Note) if note.kind == "dtmf"] == [{}] * 4 + [{"digit": "5"}]
    assert [passed.digit for passed in stage.all(act.PassDigit)] == list("41115")
