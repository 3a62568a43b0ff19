"""One call: what FreeSWITCH says becomes what the conversation hears, and every wait ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from eslbridge.control import Bridged, CallEvent, ControlError, Dtmf, HungUp, Left
from eslbridge.esl import call as call_module
from eslbridge.esl import channel, commands
from eslbridge.esl.call import OutboundCall
from eslbridge.esl.errors import CommandFailed, CommandRefused, CommandTimeout, EslError, NotConnected
from eslbridge.esl.events import Event
from eslbridge.esl.outbound import OutboundServer
from tests.eslbridge.esl.conftest import reads
from tests.eslbridge.esl.switch import CONNECT_REPLY, NOTICE, RECORDED_UUID, Switch, api, event, reply

OTHER = "7be37ce4-0a91-4557-b156-1107d04a11ba"


class Line:
    """A call with both its ends: the switch's and ours."""

    def __init__(self, switch: Switch, call: OutboundCall) -> None:
        self.switch, self.call = switch, call
        self.events: list[CallEvent] = []
        call.on_event(self.events.append)

    async def settle(self) -> None:
        """Let what was sent arrive: one round trip on the same connection."""
        await self.call.api(commands.uuid_exists(RECORDED_UUID))


@pytest.fixture
async def server() -> AsyncIterator[tuple[OutboundServer, asyncio.Queue[OutboundCall]]]:
    queue: asyncio.Queue[OutboundCall] = asyncio.Queue()
    server = OutboundServer(queue.put_nowait, port=0)
    await server.start()
    yield server, queue
    await server.close()


@pytest.fixture
async def line(server: tuple[OutboundServer, asyncio.Queue[OutboundCall]]) -> Line:
    switch = await Switch.dial(server[0].port)
    line = Line(switch, await asyncio.wait_for(server[1].get(), 3))
    await line.call.start()
    return line


@pytest.fixture
async def ringing(server: tuple[OutboundServer, asyncio.Queue[OutboundCall]]) -> Line:
    """A call that is not answered yet."""
    switch = await Switch.dial(server[0].port)
    switch.answers["connect"] = CONNECT_REPLY.replace(b"Answer-State: answered", b"Answer-State: ringing")
    line = Line(switch, await asyncio.wait_for(server[1].get(), 3))
    await line.call.start()
    return line


def complete(command: str, **headers: str) -> bytes:
    """What FreeSWITCH sends when an application has run: its reply, then the event with our Event-UUID."""
    event_uuid = command.split("Event-UUID: ")[1].split("\n")[0]
    return reply("+OK") + event("CHANNEL_EXECUTE_COMPLETE", Application_UUID=event_uuid, **headers)


async def test_the_recorded_call_from_start_to_end(line: Line) -> None:
    """The events of a real call, as JSON: two keys, then the caller hangs up; the connection is closed by our exit."""
    line.switch.send(
        event("DTMF", DTMF_Digit="5", DTMF_Duration="2080"), event("DTMF", DTMF_Digit="#", DTMF_Duration="2080")
    )
    line.switch.hang_up()
    await line.switch.heard("exit")
    assert await line.call.wait_closed(3)
    assert line.events == [Dtmf("5", 260), Dtmf("#", 260), HungUp("NORMAL_CLEARING")]


async def test_recorded_plain_events_mean_the_same(server: tuple[OutboundServer, asyncio.Queue[OutboundCall]]) -> None:
    """The recording itself, in the plain format, replayed after the set-up."""
    switch = await Switch.dial(server[0].port)
    line = Line(switch, await asyncio.wait_for(server[1].get(), 3))
    await line.call.start()
    recorded = b"".join(reads("esl-outbound-session")[1:])
    start = recorded.index(b"Content-Length: 2025")
    end = recorded.index(b"Content-Type: command/reply", start)
    line.switch.send(recorded[start:end])
    assert await line.call.wait_closed(3)
    assert line.events == [Dtmf("5", 260), Dtmf("#", 260), HungUp("NORMAL_CLEARING")]


async def test_unknown_application_hangs_up(server: tuple[OutboundServer, asyncio.Queue[OutboundCall]]) -> None:
    """The recorded DESTINATION_OUT_OF_ORDER of an application FreeSWITCH does not know."""
    switch = await Switch.dial(server[0].port)
    recorded = b"".join(reads("esl-outbound-unknown-app-hangs-up"))
    switch.answers["connect"] = reads("esl-outbound-unknown-app-hangs-up")[0]
    line = Line(switch, await asyncio.wait_for(server[1].get(), 3))
    await line.call.start()
    start = recorded.index(b"Content-Length: 6669")
    line.switch.send(recorded[start : recorded.index(b"Content-Type: api/response", start)])
    assert await line.call.wait_closed(3)
    assert line.events == [HungUp("DESTINATION_OUT_OF_ORDER")]


async def test_answer_waits_for_its_own_completion(ringing: Line) -> None:
    """Not for another application's: only the event with our Event-UUID counts."""
    ringing.switch.answers["sendmsg"] = reply("+OK") + event("CHANNEL_EXECUTE_COMPLETE", Application_UUID=OTHER)
    answering = asyncio.create_task(ringing.call.answer())
    command = await ringing.switch.heard("sendmsg")
    await ringing.settle()
    assert not answering.done() and "event-lock: true" in command
    ringing.switch.send(complete(command)[len(reply("+OK")) :])
    await asyncio.wait_for(answering, 3)
    assert ringing.call.is_answered


async def test_answered_call_is_not_answered_again(line: Line) -> None:
    await line.call.answer()
    assert not any(command.startswith("sendmsg") for command in line.switch.said)


async def test_audio_only_of_an_answered_call(ringing: Line) -> None:
    """FreeSWITCH takes the codec of running audio: `unicast` before that would bring it down."""
    command = commands.unicast("127.0.0.1", 10002, "127.0.0.1", 10000)
    with pytest.raises(EslError, match="answered"):
        await ringing.call.send_message(command)
    ringing.switch.send(event("CHANNEL_ANSWER"))
    await ringing.settle()
    assert await ringing.call.send_message(command) == "+OK"


async def test_every_wait_has_an_end(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """No reply, or no completion: CommandTimeout, and the next answers still find their own commands."""
    line.switch.answers["api uuid_getvar"] = None
    with pytest.raises(CommandTimeout):
        await line.call.api(commands.uuid_getvar(RECORDED_UUID, "a"), timeout_s=0.05)
    with pytest.raises(CommandTimeout, match="playback"):
        await line.call.execute("playback", "x.wav", wait_s=0.05)


async def test_a_late_reply_goes_to_nobody_else(line: Line) -> None:
    """Who stopped waiting keeps his place: his late answer is not taken for the next one's."""
    line.switch.answers["api uuid_getvar"] = None
    with pytest.raises(CommandTimeout):
        await line.call.api(commands.uuid_getvar(RECORDED_UUID, "a"), timeout_s=0.05)
    line.switch.send(api("late"))
    assert await line.call.api(commands.uuid_exists(RECORDED_UUID)) == "true"


@pytest.mark.parametrize("notice", [b"", NOTICE], ids=["without a notice", "with a notice"])
async def test_the_end_of_the_connection_fails_every_waiter(line: Line, notice: bytes) -> None:
    """TCP closed, with FreeSWITCH's goodbye or without: nobody waits on, and the call has left exactly once."""
    line.switch.answers["api uuid_getvar"] = None
    waiting = [
        asyncio.create_task(line.call.execute("playback", "x.wav", wait_s=60)),
        asyncio.create_task(line.call.api(commands.uuid_getvar(RECORDED_UUID, "a"), timeout_s=60)),
        asyncio.create_task(line.call.wait_closed(60)),
    ]
    await line.switch.heard("api uuid_getvar")
    line.switch.send(notice)
    line.switch.writer.close()
    results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 3)
    assert isinstance(results[0], NotConnected) and isinstance(results[1], NotConnected) and results[2] is True
    assert [type(happened) for happened in line.events] == [Left]
    with pytest.raises(ControlError):
        await line.call.api(commands.status())
    await line.call.hang_up()  # of a call that is over: nothing, and no error


async def test_hang_up_fails_a_running_application(line: Line) -> None:
    playing = asyncio.create_task(line.call.execute("playback", "x.wav", wait_s=60))
    await line.switch.heard("sendmsg")
    line.switch.hang_up("ORIGINATOR_CANCEL")
    with pytest.raises(NotConnected, match="hung up"):
        await asyncio.wait_for(playing, 3)
    assert line.events == [HungUp("ORIGINATOR_CANCEL")]


async def test_transferred_away(line: Line) -> None:
    """Unparked without hangup, then another application runs: Left once, and the connection stays till the end."""
    line.switch.send(event("CHANNEL_UNPARK", Answer_State="answered"), event("CHANNEL_EXECUTE", Application="bridge"))
    await line.settle()
    assert line.events == [Left("transferred")]
    line.switch.send(
        event("CHANNEL_BRIDGE", Bridge_B_Unique_ID=OTHER), event("DTMF", DTMF_Digit="1", DTMF_Duration="800")
    )
    await line.settle()
    assert "exit" not in line.switch.said and line.call.is_open
    line.switch.hang_up()
    assert await line.call.wait_closed(3)
    assert line.events == [Left("transferred")]


async def test_taken_away_by_somebody_else(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's transfer: `socket_resume` goes off, or the end of our node would break off the colleague's call."""
    monkeypatch.setattr(call_module, "LET_GO_S", 0.01)
    line.switch.send(event("CHANNEL_UNPARK", Answer_State="answered"), event("CHANNEL_EXECUTE", Application="bridge"))
    await line.switch.heard(f"api uuid_setvar {RECORDED_UUID} socket_resume 'false'")


async def test_come_back_to_us(
    line: Line, server: tuple[OutboundServer, asyncio.Queue[OutboundCall]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transferred to a secretary again: the newer connection is in charge, and the older one keeps its hands off."""
    monkeypatch.setattr(call_module, "LET_GO_S", 0.05)
    line.switch.send(event("CHANNEL_UNPARK", Answer_State="answered"), event("CHANNEL_EXECUTE", Application="socket"))
    await line.settle()
    await Switch.dial(server[0].port)
    again = await asyncio.wait_for(server[1].get(), 3)
    await asyncio.sleep(0.1)
    assert line.events == [Left("transferred")] and line.call.superseded and not again.superseded
    assert server[0].call(RECORDED_UUID) is again
    assert not any("socket_resume 'false'" in command for command in line.switch.said)
    assert line.call.is_open
    line.switch.hang_up()
    assert await line.call.wait_closed(3)
    assert server[0].call(RECORDED_UUID) is again


async def test_bridged_elsewhere(line: Line) -> None:
    """Unparked and bridged: the other leg is named, then the call has left."""
    line.switch.send(event("CHANNEL_UNPARK", Answer_State="answered"))
    line.switch.send(event("CHANNEL_EXECUTE", Application="uuid_bridge"))
    line.switch.send(event("CHANNEL_BRIDGE", Bridge_A_Unique_ID=RECORDED_UUID, Bridge_B_Unique_ID=OTHER))
    await line.settle()
    assert line.events == [Bridged(OTHER), Left("bridged")]


async def test_unparked_without_a_word(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_module, "UNPARKED_S", 0.01)
    line.switch.send(event("CHANNEL_UNPARK", Answer_State="answered"))
    await line.settle()
    await asyncio.sleep(0.05)
    assert line.events == [Left("unparked")]


async def test_transferred_into_nowhere_is_a_hang_up(line: Line) -> None:
    line.switch.send(event("CHANNEL_UNPARK", Answer_State="answered"))
    line.switch.hang_up("NO_ROUTE_DESTINATION")
    assert await line.call.wait_closed(3)
    assert line.events == [HungUp("NO_ROUTE_DESTINATION")]


async def test_linger_notice_alone_is_a_hang_up(line: Line) -> None:
    """All that is left to learn where the subscription was refused."""
    line.switch.send(b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n")
    await line.settle()
    assert line.events == [HungUp("NORMAL_UNSPECIFIED")]


async def test_another_channels_events_are_not_ours(line: Line) -> None:
    line.switch.send(event("CHANNEL_HANGUP", Unique_ID=OTHER, Hangup_Cause="USER_BUSY"))
    await line.settle()
    assert line.events == []


async def test_a_late_listener_still_learns_the_end(line: Line) -> None:
    line.switch.hang_up()
    assert await line.call.wait_closed(3)
    late: list[CallEvent] = []
    line.call.on_event(late.append)
    await asyncio.sleep(0)
    assert late == [HungUp("NORMAL_CLEARING")]


async def test_raw_listener_gets_module_events(line: Line) -> None:
    """The body of an audio module's event arrives as it was sent."""
    raw: list[Event] = []
    line.call.add_raw_listener(raw.append)
    line.switch.send(event("CUSTOM", Event_Subclass="mod_audio_stream::play", _body='{"file":"/tmp/x.r8"}'))
    await line.settle()
    assert [(e.subclass, e.body) for e in raw] == [("mod_audio_stream::play", '{"file":"/tmp/x.r8"}')]


async def test_a_failing_listener_harms_nobody(line: Line) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("mine")

    heard: list[CallEvent] = []
    line.call.add_raw_listener(broken)
    line.call.on_event(broken)
    line.call.on_event(heard.append)
    line.switch.send(event("DTMF", DTMF_Digit="*", DTMF_Duration="x"))
    await line.settle()
    assert heard == [Dtmf("*", 0)]


async def test_leave_tells_the_dialplan_why(line: Line) -> None:
    """Result first, then exit, not within 100 ms of connecting; Left exactly once."""
    await line.call.leave("fallback")
    said = line.switch.said
    assert said[-2:] == [f"api uuid_setvar {RECORDED_UUID} eslbridge_result 'fallback'", "exit"]
    assert line.events == [Left("fallback")] and not line.call.is_open
    await line.call.leave("fallback")
    assert said.count("exit") == 1


async def test_leave_does_so_even_if_the_variable_cannot_be_set(line: Line) -> None:
    line.switch.answers["api uuid_setvar"] = api("-ERR No such channel!\n")
    await line.call.leave("done")
    assert line.switch.said[-1] == "exit" and line.events == [Left("done")]


async def test_leave_with_a_switch_that_does_not_close(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "GOODBYE_S", 0.05)
    line.switch.answers["exit"] = None
    line.switch.closes = False
    await line.call.leave("done")
    assert line.events == [Left("done")]


@pytest.mark.parametrize("result", ["", "Done", "a b", "x\n", "a${b}"])
async def test_leave_takes_a_word_only(line: Line, result: str) -> None:
    """It becomes part of the dialplan's next destination."""
    with pytest.raises(CommandRefused):
        await line.call.leave(result)


async def test_transfer_first_lets_go(line: Line) -> None:
    """`socket_resume` is off before the channel goes, so that our end cannot break off what it does next."""
    await line.call.transfer("1001", context="acme.example")
    assert line.switch.said[-2:] == [
        f"api uuid_setvar {RECORDED_UUID} socket_resume 'false'",
        f"api uuid_transfer {RECORDED_UUID} 1001 XML acme.example",
    ]


async def test_refused_transfer_takes_hold_again(line: Line) -> None:
    line.switch.answers["api uuid_transfer"] = api("-ERR No such channel!\n")
    with pytest.raises(CommandFailed, match="No such channel"):
        await line.call.transfer("1001", context="acme.example")
    await line.settle()
    assert line.switch.said[-2] == f"api uuid_setvar {RECORDED_UUID} socket_resume 'true'"


async def test_a_recording_is_masked_and_ended(line: Line) -> None:
    """Pausing, going on and ending name the file that is being written."""
    await line.call.mask_recording("/r/a.wav", True)
    await line.call.mask_recording("/r/a.wav", False)
    await line.call.stop_recording("/r/a.wav")
    words = ("mask", "unmask", "stop")
    assert line.switch.said[-3:] == [f"api uuid_record {RECORDED_UUID} {word} '/r/a.wav'" for word in words]


async def test_bridge_record_dtmf_and_variables(line: Line) -> None:
    await line.call.record("/var/rec/a b.wav")
    await line.call.send_dtmf("12#")
    await line.call.set_variable("x", "it's")
    await line.call.bridge(OTHER)
    assert line.switch.said[-6:] == [
        f"api uuid_setvar {RECORDED_UUID} RECORD_STEREO 'true'",
        f"api uuid_record {RECORDED_UUID} start '/var/rec/a b.wav'",
        f"api uuid_send_dtmf {RECORDED_UUID} 12#",
        f"api uuid_setvar {RECORDED_UUID} x 'it\\'s'",
        f"api uuid_setvar {RECORDED_UUID} socket_resume 'false'",
        f"api uuid_bridge {RECORDED_UUID} {OTHER}",
    ]


async def test_hang_up_with_a_cause(line: Line) -> None:
    await line.call.hang_up("USER_BUSY")
    assert line.switch.said[-1] == "sendmsg\ncall-command: hangup\nhangup-cause: USER_BUSY"


async def test_refused_set_up_is_an_error(server: tuple[OutboundServer, asyncio.Queue[OutboundCall]]) -> None:
    """`socket` without `full`: FreeSWITCH refuses the subscription, and we would hear nothing of the call."""
    switch = await Switch.dial(server[0].port)
    switch.answers["event"] = switch.answers["linger"] = reply("-ERR command not found")
    call = await asyncio.wait_for(server[1].get(), 3)
    with pytest.raises(CommandFailed, match="linger"):
        await call.start()


async def test_denied_api_answers_as_a_command_reply(line: Line) -> None:
    """Under restricted rights FreeSWITCH answers `command/reply`, not `api/response`: it is still the reply."""
    line.switch.answers["api show"] = reply("-ERR permission denied")
    with pytest.raises(CommandFailed, match="permission denied"):
        await line.call.api(commands.show_channels())


async def test_too_many_applications_are_refused(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """FreeSWITCH cuts the connection at the 257th queued message; we stop far before."""
    monkeypatch.setattr(channel, "MAX_EXECUTING", 3)
    running = [asyncio.create_task(line.call.execute("sleep", "1000", wait_s=30)) for _ in range(3)]
    await line.settle()
    with pytest.raises(EslError, match="wait on this channel"):
        await line.call.execute("sleep", "1000", wait_s=30)
    line.switch.end()
    await asyncio.gather(*running, return_exceptions=True)
