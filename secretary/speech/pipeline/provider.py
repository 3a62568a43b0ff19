"""The pipeline of one node: what its calls share (connections, the node's own voices, the platform's sentences)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx

from secretary.speech.contract import Access, Briefing, ProviderError
from secretary.speech.pipeline.llm.anthropic import Messages
from secretary.speech.pipeline.llm.contract import Dialect
from secretary.speech.pipeline.llm.openai import ChatCompletions
from secretary.speech.pipeline.llm.stream import StreamedModel
from secretary.speech.pipeline.prompts import KeptVoice, PromptStore
from secretary.speech.pipeline.sentences import sentences_of
from secretary.speech.pipeline.service import Clients, Service
from secretary.speech.pipeline.session import PipelineSession
from secretary.speech.pipeline.settings import Pipeline, Stage, pipeline_of
from secretary.speech.pipeline.stt.contract import Recogniser
from secretary.speech.pipeline.stt.deepgram import ListeningRecogniser
from secretary.speech.pipeline.stt.openai import TurnRecogniser
from secretary.speech.pipeline.tts.contract import Synthesiser
from secretary.speech.pipeline.tts.elevenlabs import ElevenLabsVoice
from secretary.speech.pipeline.tts.local import LocalVoice
from secretary.speech.pipeline.tts.openai import SpeechServer

LOCAL_NAMES: Final = frozenset({"", "female", "male", "slt", "rms", "awb", "kal16"})
"""Voices of the node's own engines: no other service knows them."""

log = logging.getLogger(__name__)


class PipelineProvider:
    """One for a node. Implements `Provider`. Of what is said in calls nothing is written to the data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._engines = ThreadPoolExecutor(2, thread_name_prefix="pipeline voice")
        self._clients = Clients()
        self._prompts = PromptStore()

    async def start(self) -> None:
        """Nothing to wait for: each service is connected to when a call first needs it."""

    async def prepare(self, briefing: Briefing, access: Access) -> None:
        """Have the greeting's sound ready. Never raises."""
        try:
            stage = pipeline_of(access).tts
        except ProviderError as error:
            log.warning("secretary %s: %s", briefing.secretary_uuid, error)
            return
        taken: list[Stage] = []
        try:
            voice = self._kept(stage, briefing, self._synthesiser(stage, briefing, taken))
            for sentence in sentences_of(briefing.greeting):
                if not voice.ready(sentence, briefing.language):
                    async for _ in voice.speak(sentence, language=briefing.language):
                        pass
        except ProviderError as error:
            log.info("secretary %s: greeting not prepared: %s", briefing.secretary_uuid, error)
        finally:
            self._leave(taken)

    def session(self, briefing: Briefing, access: Access) -> PipelineSession:
        """A new session, not yet open. Raises ProviderError for options that do not fit."""
        pipeline = pipeline_of(access)
        taken: list[Stage] = []
        try:
            recogniser = self._recogniser(pipeline.stt, briefing, taken)
            model = StreamedModel(self._service(pipeline.llm, taken), _dialect(pipeline.llm))
            voice = self._synthesiser(pipeline.tts, briefing, taken)
        except ProviderError:
            self._leave(taken)
            raise
        return PipelineSession(
            briefing,
            recogniser=recogniser,
            model=model,
            voice=voice,
            own_voice=self._kept(pipeline.tts, briefing, voice),
            models=(_counted(pipeline.stt), _counted(pipeline.tts)),
            thinks_first=pipeline.llm.option("thinks") == "yes",
            follows_language=pipeline.stt.option("language") in ("auto", "multi"),
            warm=lambda: self._warm(pipeline),
            closed=lambda: self._leave(taken),
        )

    async def close(self) -> None:
        """Idempotent."""
        self._engines.shutdown(wait=False, cancel_futures=True)
        await self._clients.close()

    # The stages -------------------------------------------------------------------------------------------------------

    def _service(self, stage: Stage, taken: list[Stage]) -> Service:
        client = self._clients.take(stage)
        taken.append(stage)
        return Service(stage, client)

    def _recogniser(self, stage: Stage, briefing: Briefing, taken: list[Stage]) -> Recogniser:
        names = [place.name for place in briefing.places]
        if stage.service == "deepgram":
            return ListeningRecogniser(stage, briefing.language, names)
        return TurnRecogniser(self._service(stage, taken), briefing.language, names)

    def _synthesiser(self, stage: Stage, briefing: Briefing, taken: list[Stage]) -> Synthesiser:
        if stage.service == "local":
            return LocalVoice(self._engines, stage.option("voice") or briefing.voice)
        voice = "" if briefing.voice in LOCAL_NAMES else briefing.voice
        service = self._service(stage, taken)
        return ElevenLabsVoice(service, voice) if stage.service == "elevenlabs" else SpeechServer(service, voice)

    def _kept(self, stage: Stage, briefing: Briefing, voice: Synthesiser) -> KeptVoice:
        return KeptVoice(voice, self._prompts, (stage, briefing.voice))

    def _leave(self, stages: Sequence[Stage]) -> None:
        for stage in stages:
            self._clients.leave(stage)

    async def _warm(self, pipeline: Pipeline) -> None:
        """Connect while the caller is greeted, so that the first turn waits for no handshake."""
        stages = [stage for stage in (pipeline.stt, pipeline.llm, pipeline.tts) if self._clients.is_cold(stage)]
        await asyncio.gather(*(self._connect(stage) for stage in stages))

    async def _connect(self, stage: Stage) -> None:
        client = self._clients.take(stage)
        try:
            await client.head(stage.url)
        except (httpx.HTTPError, ProviderError) as error:  # the request that needs it will tell
            log.debug("%s not warmed: %s", stage.name, type(error).__name__)
        finally:
            self._clients.leave(stage)


def _counted(stage: Stage) -> str:
    """What the stage is counted under."""
    return stage.model or stage.service


def _dialect(stage: Stage) -> Dialect:
    return Messages(stage) if stage.service == "anthropic" else ChatCompletions(stage)
