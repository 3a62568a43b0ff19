"""A server that is sent requests: real HTTP on loopback, and every way in which a receiver can misbehave."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Behaviour = Callable[[socket.socket, "Received"], None]


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def answer(status: int = 200, body: bytes = b"thanks", headers: Sequence[str] = ()) -> Behaviour:
    """A whole response."""

    def behave(connection: socket.socket, _: Received) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", "Connection: close", *headers]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return behave


def raw(data: bytes) -> Behaviour:
    """These bytes, whatever they are."""
    return lambda connection, _: connection.sendall(data)


def silence(seconds: float = 30.0) -> Behaviour:
    """No answer; the connection stays open."""
    return lambda connection, _: wait_for_close(connection, seconds)


def drip(head: bytes, piece: bytes, every_s: float = 0.05) -> Behaviour:
    """A head, then a piece again and again: always alive, never done."""

    def behave(connection: socket.socket, _: Received) -> None:
        connection.sendall(head)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            connection.sendall(piece)
            time.sleep(every_s)

    return behave


def wait_for_close(connection: socket.socket, seconds: float) -> None:
    connection.settimeout(seconds)
    with suppress(OSError):
        connection.recv(1)


@dataclass
class Receiver:
    """Answers by `script` in turn; the last entry goes on for ever."""

    port: int
    script: list[Behaviour]
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    host: str = "127.0.0.1"

    def url(self, path: str = "/hook", scheme: str = "http") -> str:
        return f"{scheme}://{self.host}:{self.port}{path}"

    def then(self, *script: Behaviour) -> None:
        """From now on."""
        self.script[:] = script


def read_request(connection: socket.socket) -> Received | None:
    data = b""
    connection.settimeout(10)
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65_536)
    method, path, _ = first.split(" ")
    return Received(method, path, headers, body)


@contextmanager
def receiving(*script: Behaviour, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A running receiver; without a script it thanks for everything."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family)
    receiver = Receiver(listener.getsockname()[1], list(script) or [answer()])

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            channel = tls.wrap_socket(connection, server_side=True) if tls is not None else connection
            with channel:
                request = read_request(channel)
                if request is None:
                    return
                behave = receiver.script.pop(0) if len(receiver.script) > 1 else receiver.script[0]
                receiver.received.append(request)
                behave(channel, request)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            receiver.connections += 1
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
