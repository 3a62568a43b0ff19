"""The node's own server, over real sockets: tokens, dialects' handshakes, HTTP hooks, clean ends."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from eslbridge.media.audio_fork import SUBPROTOCOL, ForkLeg
from eslbridge.media.contract import FRAME_BYTES
from eslbridge.media.node import MediaNode
from eslbridge.media.paced import BinaryLeg
from eslbridge.media.websocket_server import Answer

from .rigs import CALL, DOMAIN


async def broken():
    raise RuntimeError("on purpose")


@pytest.fixture
async def node():
    async def ready():
        return Answer(503, b"starting\n")

    hooks = {"/livez": Answer, "/readyz": ready, "/metrics": broken}
    node = MediaNode(udp=("127.0.0.1", 0), websocket=("127.0.0.1", 0), hooks=hooks)
    await node.start()
    yield node
    await node.stop()
    await node.stop()


def issue(node, kind=BinaryLeg):
    leg = kind(CALL, node.clock, node.counters)
    return leg, node.tokens.issue(call_uuid=CALL, domain_uuid=DOMAIN, leg=leg, now=node.now())


async def until(condition, timeout_s=2.0):
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


async def test_audio_flows_both_ways(node, listener):
    """A switch connects with its token, sends frames, and gets the announcement and the voice."""
    leg, token = issue(node)
    leg.listen(listener)
    async with connect(node.websocket_url(token)) as switch:
        await switch.send(bytes([1]) * FRAME_BYTES)
        await switch.send(json.dumps({"call_uuid": CALL, "domain_uuid": DOMAIN}))
        assert json.loads(await switch.recv())["type"] == "rawAudio"
        leg.play(bytes([2]) * 3200)
        voice = b""
        while len(voice) < 3200:
            voice += await asyncio.wait_for(switch.recv(), 2)
        assert voice == bytes([2]) * 3200
        await until(lambda: listener.frames and listener.drained)
    assert listener.frames == [bytes([1]) * FRAME_BYTES]
    await until(lambda: listener.lost)
    assert listener.lost == ["the switch closed the audio connection (1000)"]


async def test_the_subprotocol_of_mod_audio_fork_is_echoed(node):
    """And only where it is offered."""
    _, token = issue(node, ForkLeg)
    async with connect(node.websocket_url(token), subprotocols=[SUBPROTOCOL]) as switch:
        assert switch.subprotocol == SUBPROTOCOL


async def test_compression_is_never_agreed_on(node):
    """It would cost more than the audio is worth."""
    _, token = issue(node)
    async with connect(node.websocket_url(token), compression="deflate") as switch:
        assert "Sec-WebSocket-Extensions" not in switch.response.headers


@pytest.mark.parametrize("why", ["unknown", "used", "expired"])
async def test_a_bad_token_is_refused_and_counted(node, why, caplog):
    """HTTP 403, which mod_audio_stream reports as an error at once; the log does not tell the token."""
    _, token = issue(node)
    if why == "used":
        async with connect(node.websocket_url(token)):
            pass
    elif why == "expired":
        node.tokens.redeem.__self__._grants.popitem()[1].expires = 0
        leg = BinaryLeg(CALL, node.clock, node.counters)
        token = node.tokens.issue(call_uuid=CALL, domain_uuid=DOMAIN, leg=leg, now=node.now() - 100)
    else:
        token = "n" * 43
    with pytest.raises(InvalidStatus) as refused:
        await connect(node.websocket_url(token))
    assert refused.value.response.status_code == 403
    assert getattr(node.counters, f"tokens_refused_{why}") == 1
    assert f"token {why}" in caplog.text
    assert token not in caplog.text


async def test_the_token_of_one_tenant_with_the_call_of_another_is_cut_off(node, listener):
    """The connection says whose call it carries: not the token's, so it is closed by policy."""
    leg, token = issue(node)
    leg.listen(listener)
    async with connect(node.websocket_url(token)) as switch:
        await switch.send(json.dumps({"call_uuid": CALL, "domain_uuid": "e0000000-0000-4000-8000-000000000000"}))
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await asyncio.wait_for(switch.recv(), 2)
    assert closed.value.rcvd.code == 1008
    assert node.counters.tokens_refused_foreign == 1
    assert len(listener.lost) == 1


async def test_a_closed_leg_closes_its_connection(node):
    """The call is over: the switch is told with 1000."""
    leg, token = issue(node)
    async with connect(node.websocket_url(token)) as switch:
        await until(lambda: leg.connected)
        leg.close()
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await asyncio.wait_for(switch.recv(), 2)
    assert closed.value.rcvd.code == 1000


async def test_an_empty_message_closes(node, listener):
    """After the module's graceful end the server closes."""
    leg, token = issue(node)
    leg.listen(listener)
    async with connect(node.websocket_url(token)) as switch:
        await switch.send(b"")
        with pytest.raises(ConnectionClosed):
            while True:
                await asyncio.wait_for(switch.recv(), 2)
    assert listener.lost == ["the switch ended the audio"]


async def test_a_reset_connection_is_a_loss(node, listener):
    """No close frame: told all the same."""
    leg, token = issue(node)
    leg.listen(listener)
    switch = await connect(node.websocket_url(token))
    switch.transport.abort()
    await until(lambda: listener.lost)
    assert len(node.clock) == 0


async def test_another_path_is_refused(node):
    """Only /media/ takes WebSockets."""
    with pytest.raises(InvalidStatus):
        await connect(node.websocket_url("x").replace("/media/", "/other/"))


@pytest.mark.parametrize(
    ("path", "method", "status", "body"),
    [
        ("/livez", "GET", 200, b"ok\n"),
        ("/livez", "HEAD", 200, b""),
        ("/readyz", "GET", 503, b"starting\n"),
        ("/metrics", "GET", 500, b"error\n"),
        ("/livez", "POST", 405, b"only GET\n"),
        ("/secret", "GET", 404, b"not found\n"),
    ],
)
async def test_http_hooks(node, path, method, status, body):
    """Answered by the hooks given; one that fails says 500 and nothing of its error."""
    host, port = node.server.address

    def get():
        request = urllib.request.Request(f"http://{host}:{port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310 - our own server
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    assert await asyncio.to_thread(get) == (status, body)


async def test_stopping_the_node_tells_its_switches(listener):
    """1012, service restart: their dialplans go on, and the conversations end by the node's own order."""
    node = MediaNode(udp=("127.0.0.1", 0), websocket=("127.0.0.1", 0))
    await node.start()
    leg, token = issue(node)
    leg.listen(listener)
    async with connect(node.websocket_url(token)) as switch:
        await until(lambda: leg.connected)
        await node.stop()
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await asyncio.wait_for(switch.recv(), 2)
    assert closed.value.rcvd.code == 1012
    assert listener.lost == []


async def test_an_address_in_use_is_said_and_leaves_nothing_open(node):
    """OSError at once, for UDP and for WebSockets."""
    with pytest.raises(OSError):
        await MediaNode(udp=node.udp.address, websocket=("127.0.0.1", 0)).start()
    other = MediaNode(udp=("127.0.0.1", 0), websocket=node.server.address)
    with pytest.raises(OSError):
        await other.start()
    with pytest.raises(RuntimeError):
        other.udp.address  # noqa: B018 - the property raises
