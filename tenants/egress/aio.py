"""The guard for asyncio: the same judgement and the same exchange as `client`, without a thread of its own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence

from tenants.egress.addresses import Address
from tenants.egress.client import MAX_TRIES, tls_context, tls_words
from tenants.egress.errors import EgressTimeout, ResponseError, UnreachableError
from tenants.egress.exchange import RECEIVE, Exchange, Limits, Response
from tenants.egress.policy import EgressPolicy
from tenants.egress.target import Target, parse_target

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def system_resolve(host: str, port: int) -> list[str]:
    """The system's answer, from a thread of the loop's pool."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)  # 1: SOCK_STREAM
    return [str(entry[4][0]) for entry in found]


async def request(
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
    target = parse_target(url)
    policy.check_target(target)
    exchange = Exchange(target, method, headers or {}, body, limits)
    try:
        async with asyncio.timeout(limits.total_s):
            addresses = policy.judge(target, await _resolved(target, resolve))
            async with asyncio.timeout(limits.connect_s):
                connection = await _connect(target, addresses, policy)
            return await _carry(connection, exchange)
    except TimeoutError as error:
        raise EgressTimeout from error


async def _resolved(target: Target, resolve: Resolve) -> Sequence[str]:
    if target.address is not None:
        return [str(target.address)]
    try:
        return await resolve(target.host, target.port)
    except TimeoutError:
        raise
    except (OSError, UnicodeError):
        return []


async def _connect(target: Target, addresses: Sequence[Address], policy: EgressPolicy) -> Connection:
    tls = tls_context(policy.ca_file) if target.is_tls else None
    name = target.host if tls is not None else None
    failure: Exception | None = None
    for address in addresses[:MAX_TRIES]:
        try:
            # A literal: asyncio has nothing to resolve. The name is for the certificate alone.
            return await asyncio.open_connection(
                str(address), target.port, ssl=tls, server_hostname=name, limit=RECEIVE
            )
        except TimeoutError:
            raise
        except (ssl.SSLError, ssl.CertificateError, ValueError) as error:
            raise UnreachableError("tls", f"No secure connection: {tls_words(error)}.") from error
        except OSError as error:
            failure = error
    raise UnreachableError("connect", "The receiver does not take the connection.") from failure


async def _carry(connection: Connection, exchange: Exchange) -> Response:
    reader, writer = connection
    try:
        writer.write(exchange.outgoing)
        while True:
            response = exchange.receive(await reader.read(RECEIVE))
            if response is not None:
                return response
    except TimeoutError:
        raise
    except OSError as error:
        raise ResponseError("protocol", "The receiver broke the connection off.") from error
    finally:
        writer.transport.abort()
