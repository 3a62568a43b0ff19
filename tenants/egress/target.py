"""Reading a URL that a tenant wrote: strictly, once, and so that nothing after it reads it differently.

Refused: other schemes than http and https, credentials, control characters, white space and backslashes, percent signs
in the host, zones, and hosts that end in a number without being a plain IPv4 address (`2130706433`, `0x7f.1`,
`0177.0.0.1`: C libraries take these for 127.0.0.1). Host names of other scripts become ASCII by IDNA.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import quote, urlsplit

from tenants.egress.addresses import Address
from tenants.egress.errors import BlockedError

MAX_URL: Final = 2_000
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff]")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PATH_SAFE: Final = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. `host` is in lower-case ASCII, IPv6 without brackets; `address` is set for a literal."""

    scheme: str
    host: str
    port: int
    path: str
    """Path and query, as they stand in the request line."""
    address: Address | None = None

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def parse_target(url: str) -> Target:
    """Take a URL apart. Raises BlockedError("bad_url")."""
    if len(url) > MAX_URL:
        raise _bad("The URL is too long.")
    if _FORBIDDEN.search(url):
        raise _bad("The URL has white space, control characters or backslashes in it.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad("This is no URL.") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise _bad("The URL must begin with https:// or http://.")
    if "@" in parts.netloc:
        raise _bad("The URL must not have a user name or password in it.")
    if port == 0:
        raise _bad("This is no port.")
    host, address = _host(parts.hostname or "", bracketed=parts.netloc.startswith("["))
    path = quote(parts.path or "/", safe=_PATH_SAFE)
    if parts.query:
        path += "?" + quote(parts.query, safe=_PATH_SAFE + "?")
    return Target(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], path, address)


def _host(text: str, *, bracketed: bool) -> tuple[str, Address | None]:
    if bracketed:
        try:
            address = IPv6Address(text)
        except ValueError as error:
            raise _bad("This is no IPv6 address.") from error
        if address.scope_id is not None:
            raise _bad("An address must not have a zone.")
        return str(address), address
    try:
        # The codec also turns full-width digits and dots into plain ones, before they are judged below.
        name = text.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise _bad("This is no host name.") from error
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise _bad("This is no host name.")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        try:
            return name, IPv4Address(name)
        except ValueError as error:
            raise _bad("Write an IPv4 address as four decimal numbers.") from error
    return name, None


def _bad(message: str) -> BlockedError:
    return BlockedError("bad_url", message)
