"""The voice node's parts, put together; how it starts, shows its health, and ends without dropping a caller."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from prometheus_client import REGISTRY

from eslbridge.esl.door import Door
from eslbridge.esl.outbound import OutboundServer
from eslbridge.media import process
from eslbridge.media.node import MediaNode
from eslbridge.selectors import switch_host
from secretary.audio.vad import VoiceActivity
from secretary.conversation.recording import Disk
from secretary.selectors.greetings import profiles_to_prepare
from secretary.services.calls import RENEW_EVERY_S
from secretary.speech.platform_voice import bridges
from secretary.speech.registry import Providers
from secretary.speech.steps import LAST
from secretary.voicenode import desk, health
from secretary.voicenode.archive import Archive
from secretary.voicenode.live import Live
from secretary.voicenode.reception import Reception
from secretary.voicenode.spool import Spool
from secretary.voicenode.told import briefing
from tenants.context import in_thread

log = structlog.get_logger(__name__)

PREPARE_S: Final = 5.0
"""How long a starting node may prepare speech before it takes calls; the rest goes on beside them."""
WRITE_BACK_EVERY_S: Final = 30.0
GOODBYE_S: Final = 5.0
"""How long the calls that were given to the fallback have to be written down."""


class VoiceNode:
    """One node on the running event loop. `start`, then `drain` and `stop`."""

    def __init__(self) -> None:
        self.media = MediaNode(
            udp=settings.VOICENODE_UDP_BIND,
            websocket=settings.VOICENODE_MEDIA_BIND,
            advertised_host=settings.VOICENODE_ADVERTISED_HOST,
            hooks=health.hooks(self.is_ready),
        )
        self.voice_activity = VoiceActivity(slots=settings.VOICENODE_MAX_CALLS)
        self.providers = Providers(settings.DATA_DIR)
        self.live = Live()
        self.disk = Disk()
        self.archive = Archive(Spool(settings.DATA_DIR / "spool"))
        self.reception = Reception(
            media=self.media,
            voice_activity=self.voice_activity,
            providers=self.providers,
            live=self.live,
            disk=self.disk,
            most_calls=settings.VOICENODE_MAX_CALLS,
            archive=self.archive,
        )
        self.door = Door(
            peers=settings.VOICENODE_ESL_PEERS or None,
            trusted=settings.VOICENODE_ESL_TRUSTED,
            host_of=_host_of,
        )
        self.server = OutboundServer(
            self.reception.receive,
            host=settings.VOICENODE_ESL_BIND.host,
            port=settings.VOICENODE_ESL_BIND.port,
            max_connections=settings.VOICENODE_ESL_MAX_CONNECTIONS,
            door=self.door,
        )
        self._counters = health.MediaCollector(self.media)
        self._background: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Everything is ready before the first call is accepted. Raises OSError when a port is taken."""
        REGISTRY.register(self._counters)
        self.live.start()
        await self.providers.start()
        await self.media.start()
        self.media.clock.after_phase(self.voice_activity.run)
        prepared = asyncio.create_task(self._prepare_speech(), name="prepare speech")
        await asyncio.wait({prepared}, timeout=PREPARE_S)  # the first caller should not pay for it, nor wait for ever
        process.tune()
        await self.server.start()
        self._background = [
            prepared,
            asyncio.create_task(_every(RENEW_EVERY_S, self._renew), name="leases"),
            asyncio.create_task(_every(WRITE_BACK_EVERY_S, self.archive.write_back), name="spool"),
        ]
        log.info(
            "voicenode_ready",
            node=settings.VOICENODE_NAME,
            esl=f"{settings.VOICENODE_ESL_BIND.host}:{self.server.port}",
            voice_model=self.voice_activity.uses_model,
        )

    async def drain(self, patience_s: float) -> None:
        """Take no more calls, and let those in conversation end by themselves for so long."""
        self.server.drain()
        log.info("voicenode_draining", calls=len(self.reception.call_uuids), patience_s=patience_s)
        if not await self.reception.emptied(patience_s):
            self.reception.drop_all("the node is going down")
            await self.reception.emptied(GOODBYE_S)

    async def stop(self) -> None:
        """Close everything. Calls that are still there go on in the dialplan."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.server.close()
        await self.door.close()
        await self.reception.close()
        await self.media.stop()
        await self.providers.stop()
        await self.archive.close()
        await self.live.stop()
        await asyncio.to_thread(self.disk.close)
        with contextlib.suppress(KeyError):
            REGISTRY.unregister(self._counters)
        log.info("voicenode_stopped")

    def is_ready(self) -> bool:
        """Whether a switch should send calls here."""
        return self.server.is_listening

    async def _prepare_speech(self) -> None:
        """Have greetings ready and the database connected before somebody calls. Not fatal: calls come first."""
        try:
            voice = self.providers.voice
            for profile in await in_thread(profiles_to_prepare):
                # The platform's voice stands in for any provider; others are made ready by their first call.
                await self.providers.prepare(LAST.provider, briefing(profile))
                if voice is not None:
                    await voice.prepare(bridges(profile.language).all, profile.voice, profile.language)
        except Exception as error:
            log.warning("speech_not_prepared", error=repr(error))

    async def _renew(self) -> None:
        self.reception.allow(
            await in_thread(
                desk.renew,
                node=settings.VOICENODE_NAME,
                call_uuids=self.reception.call_uuids,
                used=self.reception.used,
                facts=self.reception.facts_told(),
            )
        )


async def _host_of(domain_uuid: UUID) -> str:
    return await in_thread(switch_host, domain_uuid)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception as error:
            log.warning("periodic_work_failed", error=repr(error))
