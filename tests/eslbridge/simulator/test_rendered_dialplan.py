"""The dialplan that `manage.py dialplan` prints, run: whatever the node does, the caller arrives somewhere."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from eslbridge.dialplan import Node as PlanNode
from eslbridge.dialplan import Plan, SecretaryEntry, Shape, render
from eslbridge.simulator import Caller, StandInSwitch
from eslbridge.simulator.channel import Channel
from tests.eslbridge.simulator.node import Handler, Node, Wire, until

DOMAIN = "acme.example"
SECRETARY = uuid.uuid4()


def install(switch: StandInSwitch, *ports: int, fallback: str = "") -> None:
    nodes = tuple(PlanNode("127.0.0.1", port) for port in ports)
    entry = SecretaryEntry("8001", SECRETARY, "Clara", fallback)
    switch.dialplan.load_xml(render(Plan(uuid.uuid4(), DOMAIN, "direct-udp", nodes, (entry,)), Shape.PLAIN))


async def ended(call: Channel) -> str:
    await asyncio.wait_for(call.ended.wait(), 10)
    return call.hangup_cause


def says(result: str, *, seconds: float = 0.05) -> Handler:
    """A node that gives the call back with this result."""

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        data = await wire.reply()
        call = data.headers["Unique-ID"]
        await wire.ask(f"api sched_del wd-{call}")
        if result:
            await wire.ask(f"api uuid_setvar {call} eslbridge_result {result}")
        await asyncio.sleep(seconds)
        wire.writer.transport.abort()

    return handler


async def test_variables_of_the_call(switch: StandInSwitch) -> None:
    """Both ways to a secretary: her own extension names her, the 8XXX pattern leaves that to the platform."""
    seen: list[dict[str, str]] = []

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        seen.append((await wire.reply()).headers)
        await wire.until_end()

    async with Node(handler) as node:
        install(switch, node.port)
        for number in ("8001", "8777"):
            call = switch.place_call(DOMAIN, number, Caller())
            await until(lambda number=number: len(seen) == (1 if number == "8001" else 2))
            call.hang_up()
            await ended(call)
    own, pattern = seen
    assert own["variable_secretary_uuid"] == str(SECRETARY)
    assert "variable_secretary_uuid" not in pattern
    assert (own["variable_secretary_extension"], pattern["variable_secretary_extension"]) == ("8001", "8777")
    assert own["variable_socket_resume"] == "true"
    assert own["variable_domain_uuid"]


async def test_done_hangs_up(switch: StandInSwitch) -> None:
    """A conversation that came to its end is not sent on to anybody."""
    async with Node(says("done")) as node:
        install(switch, node.port)
        call = switch.place_call(DOMAIN, "8001", Caller())
        assert await ended(call) == "NORMAL_CLEARING"
        assert node.calls == 1


async def test_busy_goes_to_the_fallback(switch: StandInSwitch) -> None:
    """A node that cannot take the call: the secretary's own fallback number rings."""
    async with Node(says("node_full")) as node:
        install(switch, node.port, fallback="1001")
        call = switch.place_call(DOMAIN, "8001", Caller())
        await until(lambda: call.other_leg is not None)
        assert call.profile.destination == "1001"
        assert node.calls == 1
        call.hang_up()


async def test_a_node_that_dies_is_followed_by_the_next(switch: StandInSwitch) -> None:
    """The second node gets the call under the same Unique-ID; when that dies too, the fallback has it."""
    async with Node(says("", seconds=0.1)) as first, Node(says("", seconds=0.1)) as second:
        install(switch, first.port, second.port)
        call = switch.place_call(DOMAIN, "8001", Caller())
        assert await ended(call) == "NORMAL_TEMPORARY_FAILURE"
        assert (first.calls, second.calls) == (1, 1)
        assert ("transfer", f"after_ai XML {DOMAIN}") in call.history


@pytest.mark.parametrize("silent", [False, True])
async def test_nobody_answers(switch: StandInSwitch, silent: bool) -> None:
    """Refused: the tone at once. Silent: the watchdog takes the caller there after 8 s, not after 25."""
    async with Node(lambda wire: wire.until_end()) as node:
        install(switch, node.port if silent else 1)
        started = switch.clock.now()
        call = switch.place_call(DOMAIN, "8001", Caller())
        await asyncio.wait_for(call.answered.wait(), 10)
        waited = switch.clock.now() - started
        assert await ended(call) == "NORMAL_TEMPORARY_FAILURE"
        assert call.phone.heard_voice_ms > 1000
        assert 7.9 < waited < 16 if silent else waited < 4
