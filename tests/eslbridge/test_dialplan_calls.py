"""The printed dialplan, run by the stand-in switch: wherever a node fails, the caller reaches somebody."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from eslbridge import dialplan
from eslbridge.dialplan import Plan, SecretaryEntry, Shape, render
from eslbridge.simulator import Caller, Clock, Extension, Options, StandInSwitch
from eslbridge.simulator.channel import Channel
from tests.eslbridge.simulator.node import Handler, Node, Wire, until

DOMAIN = "acme.example"
UUID_1 = UUID("11111111-1111-4111-8111-111111111111")
UUID_2 = UUID("22222222-2222-4222-8222-222222222222")
HUMAN = ("bridge", f"user/1000@{DOMAIN}")


@pytest.fixture
async def switch() -> AsyncIterator[StandInSwitch]:
    """Twenty seconds pass in one; 1000 is the human who answers when no secretary can."""
    async with StandInSwitch(Options(port=0, extensions=[Extension("1000", DOMAIN)]), clock=Clock(20)) as switch:
        yield switch


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def dial(switch: StandInSwitch, *ports: int, number: str = "8001", fallback: str = "1000") -> Channel:
    """Install the domain's dialplan for nodes at these ports, and call."""
    plan = Plan(
        domain_uuid=UUID_1,
        domain_name=DOMAIN,
        transport="direct-udp",
        nodes=tuple(dialplan.Node("127.0.0.1", port) for port in ports),
        secretaries=(SecretaryEntry("8001", UUID_2, "Reception", fallback),),
        fallback_number="1000",
    )
    switch.dialplan.load_xml(render(plan, Shape.PLAIN))
    return switch.place_call(DOMAIN, number, Caller(patience_ms=None))


async def with_a_human(call: Channel, seconds: float = 5) -> None:
    await until(lambda: HUMAN in call.history and call.other_leg is not None, seconds=seconds)


async def stay_silent(wire: Wire) -> None:
    await wire.until_end()


async def take(wire: Wire) -> dict[str, str]:
    """What a node does first: ask for the channel's data, and take the watchdog back."""
    wire.send("connect")
    data = (await wire.read()).headers
    await wire.ask(f"api sched_del wd-{data['Unique-ID']}")
    return data


def leaves_with(result: str) -> Handler:
    async def handler(wire: Wire) -> None:
        data = await take(wire)
        await wire.ask(f"api uuid_setvar {data['Unique-ID']} eslbridge_result {result}")
        await asyncio.sleep(0.05)
        wire.send("exit")
        await wire.until_end()

    return handler


async def die(wire: Wire) -> None:
    await take(wire)
    await asyncio.sleep(0.1)
    wire.writer.transport.abort()


@pytest.mark.parametrize("number", ["8001", "8765"])
async def test_no_node_at_all(switch: StandInSwitch, number: str) -> None:
    """Refused by every node: a human at once, also for an extension that only the pattern knows."""
    started = switch.clock.now()
    call = dial(switch, closed_port(), closed_port(), number=number)
    await with_a_human(call)
    assert switch.clock.now() - started < 6


async def test_watchdog_does_not_bite_the_human(switch: StandInSwitch) -> None:
    """The fallback takes the watchdog back: 8 s later the caller still talks with whoever picked up."""
    call = dial(switch, closed_port())
    await with_a_human(call)
    await switch.clock.sleep(15)
    assert call.history.count(HUMAN) == 1 and not call.is_down


async def test_silent_listener(switch: StandInSwitch) -> None:
    """A node that accepts and never speaks costs the caller 8 s, not 25."""
    async with Node(stay_silent) as node:
        started = switch.clock.now()
        call = dial(switch, node.port)
        await with_a_human(call)
        assert 8 <= switch.clock.now() - started < 20


async def test_second_node_is_tried_when_the_first_refuses(switch: StandInSwitch) -> None:
    """One node down: the next one has the call, with the tenant's and the secretary's UUID."""
    seen: list[dict[str, str]] = []

    async def answer(wire: Wire) -> None:
        seen.append(await take(wire))
        await wire.until_end()

    async with Node(answer) as node:
        call = dial(switch, closed_port(), node.port)
        await until(lambda: seen)
        assert seen[0]["variable_domain_uuid"] == str(UUID_1)
        assert seen[0]["variable_secretary_uuid"] == str(UUID_2)
        assert seen[0]["variable_secretary_extension"] == "8001"
        assert seen[0]["variable_socket_resume"] == "true"
        await switch.clock.sleep(12)
        assert HUMAN not in call.history, "the watchdog tore the caller away from a node that works"


async def test_node_dies_in_mid_call(switch: StandInSwitch) -> None:
    """The second `socket` brings the caller to another node, under the same Unique-ID and with a fresh watchdog."""
    seen: list[str] = []

    async def answer(wire: Wire) -> None:
        seen.append((await take(wire))["Unique-ID"])
        await wire.until_end()

    async with Node(die) as first, Node(answer) as second:
        call = dial(switch, first.port, second.port)
        await until(lambda: seen)
        assert (first.calls, second.calls) == (1, 1)
        assert seen == [call.uuid]
        assert HUMAN not in call.history


async def test_every_node_dies(switch: StandInSwitch) -> None:
    """Two nodes that die one after the other: a human."""
    async with Node(die) as first, Node(die) as second:
        call = dial(switch, first.port, second.port)
        await with_a_human(call)
        assert (first.calls, second.calls) == (1, 1)


async def test_second_node_is_silent(switch: StandInSwitch) -> None:
    """The watchdog also guards the second `socket`."""
    async with Node(die) as first, Node(stay_silent) as second:
        started = switch.clock.now()
        call = dial(switch, first.port, second.port)
        await with_a_human(call)
        assert 8 <= switch.clock.now() - started < 25


async def test_done_hangs_up(switch: StandInSwitch) -> None:
    """A conversation that has ended is not given to a human."""
    async with Node(leaves_with("done")) as node:
        call = dial(switch, node.port)
        await asyncio.wait_for(call.ended.wait(), 5)
    assert call.hangup_cause == "NORMAL_CLEARING"
    assert HUMAN not in call.history


@pytest.mark.parametrize("result", ["fallback", "failed", "quota_full", "unknown_secretary"])
async def test_anything_else_is_the_fallback(switch: StandInSwitch, result: str) -> None:
    """A node that cannot help says so, and no second node is asked."""
    async with Node(leaves_with(result)) as node:
        call = dial(switch, node.port)
        await with_a_human(call)
        assert node.calls == 1


async def test_domains_fallback(switch: StandInSwitch) -> None:
    """A secretary without a number of her own: the domain's."""
    call = dial(switch, closed_port(), fallback="")
    await with_a_human(call)


async def test_back_to_the_secretary(switch: StandInSwitch) -> None:
    """Sent to 8001 again, the call is fresh: the result of the last time does not count."""
    handlers = iter([leaves_with("fallback"), stay_silent])

    async def answer(wire: Wire) -> None:
        await next(handlers)(wire)

    async with Node(answer) as node:
        call = dial(switch, node.port)
        await with_a_human(call)
        call.transfer("8001", DOMAIN)
        await until(lambda: node.calls == 2)
        assert call.variable("eslbridge_result") == "no_app"


async def test_a_node_that_dies_leaves_no_telephone_ringing(switch: StandInSwitch) -> None:
    """The leg that it had called for a transfer ends the moment the caller goes on in the dialplan."""
    leg = "33333333-3333-4333-8333-333333333333"
    switch.add_extension(Extension("1003", DOMAIN, "no_answer"))

    async def rings_and_dies(wire: Wire) -> None:
        data = await take(wire)
        await wire.ask(f"api uuid_setvar {data['Unique-ID']} {dialplan.CALLING} {leg}")
        await wire.ask(f"bgapi originate {{origination_uuid={leg},domain_name={DOMAIN}}}user/1003@{DOMAIN} &park()")
        await until(lambda: bool(switch.rung))

    async with Node(rings_and_dies) as node:
        call = dial(switch, node.port)
        await until(lambda: bool(switch.rung))
        ringing = switch.rung[0]
        await until(lambda: ringing.is_down)
        assert (ringing.uuid, ringing.hangup_cause) == (leg, "ORIGINATOR_CANCEL")
        await with_a_human(call)
