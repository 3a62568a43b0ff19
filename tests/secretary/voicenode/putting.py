"""One call that is to be put through, with doubles for its legs, the colleague and the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eslbridge.control import CallEvent, HungUp, Left
from eslbridge.esl.async_pool import AsyncPool
from eslbridge.esl.command import Command
from eslbridge.esl.errors import NotConnected
from eslbridge.models import Job, JobKind
from eslbridge.work import consulting
from secretary.conversation.consult.machine import Finish
from secretary.models import Destination
from secretary.models.destination import TransferMode
from secretary.voicenode.consults import Consults
from secretary.voicenode.putting_through import PuttingThrough
from tenants.context import in_tenant, in_thread
from tests.cast import Tenant


class Switches(AsyncPool):
    """There is no switch to ask: everything is unknown."""

    async def get_esl_for_domain(self, domain_uuid: object) -> Any:
        raise NotConnected("no switch")


@dataclass
class Leg:
    """A channel on the switch, as far as it is needed here."""

    call_uuid: str
    variables: dict[str, str] = field(default_factory=dict)
    is_over: bool = False
    rings: bool = True
    ends: HungUp | Left | None = field(default_factory=lambda: Left("bridged"))
    """How it is over for the node as soon as it is bridged; None: it is not."""
    tell: Callable[[CallEvent], None] = field(default=lambda event: None)
    did: list[tuple[str, ...]] = field(default_factory=list)

    async def set_variable(self, name: str, value: str) -> None:
        self.did.append(("set", name, value))

    def on_event(self, callback: Callable[[CallEvent], None]) -> None:
        self.tell = callback
        if self.ends is not None:
            callback(self.ends)

    async def api(self, command: Command) -> str:
        """`uuid_exists` of whatever rings, and `uuid_kill`."""
        if "uuid_kill" in command.line:
            self.did.append(("hang_up",))
        return "true" if self.rings else "false"

    async def bridge(self, other_uuid: str) -> None:
        self.did.append(("bridge", other_uuid))

    async def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        self.did.append(("hang_up",))

    def abort(self, reason: str) -> None:
        self.did.append(("abort",))


class Caller:
    """Implements `CallerSide`."""

    def __init__(self) -> None:
        self.did: list[str] = []

    def music(self, on: bool) -> None:
        self.did.append("music" if on else "quiet")

    async def let_go(self) -> None:
        self.did.append("let go")

    async def ask(self, voice: bytes) -> bytes:
        return b""


class Decides:
    """A colleague who decides as the test says."""

    def __init__(self, finish: Finish | None) -> None:
        self.finish = finish
        self.told = False
        self.closed = False

    async def run(self) -> Finish:
        if self.finish is None:
            await asyncio.sleep(30)
        assert self.finish is not None
        return self.finish

    async def farewell(self) -> None:
        self.told = True

    def silence(self) -> None: ...

    def close(self) -> None:
        self.closed = True


@dataclass
class Stage:
    """One call, and what is needed to put it through."""

    tenant: Tenant
    call: Leg
    consults: Consults
    colleague: Decides
    through: PuttingThrough
    caller: Caller = field(default_factory=Caller)
    notes: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    @property
    def bridged(self) -> bool:
        return any(did[0] == "bridge" for did in self.call.did)

    async def jobs(self) -> list[Job]:
        return await in_tenant(self.tenant.domain_uuid, lambda: list(Job.objects.order_by("created_at")))

    async def set_job(self, **values: Any) -> None:
        await in_tenant(self.tenant.domain_uuid, lambda: Job.objects.update(**values))

    async def until(self, holds: Callable[[list[Job]], bool]) -> Job:
        async with asyncio.timeout(5):
            while not holds(jobs := await self.jobs()):
                await asyncio.sleep(0.02)
        return jobs[-1]

    async def leg_arrives(self, job: Job, **variables: str) -> tuple[Leg, asyncio.Task[None]]:
        """The colleague picks up: the leg comes here."""
        domain = str(self.tenant.domain_uuid)
        token = consulting.token_of(domain_uuid=domain, call_uuid=self.call.call_uuid, leg_uuid=job.job_uuid)
        leg = Leg(str(job.job_uuid), {"domain_uuid": domain, consulting.TOKEN: token, **variables})
        return leg, asyncio.create_task(self.consults.receive(leg))  # type: ignore[arg-type]


async def stage(tenant: Tenant, finish: Finish | None = None) -> Stage:
    row = await in_thread(tenant.call)
    call = Leg(str(row.call_uuid), {"socket_host": "10.0.0.5", "current_application_data": "10.0.0.5:8022 async full"})
    consults, colleague, notes = Consults(), Decides(finish), []
    through = PuttingThrough(
        call=call,  # type: ignore[arg-type]
        profile=await in_thread(tenant.profile),
        consults=consults,
        switches=Switches(),
        colleague=lambda leg, case, ask: colleague,  # type: ignore[arg-type,return-value]
        voice=None,
        facts=dict,
        note=lambda kind, detail: notes.append((kind, dict(detail))),
    )
    return Stage(tenant, call, consults, colleague, through, notes=notes)


async def announced(tenant: Tenant, **values: Any) -> None:
    changed = {"transfer_mode": TransferMode.ANNOUNCED} | values
    await in_tenant(tenant.domain_uuid, lambda: Destination.objects.filter(pk=tenant.sales.pk).update(**changed))


def is_sent(jobs: list[Job]) -> bool:
    return bool(jobs) and jobs[-1].kind == JobKind.CONSULT
