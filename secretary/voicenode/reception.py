"""The way of a call through the node: who is it for, may it come in, audio, speech, conversation, record.

Whatever fails on the way, the caller is given back to the dialplan, which has a human or voicemail for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import structlog
from django.conf import settings

from eslbridge.control import ControlError
from eslbridge.esl.call import OutboundCall
from eslbridge.media.attach import AttachError, Route, attach_leg
from eslbridge.media.contract import AudioLeg
from eslbridge.media.node import MediaNode
from eslbridge.profiles import MediaProfile
from secretary.audio.vad import VoiceActivity
from secretary.conversation.recording import Disk
from secretary.conversation.session import Record, Session
from secretary.conversation.state import Rules
from secretary.errors import CallRefused
from secretary.profiles import SecretaryProfile
from secretary.selectors.greetings import greeting_of
from secretary.speech.contract import Briefing, Place, ProviderError, Providers, SpeechSession
from secretary.voicenode import desk, metrics
from secretary.voicenode.arrival import Arrival
from secretary.voicenode.live import Live
from secretary.voicenode.office import CallOffice
from tenants.context import in_thread

log = structlog.get_logger(__name__)

ADMIT_S: Final = 4.0
"""How long finding the secretary and taking a slot may take; the caller hears ringing meanwhile."""
PREPARE_S: Final = 8.0
"""How long answering, audio and provider may take together."""
WRITE_ATTEMPTS: Final = 5
WRITE_PAUSE_S: Final = 1.0


class Reception:
    """Receives every call of the node. Holds what calls share; a call's own things live in its coroutine."""

    def __init__(
        self,
        *,
        media: MediaNode,
        voice_activity: VoiceActivity,
        providers: Providers,
        live: Live,
        disk: Disk,
        most_calls: int,
    ) -> None:
        self._media, self._voice_activity, self._providers = media, voice_activity, providers
        self._live, self._disk = live, disk
        self._most_calls = most_calls
        self._sessions: dict[str, Session] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def call_uuids(self) -> list[UUID]:
        """The calls in conversation, for the renewal of their leases."""
        return [UUID(call_uuid) for call_uuid in self._sessions]

    async def emptied(self, patience_s: float) -> bool:
        """Wait until no call is left and every record is written, at most so long; whether it came to that."""
        try:
            async with asyncio.timeout(patience_s):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    def allow(self, allowed: Mapping[UUID, float | None]) -> None:
        """What the renewal of the leases says about how long calls may last: seconds from now, None for no end."""
        for call_uuid, seconds in allowed.items():
            if (session := self._sessions.get(str(call_uuid))) is not None:
                session.allow(seconds)

    def drop_all(self, reason: str) -> None:
        """Give every caller to the fallback: the node must end."""
        for session in tuple(self._sessions.values()):
            session.drop(reason)

    async def receive(self, call: OutboundCall) -> None:
        """Take one call from its first moment to its record."""
        began = asyncio.get_running_loop().time()
        metrics.RECEIVED.inc()
        arrival = Arrival.of(call.call_uuid, call.variables)
        with structlog.contextvars.bound_contextvars(call_uuid=call.call_uuid, domain=arrival.domain_uuid):
            if len(self._sessions) >= self._most_calls:
                await self._refuse(call, arrival, "node_full", f"{self._most_calls} calls in conversation")
                return
            try:
                async with asyncio.timeout(ADMIT_S):
                    admitted = await in_thread(desk.admit, arrival)
            except CallRefused as refusal:
                await self._refuse(call, arrival, refusal.reason, str(refusal))
            except TimeoutError:
                await self._refuse(call, arrival, "database_slow", f"no answer from PostgreSQL in {ADMIT_S:g} s")
            except Exception as error:
                log.exception("call_not_admitted")
                await self._refuse(call, arrival, "database_failed", repr(error))
            else:
                await self._converse(call, arrival, admitted, began)

    async def _refuse(self, call: OutboundCall, arrival: Arrival, reason: str, why: str) -> None:
        metrics.REFUSED.labels(reason).inc()
        log.warning("call_refused", reason=reason, why=why, extension=arrival.extension)
        try:
            await call.leave(reason)
        finally:
            try:
                await in_thread(desk.note_refusal, arrival, reason)
            except Exception as error:
                log.warning("refusal_not_noted", error=repr(error))

    async def _converse(self, call: OutboundCall, arrival: Arrival, admitted: desk.Admitted, began: float) -> None:
        profile, allowed_s = admitted.profile, admitted.allowed_s
        if allowed_s is not None:
            allowed_s += asyncio.get_running_loop().time() - began  # on the call's clock
        answered_at = datetime.now(UTC)
        folder = settings.DATA_DIR / "calls" / str(profile.domain_uuid) / answered_at.strftime("%Y-%m")
        recording = folder / f"{call.call_uuid}.wav" if profile.record_calls else None
        metrics.CALLS.inc()
        provider = self._providers.session(profile.provider, briefing(profile, arrival))
        session = Session(
            call=call,
            provider=provider,
            rules=rules(profile, allowed_s),
            voice_activity=self._voice_activity,
            office=CallOffice(profile, call.call_uuid, self._live),
            disk=self._disk,
            message_path=lambda: folder / f"{call.call_uuid}-message-{uuid4().hex[:8]}.wav",
            recording_path=recording,
            began=began,
        )
        record = session.record
        self._sessions[call.call_uuid] = session
        self._empty.clear()
        try:
            leg = await self._prepare(call, profile, provider, session)
            await session.run(leg)
        except (ControlError, AttachError, ProviderError, TimeoutError, RuntimeError) as error:
            gone = call.is_over
            record.outcome, record.detail = (
                ("caller_hung_up", "before the greeting") if gone else ("fallback", str(error))
            )
            log.warning("call_not_taken", error=repr(error))
            await call.leave("failed")
        except BaseException:
            record.outcome, record.detail = "failed", "internal error"
            log.exception("conversation_broke")
            await call.leave("failed")
            raise
        finally:
            metrics.CALLS.dec()
            metrics.ENDED.labels(record.outcome).inc()
            if (greeting := record.latency.get("greeting")) is not None:
                metrics.GREETING.observe(greeting / 1000)
            try:
                await self._write(call.call_uuid, profile, record, answered_at, recording)
            finally:
                self._sessions.pop(call.call_uuid, None)  # a node that drains waits for the record, too
                if not self._sessions:
                    self._empty.set()

    async def _prepare(
        self, call: OutboundCall, profile: SecretaryProfile, provider: SpeechSession, session: Session
    ) -> AudioLeg:
        """Answer, bring the audio here and have the provider ready, side by side: the greeting must not wait."""

        async def audio() -> AudioLeg:
            await call.answer()
            return await attach_leg(call, self._media, route(profile.media), domain_uuid=str(profile.domain_uuid))

        leg = asyncio.ensure_future(audio())
        try:
            async with asyncio.timeout(PREPARE_S):
                await provider.open(session)
                return await leg
        except BaseException:
            leg.cancel()
            for opened in await asyncio.gather(leg, return_exceptions=True):
                if not isinstance(opened, BaseException):
                    opened.close()
            await provider.close()
            raise

    async def _write(
        self, call_uuid: str, profile: SecretaryProfile, record: Record, answered_at: datetime, recording: Path | None
    ) -> None:
        for attempt in range(1, WRITE_ATTEMPTS + 1):
            try:
                await in_thread(
                    desk.write, profile, UUID(call_uuid), record, answered_at=answered_at, recording=recording
                )
            except Exception as error:
                log.warning("record_not_written_yet", attempt=attempt, error=repr(error))
                await asyncio.sleep(WRITE_PAUSE_S * attempt)
            else:
                log.info("call_ended", outcome=record.outcome, detail=record.detail, latency=record.latency)
                return
        metrics.RECORDS_LOST.inc()
        log.error("record_not_written", outcome=record.outcome, lines=[line.text for line in record.lines])


def route(media: MediaProfile) -> Route:
    """Where the audio of the domain's calls runs."""
    return Route(
        transport=media.audio_transport,
        switch_media_host=media.switch_media_host,
        port_min=media.switch_media_port_min,
        port_max=media.switch_media_port_max,
        node_media_host=media.node_media_host,
    )


def rules(profile: SecretaryProfile, allowed_s: float | None = None) -> Rules:
    """What the secretary's settings say about the conversation, and the domain's quotas about its end."""
    return Rules(
        language=profile.language,
        greeting=greeting_of(profile),
        silence_ms=round(profile.silence_s * 1000),
        silence_prompts=profile.silence_prompts,
        max_call_ms=profile.max_call_s * 1000,
        allowed_ms=None if allowed_s is None else round(allowed_s * 1000),
    )


def briefing(profile: SecretaryProfile, arrival: Arrival | None = None) -> Briefing:
    """What the provider is told: names, never numbers to dial. Without a call: what it may prepare."""
    return Briefing(
        call_uuid=arrival.call_uuid if arrival else "",
        domain_uuid=str(profile.domain_uuid),
        secretary_uuid=str(profile.secretary_uuid),
        secretary_name=profile.name,
        language=profile.language,
        voice=profile.voice,
        greeting=greeting_of(profile),
        prompt=profile.prompt,
        places=tuple(Place(str(place.destination_uuid), place.name, place.aliases) for place in profile.destinations),
        caller_number=arrival.caller_number if arrival else "",
        caller_name=arrival.caller_name if arrival else "",
    )
