"""Text to the node's voice: rendered once, kept, and never rendered on the event loop.

Engines: flite for English where the system has it (its slt and rms voices are clearer over 300 to 3,400 Hz than
espeak-ng's formants), espeak-ng for everything else. Both are other processes with a deadline.

What is kept: `<folder>/<hash>.l16`, the hash over voice and text, at most `disk_bytes`, written under another name and
then renamed; and the most used in memory, at most `memory_bytes`. A prompt in memory is given at once, so a greeting
that was prepared costs the caller no waiting.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from secretary.speech.local import render
from secretary.speech.local.errors import VoiceError

MEMORY_BYTES: Final = 24 * 2**20
"""About 25 minutes of speech."""
DISK_BYTES: Final = 256 * 2**20
MAX_TEXT: Final = 1000
"""Characters of one prompt: a minute of speech. Longer is cut: it was never meant to be listened to."""
WAITING: Final = 256
"""The most renderings under way or waiting; the next is refused."""

log = logging.getLogger(__name__)


class Voice:
    """One for a node. Everything but `prepare` and `render` returns at once."""

    def __init__(
        self,
        folder: Path,
        *,
        memory_bytes: int = MEMORY_BYTES,
        disk_bytes: int = DISK_BYTES,
        deadline_s: float = 8.0,
        threads: int = 2,
    ) -> None:
        self._folder = folder
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._memory_bytes = 0
        self._memory_limit = memory_bytes
        self._disk_limit = disk_bytes
        self._deadline_s = deadline_s
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="voice")
        self._under_way: dict[str, asyncio.Future[bytes]] = {}
        self._preparing = asyncio.Semaphore(1)
        self.rendered = 0
        """Prompts an engine had to speak, since the node started."""
        self.refused = 0
        """Prompts refused because WAITING were already under way."""

    def ready(self, text: str, voice: str, language: str) -> bytes | None:
        """The prompt, if it is in memory now."""
        key = _key(text[:MAX_TEXT], render.resolve(voice, language), language)
        pcm = self._memory.get(key)
        if pcm is not None:
            self._memory.move_to_end(key)
        return pcm

    async def render(self, text: str, voice: str, language: str) -> bytes:
        """L16 8 kHz of the text. Equal requests at the same time share one rendering. Raises VoiceError."""
        text = text[:MAX_TEXT]
        resolved = render.resolve(voice, language)
        key = _key(text, resolved, language)
        found = self._memory.get(key)
        if found is not None:
            self._memory.move_to_end(key)
            return found
        future = self._under_way.get(key)
        if future is None:
            if len(self._under_way) >= WAITING:
                self.refused += 1
                raise VoiceError("too many prompts are being rendered")
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._executor, self._make, key, text, resolved, language)
            self._under_way[key] = future
            future.add_done_callback(lambda done: self._keep(key, done))
        # Shielded: one caller who hangs up must not take the prompt from another who waits for the same one.
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._deadline_s + 1.0)
        except TimeoutError:
            raise VoiceError("the voice was not ready in time") from None

    async def prepare(self, texts: Iterable[str], voice: str, language: str) -> int:
        """Have these prompts in memory; gives how many could not be made. Never raises."""
        failed = 0
        for text in dict.fromkeys(texts):
            if not text.strip() or self.ready(text, voice, language) is not None:
                continue
            # One at a time for the whole node: the other threads stay free for callers who are waiting.
            async with self._preparing:
                try:
                    await self.render(text, voice, language)
                except VoiceError as error:
                    failed += 1
                    log.warning("voice: a prompt could not be prepared: %s", error)
        return failed

    def close(self) -> None:
        """Take no more work. Does not wait for an engine that is still speaking: it has its own deadline."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _keep(self, key: str, future: asyncio.Future[bytes]) -> None:
        self._under_way.pop(key, None)
        if future.cancelled() or future.exception() is not None:
            return
        pcm = future.result()
        if len(pcm) > self._memory_limit or key in self._memory:
            return
        self._memory[key] = pcm
        self._memory_bytes += len(pcm)
        while self._memory_bytes > self._memory_limit:
            _, dropped = self._memory.popitem(last=False)
            self._memory_bytes -= len(dropped)

    # In the executor

    def _make(self, key: str, text: str, voice: str, language: str) -> bytes:
        path = self._folder / f"{key}.l16"
        try:
            pcm = path.read_bytes()
            os.utime(path)  # the least recently used goes first
            if pcm and len(pcm) % 2 == 0:
                return pcm
        except OSError:
            pass
        pcm = render.speak(text, voice, language, deadline_s=self._deadline_s)
        self.rendered += 1
        try:
            self._store(path, pcm)
        except OSError as error:  # A full disk costs time at the next start, not the call.
            log.warning("voice: prompt not kept in %s: %s", self._folder, error.strerror)
        return pcm

    def _store(self, path: Path, pcm: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pcm)
            os.replace(name, path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        self._trim()

    def _trim(self) -> None:
        kept: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("*.l16"):
            try:
                status = path.stat()
            except FileNotFoundError:  # another node on this machine was faster
                continue
            kept.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total <= self._disk_limit:
                return
            path.unlink(missing_ok=True)
            total -= size


def _key(text: str, voice: str, language: str) -> str:
    return hashlib.sha256(f"{render.VERSION}\0{voice}\0{language}\0{text}".encode()).hexdigest()[:40]
