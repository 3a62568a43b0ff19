"""What the home page says of the voice node: only what was found out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import create_server

import pytest

from secretary.panel import node


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A web server on a free loopback port that answers everything with a status; gives the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The real probe again."""
    monkeypatch.undo()
    yield


@pytest.mark.parametrize(("status", "answer"), [(200, "ready"), (503, "not ready"), (404, "not ready")])
def test_answers(status: int, answer: str, probe: None) -> None:
    """200 is ready; anything else it says is not."""
    with answering(status) as port:
        assert node.probe("127.0.0.1", port) == answer
        assert node.probe("0.0.0.0", port) == answer


def test_silence_is_bounded(probe: None) -> None:
    """Nobody there, or somebody who accepts and says nothing: found out within the deadline."""
    with create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        began = time.monotonic()
        assert node.probe("127.0.0.1", port) == "silent"
        assert time.monotonic() - began < 4 * node.DEADLINE_S
    assert node.probe("127.0.0.1", port) == "silent"


def test_asked_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pages in a row ask the node once."""
    asked: list[int] = []

    def answer(host: str, port: int) -> str:
        asked.append(port)
        return "ready"

    monkeypatch.setattr(node, "probe", answer)
    headlines = {node.node_state().headline for _ in range(5)}
    assert headlines == {"Ready for calls"} and len(asked) == 1
