"""Audio is attached within a deadline, or not at all and with nothing left behind."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest
from websockets.asyncio.client import connect

from eslbridge.esl.errors import CommandFailed, NotConnected
from eslbridge.esl.events import PlainEvent
from eslbridge.media import attach as attaching
from eslbridge.media.attach import TRANSPORTS, AttachError, Route, attach_leg
from eslbridge.media.frames import SILENCE
from eslbridge.media.node import MediaNode

from .rigs import CALL, DOMAIN


class Switch:
    """A call on a switch that does what it is told, or not. Keeps every command."""

    def __init__(self, variables=None, refuse=(), connects=True, sends=True):
        self.call_uuid = CALL
        self.peer = "127.0.0.1:53211"
        self.variables = variables or {}
        self.commands = []
        self.executed = []
        self.refuse = list(refuse)
        self.connects, self.sends = connects, sends
        self.listeners = []
        self.websocket = None
        self.sockets = []
        self.tasks = []

    async def api(self, command, *, timeout_s=5.0):
        self.commands.append(command.line)
        if self.refuse and self.refuse[0] in command.line:
            self.refuse.pop(0)
            raise CommandFailed(command.line, "-ERR Operation Failed")
        if " start ws://" in command.line and self.connects:
            self.tasks.append(asyncio.create_task(self.connect(command.line.split()[4])))
        return "+OK Success"

    async def connect(self, url):
        self.websocket = await connect(url)

    async def send_message(self, command, *, timeout_s=5.0):
        headers = dict(command.headers)
        self.commands.append(headers)
        if self.refuse:
            raise NotConnected("the call is over")
        if self.sends:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((headers["local-ip"], int(headers["local-port"])))
            sock.sendto(SILENCE, (headers["remote-ip"], int(headers["remote-port"])))
            self.sockets.append(sock)
        return "+OK"

    async def execute(self, application, argument="", *, wait_s=0.0):
        self.executed.append((application, argument))

    def add_raw_listener(self, callback):
        self.listeners.append(callback)

    def say(self, subclass, body):
        text = f"Event-Name: CUSTOM\nEvent-Subclass: {subclass}\nContent-Length: {len(body)}\n\n{body}"
        for listener in self.listeners:
            listener(PlainEvent(text.encode()))

    async def close(self):
        for sock in self.sockets:
            sock.close()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.websocket is not None:
            await self.websocket.close()


@pytest.fixture
async def node():
    node = MediaNode(udp=("127.0.0.1", 0), websocket=("127.0.0.1", 0))
    await node.start()
    yield node
    await node.stop()


@pytest.fixture
async def switch_of():
    made = []

    def make(**options):
        made.append(Switch(**options))
        return made[-1]

    yield make
    for switch in made:
        await switch.close()


@pytest.fixture
def ports(monkeypatch):
    """Free UDP ports for a switch on this host."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        first = min(sock.getsockname()[1], 65000)
    return {"port_min": first, "port_max": first + 20}


def nothing_is_left(node):
    assert len(node.clock) == 0
    assert len(node.udp) == 0
    assert all(not pool.used for pool in node._pools.values())


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_every_transport_attaches_and_closes(node, switch_of, ports, transport):
    """Commands as the switch wants them, a leg of the right name, and nothing left after its end."""
    switch = switch_of()
    leg = await attach_leg(switch, node, Route(transport, **ports), domain_uuid=DOMAIN)
    assert leg.transport == transport
    leg.close()
    await asyncio.sleep(0.05)
    nothing_is_left(node)
    if transport.startswith("mod-audio-stream"):
        assert switch.commands[-1] == f"api uuid_audio_stream {CALL} stop"
    elif transport == "mod-audio-fork":
        assert switch.commands[-1].startswith(f"api uuid_audio_fork {CALL} stop")
        assert switch.executed == [("playback", "silence_stream://-1")]


async def test_direct_udp_tells_both_ends(node, switch_of, ports):
    """Who binds what, and where to send."""
    switch = switch_of()
    leg = await attach_leg(switch, node, Route(**ports), domain_uuid=DOMAIN)
    [headers] = switch.commands
    assert headers["local-ip"] == headers["remote-ip"] == "127.0.0.1"
    assert ports["port_min"] <= int(headers["local-port"]) <= ports["port_max"]
    assert int(headers["remote-port"]) == node.udp.address[1]
    assert headers.get("flags") is None
    leg.close()


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_native_g711_follows_the_callers_codec(node, switch_of, ports, codec):
    """A-law in Europe and Brazil, mu-law in North America."""
    switch = switch_of(variables={"Channel-Read-Codec-Name": codec})
    leg = await attach_leg(switch, node, Route("direct-udp-g711", **ports), domain_uuid=DOMAIN)
    assert switch.commands[0]["flags"] == "native"
    assert leg._law == codec
    leg.close()


async def test_native_needs_g711(node, switch_of, ports):
    """An Opus caller on such a domain is told apart at once, not heard as noise."""
    switch = switch_of(variables={"Channel-Read-Codec-Name": "opus", "Channel-Read-Codec-Rate": "48000"})
    with pytest.raises(AttachError, match="OPUS"):
        await attach_leg(switch, node, Route("direct-udp-g711", **ports), domain_uuid=DOMAIN)
    leg = await attach_leg(switch, node, Route("direct-udp", **ports), domain_uuid=DOMAIN)
    assert leg._factor == 6
    leg.close()


async def test_a_port_that_cannot_be_bound_is_left_for_another(node, switch_of, ports, monkeypatch):
    """The reply +OK means queued: only a datagram proves it. Three ports, then a clear error."""
    monkeypatch.setattr(attaching, "FIRST_DATAGRAM_S", 0.02)
    monkeypatch.setattr(attaching, "LAST_DATAGRAM_S", 0.02)
    switch = switch_of(sends=False)
    with pytest.raises(AttachError, match="no datagram from"):
        await attach_leg(switch, node, Route(**ports), domain_uuid=DOMAIN)
    assert len({headers["local-port"] for headers in switch.commands}) == 3
    nothing_is_left(node)


async def test_a_late_switch_is_heard_on_the_port_that_it_kept(node, switch_of, ports, monkeypatch):
    """A parked channel keeps its first connection: audio that comes late comes from the first port, and is taken."""
    monkeypatch.setattr(attaching, "FIRST_DATAGRAM_S", 0.02)
    switch = switch_of(sends=False)
    attached = asyncio.create_task(attach_leg(switch, node, Route(**ports), domain_uuid=DOMAIN))
    while len(switch.commands) < 2:
        await asyncio.sleep(0.005)
    first = switch.commands[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((first["local-ip"], int(first["local-port"])))
        sock.sendto(SILENCE, (first["remote-ip"], int(first["remote-port"])))
        leg = await attached
    assert leg.datagrams == 1
    leg.close()
    nothing_is_left(node)


async def test_a_full_pool_is_said(node, switch_of, ports):
    """No port, no call: with the numbers for the administrator."""
    ports["port_max"] = ports["port_min"]
    leg = await attach_leg(switch_of(), node, Route(**ports), domain_uuid=DOMAIN)
    with pytest.raises(AttachError, match="1 ports in use"):
        await attach_leg(switch_of(), node, Route(**ports), domain_uuid=DOMAIN)
    leg.close()


async def test_a_call_that_ended_meanwhile_leaves_nothing(node, switch_of, ports):
    """The caller hung up while we attached."""
    with pytest.raises(AttachError, match="over"):
        await attach_leg(switch_of(refuse=["x"]), node, Route(**ports), domain_uuid=DOMAIN)
    nothing_is_left(node)


async def test_a_stream_left_behind_is_stopped_first(node, switch_of):
    """After a far-end close the module keeps its bug: `stop`, then `start` again."""
    switch = switch_of(refuse=[" start "])
    leg = await attach_leg(switch, node, Route("mod-audio-stream"), domain_uuid=DOMAIN)
    assert [line.split()[3] for line in switch.commands] == ["start", "stop", "start"]
    leg.close()


async def test_the_metadata_names_the_call_and_its_domain(node, switch_of):
    """So that a connection with another call's token gives itself away."""
    switch = switch_of()
    leg = await attach_leg(switch, node, Route("mod-audio-stream-binary"), domain_uuid=DOMAIN)
    text = switch.commands[0].split(" mono 8000 ", 1)[1]
    assert json.loads(text.strip("'")) == {"call_uuid": CALL, "domain_uuid": DOMAIN}
    leg.close()


async def test_a_switch_that_does_not_connect_is_given_up(node, switch_of, monkeypatch):
    """Within the deadline; the token dies with the attempt and is not told in the error."""
    monkeypatch.setattr(attaching, "CONNECT_S", 0.05)
    switch = switch_of(connects=False)
    with pytest.raises(AttachError, match="did not connect") as error:
        await attach_leg(switch, node, Route("mod-audio-stream"), domain_uuid=DOMAIN)
    assert switch.commands[0].split()[4].rpartition("/")[2] not in str(error.value)
    assert len(node.tokens) == 0
    nothing_is_left(node)


async def test_a_failure_that_the_module_reports_ends_the_wait(node, switch_of):
    """`mod_audio_stream::error` comes long before the deadline."""
    switch = switch_of(connects=False)
    attempt = asyncio.create_task(attach_leg(switch, node, Route("mod-audio-stream"), domain_uuid=DOMAIN))
    await asyncio.sleep(0.02)
    body = '{"status":"error","message":{"code":6,"error":"Connection refused (system error 111)"}}'
    switch.say("mod_audio_stream::error", body)
    with pytest.raises(AttachError, match=r"Connection refused .* \(code 6\)"):
        await asyncio.wait_for(attempt, 0.5)


@pytest.mark.parametrize(
    ("transport", "subclass", "body"),
    [
        ("mod-audio-stream", "mod_audio_stream::disconnect", '{"status":"disconnected","message":{"code":1001}}'),
        ("mod-audio-stream-json", "mod_audio_stream::error", "not json"),
        ("mod-audio-fork", "mod_audio_fork::disconnect", ""),
    ],
)
async def test_a_loss_that_the_switch_reports_is_told(node, switch_of, listener, transport, subclass, body):
    """By its events as well as by its socket, whichever is first; once."""
    switch = switch_of()
    leg = await attach_leg(switch, node, Route(transport), domain_uuid=DOMAIN)
    leg.listen(listener)
    switch.say(subclass, body)
    switch.say(subclass, body)
    assert len(listener.lost) == 1
    leg.close()


async def test_an_unknown_transport_is_refused(node, switch_of):
    """A value that no migration should have let in."""
    with pytest.raises(AttachError, match="carrier-pigeon"):
        await attach_leg(switch_of(), node, Route("carrier-pigeon"), domain_uuid=DOMAIN)


async def test_a_name_that_does_not_resolve_is_said(node, switch_of):
    """The administrator's typing error."""
    with pytest.raises(AttachError, match="direct-udp"):
        await attach_leg(switch_of(), node, Route(switch_media_host="no.such.host.invalid"), domain_uuid=DOMAIN)
