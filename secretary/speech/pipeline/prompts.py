"""The platform's own sentences as sound: said in every call, made once. One store a node, bounded.

A tenant's sentences are found only with that tenant's own service, key and voice.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from secretary.speech.pipeline.tts.contract import Synthesiser

MOST_BYTES: Final = 16 * 2**20
"""A quarter of an hour of speech."""
MOST_EACH: Final = 2**19
"""Half a minute; a longer sentence is made anew."""


class PromptStore:
    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._sounds: OrderedDict[object, bytes] = OrderedDict()
        self._bytes = 0
        self._most = most_bytes

    def get(self, key: object) -> bytes | None:
        sound = self._sounds.get(key)
        if sound is not None:
            self._sounds.move_to_end(key)
        return sound

    def keep(self, key: object, sound: bytes) -> None:
        if len(sound) > MOST_EACH or key in self._sounds:
            return
        self._sounds[key] = sound
        self._bytes += len(sound)
        while self._bytes > self._most:
            self._bytes -= len(self._sounds.popitem(last=False)[1])


class KeptVoice:
    """A voice that remembers. Implements `Synthesiser`."""

    def __init__(self, voice: Synthesiser, store: PromptStore, owner: object) -> None:
        self._voice = voice
        self._store = store
        self._owner = owner
        """Whose: service, key, voice and all other options."""

    def ready(self, text: str, language: str) -> bool:
        return self._store.get((self._owner, language, text)) is not None

    async def speak(self, text: str, *, language: str, before: str = "") -> AsyncGenerator[bytes, None]:
        key = (self._owner, language, text)
        if (sound := self._store.get(key)) is not None:
            yield sound
            return
        parts = []
        async with aclosing(self._voice.speak(text, language=language, before=before)) as source:
            async for pcm in source:
                parts.append(pcm)
                yield pcm
        self._store.keep(key, b"".join(parts))
