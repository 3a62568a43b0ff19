"""What the installation allows beyond the rule "public addresses, usual ports".

EGRESS_PORTS  ports that tenants may aim at
EGRESS_ALLOW  what is allowed although it is internal: `10.1.2.3`, `10.0.0.0/8`, `[fd00::1]`, `crm.internal`, each with
              a port (`crm.internal:8080`), which then is the one port, or without, which leaves EGRESS_PORTS in force
EGRESS_DENY   addresses and networks that are refused although they are public: the installation's own
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from django.conf import settings

from tenants.egress.addresses import Address, Network, is_public, parse_address, unwrapped
from tenants.egress.errors import BlockedError, UnreachableError
from tenants.egress.target import Target, parse_target

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry of EGRESS_ALLOW: a network or a name, and the port it is bound to."""

    network: Network | None
    name: str = ""
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        host, port = _split_port(text.strip())
        try:
            return cls(ipaddress.ip_network(host), port=port)
        except ValueError:
            target = _name(host)
        return cls(None, target, port)

    def covers(self, host: str, address: Address) -> bool:
        if self.network is None:
            return host == self.name
        return unwrapped(address) in self.network or address in self.network


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What is allowed. `judge` is the only way to get addresses to connect to."""

    ports: frozenset[int]
    allowed: tuple[Allowed, ...] = ()
    denied: tuple[Network, ...] = ()
    ca_file: str = ""
    """Certificates of an own authority, beside the system's; empty: none."""

    @classmethod
    def of_installation(cls) -> Self:
        """As the settings say now."""
        return cls(
            ports=parse_ports(settings.EGRESS_PORTS),
            allowed=parse_allowed(settings.EGRESS_ALLOW),
            denied=parse_networks(settings.EGRESS_DENY),
            ca_file=settings.EGRESS_CA_BUNDLE,
        )

    def check_target(self, target: Target) -> None:
        """What can be told before a name is resolved. Raises BlockedError."""
        if target.address is not None:
            self._judge_one(target, target.address)
        elif target.port not in self.ports and not any(
            entry.port == target.port and (entry.network is not None or entry.name == target.host)
            for entry in self.allowed
        ):
            raise _port(target)

    def judge(self, target: Target, resolved: Iterable[str]) -> list[Address]:
        """The addresses of a target, each of them allowed. Raises BlockedError, and UnreachableError for none.

        One bad address condemns the whole name: an honest one has no internal address among public ones.
        """
        found: list[Address] = []
        for text in resolved:
            try:
                address = parse_address(text)
            except ValueError as error:
                raise _address() from error
            self._judge_one(target, address)
            if address not in found:
                found.append(address)
        if not found:
            raise UnreachableError("resolve", "The host name has no address.")
        return found

    def _judge_one(self, target: Target, address: Address) -> None:
        entries = [entry for entry in self.allowed if entry.covers(target.host, address)]
        if any(entry.port == target.port for entry in entries):
            return
        if target.port not in self.ports:
            raise _port(target)
        if any(entry.port is None for entry in entries):
            return
        if not is_public(address) or any(unwrapped(address) in network for network in self.denied):
            raise _address()


def parse_ports(texts: Sequence[str]) -> frozenset[int]:
    """Raises ValueError that names the entry."""
    ports = frozenset(_each(int, text) for text in texts)
    if wrong := [port for port in ports if not 0 < port < 65_536]:
        raise ValueError(f"{wrong[0]} is no port")
    return ports


def parse_allowed(texts: Sequence[str]) -> tuple[Allowed, ...]:
    """Raises ValueError that names the entry."""
    return tuple(_each(Allowed.parse, text) for text in texts)


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Raises ValueError that names the entry."""
    return tuple(_each(ipaddress.ip_network, text) for text in texts)


def check_url(url: str) -> Target:
    """Whether a URL may be stored. A name is resolved only when a request is made. Raises BlockedError."""
    target = parse_target(url)
    EgressPolicy.of_installation().check_target(target)
    return target


def _each(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no address, network or host name with an optional port") from error


def _split_port(text: str) -> tuple[str, int | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(text)
        port = rest[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        return text, None
    if not port and not text.endswith("]"):
        raise ValueError(text)
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError(text)
    return host, int(port) if port else None


def _name(text: str) -> str:
    try:
        target = parse_target(f"http://{text}/")
    except BlockedError as error:
        raise ValueError(text) from error
    if target.address is not None or target.port != 80 or target.path != "/":
        raise ValueError(text)
    return target.host


def _port(target: Target) -> BlockedError:
    return BlockedError("port", f"Port {target.port} is not allowed.")


def _address() -> BlockedError:
    # The address itself is not told: a tenant could map the inner network with it.
    return BlockedError("address", "The host is not on the public internet.")
