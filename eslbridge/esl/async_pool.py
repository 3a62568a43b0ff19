"""Connections to switches for a process with an event loop: one for each switch and password, shared by its domains.

One is enough here: commands of many callers travel in a row on it, and slow ones run as background jobs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from uuid import UUID

from eslbridge.esl.command import Command
from eslbridge.esl.errors import EslError, NotConnected
from eslbridge.esl.events import Event
from eslbridge.esl.inbound import InboundClient
from eslbridge.esl.interface import JOB_S, Address, AsyncEslClient, EventCallback, EventTest, JobResult
from eslbridge.esl.pool import address_of, credential_key


class AsyncPool:
    """The clients of one event loop."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, int, str], InboundClient] = {}
        self._used: dict[tuple[str, int, str], float] = {}

    def client(self, address: Address) -> InboundClient:
        """The client of a switch and password, connected or not."""
        key = credential_key(address)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = InboundClient(address)
        self._used[key] = time.monotonic()
        return client

    async def get_esl_for_domain(self, domain_uuid: UUID | str) -> AsyncEslClient:
        """A domain's view on its switch; connects when used. Raises NotConnected where the domain has none."""
        from eslbridge.selectors import esl_endpoint
        from tenants.context import in_thread

        endpoint = await in_thread(esl_endpoint, domain_uuid=domain_uuid)
        if endpoint is None:
            raise NotConnected("the domain is disabled or has no ESL credential")
        return DomainView(self.client(address_of(endpoint)))

    async def drop_idle(self, seconds: float) -> None:
        """Close the clients that nobody has asked for in so long."""
        until = time.monotonic() - seconds
        for key in [key for key, used in self._used.items() if used < until]:
            del self._used[key]
            await self._clients.pop(key).close()

    async def close(self) -> None:
        """Close every client."""
        clients, self._clients = self._clients, {}
        self._used.clear()
        for client in clients.values():
            await client.close()


class DomainView(AsyncEslClient):
    """A domain's view on a shared client: commands, no subscriptions, and no closing."""

    def __init__(self, client: InboundClient) -> None:
        self._client = client

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected

    async def connect(self) -> None:
        await self._client.connect()

    async def close(self) -> None:
        """Nothing of its own: the connection is shared."""

    async def api(self, command: Command, *, timeout_s: float | None = None) -> str:
        await self._client.connect()
        return await self._client.api(command, timeout_s=timeout_s)

    async def bgapi(self, command: Command, *, timeout_s: float = JOB_S) -> JobResult:
        await self._client.connect()
        return await self._client.bgapi(command, timeout_s=timeout_s)

    async def subscribe(self, names: Iterable[str] = (), *, custom: Iterable[str] = ()) -> None:
        raise EslError("a shared connection has no subscriptions: take a client of your own")

    def on_event(self, callback: EventCallback, *names: str) -> None:
        raise EslError("a shared connection has no subscriptions: take a client of your own")

    async def wait_for_event(self, name: str, test: EventTest | None = None, *, timeout_s: float) -> Event:
        raise EslError("a shared connection has no subscriptions: take a client of your own")
