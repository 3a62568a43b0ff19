"""Text to voice: form, cache and bounds. Uses whichever engine this machine has; espeak-ng always is there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from secretary.speech.local import espeak, render
from secretary.speech.local.errors import VoiceError
from secretary.speech.local.voice import MAX_TEXT, Voice

SPOKEN = bytes(1600)


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No engine, only who was asked to speak: 100 ms for each text."""
    texts: list[str] = []

    def speak(text: str, _voice: str, _language: str, *, deadline_s: float) -> bytes:
        texts.append(text)
        if text == "broken":
            raise VoiceError("no engine")
        return SPOKEN

    monkeypatch.setattr(render, "speak", speak)
    return texts


def suffixes(folder: Path) -> list[str]:
    return [path.suffix for path in folder.iterdir()]


@pytest.mark.parametrize(("language", "text"), [("en", "Good morning, this is Acme."), ("pt-br", "Bom dia, João.")])
def test_both_languages_speak(language: str, text: str) -> None:
    """Real sound at telephone level: between half a second and five, trimmed, no peak above the limit."""
    pcm = render.speak(text, render.resolve("", language), language, deadline_s=10)
    samples = np.frombuffer(pcm, "<i2") / 32768
    assert 0.5 < len(samples) / 8000 < 5
    assert np.abs(samples).max() <= 10 ** (render.PEAK_DBFS / 20) + 0.001
    active = samples[np.abs(samples) > 0.02 * np.abs(samples).max()]
    assert -24 < 20 * np.log10(np.sqrt(np.mean(active**2))) < -18
    assert np.abs(samples[:400]).max() > 0.003  # speech begins within 50 ms


def test_the_wheels_library_speaks_like_the_binary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing installed has a voice, from the library in a process of its own."""
    monkeypatch.setattr(espeak, "binary", lambda: None)
    monkeypatch.setattr(render, "flite", lambda: None)
    pcm = render.speak("Good morning.", render.resolve("female", "en"), "en", deadline_s=10)
    assert len(pcm) > 8000


def test_text_cannot_command_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A greeting is read aloud whatever it looks like: no option, no phoneme input, no mark-up."""
    monkeypatch.setattr(render, "flite", lambda: None)
    for text in ("--help", "[[h@loU]] -w /tmp/x", "<audio src='x'/> ok", "\x00\x1b[2J hello"):
        assert render.speak(text, "espeak:en-us", "en", deadline_s=10)
    assert espeak.plain("a [[b]] <c>\n\x00 d") == "a b c d"


def test_nothing_to_say_is_silence() -> None:
    """An empty greeting does not start an engine, nor fail."""
    assert set(render.speak(" …", "espeak:en-us", "en", deadline_s=10)) == {0}


def test_a_voice_is_from_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """flite takes other names for files or addresses to load: they never reach it."""
    monkeypatch.setattr(render, "flite", lambda: "/usr/bin/flite")
    assert render.resolve("http://evil.example/x.flitevox", "en") == "flite:slt"
    assert render.resolve("rms", "en") == "flite:rms"
    assert render.resolve("rms", "pt-br").startswith("espeak:pt-br")


async def test_a_prompt_is_rendered_once(tmp_path: Path, spoken: list[str]) -> None:
    """Ten callers at once, and the next node, and the next day: one rendering."""
    voice = Voice(tmp_path)
    assert voice.ready("hello", "", "en") is None
    await asyncio.gather(*(voice.render("hello", "", "en") for _ in range(10)))
    assert voice.ready("hello", "", "en") == SPOKEN
    voice.close()
    other = Voice(tmp_path)
    assert await other.render("hello", "", "en") == SPOKEN
    other.close()
    assert spoken == ["hello"]
    assert suffixes(tmp_path) == [".l16"]


async def test_memory_is_bounded(tmp_path: Path, spoken: list[str]) -> None:
    """The least recently used prompt leaves; it is still on the disk."""
    voice = Voice(tmp_path, memory_bytes=2 * len(SPOKEN))
    for text in ("a", "b", "c"):
        await voice.render(text, "", "en")
    assert [voice.ready(text, "", "en") is not None for text in ("a", "b", "c")] == [False, True, True]
    await voice.render("a", "", "en")
    assert spoken == ["a", "b", "c"]
    voice.close()


async def test_the_disk_is_bounded(tmp_path: Path, spoken: list[str]) -> None:
    """However many sentences there ever were."""
    voice = Voice(tmp_path, disk_bytes=3 * len(SPOKEN), threads=1)
    for number in range(8):
        await voice.render(f"text {number}", "", "en")
    assert suffixes(tmp_path) == [".l16"] * 3
    voice.close()


async def test_a_broken_engine_is_an_error_not_a_silence(tmp_path: Path, spoken: list[str]) -> None:
    """And the next try asks the engine again."""
    voice = Voice(tmp_path)
    for _ in range(2):
        with pytest.raises(VoiceError):
            await voice.render("broken", "", "en")
    assert await voice.prepare(["broken", "fine", " "], "", "en") == 1
    assert spoken == ["broken", "broken", "broken", "fine"]
    voice.close()


async def test_endless_text_is_cut(tmp_path: Path, spoken: list[str]) -> None:
    """A greeting of a book's length costs a minute of voice at most."""
    voice = Voice(tmp_path)
    await voice.render("x" * 100_000, "", "en")
    assert len(spoken[0]) == MAX_TEXT
    voice.close()


async def test_a_full_disk_does_not_cost_the_call(tmp_path: Path, spoken: list[str]) -> None:
    """What cannot be kept is spoken all the same."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    voice = Voice(blocked / "voice")
    assert await voice.render("hello", "", "en") == SPOKEN
    voice.close()
