"""A callback from the worker to the customer's answer: stand-in switch, node and dialplan over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import time
from uuid import UUID

import pytest

from eslbridge import dialling
from eslbridge.models import Job
from eslbridge.simulator import Extension
from eslbridge.simulator.caller import Caller, HangUp, Pause
from eslbridge.simulator.channel import Channel
from eslbridge.tasks import run_job
from eslbridge.work import runner, telling
from secretary.models import Callback
from secretary.services import placing
from secretary.services.callbacks import Consent, cancel_callback, request_callback
from secretary.services.calling_rules import save_calling_rules
from tenants.context import in_tenant, in_thread
from tests.cast import Tenant
from tests.eslbridge.simulator.node import until
from tests.secretary.voicenode.conftest import TONE, Exchange

CUSTOMER = "+5511987650001"


class Voice:
    """The platform's voice: a tenth of a second for whatever is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def ready(self, text: str, voice: str, language: str) -> bytes | None:
        return None

    async def render(self, text: str, voice: str, language: str) -> bytes:
        self.said.append(text)
        return TONE[:1_600]

    async def prepare(self, texts: Iterable[str], voice: str, language: str) -> None: ...


class Scene:
    """One tenant's callback, and the worker that places it."""

    def __init__(self, exchange: Exchange, tenant: Tenant) -> None:
        self.exchange, self.tenant, self.switch = exchange, tenant, exchange.switch
        self.voice = exchange.providers.voice = Voice()
        self.callback = self.leg = UUID(int=0)

    async def place(self) -> asyncio.Task[object]:
        acme, switch = self.tenant, self.switch
        port, password = switch.port, switch.options.password
        await self.exchange.install(acme, host="127.0.0.1", port=port, password=password)
        switch.add_extension(Extension("customer", acme.name, answer_after_s=0.1))
        switch.dialplan.add(acme.name, CUSTOMER, [("bridge", f"user/customer@{acme.name}")])

        def make() -> UUID:
            dialling.save_rules(domain_uuid=acme.domain_uuid, external_allowed=True, country="BR")
            save_calling_rules(domain_uuid=acme.domain_uuid, earliest=time(0), latest=time(23, 59, 59, 999_999))
            return request_callback(
                domain_uuid=acme.domain_uuid, secretary_uuid=acme.secretary.pk, call_uuid=None, number=CUSTOMER,
                name="Ana", reason="an invoice", consent=Consent("spoken"), not_before=None, not_after=None,
                destination_uuid=acme.sales.pk,
            )  # fmt: skip

        self.callback = await in_thread(make)
        assert await in_thread(placing.place_due) == placing.Placed(placed=1)
        leg = (await self.row()).job_uuid
        assert leg is not None
        self.leg = leg
        return asyncio.create_task(in_thread(runner.run, domain_uuid=acme.domain_uuid, job_uuid=leg))

    @property
    def channel(self) -> Channel:
        return self.switch.channels[str(self.leg)]

    async def hears(self, count: int) -> None:
        await until(lambda: len(self.voice.said) >= count, seconds=10)

    async def row(self) -> Callback:
        return await in_tenant(self.tenant.domain_uuid, lambda: Callback.objects.get(pk=self.callback))

    async def ends(self, placed: asyncio.Task[object], state: str, outcome: str) -> None:
        async with asyncio.timeout(15):
            await placed
        row = await self.row()
        assert (row.state, row.outcome) == (state, outcome)


@pytest.fixture
def scene(exchange: Exchange, acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: None)
    return Scene(exchange, acme)


def dialled(scene: Scene) -> list[str]:
    return [leg.profile.destination for leg in scene.switch.rung]


async def test_told_then_connected(scene: Scene) -> None:
    """The colleague hears who and why, presses 1, and the customer is called: they talk. The telephone's own park time
    does not cut the telling."""
    placed = await scene.place()
    await scene.hears(1)
    assert "Ana would like to be called back. It is about: an invoice." in scene.voice.said[0]
    assert "customer" not in dialled(scene) and scene.channel.answered_us
    scene.channel.press("1")
    await scene.ends(placed, "done", "done")
    assert scene.channel.other_leg is not None and scene.channel.other_leg.profile.destination == "customer"
    assert scene.voice.said[1:] == ["Thank you. I'm calling them."]
    scene.channel.hang_up()
    await until(lambda: not scene.switch.channels)


async def test_not_now(scene: Scene) -> None:
    """Who declines is not connected, the customer's telephone does not ring, and it is tried again later."""
    placed = await scene.place()
    await scene.hears(1)
    scene.channel.press("2")
    await scene.ends(placed, "waiting", "declined")
    assert (await scene.row()).outcome_detail == "colleague CALL_REJECTED"
    await until(lambda: not scene.switch.channels)
    assert "customer" not in dialled(scene)


async def test_hangs_up_while_being_told(scene: Scene) -> None:
    """The same as a no."""
    placed = await scene.place()
    await scene.hears(1)
    scene.channel.phone_hung_up()
    await scene.ends(placed, "waiting", "declined")
    assert "customer" not in dialled(scene)


async def test_no_node_takes_it(scene: Scene) -> None:
    """Where no node listens, the colleague is connected without a word: the telephone shows who it is about."""
    await scene.exchange.server.close()
    placed = await scene.place()
    await scene.ends(placed, "done", "done")
    assert not scene.voice.said
    scene.channel.hang_up()


async def test_the_node_dies_in_between(scene: Scene) -> None:
    """The same: whoever has picked up is not left on a silent line."""
    placed = await scene.place()
    await scene.hears(1)
    await scene.exchange.server.close()
    await scene.ends(placed, "done", "done")
    scene.channel.hang_up()


@pytest.mark.parametrize("token", ["wrong", "of another tenant"])
async def test_nobody_else_is_told(token: str, scene: Scene, globex: Tenant) -> None:
    """A leg that only says it were one of ours is hung up, and told nothing."""
    placed = await scene.place()
    await scene.hears(1)
    forged = token if token == "wrong" else telling.token_of(domain_uuid=globex.domain_uuid, leg_uuid=scene.leg)
    caller = Caller([Pause(5_000), HangUp()])
    channel = scene.exchange.dial(scene.tenant, caller, variables={telling.TOKEN: forged})
    await scene.exchange.ended(channel)
    assert channel.hangup_cause == "CALL_REJECTED" and len(scene.voice.said) == 1
    scene.channel.press("2")
    await placed


async def test_taken_back_while_being_told(scene: Scene) -> None:
    """The telephone is hung up in the middle of the sentence, and nobody is called."""
    placed = await scene.place()
    await scene.hears(1)
    domain_uuid = scene.tenant.domain_uuid
    await in_tenant(domain_uuid, lambda: cancel_callback(callback_uuid=scene.callback))
    (hangup,) = await in_tenant(domain_uuid, lambda: list(Job.objects.filter(kind="hangup")))
    await in_thread(runner.run, domain_uuid=domain_uuid, job_uuid=hangup.pk)
    await scene.ends(placed, "cancelled", "cancelled")
    assert "customer" not in dialled(scene)
