"""Connections to switches, shared by the domains on them.

ESL itself knows no tenants, and every connection costs the switch a thread, so there is one small pool for each switch
and password; what a domain gets is a view on it. A pool never gives out a connection of another credential, because the
credential is what finds the pool. A connection that had any trouble is dropped, not given back.

    with switch_of(endpoint) as switch:            # a worker's job: one connection for a few commands
        switch.api(commands.uuid_exists(call))
    get_esl_for_domain(domain_uuid).uuid_kill(call)   # the whole client interface, one connection a command
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol
from uuid import UUID

import structlog

from eslbridge.esl.command import Command
from eslbridge.esl.errors import AuthenticationFailed, CommandFailed, CommandRefused, EslError, NotConnected
from eslbridge.esl.events import Event
from eslbridge.esl.interface import (
    JOB_S,
    REFUSED_S,
    Address,
    EslClient,
    EventCallback,
    EventTest,
    JobResult,
)

log = structlog.get_logger(__name__)

IDLE_S: Final = 60.0
"""How long a connection is kept for the next command. Each costs the switch 0.1 % of a core."""
MAX_SHARED: Final = 64
"""Background jobs that wait on one connection."""
MAX_IDLE: Final = 4
"""Connections kept for one switch; more may be in use for a moment."""


class Endpoint(Protocol):
    """How to reach a switch; `eslbridge.profiles.EslEndpoint` has it."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def password(self) -> str: ...
    @property
    def connect_timeout_s(self) -> float: ...
    @property
    def read_timeout_s(self) -> float: ...
    @property
    def reconnect_delay_s(self) -> float: ...
    @property
    def max_reconnects(self) -> int: ...


def address_of(endpoint: Endpoint) -> Address:
    return Address(
        host=endpoint.host,
        port=endpoint.port,
        password=endpoint.password,
        connect_timeout_s=endpoint.connect_timeout_s,
        read_timeout_s=endpoint.read_timeout_s,
        reconnect_delay_s=endpoint.reconnect_delay_s,
        max_reconnects=endpoint.max_reconnects,
    )


def credential_key(address: Address) -> tuple[str, int, str]:
    """What must be equal for a connection to be shared. The password itself is not kept."""
    return address.host, address.port, hashlib.sha256(address.password.encode()).hexdigest()


class _Line:
    """A connection that several share, and how many they are."""

    __slots__ = ("client", "users")

    def __init__(self, client: EslClient) -> None:
        self.client, self.users = client, 0


class SwitchPool:
    """Connections to one switch under one password, for one thread."""

    def __init__(
        self,
        make: Callable[[Address], EslClient],
        *,
        clock: Callable[[], float] = time.monotonic,
        idle_s: float = IDLE_S,
    ) -> None:
        self._make = make
        self._clock = clock
        self._idle_s = idle_s
        self._idle: list[tuple[float, EslClient]] = []
        self._refused_until = 0.0
        self._line: _Line | None = None
        self._sharing = threading.Lock()

    @contextmanager
    def lease(self, address: Address) -> Iterator[EslClient]:
        """A connected client, ours alone until the end of the block. Raises NotConnected, AuthenticationFailed."""
        client = self._take(address)
        try:
            yield client
        except (CommandFailed, CommandRefused):
            self._give_back(client)  # the switch said no, or we did: the connection is as good as before
            raise
        except BaseException:
            client.close()
            raise
        self._give_back(client)

    @contextmanager
    def share(self, address: Address) -> Iterator[EslClient]:
        """A connected client that others use at the same time: for background jobs, most of whose time is waiting.

        Two hundred telephones that ring at once must not cost the switch two hundred connections.
        Raises NotConnected, AuthenticationFailed.
        """
        with self._sharing:
            line = self._line
            if line is None or not line.client.is_connected or line.users >= MAX_SHARED:
                line = self._line = _Line(self._take(address))
            line.users += 1
        try:
            yield line.client
        finally:
            line.users -= 1
            if not line.users:
                if self._line is line:
                    self._line = None
                self._give_back(line.client)

    def _take(self, address: Address) -> EslClient:
        self.sweep()
        while self._idle:
            _, client = self._idle.pop()
            if client.is_connected:
                return client
            client.close()
        if self._clock() < self._refused_until:
            raise AuthenticationFailed(f"{address.label} refused us a moment ago")
        client = self._make(address)
        try:
            client.reconnect()
        except AuthenticationFailed:
            self._refused_until = self._clock() + REFUSED_S
            raise
        return client

    def _give_back(self, client: EslClient) -> None:
        if client.is_connected and len(self._idle) < MAX_IDLE:
            self._idle.append((self._clock(), client))
        else:
            client.close()

    def sweep(self) -> None:
        """Close what nobody has used for a while."""
        oldest = self._clock() - self._idle_s
        stale = [entry for entry in self._idle if entry[0] <= oldest]
        self._idle = [entry for entry in self._idle if entry[0] > oldest]
        for _, client in stale:
            client.close()

    @property
    def idle(self) -> int:
        return len(self._idle)

    def close(self) -> None:
        idle, self._idle = self._idle, []
        for _, client in idle:
            client.close()


class Pools:
    """All pools of a process: one for each switch, password and OS thread (gevent's objects belong to one thread)."""

    def __init__(self, make: Callable[[Address], EslClient], thread: Callable[[], int]) -> None:
        self._make = make
        self._thread = thread
        self._lock = threading.Lock()
        self._pools: dict[tuple[int, str, int, str], SwitchPool] = {}

    def of(self, address: Address) -> SwitchPool:
        key = (self._thread(), *credential_key(address))
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = SwitchPool(self._make)
            others = [other for found, other in self._pools.items() if found[0] == key[0] and other is not pool]
        for other in others:
            other.sweep()
        return pool


class DomainEsl(EslClient):
    """A domain's view on its switch: each command takes a connection of the pool and gives it back."""

    def __init__(self, pool: SwitchPool, address: Address) -> None:
        self._pool = pool
        self._address = address

    @property
    def is_connected(self) -> bool:
        """Whether a connection is at hand; a command makes one where not."""
        return self._pool.idle > 0

    def connect(self) -> None:
        with self._pool.lease(self._address):
            pass

    def close(self) -> None:
        """Nothing of its own: the connections are the pool's."""

    def api(self, command: Command, *, timeout_s: float | None = None) -> str:
        with self._pool.lease(self._address) as client:
            return client.api(command, timeout_s=timeout_s)

    def bgapi(self, command: Command, *, timeout_s: float = JOB_S) -> JobResult:
        with self._pool.lease(self._address) as client:
            return client.bgapi(command, timeout_s=timeout_s)

    def subscribe(self, names: Iterable[str] = (), *, custom: Iterable[str] = ()) -> None:
        raise EslError("a shared connection has no subscriptions: take a client of your own")

    def on_event(self, callback: EventCallback, *names: str) -> None:
        raise EslError("a shared connection has no subscriptions: take a client of your own")

    def wait_for_event(self, name: str, test: EventTest | None = None, *, timeout_s: float) -> Event:
        raise EslError("a shared connection has no subscriptions: take a client of your own")


_pools: Pools | None = None
_pools_lock = threading.Lock()


def _workers_pools() -> Pools:
    """This process's pools of greenswitch connections. gevent comes in only here, in workers."""
    global _pools
    from eslbridge.esl import green

    with _pools_lock:
        if _pools is None:
            _pools = Pools(green.GreenClient, green.thread_id)
        return _pools


@contextmanager
def switch_of(endpoint: Endpoint) -> Iterator[EslClient]:
    """A connection to an endpoint's switch for some commands in a row. Raises NotConnected, AuthenticationFailed."""
    address = address_of(endpoint)
    with _workers_pools().of(address).lease(address) as client:
        yield client


@contextmanager
def shared_switch_of(endpoint: Endpoint) -> Iterator[EslClient]:
    """The same for a command that takes long, in the background: the connection is shared. Raises as `switch_of`."""
    address = address_of(endpoint)
    with _workers_pools().of(address).share(address) as client:
        yield client


def get_esl_for_domain(domain_uuid: UUID | str) -> EslClient:
    """A domain's client, for workers. Raises NotConnected where the domain has no switch; connects when used.

    Reads the credential anew each time: a changed password or switch counts from the next command on.
    """
    address = _address_of_domain(domain_uuid)
    return DomainEsl(_workers_pools().of(address), address)


def _address_of_domain(domain_uuid: UUID | str) -> Address:
    from eslbridge.selectors import esl_endpoint

    endpoint = esl_endpoint(domain_uuid=domain_uuid)
    if endpoint is None:
        raise NotConnected("the domain is disabled or has no ESL credential")
    return address_of(endpoint)
