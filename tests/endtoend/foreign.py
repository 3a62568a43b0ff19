"""Two tenants on one switch: what the one has of the other's (a call's UUID, a job's, a token) opens nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from eslbridge import jobs
from eslbridge.models import JobKind
from eslbridge.simulator import Caller, Press
from eslbridge.simulator.channel import Channel
from eslbridge.work import consulting
from tenants.context import in_thread
from tests.endtoend.plays import TOLD
from tests.endtoend.scene import Scene
from tests.endtoend.world import World, until


async def two(here: World, name: str) -> tuple[Scene, Scene]:
    """Mallory has a telephone at 1001, as Ana has."""
    both = Scene(here, f"mallory-{name}"), Scene(here, f"ana-{name}")
    for on in both:
        await on.furnish(transfer_mode="announced")
    both[0].phone()
    return both


async def job(on: Scene, kind: JobKind, call: Channel | None, arguments: dict[str, str]) -> str:
    """A job of this tenant, however it came about; how it ended."""
    row = await in_thread(
        jobs.create_job,
        domain_uuid=on.domain_uuid,
        kind=kind,
        call_uuid=UUID(call.uuid) if call is not None else None,
        arguments=arguments,
    )
    async with asyncio.timeout(40):
        while True:
            status = await in_thread(jobs.status, domain_uuid=on.domain_uuid, job_uuid=row.job_uuid)
            if status is not None and status.is_final:
                return status.outcome
            await asyncio.sleep(0.05)


async def a_call_of_another(here: World) -> None:
    """Neither sent anywhere, nor somebody called for it, nor hung up; and its colleague is not taken away."""
    mallory, ana = await two(here, "call")
    ana.phone(TOLD, Press("1"), answer_after_s=1.5)
    ana.dial()
    leg = await ana.rings()
    node = {"node_host": "127.0.0.1", "node_port": str(here.node.server.port), "kind": "extension", "number": "1001"}
    for kind in (JobKind.TRANSFER, JobKind.CONSULT, JobKind.HANGUP):
        assert await job(mallory, kind, ana.channel, node) == "not_allowed"
    assert await job(mallory, JobKind.HANGUP, None, {"job_uuid": leg.uuid}) == "not_allowed"
    assert not await in_thread(jobs.cancel, domain_uuid=mallory.domain_uuid, job_uuid=UUID(leg.uuid))
    assert not await in_thread(jobs.cancel_ringing, domain_uuid=mallory.domain_uuid, job_uuid=UUID(leg.uuid))
    assert await in_thread(jobs.status, domain_uuid=mallory.domain_uuid, job_uuid=UUID(leg.uuid)) is None
    await ana.talk(leg)
    assert not mallory.legs()
    assert (await ana.over([("consult", "done", "done")])).outcome == "transferred"


async def a_colleague_of_another(here: World) -> None:
    """A channel with the token, the leg's UUID, or both in its variables is hung up, and not put through to anybody."""
    mallory, ana = await two(here, "token")
    ana.phone(TOLD, Press("1"), answer_after_s=1.5)
    ana.dial()
    leg = await ana.rings()
    token = consulting.token_of(domain_uuid=ana.domain_uuid, call_uuid=ana.channel.uuid, leg_uuid=leg.uuid)
    own = consulting.token_of(domain_uuid=mallory.domain_uuid, call_uuid=ana.channel.uuid, leg_uuid=leg.uuid)
    forged = [(mallory, token), (ana, token), (mallory, own), (ana, "0" * 64)]
    strangers = []
    for number, (of, said) in enumerate(forged):
        mallory.route(
            f"66{number}",
            ("set", f"domain_uuid={of.domain_uuid}"),
            ("set", f"{consulting.TOKEN}={said}"),
            ("answer", ""),
            ("socket", f"127.0.0.1:{here.node.server.port} async full"),
        )
        strangers.append(here.switch.place_call(mallory.name, f"66{number}", Caller(patience_ms=None)))
    await until(lambda: all(one.is_down for one in strangers), "strangers are hung up")
    assert {one.hangup_cause for one in strangers} == {"CALL_REJECTED"}
    await ana.talk(leg)
    assert (await ana.over([("consult", "done", "done")])).outcome == "transferred"


FOREIGN: Final[dict[str, Callable[[World], Awaitable[None]]]] = {
    "foreign-call": a_call_of_another,
    "foreign-colleague": a_colleague_of_another,
}
