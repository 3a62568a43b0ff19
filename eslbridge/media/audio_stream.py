"""mod_audio_stream as the community publishes it: it hears everything and plays nothing by itself.

Facts, from its source and live on FreeSWITCH 1.11 (commit ec2a781):

* A TEXT message `streamAudio` becomes a file on the switch and an event `mod_audio_stream::play`, whose body is the
  message's `data` without the audio and with `"file"`; other keys are kept, so ours carries an `id`. Nothing is played.
  Binary messages are ignored.
* The file is played by `playback` with `event-lock`, one after the other. `uuid_broadcast` would do the same with 100
  ms of silence before each file (`lead-frames: 5` in switch_ivr_broadcast).
* `uuid_break <uuid> all` empties the channel's queue and breaks the running file within a frame. With nothing running
  it breaks the *next* file instead (a flag that stays): so it is sent only while one should be running, and a file
  that ends much too early without being told to is played once more.
* Files are deleted when the stream stops. Closing from our side leaves the module's media bug: `uuid_audio_stream
  stop`.

What the caller has heard: the clock, from the file's CHANNEL_EXECUTE on, corrected by its CHANNEL_EXECUTE_COMPLETE.
"""

from __future__ import annotations

import json
import logging
import re
from binascii import b2a_base64
from collections import deque
from dataclasses import dataclass
from typing import Any, Final, Protocol

from .clock import MediaClock
from .contract import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, RATE
from .counters import MediaCounters
from .websocket_leg import WebSocketLeg

FIRST_FILE_MS: Final = 400
"""With so much voice the first file leaves at once; with less, it waits for PATIENCE_MS in case more comes."""
PATIENCE_MS: Final = 60
AHEAD_MS: Final = 400
"""A next file leaves this long before the present one ends: the switch then has it ready, without a gap."""
MAX_FILE_MS: Final = 15_000
_BROKEN_EARLY_MS: Final = 200
_START_DEADLINE_MS: Final = 3000
"""A file that has not begun by then never will: the transport is broken."""
_END_DEADLINE_MS: Final = 1500

log = logging.getLogger(__name__)


class FilePlayer(Protocol):
    """What this leg needs of the call's control connection. Both return at once and keep their order."""

    def play_file(self, path: str) -> None:
        """Play a file on the switch, after those playing."""

    def break_all(self) -> None:
        """Stop the file that plays, and forget those that wait."""


@dataclass(slots=True)
class _File:
    """A piece of voice on its way through the switch."""

    ident: str
    size: int
    heard: int = 0
    path: str = ""
    playing: bool = False
    waited: int = 0
    again: bool = False


class CommunityLeg(WebSocketLeg):
    """Voice in files as long as what `play` brought; see the module."""

    __slots__ = ("_files", "_ids", "_path", "_player", "_since_play")

    def __init__(
        self, call_uuid: str, clock: MediaClock, counters: MediaCounters, player: FilePlayer, *, rate: int = RATE
    ) -> None:
        super().__init__("mod-audio-stream", call_uuid, clock, counters, rate=rate)
        self._player = player
        self._files: deque[_File] = deque()
        self._ids = 0
        self._since_play = 0
        # The event's text comes from the switch, and goes back to it as an argument: only the module's own names.
        self._path = re.compile(rf"/[A-Za-z0-9_./-]{{0,200}}/{re.escape(call_uuid)}_\d{{1,9}}\.tmp\.r8", re.IGNORECASE)

    def play(self, pcm: bytes) -> int:
        self._since_play = 0
        return super().play(pcm)

    def stop(self) -> None:
        queue = self._queue
        if not queue.active:
            return
        queue.stop()
        queue.lose_road()
        asked = any(file.path for file in self._files)
        self._files.clear()
        if asked:
            self._player.break_all()

    def tick(self) -> None:
        if not self._watch():
            return
        self._since_play += 1
        files = self._files
        if files:
            self._follow(files[0])
            if self._closed or self._lost is not None:
                return
        if self._file_is_due():
            self._send_file()

    def _follow(self, file: _File) -> None:
        """20 ms of the front file have passed."""
        file.waited += 1
        if not file.playing:
            if file.waited * FRAME_MS > _START_DEADLINE_MS:
                self._lose("the switch did not play a file")
            return
        step = min(FRAME_BYTES, file.size - file.heard)
        if step > 0:
            file.heard += step
            file.waited = 0
            self._queue.hear(step)
        elif file.waited * FRAME_MS > _END_DEADLINE_MS:
            # Its end was not reported: believe the clock.
            self._finished(file)

    def _file_is_due(self) -> bool:
        queue = self._queue
        waiting_ms = queue.queued_ms - queue.road_ms
        if waiting_ms <= 0 or self._wire is None:
            return False
        if self._files:
            return queue.road_ms <= AHEAD_MS
        return waiting_ms >= FIRST_FILE_MS or self._since_play * FRAME_MS >= PATIENCE_MS

    def _send_file(self) -> None:
        piece = self._queue.take_piece(MAX_FILE_MS)
        self._ids += 1
        file = _File(str(self._ids), len(piece))
        audio = b2a_base64(piece, newline=False).decode("ascii")
        sent = self._send_text(
            f'{{"type":"streamAudio","data":{{"audioDataType":"raw","sampleRate":{RATE},"id":"{file.ident}",'
            f'"audioData":"{audio}"}}}}'
        )
        if not sent:
            self._lose("the audio connection does not take the voice")
            return
        frames = -(-len(piece) // FRAME_BYTES)
        self._counters.frames_out += frames
        self._counters.voice_frames_out += frames
        self._files.append(file)

    # --- what the switch reports ---

    def file_ready(self, body: str) -> None:
        """Event `mod_audio_stream::play`."""
        try:
            data: Any = json.loads(body)
        except (ValueError, RecursionError):
            data = None
        path, ident = (data.get("file"), data.get("id")) if isinstance(data, dict) else (None, None)
        if not isinstance(path, str) or not self._path.fullmatch(path):
            self._counters.websocket_messages_bad += 1
            log.warning("call %s: an event of mod_audio_stream names no file of this call: ignored", self.call_uuid)
            return
        for file in self._files:
            if file.ident == ident and not file.path:
                file.path = path
                file.waited = 0
                self._player.play_file(path)
                return
        # Stopped before it was ready: it stays unplayed, and is deleted with the stream.

    def file_started(self, path: str) -> None:
        """CHANNEL_EXECUTE of `playback` with this argument."""
        while self._files and self._files[0].path != path and any(file.path == path for file in self._files):
            # The one before is over, and its end is late.
            self._finished(self._files[0])
        if self._files and self._files[0].path == path:
            self._files[0].playing = True
            self._files[0].waited = 0

    def file_finished(self, path: str) -> None:
        """CHANNEL_EXECUTE_COMPLETE of `playback` with this argument."""
        if not self._files or self._files[0].path != path:
            return
        file = self._files[0]
        missing_ms = (file.size - file.heard) // BYTES_PER_MS
        if missing_ms > _BROKEN_EARLY_MS and file.heard < 3 * FRAME_BYTES and not file.again:
            # Broken by a stop that came just after the file before had ended.
            file.again, file.playing, file.waited = True, False, 0
            self._player.play_file(path)
            return
        self._finished(file)

    def _finished(self, file: _File) -> None:
        self._files.popleft()
        queue = self._queue
        queue.hear(file.size - file.heard)
        if not self._files and not queue.active:
            self._drained()
