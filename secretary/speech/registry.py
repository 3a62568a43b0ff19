"""Which speech providers there are, and a node's book of those it uses.

Adding one is a folder beside this file, a line in PROVIDERS and an entry in `catalogue.py`. A provider's modules are
imported when a node makes its book, not by whoever imports this file.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from secretary.speech.contract import (
    NO_ACCESS,
    Access,
    Briefing,
    PlatformEar,
    PlatformVoice,
    ProviderError,
    SpeechSession,
)
from secretary.speech.local.provider import LocalProvider
from secretary.speech.platform_ear import LocalEar
from secretary.speech.platform_voice import LocalVoice


class Provider(Protocol):
    """What a node keeps of one provider; its calls get sessions from it."""

    async def start(self) -> None:
        """Before the first call. Raises `ProviderError`."""

    async def prepare(self, briefing: Briefing, access: Access) -> None:
        """Make ready what a call of this secretary would otherwise wait for. Idempotent; never raises."""

    def session(self, briefing: Briefing, access: Access) -> SpeechSession:
        """A new session, not yet open."""
        ...

    async def close(self) -> None:
        """Release everything, within 1 s. Idempotent."""


MOST_PREPARED: Final = 1_000
"""Secretaries remembered as prepared; one that was called long ago is prepared again, which is cheap."""


def _openai_realtime(data_dir: Path) -> Provider:
    from secretary.speech.openai_realtime.provider import OpenAIRealtimeProvider

    return OpenAIRealtimeProvider(data_dir)


def _gemini_live(data_dir: Path) -> Provider:
    from secretary.speech.gemini_live.provider import GeminiLiveProvider

    return GeminiLiveProvider(data_dir)


def _elevenlabs_agent(data_dir: Path) -> Provider:
    from secretary.speech.elevenlabs_agent.provider import ElevenLabsAgentProvider

    return ElevenLabsAgentProvider(data_dir)


def _deepgram_agent(data_dir: Path) -> Provider:
    from secretary.speech.deepgram_agent.provider import DeepgramAgentProvider

    return DeepgramAgentProvider(data_dir)


def _pipeline(data_dir: Path) -> Provider:
    from secretary.speech.pipeline.provider import PipelineProvider

    return PipelineProvider(data_dir)


PROVIDERS: Final[Mapping[str, Callable[[Path], Provider]]] = {
    "local": LocalProvider,
    "openai-realtime": _openai_realtime,
    "gemini-live": _gemini_live,
    "elevenlabs-agent": _elevenlabs_agent,
    "deepgram-agent": _deepgram_agent,
    "pipeline": _pipeline,
}
"""Name in `Secretary.provider` to a factory that takes the data folder."""


class Providers:
    """The providers of one node. All of them are started with it: a call must not wait for that."""

    def __init__(self, data_dir: Path) -> None:
        self._providers = {name: make(data_dir) for name, make in PROVIDERS.items()}
        local = self._providers.get("local")
        self.voice: PlatformVoice | None = None
        self.ear: PlatformEar | None = None
        if isinstance(local, LocalProvider):
            self.voice, self.ear = LocalVoice(local.voice), LocalEar(local.recogniser)
        self._preparing: set[asyncio.Task[None]] = set()
        self._prepared: OrderedDict[object, None] = OrderedDict()

    async def start(self) -> None:
        """Raises ProviderError."""
        for provider in self._providers.values():
            await provider.start()

    async def stop(self) -> None:
        for task in self._preparing:
            task.cancel()
        await asyncio.gather(*self._preparing, return_exceptions=True)
        for provider in self._providers.values():
            await provider.close()

    def session(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> SpeechSession:
        """A session of the provider of this name, which makes ready meanwhile what the call will need soon.

        Raises ProviderError for a name that is not known.
        """
        provider = self._named(name)
        session = provider.session(briefing, access)
        if self._is_new(
            name, briefing, access
        ):  # once, and not for each of a burst of calls: turns wait in the same queue
            task = asyncio.create_task(provider.prepare(briefing, access), name="prepare speech")
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)
        return session

    async def prepare(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> None:
        """Make ready what a call of this secretary would wait for. Raises ProviderError for an unknown name."""
        if self._is_new(name, briefing, access):
            await self._named(name).prepare(briefing, access)

    def _is_new(self, name: str, briefing: Briefing, access: Access) -> bool:
        """Whether this secretary, as it is now, has not been prepared; from now on it has."""
        key = (
            name,
            access,
            replace(briefing, call_uuid="", caller_number="", caller_name="", history=(), instructions=""),
        )
        new = key not in self._prepared
        self._prepared[key] = None
        self._prepared.move_to_end(key)
        if len(self._prepared) > MOST_PREPARED:
            self._prepared.popitem(last=False)
        return new

    def _named(self, name: str) -> Provider:
        provider = self._providers.get(name)
        if provider is None:
            raise ProviderError(f"there is no speech provider {name!r}: known are {', '.join(sorted(self._providers))}")
        return provider
