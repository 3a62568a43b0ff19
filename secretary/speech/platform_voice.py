"""The platform's own voice: sentences that must be said exactly so, or at once, whichever provider has the call.

It is the local secretary's voice: made on this machine, kept in memory, nothing to fail in between. The conversation
may use it for what a model cannot be trusted to repeat (a disclosure), or must not be waited for (a filler):

    pcm = providers.voice.ready(text, briefing.voice, language)           # at once, or None
    pcm = await providers.voice.render(text, briefing.voice, language)    # about 50 ms, once; then it is ready

`ChainSession` uses it by itself where a provider fails or is late, and for the sentences it was told to be `exact`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from secretary.speech.contract import ProviderError
from secretary.speech.local.errors import VoiceError
from secretary.speech.local.phrases import language_of
from secretary.speech.local.voice import Voice


class LocalVoice:
    """Implements `PlatformVoice` with the local secretary's voice and its cache."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def ready(self, text: str, voice: str, language: str) -> bytes | None:
        return self._voice.ready(text, voice, language_of(language))

    async def render(self, text: str, voice: str, language: str) -> bytes:
        try:
            return await self._voice.render(text, voice, language_of(language))
        except VoiceError as error:
            raise ProviderError(f"no voice: {error}") from error

    async def prepare(self, texts: Iterable[str], voice: str, language: str) -> None:
        await self._voice.prepare(texts, voice, language_of(language))


@dataclass(frozen=True, slots=True)
class Bridges:
    """What is said while one provider takes over from another."""

    one_moment: str
    """The caller waits for an answer that will come."""
    still_there: str
    """It takes longer."""
    broken_off: str
    """The secretary was cut off in the middle of a sentence that nobody will finish."""
    done: str
    """A tool that the last provider called has done its work."""
    not_done: str

    @property
    def all(self) -> tuple[str, ...]:
        return (self.one_moment, self.still_there, self.broken_off, self.done, self.not_done)


_ENGLISH: Final = Bridges(
    one_moment="One moment, please.",
    still_there="I am still here. Just a little longer, please.",
    broken_off="Sorry, I was cut off. Please go on.",
    done="That is done. Is there anything else I can do for you?",
    not_done="I am sorry, that did not work. How else can I help you?",
)
_PORTUGUESE: Final = Bridges(
    one_moment="Um momento, por favor.",
    still_there="Continuo aqui. Só mais um instante, por favor.",
    broken_off="Desculpe, a ligação falhou por um instante. Pode continuar.",
    done="Pronto, está feito. Posso ajudar em mais alguma coisa?",
    not_done="Desculpe, não deu certo. Posso ajudar de outra forma?",
)


def bridges(language: str) -> Bridges:
    """In `language` (`en`, `pt-br`); English for any other."""
    return _PORTUGUESE if language.lower().startswith("pt") else _ENGLISH
