"""The platform's own ear: a few words, understood on this machine, such as a colleague's yes or no.

    meaning, confidence = await providers.ear.meaning(pcm, "en", {"who": ("who is it", "who is calling")})

It is the local secretary's recogniser: yes and no always, and what else it was told to listen for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from secretary.speech.contract import ProviderError
from secretary.speech.local.errors import RecogniserError
from secretary.speech.local.grammar import GrammarSpec
from secretary.speech.local.intents import Intent
from secretary.speech.local.phrases import language_of
from secretary.speech.local.recogniser import Recogniser

_ANSWERS: Final = {Intent.YES: "yes", Intent.NO: "no", Intent.REPEAT: "again"}


class LocalEar:
    """Implements `PlatformEar` with the local secretary's recogniser."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser

    async def meaning(self, pcm: bytes, language: str, choices: Mapping[str, tuple[str, ...]]) -> tuple[str, float]:
        try:
            found = await self._recogniser.understand(_spec(language, choices), pcm, answer=True)
        except RecogniserError as error:
            raise ProviderError(str(error)) from error
        if found.intent is Intent.PLACE and found.place is not None:
            return list(choices)[found.place], found.confidence
        return _ANSWERS.get(found.intent, ""), found.confidence

    async def prepare(self, language: str, choices: Mapping[str, tuple[str, ...]]) -> None:
        try:
            await self._recogniser.prepare(_spec(language, choices))
        except RecogniserError as error:
            raise ProviderError(str(error)) from error


def _spec(language: str, choices: Mapping[str, tuple[str, ...]]) -> GrammarSpec:
    return GrammarSpec.of(language_of(language), [(ways[0], ways[1:]) for ways in choices.values()])
