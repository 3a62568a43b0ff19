"""A switch in a thread of its own, for clients that block: the same answers, on plain sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from tests.eslbridge.esl.switch import api, reply

Answer = bytes | Callable[[str], bytes | None] | None


class ThreadSwitch:
    """Listens until closed. `answers` as in `Switch`; a connection is greeted with `greeting`."""

    def __init__(self) -> None:
        self.greeting = b"Content-Type: auth/request\n\n"
        self.answers: dict[str, Answer] = {
            "auth": reply("+OK accepted"),
            "api": api("+OK\n"),
            "bgapi": None,
            "event": reply("+OK event listener enabled json"),
            "nixevent": reply("+OK events nixed"),
            "exit": reply("+OK bye"),
        }
        self.said: list[str] = []
        self.peers: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            self.peers.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        buffer = b""
        try:
            peer.sendall(self.greeting)
            while data := peer.recv(65536):
                buffer += data
                while b"\n\n" in buffer:
                    raw, buffer = buffer.split(b"\n\n", 1)
                    command = raw.decode()
                    self.said.append(command)
                    answer = self.answers[max((key for key in self.answers if command.startswith(key)), key=len)]
                    answer = answer(command) if callable(answer) else answer
                    if answer == b"cut":
                        peer.close()
                        return
                    if answer:
                        peer.sendall(answer)
        except OSError:
            pass

    def send(self, data: bytes) -> None:
        self.peers[-1].sendall(data)

    def cut(self) -> None:
        """End every connection without a word."""
        for peer in self.peers:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            peer.close()

    def close(self) -> None:
        self._socket.close()
        self.cut()
