"""Putting a caller through on a real FreeSWITCH: node, database and switch are real, the test stands in for the worker.

How the switch is found: `tests.real_switch`. Caller and colleague are endpoints that answer and are silent; keys are
pressed by `uuid_recv_dtmf`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest

from eslbridge.esl.command import Command
from eslbridge.esl.events import Event
from eslbridge.esl.inbound import InboundClient
from eslbridge.esl.interface import EslClient, EventCallback, EventTest, JobResult
from eslbridge.models import Job, JobState
from eslbridge.tasks import run_job
from eslbridge.work import consulting, runner
from secretary.models import Call, CallOutcome, Destination
from tenants.context import in_tenant
from tests.cast import Tenant
from tests.real_switch import DIAL, NEEDED, address, raw
from tests.secretary.voicenode.conftest import Exchange

pytestmark = [*NEEDED, pytest.mark.django_db(transaction=True)]


class FromThread(EslClient):
    """A worker's client, on the loop's own one: greenswitch must not come into this process."""

    def __init__(self, client: InboundClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client, self._loop = client, loop

    def connect(self) -> None: ...

    def close(self) -> None: ...

    @property
    def is_connected(self) -> bool:
        return True

    def api(self, command: Command, *, timeout_s: float | None = None) -> str:
        return asyncio.run_coroutine_threadsafe(self._client.api(command, timeout_s=timeout_s), self._loop).result()

    def bgapi(self, command: Command, *, timeout_s: float = 30.0) -> JobResult:
        return asyncio.run_coroutine_threadsafe(self._client.bgapi(command, timeout_s=timeout_s), self._loop).result()

    def subscribe(self, names: Iterable[str] = (), *, custom: Iterable[str] = ()) -> None:
        raise NotImplementedError

    def on_event(self, callback: EventCallback, *names: str) -> None:
        raise NotImplementedError

    def wait_for_event(self, name: str, test: EventTest | None = None, *, timeout_s: float) -> Event:
        raise NotImplementedError


@dataclass
class Real:
    """A caller in conversation, and what can be seen of them and of the colleague on the switch."""

    exchange: Exchange
    tenant: Tenant
    uuids: list[str] = field(default_factory=list)
    """The caller's first."""

    @property
    def caller(self) -> str:
        return self.uuids[0]

    async def call(self) -> None:
        """A caller whose dialplan is: to the node; after it, parked with a mark."""
        self.uuids.append(str(uuid4()))
        given = {
            "origination_uuid": self.caller,
            "domain_uuid": self.tenant.domain_uuid,
            "secretary_extension": "8001",
            "socket_resume": "true",
        }
        variables = ",".join(f"{name}={value}" for name, value in given.items())
        socket = f"socket:127.0.0.1:{self.exchange.server.port} async full"
        kill = "set:api_result=${uuid_kill(${secretary_calling} ORIGINATOR_CANCEL)}"
        said = await raw(f"originate {{{variables}}}{DIAL} 'm:^:{socket}^{kill}^set:after=yes^park' inline")
        assert said.startswith("+OK")
        await self.until(lambda: bool(self.exchange.providers.sessions and self.exchange.providers.sessions[0].spoke))

    async def ask_for(self, mode: str) -> None:
        """The caller wants to be put through to Sales."""
        await in_tenant(
            self.tenant.domain_uuid,
            lambda: Destination.objects.filter(pk=self.tenant.sales.pk).update(transfer_mode=mode, ring_s=20),
        )
        self.exchange.providers.sessions[0].tool("transfer", destination_uuid=str(self.tenant.sales.pk))

    async def job(self, holds: Callable[[Job], bool] = lambda job: True) -> Job:
        """The job of the colleague's call, when it is as wanted."""
        found: list[Job] = []

        async def look() -> bool:
            found[:] = await in_tenant(self.tenant.domain_uuid, lambda: list(Job.objects.filter(kind="consult")))
            return bool(found) and holds(found[0])

        await self.until(look)
        return found[0]

    async def colleague(self) -> str:
        """The colleague's leg, when it listens to the secretary."""
        leg = str((await self.job()).job_uuid)
        self.uuids.append(leg)
        await self.until(lambda: self.exchange.reception._consults.waiting == 1)
        await self.until(lambda: self.is_up(leg))
        await asyncio.sleep(0.5)  # its audio
        return leg

    async def is_up(self, call_uuid: str) -> bool:
        return await raw(f"uuid_exists {call_uuid}") == "true"

    async def press(self, call_uuid: str, digit: str) -> None:
        await raw(f"uuid_recv_dtmf {call_uuid} {digit}")

    async def variable(self, call_uuid: str, name: str) -> str:
        return await raw(f"uuid_getvar {call_uuid} {name}")

    async def gone(self, call_uuid: str) -> None:
        async def is_gone() -> bool:
            return await raw(f"uuid_exists {call_uuid}") == "false"

        await self.until(is_gone)

    async def outcome(self) -> str:
        """What the secretary was told of the transfer."""
        await self.until(lambda: bool(self.exchange.providers.results))
        return self.exchange.providers.results[0][1]

    async def until(self, condition: Callable[[], bool | Awaitable[bool]], within_s: float = 15.0) -> None:
        async with asyncio.timeout(within_s):
            while True:
                holds = condition()
                if (await holds) if isinstance(holds, Awaitable) else holds:
                    return
                await asyncio.sleep(0.05)


@pytest.fixture
async def real(exchange: Exchange, acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Real]:
    switch = address()
    await exchange.install(acme, host=switch.host, port=switch.port, password=switch.password)
    client, loop = InboundClient(switch), asyncio.get_running_loop()
    await client.connect()
    work: set[asyncio.Future[Any]] = set()

    @contextmanager
    def open_switch(endpoint: object) -> Iterator[EslClient]:
        yield FromThread(client, loop)

    def send(arguments: tuple[str, str]) -> None:
        domain_uuid, job_uuid = map(UUID, arguments)
        future = loop.run_in_executor(
            None, lambda: runner.run(domain_uuid=domain_uuid, job_uuid=job_uuid, open_switch=open_switch)
        )
        work.add(future)

    monkeypatch.setattr(run_job, "apply_async", lambda arguments: loop.call_soon_threadsafe(send, arguments))
    monkeypatch.setattr(consulting, "dial_string", lambda **about: DIAL)
    monkeypatch.setattr("secretary.services.availability.ASK_S", 0.0)
    real = Real(exchange, acme)
    yield real
    for one in real.uuids:
        await raw(f"uuid_kill {one}")
    await asyncio.gather(*work, return_exceptions=True)
    await client.close()


@pytest.mark.parametrize("mode", ["announced", "attended"])
async def test_accepted_by_key(real: Real, mode: str) -> None:
    """Bridged, both hung up when one is, and neither touched by the end of the node's connections."""
    await real.call()
    await real.ask_for(mode)
    leg = await real.colleague()
    await real.press(leg, "1")
    await real.until(lambda: not real.exchange.reception.call_uuids)
    assert await real.variable(real.caller, "bridge_uuid") == leg
    for one in (real.caller, leg):
        assert await real.variable(one, "hangup_after_bridge") == "true"
        assert await real.variable(one, "socket_resume") == "false"
    await real.exchange.server.close()
    await asyncio.sleep(0.3)
    assert await real.variable(leg, "bridge_uuid") == real.caller
    await raw(f"uuid_kill {leg}")
    await real.gone(real.caller)
    assert (await real.job()).state == JobState.DONE
    row = await in_tenant(real.tenant.domain_uuid, lambda: Call.objects.get(call_uuid=real.caller))
    assert (row.outcome, row.destination_id) == (CallOutcome.TRANSFERRED, real.tenant.sales.pk)


@pytest.mark.parametrize("how", ["key", "hangs up"])
async def test_declined(real: Real, how: str) -> None:
    """The colleague's leg is gone, the caller is with the secretary, and the job says so."""
    await real.call()
    await real.ask_for("announced")
    leg = await real.colleague()
    await (real.press(leg, "2") if how == "key" else raw(f"uuid_kill {leg}"))
    assert await real.outcome() == "declined"
    await real.gone(leg)
    assert await raw(f"uuid_exists {real.caller}") == "true" and len(real.exchange.reception.call_uuids) == 1
    assert (await real.job(lambda job: job.is_final)).outcome == "declined"


async def test_the_caller_hangs_up_while_the_colleague_listens(real: Real) -> None:
    """They are told, and hung up."""
    await real.call()
    await real.ask_for("announced")
    leg = await real.colleague()
    await raw(f"uuid_kill {real.caller}")
    await real.gone(leg)
    assert (await real.job(lambda job: job.is_final)).outcome == "caller_gone"


@pytest.mark.parametrize("end", ["caller", "node"])
async def test_no_telephone_rings_on(real: Real, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller hangs up, or the node dies, while it rings: the switch has no such leg any more, and at once."""
    monkeypatch.setattr(consulting, "dial_string", lambda **about: "loopback/app=sleep:30000")
    await real.call()
    await real.ask_for("announced")
    leg = str((await real.job(lambda job: job.sent_at is not None)).job_uuid)
    real.uuids.append(leg)
    await real.until(lambda: real.is_up(leg))
    if end == "caller":
        await raw(f"uuid_kill {real.caller}")
    else:
        for session in list(real.exchange.reception._sessions.values()):
            session._call.abort("killed")  # type: ignore[attr-defined]
    await real.gone(leg)
    assert (await real.job(lambda job: job.is_final)).outcome in ("caller_gone", "")
    if end == "node":
        assert await real.variable(real.caller, "after") == "yes"


@pytest.mark.parametrize(
    ("cause", "word"),
    [
        ("USER_BUSY", "busy"),
        ("CALL_REJECTED", "declined"),
        ("NO_ANSWER", "no_answer"),
        ("USER_NOT_REGISTERED", "unregistered"),
        ("UNALLOCATED_NUMBER", "unreachable"),
        ("OUTGOING_CALL_BARRED", "not_allowed"),
    ],
)
async def test_what_the_switch_says_is_one_word(
    real: Real, cause: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A telephone that is never answered, by its hangup cause as the switch writes it."""
    monkeypatch.setattr(consulting, "dial_string", lambda **about: f"error/{cause}")
    await real.call()
    await real.ask_for("announced")
    assert await real.outcome() == word
    assert (await real.job(lambda job: job.is_final)).outcome == word
