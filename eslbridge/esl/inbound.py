"""The asyncio client of a switch's event socket (port 8021): commands, jobs and events over one connection.

When the connection is lost, everybody who waits is told at once, commands fail fast, and it is made again in the
background with growing pauses; subscriptions come back with it. A refused password ends the attempts.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

import structlog

from eslbridge.esl import commands
from eslbridge.esl.command import Command
from eslbridge.esl.connection import Connection
from eslbridge.esl.errors import AuthenticationFailed, CommandTimeout, EslError, NotConnected
from eslbridge.esl.events import Event
from eslbridge.esl.interface import (
    API_S,
    JOB_S,
    MAX_BACKOFF_S,
    REFUSED_S,
    Address,
    AsyncEslClient,
    EventCallback,
    EventTest,
    JobResult,
    checked,
    new_job_uuid,
)
from eslbridge.esl.protocol import Message
from eslbridge.metrics import ESL_CALLBACK_ERRORS, ESL_CLIENT_CONNECTS, ESL_COMMANDS_FAILED

log = structlog.get_logger(__name__)


class _Nobody:
    """The owner of a connection that was given up."""

    label = "(given up)"

    def connection_opened(self) -> None: ...

    def event_received(self, event: Event) -> None: ...

    def notice_received(self, message: Message) -> None: ...

    def connection_closed(self, reason: str) -> None: ...


class InboundClient(AsyncEslClient):
    """One connection to one switch, for one event loop."""

    def __init__(self, address: Address, *, reconnects: bool = True) -> None:
        self._address = address
        self._reconnects = reconnects
        self._connection: Connection | None = None
        self._greeting: asyncio.Future[str] | None = None
        self._connecting: asyncio.Lock = asyncio.Lock()
        self._reconnecting: asyncio.Task[None] | None = None
        self._names: set[str] = set()
        self._custom: set[str] = set()
        self._jobs: dict[str, asyncio.Future[Event]] = {}
        self._callbacks: list[tuple[frozenset[str], EventCallback]] = []
        self._waiting: list[tuple[str, EventTest | None, asyncio.Future[Event]]] = []
        self._ready = False
        self._closed = False
        self._refused_until = 0.0

    # --- connecting ---

    @property
    def label(self) -> str:
        return self._address.label

    @property
    def is_connected(self) -> bool:
        return self._ready and self._connection is not None and self._connection.is_open

    async def connect(self) -> None:
        """Connect and log in, once; nothing happens on a connection that is there.

        Raises AuthenticationFailed for a wrong password, at once and for 30 s more, and NotConnected.
        """
        async with self._connecting:
            if self.is_connected:
                return
            self._closed = False
            if asyncio.get_running_loop().time() < self._refused_until:
                raise AuthenticationFailed(f"{self.label} refused us a moment ago")
            try:
                await self._log_in()
            except AuthenticationFailed as error:
                ESL_CLIENT_CONNECTS.labels("refused").inc()
                log.error("switch refuses us", switch=self.label, reason=str(error))
                self._refused_until = asyncio.get_running_loop().time() + REFUSED_S
                self._cut("refused")
                raise
            except (EslError, OSError) as error:
                ESL_CLIENT_CONNECTS.labels("failed").inc()
                log.warning("switch not reached", switch=self.label, reason=str(error) or type(error).__name__)
                self._cut("not reached")
                raise NotConnected(f"{self.label}: {error or type(error).__name__}") from error
            except BaseException:
                self._cut("cancelled")
                raise
            ESL_CLIENT_CONNECTS.labels("ok").inc()
            log.info("connected to switch", switch=self.label)

    async def _log_in(self) -> None:
        address, loop = self._address, asyncio.get_running_loop()
        connection = Connection(self)
        self._connection, self._ready, self._greeting = connection, False, loop.create_future()
        async with asyncio.timeout(address.connect_timeout_s):
            await loop.create_connection(lambda: connection, address.host, address.port)
            greeting = await self._greeting
            if greeting != "auth/request":
                raise AuthenticationFailed(greeting)
        reply = (await connection.request(commands.auth(address.password), address.connect_timeout_s)).reply_text
        if not reply.startswith("+OK"):
            raise AuthenticationFailed(f"{self.label}: {reply or 'not accepted'}")
        self._ready = True
        if self._names or self._custom:
            await self._send_subscription()

    def _cut(self, reason: str) -> None:
        self._ready = False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.owner = _Nobody()  # its end must not be taken for the next one's
            connection.close(reason)

    async def close(self) -> None:
        """End the connection and every attempt to make it again."""
        self._closed = True
        if self._reconnecting is not None:
            self._reconnecting.cancel()
            await asyncio.gather(self._reconnecting, return_exceptions=True)
        connection = self._connection
        if connection is not None and connection.is_open:
            connection.send(commands.exit_())
        self._cut("closed by us")
        self._fail_waiters("closed by us")

    async def _reconnect(self) -> None:
        address = self._address
        for attempt in range(address.max_reconnects):
            # Half of the pause by chance, so that many nodes do not come back in the same instant.
            pause = min(MAX_BACKOFF_S, address.reconnect_delay_s * 2**attempt)
            await asyncio.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311 - spreads load, keeps no secret
            try:
                await self.connect()
                return
            except AuthenticationFailed:
                return
            except NotConnected:
                continue
        log.error("switch given up", switch=self.label, attempts=address.max_reconnects)

    # --- commands ---

    def _open(self) -> Connection:
        if not self.is_connected or self._connection is None:
            raise NotConnected(f"{self.label}: not connected")
        return self._connection

    async def api(self, command: Command, *, timeout_s: float | None = None) -> str:
        message = await self._open().request(command, timeout_s or self._address.read_timeout_s)
        return checked(command.name, message.answer)

    async def bgapi(self, command: Command, *, timeout_s: float = JOB_S) -> JobResult:
        """See the interface. The Job-UUID is ours and is known before the command is sent."""
        connection = self._open()
        if "BACKGROUND_JOB" not in self._names:
            await self.subscribe(["BACKGROUND_JOB"])
        job_uuid = new_job_uuid()
        done: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._jobs[job_uuid] = done
        try:
            async with asyncio.timeout(timeout_s):
                reply = await connection.request(command.background(job_uuid), min(timeout_s, API_S))
                checked(command.name, reply.answer)
                return JobResult(job_uuid, (await done).body.strip())
        except TimeoutError:
            ESL_COMMANDS_FAILED.labels("timeout").inc()
            raise CommandTimeout(f"{command.name}: the job did not end within {timeout_s:g} s") from None
        finally:
            self._jobs.pop(job_uuid, None)

    async def subscribe(self, names: Iterable[str] = (), *, custom: Iterable[str] = ()) -> None:
        self._names.update(names)
        self._custom.update(custom)
        if self.is_connected:
            await self._send_subscription()

    async def _send_subscription(self) -> None:
        command = commands.events(sorted(self._names), custom=sorted(self._custom))
        checked("event", (await self._open().request(command, API_S)).answer)

    def on_event(self, callback: EventCallback, *names: str) -> None:
        self._callbacks.append((frozenset(names), callback))

    async def wait_for_event(self, name: str, test: EventTest | None = None, *, timeout_s: float) -> Event:
        self._open()
        found: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        entry = (name, test, found)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(timeout_s):
                return await found
        except TimeoutError:
            raise CommandTimeout(f"no {name} within {timeout_s:g} s") from None
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)

    # --- the connection's owner ---

    def connection_opened(self) -> None:
        """The switch speaks first."""

    def event_received(self, event: Event) -> None:
        name = event.name
        if name == "BACKGROUND_JOB":
            done = self._jobs.get(event.get("Job-UUID"))
            if done is not None and not done.done():
                done.set_result(event)
        kind = event.subclass if name == "CUSTOM" else name
        for entry in self._waiting[:]:
            wanted, test, found = entry
            if wanted == kind and not found.done() and (test is None or test(event)):
                found.set_result(event)
        for names, callback in self._callbacks:
            if not names or kind in names:
                try:
                    callback(event)
                except Exception:
                    ESL_CALLBACK_ERRORS.inc()
                    log.exception("error in an event callback", switch=self.label, name=kind)

    def notice_received(self, message: Message) -> None:
        kind = message.content_type
        if self._greeting is not None and not self._greeting.done():
            rejected = kind == "text/rude-rejection"
            self._greeting.set_result(f"{self.label}: {message.text.strip()}" if rejected else kind)

    def connection_closed(self, reason: str) -> None:
        was_ready, self._ready = self._ready, False
        if self._greeting is not None and not self._greeting.done():
            self._greeting.set_exception(NotConnected(reason))
            self._greeting.exception()
        self._fail_waiters(reason)
        if was_ready and not self._closed:
            log.warning("switch lost", switch=self.label, reason=reason)
            if self._reconnects and (self._reconnecting is None or self._reconnecting.done()):
                self._reconnecting = asyncio.get_running_loop().create_task(self._reconnect())

    def _fail_waiters(self, reason: str) -> None:
        for found in (*self._jobs.values(), *(entry[2] for entry in self._waiting)):
            if not found.done():
                found.set_exception(NotConnected(reason))
                found.exception()
