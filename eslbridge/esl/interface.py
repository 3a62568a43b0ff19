"""What a client of a switch offers, whether it runs on asyncio or in a Celery worker.

Two flavours of one interface: `AsyncEslClient` (coroutines; the voice node) and `EslClient` (blocking calls; the
workers). Each has few basic operations, and the helpers for channels built on them here, once.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from eslbridge.esl import commands
from eslbridge.esl.command import Command
from eslbridge.esl.errors import CommandFailed, EslError
from eslbridge.esl.events import Event
from eslbridge.metrics import ESL_COMMANDS_FAILED

API_S: Final = 5.0
JOB_S: Final = 60.0
"""How long a background job may run; an originate: its ringing time and a little more."""
REFUSED_S: Final = 30.0
"""How long a refused password is remembered: no storm of attempts against a switch that does not want us."""
MAX_BACKOFF_S: Final = 10.0

EventCallback = Callable[[Event], None]
EventTest = Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class Address:
    """A switch and how patient to be with it. Times in seconds."""

    host: str
    port: int = 8021
    password: str = field(default="", repr=False)
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    reconnect_delay_s: float = 2.0
    max_reconnects: int = 3

    @property
    def label(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a background job gave. `text` is its output, such as `+OK <uuid>` or `-ERR NO_ANSWER`."""

    job_uuid: str
    text: str

    @property
    def ok(self) -> bool:
        return not self.text.startswith("-")

    def checked(self, name: str) -> str:
        """The output. Raises CommandFailed if it is an error."""
        return checked(name, self.text)


def checked(name: str, text: str) -> str:
    """An answer, unless it is an error: then CommandFailed."""
    text = text.strip()
    if text.startswith(("-ERR", "-USAGE")):
        ESL_COMMANDS_FAILED.labels("refused").inc()
        raise CommandFailed(name, text.splitlines()[0][:200])
    return text


def new_job_uuid() -> str:
    """A Job-UUID of our own, known before the command is sent: the job's end may arrive before the reply."""
    return str(uuid.uuid4())


def parse_channels(text: str) -> list[dict[str, str]]:
    """The rows of `show channels as json`; FreeSWITCH leaves them out when there are none."""
    try:
        shown = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise EslError(f"channels that are not JSON: {error}") from error
    rows = shown.get("rows", []) if isinstance(shown, dict) else []
    return [{str(name): str(value) for name, value in row.items()} for row in rows]


def originated(text: str) -> str:
    """The new channel's UUID out of `+OK <uuid>`."""
    return text.removeprefix("+OK").strip()


def undefined(text: str) -> str | None:
    return None if text == "_undef_" else text


class AsyncEslClient(ABC):
    """A client on asyncio. All raise EslError; nothing waits without an end."""

    @abstractmethod
    async def connect(self) -> None:
        """Connect and log in. Raises NotConnected, AuthenticationFailed."""

    @abstractmethod
    async def close(self) -> None: ...

    @property
    @abstractmethod
    def is_connected(self) -> bool: ...

    @abstractmethod
    async def api(self, command: Command, *, timeout_s: float = API_S) -> str:
        """Run an API command and give its output. It blocks the connection: for quick commands only."""

    @abstractmethod
    async def bgapi(self, command: Command, *, timeout_s: float = JOB_S) -> JobResult:
        """Run an API command as a background job and wait for its end."""

    @abstractmethod
    async def subscribe(self, names: Iterable[str] = (), *, custom: Iterable[str] = ()) -> None:
        """Have events sent, also after a reconnect."""

    @abstractmethod
    def on_event(self, callback: EventCallback, *names: str) -> None:
        """Call back for these events, or for all subscribed. CUSTOM ones are named by their subclass."""

    @abstractmethod
    async def wait_for_event(self, name: str, test: EventTest | None = None, *, timeout_s: float) -> Event:
        """The next event of that name (or subclass) which passes the test. Raises CommandTimeout, NotConnected."""

    async def uuid_broadcast(self, call_uuid: str, path: str, leg: commands.Leg = "aleg") -> None:
        await self.api(commands.uuid_broadcast(call_uuid, path, leg))

    async def uuid_break(self, call_uuid: str, *, everything: bool = True) -> None:
        await self.api(commands.uuid_break(call_uuid, everything=everything))

    async def uuid_bridge(self, call_uuid: str, other_uuid: str) -> None:
        await self.let_go(call_uuid, commands.uuid_bridge(call_uuid, other_uuid))

    async def uuid_kill(self, call_uuid: str, cause: str = "NORMAL_CLEARING") -> None:
        await self.api(commands.uuid_kill(call_uuid, cause))

    async def uuid_transfer(self, call_uuid: str, number: str, *, context: str) -> None:
        await self.let_go(call_uuid, commands.uuid_transfer(call_uuid, number, context=context))

    async def originate(
        self,
        dial: str,
        *,
        application: str = "park",
        argument: str = "",
        variables: Mapping[str, str] | None = None,
        timeout_s: int = 30,
    ) -> str:
        """Call somebody; the new channel's UUID once he answers. Raises CommandFailed with the cause."""
        command = commands.originate(
            dial, application=application, argument=argument, variables=variables, timeout_s=timeout_s
        )
        return originated((await self.bgapi(command, timeout_s=timeout_s + 10.0)).checked("originate"))

    async def uuid_getvar(self, call_uuid: str, name: str) -> str | None:
        return undefined(await self.api(commands.uuid_getvar(call_uuid, name)))

    async def uuid_setvar(self, call_uuid: str, name: str, value: str) -> None:
        await self.api(commands.uuid_setvar(call_uuid, name, value))

    async def uuid_exists(self, call_uuid: str) -> bool:
        return await self.api(commands.uuid_exists(call_uuid)) == "true"

    async def show_channels(self) -> list[dict[str, str]]:
        return parse_channels(await self.api(commands.show_channels()))

    async def let_go(self, call_uuid: str, command: Command) -> None:
        """Run a command that takes a channel away from its node."""
        # The voice node's connection must not reset the channel when it ends later: see `OutboundCall`.
        await self.uuid_setvar(call_uuid, "socket_resume", "false")
        try:
            (await self.bgapi(command)).checked(command.name)
        except CommandFailed:
            await self.uuid_setvar(call_uuid, "socket_resume", "true")
            raise


class EslClient(ABC):
    """A client with blocking calls, for workers. All raise EslError; nothing waits without an end."""

    @abstractmethod
    def connect(self) -> None:
        """Connect and log in. Raises NotConnected, AuthenticationFailed."""

    def reconnect(self) -> None:
        """Connect, trying again as the address says where that makes sense."""
        self.connect()

    @abstractmethod
    def close(self) -> None: ...

    @property
    @abstractmethod
    def is_connected(self) -> bool: ...

    @abstractmethod
    def api(self, command: Command, *, timeout_s: float | None = None) -> str:
        """Run an API command and give its output, within the address's read timeout if no other is given.

        It blocks the connection meanwhile: for quick commands. Raises CommandFailed for `-ERR` and `-USAGE`.
        """

    @abstractmethod
    def bgapi(self, command: Command, *, timeout_s: float = JOB_S) -> JobResult:
        """Run an API command as a background job and wait for its end."""

    @abstractmethod
    def subscribe(self, names: Iterable[str] = (), *, custom: Iterable[str] = ()) -> None:
        """Have events sent, also after a reconnect."""

    @abstractmethod
    def on_event(self, callback: EventCallback, *names: str) -> None:
        """Call back for these events, or for all subscribed. CUSTOM ones are named by their subclass."""

    @abstractmethod
    def wait_for_event(self, name: str, test: EventTest | None = None, *, timeout_s: float) -> Event:
        """The next event of that name (or subclass) which passes the test. Raises CommandTimeout, NotConnected."""

    def uuid_broadcast(self, call_uuid: str, path: str, leg: commands.Leg = "aleg") -> None:
        self.api(commands.uuid_broadcast(call_uuid, path, leg))

    def uuid_break(self, call_uuid: str, *, everything: bool = True) -> None:
        self.api(commands.uuid_break(call_uuid, everything=everything))

    def uuid_bridge(self, call_uuid: str, other_uuid: str) -> None:
        self.let_go(call_uuid, commands.uuid_bridge(call_uuid, other_uuid))

    def uuid_kill(self, call_uuid: str, cause: str = "NORMAL_CLEARING") -> None:
        self.api(commands.uuid_kill(call_uuid, cause))

    def uuid_transfer(self, call_uuid: str, number: str, *, context: str) -> None:
        self.let_go(call_uuid, commands.uuid_transfer(call_uuid, number, context=context))

    def originate(
        self,
        dial: str,
        *,
        application: str = "park",
        argument: str = "",
        variables: Mapping[str, str] | None = None,
        timeout_s: int = 30,
    ) -> str:
        """Call somebody; the new channel's UUID once he answers. Raises CommandFailed with the cause."""
        command = commands.originate(
            dial, application=application, argument=argument, variables=variables, timeout_s=timeout_s
        )
        return originated(self.bgapi(command, timeout_s=timeout_s + 10.0).checked("originate"))

    def uuid_getvar(self, call_uuid: str, name: str) -> str | None:
        return undefined(self.api(commands.uuid_getvar(call_uuid, name)))

    def uuid_setvar(self, call_uuid: str, name: str, value: str) -> None:
        self.api(commands.uuid_setvar(call_uuid, name, value))

    def uuid_exists(self, call_uuid: str) -> bool:
        return self.api(commands.uuid_exists(call_uuid)) == "true"

    def show_channels(self) -> list[dict[str, str]]:
        return parse_channels(self.api(commands.show_channels()))

    def let_go(self, call_uuid: str, command: Command) -> None:
        """Run a command that takes a channel away from its node."""
        # The voice node's connection must not reset the channel when it ends later: see `OutboundCall`.
        self.uuid_setvar(call_uuid, "socket_resume", "false")
        try:
            self.bgapi(command).checked(command.name)
        except CommandFailed:
            self.uuid_setvar(call_uuid, "socket_resume", "true")
            raise
