"""Calling a colleague for a caller who waits: originate to a node's socket, what telephones do, and the bridge."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from eslbridge.simulator import Caller, Extension, HangUp, Pause, Press, Say, StandInSwitch, WaitSilence
from eslbridge.simulator.audio import tone
from eslbridge.simulator.channel import Channel
from eslbridge.simulator.colleague import Colleague
from tests.eslbridge.simulator.node import Node, Wire, free_port, until

DOMAIN = "acme.example"
LEG = "77777777-1111-2222-3333-444444444444"
VARIABLES = f"origination_uuid={LEG},socket_resume=true,hangup_after_bridge=true,domain_uuid=d-1,secretary_consult=tok"


class Arrivals:
    """A node that takes every leg, and keeps its connection."""

    def __init__(self) -> None:
        self.data: dict[str, dict[str, str]] = {}
        self.wires: dict[str, Wire] = {}
        self.keys: dict[str, str] = {}
        self.port = 0

    async def handle(self, wire: Wire) -> None:
        wire.send("connect")
        data = (await wire.reply()).headers
        uuid = data["Unique-ID"]
        await wire.ask("myevents plain")
        await wire.ask("linger 1")
        self.data[uuid], self.wires[uuid] = data, wire
        while True:
            message = await wire.next_event()
            if message.name == "DTMF":
                self.keys[uuid] = self.keys.get(uuid, "") + message.event["DTMF-Digit"]


@asynccontextmanager
async def waiting(switch: StandInSwitch) -> AsyncIterator[tuple[Arrivals, Channel]]:
    """A caller who is parked at a node."""
    arrivals = Arrivals()
    async with Node(arrivals.handle) as node:
        arrivals.port = node.port
        actions = [("set", "hangup_after_bridge=true"), ("answer", ""), ("socket", f"127.0.0.1:{node.port} async full")]
        switch.dialplan.add(DOMAIN, "8001", actions)
        call = switch.place_call(DOMAIN, "8001", Caller(patience_ms=None))
        await until(lambda: call.uuid in arrivals.wires)
        yield arrivals, call
        for channel in list(switch.channels.values()):
            channel.hang_up("MANAGER_REQUEST")
        await until(lambda: not switch.channels)


async def ring(switch: StandInSwitch, arrivals: Arrivals, number: str, *, seconds: int = 25, kind: str = "user") -> str:
    """The answer to a background `originate` to the node's socket, as BACKGROUND_JOB brings it."""
    worker = await Wire.login(switch.port)
    await worker.ask("event plain BACKGROUND_JOB")
    dial = f"user/{number}@{DOMAIN}" if kind == "user" else f"loopback/{number}/{DOMAIN}"
    given = f"{VARIABLES},originate_timeout={seconds}"
    reply = await worker.ask(f"bgapi originate {{{given}}}{dial} '&socket(127.0.0.1:{arrivals.port} async full)'")
    assert reply.startswith("+OK Job-UUID: ")
    while True:
        event = await worker.next_event()
        if event.name == "BACKGROUND_JOB":
            worker.close()
            return event.body.partition(b"\n\n")[2].decode().strip()


async def test_a_leg_arrives_under_its_own_uuid(switch: StandInSwitch) -> None:
    """The colleague's leg connects to the node after the answer, with the UUID and variables that were given."""
    async with waiting(switch) as (arrivals, _call):
        assert await ring(switch, arrivals, "1001") == f"+OK {LEG}"
        await until(lambda: LEG in arrivals.data)
        data = arrivals.data[LEG]
        assert data["Channel-Call-UUID"] == data["variable_uuid"] == LEG
        assert (data["variable_secretary_consult"], data["variable_domain_uuid"]) == ("tok", "d-1")
        assert data["Call-Direction"] == "outbound"
        assert data["Answer-State"] == "answered"


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        ("1002", "USER_BUSY"),
        ("1003", "NO_ANSWER"),
        ("1004", "USER_NOT_REGISTERED"),
        ("1005", "CALL_REJECTED"),
        ("1006", "NO_ANSWER"),
    ],
)
async def test_nobody_takes_it(switch: StandInSwitch, number: str, cause: str) -> None:
    """A telephone that is busy, away, unregistered, rejects, or would answer too late: the cause, and no leg left."""
    switch.add_extension(Extension("1005", DOMAIN, "reject", 0.2))
    switch.add_extension(Extension("1006", DOMAIN, answer_after_s=9.0))
    async with waiting(switch) as (arrivals, call):
        assert await ring(switch, arrivals, number, seconds=2) == f"-ERR {cause}"
        await until(lambda: set(switch.channels) == {call.uuid})
        assert set(arrivals.wires) == {call.uuid}


async def test_ringing_is_taken_back(switch: StandInSwitch) -> None:
    """`uuid_kill` ends the ringing at once, with its cause as the originate's answer."""
    async with waiting(switch) as (arrivals, call):
        answer = asyncio.create_task(ring(switch, arrivals, "1003"))
        await until(lambda: LEG in switch.channels)
        assert switch.channels[LEG].call_state == "RINGING"
        assert switch.api.call("uuid_kill", f"{LEG} ORIGINATOR_CANCEL") == "+OK\n"
        assert await answer == "-ERR ORIGINATOR_CANCEL"
        await until(lambda: set(switch.channels) == {call.uuid})
        assert [leg.hangup_cause for leg in switch.rung] == ["ORIGINATOR_CANCEL"]


async def test_what_a_colleague_does(switch: StandInSwitch) -> None:
    """After the answer a telephone presses keys, speaks and hangs up as its script says; the keys reach the node."""
    steps = (Pause(300), Press("31"), Say(tone(400, 500.0)), Pause(2000), HangUp())
    switch.add_extension(Extension("1007", DOMAIN, answer_after_s=0.2, steps=steps))
    async with waiting(switch) as (arrivals, _call):
        assert await ring(switch, arrivals, "1007") == f"+OK {LEG}"
        leg = switch.channels[LEG]
        await until(lambda: arrivals.keys.get(LEG) == "31")
        await asyncio.wait_for(leg.ended.wait(), 5)
        assert isinstance(leg.phone, Colleague)
        assert [span.end_ms - span.start_ms for span in leg.phone.said] == [400]
        assert leg.hung_up_by_phone


async def test_silence_is_said_to_nobody(switch: StandInSwitch) -> None:
    """A colleague without steps picks up and says nothing; one without a script has a chime."""
    switch.add_extension(Extension("1007", DOMAIN, answer_after_s=0.1, steps=()))
    async with waiting(switch) as (arrivals, call):
        for number, voice in (("1007", False), ("1001", True)):
            assert await ring(switch, arrivals, number) == f"+OK {LEG}"
            await until(lambda: LEG in arrivals.wires)
            assert switch.api.call("uuid_bridge", f"{call.uuid} {LEG}") == f"+OK {LEG}\n"
            await switch.clock.sleep(1.5)
            assert (call.phone.heard_voice_ms > 200) is voice
            colleague = switch.channels[LEG]
            if not voice:
                # A bridge that nobody ends well: the caller's leg would go with the colleague's.
                call.variables["hangup_after_bridge"] = "false"
                call.variables["transfer_after_bridge"] = f"8001:XML:{DOMAIN}"
                arrivals.wires.clear()
            colleague.phone_hung_up()
            if not voice:
                await until(lambda: call.uuid in arrivals.wires)


async def test_audio_of_a_colleague(switch: StandInSwitch) -> None:
    """The leg carries direct UDP as a caller's does: 320 bytes of L16 each 20 ms, both ways."""
    switch.clock.speed = 1.0
    switch.add_extension(Extension("1007", DOMAIN, answer_after_s=0.05, steps=(Say(tone(600, 500.0)),)))
    received: list[bytes] = []

    class Ear(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            received.append(data)

    async with waiting(switch) as (arrivals, _call):
        assert await ring(switch, arrivals, "1007") == f"+OK {LEG}"
        await until(lambda: LEG in arrivals.wires)
        local, remote = free_port(), free_port()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Ear, local_addr=("127.0.0.1", remote))
        lines = [f"sendmsg {LEG}", "call-command: unicast", "local-ip: 127.0.0.1", f"local-port: {local}"]
        lines += ["remote-ip: 127.0.0.1", f"remote-port: {remote}", "transport: udp"]
        worker = await Wire.login(switch.port)
        assert await worker.ask("\n".join(lines)) == "+OK"
        await until(lambda: len(received) > 10)
        assert {len(frame) for frame in received} == {320}
        loud = max(abs(sample) for frame in received for sample in struct.unpack("<160h", frame))
        assert loud > 2000
        for _ in range(10):
            transport.sendto(tone(20, 440.0), ("127.0.0.1", local))
            await asyncio.sleep(0.02)
        await until(lambda: switch.channels[LEG].phone.heard_voice_ms >= 100)
        transport.close()


@pytest.mark.parametrize("first", ["caller", "colleague"])
async def test_a_bridge_ends_on_both_sides(switch: StandInSwitch, first: str) -> None:
    """`uuid_bridge` joins the parked caller with the colleague; whoever hangs up first takes the other along."""
    async with waiting(switch) as (arrivals, call):
        assert await ring(switch, arrivals, "1001") == f"+OK {LEG}"
        await until(lambda: LEG in arrivals.wires)
        for uuid in (call.uuid, LEG):
            assert switch.api.call("uuid_setvar", f"{uuid} socket_resume false") == "+OK\n"
        assert switch.api.call("uuid_bridge", f"{call.uuid} {LEG}") == f"+OK {LEG}\n"
        leg = switch.channels[LEG]
        await until(lambda: call.media.other is leg.media)
        for wire in arrivals.wires.values():
            wire.close()
        await switch.clock.sleep(1)
        assert call.other_leg is leg
        (call if first == "caller" else leg).phone_hung_up()
        await until(lambda: not switch.channels)
        assert (call.hangup_cause, leg.hangup_cause) == ("NORMAL_CLEARING", "NORMAL_CLEARING")


async def test_socket_resume_cuts_a_bridge(switch: StandInSwitch) -> None:
    """A node that ends while `socket_resume` is still set on a bridged leg cuts the bridge, as on 1.11."""
    async with waiting(switch) as (arrivals, call):
        assert await ring(switch, arrivals, "1001") == f"+OK {LEG}"
        await until(lambda: LEG in arrivals.wires)
        switch.api.call("uuid_bridge", f"{call.uuid} {LEG}")
        leg = switch.channels[LEG]
        await until(lambda: call.media.other is leg.media)
        arrivals.wires[LEG].close()
        await asyncio.wait_for(call.ended.wait(), 5)
        assert leg.state == "CS_RESET"


async def test_through_the_dialplan(switch: StandInSwitch) -> None:
    """`loopback/…` walks the dialplan: answered with whom it rings, and with their causes; both ends go together."""
    switch.dialplan.add(DOMAIN, "600", [("bridge", f"user/1002@{DOMAIN}|user/1001@{DOMAIN}")])
    switch.dialplan.add(DOMAIN, "601", [("bridge", f"user/1002@{DOMAIN}")])
    async with waiting(switch) as (arrivals, call):
        assert await ring(switch, arrivals, "601", kind="loopback") == "-ERR USER_BUSY"
        assert await ring(switch, arrivals, "9999", kind="loopback") == "-ERR NO_ROUTE_DESTINATION"
        assert await ring(switch, arrivals, "1003", kind="loopback", seconds=2) == "-ERR NO_ANSWER"
        await until(lambda: set(switch.channels) == {call.uuid})
        assert await ring(switch, arrivals, "600", kind="loopback") == f"+OK {LEG}"
        await until(lambda: LEG in arrivals.wires)
        names = sorted(channel.name for channel in switch.channels.values())
        assert names == [
            "loopback/600-a",
            "loopback/600-b",
            "sofia/internal/1000@acme.example",
            f"sofia/internal/1001@{DOMAIN}",
        ]
        switch.api.call("uuid_bridge", f"{call.uuid} {LEG}")
        await until(lambda: call.phone.heard_voice_ms > 100)  # the chime, through the wire
        call.phone_hung_up()
        await until(lambda: not switch.channels)


async def test_the_directory_answers(switch: StandInSwitch) -> None:
    """`user_data`, `sofia_contact` and a queue's agents say what a FreeSWITCH with these users would."""
    switch.add_extension(Extension("1008", DOMAIN, directory={"do_not_disturb": "true"}))
    switch.queues[f"sales@{DOMAIN}"] = {f"1001@{DOMAIN}": "Available", f"1002@{DOMAIN}": "On Break"}
    ask = switch.api.call
    assert ask("sofia_contact", f"*/1001@{DOMAIN}").startswith("sofia/internal/sip:1001@")
    assert ask("sofia_contact", f"*/1004@{DOMAIN}") == "error/user_not_registered"
    assert "sofia_contact" in ask("user_data", f"1004@{DOMAIN} param dial-string")
    assert ask("user_data", f"1008@{DOMAIN} var do_not_disturb") == "true"
    assert ask("user_data", f"1001@{DOMAIN} var do_not_disturb") == "-ERR no reply\n"
    assert ask("user_data", f"1999@{DOMAIN} param dial-string") == "-ERR no reply\n"
    heading, *rows, ok = ask("callcenter_config", f"queue list agents sales@{DOMAIN}").split("\n")[:-1]
    column = heading.split("|").index("status")
    assert [row.split("|")[column] for row in rows] == ["Available", "On Break"]
    assert ok == "+OK"
    assert ask("callcenter_config", f"queue list agents nobody@{DOMAIN}") == "+OK\n"


async def test_channels_like(switch: StandInSwitch) -> None:
    """`show channels like` finds by UUID, name and caller ID, and shows who a called leg belongs to."""
    async with waiting(switch) as (arrivals, call):
        assert await ring(switch, arrivals, "1001") == f"+OK {LEG}"
        shown = json.loads(switch.api.call("show", "channels like 1001 as json"))
        assert [(row["uuid"], row["presence_id"], row["callstate"]) for row in shown["rows"]] == [
            (LEG, f"1001@{DOMAIN}", "ACTIVE")
        ]
        assert json.loads(switch.api.call("show", f"channels like {call.uuid} as json"))["row_count"] == 1
        assert json.loads(switch.api.call("show", "channels like 4711 as json")) == {"row_count": 0}


async def test_waits_for_the_question(switch: StandInSwitch) -> None:
    """A scripted colleague can wait for the end of what is said to them, as a caller does."""
    switch.add_extension(Extension("1007", DOMAIN, answer_after_s=0.1, steps=(WaitSilence(400), Press("2"))))
    async with waiting(switch) as (arrivals, _call):
        assert await ring(switch, arrivals, "1007") == f"+OK {LEG}"
        await until(lambda: LEG in arrivals.wires)
        await switch.clock.sleep(1)
        assert LEG not in arrivals.keys
        switch.api.call("uuid_broadcast", f"{LEG} tone_stream://%(500,0,440) aleg")
        await until(lambda: arrivals.keys.get(LEG) == "2")
