"""Deepgram's streaming recogniser (WebSocket `/v1/listen`): it listens while the caller speaks.

Only turns are sent, not what lies between them: silence, which Deepgram would charge for, and the secretary's own voice
coming back. `KeepAlive` bridges the gaps. Whether a sound is a turn may be certain only at its end (a short word into
the secretary's sentence), so 2.5 s before that go along, and words that lie before the turn are left out by their
times. At a turn's end `Finalize` makes it say what it has; an answer is complete when everything sent is covered by
final results.

The connection may break at any time, and between turns nobody notices: it is opened again. Within a turn the whole
turn, which the session has kept, is sent once more on a new one.

Options: `stt_encoding` (`linear16`, or `mulaw` for half the bandwidth), `stt_language` (`multi` for several),
`stt_endpointing` (ms), `stt_keyterms` (comma-separated; otherwise the destinations' names, Nova-3 only), `stt_extra`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from eslbridge.media import codec
from eslbridge.media.contract import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, RATE
from secretary.speech import net
from secretary.speech.contract import FailureKind, ProviderError
from secretary.speech.pipeline.settings import Stage
from secretary.speech.pipeline.stt.contract import Transcript, language_of

BEFORE_MS: Final = 2_500
"""Sent from before the moment at which it was certain that this is a turn."""
LONGEST_MS: Final = 29_000
"""A turn's sound that is longer has lost its beginning: then nothing can be told from its length."""
MISSING_S: Final = 0.1
"""So much of a turn's beginning may be missing of what was streamed: less than the silence before it."""
BATCH_BYTES: Final = 3 * FRAME_BYTES
"""Sent at a time: 60 ms. Deepgram asks for 20 to 250 ms."""
RESEND_BYTES: Final = 4_000
"""Of a turn sent once more, at a time: 250 ms."""
MOST_WAITING: Final = 500
"""Batches kept for a connection that does not take them: 30 s. Beyond these the turn is sent again as a whole."""
KEEP_ALIVE_S: Final = 4.0
"""Deepgram closes after 10 s without a word (NET-0001)."""
ANSWER_S: Final = 1.5
"""How long after `Finalize` a result may take; then what there is counts."""
QUIET_TAIL_S: Final = 0.5
"""The end of a turn is a pause of at least 300 ms: a final result that goes this far has heard all the words."""
COVERED_S: Final = 0.06
"""Times in results are rounded, and the last few milliseconds are often left out."""
_KEEP_ALIVE: Final = json.dumps({"type": "KeepAlive"})
_FINALIZE: Final = json.dumps({"type": "Finalize"})
_CLOSE: Final = json.dumps({"type": "CloseStream"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Said:
    """The words of one result, each with its end on the connection's scale."""

    text: str
    words: tuple[tuple[str, float], ...]

    def from_then(self, since: float) -> str:
        kept = [word for word, end in self.words if end >= since]
        return self.text if len(kept) == len(self.words) else " ".join(kept)


@dataclass(slots=True)
class _Turn:
    """What is known of the words of one turn, on the connection's own scale of seconds."""

    start: float
    until: float = float("inf")
    since: float = 0.0
    """Where the turn itself begins; before that is what was sent to be sure."""
    final: list[_Said] = field(default_factory=list)
    final_until: float = 0.0
    endpoint_until: float = 0.0
    """How far results go that ended at a pause (`speech_final`)."""
    interim: _Said | None = None
    languages: list[str] = field(default_factory=list)
    flushed: bool = False
    lost: bool = False
    """Something of it did not reach the connection that we have now."""
    sent: int = 0
    """Bytes of L16, what had to be sent again included: what it costs."""

    @property
    def text(self) -> str:
        said = (*self.final, *([self.interim] if self.interim else []))
        return " ".join(text for one in said if (text := one.from_then(self.since)))

    @property
    def complete(self) -> bool:
        if self.flushed or self.final_until >= self.until - COVERED_S:
            return True
        return not self.interim and bool(self.final) and self.endpoint_until >= self.until - QUIET_TAIL_S


class ListeningRecogniser:
    """Implements `Recogniser`."""

    def __init__(self, stage: Stage, language: str, names: Sequence[str] = ()) -> None:
        self._stage = stage
        self._mulaw = stage.option("encoding", "linear16") == "mulaw"
        self._url = listen_url(stage, language, names)
        self._socket: ClientConnection | None = None
        self._before: deque[bytes] = deque(maxlen=BEFORE_MS // FRAME_MS)
        self._batch = bytearray()
        self._waiting: deque[bytes | str] = deque()
        """What goes to the connection next: L16, or a message."""
        self._queued_bytes = 0
        """L16 for the present connection so far: its scale of time."""
        self._speaking: _Turn | None = None
        self._interim: Callable[[str], None] | None = None
        self._turns: list[_Turn] = []
        """Those that wait for words, oldest first: the session has two of them at most."""
        self._news = asyncio.Event()
        self._wake = asyncio.Event()
        self._work: list[asyncio.Task[None]] = []
        self._connecting: asyncio.Task[None] | None = None
        self._failure: ProviderError | None = None

    async def open(self, interim: Callable[[str], None]) -> None:
        self._interim = interim
        await self._connect()

    # Every frame ----------------------------------------------------------------------------------------------------

    def hear(self, frame: bytes) -> None:
        turn = self._speaking
        if turn is None:
            self._before.append(frame)
        elif not turn.lost:
            self._batch += frame
            if len(self._batch) >= BATCH_BYTES:
                self._queue_batch(turn)

    def turn_started(self) -> None:
        if self._speaking is not None:
            return
        turn = self._speaking = _Turn(self._position, lost=self._socket is None)
        self._turns.append(turn)
        self._batch += b"".join(self._before)
        self._before.clear()
        if self._socket is None:
            self._batch.clear()
            self._reconnect()
        else:
            self._queue_batch(turn)

    def _queue_batch(self, turn: _Turn) -> None:
        if len(self._waiting) >= MOST_WAITING:
            turn.lost = True
            self._waiting.clear()
        elif self._batch:
            self._queued_bytes += len(self._batch)
            turn.sent += len(self._batch)
            self._waiting.append(bytes(self._batch))
        self._batch.clear()
        self._wake.set()

    @property
    def _position(self) -> float:
        return self._queued_bytes / BYTES_PER_MS / 1000

    # A turn's end -----------------------------------------------------------------------------------------------------

    def turn_ended(self, pcm: bytes) -> Awaitable[Transcript]:
        turn, self._speaking = self._speaking, None
        if turn is None:
            turn = _Turn(self._position, lost=True)
            self._turns.append(turn)
        if not turn.lost:
            self._end(turn)
            seconds = len(pcm) / BYTES_PER_MS / 1000
            if len(pcm) < LONGEST_MS * BYTES_PER_MS:
                turn.since = turn.until - seconds
                turn.lost = turn.since < turn.start - MISSING_S
        return self._words(turn, pcm)

    def _end(self, turn: _Turn) -> None:
        self._queue_batch(turn)
        turn.until = self._position
        self._waiting.append(_FINALIZE)
        self._wake.set()

    async def _words(self, turn: _Turn, pcm: bytes) -> Transcript:
        try:
            async with asyncio.timeout(self._stage.timeout_s):
                if not turn.lost:
                    await self._complete(turn)
                if turn.lost:
                    log.info("%s: a turn is sent once more", self._stage.name)
                    await self._send_again(turn, pcm)
                    await self._complete(turn)
                if turn.lost:
                    raise self._failure or self._error("the connection was lost", "unreachable")
        except TimeoutError:
            raise self._error("no answer in time", "unreachable") from None
        finally:
            self._turns.remove(turn)
        return Transcript(turn.text, _language(turn.languages), turn.sent / BYTES_PER_MS / 1000)

    async def _complete(self, turn: _Turn) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                while not turn.complete and not turn.lost:
                    self._news.clear()
                    await self._news.wait()

    async def _send_again(self, turn: _Turn, pcm: bytes) -> None:
        """The turn once more from its beginning, as fast as the connection takes it. Raises ProviderError."""
        if self._connecting is not None:
            await asyncio.wait([self._connecting])
        if self._socket is None:
            await self._connect()
        if self._speaking is not None:  # what is said meanwhile would stand in the middle of it: it is sent again, too
            self._speaking.lost = True
        self._batch.clear()
        self._turns.remove(turn)
        self._turns.append(turn)
        turn.start, turn.until, turn.since = self._position, float("inf"), 0.0
        turn.final, turn.interim, turn.flushed, turn.lost = [], None, False, False
        turn.final_until = turn.endpoint_until = 0.0
        for at in range(0, len(pcm), RESEND_BYTES):
            self._batch += pcm[at : at + RESEND_BYTES]
            self._queue_batch(turn)
        self._end(turn)

    # The connection ---------------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        headers = {"Authorization": f"Token {self._stage.key}"} if self._stage.key else {}
        try:
            socket = await net.connect_websocket(self._url, headers=headers, guarded=self._stage.guarded)
        except ProviderError as error:
            raise self._error(str(error), error.kind) from None
        for task in self._work:
            task.cancel()
        self._socket, self._queued_bytes, self._failure = socket, 0, None
        self._waiting.clear()
        for turn in self._turns:
            turn.lost = True
        self._work = [
            asyncio.create_task(self._sending(socket), name="deepgram: send"),
            asyncio.create_task(self._receiving(socket), name="deepgram: receive"),
        ]

    def _reconnect(self) -> None:
        if self._connecting is not None and not self._connecting.done():
            return

        async def again() -> None:
            try:
                await self._connect()
            except ProviderError as error:
                self._failure = error
                log.info("%s", error)

        self._connecting = asyncio.create_task(again(), name="deepgram: connect again")

    def _gone(self, socket: ClientConnection, error: Exception) -> None:
        if self._socket is not socket:
            return
        self._socket, self._failure = None, self._meant(error)
        for turn in self._turns:
            turn.lost = True
        self._news.set()
        if self._turns:
            self._reconnect()

    async def _sending(self, socket: ClientConnection) -> None:
        try:
            while True:
                while self._waiting:
                    item = self._waiting.popleft()
                    if isinstance(item, bytes) and self._mulaw:
                        item = codec.encode(item, "PCMU")
                    await socket.send(item)
                self._wake.clear()
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        await self._wake.wait()
                except TimeoutError:
                    await socket.send(_KEEP_ALIVE)
        except ConnectionClosed as error:
            self._gone(socket, error)

    async def _receiving(self, socket: ClientConnection) -> None:
        try:
            while True:
                self._take(await socket.recv())
        except (ConnectionClosed, ProviderError) as error:
            self._gone(socket, error)
            await socket.close()

    def _take(self, message: str | bytes) -> None:
        try:
            event = json.loads(message)
            kind = event["type"]
            if kind == "Results":
                self._results(event)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            raise self._error("its message makes no sense", "protocol") from None
        if kind == "Error":
            raise self._error("it reports an error", "protocol")

    def _results(self, event: dict[str, Any]) -> None:
        best = event["channel"]["alternatives"][0]
        text = str(best["transcript"]).strip()
        words = tuple((str(word.get("punctuated_word") or word["word"]), float(word["end"])) for word in best["words"])
        said = _Said(text, words) if text else None
        until = float(event["start"]) + float(event["duration"])
        turn = next((turn for turn in reversed(self._turns) if until > turn.start + 0.02), None)
        if turn is None:
            return  # of a turn that has been answered
        if event.get("is_final"):
            if said is not None:
                turn.final.append(said)
            turn.interim = None
            turn.final_until = max(turn.final_until, until)
            if event.get("speech_final"):
                turn.endpoint_until = max(turn.endpoint_until, until)
            turn.flushed = turn.flushed or bool(event.get("from_finalize"))
        else:
            turn.interim = said
        if languages := best.get("languages"):
            turn.languages = [str(language) for language in languages]
        if said is not None and turn is self._speaking and self._interim is not None:
            self._interim(turn.text)
        self._news.set()

    async def close(self) -> None:
        socket, self._socket = self._socket, None
        tasks = [*self._work, *([self._connecting] if self._connecting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if socket is not None:
            with suppress(ConnectionClosed, TimeoutError, OSError):
                async with asyncio.timeout(0.5):
                    await socket.send(_CLOSE)
                    await socket.close()

    def _meant(self, error: Exception) -> ProviderError:
        if isinstance(error, ProviderError):
            return error
        found = net.provider_error(error, host=net.host_of(self._stage.url))
        # Closed in the ordinary way is no reason to give up: it is opened again.
        return self._error(str(found), "unreachable" if found.kind == "expired" else found.kind)

    def _error(self, what: str, kind: FailureKind) -> ProviderError:
        return ProviderError(f"{self._stage.name}: {what}", kind=kind)


def listen_url(stage: Stage, language: str, names: Sequence[str]) -> str:
    """The address with everything that is asked for. Raises ProviderError for options that do not fit."""
    encoding = stage.option("encoding", "linear16")
    if encoding not in ("linear16", "mulaw"):
        raise ProviderError("stt_encoding is neither linear16 nor mulaw", kind="refused")
    chosen = stage.option("language", language)
    asked: list[tuple[str, str]] = [
        ("model", stage.model),
        ("language", {"pt-br": "pt-BR", "auto": "multi"}.get(chosen, chosen)),
        ("encoding", encoding),
        ("sample_rate", str(RATE)),
        ("channels", "1"),
        ("interim_results", "true"),
        ("smart_format", "true"),
        ("endpointing", str(int(stage.number("endpointing", 300, 10, 5000)))),
    ]
    if stage.model.startswith("nova-3"):
        terms = stage.option("keyterms").split(",") if stage.option("keyterms") else names
        asked += [("keyterm", term.strip()) for term in terms[:50] if 0 < len(term.strip()) <= 60]
    asked += [(name, str(value)) for name, value in stage.extra().items()]
    url = stage.url
    if url.startswith("http"):
        url = f"ws{url.removeprefix('http')}"
    return f"{url}/v1/listen?{urlencode(asked)}"


def _language(codes: Sequence[str]) -> str:
    return language_of(codes[0]) if codes else ""
