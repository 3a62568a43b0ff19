"""The way of a call through the node: who is it for, may it come in, audio, speech, conversation, record.

Whatever fails on the way, the caller is given back to the dialplan, which has a human or voicemail for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import structlog
from django.conf import settings

from eslbridge.control import ControlError
from eslbridge.esl.async_pool import AsyncPool
from eslbridge.esl.call import OutboundCall
from eslbridge.media.attach import AttachError, attach_leg
from eslbridge.media.contract import AudioLeg
from eslbridge.media.node import MediaNode
from eslbridge.profiles import MediaProfile
from secretary.audio.vad import VoiceActivity
from secretary.conversation.actions import Note
from secretary.conversation.consult.callback import CallbackConsult
from secretary.conversation.consult.machine import Case, Consult
from secretary.conversation.recording import Disk
from secretary.conversation.session import Record, Session
from secretary.errors import CallRefused, ClosedNow
from secretary.profiles import SecretaryProfile, UsageItem
from secretary.selectors.told_callbacks import Told
from secretary.speech.contract import ProviderError, Providers, SpeechSession
from secretary.tools.gate import GatedSpeech
from secretary.voicenode import desk, metrics
from secretary.voicenode.archive import Archive
from secretary.voicenode.arrival import Arrival
from secretary.voicenode.colleague import AskCaller, Colleague, nobody_asks
from secretary.voicenode.coming_back import MOST_VISITS, counted
from secretary.voicenode.consults import Consults
from secretary.voicenode.live import Live
from secretary.voicenode.office import CallOffice
from secretary.voicenode.putting_through import PuttingThrough
from secretary.voicenode.redacted import RedactedLive
from secretary.voicenode.rules import rules
from secretary.voicenode.speaking import Speakers, used_so_far
from secretary.voicenode.taping import tape_of
from secretary.voicenode.telling import Tellings
from secretary.voicenode.told import briefing, route
from secretary.voicenode.toolbox import tool_box
from tenants.context import in_thread

log = structlog.get_logger(__name__)

ADMIT_S: Final = 4.0
"""How long finding the secretary and taking a slot may take; the caller hears ringing meanwhile."""
PREPARE_S: Final = 8.0
"""How long answering, audio and provider may take together."""
SUCCEED_S: Final = 3.0
"""How long a call that came back waits for its earlier conversation to be written down; the caller hears nothing."""
OVER_S: Final = 5.0
"""How long a call may live on after its conversation, before it is cut loose."""
UNDO_S: Final = 60.0
"""How long an admission that came too late is awaited, to free its slot: as long as the slot's lease."""


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
        archive: Archive,
    ) -> None:
        self._media, self._voice_activity, self._providers = media, voice_activity, providers
        self._live, self._disk, self._archive = live, disk, archive
        self._speakers = Speakers(providers)
        self._consults, self._switches = Consults(), AsyncPool()
        self._tellings = Tellings(self._to_be_told)
        self._most_calls = most_calls
        self._sessions: dict[str, Session] = {}
        self._offices: dict[str, CallOffice] = {}
        self._here: dict[str, asyncio.Event] = {}
        """Every call here by its newest connection, from its arrival to its record; set when that one is done."""
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

    @property
    def used(self) -> dict[UUID, tuple[tuple[UsageItem, ...], Decimal]]:
        """What the calls have used so far beyond one provider's time, and what that costs besides their seconds."""
        return used_so_far(self._sessions.items())

    def facts_told(self) -> dict[UUID, tuple[UUID, Mapping[str, str]]]:
        """What callers have told of themselves since the last time, by call, each with its domain."""
        return {UUID(call): told for call, office in self._offices.items() if (told := office.facts_told())}

    async def close(self) -> None:
        """Release what the node's calls shared."""
        await self._switches.close()

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
        if self._consults.is_colleague(call) and await self._consults.receive(call):
            return
        if self._tellings.is_one(call):
            await self._tellings.receive(call)
            return
        began = asyncio.get_running_loop().time()
        metrics.RECEIVED.inc()
        arrival = Arrival.of(call.call_uuid, call.variables)
        before, done = self._here.get(call.call_uuid), asyncio.Event()
        self._here[call.call_uuid] = done
        self._empty.clear()
        try:
            with structlog.contextvars.bound_contextvars(call_uuid=call.call_uuid, domain=arrival.domain_uuid):
                if before is not None:
                    await self._succeed(call.call_uuid, before)
                await self._take_in(call, arrival, began)
        finally:
            done.set()
            if self._here.get(call.call_uuid) is done:
                del self._here[call.call_uuid]
            if not self._here:
                self._empty.set()

    async def _succeed(self, call_uuid: str, before: asyncio.Event) -> None:
        """The call is back (by a transfer) while its earlier conversation still runs: end that one first.

        Side by side they would share one row: the earlier one's end would close it under the later one, whose words
        would then be written nowhere.
        """
        if (session := self._sessions.get(call_uuid)) is not None:
            session.moved()
        try:
            async with asyncio.timeout(SUCCEED_S):
                await before.wait()
        except TimeoutError:
            log.error("earlier_conversation_not_written", patience_s=SUCCEED_S)

    async def _take_in(self, call: OutboundCall, arrival: Arrival, began: float) -> None:
        if (visits := await counted(call, arrival)) > MOST_VISITS:
            await self._refuse(call, arrival, "goes_round", f"{visits} visits of one call")
            return
        if len(self._sessions) >= self._most_calls:
            await self._refuse(call, arrival, "node_full", f"{self._most_calls} calls in conversation")
            return
        admission = asyncio.ensure_future(in_thread(desk.admit, arrival))
        try:
            async with asyncio.timeout(ADMIT_S):
                admitted = await asyncio.shield(admission)
        except ClosedNow as closed:
            await self._refuse(call, arrival, closed.reason, str(closed), to=closed)
        except CallRefused as refusal:
            await self._refuse(call, arrival, refusal.reason, str(refusal))
        except TimeoutError:
            await self._refuse(call, arrival, "database_slow", f"no answer from PostgreSQL in {ADMIT_S:g} s")
            await self._undo(admission, call.call_uuid)
        except Exception as error:
            log.exception("call_not_admitted")
            await self._refuse(call, arrival, "database_failed", repr(error))
        else:
            await self._converse(call, arrival, admitted, began)

    async def _refuse(
        self, call: OutboundCall, arrival: Arrival, reason: str, why: str, to: ClosedNow | None = None
    ) -> None:
        metrics.REFUSED.labels(reason).inc()
        log.warning("call_refused", reason=reason, why=why, extension=arrival.extension)
        try:
            await self._send_away(call, reason, to)
        finally:
            try:
                await in_thread(desk.note_refusal, arrival, reason)
            except Exception as error:
                log.warning("refusal_not_noted", error=repr(error))

    async def _send_away(self, call: OutboundCall, reason: str, to: ClosedNow | None) -> None:
        """To the number that a secretary has out of hours, else back to the dialplan and its fallback."""
        if to is not None and to.number:
            try:
                await call.transfer(to.number, context=to.context)
            except ControlError as error:
                log.warning("closed_number_not_reached", error=str(error))
            else:
                return
        await call.leave(reason)

    async def _undo(self, admission: asyncio.Future[desk.Admitted], call_uuid: str) -> None:
        """Free the slot that was taken when nobody waited for it any more."""
        record = Record()
        record.outcome, record.detail = "fallback", "database_slow"
        try:
            async with asyncio.timeout(UNDO_S):
                profile = (await admission).profile
            kept = desk.record_of(profile, record, answered_at=None, recording=None)
            await in_thread(desk.write, profile, UUID(call_uuid), kept)
        except CallRefused:
            return  # it took none
        except Exception as error:
            log.warning("slot_not_freed", error=repr(error))

    async def _converse(self, call: OutboundCall, arrival: Arrival, admitted: desk.Admitted, began: float) -> None:
        profile, allowed_s = admitted.profile, admitted.allowed_s
        if allowed_s is not None:
            allowed_s += asyncio.get_running_loop().time() - began  # on the call's clock
        answered_at = datetime.now(UTC)
        folder = settings.DATA_DIR / "calls" / str(profile.domain_uuid) / answered_at.strftime("%Y-%m")
        recording = unused(folder / f"{call.call_uuid}.wav") if profile.record_calls else None
        metrics.CALLS.inc()
        record, session = Record(), None
        live = RedactedLive(self._live, profile.redact)
        box = tool_box(profile, arrival, live, began, self._switches)
        box.kept.values.update(admitted.facts)
        office = CallOffice(profile, call.call_uuid, live, box)

        def now_ms() -> int:
            return round((asyncio.get_running_loop().time() - began) * 1000)

        def note(what: Note) -> None:
            record.add_note(what)
            live.note(call.call_uuid, what)

        try:
            told = briefing(profile, arrival, admitted.beginning, box.specs, admitted.back)
            chain = self._speakers.chain(admitted, told, lambda kind, detail: note(Note(kind, now_ms(), detail)))
            provider = GatedSpeech(chain, box)
            session = Session(
                call=call,
                provider=provider,
                rules=rules(profile, allowed_s, greeting=told.greeting),
                voice_activity=self._voice_activity,
                office=office,
                disk=self._disk,
                message_path=lambda: folder / f"{call.call_uuid}-message-{uuid4().hex[:8]}.wav",
                recording_path=recording,
                record_after_disclosure=profile.record_after_disclosure,
                tape=tape_of(call, profile),
                began=began,
            )
            record = session.record
            record.metered = chain.metered
            for service in admitted.speech.missing:
                note(Note("provider_skipped", now_ms(), {"provider": service, "reason": "no key"}))
            if (back := admitted.back) is not None:
                note(Note("came_back", now_ms(), {"name": back.name, "outcome": back.told.outcome}))
            if admitted.closed:
                record.add_note(Note("closed", 0, admitted.closed))
            self._sessions[call.call_uuid] = session
            self._offices[call.call_uuid] = office
            office.putting_through = self._putting_through(
                call, profile, office, lambda kind, detail: note(Note(kind, now_ms(), detail))
            )
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
            await self._see_off(call)
            metrics.CALLS.dec()
            metrics.ENDED.labels(record.outcome).inc()
            if (greeting := record.latency.get("greeting")) is not None:
                metrics.GREETING.observe(greeting / 1000)
            try:
                # Seconds are metered from the answer: a call that could not be answered has none.
                answered = answered_at if call.is_answered else None
                steps = admitted.speech.steps
                await self._archive.write(call.call_uuid, profile, office, record, answered, recording, steps)
            finally:
                if session is not None and self._sessions.get(call.call_uuid) is session:
                    del self._sessions[call.call_uuid]  # and not that of the connection that came after
                    del self._offices[call.call_uuid]

    def _putting_through(
        self,
        call: OutboundCall,
        profile: SecretaryProfile,
        office: CallOffice,
        note: Callable[[str, Mapping[str, object]], None],
    ) -> PuttingThrough:
        def colleague(leg: OutboundCall, case: Case, ask_caller: AskCaller) -> Colleague:
            return self._on_the_telephone(leg, Consult(case), profile.media, str(profile.domain_uuid), ask_caller)

        return PuttingThrough(
            call=call,
            profile=profile,
            consults=self._consults,
            switches=self._switches,
            colleague=colleague,
            voice=self._providers.voice,
            facts=lambda: office.facts,
            note=note,
        )

    def _to_be_told(self, leg: OutboundCall, told: Told) -> Colleague | None:
        if self._providers.voice is None:
            return None
        return self._on_the_telephone(
            leg, CallbackConsult(told.case), told.media, leg.variables["domain_uuid"], nobody_asks
        )

    def _on_the_telephone(
        self, leg: OutboundCall, consult: Consult, media: MediaProfile, domain_uuid: str, ask_caller: AskCaller
    ) -> Colleague:
        return Colleague(
            call=leg,
            consult=consult,
            media=self._media,
            route=route(media),
            domain_uuid=domain_uuid,
            voice_activity=self._voice_activity,
            voice=self._providers.voice,
            ear=self._providers.ear,
            ask_caller=ask_caller,
        )

    async def _see_off(self, call: OutboundCall) -> None:
        """Have nobody parked in silence: a hang-up that the switch refused, or never answered, ends in the dialplan."""
        if call.is_over or call.superseded:
            return
        await call.wait_closed(OVER_S)
        if not (call.is_over or call.superseded):
            log.error("call_did_not_end", patience_s=OVER_S)
            await call.leave("failed")  # and not cut: a cut call goes to the next node, and begins anew
            if not call.is_over:
                call.abort("failed")

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


def unused(path: Path) -> Path:
    """This path, or one beside it where a call that came back has been recorded before."""
    tries = (path.with_stem(f"{path.stem}-{part}") for part in range(2, 100))
    return path if not path.exists() else next((one for one in tries if not one.exists()), path)
