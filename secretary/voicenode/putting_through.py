"""Putting a caller through, from the wish to the bridge: what a call's `office.transfer` does.

Where a person picks up, a worker calls them first, and the caller waits here with music. The leg that answers comes to
this node; unless the transfer is blind, the colleague is told who is calling and says whether they take the call. Only
then are the two legs bridged. Whatever else happens, the caller is still here, and the outcome has one word. Where the
caller's own leg has to go (a queue, a menu, a box, another secretary), a worker sends it into the dialplan.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from django.conf import settings

from eslbridge import jobs
from eslbridge.control import CallEvent, ControlError, HungUp, Left
from eslbridge.dialplan import CALLING
from eslbridge.esl import commands
from eslbridge.esl.async_pool import AsyncPool
from eslbridge.esl.call import OutboundCall
from eslbridge.media.attach import AttachError
from eslbridge.outcomes import TransferOutcome
from secretary.conversation.consult.machine import Case
from secretary.conversation.consult.sentences import consult_sentences
from secretary.conversation.office import CallerSide, Outcome
from secretary.errors import TransferRefused
from secretary.models.destination import MAX_FALLBACKS, TransferMode
from secretary.profiles import SecretaryProfile
from secretary.services.availability import Availability, ask_switch
from secretary.services.transfers import (
    Plan,
    conclude_consult,
    plan_transfer,
    request_consult,
    request_transfer,
)
from secretary.speech.contract import PlatformVoice, ProviderError
from secretary.voicenode.awaited import LOOK_EVERY_S, AwaitedJob, Ringing
from secretary.voicenode.colleague import Colleague
from secretary.voicenode.consults import Consults, Expected
from tenants.context import in_thread

log = structlog.get_logger(__name__)

TRANSFER_S: Final = 18.0
"""How long a worker may take to send a call into the dialplan."""
CALLING_S: Final = 20.0
"""How much longer than it rings calling a colleague may take."""
ARRIVES_S: Final = 4.0
"""How long after its answer a colleague's leg may take to come here."""
FAREWELL_S: Final = 12.0
CONTROL_S: Final = 3.0
NOT_TRIED_AGAIN: Final = frozenset({"ok", TransferOutcome.CALLER_GONE, "unknown_call"})

MakeColleague = Callable[[OutboundCall, Case, Callable[[bytes], Coroutine[Any, Any, bytes]]], Colleague]


class PuttingThrough:
    """One call's. `facts` gives what the caller has told of themselves so far, `note` writes into the timeline."""

    def __init__(
        self,
        *,
        call: OutboundCall,
        profile: SecretaryProfile,
        consults: Consults,
        switches: AsyncPool,
        colleague: MakeColleague,
        voice: PlatformVoice | None,
        facts: Callable[[], Mapping[str, str]],
        note: Callable[[str, Mapping[str, object]], None],
    ) -> None:
        self._call, self._profile, self._consults, self._switches = call, profile, consults, switches
        self._colleague, self._voice, self._facts, self._note = colleague, voice, facts, note
        self._call_uuid = UUID(call.call_uuid)
        self._domain_uuid = profile.domain_uuid

    async def to(self, destination_uuid: str, caller: CallerSide) -> Outcome:
        """Put the caller through to this destination, or to who stands in for it. Cancelled: the caller is gone."""
        try:
            wanted = UUID(destination_uuid)
        except ValueError:
            return Outcome("unknown_destination", "the provider named no destination")
        tried = list[tuple[Plan, Outcome]]()
        next_one: UUID | None = wanted
        while next_one is not None and len(tried) <= MAX_FALLBACKS:
            if next_one in {plan.destination_uuid for plan, _ in tried}:
                break
            try:
                plan = await self._plan(next_one)
            except TransferRefused as refusal:
                if not tried:
                    return _refused(refusal)
                break
            try:
                outcome = await self._try(plan, caller)
            except TransferRefused as refusal:
                outcome = _refused(refusal)
            if outcome.word in NOT_TRIED_AGAIN or self._call.is_over:
                return outcome  # also a call that went, whose worker did not live to say so
            self._note("transfer_tried", {"name": plan.name, "outcome": outcome.word, "detail": outcome.detail})
            tried.append((plan, outcome))
            next_one = plan.fallback_uuid
        return _in_vain(tried)

    async def _plan(self, destination_uuid: UUID) -> Plan:
        return await in_thread(
            plan_transfer,
            domain_uuid=self._domain_uuid,
            call_uuid=self._call_uuid,
            destination_uuid=destination_uuid,
        )

    async def _try(self, plan: Plan, caller: CallerSide) -> Outcome:
        if plan.closed:
            return Outcome(TransferOutcome.CLOSED, plan.closed)
        free = await self._availability(plan)
        if free.blocks:
            word = TransferOutcome.NO_ANSWER if free.word == "no_agents" else TransferOutcome(free.word)
            return Outcome(word, f"asked before it rang: {free.word}")
        if not plan.is_person:
            return await self._send(plan, caller)
        return await self._consult(plan, caller, forwarded=free.forwarded)

    async def _availability(self, plan: Plan) -> Availability:
        return await ask_switch(
            self._switches,
            domain_uuid=self._domain_uuid,
            domain_name=self._profile.domain_name,
            kind=plan.kind,
            number=plan.number,
        )

    # The caller's own leg goes ------------------------------------------------------------------------------------

    async def _send(self, plan: Plan, caller: CallerSide) -> Outcome:
        await caller.let_go()
        # Shielded: a caller who hangs up meanwhile must not leave a job behind that nobody takes back.
        asked = asyncio.ensure_future(
            in_thread(
                request_transfer,
                domain_uuid=self._domain_uuid,
                call_uuid=self._call_uuid,
                destination_uuid=plan.destination_uuid,
            )
        )
        try:
            job_uuid = await asyncio.shield(asked)
        except asyncio.CancelledError:
            await AwaitedJob(self._domain_uuid, await asked).take_back("the caller hung up")
            raise
        job = AwaitedJob(self._domain_uuid, job_uuid)
        try:
            async with asyncio.timeout(TRANSFER_S):
                return await job.end()
        except TimeoutError:
            await job.take_back("the caller waited too long")
            return Outcome(TransferOutcome.FAILED, f"no worker finished the transfer within {TRANSFER_S:g} s")
        except asyncio.CancelledError:
            await job.take_back("the caller hung up")
            raise

    # A colleague is called first ----------------------------------------------------------------------------------

    async def _consult(self, plan: Plan, caller: CallerSide, *, forwarded: bool) -> Outcome:
        leg_uuid = uuid4()
        await self._leave_word(str(leg_uuid))
        with self._consults.expect(
            domain_uuid=self._domain_uuid, call_uuid=self._call_uuid, leg_uuid=leg_uuid
        ) as expected:
            host, port = node_address(self._call.variables)
            asked = asyncio.ensure_future(
                in_thread(
                    request_consult,
                    domain_uuid=self._domain_uuid,
                    call_uuid=self._call_uuid,
                    plan=plan,
                    job_uuid=leg_uuid,
                    node_host=host,
                    node_port=port,
                    forwarded=forwarded,
                )
            )
            leg: OutboundCall | None = None
            colleague: Colleague | None = None
            try:
                caller.music(True)
                await asyncio.shield(asked)
                arrived = await self._arrival(expected, plan)
                if isinstance(arrived, Outcome):
                    outcome = arrived
                else:
                    leg = arrived
                    if plan.speaks:
                        colleague = self._colleague(leg, self._case(plan), lambda pcm: self._ask(caller, pcm))
                    outcome = await self._decide(leg, colleague, caller)
            except asyncio.CancelledError:
                self._later(self._abandon(asked, leg_uuid, leg, colleague))
                raise
            except TransferRefused:
                raise
            except Exception as error:
                log.exception("consult_failed")
                outcome = Outcome(TransferOutcome.FAILED, repr(error))
            await self._conclude(leg_uuid, outcome)
            if outcome.word != "ok":
                await self._hang_up(leg, colleague, leg_uuid)
            elif colleague is not None:
                colleague.close()
            return outcome

    async def _leave_word(self, leg_uuid: str) -> None:
        """On the caller's channel, where it outlives this node: which leg is to be hung up should we not come back."""
        try:
            async with asyncio.timeout(CONTROL_S):
                await self._call.set_variable(CALLING, leg_uuid)
        except (ControlError, TimeoutError) as error:
            log.warning("calling_not_noted", call_uuid=str(self._call_uuid), error=str(error))

    async def _arrival(self, expected: Expected, plan: Plan) -> OutboundCall | Outcome:
        """The colleague's leg, or why there is none."""
        until = asyncio.get_running_loop().time() + plan.ring_s + CALLING_S
        job, ringing = AwaitedJob(self._domain_uuid, expected.leg_uuid), Ringing(lambda: self._rings(expected))
        answered = False
        while not expected.arrived.done():
            await asyncio.wait({expected.arrived}, timeout=LOOK_EVERY_S)
            if expected.arrived.done():
                break
            now = asyncio.get_running_loop().time()
            if not answered and (ended := await job.ended()) is not None:
                if ended.word != "ok":
                    return ended
                answered, until = True, now + ARRIVES_S
            if not answered and await ringing.stopped():
                return Outcome(TransferOutcome.NO_ANSWER, "it rang in vain, and no worker said why")
            if now > until:
                why = "the colleague's leg did not come here" if answered else "no worker said how it went"
                return Outcome(TransferOutcome.FAILED, why)
        return expected.arrived.result()

    async def _rings(self, expected: Expected) -> bool:
        return (await self._call.api(commands.uuid_exists(str(expected.leg_uuid)))).strip() == "true"

    async def _decide(self, leg: OutboundCall, colleague: Colleague | None, caller: CallerSide) -> Outcome:
        if colleague is not None:
            try:
                finish = await colleague.run()
            except (AttachError, ControlError, TimeoutError, RuntimeError) as error:
                gone = leg.is_over
                return Outcome(TransferOutcome.DECLINED if gone else TransferOutcome.FAILED, repr(error))
            if finish.outcome is not TransferOutcome.OK:
                return Outcome(finish.outcome, finish.detail)
            colleague.silence()
        try:
            await caller.let_go()
            async with asyncio.timeout(CONTROL_S):
                # From here on neither connection may bring its channel back.
                await leg.set_variable("socket_resume", "false")
                await self._call.set_variable("hangup_after_bridge", "true")
                await self._call.set_variable(CALLING, "")
            await self._call.bridge(leg.call_uuid)
        except (ControlError, TimeoutError) as error:
            return Outcome(TransferOutcome.CALLER_GONE if self._call.is_over else TransferOutcome.FAILED, str(error))
        return await self._connected()

    async def _connected(self) -> Outcome:
        """Whether it came to that. A caller who hangs up after the switch has taken the order, and before it is carried
        out, leaves the other leg waiting for ever (seen on 1.11)."""
        over: asyncio.Future[CallEvent] = asyncio.get_running_loop().create_future()

        def heard(event: CallEvent) -> None:
            if isinstance(event, HungUp | Left) and not over.done():
                over.set_result(event)

        self._call.on_event(heard)
        try:
            async with asyncio.timeout(CONTROL_S):
                how = await over
        except TimeoutError:
            return Outcome("ok")
        return Outcome(TransferOutcome.CALLER_GONE, "the caller hung up") if isinstance(how, HungUp) else Outcome("ok")

    def _case(self, plan: Plan) -> Case:
        facts, profile = self._facts(), self._profile
        variables = self._call.variables
        return Case(
            secretary=profile.name,
            language=profile.language,
            caller_name=facts.get("name", "") or variables.get("Caller-Caller-ID-Name", ""),
            caller_number=variables.get("Caller-Caller-ID-Number", ""),
            reason=facts.get("reason", ""),
            attended=plan.mode == TransferMode.ATTENDED,
        )

    async def _ask(self, caller: CallerSide, question: bytes) -> bytes:
        """Play the colleague's question to the caller, in the colleague's own voice."""
        intro = b""
        if self._voice is not None:
            words = consult_sentences(self._profile.language).asks_you
            try:
                intro = await self._voice.render(words, "", self._profile.language)
            except ProviderError as error:
                log.warning("consult_voice_failed", error=str(error))
        return await caller.ask(intro + question)

    # Ends ---------------------------------------------------------------------------------------------------------

    async def _conclude(self, leg_uuid: UUID, outcome: Outcome) -> None:
        try:
            word = TransferOutcome(outcome.word)
        except ValueError:
            word = TransferOutcome.FAILED
        try:
            await in_thread(
                conclude_consult,
                domain_uuid=self._domain_uuid,
                job_uuid=leg_uuid,
                outcome=word,
                detail=outcome.detail,
            )
        except Exception as error:
            log.warning("consult_not_concluded", error=repr(error))

    async def _hang_up(self, leg: OutboundCall | None, colleague: Colleague | None, leg_uuid: UUID) -> None:
        """No phone goes on ringing, and no colleague listens to silence."""
        if colleague is not None:
            colleague.silence()
        try:
            if leg is not None:
                # Not by a message to the leg, which it reads while it is parked alone.
                await leg.api(commands.uuid_kill(leg.call_uuid))
            else:
                await in_thread(jobs.cancel_ringing, domain_uuid=self._domain_uuid, job_uuid=leg_uuid)
        except Exception as error:
            log.warning("colleague_not_hung_up", leg=str(leg_uuid), error=repr(error))
        finally:
            if colleague is not None:
                colleague.close()

    async def _abandon(
        self,
        asked: asyncio.Future[None],
        leg_uuid: UUID,
        leg: OutboundCall | None,
        colleague: Colleague | None,
    ) -> None:
        """The caller hung up: take everything back, whatever had been begun."""
        await asyncio.gather(asked, return_exceptions=True)
        gone = Outcome(TransferOutcome.CALLER_GONE, "the caller hung up")
        taken_back = await AwaitedJob(self._domain_uuid, leg_uuid).take_back(gone.detail)
        if colleague is not None:
            try:
                async with asyncio.timeout(FAREWELL_S):
                    await colleague.farewell()
            except TimeoutError:
                pass
        if leg is not None or not taken_back:
            await self._hang_up(leg, colleague, leg_uuid)
        await self._conclude(leg_uuid, gone)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="abandon transfer")
        _ABANDONING.add(task)
        task.add_done_callback(_ABANDONING.discard)


_ABANDONING: Final[set[asyncio.Task[None]]] = set()
"""Kept until they are done: the call that began them is over by then."""


def _refused(refusal: TransferRefused) -> Outcome:
    """That there is no such destination, or no such call any more, is told as it is; all the rest is the policy's."""
    word = refusal.reason if refusal.reason.startswith("unknown_") else TransferOutcome.NOT_ALLOWED
    return Outcome(word, refusal.reason if word != refusal.reason else "")


def _in_vain(tried: Sequence[tuple[Plan, Outcome]]) -> Outcome:
    """What became of whom the caller has asked for; and that nobody took the call in their stead."""
    (_, first), *others = tried
    also = [f"{plan.name} in their stead: {outcome.word}" for plan, outcome in others]
    return Outcome(first.word, "; ".join(part for part in (first.detail, *also) if part))


def node_address(variables: Mapping[str, str]) -> tuple[str, int]:
    """Where the switch of this call reaches this node: where it has just reached it.

    mod_event_socket writes the host it took into `socket_host`; the port is in the application's data beside it.
    """
    host = variables.get("socket_host", "")
    for one in variables.get("current_application_data", "").split(" ")[0].split("|"):
        name, _, port = one.rpartition(":")
        if name == host and port.isascii() and port.isdigit():
            return host, int(port)
    bind = settings.VOICENODE_ESL_BIND
    return host or settings.VOICENODE_ADVERTISED_HOST, bind.port
