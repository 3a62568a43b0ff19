"""The way from a node to a speech provider: WebSockets and HTTP, with one set of rules for both.

    socket = await connect_websocket(url, headers={"Authorization": …}, guarded=access.guarded)
    client = http_client(guarded=access.guarded, headers={…})

`guarded`: a tenant chose the address, and `tenants.egress` judges every address that its name resolves to, at the
moment of connecting; the connection goes to a judged address itself. In clear such a connection may only go where the
installation has allowed an internal address. What the operator configured (`guarded=False`) may be anywhere.

In both cases: certificates are checked, redirects are not followed, proxies of the environment are not used, connecting
has a deadline, and what is raised names the host at most: some providers take their key in the URL.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
import httpx
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from secretary.speech.contract import FailureKind, ProviderError
from tenants.egress.addresses import Address, is_public
from tenants.egress.aio import Resolve, system_resolve
from tenants.egress.client import MAX_TRIES, tls_context, tls_words
from tenants.egress.errors import BlockedError, EgressError
from tenants.egress.policy import EgressPolicy
from tenants.egress.target import Target, parse_target

CONNECT_S: Final = 3.0
"""Resolving, connecting, TLS and the WebSocket's handshake together."""
READ_S: Final = 10.0
"""The longest pause within an HTTP answer."""
MAX_MESSAGE: Final = 4 * 1024 * 1024
"""Bytes of one WebSocket message: 60 s of 24 kHz audio in base64 are 3.9 MB, and nobody sends that much at once."""
PING_S: Final = 10.0
CLOSE_S: Final = 0.5
KEEP_S: Final = 60.0
"""A connection that nobody uses is closed after this long."""
_WIRE: Final = logging.getLogger("secretary.speech.wire")
for _library in (_WIRE, logging.getLogger("httpx"), logging.getLogger("httpcore")):
    # They write handshakes and addresses into the log, with the keys in them.
    _library.setLevel(logging.WARNING)
_SCHEMES: Final = {"ws": "http", "wss": "https", "http": "http", "https": "https"}
_UNREACHABLE_CODES: Final = frozenset({1006, 1011, 1012, 1014})
_EXPIRED_CODES: Final = frozenset({1000, 1001})


async def connect_websocket(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    guarded: bool,
    max_size: int = MAX_MESSAGE,
    subprotocols: Sequence[str] = (),
    connect_s: float = CONNECT_S,
    resolve: Resolve = system_resolve,
) -> ClientConnection:
    """An open WebSocket. Raises ProviderError: `auth`, `rate_limited`, `unreachable`, `refused`, `protocol`.

    What later goes wrong on the connection is told by `provider_error`.
    """
    host = host_of(url)
    options: dict[str, Any] = {
        "additional_headers": dict(headers or {}),
        "max_size": max_size,
        "subprotocols": [Subprotocol(name) for name in subprotocols] or None,
        "compression": None,
        "proxy": None,
        "logger": _WIRE,
        "open_timeout": None,
        "ping_interval": PING_S,
        "ping_timeout": PING_S,
        "close_timeout": CLOSE_S,
    }
    try:
        async with asyncio.timeout(connect_s):
            if not guarded:
                if urlsplit(url).scheme in ("wss", "https"):
                    options["ssl"] = _tls()
                return await _NoRedirect(_as_websocket(url), **options)
            target = _target(url)
            if target.is_tls:
                options["ssl"] = _tls()
            addresses = await judged(target, resolve)
            return await _first_of(target, addresses, options)
    except Exception as error:
        raise provider_error(error, host=host) from None


def http_client(
    *,
    guarded: bool,
    headers: Mapping[str, str] | None = None,
    base_url: str = "",
    connect_s: float = CONNECT_S,
    read_s: float = READ_S,
    max_connections: int = 100,
    resolve: Resolve = system_resolve,
) -> httpx.AsyncClient:
    """A client that keeps its connections: one for many calls that share a credential, closed by whoever made it.

    Its requests raise ProviderError where the guard refuses an address and httpx's own errors otherwise;
    `provider_error` makes one of the other, and `check_status` of an answer's status.
    """
    if guarded:
        secure = _Transport(_GuardedBackend("https", resolve), max_connections)
        clear = _Transport(_GuardedBackend("http", resolve), max_connections)
    else:
        secure = clear = _Transport(None, max_connections)
    return httpx.AsyncClient(
        base_url=base_url,
        headers=dict(headers or {}),
        transport=secure,
        mounts={"http://": clear},
        timeout=httpx.Timeout(read_s, connect=connect_s, pool=connect_s),
        follow_redirects=False,
        trust_env=False,
    )


def provider_error(error: BaseException, *, host: str = "the provider") -> ProviderError:
    """What an exception of the connection means, in words without secrets. Never raises."""
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, BlockedError):
        return ProviderError(f"{host}: {error}", kind="refused")
    if isinstance(error, EgressError):
        return ProviderError(f"{host}: {error}", kind="unreachable")
    if isinstance(error, InvalidStatus):
        return status_error(error.response.status_code, error.response.headers.get("Retry-After", ""), host=host)
    if isinstance(error, ConnectionClosed):
        return _closed_error(error, host)
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return ProviderError(f"{host} did not answer in time", kind="unreachable")
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return ProviderError(f"{host}: no secure connection: {tls_words(error)}", kind="refused")
    if isinstance(error, InvalidURI | httpx.InvalidURL | httpx.UnsupportedProtocol):
        return ProviderError("the provider's address is no URL that can be connected to", kind="refused")
    if isinstance(error, InvalidHandshake | httpx.RemoteProtocolError | httpx.DecodingError):
        return ProviderError(f"{host} did not speak the protocol it should", kind="protocol")
    if isinstance(error, OSError | EOFError | httpx.TransportError):
        cause = _tls_cause(error)
        if cause is not None:
            return ProviderError(f"{host}: no secure connection: {tls_words(cause)}", kind="refused")
        return ProviderError(f"{host} cannot be reached", kind="unreachable")
    return ProviderError(f"{host}: {type(error).__name__}", kind="protocol")


def check_status(response: httpx.Response) -> None:
    """Raises ProviderError for an answer that is not 2xx."""
    if not response.is_success:
        raise status_error(response.status_code, response.headers.get("Retry-After", ""), host=response.url.host)


def status_error(status: int, retry_after: str = "", *, host: str = "the provider") -> ProviderError:
    """What an HTTP status means. The body is left out: it may repeat a key."""
    kind, words = _meaning(status)
    return ProviderError(f"{host} {words} (HTTP {status})", kind=kind, retry_after_s=seconds_of(retry_after))


def seconds_of(retry_after: str) -> float | None:
    """`Retry-After`: seconds, or a date (RFC 9110, 10.2.3); None for what is neither."""
    if re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,6})?", retry_after):
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def host_of(url: str) -> str:
    """The host that a URL names, for messages: never its path or query, which may have a key in them."""
    try:
        return urlsplit(url).hostname or "the provider"
    except ValueError:
        return "the provider"


async def judged(target: Target, resolve: Resolve = system_resolve) -> list[Address]:
    """The addresses that a tenant's target may be connected at. Raises EgressError, ProviderError."""
    policy = EgressPolicy.of_installation()
    policy.check_target(target)
    if target.address is not None:
        addresses = policy.judge(target, [str(target.address)])
    else:
        try:
            found = await resolve(target.host, target.port)
        except TimeoutError:
            raise
        except (OSError, UnicodeError):
            found = []
        addresses = policy.judge(target, found)
    if not target.is_tls and any(is_public(address) for address in addresses):
        raise ProviderError(f"{target.host}: a key does not go over the internet in clear: use TLS", kind="refused")
    return addresses


async def _first_of(target: Target, addresses: Sequence[Address], options: dict[str, Any]) -> ClientConnection:
    """The first address that takes the connection; each has its share of the time that is left."""
    url = f"{'wss' if target.is_tls else 'ws'}://{target.host_header}{target.path}"
    tries = addresses[:MAX_TRIES]
    for left, address in zip(range(len(tries), 0, -1), tries, strict=True):
        try:
            async with asyncio.timeout(None if left == 1 else CONNECT_S / (left + 1)):
                # A literal: asyncio has nothing to resolve. The name in the URL is for TLS and the Host header.
                return await _NoRedirect(url, host=str(address), port=target.port, **options)
        except (ssl.SSLError, ssl.CertificateError):
            raise
        except OSError:  # TimeoutError is one
            if left == 1:
                raise
    raise AssertionError("there is no judged target without an address")


class _NoRedirect(connect):
    """Redirects are an answer like any other: the address behind one has been judged by nobody."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's own transport with our way to connect, which it has no parameter for."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend | None, max_connections: int) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=KEEP_S,
            network_backend=backend,
        )


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to judged addresses only. TLS comes later and is for the name (`start_tls` of the stream)."""

    def __init__(self, scheme: str, resolve: Resolve) -> None:
        self._scheme = scheme
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                name = f"[{host}]" if ":" in host else host
                addresses = await judged(parse_target(f"{self._scheme}://{name}:{port}/"), self._resolve)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except EgressError as error:
            raise provider_error(error, host=host) from None
        tries = addresses[:MAX_TRIES]
        share = None if timeout is None else timeout / len(tries)
        for address in tries[:-1]:
            try:
                return await self._inner.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(str(tries[-1]), port, share, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _tls() -> ssl.SSLContext:
    return tls_context(settings.EGRESS_CA_BUNDLE)


def _as_websocket(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"ws{scheme.removeprefix('http')}://{rest}" if separator and scheme in ("http", "https") else url


def _target(url: str) -> Target:
    """A WebSocket's URL as the guard reads it. Raises BlockedError."""
    scheme, separator, rest = url.partition("://")
    return parse_target(f"{_SCHEMES.get(scheme, scheme)}{separator}{rest}")


def _meaning(status: int) -> tuple[FailureKind, str]:
    if status in (401, 403):
        return "auth", "does not accept the key"
    if status == 402:
        return "refused", "wants to be paid"
    if status == 429:
        return "rate_limited", "has been asked too much"
    if status in (408, 425) or status >= 500:
        return "unreachable", "is out of order"
    if status < 300:
        return "protocol", "answers something else than what was asked"
    if status < 400:
        return "refused", "redirects to another address, which is not followed"
    if status == 404:
        return "refused", "does not know this address or model"
    return "refused", "refuses what is asked"


def _closed_error(error: ConnectionClosed, host: str) -> ProviderError:
    """The reason of a close frame is left out: it is the other side's text."""
    code = error.rcvd.code if error.rcvd is not None else 1006
    kind: FailureKind = "protocol"
    if code in _EXPIRED_CODES:
        kind = "expired"
    elif code in _UNREACHABLE_CODES:
        kind = "unreachable"
    elif code == 1013:
        kind = "rate_limited"
    elif code == 3000:
        kind = "auth"
    elif code in (1008, 3003):
        kind = "refused"
    return ProviderError(f"{host} closed the connection (code {code})", kind=kind)


def _tls_cause(error: BaseException) -> ssl.SSLError | None:
    """httpx and httpcore wrap what TLS said; it is further down."""
    seen: BaseException | None = error
    for _ in range(8):
        if isinstance(seen, ssl.SSLError):
            return seen
        seen = None if seen is None else seen.__cause__ or seen.__context__
    return None
