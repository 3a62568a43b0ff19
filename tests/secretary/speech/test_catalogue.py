"""What services say they want to be told is what their code reads, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from secretary.speech import registry
from secretary.speech.catalogue import DECLARED, declared

SPEECH = Path("secretary/speech")
_READ = re.compile(r'access\.option\(\s*["\'](\w+)|seconds\(access, "(\w+)"')
_STAGE = re.compile(r'stage\.(?:option|number)\(\s*"(\w+)"')


def read_by(folder: str) -> set[str]:
    text = "".join(path.read_text() for path in (SPEECH / folder).rglob("*.py"))
    return {name for pair in _READ.findall(text) for name in pair if name}


def test_every_provider_is_declared() -> None:
    """What can be chosen can be opened, and the other way round."""
    assert set(DECLARED) == set(registry.PROVIDERS)


@pytest.mark.parametrize("name", ["openai-realtime", "gemini-live", "elevenlabs-agent", "deepgram-agent"])
def test_options_that_are_read(name: str) -> None:
    """An option that a provider reads can be given, and one that can be given is read."""
    read = read_by(name.replace("-", "_")) | (read_by("realtime") & {"answer_s"})
    assert {option.name for option in DECLARED[name].options} == read


def test_options_of_stages() -> None:
    """The same for a pipeline's stages, whose names begin with the stage's."""
    known = {option.name for option in DECLARED["pipeline"].options}
    for stage in ("stt", "llm", "tts"):
        text = "".join(path.read_text() for path in (SPEECH / "pipeline" / stage).rglob("*.py"))
        read = {f"{stage}_{name}" for name in _STAGE.findall(text)}
        assert read <= known, read - known


def test_values_become_text() -> None:
    """Numbers and yes and no are kept as a provider reads them; what is empty is left out."""
    openai = declared("openai-realtime")
    assert openai.checked({"speed": 1.5, "azure": True, "voice": " marin ", "deployment": ""}) == {
        "speed": "1.5", "azure": "yes", "voice": "marin"
    }  # fmt: skip
    pipeline = declared("pipeline")
    assert pipeline.checked({"llm_extra": {"seed": 1}})["llm_extra"] == '{"seed": 1}'
    assert pipeline.checked({"tts_key": "k"}, secret=True) == {"tts_key": "k"}
    for wrong in (
        {"tts_key": "k"},
        {"llm_extra": "{"},
        {"stt": "nobody"},
        {"stt_prompt": "a\nb"},
        {"stt_prompt": None},
    ):
        with pytest.raises(ValidationError):
            pipeline.checked(wrong)
    with pytest.raises(ValidationError, match="known are"):
        declared("nobody")
