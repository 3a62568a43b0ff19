"""Language models: what they are told, and what is made of their answers, whatever they are cut into."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from secretary.speech.contract import Access, ProviderError, ToolSpec
from secretary.speech.pipeline.llm.contract import (
    Call,
    FromCaller,
    FromSecretary,
    Piece,
    Prompt,
    Result,
    Stopped,
    Text,
    Thinking,
    Usage,
)
from secretary.speech.pipeline.llm.openai import ChatCompletions
from secretary.speech.pipeline.llm.stream import StreamedModel
from secretary.speech.pipeline.provider import _dialect
from secretary.speech.pipeline.service import Clients, Service
from secretary.speech.pipeline.settings import pipeline_of
from tests.peers.anthropic_messages import MessagesPeer
from tests.peers.openai_chat import ChatPeer, chunk, raw
from tests.peers.web import Reply, Request, WebPeer

SCHEMA = {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]}
PROMPT = Prompt(
    "You are Ana.",
    (
        FromSecretary("Good morning."),
        FromCaller("Two things."),
        FromCaller("Is Lima in, and when do you close?"),
        FromSecretary(
            "",
            (Call("call-1", "find", '{"who": "Lima"}'), Call("call-2", "hours", "")),
            (Result("call-1", "no_answer", failed=True), Result("call-2", "ok: 18:00")),
        ),
        FromSecretary("She is out…"),
        FromCaller("Então à tarde."),
    ),
    (ToolSpec("find", "Find somebody.", SCHEMA), ToolSpec("hours", "When we are open.")),
)


@asynccontextmanager
async def model(peer: WebPeer, **options: str) -> AsyncIterator[StreamedModel]:
    given = {"llm_url": peer.url, "llm_key": "sk-llm"} | options
    stage = pipeline_of(Access(options=tuple(given.items()), guarded=False)).llm
    clients = Clients()
    yield StreamedModel(Service(stage, clients.take(stage)), _dialect(stage))
    clients.leave(stage)
    await clients.close()


async def answer(of: StreamedModel, prompt: Prompt = PROMPT) -> list[Piece]:
    async with aclosing(of.answer(prompt)) as pieces:
        return [piece async for piece in pieces if not isinstance(piece, Thinking)]


def text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


@pytest.mark.parametrize("size", [1, 3, 17, 100_000])
async def test_openai(size: int) -> None:
    """Text, parallel calls, the reason and the tokens come out whole, whatever the chunks."""
    calls = (("find", '{"who": "João Ávila"}'), ("hours", "{}"))
    async with ChatPeer() as peer, model(peer) as chat:
        peer.then(peer.says("Olá, ", "é João?", calls=calls, bytes_at_a_time=size))
        pieces = await answer(chat)
    assert text(pieces) == "Olá, é João?"
    assert [piece for piece in pieces if isinstance(piece, Call)] == [
        Call("call_0abc", "find", '{"who": "João Ávila"}'),
        Call("call_1abc", "hours", "{}"),
    ]
    assert pieces[-1] == Stopped("tools") and Usage(120, 20, 0) in pieces


@pytest.mark.parametrize("size", [1, 5, 100_000])
async def test_anthropic(size: int) -> None:
    """The same in Anthropic's events; tokens out of the cache count as read and as cached."""
    calls = (("find", '{"who": "João Ávila"}'), ("hours", ""))
    async with MessagesPeer() as peer, model(peer, llm="anthropic") as claude:
        peer.then(peer.says("Olá, ", "é João?", calls=calls, bytes_at_a_time=size))
        pieces = await answer(claude)
        assert peer.requests[0].headers["authorization"] == "Bearer sk-llm"
    assert text(pieces) == "Olá, é João?"
    assert [piece for piece in pieces if isinstance(piece, Call)] == [
        Call("toolu_1", "find", '{"who": "João Ávila"}'),
        Call("toolu_2", "hours", ""),
    ]
    assert pieces[-1] == Stopped("tools") and Usage(500, 30, 200) in pieces


async def test_what_openai_is_told() -> None:
    """Results stand right behind the calls they belong to."""
    async with ChatPeer() as peer, model(peer, llm_temperature="0.3", llm_extra='{"seed": 7}') as chat:
        await answer(chat)
        body = peer.requests[0].json
    assert [message["role"] for message in body["messages"]] == [
        "system", "assistant", "user", "user", "assistant", "tool", "tool", "assistant", "user",
    ]  # fmt: skip
    assert body["messages"][4]["content"] is None
    assert body["tools"][1]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert (body["temperature"], body["seed"], body["max_tokens"]) == (0.3, 7, 1000)


async def test_what_a_model_wrote_wrongly_harms_nobody() -> None:
    """Arguments that are no JSON object go back as an empty one: Ollama and others refuse every request after them."""
    calls = tuple(Call(f"c{n}", "find", written) for n, written in enumerate(("", '{"who": ', "[1]", '{"who": "Ann"}')))
    async with ChatPeer() as peer, model(peer) as chat:
        await answer(chat, Prompt("", (FromCaller("Hello."), FromSecretary("", calls))))
        told = peer.requests[0].json["messages"][1]["tool_calls"]
    assert [call["function"]["arguments"] for call in told] == ["{}", "{}", "{}", '{"who": "Ann"}']


@pytest.mark.parametrize(
    ("url", "to", "header"),
    [
        (
            "https://acme.openai.azure.com/openai/v1",
            "https://acme.openai.azure.com/openai/v1/chat/completions",
            "api-key",
        ),
        (
            "https://acme.openai.azure.com/openai/deployments/fast/?api-version=2024-10-21",
            "https://acme.openai.azure.com/openai/deployments/fast/chat/completions?api-version=2024-10-21",
            "api-key",
        ),
        ("https://acme.services.ai.azure.com/openai/v1/", None, "api-key"),
        ("https://ai.example/v1", "https://ai.example/v1/chat/completions", "Authorization"),
        ("https://azure.com.evil.example/v1", None, "Authorization"),
    ],
)
def test_addresses_and_keys(url: str, to: str | None, header: str) -> None:
    """Both of Azure's forms, with its own header; nobody else gets the key in it."""
    stage = pipeline_of(Access(options=(("llm_url", url), ("llm_key", "k"), ("llm_model", "fast")))).llm
    assert to is None or stage.at("/chat/completions") == to
    assert list(ChatCompletions(stage).headers()) == [header]
    told = ChatCompletions(stage).body(Prompt("", (FromCaller("Hello."),)))
    assert ("max_completion_tokens" in told) == (header == "api-key")


async def test_what_anthropic_is_told() -> None:
    """Roles alternate, the caller's comes first, results open the caller's message after the calls."""
    async with MessagesPeer() as peer, model(peer, llm="anthropic") as claude:
        peer.then(peer.says("Yes."))
        await answer(claude)
        body = peer.requests[0].json
    shape = [(message["role"], [block["type"] for block in message["content"]]) for message in body["messages"]]
    assert shape == [
        ("user", ["text"]),
        ("assistant", ["text"]),
        ("user", ["text", "text"]),
        ("assistant", ["tool_use", "tool_use"]),
        ("user", ["tool_result", "tool_result"]),
        ("assistant", ["text"]),
        ("user", ["text"]),
    ]
    assert body["messages"][4]["content"][0]["is_error"] is True
    assert body["messages"][3]["content"][1]["input"] == {}


async def test_nothing_said_yet() -> None:
    """A call without a greeting, and one where only the secretary spoke, are conversations, too."""
    async with MessagesPeer() as peer, model(peer, llm="anthropic") as claude:
        for messages in ((), (FromSecretary("Good morning."),)):
            peer.then(peer.says("Hello."))
            assert text(await answer(claude, Prompt("", messages))) == "Hello."
    assert [request.json["messages"][-1]["role"] for request in peer.requests] == ["user", "user"]


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        # Ollama: whole calls, all of them number 0, arguments as text
        (
            [
                {
                    "tool_calls": [
                        {"index": 0, "id": "a", "type": "function", "function": {"name": "find", "arguments": "{}"}}
                    ]
                },
                {
                    "tool_calls": [
                        {"index": 0, "id": "b", "type": "function", "function": {"name": "hours", "arguments": "{}"}}
                    ]
                },
            ],
            [Call("a", "find", "{}"), Call("b", "hours", "{}")],
        ),
        # without ids and numbers, arguments as an object
        (
            [
                {
                    "tool_calls": [
                        {"function": {"name": "find", "arguments": {"who": "x"}}},
                        {"function": {"name": "hours"}},
                    ]
                }
            ],
            [Call("call_0", "find", '{"who": "x"}'), Call("call_1", "hours", "")],
        ),
    ],
)
async def test_other_servers_calls(deltas: list[dict[str, Any]], expected: list[Call]) -> None:
    """Servers that are less exact than OpenAI about tool calls are understood."""
    events = [f"data: {json.dumps(chunk(delta))}\n\n" for delta in deltas]
    async with ChatPeer() as peer, model(peer) as chat:
        peer.then(raw(*events, f"data: {json.dumps(chunk({}, 'stop'))}\n\n", "data: [DONE]\n\n"))
        pieces = await answer(chat)
    assert [piece for piece in pieces if isinstance(piece, Call)] == expected


async def test_reasoning_is_not_spoken() -> None:
    """What a model thinks is a sign of life and nothing else, in either dialect."""
    thought = chunk({"reasoning_content": "The caller wants sales."})
    async with ChatPeer() as peer, model(peer) as chat:
        peer.then(
            raw(f"data: {json.dumps(thought)}\n\n", f"data: {json.dumps(chunk({'content': 'Yes.'}, 'stop'))}\n\n")
        )
        async with aclosing(chat.answer(PROMPT)) as pieces:
            found = [piece async for piece in pieces]
    assert found == [Thinking(), Text("Yes."), Stopped("end")]


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        (["data: {"], "protocol"),
        (['data: {"error": {"message": "x", "code": "rate_limit_exceeded"}}\n\n'], "rate_limited"),
        (['data: {"error": {"message": "out of memory"}}\n\n'], "unreachable"),
        (["data: []\n\n"], "protocol"),
        ([": nothing\n\n"], "protocol"),
        ([f"data: {'x' * 20}\n\n"], "protocol"),
    ],
)
async def test_openai_goes_wrong(events: list[str], kind: str) -> None:
    """An answer that breaks off or makes no sense has a name, and its words are not repeated."""
    async with ChatPeer() as peer, model(peer) as chat:
        peer.then(raw(*events), raw(*events))
        with pytest.raises(ProviderError) as failed:
            await answer(chat)
    assert failed.value.kind == kind and "memory" not in str(failed.value)


@pytest.mark.parametrize(
    ("error", "kind"),
    [("overloaded_error", "rate_limited"), ("api_error", "unreachable"), ("authentication_error", "auth")],
)
async def test_anthropic_goes_wrong(error: str, kind: str) -> None:
    """Anthropic tells of errors within a stream that has begun."""
    event = f'event: error\ndata: {{"type": "error", "error": {{"type": "{error}", "message": "no"}}}}\n\n'
    async with MessagesPeer() as peer, model(peer, llm="anthropic") as claude:
        peer.then(raw(event), raw(event))
        with pytest.raises(ProviderError, match=r"language model \(anthropic\)") as failed:
            await answer(claude)
    assert failed.value.kind == kind


async def test_anthropic_breaks_off() -> None:
    """A message without its end is no answer."""

    async def half(request: Request, reply: Reply) -> None:
        await reply.start(200, "text/event-stream")
        await reply.send(
            b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "A"}}\n\n'
        )
        await reply.end()

    async with MessagesPeer() as peer, model(peer, llm="anthropic") as claude:
        peer.then(half)
        with pytest.raises(ProviderError) as failed:
            await answer(claude)
    assert failed.value.kind == "unreachable" and len(peer.requests) == 1
