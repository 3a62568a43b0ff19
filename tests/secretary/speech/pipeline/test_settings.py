"""Who does each stage, and above all: which key goes where."""

from __future__ import annotations

from pathlib import Path

import pytest

from secretary.speech.catalogue import Option, declared
from secretary.speech.contract import Access, ProviderError
from secretary.speech.pipeline.llm.contract import Call
from secretary.speech.pipeline.memory import CUT, Memory
from secretary.speech.pipeline.provider import PipelineProvider
from secretary.speech.pipeline.settings import MODELS, STAGES, pipeline_of
from tests.secretary.speech.pipeline.conftest import ACME


def access(**options: str) -> Access:
    return Access(api_key="sk-general", options=tuple(options.items()))


def test_one_key_does() -> None:
    """With nothing but OpenAI's key: OpenAI listens and thinks, the node's own voice speaks."""
    pipeline = pipeline_of(access())
    assert (pipeline.stt.service, pipeline.llm.service, pipeline.tts.service) == ("openai", "openai", "local")
    assert pipeline.stt.key == pipeline.llm.key == "sk-general" and not pipeline.tts.key
    assert pipeline.llm.model == MODELS["llm", "openai"] and pipeline.llm.guarded


def test_one_server_does() -> None:
    """One address for all stages that speak OpenAI's dialect."""
    pipeline = pipeline_of(Access(base_url="https://ai.acme.example/v1/", model="qwen", options=(("tts", "openai"),)))
    assert {pipeline.stt.url, pipeline.llm.url, pipeline.tts.url} == {"https://ai.acme.example/v1"}
    assert (pipeline.stt.model, pipeline.llm.model, pipeline.tts.model) == ("whisper-1", "qwen", "tts-1")


@pytest.mark.parametrize("stage", ["stt", "llm", "tts"])
def test_keys_stay_where_they_belong(stage: str) -> None:
    """The general key goes to no other address and no other vendor; a stage's own key goes to that stage only."""
    others = {
        f"{stage}_url": "https://elsewhere.example/v1",
        "stt_key": "key-of-stt",
        "llm_key": "key-of-llm",
        "tts_key": "key-of-tts",
    }
    pipeline = pipeline_of(access(**others))
    for one in (pipeline.stt, pipeline.llm, pipeline.tts):
        assert one.key == f"key-of-{one.stage}" and "key-of" not in repr(one)
    plain = pipeline_of(access(**{f"{stage}_url": "https://elsewhere.example/v1"}))
    assert getattr(plain, stage).key == ""
    for service in set(STAGES[stage]) - {"openai"}:
        assert getattr(pipeline_of(access(**{stage: service})), stage).key == ""


@pytest.mark.parametrize(
    "options",
    [
        {"stt": "whisper"},
        {"llm": "gpt"},
        {"tts_url": "file:///etc/passwd"},
        {"llm_url": "ai.acme.example"},
        {"stt_timeout": "soon"},
        {"llm_timeout": "1e9"},
    ],
)
def test_wrong_options_are_named(options: dict[str, str]) -> None:
    """An administrator reads which option does not fit."""
    with pytest.raises(ProviderError, match=next(iter(options)).partition("_")[0]) as failed:
        pipeline_of(access(**options))
    assert failed.value.kind == "refused"


def test_what_people_can_choose_is_what_there_is() -> None:
    """The catalogue offers the services that the pipeline has, and each option under its stage's name."""
    offered = {option.name: option for option in declared("pipeline").options}
    for stage, services in STAGES.items():
        assert set(offered[stage].choices) == set(services)
        assert {f"{stage}_url", f"{stage}_key", f"{stage}_model", f"{stage}_timeout"} <= set(offered)
        assert offered[f"{stage}_key"].kind == "secret"


def test_memory_is_bounded_and_whole() -> None:
    """The oldest lines go first; a call never goes without its result; empty lines are not told."""
    memory = Memory()
    for n in range(500):
        memory.caller_said(f"{n} " + "x" * 500)
        line = memory.began()
        if n % 2:
            line.calls.append(Call(f"c{n}", "find", "{}"))
    prompt = memory.prompt("", ())
    assert sum(len(message.text) for message in prompt.messages) < 45_000
    calls = [message for message in prompt.messages if getattr(message, "calls", ())]
    assert calls and all(len(message.calls) == len(message.results) for message in calls)  # type: ignore[union-attr]
    assert prompt.messages[-2].text.startswith("499 ")


def test_memory_of_what_was_heard() -> None:
    """A line is what was heard of it; what came behind the cut was not heard either."""
    memory = Memory()
    line = memory.began()
    line.utterances["a"] = ""
    memory.spoke("a", "One two")
    memory.spoke("a", "three.")
    memory.interrupted("a", "One  two three.")
    assert line.text == "One two three." or line.text == "One  two three."
    memory.interrupted("a", "One")
    assert line.text == "One" + CUT and memory.was_cut_off
    memory.interrupted("a", "")
    assert line.empty and not memory.prompt("", ()).messages


SERVICES = {"stt": ("openai", "deepgram"), "llm": ("openai", "anthropic"), "tts": ("openai", "elevenlabs")}


@pytest.mark.parametrize("option", [one for one in declared("pipeline").options if one.kind == "number"], ids=str)
def test_what_can_be_stored_makes_a_call(option: Option, tmp_path: Path) -> None:
    """A number that the form takes is taken by every service of its stage, to its bounds: no call fails for it."""
    provider = PipelineProvider(tmp_path)
    stage = option.name.partition("_")[0]
    for service in SERVICES[stage]:
        for value in (option.lowest, option.highest):
            given = {stage: service, option.name: f"{value:g}"}
            provider.session(ACME, Access(options=tuple(given.items())))
