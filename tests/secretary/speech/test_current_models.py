"""The names that are used where nobody chose one are the vendors' current ones, as their SDKs tell."""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args

import anthropic.resources.messages.messages as anthropic_messages
import pytest
from anthropic.types import ModelParam
from deepgram.types import DeepgramModel, ListenV1Model
from elevenlabs.types import TtsConversationalModel
from openai.types import AudioModel, ChatModel
from openai.types.audio import speech_model
from openai.types.realtime import RealtimeSessionCreateRequest, audio_transcription
from openai.types.shared import chat_model

from secretary.speech.catalogue import DECLARED
from secretary.speech.contract import NO_ACCESS, Access
from secretary.speech.deepgram_agent import messages as deepgram
from secretary.speech.gemini_live import messages as gemini
from secretary.speech.openai_realtime import address, events
from secretary.speech.pipeline.settings import MODELS
from secretary.speech.usual import model_of
from tests.peers.strict import literals


def withdrawn(module: Any) -> set[str]:
    """Names in the paragraphs of a module that tell which values are deprecated."""
    told = re.findall(r"Deprecated values:(.*?)\"\"\"", inspect.getsource(module), re.DOTALL)
    assert told
    return set(re.findall(r'"([a-z0-9.-]+)"', " ".join(told)))


def test_openais() -> None:
    """Realtime, its transcriber, the pipeline's listening and thinking: known, and not about to be shut down."""
    known = literals(RealtimeSessionCreateRequest.model_fields["model"].annotation)
    gone = withdrawn(inspect.getmodule(RealtimeSessionCreateRequest))
    assert set(DECLARED["openai-realtime"].models) <= known - gone and address.MODEL in known - gone
    transcribers = literals(audio_transcription.AudioTranscription.model_fields["model"].annotation)
    assert events.TRANSCRIBER in transcribers - withdrawn(audio_transcription)
    assert MODELS["stt", "openai"] in set(get_args(AudioModel)) - withdrawn(audio_transcription)
    assert MODELS["llm", "openai"] in set(get_args(ChatModel)) - withdrawn(chat_model)
    assert deepgram.THINKER in set(get_args(ChatModel)) - withdrawn(chat_model)


def test_openai_has_no_voice_to_stay() -> None:
    """All its voices are to be shut down, which is why none is a default; when one is not, this wants to be known."""
    assert {"tts-1", "gpt-4o-mini-tts"} <= withdrawn(speech_model)
    assert set(get_args(speech_model.SpeechModel)) <= withdrawn(speech_model)


def test_the_others() -> None:
    """Anthropic's, ElevenLabs' and Deepgram's."""
    assert MODELS["llm", "anthropic"] in literals(ModelParam)
    assert MODELS["llm", "anthropic"] not in anthropic_messages.DEPRECATED_MODELS
    assert MODELS["tts", "elevenlabs"] in literals(TtsConversationalModel)
    assert {MODELS["stt", "deepgram"], deepgram.LISTENER} <= literals(ListenV1Model)
    assert deepgram.VOICE in literals(DeepgramModel)
    assert not [voice for voice in literals(DeepgramModel) if voice.endswith("-pt")]  # one would be for our callers


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai-realtime", address.MODEL), ("gemini-live", gemini.MODEL), ("deepgram-agent", deepgram.THINKER)],
)
def test_what_nobody_chose_has_a_name(provider: str, model: str) -> None:
    """The usual model is the first that people are offered, what is asked for, and what record and price say."""
    assert DECLARED[provider].models[0] == model == model_of(provider, NO_ACCESS)
    assert model_of(provider, Access(model="mine")) == "mine"


def test_the_names_of_the_others() -> None:
    """A pipeline's is that of its language model, Azure's the deployment; the local secretary has none."""
    assert model_of("pipeline", NO_ACCESS) == MODELS["llm", "openai"]
    assert model_of("pipeline", Access(options=(("llm", "anthropic"),))) == MODELS["llm", "anthropic"]
    assert model_of("pipeline", Access(options=(("llm", "nobody"), ("llm_model", "x")))) == "x"
    azure = Access(base_url="https://acme.openai.azure.com", options=(("deployment", "voice-1"),))
    assert model_of("openai-realtime", azure) == "voice-1"
    assert model_of("local", NO_ACCESS) == model_of("elevenlabs-agent", NO_ACCESS) == ""
