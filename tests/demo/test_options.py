"""The demo's command line and its callers."""

from __future__ import annotations

import pytest

from eslbridge.media.attach import TRANSPORTS as LEGS
from secretary.demo.options import TRANSPORTS, parse
from secretary.demo.scenarios import SCENARIOS, VOICES, Result

NOTHING = Result("caller_hung_up", "", interrupted=False, message=False, reached_colleague=False)
PUT_THROUGH = Result("transferred", "Sales", interrupted=False, message=False, reached_colleague=True)


def test_defaults() -> None:
    """Plain `script/demo` is the sales caller over direct UDP, and stays up."""
    options = parse([])
    assert (options.scenario, options.transport, options.once, options.json) == ("sales", "direct-udp", False, False)


def test_every_transport_is_offered() -> None:
    """The demo runs over each audio leg that there is."""
    assert set(TRANSPORTS) == set(LEGS)


@pytest.mark.parametrize("arguments", [["--scenario", "nobody"], ["--transport", "pigeon"], ["now"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and the sentence that tells what there is."""
    with pytest.raises(SystemExit) as stop:
        parse(arguments)
    assert stop.value.code == 2
    assert "script/demo" in capsys.readouterr().err


def test_help_names_every_caller(capsys: pytest.CaptureFixture[str]) -> None:
    """A newcomer sees who can call."""
    with pytest.raises(SystemExit):
        parse(["--help"])
    text = capsys.readouterr().out
    assert all(one.name in text and one.says in text for one in SCENARIOS.values())


def test_the_callers_named_in_the_issue_are_there() -> None:
    """Sales, message, interrupt, silent, unknown, hang-up."""
    assert set(SCENARIOS) == {"sales", "message", "interrupt", "silent", "unknown", "hangup"}


def test_only_a_real_transfer_counts() -> None:
    """The record alone is not enough: the caller must have been bridged with the colleague."""
    sales = SCENARIOS["sales"]
    assert sales.holds(PUT_THROUGH)
    assert not sales.holds(Result("transferred", "Sales", False, False, reached_colleague=False))
    assert not sales.holds(NOTHING)


def test_judgements() -> None:
    """Each other caller is judged by what matters for them."""
    assert not SCENARIOS["interrupt"].holds(PUT_THROUGH)
    assert SCENARIOS["interrupt"].holds(Result("transferred", "Sales", True, False, True))
    assert SCENARIOS["message"].holds(Result("message", "", False, True, False))
    assert not SCENARIOS["message"].holds(Result("message", "", False, False, False))
    assert SCENARIOS["silent"].holds(Result("fallback", "", False, False, False))
    assert SCENARIOS["hangup"].holds(NOTHING)
    assert not SCENARIOS["unknown"].holds(PUT_THROUGH)


def test_every_voice_is_there() -> None:
    """A scenario's recordings are in the package and can be played."""
    from eslbridge.simulator.audio import read_file
    from eslbridge.simulator.caller import Say

    voices = [step.voice for one in SCENARIOS.values() for step in one.steps if isinstance(step, Say)]
    assert voices
    for voice in voices:
        assert isinstance(voice, type(VOICES))
        assert len(read_file(voice)) > 8000, voice
