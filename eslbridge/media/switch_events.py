"""Between a leg and its call's control connection: events that concern the audio, and commands that need no answer."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

from eslbridge.control import ControlError
from eslbridge.esl import commands
from eslbridge.esl.command import Command
from eslbridge.esl.events import Event

from .audio_stream import CommunityLeg
from .websocket_leg import WebSocketLeg

if TYPE_CHECKING:
    from .attach import SwitchCall

log = logging.getLogger(__name__)


class SwitchPlayer:
    """Sends commands in order, one after the other, without making the leg wait."""

    def __init__(self, call: SwitchCall) -> None:
        self._call = call
        self._last: asyncio.Task[None] | None = None

    def play_file(self, path: str) -> None:
        self._after(self._execute(path))

    def break_all(self) -> None:
        self.send(commands.uuid_break(self._call.call_uuid))

    def send(self, command: Command) -> None:
        """An API command whose failure matters to nobody: the call may be over."""
        self._after(self._api(command))

    def _after(self, work: Any) -> None:
        before = self._last

        async def run() -> None:
            if before is not None:
                await asyncio.wait((before,))
            try:
                await work
            except ControlError as error:
                log.debug("call %s: %s", self._call.call_uuid, error)

        self._last = asyncio.get_running_loop().create_task(run())

    async def _execute(self, path: str) -> None:
        await self._call.execute("playback", path)

    async def _api(self, command: Command) -> None:
        await self._call.api(command)


class StreamEvents:
    """Raw listener for mod_audio_stream, and for the files of the community build."""

    def __init__(self, leg: WebSocketLeg, files: CommunityLeg | None = None) -> None:
        self._leg: WebSocketLeg | None = leg
        self._files = files

    def close(self) -> None:
        self._leg = self._files = None

    def __call__(self, event: Event) -> None:
        leg, files = self._leg, self._files
        if leg is None:
            return
        name = event.name
        if name == "CUSTOM":
            subclass = event.subclass
            if subclass == "mod_audio_stream::play" and files is not None:
                files.file_ready(event.body)
            elif subclass in ("mod_audio_stream::error", "mod_audio_stream::disconnect"):
                leg.failed(f"mod_audio_stream: {_reason(event.body)}")
        elif files is not None and name in ("CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE"):
            if event.get("Application") == "playback":
                path = event.get("Application-Data")
                if name == "CHANNEL_EXECUTE":
                    files.file_started(path)
                else:
                    files.file_finished(path)


class ForkEvents:
    """Raw listener for mod_audio_fork."""

    def __init__(self, leg: WebSocketLeg) -> None:
        self._leg: WebSocketLeg | None = leg

    def close(self) -> None:
        self._leg = None

    def __call__(self, event: Event) -> None:
        leg = self._leg
        if leg is None or event.name != "CUSTOM":
            return
        if event.subclass == "mod_audio_fork::connect_failed":
            leg.failed(f"mod_audio_fork: {event.body[:200]}")
        elif event.subclass in ("mod_audio_fork::disconnect", "mod_audio_fork::error"):
            leg.failed(f"mod_audio_fork: {event.subclass.rpartition('::')[2]} {event.body[:200]}".rstrip())


def _reason(body: str) -> str:
    """The words of `{"status": ..., "message": {"code": N, "error"|"reason": "..."}}`, or the body as it is."""
    try:
        message = json.loads(body)["message"]
        return f"{message.get('error') or message.get('reason') or 'ended'} (code {message.get('code')})"[:200]
    except (ValueError, KeyError, TypeError, AttributeError):
        return body[:200]
