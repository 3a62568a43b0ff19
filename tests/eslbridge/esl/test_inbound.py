"""The asyncio client: log in, ask, wait, lose the switch, find it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from eslbridge.esl import commands, inbound
from eslbridge.esl.errors import (
    AuthenticationFailed,
    CommandFailed,
    CommandTimeout,
    EslError,
    NotConnected,
)
from eslbridge.esl.events import Event
from eslbridge.esl.inbound import InboundClient
from eslbridge.esl.interface import Address
from tests.eslbridge.esl.conftest import reads
from tests.eslbridge.esl.switch import NOTICE, RECORDED_UUID, Switch, api, event, job, reply

GREETING = b"Content-Type: auth/request\n\n"
OTHER = "7be37ce4-0a91-4557-b156-1107d04a11ba"


class Lab:
    """A switch that listens, and every connection it got."""

    def __init__(self) -> None:
        self.connections: list[Switch] = []
        self.greeting: bytes = GREETING
        self.answers: dict[str, object] = {}
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        switch = Switch(reader, writer)
        switch.answers.update(self.answers)  # type: ignore[arg-type]
        self.connections.append(switch)
        switch.send(self.greeting)

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for switch in self.connections:
            switch.end()

    @property
    def last(self) -> Switch:
        return self.connections[-1]


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    lab = Lab()
    await lab.start()
    yield lab
    lab.stop()


@pytest.fixture
async def client(lab: Lab) -> AsyncIterator[InboundClient]:
    client = InboundClient(address(lab))
    await client.connect()
    yield client
    await client.close()


def address(lab: Lab, **settings: float) -> Address:
    return Address("127.0.0.1", lab.port, "lab-secret", **{"reconnect_delay_s": 0.01, **settings})  # type: ignore[arg-type]


def job_result(text: str) -> Callable[[str], bytes]:
    """A background job that ends at once; its event comes after the reply."""

    def answer(command: str) -> bytes:
        accepted = reply(f"+OK Job-UUID: {job(command)}", f"Job-UUID: {job(command)}")
        return accepted + event("BACKGROUND_JOB", Job_UUID=job(command), _body=text)

    return answer


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not condition():
            await asyncio.sleep(0.005)


async def test_log_in(lab: Lab, client: InboundClient) -> None:
    """The password is the first thing said, and connecting twice makes one connection."""
    await client.connect()
    assert client.is_connected and lab.last.said == ["auth lab-secret"] and len(lab.connections) == 1


async def test_wrong_password_is_final_and_makes_no_storm(lab: Lab) -> None:
    """As recorded: -ERR invalid, a notice, the end. The next attempts do not even reach the switch."""
    lab.answers["auth"] = reply("-ERR invalid") + NOTICE
    client = InboundClient(address(lab))
    for _ in range(5):
        with pytest.raises(AuthenticationFailed):
            await client.connect()
    assert len(lab.connections) == 1 and not client.is_connected
    await client.close()


async def test_recorded_refusal(lab: Lab) -> None:
    """The bytes of the recorded session with a wrong password."""
    recorded = b"".join(reads("esl-inbound-bad-password"))
    lab.greeting, lab.answers["auth"] = GREETING, recorded.removeprefix(GREETING)
    with pytest.raises(AuthenticationFailed, match="invalid"):
        await InboundClient(address(lab)).connect()


async def test_rude_rejection(lab: Lab) -> None:
    """Our address is not on the switch's list."""
    lab.greeting = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n" + NOTICE
    with pytest.raises(AuthenticationFailed, match="go away"):
        await InboundClient(address(lab)).connect()


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400\n\n"], ids=["silence", "garbage"])
async def test_something_else_on_that_port(lab: Lab, greeting: bytes) -> None:
    lab.greeting = greeting
    with pytest.raises(NotConnected):
        await InboundClient(address(lab, connect_timeout_s=0.1)).connect()


async def test_nobody_there(lab: Lab) -> None:
    lab.stop()
    client = InboundClient(address(lab))
    with pytest.raises(NotConnected):
        await client.connect()
    with pytest.raises(NotConnected):
        await client.api(commands.status())


async def test_api_and_its_failures(lab: Lab, client: InboundClient) -> None:
    lab.last.answers["api status"] = api("UP 0 years\n")
    lab.last.answers["api uuid_kill"] = api("-ERR No such channel!\n")
    lab.last.answers["api show"] = reply("-ERR permission denied")
    assert await client.api(commands.status()) == "UP 0 years"
    with pytest.raises(CommandFailed, match="No such channel"):
        await client.uuid_kill(RECORDED_UUID)
    with pytest.raises(CommandFailed, match="permission denied"):
        await client.show_channels()


async def test_concurrent_commands_get_their_own_answers(lab: Lab, client: InboundClient) -> None:
    lab.last.answers["api uuid_getvar"] = lambda command: api(command.rsplit(" ", 1)[1])
    names = [f"v{i}" for i in range(50)]
    assert await asyncio.gather(*(client.uuid_getvar(RECORDED_UUID, name) for name in names)) == names


async def test_helpers_speak_freeswitch(lab: Lab, client: InboundClient) -> None:
    lab.last.answers["bgapi"] = job_result("+OK\n")
    lab.last.answers["api show"] = api('{"row_count":1,"rows":[{"uuid":"u","state":"CS_EXECUTE"}]}')
    lab.last.answers["api uuid_getvar"] = api("_undef_")
    await client.uuid_broadcast(RECORDED_UUID, "/tmp/x y.wav")  # noqa: S108 - a path on the switch
    await client.uuid_break(RECORDED_UUID)
    await client.uuid_setvar(RECORDED_UUID, "a", "b")
    await client.uuid_bridge(RECORDED_UUID, OTHER)
    await client.uuid_transfer(RECORDED_UUID, "1001", context="acme.example")
    assert await client.uuid_exists(RECORDED_UUID) is True
    assert await client.uuid_getvar(RECORDED_UUID, "nothing") is None
    assert await client.show_channels() == [{"uuid": "u", "state": "CS_EXECUTE"}]
    said = [command.split("\n")[0] for command in lab.last.said]
    assert f"api uuid_broadcast {RECORDED_UUID} '/tmp/x y.wav' aleg" in said
    assert f"api uuid_break {RECORDED_UUID} all" in said
    assert said.index(f"api uuid_setvar {RECORDED_UUID} socket_resume 'false'") < said.index(
        f"bgapi uuid_bridge {RECORDED_UUID} {OTHER}"
    )
    assert f"bgapi uuid_transfer {RECORDED_UUID} 1001 XML acme.example" in said


async def test_no_channels_at_all(lab: Lab, client: InboundClient) -> None:
    """FreeSWITCH leaves the rows out then."""
    lab.last.answers["api show"] = api('{"row_count": 0}')
    assert await client.show_channels() == []
    lab.last.answers["api show"] = api("what?")
    with pytest.raises(EslError):
        await client.show_channels()


async def test_originate_gives_the_new_channel_or_the_cause(lab: Lab, client: InboundClient) -> None:
    lab.last.answers["bgapi"] = job_result(f"+OK {OTHER}\n")
    assert await client.originate("user/1001@acme.example", timeout_s=20) == OTHER
    assert "{originate_timeout=20}user/1001@acme.example '&park()'" in lab.last.said[-1]
    lab.last.answers["bgapi"] = job_result("-ERR NO_ANSWER\n")
    with pytest.raises(CommandFailed, match="NO_ANSWER"):
        await client.originate("user/1001@acme.example")


async def test_refused_transfer_takes_hold_again(lab: Lab, client: InboundClient) -> None:
    lab.last.answers["bgapi"] = job_result("-ERR No such channel!\n")
    with pytest.raises(CommandFailed):
        await client.uuid_transfer(RECORDED_UUID, "1001", context="acme.example")
    assert lab.last.said[-1] == f"api uuid_setvar {RECORDED_UUID} socket_resume 'true'"


async def test_job_may_end_before_its_reply(lab: Lab, client: InboundClient) -> None:
    """Our own Job-UUID is known before it is sent, so an early BACKGROUND_JOB finds who waits for it."""

    def early(command: str) -> bytes:
        end = event("BACKGROUND_JOB", Job_UUID=job(command), _body="+OK early")
        return end + reply(f"+OK Job-UUID: {job(command)}")

    lab.last.answers["bgapi"] = early
    result = await client.bgapi(commands.status())
    assert result.ok and result.text == "+OK early" and result.job_uuid == job(lab.last.said[-1])


async def test_jobs_side_by_side(lab: Lab, client: InboundClient) -> None:
    """Results in another order than the commands: each goes to its own."""
    waiting = [asyncio.create_task(client.bgapi(commands.uuid_exists(u))) for u in (RECORDED_UUID, OTHER)]
    await until(lambda: sum(command.startswith("bgapi") for command in lab.last.said) == 2)
    for command in reversed([command for command in lab.last.said if command.startswith("bgapi")]):
        lab.last.send(event("BACKGROUND_JOB", Job_UUID=job(command), _body=command.split()[2]))
    assert [result.text for result in await asyncio.gather(*waiting)] == [RECORDED_UUID, OTHER]


async def test_a_job_that_never_ends(lab: Lab, client: InboundClient) -> None:
    with pytest.raises(CommandTimeout):
        await client.bgapi(commands.status(), timeout_s=0.05)
    assert client.is_connected


async def test_events_reach_callbacks_and_waiters(lab: Lab, client: InboundClient) -> None:
    await client.subscribe(["DTMF"], custom=["mod_audio_stream::play"])
    heard: list[Event] = []
    client.on_event(heard.append, "mod_audio_stream::play")
    client.on_event(lambda _: 1 / 0, "DTMF")  # a callback of ours that fails stops nobody
    waiting = asyncio.create_task(client.wait_for_event("DTMF", lambda e: e.get("DTMF-Digit") == "2", timeout_s=3))
    await asyncio.sleep(0)
    lab.last.send(
        event("DTMF", DTMF_Digit="1"),
        event("CUSTOM", Event_Subclass="mod_audio_stream::play", _body="{}"),
        event("DTMF", DTMF_Digit="2"),
    )
    assert (await waiting).get("DTMF-Digit") == "2"
    assert [e.body for e in heard] == ["{}"]
    with pytest.raises(CommandTimeout):
        await client.wait_for_event("DTMF", timeout_s=0.02)


@pytest.mark.parametrize("goodbye", [b"", NOTICE], ids=["TCP cut", "with a notice"])
async def test_a_lost_switch_fails_all_who_wait(lab: Lab, client: InboundClient, goodbye: bytes) -> None:
    lab.last.answers["api uuid_getvar"] = None
    await client.subscribe(["BACKGROUND_JOB"])
    waits: list[Awaitable[object]] = [
        client.bgapi(commands.status()),
        client.wait_for_event("DTMF", timeout_s=60),
        client.uuid_getvar(RECORDED_UUID, "a"),
    ]
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await lab.last.heard("api uuid_getvar")
    lab.last.send(goodbye)
    lab.last.writer.close()
    results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 3)
    assert all(isinstance(result, NotConnected) for result in results), results


async def test_reconnects_with_its_subscriptions(lab: Lab, client: InboundClient) -> None:
    await client.subscribe(["DTMF"])
    lab.last.end()
    await until(lambda: len(lab.connections) == 2 and client.is_connected)
    assert lab.last.said[:2] == ["auth lab-secret", "event json DTMF"]


async def test_gives_up_after_as_many_attempts_as_allowed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A switch that stays away is left alone; a later `connect` tries again."""
    client = InboundClient(address(lab, max_reconnects=2))
    await client.connect()
    lab.stop()
    await until(lambda: client._reconnecting is not None and client._reconnecting.done())
    assert not client.is_connected
    await lab.start()
    await client.connect()
    assert client.is_connected
    await client.close()


async def test_a_password_changed_under_way_ends_the_attempts(lab: Lab, client: InboundClient) -> None:
    lab.answers["auth"] = reply("-ERR invalid") + NOTICE
    lab.last.end()
    await until(lambda: client._reconnecting is not None and client._reconnecting.done())
    assert len(lab.connections) == 2


async def test_closing_is_final(lab: Lab, client: InboundClient) -> None:
    await client.close()
    await asyncio.sleep(0.05)
    assert not client.is_connected and len(lab.connections) == 1
    with pytest.raises(NotConnected):
        await client.api(commands.status())


async def test_backoff_grows_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """2, 4, 8, then 10 s at most, each between half and all of it."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def fails(self: InboundClient) -> None:
        raise NotConnected("no")

    monkeypatch.setattr(inbound.asyncio, "sleep", sleep)
    monkeypatch.setattr(InboundClient, "connect", fails)
    await InboundClient(Address("127.0.0.1", 1, "x", max_reconnects=5))._reconnect()
    for pause, most in zip(pauses, (2, 4, 8, 10, 10), strict=True):
        assert most / 2 <= pause <= most
