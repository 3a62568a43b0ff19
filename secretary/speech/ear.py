"""What one provider of a chain speaks into. It falls silent when that provider has lost the call.

Names of utterances and tools are made the chain's own, so that those of two providers never mean the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from secretary.speech.contract import FailureKind, ProviderError, ToolCall

if TYPE_CHECKING:
    from secretary.speech.chain import ChainSession


MOST_EARLY: Final = 500
"""Things that a provider may tell before it has the call: 10 s of voice."""


class Ear:
    """Implements `SpeechListener` for one session of one provider."""

    def __init__(self, chain: ChainSession, generation: int) -> None:
        self._chain, self._relay = chain, chain.relay
        self._prefix = f"{generation}:" if generation else ""
        self._early: list[Callable[[], None]] | None = []
        """What was told before the session had the call; told when it has."""
        self.failure: ProviderError | None = None
        """It failed before it had the call."""

    def own(self, name: str) -> str | None:
        """A name of the chain as this provider gave it; None: it is another's."""
        if self._prefix:
            return name.removeprefix(self._prefix) if name.startswith(self._prefix) else None
        return None if name.startswith("platform-") else name

    def release(self) -> None:
        """The session has the call from now on."""
        early, self._early = self._early or [], None
        for tell in early:
            if self._has_call:
                tell()

    @property
    def _has_call(self) -> bool:
        return self._chain.has_call(self)

    def _tell(self, tell: Callable[[], None]) -> None:
        """Now, or when the session has the call; never, when it has lost it."""
        if self._early is not None:
            if len(self._early) < MOST_EARLY:
                self._early.append(tell)
        elif self._has_call:
            tell()

    def on_caller_text(self, text: str) -> None:
        self._tell(lambda: self._relay.caller_text(text))

    def on_caller_interim(self, text: str) -> None:
        if self._has_call and self._early is None:
            self._relay.caller_interim(text)

    def on_voice(self, utterance_id: str, text: str, pcm: bytes, last: bool) -> None:
        name = self._prefix + utterance_id
        if self._early is None and self._has_call:
            self._relay.voice(name, text, pcm, last)
        else:
            self._tell(lambda: self._relay.voice(name, text, pcm, last))

    def on_tool(self, call: ToolCall) -> None:
        call = replace(call, tool_call_id=self._prefix + call.tool_call_id)
        self._tell(lambda: self._relay.tool(call))

    def on_thinking(self) -> None:
        self._tell(self._relay.thinking)

    def on_speech_started(self) -> None:
        self._tell(self._relay.speech_started)

    def on_speech_stopped(self) -> None:
        self._tell(self._relay.speech_stopped)

    def on_language(self, language: str) -> None:
        self._tell(lambda: self._relay.speaks(language))

    def on_usage(self, unit: str, quantity: float, model: str = "") -> None:
        if self._has_call or self._early is not None:
            self._relay.used(unit, quantity, model)

    def on_failed(self, reason: str, kind: FailureKind = "protocol", retry_after_s: float | None = None) -> None:
        if self._has_call:
            self._early = None
            self._chain.failed(reason, kind, retry_after_s)
        else:
            self.failure = self.failure or ProviderError(reason, kind=kind, retry_after_s=retry_after_s)
