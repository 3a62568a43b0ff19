"""What the platform's own voice says in one call: what is due and nobody else says in time, or in these words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from secretary.speech.contract import COVER, Briefing, PlatformVoice, ProviderError
from secretary.speech.relay import Relay

log = structlog.get_logger(__name__)
Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]


class OwnVoice:
    """One call's. Without a voice it says nothing."""

    def __init__(self, voice: PlatformVoice | None, briefing: Briefing, spawn: Spawn) -> None:
        self._voice, self._briefing, self._spawn = voice, briefing, spawn
        self._serial = 0

    def prepare(self, relay: Relay, exact: frozenset[str]) -> None:
        """Make ready what may have to be said at once."""
        if self._voice is not None:
            sentences = (self._briefing.greeting, *relay.bridges.all, *exact)
            work = self._voice.prepare(sentences, self._briefing.voice, self._briefing.language)
            self._spawn(work, "prepare the platform's voice")

    def say(self, relay: Relay, text: str) -> None:
        """Now, or as soon as it is made."""
        if self._voice is None:
            return
        pcm = self._voice.ready(text, self._briefing.voice, relay.language)
        if pcm is not None:
            self._play(relay, text, pcm)
        else:
            self._spawn(self._render(self._voice, relay, text), "platform voice")

    async def _render(self, voice: PlatformVoice, relay: Relay, text: str) -> None:
        try:
            pcm = await voice.render(text, self._briefing.voice, relay.language)
        except ProviderError as error:
            log.warning("platform_voice_failed", call_uuid=self._briefing.call_uuid, error=str(error))
        else:
            self._play(relay, text, pcm)

    def _play(self, relay: Relay, text: str, pcm: bytes) -> None:
        if relay.listener is not None:
            self._serial += 1
            covers = text in (relay.bridges.one_moment, relay.bridges.still_there)
            utterance_id = f"{COVER if covers else 'platform-'}{self._serial}"
            if text not in relay.bridges.all:
                relay.memory.secretary_says(utterance_id, text, True)
            relay.listener.on_voice(utterance_id, text, pcm, True)
