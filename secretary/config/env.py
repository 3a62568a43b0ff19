"""Typed readers of environment variables.

Every variable can also come from a file: `NAME_FILE=/run/secrets/name` is read where `NAME` itself is not set. A value
of the wrong kind stops the process with `ImproperlyConfigured`, which names the variable, what was found and what is
wanted. Secrets are read through `secret`, which never repeats what it found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final, NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

TRUE: Final = frozenset({"1", "true", "yes", "on"})
FALSE: Final = frozenset({"0", "false", "no", "off"})
MAX_PORT: Final = 65_535


class HostPort(NamedTuple):
    """An address to bind or to connect to."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Address(NamedTuple):
    """A URL taken apart: what a database or broker client wants to know. Percent escapes are decoded."""

    scheme: str
    user: str
    password: str
    host: str
    port: int | None
    path: str
    query: dict[str, str]


def raw(name: str) -> str | None:
    """The text of a variable or of the file its `_FILE` twin names; None where neither is set.

    An empty variable counts as not set, because that is what `NAME=` in a compose file means. Both at once is an
    error: nobody could tell which one is in force.
    """
    value = os.environ.get(name) or None
    file_name = os.environ.get(f"{name}_FILE") or None
    if file_name is None:
        return value
    if value is not None:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: keep one of them.")
    try:
        text = Path(file_name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE={file_name!r} cannot be read: {error}.") from error
    return text or None


def _wrong(name: str, found: str, wanted: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {found!r}; wanted: {wanted}.")


def _read(name: str, default: T | None, parse: Callable[[str], T], wanted: str) -> T:
    text = raw(name)
    if text is None:
        if default is None:
            raise ImproperlyConfigured(f"{name} is not set; wanted: {wanted} (or {name}_FILE with a file's path).")
        return default
    try:
        return parse(text)
    except ValueError as error:
        raise _wrong(name, text, wanted) from error


def string(name: str, default: str | None = None, *, choices: Sequence[str] = ()) -> str:
    """A text, one of `choices` where there are any. Without a default the variable is required."""
    value = _read(name, default, str, "a text")
    if choices and value not in choices:
        raise _wrong(name, value, f"one of {', '.join(choices)}")
    return value


def secret(name: str, default: str | None = None, *, min_length: int = 0) -> str:
    """A text that no message ever repeats; at least `min_length` characters."""
    value = _read(name, default, str, "a secret text")
    if len(value) < min_length:
        raise ImproperlyConfigured(f"{name} has {len(value)} characters; wanted: at least {min_length}.")
    return value


def integer(name: str, default: int | None = None, *, least: int | None = None, most: int | None = None) -> int:
    """A whole number between `least` and `most`."""
    limits = f"a whole number from {least if least is not None else '-∞'} to {most if most is not None else '∞'}"
    value = _read(name, default, int, limits)
    if (least is not None and value < least) or (most is not None and value > most):
        raise _wrong(name, str(value), limits)
    return value


def number(name: str, default: float | None = None, *, least: float = 0.0) -> float:
    """A finite number, not below `least`."""
    value = _read(name, default, float, f"a number of at least {least}")
    if not least <= value < float("inf"):
        raise _wrong(name, str(value), f"a number of at least {least}")
    return value


def boolean(name: str, default: bool) -> bool:
    """`1 true yes on` or `0 false no off`, in any case. Anything else is an error, never quietly false."""

    def parse(text: str) -> bool:
        lowered = text.lower()
        if lowered not in TRUE | FALSE:
            raise ValueError(text)
        return lowered in TRUE

    return _read(name, default, parse, "true or false")


def strings(name: str, default: Sequence[str] = ()) -> list[str]:
    """Texts separated by commas; blanks around them and empty ones are dropped."""
    text = raw(name)
    if text is None:
        return list(default)
    return [part.strip() for part in text.split(",") if part.strip()]


Network = IPv4Network | IPv6Network


def networks(name: str, default: Sequence[str] = ()) -> list[Network]:
    """Addresses and networks separated by commas: `10.0.0.5, 192.168.7.0/24, fd00::/8`. The word `none`: not one."""

    def parse(text: str) -> list[Network]:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return [] if parts == ["none"] else [ip_network(part) for part in parts]

    return _read(name, parse(",".join(default)), parse, "addresses and networks, such as 10.0.0.5,192.168.7.0/24")


def parse_host_port(text: str) -> HostPort:
    """`host:port` or `[v6 address]:port`. Raises ValueError."""
    host, separator, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address needs brackets")
    if not separator or not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= MAX_PORT:
        raise ValueError(f"not host:port: {text!r}")
    return HostPort(host, int(port))


def host_port(name: str, default: str | None = None) -> HostPort:
    """An address, such as `127.0.0.1:8022` or `[::1]:8022`."""
    parsed = parse_host_port(default) if default is not None else None
    return _read(name, parsed, parse_host_port, "host:port, such as 127.0.0.1:8022")


def url(name: str, default: str | None = None, *, schemes: Sequence[str]) -> str:
    """A URL with one of these schemes. It may hold a password, so that a complaint shows the scheme alone."""
    text = raw(name) or default
    wanted = f"a URL that begins with {' or '.join(scheme + '://' for scheme in schemes)}"
    if text is None:
        raise ImproperlyConfigured(f"{name} is not set; wanted: {wanted} (or {name}_FILE with a file's path).")
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in schemes:
        raise _wrong(name, f"{scheme}://…" if separator else "a text without ://", wanted)
    try:
        split_url(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not a usable URL ({error}); wanted: {wanted}.") from error
    return text


def split_url(text: str) -> Address:
    """Take a URL apart. Raises ValueError (a port that is none, broken brackets)."""
    parts = urlsplit(text)
    return Address(
        scheme=parts.scheme,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        host=unquote(parts.hostname or ""),
        port=parts.port,
        path=unquote(parts.path),
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
    )
