"""`manage.py voicenode`: answer calls until told to stop."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from secretary.voicenode.node import VoiceNode


class Command(BaseCommand):
    help = (
        "Run one voice node: it takes calls from FreeSWITCH (ESL outbound), carries their audio and holds the "
        "conversations. SIGTERM or Ctrl-C lets calls end (VOICENODE_DRAIN_S), a second one ends at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            uvloop.run(serve())
        except OSError as error:
            raise CommandError(f"The voice node cannot start: {error}. Is another one running on this port?") from error


async def serve() -> None:
    """Run a node until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    signals: asyncio.Queue[int] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signals.put_nowait, number)
    node = VoiceNode()
    try:
        await node.start()
        await signals.get()
        drained = asyncio.create_task(node.drain(settings.VOICENODE_DRAIN_S))
        again = asyncio.create_task(signals.get())
        await asyncio.wait({drained, again}, return_when=asyncio.FIRST_COMPLETED)
        for task in (drained, again):
            task.cancel()
    finally:
        await node.stop()
