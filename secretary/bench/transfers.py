"""Transfers all at once, undisturbed, with the worker killed, and with Redis restarted: `manage.py bench transfers`.

A database of its own beside the configured one, a Redis of its own, a real `celery worker -Q esl -P gevent`, and the
stand-in switch with callers, colleagues and a reduced voice node in this process. Half of the transfers are blind, half
call a colleague first; over several domains, to people who accept, are busy, away, not registered, reject or decline.

For each round: `outcomes` is how the jobs ended, `jobs_open` what is still queued or running, `stranded` callers who
are on the line with neither a colleague nor the node, `channels` what `show channels` has after the callers who are
back with the node (`callers_back`) have hung up. `jobs_open`, `stranded` and `channels` should be 0. `then` is what was
under way when the worker died, or when Redis came back after a second away.

What a dead worker had is found by the sweeper after RESEND_AFTER (15 s) and STALE_AFTER (150 s). Nobody waits for that
here: after a disturbance the sweep is run as it is, when nothing has moved for 1 s as of RESEND_AFTER later, and when
nothing has moved for longer than a telephone rings and QUIET_S as of STALE_AFTER later. `seconds` is therefore not what
a caller would wait; `swept` is how many sweeps it took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone

from eslbridge import jobs
from eslbridge.models import Job, JobState
from eslbridge.outcomes import TransferOutcome
from eslbridge.services import save_credential
from eslbridge.simulator import Options, StandInSwitch
from secretary.bench.api_database import ScratchDatabase
from secretary.bench.transfers_services import Broker, Worker
from secretary.bench.transfers_switch import COLLEAGUES, SECRETARY, Node, colleagues
from secretary.selectors.calls import resolve_secretary
from secretary.services import transfers
from secretary.services.calls import open_call
from secretary.services.destinations import create_destination
from secretary.services.extensions import create_mapping
from secretary.services.secretaries import create_secretary
from tenants.context import in_thread, platform_context, tenant_context
from tenants.services import create_domain

ROUNDS: Final = ("undisturbed", "worker_killed", "redis_restarted")
QUIET_S: Final = 3.0
"""With the ringing, longer than anything that goes on by itself."""
DOWN_S: Final = 1.0
"""How long there is no Redis."""
PATIENCE_S: Final = 120.0
ASKING: Final = 4
"""Threads that ask: asyncio has some more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--transfers", type=int, default=200, help="of each round, all at once")
    parser.add_argument("--domains", type=int, default=4)
    parser.add_argument("--ring-s", type=int, default=3, help="how long a telephone rings that nobody answers")
    parser.add_argument("--rounds", nargs="+", choices=ROUNDS, default=list(ROUNDS))
    parser.add_argument("--redis-home", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="only one line of JSON, at the end")


def run(options: dict[str, Any]) -> dict[str, Any]:
    """Give the figures of each round. Raises RuntimeError where something is missing or does not come up."""
    count, domains, rounds = int(options["transfers"]), int(options["domains"]), list(options["rounds"])
    ring_s = int(options["ring_s"])
    if min(count, domains, ring_s) < 1:
        raise RuntimeError("at least one transfer, one domain, and one second of ringing")
    if options.get("redis_home"):
        return asyncio.run(_measure(count, domains, rounds, ring_s, Broker(Path(options["redis_home"]))))
    # The settings of this process are those of the configured servers: the work is done in one that has its own.
    with ScratchDatabase() as database, tempfile.TemporaryDirectory() as home:
        database.migrate()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {**database.environment, "REDIS_URL": f"redis://:{secrets.token_hex(16)}@127.0.0.1:{port}/0"}
        command = [sys.executable, "manage.py", "bench", "transfers", "--json", "--redis-home", f"{home}/redis"]
        command += ["--transfers", str(count), "--domains", str(domains), "--ring-s", str(ring_s), "--rounds", *rounds]
        done = subprocess.run(  # noqa: S603
            command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"the measurement ended with {done.returncode}")
        result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return result


@dataclass(frozen=True, slots=True)
class Tenant:
    domain_uuid: UUID
    name: str
    destinations: Mapping[str, UUID]


async def _measure(count: int, domains: int, rounds: Sequence[str], ring_s: int, broker: Broker) -> dict[str, Any]:
    """The rounds, on the database and the broker of this process's settings, which are the worker's, too."""
    result: dict[str, Any] = {"transfers": count, "domains": domains}
    worker = Worker(os.environ)
    await asyncio.to_thread(broker.start)
    try:
        async with StandInSwitch(Options(port=0, ring_timeout_s=float(ring_s))) as switch:
            bench = _Bench(switch, worker, broker, ring_s)
            async with Node(switch, bench.decided) as bench.node:
                tenants = [await in_thread(bench.tenant, number, count) for number in range(domains)]
                for tenant in tenants:
                    bench.telephones(tenant.name)
                worker.start()
                await worker.ready()
                for name in rounds:
                    result[name] = await bench.round(name, tenants, count)
    finally:
        worker.kill()
        broker.stop()
    return result


class _Bench:
    node: Node

    def __init__(self, switch: StandInSwitch, worker: Worker, broker: Broker, ring_s: int) -> None:
        self.switch, self.worker, self.broker, self.ring_s = switch, worker, broker, ring_s
        self.domain_of: dict[str, UUID] = {}
        self.jobs: list[UUID] = []
        self.swept = 0

    def tenant(self, number: int, most: int) -> Tenant:
        row = create_domain(name=f"bench-{number}-{uuid4().hex[:6]}.example", max_calls=len(ROUNDS) * most)
        save_credential(
            domain_uuid=row.domain_uuid,
            host="127.0.0.1",
            port=self.switch.port,
            password=self.switch.options.password,
            connect_timeout_s=2.0,
            reconnect_delay_s=0.2,
        )
        with tenant_context(row.domain_uuid):
            create_mapping(extension=SECRETARY, secretary=create_secretary(name="Reception", greeting="Hello."))
            made = {
                number: create_destination(name=f"Colleague {number}", number=number, kind="extension").destination_uuid
                for number in COLLEAGUES
            }
        return Tenant(row.domain_uuid, row.name, made)

    def telephones(self, domain: str) -> None:
        for phone in colleagues(domain):
            self.switch.add_extension(phone)
        socket_to = f"127.0.0.1:{self.node.port} async full"
        steps = [("set", "socket_resume=true"), ("answer", ""), ("socket", socket_to)]
        self.switch.dialplan.add(domain, SECRETARY, steps)

    async def decided(self, leg: str, accepted: bool) -> None:
        """What the voice node says of a colleague's decision."""
        outcome = TransferOutcome.OK if accepted else TransferOutcome.DECLINED
        await in_thread(
            transfers.conclude_consult, domain_uuid=self.domain_of[leg], job_uuid=UUID(leg), outcome=outcome
        )

    async def round(self, name: str, tenants: Sequence[Tenant], count: int) -> dict[str, Any]:
        calls = []
        for number, tenant in enumerate(tenants):
            calls.append(await self.node.place(tenant.name, len(range(number, count, len(tenants)))))
        self.jobs, self.swept = [], 0
        wishes = []
        for number in range(count):
            tenant, call = tenants[number % len(tenants)], calls[number % len(tenants)][number // len(tenants)]
            turn = number // len(tenants)
            who = COLLEAGUES[turn // 2 % len(COLLEAGUES)]
            await in_thread(self._open, tenant, UUID(call.uuid))
            wishes.append((tenant, UUID(call.uuid), tenant.destinations[who], bool(turn % 2)))
        begun = time.monotonic()
        disturbance = asyncio.create_task(self._disturb(name, count))
        # Threads are left over, or whoever watches would wait until everything has been asked for.
        hands = asyncio.Semaphore(ASKING)

        async def ask(wish: tuple[Tenant, UUID, UUID, bool]) -> None:
            async with hands:
                await in_thread(self._ask, *wish)

        await asyncio.gather(*(ask(wish) for wish in wishes))
        asked_s = time.monotonic() - begun
        about = await disturbance
        await self._settle(disturbed=name != "undisturbed")
        seconds = time.monotonic() - begun
        everybody = [call for of_domain in calls for call in of_domain]
        stranded = self.node.stranded(everybody)
        back = [call for call in everybody if not call.is_down and call.other_leg is None]
        for call in back:
            call.phone_hung_up()
        deadline = time.monotonic() + 10
        while self.node.channels() and time.monotonic() < deadline:  # noqa: ASYNC110 - a look now and then
            await asyncio.sleep(0.1)
        states = await in_thread(self._states)
        return {
            "outcomes": dict(sorted(Counter(outcome or state for state, outcome in states).items())),
            "jobs_open": sum(state in (JobState.QUEUED, JobState.RUNNING) for state, _ in states),
            "stranded": stranded,
            "channels": self.node.channels(),
            "callers_back": len(back),
            "asked_s": round(asked_s, 2),
            "seconds": round(seconds, 1),
            "swept": self.swept,
            **about,
        }

    def _open(self, tenant: Tenant, call_uuid: UUID) -> None:
        profile = resolve_secretary(domain_uuid=tenant.domain_uuid, secretary_uuid=None, extension=SECRETARY)
        open_call(profile=profile, call_uuid=call_uuid, node="bench")

    def _ask(self, tenant: Tenant, call_uuid: UUID, destination_uuid: UUID, consult: bool) -> None:
        named = {"domain_uuid": tenant.domain_uuid, "call_uuid": call_uuid, "destination_uuid": destination_uuid}
        if not consult:
            self.jobs.append(transfers.request_transfer(**named))
            return
        leg = uuid4()
        self.domain_of[str(leg)], self.node.for_call[str(leg)] = tenant.domain_uuid, str(call_uuid)
        self.jobs.append(leg)
        transfers.request_consult(
            domain_uuid=tenant.domain_uuid,
            call_uuid=call_uuid,
            plan=replace(transfers.plan_transfer(**named), ring_s=self.ring_s),
            job_uuid=leg,
            node_host="127.0.0.1",
            node_port=self.node.port,
            forwarded=False,
        )

    async def _disturb(self, name: str, count: int) -> dict[str, Any]:
        """In the middle: when a third of the commands have gone out."""
        if name == "undisturbed":
            return {}
        deadline = time.monotonic() + PATIENCE_S
        while await in_thread(self._sent) < count / 3 and time.monotonic() < deadline:  # noqa: ASYNC110 - a database
            await asyncio.sleep(0.02)
        if name == "worker_killed":
            self.worker.kill()
        else:
            await asyncio.to_thread(self.broker.stop)
            await asyncio.sleep(DOWN_S)
        states = Counter(state for state, _ in await in_thread(self._states))
        if name == "worker_killed":
            self.worker.start()
            await self.worker.ready()
        else:
            await asyncio.to_thread(self.broker.start)
        return {"then": {str(state): states[state] for state in (JobState.QUEUED, JobState.RUNNING)}}

    async def _settle(self, *, disturbed: bool) -> None:
        """Until every job has ended, with the sweeper's help where something was disturbed."""
        steps = [(timedelta(0), 0.0), (jobs.RESEND_AFTER, 1.0)] if disturbed else []
        before: object = None
        still_since = begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE_S:
            states = Counter(state for state, _ in await in_thread(self._states))
            if not states[JobState.QUEUED] + states[JobState.RUNNING]:
                break
            later, quiet_s = steps[0] if steps else (jobs.STALE_AFTER, self.ring_s + QUIET_S)
            if states != before:
                before, still_since = states, time.monotonic()
            if disturbed and time.monotonic() - still_since >= quiet_s:
                await self._sweep(later)
                still_since = time.monotonic()
                del steps[:1]
            await asyncio.sleep(0.1)
        # The last conversations, and telephones that a dead worker had let ring.
        await asyncio.sleep(self.ring_s + QUIET_S)

    async def _sweep(self, later: timedelta) -> None:
        self.swept += 1
        await in_thread(jobs.sweep, timezone.now() + later)

    def _sent(self) -> int:
        with platform_context():
            return Job.objects.filter(job_uuid__in=list(self.jobs), sent_at__isnull=False).count()

    def _states(self) -> list[tuple[str, str]]:
        with platform_context():
            return list(Job.objects.filter(job_uuid__in=list(self.jobs)).values_list("state", "outcome"))
