"""Against a real FreeSWITCH: what the stand-ins of the other tests promise. How it is found: `tests.real_switch`."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable

import pytest

from eslbridge.control import Bridged, CallEvent, HungUp, Left
from eslbridge.esl import commands
from eslbridge.esl.call import OutboundCall
from eslbridge.esl.errors import AuthenticationFailed, CommandFailed
from eslbridge.esl.inbound import InboundClient
from eslbridge.esl.outbound import OutboundServer
from tests.real_switch import DIAL, NEEDED, address, raw

pytestmark = NEEDED


class Lab:
    """A real switch, our server, and calls between them."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[OutboundCall] = asyncio.Queue()
        self.server = OutboundServer(self.queue.put_nowait, port=0)
        self.esl = InboundClient(address())
        self.uuids: list[str] = []

    async def raw(self, line: str) -> str:
        return await raw(line)

    async def dial(self, *, resume: bool = True, after: str = "set:lab_after=yes^park", port: int | None = None) -> str:
        """A call whose dialplan is: our socket, then `after`. Gives its UUID."""
        call = str(uuid.uuid4())
        self.uuids.append(call)
        socket = f"socket:127.0.0.1:{port or self.server.port} async full"
        plan = f"m:^:set:socket_resume={str(resume).lower()}^{socket}^{after}"
        assert (await self.raw(f"originate {{origination_uuid={call}}}{DIAL} '{plan}' inline")).startswith("+OK")
        return call

    async def call(self, **options: bool) -> tuple[OutboundCall, list[CallEvent]]:
        await self.dial(**options)  # type: ignore[arg-type]
        call = await asyncio.wait_for(self.queue.get(), 5)
        events: list[CallEvent] = []
        call.on_event(events.append)
        await call.start()
        return call, events

    async def variable(self, call_uuid: str, name: str, value: str, within_s: float = 3.0) -> None:
        """Wait until a channel variable has a value."""
        async with asyncio.timeout(within_s):
            while await self.esl.uuid_getvar(call_uuid, name) != value:
                await asyncio.sleep(0.02)


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    lab = Lab()
    await lab.server.start()
    await lab.esl.connect()
    yield lab
    for call in lab.uuids:
        try:
            await lab.esl.uuid_kill(call)
        except CommandFailed:
            continue
    await lab.esl.close()
    await lab.server.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_wrong_password() -> None:
    with pytest.raises(AuthenticationFailed, match="invalid"):
        await InboundClient(address("not-it")).connect()


async def test_a_call_from_start_to_hang_up(lab: Lab) -> None:
    call, events = await lab.call()
    await call.answer()
    began = time.monotonic()
    assert await call.execute("sleep", "100", wait_s=5) is not None
    assert 0.08 <= time.monotonic() - began < 1
    await call.hang_up("USER_BUSY")
    assert await call.wait_closed(5)
    assert events == [HungUp("USER_BUSY")]


async def test_texts_survive(lab: Lab) -> None:
    """Quotes, backslashes, spaces and accents arrive as they were: in variables, and in an originate."""
    call, _ = await lab.call()
    hard = ['O\'Hara, "Sales" \\ Söhne =1|2 \\n \\s {x} [y]', "'", "''", "\\", "a\\'b", "%0Ax", "a%20b"]
    for text in hard:
        await call.set_variable("lab_text", text)
        assert await lab.esl.uuid_getvar(call.call_uuid, "lab_text") == text
    name = 'O\'Hara, "Sales" \\ Söhne=1|2, \\s\\n'
    new = str(uuid.uuid4())
    lab.uuids.append(new)
    got = await lab.esl.originate(DIAL, variables={"origination_uuid": new, "lab_name": name, "lab_b": "x"})
    assert got == new
    assert await lab.esl.uuid_getvar(new, "lab_name") == name and await lab.esl.uuid_getvar(new, "lab_b") == "x"


async def test_leave_goes_on_in_the_dialplan(lab: Lab) -> None:
    call, events = await lab.call()
    await call.leave("fallback")
    await lab.variable(call.call_uuid, "lab_after", "yes")
    assert await lab.esl.uuid_getvar(call.call_uuid, "eslbridge_result") == "fallback"
    assert events == [Left("fallback")]


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("after_s", [0.05, 0.3])
async def test_a_node_that_dies_leaves_nobody_behind(lab: Lab, resume: bool, after_s: float) -> None:
    """Cut 50 or 300 ms after connecting, also where the dialplan forgot socket_resume: the caller goes on."""
    call, _ = await lab.call(resume=resume)
    await asyncio.sleep(after_s)
    call.abort("the node dies")
    await lab.variable(call.call_uuid, "lab_after", "yes")


async def test_a_node_that_dies_while_something_plays(lab: Lab) -> None:
    """The application is broken off, and the caller goes on at once."""
    call, _ = await lab.call()
    await call.execute("sleep", "20000")
    await asyncio.sleep(0.1)
    call.abort("the node dies")
    await lab.variable(call.call_uuid, "lab_after", "yes", within_s=2)


async def test_refused_connection_goes_on_at_once(lab: Lab) -> None:
    """What a full server looks like to FreeSWITCH."""
    lab.server.drain()
    call = await lab.dial()
    await lab.variable(call, "lab_after", "yes", within_s=1)


async def test_transfer_survives_the_node(lab: Lab) -> None:
    """A call handed on, by us or by a worker, is not touched by the end of our connection."""
    for by_worker in (False, True):
        call, events = await lab.call()
        if by_worker:
            await lab.raw(f"uuid_transfer {call.call_uuid} 'set:lab_new=yes,sleep:20000,set:lab_cut=yes,park' inline")
        else:
            await call.set_variable("socket_resume", "false")
            await lab.raw(f"uuid_transfer {call.call_uuid} 'set:lab_new=yes,sleep:20000,set:lab_cut=yes,park' inline")
        await lab.variable(call.call_uuid, "lab_new", "yes")
        await until(lambda events=events: events == [Left("transferred")])  # type: ignore[misc]
        await lab.variable(call.call_uuid, "socket_resume", "false")
        call.abort("the node dies")
        await asyncio.sleep(0.3)
        assert await lab.esl.uuid_getvar(call.call_uuid, "lab_cut") is None
        assert await lab.esl.uuid_exists(call.call_uuid)


async def test_back_to_us_on_a_new_connection(lab: Lab) -> None:
    """The same channel connects again: the new connection is in charge, both learn the end."""
    call, events = await lab.call()
    plan = f"m:^:set:socket_resume=true^socket:127.0.0.1:{lab.server.port} async full^park"
    await lab.raw(f"uuid_transfer {call.call_uuid} '{plan}' inline")
    again = await asyncio.wait_for(lab.queue.get(), 5)
    heard: list[CallEvent] = []
    again.on_event(heard.append)
    await again.start()
    await asyncio.sleep(0.3)
    assert events == [Left("transferred")] and heard == [] and call.superseded
    assert await lab.esl.uuid_getvar(call.call_uuid, "socket_resume") == "true"
    await again.hang_up()
    assert await call.wait_closed(5) and await again.wait_closed(5)
    assert heard == [HungUp("NORMAL_CLEARING")]


async def test_bridge_names_the_other_leg(lab: Lab) -> None:
    call, events = await lab.call()
    other = str(uuid.uuid4())
    lab.uuids.append(other)
    await lab.esl.originate(DIAL, variables={"origination_uuid": other})
    await call.bridge(other)
    await until(lambda: len(events) == 2)
    assert events == [Bridged(other), Left("bridged")]


async def test_events_reach_a_client(lab: Lab) -> None:
    await lab.esl.subscribe(["CHANNEL_HANGUP_COMPLETE"])
    call, _ = await lab.call()
    waiting = asyncio.create_task(
        lab.esl.wait_for_event("CHANNEL_HANGUP_COMPLETE", lambda e: e.unique_id == call.call_uuid, timeout_s=5)
    )
    async with asyncio.timeout(5):
        while call.call_uuid not in {row["uuid"] for row in await lab.esl.show_channels()}:
            await asyncio.sleep(0.05)  # FreeSWITCH writes its table of channels in batches
    await lab.esl.uuid_kill(call.call_uuid, "CALL_REJECTED")
    assert (await waiting).get("Hangup-Cause") == "CALL_REJECTED"


async def test_the_first_answer_comes_within_150_ms(lab: Lab) -> None:
    """From FreeSWITCH's connection to a running application, 20 times: the greeting's budget."""
    worst = 0.0
    for _ in range(20):
        call, _ = await lab.call()
        assert await call.execute("sleep", "1", wait_s=2) is not None
        worst = max(worst, asyncio.get_running_loop().time() - call._connected_at)
        await call.hang_up()
    assert worst < 0.15


async def test_watchdog_is_called_off(lab: Lab) -> None:
    """What the dialplan scheduled against a silent listener does not happen to a call that we took."""
    call = str(uuid.uuid4())
    lab.uuids.append(call)
    plan = (
        f"m:^:set:socket_resume=true^set:api_result=${{sched_api(+1 wd-{call} uuid_kill {call})}}"
        f"^socket:127.0.0.1:{lab.server.port} async full^park"
    )
    await lab.raw(f"originate {{origination_uuid={call}}}{DIAL} '{plan}' inline")
    taken = await asyncio.wait_for(lab.queue.get(), 5)
    await taken.start()
    assert await lab.esl.api(commands.sched_del(f"wd-{call}")) == "+OK Deleted: 0"
    await asyncio.sleep(1.5)
    assert await lab.esl.uuid_exists(call)
