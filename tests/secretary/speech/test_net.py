"""The way to a provider over real sockets: what is connected to, what is refused, and what an error says."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

import httpx
import pytest
from django.conf import LazySettings
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from secretary.speech import net
from secretary.speech.contract import ProviderError
from secretary.speech.net import seconds_of
from tests.receiver import answer, receiving

SECRET = "sk-very-secret"
Process = Callable[[ServerConnection, Request], Response | None]


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        if message == "close":
            await connection.close(1011, f"the key {SECRET} is bad")
        await connection.send(message)


@asynccontextmanager
async def server(process: Process | None = None) -> AsyncIterator[int]:
    running: Server
    async with serve(echo, "127.0.0.1", 0, process_request=process) as running:
        yield next(iter(running.sockets)).getsockname()[1]


def resolving(*addresses: str) -> Callable[[str, int], object]:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


async def refused(url: str, **more: object) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await net.connect_websocket(url, **{"guarded": True, "headers": {"Authorization": SECRET}, **more})  # type: ignore[arg-type]
    assert SECRET not in str(caught.value) and SECRET not in repr(caught.value)
    return caught.value


async def test_the_operators_address() -> None:
    """What the operator configured may be on this machine; headers and messages arrive."""
    seen: list[str] = []

    def look(connection: ServerConnection, request: Request) -> None:
        seen.append(request.headers["Authorization"])

    async with server(look) as port:
        socket_ = await net.connect_websocket(
            f"ws://127.0.0.1:{port}/v1?key={SECRET}", headers={"Authorization": SECRET}, guarded=False
        )
        await socket_.send("hello")
        assert await socket_.recv() == "hello"
        await socket_.close()
    assert seen == [SECRET]


@pytest.mark.parametrize(
    ("host", "found"),
    [("127.0.0.1", ()), ("provider.example", ("127.0.0.1",)), ("provider.example", ("93.184.216.34", "10.0.0.1"))],
)
async def test_a_tenants_internal_address(host: str, found: tuple[str, ...]) -> None:
    """No name and no number that a tenant gives leads to an internal address, and nothing is sent there."""
    reached: list[Request] = []
    async with server(lambda connection, request: reached.append(request)) as port:
        error = await refused(f"ws://{host}:{port}/", resolve=resolving(*found))
        assert error.kind == "refused" and "127.0.0.1" not in str(error).replace(host, "")
    assert not reached


async def test_allowed_by_the_installation(settings: LazySettings) -> None:
    """An internal server that the installation allows is reached; a dead first address does not hide the second."""
    async with server() as port:
        settings.EGRESS_ALLOW = [f"own.example:{port}"]
        connection = await net.connect_websocket(
            f"ws://own.example:{port}/",
            guarded=True,
            resolve=resolving("127.0.0.2", "127.0.0.1"),  # type: ignore[arg-type]
        )
        await connection.close()


async def test_in_clear(settings: LazySettings) -> None:
    """A tenant's key does not travel over the internet in clear."""
    error = await refused("ws://provider.example/", resolve=resolving("93.184.216.34"))
    assert error.kind == "refused" and "TLS" in str(error)
    async with net.http_client(guarded=True, resolve=resolving("93.184.216.34")) as client:  # type: ignore[arg-type]
        with pytest.raises(ProviderError, match="TLS"):
            await client.get("http://provider.example/")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "auth"), (429, "rate_limited"), (503, "unreachable"), (404, "refused"), (302, "refused"), (200, "protocol")],
)
async def test_refused_at_the_door(status: int, kind: str) -> None:
    """An HTTP answer instead of a WebSocket says why; a redirect is not followed, and no body is repeated."""

    def no(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus(status), f"key {SECRET}")
        response.headers["Location"] = "ws://127.0.0.1:1/"
        response.headers["Retry-After"] = "7"
        return response

    async with server(no) as port:
        error = await refused(f"ws://127.0.0.1:{port}/?key={SECRET}", guarded=False)
    assert error.kind == kind
    if kind == "rate_limited":
        assert error.retry_after_s == 7.0 and not error.retryable


def test_how_long_to_leave_it_alone() -> None:
    """Seconds, with a fraction or without, or a date; what is neither says nothing."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert (seconds_of("7"), seconds_of("0.25"), seconds_of("Wed, 21 Oct 2015 07:28:00 GMT")) == (7.0, 0.25, 0.0)
    assert seconds_of(soon) == pytest.approx(30, abs=2)
    assert [seconds_of(text) for text in ("", "soon", "-1", "999999999", "٣", "1e9")] == [None] * 6


async def test_nobody_there() -> None:
    """A closed port and a silent one are both `unreachable`, the silent one within the deadline."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}/"
        began = asyncio.get_running_loop().time()
        error = await refused(url, guarded=False, connect_s=0.1)
        assert asyncio.get_running_loop().time() - began < 1.0
        assert (error.kind, error.retryable) == ("unreachable", True)
    assert (await refused(url, guarded=False)).kind == "unreachable"


async def test_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not even the most talkative log has a key, in whichever place it travels."""
    with caplog.at_level(logging.DEBUG), receiving() as receiver:
        receiver.then(answer(200, b"ok"))
        async with server() as port:
            url = f"ws://127.0.0.1:{port}/?key={SECRET}"
            connection = await net.connect_websocket(url, headers={"Authorization": SECRET}, guarded=False)
            await connection.send(SECRET)
            await connection.close()
        async with net.http_client(guarded=False, headers={"X-Key": SECRET}) as client:
            await client.get(receiver.url(f"/?key={SECRET}"))
    ours = [record for record in caplog.records if record.name != "websockets.server"]
    assert not [record for record in ours if SECRET in record.getMessage()]


async def test_closed_later() -> None:
    """A close frame's code says what happened; its text, which is the other side's, is not repeated."""
    async with server() as port:
        connection = await net.connect_websocket(f"ws://127.0.0.1:{port}/", guarded=False)
        await connection.send("close")
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    error = net.provider_error(closed.value, host="provider.example")
    assert (error.kind, SECRET in str(error)) == ("unreachable", False)


async def test_http(settings: LazySettings) -> None:
    """The HTTP client is guarded alike, keeps its connection, follows no redirect, uses no proxy it finds."""
    with receiving() as receiver, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        receiver.then(answer(302, b"", ["Location: http://127.0.0.1:1/"]))
        async with net.http_client(guarded=False, headers={"X-Key": SECRET}) as client:
            response = await client.get(receiver.url("/"))
            with pytest.raises(ProviderError) as caught:
                net.check_status(response)
        assert (response.status_code, caught.value.kind) == (302, "refused")
        async with net.http_client(guarded=True) as client:
            with pytest.raises(ProviderError) as caught:
                await client.get(receiver.url("/"))
            assert caught.value.kind == "refused"
        settings.EGRESS_ALLOW = [f"own.example:{receiver.port}"]
        receiver.then(answer(200, b"ok"))
        async with net.http_client(guarded=True, resolve=resolving("127.0.0.1")) as client:  # type: ignore[arg-type]
            assert (await client.get(f"http://own.example:{receiver.port}/x")).content == b"ok"
        assert [got.path for got in receiver.received] == ["/", "/x"]
        gone = receiver.url("/")
    async with net.http_client(guarded=False) as client:
        with pytest.raises(httpx.HTTPError) as failed:
            await client.get(gone)
    assert net.provider_error(failed.value).kind == "unreachable"
