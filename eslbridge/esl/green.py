"""The client of a switch for Celery workers: greenswitch 0.0.19 on gevent, with guards.

greenswitch decodes before it splits (so SIP headers can forge events), keeps no event body, waits without end on a
reply, a greeting or `stop`, and leaves its callers hanging when the connection ends. So `_Guarded` keeps its model - a
reader greenlet, an event greenlet, replies first in, first out - and replaces what touches the wire: our parser, our
commands, a deadline on every wait, every waiter told at the end. After any error the connection is dropped, because
nobody can tell any more which reply belongs to whom.

Runs under `celery -P gevent`, and without monkey-patching in one thread. The only module that imports gevent: it must
never come into a process with an event loop.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

import gevent
import gevent.event
import gevent.lock
import gevent.monkey
import gevent.queue
import gevent.socket
import structlog
from greenswitch import InboundESL

from eslbridge.esl import commands
from eslbridge.esl.command import Command
from eslbridge.esl.errors import AuthenticationFailed, CommandTimeout, EslError, NotConnected, ProtocolError
from eslbridge.esl.events import Event, event_of
from eslbridge.esl.interface import (
    API_S,
    JOB_S,
    MAX_BACKOFF_S,
    Address,
    EslClient,
    EventCallback,
    EventTest,
    JobResult,
    checked,
    new_job_uuid,
)
from eslbridge.esl.protocol import Message, Parser
from eslbridge.metrics import (
    ESL_CALLBACK_ERRORS,
    ESL_CLIENT_CONNECTS,
    ESL_CLIENT_EVENTS_DROPPED,
    ESL_COMMANDS_FAILED,
    ESL_DROPPED,
)

log = structlog.get_logger(__name__)

MAX_QUEUED_EVENTS: Final = 1000
"""Events waiting for callbacks; when full the oldest is dropped and counted."""
READ_BYTES: Final = 65536
STOP_S: Final = 1.0
"""How long the greenlets of a connection may take to end."""


class _Guarded(InboundESL):  # type: ignore[misc]
    """greenswitch's connection, with everything on the wire replaced."""

    def __init__(self, address: Address) -> None:
        super().__init__(address.host, address.port, address.password, address.connect_timeout_s)
        self.address = address
        self.reason = ""
        self.on_message: Any = lambda event: None
        self.on_end: Any = lambda reason: None
        self.callbacks: list[tuple[frozenset[str], EventCallback]] = []
        self._parser = Parser()
        self._greeting: Any = gevent.event.AsyncResult()
        self._replies: deque[Any] = deque()
        self._write_lock = gevent.lock.BoundedSemaphore()
        self._esl_event_queue = gevent.queue.Queue(maxsize=MAX_QUEUED_EVENTS)

    def connect(self) -> None:
        """Connect and log in. Raises NotConnected, AuthenticationFailed; the socket is closed then."""
        timeout_s = self.address.connect_timeout_s
        try:
            self.sock = gevent.socket.create_connection((self.host, self.port), timeout_s)
            self.sock.settimeout(None)  # the reader waits for ever; everything else has a deadline around it
            self.connected = True
            self.start_event_handlers()
            greeting = self._greeting.get(timeout=timeout_s)
            if greeting.content_type != "auth/request":
                raise AuthenticationFailed(f"{self.address.label}: {greeting.text.strip() or greeting.content_type}")
            reply = self.send(commands.auth(self.password), timeout_s).reply_text
            if not reply.startswith("+OK"):
                raise AuthenticationFailed(f"{self.address.label}: {reply or 'not accepted'}")
        except (OSError, gevent.Timeout) as error:
            self.end(str(error) or "no greeting")
            raise NotConnected(f"{self.address.label}: {error or 'timed out'}") from error
        except BaseException:
            self.end("not accepted")
            raise

    def send(self, data: Command, timeout_s: float = API_S) -> Message:
        """Send one command and wait for its reply. A late reply costs the connection."""
        if not self.connected:
            raise NotConnected(self.reason or "not connected")
        reply: Any = gevent.event.AsyncResult()
        deadline = time.monotonic() + timeout_s
        try:
            if not self._write_lock.acquire(timeout=timeout_s):
                raise CommandTimeout(f"{data.name}: the connection is busy")
            try:
                self._replies.append(reply)
                with gevent.Timeout(_left(deadline)):
                    self.sock.sendall(data.wire())
            finally:
                self._write_lock.release()
            message: Message = reply.get(timeout=_left(deadline))
        except OSError as error:
            self.end(f"cannot send: {error}")
            raise NotConnected(self.reason) from error
        except gevent.Timeout:
            ESL_COMMANDS_FAILED.labels("timeout").inc()
            self.end(f"no answer to {data.name}")
            raise CommandTimeout(f"{data.name}: no answer within {timeout_s:g} s") from None
        return message

    def receive_events(self) -> None:
        """The reader greenlet. Whatever ends it, everybody who waits is told."""
        reason = "connection closed by the switch"
        try:
            while self._run:
                data = self.sock.recv(READ_BYTES)
                if not data:
                    break
                for message in self._parser.feed(data):
                    self._handle(message)
        except ProtocolError as error:
            ESL_DROPPED.labels("protocol").inc()
            reason = str(error)
        except Exception as error:
            reason = f"connection lost: {error}"
        finally:
            self.drop(reason)

    def process_events(self) -> None:
        """The event greenlet: callbacks, one after the other."""
        while True:
            event = self._esl_event_queue.get()
            if event is None:
                return
            kind = _kind(event)
            for names, callback in self.callbacks:
                if not names or kind in names:
                    try:
                        callback(event)
                    except Exception:
                        ESL_CALLBACK_ERRORS.inc()
                        log.exception("error in an event callback", switch=self.address.label, name=kind)

    def _handle(self, message: Message) -> None:
        kind = message.content_type
        event = event_of(message)
        if event is not None:
            self.on_message(event)
            if self.callbacks:
                if self._esl_event_queue.full():
                    self._esl_event_queue.get_nowait()
                    ESL_CLIENT_EVENTS_DROPPED.inc()
                self._esl_event_queue.put_nowait(event)
        elif kind in ("command/reply", "api/response"):
            if not self._replies:
                raise ProtocolError(f"a {kind} that nobody asked for")
            self._replies.popleft().set(message)
        elif not self._greeting.ready():
            self._greeting.set(message)

    def drop(self, reason: str) -> None:
        """End the connection at once and tell everybody who waits. Idempotent."""
        if self.reason:
            return
        self.reason = reason
        self._run = self.connected = False
        if hasattr(self, "sock"):
            self.sock.close()
        error = NotConnected(f"{self.address.label}: {reason}")
        while self._replies:
            self._replies.popleft().set_exception(error)
        if not self._greeting.ready():
            self._greeting.set_exception(error)
        if self._esl_event_queue.full():
            self._esl_event_queue.get_nowait()
        self._esl_event_queue.put_nowait(None)
        reader = self._receive_events_greenlet
        if reader is not None and reader is not gevent.getcurrent():
            reader.kill(block=False)
        self.on_end(reason)

    def stop(self) -> None:
        """Say goodbye, briefly, and end."""
        if self.connected:
            try:
                self.send(commands.exit_(), 1.0)
            except EslError as error:
                log.debug("no goodbye", switch=self.address.label, reason=str(error))
        self.end("closed by us")

    def end(self, reason: str) -> None:
        """Drop the connection and see its greenlets out: one left behind would be ended by the garbage collector."""
        self.drop(reason)
        greenlets = (self._receive_events_greenlet, self._process_events_greenlet)
        mine = gevent.getcurrent()
        gevent.joinall([one for one in greenlets if one is not None and one is not mine], timeout=STOP_S)


class GreenClient(EslClient):
    """`EslClient` on gevent, for one thread."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._wire: _Guarded | None = None
        self._callbacks: list[tuple[frozenset[str], EventCallback]] = []
        self._names: set[str] = set()
        self._custom: set[str] = set()
        self._jobs: dict[str, Any] = {}
        self._waiting: list[tuple[str, EventTest | None, Any]] = []
        self._subscribing = gevent.lock.BoundedSemaphore()
        """Many jobs may wait on one connection: whoever is the first or the last of them changes the subscription."""

    @property
    def is_connected(self) -> bool:
        return self._wire is not None and self._wire.connected

    def connect(self) -> None:
        if self.is_connected:
            return
        wire = _Guarded(self.address)
        wire.callbacks, wire.on_message, wire.on_end = self._callbacks, self._event, self._ended
        try:
            wire.connect()
        except AuthenticationFailed as error:
            ESL_CLIENT_CONNECTS.labels("refused").inc()
            log.error("switch refuses us", switch=self.address.label, reason=str(error))
            raise
        except EslError as error:
            ESL_CLIENT_CONNECTS.labels("failed").inc()
            log.warning("switch not reached", switch=self.address.label, reason=str(error))
            raise
        ESL_CLIENT_CONNECTS.labels("ok").inc()
        self._wire = wire
        if self._names or self._custom:
            self._send_subscription()

    def reconnect(self) -> None:
        """Connect, trying again with growing pauses as often as the address says. Not for a refused password."""
        for attempt in range(self.address.max_reconnects + 1):
            try:
                self.connect()
                return
            except AuthenticationFailed:
                raise
            except NotConnected:
                if attempt == self.address.max_reconnects:
                    raise
            pause = min(MAX_BACKOFF_S, self.address.reconnect_delay_s * 2**attempt)
            gevent.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311 - spreads load, keeps no secret

    def close(self) -> None:
        if self._wire is not None:
            self._wire.stop()
            self._wire = None

    def api(self, command: Command, *, timeout_s: float | None = None) -> str:
        answer = self._open().send(command, timeout_s or self.address.read_timeout_s).answer
        return checked(command.name, answer)

    def bgapi(self, command: Command, *, timeout_s: float = JOB_S) -> JobResult:
        """See the interface. Subscribed to job results only meanwhile: between calls nobody may be reading."""
        wire = self._open()
        wanted = "BACKGROUND_JOB" in self._names
        job_uuid = new_job_uuid()
        done: Any = gevent.event.AsyncResult()
        with self._subscribing:
            if not wanted and not self._jobs:
                checked("event", wire.send(commands.events(["BACKGROUND_JOB"]), API_S).answer)
            self._jobs[job_uuid] = done
        deadline = time.monotonic() + timeout_s
        try:
            checked(command.name, wire.send(command.background(job_uuid), min(timeout_s, API_S)).answer)
            event: Event = done.get(timeout=_left(deadline))
            return JobResult(job_uuid, event.body.strip())
        except gevent.Timeout:
            ESL_COMMANDS_FAILED.labels("timeout").inc()
            raise CommandTimeout(f"{command.name}: the job did not end within {timeout_s:g} s") from None
        finally:
            self._jobs.pop(job_uuid, None)
            with self._subscribing:
                if not wanted and not self._jobs and wire.connected:
                    wire.send(commands.nixevent(["BACKGROUND_JOB"]), API_S)

    def subscribe(self, names: Iterable[str] = (), *, custom: Iterable[str] = ()) -> None:
        """See the interface. Only where greenlets keep running: events that nobody reads pile up in the switch."""
        self._names.update(names)
        self._custom.update(custom)
        if self.is_connected:
            self._send_subscription()

    def _send_subscription(self) -> None:
        command = commands.events(sorted(self._names), custom=sorted(self._custom))
        checked("event", self._open().send(command, API_S).answer)

    def on_event(self, callback: EventCallback, *names: str) -> None:
        self._callbacks.append((frozenset(names), callback))

    def wait_for_event(self, name: str, test: EventTest | None = None, *, timeout_s: float) -> Event:
        self._open()
        found: Any = gevent.event.AsyncResult()
        entry = (name, test, found)
        self._waiting.append(entry)
        try:
            event: Event = found.get(timeout=timeout_s)
            return event
        except gevent.Timeout:
            raise CommandTimeout(f"no {name} within {timeout_s:g} s") from None
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)

    def _open(self) -> _Guarded:
        if self._wire is None or not self._wire.connected:
            raise NotConnected(f"{self.address.label}: not connected")
        return self._wire

    def _event(self, event: Event) -> None:
        if event.name == "BACKGROUND_JOB":
            done = self._jobs.get(event.get("Job-UUID"))
            if done is not None:
                done.set(event)
        kind = _kind(event)
        for name, test, found in self._waiting[:]:
            if name == kind and not found.ready() and (test is None or test(event)):
                found.set(event)

    def _ended(self, reason: str) -> None:
        for found in (*self._jobs.values(), *(entry[2] for entry in self._waiting)):
            if not found.ready():
                found.set_exception(NotConnected(f"{self.address.label}: {reason}"))


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.01)


def _kind(event: Event) -> str:
    return event.subclass if event.name == "CUSTOM" else event.name


def thread_id() -> int:
    """The OS thread we are in, also where gevent has replaced `threading`. gevent's objects belong to one."""
    get_ident = gevent.monkey.get_original("threading", "get_ident")
    return int(get_ident())
