"""A listening socket that can be closed without hurting those who have knocked already.

asyncio's own server drops connections that it has accepted but not set up when it is closed, and the kernel resets
those still in the backlog. For FreeSWITCH either is a listener that dies before `connect`, which can leave the caller
parked for ever; so here everybody whom the kernel let in is handed over first.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final

BACKLOG: Final = 4096
_ACCEPTS_A_TURN: Final = 64
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Listener:
    """Accepts on one address and hands each socket to `accepted`; `exhausted` is told when the system gives no more."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        accepted: Callable[[socket.socket], None],
        exhausted: Callable[[OSError], None],
        reuse_port: bool = False,
    ) -> None:
        self._host = host
        self.port = port
        """The port in use; 0 becomes a real one when opened, and stays the same when opened again."""
        self._accepted = accepted
        self._exhausted = exhausted
        self._reuse_port = reuse_port
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def open(self) -> None:
        """Begin to listen. Raises OSError if the address is not to be had."""
        if self._socket is not None:
            return
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self._reuse_port:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listening.setblocking(False)
            listening.bind((self._host, self.port))
            listening.listen(BACKLOG)
        except OSError:
            listening.close()
            raise
        self.port = listening.getsockname()[1]
        self._socket = listening
        asyncio.get_running_loop().add_reader(listening, self._ready)

    def close(self) -> None:
        """Hand over whoever waits in the backlog, then refuse everybody. Idempotent."""
        listening, self._socket = self._socket, None
        if listening is None:
            return
        asyncio.get_running_loop().remove_reader(listening)
        while self._accept(listening):
            pass
        listening.close()

    def _ready(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            if self._socket is None or not self._accept(self._socket):
                return

    def _accept(self, listening: socket.socket) -> bool:
        """Take one connection; whether there may be more."""
        try:
            connection, _ = listening.accept()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._exhausted(error)
                return False
            return True  # that one went away before it was taken
        connection.setblocking(False)
        self._accepted(connection)
        return True
