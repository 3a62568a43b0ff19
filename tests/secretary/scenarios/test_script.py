"""A scenario with a mistake is refused with its place and what would be right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from secretary.scenarios import judge, virtual_time
from secretary.scenarios.run import play
from secretary.scenarios.script import Expect, ScriptError, every, load


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- a list", "a map of words"),
        ("says: [", "mine.yaml"),
        ("caller: []", "says"),
        ("says: x\nwho: me", "there is no who"),
        ("says: x\ncaller: {say: hello}", "a list is expected"),
        ("says: x\ncaller: [{shout: hello}]", "caller: 1: there is no shout"),
        ("says: x\ncaller: [{wait_ms: soon}]", "wait_ms: int is expected"),
        ("says: x\ncaller: [{wait_ms: true}]", "wait_ms: int is expected"),
        ("says: x\nexpect: {said: {a: b}}", "expect: said: a list of texts"),
        ("says: x\nprovider: [{calls: transfer}]", "provider: 1: calls: a map is expected"),
        ("says: x\nproviders: [{says: hello}]", "providers: 1"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, why: str) -> None:
    """The writer learns where the mistake is, not that something is wrong."""
    with pytest.raises(ScriptError, match=why):
        load(write(tmp_path, text))


def test_sound_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A missing WAV ends the rehearsal before it begins."""
    script = load(write(tmp_path, "says: x\nsecretary: {greeting: Hello.}\ncaller: [{play: roar.wav}]"))
    with pytest.raises(ScriptError, match=r"roar\.wav"):
        virtual_time.run(play(script, folder=tmp_path))


@pytest.mark.parametrize(
    "expect",
    [
        Expect(outcome="message"),
        Expect(destination="Support"),
        Expect(within_s=2),
        Expect(tools=("transfer", "transfer")),
        Expect(no_tools=("transfer",)),
        Expect(message_contains=("ladder",)),
        Expect(message_complete=True),
        Expect(said=("good night",)),
        Expect(never_said=("putting you through",)),
        Expect(caller_said=("support",)),
        Expect(notes=("fax",)),
        Expect(no_notes=("tool",)),
        Expect(interruptions=1),
        Expect(voice_stopped_within_ms=160),
        Expect(longest_silence_s=0.1),
        Expect(keys="7"),
    ],
)
def test_every_expectation_can_fail(expect: Expect) -> None:
    """A judge who always nods is no judge."""
    script = next(script for script in every() if script.name == "transfer-sales")
    assert len(judge.failures(virtual_time.run(play(replace(script, expect=expect))))) == 1


def test_the_command_tells_what_did_not_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An administrator sees the sentence that failed and the call as it went."""
    write(
        tmp_path,
        "says: Nobody speaks.\nsecretary: {greeting: Hello.}\ncaller: [{hang_up: true}]\nexpect: {outcome: message}",
    )
    with pytest.raises(CommandError, match="1 of 1 did not hold: mine"):
        call_command("scenario", folder=tmp_path)
    shown = capsys.readouterr().out
    assert "outcome 'caller_hung_up'" in shown and "Hello." in shown


def test_unknown_name_is_refused() -> None:
    """A typing mistake must not look like a rehearsal that held."""
    with pytest.raises(CommandError, match="no-such"):
        call_command("scenario", "no-such")
