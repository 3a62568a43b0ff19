"""The vendors' types check our messages and the stand-ins', and can fail; the vendors' own clients agree with us."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from anthropic.types import RawContentBlockDeltaEvent, RawMessageStartEvent
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from deepgram import AsyncDeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.types import ListenV1Metadata, ListenV1Results
from elevenlabs.client import AsyncElevenLabs
from openai import AsyncOpenAI
from openai.types.audio import SpeechCreateParams, Transcription
from openai.types.audio.transcription_create_params import TranscriptionCreateParamsNonStreaming
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

from secretary.speech.contract import Access
from secretary.speech.pipeline.llm.anthropic import Messages
from secretary.speech.pipeline.llm.openai import ChatCompletions
from secretary.speech.pipeline.settings import pipeline_of
from tests.peers.anthropic_messages import MessagesPeer, message_start
from tests.peers.deepgram_listen import DeepgramPeer, metadata, results, wrong_message, wrong_query
from tests.peers.elevenlabs_tts import ElevenLabsPeer, wrong_request
from tests.peers.openai_audio import SpeechPeer, TranscriptionPeer, form_of
from tests.peers.openai_chat import ChatPeer, chunk, tool_parts
from tests.peers.vendor_types import wrong_model, wrong_params
from tests.secretary.speech.pipeline.test_deepgram import listening, speak
from tests.secretary.speech.pipeline.test_models import PROMPT, answer, model
from tests.secretary.speech.pipeline.test_voices import TEXT, spoken, voice

OPENAI = ChatCompletions(pipeline_of(Access()).llm).body(PROMPT)
ANTHROPIC = Messages(pipeline_of(Access(options=(("llm", "anthropic"),))).llm).body(PROMPT)
SPEECH = {"model": "tts-1", "input": "Hello.", "voice": "alloy", "response_format": "pcm"}
TURN = {"model": "gpt-transcribe", "file": b"RIFF", "language": "en", "response_format": "json"}
CALLS = chunk(tool_parts(("find", "{}"))[0])


def changed(value: Any, path: str, to: object = None) -> Any:
    """A copy with one thing different; without `to`, gone."""
    value = copy.deepcopy(value)
    *way, last = path.split(".")
    place = value
    for name in way:
        place = place[int(name)] if isinstance(place, list) else place[name]
    key: Any = int(last) if isinstance(place, list) else last
    if to is None:
        del place[key]
    else:
        place[key] = to
    return value


@pytest.mark.parametrize(
    ("kind", "value", "wrong"),
    [
        (
            CompletionCreateParamsStreaming,
            OPENAI,
            [
                ("messages.0.role", "boss"),
                ("messages.0.content", None),
                ("messages.5.tool_call_id", None),
                ("messages.4.tool_calls.0.function.arguments", {"a": 1}),
                ("messages.4.tool_calls.0.kind", "x"),
                ("tools.0.function.schema", {}),
                ("tools.0.type", "tool"),
                ("stream_options", {"usage": True}),
                ("max_tokenz", 3),
                ("stream", False),
            ],
        ),
        (
            MessageCreateParamsStreaming,
            ANTHROPIC,
            [
                ("messages.0.role", "boss"),
                ("messages.3.content.0.input", "x"),
                ("messages.4.content.0.tool_use_id", None),
                ("messages.4.content.0.error", True),
                ("tools.0.input_schema", None),
                ("system.0.type", "prose"),
                ("max_tokens", None),
                ("stop", ["x"]),
            ],
        ),
        (SpeechCreateParams, SPEECH, [("response_format", "ulaw"), ("voice", None), ("rate", 8000), ("speed", "fast")]),
        (TranscriptionCreateParamsNonStreaming, TURN, [("response_format", "xml"), ("model", None), ("lang", "en")]),
    ],
)
def test_requests_can_be_wrong(kind: Any, value: Any, wrong: list[tuple[str, object]]) -> None:
    """What we send is what the vendor's types say, and the check notices every one of these mistakes."""
    assert wrong_params(kind, value) == ""
    for path, to in wrong:
        assert wrong_params(kind, changed(value, path, to)), path


@pytest.mark.parametrize(
    ("kind", "value", "wrong"),
    [
        (
            ChatCompletionChunk,
            CALLS,
            [
                ("choices.0.finish_reason", "done"),
                ("choices.0.delta.tool_calls.0.index", None),
                ("choices.0.delta.tool_calls.0.function.arguments", {"a": 1}),
                ("choices.0.delta.reasoning", "x"),
                ("created", "now"),
                ("object", "chunk"),
            ],
        ),
        (RawMessageStartEvent, message_start(), [("message.usage.input_tokens", "3"), ("message.role", "user")]),
        (
            RawContentBlockDeltaEvent,
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "A"}},
            [("delta.type", "words"), ("delta.text", None), ("index", "0"), ("block", 1)],
        ),
        (Transcription, {"text": "A"}, [("text", None), ("text", 3), ("sentence", "A")]),
        (
            ListenV1Results,
            results("A b", 0.0, 1.0),
            [
                ("channel.alternatives.0.transcript", None),
                ("channel.alternatives.0.words.0.start", "0"),
                ("start", "0"),
                ("is_final", "yes"),
                ("final", True),
                ("type", "Result"),
            ],
        ),
        (ListenV1Metadata, metadata(1.0), [("sha256", None), ("duration", "1")]),
    ],
)
def test_answers_can_be_wrong(kind: Any, value: Any, wrong: list[tuple[str, object]]) -> None:
    """What the stand-ins say is what the vendor's types say, and the check notices every one of these mistakes."""
    assert wrong_model(kind, value) == ""
    for path, to in wrong:
        assert wrong_model(kind, changed(value, path, to)), path


def test_deepgram_and_elevenlabs_can_be_wrong() -> None:
    """Unknown parameters, formats and messages are noticed."""
    query = [("model", "nova-3"), ("encoding", "mulaw"), ("sample_rate", "8000")]
    assert wrong_query(query) == ""
    for name, value in (("encoding", "ulaw"), ("model", "nova-9"), ("sample_rate", "8k"), ("interim", "true")):
        assert wrong_query([*(pair for pair in query if pair[0] != name), (name, value)])
    assert wrong_message({"type": "Finalize"}) == ""
    assert wrong_message({"type": "Finalise"}) and wrong_message({"type": "KeepAlive", "now": True})
    body = {"text": "A", "model_id": "m", "voice_settings": {"stability": 0.5}}
    assert wrong_request({"output_format": "ulaw_8000"}, body) == ""
    assert wrong_request({"output_format": "ulaw"}, body) and wrong_request(
        {"output_format": "pcm_8000", "x": "1"}, body
    )
    for more in (
        {"model": "m"},
        {"text": 1},
        {"voice_settings": {"stability": "high"}},
        {"voice_settings": {"pace": 1}},
    ):
        assert wrong_request({"output_format": "ulaw_8000"}, body | more)


def same(ours: Any, theirs: Any) -> None:
    assert (ours.method, ours.path, ours.query) == (theirs.method, theirs.path, theirs.query)
    assert ours.json == theirs.json
    for name in ("authorization", "x-api-key", "xi-api-key", "anthropic-version", "content-type"):
        assert ours.headers.get(name) == theirs.headers.get(name), name


async def test_openais_client_sends_the_same() -> None:
    """Address, key, body: as OpenAI's own client sends them, and it reads from the stand-in what we read."""
    calls = (("find", '{"who": "x"}'), ("hours", "{}"))
    async with ChatPeer() as peer, model(peer) as chat:
        peer.then(*[peer.says("Hello ", "there.", calls=calls)] * 2)
        ours = await answer(chat)
        client = AsyncOpenAI(api_key="sk-llm", base_url=peer.url, max_retries=0)
        stream = await client.chat.completions.create(**peer.requests[0].json)
        theirs = [piece async for piece in stream]
        await client.close()
        same(*peer.requests)
    deltas = [choice.delta for piece in theirs for choice in piece.choices]
    assert "".join(delta.content or "" for delta in deltas) == "Hello there."
    parts = [part for delta in deltas for part in delta.tool_calls or () if part.index == 0 and part.function]
    assert "".join(part.function.arguments or "" for part in parts if part.function) == '{"who": "x"}'
    assert ours[-1].reason == "tools" and theirs[-1].usage.prompt_tokens == 120  # type: ignore[union-attr]


async def test_anthropics_client_sends_the_same() -> None:
    """And reads the stand-in's events as a whole message."""
    async with MessagesPeer() as peer, model(peer, llm="anthropic") as claude:
        peer.then(*[peer.says("Hello.", calls=(("find", '{"who": "x"}'),))] * 2)
        await answer(claude)
        client = AsyncAnthropic(api_key="sk-llm", base_url=peer.url, max_retries=0)
        asked = {name: value for name, value in peer.requests[0].json.items() if name != "stream"}
        async with client.messages.stream(**asked) as stream:
            message = await stream.get_final_message()
        await client.close()
        same(*peer.requests)
    assert (message.content[0].text, message.content[1].input) == ("Hello.", {"who": "x"})  # type: ignore[union-attr]


async def test_elevenlabs_client_sends_the_same() -> None:
    """And gets the same sound."""
    async with ElevenLabsPeer() as peer, voice(peer, tts="elevenlabs", tts_model="eleven_flash_v2_5") as eleven:
        ours = b"".join(await spoken(eleven, "pt-br", "Bom dia."))
        client = AsyncElevenLabs(api_key="sk-tts", base_url=peer.origin)
        asked = peer.requests[0].json
        sound = client.text_to_speech.stream(peer.requests[0].path.split("/")[3], output_format="ulaw_8000", **asked)
        theirs = b"".join([part async for part in sound])
        same(*peer.requests)
    assert len(ours) == 2 * len(theirs)


async def test_openais_client_speaks_and_listens_the_same() -> None:
    """Speech and transcription, too."""
    async with SpeechPeer() as speech, voice(speech) as server:
        await spoken(server)
        client = AsyncOpenAI(api_key="sk-tts", base_url=speech.url, max_retries=0)
        await client.audio.speech.create(**speech.requests[0].json)
        same(*speech.requests)
        await client.close()
    assert speech.texts == [TEXT, TEXT]


SEVERAL = {"languages": ["pt"], "keywords": ["Vendas", "Maria"]}


@pytest.mark.parametrize(
    ("model", "more"), [("", {"model": "whisper-1", "language": "pt"}), ("gpt-transcribe", SEVERAL)]
)
async def test_openais_client_transcribes_the_same(model: str, more: dict[str, Any]) -> None:
    """The form's fields and the file are what OpenAI's client makes of the same parameters."""
    from secretary.speech.pipeline.service import Clients, Service
    from secretary.speech.pipeline.stt.openai import TurnRecogniser

    async with TranscriptionPeer() as peer:
        options = (("stt_url", peer.url), ("stt_key", "sk"), ("stt_model", model))
        stage = pipeline_of(Access(options=options, guarded=False)).stt
        clients = Clients()
        service = Service(stage, clients.take(stage))
        heard = await TurnRecogniser(service, "pt-br", ["Vendas", "Maria"]).turn_ended(bytes(16_000))
        await clients.close()
        fields, files = form_of(peer.requests[0])
        client = AsyncOpenAI(api_key="sk", base_url=peer.url, max_retries=0)
        named: Any = ("turn.wav", files["file"], "audio/wav")
        told = await client.audio.transcriptions.create(file=named, **fields)  # type: ignore[call-overload]
        await client.close()
        assert form_of(peer.requests[1]) == (fields, files)
        assert peer.requests[0].headers["authorization"] == peer.requests[1].headers["authorization"]
        assert (peer.rates[0], len(peer.turns[0])) == (16_000, 32_000)
    assert fields == {"model": model, "response_format": "json"} | more
    assert heard.text == told.text


async def test_deepgrams_client_sends_the_same() -> None:
    """The address with all that is asked for, the key, the messages; and it reads the stand-in's results as we do."""
    async with DeepgramPeer(["Hello there."] * 2) as peer:
        async with listening(peer) as recogniser:
            ours = await (await speak(recogniser, 40))
        socket_url = peer.url.replace("http", "ws")
        client = AsyncDeepgramClient(
            api_key="dg-key",
            environment=DeepgramClientEnvironment(
                base=peer.url, production=socket_url, agent=socket_url, agent_rest=peer.url
            ),
        )
        asked: dict[str, Any] = {}
        for name, value in peer.queries[0]:
            asked[name] = [*asked.get(name, []), value] if name == "keyterm" else value
        async with client.listen.v1.connect(**asked) as connection:
            await connection.send_media(bytes(peer.audio[0]))
            await connection.send_finalize()
            heard = [await connection.recv(), await connection.recv()]
            await connection.send_close_stream()
    assert sorted(peer.queries[0]) == sorted(peer.queries[1])
    assert peer.headers[0]["authorization"] == peer.headers[1]["authorization"]
    assert peer.messages == ["Finalize", "CloseStream"] * 2
    assert heard[-1].channel.alternatives[0].transcript == ours.text == "Hello there."  # type: ignore[union-attr]
