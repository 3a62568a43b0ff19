"""The node's own voices (flite, espeak-ng) as the last stage of a pipeline: nothing leaves the machine.

A sentence comes as a whole, after about 15 ms; what has been said before comes from the voice's store.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from secretary.speech.contract import ProviderError
from secretary.speech.local.errors import VoiceError
from secretary.speech.local.voice import Voice


class LocalVoice:
    """Implements `Synthesiser`."""

    def __init__(self, voice: Voice, name: str) -> None:
        self._voice = voice
        self._name = name

    async def speak(self, text: str, *, language: str, before: str = "") -> AsyncGenerator[bytes, None]:
        try:
            pcm = await self._voice.render(text, self._name, language)
        except VoiceError as error:
            raise ProviderError(f"text to speech (local): {error}", kind="unreachable", retryable=False) from None
        if pcm:
            yield pcm
