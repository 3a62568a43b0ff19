"""The node's own voices (flite, espeak-ng) as the last stage of a pipeline: nothing leaves the machine.

A sentence comes as a whole, after about 15 ms. Unlike the local secretary's fixed phrases it is not kept, neither on
the disk nor in memory: what a model says to a caller may be about the caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from typing import Final

from secretary.speech.contract import ProviderError
from secretary.speech.local import render
from secretary.speech.local.errors import VoiceError

DEADLINE_S: Final = 3.0
"""For one sentence of a few seconds; an engine that takes longer has died."""


class LocalVoice:
    """Implements `Synthesiser`."""

    def __init__(self, executor: Executor, name: str) -> None:
        self._executor = executor
        self._name = name

    async def speak(self, text: str, *, language: str, before: str = "") -> AsyncGenerator[bytes, None]:
        try:
            pcm = await asyncio.get_running_loop().run_in_executor(self._executor, self._make, text, language)
        except (VoiceError, RuntimeError) as error:  # RuntimeError: the node goes down
            raise ProviderError(f"text to speech (local): {error}", kind="unreachable", retryable=False) from None
        if pcm:
            yield pcm

    def _make(self, text: str, language: str) -> bytes:
        return render.speak(text, render.resolve(self._name, language), language, deadline_s=DEADLINE_S)
