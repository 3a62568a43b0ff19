"""The guard for threads and Celery: resolve, judge, connect to what was judged, carry bytes, within the time."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from tenants.egress.addresses import Address
from tenants.egress.errors import EgressTimeout, ResponseError, UnreachableError
from tenants.egress.exchange import RECEIVE, Exchange, Limits, Response
from tenants.egress.policy import EgressPolicy
from tenants.egress.target import Target, parse_target

Resolve = Callable[[str, int], Sequence[str]]
"""A host name and a port to the texts of its addresses. Raises OSError."""
MAX_TRIES: Final = 4
"""Addresses of one name that are tried."""


class Deadline:
    """A moment that nothing may outlast."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then. Raises EgressTimeout."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise EgressTimeout
        return left


def system_resolve(host: str, port: int) -> list[str]:
    """The system's answer: `/etc/hosts`, DNS."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    limits: Limits | None = None,
    policy: EgressPolicy | None = None,
    resolve: Resolve = system_resolve,
) -> Response:
    """Send one request to where a tenant pointed. Raises EgressError; ValueError for headers that cannot be sent."""
    limits = limits or Limits()
    policy = policy or EgressPolicy.of_installation()
    deadline = Deadline(limits.total_s)
    target = parse_target(url)
    policy.check_target(target)
    exchange = Exchange(target, method, headers or {}, body, limits)
    if target.address is not None:
        resolved: Sequence[str] = [str(target.address)]
    else:
        resolved = _resolve_in_time(resolve, target, deadline)
    addresses = policy.judge(target, resolved)
    try:
        with _connect(target, addresses, limits, deadline, policy) as connection:
            return _carry(connection, exchange, deadline)
    except TimeoutError as error:
        raise EgressTimeout from error


def _resolve_in_time(resolve: Resolve, target: Target, deadline: Deadline) -> Sequence[str]:
    """`getaddrinfo` has no time limit of its own, and a tenant can own the name server: hence a thread to leave."""
    found: list[Sequence[str]] = []

    def look_up() -> None:
        try:
            found.append(resolve(target.host, target.port))
        except (OSError, UnicodeError):
            found.append([])

    thread = threading.Thread(target=look_up, name="egress-resolve", daemon=True)
    thread.start()
    thread.join(deadline.left())
    if not found:
        raise EgressTimeout("The host name could not be resolved in time.")
    return found[0]


def _connect(
    target: Target, addresses: Sequence[Address], limits: Limits, deadline: Deadline, policy: EgressPolicy
) -> socket.socket:
    connecting = Deadline(limits.connect_s)
    plain = _first_open(target, addresses, connecting, deadline)
    if not target.is_tls:
        return plain
    try:
        plain.settimeout(min(connecting.left(), deadline.left()))
        # The certificate must be for the name in the URL (for a literal: the address), though the address is pinned.
        return tls_context(policy.ca_file).wrap_socket(plain, server_hostname=target.host)
    except TimeoutError:
        plain.close()
        raise
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        plain.close()
        raise UnreachableError("tls", f"No secure connection: {tls_words(error)}.") from error
    except EgressTimeout:
        plain.close()
        raise


def _first_open(
    target: Target, addresses: Sequence[Address], connecting: Deadline, deadline: Deadline
) -> socket.socket:
    failure: OSError | None = None
    for address in addresses[:MAX_TRIES]:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        left = min(connecting.left(), deadline.left())
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(left)
            connection.connect((str(address), target.port))
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    if isinstance(failure, TimeoutError):
        raise failure
    raise UnreachableError("connect", "The receiver does not take the connection.") from failure


def _carry(connection: socket.socket, exchange: Exchange, deadline: Deadline) -> Response:
    try:
        _send(connection, exchange.outgoing, deadline)
        while True:
            # Anew for each piece: whoever sends a byte a second still has only the time that is left.
            connection.settimeout(deadline.left())
            response = exchange.receive(connection.recv(RECEIVE))
            if response is not None:
                return response
    except TimeoutError:
        raise
    except OSError as error:
        raise ResponseError("protocol", "The receiver broke the connection off.") from error


def _send(connection: socket.socket, data: bytes, deadline: Deadline) -> None:
    view = memoryview(data)
    while view:
        connection.settimeout(deadline.left())
        try:
            view = view[connection.send(view) :]
        except (BrokenPipeError, ConnectionResetError):
            return  # it may have answered before it had read everything


@lru_cache(maxsize=4)
def tls_context(ca_file: str) -> ssl.SSLContext:
    """TLS 1.2 or newer, certificates and names checked; the system's authorities and the installation's own."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def tls_words(error: Exception) -> str:
    """What was wrong with the other side's TLS, as its owner wants to know it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted ({error.verify_message})"
    return "the receiver does not speak TLS as it should"
