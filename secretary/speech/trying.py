"""Trying a speech service out, before a caller does: connect, show the key, hear whether it is accepted.

Through the same guard as a call, within LONGEST_S, and so often a minute at most: nobody can look for open ports with
it faster than by hand, and nothing of what the other side says is repeated.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from secretary.speech import registry
from secretary.speech.contract import Access, Briefing, FailureKind, ProviderError, ToolCall
from secretary.tools.rate import rate

LONGEST_S: Final = 6.0
"""A person waits for it, and a web process with them."""
PER_MINUTE: Final = 10
"""Of one domain, and of the installation."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How it went: `ok`, a kind of failure, or `too_often`."""

    outcome: str
    detail: str
    duration_ms: int
    advice: str = ""
    """What it takes calls without, and should have."""


def attempt(provider: str, access: Access, *, owner: UUID) -> Tried:
    """Try once. For a thread without an event loop. Never raises for what a server does."""
    return asyncio.run(attempt_async(provider, access, owner=owner))


async def attempt_async(provider: str, access: Access, *, owner: UUID) -> Tried:
    began = time.monotonic()

    advice = ""

    def tried(outcome: str, detail: str) -> Tried:
        return Tried(outcome, detail, round((time.monotonic() - began) * 1000), advice)

    if not await rate().admit(owner, PER_MINUTE):
        return tried("too_often", "Tried too often. Wait a minute.")
    try:
        async with asyncio.timeout(LONGEST_S):
            await _open(provider, access)
            advice = await _advice(provider, access)
    except ProviderError as error:
        return tried(error.kind, str(error))
    except TimeoutError:
        return tried("unreachable", f"No answer within {LONGEST_S:g} s.")
    return tried("ok", f"It takes calls. {advice}".strip())


async def _open(provider: str, access: Access) -> None:
    """Open a session as a call would, and close it. Raises ProviderError."""
    make = registry.PROVIDERS.get(provider)
    if make is None:
        raise ProviderError(f"there is no speech provider {provider!r}", kind="refused")
    briefing = Briefing(
        call_uuid="",
        domain_uuid="",
        secretary_uuid="",
        secretary_name="",
        language="en",
        voice="",
        greeting="",
        prompt="",
        instructions="This is a test of the connection. Say nothing.",
    )
    with tempfile.TemporaryDirectory(prefix="try-") as folder:
        one = make(Path(folder))
        try:
            if provider == "pipeline":  # its sessions connect when something is said, and not before
                await _stages(access)
            session = one.session(briefing, access)
            listener = _Nobody()
            try:
                await session.open(listener)
            finally:
                await session.close()
            if listener.failure is not None:
                raise listener.failure
        finally:
            await one.close()


async def _advice(provider: str, access: Access) -> str:
    if provider != "elevenlabs-agent":
        return ""
    from secretary.speech.elevenlabs_agent.advice import advice

    return await advice(access)


async def _stages(access: Access) -> None:
    """Ask each service of a pipeline what models it has: the cheapest question that needs the key."""
    from secretary.speech.net import check_status, http_client, provider_error
    from secretary.speech.pipeline.llm.anthropic import Messages
    from secretary.speech.pipeline.settings import pipeline_of

    pipeline = pipeline_of(access)
    for stage in (pipeline.stt, pipeline.llm, pipeline.tts):
        if not stage.url or stage.service == "deepgram":  # the node's own voice; a WebSocket that the session opens
            continue
        headers = stage.bearer()
        if stage.service == "anthropic":
            headers = dict(Messages(stage).headers())
        elif stage.service == "elevenlabs":
            headers = {"xi-api-key": stage.key}
        path = "/models" if stage.service == "openai" else "/v1/models"
        async with http_client(guarded=stage.guarded, headers=headers) as client:
            try:
                response = await client.get(stage.at(path))
            except Exception as error:
                raise _of_stage(stage.name, provider_error(error)) from None
        if response.status_code in (404, 405, 501):
            continue  # a server of one's own need not have a list
        try:
            check_status(response)
        except ProviderError as error:
            raise _of_stage(stage.name, error) from None


def _of_stage(stage: str, error: ProviderError) -> ProviderError:
    return ProviderError(f"{stage}: {error}", kind=error.kind)


class _Nobody:
    """Implements `SpeechListener`: only a failure is of interest."""

    failure: ProviderError | None = None

    def on_caller_interim(self, text: str) -> None: ...

    def on_caller_text(self, text: str) -> None: ...

    def on_voice(self, utterance_id: str, text: str, pcm: bytes, last: bool) -> None: ...

    def on_tool(self, call: ToolCall) -> None: ...

    def on_thinking(self) -> None: ...

    def on_speech_started(self) -> None: ...

    def on_speech_stopped(self) -> None: ...

    def on_language(self, language: str) -> None: ...

    def on_usage(self, unit: str, quantity: float, model: str = "") -> None: ...

    def on_failed(self, reason: str, kind: FailureKind = "protocol", retry_after_s: float | None = None) -> None:
        self.failure = ProviderError(reason, kind=kind, retry_after_s=retry_after_s)
