"""Clients that are slow, silent or many: each server lets go of them, and serves the next one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from eslbridge.esl import outbound
from eslbridge.esl.outbound import OutboundServer
from eslbridge.media import bounded_http
from eslbridge.media.node import MediaNode
from eslbridge.media.paced import BinaryLeg
from eslbridge.media.websocket_server import MAX_MESSAGE, Answer

ROOT = Path(__file__).resolve().parents[2]
CALL, DOMAIN = "a0000000-0000-4000-8000-000000000001", "d0000000-0000-4000-8000-00000000000a"

# --- web: daphne ----------------------------------------------------------------------------------------------------

SERVE = """
import secretary.config.webserver as web
web.PATIENCE_S, web.LOOK_S, web.MAX_BODY = 0.4, 0.1, 1 << 20
web.main(["-b", "127.0.0.1", "-p", "{port}"])
"""


@pytest.fixture(scope="module")
def web_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web") / "log"


@pytest.fixture(scope="module")
def web(web_log: Path) -> Iterator[int]:
    """The port of a real `web` with little patience and room for 1 MiB."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", SERVE.format(port=port)]
    with web_log.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            assert process.poll() is None, "the server ended"
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def open_to(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=5)
    client.settimeout(5)
    return client


def rest(client: socket.socket) -> bytes:
    """All that comes until the other side closes. Raises TimeoutError where it does not."""
    heard = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(65536):
            heard += piece
    return heard


POST = b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize("head", [b"Content-Length: 99999999999\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_endless_body(web: int, head: bytes) -> None:
    """Cut off while it comes, announced or not: nothing like it is ever kept in a file."""
    with open_to(web) as client:
        client.sendall(POST + head)
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 64:
                client.sendall(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
                sent += 1
        assert sent < 20  # what fits into the sockets' buffers


def test_refusal_of_a_body_is_told(web: int) -> None:
    """413 in the shape of every error, before a byte of it came."""
    with open_to(web) as client:
        client.sendall(POST + b"Content-Length: 2000000\r\n\r\n")
        answer = rest(client)
    assert answer.startswith(b"HTTP/1.1 413 ") and b'"code":"too_large"' in answer


@pytest.mark.parametrize(
    "begin", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nX: ", POST + b"Content-Length: 9999\r\n\r\n"],
    ids=["silent", "half a line", "half a header", "half a body"],
)  # fmt: skip
def test_slowloris(web: int, begin: bytes) -> None:
    """A byte now and then buys no time."""
    with open_to(web) as client:
        began = time.monotonic()
        client.sendall(begin)
        client.settimeout(0.1)
        closed = False
        while not closed and time.monotonic() - began < 4:
            try:
                client.sendall(b"a" if begin else b"")
                closed = client.recv(100) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                closed = True
        assert closed


def test_no_address_is_made_up_by_a_header(web: int) -> None:
    """Daphne-Root-Path would stand before every address of the page; Host is one of ours or none."""
    with open_to(web) as client:
        client.sendall(b"GET /domains/ HTTP/1.1\r\nHost: localhost\r\nDaphne-Root-Path: //evil.example\r\n")
        client.sendall(b"X-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n")
        answer = rest(client)
    assert b"Location: /sign-in/" in answer and b"evil" not in answer


@pytest.mark.parametrize(
    "hostile",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X%d: a\r\n" % n for n in range(600)) + b"\r\n",
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\r\n\r\n",
    ],
    ids=["long header", "many headers", "smuggling", "two lengths", "nul", "foreign host", "two hosts", "tls"],
)
def test_hostile_heads(web: int, hostile: bytes) -> None:
    """400 or nothing at all; the connection ends."""
    with open_to(web) as client:
        client.sendall(hostile)
        answer = rest(client)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "path", ["/static/../manage.py", "/static/%2e%2e/%2e%2e/manage.py", "/static//etc/passwd", "/static/..%5cmanage.py"]
)
def test_no_way_out_of_the_static_files(web: int, path: str) -> None:
    """404, however it is spelled."""
    with open_to(web) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert rest(client).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("path", ["/password/reset/AA/sekret-{}/", "/sign-in/?token=sekret-{}"])
def test_no_token_in_the_log(web: int, web_log: Path, path: str) -> None:
    """Addresses with tokens are answered and not written down."""
    with open_to(web) as client:
        client.sendall(f"GET {path.format(1234)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert rest(client).startswith(b"HTTP/1.1 200 ")
    assert "sekret" not in web_log.read_text()


# --- voicenode: media -----------------------------------------------------------------------------------------------


@pytest.fixture
async def node(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MediaNode]:
    monkeypatch.setattr(bounded_http, "HTTP_S", 0.3)
    monkeypatch.setattr(bounded_http, "MOST", 20)
    node = MediaNode(udp=("127.0.0.1", 0), websocket=("127.0.0.1", 0), hooks={"/livez": Answer})
    await node.start()
    yield node
    await node.stop()


def token(node: MediaNode) -> tuple[BinaryLeg, str]:
    leg = BinaryLeg(CALL, node.clock, node.counters)
    return leg, node.tokens.issue(call_uuid=CALL, domain_uuid=DOMAIN, leg=leg, now=node.now())


async def ask(node: MediaNode) -> bytes:
    reader, writer = await asyncio.open_connection(*node.server.address)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 2)
    writer.close()
    return answer


@pytest.mark.parametrize(
    "begin", [b"", b"GET /media/x HTTP/1.1\r\nX: ", b"POST /livez HTTP/1.1\r\nContent-Length: 99\r\n\r\n"]
)
async def test_slow_strangers_at_the_media_port(node: MediaNode, begin: bytes) -> None:
    """Whoever has not become a call's audio in time is cut off, a byte now and then or not."""
    reader, writer = await asyncio.open_connection(*node.server.address)
    writer.write(begin)

    async def trickle() -> None:
        while True:
            await asyncio.sleep(0.05)
            if begin:
                writer.write(b"a")

    slow = asyncio.create_task(trickle())
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 2)
    slow.cancel()
    writer.close()
    assert (await ask(node)).startswith(b"HTTP/1.1 200 ")


async def test_many_strangers_at_the_media_port(node: MediaNode) -> None:
    """Beyond a number the next is closed at once; calls' audio does not count, and there is room again afterwards."""
    leg, good = token(node)
    async with connect(node.websocket_url(good)):
        crowd = [await asyncio.open_connection(*node.server.address) for _ in range(40)]
        await asyncio.sleep(0.1)
        assert sum(reader.at_eof() or reader.exception() is not None for reader, _ in crowd) == 20
        await asyncio.sleep(0.4)
        assert leg.connected
        assert (await ask(node)).startswith(b"HTTP/1.1 200 ")
    for _, writer in crowd:
        writer.close()


async def test_guessing_tokens(node: MediaNode) -> None:
    """A hundred guesses open nothing, are counted, and the real one still works: 256 bits are not found."""
    leg, good = token(node)

    async def guess(n: int) -> int:
        with pytest.raises(InvalidStatus) as refused:
            await connect(node.websocket_url(good[:-4] + f"{n:04d}"))
        return refused.value.response.status_code

    for start in range(0, 100, 10):
        assert await asyncio.gather(*(guess(n) for n in range(start, start + 10))) == [403] * 10
    assert node.counters.tokens_refused_unknown == 100
    async with connect(node.websocket_url(good)):
        await asyncio.sleep(0.05)
        assert leg.connected


@pytest.mark.parametrize("fragments", [1, 20], ids=["one giant", "many fragments"])
async def test_giant_messages(node: MediaNode, fragments: int) -> None:
    """A message beyond the bound closes with 1009, also where it comes in pieces."""
    _leg, good = token(node)
    async with connect(node.websocket_url(good), max_size=None) as switch:
        piece = bytes((MAX_MESSAGE + 100) // fragments + 1)
        with pytest.raises(ConnectionClosed) as closed:
            await switch.send([piece] * fragments if fragments > 1 else piece)
            async with asyncio.timeout(2):
                async for _ in switch:
                    pass
            await switch.send(b"x")
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


async def test_ping_flood(node: MediaNode) -> None:
    """Ten thousand pings whose answers nobody reads: memory is bounded, others are served meanwhile."""
    _leg, good = token(node)
    switch = await connect(node.websocket_url(good))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    frame = b"\x89\xfd" + bytes(4) + bytes(125)
    sock = switch.transport
    sock.pause_reading()  # type: ignore[attr-defined]
    for _ in range(10):
        sock.write(frame * 1000)
        await asyncio.sleep(0.01)
    assert (await ask(node)).startswith(b"HTTP/1.1 200 ")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    sock.abort()


# --- voicenode: Event Socket ----------------------------------------------------------------------------------------


async def test_idle_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are all cut off when their time is up, and the next call is greeted at once meanwhile."""
    monkeypatch.setattr(outbound, "CONNECT_S", 0.5)
    server = OutboundServer(lambda call: None, port=0, max_connections=5000)
    await server.start()
    crowd = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(400)]
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    assert await asyncio.wait_for(reader.readexactly(9), 1) == b"connect\n\n"
    assert time.monotonic() - began < 0.4
    async with asyncio.timeout(3):
        while server.connections:
            await asyncio.sleep(0.02)
    for _, other in (*crowd, (reader, writer)):
        other.close()
    await server.close()


@pytest.mark.parametrize(
    "hostile",
    [
        b"\n" * 200_000,
        os.urandom(3000).replace(b"\n", b"") + b"\n\n",
        b"Content-Type: command/reply\nContent-Length: -1\n\n",
        b"Content-Type: command/reply\nReply-Text: %2BOK\nEvent-Name: CHANNEL_DATA\nUnique-ID: x%0Aapi%20status\n\n",
    ],
    ids=["newlines", "garbage", "negative length", "a command for a uuid"],
)
async def test_hostile_switches(hostile: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off; nothing they said is ever sent back as a command."""
    monkeypatch.setattr(outbound, "CONNECT_S", 0.3)
    arrived: list[object] = []
    server = OutboundServer(arrived.append, port=0)  # type: ignore[arg-type]
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(hostile)
    heard = b""
    with contextlib.suppress(ConnectionError):
        heard = await asyncio.wait_for(reader.read(), 2)
    assert heard in (b"", b"connect\n\n") and not arrived
    writer.close()
    await server.close()


async def test_half_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reset in the middle frees its place."""
    server = OutboundServer(lambda call: None, port=0)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await reader.readexactly(9)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    async with asyncio.timeout(2):
        while server.connections:
            await asyncio.sleep(0.01)
    await server.close()
