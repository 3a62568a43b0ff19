"""Which switch may bring which domain's calls.

FreeSWITCH's outbound socket knows no password: whoever reaches the port may claim to be any domain's switch. So the
address that a connection comes from is held against the domain that its call names: it must be one of the addresses of
the host in the domain's own ESL credential. Two settings stand around that: who may connect at all, and who is believed
about every domain (the switch that many domains share, or that comes from another address than it is reached at).

Names are resolved off the loop, one look-up a domain at a time, and remembered.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Protocol, TypeVar
from uuid import UUID

import structlog

log = structlog.get_logger(__name__)

FRESH_S: Final = 60.0
"""How long the addresses of a domain's switch are believed."""
AGAIN_S: Final = 5.0
"""How soon they are looked up again for an address that is not among them: the switch may have moved."""
STALE_S: Final = 3600.0
"""How long they serve when they cannot be looked up any more."""
LOOK_UP_S: Final = 2.0
"""The caller hears ringing meanwhile."""
FAILED_S: Final = 30.0
"""How long nobody asks again for a name that did not resolve in time: one tenant's hanging name servers are not the
others' trouble."""
RESOLVERS: Final = 8
"""Threads of our own for names: those of the loop have other work."""
MOST: Final = 10_000
"""Domains that are remembered."""

NOT_ITS: Final = "it is not the domain's switch"
NOT_LOOKED_UP: Final = "the addresses of the domain's switch could not be looked up"

T = TypeVar("T")
IPAddress = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
HostOf = Callable[[UUID], Awaitable[str]]
"""The host of a domain's ESL credential; empty where there is no such domain, or it has none."""
Resolve = Callable[[str], Awaitable[Iterable[str]]]


class Doorkeeper(Protocol):
    """Says why a switch may not bring a domain's call: a text for the log, empty where it may."""

    def at_once(self, peer: str, domain: str) -> str | None:
        """Without waiting; None where that cannot be said."""

    async def ask(self, peer: str, domain: str) -> str: ...


@dataclass(frozen=True, slots=True)
class _Known:
    addresses: frozenset[IPAddress]
    since: float


def address_of(text: str) -> IPAddress | None:
    """An address without its scope; an IPv4 one that came over IPv6 is an IPv4 one. None for what is no address."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


_resolvers = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="switch names")


async def resolve(host: str) -> Iterable[str]:
    """All addresses of a host. Raises OSError, UnicodeError."""
    look_up = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_resolvers, look_up)
    return [str(sockaddr[0]) for *_rest, sockaddr in found]


class Door:
    """`peers`: who may connect at all; None: anybody. `trusted`: who is believed about every domain."""

    def __init__(
        self,
        *,
        peers: Iterable[Network] | None,
        trusted: Iterable[Network],
        host_of: HostOf,
        resolve: Resolve = resolve,
    ) -> None:
        self._peers = tuple(peers) if peers is not None else None
        self._trusted = tuple(trusted)
        self._host_of, self._resolve = host_of, resolve
        self._known: dict[UUID, _Known] = {}
        self._failed: dict[UUID, float] = {}
        self._asking: dict[UUID, asyncio.Task[_Known | None]] = {}

    def at_once(self, peer: str, domain: str) -> str | None:
        address = address_of(peer)
        if address is None or (self._peers is not None and not _within(address, self._peers)):
            return "its address is not allowed"
        if _within(address, self._trusted):
            return ""
        domain_uuid = _uuid(domain)
        if domain_uuid is None:
            return "it names no domain"
        known, now = self._known.get(domain_uuid), asyncio.get_running_loop().time()
        failed = now - self._failed.get(domain_uuid, -FAILED_S) < FAILED_S
        if known is None:
            return NOT_LOOKED_UP if failed else None
        age_s = now - known.since
        if address in known.addresses:
            return "" if age_s < (STALE_S if failed else FRESH_S) else None
        return NOT_ITS if failed or age_s < AGAIN_S else None

    async def ask(self, peer: str, domain: str) -> str:
        verdict = self.at_once(peer, domain)
        address, domain_uuid = address_of(peer), _uuid(domain)
        if verdict is not None or address is None or domain_uuid is None:
            return verdict or ""
        task = self._asking.get(domain_uuid)
        if task is None:
            task = self._asking[domain_uuid] = asyncio.create_task(self._look_up(domain_uuid))
            task.add_done_callback(lambda _: self._asking.pop(domain_uuid, None))
        known = await asyncio.shield(task)
        if known is None:
            return NOT_LOOKED_UP
        return "" if address in known.addresses else NOT_ITS

    async def close(self) -> None:
        """End what is being looked up."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_up(self, domain_uuid: UUID) -> _Known | None:
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(LOOK_UP_S):
                host = await self._host_of(domain_uuid)
                literal = address_of(host)
                texts = [] if not host else [host] if literal is not None else await self._resolve(host)
        except Exception as error:  # the database, the resolver: whatever it is, the door stays as it was
            log.warning("switch_not_looked_up", domain=str(domain_uuid), error=repr(error))
            _keep(self._failed, domain_uuid, now)
            known = self._known.get(domain_uuid)
            return known if known is not None and now - known.since < STALE_S else None
        found = _Known(frozenset(one for text in texts if (one := address_of(text)) is not None), now)
        self._failed.pop(domain_uuid, None)
        _keep(self._known, domain_uuid, found)
        return found


def _keep(memory: dict[UUID, T], domain_uuid: UUID, value: T) -> None:
    """Remember it as the newest, and forget the oldest of too many."""
    memory.pop(domain_uuid, None)
    memory[domain_uuid] = value
    if len(memory) > MOST:
        del memory[next(iter(memory))]


def _within(address: IPAddress, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
