"""The stand-in switch from the command line."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from eslbridge.simulator.cli import extension, main
from eslbridge.simulator.options import Extension

DIALPLAN = """<extension name="x"><condition field="destination_number" expression="^8001$">
<action application="answer"/><action application="sleep" data="400"/></condition></extension>"""


def test_a_call_from_the_shell(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """`--call … --once` places it over the dialplan file, records it and ends with 0."""
    plan = tmp_path / "plan.xml"
    plan.write_text(f'<context name="acme.example">{DIALPLAN}</context>')
    wav = tmp_path / "call.wav"
    caplog.set_level("INFO", logger="standin_switch")
    arguments = ["--listen", "127.0.0.1:0", "--dialplan", str(plan), "--call", "8001@acme.example", "--once"]
    assert main([*arguments, "--record", str(wav), "--calls", "2"]) == 0
    assert caplog.text.count("NORMAL_CLEARING") == 2
    with wave.open(str(wav)) as file:
        assert file.getnframes() > 2000


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1001@a.b", Extension("1001", "a.b")),
        ("1001@a.b=busy", Extension("1001", "a.b", "busy")),
        ("1001@a.b=answer:0.5", Extension("1001", "a.b", "answer", 0.5)),
    ],
)
def test_extensions(text: str, wanted: Extension) -> None:
    """`number@domain`, with conduct and seconds."""
    assert extension(text) == wanted


@pytest.mark.parametrize("arguments", [["--extension", "1001"], ["--extension", "1@a=asleep"], ["--dialplan", "/none"]])
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence and status 1 instead of a traceback."""
    with pytest.raises(SystemExit) as stop:
        main(["--listen", "127.0.0.1:0", *arguments])
    assert stop.value.code == 1
    assert capsys.readouterr().err.strip()
