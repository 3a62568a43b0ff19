"""What goes wrong in a pipeline, and what it keeps to itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from secretary.speech.contract import ProviderError
from secretary.speech.pipeline.words import words
from tests.peers.deepgram_listen import DeepgramPeer
from tests.peers.web import breaks, garbage, hangs, refuses
from tests.secretary.speech.pipeline.conftest import ACME, FRAME, TURN, Stage


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_model_with_nothing_to_say(stage: Stage) -> None:
    """It is asked once more; then the secretary says something of its own."""
    stage.chat.then(stage.chat.says(), stage.chat.says())
    await stage.call()
    stage.turn()
    await stage.listener.until_said(words("en").silent_model)
    assert len(stage.chat.requests) == 2


async def test_a_model_that_refuses(stage: Stage) -> None:
    """The caller is told so."""
    stage.chat.then(stage.chat.says(finish="content_filter"))
    await stage.call()
    stage.turn()
    await stage.listener.until_said(words("en").no_answer)


@pytest.mark.parametrize("peer", ["stt", "chat", "speech"])
@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ((refuses(401, {"error": {"message": "Incorrect API key sk-llm", "code": "invalid_api_key"}}),), "auth"),
        ((refuses(429, Retry_After="30"),), "rate_limited"),
        ((refuses(429, {"error": {"code": "insufficient_quota"}}),), "refused"),
        ((refuses(500), refuses(503)), "unreachable"),
        ((refuses(404),), "refused"),
        ((breaks, breaks), "unreachable|protocol"),
        ((garbage(),), "protocol"),
        ((hangs,), "unreachable"),
    ],
)
async def test_failures(stage: Stage, peer: str, steps: tuple[object, ...], kind: str) -> None:
    """Whatever a service does, the conversation hears why, soon, once, and without the key."""
    getattr(stage, peer).then(*steps)
    impatient = {"stt": "stt", "chat": "llm", "speech": "tts"}[peer] if hangs in steps else ""
    await stage.call(**({f"{impatient}_timeout": "0.4"} if impatient else {}))
    stage.turn()
    await stage.listener.until(lambda: "failed" in stage.listener.kinds)
    failures = [what for told, what in stage.listener.heard if told == "failed"]
    ((failed_kind, reason),) = failures  # type: ignore[misc]
    assert failed_kind in kind.split("|"), reason
    assert kind != "rate_limited" or stage.listener.retry_after_s == 30.0
    assert "sk-" not in reason and "html" not in reason.replace("text/html", "")
    assert not getattr(stage, peer).script


@pytest.mark.parametrize("peer", ["stt", "chat", "speech"])
@pytest.mark.parametrize(
    "step",
    [
        refuses(500),
        refuses(429, Retry_After="0"),
        refuses(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        breaks,
    ],
)
async def test_once_more(stage: Stage, peer: str, step: object) -> None:
    """A single hiccup before anything was said is not noticed."""
    getattr(stage, peer).then(step)
    await stage.call()
    stage.turn()
    await stage.listener.until_finished()
    assert "failed" not in stage.listener.kinds
    assert len(getattr(stage, peer).requests) == 2


async def test_broken_off_in_mid_answer(stage: Stage) -> None:
    """What was said is not said again: the failure goes to the conversation."""
    stage.chat.then(stage.chat.says("The first sentence is whole. And", then_break=True))
    await stage.call()
    stage.turn()
    await stage.listener.until(lambda: "failed" in stage.listener.kinds)
    assert len(stage.chat.requests) == 1


async def test_connections_are_kept(stage: Stage) -> None:
    """Calls of one node share connections to a service; tenants with different keys do not."""
    for _ in range(3):
        session = await stage.call()
        stage.turn()
        await stage.listener.until_finished()
        stage.listener.forget()
        await session.close()
    assert {request.connection for request in stage.chat.requests} <= {1, 2}
    await stage.call(llm_key="sk-of-b")
    stage.turn()
    await stage.listener.until_finished()
    assert stage.chat.requests[-1].connection not in {request.connection for request in stage.chat.requests[:-1]}


async def test_closing(stage: Stage) -> None:
    """Within a second, twice, in the middle of everything; nothing is said afterwards and no task is left."""
    stage.chat.then(stage.chat.says("A sentence that is whole. ", then_hang=True))
    session = await stage.call()
    stage.turn()
    await stage.listener.until_said("A sentence")
    said = len(stage.listener.heard)
    async with asyncio.timeout(1.0):
        await session.close()
        await session.close()
    session.dtmf("1")
    await asyncio.sleep(0.05)
    assert len(stage.listener.heard) == said
    assert not [task for task in asyncio.all_tasks() if task.get_name() in ("speak", "read the model", "answer")]


@pytest.mark.parametrize("options", [{}, {"stt": "deepgram"}])
async def test_a_tenant_aims_inside(stage: Stage, options: dict[str, str]) -> None:
    """No stage of a tenant's pipeline reaches an internal address, whatever the tenant wrote; nothing is sent there."""
    access = replace(stage.access(**options), guarded=True)
    session = stage.provider.session(ACME, access)
    try:
        await session.open(stage.listener)
        stage.session = session
        stage.turn()
        await stage.listener.until(lambda: "failed" in stage.listener.kinds)
        kind, reason = next(what for told, what in stage.listener.heard if told == "failed")  # type: ignore[misc]
    except ProviderError as error:
        kind, reason = error.kind, str(error)
    assert kind == "refused", reason
    assert not (stage.stt.requests or stage.chat.requests or stage.speech.requests)


async def test_a_tenant_on_the_companys_machines(stage: Stage, settings: Settings) -> None:
    """What the operator allows by name is reached, and nothing but that."""
    async with DeepgramPeer(["Sales, please."]) as deepgram:
        urls = (deepgram.url, stage.chat.url, stage.speech.url)
        settings.EGRESS_ALLOW = [urlsplit(url).netloc for url in urls]
        access = replace(stage.access(stt="deepgram", stt_url=deepgram.url), guarded=True)
        stage.session = stage.provider.session(ACME, access)
        await stage.session.open(stage.listener)
        stage.session.turn_started()
        for _ in range(60):
            stage.session.hear(FRAME)
        stage.session.turn_ended(TURN)
        await stage.listener.until_finished()
        assert ("caller", "Sales, please.") in stage.listener.heard


async def test_own_machines_only(stage: Stage, tmp_path: Path) -> None:
    """With the node's own voice, a pipeline needs no key and no service on the internet; nothing said is kept."""
    await stage.call(tts="local", tts_url="", stt_key="", llm_key="", tts_key="")
    stage.turn()
    await stage.listener.until_finished()
    assert stage.listener.sound["answer-1"] and not stage.speech.requests
    assert "authorization" not in stage.chat.requests[0].headers
    assert not files(tmp_path)
