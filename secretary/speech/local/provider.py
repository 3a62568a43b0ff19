"""The local secretary of one node: what its calls share (the voice's cache, the recogniser's workers)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from secretary.speech.contract import NO_ACCESS, Access, Briefing, ProviderError
from secretary.speech.local import espeak, render
from secretary.speech.local.errors import RecogniserError
from secretary.speech.local.phrases import Phrase, all_fixed, language_of, sentence
from secretary.speech.local.recogniser import Recogniser
from secretary.speech.local.session import LocalSession, spec_of
from secretary.speech.local.voice import Voice

NAMES: Final = 40
"""Destinations whose announcement is rendered beforehand; of a longer list the rest is rendered when first needed."""

log = logging.getLogger(__name__)


class LocalProvider:
    """Start it before the first call; one for a node."""

    def __init__(self, data_dir: Path, *, voice: Voice | None = None, recogniser: Recogniser | None = None) -> None:
        self.voice = voice or Voice(data_dir / "voice")
        self.recogniser = recogniser or Recogniser()

    async def start(self) -> None:
        """Start the workers. Raises ProviderError when this machine can neither listen nor speak."""
        if not espeak.available() and render.flite() is None:
            raise ProviderError("no voice engine: install espeak-ng or the espeakng-loader wheel")
        try:
            await self.recogniser.start()
        except RecogniserError as error:
            raise ProviderError(str(error)) from error

    async def prepare(self, briefing: Briefing, access: Access = NO_ACCESS) -> None:
        """Have this secretary's greeting, sentences and grammar ready, so that its next call waits for none of them.

        Cheap when they are ready already. Call at the node's start for every secretary, and when one was changed.
        Never raises: what could not be prepared is made during the call.
        """
        language = language_of(briefing.language)
        names = [place.name for place in briefing.places]
        texts = [briefing.greeting, *all_fixed(language)]
        texts += [sentence(phrase, language, places=names) for phrase in (Phrase.NOT_CAUGHT, Phrase.WHO)]
        texts += [sentence(Phrase.TRANSFERRING, language, place=name) for name in names[:NAMES]]
        await self.voice.prepare(texts, briefing.voice, language)
        try:
            await self.recogniser.prepare(spec_of(briefing))
        except RecogniserError as error:
            log.warning("grammar of secretary %s not prepared: %s", briefing.secretary_uuid, error)

    def session(self, briefing: Briefing, access: Access = NO_ACCESS) -> LocalSession:
        """A new session; cheap, nothing is waited for."""
        return LocalSession(briefing, voice=self.voice, recogniser=self.recogniser)

    async def close(self) -> None:
        """End the workers, within 1 s. Idempotent."""
        self.voice.close()
        await self.recogniser.close()
