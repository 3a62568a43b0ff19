"""The stand-in switch answers a recorded client as FreeSWITCH 1.11 did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from eslbridge.simulator import Caller, Clock, Faults, Options, StandInSwitch
from tests.eslbridge.simulator.node import Message, Node, Wire, until
from tests.eslbridge.simulator.recorded import Exchange, exchanges, header_names, shape

RECORDED_UUID = {
    "esl-outbound-session.jsonl": "c0e06181-846d-4979-91c0-29cd8b32c17d",
    "esl-outbound-unknown-app-hangs-up.jsonl": "1c276172-7bf0-44aa-852c-b3af9cad1744",
}


async def replay(
    wire: Wire, script: list[Exchange], *, pace: float, after_unicast: Callable[[], None] | None = None
) -> list[list[Message]]:
    """Send each command when the answers to the one before have come, `pace` seconds apart."""
    answers: list[list[Message]] = [[]]

    async def read() -> None:
        try:
            while True:
                message = await wire.read()
                answers[-1].append(message)
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    reader = asyncio.create_task(read())
    await asyncio.sleep(pace)
    for exchange in script[1:]:
        if wire.writer.is_closing():
            break
        answers.append([])
        wire.send(exchange.sent)
        await asyncio.sleep(pace)
        if "unicast" in exchange.sent and after_unicast is not None:
            after_unicast()
            await asyncio.sleep(3 * pace)
    await asyncio.wait({reader}, timeout=2)
    reader.cancel()
    return answers


async def test_inbound_session() -> None:
    """Login, api, unknown commands, subscription, noevents and exit: the same messages with the same headers."""
    script = exchanges("esl-inbound-session.jsonl")
    async with StandInSwitch(Options(port=0, password="lab-secret"), clock=Clock(50)) as switch:
        wire = Wire(*await asyncio.open_connection("127.0.0.1", switch.port))
        answers = await replay(wire, script, pace=0.02)
    for exchange, ours in zip(script, answers, strict=True):
        # The lab's originate rang a loopback endpoint; here only its replies are alike (events have their own test).
        recorded = [one for one in exchange.answers if not one.name]
        assert [shape(one) for one in ours if not one.name] == [shape(one) for one in recorded], exchange.sent


async def test_background_job_event() -> None:
    """A failed originate: the bgapi reply first, then BACKGROUND_JOB with our Job-UUID and the same headers."""
    script = exchanges("esl-inbound-session.jsonl")
    (failed,) = [one for one in script if "nobody@" in one.sent]
    recorded = failed.answers[-1]
    async with StandInSwitch(Options(port=0), clock=Clock(50)) as switch:
        wire = await Wire.login(switch.port)
        await wire.ask("event plain BACKGROUND_JOB")
        wire.send(failed.sent + "\nJob-UUID: 0f0f0f0f-1111-2222-3333-444444444444")
        assert shape(await wire.read()) == shape(failed.answers[0])
        ours = await wire.read()
    assert header_names(ours) == header_names(recorded)
    assert ours.event["Job-UUID"] == "0f0f0f0f-1111-2222-3333-444444444444"
    assert ours.body.split(b"\n\n")[1] == recorded.body.split(b"\n\n")[1] == b"-ERR NORMAL_TEMPORARY_FAILURE\n"


async def test_wrong_password() -> None:
    """One try: the refusal, the notice, and the end of the connection."""
    script = exchanges("esl-inbound-bad-password.jsonl")
    async with StandInSwitch(Options(port=0, password="lab-secret")) as switch:
        wire = Wire(*await asyncio.open_connection("127.0.0.1", switch.port))
        answers = await replay(wire, script[:2], pace=0.05)
    assert [[shape(one) for one in part] for part in answers] == [
        [shape(one) for one in exchange.answers] for exchange in script[:2]
    ]
    assert answers[1][1].body == script[1].answers[1].body


@pytest.mark.parametrize("name", sorted(RECORDED_UUID))
async def test_outbound_session(name: str) -> None:
    """A call under `socket … async full` to the end of linger: the same messages, order and headers."""
    script = exchanges(name)
    hangs_up = name == "esl-outbound-session.jsonl"
    collected: list[list[Message]] = []

    async def handler(wire: Wire) -> None:
        told = [Exchange(one.sent.replace(RECORDED_UUID[name], call.uuid)) for one in script]
        collected.extend(await replay(wire, told, pace=0.06, after_unicast=press_and_leave if hangs_up else None))

    def press_and_leave() -> None:
        call.press("5#")
        switch.later(1.0, call.phone_hung_up)

    # Twenty times the speed: the recorded 300 ms of tone take 15 ms.
    clock = Clock(20)
    async with Node(handler) as node, StandInSwitch(Options(port=0), clock=clock) as switch:
        actions = [("answer", ""), ("socket", f"127.0.0.1:{node.port} async full"), ("sleep", "1")]
        switch.dialplan.add("public", "8000", actions)
        caller = Caller(patience_ms=None)
        call = switch.place_call("public", "8000", caller, caller_name="Ação", faults=Faults())
        await call.ended.wait()
        await until(lambda: collected)
    recorded = [one for exchange in script for one in exchange.answers]
    ours = [one for part in collected for one in part]
    # Which command an event arrives behind depends on when the caller acts; the order of it all does not.
    assert [shape(one) for one in ours if not one.name] == [shape(one) for one in recorded if not one.name]
    assert [one.name for one in ours if one.name] == [one.name for one in recorded if one.name]
    for mine, theirs in zip(ours, recorded, strict=True):
        if mine.name == theirs.name and mine.name != "CHANNEL_HANGUP_COMPLETE":
            assert header_names(mine) == header_names(theirs), mine.name


async def test_connect_data() -> None:
    """The connect reply has the recorded headers in their order, 7 to 8 KB of it, values encoded, no Content-Length."""
    (recorded,) = exchanges("esl-outbound-session.jsonl")[1].answers
    raw = bytearray()

    async def handler(wire: Wire) -> None:
        wire.send("connect")
        raw.extend(await wire.reader.readuntil(b"\n\n"))

    async with Node(handler) as node, StandInSwitch(Options(port=0), clock=Clock(20)) as switch:
        actions = [("answer", ""), ("socket", f"127.0.0.1:{node.port} async full")]
        switch.dialplan.add("public", "8000", actions)
        given = {"domain_uuid": "1" * 8, "secretary_uuid": "2" * 8}
        call = switch.place_call("public", "8000", Caller(patience_ms=4_000), caller_name="Ação", variables=given)
        await call.ended.wait()
    names = [line.partition(b":")[0].decode() for line in raw.splitlines() if line]
    assert [name for name in names if not name.startswith("variable_")] == header_names(recorded)
    missing = {name for name in recorded.headers if name.startswith("variable_")} - set(names)
    assert missing == set()
    assert 6500 < len(raw) < 8500
    assert b"Caller-Caller-ID-Name: A%C3%A7%C3%A3o\n" in raw
    assert b"Reply-Text: %2BOK%0A\n" in raw
