"""sendmsg, hangup, transfer, bridging: what a node or a worker can do to a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from eslbridge.simulator import Caller, Extension, StandInSwitch
from eslbridge.simulator.channel import Channel
from tests.eslbridge.simulator.node import Node, Wire, until

DOMAIN = "acme.example"


@asynccontextmanager
async def controlled(
    switch: StandInSwitch, work: Callable[[Wire, str], Awaitable[None]], *, first: tuple[str, str] = ("answer", "")
) -> AsyncIterator[Channel]:
    """A call in a node's hands; leaving waits until the node's work is done."""
    done = asyncio.Event()

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        data = await wire.reply()
        await wire.ask("myevents plain")
        try:
            await work(wire, data.headers["Unique-ID"])
        finally:
            done.set()

    async with Node(handler) as node:
        switch.dialplan.add(DOMAIN, "8001", [first, ("socket", f"127.0.0.1:{node.port} async full")])
        yield switch.place_call(DOMAIN, "8001", Caller(patience_ms=None))
        await asyncio.wait_for(done.wait(), 10)


async def test_event_lock_keeps_order(switch: StandInSwitch) -> None:
    """With event-lock applications run one after the other; without it they start nested, at once."""

    async def work(wire: Wire, uuid: str) -> None:
        for lock in (True, False):
            for number in (1, 2):
                await wire.execute("sleep", "400", uuid=f"{lock}-{number}", lock=lock)
            seen = []
            while len(seen) < 4:
                message = await wire.next_event()
                if message.name in ("CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE"):
                    event = message.event
                    if event["Application"] == "sleep":
                        seen.append((event["Event-Name"][8:], event["Application-UUID"].split("-")[1]))
            order = [("EXECUTE", "1"), ("EXECUTE_COMPLETE", "1"), ("EXECUTE", "2"), ("EXECUTE_COMPLETE", "2")]
            assert seen == order if lock else seen[:2] == [order[0], order[2]]

    async with controlled(switch, work):
        pass


async def test_multi_line_body_is_the_argument(switch: StandInSwitch) -> None:
    """A text/plain body stands for execute-app-arg and may hold newlines."""

    async def work(wire: Wire, uuid: str) -> None:
        body = "note=one\ntwo"
        head = "sendmsg\ncall-command: execute\nexecute-app-name: set\ncontent-type: text/plain\n"
        wire.writer.write(f"{head}content-length: {len(body)}\n\n{body}".encode())
        assert (await wire.reply()).headers["Reply-Text"] == "+OK"
        await wire.event("CHANNEL_EXECUTE_COMPLETE", Application="set")
        assert await wire.ask(f"api uuid_getvar {uuid} note") == "one\ntwo"

    async with controlled(switch, work):
        pass


async def test_the_257th_message_costs_the_connection(switch: StandInSwitch) -> None:
    """256 messages wait; one more gets no reply and ends the connection that sent it, an inbound one too."""
    async with controlled(switch, lambda wire, uuid: wire.until_end()) as call:
        await switch.clock.sleep(0.5)
        wire = await Wire.login(switch.port)
        text = f"sendmsg {call.uuid}\ncall-command: execute\nexecute-app-name: sleep\nexecute-app-arg: 60000\n"
        for _ in range(258):
            wire.send(text + "event-lock: true")
        for _ in range(257):  # one runs, 256 wait
            assert (await wire.reply()).headers["Reply-Text"] == "+OK"
        await wire.until_end()
        assert len(wire.notices) == 1
        call.hang_up()


async def test_hangup_by_message(switch: StandInSwitch) -> None:
    """`sendmsg hangup` ends the call with that cause; without linger the notice comes and no HANGUP_COMPLETE."""

    async def work(wire: Wire, uuid: str) -> None:
        assert await wire.ask("sendmsg\ncall-command: hangup\nhangup-cause: USER_BUSY") == "+OK"
        await wire.until_end()
        names = [event.name for event in wire.events]
        assert "CHANNEL_HANGUP" in names
        assert "CHANNEL_HANGUP_COMPLETE" not in names
        assert wire.notices[0].headers["Content-Disposition"] == "disconnect"

    async with controlled(switch, work) as call:
        await asyncio.wait_for(call.ended.wait(), 5)
    assert call.hangup_cause == "USER_BUSY"


async def test_transfer_away(switch: StandInSwitch) -> None:
    """A worker's uuid_transfer: the node sees UNPARK, the end of its socket, the bridge, and stays connected."""
    linger: list[str] = []

    async def work(wire: Wire, uuid: str) -> None:
        linger.append(await wire.ask("linger 2"))
        await wire.event("CHANNEL_UNPARK")
        await wire.event("CHANNEL_EXECUTE_COMPLETE", Application="socket")
        bridge = await wire.event("CHANNEL_BRIDGE")
        assert bridge["Bridge-A-Unique-ID"] == uuid
        assert bridge["Other-Leg-Destination-Number"] == "1001"
        await wire.event("CHANNEL_HANGUP_COMPLETE")
        await wire.until_end()

    async with controlled(switch, work) as call:
        await switch.clock.sleep(0.5)
        worker = await Wire.login(switch.port)
        assert await worker.ask(f"api uuid_transfer {call.uuid} 1001 XML {DOMAIN}") == "+OK\n"
        await switch.clock.sleep(3)
        rows = await worker.ask("api show channels as json")
        assert '"row_count":2' in rows
        assert call.other_leg is not None
        call.phone_hung_up()
        await call.ended.wait()
    assert linger == ["+OK will linger 2 seconds"]
    assert not switch.channels


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        ("1002", "USER_BUSY"),
        ("1003", "NORMAL_CLEARING"),
        ("1004", "USER_NOT_REGISTERED"),
        ("1999", "NO_ROUTE_DESTINATION"),
    ],
)
async def test_nobody_there(switch: StandInSwitch, number: str, cause: str) -> None:
    """Busy, unregistered and unknown extensions end a transferred call with their causes. After one that nobody answers
    the dialplan goes on, to its end here."""
    switch.options.ring_timeout_s = 2.0
    async with controlled(switch, lambda wire, uuid: wire.until_end()) as call:
        await switch.clock.sleep(0.3)
        assert switch.api.call("uuid_transfer", f"{call.uuid} {number} XML {DOMAIN}") == "+OK\n"
        await asyncio.wait_for(call.ended.wait(), 5)
    assert call.hangup_cause == cause


@pytest.mark.parametrize("number", ["1002", "1003", "1004", "1999"])
async def test_transfer_with_a_way_back(switch: StandInSwitch, number: str) -> None:
    """The inline dialplan: an extension in between, and on to the next step when it comes to its end."""
    switch.options.ring_timeout_s = 2.0
    visits = []

    async def work(wire: Wire, uuid: str) -> None:
        visits.append(await wire.ask(f"api uuid_getvar {uuid} tried"))
        if len(visits) == 1:
            steps = f"set:continue_on_fail=true,set:tried={number},execute_extension:{number} XML {DOMAIN}"
            assert await wire.ask(f"api uuid_transfer {uuid} '{steps},transfer:8001 XML {DOMAIN}' inline") == "+OK\n"
            await wire.event("CHANNEL_EXECUTE", Application="execute_extension")

    async with controlled(switch, work) as call:
        await until(lambda: len(visits) == 2)
        call.hang_up()
    assert visits == ["_undef_", number]


async def test_transfer_back_after_the_bridge(switch: StandInSwitch) -> None:
    """`transfer_after_bridge` brings the caller back through the dialplan when the colleague hangs up."""
    switch.add_extension(Extension("1009", DOMAIN, answer_after_s=0.2, hang_up_after_s=1.0))
    visits = []

    async def work(wire: Wire, uuid: str) -> None:
        visits.append(uuid)
        await wire.ask(f"api uuid_setvar {uuid} transfer_after_bridge 8001:XML:{DOMAIN}")
        if len(visits) == 1:
            assert await wire.ask(f"api uuid_transfer {uuid} 1009 XML {DOMAIN}") == "+OK\n"
            await wire.event("CHANNEL_UNBRIDGE")

    async with controlled(switch, work) as call:
        await until(lambda: len(visits) == 2)
        call.hang_up()
    assert visits == [call.uuid, call.uuid]


async def test_the_colleague_hears_the_caller(switch: StandInSwitch) -> None:
    """After the bridge each side hears the other."""
    from eslbridge.simulator.audio import tone

    async with controlled(switch, lambda wire, uuid: wire.until_end()) as call:
        await switch.clock.sleep(0.3)
        call.transfer("1001", DOMAIN)
        await until(lambda: call.other_leg is not None)
        assert call.other_leg is not None
        colleague = call.other_leg.phone
        call.phone.speak(tone(1000, 440.0))
        await switch.clock.sleep(2.5)
        assert 900 <= colleague.heard_voice_ms <= 1040
        assert call.phone.heard_voice_ms > 200  # the chime
        call.hang_up()


async def test_originate_and_bridge(switch: StandInSwitch) -> None:
    """originate calls a colleague under our uuid, uuid_bridge joins it with a parked caller."""
    async with controlled(switch, lambda wire, uuid: wire.until_end()) as call:
        await switch.clock.sleep(0.3)
        worker = await Wire.login(switch.port)
        await worker.ask("event plain CHANNEL_ANSWER CHANNEL_BRIDGE BACKGROUND_JOB")
        leg = "77777777-1111-2222-3333-444444444444"
        variables = f"origination_uuid={leg},origination_caller_id_name='Silva\\, Ana',call_timeout=5"
        command = f"bgapi originate {{{variables}}}user/1001@{DOMAIN} &park()\nJob-UUID: {leg}"
        assert await worker.ask(command) == f"+OK Job-UUID: {leg}"
        answer = await worker.event("CHANNEL_ANSWER")
        assert answer["Unique-ID"] == leg
        assert answer["Caller-Caller-ID-Name"] == "Silva, Ana"
        job = await worker.event("BACKGROUND_JOB")
        assert job["Job-UUID"] == leg
        assert await worker.ask(f"api uuid_bridge {call.uuid} {leg}") == f"+OK {leg}\n"
        await worker.event("CHANNEL_BRIDGE")
        assert switch.channels[leg].media.other is call.media
        assert await worker.ask("api hupall") == "+OK hangup all channels with cause MANAGER_REQUEST\n"
        await call.ended.wait()


async def test_playback_and_break(switch: StandInSwitch) -> None:
    """uuid_broadcast plays to the caller, uuid_break ends it at once, and the response says FILE PLAYED."""

    async def work(wire: Wire, uuid: str) -> None:
        answer = await wire.ask(f"api uuid_broadcast {uuid} tone_stream://%(60000,0,440) aleg")
        assert answer == "+OK Message sent\n"
        await wire.event("CHANNEL_EXECUTE", Application="playback")
        await switch.clock.sleep(1)
        assert await wire.ask(f"api uuid_break {uuid} all") == "+OK\n"
        done = await wire.event("CHANNEL_EXECUTE_COMPLETE", Application="playback")
        assert done["Application-Response"] == "FILE PLAYED"
        assert 500 < int(done["variable_playback_ms"]) < 5000
        await wire.execute("playback", "/nonexistent.wav")
        done = await wire.event("CHANNEL_EXECUTE_COMPLETE", Application="playback")
        assert done["Application-Response"] == "FILE NOT FOUND"

    async with controlled(switch, work) as call:
        pass
    assert call.phone.heard_voice_ms > 400


async def test_json_events_and_custom_subclasses(switch: StandInSwitch) -> None:
    """`event json CUSTOM a::b` delivers that subclass and no other; myevents narrows to the call."""
    import json

    wire = await Wire.login(switch.port)
    assert await wire.ask("event json CUSTOM mod_x::wanted DTMF") == "+OK event listener enabled json"
    await wire.ask("sendevent CUSTOM\nEvent-Subclass: mod_x::other")
    reply = await wire.ask("sendevent CUSTOM\nEvent-Subclass: mod_x::wanted\ncontent-length: 2\n\nhi")
    assert reply.startswith("+OK ")
    message = wire.events.pop() if wire.events else await wire.read()
    fields = json.loads(message.body)
    assert fields["Event-Subclass"] == "mod_x::wanted"
    assert fields["_body"] == "hi"


async def test_filters(switch: StandInSwitch) -> None:
    """Filters are ORed, `filter delete all` removes them, and the replies are FreeSWITCH's."""
    wire = await Wire.login(switch.port)
    await wire.ask("event plain CUSTOM a::b")
    assert await wire.ask("filter Tag one") == "+OK filter added. [Tag]=[one]"
    assert await wire.ask("filter add Tag two") == "+OK filter added. [Tag]=[two]"
    for tag in ("one", "three", "two"):
        await wire.ask(f"sendevent CUSTOM\nEvent-Subclass: a::b\nTag: {tag}")
    assert await wire.ask("filter delete all") == "+OK filter deleted. [all][]"
    await wire.ask("sendevent CUSTOM\nEvent-Subclass: a::b\nTag: four")
    await wire.ask("api status")
    assert [event.event["Tag"] for event in wire.events] == ["one", "two", "four"]


async def test_the_module_cheat(switch: StandInSwitch) -> None:
    """Any command that names reload and mod_event_socket cuts every ESL connection."""
    one, other = await Wire.login(switch.port), await Wire.login(switch.port)
    one.send("api send_text please reload mod_event_socket")
    await one.until_end()
    await other.until_end()
    assert one.notices[0].body == other.notices[0].body == b"The system is being shut down.\n"
