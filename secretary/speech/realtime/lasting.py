"""A connection that outlives the provider's sessions: opened in time, renewed before its time is over, closed.

A provider keeps a session for so many minutes. Well before that a quiet moment is waited for, a second one is set up
beside the first with what was said so far, and takes its place: the caller hears nothing of it. A session that ends by
itself because its time is over is followed by a new one at once, and the caller's audio waits for it. Any other end is
told to the conversation, which has other providers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog
from websockets.asyncio.client import ClientConnection

from secretary.speech.contract import Access, Briefing, FailureKind, ProviderError, SpeechListener
from secretary.speech.net import connect_websocket, host_of, provider_error
from secretary.speech.realtime.wire import Message, Wire, shut

OPEN_S: Final = 4.0
"""For connecting and the provider's own handshake together."""
QUIET_S: Final = 0.25
"""How often a quiet moment is looked for."""
RETRY_S: Final = 15.0
MOST_REVIVALS: Final = 3
"""Sessions of one call that may end before their time, one after the other."""
LASTED_S: Final = 60.0
"""One that has lasted for so long was none of them."""

log = structlog.get_logger(__name__)


class Lasting:
    """The part of a session that knows of connections, tasks and timers, and nothing of speech."""

    decode: bool | None = False
    """See `Wire`."""
    lifetime_s: float | None = None
    """How long the provider keeps a session; renewed before."""
    renew_early_s = 300.0
    """From so long before that end on a quiet moment is waited for."""
    renew_late_s = 30.0
    """So long before it the session is renewed whatever goes on."""

    def __init__(self, briefing: Briefing, access: Access) -> None:
        self.briefing, self.access = briefing, access
        self.renewals = 0
        try:
            self._host = host_of(self._url())
        except ValueError:  # no URL at all; connecting will say so
            self._host = "the provider"
        self._loop = asyncio.get_running_loop()
        self._listener: SpeechListener | None = None
        self._opened = False
        self._wire: Wire | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._expires = 0.0
        self._revivals = 0
        self._live_since = 0.0
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # What a provider says of itself -------------------------------------------------------------------------------

    def _url(self) -> str:
        raise NotImplementedError

    def _headers(self) -> dict[str, str]:
        raise NotImplementedError

    async def _address(self) -> tuple[str, dict[str, str]]:
        """Where to connect, with which headers. Raises ProviderError."""
        return self._url(), self._headers()

    async def _handshake(self, connection: ClientConnection) -> None:
        """Set the session up; when this returns, the provider listens. Raises ProviderError."""
        raise NotImplementedError

    def _take(self, message: Message) -> None:
        """Do what a message means. What raises here ends the session as `protocol`."""
        raise NotImplementedError

    def _explain(self, error: BaseException) -> ProviderError:
        """What an exception of the connection means with this provider."""
        return provider_error(error, host=self._host)

    def _explain_end(self, error: ProviderError) -> ProviderError:
        """What the end of the connection means, if the provider said so before."""
        return error

    def _quiet(self) -> bool:
        """Whether nothing is under way that a new session would not know of."""
        raise NotImplementedError

    def _taken_over(self, wire: Wire) -> None:
        """A new connection has taken the old one's place: names from the old one mean nothing any more."""

    def _began(self) -> None:
        """A connection has begun its life."""

    def _ends(self) -> None:
        """The session is about to end for good; the listener is still there."""

    # The life of a session ----------------------------------------------------------------------------------------

    async def open(self, listener: SpeechListener) -> None:
        """Connect and set up, within OPEN_S. Raises ProviderError."""
        if self._opened:
            raise ProviderError("the session is open already")
        self._opened = True
        self._listener = listener
        try:
            self._wire = await self._establish()
        except BaseException:
            self._listener = None
            raise
        self._wire.start()
        self._live()

    async def close(self) -> None:
        """Release everything, within 1 s. Idempotent."""
        self._end_all()
        wire, self._wire = self._wire, None
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if wire is not None:
            await wire.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _fail(self, error: ProviderError) -> None:
        """The provider cannot go on with this call."""
        listener = self._listener
        if listener is None:
            return
        log.warning("speech_provider_failed", call_uuid=self.briefing.call_uuid, host=self._host, kind=error.kind)
        self._end_all()
        wire, self._wire = self._wire, None
        if wire is not None:
            self._spawn(wire.close())
        if self._renewing is not None and self._renewing is not asyncio.current_task():
            self._renewing.cancel()
        listener.on_failed(str(error), error.kind, error.retry_after_s)

    def _refuse(self, message: str, kind: FailureKind) -> None:
        self._fail(ProviderError(f"{self._host} {message}", kind=kind))

    def _end_all(self) -> None:
        if self._listener is not None:
            self._ends()
        self._listener = None
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    # The connection -----------------------------------------------------------------------------------------------

    async def _establish(self) -> Wire:
        connection: ClientConnection | None = None
        try:
            async with asyncio.timeout(OPEN_S):
                url, headers = await self._address()
                connection = await connect_websocket(url, headers=headers, guarded=self.access.guarded)
                await self._handshake(connection)
        except BaseException as error:
            if connection is not None:
                self._spawn(shut(connection))
            if isinstance(error, asyncio.CancelledError):
                raise
            raise self._explain(error) from None
        return Wire(
            connection,
            host=self._host,
            on_message=self._arrived,
            on_lost=self._lost,
            explain=self._explain,
            decode=self.decode,
        )

    def _arrived(self, wire: Wire, message: Message) -> None:
        if wire is self._wire and self._listener is not None:
            self._take(message)

    def _lost(self, wire: Wire, error: ProviderError) -> None:
        if wire is not self._wire or self._listener is None:
            return
        error = self._explain_end(error)
        self._ended(error)

    # A new session before the old one ends ------------------------------------------------------------------------

    def _live(self) -> None:
        self._live_since = self._loop.time()
        self._began()
        if self.lifetime_s is not None:
            self._ends_in(self.lifetime_s, max(self.lifetime_s - self.renew_early_s, self.lifetime_s / 2))

    def _ends_in(self, left_s: float, wait_s: float) -> None:
        """The provider ends the connection in so many seconds; after `wait_s` a quiet moment is looked for."""
        expires = self._loop.time() + left_s
        if self._expires <= self._loop.time() or expires < self._expires:
            self._expires = expires
            self._after("renew", wait_s, self._renew_when_quiet)

    def _renew_when_quiet(self) -> None:
        if self._renewing is None and (self._quiet() or self._loop.time() >= self._expires - self.renew_late_s):
            self._renew_now()
        elif self._renewing is None:
            self._after("renew", QUIET_S, self._renew_when_quiet)

    def _ended(self, error: ProviderError) -> None:
        """The session is over. Where only its time was, another one follows at once."""
        wire, self._wire = self._wire, None  # the caller's audio is held from now on
        if wire is not None:
            self._spawn(wire.close())
        if self._renewing is not None:
            return  # another one is about to take its place; if it fails, that is told
        if self._loop.time() - self._live_since > LASTED_S:
            self._revivals = 0
        if error.kind == "expired" and self._revivals < MOST_REVIVALS:
            self._revivals += 1
            self._renew_now()
        else:
            self._fail(error)

    def _renew_now(self) -> None:
        if self._renewing is None and self._listener is not None:
            self._renewing = self._spawn(self._renew())

    async def _renew(self) -> None:
        try:
            wire = await self._establish()
        except ProviderError as error:
            self._renewing = None
            if self._wire is None or self._wire.closed:
                self._fail(error)
            elif self._loop.time() + RETRY_S < self._expires:
                self._after("renew", RETRY_S, self._renew_when_quiet)
            return
        if self._listener is None:
            await wire.close()
            return
        old = self._wire
        alive = old is not None and not old.closed
        if alive and not self._quiet() and self._loop.time() < self._expires - self.renew_late_s:
            # Somebody spoke meanwhile, which the new session knows nothing of.
            self._renewing = None
            self._after("renew", QUIET_S, self._renew_when_quiet)
            await wire.close()
            return
        self._take_over(wire, old)

    def _take_over(self, wire: Wire, old: Wire | None) -> None:
        self._wire, self._renewing = wire, None
        self.renewals += 1
        self._expires = 0.0
        wire.start()
        if old is not None:
            self._spawn(old.close())
        self._taken_over(wire)
        self._live()
        log.info("speech_session_renewed", call_uuid=self.briefing.call_uuid, host=self._host)

    # Tasks and timers ---------------------------------------------------------------------------------------------

    def _send(self, message: Message) -> None:
        if self._wire is not None:
            self._wire.send(message)

    def _after(self, name: str, delay_s: float, do: Callable[[], None]) -> None:
        """Do this after a while, instead of what the timer of this name would have done."""
        self._never(name)
        if self._listener is not None:
            self._timers[name] = self._loop.call_later(delay_s, self._due, name, do)

    def _never(self, name: str) -> bool:
        """Forget a timer; whether it was set."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        return timer is not None

    def _due(self, name: str, do: Callable[[], None]) -> None:
        self._timers.pop(name, None)
        try:
            do()
        except Exception as error:  # nobody waits for a timer: what breaks in one would end in silence
            log.error("realtime_timer_failed", timer=name, error=type(error).__name__)
            self._refuse(f"could not be followed ({name})", "protocol")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
